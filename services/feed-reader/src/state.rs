//! How it stands with a source: when it is due, what its server said last, who is at it.

use fetch::Validators;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use upstream::schedule;
use url::Url;

use crate::intake::REMEMBERED;
use crate::source::Source;

/// How long an instance has a source to itself. It renews the claim while it works, so this is what a crash costs.
/// Longer than one step of the work: a fetch takes a minute at most, a call of the publisher 40 s.
pub(crate) const CLAIM: SignedDuration = SignedDuration::from_mins(3);
/// Age at which a claim is renewed.
pub(crate) const RENEW: SignedDuration = SignedDuration::from_mins(1);

/// How far apart the clocks of two instances may be. What lies further ahead was noted by a clock that was wrong.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// First and longest pause after the publisher could not take what was new.
const UNDELIVERED: (SignedDuration, SignedDuration) = (SignedDuration::from_secs(15), SignedDuration::from_mins(10));

/// Turns in a row that may break off, as they do when an instance is killed. After more of them it is taken for the
/// document's doing, which would otherwise end every instance as soon as it starts: each further one doubles a pause.
const BROKEN_OFF: u32 = 10;

/// Bytes that a source may put into quarantine in [`QUARANTINE_PERIOD`]: it has its share, not the others'.
const MAX_QUARANTINED: usize = 4 << 20;
const QUARANTINE_PERIOD: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Characters of what went wrong.
const MAX_TROUBLE: usize = 500;

/// The record of a source that its readers keep.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// Who is at it now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
    /// When it was last asked.
    pub checked_at: Timestamp,
    /// When it last answered with a feed, or that nothing was new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
    /// What it calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Where it is now, if it has moved for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<Url>,
    pub validators: Validators,
    pub plan: schedule::State,
    /// What is wrong with it, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// Times in a row that the publisher could not take what was new.
    pub undelivered: u32,
    /// Turns in a row of which nothing is known but that they began.
    pub broken_off: u32,
    pub quarantined: Quarantined,
}

/// What a source has put into quarantine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    pub since: Timestamp,
    pub bytes: usize,
}

/// An instance has the source to itself until then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub by: String,
    pub until: Timestamp,
}

impl State {
    /// Reads a stored record.
    ///
    /// # Errors
    /// When the bytes are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// When `source` is to be read next by `instance`, as seen at `now`; `None` while it is not to be read at all.
    pub fn due(source: &Source, state: Option<&Self>, instance: &str, now: Timestamp) -> Option<Timestamp> {
        if !source.is_read() {
            return None;
        }
        let Some(state) = state else { return Some(source.asked_at) };
        if state.checked_at.duration_since(now) > SKEW {
            // By that clock it might not be due for years, nor could an operator ask for it.
            return Some(now);
        }
        let asked_anew = source.asked_at > state.checked_at;
        let due = match state.plan.next_check_at {
            _ if asked_anew => source.asked_at,
            _ if state.plan.gone => return None,
            _ if state.claim.is_some() && state.broken_off > BROKEN_OFF => state.pause_after_breaks(),
            None => source.asked_at,
            Some(at) => at,
        };
        match &state.claim {
            Some(claim) if state.is_elsewhere(instance, now) => Some(due.max(claim.until)),
            _ => Some(due),
        }
    }

    /// Whether another instance is at it. A claim of `instance` itself is that of an earlier life: it works on nothing
    /// twice.
    pub(crate) fn is_elsewhere(&self, instance: &str, now: Timestamp) -> bool {
        self.claim.as_ref().is_some_and(|claim| {
            let left = claim.until.duration_since(now);
            claim.by != instance && left.is_positive() && left <= CLAIM + SKEW
        })
    }

    /// Whether nothing is known of what it has had: it was never read, or so long ago that its items are forgotten.
    pub(crate) fn knows_nothing(&self, now: Timestamp) -> bool {
        self.read_at.is_none_or(|at| now.duration_since(at) >= REMEMBERED)
    }

