//! What the log remembers of a subscriber: what was agreed, what was asked for, what has been sent. None of it holds a
//! word of an article. Pure.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use service_kit::Secret;
use sha2::{Digest, Sha256};
use topology::subjects;
use url::Url;

use crate::hub::topic::Topic;

/// How long a request waits for the subscriber to say that he meant it.
pub(crate) const ASKED_FOR: SignedDuration = SignedDuration::from_hours(1);
/// Calls that ask a subscriber whether he meant it; the first at once.
pub(crate) const MAX_TRIES: u32 = 3;

/// Longest pause between two deliveries that fail.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(1);
const SHORTEST_PAUSE: SignedDuration = SignedDuration::from_secs(10);

/// One topic and one callback, by their hashes: two addresses of up to 2 KiB make no subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SubscriberId {
    pub(crate) topic: Hash,
    pub(crate) callback: Hash,
}

/// 128 bits of SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Hash(u128);

impl Hash {
    pub(crate) fn of(text: &str) -> Self {
        let digest = Sha256::digest(text);
        Self(u128::from_be_bytes(digest[..16].try_into().expect("SHA-256 has 32 bytes")))
    }

    fn parse(hex: &str) -> Option<Self> {
        let id = Self(u128::from_str_radix(hex, 16).ok()?);
        (id.to_string() == hex).then_some(id)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl SubscriberId {
    pub(crate) fn new(topic: &Topic, callback: &Url) -> Self {
        Self { topic: Hash::of(&topic.to_string()), callback: Hash::of(callback.as_str()) }
    }

    /// Whom a message on any of the hub's subjects is about.
    pub(crate) fn of_subject(subject: &str) -> Option<Self> {
        let mut tokens = subject.rsplit('.');
        let callback = Hash::parse(tokens.next()?)?;
        Some(Self { topic: Hash::parse(tokens.next()?)?, callback })
    }

    pub(crate) fn subscription(&self) -> String {
        subjects::hub_subscription(&self.topic.to_string(), &self.callback.to_string())
    }

    pub(crate) fn progress(&self) -> String {
        subjects::hub_progress(&self.topic.to_string(), &self.callback.to_string())
    }

    pub(crate) fn delivery(&self) -> String {
        subjects::hub_delivery(&self.topic.to_string(), &self.callback.to_string())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    Subscribe,
    Unsubscribe,
}

impl Mode {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Subscribe => "subscribe",
            Self::Unsubscribe => "unsubscribe",
        }
    }
}

/// A subscriber. What was agreed stands while something else is asked for: a stranger who asks changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Subscription {
    pub(crate) topic: Topic,
    pub(crate) callback: Url,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) agreed: Option<Agreed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) asked: Option<Asked>,
}

/// What the subscriber has confirmed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Agreed {
    pub(crate) until: Timestamp,
    #[serde(default, with = "secret", skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<Secret>,
}

/// What somebody asked for in the subscriber's name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// Tells one request from the next, which may come while the subscriber is being asked.
    pub(crate) id: String,
    pub(crate) mode: Mode,
    /// The topic's address as it was given.
    pub(crate) topic: String,
    /// Seconds.
    pub(crate) lease: u32,
    #[serde(default, with = "secret", skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<Secret>,
    pub(crate) at: Timestamp,
    /// Calls that led to no answer.
    #[serde(default)]
    pub(crate) tries: u32,
    /// Not before this is he asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) not_before: Option<Timestamp>,
}

impl Subscription {
    pub(crate) fn new(topic: Topic, callback: Url) -> Self {
        Self { topic, callback, agreed: None, asked: None }
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(bytes)
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers are JSON")
    }

    /// What stands at `now`.
    pub(crate) fn standing(&self, now: Timestamp) -> Option<&Agreed> {
        self.agreed.as_ref().filter(|agreed| agreed.until > now)
    }

    /// What is still to be asked about at `now`.
    pub(crate) fn open(&self, now: Timestamp) -> Option<&Asked> {
        self.asked.as_ref().filter(|asked| now.duration_since(asked.at) < ASKED_FOR)
    }

    /// When nothing of it is worth keeping any more.
    pub(crate) fn ends_at(&self) -> Option<Timestamp> {
        let asked = self.asked.as_ref().map(|asked| asked.at.saturating_add(ASKED_FOR).unwrap_or(Timestamp::MAX));
        self.agreed.as_ref().map(|agreed| agreed.until).max(asked)
    }

