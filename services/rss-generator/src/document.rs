//! One document as it is served: its bytes in every coding that somebody asks for, and what its headers say.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use axum::http::{HeaderValue, StatusCode};
use bytes::Bytes;
use feed::{Format, Item, Paging};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;
use tokio::task::JoinError;
use tokio::time::Instant;

use crate::dictionary::{self, Dictionary, Hash};
use crate::encode::{Coding, Effort, Packer, THOROUGH_AFTER, Work, encode};
use crate::history::{Before, History};
use crate::library::{Draft, Key, Source};

/// Versions of a document that are prepared in a coding after it was last asked for in it.
const PREPARED: u8 = 16;

/// A document and what is known of its readers. It never changes; a newer version is another document.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    /// Without quotes: half of [`Document::hash`] in hex.
    pub(crate) tag: String,
    pub(crate) hash: Hash,
    pub(crate) last_modified: Timestamp,
    pub(crate) values: Values,
    written: Instant,
    /// Let go of once there is a compressed form, if it can be written again.
    plain: RwLock<Option<Bytes>>,
    forms: [Slot; Coding::ALL.len()],
    asked: Arc<Asked>,
    live: Option<Live>,
    sides: Mutex<HashMap<Side, Arc<OnceCell<Arc<Form>>>>>,
}

/// Headers, as far as they are the document's and not the answer's.
#[derive(Debug)]
pub(crate) struct Values {
    pub(crate) etag: HeaderValue,
    pub(crate) last_modified: HeaderValue,
    /// Of a live feed: where it is, and who announces its changes (WebSub, section 4).
    pub(crate) link: Option<HeaderValue>,
    /// Of a live feed: what it may be a dictionary for.
    pub(crate) dictionary: Option<HeaderValue>,
}

/// The document in a coding.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) body: Bytes,
    /// Of its own, for the bytes are others (RFC 9110, section 8.8.1); all begin with the document's tag.
    pub(crate) etag: HeaderValue,
    effort: Effort,
}

#[derive(Debug, Default)]
struct Slot {
    form: RwLock<Option<Arc<Form>>>,
    queued: AtomicBool,
}

/// A feed that goes on.
#[derive(Debug)]
struct Live {
    format: Format,
    source: Arc<Source>,
    history: History,
}

/// A form for a reader with a certain earlier version.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Side {
    /// By its tag: only what is new.
    Delta(String, Option<Coding>),
    /// By its hash: everything, against that version as a dictionary.
    Step(Hash),
}

/// Which codings readers of a document's versions ask for: for each how many more versions are prepared in it.
#[derive(Debug)]
struct Asked {
    codings: [AtomicU8; Coding::ALL.len()],
    steps: AtomicU8,
}

impl Default for Asked {
    fn default() -> Self {
        // Hardly a reader takes no gzip.
        let codings = Coding::ALL.map(|coding| AtomicU8::new(if coding == Coding::Gzip { PREPARED } else { 0 }));
        Self { codings, steps: AtomicU8::new(0) }
    }
}

/// Written only when it changes: many threads read it.
fn note(asked: &AtomicU8) {
    if asked.load(Ordering::Relaxed) != PREPARED {
        asked.store(PREPARED, Ordering::Relaxed);
    }
}

