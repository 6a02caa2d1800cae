//! Who sent a webhook: keys, and the ways in which senders sign with them.
//!
//! Every check is made on the bytes as they came, takes the same time for every wrong signature, and says what is wrong
//! without repeating it.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;

/// How far the sender's clock and ours may be apart, either way. Standard Webhooks recommends five minutes.
pub const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// The most signatures looked at in one header: a sender that changes its key sends two.
const MAX_SIGNATURES: usize = 10;

/// The key of one webhook.
///
/// It follows from a master key and the webhook's id, so that no store holds it.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    pub fn derive(master: &[u8], hook: &str) -> Self {
        let mut mac = keyed(master);
        mac.update(b"newswire webhook\n");
        mac.update(hook.as_bytes());
        Self(mac.finalize().into_bytes().into())
    }

    /// A key that was made elsewhere, as [`Secret::expose`] writes it; `None` for anything but `whsec_` and 32 bytes in base64.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.trim().strip_prefix("whsec_")?).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// As a person enters it at the sender: `whsec_` and base64.
    pub fn expose(&self) -> String {
        format!("whsec_{}", STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// Why a request cannot be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    #[error("there is no {0}; the sender must sign with the webhook's secret")]
    Missing(&'static str),
    #[error("{0} cannot be read")]
    Malformed(&'static str),
    #[error(
        "it was signed more than 5 minutes from now; check both clocks, and send what is old again with a new signature"
    )]
    OutOfTime,
    #[error(
        "the signature is wrong; check that the sender has this webhook's secret, whole, and that no proxy changes the body"
    )]
    Wrong,
}

/// The headers of Standard Webhooks (standardwebhooks.com, version 1.0.0).
#[derive(Debug, Clone, Copy)]
pub struct StandardHeaders<'a> {
    pub id: Option<&'a str>,
    pub timestamp: Option<&'a str>,
    pub signature: Option<&'a str>,
}

/// Checks a request signed after Standard Webhooks and gives the time it was sent.
///
/// # Errors
/// [`BadSignature`]; nothing in the request may be believed then.
pub fn standard(
    secret: &Secret,
    headers: &StandardHeaders<'_>,
    body: &[u8],
    now: Timestamp,
) -> Result<Timestamp, BadSignature> {
    let id = headers.id.filter(|id| !id.is_empty()).ok_or(BadSignature::Missing("webhook-id"))?;
    let sent = headers.timestamp.ok_or(BadSignature::Missing("webhook-timestamp"))?;
    let signatures = headers.signature.ok_or(BadSignature::Missing("webhook-signature"))?;
    // The very characters are signed: one number must not have two spellings.
    let at = digits(sent).and_then(|seconds| Timestamp::from_second(seconds).ok());
    let at = at.ok_or(BadSignature::Malformed("webhook-timestamp"))?;
    let mut mac = keyed(&secret.0);
    for part in [id.as_bytes(), b".", sent.as_bytes(), b".", body] {
        mac.update(part);
    }
    // Other versions (`v1a` is asymmetric) are other people's.
    let ours = signatures.split(' ').filter_map(|signature| signature.strip_prefix("v1,")).take(MAX_SIGNATURES);
    let good = ours.filter_map(|base64| STANDARD.decode(base64).ok()).any(|tag| mac.clone().verify_slice(&tag).is_ok());
    in_time(at, now, good)
}

