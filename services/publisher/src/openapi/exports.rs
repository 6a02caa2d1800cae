//! An article in other people's shapes, and other people's articles.

use serde_json::{Value, json};

use super::parts::{described, if_none_match, not_modified, reference, refusals, responses};

pub(super) fn ninjs() -> Value {
    export(
        "readNinjs",
        "The article as ninjs 3.1",
        "The IPTC's news in JSON (iptc.org/standards/ninjs). The editors' note is not in it. Needs the scope read.",
        "application/json",
    )
}

pub(super) fn json_ld() -> Value {
    export(
        "readJsonLd",
        "The article as schema.org JSON-LD",
        "A NewsArticle, as a page would carry it. Needs the scope read.",
        "application/ld+json",
    )
}

fn export(operation: &str, summary: &str, description: &str, content_type: &str) -> Value {
    let current = json!({
        "description": "The current revision.",
        "headers": described(&["ETag"]),
        "content": { content_type: { "schema": { "type": "object" } } },
    });
    json!({
        "tags": ["Articles"],
        "operationId": operation,
        "summary": summary,
        "description": description,
        "parameters": [if_none_match()],
        "responses": responses(&[("200", current), ("304", not_modified())], &["404", "500"]),
    })
}

pub(super) fn webhook() -> Value {
    let example = json!({
        "outcome": "created", "article": "urn:uuid:0192d3f0-a1b2-5c3d-8e4f-5a6b7c8d9e0f", "revision": 1,
    });
    let taken = json!({
        "description": "It has been carried out, or there was nothing to do: outcome says which.",
        "content": { "application/json": { "schema": reference("WebhookOutcome"), "example": example } },
    });
    let mut answers = json!({ "200": taken });
    let refused = ["400", "401", "404", "408", "409", "413", "415", "422", "429", "500", "503", "507"];
    if let Some(answers) = answers.as_object_mut() {
        answers.extend(refusals(&refused));
    }
    json!({
        "tags": ["Webhooks"],
        "operationId": "receiveWebhook",
        "summary": "Take a document from another system",
        "description": "What a webhook takes is fixed when it is made, with `newswire webhook create`: our own drafts or ninjs, signed as Standard Webhooks (webhook-id, webhook-timestamp, webhook-signature); Ghost (X-Ghost-Signature); WordPress. The signature is the credential, no token is needed. The same document again changes nothing.",
        "security": [],
        "requestBody": { "required": true, "content": { "application/json": { "schema": { "type": "object" } } } },
        "responses": answers,
    })
}
