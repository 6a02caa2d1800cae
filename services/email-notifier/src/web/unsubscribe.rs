//! Leaving, by a button on a page or by the one a mail program shows (RFC 8058).
//!
//! A mail program posts `List-Unsubscribe=One-Click` without a cookie, some as `multipart/form-data`, some with no
//! body at all. All of that means: everything. Only our own page names one selection, or a pause instead.
//!
//! The link is good for ever and proves no more than the right to leave. A pause is less than that; for anything else
//! the page leads to where a link to the preferences is mailed.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use mail::Locale;
use subscription::Selection;

use super::Web;
use super::form::Fields;
use super::pages::{Message, Unsubscribe, render};
use super::visitor::Visitor;
use crate::store::StoreError;
use crate::subscriber::{Form, Subscriber, SubscriberId};

/// How long the pause is that is offered instead: the 28 days that the page calls four weeks.
const PAUSE: SignedDuration = SignedDuration::from_hours(28 * 24);

pub(super) async fn show(State(web): State<Arc<Web>>, visitor: Visitor, Path(token): Path<String>) -> Response {
    let Some(id) = web.keys.read_unsubscribe_token(&token) else { return dead(&web, visitor.locale()) };
    match web.store.get(id).await {
        Ok(subscriber) => state(&web, &visitor, subscriber.as_ref(), None),
        Err(error) => web.away(visitor.locale(), &error),
    }
}

/// Answers 200 itself: RFC 8058 section 3.1 forbids a redirect. Asked twice, it answers the same.
pub(super) async fn press(
    State(web): State<Arc<Web>>,
    visitor: Visitor,
    Path(token): Path<String>,
    body: Body,
) -> Response {
    let Some(id) = web.keys.read_unsubscribe_token(&token) else { return dead(&web, visitor.locale()) };
    let fields = match Fields::read(body).await {
        Ok(fields) => fields,
        Err(why) => return web.unread(visitor.locale(), why),
    };
    let only = match fields.find("selection").map(str::parse::<Selection>).transpose() {
        Ok(only) => only,
        // Not everything: whoever pressed a button for one thing must not lose the others.
        Err(_) => return dead(&web, visitor.locale()),
    };
    let now = service_kit::now();
    if fields.find("pause").is_some() {
        // Each press moves its end, and writes; to leave is done once, and never made to wait.
        if let Some(busy) = web.too_fast(id, &visitor) {
            return busy;
        }
        return pause(&web, &visitor, id, now).await;
    }
    match web.store.update(id, |subscriber| subscriber.unsubscribe(only.as_ref(), Form::Unsubscribe, now)).await {
        Ok(subscriber) => {
            tracing::info!(subscriber = %id, everything = only.is_none(), "unsubscribed");
            state(&web, &visitor, subscriber.as_ref(), only.map(|_| "unsubscribe-changed"))
        }
        Err(error) => web.away(visitor.locale(), &error),
    }
}

async fn pause(web: &Web, visitor: &Visitor, id: SubscriberId, now: Timestamp) -> Response {
    match web.store.try_update(id, |subscriber| subscriber.pause(Some(now + PAUSE), now)).await {
        Ok(subscriber) => {
            tracing::info!(subscriber = %id, "paused instead of leaving");
            state(web, visitor, subscriber.as_ref(), Some("done-pause"))
        }
        Err(StoreError::Refused(_)) => {
            let chrome = web.chrome(visitor.locale());
            render(StatusCode::UNPROCESSABLE_ENTITY, &Message::new(chrome, "problem-title", "problem-changes"))
        }
        Err(error) => web.away(visitor.locale(), &error),
    }
}

/// What can be ended; or that all has ended. The record of whoever left is not kept for ever, so that none is the
/// same as an empty one.
fn state(web: &Web, visitor: &Visitor, subscriber: Option<&Subscriber>, notice: Option<&'static str>) -> Response {
    let locale = subscriber.map_or(visitor.locale(), |subscriber| visitor.locale_for(subscriber));
    let chrome = web.chrome(locale).in_other_languages(&[]);
    let Some(subscriber) = subscriber.filter(|subscriber| subscriber.is_confirmed()) else {
        let mut page = Message::new(chrome, "left-title", "left-text");
        page.link = Some(web.subscribe_link(&page.chrome));
        return render(StatusCode::OK, &page);
    };
    let topics = subscriber.confirmed().map(|s| (s.selection.to_string(), web.topic_and_how(s, &chrome))).collect();
    let page = Unsubscribe {
        notice,
        address: subscriber.address.masked(),
        topics,
        paused: subscriber.paused(service_kit::now()).is_some(),
        preferences: web.url_of("preferences").into(),
        chrome,
    };
    render(StatusCode::OK, &page)
}

fn dead(web: &Web, locale: Locale) -> Response {
    render(StatusCode::NOT_FOUND, &Message::new(web.chrome(locale), "dead-title", "dead-unsubscribe"))
}