    fn pause_after_breaks(&self) -> Timestamp {
        let doublings = self.broken_off.saturating_sub(BROKEN_OFF + 1).min(10);
        let pause = (schedule::MIN_INTERVAL * (1 << doublings)).min(schedule::MAX_INTERVAL);
        self.checked_at.checked_add(pause).unwrap_or(self.checked_at)
    }

    /// The state in which `instance` begins to read `source` at `now`.
    pub(crate) fn claimed(before: Option<Self>, source: &Source, instance: &str, now: Timestamp) -> Self {
        let mut state = before.unwrap_or_default();
        if source.asked_at > state.checked_at {
            // Somebody has looked at it and wants it read: what was believed of it is put to the test again.
            state.plan.gone = false;
            state.moved_to = None;
            state.validators = Validators::default();
            state.quarantined = Quarantined::default();
        }
        state.broken_off = if state.claim.is_some() { state.broken_off.saturating_add(1) } else { 0 };
        state.checked_at = now;
        state.renew(instance, now);
        state
    }

    pub(crate) fn renew(&mut self, instance: &str, now: Timestamp) {
        self.claim = now.checked_add(CLAIM).ok().map(|until| Claim { by: instance.to_owned(), until });
    }

    /// Whether so much more may go into quarantine; it is counted then.
    pub(crate) fn may_quarantine(&mut self, bytes: usize, now: Timestamp) -> bool {
        if now.duration_since(self.quarantined.since).abs() > QUARANTINE_PERIOD {
            self.quarantined = Quarantined { since: now, bytes: 0 };
        }
        let may = self.quarantined.bytes.saturating_add(bytes) <= MAX_QUARANTINED;
        self.quarantined.bytes += if may { bytes } else { 0 };
        may
    }

    pub(crate) fn is_troubled(&mut self, trouble: &str) {
        self.trouble = Some(trouble.chars().take(MAX_TROUBLE).collect());
    }

