//! Secrets of the service and what is made of them: the keyed hash under which an address is found, and links that
//! only we can have made.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use jiff::{SignedDuration, Timestamp};
use mail::{Address, Link};
use sha2::Sha256;
use url::Url;

use crate::subscriber::{CONFIRM_WITHIN, SubscriberId};

/// Everything that is derived from the service's one secret. Replicas share it; changing it breaks every link in
/// every mail ever sent and forgets who has subscribed.
#[derive(Clone)]
pub(crate) struct Keys {
    address: [u8; 32],
    confirm: [u8; 32],
    unsubscribe: [u8; 32],
    preferences: [u8; 32],
    fresh: [u8; 32],
    leave: [u8; 32],
    /// The service's part of what records are sealed with.
    pub record: [u8; 32],
    pub mail: mail::Key,
}

/// Bytes of MAC in a link: nobody tries 2^127 of them over HTTP.
const MAC: usize = 16;
const ID: usize = 16;

/// Bytes of MAC in an address, which has 64 characters before its `@`: nobody mails us 2^95 times.
const LEAVE_MAC: usize = 12;
const LEAVE_ADDRESS: usize = "leave+".len() + 2 * ID + 1 + 2 * LEAVE_MAC;

/// How long the link to the preference page that stands in a mail is good: mail is read late, and forwarded.
pub(crate) const PREFERENCES_IN_MAIL: SignedDuration = SignedDuration::from_hours(90 * 24);

/// How long one is good that somebody asked for by a form.
pub(crate) const PREFERENCES_BY_FORM: SignedDuration = SignedDuration::from_hours(1);

/// Whoever comes by a link to the preference page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Holder {
    pub id: SubscriberId,
    /// Whether it was mailed by itself within the hour. Only then all that is held is given out, or erased: whoever a mail
    /// of news was forwarded to holds the link in it as well.
    pub fresh: bool,
}

impl Keys {
    pub(crate) fn new(secret: &[u8]) -> Self {
        let derive = |purpose: &str| mac(secret, &[purpose.as_bytes()]);
        Self {
            address: derive("address"),
            confirm: derive("confirm"),
            unsubscribe: derive("unsubscribe"),
            preferences: derive("preferences"),
            fresh: derive("fresh preferences"),
            leave: derive("leave"),
            record: derive("record"),
            mail: mail::Key::new(derive("mail")),
        }
    }

    /// Under what an address is found: nobody who sees the log can tell whose it is, or try a list of addresses.
    ///
    /// The local part is folded to lower case here and only here: the mail goes to the address as it was typed, but
    /// two spellings of one mailbox must not subscribe twice.
    pub(crate) fn address_hash(&self, address: &Address) -> String {
        hex(&self.address_mac(address))
    }

    pub(crate) fn address_mac(&self, address: &Address) -> [u8; 32] {
        mac(&self.address, &[address.as_str().to_ascii_lowercase().as_bytes()])
    }

    /// A link that confirms until [`CONFIRM_WITHIN`] after `now`.
    pub(crate) fn confirm_token(&self, id: SubscriberId, now: Timestamp) -> String {
        expiring(&self.confirm, id, now + CONFIRM_WITHIN)
    }

    /// Whose confirmation it is; `None` when we did not make it or its time is over.
    pub(crate) fn read_confirm_token(&self, token: &str, now: Timestamp) -> Option<SubscriberId> {
        read_expiring(&self.confirm, token, now)
    }

    /// A link to the page on which its owner sees and changes everything, until `expires`: whoever has it is taken for
    /// them, so it must not be good for ever. [`PREFERENCES_IN_MAIL`] and [`PREFERENCES_BY_FORM`] say how long.
    pub(crate) fn preferences_token(&self, id: SubscriberId, expires: Timestamp) -> String {
        expiring(&self.preferences, id, expires)
    }

    /// The same for a mail that holds nothing else, for [`PREFERENCES_BY_FORM`] from `now`. It is made under a key of its
    /// own: by its time alone it would be the same as an old one in its last hour.
    pub(crate) fn fresh_preferences_token(&self, id: SubscriberId, now: Timestamp) -> String {
        expiring(&self.fresh, id, now + PREFERENCES_BY_FORM)
    }

