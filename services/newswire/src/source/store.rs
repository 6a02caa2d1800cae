//! The records of a publisher's sources: the operator's own, and beside them what feed-reader notes.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, bail};
use article::PublisherId;
use bus::{Bus, HeaderMap};
use feed_reader::source::Source;
use feed_reader::state::State;
use topology::{INTAKE, SOURCES, subjects};
use url::Url;

use crate::server::records;

/// Reading all sources, 64 MiB at most.
const READ_ALL: Duration = Duration::from_secs(60);
/// The shortest beginning of an id that names a source, in hex digits.
const SHORTEST_PREFIX: usize = 4;

pub(super) struct Sources {
    bus: Bus,
    publisher: PublisherId,
}

pub(super) struct Stored {
    pub(super) id: String,
    pub(super) source: Source,
    pub(super) state: Option<State>,
    /// Of the source's own record.
    sequence: u64,
}

impl Sources {
    pub(super) fn new(bus: Bus, publisher: PublisherId) -> Self {
        Self { bus, publisher }
    }

    pub(super) fn publisher(&self) -> &PublisherId {
        &self.publisher
    }

    /// Adds a source, or changes what is said of it; whether it is new. What is not said stays as it was.
    pub(super) async fn add(
        &self,
        url: &Url,
        name: Option<String>,
        section: Option<Vec<String>>,
        language: Option<String>,
    ) -> anyhow::Result<bool> {
        let (id, now) = (Source::id(url), service_kit::now());
        let stored = self.bus.last(&SOURCES, &subjects::source(&self.publisher, &id)).await?;
        let before = stored.as_ref().map(|stored| Source::from_bytes(&stored.payload)).transpose();
        let before = before.with_context(|| format!("the record of {url} cannot be read"))?;
        let before = before.filter(|source| source.removed_at.is_none());
        let fresh = before.is_none();
        let before = before.unwrap_or_else(|| Source {
            url: url.clone(),
            name: None,
            section: Vec::new(),
            language: None,
            added_at: now,
            asked_at: now,
            paused: false,
            removed_at: None,
        });
        let source = Source {
            name: name.or(before.name),
            section: section.unwrap_or(before.section),
            language: language.or(before.language),
            asked_at: now,
            paused: false,
            ..before
        };
        self.write(&id, &source, stored.map_or(0, |stored| stored.sequence)).await?;
        Ok(fresh)
    }

    /// Replaces the record that was read.
    pub(super) async fn put(&self, stored: &Stored, source: &Source) -> anyhow::Result<()> {
        self.write(&stored.id, source, stored.sequence).await
    }

    async fn write(&self, id: &str, source: &Source, expected: u64) -> anyhow::Result<()> {
        let subject = subjects::source(&self.publisher, id);
        let message_id = format!("{subject}/{expected}");
        let payload = source.to_bytes().into();
        self.bus.publish(&SOURCES, &subject, &message_id, HeaderMap::new(), payload, Some(expected)).await?;
        Ok(())
    }

    /// Every source that was not removed, by its address.
    pub(super) async fn all(&self) -> anyhow::Result<Vec<Stored>> {
        let read = async {
            let mut states = self.states().await?;
            let mut all = self.records().await?;
            all.retain(|stored| stored.source.removed_at.is_none());
            for stored in &mut all {
                stored.state = states.remove(&stored.id);
            }
            all.sort_by(|a, b| a.source.url.cmp(&b.source.url));
            anyhow::Ok(all)
        };
        tokio::time::timeout(READ_ALL, read).await.context("the sources could not be read in 60 s")?
    }

    async fn records(&self) -> anyhow::Result<Vec<Stored>> {
        let mut found = Vec::new();
        for (subject, (payload, sequence)) in records(&self.bus, &SOURCES, subjects::SOURCES).await {
            let mut tokens = subject.rsplit('.');
            let (id, publisher) = (tokens.next().unwrap_or_default(), tokens.next().unwrap_or_default());
            if publisher != self.publisher.as_str() {
                continue;
            }
            let source = Source::from_bytes(&payload).with_context(|| format!("{subject} cannot be read"))?;
            found.push(Stored { id: id.to_owned(), source, state: None, sequence });
        }
        Ok(found)
    }

    async fn states(&self) -> anyhow::Result<BTreeMap<String, State>> {
        let (subjects, mut states, mut sequence) = (subjects::intake_states_of(&self.publisher), BTreeMap::new(), 0);
        while let Some(stored) = self.bus.next(&INTAKE, &subjects, sequence).await? {
            let state =
                State::from_bytes(&stored.payload).with_context(|| format!("{} cannot be read", stored.subject))?;
            states.insert(stored.subject.rsplit('.').next().unwrap_or_default().to_owned(), state);
            sequence = stored.sequence + 1;
        }
        Ok(states)
    }

    /// The one source that `which` names.
    pub(super) async fn find(&self, which: &str) -> anyhow::Result<Stored> {
        let url = Url::parse(which).ok();
        let meant = |stored: &Stored| {
            let by_id = which.len() >= SHORTEST_PREFIX && stored.id.starts_with(which);
            by_id || Some(&stored.source.url) == url.as_ref() || stored.source.name.as_deref() == Some(which)
        };
        let mut found: Vec<Stored> = self.all().await?.into_iter().filter(meant).collect();
        match (found.pop(), found.is_empty()) {
            (Some(stored), true) => Ok(stored),
            (None, _) => bail!("there is no source {which:?}; `newswire source list` shows all"),
            (Some(last), false) => {
                let ids: Vec<&str> = found.iter().chain([&last]).map(|stored| stored.id.as_str()).collect();
                bail!("{which:?} names several sources; say which by its id: {}", ids.join(", "))
            }
        }
    }
}
