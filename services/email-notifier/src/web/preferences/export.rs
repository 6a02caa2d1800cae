//! Everything that is held about a subscriber, as a file.

use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use crate::subscriber::SubscriberId;
use crate::web::Web;
use crate::web::access;
use crate::web::visitor::Visitor;

/// The ids of what is said about data that is kept beside the record.
const ELSEWHERE: [&str; 5] = ["kept-ledger", "kept-reports", "kept-backups", "kept-logs", "kept-mail"];

/// The record as it is stored, with what came back from the mailbox and the consent log, whose forms are addresses below
/// that of our pages; why nobody writes there any more, if so; and what else there is.
pub(super) async fn download(web: &Web, visitor: &Visitor, id: SubscriberId) -> Response {
    let subscriber = match web.store.get(id).await {
        Ok(Some(subscriber)) => subscriber,
        Ok(None) => return access::expired(web, visitor, ".."),
        Err(error) => return web.away(visitor.locale(), &error),
    };
    let suppressed = match web.store.suppressed(&subscriber.address).await {
        Ok(why) => why,
        Err(error) => return web.away(visitor.locale(), &error),
    };
    let chrome = web.chrome(visitor.locale_for(&subscriber));
    let document = serde_json::json!({
        "exported_at": service_kit::now(),
        "site": web.site.name(),
        "pages": web.public_url,
        "suppressed": suppressed,
        "subscriber": subscriber,
        "kept_elsewhere": ELSEWHERE.map(|id| chrome.say(id)),
    });
    let text = serde_json::to_string_pretty(&document).expect("a JSON value can be written");
    tracing::info!(subscriber = %id, "everything held was exported");
    let headers =
        [(CONTENT_TYPE, "application/json"), (CONTENT_DISPOSITION, "attachment; filename=\"subscriptions.json\"")];
    (headers, text).into_response()
}