    /// The publisher could not take what was new: soon again, and no later than it asked for.
    pub(crate) fn undelivered(&mut self, why: &str, after: Option<SignedDuration>, now: Timestamp) {
        let (first, longest) = UNDELIVERED;
        let pause = (first * (1 << self.undelivered.min(10))).min(longest).max(after.unwrap_or_default().min(longest));
        self.undelivered = self.undelivered.saturating_add(1);
        self.plan.next_check_at = now.checked_add(pause).ok();
        self.is_troubled(why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
    }

    fn source() -> Source {
        Source {
            url: "https://news.example/feed".parse().unwrap(),
            name: None,
            section: Vec::new(),
            language: None,
            added_at: at(0),
            asked_at: at(1),
            paused: false,
            removed_at: None,
        }
    }

    fn state() -> State {
        let plan = schedule::State { next_check_at: Some(at(60)), ..Default::default() };
        State { checked_at: at(30), plan, ..State::default() }
    }

    #[test]
    fn a_source_is_due_when_its_plan_or_its_operator_says_so() {
        let gone = State { plan: schedule::State { gone: true, ..state().plan }, ..state() };
        let claimed = State { claim: Some(Claim { by: "b".into(), until: at(70) }), ..state() };
        let asked = Source { asked_at: at(40), ..source() };
        let astray = State { claim: Some(Claim { by: "b".into(), until: at(9000) }), ..state() };
        let plan = schedule::State { next_check_at: Some(at(9999)), ..Default::default() };
        let ahead = State { checked_at: at(9000), plan, ..state() };
        for (name, source, state, due) in [
            ("never read", source(), None, Some(1)),
            ("by plan", source(), Some(state()), Some(60)),
            ("gone", source(), Some(gone.clone()), None),
            ("gone, and asked for anew", asked.clone(), Some(gone), Some(40)),
            ("asked for anew", asked.clone(), Some(state()), Some(40)),
            ("somebody is at it", source(), Some(claimed.clone()), Some(70)),
            ("asked for while somebody is at it", asked, Some(claimed), Some(70)),
            ("claimed by a clock that was wrong", source(), Some(astray), Some(60)),
            ("read by a clock that was wrong", source(), Some(ahead), Some(68)),
            ("paused", Source { paused: true, ..source() }, Some(state()), None),
            ("removed", Source { removed_at: Some(at(2)), ..source() }, None, None),
        ] {
            assert_eq!(State::due(&source, state.as_ref(), "a", at(68)), due.map(at), "{name}");
        }
    }

    #[test]
    fn who_comes_back_after_a_crash_goes_on_at_once() {
        let claimed = State { claim: Some(Claim { by: "a".into(), until: at(70) }), ..state() };
        assert_eq!(State::due(&source(), Some(&claimed), "a", at(68)), Some(at(60)));
    }

    #[test]
    fn a_document_that_ends_whoever_reads_it_does_not_do_so_for_ever() {
        let begun = |state: Option<State>, minute| State::claimed(state, &source(), "a", at(minute));
        let mut state = begun(Some(state()), 60);
        assert_eq!(state.broken_off, 0);
        for _ in 0..BROKEN_OFF {
            state = begun(Some(state), 60);
            assert_eq!(State::due(&source(), Some(&state), "a", at(60)), Some(at(60)), "an instance may be killed");
        }
        for pause in [5, 10, 20] {
            state = begun(Some(state), 60);
            assert_eq!(State::due(&source(), Some(&state), "a", at(60)), Some(at(60 + pause)));
        }
        state.broken_off = u32::MAX;
        assert_eq!(State::due(&source(), Some(&state), "a", at(60)), Some(at(60 + 24 * 60)));
        let asked = Source { asked_at: at(61), ..source() };
        assert_eq!(State::due(&asked, Some(&state), "a", at(62)), Some(at(61)));
        let ended = State { claim: None, ..state };
        assert_eq!(begun(Some(ended), 70).broken_off, 0);
    }

    #[test]
    fn a_source_that_comes_back_after_its_items_were_forgotten_is_new() {
        let read = |state: State| state.knows_nothing(at(60) + REMEMBERED);
        assert!(read(State::default()));
        assert!(read(State { read_at: Some(at(60)), ..state() }));
        assert!(!read(State { read_at: Some(at(61)), ..state() }));
    }

    #[test]
    fn a_source_has_its_share_of_the_quarantine() {
        let mut state = state();
        let mut may = |bytes, minute| state.may_quarantine(bytes, at(minute));
        let month = 30 * 24 * 60;
        assert!(may(MAX_QUARANTINED - 1, month + 1) && may(1, month + 2) && !may(1, month + 3) && may(0, month + 3));
        assert!(may(1, 2 * month + 2), "in time there is room again");
    }

    #[test]
    fn who_asks_anew_gets_everything_anew() {
        let known = State {
            moved_to: Some("https://elsewhere.example/".parse().unwrap()),
            validators: Validators { etag: Some("x".into()), last_modified: None },
            ..state()
        };
        let kept = State::claimed(Some(known.clone()), &source(), "a", at(61));
        assert_eq!((kept.moved_to.is_some(), kept.validators.etag.is_some()), (true, true));
        let anew = State::claimed(Some(known), &Source { asked_at: at(60), ..source() }, "a", at(61));
        assert_eq!((anew.moved_to, anew.validators, anew.checked_at), (None, Validators::default(), at(61)));
        assert_eq!(anew.claim, Some(Claim { by: "a".into(), until: at(64) }));
    }

    #[test]
    fn the_publisher_is_asked_again_soon_then_rarely_and_as_it_wishes() {
        let mut state = state();
        let mut pause = |after: Option<i64>| {
            state.undelivered("busy", after.map(SignedDuration::from_secs), at(0));
            state.plan.next_check_at.unwrap().duration_since(at(0)).as_secs()
        };
        assert_eq!(
            [None, None, Some(200), Some(1), Some(9999), None, None].map(&mut pause),
            [15, 30, 200, 120, 600, 480, 600]
        );
    }

    #[test]
    fn an_old_record_reads_and_a_new_one_reads_back() {
        assert_eq!(State::from_bytes(b"{\"of_a_newer_version\":1}").unwrap(), State::default());
        let json = serde_json::to_vec(&state()).unwrap();
        assert_eq!(State::from_bytes(&json).unwrap(), state());
    }
}