/// The `webhook-signature` of a request: what [`standard`] checks.
pub fn sign_standard(secret: &Secret, id: &str, sent: Timestamp, body: &[u8]) -> String {
    let mut mac = keyed(&secret.0);
    mac.update(format!("{id}.{}.", sent.as_second()).as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// Checks Ghost's `X-Ghost-Signature: sha256=<hex>, t=<milliseconds>` and gives the time it was sent.
///
/// Ghost 5.88 and later sign the body and the time behind it; what came before signed the body alone, so that a request
/// seen once could be sent for ever, and is refused. The key is the secret as it was typed.
///
/// # Errors
/// [`BadSignature`].
pub fn ghost(secret: &Secret, header: Option<&str>, body: &[u8], now: Timestamp) -> Result<Timestamp, BadSignature> {
    const NAME: &str = "X-Ghost-Signature";
    let header = header.ok_or(BadSignature::Missing(NAME))?;
    let part = |name: &str| header.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
    let (tag, sent) = part("sha256").zip(part("t")).ok_or(BadSignature::Malformed(NAME))?;
    let at = digits(sent).and_then(|millis| Timestamp::from_millisecond(millis).ok());
    let (tag, at) = hex(tag).zip(at).ok_or(BadSignature::Malformed(NAME))?;
    let mut mac = keyed(secret.expose().as_bytes());
    mac.update(body);
    mac.update(sent.as_bytes());
    in_time(at, now, mac.verify_slice(&tag).is_ok())
}

/// The `X-Ghost-Signature` of a request: what [`ghost`] checks.
pub fn sign_ghost(secret: &Secret, sent: Timestamp, body: &[u8]) -> String {
    let millis = sent.as_millisecond().to_string();
    let mut mac = keyed(secret.expose().as_bytes());
    mac.update(body);
    mac.update(millis.as_bytes());
    let tag: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={tag}, t={millis}")
}

/// Checks a signature of the body alone, in base64, as the WordPress plugin WP Webhooks sends in
/// `X-WP-Webhook-Signature`. It has no time: whoever has seen such a request can send it again, so its effect must be
/// harmless the second time. The key is the secret as it was typed.
///
/// # Errors
/// [`BadSignature`].
pub fn body_only(secret: &Secret, header: Option<&str>, body: &[u8]) -> Result<(), BadSignature> {
    const NAME: &str = "X-WP-Webhook-Signature";
    let tag = STANDARD.decode(header.ok_or(BadSignature::Missing(NAME))?.trim());
    let tag = tag.map_err(|_| BadSignature::Malformed(NAME))?;
    let mut mac = keyed(secret.expose().as_bytes());
    mac.update(body);
    mac.verify_slice(&tag).map_err(|_| BadSignature::Wrong)
}

/// The `X-WP-Webhook-Signature` of a request: what [`body_only`] checks.
pub fn sign_body(secret: &Secret, body: &[u8]) -> String {
    let mut mac = keyed(secret.expose().as_bytes());
    mac.update(body);
    STANDARD.encode(mac.finalize().into_bytes())
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

fn in_time(at: Timestamp, now: Timestamp, good: bool) -> Result<Timestamp, BadSignature> {
    // The signature first: whoever has no key learns nothing of our clock.
    if !good {
        return Err(BadSignature::Wrong);
    }
    if now.duration_since(at).abs() > TOLERANCE {
        return Err(BadSignature::OutOfTime);
    }
    Ok(at)
}

fn digits(text: &str) -> Option<i64> {
    (text.len() <= 15 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    if bytes.len() != 64 || !bytes.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    (0..32).map(|n| u8::from_str_radix(&text[2 * n..2 * n + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    fn secret() -> Secret {
        Secret::derive(b"a master key of the deployment...", "h1")
    }

    /// The reference implementations' common test vector.
    #[test]
    fn the_public_vector_of_standard_webhooks() {
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let mut mac = keyed(&key);
        mac.update(b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}");
        assert_eq!(STANDARD.encode(mac.finalize().into_bytes()), "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_standard_signature_is_one_of_several_and_in_time() {
        let (secret, body) = (secret(), "{\"a\":\"党\"}".as_bytes());
        let good = sign_standard(&secret, "msg_1", now(), body);
        let sent = now().as_second().to_string();
        let check = |id, timestamp, signature: &str, body: &[u8], now| {
            standard(&secret, &StandardHeaders { id, timestamp, signature: Some(signature) }, body, now)
        };
        let (id, at) = (Some("msg_1"), Some(sent.as_str()));
        assert_eq!(check(id, at, &good, body, now()), Ok(now()));
        assert_eq!(check(id, at, &format!("v1,AAAA v1a,xx {good} v1,!"), body, now()), Ok(now()), "rotation");
        let wrong = Err(BadSignature::Wrong);
        for signature in ["", "v1,", "v1", "v1,AAAA", good.trim_start_matches("v1,"), &format!("{good}=")] {
            assert_eq!(check(id, at, signature, body, now()), wrong, "{signature}");
        }
        assert_eq!(check(id, at, &format!("{}{good}", "v1,AAAA ".repeat(10)), body, now()), wrong, "bounded");
        assert_eq!(check(id, at, &good, b"{}", now()), wrong);
        assert_eq!(check(Some("msg_2"), at, &good, body, now()), wrong);
        assert_eq!(check(None, at, &good, body, now()), Err(BadSignature::Missing("webhook-id")));
        let malformed = Err(BadSignature::Malformed("webhook-timestamp"));
        for at in ["", "-1", " 1", "1e9", "99999999999999999999"] {
            assert_eq!(check(id, Some(at), &good, body, now()), malformed, "{at}");
        }
        for (apart, fine) in [(300, true), (-300, true), (301, false), (-301, false)] {
            let result = check(id, at, &good, body, now() + SignedDuration::from_secs(apart));
            assert_eq!(result.is_ok(), fine, "{apart}");
        }
        let other = Secret::derive(b"a master key of the deployment...", "h2");
        let theirs = sign_standard(&other, "msg_1", now(), body);
        assert_eq!(check(id, at, &theirs, body, now()), wrong, "another webhook's key");
    }

    #[test]
    fn ghosts_signature_covers_the_body_and_the_time() {
        let (secret, body) = (secret(), b"{\"post\":{}}");
        let good = sign_ghost(&secret, now(), body);
        assert_eq!(ghost(&secret, Some(&good), body, now()), Ok(now()));
        assert_eq!(ghost(&secret, Some(&good), b"{}", now()), Err(BadSignature::Wrong));
        assert_eq!(ghost(&secret, None, body, now()), Err(BadSignature::Missing("X-Ghost-Signature")));
        let later = now() + SignedDuration::from_secs(301);
        assert_eq!(ghost(&secret, Some(&good), body, later), Err(BadSignature::OutOfTime));
        let moved = good.replace(&now().as_millisecond().to_string(), &later.as_millisecond().to_string());
        assert_eq!(ghost(&secret, Some(&moved), body, later), Err(BadSignature::Wrong), "the time is signed");
        for wrong in ["", "sha256=, t=1", "t=1", &good[..70], &format!("{good}x")] {
            assert_eq!(
                ghost(&secret, Some(wrong), body, now()),
                Err(BadSignature::Malformed("X-Ghost-Signature")),
                "{wrong}"
            );
        }
    }

    #[test]
    fn the_signature_of_a_body_alone() {
        let secret = secret();
        let good = sign_body(&secret, b"{}");
        assert_eq!(body_only(&secret, Some(&good), b"{}"), Ok(()));
        assert_eq!(body_only(&secret, Some(&good), b"[]"), Err(BadSignature::Wrong));
        assert_eq!(body_only(&secret, Some("?"), b"{}"), Err(BadSignature::Malformed("X-WP-Webhook-Signature")));
        assert_eq!(body_only(&secret, None, b"{}"), Err(BadSignature::Missing("X-WP-Webhook-Signature")));
    }

    #[test]
    fn a_secret_reads_back_whole_or_not_at_all() {
        let again = Secret::parse(&format!(" {}\n", secret().expose())).unwrap();
        assert_eq!(again.expose(), secret().expose());
        for wrong in
            ["", "whsec_", "whsec_AAAA", &secret().expose()[6..], "whsec_党", &format!("{}AAAA", secret().expose())]
        {
            assert!(Secret::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(format!("{:?}", secret()), "<secret>");
        assert!(secret().expose().starts_with("whsec_") && secret().expose().len() == 50);
    }
}
