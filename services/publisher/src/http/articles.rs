//! Create, revise and read, in terms of HTTP.

use article::{Article, ArticleId, PublisherId};
use axum::Extension;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::query::Parameters;
use super::{App, MAX_BODY, dry_run, headers};
use crate::desk::{Accepted, Submission};
use crate::refusal::Refusal;

/// `POST /v1/articles`
pub(super) async fn create(
    State(app): State<App>,
    Extension(publisher): Extension<PublisherId>,
    parameters: Parameters,
    request: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let dry_run = dry_run::asked(parameters)?;
    let submission = submission(publisher, &request, body)?;
    let key = headers::idempotency_key(&request)?;
    if dry_run {
        let article = app.desk.try_create(&submission, key, service_kit::now()).await?;
        return Ok(dry_run::answer(&app.bus, &article).await);
    }
    let accepted = app.desk.create(&submission, key, service_kit::now()).await?;
    let location = format!("/v1/articles/{}", accepted.article.id.token());
    let mut response = answer(StatusCode::CREATED, accepted);
    let location = HeaderValue::try_from(location).expect("a path and a UUID are legal in a header");
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// `PUT /v1/articles/{id}`
pub(super) async fn revise(
    State(app): State<App>,
    Extension(publisher): Extension<PublisherId>,
    Path(id): Path<String>,
    parameters: Parameters,
    request: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let dry_run = dry_run::asked(parameters)?;
    let id = article_id(&id)?;
    let submission = submission(publisher, &request, body)?;
    let base = headers::if_match(&request)?;
    if dry_run {
        let article = app.desk.try_revise(&submission, id, base, service_kit::now()).await?;
        return Ok(dry_run::answer(&app.bus, &article).await);
    }
    let accepted = app.desk.revise(&submission, id, base, service_kit::now()).await?;
    Ok(answer(StatusCode::OK, accepted))
}

/// `GET` and `HEAD /v1/articles/{id}`
pub(super) async fn read(
    State(app): State<App>,
    Extension(publisher): Extension<PublisherId>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let article = app.desk.current(&publisher, article_id(&id)?).await?;
    Ok(answer(StatusCode::OK, Accepted { article, replayed: false }))
}

/// What is no id is no article: nobody learns here which articles exist.
pub(super) fn article_id(text: &str) -> Result<ArticleId, Refusal> {
    text.parse().map_err(|_| Refusal::NoSuchArticle)
}

fn submission(
    publisher: PublisherId,
    request: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Submission, Refusal> {
    Ok(Submission {
        publisher,
        body: json_body(request, body)?,
        channel: headers::channel(request)?,
        importer: headers::importer(request),
        traceparent: headers::traceparent(request),
    })
}

/// The body of a request, which must be JSON as it is: neither in another encoding of text nor packed.
pub(super) fn json_body(request: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Bytes, Refusal> {
    let mut codings = request.get_all(header::CONTENT_ENCODING).iter();
    if codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Refusal::Encoded);
    }
    if !is_json(request) {
        return Err(Refusal::NotJson);
    }
    body.map_err(|rejection| match rejection.status() {
        // It did not say before how large it is.
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::BodyTooLarge { limit: MAX_BODY, sent: None },
        _ => Refusal::BadJson { line: 0, column: 0, detail: "the body ended before its end".into() },
    })
}

/// `application/json`, with UTF-8 if a character set is named at all (RFC 8259, section 8.1).
fn is_json(request: &HeaderMap) -> bool {
    let Some(value) = request.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let mut parts = value.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default();
    kind.eq_ignore_ascii_case("application/json")
        && parts.all(|part| match part.split_once('=') {
            Some((name, charset)) if name.trim().eq_ignore_ascii_case("charset") => {
                charset.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            _ => true,
        })
}

pub(super) fn answer(status: StatusCode, accepted: Accepted) -> Response {
    let Accepted { article, replayed } = accepted;
    let json = serde_json::to_vec(&article).expect("strings, numbers and string-keyed maps always serialise");
    let mut response = (status, json).into_response();
    describe(&mut response, &article);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if replayed {
        headers.insert(headers::REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// Which revision an answer shows, and who may keep it.
pub(super) fn describe(response: &mut Response, article: &Article) {
    let headers = response.headers_mut();
    headers.insert(header::ETAG, headers::etag(article.revision));
    // Editors' notes are in it: for the newsroom alone, and always asked for again.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_recognised_by_its_type() {
        let with = |value: &str| HeaderMap::from_iter([(header::CONTENT_TYPE, value.parse().unwrap())]);
        for yes in ["application/json", "Application/JSON; charset=UTF-8", "application/json;charset=\"utf-8\"; v=1"] {
            assert!(is_json(&with(yes)), "{yes}");
        }
        for no in [
            "",
            "text/plain",
            "application/jsonx",
            "application/json; charset=gbk",
            "application/x-www-form-urlencoded",
        ] {
            assert!(!is_json(&with(no)), "{no}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
