//! The subscriber's side of WebSub (W3C Recommendation, 23 January 2018): what was agreed with a hub, when to agree anew,
//! and whether an announcement is the hub's. Pure.
//!
//! Nothing depends on a hub: a source is asked at its intervals all the same, and what a hub announces comes earlier.

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use service_kit::Secret;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use url::Url;

/// How long a subscription is asked for.
pub(crate) const LEASE: SignedDuration = SignedDuration::from_hours(10 * 24);
/// The longest one that is believed in; it is agreed anew before.
const LONGEST_LEASE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Of a hub that does not say how long.
const UNSAID_LEASE: SignedDuration = SignedDuration::from_hours(24);
/// How long before its end a subscription is agreed anew: several of a source's intervals, the longest of which is a day.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_hours(36);
/// Pause after a request that led to nothing.
const ASK_AGAIN: SignedDuration = SignedDuration::from_hours(6);
/// Pause after a hub has said no.
const ASK_DENIER_AGAIN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Hex digits of a callback's secret part.
const CALLBACK_DIGITS: usize = 32;

/// What was agreed, or asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lease {
    pub(crate) hub: Url,
    pub(crate) topic: Url,
    /// Under which key of ours: with another token the hub's messages would reach nobody.
    pub(crate) key: String,
    pub(crate) requested_at: Timestamp,
    /// When it ends; `None` until the hub has confirmed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<Timestamp>,
    #[serde(default)]
    pub(crate) denied: bool,
}

impl Lease {
    /// Whether to subscribe now, given what `stands` and when an operator last asked for the source: while it was not
    /// read its hub was told that it is gone.
    pub(crate) fn is_wanted(
        stands: Option<&Self>,
        hub: &Url,
        topic: &Url,
        key: &str,
        asked_at: Timestamp,
        now: Timestamp,
    ) -> bool {
        let Some(lease) = stands.filter(|lease| lease.requested_at >= asked_at) else { return true };
        let pause = if lease.denied { ASK_DENIER_AGAIN } else { ASK_AGAIN };
        if (&lease.hub, &lease.topic, lease.key.as_str()) != (hub, topic, key) {
            return true;
        }
        now.duration_since(lease.requested_at) >= pause
            && lease.until.is_none_or(|until| until.duration_since(now) < RENEW_BEFORE)
    }

    /// The lease once the hub has confirmed it for so many seconds.
    pub(crate) fn confirmed(mut self, seconds: Option<i64>, now: Timestamp) -> Self {
        let length = seconds.map_or(UNSAID_LEASE, SignedDuration::from_secs).min(LONGEST_LEASE);
        self.until = now.checked_add(length.max(SignedDuration::ZERO)).ok();
        self.denied = false;
        self
    }
}

/// What is secret between us and hubs. Both parts follow from the API token, so that nothing has to be stored, and all
/// instances know them.
#[derive(Clone)]
pub(crate) struct Keys {
    token: Secret,
}

impl Keys {
    pub(crate) fn new(token: Secret) -> Self {
        Self { token }
    }

    /// The part of the callback's address that only the hub knows.
    pub(crate) fn of_callback(&self, source: &str) -> String {
        self.derive("callback", source).chars().take(CALLBACK_DIGITS).collect()
    }

    /// Whether `key` is that part; in constant time, as anybody may try.
    pub(crate) fn is_callback(&self, source: &str, key: &str) -> bool {
        let digits = from_hex(key).filter(|_| key.len() == CALLBACK_DIGITS);
        digits.is_some_and(|digits| self.mac("callback", source).verify_truncated_left(&digits).is_ok())
    }

    /// What the hub signs with: `hub.secret`.
    pub(crate) fn of_signature(&self, source: &str) -> String {
        self.derive("signature", source)
    }

    fn derive(&self, use_for: &str, source: &str) -> String {
        self.mac(use_for, source).finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn mac(&self, use_for: &str, source: &str) -> Hmac<Sha256> {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.token.expose().as_bytes())
            .expect("a key of any length will do");
        mac.update(format!("newswire websub {use_for} {source}").as_bytes());
        mac
    }

    /// Whether `header`, an `X-Hub-Signature`, is right for `body`.
    pub(crate) fn signed(&self, source: &str, header: &str, body: &[u8]) -> bool {
        let Some((method, digest)) = header.trim().split_once('=') else { return false };
        let Some(digest) = from_hex(digest) else { return false };
        let key = self.of_signature(source);
        match method.to_ascii_lowercase().as_str() {
            "sha1" => verify::<Hmac<Sha1>>(&key, body, &digest),
            "sha256" => verify::<Hmac<Sha256>>(&key, body, &digest),
            "sha384" => verify::<Hmac<Sha384>>(&key, body, &digest),
            "sha512" => verify::<Hmac<Sha512>>(&key, body, &digest),
            _ => false,
        }
    }
}

