//! The second half of the double opt-in: the owner of the address presses a button.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use mail::Locale;
use serde::Deserialize;

use super::Web;
use super::pages::{Confirm, Message, render};
use super::visitor::Visitor;
use crate::links::{PREFERENCES_BY_FORM, page_link};
use crate::subscriber::Subscriber;

/// What the page showed when the button was pressed.
#[derive(Deserialize)]
pub(super) struct Shown {
    /// When the latest of the requests on it was made. A request that a stranger adds while the page is open is not
    /// on it, and is not confirmed.
    shown: Option<Timestamp>,
}

pub(super) async fn show(State(web): State<Arc<Web>>, visitor: Visitor, Path(token): Path<String>) -> Response {
    let now = service_kit::now();
    let Some(id) = web.keys.read_confirm_token(&token, now) else {
        return dead(&web, visitor.locale(), StatusCode::NOT_FOUND);
    };
    match web.store.get(id).await {
        Ok(Some(subscriber)) => state(&web, &visitor, &subscriber, now),
        Ok(None) => dead(&web, visitor.locale(), StatusCode::GONE),
        Err(error) => web.away(visitor.locale(), &error),
    }
}

/// Pressed twice, it gives the same page twice.
pub(super) async fn press(
    State(web): State<Arc<Web>>,
    visitor: Visitor,
    Path(token): Path<String>,
    Query(Shown { shown }): Query<Shown>,
) -> Response {
    let now = service_kit::now();
    let Some(id) = web.keys.read_confirm_token(&token, now) else {
        return dead(&web, visitor.locale(), StatusCode::NOT_FOUND);
    };
    let confirm = |subscriber: &mut Subscriber| {
        let page = visitor.locale_for(subscriber);
        subscriber.confirm_on(page, shown.unwrap_or(now), now)
    };
    match web.store.update(id, confirm).await {
        Ok(Some(subscriber)) => {
            tracing::info!(subscriber = %id, selections = subscriber.confirmed().count(), "confirmed");
            state(&web, &visitor, &subscriber, now)
        }
        Ok(None) => dead(&web, visitor.locale(), StatusCode::GONE),
        Err(error) => web.away(visitor.locale(), &error),
    }
}

/// What there is to confirm; or what is confirmed; or that the link is of no use any more.
fn state(web: &Web, visitor: &Visitor, subscriber: &Subscriber, now: Timestamp) -> Response {
    let locale = visitor.locale_for(subscriber);
    let address = subscriber.address.masked();
    let chrome = web.chrome(locale).in_other_languages(&[]);
    let topics: Vec<String> = subscriber.pending(now).map(|s| web.topic_and_how(s, &chrome)).collect();
    if let Some(shown) = subscriber.pending(now).map(|s| s.requested_at).max() {
        return render(StatusCode::OK, &Confirm { chrome, address, topics, shown });
    }
    if !subscriber.is_confirmed() {
        return dead(web, locale, StatusCode::GONE);
    }
    let mut page = Message::new(chrome, "subscribed-title", "subscribed-next");
    page.lead = Some(page.chrome.say_of("subscribed-text", "address", &address));
    page.topics = subscriber.confirmed().map(|s| web.topic_and_how(s, &page.chrome)).collect();
    let token = web.keys.preferences_token(subscriber.id, now + PREFERENCES_BY_FORM);
    let manage = page_link(&web.public_url, "preferences", &token);
    page.link = Some((manage.as_str().to_owned(), page.chrome.say("manage")));
    render(StatusCode::OK, &page)
}

/// 404 for a link that is not ours or too old, 410 for one whose request is over.
fn dead(web: &Web, locale: Locale, status: StatusCode) -> Response {
    let mut page = Message::new(web.chrome(locale), "dead-title", "dead-confirm");
    page.link = Some(web.subscribe_link(&page.chrome));
    render(status, &page)
}
