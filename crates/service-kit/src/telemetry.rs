//! Logs on stderr: a line for a person on a terminal, JSON for a collector.

use tracing_subscriber::EnvFilter;

use crate::Settings;

/// How to log.
#[derive(Debug, Clone)]
pub(crate) struct Telemetry {
    filter: String,
    json: bool,
}

impl Telemetry {
    pub(crate) fn read(settings: &mut Settings) -> Option<Self> {
        let filter: Option<String> =
            settings.value("NEWSWIRE_LOG", "info", "What to log, such as info or bus=debug,info");
        let format: Option<String> =
            settings.value("NEWSWIRE_LOG_FORMAT", "text", "text for people, json for collectors");
        let (filter, format) = (filter?, format?);
        if let Err(error) = EnvFilter::try_new(&filter) {
            return settings.mistake(format!("NEWSWIRE_LOG: {filter:?} will not do: {error}"));
        }
        match format.as_str() {
            "text" | "json" => Some(Self { filter, json: format == "json" }),
            _ => settings.mistake(format!("NEWSWIRE_LOG_FORMAT: {format:?} is neither text nor json")),
        }
    }

    /// Starts logging for the whole process; a second call is ignored.
    pub(crate) fn start(&self) {
        let builder = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(&self.filter))
            .with_writer(std::io::stderr)
            .with_target(true);
        let started = if self.json {
            builder.json().flatten_event(true).try_init()
        } else {
            builder.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init()
        };
        if let Err(error) = started {
            tracing::debug!(%error, "logging was started before");
        }
    }
}
