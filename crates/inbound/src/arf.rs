//! Complaints (RFC 5965): what a reader's provider sends when they press "this is spam".

use crate::Report;
use crate::mime::{Part, groups, value};

/// What a feedback report says, and the envelope senders it names.
pub(crate) fn read(leaves: &[Part<'_>]) -> (Report, Vec<String>) {
    let mut mail_from = Vec::new();
    let mut report = Report::Unclear;
    for part in leaves {
        match part.kind.as_str() {
            "message/feedback-report" => {
                let text = part.text();
                let fields: Vec<_> = groups(&text, 4).into_iter().flatten().collect();
                report = match value(&fields, "feedback-type").unwrap_or_default().to_ascii_lowercase().as_str() {
                    "abuse" | "fraud" | "complaint" | "opt-out" | "opt-out-list" => Report::Complaint,
                    "not-spam" => Report::NoFailure,
                    // Reports on viruses and on authentication (RFC 6591) are no reader's word.
                    _ => Report::Unclear,
                };
                mail_from.extend(value(&fields, "original-mail-from").map(bare));
            }
            "message/rfc822" | "message/global" | "text/rfc822-headers" | "message/rfc822-headers" => {
                let original = Part::read(part.body());
                let named = ["return-path", "x-original-return-path"];
                mail_from.extend(named.into_iter().filter_map(|name| original.field(name)).map(bare));
            }
            _ => {}
        }
    }
    mail_from.truncate(4);
    (report, mail_from)
}

/// An address without its brackets.
fn bare(address: &str) -> String {
    let inside = address.rsplit_once('<').map_or(address, |(_, inside)| inside);
    inside.split('>').next().unwrap_or_default().trim().chars().take(320).collect()
}
