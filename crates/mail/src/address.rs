//! An email address that is safe to store, to mail to and to log.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// The longest address a forward path can carry (RFC 5321 section 4.5.3.1.3 less its angle brackets), in bytes.
const MAX_ADDRESS: usize = 254;
/// The longest local part (RFC 5321 section 4.5.3.1.1), in bytes.
const MAX_LOCAL: usize = 64;

/// An address of plain ASCII: a dot-atom, `@`, a lower-case domain with a dot in it, punycode where it is
/// international. So it can stand in a header, in an SMTP command and in a key without quoting.
///
/// It shows itself masked; [`Address::as_str`] is the only way to the whole of it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    text: String,
    at: usize,
}

/// Why a text is not an address mail can be sent to. It never repeats what was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    #[error("an address has one @ with something before and after it, such as name@example.org")]
    Shape,
    #[error("the address is longer than 254 bytes, or its part before the @ longer than 64")]
    TooLong,
    #[error(
        "the part before the @ may hold ASCII letters, digits, inner dots and !#$%&'*+-/=?^_`{{|}}~; letters of other \
         scripts there need SMTPUTF8, which most mail systems refuse: give an ASCII address of the same mailbox"
    )]
    Local,
    #[error("the part after the @ is not a domain name with a dot in it, such as example.org")]
    Domain,
}

impl Address {
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn local(&self) -> &str {
        &self.text[..self.at]
    }

    /// Lower case, ASCII (punycode where international).
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }

    /// For logs: `j…@example.org`.
    pub fn masked(&self) -> String {
        format!("{}…@{}", &self.text[..1], self.domain())
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    /// Blanks around it are dropped; the local part keeps its case, as only its own host may fold it.
    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        // Bounded before anything is computed from it; NFC may shorten, so the limit proper comes last.
        if text.len() > 4 * MAX_ADDRESS {
            return Err(InvalidAddress::TooLong);
        }
        let text: String = text.trim().nfc().collect();
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidAddress::Shape)?;
        if local.is_empty() || domain.is_empty() {
            return Err(InvalidAddress::Shape);
        }
        if local.len() > MAX_LOCAL {
            return Err(InvalidAddress::TooLong);
        }
        if !is_dot_atom(local) {
            return Err(InvalidAddress::Local);
        }
        let domain = ascii_domain(domain).ok_or(InvalidAddress::Domain)?;
        if local.len() + 1 + domain.len() > MAX_ADDRESS {
            return Err(InvalidAddress::TooLong);
        }
        Ok(Self { at: local.len(), text: format!("{local}@{domain}") })
    }
}

/// RFC 5322 dot-atom. Quoted local parts are legal and, in practice, typing errors or attacks.
fn is_dot_atom(local: &str) -> bool {
    let atext = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(atext))
}

/// The lower-case ASCII form of a domain with at least one dot that is not an IP address.
pub(crate) fn ascii_domain(domain: &str) -> Option<String> {
    let ascii = Uts46::new()
        .to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
        .ok()?
        .into_owned();
    let top = ascii.rsplit_once('.')?.1;
    let numeric = top.bytes().all(|b| b.is_ascii_digit()) || ascii.parse::<Ipv4Addr>().is_ok();
    (!numeric).then_some(ascii)
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl Serialize for Address {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_brought_to_one_form() {
        for (typed, kept) in [
            ("reader@example.org", "reader@example.org"),
            ("  First.Last+news@Example.ORG\n", "First.Last+news@example.org"),
            ("a@bücher.example", "a@xn--bcher-kva.example"),
            ("a@bu\u{308}cher.example", "a@xn--bcher-kva.example"),
            ("a@例子.中国", "a@xn--fsqu00a.xn--fiqs8s"),
            ("a@example。org", "a@example.org"),
        ] {
            assert_eq!(typed.parse::<Address>().unwrap().as_str(), kept, "{typed:?}");
        }
    }

    #[test]
    fn what_cannot_be_mailed_to_is_refused_with_its_reason() {
        use InvalidAddress::*;
        let long_local = format!("{}@example.org", "a".repeat(65));
        let long = format!("{}@{}example.org", "a".repeat(20), "b23456789.".repeat(23));
        for (typed, why) in [
            ("", Shape),
            ("reader", Shape),
            ("@example.org", Shape),
            ("reader@", Shape),
            ("用户@example.org", Local),
            ("\"a b\"@example.org", Local),
            ("a@b@example.org", Local),
            (".a@example.org", Local),
            ("a..b@example.org", Local),
            ("a\r\nBcc: x@example.org", Local),
            ("<a@example.org>", Local),
            ("a@localhost", Domain),
            ("a@[192.0.2.1]", Domain),
            ("a@192.0.2.1", Domain),
            ("a@example.123", Domain),
            ("a@exa mple.org", Domain),
            ("a@-example.org", Domain),
            ("a@example..org", Domain),
            ("a@exam_ple.org", Domain),
            ("a@example.org\r\nBcc", Domain),
            (&long_local, TooLong),
            (&long, TooLong),
        ] {
            assert_eq!(typed.parse::<Address>(), Err(why), "{typed:?}");
        }
    }

    #[test]
    fn it_prints_masked() {
        let address: Address = "jane.doe@example.org".parse().unwrap();
        assert_eq!(format!("{address:?}"), "j…@example.org");
    }

    proptest! {
        #[test]
        fn an_address_is_clean_and_its_own_form(text in "\\PC{0,40}@\\PC{1,30}|[a-z.]{1,9}@[a-zü中.]{1,12}") {
            if let Ok(address) = text.parse::<Address>() {
                prop_assert!(address.as_str().bytes().all(|b| b.is_ascii_graphic()));
                prop_assert!(!address.as_str().contains(['<', '>', '"', ',', ';', ':', '(', ')']));
                prop_assert_eq!(address.as_str().parse::<Address>().unwrap(), address);
            }
        }
    }
}
