//! The loop in which everything is decided: takes in what the log says, keeps up what is read, makes what is asked for.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use service_kit::Health;
use subscription::Selection;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep, sleep_until};

use crate::hub::Hub;
use crate::library::{Key, Library};
use crate::maker::{Made, Wishes};
use crate::reading::{Batches, Read};
use crate::receipts::Killed;
use crate::search::Found;
use crate::stand::{Making, Stand};
use crate::state::Changes;

/// After documents were written, as many times as long nothing is: under a flood of articles a third of the time is
/// spent on writing, and readers are answered in the others. An article that comes alone waits for nobody.
const REST: u32 = 2;
const LONGEST_REST: Duration = Duration::from_millis(250);

/// The longest sleep, so that a clock that was set is noticed.
const MAX_SLEEP: Duration = Duration::from_secs(60);

/// How long documents are made for those who asked, before the log is looked at again.
const MAKING: Duration = Duration::from_millis(50);

/// Requests whose documents wait to be made, beside as many in the channel; more are told to come again.
const WAITING: usize = 4096;

/// Texts are read for so many feeds at once.
const SEARCHES: usize = 2;

/// Feeds whose texts wait to be read. Each takes seconds, so nobody would wait for what is behind them.
const WAITING_SEARCHES: usize = 16;

pub(crate) struct Follower {
    library: Arc<Library>,
    wishes: Wishes,
    health: Health,
    hub: Hub,
    receipts: mpsc::Sender<(Killed, Timestamp)>,
    /// Locked by one task after the other, never by two at once.
    desk: Arc<Mutex<Desk>>,
    caught_up: bool,
    /// Whether there is something taken in and not written yet.
    dirty: bool,
    asked: VecDeque<Request>,
    /// To be made although nobody asks.
    kept: VecDeque<Key>,
    searches: JoinSet<Found>,
    to_search: VecDeque<Selection>,
    /// Requests for feeds whose texts are read, or are to be.
    unread: HashMap<Selection, Vec<Request>>,
}

/// What is worked on away from the threads that answer readers.
struct Desk {
    stand: Stand,
    changes: Changes,
    /// How far the log has been taken in.
    sequence: u64,
    /// Kills taken in whose documents are not written yet.
    killed: Vec<Killed>,
}

struct Request {
    key: Key,
    /// `None`: nobody waits.
    answer: Option<oneshot::Sender<Made>>,
}

impl Request {
    fn is_abandoned(&self) -> bool {
        self.answer.as_ref().is_some_and(oneshot::Sender::is_closed)
    }
}

/// What came.
enum Event {
    Read(Vec<Read>),
    Kept(HashSet<Key>),
    Found(Found),
    Asked(Request),
    /// Something is due.
    Time,
    End,
}

impl Follower {
    pub(crate) fn new(
        stand: Stand,
        library: Arc<Library>,
        wishes: Wishes,
        health: Health,
        hub: Hub,
        receipts: mpsc::Sender<(Killed, Timestamp)>,
    ) -> Self {
        let desk = Desk { stand, changes: Changes::default(), sequence: 0, killed: Vec::new() };
        Self {
            library,
            wishes,
            health,
            hub,
            receipts,
            desk: Arc::new(Mutex::new(desk)),
            caught_up: false,
            dirty: false,
            asked: VecDeque::new(),
            kept: VecDeque::new(),
            searches: JoinSet::new(),
            to_search: VecDeque::new(),
            unread: HashMap::new(),
        }
    }

    /// Follows until the log's tail ends.
    pub(crate) async fn run(mut self, mut log: Batches) -> anyhow::Result<()> {
        let mut rested = Instant::now();
        loop {
            match self.next(&mut log, rested).await? {
                Event::Read(read) => self.take_in(read).await?,
                Event::Kept(keys) => self.kept = self.at_desk(move |desk| desk.stand.keep(keys)).await?.into(),
                Event::Found(found) => self.found(found).await?,
                Event::Asked(request) => self.asked.push_back(request),
                Event::Time => self.take_in(Vec::new()).await?,
                Event::End => return Ok(()),
            }
            let begin = Instant::now();
            if self.dirty && begin >= rested {
                self.publish().await?;
                rested = Instant::now() + (begin.elapsed() * REST).min(LONGEST_REST);
            }
            if self.is_idle() {
                self.make().await?;
            }
        }
    }

