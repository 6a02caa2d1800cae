//! The API's own description: for programs (OpenAPI, JSON Schema) and for people (one page, without a script).

use std::sync::LazyLock;

use askama::Template;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};

/// None of this changes while the process lives, so it is made once.
static OPENAPI: LazyLock<String> = LazyLock::new(|| format!("{:#}\n", crate::openapi()));
static ARTICLE_SCHEMA: LazyLock<String> = LazyLock::new(|| format!("{:#}\n", article::wire::v1::article_schema()));
static PAGE: LazyLock<String> =
    LazyLock::new(|| Docs { version: env!("CARGO_PKG_VERSION") }.render().expect("a template without input renders"));

#[derive(Template)]
#[template(path = "docs.html")]
struct Docs {
    version: &'static str,
}

/// `GET /v1/docs`
pub(super) async fn page() -> Html<&'static str> {
    Html(&PAGE)
}

/// `GET /v1/docs/style.css`
pub(super) async fn style() -> Response {
    with_type("text/css; charset=utf-8", include_str!("../../templates/style.css"))
}

/// `GET /v1/openapi.json`
pub(super) async fn openapi() -> Response {
    with_type("application/json", &OPENAPI)
}

/// `GET /v1/schemas/article`
pub(super) async fn article_schema() -> Response {
    with_type("application/schema+json", &ARTICLE_SCHEMA)
}

fn with_type(content_type: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))], text).into_response()
}
