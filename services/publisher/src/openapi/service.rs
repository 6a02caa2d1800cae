//! The API about itself: the token, its own description, its health.

use serde_json::{Value, json};

use super::examples::token_example;
use super::parts::{answer, if_none_match, not_modified, responses};

pub(super) fn token() -> Value {
    let token = answer("Your token.", &["ETag"], "Token", token_example());
    json!({
        "tags": ["Service"],
        "operationId": "readToken",
        "summary": "What your token may, and whom it speaks for",
        "description": "Needs no scope.",
        "parameters": [if_none_match()],
        "responses": responses(&[("200", token), ("304", not_modified())], &[]),
    })
}

/// An operation without a token, whose answer stays the same while the process lives.
pub(super) fn fixed(operation: &str, summary: &str, content_type: &str) -> Value {
    let mut fixed = open(operation, summary, content_type);
    fixed["parameters"] = json!([if_none_match()]);
    fixed["responses"]["304"] = not_modified();
    fixed["responses"]["503"] = json!({ "description": "Too many requests at once; nothing is wrong with yours." });
    fixed
}

/// An operation without a token.
pub(super) fn open(operation: &str, summary: &str, content_type: &str) -> Value {
    let schema = if content_type.ends_with("json") { json!({ "type": "object" }) } else { json!({ "type": "string" }) };
    json!({
        "tags": ["Service"],
        "operationId": operation,
        "summary": summary,
        "security": [],
        "responses": { "200": { "description": summary, "content": { content_type: { "schema": schema } } } },
    })
}

pub(super) fn ready() -> Value {
    let mut operation = open("ready", "Whether it takes articles", "text/plain");
    operation["responses"]["503"] = json!({
        "description": "Not now, and why not.", "content": { "text/plain": { "schema": { "type": "string" } } },
    });
    operation
}
