//! Why an address got an article or not, and whom news would reach.

use serde_json::{Value, json};

use super::parts::{answer, reference, responses};

pub(super) fn why() -> Value {
    let example = json!({ "plans": [{
        "plan": "0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f-published", "kind": "alert", "revision": 1,
        "planned_at": "2026-11-22T10:00:00.21Z", "state": "accepted", "at": "2026-11-22T10:00:01.07Z",
        "next_attempt_at": null,
    }] });
    let sent = answer("The mails about it to this address; none if it was sent none.", &[], "MailSent", example);
    json!({
        "tags": ["Articles"],
        "operationId": "whyMail",
        "summary": "What an address was sent of an article",
        "description": "Every mail about the article that was planned for the address, and what became of it: the alert or the digest that had it, and notices. No mails is no word on whether the address is subscribed: that is told by the operator alone (newswire why). The address is not logged. Needs the scope write.",
        "requestBody": asked(&json!({ "address": "reader@example.org" }), "MailWhy"),
        "responses": responses(&[("200", sent)], &["400", "404", "413", "415", "422", "500"]),
    })
}

pub(super) fn reach() -> Value {
    let example = json!({ "immediate": 1742, "daily": 310, "weekly": 95, "paused": 12 });
    let counted = answer("Readers by how they would get it, each counted once.", &[], "Reach", example);
    json!({
        "tags": ["Articles"],
        "operationId": "readReach",
        "summary": "How many readers news would be mailed to",
        "description": "Of an article that is in the selection and of which nothing else is known, published now by whose token it is; where there are several ways to be in it, all whom one of them reaches. POST /v1/articles?dry_run=true tells it of a whole article. Needs the scope write.",
        "requestBody": asked(&json!({ "selection": "section/city+language/en" }), "ReachRequest"),
        "responses": responses(&[("200", counted)], &["400", "413", "415", "422", "500"]),
    })
}

fn asked(example: &Value, schema: &str) -> Value {
    json!({ "required": true, "content": { "application/json": { "schema": reference(schema), "example": example } } })
}

pub(super) fn sent() -> Value {
    let time = |said: &str| json!({ "type": ["string", "null"], "format": "date-time", "description": said });
    let plan = json!({
        "type": "object",
        "required": ["plan", "kind", "revision", "planned_at", "state", "at", "next_attempt_at"],
        "properties": {
            "plan": { "type": "string", "description": "Its name." },
            "kind": { "type": "string", "examples": ["alert", "update", "correction", "withdrawal", "kill", "digest"] },
            "revision": { "type": "integer", "minimum": 0, "description": "The revision that called for it." },
            "planned_at": { "type": "string", "format": "date-time" },
            "state": { "type": "string", "examples": ["accepted", "deferred", "failed"], "description": "As in the ledger." },
            "at": time("When it came to that; null before the first attempt."),
            "next_attempt_at": time("When it is tried again; null when it is not."),
        },
    });
    json!({ "type": "object", "required": ["plans"], "properties": { "plans": { "type": "array", "items": plan } } })
}

pub(super) fn readers() -> Value {
    let count = |said: &str| json!({ "type": "integer", "minimum": 0, "description": said });
    json!({
        "type": "object",
        "required": ["immediate", "daily", "weekly", "paused"],
        "properties": {
            "immediate": count("Who would get a mail at once."),
            "daily": count("Who would get it in a daily digest."),
            "weekly": count("Who would get it in a weekly digest."),
            "paused": count("Who would get it if they had not paused their mail."),
        },
    })
}

/// A document with one text.
pub(super) fn one(field: &str, said: &str) -> Value {
    json!({
        "type": "object", "required": [field], "additionalProperties": false,
        "properties": { field: { "type": "string", "description": said } },
    })
}
