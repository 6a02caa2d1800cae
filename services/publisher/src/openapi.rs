//! The API as OpenAPI 3.1. Schemas come from the types that read and write them; a test holds the rest to the router.

use serde_json::{Map, Value, json};

/// The document served at `/v1/openapi.json`.
pub fn openapi() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "newswire publisher",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Publish an article once; everyone who asked for it gets it.",
            "description": "An accepted article is durable before the answer. Every error is a problem document (RFC 9457).",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "This server" }],
        "security": [{ "token": [] }],
        "tags": [
            { "name": "Articles", "description": "What a newsroom does." },
            { "name": "Service", "description": "The API about itself, and about its health; no token needed." },
        ],
        "paths": {
            "/v1/articles": { "post": create() },
            "/v1/articles/{id}": { "parameters": [article_id()], "get": read(), "put": revise() },
            "/v1/openapi.json": { "get": open("openapi", "This document", "application/json") },
            "/v1/schemas/article": {
                "get": open("articleSchema", "JSON Schema of an article", "application/schema+json"),
            },
            "/v1/docs": { "get": open("docs", "This API for people, as one page", "text/html") },
            "/livez": { "get": open("live", "Whether the process answers", "text/plain") },
            "/readyz": { "get": ready() },
        },
        "components": {
            "securitySchemes": { "token": {
                "type": "http", "scheme": "bearer",
                "description": "A token made with `newswire token create`. It speaks for one publisher.",
            } },
            "schemas": schemas(),
        },
    })
}

fn create() -> Value {
    json!({
        "tags": ["Articles"],
        "operationId": "createArticle",
        "summary": "Publish a new article",
        "description": "With an Idempotency-Key the article is published once, however often the request is sent.",
        "parameters": [
            {
                "name": "Idempotency-Key", "in": "header",
                "description": "Names this article for good: your own id of it, or a random one. The same key with the same body is answered as the first time.",
                "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
                "example": "cms-2026-11-22-0417",
            },
            channel(), traceparent(),
        ],
        "requestBody": body(draft_example()),
        "responses": responses(
            "201",
            success("Published, and durable.", &["ETag", "Location", "Idempotency-Replayed"]),
            &["400", "401", "403", "408", "409", "413", "415", "422", "503", "507"],
        ),
    })
}

fn revise() -> Value {
    let mut example = draft_example();
    example["change"] = json!({ "kind": "correction", "note": "An earlier version gave the wrong year." });
    json!({
        "tags": ["Articles"],
        "operationId": "reviseArticle",
        "summary": "Publish a new text for an article",
        "description": "Send the whole article, with the kind of change. A repeated request is answered as the first time.",
        "parameters": [
            {
                "name": "If-Match", "in": "header", "required": true,
                "description": "The ETag of the revision that you changed.",
                "schema": { "type": "string", "pattern": "^(W/)?\"[0-9]+\"$" },
                "example": "\"1\"",
            },
            channel(), traceparent(),
        ],
        "requestBody": body(example),
        "responses": responses(
            "200",
            success("Published, and durable.", &["ETag", "Idempotency-Replayed"]),
            &["400", "401", "403", "404", "408", "409", "412", "413", "415", "422", "428", "500", "503", "507"],
        ),
    })
}

fn read() -> Value {
    let mut responses = responses("200", success("The current revision.", &["ETag"]), &["401", "404", "500", "503"]);
    responses["304"] = json!({ "description": "It has not changed.", "headers": { "ETag": header("ETag") } });
    json!({
        "tags": ["Articles"],
        "operationId": "readArticle",
        "summary": "Read an article's current revision",
        "parameters": [{
            "name": "If-None-Match", "in": "header",
            "description": "ETags of revisions that you have.",
            "schema": { "type": "string" },
            "example": "\"1\"",
        }],
        "responses": responses,
    })
}

fn open(operation: &str, summary: &str, content_type: &str) -> Value {
    let schema = if content_type.ends_with("json") { json!({ "type": "object" }) } else { json!({ "type": "string" }) };
    json!({
        "tags": ["Service"],
        "operationId": operation,
        "summary": summary,
        "security": [],
        "responses": { "200": { "description": summary, "content": { content_type: { "schema": schema } } } },
    })
}

fn ready() -> Value {
    let mut operation = open("ready", "Whether it takes articles", "text/plain");
    operation["responses"]["503"] = json!({
        "description": "Not now, and why not.", "content": { "text/plain": { "schema": { "type": "string" } } },
    });
    operation
}

fn article_id() -> Value {
    json!({
        "name": "id", "in": "path", "required": true,
        "description": "The article's UUID, with or without urn:uuid: before it.",
        "schema": { "type": "string" },
        "example": "0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f",
    })
}

fn channel() -> Value {
    json!({
        "name": "Newswire-Channel", "in": "header",
        "description": "What you call the way the article came in; it is kept in provenance.channel.",
        "schema": { "type": "string", "pattern": "^[a-z0-9-]{1,32}$", "default": "api" },
    })
}

fn traceparent() -> Value {
    json!({
        "name": "traceparent", "in": "header",
        "description": "W3C Trace Context; it goes with the article through every service. One is made if it is missing.",
        "schema": { "type": "string" },
        "example": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    })
}

