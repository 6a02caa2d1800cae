//! What became of the mail about an article, and orders to its plans.

use serde_json::{Value, json};

use super::parts::{answer, reference, responses};
use crate::http::ORDERS;

pub(super) fn ledger() -> Value {
    let plans = answer("The alert, then the notices, by revision.", &[], "MailLedger", example());
    json!({
        "tags": ["Articles"],
        "operationId": "readMailLedger",
        "summary": "What became of the mail about an article",
        "description": "Each plan fixes once who is sent what: the alert to an article, a correction, a withdrawal, a kill. Every recipient is in exactly one state, so matched is the sum of states at any time; nobody is left to be sent anything once open is 0. accepted means that the relay took it, which is not delivery. An article under embargo, and one that nobody is alerted to, has no plans. Digests are plans of no single article and are not among these. Needs the scope read.",
        "responses": responses(&[("200", plans)], &["404", "500"]),
    })
}

pub(super) fn order() -> Value {
    let example = json!({
        "plan": "0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f-published",
        "control": { "state": "paused", "by": "token cms", "at": "2026-11-22T10:00:02.5Z", "retry": 0 },
    });
    let ordered = answer("What stands for the plan now.", &[], "MailOrdered", example);
    json!({
        "tags": ["Articles"],
        "operationId": "orderMail",
        "summary": "Pause, resume or cancel a plan of mail, or retry its failures",
        "description": "pause stops it in the middle: at most the mails that are being submitted still go out, and nobody loses an attempt. resume lets it go on, and lets go what waits because it is far larger than usual. cancel ends it for good: whoever has not been sent anything will not be. retry tries those who failed again, and those who are to be tried later at once. An order that has been carried out changes nothing; each retry is one more. Needs the scope write.",
        "responses": responses(&[("200", ordered)], &["404", "409", "500"]),
    })
}

pub(super) fn plan() -> Value {
    json!({
        "name": "plan", "in": "path", "required": true,
        "description": "The plan's name, as the ledger has it.",
        "schema": { "type": "string" },
        "example": "0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f-published",
    })
}

pub(super) fn order_parameter() -> Value {
    json!({
        "name": "order", "in": "path", "required": true,
        "description": "What is to be done.",
        "schema": { "type": "string", "enum": ORDERS },
        "example": "pause",
    })
}

pub(super) fn ordered() -> Value {
    let plan = json!({ "type": "string" });
    json!({
        "type": "object", "required": ["plan", "control"],
        "properties": { "plan": plan, "control": reference("MailControl") },
    })
}

pub(super) fn control() -> Value {
    json!({
        "type": ["object", "null"],
        "description": "What was ordered; null while the plan just runs.",
        "required": ["state", "by", "at", "retry"],
        "properties": {
            "state": { "type": "string", "enum": ["running", "paused", "waiting", "cancelled"],
                "description": "waiting: it is far larger than usual, and nothing goes out before somebody resumes it." },
            "by": { "type": "string", "description": "Who ordered it: a token, the operator, or the guard." },
            "at": { "type": "string", "format": "date-time" },
            "retry": { "type": "integer", "minimum": 0, "description": "How often its failures were tried again." },
            "usual": { "type": "integer", "minimum": 0,
                "description": "With waiting: how many recipients such plans usually have." },
        },
    })
}

fn example() -> Value {
    json!({ "plans": [{
        "plan": "0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f-published",
        "article": "urn:uuid:0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f",
        "publisher": "city-desk", "kind": "alert", "revision": 1, "lane": "normal",
        "matched": 1742, "chunks": 2, "planned_at": "2026-11-22T10:00:00.21Z", "open": 3,
        "control": null,
        "states": {
            "planned": 0, "submitting": 0, "deferred": 2, "uncertain": 1,
            "accepted": 1729, "failed": 4, "suppressed": 6, "expired": 0,
        },
        "suppressed": {
            "left": 5, "withdrawn": 0, "paused": 1, "bounced": 0, "complained": 0, "cancelled": 0, "empty": 0,
        },
        "resent_uncertain": 0, "last_at": "2026-11-22T10:00:01.07Z", "next_retry_at": "2026-11-22T10:01:01Z",
    }] })
}

pub(super) fn schema() -> Value {
    let count = |description: &str| json!({ "type": "integer", "minimum": 0, "description": description });
    let states = [
        ("planned", "Not begun."),
        ("submitting", "Being sent just now."),
        ("deferred", "To be tried again."),
        ("uncertain", "The relay's answer was lost; it is sent again under the same Message-ID."),
        ("accepted", "The relay took it."),
        ("failed", "Refused for good, or given up."),
        ("suppressed", "Not to be sent; suppressed says why."),
        ("expired", "Too late to be news."),
    ];
    let reasons = [
        ("left", "They have left since, or were erased."),
        ("withdrawn", "The article was held, withdrawn or killed, or the notice is obsolete."),
        ("paused", "They have paused their mail."),
        ("bounced", "Their mailbox does not take mail."),
        ("complained", "They have complained."),
        ("cancelled", "The plan was cancelled."),
        ("empty", "Nothing is left to send."),
    ];
    let counts = |words: &[(&str, &str)]| {
        let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
        let fields: serde_json::Map<_, _> =
            words.iter().map(|(name, said)| ((*name).to_owned(), count(said))).collect();
        json!({ "type": "object", "required": names, "properties": fields })
    };
    let time =
        |description: &str| json!({ "type": ["string", "null"], "format": "date-time", "description": description });
    json!({ "type": "object", "required": ["plans"], "properties": { "plans": { "type": "array", "items": {
        "type": "object",
        "required": ["plan", "kind", "revision", "lane", "matched", "planned_at", "open", "states", "suppressed"],
        "properties": {
            "plan": { "type": "string", "description": "Its name." },
            "article": { "type": "string", "format": "uri" },
            "publisher": { "type": "string" },
            "kind": { "type": "string", "examples": ["alert", "correction", "withdrawal", "kill"] },
            "revision": { "type": "integer", "minimum": 0, "description": "The revision that called for it." },
            "lane": { "type": "string", "examples": ["breaking", "normal"] },
            "matched": count("Its recipients."),
            "chunks": count("Parts that it is worked off in."),
            "planned_at": { "type": "string", "format": "date-time" },
            "open": count("Recipients who may still get it."),
            "control": reference("MailControl"),
            "states": counts(&states),
            "suppressed": counts(&reasons),
            "resent_uncertain": count("Mails sent again because an answer was lost: the most duplicates there can be."),
            "first_accepted_at": time("When the relay took the first of those it took; null before."),
            "last_accepted_at": time("And the last."),
            "accepted_per_second": { "type": ["integer", "null"], "description": "Mails a second between the two." },
            "last_at": time("When something was last noted; null before anything was."),
            "next_retry_at": time("When the next attempt is due; null without one."),
        },
    } } } })
}
