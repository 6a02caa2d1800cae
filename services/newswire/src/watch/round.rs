//! One round after the other: see what has arrived, claim what is finished, work off what is claimed.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use jiff::{Timestamp, ToSpan};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::deliver::{Desk, End};
use super::folder::{Folder, Look, Place, called};
use super::{name, note, parcel};
use crate::client::{Verdict, verdict};
use crate::import::{MAX_FILE, Mistake, Reading};
use crate::output;

/// Between two looks at the folder.
const PAUSE: Duration = Duration::from_secs(1);
/// The same while a file cannot be moved.
const STUCK: Duration = Duration::from_secs(5);
/// Between two tries while the publisher does not answer, or the folder cannot be used.
const PAUSES: [u64; 6] = [1, 2, 5, 10, 30, 60];
/// A file that another watcher has claimed and not settled for so long is worked on here: that watcher is dead or stuck.
const ABANDONED: Duration = Duration::from_secs(30);
/// Files in one round that the disk may refuse to move before the rest waits: then it is the disk, not the files.
const MAX_STUCK: usize = 8;

pub(super) struct Watch {
    path: PathBuf,
    desk: Desk,
    reading: Reading,
    settle: Duration,
    /// Files in the folder, how they looked, and since when.
    arrived: HashMap<OsString, (Look, Instant)>,
    /// The same of files in work/; those of other watchers count from when they were first seen.
    claimed: HashMap<OsString, (Look, Instant)>,
    /// Files in work/ that are ours: claimed here, or found when we started.
    ours: std::collections::HashSet<OsString>,
    is_first: bool,
    last_claim: Timestamp,
    trouble: Trouble,
}

/// What does not work at present.
#[derive(Default)]
struct Trouble {
    /// What was complained of last.
    said: Option<String>,
    /// Rounds in a row that came to nothing. A file that cannot be moved is not one: the others go on beside it.
    failed: usize,
}

impl Trouble {
    /// A file cannot be moved.
    fn stuck(&mut self, error: &anyhow::Error) -> Duration {
        self.complain(error);
        self.failed = 0;
        STUCK
    }

    /// Nothing can be done.
    fn failed(&mut self, error: &anyhow::Error) -> Duration {
        self.complain(error);
        let pause = PAUSES[self.failed.min(PAUSES.len() - 1)];
        self.failed += 1;
        let asked = match verdict(error) {
            Verdict::Wait(after) => after,
            _ => None,
        };
        asked.unwrap_or(Duration::from_secs(pause))
    }

    /// Everything works; answers whether it did not before.
    fn over(&mut self) -> bool {
        std::mem::take(self).said.is_some()
    }

    /// Tells of a trouble once, however long it lasts.
    fn complain(&mut self, error: &anyhow::Error) {
        let text = format!("{error:#}");
        if self.said.as_ref() != Some(&text) {
            let text = output::plain(&text);
            output::complain(&format!("waiting: {text}; nothing is lost, it is tried again by itself\n"));
        }
        self.said = Some(text);
    }
}

impl Watch {
    pub(super) fn new(path: PathBuf, desk: Desk, reading: Reading, settle: Duration) -> Self {
        Self {
            path,
            desk,
            reading,
            settle,
            arrived: HashMap::new(),
            claimed: HashMap::new(),
            ours: std::collections::HashSet::new(),
            is_first: true,
            last_claim: Timestamp::MIN,
            trouble: Trouble::default(),
        }
    }

    /// One round; says how long to wait until the next.
    pub(super) async fn round(&mut self, stop: &CancellationToken) -> Duration {
        match self.work(stop).await {
            Ok(None) => {
                if self.trouble.over() {
                    output::complain("going on: everything works again\n");
                }
                PAUSE
            }
            Ok(Some(stuck)) => self.trouble.stuck(&stuck),
            Err(error) => self.trouble.failed(&error),
        }
    }

