//! What operations have in common: parameters, headers, refusals.

use serde_json::{Map, Value, json};

/// What any request with a token may be answered.
pub(super) const ANY: [&str; 5] = ["401", "403", "408", "429", "503"];

pub(super) fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

pub(super) fn article_id() -> Value {
    json!({
        "name": "id", "in": "path", "required": true,
        "description": "The article's UUID, with or without urn:uuid: before it.",
        "schema": { "type": "string" },
        "example": "0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f",
    })
}

pub(super) fn webhook_id() -> Value {
    json!({
        "name": "hook", "in": "path", "required": true,
        "description": "The webhook's id, as `newswire webhook create` printed it.",
        "schema": { "type": "string" },
    })
}

pub(super) fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key", "in": "header",
        "description": "Names this article for good: your own id of it, or a random one. The same key with the same body is answered as the first time.",
        "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
        "example": "cms-2026-11-22-0417",
    })
}

pub(super) fn if_match(required: bool, description: &str) -> Value {
    json!({
        "name": "If-Match", "in": "header", "required": required,
        "description": description,
        "schema": { "type": "string", "pattern": "^(W/)?\"[0-9]{1,9}\"$" },
        "example": "\"1\"",
    })
}

pub(super) fn if_none_match() -> Value {
    json!({
        "name": "If-None-Match", "in": "header",
        "description": "The ETags of answers that you have.",
        "schema": { "type": "string" },
        "example": "\"1\"",
    })
}

pub(super) fn dry_run() -> Value {
    json!({
        "name": "dry_run", "in": "query",
        "description": "true: everything is checked and the answer says what would happen; nothing is written.",
        "schema": { "type": "boolean", "default": false },
        "example": true,
    })
}

pub(super) fn channel() -> Value {
    json!({
        "name": "Newswire-Channel", "in": "header",
        "description": "What you call the way the article came in; it is kept in provenance.channel.",
        "schema": { "type": "string", "pattern": "^[a-z0-9-]{1,32}$", "default": "api" },
    })
}

pub(super) fn traceparent() -> Value {
    json!({
        "name": "traceparent", "in": "header",
        "description": "W3C Trace Context; it goes with the article through every service. One is made if it is missing.",
        "schema": { "type": "string" },
        "example": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    })
}

/// A JSON body that must be there.
pub(super) fn body(schema: &str, example: Value) -> Value {
    let content = json!({ "application/json": { "schema": reference(schema), "example": example } });
    json!({ "required": true, "content": content })
}

/// An answer in JSON.
pub(super) fn answer(description: &str, headers: &[&str], schema: &str, example: Value) -> Value {
    json!({
        "description": description,
        "headers": described(headers),
        "content": { "application/json": { "schema": reference(schema), "example": example } },
    })
}

/// As [`answer`], of an operation that can be tried: what a trial is answered stands beside it.
pub(super) fn answer_or_trial(description: &str, headers: &[&str], example: Value) -> Value {
    let trial = super::examples::dry_run_example();
    let examples = json!({
        "done": { "summary": "It has been done", "value": example },
        "tried": { "summary": "With dry_run=true", "value": trial },
    });
    json!({
        "description": description,
        "headers": described(headers),
        "content": { "application/json": {
            "schema": { "oneOf": [reference("Article"), reference("DryRun")] }, "examples": examples,
        } },
    })
}

/// The answer to whoever has the current one.
pub(super) fn not_modified() -> Value {
    json!({ "description": "You have it: nothing has changed.", "headers": described(&["ETag"]) })
}

/// The successes and the refusals of an operation; the refusals that any may have are among them.
pub(super) fn responses(successes: &[(&str, Value)], refused: &[&str]) -> Value {
    let successes = successes.iter().map(|(status, answer)| ((*status).to_owned(), answer.clone()));
    successes.chain(refusals(&refused.iter().chain(&ANY).copied().collect::<Vec<_>>())).collect::<Map<_, _>>().into()
}

pub(super) fn refusals(statuses: &[&str]) -> Map<String, Value> {
    statuses.iter().map(|status| ((*status).to_owned(), refusal(status))).collect()
}

pub(super) fn described(headers: &[&str]) -> Value {
    headers.iter().map(|name| ((*name).to_owned(), header(name))).collect::<Map<String, Value>>().into()
}

fn header(name: &str) -> Value {
    let (description, schema) = match name {
        "ETag" => (
            "What identifies this answer; of an article its revision.",
            json!({ "type": "string", "pattern": "^\"[^\"]+\"$" }),
        ),
        "Location" => ("The article's address.", json!({ "type": "string", "format": "uri-reference" })),
        "Link" => (
            "With rel=\"next\": the address of the next page (RFC 8288). Without it this is the last.",
            json!({ "type": "string" }),
        ),
        "Retry-After" => ("Seconds to wait before trying again.", json!({ "type": "integer", "minimum": 1 })),
        "WWW-Authenticate" => ("The challenge (RFC 6750).", json!({ "type": "string" })),
        _ => ("true: the request had been carried out before.", json!({ "type": "string", "const": "true" })),
    };
    json!({ "description": description, "schema": schema })
}

fn refusal(status: &str) -> Value {
    let description = match status {
        "400" => "The body is not JSON (with line and column), or a header or a parameter cannot be read.",
        "401" => "There is no token, or it is not good; or the signature of a webhook is not.",
        "403" => "The token lacks a scope, or the article names another publisher than the token speaks for.",
        "404" => "You have no such article, or it no such plan; or there is no such webhook.",
        "408" => "The request took longer than 30 s.",
        "409" => "The article's state, or the plan's, does not allow it; or it exists already.",
        "412" => "Another revision is current; nothing was changed.",
        "413" => "The request is larger than 1 MiB, or the article than the store takes.",
        "415" => "The body is not application/json, or compressed.",
        "422" => "There are mistakes: errors lists them all. Or the key was used for another article.",
        "428" => "If-Match is missing.",
        "429" => "Too many requests with this token. Send it again after Retry-After.",
        "500" => "The stored article cannot be read.",
        "503" => "Not now. Send it again after Retry-After with the same Idempotency-Key or If-Match.",
        _ => "The store is full.",
    };
    let mut response = json!({
        "description": description,
        "content": { "application/problem+json": { "schema": reference("Problem") } },
    });
    match status {
        "401" => response["headers"] = described(&["WWW-Authenticate"]),
        "429" | "503" => response["headers"] = described(&["Retry-After"]),
        _ => {}
    }
    response
}
