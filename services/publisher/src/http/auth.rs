//! Who is asking, and for how much: bearer tokens (RFC 6750), in the `Authorization` header and nowhere else.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::App;
use crate::refusal::Refusal;
use crate::token::{Bearer, Registry, Scope, Standing, Token};

/// What a client has to be allowed for; what a change needs beside it, its handler knows.
const CHANGES: &str = "/v1/articles/{id}/changes";
const TOKEN: &str = "/v1/token";

/// Lets a request with a good token through, as its publisher, before any of its body is read.
pub(super) async fn require(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let bearer = match admitted(&app, &request) {
        Ok(bearer) => bearer,
        Err(refusal) => return refusal.into_response(),
    };
    let publisher = bearer.record.publisher.clone();
    request.extensions_mut().insert(publisher.clone());
    request.extensions_mut().insert(bearer);
    let mut response = next.run(request).await;
    // For the access log.
    response.extensions_mut().insert(publisher);
    response
}

fn admitted(app: &App, request: &Request) -> Result<Arc<Bearer>, Refusal> {
    let bearer = bearer(request.headers(), &app.registry)?;
    app.uses.note(&bearer, service_kit::now());
    bearer.take(Instant::now()).map_err(Refusal::TooMany)?;
    let needed: &[Scope] = match (request.method(), request.extensions().get().map(MatchedPath::as_str)) {
        (_, Some(TOKEN)) => &[],
        (&Method::GET | &Method::HEAD, _) => &[Scope::Read],
        (_, Some(CHANGES)) => &[Scope::Write, Scope::Kill],
        _ => &[Scope::Write],
    };
    match needed {
        [first, ..] if !needed.iter().any(|scope| bearer.may(*scope)) => Err(Refusal::Scope(*first)),
        _ => Ok(bearer),
    }
}

fn bearer(headers: &HeaderMap, registry: &Registry) -> Result<Arc<Bearer>, Refusal> {
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
        Standing::Good(bearer) => Ok(bearer),
        Standing::Unknown => Err(Refusal::BadToken),
        Standing::CannotSay => Err(Refusal::Starting),
    }
}
