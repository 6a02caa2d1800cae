//! Who subscribes to what, and what each has, as far as the log has been read: it decides who is called, and how many
//! there may be. What is done for a subscriber is decided by the records themselves.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use url::Url;

use crate::document::Document;
use crate::hub::record::{Hash, Progress, SubscriberId, Subscription};
use crate::hub::topic::Topic;
use crate::library::Key;

/// Subscriptions in all, those not confirmed yet included: some 300 bytes of memory each, and in the stream 1 KiB beside the
/// record.
pub(crate) const MAX_SUBSCRIPTIONS: usize = 100_000;
/// Bytes of their records, some 300 each with addresses as they are and 11 KiB with the longest: with 100,000 of what goes
/// with them, the stream is half full.
pub(crate) const MAX_BYTES: usize = 64 << 20;
/// Topics in all. Each is a feed that is kept up to date whether anybody reads it or not.
pub(crate) const MAX_TOPICS: usize = 4_000;
/// Subscriptions of one host: a service that reads for many has one for each feed, and few newsrooms have more feeds.
pub(crate) const MAX_OF_HOST: usize = 1_000;
/// Bytes of their records.
pub(crate) const MAX_BYTES_OF_HOST: usize = 1 << 20;
/// Of these, not confirmed yet: what a stranger can make us call one host, three times each.
pub(crate) const MAX_OPEN_OF_HOST: usize = 100;

/// Not confirmed yet, of all hosts: for those the stream must have room beside all that stand.
pub(crate) const MAX_OPEN: usize = 10_000;

/// From one announcement of a topic to the next. The first of a burst goes out at once, the others together.
const BETWEEN: Duration = Duration::from_secs(1);
/// From an announcement that could not be written to the next.
const AFTER_FAILURE: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(crate) struct Index {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    topics: HashMap<Key, Entry>,
    keys: HashMap<Hash, Key>,
    progress: HashMap<SubscriberId, Seen>,
    hosts: HashMap<String, Host>,
    count: usize,
    bytes: usize,
    open: usize,
    is_crowded: bool,
}

struct Entry {
    members: HashMap<Hash, Member>,
    /// The tag of the last version this process has seen, and whether it is still to be announced.
    shows: Option<String>,
    is_new: bool,
    rests_until: Instant,
}

struct Member {
    host: String,
    agreed_until: Option<Timestamp>,
    ends_at: Timestamp,
    /// Of the record.
    bytes: usize,
    open: bool,
}

struct Seen {
    has: Option<String>,
    as_of: Option<Timestamp>,
    not_before: Option<Timestamp>,
}

#[derive(Default)]
struct Host {
    subscriptions: usize,
    bytes: usize,
    open: usize,
}

/// Why there is no room for another subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Full {
    #[error("this hub has all the subscriptions that it takes")]
    Subscriptions,
    #[error("this hub has all the topics that it takes; subscribe to a feed that others read")]
    Topics,
    #[error("the callback's host has all the subscriptions that one host may have")]
    Host,
    #[error("too many subscriptions of the callback's host wait to be confirmed; answer those first")]
    OpenOfHost,
    #[error("too many subscriptions wait to be confirmed")]
    Open,
    #[error("this hub's store has no room for more subscriptions")]
    Store,
}

/// Somebody to be called, and until when he subscribes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) id: SubscriberId,
    pub(crate) until: Timestamp,
    /// The version to tell him of; `None`: whether there is one.
    pub(crate) tag: Option<String>,
}

impl Index {
    /// Whether `id` may ask for a subscription to `topic`, with a callback at `host`. Every replica counts what it has
    /// read, so a burst over several of them may pass the bounds by a little.
    pub(crate) fn has_room(&self, id: &SubscriberId, topic: &Topic, host: &str) -> Result<(), Full> {
        let inner = self.lock();
        let entry = inner.topics.get(&topic.key());
        let known = entry.and_then(|entry| entry.members.get(&id.callback));
        let of_host = inner.hosts.get(host);
        match known {
            // One request takes the place of another.
            Some(known) if known.open => Ok(()),
            _ if inner.open >= MAX_OPEN => Err(Full::Open),
            _ if of_host.is_some_and(|of| of.open >= MAX_OPEN_OF_HOST) => Err(Full::OpenOfHost),
            Some(_) => Ok(()),
            None if inner.is_crowded => Err(Full::Store),
            None if inner.count >= MAX_SUBSCRIPTIONS || inner.bytes >= MAX_BYTES => Err(Full::Subscriptions),
            None if of_host.is_some_and(Host::is_full) => Err(Full::Host),
            None if entry.is_none() && inner.topics.len() >= MAX_TOPICS => Err(Full::Topics),
            None => Ok(()),
        }
    }

