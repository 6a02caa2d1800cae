//! The digests of a window, their articles as they are now.

use std::collections::BTreeSet;

use jiff::Timestamp;
use mail::{Personal, Topic, Why};
use subscription::Selection;

use super::{Aside, Prepared, WRITE_AGAIN, Worker};
use crate::digest::chunk::{DigestChunk, Item, List};
use crate::digest::issues::{Key, Shown};
use crate::digest::items::Newest;
use crate::digest::record::as_revision;
use crate::frequency::Frequency;
use crate::ledger::{Ledger, State, Why as Reason};
use crate::readers::Reader;
use crate::standing::{Standing, digest_standing};

impl Worker {
    /// The mails of a window, or how its chunk stands if nothing of it is to be sent now. Whoever has left or paused
    /// since, whose mailbox takes none, and of whose articles none can be read any more is suppressed.
    pub(super) async fn of_digest(
        &self,
        chunk: &DigestChunk,
        window: &[usize],
        ledger: &mut Ledger,
    ) -> Result<Result<Vec<Prepared>, Standing>, Aside> {
        let now = service_kit::now().max(chunk.planned_at);
        match digest_standing(chunk, now) {
            Standing::Send => {}
            other => return Ok(Err(other)),
        }
        let lists: Vec<Option<&List>> = window.iter().map(|recipient| chunk.list_of(*recipient)).collect();
        let newest = self.newest(chunk, &lists).await;
        // As of an alert's record its revision: whoever looks who has what of an article sees how new their digest was.
        ledger.sends(as_revision(newest.sequence));
        let mut prepared = Vec::with_capacity(window.len());
        for (&recipient, list) in window.iter().zip(lists) {
            let list = list.ok_or_else(|| Aside::Broken("the chunk has fewer lists than recipients".into()))?;
            let shown: Vec<Shown> = list.items.iter().filter_map(|item| newest.shown(chunk, *item, now)).collect();
            match self.reader(&chunk.recipients[recipient], false, now) {
                Err(why) => ledger.set(recipient, State::Suppressed(why)),
                Ok(_) if shown.is_empty() => ledger.set(recipient, State::Suppressed(Reason::Empty)),
                Ok(reader) => prepared.push(self.digest(chunk, list, &shown, recipient, reader)),
            }
        }
        Ok(Ok(prepared))
    }

    /// How the articles of `lists` are now; waits for the server, as [`Worker::write`] does.
    async fn newest(&self, chunk: &DigestChunk, lists: &[Option<&List>]) -> Articles {
        let wanted: BTreeSet<u32> = lists.iter().flatten().flat_map(|list| &list.items).copied().collect();
        let wanted: Vec<u32> = wanted.into_iter().filter(|item| chunk.items.get(*item as usize).is_some()).collect();
        let items: Vec<Item> = wanted.iter().filter_map(|item| chunk.items.get(*item as usize)).cloned().collect();
        loop {
            match self.items.newest(&self.bus, items.clone(), self.issues.site()).await {
                Ok((newest, sequence)) => return Articles { places: wanted, newest, sequence },
                Err(cause) => {
                    tracing::warn!(
                        plan = chunk.plan,
                        chunk = chunk.chunk,
                        cause,
                        "the articles of a digest cannot be read; trying on"
                    );
                    tokio::time::sleep(WRITE_AGAIN).await;
                }
            }
        }
    }

    fn digest(&self, chunk: &DigestChunk, list: &List, shown: &[Shown], recipient: usize, reader: Reader) -> Prepared {
        let site = self.issues.site();
        let asked = asked(&reader);
        let topic = asked.as_ref().map_or(Topic::Unnamed, |asked| self.catalogue.topic_for_owner(asked, &[]));
        let why = Why::new(site, reader.locale, &topic);
        let more_link = site.feed_page(asked.as_ref().filter(|_| list.more > 0));
        let key = Key::new(shown, list.more, more_link, list.due, reader.zone.clone(), reader.locale);
        let issue = self.digests.get(key, shown, site);
        let envelope = self.envelope(&chunk.plan, chunk.planned_at, &reader);
        let message = issue.splice(&Personal {
            to: &reader.address,
            message_id: &envelope.message_id,
            about: None,
            date: chunk.planned_at,
            unsubscribe: &envelope.unsubscribe,
            unsubscribe_mailto: envelope.leave.as_ref(),
            manage: &envelope.manage,
            why: &why,
        });
        Prepared { recipient, to: reader.address, from: envelope.from, message }
    }
}

/// Articles of a chunk, in the order of their places in it.
struct Articles {
    places: Vec<u32>,
    newest: Vec<Newest>,
    /// Up to where the log was followed.
    sequence: u64,
}

impl Articles {
    fn shown(&self, chunk: &DigestChunk, place: u32, now: Timestamp) -> Option<Shown> {
        let newest = &self.newest[self.places.binary_search(&place).ok()?];
        let article = chunk.items.get(place as usize)?.article;
        Some(Shown { article, sequence: newest.sequence, item: newest.shown(now)?.clone() })
    }
}

/// What somebody gets digests for: all of it as one selection, if that can be written down. What is over a cap comes
/// although nothing of it was asked for in digests.
fn asked(reader: &Reader) -> Option<Selection> {
    let standing = || reader.spans.iter().filter(|span| span.until.is_none());
    let mut asked: Vec<&Selection> =
        standing().filter(|span| span.frequency != Frequency::Immediate).map(|span| &span.selection).collect();
    if asked.is_empty() {
        asked = standing().map(|span| &span.selection).collect();
    }
    Selection::any_of(asked.into_iter().cloned()).ok()
}