    /// The subscriber has said yes to the request `id`; whatever was asked for since stays asked for.
    pub(crate) fn agree(&mut self, asked: &Asked, now: Timestamp) {
        self.drop_request(&asked.id);
        self.agreed = match asked.mode {
            Mode::Unsubscribe => None,
            Mode::Subscribe => {
                let until = now.saturating_add(SignedDuration::from_secs(asked.lease.into())).unwrap_or(Timestamp::MAX);
                Some(Agreed { until, secret: asked.secret.clone() })
            }
        };
    }

    /// The request is settled without effect.
    pub(crate) fn drop_request(&mut self, id: &str) {
        self.asked = self.asked.take().filter(|open| open.id != id);
    }

    /// The subscriber could not be asked. `false`: that was the last try.
    pub(crate) fn failed_to_ask(&mut self, id: &str, now: Timestamp) -> bool {
        let Some(open) = self.asked.as_mut().filter(|open| open.id == id) else { return self.asked.is_some() };
        open.tries += 1;
        open.not_before = now.checked_add(SignedDuration::from_secs(5) * (6 * (open.tries as i32 - 1)).max(1)).ok();
        let again = open.tries < MAX_TRIES;
        if !again {
            self.asked = None;
        }
        again
    }
}

/// How it stands with the deliveries to a subscriber.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// The tag of the version he was sent last, or that was current when he subscribed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) has: Option<String>,
    /// How far whoever sent it had read the log of articles: who has not come as far would send him an older one.
    #[serde(default)]
    pub(crate) sequence: u64,
    /// When that version had changed last. It orders versions of one place in the log, which time has made or another release
    /// of this software writes differently. `None`: whatever is different is to be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) as_of: Option<Timestamp>,
    /// In a row.
    #[serde(default)]
    pub(crate) failures: u32,
    /// What the last failure was, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) not_before: Option<Timestamp>,
    /// Who is talking to the subscriber.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) claim: Option<Claim>,
}

/// While it holds nobody else calls the subscriber, so that he gets one version after the other: an older one that
/// overtakes a newer one would bring back what was killed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claim {
    /// Two workers would otherwise write the same bytes, and each take them for its own.
    pub(crate) by: String,
    pub(crate) until: Timestamp,
}

impl Progress {
    pub(crate) fn from_bytes(bytes: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(bytes)
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers are JSON")
    }

    pub(crate) fn sent(tag: &str, as_of: Timestamp, sequence: u64) -> Self {
        Self { has: Some(tag.to_owned()), as_of: Some(as_of), sequence, ..Self::default() }
    }

    /// After one more delivery that failed; answers the pause: 10 s, doubled each time, an hour at most.
    pub(crate) fn failed(&mut self, error: String, now: Timestamp) -> SignedDuration {
        self.claim = None;
        let pause = SHORTEST_PAUSE * (1_i32 << self.failures.min(9));
        let pause = pause.min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        self.error = Some(error);
        self.not_before = now.checked_add(pause).ok();
        pause
    }
}

/// Says that there may be something to do for a subscriber. What, the records tell: a call that is replaced by the next
/// before anybody took it is no loss.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Call {
    /// The version that was seen by whoever calls; `None`: look whether there is a newer one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tag: Option<String>,
    /// How far he had read the log of articles: whoever has not come as far cannot know the version yet.
    #[serde(default)]
    pub(crate) sequence: u64,
}

