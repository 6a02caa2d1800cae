//! One source's turn: claimed, asked or taken from its hub, its news delivered, and what was learnt noted.
//!
//! An instance may die between any two steps. Nothing is noted before it is done, every step may be done again, and a
//! claim ends by itself: so the next turn, here or elsewhere, goes on where this one stopped.

use std::sync::Arc;
use std::time::Instant;

use bus::PublishError;
use bytes::Bytes;
use fetch::{FetchError, Fetcher, HeaderMap, HeaderValue, StatusCode, Validators, header};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;
use upstream::schedule::{Answer, Caching};
use upstream::{Feed, Unreadable};
use url::Url;

use crate::deliver::{self, Placed};
use crate::http::Announcement;
use crate::intake::Intake;
use crate::item::{self, Action, Job};
use crate::publisher::{Publisher, Refusal};
use crate::quarantine::Quarantined;
use crate::source::Source;
use crate::state::{RENEW, State};
use crate::subscribe::Subscriber;

/// Items of one document that are put into quarantine; a document with more is bad altogether.
const MAX_REJECTED: usize = 20;

/// What is asked for (RFC 9110, section 12.5.1): feeds rather than pages, and whatever there is rather than nothing.
const ACCEPT: HeaderValue = HeaderValue::from_static(
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, application/xml;q=0.8, \
     text/xml;q=0.8, application/json;q=0.7, */*;q=0.1",
);

/// Reads sources; one for the whole instance.
pub(crate) struct Reader {
    pub(crate) intake: Arc<Intake>,
    pub(crate) publisher: Publisher,
    pub(crate) fetcher: Fetcher,
    /// Where hubs reach us at all.
    pub(crate) subscriber: Option<Subscriber>,
    /// The name under which it claims.
    pub(crate) instance: String,
}

/// A feed as it came.
struct Document {
    body: Bytes,
    content_type: Option<String>,
    /// Where from: what relative addresses in it are relative to.
    url: Url,
}

/// What else came with it.
struct Answered {
    headers: HeaderMap,
    moved_to: Option<Url>,
    caching: Caching,
    started: Instant,
}

/// What came of a document, for the log.
#[derive(Debug, Default)]
struct Counts {
    items: usize,
    published: usize,
    revised: usize,
    refused: usize,
    rejected: usize,
}

/// Why a document was not taken in whole.
enum Stopped {
    Unreadable(Unreadable),
    /// The publisher takes nothing now, or the store does not.
    Undelivered {
        why: String,
        after: Option<SignedDuration>,
    },
    /// Another instance has the source now, or we are to end.
    GivenUp,
}

impl Reader {
    /// Gives `id` its turn.
    pub(crate) async fn read(&self, id: &str, announcement: Option<Announcement>, shutdown: &CancellationToken) {
        let Some(source) = self.intake.source(id).filter(Source::is_read) else { return };
        let (before, now) = (self.intake.state(id), service_kit::now());
        let expected = before.as_ref().map_or(0, |kept| kept.sequence);
        let before = before.map(|kept| kept.record);
        let mut state = State::claimed(before.clone(), &source, &self.instance, now);
        if let (Some(before), Some(_)) = (before, &announcement) {
            // What a hub sends is no answer to anybody who asked.
            state = State { claim: state.claim, ..before };
        }
        match self.intake.put_state(id, &state, expected).await {
            Ok(sequence) => {
                let turn = Turn { reader: self, id, source, state, sequence, claimed_at: now, shutdown };
                turn.run(announcement).await;
            }
            Err(PublishError::Conflict { .. }) => tracing::debug!(source = id, "another instance was first"),
            Err(error) => tracing::warn!(source = id, "a source cannot be claimed: {error}"),
        }
    }
}

struct Turn<'a> {
    reader: &'a Reader,
    id: &'a str,
    source: Source,
    state: State,
    /// Of the state in the log.
    sequence: u64,
    claimed_at: Timestamp,
    shutdown: &'a CancellationToken,
}

impl Turn<'_> {
    async fn run(mut self, announcement: Option<Announcement>) {
        match announcement {
            None => self.ask().await,
            Some(announcement) => self.announced(announcement).await,
        }
        self.state.claim = None;
        if let Err(error) = self.reader.intake.put_state(self.id, &self.state, self.sequence).await {
            // Whoever has it now, or has it next, finds out the same.
            tracing::warn!(source = self.id, "what was learnt of a source was not noted: {error}");
        }
    }

    /// Fetches the feed and takes it in.
    async fn ask(&mut self) {
        let started = Instant::now();
        let url = self.state.moved_to.clone().unwrap_or_else(|| self.source.url.clone());
        let mut headers = self.state.validators.conditions();
        headers.insert(header::ACCEPT, ACCEPT);
        let fetched = self.reader.fetcher.get(&url, headers).await;
        let now = service_kit::now();
        let response = match fetched {
            Ok(response) => response,
            Err(error) => return self.failed(&url, &error, now),
        };
        let caching = caching(&response.headers, now);
        let random = fastrand::f64();
        match response.status {
            // To whoever has nothing it says nothing.
            StatusCode::NOT_MODIFIED if self.state.validators != Validators::default() => {
                self.moved(response.moved_to.as_ref());
                self.state.plan.after(Answer::NotModified, caching, now, random);
                self.went_well(now);
                tracing::debug!(source = self.id, %url, "nothing new");
            }
            StatusCode::GONE => {
                self.state.plan.after(Answer::Gone, caching, now, random);
                self.state.is_troubled("its server says that it is gone for good");
                tracing::warn!(source = self.id, %url, "a source is gone for good; it is not asked again");
            }
            status if status.is_success() => {
                let content_type = response.headers.get(header::CONTENT_TYPE);
                let content_type = content_type.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
                let document = Document { body: response.body, content_type, url: response.url };
                let answer = Answered { headers: response.headers, moved_to: response.moved_to, caching, started };
                self.answered(document, answer).await;
            }
            status => {
                self.state.plan.after(Answer::Failed, caching, now, random);
                self.state.is_troubled(&format!("it answered {status}"));
                tracing::info!(source = self.id, %url, http.status = status.as_u16(), "a source does not answer with a feed");
            }
        }
    }

    fn failed(&mut self, url: &Url, error: &FetchError, now: Timestamp) {
        self.state.plan.after(Answer::Failed, Caching::default(), now, fastrand::f64());
        self.state.is_troubled(&error.to_string());
        tracing::info!(source = self.id, %url, %error, "a source cannot be fetched");
    }

    fn went_well(&mut self, now: Timestamp) {
        self.state.read_at = Some(now);
        self.state.trouble = None;
        self.state.undelivered = 0;
    }

    fn moved(&mut self, to: Option<&Url>) {
        if let Some(to) = self.state.plan.redirected(to) {
            tracing::info!(source = self.id, from = %self.source.url, %to, "a source has moved for good");
            self.state.moved_to = Some(to);
        }
    }

    /// A document with status 200.
    async fn answered(&mut self, document: Document, answer: Answered) {
        let Answered { headers, moved_to, caching, started } = answer;
        let (url, size) = (document.url.clone(), document.body.len());
        let taken = self.take_in(&document).await;
        let (now, random) = (service_kit::now(), fastrand::f64());
        match taken {
            Ok((feed, counts)) => {
                let dates = feed.items.iter().filter_map(|item| Some(item.published.as_ref()?.at)).collect::<Vec<_>>();
                self.state.plan.after(Answer::Feed { hints: &feed.hints, dates: &dates }, caching, now, random);
                self.went_well(now);
                // Not before there was a feed: a network may send whoever asks to its own page.
                self.moved(moved_to.as_ref());
                self.state.title.clone_from(&feed.title);
                // With them a document that broke off would not come again until it changes.
                self.state.validators = if feed.cut_off { Validators::default() } else { Validators::of(&headers) };
                tracing::info!(
                    source = self.id,
                    %url,
                    size.bytes = size,
                    items = counts.items,
                    published = counts.published,
                    revised = counts.revised,
                    refused = counts.refused,
                    rejected = counts.rejected,
                    duration.ms = started.elapsed().as_millis() as u64,
                    "a source was read"
                );
                if let Some(subscriber) = &self.reader.subscriber {
                    let links = headers.get_all(header::LINK).iter().filter_map(|value| value.to_str().ok());
                    let found = upstream::websub::discover(links, &feed, &url);
                    subscriber
                        .subscribe(&self.reader.intake, &self.reader.fetcher, self.id, self.source.asked_at, found)
                        .await;
                }
            }
            Err(Stopped::Unreadable(why)) => {
                self.state.plan.after(Answer::Failed, caching, now, random);
                self.state.is_troubled(&why.to_string());
                self.quarantine(&document, &why.to_string(), now).await;
                tracing::warn!(source = self.id, %url, size.bytes = size, %why, "a source sent what is no feed; it is in quarantine");
            }
            Err(Stopped::Undelivered { why, after }) => self.undelivered(&why, after, now),
            Err(Stopped::GivenUp) => self.state.plan.next_check_at = Some(now),
        }
    }

    fn undelivered(&mut self, why: &str, after: Option<SignedDuration>, now: Timestamp) {
        self.state.undelivered(why, after, now);
        tracing::warn!(source = self.id, why, "what a source brought could not be delivered; it is read again soon");
    }

    /// What the source's hub has sent. The plan stays as it is: the next question sees what this may have left out.
    async fn announced(&mut self, announcement: Announcement) {
        let Announcement { body, content_type, .. } = announcement;
        let document = Document { body, content_type, url: self.source.url.clone() };
        match self.take_in(&document).await {
            Ok((_, counts)) => tracing::info!(
                source = self.id,
                items = counts.items,
                published = counts.published,
                revised = counts.revised,
                refused = counts.refused,
                "an announcement was read"
            ),
            Err(Stopped::Unreadable(why)) => {
                let now = service_kit::now();
                self.quarantine(&document, &format!("announced by its hub: {why}"), now).await;
                self.state.plan.next_check_at = Some(now);
                tracing::info!(source = self.id, %why, "an announcement cannot be read; the source is asked");
            }
            Err(Stopped::Undelivered { why, after }) => self.undelivered(&why, after, service_kit::now()),
            Err(Stopped::GivenUp) => self.state.plan.next_check_at = Some(service_kit::now()),
        }
    }

    /// Reads a document and delivers what is new in it, the oldest first.
    async fn take_in(&mut self, document: &Document) -> Result<(Feed, Counts), Stopped> {
        let known = self.reader.intake.items(self.id, service_kit::now());
        let (body, content_type, url) = (document.body.clone(), document.content_type.clone(), document.url.clone());
        let (source, id, now) = (self.source.clone(), self.id.to_owned(), service_kit::now());
        let is_first = self.state.knows_nothing(now);
        let read = tokio::task::spawn_blocking(move || {
            let feed = upstream::read(&body, content_type.as_deref(), &url)?;
            let jobs = item::jobs(&feed, &source, &id, known, is_first, now);
            Ok((feed, jobs))
        });
        let read = read.await.unwrap_or_else(|panic| {
            let seen = format!("a document on which reading broke down ({panic})");
            Err(Unreadable::NotAFeed { seen })
        });
        if self.state.broken_off > 0 {
            // It was not this document that ended the turns before.
            self.state.broken_off = 0;
            self.renew_claim(service_kit::now()).await?;
        }
        let (feed, jobs) = read.map_err(Stopped::Unreadable)?;
        let mut counts = Counts { items: feed.items.len(), rejected: feed.rejected.len(), ..Counts::default() };
        for rejected in feed.rejected.iter().take(MAX_REJECTED) {
            let part = Document {
                body: rejected.text.clone().into(),
                content_type: document.content_type.clone(),
                url: document.url.clone(),
            };
            let reason = format!("item {} of the feed: {}", rejected.position + 1, rejected.reason);
            self.quarantine(&part, &reason, now).await;
        }
        for job in jobs {
            self.deliver(job, document, &mut counts).await?;
        }
        Ok((feed, counts))
    }

    /// Does what is to be done about one item, then notes that it is done.
    async fn deliver(&mut self, job: Job, document: &Document, counts: &mut Counts) -> Result<(), Stopped> {
        self.keep_claim().await?;
        let publisher = &self.reader.publisher;
        let Job { name, expected, mut record, action } = job;
        let placed = match &action {
            Action::Note => None,
            Action::Refuse { why, .. } => Some(Ok(Placed::Refused(why.clone()))),
            Action::Create { key, draft } => Some(deliver::create(publisher, key, draft).await),
            Action::Revise { article, base, kind, draft } => {
                Some(deliver::revise(publisher, article, *base, draft, kind).await)
            }
        };
        match placed.transpose().map_err(undelivered)? {
            None => {}
            Some(Placed::At(article, revision)) => {
                record.at(article, revision);
                match action {
                    Action::Create { .. } => counts.published += 1,
                    _ => counts.revised += 1,
                }
            }
            Some(Placed::Newsrooms(article)) => {
                record.is_newsrooms(article);
                tracing::info!(source = self.id, %article, "the newsroom has changed an article; its source no longer does");
            }
            Some(Placed::Refused(why)) => {
                counts.refused += 1;
                let part = Document { body: action.draft_text().into(), content_type: None, url: document.url.clone() };
                self.quarantine(&part, &why, service_kit::now()).await;
                tracing::warn!(source = self.id, why, "an item makes no article; it is in quarantine");
            }
        }
        match self.reader.intake.put_item(self.id, &name, &record, expected).await {
            Ok(()) => Ok(()),
            // Whoever has written it had the source.
            Err(PublishError::Conflict { .. }) => Err(Stopped::GivenUp),
            Err(error) => Err(Stopped::Undelivered { why: format!("it cannot be noted: {error}"), after: None }),
        }
    }

    /// The source stays ours while we work on it.
    async fn keep_claim(&mut self) -> Result<(), Stopped> {
        if self.shutdown.is_cancelled() {
            return Err(Stopped::GivenUp);
        }
        let now = service_kit::now();
        if now.duration_since(self.claimed_at) < RENEW {
            return Ok(());
        }
        self.renew_claim(now).await
    }

    async fn renew_claim(&mut self, now: Timestamp) -> Result<(), Stopped> {
        self.state.renew(&self.reader.instance, now);
        match self.reader.intake.put_state(self.id, &self.state, self.sequence).await {
            Ok(sequence) => {
                (self.sequence, self.claimed_at) = (sequence, now);
                Ok(())
            }
            Err(error) => {
                Err(Stopped::Undelivered { why: format!("the claim cannot be renewed: {error}"), after: None })
            }
        }
    }

    async fn quarantine(&mut self, document: &Document, reason: &str, now: Timestamp) {
        let Document { body, content_type, url } = document;
        let found = Quarantined::new(url.clone(), now, reason, content_type.clone(), body);
        if !self.state.may_quarantine(found.bytes.len(), now) {
            return tracing::info!(
                source = self.id,
                reason,
                "the source has had its share of the quarantine; not kept"
            );
        }
        if let Err(error) = self.reader.intake.quarantine(self.id, &found).await {
            tracing::warn!(source = self.id, "what could not be read could not be put into quarantine: {error}");
        }
    }
}

fn undelivered(refusal: Refusal) -> Stopped {
    let after = match &refusal {
        Refusal::Later { after, .. } => after.and_then(|after| SignedDuration::try_from(after).ok()),
        _ => None,
    };
    Stopped::Undelivered { why: refusal.to_string(), after }
}

/// What the server asks for in its headers; those that are no text ask for nothing.
fn caching(headers: &HeaderMap, now: Timestamp) -> Caching {
    Caching::of(headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))), now)
}
