//! Our own webhook, for relays and providers that have none of the others: one event as JSON, signed after Standard
//! Webhooks. docs/email.md describes it.

use serde::Deserialize;

use crate::status::Status;
use crate::strip::diagnostic;
use crate::{Bounce, Class, NotRead, Report, Reported, json, words};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    #[serde(rename = "type")]
    kind: Kind,
    /// The address of the MAIL command of the mail that it is about.
    return_path: Option<String>,
    address: Option<String>,
    /// As RFC 3463 has it; a bounce without one is told by its diagnostic.
    status: Option<Status>,
    diagnostic: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Bounce,
    Complaint,
}

/// Reads the body of a webhook whose signature was checked.
///
/// # Errors
/// [`NotRead`], also when it names nobody.
pub fn read(body: &[u8]) -> Result<Reported, NotRead> {
    let event: Event = json(body)?;
    if event.return_path.is_none() && event.address.is_none() {
        return Err(NotRead::Field("return_path or address"));
    }
    let report = match event.kind {
        Kind::Complaint => Report::Complaint,
        Kind::Bounce => {
            let said = event.diagnostic.as_deref().unwrap_or_default();
            let known: Vec<&str> = event.address.as_deref().into_iter().collect();
            let classified = match (event.status.and_then(Status::class), words::read(said)) {
                (_, Some((Class::Sender, status @ Some(_)))) => Some((Class::Sender, status)),
                (Some(class), _) => Some((class, event.status)),
                (None, said) => said,
            };
            classified.map_or(Report::Unclear, |(class, status)| {
                Report::Bounce(Bounce { class, status, diagnostic: diagnostic(said, &known) })
            })
        }
    };
    Ok(Reported { report, mail_from: event.return_path.into_iter().collect(), address: event.address, reference: None })
}