fn body(example: Value) -> Value {
    let schema = reference("Draft");
    json!({ "required": true, "content": { "application/json": { "schema": schema, "example": example } } })
}

fn draft_example() -> Value {
    json!({
        "headline": "Bridge reopens after two years of repairs",
        "body_text": "The bridge reopened on Monday.\n\nTraffic was light.",
        "language": "en",
        "section": ["City"],
        "byline": "By Ana Silva in Porto",
    })
}

fn article_example() -> Value {
    json!({
        "id": "urn:uuid:0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f",
        "revision": 1,
        "publisher": "city-desk",
        "status": "published",
        "change": { "kind": "new" },
        "headline": "Bridge reopens after two years of repairs",
        "body": "<p>The bridge reopened on Monday.</p>\n<p>Traffic was light.</p>",
        "language": "en",
        "byline": "By Ana Silva in Porto",
        "section": ["City"],
        "urgency": 5,
        "first_created": "2026-11-22T10:00:00Z",
        "version_created": "2026-11-22T10:00:00Z",
        "published": { "at": "2026-11-22T10:00:00Z", "precision": "second", "tz": "UTC" },
        "updated_at": "2026-11-22T10:00:00Z",
        "provenance": { "channel": "api", "raw_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" },
    })
}

/// The success and the refusals of an operation.
fn responses(status: &str, success: Value, refusals: &[&str]) -> Value {
    let mut responses = Map::from_iter([(status.to_owned(), success)]);
    for status in refusals {
        responses.insert((*status).to_owned(), refusal(status));
    }
    responses.into()
}

fn success(description: &str, headers: &[&str]) -> Value {
    let headers: Map<String, Value> = headers.iter().map(|name| ((*name).to_owned(), header(name))).collect();
    json!({
        "description": description,
        "headers": headers,
        "content": { "application/json": { "schema": reference("Article"), "example": article_example() } },
    })
}

fn header(name: &str) -> Value {
    let (description, schema) = match name {
        "ETag" => ("The revision, in quotes.", json!({ "type": "string", "pattern": "^\"[0-9]+\"$" })),
        "Location" => ("The article's address.", json!({ "type": "string", "format": "uri-reference" })),
        "Retry-After" => ("Seconds to wait before trying again.", json!({ "type": "integer" })),
        "Allow" => ("The methods it takes.", json!({ "type": "string" })),
        "WWW-Authenticate" => ("The challenge (RFC 6750).", json!({ "type": "string" })),
        _ => ("true: the request had been carried out before.", json!({ "type": "string", "const": "true" })),
    };
    json!({ "description": description, "schema": schema })
}

fn refusal(status: &str) -> Value {
    let description = match status {
        "400" => "The body is not JSON (with line and column), or a header cannot be read.",
        "401" => "There is no token, or it is not good.",
        "403" => "The article names another publisher than the token speaks for.",
        "404" => "You have no such article.",
        "408" => "The request did not arrive whole in time.",
        "409" => "The article's state does not allow it, or it exists already.",
        "412" => "Another revision is current; nothing was changed.",
        "413" => "The request is larger than 1 MiB, or the article than the store takes.",
        "415" => "The body is not application/json.",
        "422" => "The article has mistakes: errors lists them all. Or the key was used for another article.",
        "428" => "If-Match is missing.",
        "500" => "The stored article cannot be read.",
        "503" => "Not now. Send it again after Retry-After with the same Idempotency-Key or If-Match.",
        _ => "The store is full.",
    };
    let mut response = json!({
        "description": description,
        "content": { "application/problem+json": { "schema": reference("Problem") } },
    });
    match status {
        "401" => response["headers"] = json!({ "WWW-Authenticate": header("WWW-Authenticate") }),
        "503" => response["headers"] = json!({ "Retry-After": header("Retry-After") }),
        _ => {}
    }
    response
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

fn schemas() -> Value {
    let mut schemas = Map::new();
    schemas.insert("Draft".into(), without_dialect(article::draft_schema()));
    let mut article = without_dialect(article::wire::v1::article_schema());
    // The definitions of a schema's parts move to where an OpenAPI document has its own.
    if let Some(Value::Object(parts)) = article.as_object_mut().and_then(|article| article.remove("$defs")) {
        schemas.extend(parts);
    }
    schemas.insert("Article".into(), article);
    schemas.values_mut().for_each(point_to_components);
    schemas.insert("Problem".into(), problem());
    schemas.into()
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
                "description": "Every mistake in the article.",
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
            "article": { "type": "string", "format": "uri", "description": "The article that exists already." },
            "current_revision": { "type": "integer" },
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_somewhere() {
        let document = openapi();
        let text = document.to_string();
        let mut references = 0;
        for reference in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(document.pointer(reference).is_some(), "{reference} leads nowhere");
            references += 1;
        }
        assert!(references > 10, "{references}");
        assert!(!text.contains("$defs"));
    }

    #[test]
    fn the_examples_are_what_they_show() {
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        article::Draft::from_json(&draft_example(), now).unwrap();
        let article: article::Article = serde_json::from_value(article_example()).unwrap();
        assert_eq!(serde_json::to_value(article).unwrap(), article_example(), "what is served looks like this");
    }
}
