//! Signatures that say a mail is the site's own (DKIM, RFC 6376; keys and hashes as in RFC 8301 and RFC 8463).
//!
//! A [`Signer`] puts one field in front of a finished mail, or two where receivers are to be shown an Ed25519 signature
//! beside that of RSA. It signs for the domain of From, so that DMARC finds the two aligned, and covers the whole body:
//! a signature with a length (`l=`) lets anybody add to a mail. From and Subject are listed once more than they occur,
//! which keeps a second one from being added on the way.

mod canonical;
mod key;

use std::fmt;
use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::error::Unspecified;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

pub use key::KeyError;

use crate::compose::Message;
use key::Key;

/// Fields that are signed wherever they occur (RFC 6376 section 5.4.1), and those of RFC 8058, which demands it.
const SIGNED: [&str; 17] = [
    "from",
    "reply-to",
    "to",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "content-language",
    "list-id",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "auto-submitted",
    "feedback-id",
];

/// Listed once more than they occur.
const NO_MORE_OF: [&str; 2] = ["from", "subject"];

/// Where the lines of our field are folded; a domain and a selector may make one longer.
const LINE: usize = 76;

/// The keys that mails of one domain are signed with.
pub struct Signer {
    domain: String,
    keys: Vec<Named>,
}

struct Named {
    selector: String,
    key: Key,
}

/// What receivers look up: a TXT record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// `<selector>._domainkey.<domain>`
    pub name: String,
    pub value: String,
}

/// The key could not be used, which happens only when memory has run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the DKIM key could not be used, probably for want of memory")]
pub struct NotSigned;

impl From<Unspecified> for NotSigned {
    fn from(_: Unspecified) -> Self {
        Self
    }
}

impl Signer {
    /// Signs for `domain`, that of the sender's address, with an RSA key of 2048 to 4096 bits as PKCS#8 PEM.
    ///
    /// # Errors
    /// [`KeyError`], which says how to make a key.
    pub fn new(domain: &str, selector: &str, pem: &str) -> Result<Self, KeyError> {
        let signer = Self { domain: domain.to_owned(), keys: Vec::new() };
        signer.with(selector, Key::rsa(pem)?)
    }

    /// A second signature, with an Ed25519 key (RFC 8463) as PKCS#8 PEM. Many receivers do not know it yet.
    ///
    /// # Errors
    /// As [`Signer::new`].
    pub fn with_ed25519(self, selector: &str, pem: &str) -> Result<Self, KeyError> {
        self.with(selector, Key::ed25519(pem)?)
    }

    fn with(mut self, selector: &str, key: Key) -> Result<Self, KeyError> {
        let selector_byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let well_formed = (1..=63).contains(&selector.len())
            && selector.bytes().all(selector_byte)
            && !selector.starts_with('-')
            && !selector.ends_with('-');
        // Of two keys under one name receivers would find one.
        if !well_formed || self.keys.iter().any(|known| known.selector == selector) {
            return Err(KeyError::Selector);
        }
        self.keys.push(Named { selector: selector.to_owned(), key });
        Ok(self)
    }

    /// What must stand in the DNS before the first mail goes out.
    pub fn records(&self) -> Vec<Record> {
        let record = |named: &Named| Record {
            name: format!("{}._domainkey.{}", named.selector, self.domain),
            value: named.key.record(),
        };
        self.keys.iter().map(record).collect()
    }

    /// The mail with a signature of each key in front of it; `now` goes into them. RSA takes
    /// some 0.3 ms of a processor, so not where connections are served.
    ///
    /// # Errors
    /// [`NotSigned`].
    pub fn sign(&self, message: &Message, now: Timestamp) -> Result<Message, NotSigned> {
        let text = message.as_str();
        let (header, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let body_hash = STANDARD.encode(digest(&SHA256, canonical::body(body).as_bytes()));
        let (names, fields) = signed_fields(header);
        let mut out = String::with_capacity(text.len() + 1024 * self.keys.len());
        for named in &self.keys {
            let unsigned = self.unsigned(named, now, &names, &body_hash);
            let mut data = String::with_capacity(fields.len() + unsigned.len());
            data.push_str(&fields);
            canonical::push_field(&mut data, &unsigned);
            // Section 3.7: the field itself comes last and without the end of its line.
            data.truncate(data.len() - 2);
            out.push_str(&unsigned);
            push_folded(&mut out, &named.key.sign(&data)?);
            out.push_str("\r\n");
        }
        out.push_str(text);
        Ok(Message::signed(out))
    }

    /// The field up to its signature.
    fn unsigned(&self, named: &Named, now: Timestamp, names: &[&str], body_hash: &str) -> String {
        let mut out = format!(
            "DKIM-Signature: v=1; a={}; c=relaxed/relaxed;\r\n d={}; s={};\r\n t={};\r\n h=",
            named.key.algorithm(),
            self.domain,
            named.selector,
            now.as_second(),
        );
        let mut column = 3;
        for (n, name) in names.iter().enumerate() {
            // White space may stand around the colons.
            if n > 0 && column + 1 + name.len() > LINE {
                out.push_str(":\r\n ");
                column = 1;
            } else if n > 0 {
                out.push(':');
            }
            out.push_str(name);
            column += 1 + name.len();
        }
        write!(out, ";\r\n bh={body_hash};\r\n b=").expect("writing to a String cannot fail");
        out
    }
}

impl fmt::Debug for Signer {
    /// The names that everybody can look up, and nothing of the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.keys.iter().map(|named| named.selector.as_str()).collect();
        f.debug_struct("Signer").field("domain", &self.domain).field("selectors", &names).finish_non_exhaustive()
    }
}

/// The names for `h=`, and the fields they stand for in canonical form, in the same order.
///
/// Of several fields of one name the last is taken first (RFC 6376 section 5.4.2); a name more than there are fields
/// stands for nothing.
fn signed_fields(header: &str) -> (Vec<&'static str>, String) {
    let fields: Vec<&str> = unfolded(header);
    let (mut names, mut canonical) = (Vec::with_capacity(24), String::with_capacity(header.len()));
    for name in SIGNED {
        let named =
            |field: &&&str| field.split(':').next().is_some_and(|own| own.trim_end().eq_ignore_ascii_case(name));
        for field in fields.iter().filter(named).rev() {
            names.push(name);
            canonical::push_field(&mut canonical, field);
        }
    }
    names.extend(NO_MORE_OF);
    (names, canonical)
}

/// Each field with the lines that continue it.
fn unfolded(header: &str) -> Vec<&str> {
    let mut fields = Vec::with_capacity(24);
    let mut start = 0;
    for (at, _) in header.match_indices("\r\n") {
        if !header[at + 2..].starts_with([' ', '\t']) {
            fields.push(&header[start..at]);
            start = at + 2;
        }
    }
    fields.push(&header[start..]);
    fields
}

/// Appends base64 in lines; the first goes on behind `b=`.
fn push_folded(out: &mut String, base64: &str) {
    let mut rest = base64;
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE - 4));
        out.push_str(line);
        if !after.is_empty() {
            out.push_str("\r\n ");
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests;
