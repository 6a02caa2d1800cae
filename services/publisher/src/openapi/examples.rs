//! What requests and answers look like: each is checked against its schema, and against the types that it shows.

use serde_json::{Value, json};

use crate::http::LEFT_OUT;

pub(super) fn draft_example() -> Value {
    json!({
        "headline": "Bridge reopens after two years of repairs",
        "body_text": "The bridge reopened on Monday.\n\nTraffic was light.",
        "language": "en",
        "section": ["City"],
        "byline": "By Ana Silva in Porto",
    })
}

/// The same, changed.
pub(super) fn revision_example() -> Value {
    let mut example = draft_example();
    example["headline"] = json!("Bridge reopens after three years of repairs");
    example["change"] = json!({ "kind": "correction", "note": "An earlier version gave the wrong year." });
    example
}

pub(super) fn article_example() -> Value {
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

/// The article as it stands in a list.
pub(super) fn summary_example() -> Value {
    let mut example = article_example();
    if let Some(fields) = example.as_object_mut() {
        fields.retain(|name, _| !LEFT_OUT.contains(&name.as_str()));
    }
    example
}

pub(super) fn dry_run_example() -> Value {
    json!({
        "dry_run": true,
        "article": article_example(),
        "feeds": ["all", "publisher/city-desk", "section/city", "language/en", "urgency/5"],
        "readers": { "immediate": 1742, "daily": 310, "weekly": 95, "paused": 12 },
    })
}

pub(super) fn revisions_example() -> Value {
    json!({ "revisions": [
        {
            "revision": 2, "status": "published", "kind": "correction",
            "note": "An earlier version gave the wrong year.",
            "headline": "Bridge reopens after three years of repairs",
            "version_created": "2026-11-22T11:30:00Z", "channel": "api",
        },
        {
            "revision": 1, "status": "published", "kind": "new",
            "headline": "Bridge reopens after two years of repairs",
            "version_created": "2026-11-22T10:00:00Z", "channel": "api",
        },
    ] })
}

pub(super) fn receipts_example() -> Value {
    json!({
        "killed_at": "2026-11-22T12:00:00Z",
        "erased_at": "2026-11-22T12:00:00.31Z",
        "receipts": [
            {
                "service": "rss-generator", "instance": "rss-generator-0",
                "applied_at": "2026-11-22T12:00:00.045Z", "latency_ms": 45,
            },
            {
                "service": "email-notifier", "instance": "email-notifier-0",
                "applied_at": "2026-11-22T12:00:00.12Z", "latency_ms": 120,
            },
        ],
    })
}

pub(super) fn token_example() -> Value {
    json!({
        "publisher": "city-desk", "name": "our CMS", "scopes": ["read", "write"], "created_at": "2026-11-01T09:00:00Z",
    })
}
