//! Every `GET` can be asked again for next to nothing: an answer gets an entity tag, and who has it already a 304.

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::headers::none_match;
use crate::token::sha256_hex;

/// Larger answers are not hashed; there are none.
const MAX_HASHED: usize = 4 << 20;

/// Of a SHA-256, enough to tell any two answers apart, in hex digits.
const TAG_LENGTH: usize = 32;

/// Tags what its handler has not tagged: articles have the revision for a tag, which costs nothing. Whoever has the
/// answer already is told so.
pub(super) async fn answer(request: Request, next: Next) -> Response {
    // What a HEAD is answered has lost its body by now, and its tag would be another than that of a GET.
    let hashed = request.method() == Method::GET;
    let asked = (hashed || request.method() == Method::HEAD).then(|| conditions(request.headers()));
    let response = next.run(request).await;
    match asked {
        Some(asked) if response.status() == StatusCode::OK => {
            let response = if hashed { tagged(response).await } else { response };
            unless_known(&asked, response)
        }
        _ => response,
    }
}

fn conditions(headers: &HeaderMap) -> HeaderMap {
    headers.get_all(header::IF_NONE_MATCH).iter().map(|value| (header::IF_NONE_MATCH, value.clone())).collect()
}

async fn tagged(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let is_small = body.size_hint().exact().is_some_and(|size| size <= MAX_HASHED as u64);
    if parts.headers.contains_key(header::ETAG) || !is_small {
        return Response::from_parts(parts, body);
    }
    let Ok(bytes) = to_bytes(body, MAX_HASHED).await else {
        parts.status = StatusCode::INTERNAL_SERVER_ERROR;
        return Response::from_parts(parts, Body::empty());
    };
    let tag = HeaderValue::try_from(tag_of(&bytes)).expect("quotes and hex digits are legal in a header");
    parts.headers.insert(header::ETAG, tag);
    // What a token reads is the newsroom's own; the rest changes with the version, without a new address.
    parts.headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    Response::from_parts(parts, bytes.into())
}

/// The entity tag of whatever these bytes are or stand for.
pub(super) fn tag_of(bytes: &[u8]) -> String {
    format!("\"{}\"", &sha256_hex(bytes)[..TAG_LENGTH])
}

/// A 304 instead of an answer that was asked for unless it has the tag it has (RFC 9110, section 15.4.5).
fn unless_known(asked: &HeaderMap, mut response: Response) -> Response {
    let tag = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok());
    if tag.is_some_and(|tag| none_match(asked, tag)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(header::CONTENT_TYPE);
    }
    response
}
