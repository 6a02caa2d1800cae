//! Every `GET` can be asked again for next to nothing: an answer gets an entity tag, and who has it already a 304.

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::headers::none_match_tag;
use crate::token::sha256_hex;

/// Larger answers are not hashed; there are none.
const MAX_HASHED: usize = 4 << 20;

/// Of a SHA-256, enough to tell any two answers apart, in hex digits.
const TAG_LENGTH: usize = 32;

/// Tags what its handler has not tagged. Articles have: theirs is the revision, and costs nothing.
pub(super) async fn answer(request: Request, next: Next) -> Response {
    // What a HEAD is answered has lost its body by now, and its tag would be another than that of a GET.
    let asked = (request.method() == Method::GET).then(|| conditions(request.headers()));
    let response = next.run(request).await;
    match asked {
        Some(asked) if response.status() == StatusCode::OK && !response.headers().contains_key(header::ETAG) => {
            tagged(&asked, response).await
        }
        _ => response,
    }
}

fn conditions(headers: &HeaderMap) -> HeaderMap {
    headers.get_all(header::IF_NONE_MATCH).iter().map(|value| (header::IF_NONE_MATCH, value.clone())).collect()
}

async fn tagged(asked: &HeaderMap, response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    if body.size_hint().exact().is_none_or(|size| size > MAX_HASHED as u64) {
        return Response::from_parts(parts, body);
    }
    let Ok(bytes) = to_bytes(body, MAX_HASHED).await else {
        parts.status = StatusCode::INTERNAL_SERVER_ERROR;
        return Response::from_parts(parts, Body::empty());
    };
    let tag = format!("\"{}\"", &sha256_hex(&bytes)[..TAG_LENGTH]);
    let value = HeaderValue::try_from(&tag).expect("quotes and hex digits are legal in a header");
    parts.headers.insert(header::ETAG, value);
    // What a token reads is the newsroom's own; the rest changes with the version, without a new address.
    parts.headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    if none_match_tag(asked, &tag) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, bytes.into())
}
