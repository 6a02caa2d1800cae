//! The NATS server that `token`, `source` and `provision` work on.

use bus::Bus;
use service_kit::{Settings, nats_settings};

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
