//! What the process owes its surroundings: a log, and ears for signals.

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::Usage;

/// Logs on stderr what needs somebody's attention; `NEWSWIRE_LOG` asks for more.
pub(crate) fn log() -> anyhow::Result<()> {
    const VARIABLE: &str = "NEWSWIRE_LOG";
    let filter = std::env::var(VARIABLE).ok().filter(|filter| !filter.is_empty()).unwrap_or_else(|| "warn".into());
    let filter =
        EnvFilter::try_new(&filter).map_err(|error| Usage(format!("{VARIABLE}: {filter:?} will not do: {error}")))?;
    let colour = std::io::IsTerminal::is_terminal(&std::io::stderr());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colour).init();
    Ok(())
}

/// The first SIGINT or SIGTERM asks for the end; returns at the second.
pub(crate) async fn signalled_twice(shutdown: CancellationToken) -> anyhow::Result<()> {
    let listen = |kind| signal(kind).context("cannot listen for signals");
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    for _ in 0..2 {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        shutdown.cancel();
    }
    Ok(())
}
