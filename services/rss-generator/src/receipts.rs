//! Says on the log that a kill has been carried out here, so that the newsroom can see when its text was gone.

use std::time::Duration;

use article::{Article, ArticleId, ChangeKind, Status};
use bus::{Bus, HeaderMap};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use topology::{RECEIPTS, subjects};

/// Kills whose receipt may wait to be written. More hold up the documents, which only happens while the server is
/// away after a mass kill.
const WAITING: usize = 4096;

/// Between two tries; each has tried for a while itself.
const AGAIN: Duration = Duration::from_secs(1);

/// Whoever reads of an older kill has only just started: it never showed the text, and nobody waits for it.
const LIVE: SignedDuration = SignedDuration::from_hours(1);

/// One kill that has been carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Killed {
    pub(crate) article: ArticleId,
    pub(crate) revision: u32,
}

impl Killed {
    /// `None` when the revision is no kill, or was `stored` too long ago to be answered.
    pub(crate) fn of(article: &Article, stored: Timestamp, now: Timestamp) -> Option<Self> {
        let kills = article.status == Status::Killed && article.change.kind == ChangeKind::Kill;
        let live = now.duration_since(stored) < LIVE;
        (kills && live).then_some(Self { article: article.id, revision: article.revision })
    }
}

/// Takes kills and when they were carried out, and writes a receipt for each until `shutdown`; `tasks` has the task.
/// Those not written by then are at the next start, for the log still has the kills.
pub(crate) fn receipts(
    bus: Bus,
    instance: String,
    tasks: &TaskTracker,
    shutdown: CancellationToken,
) -> mpsc::Sender<(Killed, Timestamp)> {
    let (sender, mut waiting) = mpsc::channel::<(Killed, Timestamp)>(WAITING);
    let writing = async move {
        while let Some((killed, at)) = waiting.recv().await {
            while let Err(cause) = write(&bus, &instance, killed, at).await {
                tracing::warn!(article = %killed.article, cause, "the receipt of a kill cannot be written; trying on");
                tokio::time::sleep(AGAIN).await;
            }
        }
    };
    tasks.spawn(async move { shutdown.run_until_cancelled(writing).await });
    sender
}

/// Writes the receipt, unless one of this kill stands: the first one tells the truth about the time.
async fn write(bus: &Bus, instance: &str, killed: Killed, at: Timestamp) -> Result<(), String> {
    let subject = subjects::receipt(&killed.article, "rss-generator", instance);
    let standing = bus.last(&RECEIPTS, &subject).await.map_err(|error| error.to_string())?;
    let standing = standing.and_then(|stored| serde_json::from_slice::<serde_json::Value>(&stored.payload).ok());
    if standing.is_some_and(|receipt| receipt["revision"].as_u64() >= Some(killed.revision.into())) {
        return Ok(());
    }
    let receipt = serde_json::json!({ "revision": killed.revision, "applied_at": at });
    let message_id = format!("{subject}/{}", killed.revision);
    let written = bus.publish(&RECEIPTS, &subject, &message_id, HeaderMap::new(), receipt.to_string().into(), None);
    written.await.map(|_| ()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use article::Command;

    use super::*;
    use crate::samples::{at, create, document, then};

    #[test]
    fn only_a_kill_of_the_last_hour_is_answered() {
        let first = create(1, &document("World", "2026-01-01T00:00:00Z"), "2026-01-01T00:00:00Z");
        let withdrawn = then(&first, Command::Withdraw { note: "Doubtful.".into() }, "2026-01-02T00:00:00Z");
        let killed = then(&withdrawn, Command::Kill { note: "Order.".into() }, "2026-01-03T00:00:00Z");
        let (stored, now) = (at("2026-01-03T00:00:00Z"), at("2026-01-03T00:59:59Z"));
        assert_eq!(Killed::of(&killed, stored, now), Some(Killed { article: first.id, revision: 3 }));
        assert_eq!(Killed::of(&killed, stored, at("2026-01-03T01:00:00Z")), None);
        assert_eq!(Killed::of(&first, stored, now), None);
        assert_eq!(Killed::of(&withdrawn, stored, now), None);
    }
}
