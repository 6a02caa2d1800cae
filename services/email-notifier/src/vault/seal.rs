//! How a subscriber's record is sealed. Pure, but for the random nonce.
//!
//! `version (1) ‖ flags (1) ‖ claim (32) ‖ nonce (12) ‖ AES-256-GCM of the record, with its tag (16)`. What stands before
//! the nonce, and the subscriber's id, are authenticated with it, so that no record can be put in another's place.
//! The claim is the keyed hash of the address: whoever erases a record whose key is gone already finds by it what is left.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};

use crate::subscriber::SubscriberId;

/// Random, one for each subscriber. Without it, and the service's secret, their record is noise.
pub(crate) type RecordKey = [u8; 32];

/// JSON begins with none of these.
const VERSION: u8 = 1;
const WAITS: u8 = 1;
const CLAIM: usize = 32;
const HEAD: usize = 2 + CLAIM;

/// What of a record anybody may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Label {
    /// The keyed hash of the address.
    pub claim: [u8; CLAIM],
    /// Whether something in it waits for the mail of the double opt-in.
    pub waits: bool,
}

/// A sealed record, taken apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sealed<'a> {
    pub label: Label,
    head: &'a [u8],
    nonce: [u8; NONCE_LEN],
    text: &'a [u8],
}

/// What was sealed with another key, for another subscriber, or was changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the record does not open with its key: NEWSWIRE_EMAIL_SECRET_FILE is another one, or the record was changed")]
pub(crate) struct Broken;

/// Seals `record` under the service's secret and the subscriber's own key.
pub(crate) fn seal(secret: &[u8; 32], key: &RecordKey, id: SubscriberId, label: Label, record: &[u8]) -> Vec<u8> {
    let mut sealed = vec![VERSION, if label.waits { WAITS } else { 0 }];
    sealed.extend(label.claim);
    let mut text = record.to_vec();
    let aad = Aad::from([&sealed[..], id.as_bytes()].concat());
    let nonce = cipher(secret, key, id).seal_in_place_append_tag(aad, &mut text);
    let nonce = nonce.expect("AES-GCM seals anything up to 64 GiB");
    sealed.extend(nonce.as_ref());
    sealed.extend(text);
    sealed
}

/// What stands in the place of a record whose key is erased, until its claim is, too.
pub(crate) fn mark(claim: [u8; CLAIM]) -> Vec<u8> {
    [&[VERSION, 0][..], &claim].concat()
}

/// What a message on a record's subject is.
#[derive(Debug)]
pub(crate) enum Content<'a> {
    /// Expired, or erased; with its claim, if that may be there still.
    Gone(Option<[u8; CLAIM]>),
    /// From before records were sealed.
    Plain(&'a [u8]),
    Sealed(Sealed<'a>),
}

impl<'a> Content<'a> {
    pub(crate) fn of(stored: &'a [u8]) -> Self {
        match stored.split_at_checked(HEAD) {
            _ if stored.is_empty() => Self::Gone(None),
            Some((head, rest)) if head[0] == VERSION => {
                let label = Label {
                    claim: head[2..].try_into().expect("the head has that length"),
                    waits: head[1] & WAITS != 0,
                };
                match rest.split_first_chunk() {
                    Some((nonce, text)) => Self::Sealed(Sealed { label, head, nonce: *nonce, text }),
                    None => Self::Gone(Some(label.claim)),
                }
            }
            _ => Self::Plain(stored),
        }
    }
}

impl Sealed<'_> {
    pub(crate) fn open(&self, secret: &[u8; 32], key: &RecordKey, id: SubscriberId) -> Result<Vec<u8>, Broken> {
        let mut text = self.text.to_vec();
        let aad = Aad::from([self.head, id.as_bytes()].concat());
        let opened = cipher(secret, key, id).open_in_place(Nonce::from(&self.nonce), aad, &mut text);
        let length = opened.map_err(|_| Broken)?.len();
        text.truncate(length);
        Ok(text)
    }
}

/// HKDF (RFC 5869): neither a copy of KEYS nor the service's secret opens anything alone.
fn cipher(secret: &[u8; 32], key: &RecordKey, id: SubscriberId) -> RandomizedNonceKey {
    let extracted = Salt::new(HKDF_SHA256, key).extract(secret);
    let mut derived = [0; 32];
    extracted
        .expand(&[b"newswire subscriber's record", id.as_bytes()], HKDF_SHA256)
        .and_then(|expanded| expanded.fill(&mut derived))
        .expect("32 bytes are what HKDF-SHA-256 gives at a time");
    RandomizedNonceKey::new(&AES_256_GCM, &derived).expect("an AES-256 key has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABEL: Label = Label { claim: [7; 32], waits: true };

    #[test]
    fn a_record_opens_with_its_own_key_secret_and_id_only() {
        let id = SubscriberId::random();
        for record in ["{}", "", "{\"address\":\"读者@例子.中国\"}", &"x".repeat(60_000)] {
            let sealed = seal(&[1; 32], &[2; 32], id, LABEL, record.as_bytes());
            assert_eq!(sealed.len(), record.len() + HEAD + NONCE_LEN + 16);
            let Content::Sealed(parsed) = Content::of(&sealed) else { panic!("it is sealed") };
            assert_eq!(parsed.label, LABEL);
            assert_eq!(parsed.open(&[1; 32], &[2; 32], id).unwrap(), record.as_bytes());
            assert_eq!(parsed.open(&[1; 32], &[3; 32], id), Err(Broken), "another key");
            assert_eq!(parsed.open(&[3; 32], &[2; 32], id), Err(Broken), "another secret");
            assert_eq!(parsed.open(&[1; 32], &[2; 32], SubscriberId::random()), Err(Broken), "another's place");
        }
    }

    #[test]
    fn every_flipped_bit_breaks_a_record() {
        let id = SubscriberId::random();
        let sealed = seal(&[1; 32], &[2; 32], id, LABEL, b"{\"address\":\"reader@example.org\"}");
        assert!(!sealed.windows(6).any(|window| window == b"reader"), "the address is not in it");
        for bit in 8..sealed.len() * 8 {
            let mut forged = sealed.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            let Content::Sealed(parsed) = Content::of(&forged) else { panic!("it looks sealed") };
            assert_eq!(parsed.open(&[1; 32], &[2; 32], id), Err(Broken), "bit {bit}");
        }
    }

    #[test]
    fn what_is_not_sealed_is_not_taken_for_it() {
        for stored in [&b"{}"[..], &[VERSION], &[2; 100]] {
            assert!(matches!(Content::of(stored), Content::Plain(_)), "{stored:?}");
        }
        assert!(matches!(Content::of(b""), Content::Gone(None)));
        let mark = mark([9; 32]);
        assert!(matches!(Content::of(&mark), Content::Gone(Some(claim)) if claim == [9; 32]));
    }

    #[test]
    fn two_records_never_look_alike() {
        let id = SubscriberId::random();
        let seal = || seal(&[1; 32], &[2; 32], id, LABEL, b"{}");
        assert_ne!(seal(), seal());
    }
}
