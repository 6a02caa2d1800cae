//! What is left of a subscriber who was erased, for whoever has to tell them.

use std::time::Duration;

use bus::{Bus, TailEvent};
use tokio_util::sync::CancellationToken;
use topology::JOBS;

use super::Remains;
use crate::store::Erased;
use crate::subscriber::SubscriberId;

/// How long plans are looked through.
const LOOK_FOR: Duration = Duration::from_secs(20);

/// What an erasure does not reach, or not at once.
pub(crate) async fn remains(bus: &Bus, erased: &Erased) -> Vec<Remains> {
    let mut remains = Vec::new();
    let mut add = |place: &str, what: String, until: &str| {
        remains.push(Remains { place: place.into(), what, until: until.into() });
    };
    if let Some(why) = &erased.suppressed {
        let what = format!("a keyed hash of the address, so that it is never written to again ({why})");
        add("SUBSCRIBERS", what, "for ever");
    }
    let Some(id) = erased.id else { return remains };
    let what = match naming(bus, id).await {
        Some(0) => None,
        Some(n) => Some(format!("{n} lists of recipients with the id {id}, which leads to nobody any more")),
        None => {
            Some(format!("lists of recipients with the id {id} (too many to count now); it leads to nobody any more"))
        }
    };
    if let Some(what) = what {
        add("JOBS, LEDGER", what, "400 days after each was sent");
    }
    if erased.anything {
        let reports = format!("reports of mails that came back, under the id {id}");
        add("INBOUND", reports, "7 days after each");
        let dead = "what nobody could handle, under the id or sealed with a key that is gone".to_owned();
        add("DEAD", dead, "90 days after each");
        let mark = format!("an empty message under the id {id}, by which every replica forgets");
        add("SUBSCRIBERS", mark, "30 days");
        let noise = "earlier copies of the record, sealed with a key that is gone".to_owned();
        add("files of nats-server", noise, "the server writes the file anew");
        let raft = "of three replicas: the key and the record in the log by which they agree".to_owned();
        add("logs of nats-server", raft, "three minutes, or until a replica that is down runs");
        let backups =
            "the key, if they have the stream KEYS; with the service's secret it opens a record in them".to_owned();
        add("backups made before", backups, "you delete them");
        let mails = "the mails themselves, and what its own logs say".to_owned();
        add("the relay and the receiver", mails, "they decide");
    }
    remains
}

/// Chunks of plans that name `id`; `None` when there was no time to look through all.
async fn naming(bus: &Bus, id: SubscriberId) -> Option<usize> {
    let stop = CancellationToken::new();
    let _stopped = stop.clone().drop_guard();
    let mut jobs = bus.tail(&JOBS, stop);
    let hex = id.to_string();
    let finder = memchr::memmem::Finder::new(hex.as_bytes());
    let count = async {
        let mut count = 0;
        while let Some(TailEvent::Message { payload, .. }) = jobs.next().await {
            count += usize::from(finder.find(&payload).is_some());
        }
        count
    };
    tokio::time::timeout(LOOK_FOR, count).await.ok()
}
