//! What bodies hold. Articles come from the types that read and write them.

use article::{ChangeKind, Status};
use serde_json::{Map, Value, json};

use super::parts::reference;
use crate::http::LEFT_OUT;
use crate::token::Scope;

pub(super) fn schemas() -> Value {
    let mut schemas = Map::new();
    schemas.insert("Draft".into(), without_dialect(article::draft_schema()));
    let mut article = without_dialect(article::wire::v1::article_schema());
    // The definitions of a schema's parts move to where an OpenAPI document has its own.
    if let Some(Value::Object(parts)) = article.as_object_mut().and_then(|article| article.remove("$defs")) {
        schemas.extend(parts);
    }
    schemas.insert("ArticleSummary".into(), summary(article.clone()));
    schemas.insert("Article".into(), article);
    schemas.values_mut().for_each(point_to_components);
    schemas.insert("ArticleList".into(), list_of("articles", &reference("ArticleSummary")));
    schemas.insert("ChangeRequest".into(), change());
    schemas.insert("DryRun".into(), dry_run());
    schemas.insert("Revisions".into(), list_of("revisions", &revision()));
    schemas.insert("Receipts".into(), receipts());
    schemas.insert("MailLedger".into(), super::mail::schema());
    schemas.insert("MailWhy".into(), super::questions::one("address", "An email address."));
    schemas.insert("MailSent".into(), super::questions::sent());
    schemas.insert("ReachRequest".into(), super::questions::one("selection", "An expression, as feeds have it."));
    schemas.insert("Reach".into(), super::questions::readers());
    schemas.insert("MailOrdered".into(), super::mail::ordered());
    schemas.insert("MailControl".into(), super::mail::control());
    schemas.insert("Token".into(), token());
    schemas.insert("WebhookOutcome".into(), webhook_outcome());
    schemas.insert("Problem".into(), problem());
    schemas.into()
}

/// An article without what can be large.
fn summary(mut article: Value) -> Value {
    let kept = |name: &str| !LEFT_OUT.contains(&name);
    if let Some(Value::Object(properties)) = article.get_mut("properties") {
        properties.retain(|name, _| kept(name));
    }
    if let Some(Value::Array(required)) = article.get_mut("required") {
        required.retain(|name| name.as_str().is_some_and(kept));
    }
    article["title"] = json!("ArticleSummary");
    article["description"] = json!(format!("An article without its {}.", LEFT_OUT.join(", ")));
    article
}

fn list_of(name: &str, item: &Value) -> Value {
    json!({ "type": "object", "required": [name], "properties": { name: { "type": "array", "items": item } } })
}

fn change() -> Value {
    json!({
        "type": "object",
        "required": ["kind"],
        "additionalProperties": false,
        "properties": {
            "kind": { "type": "string", "enum": ["hold", "release", "withdraw", "kill"] },
            "note": {
                "type": ["string", "null"], "maxLength": 1000,
                "description": "Why. Readers see that of a withdrawal and of a kill, which need one.",
            },
        },
    })
}

fn dry_run() -> Value {
    json!({
        "type": "object",
        "required": ["dry_run", "article", "feeds", "readers"],
        "properties": {
            "dry_run": { "const": true },
            "article": { "$ref": "#/components/schemas/Article" },
            "feeds": {
                "type": "array", "items": { "type": "string" },
                "description": "The feeds that would show it, as they stand in their addresses: of its publisher, sections, keywords, sources, subjects, language and urgency, not those of combinations or of words in its text. Of an article under embargo those that will.",
            },
            "readers": {
                "description": "Who would be mailed; null when that is not known: for notices, and when nobody counts.",
                "anyOf": [
                    { "type": "null" },
                    { "$ref": "#/components/schemas/Reach" },
                ],
            },
        },
    })
}

fn revision() -> Value {
    json!({
        "type": "object",
        "required": ["revision", "status", "kind", "headline", "version_created", "channel"],
        "properties": {
            "revision": { "type": "integer", "minimum": 1 },
            "status": { "type": "string", "enum": Status::WORDS },
            "kind": { "type": "string", "enum": ChangeKind::WORDS },
            "note": { "type": "string" },
            "headline": { "type": "string" },
            "version_created": { "type": "string", "format": "date-time" },
            "channel": { "type": "string", "description": "How it came in." },
        },
    })
}

fn receipts() -> Value {
    let time = json!({ "type": ["string", "null"], "format": "date-time" });
    json!({
        "type": "object",
        "required": ["killed_at", "erased_at", "receipts"],
        "properties": {
            "killed_at": time,
            "erased_at": time,
            "receipts": { "type": "array", "items": {
                "type": "object",
                "required": ["service", "instance", "applied_at", "latency_ms"],
                "properties": {
                    "service": { "type": "string" },
                    "instance": { "type": "string" },
                    "applied_at": { "type": "string", "format": "date-time" },
                    "latency_ms": { "type": "integer", "minimum": 0, "description": "Milliseconds since the kill." },
                },
            } },
        },
    })
}

fn token() -> Value {
    let scopes: Vec<&str> = Scope::all().into_iter().map(Scope::as_str).collect();
    json!({
        "type": "object",
        "required": ["publisher", "name", "scopes", "created_at"],
        "properties": {
            "publisher": { "type": "string" },
            "name": { "type": "string" },
            "scopes": { "type": "array", "items": { "type": "string", "examples": scopes } },
            "created_at": { "type": "string", "format": "date-time" },
        },
    })
}

fn webhook_outcome() -> Value {
    json!({
        "type": "object",
        "required": ["outcome"],
        "properties": {
            "outcome": { "type": "string", "examples": ["created", "revised", "withdrawn", "killed", "nothing"] },
            "why": { "type": "string", "description": "Why nothing was done." },
            "article": { "type": "string", "format": "uri" },
            "revision": { "type": "integer", "minimum": 1 },
        },
    })
}

/// A problem document (RFC 9457) with the members that some of ours have.
fn problem() -> Value {
    json!({
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string", "format": "uri", "description": "The stable name of the problem.", "examples": ["urn:newswire:problem:invalid-article"] },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string", "description": "What was seen and what to do, for a person." },
            "errors": {
                "type": "array",
                "description": "Every mistake in the article, or in the question.",
                "items": {
                    "type": "object",
                    "required": ["pointer", "code", "detail"],
                    "properties": {
                        "pointer": { "type": "string", "description": "Where, as a JSON pointer (RFC 6901).", "examples": ["/headline"] },
                        "code": { "type": "string", "examples": ["required"] },
                        "detail": { "type": "string" },
                    },
                },
            },
            "line": { "type": "integer" },
            "column": { "type": "integer" },
            "parameter": { "type": "string", "description": "The parameter that cannot be read." },
            "article": { "type": "string", "format": "uri", "description": "The article that exists already." },
            "current_revision": { "type": "integer" },
            "scope": { "type": "string", "description": "What the token would have to be allowed." },
            "limit": { "type": "integer", "description": "The most that a request may have, in bytes." },
            "rate": { "type": "integer", "description": "Requests a second that the token may send." },
            "burst": { "type": "integer", "description": "Requests that it may send at once." },
            "retry_after": { "type": "integer", "description": "Seconds to wait, as in Retry-After." },
        },
    })
}

/// OpenAPI 3.1 has the dialect of JSON Schema that ours name.
fn without_dialect(mut schema: Value) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("$schema");
    }
    schema
}

fn point_to_components(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(target) if key == "$ref" => {
                        *target = target.replace("#/$defs/", "#/components/schemas/");
                    }
                    other => point_to_components(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(point_to_components),
        _ => {}
    }
}