    /// Takes in a subscriber's record, or that there is none any more. `true`: somebody subscribes to a topic of which
    /// nobody here knows what it shows.
    pub(crate) fn subscription(&self, id: SubscriberId, record: Option<&Subscription>, now: Timestamp) -> bool {
        let mut inner = self.lock();
        let member = record.and_then(|record| Member::of(record, now));
        let (Some(record), Some(member)) = (record, member) else {
            inner.remove(id);
            return false;
        };
        let (key, agreed) = (record.topic.key(), member.agreed_until.is_some());
        inner.insert(id, key.clone(), member);
        agreed && inner.topics.get(&key).is_some_and(|entry| entry.shows.is_none())
    }

    /// Takes in how it stands with a subscriber.
    pub(crate) fn progress(&self, id: SubscriberId, progress: Option<Progress>) {
        let mut inner = self.lock();
        match progress {
            Some(Progress { has, as_of, not_before, .. }) => {
                inner.progress.insert(id, Seen { has, as_of, not_before });
            }
            None => {
                inner.progress.remove(&id);
            }
        }
    }

    /// Takes in that `key` has changed. `true`: somebody is to be told.
    ///
    /// Of a topic not looked at before it is not known whether it has changed; [`Index::missed`] finds that out.
    pub(crate) fn changed(&self, key: &Key, tag: &str) -> bool {
        let mut inner = self.lock();
        let Some(entry) = inner.topics.get_mut(key) else { return false };
        let known = entry.shows.replace(tag.to_owned());
        entry.is_new |= known.is_some_and(|known| known != tag);
        entry.is_new
    }

    /// Whom to call now, and when to ask again if some topic rests.
    pub(crate) fn announce(&self, wall: Timestamp, now: Instant) -> (Vec<Wanted>, Option<Instant>) {
        let mut inner = self.lock();
        let (mut wanted, mut again) = (Vec::new(), None::<Instant>);
        let Inner { topics, progress, keys: _, .. } = &mut *inner;
        for (key, entry) in topics.iter_mut().filter(|(_, entry)| entry.is_new) {
            if entry.rests_until > now {
                again = Some(again.map_or(entry.rests_until, |at| at.min(entry.rests_until)));
                continue;
            }
            (entry.is_new, entry.rests_until) = (false, now + BETWEEN);
            let topic = topic_hash(key);
            for (callback, member) in &entry.members {
                let id = SubscriberId { topic, callback: *callback };
                let has = progress.get(&id).and_then(|seen| seen.has.as_ref());
                if let Some(until) = member.agreed_until.filter(|until| *until > wall && has != entry.shows.as_ref()) {
                    wanted.push(Wanted { id, until, tag: entry.shows.clone() });
                }
            }
        }
        (wanted, again)
    }

    /// Those of `ids` could not be called for: their topics are announced again, after a while.
    pub(crate) fn again(&self, ids: &[SubscriberId], now: Instant) {
        let mut inner = self.lock();
        let Inner { topics, keys, .. } = &mut *inner;
        for key in ids.iter().filter_map(|id| keys.get(&id.topic)) {
            if let Some(entry) = topics.get_mut(key) {
                (entry.is_new, entry.rests_until) = (true, now + AFTER_FAILURE);
            }
        }
    }

    /// Whoever has an older version than `document` and is not being waited for: his call was lost, or everybody was
    /// down when it should have been made. From now on it is known what `key` shows.
    pub(crate) fn missed(&self, key: &Key, document: &Document, now: Timestamp) -> Vec<Wanted> {
        let mut inner = self.lock();
        let Inner { topics, progress, .. } = &mut *inner;
        let Some(entry) = topics.get_mut(key) else { return Vec::new() };
        entry.shows.get_or_insert_with(|| document.tag.clone());
        let topic = topic_hash(key);
        let behind = |id: &SubscriberId| {
            progress.get(id).is_some_and(|seen| {
                seen.has.as_deref() != Some(document.tag.as_str())
                    && seen.as_of.is_none_or(|as_of| as_of < document.last_modified)
                    && seen.not_before.is_none_or(|at| at < now)
            })
        };
        let members = entry.members.iter().filter_map(|(callback, member)| {
            let until = member.agreed_until.filter(|until| *until > now)?;
            Some((SubscriberId { topic, callback: *callback }, until))
        });
        members.filter(|(id, _)| behind(id)).map(|(id, until)| Wanted { id, until, tag: None }).collect()
    }