/// In constant time.
fn verify<M: Mac + KeyInit>(key: &str, body: &[u8], digest: &[u8]) -> bool {
    let mut mac = <M as KeyInit>::new_from_slice(key.as_bytes()).expect("a key of any length will do");
    mac.update(body);
    mac.verify_slice(digest).is_ok()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || digits.len() > 128 {
        return None;
    }
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    digits.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(until: Option<&str>) -> Lease {
        Lease {
            hub: "https://hub.example/".parse().unwrap(),
            topic: "https://news.example/feed".parse().unwrap(),
            key: "k".into(),
            requested_at: "2026-11-01T00:00:00Z".parse().unwrap(),
            until: until.map(|until| until.parse().unwrap()),
            denied: false,
        }
    }

    #[test]
    fn it_is_agreed_anew_in_time_and_not_too_often() {
        let asked_at: Timestamp = "2026-10-01T00:00:00Z".parse().unwrap();
        let wanted = |lease: &Lease, now: &str| {
            Lease::is_wanted(Some(lease), &lease.hub, &lease.topic, &lease.key, asked_at, now.parse().unwrap())
        };
        let good = lease(Some("2026-11-11T00:00:00Z"));
        assert!(!wanted(&good, "2026-11-09T11:59:59Z"));
        assert!(wanted(&good, "2026-11-09T12:00:01Z"));
        assert!(wanted(&good, "2027-01-01T00:00:00Z"), "long over");
        let unanswered = lease(None);
        assert!(!wanted(&unanswered, "2026-11-01T05:59:59Z"));
        assert!(wanted(&unanswered, "2026-11-01T06:00:00Z"));
        let short = lease(Some("2026-11-01T00:10:00Z"));
        assert!(!wanted(&short, "2026-11-01T00:05:00Z"), "a hub with leases of minutes is not asked every time");
        let denied = Lease { denied: true, ..lease(None) };
        assert!(!wanted(&denied, "2026-11-07T00:00:00Z"));
        assert!(wanted(&denied, "2026-11-08T00:00:00Z"));
        let now = "2026-11-02T00:00:00Z".parse().unwrap();
        assert!(Lease::is_wanted(None, &good.hub, &good.topic, "k", asked_at, now));
        assert!(Lease::is_wanted(Some(&good), &good.hub, &good.topic, "another token", asked_at, now));
        assert!(Lease::is_wanted(Some(&good), &good.topic, &good.topic, "k", asked_at, now), "another hub");
        assert!(Lease::is_wanted(Some(&good), &good.hub, &good.topic, "k", now, now), "it was paused and is resumed");
    }

    #[test]
    fn a_hub_may_say_any_number_of_seconds() {
        let now: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        for (seconds, hours) in
            [(Some(3600), 1), (None, 24), (Some(i64::MAX), 30 * 24), (Some(-5), 0), (Some(i64::MIN), 0)]
        {
            let until = lease(None).confirmed(seconds, now).until.unwrap();
            assert_eq!(until.duration_since(now), SignedDuration::from_hours(hours), "{seconds:?}");
        }
    }

    #[test]
    fn only_the_hub_of_this_source_can_sign() {
        let keys = Keys::new(Secret::new("nwt_x"));
        let sign = |key: &str, body: &[u8]| {
            let mut mac = <Hmac<Sha1> as KeyInit>::new_from_slice(key.as_bytes()).unwrap();
            mac.update(body);
            let digest = mac.finalize().into_bytes();
            format!("sha1={}", digest.iter().map(|byte| format!("{byte:02X}")).collect::<String>())
        };
        let key = keys.of_signature("a");
        assert!(keys.signed("a", &sign(&key, b"<feed/>"), b"<feed/>"));
        assert!(!keys.signed("a", &sign(&key, b"<feed/>"), b"<feed />"), "another body");
        assert!(!keys.signed("b", &sign(&key, b"<feed/>"), b"<feed/>"), "another source");
        assert!(!keys.signed("a", &sign(&keys.of_callback("a"), b""), b""), "the address is not the secret");
        for header in
            ["", "sha1", "sha1=", "md5=00", "sha256=zz", "sha1=0", &format!("sha512={}", "0".repeat(500)), "sha1=新新"]
        {
            assert!(!keys.signed("a", header, b"<feed/>"), "{header}");
        }
        let callback = keys.of_callback("a");
        assert!(keys.is_callback("a", &callback));
        for wrong in
            ["", "00", &callback[..30], &format!("{callback}00"), &keys.of_callback("b"), &keys.of_signature("a")]
        {
            assert!(!keys.is_callback("a", wrong), "{wrong}");
        }
        assert!(!Keys::new(Secret::new("nwt_y")).is_callback("a", &callback));
    }

    #[test]
    fn every_method_of_the_standard_is_read() {
        let keys = Keys::new(Secret::new("nwt_x"));
        let key = keys.of_signature("a");
        fn hex<M: Mac + KeyInit>(key: &str) -> String {
            let mut mac = <M as KeyInit>::new_from_slice(key.as_bytes()).unwrap();
            mac.update(b"x");
            mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
        }
        for (method, digest) in [
            ("sha1", hex::<Hmac<Sha1>>(&key)),
            ("sha256", hex::<Hmac<Sha256>>(&key)),
            ("sha384", hex::<Hmac<Sha384>>(&key)),
            ("sha512", hex::<Hmac<Sha512>>(&key)),
        ] {
            assert!(keys.signed("a", &format!("{method}={digest}"), b"x"), "{method}");
        }
    }
}
