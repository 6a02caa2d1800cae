//! Who is in a plan, and the messages that say so.

use std::sync::Arc;

use bus::{BatchMessage, HeaderMap};
use jiff::Timestamp;
use roaring::RoaringBitmap;
use serde::Serialize;
use topology::subjects;

use crate::cap::{Caps, KNOWN_FOR, Tally, end_of_day};
use crate::plan::{Cause, Head, MAX_WORDS, make_plan};
use crate::readers::{Asked, Reader, Readers};
use crate::subscriber::SubscriberId;

/// What an alert that may be too much for somebody is planned by.
pub(super) struct Counting {
    pub caps: Arc<Caps>,
    /// All that was said of caps up to here is known.
    pub seen: u64,
    /// The last that counted, which the plan expects to be so still.
    pub last: u64,
}

/// Those whom a plan is for.
#[derive(Default)]
pub(super) struct Audience {
    pub recipients: Vec<SubscriberId>,
    /// Those without a cap, by their numbers in the index.
    pub uncapped: RoaringBitmap,
    tally: Tally,
    caps_seen: u64,
    last_turn: u64,
}

impl Audience {
    /// Of what no cap concerns.
    pub(super) fn only(recipients: Vec<SubscriberId>) -> Self {
        Self { recipients, ..Self::default() }
    }

    /// Of an alert; without `counting` nobody's cap holds it back.
    pub(super) fn of(
        readers: &Readers,
        asked: &Asked,
        published: Timestamp,
        counting: Option<Counting>,
        now: Timestamp,
    ) -> Self {
        let mut audience = Self::default();
        let Some(Counting { caps, seen, last }) = counting else {
            readers.alerted(asked, published, |_| false, |_, reader| audience.recipients.push(reader.id));
            return audience;
        };
        (audience.caps_seen, audience.last_turn) = (seen, last);
        let over = |reader: &Reader| caps.over_at(&reader.id, &reader.caps, published, seen);
        readers.alerted(asked, published, over, |number, reader| {
            audience.recipients.push(reader.id);
            match reader.cap_at(published) {
                Some((cap, zone)) => {
                    let until = end_of_day(published, &zone);
                    audience.tally.count(reader.id, cap, caps.count(&reader.id, until), until);
                }
                None => {
                    audience.uncapped.insert(number);
                }
            }
        });
        let filled = caps.filled_by_storm(&audience.uncapped, now);
        readers.ids(&filled, |id| audience.tally.fill_by_storm(id));
        audience
    }
}

/// A plan, ready to be written.
pub(super) struct Made {
    pub head: Head,
    /// All but the head.
    pub messages: Vec<BatchMessage>,
}

pub(super) fn made(cause: &Cause<'_>, audience: Audience, now: Timestamp) -> Made {
    let (mut head, chunks) = make_plan(cause, &audience.recipients, now);
    head.caps_seen = audience.caps_seen;
    let plan = head.plan.as_str();
    let mut messages = Vec::with_capacity(chunks.len() + 1);
    let counts = audience.tally.counts();
    for (part, word) in (0..).zip(audience.tally.words(cause.published, now, MAX_WORDS)) {
        let mut message = first_on(subjects::capped(plan, part), &word);
        message.headers.insert("Nats-TTL", format!("{}s", KNOWN_FOR.as_secs()));
        messages.push(message);
    }
    if counts {
        let turn = first_on(subjects::CAPPED_TURN.into(), &plan);
        messages.push(BatchMessage { expected: Some(audience.last_turn), ..turn });
    }
    let lane = head.lane.as_str();
    messages.extend(chunks.iter().map(|chunk| first_on(subjects::chunk(lane, plan, chunk.chunk), chunk)));
    Made { head, messages }
}

pub(super) fn first_on<T: Serialize>(subject: String, value: &T) -> BatchMessage {
    let payload = serde_json::to_vec(value).expect("plans have string keys only");
    BatchMessage { subject, headers: HeaderMap::new(), payload: payload.into(), expected: Some(0) }
}