    /// Takes in whether the stream is so full that what is left of it is for those who subscribe already.
    pub(crate) fn crowded(&self, is_crowded: bool) {
        self.lock().is_crowded = is_crowded;
    }

    /// Topics that somebody subscribes to.
    pub(crate) fn topics(&self) -> HashSet<Key> {
        let inner = self.lock();
        let agreed = |entry: &Entry| entry.members.values().any(|member| member.agreed_until.is_some());
        inner.topics.iter().filter(|(_, entry)| agreed(entry)).map(|(key, _)| key.clone()).collect()
    }

    /// Subscriptions that stand, and those that wait to be confirmed.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let inner = self.lock();
        let members = || inner.topics.values().flat_map(|entry| entry.members.values());
        (
            members().filter(|member| member.agreed_until.is_some()).count(),
            members().filter(|member| member.open).count(),
        )
    }

    /// Forgets what has ended: the server drops it without a word.
    pub(crate) fn sweep(&self, now: Timestamp) {
        let mut inner = self.lock();
        let ended: Vec<SubscriberId> = inner
            .topics
            .iter()
            .flat_map(|(key, entry)| entry.members.iter().map(move |(callback, member)| (key, callback, member)))
            .filter(|(_, _, member)| member.ends_at <= now)
            .map(|(key, callback, _)| SubscriberId { topic: topic_hash(key), callback: *callback })
            .collect();
        ended.into_iter().for_each(|id| inner.remove(id));
        let Inner { topics, keys, progress, .. } = &mut *inner;
        let subscribes = |id: &SubscriberId| {
            keys.get(&id.topic)
                .and_then(|key| topics.get(key))
                .is_some_and(|entry| entry.members.contains_key(&id.callback))
        };
        progress.retain(|id, _| subscribes(id));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Each change leaves a whole index behind, whatever panics after it.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host {
    fn is_full(&self) -> bool {
        self.subscriptions >= MAX_OF_HOST || self.bytes >= MAX_BYTES_OF_HOST
    }
}

impl Member {
    /// `None`: nothing of the record counts any more.
    fn of(record: &Subscription, now: Timestamp) -> Option<Self> {
        let ends_at = record.ends_at().filter(|ends_at| *ends_at > now)?;
        let agreed_until = record.standing(now).map(|agreed| agreed.until);
        let (bytes, open) = (record.to_bytes().len(), record.open(now).is_some());
        Some(Self { host: host(&record.callback), agreed_until, ends_at, bytes, open })
    }
}

impl Inner {
    /// In the place of whoever was there: what is known of the topic stays known.
    fn insert(&mut self, id: SubscriberId, key: Key, member: Member) {
        let host = self.hosts.entry(member.host.clone()).or_default();
        host.subscriptions += 1;
        host.bytes += member.bytes;
        host.open += usize::from(member.open);
        self.count += 1;
        self.bytes += member.bytes;
        self.open += usize::from(member.open);
        self.keys.insert(id.topic, key.clone());
        let fresh = || Entry { members: HashMap::new(), shows: None, is_new: false, rests_until: Instant::now() };
        if let Some(before) = self.topics.entry(key).or_insert_with(fresh).members.insert(id.callback, member) {
            self.discount(&before);
        }
    }

    fn remove(&mut self, id: SubscriberId) {
        let Some(key) = self.keys.get(&id.topic) else { return };
        let Some(entry) = self.topics.get_mut(key) else { return };
        let Some(member) = entry.members.remove(&id.callback) else { return };
        if entry.members.is_empty() {
            self.topics.remove(key);
            self.keys.remove(&id.topic);
        }
        self.discount(&member);
    }

    fn discount(&mut self, member: &Member) {
        self.count -= 1;
        self.bytes -= member.bytes;
        self.open -= usize::from(member.open);
        if let Some(host) = self.hosts.get_mut(&member.host) {
            host.subscriptions -= 1;
            host.bytes -= member.bytes;
            host.open -= usize::from(member.open);
            if host.subscriptions == 0 {
                self.hosts.remove(&member.host);
            }
        }
    }
}

fn topic_hash(key: &Key) -> Hash {
    Hash::of(&Topic::of(key).expect("only topics are in the index").to_string())
}

/// The host of a callback, as far as limits are concerned: not its port.
pub(crate) fn host(callback: &Url) -> String {
    callback.host_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
