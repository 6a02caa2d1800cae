//! Being forgotten: a page that says what goes and what stays, and a button.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::{fresh, see_other};
use crate::links::Holder;
use crate::web::pages::{Chrome, STYLE, render};
use crate::web::visitor::Visitor;
use crate::web::{Web, access};

#[derive(Template)]
#[template(path = "erase.html")]
struct Erase<'a> {
    chrome: Chrome<'a>,
    /// Masked.
    address: String,
    /// Whether its keyed hash stays, so that nobody writes to it again.
    suppressed: bool,
}

pub(in crate::web) async fn show(State(web): State<Arc<Web>>, visitor: Visitor, Path(token): Path<String>) -> Response {
    let now = service_kit::now();
    let Some(holder) = web.keys.read_preferences_token(&token, now) else {
        return access::expired(&web, &visitor, "../..");
    };
    if !holder.fresh {
        return fresh::needed(&web, &visitor, holder.id, "../..", &format!("../{token}")).await;
    }
    let subscriber = match web.store.get(holder.id).await {
        Ok(Some(subscriber)) => subscriber,
        Ok(None) => return access::expired(&web, &visitor, "../.."),
        Err(error) => return web.away(visitor.locale(), &error),
    };
    let suppressed = match web.store.suppressed(&subscriber.address).await {
        Ok(why) => why.is_some(),
        Err(error) => return web.away(visitor.locale(), &error),
    };
    let chrome = web.chrome(visitor.locale_for(&subscriber)).in_other_languages(&[]);
    render(StatusCode::OK, &Erase { chrome, address: subscriber.address.masked(), suppressed })
}

/// Pressed twice, it is done once more: whatever the first press left half done is finished.
pub(in crate::web) async fn press(
    State(web): State<Arc<Web>>,
    visitor: Visitor,
    Path(token): Path<String>,
) -> Response {
    let now = service_kit::now();
    let Some(Holder { id, fresh }) = web.keys.read_preferences_token(&token, now) else {
        return access::expired(&web, &visitor, "../..");
    };
    if let Some(busy) = web.too_fast(id, &visitor) {
        return busy;
    }
    if !fresh {
        return fresh::needed(&web, &visitor, id, "../..", &format!("../{token}")).await;
    }
    match web.store.erase(id).await {
        Ok(_) => {
            tracing::info!(subscriber = %id, "erased by its owner");
            see_other("../../preferences?done=erase")
        }
        Err(error) => web.away(visitor.locale(), &error),
    }
}
