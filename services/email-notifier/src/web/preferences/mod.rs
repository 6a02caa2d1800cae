//! The page on which the owner of an address sees and changes everything, behind a link that was mailed to them.
//!
//! A link that stands in a mail of news changes everything here but gives nothing out and erases nothing: for these a
//! fresh one is mailed.
//!
//! GET shows. Every change is the press of a button (POST), answered by 303 to the page with a word about what was
//! done, so that going back or reloading presses nothing again.

mod deed;
pub(super) mod erase;
mod export;
mod fresh;
mod page;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use mail::Locale;
use url::form_urlencoded;

use super::form::Fields;
use super::pages::render;
use super::visitor::Visitor;
use super::{Web, access};
use crate::links::Holder;
use crate::store::StoreError;
use crate::subscriber::Subscriber;
use deed::Deed;
use page::{Typed, preferences};

pub(super) async fn show(State(web): State<Arc<Web>>, visitor: Visitor, Path(token): Path<String>) -> Response {
    let now = service_kit::now();
    let Some(holder) = web.keys.read_preferences_token(&token, now) else {
        return access::expired(&web, &visitor, "..");
    };
    match web.store.get(holder.id).await {
        Ok(Some(subscriber)) => {
            let typed = Typed { notice: deed::said(visitor.query.get("done")), ..Typed::default() };
            let page = preferences(&web, &visitor, &subscriber, &typed, (holder, &token), now);
            render(StatusCode::OK, &page)
        }
        Ok(None) => access::expired(&web, &visitor, ".."),
        Err(error) => web.away(visitor.locale(), &error),
    }
}

pub(super) async fn press(
    State(web): State<Arc<Web>>,
    visitor: Visitor,
    Path(token): Path<String>,
    body: Body,
) -> Response {
    let now = service_kit::now();
    let Some(holder) = web.keys.read_preferences_token(&token, now) else {
        return access::expired(&web, &visitor, "..");
    };
    let id = holder.id;
    let fields = match Fields::read(body).await {
        Ok(fields) => fields,
        Err(why) => return web.unread(visitor.locale(), why),
    };
    if let Some(busy) = web.too_fast(id, &visitor) {
        return busy;
    }
    match fields.get("do") {
        "export" if holder.fresh => return export::download(&web, &visitor, id).await,
        "export" => return fresh::needed(&web, &visitor, id, "..", "").await,
        "link" => return fresh::ask(&web, &visitor, id).await,
        _ => {}
    }
    let deed = match Deed::read(&fields, &web) {
        Ok(deed) => deed,
        Err(problem) => return refused(&web, &visitor, (holder, &token), &fields, problem, now).await,
    };
    let apply = |subscriber: &mut Subscriber| {
        let page = visitor.locale_for(subscriber);
        deed.apply(subscriber, page, now)
    };
    match web.store.try_update(id, apply).await {
        Ok(Some(_)) => {
            tracing::info!(subscriber = %id, deed = deed.name(), "preferences changed");
            done(deed.name(), visitor.chosen().filter(|_| !matches!(deed, Deed::Settings { .. })))
        }
        Ok(None) => access::expired(&web, &visitor, ".."),
        Err(StoreError::Refused(why)) => {
            refused(&web, &visitor, (holder, &token), &fields, deed::words_for(why), now).await
        }
        Err(error) => web.away(visitor.locale(), &error),
    }
}

/// The page again, with what was typed and what to do about it. Nothing was changed.
async fn refused(
    web: &Web,
    visitor: &Visitor,
    link: (Holder, &str),
    fields: &Fields,
    problem: &'static str,
    now: Timestamp,
) -> Response {
    match web.store.get(link.0.id).await {
        Ok(Some(subscriber)) => {
            let typed = Typed { notice: None, problem: Some(problem), fields: Some(fields) };
            render(StatusCode::UNPROCESSABLE_ENTITY, &preferences(web, visitor, &subscriber, &typed, link, now))
        }
        Ok(None) => access::expired(web, visitor, ".."),
        Err(error) => web.away(visitor.locale(), &error),
    }
}

/// To the page, with a word about what was done there; in the language that was chosen on it, if one was.
fn done(deed: &str, chosen: Option<Locale>) -> Response {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("done", deed);
    if let Some(locale) = chosen {
        query.append_pair("lang", locale.tag());
    }
    see_other(&format!("?{}", query.finish()))
}

/// `address`: relative, for we may be reached below a path of somebody else's.
fn see_other(address: &str) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, address.to_owned())]).into_response()
}
