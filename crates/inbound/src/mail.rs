//! One mail that came back: a standard report, a complaint, an automatic reply, or words.

use crate::mime::Part;
use crate::strip::{cut, diagnostic};
use crate::{Bounce, Class, Report, Reported, arf, dsn, words};

/// Bytes of a mail that are read. What a machine wrote stands in front of the copy of our mail.
pub const MAX_MAIL: usize = 512 * 1024;

/// Bytes of a text that are searched for what it says; behind them stands the copy of our own mail, with numbers of its own.
const MAX_WORDS: usize = 8 * 1024;

/// Where those who bounce in words begin the copy of our mail.
const COPY: [&str; 9] = [
    "below this line is a copy of the message",
    "this is a copy of",
    "a copy of the original message",
    "original message follows",
    "----- original message",
    "-----original message",
    "original message headers",
    "原始邮件",
    "原邮件内容",
];

/// Reads a mail that was sent to an address of ours which only reports should come to. `envelope_sender` is the address
/// of its MAIL command; empty for the null sender of reports.
pub fn read_mail(bytes: &[u8], envelope_sender: &str) -> Reported {
    let mail = Part::read(&bytes[..bytes.len().min(MAX_MAIL)]);
    let reference = mail.field("message-id").map(|id| cut(id, 400).to_owned());
    let automatic = is_automatic(&mail);
    let from_daemon = is_daemon(envelope_sender) || mail.field("from").is_some_and(is_daemon);
    let names_failed = mail.field("x-failed-recipients").map(str::to_owned);
    let report_type = mail.report_type.clone().unwrap_or_default();
    let leaves = mail.leaves();
    let has = |kind: &str| leaves.iter().find(|part| part.kind == kind);
    let status = has("message/delivery-status").or_else(|| has("message/global-delivery-status"));
    let (report, mail_from) = if report_type == "feedback-report" || has("message/feedback-report").is_some() {
        arf::read(&leaves)
    } else if let Some(status) = status {
        (dsn::read(&status.text()), Vec::new())
    } else if report_type == "disposition-notification" || has("message/disposition-notification").is_some() {
        (Report::AutoReply, Vec::new())
    } else if names_failed.is_some() || (from_daemon && automatic != Some(Automatic::Vacation)) {
        (in_words(&leaves, names_failed.as_deref(), Class::Hard), Vec::new())
    } else if automatic.is_some() {
        (Report::AutoReply, Vec::new())
    } else if envelope_sender.is_empty() {
        // Only what answers for somebody sends so. It may be a vacation notice that does not say that it is one.
        (in_words(&leaves, None, Class::Soft), Vec::new())
    } else {
        (Report::Unclear, Vec::new())
    };
    Reported { report, mail_from, address: None, reference }
}

/// What makes a mail an automatic one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Automatic {
    /// RFC 3834. Mail systems say so of bounces, too.
    Submitted,
    /// What only replies for a person have.
    Vacation,
}

fn is_automatic(mail: &Part<'_>) -> Option<Automatic> {
    let says = |name: &str, words: &[&str]| {
        let value = mail.field(name).unwrap_or_default().to_lowercase();
        words.iter().any(|word| value.contains(word))
    };
    let subject = mail.subject.as_deref().unwrap_or_default().to_lowercase();
    let marked = ["x-autoreply", "x-autorespond", "x-autoresponder"].into_iter().any(|name| mail.field(name).is_some());
    let vacation = ["out of office", "automatic reply", "auto-reply", "autoreply", "vacation", "自动回复", "自动答复"];
    if marked || says("precedence", &["auto_reply"]) || vacation.iter().any(|words| subject.contains(words)) {
        Some(Automatic::Vacation)
    } else {
        says("auto-submitted", &["auto-replied", "auto-generated"]).then_some(Automatic::Submitted)
    }
}

/// Whether an address, or a From field, is a mail system's own.
fn is_daemon(from: &str) -> bool {
    let from = from.to_ascii_lowercase();
    let address = from.rsplit_once('<').map_or(from.as_str(), |(_, inside)| inside);
    let local = address.split('@').next().unwrap_or_default().trim();
    matches!(local, "mailer-daemon" | "postmaster" | "mail-daemon" | "mdaemon")
}

/// `worst`: what words may cost at most.
fn in_words(leaves: &[Part<'_>], known: Option<&str>, worst: Class) -> Report {
    let texts = || leaves.iter().filter(|part| part.kind.starts_with("text/") && part.kind != "text/rfc822-headers");
    let plain = texts().find(|part| part.kind == "text/plain");
    let Some(part) = plain.or_else(|| texts().next()) else { return Report::Unclear };
    let text = part.text();
    let text = if part.kind == "text/html" { without_tags(&text) } else { text };
    // ASCII is folded only: every offset stays.
    let folded = text.to_ascii_lowercase();
    let copy = COPY.iter().filter_map(|words| folded.find(words)).min().unwrap_or(text.len());
    let said = cut(&text[..copy], MAX_WORDS);
    match words::read(said) {
        Some((class, status)) => {
            let known: Vec<&str> = known.unwrap_or_default().split(',').map(str::trim).take(8).collect();
            Report::Bounce(Bounce { class: class.min(worst), status, diagnostic: diagnostic(said, &known) })
        }
        None => Report::Unclear,
    }
}

fn without_tags(html: &str) -> String {
    let folded = html.to_ascii_lowercase();
    let (mut out, mut from) = (String::with_capacity(html.len()), 0);
    while let Some(open) = html[from..].find('<').map(|at| from + at) {
        out.push_str(&html[from..open]);
        out.push(' ');
        // What a style sheet says is nobody's word.
        let end = if folded[open..].starts_with("<style") { "</style>" } else { ">" };
        from = folded[open..].find(end).map_or(html.len(), |at| open + at + end.len());
    }
    out.push_str(&html[from..]);
    out
}
