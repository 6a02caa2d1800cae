//! Who is asking: bearer tokens (RFC 6750), in the `Authorization` header and nowhere else.

use article::PublisherId;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::App;
use crate::refusal::Refusal;
use crate::token::{Registry, Standing, Token};

/// Lets a request with a good token through, as its publisher, before any of its body is read.
pub(super) async fn require(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let publisher = match publisher(request.headers(), &app.registry) {
        Ok(publisher) => publisher,
        Err(refusal) => return refusal.into_response(),
    };
    request.extensions_mut().insert(publisher.clone());
    let mut response = next.run(request).await;
    // For the access log.
    response.extensions_mut().insert(publisher);
    response
}

fn publisher(headers: &HeaderMap, registry: &Registry) -> Result<PublisherId, Refusal> {
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    let value = match (sent.next(), sent.next()) {
        (None, _) => return Err(Refusal::NoToken),
        (Some(value), None) => value.to_str().map_err(|_| Refusal::BadToken)?,
        (Some(_), Some(_)) => return Err(Refusal::BadToken),
    };
    let (scheme, token) = value.split_once(' ').ok_or(Refusal::NoToken)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Refusal::NoToken);
    }
    let token: Token = token.trim().parse().map_err(|_| Refusal::BadToken)?;
    match registry.standing(&token) {
        Standing::Good(publisher) => Ok(publisher),
        Standing::Unknown => Err(Refusal::BadToken),
        Standing::CannotSay => Err(Refusal::Starting),
    }
}
