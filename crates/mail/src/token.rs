//! Names that only we can have made: Message-IDs that every attempt repeats, and envelope senders that prove a
//! bounce is ours.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::address::{Address, InvalidAddress, ascii_domain};

/// Bytes of MAC in an envelope sender: 80 bits, 20 characters of a local part that may have 64.
const VERP_MAC: usize = 10;
const VERP_PREFIX: &str = "bounces+";

/// The secret behind Message-IDs and envelope senders. Changing it makes bounces of earlier mail unprovable.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A MAC over `parts`, each with its length before it, so that no two lists of parts read alike.
    fn mac(&self, purpose: &str, parts: &[&str]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of every length");
        for part in std::iter::once(&purpose).chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// A `Message-ID`, angle brackets included.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageId(String);

impl MessageId {
    /// The id of what `plan` sends `subscriber`: the same on every attempt, so that a receiver that got it twice
    /// can see that, and unguessable, so that nobody else can claim it. `domain` is [`crate::Site::mail_domain`].
    pub fn derive(key: &Key, plan: &str, subscriber: &str, domain: &str) -> Self {
        let mac = key.mac("message-id", &[plan, subscriber]).finalize().into_bytes();
        Self(format!("<{}@{domain}>", hex(&mac[..16])))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The envelope sender for one subscriber: `bounces+<token>.<mac>@<domain>` (variable envelope return path).
///
/// Lower case throughout: some systems fold the case of what they bounce.
///
/// # Errors
/// When `token` is empty, longer than 35 bytes or not of `a-z`, `0-9` and `-`, or `domain` is not a domain.
pub fn return_path(key: &Key, token: &str, domain: &str) -> Result<Address, InvalidAddress> {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if token.is_empty() || !token.bytes().all(legal) {
        return Err(InvalidAddress::Local);
    }
    let domain = ascii_domain(domain).ok_or(InvalidAddress::Domain)?;
    let mac = key.mac("return-path", &[token, &domain]).finalize().into_bytes();
    format!("{VERP_PREFIX}{token}.{}@{domain}", hex(&mac[..VERP_MAC])).parse()
}

/// The subscriber token of an envelope sender that [`return_path`] made with this key; `None` for anybody else's.
/// Without it a bounce proves nothing and must suppress nobody.
pub fn subscriber_of_return_path<'a>(key: &Key, address: &'a Address) -> Option<&'a str> {
    let (token, mac) = address.local().strip_prefix(VERP_PREFIX)?.rsplit_once('.')?;
    let mac = unhex(mac).filter(|mac| mac.len() == VERP_MAC)?;
    // Compared in constant time: a bounce address must not be guessable byte by byte.
    key.mac("return-path", &[token, address.domain()]).verify_truncated_left(&mac).is_ok().then_some(token)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d";

    fn key() -> Key {
        Key::new([7; 32])
    }

    #[test]
    fn a_message_id_is_one_for_a_plan_and_a_subscriber() {
        let id = MessageId::derive(&key(), "plan", "reader", "news.example");
        assert_eq!(id, MessageId::derive(&key(), "plan", "reader", "news.example"));
        assert!(id.as_str().starts_with('<') && id.as_str().ends_with("@news.example>"), "{id:?}");
        for other in [
            MessageId::derive(&key(), "planr", "eader", "news.example"),
            MessageId::derive(&key(), "plan", "reader2", "news.example"),
            MessageId::derive(&Key::new([8; 32]), "plan", "reader", "news.example"),
        ] {
            assert_ne!(id, other);
        }
    }

    #[test]
    fn a_return_path_proves_its_subscriber_even_upper_cased_in_the_domain() {
        let path = return_path(&key(), TOKEN, "News.Example").unwrap();
        assert!(path.local().len() <= 64);
        assert_eq!(subscriber_of_return_path(&key(), &path), Some(TOKEN));
        let shouted: Address = path.as_str().replace("news.example", "NEWS.EXAMPLE").parse().unwrap();
        assert_eq!(subscriber_of_return_path(&key(), &shouted), Some(TOKEN));
    }

    #[test]
    fn nobody_else_can_bounce_for_a_subscriber() {
        let path = return_path(&key(), TOKEN, "news.example").unwrap();
        let forged = [
            path.as_str().replace(TOKEN, "another"),
            path.as_str().replace("news.example", "evil.example"),
            format!("bounces+{TOKEN}@news.example"),
            format!("bounces+{TOKEN}.@news.example"),
            format!("bounces+{TOKEN}.00@news.example"),
            format!("bounces+{TOKEN}.xyzzyx@news.example"),
            "reader@news.example".to_owned(),
        ];
        for text in forged {
            if let Ok(address) = text.parse::<Address>() {
                assert_eq!(subscriber_of_return_path(&key(), &address), None, "{text}");
            }
        }
        assert_eq!(subscriber_of_return_path(&Key::new([8; 32]), &path), None);
    }

    #[test]
    fn a_token_must_fit_a_local_part() {
        for bad in ["", "A", "a.b", "a+b", "中", &"a".repeat(36)] {
            assert!(return_path(&key(), bad, "news.example").is_err(), "{bad:?}");
        }
        assert!(return_path(&key(), &"a".repeat(35), "news.example").is_ok());
    }
}