    /// Answers why a file could not be moved: one that somebody holds open on a network drive does not keep the others
    /// waiting.
    ///
    /// # Errors
    /// When the publisher or the whole folder does not do its part. Every file is where it was, or further.
    async fn work(&mut self, stop: &CancellationToken) -> anyhow::Result<Option<anyhow::Error>> {
        // Opened again each time: somebody may have removed a folder, or mounted one.
        let folder = Folder::open(&self.path)?;
        let mut stuck: Vec<anyhow::Error> = self.claim(&folder)?.into_iter().collect();
        for claim in self.due(&folder)? {
            if stop.is_cancelled() || stuck.len() >= MAX_STUCK {
                break;
            }
            let Some(end) = self.end(&folder, &claim).await? else { continue };
            if let Err(error) = self.settle(&folder, &claim, end) {
                stuck.push(error);
            }
        }
        Ok(stuck.into_iter().next())
    }

    /// Claims every file that has not changed for a while, in the order in which they were last written; answers why one
    /// of them could not be.
    fn claim(&mut self, folder: &Folder) -> anyhow::Result<Option<anyhow::Error>> {
        let found = folder.arrived().context("cannot list the folder")?;
        self.arrived = seen(&self.arrived, found);
        let rested = self.arrived.iter().filter(|(_, (_, since))| since.elapsed() >= self.settle);
        let mut finished: Vec<(Look, Instant, OsString)> =
            rested.map(|(called, (look, since))| (*look, *since, called.clone())).collect();
        // A correction that was written after its story is taken after it.
        finished.sort_by(|(a, _, one), (b, _, other)| a.changed.cmp(&b.changed).then_with(|| one.cmp(other)));
        let mut stuck = None;
        for (look, since, called) in finished {
            let claim = name::claimed(&called.to_string_lossy(), self.next_claim(), mark()?);
            let taken = match folder.claim(&called, &claim) {
                Ok(taken) => taken,
                Err(error) => {
                    let text = format!("cannot move {} into work/", called.to_string_lossy());
                    stuck.get_or_insert(anyhow::Error::from(error).context(text));
                    continue;
                }
            };
            self.arrived.remove(&called);
            if taken {
                self.ours.insert(claim.clone().into());
                self.claimed.insert(claim.into(), (look, since));
            }
        }
        Ok(stuck)
    }

    /// Claims sort in the order in which they were made, within a millisecond too.
    fn next_claim(&mut self) -> Timestamp {
        let next = self.last_claim.checked_add(1.millisecond()).unwrap_or(Timestamp::MAX);
        self.last_claim = service_kit::now().max(next);
        self.last_claim
    }

    /// The claimed files to work on, oldest claim first.
    fn due(&mut self, folder: &Folder) -> anyhow::Result<Vec<String>> {
        let found = folder.claimed().context("cannot list work/")?;
        if std::mem::take(&mut self.is_first) {
            // Left over from a run that was killed, or another watcher's; twice is harmless, never is not.
            self.ours.extend(found.iter().map(|(name, _)| name.clone()));
        }
        self.claimed = seen(&self.claimed, found);
        self.ours.retain(|name| self.claimed.contains_key(name));
        let rested = |name: &OsString, since: &Instant| {
            let needed = if self.ours.contains(name) { self.settle } else { self.settle + ABANDONED };
            since.elapsed() >= needed
        };
        let mut due: Vec<String> = Vec::new();
        // A name that is not ours to give is not UTF-8 either: somebody put it into work/ by hand.
        due.extend(
            self.claimed
                .iter()
                .filter(|(name, (_, since))| rested(name, since))
                .filter_map(|(name, _)| name.to_str().map(str::to_owned)),
        );
        due.sort();
        Ok(due)
    }

    /// How a claimed file ends; `None` when it is not whole yet, or another watcher has settled it meanwhile.
    ///
    /// # Errors
    /// When the publisher could not be asked, or does not let us.
    async fn end(&self, folder: &Folder, claim: &str) -> anyhow::Result<Option<End>> {
        let Some((before, _)) = self.claimed.get(OsStr::new(claim)).copied() else { return Ok(None) };
        let parcel = self.parcel(folder, claim).await;
        // Before anybody sees it, and after: whoever still writes to the file writes more than was read.
        if folder.look(claim)? != Some(before) {
            return Ok(None);
        }
        let end = match parcel {
            Ok(parcel) => self.desk.deliver(&parcel).await?,
            Err(mistakes) => End::Failed(mistakes),
        };
        let grown = folder.look(claim)?.is_some_and(|now| now != before);
        Ok((!grown).then_some(end))
    }

