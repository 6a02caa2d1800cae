//! The form to subscribe by.
//!
//! Its answer tells nothing about the address: new, known or never to be mailed again, it is the same page after the
//! same time.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use mail::{Address, InvalidAddress, Locale, Topic};
use service_kit::client;
use subscription::Selection;
use tokio::time::Instant;

use super::form::Fields;
use super::often::{self, Often, Zones};
use super::pages::{Message, Subscribe, TRAP, offers, render};
use super::visitor::Visitor;
use super::{AWAY_FOR, Web, retry_after};
use crate::frequency::Frequency;
use crate::store::StoreError;
use crate::subscriber::{Form, Wish, zone_name};

/// How long after its arrival a form that was taken is answered. A write that a crash cannot undo takes a few milliseconds, on
/// a loaded server some tens; longer than all of them, and short enough for a person.
pub(super) const ANSWER_AFTER: Duration = Duration::from_millis(400);

/// Why a form did not do.
enum Refusal {
    Wrong {
        address: Option<InvalidAddress>,
        selection: bool,
    },
    /// Too many, from this client or for this domain.
    Busy(Duration),
    Away(StoreError),
}

pub(super) async fn show(State(web): State<Arc<Web>>, visitor: Visitor) -> Response {
    let locale = visitor.locale();
    let selection = visitor.query.find("selection").unwrap_or("all");
    let often = Often::new("", Frequency::Immediate);
    let zones = Zones::new(&web.zone, false);
    let typed = Typed { selection, address: "", language: locale, often, zones };
    // A link from a feed's page may be older than the section's last article.
    let unknown = web.offered(selection).is_none();
    let mut page = form(&web, locale, typed);
    page.wrong_selection = unknown;
    render(StatusCode::OK, &page)
}

pub(super) async fn submit(
    State(web): State<Arc<Web>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    visitor: Visitor,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let answer_at = Instant::now() + ANSWER_AFTER;
    let locale = visitor.locale();
    let fields = match Fields::read(body).await {
        Ok(fields) => fields,
        Err(why) => return web.unread(locale, why),
    };
    let from = client::network(peer, &headers, web.client_ip_header.as_deref());
    match web.accept(from, locale, &fields).await {
        Ok(()) => {
            tokio::time::sleep_until(answer_at).await;
            sent(&web, locale)
        }
        // Refused for what stands in the form, or for how much came before it: that tells nothing about an address.
        Err(refusal) => refused(&web, locale, &fields, refusal),
    }
}

impl Web {
    /// Does what the form asks for, which was shown in the language of `page`. The request is durable when this returns.
    async fn accept(&self, from: IpAddr, page: Locale, fields: &Fields) -> Result<(), Refusal> {
        let now = Instant::now();
        self.limits.clients.take(from, now).map_err(Refusal::Busy)?;
        if !fields.get(TRAP).is_empty() {
            tracing::info!("a form was filled in by a script");
            return Ok(());
        }
        let address = fields.get("address").parse::<Address>();
        let selection = self.offered(fields.get("selection"));
        // A story is followed at once, whatever else the form says.
        let often = match &selection {
            Some((selection, _)) if selection.story().is_some() => Ok(Frequency::Immediate),
            _ => often::read(fields),
        };
        let zone = fields.find("zone").map(zone_name).transpose();
        let (address, selection, frequency, zone) = match (address, selection, often, zone) {
            (Ok(address), Some((selection, _)), Ok(often), Ok(zone)) => (address, selection, often, zone),
            (address, selection, ..) => {
                return Err(Refusal::Wrong { address: address.err(), selection: selection.is_none() });
            }
        };
        self.limits.domains.take(address.domain().to_owned(), now).map_err(Refusal::Busy)?;
        let language = Locale::for_tag(fields.get("language")).tag().to_owned();
        let wish = Wish { selection, frequency, language, zone, form: Form::Subscribe, page: Some(page) };
        let requested = self.store.request(&address, &wish, service_kit::now()).await;
        requested.map_err(Refusal::Away)?;
        tracing::info!(address = address.masked(), selection = %wish.selection, "a subscription was asked for");
        Ok(())
    }

    /// The selection that `text` names, if the news has what it is made of.
    pub(super) fn offered(&self, text: &str) -> Option<(Selection, Topic)> {
        let selection = text.parse().ok()?;
        let topic = self.catalogue.topic(&selection)?;
        Some((selection, topic))
    }
}

fn sent(web: &Web, locale: Locale) -> Response {
    let mut page = Message::new(web.chrome(locale), "sent-title", "sent-text");
    page.paragraphs.push(page.chrome.say("sent-hint"));
    page.link = Some((web.url_of("subscribe").into(), page.chrome.say("sent-back")));
    render(StatusCode::OK, &page)
}

/// The form again, with what was typed, and what to do about it.
fn refused(web: &Web, locale: Locale, fields: &Fields, refusal: Refusal) -> Response {
    let language = fields.find("language").map_or(locale, Locale::for_tag);
    let zone = fields.find("zone").map(zone_name);
    let wrong = matches!(zone, Some(Err(_)));
    let zones = Zones::new(zone.and_then(Result::ok).as_deref().unwrap_or(&web.zone), wrong);
    let (selection, address) = (fields.get("selection"), fields.get("address"));
    let mut page = form(web, locale, Typed { selection, address, language, often: Often::typed("", fields), zones });
    match refusal {
        // How often, and the zone, say so themselves.
        Refusal::Wrong { address, selection } => {
            page.wrong_address = address.map(words_for);
            page.wrong_selection = selection;
            render(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Refusal::Busy(wait) => {
            page.notice = Some("problem-busy");
            retry_after(render(StatusCode::TOO_MANY_REQUESTS, &page), wait)
        }
        Refusal::Away(error) => {
            tracing::warn!(%error, "a request to subscribe could not be kept");
            page.notice = Some("problem-away");
            retry_after(render(StatusCode::SERVICE_UNAVAILABLE, &page), AWAY_FOR)
        }
    }
}

pub(super) fn words_for(problem: InvalidAddress) -> &'static str {
    match problem {
        InvalidAddress::Shape => "problem-shape",
        InvalidAddress::TooLong => "problem-too-long",
        InvalidAddress::Local => "problem-local",
        InvalidAddress::Domain => "problem-domain",
    }
}

/// What stands in the form; a stranger's words.
struct Typed<'a> {
    selection: &'a str,
    address: &'a str,
    language: Locale,
    often: Often,
    zones: Zones,
}

fn form<'a>(web: &'a Web, locale: Locale, typed: Typed<'a>) -> Subscribe<'a> {
    let chosen = web.offered(typed.selection).map_or(Selection::everything(), |(selection, _)| selection);
    let chrome = web.chrome(locale).in_other_languages(&[("selection", chosen.as_str())]);
    let (everything, groups) = offers(web, &chrome, typed.selection);
    Subscribe {
        chrome,
        notice: None,
        everything,
        groups,
        wrong_selection: false,
        address: typed.address,
        wrong_address: None,
        language: typed.language,
        often: Some(typed.often).filter(|_| chosen.story().is_none()),
        zones: typed.zones,
    }
}
