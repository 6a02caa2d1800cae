//! Delivery status notifications (RFC 3464): the part a machine wrote.

use crate::mime::{groups, value};
use crate::status::Status;
use crate::strip::diagnostic;
use crate::{Bounce, Class, Report, words};

/// Recipients of one report that are looked at. A mail of ours has one; forwarding makes more.
const MAX_RECIPIENTS: usize = 32;

/// What the `message/delivery-status` part says. Of several failed recipients the mildest failure counts: the mail went
/// to one reader, and which of the addresses behind it is theirs nobody knows.
pub(crate) fn read(text: &str) -> Report {
    let mut mildest: Option<Bounce> = None;
    let (mut failed, mut unclear) = (false, false);
    for group in groups(text, MAX_RECIPIENTS + 1) {
        let Some(action) = value(&group, "action") else { continue };
        if !action.eq_ignore_ascii_case("failed") {
            // Delivered, relayed and expanded are the opposite; what is delayed may still arrive.
            continue;
        }
        failed = true;
        match bounce(&group) {
            Some(bounce) if mildest.as_ref().is_none_or(|known| bounce.class < known.class) => mildest = Some(bounce),
            Some(_) => {}
            None => unclear = true,
        }
    }
    match mildest {
        _ if !failed => Report::NoFailure,
        _ if unclear => Report::Unclear,
        Some(bounce) => Report::Bounce(bounce),
        None => Report::Unclear,
    }
}

fn bounce(group: &[(String, String)]) -> Option<Bounce> {
    let said = value(group, "diagnostic-code").unwrap_or_default();
    // Some write a comment behind it.
    let status = value(group, "status").and_then(|status| status.split_whitespace().next()?.parse::<Status>().ok());
    let (by_status, by_words) = (status.and_then(Status::class), words::read(said));
    let (class, status) = match (by_status, by_words) {
        // The reporter's status is the receiver's, or a guess of its own. If either means us, the reader is left alone.
        (Some(_), Some((Class::Sender, said @ Some(_)))) => (Class::Sender, said),
        (Some(class), _) => (class, status),
        (None, Some((class, said))) => (class, said),
        (None, None) => return None,
    };
    let of = |name| value(group, name).map(|field| field.rsplit(';').next().unwrap_or(field).trim());
    let known: Vec<&str> = ["final-recipient", "original-recipient"].into_iter().filter_map(of).collect();
    let said = said.split_once(';').map_or(said, |(_, words)| words);
    Some(Bounce { class, status, diagnostic: diagnostic(said, &known) })
}
