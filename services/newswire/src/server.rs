//! The NATS server that `token`, `webhook`, `source` and `provision` work on.

use std::collections::BTreeMap;

use bus::{Bus, TailEvent};
use service_kit::{Settings, nats_settings};
use tokio_util::sync::CancellationToken;
use topology::Stream;

use crate::Usage;

/// Connects as an operator, by the same settings as the services (`NEWSWIRE_NATS_…`).
pub(crate) async fn connect() -> anyhow::Result<Bus> {
    let mut settings = Settings::from_env();
    let server = nats_settings(&mut settings);
    // Not ours, and not misspelt either: the program that `newswire up` and the tests start.
    let _: Option<Option<String>> = settings.optional("NEWSWIRE_NATS_SERVER", "The nats-server program of newswire up");
    let server = settings.finish("NEWSWIRE_NATS_", server).map_err(|mistakes| Usage(mistakes.to_string()))?;
    Ok(Bus::connect(&server, "operator").await?)
}

/// The payload and the sequence of the last message of every subject under `subjects`, one of the stream's own, by
/// subject. It waits for a server that is away.
pub(crate) async fn records(
    bus: &Bus,
    stream: &Stream,
    subjects: &'static str,
) -> BTreeMap<String, (bytes::Bytes, u64)> {
    let stop = CancellationToken::new();
    let mut tail = bus.tail_subject(stream, subjects, stop.clone());
    let mut found = BTreeMap::new();
    while let Some(TailEvent::Message { subject, payload, sequence, .. }) = tail.next().await {
        found.insert(subject, (payload, sequence));
    }
    // To its end, before the connection goes: a tail that loses it says so.
    stop.cancel();
    while tail.next().await.is_some() {}
    found
}
