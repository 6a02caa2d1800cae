//! What comes back after a mail was sent: a mail, or the body of a webhook.
#![no_main]

use inbound::{Report, Reported, generic, postmark, read_mail, ses, sns};
use libfuzzer_sys::fuzz_target;

/// What is kept of a report is bounded and names nobody.
fn checked(reported: &Reported) {
    assert!(reported.mail_from.len() <= 4 && reported.reference.as_ref().is_none_or(|id| id.len() <= 600_000));
    if let Report::Bounce(bounce) = &reported.report {
        assert!(bounce.diagnostic.chars().count() <= 500, "{}", bounce.diagnostic);
        assert!(!bounce.diagnostic.contains(|c: char| c.is_control() || c == '@'), "{}", bounce.diagnostic);
    }
}

fuzz_target!(|bytes: &[u8]| {
    for sender in ["", "jo@example.org"] {
        checked(&read_mail(bytes, sender));
    }
    if let Ok(reported) = postmark::read(bytes) {
        checked(&reported);
    }
    if let Ok(reported) = generic::read(bytes) {
        checked(&reported);
    }
    if let Ok(envelope) = sns::Envelope::read(bytes) {
        assert!(envelope.signed_text().contains(envelope.topic_arn()));
        let hosts = [envelope.certificate(), envelope.confirmation()].into_iter().flatten();
        assert!(hosts.filter_map(|url| url.host_str().map(str::to_owned)).all(|host| host.ends_with(".amazonaws.com")));
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(all) = ses::read(text)
    {
        assert!(all.len() <= 50);
        all.iter().for_each(checked);
    }
});
