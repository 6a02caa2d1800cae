//! Bounces that say it in words only. Words are no status: they cost the reader a point and never everything at once.

use crate::Class;
use crate::status::{Status, statuses};

/// What refuses us and not the reader. It has precedence: "user unknown, or blocked by our policy" is about us.
const SENDER: [&str; 17] = [
    "spam",
    "blocked",
    "blocklist",
    "blacklist",
    "block list",
    "black list",
    "reputation",
    "policy",
    "spf",
    "dkim",
    "dmarc",
    "unsolicited",
    "垃圾",
    "拒收",
    "黑名单",
    "频率",
    "反垃圾",
];

/// What says that the mailbox is not there, or takes nothing at the moment.
const READER: [&str; 29] = [
    "user unknown",
    "unknown user",
    "no such user",
    "user not found",
    "user not exist",
    "user doesn't exist",
    "user does not exist",
    "account does not exist",
    "mailbox not found",
    "no such mailbox",
    "mailbox unavailable",
    "invalid recipient",
    "recipient not found",
    "unknown recipient",
    "no mailbox here by that name",
    "unrouteable address",
    "address not found",
    "mailbox is full",
    "mailbox full",
    "quota exceeded",
    "over quota",
    "exceeded storage",
    "insufficient storage",
    "不存在",
    "邮箱无效",
    "无此用户",
    "已满",
    "空间不足",
    "容量不足",
];

/// What `text` says, and by which status if by one. Several statuses that differ in class are no word at all, but for
/// one that is about us.
pub(crate) fn read(text: &str) -> Option<(Class, Option<Status>)> {
    let failed = statuses(text).filter_map(|status| Some((status.class()?, status)));
    let (mut least, mut most) = (None, None);
    for (class, status) in failed.take(64) {
        if least.is_none_or(|(known, _)| class < known) {
            least = Some((class, status));
        }
        most = most.max(Some(class));
    }
    match (least, most) {
        (Some((class, status)), Some(most)) if class == most || class == Class::Sender => Some((class, Some(status))),
        (Some(_), _) => None,
        (None, _) => by_phrase(text).map(|class| (class, None)),
    }
}

fn by_phrase(text: &str) -> Option<Class> {
    let text = text.to_lowercase();
    if SENDER.iter().any(|phrase| text.contains(phrase)) {
        return Some(Class::Sender);
    }
    READER.iter().any(|phrase| text.contains(phrase)).then_some(Class::Soft)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_with_care() {
        for (text, class) in [
            ("550 5.1.1 no such user here", Some(Class::Hard)),
            ("550-5.1.1 x 550 5.1.1 y", Some(Class::Hard)),
            ("5.1.1 then 4.2.2", None),
            ("5.1.1 because of 5.7.1", Some(Class::Sender)),
            ("550 No such user", Some(Class::Soft)),
            ("550 No such user, or it is SPAM", Some(Class::Sender)),
            ("收件人不存在", Some(Class::Soft)),
            ("邮件被拒收，用户不存在", Some(Class::Sender)),
            ("5.0.0 who knows", None),
            ("", None),
        ] {
            assert_eq!(read(text).map(|(class, _)| class), class, "{text}");
        }
    }
}