/// Whether one more version is to be prepared.
fn take(asked: &AtomicU8) -> bool {
    asked.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

impl Document {
    /// `old` is the version it takes the place of.
    pub(crate) fn new(key: &Key, draft: Draft, old: Option<&Self>, now: Timestamp) -> Self {
        let Draft { status, content_type, body, hash, changed, source } = draft;
        // It never goes back, and is never later than the answer that carries it (RFC 9110, 8.8.2.1).
        let last_modified = old.map_or(changed, |old| changed.max(old.last_modified)).min(now);
        let asked = old.map(|old| old.asked.clone()).unwrap_or_default();
        let live = match (key, source) {
            (Key::Feed(_, Some(format)), Some(source)) => Some(Live::new(*format, source, old, &asked)),
            _ => None,
        };
        let tag = tag(&hash);
        Self {
            status,
            content_type,
            values: Values::new(&tag, last_modified, live.as_ref()),
            tag,
            hash,
            last_modified,
            written: Instant::now(),
            plain: RwLock::new(Some(body.into())),
            forms: Default::default(),
            asked,
            live,
            sides: Mutex::default(),
        }
    }

    /// The bytes as they are without any coding.
    pub(crate) fn body(&self) -> Bytes {
        let plain = self.plain.read().unwrap_or_else(PoisonError::into_inner).clone();
        plain.unwrap_or_else(|| match &self.live {
            Some(live) => live.source.written(live.format).into(),
            None => Bytes::new(),
        })
    }

    /// The document in `coding`, if that is ready; it is prepared for the next reader otherwise, and better after a while.
    pub(crate) fn form(self: &Arc<Self>, coding: Coding, packer: &Packer) -> Option<Arc<Form>> {
        note(&self.asked.codings[coding as usize]);
        let form = self.ready(coding);
        let effort = match &form {
            None => Effort::Quick,
            Some(form) if form.effort == Effort::Quick && self.written.elapsed() >= THOROUGH_AFTER => Effort::Thorough,
            Some(_) => return form,
        };
        self.queue(coding, effort, packer);
        form
    }

    fn queue(self: &Arc<Self>, coding: Coding, effort: Effort, packer: &Packer) {
        let queued = &self.forms[coding as usize].queued;
        if !queued.swap(true, Ordering::AcqRel) && !packer.queue(Arc::downgrade(self), Work::Encode(coding, effort)) {
            queued.store(false, Ordering::Release);
        }
    }

    /// The document in `coding`, if that is ready.
    pub(crate) fn ready(&self, coding: Coding) -> Option<Arc<Form>> {
        self.forms[coding as usize].form.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has it made what its readers are expected to ask for.
    pub(crate) fn prepare(self: &Arc<Self>, packer: &Packer) {
        for coding in Coding::ALL {
            if take(&self.asked.codings[coding as usize]) {
                self.queue(coding, Effort::Quick, packer);
            }
        }
        let stepped = self.live.as_ref().is_some_and(|live| !live.history.dictionaries.is_empty());
        if take(&self.asked.steps) && stepped {
            // Where there is no place it is made for the first who asks.
            packer.queue(Arc::downgrade(self), Work::Step);
        }
    }

    /// Does what was queued, and answers how many bytes of memory that takes. Takes its time: not for threads that answer
    /// readers.
    pub(crate) fn work(&self, work: Work) -> usize {
        match work {
            Work::Encode(coding, effort) => {
                let form = self.encoded(coding, effort);
                let bytes = form.body.len();
                let slot = &self.forms[coding as usize];
                *slot.form.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(form));
                slot.queued.store(false, Ordering::Release);
                if self.live.is_some() {
                    *self.plain.write().unwrap_or_else(PoisonError::into_inner) = None;
                }
                bytes
            }
            Work::Step => {
                let last = self.live.as_ref().and_then(|live| live.history.dictionaries.last());
                let Some(dictionary) = last else { return 0 };
                let form = self.stepped(dictionary);
                let bytes = form.body.len();
                // Whoever is faster: the bytes are the same.
                let _ = self.side(Side::Step(dictionary.hash)).set(Arc::new(form));
                bytes
            }
        }
    }

    fn encoded(&self, coding: Coding, effort: Effort) -> Form {
        let thorough = if effort == Effort::Thorough { "9" } else { "" };
        let etag = self.etag(&format!("-{}{thorough}", coding.name()));
        Form { body: encode(coding, effort, &self.body()), etag, effort }
    }

    fn stepped(&self, dictionary: &Dictionary) -> Form {
        let format = self.live.as_ref().map_or(Format::Atom, |live| live.format);
        let etag = self.etag(&format!("-dcz-{}", &tag(&dictionary.hash)[..8]));
        Form { body: dictionary.encode(format, &self.body()), etag, effort: Effort::Thorough }
    }

    fn etag(&self, suffix: &str) -> HeaderValue {
        etag(&self.tag, suffix)
    }

    fn side(&self, side: Side) -> Arc<OnceCell<Arc<Form>>> {
        self.sides.lock().unwrap_or_else(PoisonError::into_inner).entry(side).or_default().clone()
    }

    /// Makes a side form once, off the threads that answer readers, however many ask for it.
    async fn made(
        self: &Arc<Self>,
        side: Side,
        packer: &Packer,
        make: impl FnOnce(&Self) -> Form + Send + 'static,
    ) -> Option<Arc<Form>> {
        let cell = self.side(side);
        let document = self.clone();
        let form = cell.get_or_try_init(async || {
            let form = tokio::task::spawn_blocking(move || Arc::new(make(&document))).await?;
            packer.grew(form.body.len());
            Ok(form)
        });
        match form.await {
            Ok(form) => Some(form.clone()),
            Err::<_, JoinError>(_panicked) => {
                tracing::error!(
                    work = "a form for one version",
                    "compressing a document panicked; it goes out as it is"
                );
                None
            }
        }
    }

    /// The whole document for a reader who has the version with the hash `have`, if that is still known here.
    pub(crate) async fn step(self: &Arc<Self>, have: Option<Hash>, packer: &Packer) -> Option<Arc<Form>> {
        note(&self.asked.steps);
        let (have, live) = (have?, self.live.as_ref()?);
        let known = live.history.dictionaries.iter().find(|dictionary| dictionary.hash == have).cloned();
        let itself = || Arc::new(Dictionary { hash: self.hash, source: live.source.clone() });
        let dictionary = known.or_else(|| (have == self.hash).then(itself))?;
        self.made(Side::Step(have), packer, move |document| document.stepped(&dictionary)).await
    }

    /// What is new since the version with the tag `have`, as a feed of its own. `None` when that version is not known here,
    /// or when an entry that was shown has gone without a notice: only the whole feed tells that.
    pub(crate) fn delta(&self, have: &str) -> Option<Bytes> {
        let live = self.live.as_ref()?;
        let items: Vec<&Item> = live.history.since(have)?.map(|place| &*live.source.items[place]).collect();
        Some(feed::document(live.format, &live.source.meta, &Paging::Delta, &items).bytes.into())
    }

    /// [`Document::delta`] in `coding`.
    pub(crate) async fn delta_form(
        self: &Arc<Self>,
        have: &str,
        coding: Option<Coding>,
        packer: &Packer,
    ) -> Option<Arc<Form>> {
        // Only versions that are known get a place.
        self.live.as_ref()?.history.since(have).map(drop)?;
        let have = have.to_owned();
        self.made(Side::Delta(have.clone(), coding), packer, move |document| {
            let plain = document.delta(&have).unwrap_or_default();
            let body = coding.map_or(plain.clone(), |coding| encode(coding, Effort::Quick, &plain));
            // The tag is that of the whole, which the reader has then (RFC 3229, section 10.4.1).
            Form { body, etag: document.values.etag.clone(), effort: Effort::Quick }
        })
        .await
    }

    #[cfg(test)]
    pub(crate) fn history(&self) -> Option<&History> {
        self.live.as_ref().map(|live| &live.history)
    }

    /// Whether `A-IM: feed` and dictionaries mean anything here.
    pub(crate) fn is_live(&self) -> bool {
        self.live.is_some()
    }

    /// Roughly the bytes of memory it takes, without items, which feeds share.
    pub(crate) fn weight(&self) -> usize {
        let plain = self.plain.read().unwrap_or_else(PoisonError::into_inner).as_ref().map_or(0, Bytes::len);
        let forms = Coding::ALL.into_iter().filter_map(|coding| self.ready(coding)).map(|form| form.body.len());
        let sides = self.sides.lock().unwrap_or_else(PoisonError::into_inner);
        let sides = sides.values().filter_map(|cell| cell.get()).map(|form| form.body.len() + 200);
        let live = self.live.as_ref().map_or(0, |live| live.history.weight() + live.source.items.len() * 8);
        size_of::<Self>() + 500 + plain + forms.sum::<usize>() + sides.sum::<usize>() + live
    }
}

impl Live {
    fn new(format: Format, source: Arc<Source>, old: Option<&Document>, asked: &Asked) -> Self {
        let history = match old.and_then(|old| Some((old, old.live.as_ref()?))) {
            None => History::first(&source.items),
            Some((old, live)) => {
                let dictionary = || Arc::new(Dictionary { hash: old.hash, source: live.source.clone() });
                let before = Before {
                    history: &live.history,
                    tag: &old.tag,
                    items: &live.source.items,
                    dictionary: (asked.steps.load(Ordering::Relaxed) > 0).then(dictionary),
                };
                History::after(before, &source.items)
            }
        };
        Self { format, source, history }
    }
}

impl Values {
    fn new(tag: &str, last_modified: Timestamp, live: Option<&Live>) -> Self {
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&last_modified).unwrap_or_default();
        let url = live.map(|live| live.source.meta.url(live.format));
        let hub = live.and_then(|live| live.source.meta.hub.as_deref());
        let link = url.as_ref().map(|url| match hub {
            Some(hub) => format!("<{hub}>; rel=\"hub\", <{url}>; rel=\"self\""),
            None => format!("<{url}>; rel=\"self\""),
        });
        Self {
            etag: etag(tag, ""),
            last_modified: HeaderValue::try_from(date).expect("a date is ASCII"),
            link: link.and_then(|link| HeaderValue::try_from(link).ok()),
            dictionary: url.and_then(|url| dictionary::offer(&url)),
        }
    }
}

/// 128 bits of a hash in hex: two replicas give one content one tag.
fn tag(hash: &Hash) -> String {
    hash[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn etag(tag: &str, suffix: &str) -> HeaderValue {
    HeaderValue::try_from(format!("\"{tag}{suffix}\"")).expect("hex digits and names of codings are ASCII")
}

/// The tag of bytes that are no document of the library.
pub(crate) fn tag_of(body: &[u8]) -> String {
    tag(&Sha256::digest(body).into())
}
