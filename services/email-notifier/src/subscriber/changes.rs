//! What the owner of a record may change about it. Each change ends what stood and begins another span, [`EFFECT`] after
//! the button was pressed. Pure.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use mail::Locale;
use subscription::Selection;

use super::consent::{Consent, ConsentEvent, Form};
use super::{CONFIRM_WITHIN, MAX_SUBSCRIPTIONS, Subscriber, Subscription};
use crate::frequency::Frequency;
use crate::span::{Cap, CapSpan, KNOWN_FOR, Pause, Span};

/// From the button to the change: within it every planner has seen the record, so that all of them divide the news
/// between before and after alike.
pub(crate) const EFFECT: SignedDuration = SignedDuration::from_secs(5);

/// Spans of one record, those that stand and those that ended lately.
const MAX_SPANS: usize = 200;

/// Bytes of a record, its consent log aside, up to which something may be added. What ends something always may: the
/// rest of the stream's 64 KiB is for that, and for the log.
const ROOM: usize = 30 * 1024;

/// The longest pause that ends by itself.
const MAX_PAUSE: SignedDuration = SignedDuration::from_hours(366 * 24);

/// A change that is not made; its text is for whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("a subscriber may have {MAX_SUBSCRIPTIONS} subscriptions; end one first")]
    Subscriptions,
    #[error("too many changes within nine days; try again tomorrow")]
    Changes,
    #[error("a story is followed at once, not in a digest")]
    Story,
    #[error("that is no time zone; it is a name such as Asia/Shanghai or Europe/Berlin")]
    Zone,
    #[error("a pause ends later than now, and within a year; or give no end")]
    Pause,
    #[error("a cap is of 1 to 1000 alerts a day, and what is over it comes at an hour from 0 to 23")]
    Cap,
}

impl Subscriber {
    /// One more selection, asked for by the owner themselves on a page in this language: confirmed at once.
    pub(crate) fn add_on(
        &mut self,
        page: Locale,
        selection: &Selection,
        frequency: Frequency,
        now: Timestamp,
    ) -> Result<bool, Refused> {
        let consent = Consent::new(ConsentEvent::Confirmed, Form::Preferences, now).about(selection, Some(page));
        self.add_agreed(selection, frequency, consent, now)
    }

    /// One more selection that was agreed to, as `consent` says.
    pub(super) fn add_agreed(
        &mut self,
        selection: &Selection,
        frequency: Frequency,
        consent: Consent,
        now: Timestamp,
    ) -> Result<bool, Refused> {
        self.prune(now);
        suits(selection, frequency)?;
        let known = self.subscriptions.iter().position(|s| s.selection == *selection);
        if known.is_some_and(|known| self.subscriptions[known].confirmed_at.is_some()) {
            return Ok(false);
        }
        let since = self.begins(now);
        let subscription = Subscription {
            selection: selection.clone(),
            requested_at: now,
            confirmed_at: Some(consent.at),
            frequency,
            changed_at: (since != consent.at).then_some(since),
        };
        match known {
            Some(known) => self.subscriptions[known] = subscription,
            None => {
                self.has_room_for(selection)?;
                self.subscriptions.push(subscription);
            }
        }
        self.log(consent);
        Ok(true)
    }

    /// From now on `selection` is served as `frequency` says. Nothing when it is so already, or is not subscribed to.
    pub(crate) fn change_frequency(
        &mut self,
        selection: &Selection,
        frequency: Frequency,
        now: Timestamp,
    ) -> Result<bool, Refused> {
        self.prune(now);
        suits(selection, frequency)?;
        let Some(at) = self.subscriptions.iter().position(|s| s.selection == *selection) else { return Ok(false) };
        if self.subscriptions[at].frequency == frequency {
            return Ok(false);
        }
        if self.subscriptions[at].confirmed_at.is_some() {
            self.has_room(1)?;
            self.past.extend(self.subscriptions[at].end(now + EFFECT, false));
        }
        self.subscriptions[at].frequency = frequency;
        Ok(true)
    }

