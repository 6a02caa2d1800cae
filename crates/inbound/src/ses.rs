//! Amazon SES: the notification inside a message of SNS, in both of its spellings (`notificationType` of identities,
//! `eventType` of configuration sets).

use serde::Deserialize;

use crate::status::Status;
use crate::strip::diagnostic;
use crate::{Bounce, Class, NotRead, Report, Reported, json};

/// Recipients of one notification that are looked at; a mail of ours has one.
const MAX_RECIPIENTS: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notification {
    #[serde(alias = "eventType")]
    notification_type: String,
    mail: Mail,
    bounce: Option<SesBounce>,
    complaint: Option<SesComplaint>,
}

#[derive(Deserialize)]
struct Mail {
    /// The address of the MAIL command, as SES was given it.
    source: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SesBounce {
    bounce_type: String,
    bounce_sub_type: Option<String>,
    bounced_recipients: Vec<Recipient>,
    feedback_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SesComplaint {
    complained_recipients: Vec<Recipient>,
    complaint_feedback_type: Option<String>,
    feedback_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    email_address: String,
    status: Option<String>,
    diagnostic_code: Option<String>,
}

/// Reads the `Message` of a notification whose signature was checked. Deliveries and whatever else may be subscribed to
/// give nothing.
///
/// # Errors
/// [`NotRead`].
pub fn read(message: &str) -> Result<Vec<Reported>, NotRead> {
    let notification: Notification = json(message.as_bytes())?;
    let mail_from: Vec<String> = notification.mail.source.into_iter().collect();
    let reported = |recipient: Recipient, report, reference: &Option<String>| Reported {
        report,
        mail_from: mail_from.clone(),
        address: Some(recipient.email_address),
        reference: reference.clone(),
    };
    match notification.notification_type.as_str() {
        "Bounce" => {
            let bounce = notification.bounce.ok_or(NotRead::Field("bounce"))?;
            let (kind, sub) = (bounce.bounce_type, bounce.bounce_sub_type.unwrap_or_default());
            let recipients = bounce.bounced_recipients.into_iter().take(MAX_RECIPIENTS);
            let each = recipients.map(|recipient| {
                let report = failed(&kind, &sub, &recipient);
                reported(recipient, report, &bounce.feedback_id)
            });
            Ok(each.collect())
        }
        "Complaint" => {
            let complaint = notification.complaint.ok_or(NotRead::Field("complaint"))?;
            let mistaken = complaint.complaint_feedback_type.as_deref() == Some("not-spam");
            let report = if mistaken { Report::NoFailure } else { Report::Complaint };
            let recipients = complaint.complained_recipients.into_iter().take(MAX_RECIPIENTS);
            Ok(recipients.map(|recipient| reported(recipient, report.clone(), &complaint.feedback_id)).collect())
        }
        _ => Ok(Vec::new()),
    }
}

/// The receiver's own status, where it says anything; SES's word else.
fn failed(kind: &str, sub: &str, recipient: &Recipient) -> Report {
    let status = recipient.status.as_deref().and_then(|status| status.parse::<Status>().ok());
    let class = match (status.and_then(Status::class), kind, sub) {
        (Some(class), ..) => class,
        (None, _, "ContentRejected" | "AttachmentRejected" | "MessageTooLarge") => Class::Sender,
        (None, "Permanent", _) => Class::Hard,
        (None, "Transient", _) => Class::Soft,
        _ => return Report::Unclear,
    };
    let said = recipient.diagnostic_code.as_deref().unwrap_or_default();
    Report::Bounce(Bounce { class, status, diagnostic: diagnostic(said, &[&recipient.email_address]) })
}
