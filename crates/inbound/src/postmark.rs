//! Postmark: the webhooks `Bounce` and `SpamComplaint`. Postmark replaces the envelope sender by its own, so all it can
//! say is the reader's address.

use serde::Deserialize;

use crate::strip::diagnostic;
use crate::{Bounce, Class, NotRead, Report, Reported, json, words};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record {
    record_type: String,
    #[serde(rename = "ID")]
    id: Option<u64>,
    #[serde(rename = "Type")]
    kind: Option<String>,
    email: Option<String>,
    details: Option<String>,
}

/// Reads the body of a webhook whose secret was checked.
///
/// # Errors
/// [`NotRead`].
pub fn read(body: &[u8]) -> Result<Reported, NotRead> {
    let record: Record = json(body)?;
    let kind = record.kind.as_deref().unwrap_or_default();
    let report = match record.record_type.as_str() {
        "SpamComplaint" => Report::Complaint,
        "Bounce" => bounced(kind, &record),
        _ => Report::NoFailure,
    };
    let needs_address = matches!(report, Report::Complaint | Report::Bounce(_));
    if needs_address && record.email.as_deref().is_none_or(str::is_empty) {
        return Err(NotRead::Field("Email"));
    }
    let reference = record.id.map(|id| format!("{}/{id}", record.record_type));
    Ok(Reported { report, mail_from: Vec::new(), address: record.email, reference })
}

fn bounced(kind: &str, record: &Record) -> Report {
    let said = record.details.as_deref().unwrap_or_default();
    let said_by = words::read(said);
    let class = match kind {
        "HardBounce" | "BadEmailAddress" => Class::Hard,
        "SoftBounce" | "Transient" | "DnsError" => Class::Soft,
        "SpamNotification" | "Blocked" | "DMARCPolicy" | "VirusNotification" => Class::Sender,
        "SpamComplaint" => return Report::Complaint,
        "AutoResponder" => return Report::AutoReply,
        "Unknown" => return Report::Unclear,
        _ => return Report::NoFailure,
    };
    // A receiver that refuses us by policy is counted as hard by some; its own status says better.
    let (class, status) = match said_by {
        Some((Class::Sender, status @ Some(_))) => (Class::Sender, status),
        Some((_, status)) => (class, status),
        None => (class, None),
    };
    let known: Vec<&str> = record.email.as_deref().into_iter().collect();
    Report::Bounce(Bounce { class, status, diagnostic: diagnostic(said, &known) })
}