    pub(crate) fn read_preferences_token(&self, token: &str, now: Timestamp) -> Option<Holder> {
        let read = |key: &[u8], fresh| Some(Holder { id: read_expiring(key, token, now)?, fresh });
        read(&self.fresh, true).or_else(|| read(&self.preferences, false))
    }

    /// The address to which a mail ends everything: `leave+<id>+<mac>@<domain>`, 63 characters of lower case before the
    /// `@`, as programs on the way may fold it. `domain`: one that was checked.
    pub(crate) fn leave_address(&self, id: SubscriberId, domain: &str) -> Address {
        let mac = mac(&self.leave, &[id.as_bytes()]);
        let address = format!("leave+{id}+{}@{domain}", hex(&mac[..LEAVE_MAC]));
        address.parse().expect("63 characters before the @, and the domain was checked")
    }

    /// Who leaves by a mail to `local`; `None` when we did not make it.
    pub(crate) fn read_leave_address(&self, local: &str) -> Option<SubscriberId> {
        let local = Some(local).filter(|local| local.len() == LEAVE_ADDRESS)?.to_ascii_lowercase();
        let (id, given) = local.strip_prefix("leave+")?.split_once('+')?;
        let (id, given) = (unhex(id)?, unhex(given).filter(|given| given.len() == LEAVE_MAC)?);
        verify(&self.leave, &[&id], &given)?;
        Some(SubscriberId::from_bytes(id.try_into().ok()?))
    }

    /// A link that ends a subscription, for ever: mail is read years later.
    pub(crate) fn unsubscribe_token(&self, id: SubscriberId) -> String {
        let mac = mac(&self.unsubscribe, &[id.as_bytes()]);
        encode(&[id.as_bytes(), &mac[..MAC]])
    }

    pub(crate) fn read_unsubscribe_token(&self, token: &str) -> Option<SubscriberId> {
        let bytes = decode(token, ID + MAC)?;
        verify(&self.unsubscribe, &[&bytes[..ID]], &bytes[ID..])?;
        Some(SubscriberId::from_bytes(bytes[..ID].try_into().ok()?))
    }
}

/// Id, time and MAC under a key for one purpose.
fn expiring(key: &[u8], id: SubscriberId, expires: Timestamp) -> String {
    let expires = expires.as_second().to_be_bytes();
    let mac = mac(key, &[id.as_bytes(), &expires]);
    encode(&[id.as_bytes(), &expires, &mac[..MAC]])
}

fn read_expiring(key: &[u8], token: &str, now: Timestamp) -> Option<SubscriberId> {
    let bytes = decode(token, ID + 8 + MAC)?;
    let (id, expires, given) = (&bytes[..ID], &bytes[ID..ID + 8], &bytes[ID + 8..]);
    verify(key, &[id, expires], given)?;
    let expires = Timestamp::from_second(i64::from_be_bytes(expires.try_into().ok()?)).ok()?;
    if expires.duration_since(now) <= SignedDuration::ZERO {
        return None;
    }
    Some(SubscriberId::from_bytes(id.try_into().ok()?))
}

fn hmac_over(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    for part in parts {
        mac.update(part);
    }
    mac
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    hmac_over(key, parts).finalize().into_bytes().into()
}