    /// Their days and hours are in another zone from now on. What was due in the old one stays due in it.
    pub(crate) fn change_zone(&mut self, zone: &str, now: Timestamp) -> Result<bool, Refused> {
        self.prune(now);
        let zone = zone_name(zone)?;
        if zone == self.zone {
            return Ok(false);
        }
        let in_digests = |s: &&mut Subscription| s.confirmed_at.is_some() && s.frequency != Frequency::Immediate;
        let digests = self.subscriptions.iter_mut().filter(in_digests).count();
        self.has_room(digests + 1)?;
        let old: Box<str> = std::mem::replace(&mut self.zone, zone).into();
        for subscription in self.subscriptions.iter_mut().filter(in_digests) {
            self.past.extend(subscription.end(now + EFFECT, false));
        }
        // What ended before was in the old zone, too.
        for past in self.past.iter_mut().filter(|past| past.zone.is_none()) {
            past.zone = Some(old.clone());
        }
        let standing = self.end_cap(now);
        for ended in self.caps.iter_mut().filter(|cap| cap.zone.is_none()) {
            ended.zone = Some(old.clone());
        }
        if let Some(cap) = standing {
            let since = self.caps.last().and_then(|last| last.until).unwrap_or(now + EFFECT);
            self.caps.push(CapSpan { cap, since, until: None, zone: None });
        }
        Ok(true)
    }

    /// `language`: BCP 47, one of ours.
    pub(crate) fn change_language(&mut self, language: &str) -> bool {
        let changed = self.language != language;
        language.clone_into(&mut self.language);
        changed
    }

    /// Sets the cap, or with `None` takes it away.
    pub(crate) fn change_cap(&mut self, cap: Option<Cap>, now: Timestamp) -> Result<bool, Refused> {
        self.prune(now);
        if self.cap() == cap {
            return Ok(false);
        }
        if let Some(cap) = cap {
            if !(1..=1000).contains(&cap.alerts) || !(0..24).contains(&cap.hour) {
                return Err(Refused::Cap);
            }
            self.has_room(1)?;
        }
        self.end_cap(now);
        if let Some(cap) = cap {
            let after = self.caps.iter().filter_map(|cap| cap.until).max();
            let since = after.map_or(now + EFFECT, |after| after.max(now + EFFECT));
            self.caps.push(CapSpan { cap, since, until: None, zone: None });
        }
        Ok(true)
    }

    pub(crate) fn cap(&self) -> Option<Cap> {
        self.caps.iter().find(|cap| cap.until.is_none()).map(|standing| standing.cap)
    }

    fn end_cap(&mut self, now: Timestamp) -> Option<Cap> {
        let standing = self.caps.iter_mut().find(|cap| cap.until.is_none())?;
        standing.until = Some((now + EFFECT).max(standing.since));
        Some(standing.cap)
    }

    /// Nothing is to be sent until `until`; `None`: until they say so. Asked again, it is the end that changes.
    pub(crate) fn pause(&mut self, until: Option<Timestamp>, now: Timestamp) -> Result<bool, Refused> {
        self.prune(now);
        let effect = now + EFFECT;
        if until.is_some_and(|until| until <= effect || until.duration_since(now) > MAX_PAUSE) {
            return Err(Refused::Pause);
        }
        if let Some(standing) = self.pauses.iter_mut().find(|pause| pause.until.is_none_or(|until| until > effect)) {
            let changed = standing.until != until;
            standing.until = until.map(|until| until.max(standing.since));
            return Ok(changed);
        }
        self.has_room(1)?;
        self.pauses.push(Pause { since: effect, until });
        Ok(true)
    }

    /// Ends the pause that stands.
    pub(crate) fn resume(&mut self, now: Timestamp) -> bool {
        let effect = now + EFFECT;
        let standing = self.pauses.iter_mut().find(|pause| pause.until.is_none_or(|until| until > effect));
        let Some(standing) = standing else { return false };
        standing.until = Some(effect.max(standing.since));
        // One that was taken back before it began.
        self.pauses.retain(|pause| pause.until != Some(pause.since));
        true
    }

    /// The pause that stands or is about to.
    pub(crate) fn paused(&self, now: Timestamp) -> Option<Pause> {
        self.pauses.iter().find(|pause| pause.until.is_none_or(|until| until > now + EFFECT)).copied()
    }

    /// Ends one selection, or all of them, for good.
    pub(crate) fn unsubscribe(&mut self, only: Option<&Selection>, form: Form, now: Timestamp) -> bool {
        self.end_those(|s| only.is_none_or(|only| s.selection == *only), only, form, now)
    }

    /// Ends everything that was asked for until `told`, when its owner said so by a mail: what they asked for since then
    /// they want.
    pub(crate) fn leave(&mut self, told: Timestamp, now: Timestamp) -> bool {
        self.end_those(|s| s.requested_at <= told, None, Form::Mail, now)
    }

