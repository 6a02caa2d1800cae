//! A refusal as it is answered: the problem document, and the headers that belong to it.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{Refusal, TYPE_PREFIX};

/// How long a client should wait before it tries again, in seconds: a leader is elected in about seven.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let said = self.said();
        let mut document = json!({
            "type": format!("{TYPE_PREFIX}{}", said.word),
            "title": said.title,
            "status": said.status.as_u16(),
            "detail": said.detail,
        });
        if let (Value::Object(document), Value::Object(more)) = (&mut document, said.more) {
            document.extend(more);
        }
        let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))];
        let mut response = (said.status, content_type, document.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match said.word {
            // RFC 6750, section 3: a request without a token is told no error code.
            "no-token" => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"newswire\""));
            }
            "bad-token" => {
                let challenge = "Bearer realm=\"newswire\", error=\"invalid_token\"";
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
            }
            // RFC 6750, section 3.1.
            "scope" => {
                let needed = document["scope"].as_str().unwrap_or_default();
                let challenge = format!("Bearer realm=\"newswire\", error=\"insufficient_scope\", scope=\"{needed}\"");
                let challenge = HeaderValue::try_from(challenge).expect("a scope is a word");
                headers.insert(header::WWW_AUTHENTICATE, challenge);
            }
            // No RateLimit fields: their draft has changed its syntax with every version, and has expired.
            "too-many-requests" => {
                headers.insert(header::RETRY_AFTER, document["retry_after"].as_u64().unwrap_or(1).into());
            }
            _ if said.status == StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, RETRY_AFTER);
            }
            _ => {}
        }
        response
    }
}
