//! A link that stands in a mail of news is held by whoever the mail was forwarded to as well, for months. What cannot be
//! undone takes a fresh one, which goes to the subscriber's own address.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use super::done;
use crate::store::StoreError;
use crate::subscriber::{Subscriber, SubscriberId};
use crate::web::pages::{Chrome, STYLE, render};
use crate::web::visitor::Visitor;
use crate::web::{Web, access};

#[derive(Template)]
#[template(path = "fresh.html")]
struct Fresh<'a> {
    chrome: Chrome<'a>,
    /// Masked.
    address: String,
    /// Where the form is sent; relative. Empty: where it is shown.
    action: &'a str,
    /// Whether nothing may be mailed to the address.
    suppressed: bool,
}

/// What to do, in place of what the link is not fresh enough for. `action`: the preference page, `up`: where our pages
/// begin; both relative.
pub(super) async fn needed(web: &Web, visitor: &Visitor, id: SubscriberId, up: &str, action: &str) -> Response {
    match find(web, id).await {
        Ok(Some((subscriber, suppressed))) => page(web, visitor, &subscriber, action, suppressed),
        Ok(None) => access::expired(web, visitor, up),
        Err(error) => web.away(visitor.locale(), &error),
    }
}

/// Notes that the mail with the link is to be sent, unless one was within the hour or none may be.
pub(super) async fn ask(web: &Web, visitor: &Visitor, id: SubscriberId) -> Response {
    match find(web, id).await {
        Ok(Some((subscriber, true))) => return page(web, visitor, &subscriber, "", true),
        Ok(Some(_)) => {}
        Ok(None) => return access::expired(web, visitor, ".."),
        Err(error) => return web.away(visitor.locale(), &error),
    }
    let now = service_kit::now();
    match web.store.update(id, |subscriber| subscriber.ask_for_fresh_link(now)).await {
        Ok(_) => {
            tracing::info!(subscriber = %id, "a fresh link to the preferences was asked for");
            done("link", visitor.chosen())
        }
        Err(error) => web.away(visitor.locale(), &error),
    }
}

/// The subscriber, and whether nothing may be mailed to them.
async fn find(web: &Web, id: SubscriberId) -> Result<Option<(Subscriber, bool)>, StoreError> {
    let Some(subscriber) = web.store.get(id).await? else { return Ok(None) };
    let suppressed = web.store.suppressed(&subscriber.address).await?.is_some();
    Ok(Some((subscriber, suppressed)))
}

fn page(web: &Web, visitor: &Visitor, subscriber: &Subscriber, action: &str, suppressed: bool) -> Response {
    let chrome = web.chrome(visitor.locale_for(subscriber)).in_other_languages(&[]);
    render(StatusCode::FORBIDDEN, &Fresh { chrome, address: subscriber.address.masked(), action, suppressed })
}
