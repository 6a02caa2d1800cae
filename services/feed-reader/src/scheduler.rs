//! Who is read when: what is due, one request at a time to a host, a few sources at once.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::{Id, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::hosts::{Hosts, Turn};
use crate::http::{Announcement, WAITING};
use crate::state::State;
use crate::turn::Reader;

/// Sources read at one time. Each may hold a document of 15 MB, as it came and as it was read.
const AT_ONCE: usize = 8;

/// The longest sleep, so that a clock that was set is noticed.
const MAX_SLEEP: Duration = Duration::from_secs(60);

/// How long a shutdown waits for what is under way. What is cut comes again: nothing is noted before it is done.
const DRAIN: Duration = Duration::from_secs(15);

pub(crate) struct Scheduler {
    reader: Arc<Reader>,
    hosts: Hosts,
    /// What is under way: which source, and which host is asked for it.
    under_way: HashMap<Id, (String, Option<Url>)>,
    tasks: JoinSet<()>,
    /// Of hubs, until their source is free.
    waiting: VecDeque<Announcement>,
}

impl Scheduler {
    pub(crate) fn new(reader: Arc<Reader>) -> Self {
        Self {
            reader,
            hosts: Hosts::default(),
            under_way: HashMap::new(),
            tasks: JoinSet::new(),
            waiting: VecDeque::new(),
        }
    }

    /// Reads sources until `shutdown`, then finishes what it began.
    pub(crate) async fn run(mut self, mut announcements: mpsc::Receiver<Announcement>, shutdown: CancellationToken) {
        let reader = self.reader.clone();
        while !shutdown.is_cancelled() {
            self.start_announced(&shutdown);
            let wake = self.start_due(&shutdown);
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = reader.intake.changed.notified() => {}
                Some(announcement) = announcements.recv(), if self.waiting.len() < WAITING => {
                    self.waiting.push_back(announcement);
                }
                Some(ended) = self.tasks.join_next_with_id() => self.ended(ended.map(|(id, ())| id)),
                () = tokio::time::sleep_until(wake) => {}
            }
        }
        let finish = async {
            while let Some(ended) = self.tasks.join_next_with_id().await {
                self.ended(ended.map(|(id, ())| id));
            }
        };
        if tokio::time::timeout(DRAIN, finish).await.is_err() {
            tracing::warn!("some sources were still being read at the end; they are read again");
        }
    }

    fn ended(&mut self, ended: Result<Id, tokio::task::JoinError>) {
        let id = match ended {
            Ok(id) => id,
            Err(error) => {
                let id = error.id();
                let source = self.under_way.get(&id).map_or("", |(source, _)| source);
                tracing::error!(source, %error, "reading a source panicked; it is read again once its claim is over");
                id
            }
        };
        if let Some((_, Some(url))) = self.under_way.remove(&id) {
            self.hosts.end(&url, Instant::now());
        }
    }

    fn is_at_work(&self, source: &str) -> bool {
        self.under_way.values().any(|(other, _)| other == source)
    }

    /// Starts what hubs have sent of sources that nobody is at.
    fn start_announced(&mut self, shutdown: &CancellationToken) {
        let now = service_kit::now();
        for _ in 0..self.waiting.len() {
            let Some(announcement) = self.waiting.pop_front() else { return };
            let source = &announcement.source;
            let elsewhere = self.reader.intake.state(source);
            let elsewhere = elsewhere.is_some_and(|kept| kept.record.is_elsewhere(&self.reader.instance, now));
            if self.under_way.len() >= AT_ONCE || self.is_at_work(source) || elsewhere {
                self.waiting.push_back(announcement);
                continue;
            }
            self.start(announcement.source.clone(), None, Some(announcement), shutdown);
        }
    }

    /// Starts what is due and may start; answers when to look again.
    fn start_due(&mut self, shutdown: &CancellationToken) -> Instant {
        let (now, instant) = (service_kit::now(), Instant::now());
        let mut wake = instant + MAX_SLEEP;
        let mut due: Vec<(Timestamp, String, Url)> = Vec::new();
        let reader = self.reader.clone();
        reader.intake.each(|id, source, state| {
            let Some(at) = State::due(source, state, &reader.instance, now) else { return };
            if at > now {
                wake = wake.min(instant + Duration::try_from(at.duration_since(now)).unwrap_or(MAX_SLEEP));
            } else if !self.is_at_work(id) {
                let url = state.and_then(|state| state.moved_to.as_ref()).unwrap_or(&source.url);
                due.push((at, id.to_owned(), url.clone()));
            }
        });
        // Whoever has waited longest goes first.
        due.sort_unstable();
        for (_, source, url) in due {
            if self.under_way.len() >= AT_ONCE {
                break;
            }
            match self.hosts.turn(&url, instant) {
                Turn::Now => self.start(source, Some(url), None, shutdown),
                Turn::At(free_at) => wake = wake.min(free_at),
                Turn::Later => {}
            }
        }
        wake
    }

    fn start(
        &mut self,
        source: String,
        url: Option<Url>,
        announcement: Option<Announcement>,
        shutdown: &CancellationToken,
    ) {
        if let Some(url) = &url {
            self.hosts.begin(url);
        }
        let (reader, shutdown, id) = (self.reader.clone(), shutdown.clone(), source.clone());
        let task = self.tasks.spawn(async move { reader.read(&id, announcement, &shutdown).await });
        self.under_way.insert(task.id(), (source, url));
    }
}