    /// Whether everything that was taken in is written. Whoever asks before waits: else they would see an article in one
    /// feed and not yet in others.
    fn is_idle(&self) -> bool {
        self.caught_up && !self.dirty
    }

    async fn next(&mut self, log: &mut Batches, rested: Instant) -> anyhow::Result<Event> {
        let idle = self.is_idle();
        let due = self.lock().stand.next_wake().map(|at| until(at, service_kit::now()));
        let more = idle && self.has_work();
        tokio::select! {
            // What comes seldom, then the log, and only then those who ask: however many there are, an article waits for
            // one round of them at most. They have a round of their own after each time documents were written.
            biased;
            Some(found) = self.searches.join_next(), if idle => {
                Ok(Event::Found(found.context("reading texts panicked")?))
            }
            Ok(()) = self.wishes.kept.changed(), if idle => {
                Ok(Event::Kept(self.wishes.kept.borrow_and_update().clone()))
            }
            batch = log.recv() => match batch {
                Some(batch) => Ok(Event::Read(batch.await.context("reading the log panicked")?)),
                None => Ok(Event::End),
            },
            () = sleep(due.unwrap_or(MAX_SLEEP)) => Ok(Event::Time),
            () = sleep_until(rested), if self.dirty => Ok(Event::Time),
            () = std::future::ready(()), if more => Ok(Event::Time),
            Some(wish) = self.wishes.wishes.recv(), if idle => {
                Ok(Event::Asked(Request { key: wish.key, answer: Some(wish.answer) }))
            }
        }
    }

    /// Whether something can be made now. What is kept waits for searches, of which it may need more than there is room for.
    fn has_work(&self) -> bool {
        !self.asked.is_empty() || (!self.kept.is_empty() && self.to_search.is_empty())
    }

    /// Takes in what the log said, and what time has changed.
    async fn take_in(&mut self, read: Vec<Read>) -> anyhow::Result<()> {
        let caught_up = read.iter().any(|read| matches!(read, Read::CaughtUp));
        let writes = self.caught_up;
        self.dirty = self
            .at_desk(move |desk| {
                desk.take_in(read);
                // Before that nothing is written: every article may have newer revisions still to come.
                if !writes {
                    desk.changes = Changes::default();
                }
                !desk.changes.is_empty()
            })
            .await?;
        if caught_up && !self.caught_up {
            self.begin().await?;
        }
        Ok(())
    }

    /// Serves from now on.
    async fn begin(&mut self) -> anyhow::Result<()> {
        let (articles, unread) = self
            .at_desk(|desk| {
                let now = service_kit::now();
                let mut unread = Vec::new();
                for key in desk.stand.pinned() {
                    if let Making::Unread(selection) = desk.stand.make(&key, now) {
                        unread.push((selection, Request { key, answer: None }));
                    }
                }
                (desk.stand.articles(), unread)
            })
            .await?;
        unread.into_iter().for_each(|(selection, request)| self.search(selection, request));
        self.caught_up = true;
        self.library.set_caught_up();
        let sequence = self.lock().sequence;
        self.hub.changed(&[], sequence);
        self.health.caught_up();
        tracing::info!(articles, "caught up with the log");
        self.confirm().await
    }

    /// Writes what has changed and puts it on the shelf.
    async fn publish(&mut self) -> anyhow::Result<()> {
        let (fresh, sequence) = self
            .at_desk(|desk| {
                let now = service_kit::now();
                let fresh = desk.stand.publish(std::mem::take(&mut desk.changes), now);
                desk.stand.tidy(now);
                (fresh, desk.sequence)
            })
            .await?;
        self.hub.changed(&fresh, sequence);
        self.dirty = false;
        self.confirm().await
    }

    /// Says of kills that they are carried out: now nothing that is served holds the text.
    async fn confirm(&mut self) -> anyhow::Result<()> {
        let applied_at = service_kit::now();
        let killed = std::mem::take(&mut self.lock().killed);
        for killed in killed {
            // Without the receipts' task the service is stopping.
            let _ = self.receipts.send((killed, applied_at)).await;
        }
        Ok(())
    }