/// Secrets stand in the log, as signing needs them; nothing prints them.
mod secret {
    use serde::{Deserialize, Deserializer, Serializer};
    use service_kit::Secret;

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
        match secret {
            Some(secret) => serializer.serialize_some(secret.expose()),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map(Secret::new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn asked(id: &str, mode: Mode, secret: Option<&str>) -> Asked {
        Asked {
            id: id.into(),
            mode,
            topic: "https://news.example/feeds/all.atom".into(),
            lease: 86_400,
            secret: secret.map(Secret::new),
            at: at("2026-11-01T00:00:00Z"),
            tries: 0,
            not_before: None,
        }
    }

    fn subscription() -> Subscription {
        Subscription::new("all.atom".parse().unwrap(), "https://reader.example/hook?k=1".parse().unwrap())
    }

    #[test]
    fn a_request_changes_nothing_until_it_is_confirmed() {
        let (now, mut record) = (at("2026-11-01T00:00:10Z"), subscription());
        let first = asked("1", Mode::Subscribe, Some("old"));
        record.asked = Some(first.clone());
        assert_eq!(record.standing(now), None);
        assert_eq!(record.ends_at(), Some(at("2026-11-01T01:00:00Z")));
        record.agree(&first, now);
        assert_eq!(record.ends_at(), Some(at("2026-11-02T00:00:10Z")));
        // Somebody asks with another secret, and the answer to the first request comes late.
        let second = asked("2", Mode::Subscribe, Some("new"));
        record.asked = Some(second.clone());
        assert_eq!(record.standing(now).unwrap().secret, Some(Secret::new("old")));
        record.drop_request("1");
        assert_eq!(record.asked, Some(second.clone()), "another request is not settled with it");
        record.agree(&second, now);
        assert_eq!(record.standing(now).unwrap().secret, Some(Secret::new("new")));
        assert_eq!(record.standing(at("2026-11-02T00:00:10Z")), None, "the lease has ended");
        record.agree(&asked("3", Mode::Unsubscribe, None), now);
        assert_eq!((&record.agreed, record.ends_at()), (&None, None));
    }

    #[test]
    fn who_does_not_answer_is_asked_three_times() {
        let (now, mut record) = (at("2026-11-01T00:00:00Z"), subscription());
        record.asked = Some(asked("1", Mode::Subscribe, None));
        for seconds in [5, 30] {
            assert!(record.failed_to_ask("1", now));
            let pause = record.asked.as_ref().unwrap().not_before.unwrap().duration_since(now);
            assert_eq!(pause, SignedDuration::from_secs(seconds));
        }
        assert!(!record.failed_to_ask("1", now));
        assert_eq!(record.asked, None);
        record.asked = Some(asked("2", Mode::Subscribe, None));
        assert!(record.failed_to_ask("1", now), "a later request is still open");
        assert_eq!(record.asked.as_ref().unwrap().tries, 0);
        assert!(record.open(at("2026-11-01T00:59:59Z")).is_some() && record.open(at("2026-11-01T01:00:00Z")).is_none());
    }

    #[test]
    fn pauses_grow_to_an_hour() {
        let (now, mut progress) = (at("2026-11-01T00:00:00Z"), Progress::sent("t", at("2026-10-01T00:00:00Z"), 7));
        let pauses: Vec<i64> = (0..11).map(|_| progress.failed("500".into(), now).as_secs()).collect();
        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]);
        assert_eq!((progress.failures, progress.has.as_deref()), (11, Some("t")));
        progress.failures = u32::MAX;
        assert_eq!(progress.failed("500".into(), now).as_secs(), 3600);
    }

    #[test]
    fn records_keep_what_they_hold_and_print_no_secret() {
        let mut record = subscription();
        record.asked = Some(asked("1", Mode::Unsubscribe, Some("hunter2")));
        record.agreed = Some(Agreed { until: at("2026-11-02T00:00:00Z"), secret: Some(Secret::new("hunter3")) });
        assert_eq!(Subscription::from_bytes(&record.to_bytes()).unwrap(), record);
        assert!(!format!("{record:?}").contains("hunter"));
        let mut progress = Progress::sent("t", at("2026-10-01T00:00:00Z"), 7);
        progress.claim = Some(Claim { by: "x".into(), until: at("2026-11-02T00:00:00Z") });
        assert_eq!(Progress::from_bytes(&progress.to_bytes()).unwrap(), progress);
        for bytes in [&b""[..], b"{}", b"null", b"\xff"] {
            assert!(Subscription::from_bytes(bytes).is_err());
        }
    }

    #[test]
    fn a_subject_names_its_subscriber() {
        let id = SubscriberId::new(&"all.atom".parse().unwrap(), &"https://reader.example/".parse().unwrap());
        for subject in [id.subscription(), id.progress(), id.delivery()] {
            assert_eq!(SubscriberId::of_subject(&subject), Some(id), "{subject}");
        }
        for subject in ["", "nw.hub.delivery", "nw.hub.delivery.x.y", "nw.hub.delivery.1.2"] {
            assert_eq!(SubscriberId::of_subject(subject), None, "{subject}");
        }
        let other = SubscriberId::new(&"all.rss".parse().unwrap(), &"https://reader.example/".parse().unwrap());
        assert_ne!(id, other, "each form is a topic of its own");
    }
}
