//! The pages: the list of mails, one mail, its HTML part, its source.

use std::net::SocketAddr;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;

use super::links::{Piece, pieces};
use crate::Shared;
use crate::mail::Mail;

/// Mails on one page of the list.
const PAGE: usize = 100;
/// Recipients shown before the rest is only counted.
const SHOWN_RECIPIENTS: usize = 5;

pub(super) const NO_SUCH_MAIL: (StatusCode, &str) =
    (StatusCode::NOT_FOUND, "no such mail: only the newest are kept, and an older one may have been dropped\n");

/// Nothing from elsewhere, no script, no forms, whatever the mail asks for. A link that somebody clicks opens a window
/// of its own, as in a mail program.
const PART_POLICY: &str = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; \
     style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'";

/// Makes every link of a part open a window of its own: inside the frame it would show nothing.
const BASE: &str = "<base target=\"_blank\">";

#[derive(Template)]
#[template(path = "list.html")]
struct ListPage {
    rows: Vec<Row>,
    kept: usize,
    first_page: bool,
    older: Option<u64>,
    smtp: SocketAddr,
}

struct Row {
    number: u64,
    received: Timestamp,
    from: String,
    to: String,
    subject: String,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct MailPage<'m> {
    row: Row,
    envelope_from: &'m str,
    headers: Vec<(&'m str, Vec<Piece<'m>>)>,
    text: Option<Vec<Piece<'m>>>,
    has_html: bool,
    octets: usize,
}

#[derive(Deserialize)]
pub(super) struct Position {
    /// Shows mails numbered below this.
    before: Option<u64>,
}

/// The newest mails, or those before one.
pub(super) async fn list(State(shared): State<Arc<Shared>>, Query(position): Query<Position>) -> Response {
    let mails = shared.store.page(position.before.unwrap_or(u64::MAX), PAGE + 1);
    let older = mails.get(PAGE - 1).filter(|_| mails.len() > PAGE).map(|last| last.number);
    show(&ListPage {
        rows: mails.iter().take(PAGE).map(|mail| Row::from(&**mail)).collect(),
        kept: shared.store.count(),
        first_page: position.before.is_none(),
        older,
        smtp: shared.smtp_addr,
    })
}

/// One mail.
pub(super) async fn mail(State(shared): State<Arc<Shared>>, Path(number): Path<u64>) -> Response {
    let Some(mail) = shared.store.get(number) else { return NO_SUCH_MAIL.into_response() };
    let content = mail.content();
    show(&MailPage {
        row: Row::from(&*mail),
        envelope_from: &mail.from,
        headers: content.headers.iter().map(|(name, value)| (name.as_str(), pieces(value))).collect(),
        text: content.text.as_deref().map(pieces),
        has_html: content.html.is_some(),
        octets: mail.raw.len(),
    })
}

/// The HTML part by itself, for the frame.
pub(super) async fn html_part(State(shared): State<Arc<Shared>>, Path(number): Path<u64>) -> Response {
    match shared.store.get(number).and_then(|mail| mail.content().html) {
        Some(html) => {
            // After the doctype, where there is one: anything before it would switch the browser to quirks mode.
            let html = match html.split_once("<head>") {
                Some((before, after)) => format!("{before}<head>{BASE}{after}"),
                None => format!("{BASE}{html}"),
            };
            ([(header::CONTENT_SECURITY_POLICY, PART_POLICY)], Html(html)).into_response()
        }
        None => NO_SUCH_MAIL.into_response(),
    }
}

/// The source, byte for byte.
pub(super) async fn raw(State(shared): State<Arc<Shared>>, Path(number): Path<u64>) -> Response {
    let Some(mail) = shared.store.get(number) else { return NO_SUCH_MAIL.into_response() };
    let named = format!("attachment; filename=\"{number}.eml\"");
    let headers = [(header::CONTENT_TYPE, "message/rfc822"), (header::CONTENT_DISPOSITION, &named)];
    (headers, mail.raw.clone()).into_response()
}

pub(super) async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css")], include_str!("../../templates/style.css")).into_response()
}

fn show(page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!(%error, "a mailbox page was not rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

impl From<&Mail> for Row {
    fn from(mail: &Mail) -> Self {
        let mut to = mail.to.iter().take(SHOWN_RECIPIENTS).map(String::as_str).collect::<Vec<_>>().join(", ");
        if mail.to.len() > SHOWN_RECIPIENTS {
            to.push_str(&format!(" and {} more", mail.to.len() - SHOWN_RECIPIENTS));
        }
        Self {
            number: mail.number,
            received: mail.received,
            from: mail.header("From").unwrap_or_else(|| mail.from.clone()),
            to,
            subject: mail
                .header("Subject")
                .filter(|subject| !subject.trim().is_empty())
                .unwrap_or_else(|| "(no subject)".into()),
        }
    }
}