    fn settle(&mut self, folder: &Folder, claim: &str, end: End) -> anyhow::Result<()> {
        let (place, text, said) = match end {
            End::Done { text, note } => (Place::Done, note::result(claim, note), text),
            End::Failed(mistakes) => {
                let why = mistakes.first().map(|mistake| mistake.text.clone()).unwrap_or_default();
                let text = note::error(claim, &mistakes, service_kit::now());
                (Place::Failed, text, format!("failed: {}; see failed/{claim}.{}", why, Place::Failed.note()))
            }
        };
        if folder.settle(claim, place, &text)? {
            let line = format!("{}: {}\n", called(claim), output::plain(&said));
            match place {
                Place::Done => output::print(&line)?,
                Place::Failed => output::complain(&line),
            }
        }
        self.claimed.remove(OsStr::new(claim));
        Ok(())
    }

    /// Off the thread that watches: a large page takes the processor a while.
    async fn parcel(&self, folder: &Folder, claim: &str) -> Result<parcel::Parcel, Vec<Mistake>> {
        let bytes = folder.read(claim, MAX_FILE);
        let bytes = bytes.map_err(|error| vec![Mistake::other("E_FILE", format!("it cannot be read: {error}"))])?;
        let (reading, name) = (self.reading.clone(), called(claim));
        let parcel = tokio::task::spawn_blocking(move || parcel::read(&name, &bytes, &reading)).await;
        parcel.unwrap_or_else(|_| Err(vec![Mistake::other("E_UNACCOUNTED", "it could not be read; please report it")]))
    }
}

/// What is there now, each since when it has looked as it does.
fn seen(before: &HashMap<OsString, (Look, Instant)>, now: Vec<(OsString, Look)>) -> HashMap<OsString, (Look, Instant)> {
    let since = |name: &OsString, look: &Look| match before.get(name) {
        Some((earlier, since)) if earlier == look => *since,
        _ => Instant::now(),
    };
    now.into_iter().map(|(name, look)| (name.clone(), (look, since(&name, &look)))).collect()
}

/// Tells the claims of watchers apart that are made in the same millisecond.
fn mark() -> anyhow::Result<u16> {
    let mut mark = [0; 2];
    getrandom::fill(&mut mark).context("the operating system gives no random bytes")?;
    Ok(u16::from_le_bytes(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(size: u64) -> Look {
        Look { inode: 1, size, changed: (0, 0) }
    }

    #[test]
    fn a_file_that_is_stuck_makes_nobody_wait_longer_for_a_publisher_that_is_away() {
        let (stuck, away) = (anyhow::anyhow!("cannot write"), anyhow::anyhow!("no answer"));
        let mut trouble = Trouble::default();
        for _ in 0..10 {
            assert_eq!(trouble.stuck(&stuck), STUCK);
        }
        let waits: Vec<u64> = (0..7).map(|_| trouble.failed(&away).as_secs()).collect();
        assert_eq!(waits, [1, 2, 5, 10, 30, 60, 60]);
        trouble.stuck(&stuck);
        assert_eq!(trouble.failed(&away).as_secs(), 1, "the others went on in between");
        assert!(trouble.over() && !trouble.over());
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_rests_from_when_it_was_first_seen_as_it_is() {
        let file = |look: Look| vec![(OsString::from("a.txt"), look)];
        let rests = |seen: &HashMap<OsString, (Look, Instant)>| seen[&OsString::from("a.txt")].1.elapsed().as_secs();
        let mut known = seen(&HashMap::new(), file(look(1)));
        for (size, secs) in [(1, 1), (1, 2), (2, 0), (2, 1), (3, 0)] {
            tokio::time::advance(Duration::from_secs(1)).await;
            known = seen(&known, file(look(size)));
            assert_eq!(rests(&known), secs, "{size}");
        }
        let other = Look { inode: 2, ..look(3) };
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(rests(&seen(&known, file(other))), 0, "another file of the same name and size");
        assert!(seen(&known, Vec::new()).is_empty());
    }
}