    fn end_those(
        &mut self,
        leaves: impl Fn(&Subscription) -> bool,
        only: Option<&Selection>,
        form: Form,
        now: Timestamp,
    ) -> bool {
        self.prune(now);
        let leaves = |s: &mut Subscription| leaves(s);
        let mut left: Vec<Subscription> = self.subscriptions.extract_if(.., leaves).collect();
        if left.is_empty() {
            return false;
        }
        self.past.extend(left.iter_mut().filter_map(|subscription| subscription.end(now + EFFECT, true)));
        let withdrawn = Consent::new(ConsentEvent::Withdrawn, form, now);
        self.log(Consent { selection: only.cloned(), ..withdrawn });
        true
    }

    /// Forgets what no digest can ask for any more, and requests that nobody confirmed.
    pub(crate) fn prune(&mut self, now: Timestamp) {
        let waits = |s: &Subscription| now.duration_since(s.requested_at) < CONFIRM_WITHIN;
        self.subscriptions.retain(|s| s.confirmed_at.is_some() || waits(s));
        let pauses = self.pauses.clone();
        let known = |until: Option<Timestamp>| until.is_none_or(|until| asked_until(until, &pauses) > now);
        self.past.retain(|span| known(span.until));
        self.caps.retain(|cap| known(cap.until));
        self.pauses.retain(|pause| known(pause.until));
    }

    /// When what is confirmed now begins. Somebody new: at once. Who has something already: once every planner knows,
    /// so that nothing falls between the old and the new.
    pub(super) fn begins(&self, now: Timestamp) -> Timestamp {
        let ended = self.past.iter().filter_map(|span| span.until).max();
        match ended {
            Some(ended) => ended.max(now + EFFECT),
            None if self.is_confirmed() => now + EFFECT,
            None => now,
        }
    }

    /// Whether one more selection may be asked for.
    pub(super) fn has_room_for(&self, selection: &Selection) -> Result<(), Refused> {
        if self.subscriptions.len() >= MAX_SUBSCRIPTIONS || self.size() + selection.as_str().len() > ROOM {
            return Err(Refused::Subscriptions);
        }
        self.has_room(1)
    }

    /// Whether `more` spans, pauses or caps fit in.
    fn has_room(&self, more: usize) -> Result<(), Refused> {
        let spans = self.subscriptions.len() + self.past.len() + self.pauses.len() + self.caps.len() + more;
        // A span that ends is about as long as the subscription it was.
        let standing: usize = self.subscriptions.iter().map(|s| s.selection.as_str().len() + 100).max().unwrap_or(0);
        let fits = spans <= MAX_SPANS && self.size() + more * standing <= ROOM;
        if fits { Ok(()) } else { Err(Refused::Changes) }
    }

    /// Bytes of the record as it is stored, its consent log aside.
    fn size(&self) -> usize {
        let silent = Self { consent: Vec::new(), ..self.clone() };
        serde_json::to_vec(&silent).map_or(usize::MAX, |bytes| bytes.len())
    }
}

impl Subscription {
    /// Ends what stands at `effect`, and begins anew there; `None` when nothing stood, or not for a moment.
    fn end(&mut self, effect: Timestamp, left: bool) -> Option<Span> {
        let since = self.since()?;
        let until = effect.max(since);
        self.changed_at = Some(until);
        let (selection, frequency) = (self.selection.clone(), self.frequency);
        (until > since).then_some(Span { selection, frequency, since, until: Some(until), left, zone: None })
    }
}

/// A story is over when it is over: a digest of one has nothing to wait for.
pub(super) fn suits(selection: &Selection, frequency: Frequency) -> Result<(), Refused> {
    if selection.story().is_some() && frequency != Frequency::Immediate { Err(Refused::Story) } else { Ok(()) }
}

/// The zone by its canonical spelling.
pub(crate) fn zone_name(name: &str) -> Result<String, Refused> {
    let zone = TimeZone::get(name).map_err(|_| Refused::Zone)?;
    zone.iana_name().map(str::to_owned).ok_or(Refused::Zone)
}

/// Until when a digest may ask what was at `at`: what was found then is due within a week and may be late, and what
/// falls due in a pause waits for its end.
fn asked_until(at: Timestamp, pauses: &[Pause]) -> Timestamp {
    let mut until = at + KNOWN_FOR;
    // They are in order of time: whatever makes it later makes it later for the ones that follow.
    for pause in pauses.iter().filter(|pause| pause.since >= at || pause.covers(at)) {
        if pause.since < until {
            match pause.until {
                Some(end) => until = until.max(end + KNOWN_FOR),
                None => return Timestamp::MAX,
            }
        }
    }
    until
}
