//! Enhanced status codes (RFC 3463), and what each class of them says of the reader.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Class;

/// `class.subject.detail`, such as `5.1.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Status {
    /// 2: success, 4: passing, 5: for good.
    pub class: u8,
    pub subject: u8,
    /// At most 999.
    pub detail: u16,
}

impl Status {
    /// What a mail that failed with this status says; `None`: nothing, as it is a success or the "other" of everything.
    ///
    /// Of X.1.Y only what names the reader's mailbox is for good: X.1.7 and X.1.8 are about the sender's address, and
    /// X.1.0 is given for either.
    pub(crate) fn class(self) -> Option<Class> {
        match (self.class, self.subject, self.detail) {
            (4 | 5, 7, _) | (4 | 5, 1, 7 | 8) | (4 | 5, 2 | 3, 3 | 4) | (4 | 5, 5 | 6, _) => Some(Class::Sender),
            (5, 1, 1..=6 | 10) => Some(Class::Hard),
            (4 | 5, 1..=4, _) => Some(Class::Soft),
            _ => None,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// The text is no status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a status is a class of 2, 4 or 5, a subject of 0 to 7 and a detail, such as 5.1.1")]
pub struct NotAStatus;

impl FromStr for Status {
    type Err = NotAStatus;

    fn from_str(text: &str) -> Result<Self, NotAStatus> {
        let mut numbers = text.split('.');
        let mut next = |most: usize| {
            let digits = numbers.next().filter(|part| (1..=most).contains(&part.len()))?;
            digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u16>().ok())?
        };
        let (class, subject, detail) = (next(1), next(1), next(3));
        match (class, subject, detail, numbers.next()) {
            (Some(class @ (2 | 4 | 5)), Some(subject @ 0..=7), Some(detail), None) => {
                Ok(Self { class: class as u8, subject: subject as u8, detail })
            }
            _ => Err(NotAStatus),
        }
    }
}

impl TryFrom<String> for Status {
    type Error = NotAStatus;

    fn try_from(text: String) -> Result<Self, NotAStatus> {
        text.parse()
    }
}

impl From<Status> for String {
    fn from(status: Status) -> Self {
        status.to_string()
    }
}

/// Every status that stands in `text` by itself; an address of the internet or a version of a program is none.
pub(crate) fn statuses(text: &str) -> impl Iterator<Item = Status> {
    let numeric = |c: char| c.is_ascii_alphanumeric() || c == '.';
    text.split(move |c| !numeric(c)).filter_map(|word| word.trim_matches('.').parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_whose_fault_it_is() {
        use Class::{Hard, Sender, Soft};
        for (status, class) in [
            ("5.1.1", Some(Hard)),
            ("5.1.2", Some(Hard)),
            ("5.1.6", Some(Hard)),
            ("5.1.10", Some(Hard)),
            ("5.1.0", Some(Soft)),
            ("5.1.7", Some(Sender)),
            ("5.1.8", Some(Sender)),
            ("4.1.1", Some(Soft)),
            ("5.2.1", Some(Soft)),
            ("5.2.2", Some(Soft)),
            ("5.2.3", Some(Sender)),
            ("4.2.2", Some(Soft)),
            ("5.3.0", Some(Soft)),
            ("5.3.4", Some(Sender)),
            ("4.4.7", Some(Soft)),
            ("5.4.1", Some(Soft)),
            ("5.5.1", Some(Sender)),
            ("5.6.7", Some(Sender)),
            ("5.7.1", Some(Sender)),
            ("4.7.0", Some(Sender)),
            ("5.7.133", Some(Sender)),
            ("5.0.0", None),
            ("2.1.5", None),
        ] {
            assert_eq!(status.parse::<Status>().unwrap().class(), class, "{status}");
        }
    }

    #[test]
    fn only_statuses_are_found_in_words() {
        let found = |text: &str| statuses(text).map(|status| status.to_string()).collect::<Vec<_>>();
        assert_eq!(found("550-5.1.1 The email (#5.1.1)、5.2.2。 [4.7.0]"), ["5.1.1", "5.1.1", "5.2.2", "4.7.0"]);
        assert_eq!(found("It ended with 5.1.1."), ["5.1.1"]);
        for none in ["5.1.1.1", "192.168.5.1", "exim 4.94.2", "v5.1.1", "3.1.1", "5.1", "5.9.1", "5.1.1000", "5..1", ""]
        {
            assert_eq!(found(none), [""; 0], "{none}");
        }
    }

    #[test]
    fn it_reads_back() {
        let json = serde_json::to_string(&"5.1.10".parse::<Status>().unwrap()).unwrap();
        assert_eq!(json, "\"5.1.10\"");
        assert_eq!(serde_json::from_str::<Status>(&json).unwrap().detail, 10);
        assert!(serde_json::from_str::<Status>("\"9.1.1\"").is_err());
    }
}
