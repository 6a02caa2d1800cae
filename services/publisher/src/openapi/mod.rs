//! The API as OpenAPI 3.1. Schemas come from the types that read and write them; a test holds the rest to the router.

mod articles;
mod changes;
mod examples;
mod exports;
mod mail;
mod parts;
mod questions;
mod schemas;
mod service;

use serde_json::{Value, json};

use parts::{article_id, webhook_id};
use service::{fixed, open};

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
            { "name": "Webhooks", "description": "What other systems send by themselves." },
            { "name": "Service", "description": "The API about itself, and about its health." },
        ],
        "paths": {
            "/v1/articles": { "get": articles::list(), "post": articles::create() },
            "/v1/articles/{id}": { "parameters": [article_id()], "get": articles::read(), "put": articles::revise() },
            "/v1/articles/{id}/changes": { "parameters": [article_id()], "post": changes::change() },
            "/v1/articles/{id}/revisions": { "parameters": [article_id()], "get": changes::revisions() },
            "/v1/articles/{id}/receipts": { "parameters": [article_id()], "get": changes::receipts() },
            "/v1/articles/{id}/mail": { "parameters": [article_id()], "get": mail::ledger() },
            "/v1/articles/{id}/mail/why": { "parameters": [article_id()], "post": questions::why() },
            "/v1/reach": { "post": questions::reach() },
            "/v1/articles/{id}/mail/{plan}/{order}": {
                "parameters": [article_id(), mail::plan(), mail::order_parameter()], "post": mail::order(),
            },
            "/v1/articles/{id}/ninjs": { "parameters": [article_id()], "get": exports::ninjs() },
            "/v1/articles/{id}/json-ld": { "parameters": [article_id()], "get": exports::json_ld() },
            "/v1/webhooks/{hook}": { "parameters": [webhook_id()], "post": exports::webhook() },
            "/v1/token": { "get": service::token() },
            "/v1/openapi.json": { "get": fixed("openapi", "This document", "application/json") },
            "/v1/schemas/article": {
                "get": fixed("articleSchema", "JSON Schema of an article", "application/schema+json"),
            },
            "/v1/docs": { "get": fixed("docs", "This API for people, as one page", "text/html") },
            "/livez": { "get": open("live", "Whether the process answers", "text/plain") },
            "/readyz": { "get": service::ready() },
        },
        "components": {
            "securitySchemes": { "token": {
                "type": "http", "scheme": "bearer",
                "description": "A token made with `newswire token create`. It speaks for one publisher, may what its scopes say (read, write, kill), and as often a second as its rate says.",
            } },
            "schemas": schemas::schemas(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::examples::{article_example, draft_example, revision_example};
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
        for draft in [draft_example(), revision_example()] {
            article::Draft::from_json(&draft, now).unwrap();
        }
        let article: article::Article = serde_json::from_value(article_example()).unwrap();
        assert_eq!(serde_json::to_value(article).unwrap(), article_example(), "what is served looks like this");
    }
}
