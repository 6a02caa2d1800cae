//! Create, list, read, revise.

use article::Status;
use serde_json::{Value, json};

use super::examples::{article_example, draft_example, dry_run_example, revision_example, summary_example};
use super::parts::{
    answer, answer_or_trial, body, channel, dry_run, idempotency_key, if_match, if_none_match, not_modified, responses,
    traceparent,
};
use crate::http::{LIST_LIMIT, MAX_LIST_LIMIT};

pub(super) fn create() -> Value {
    let created = answer(
        "Published, or under embargo until its time; durable either way.",
        &["ETag", "Location", "Idempotency-Replayed"],
        "Article",
        article_example(),
    );
    let tried = answer("What would happen, with dry_run=true.", &[], "DryRun", dry_run_example());
    json!({
        "tags": ["Articles"],
        "operationId": "createArticle",
        "summary": "Publish a new article",
        "description": "With an Idempotency-Key the article is published once, however often the request is sent. An article with an embargoed_until in the future is published when that has come. Needs the scope write.",
        "parameters": [idempotency_key(), dry_run(), channel(), traceparent()],
        "requestBody": body("Draft", draft_example()),
        "responses": responses(&[("201", created), ("200", tried)], &["400", "409", "413", "415", "422", "500", "507"]),
    })
}

pub(super) fn list() -> Value {
    let page = json!({ "articles": [summary_example()] });
    let page = answer("One page.", &["ETag", "Link"], "ArticleList", page);
    json!({
        "tags": ["Articles"],
        "operationId": "listArticles",
        "summary": "List your articles, those changed last first",
        "description": "Follow Link with rel=\"next\" until there is none. An article that changes meanwhile moves to the first page. A change is in the list some milliseconds after its answer. Needs the scope read.",
        "parameters": [
            {
                "name": "limit", "in": "query",
                "description": "The most that a page has.",
                "schema": { "type": "integer", "minimum": 1, "maximum": MAX_LIST_LIMIT, "default": LIST_LIMIT },
                "example": 20,
            },
            {
                "name": "cursor", "in": "query",
                "description": "Where the page begins: from the Link of the page before.",
                "schema": { "type": "string", "pattern": "^[0-9a-f]{1,16}\\.[0-9a-f]{1,16}$" },
                "example": "6440a0b1c2d3e.5",
            },
            {
                "name": "status", "in": "query",
                "description": "Only articles in this state.",
                "schema": { "type": "string", "enum": Status::WORDS },
                "example": "held",
            },
            if_none_match(),
        ],
        "responses": responses(&[("200", page), ("304", not_modified())], &["400", "500"]),
    })
}

pub(super) fn read() -> Value {
    let current = answer("The current revision.", &["ETag"], "Article", article_example());
    json!({
        "tags": ["Articles"],
        "operationId": "readArticle",
        "summary": "Read an article's current revision",
        "description": "Also of one under embargo. Needs the scope read.",
        "parameters": [if_none_match()],
        "responses": responses(&[("200", current), ("304", not_modified())], &["404", "500"]),
    })
}

pub(super) fn revise() -> Value {
    let mut revised = article_example();
    revised["revision"] = json!(2);
    let revised = answer_or_trial(
        "Durable; or, with dry_run=true, what would happen.",
        &["ETag", "Idempotency-Replayed"],
        revised,
    );
    json!({
        "tags": ["Articles"],
        "operationId": "reviseArticle",
        "summary": "Publish a new text for an article",
        "description": "Send the whole article, with the kind of change: minor, major or correction; reinstate for one that was withdrawn or killed. A held article stays held, one under embargo under embargo. A repeated request is answered as the first time. Needs the scope write.",
        "parameters": [
            if_match(true, "The ETag of the revision that you changed."), dry_run(), channel(), traceparent(),
        ],
        "requestBody": body("Draft", revision_example()),
        "responses": responses(
            &[("200", revised)],
            &["400", "404", "409", "412", "413", "415", "422", "428", "500", "507"],
        ),
    })
}