/// In constant time: a link must not be guessable byte by byte.
fn verify(key: &[u8], parts: &[&[u8]], given: &[u8]) -> Option<()> {
    hmac_over(key, parts).verify_truncated_left(given).ok()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

fn encode(parts: &[&[u8]]) -> String {
    URL_SAFE_NO_PAD.encode(parts.concat())
}

fn decode(token: &str, length: usize) -> Option<Vec<u8>> {
    // Checked before decoding: a stranger decides how long a path is.
    if token.len() > 128 {
        return None;
    }
    URL_SAFE_NO_PAD.decode(token).ok().filter(|bytes| bytes.len() == length)
}

/// The page that ends a subscription, and takes the one-click POST.
pub(crate) fn unsubscribe_link(public_url: &Url, token: &str) -> Link {
    page_link(public_url, "unsubscribe", token)
}

/// A page of ours for the holder of `token`.
pub(crate) fn page_link(public_url: &Url, page: &str, token: &str) -> Link {
    let mut url = public_url.clone();
    url.path_segments_mut().expect("the site's URLs were checked: http or https").pop_if_empty().extend([page, token]);
    Link::new(url).expect("the site's URLs were checked: at most 500 bytes, and a token has at most 128")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn links_read_back_until_their_time_and_only_with_our_key() {
        let (keys, other) = (Keys::new(b"one secret"), Keys::new(b"another"));
        let id = SubscriberId::random();
        let confirm = keys.confirm_token(id, now());
        assert_eq!(keys.read_confirm_token(&confirm, now()), Some(id));
        assert_eq!(keys.read_confirm_token(&confirm, now() + CONFIRM_WITHIN), None);
        assert_eq!(other.read_confirm_token(&confirm, now()), None);
        let unsubscribe = keys.unsubscribe_token(id);
        assert_eq!(keys.read_unsubscribe_token(&unsubscribe), Some(id));
        assert_eq!(
            keys.read_confirm_token(&unsubscribe, now()),
            None,
            "a link does what it was made for, nothing else"
        );
        assert_eq!(keys.read_unsubscribe_token(&confirm), None);
    }

    #[test]
    fn a_preference_page_opens_until_its_time_and_by_no_other_link() {
        let (keys, other) = (Keys::new(b"one secret"), Keys::new(b"another"));
        let id = SubscriberId::random();
        assert_eq!(keys.read_preferences_token(&keys.confirm_token(id, now()), now()), None);
        for (token, fresh) in [
            (keys.preferences_token(id, now() + PREFERENCES_BY_FORM), false),
            (keys.fresh_preferences_token(id, now()), true),
        ] {
            assert_eq!(keys.read_preferences_token(&token, now()), Some(Holder { id, fresh }));
            assert_eq!(keys.read_preferences_token(&token, now() + PREFERENCES_BY_FORM), None);
            assert_eq!(other.read_preferences_token(&token, now()), None);
            assert_eq!(keys.read_confirm_token(&token, now()), None);
            assert_eq!(keys.read_unsubscribe_token(&token), None);
            // Whoever holds an old link cannot make its time longer.
            let mut bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
            bytes[ID + 7] = bytes[ID + 7].wrapping_add(60);
            assert_eq!(keys.read_preferences_token(&URL_SAFE_NO_PAD.encode(bytes), now()), None);
        }
    }

    #[test]
    fn who_leaves_by_mail_is_who_was_written_to() {
        let (keys, other) = (Keys::new(b"one secret"), Keys::new(b"another"));
        let id = SubscriberId::random();
        let address = keys.leave_address(id, "example.org");
        let local = address.local();
        assert_eq!(local.len(), LEAVE_ADDRESS);
        assert_eq!(keys.read_leave_address(local), Some(id));
        assert_eq!(keys.read_leave_address(&local.to_uppercase()), Some(id), "a program on the way may fold it");
        assert_eq!(other.read_leave_address(local), None);
        let stranger = local.replacen(&id.to_string(), &SubscriberId::random().to_string(), 1);
        let long = "9".repeat(LEAVE_ADDRESS);
        for forged in [stranger.as_str(), &local[1..], &format!("{local}0"), "", "leave++", "leave+😀+", &long] {
            assert_eq!(keys.read_leave_address(forged), None, "{forged}");
        }
        for at in "leave+".len()..local.len() {
            let mut forged = local.as_bytes().to_vec();
            forged[at] = if forged[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(keys.read_leave_address(&String::from_utf8(forged).unwrap()), None, "character {at}");
        }
    }

    #[test]
    fn every_flipped_bit_breaks_a_link() {
        let keys = Keys::new(b"secret");
        let token = keys.unsubscribe_token(SubscriberId::random());
        let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut forged = bytes.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(keys.read_unsubscribe_token(&URL_SAFE_NO_PAD.encode(forged)), None, "bit {bit}");
        }
        for garbage in ["", "x", &"A".repeat(1000), "😀", "../../etc"] {
            assert_eq!(keys.read_unsubscribe_token(garbage), None);
            assert_eq!(keys.read_confirm_token(garbage, now()), None);
        }
    }

    #[test]
    fn one_mailbox_has_one_hash() {
        let keys = Keys::new(b"secret");
        let hash = |text: &str| keys.address_hash(&text.parse().unwrap());
        assert_eq!(hash("Reader@Example.org"), hash("reader@example.ORG"));
        assert_ne!(hash("reader@example.org"), hash("reader2@example.org"));
        assert_eq!(hash("reader@example.org").len(), 64);
    }
}
