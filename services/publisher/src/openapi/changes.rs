//! Changes without a new text, and an article's past.

use serde_json::{Value, json};

use super::examples::{article_example, receipts_example, revisions_example};
use super::parts::{
    answer, answer_or_trial, dry_run, if_match, if_none_match, not_modified, reference, responses, traceparent,
};

pub(super) fn change() -> Value {
    let mut held = article_example();
    (held["revision"], held["status"], held["change"]) = (json!(2), json!("held"), json!({ "kind": "hold" }));
    let done =
        answer_or_trial("Durable; or, with dry_run=true, what would happen.", &["ETag", "Idempotency-Replayed"], held);
    json!({
        "tags": ["Articles"],
        "operationId": "changeArticle",
        "summary": "Hold, release, withdraw or kill an article",
        "description": "hold takes it out of feeds and cancels mail that is not sent; release brings it back, and ends an embargo early. withdraw puts a notice in its place, the text stays readable. kill takes the text from everywhere, the store included; receipts tell how far that has come. Needs the scope write, a kill the scope kill.",
        "parameters": [
            if_match(false, "The ETag of the revision that you saw. Required, but for a kill: without it that applies to whatever is current."),
            dry_run(), traceparent(),
        ],
        "requestBody": { "required": true, "content": { "application/json": {
            "schema": reference("ChangeRequest"),
            "examples": {
                "hold": { "value": { "kind": "hold" } },
                "release": { "value": { "kind": "release" } },
                "withdraw": { "value": { "kind": "withdraw", "note": "The council had not decided yet." } },
                "kill": { "value": { "kind": "kill", "note": "Withdrawn on legal advice." } },
            },
        } } },
        "responses": responses(
            &[("200", done)],
            &["400", "404", "409", "412", "413", "415", "422", "428", "500", "507"],
        ),
    })
}

pub(super) fn revisions() -> Value {
    let kept =
        answer("The revisions that are kept, newest first: at most 16.", &["ETag"], "Revisions", revisions_example());
    json!({
        "tags": ["Articles"],
        "operationId": "listRevisions",
        "summary": "What became of an article, revision by revision",
        "description": "A kill erases the revisions before it. Needs the scope read.",
        "parameters": [if_none_match()],
        "responses": responses(&[("200", kept), ("304", not_modified())], &["404", "500"]),
    })
}

pub(super) fn receipts() -> Value {
    let receipts = answer("What is known of the last kill.", &["ETag"], "Receipts", receipts_example());
    json!({
        "tags": ["Articles"],
        "operationId": "listReceipts",
        "summary": "How far a kill has come",
        "description": "One receipt of each instance of each service that has carried it out, and when the text was erased from the store. Needs the scope read.",
        "parameters": [if_none_match()],
        "responses": responses(&[("200", receipts), ("304", not_modified())], &["404", "500"]),
    })
}