    /// Makes what is asked for, as much as can be made in a moment, and begins to read what has to be read.
    async fn make(&mut self) -> anyhow::Result<()> {
        while self.asked.len() < WAITING
            && let Ok(wish) = self.wishes.wishes.try_recv()
        {
            self.asked.push_back(Request { key: wish.key, answer: Some(wish.answer) });
        }
        if self.has_work() {
            let (mut asked, mut kept) = (std::mem::take(&mut self.asked), std::mem::take(&mut self.kept));
            // Of what nobody waits for no more than can be searched.
            let keeping = self.to_search.is_empty();
            let made = self.at_desk(move |desk| {
                let unread = desk.make(&mut asked, if keeping { Some(&mut kept) } else { None });
                desk.stand.tidy(service_kit::now());
                (asked, kept, unread)
            });
            let (asked, kept, unread) = made.await?;
            (self.asked, self.kept) = (asked, kept);
            unread.into_iter().for_each(|(selection, request)| self.search(selection, request));
        }
        self.drop_abandoned();
        while self.searches.len() < SEARCHES
            && let Some(selection) = self.to_search.pop_front()
        {
            let search = self.at_desk(move |desk| desk.stand.search(&selection)).await?;
            self.searches.spawn_blocking(move || search.run());
        }
        Ok(())
    }

    /// Has the texts read that a request needs, once for all who ask.
    fn search(&mut self, selection: Selection, request: Request) {
        if self.to_search.len() == WAITING_SEARCHES {
            self.drop_abandoned();
        }
        if let Some(others) = self.unread.get_mut(&selection) {
            others.push(request);
        } else if self.to_search.len() < WAITING_SEARCHES {
            self.to_search.push_back(selection.clone());
            self.unread.insert(selection, vec![request]);
        } else {
            match request.answer {
                Some(answer) => drop(answer.send(Made::Busy)),
                None => self.kept.push_back(request.key),
            }
        }
    }

    /// Forgets searches that have not begun and that nobody waits for any more.
    fn drop_abandoned(&mut self) {
        let Self { to_search, unread, .. } = self;
        to_search.retain(|selection| {
            let requests = unread.get(selection).into_iter().flatten();
            let is_awaited = requests.into_iter().any(|request| !request.is_abandoned());
            if !is_awaited {
                unread.remove(selection);
            }
            is_awaited
        });
    }

    async fn found(&mut self, found: Found) -> anyhow::Result<()> {
        // Before all others: a feed of which nothing is on the shelf is cleared away, and the search was for nothing.
        for request in self.unread.remove(&found.selection).unwrap_or_default() {
            self.asked.push_front(request);
        }
        self.at_desk(move |desk| desk.stand.found(found)).await
    }

    /// Works where blocking is allowed.
    async fn at_desk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Desk) -> T + Send + 'static,
    ) -> anyhow::Result<T> {
        let desk = self.desk.clone();
        // After a panic what is at the desk may be half done: the service ends and starts anew.
        let worked = spawn_blocking(move || work(&mut desk.lock().unwrap_or_else(PoisonError::into_inner)));
        worked.await.context("writing documents panicked")
    }

    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    fn take_in(&mut self, read: Vec<Read>) {
        let now = service_kit::now();
        for read in read {
            let Read::Message { revision, sequence, stored_at } = read else { continue };
            self.sequence = sequence;
            if let Some(revision) = revision {
                self.killed.extend(Killed::of(&revision.article, stored_at, now));
                self.changes.merge(self.stand.apply(*revision, now));
            }
        }
        self.changes.merge(self.stand.wake(now));
        // Documents grow while they are read, though none is made.
        self.stand.tidy(now);
    }

    /// Makes for a moment: first what is `asked` for. Answers what needs texts to be read.
    fn make(
        &mut self,
        asked: &mut VecDeque<Request>,
        mut kept: Option<&mut VecDeque<Key>>,
    ) -> Vec<(Selection, Request)> {
        let (begin, now) = (Instant::now(), service_kit::now());
        let mut unread = Vec::new();
        while begin.elapsed() < MAKING && unread.len() < WAITING_SEARCHES {
            let next_kept = || Some(Request { key: kept.as_mut()?.pop_front()?, answer: None });
            let Some(request) = asked.pop_front().or_else(next_kept) else { break };
            if request.is_abandoned() {
                continue;
            }
            let made = match self.stand.make(&request.key, now) {
                Making::Unread(selection) => {
                    unread.push((selection, request));
                    continue;
                }
                Making::Done(document) => Made::Document(document),
                Making::Nothing => Made::Nothing,
                Making::Failed => Made::Busy,
            };
            if let Some(answer) = request.answer {
                let _ = answer.send(made);
            }
        }
        unread
    }
}

/// How long to sleep until `at`.
fn until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or_default().min(MAX_SLEEP)
}
