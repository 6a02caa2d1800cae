//! A service as a process: help, settings, telemetry, signals, exit code.

use std::future::Future;
use std::io::Write;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::Settings;
use crate::telemetry::Telemetry;

/// What a service's `main` knows of it.
pub struct Service<C> {
    pub name: &'static str,
    pub version: &'static str,
    /// One sentence for `--help`.
    pub about: &'static str,
    /// Prefix of its own settings, such as `NEWSWIRE_PUBLISHER_`.
    pub prefix: &'static str,
    /// Reads the configuration; mistakes are collected in the settings.
    pub read: fn(&mut Settings) -> Option<C>,
}

/// Wrong usage or configuration (BSD `sysexits.h`, `EX_USAGE`): restarting will not help.
const EXIT_USAGE: u8 = 64;
/// The service failed (`EX_SOFTWARE`).
const EXIT_FAILURE: u8 = 70;

/// Runs a service from its environment until SIGINT or SIGTERM.
///
/// Exit codes: 0 stopped when asked, 64 wrong settings (all of them named on stderr), 70 failed.
pub fn run_service<C, F>(service: &Service<C>, run: impl FnOnce(C, CancellationToken) -> F) -> ExitCode
where
    F: Future<Output = anyhow::Result<()>>,
{
    let mut settings = Settings::from_env();
    let telemetry = Telemetry::read(&mut settings);
    let config = (service.read)(&mut settings);
    let config = telemetry.zip(config);
    match std::env::args().nth(1).as_deref() {
        None => {}
        Some("--version" | "-V") => return say(&format!("{} {}\n", service.name, service.version)),
        Some("--help" | "-h") => return say(&help(service, &settings)),
        Some(other) => {
            return refuse(&format!(
                "there is no argument {other:?}; the settings are in the environment, see --help\n"
            ));
        }
    }
    let (telemetry, config) = match settings.finish(service.prefix, config) {
        Ok(config) => config,
        Err(mistakes) => return refuse(&format!("{}: cannot start\n{mistakes}\n", service.name)),
    };
    telemetry.start();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&format!("{}: cannot start its threads: {error}\n", service.name)),
    };
    runtime.block_on(async {
        let shutdown = CancellationToken::new();
        if let Err(error) = cancel_on_signal(shutdown.clone()) {
            tracing::error!(%error, "cannot listen for signals");
            return ExitCode::from(EXIT_FAILURE);
        }
        tracing::info!(version = service.version, "{} starts", service.name);
        match run(config, shutdown).await {
            Ok(()) => {
                tracing::info!("{} stopped", service.name);
                ExitCode::SUCCESS
            }
            Err(error) => {
                tracing::error!("{} failed: {error:#}", service.name);
                ExitCode::from(EXIT_FAILURE)
            }
        }
    })
}

/// The first SIGINT or SIGTERM asks for a shutdown, the second ends the process at once.
fn cancel_on_signal(shutdown: CancellationToken) -> std::io::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::spawn(async move {
        for last in [false, true] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if last {
                std::process::exit(i32::from(EXIT_FAILURE));
            }
            tracing::info!("stopping; once more to stop at once");
            shutdown.cancel();
        }
    });
    Ok(())
}

fn help<C>(service: &Service<C>, settings: &Settings) -> String {
    let mut text =
        format!("{} {}\n{}\n\nSettings, from the environment:\n", service.name, service.version, service.about);
    for setting in settings.known() {
        let fallback = match (setting.default, setting.required) {
            (Some(default), _) => format!(" [default: {default}]"),
            (None, true) => " [required]".to_owned(),
            (None, false) => String::new(),
        };
        text.push_str(&format!("  {}{fallback}\n      {}\n", setting.name, setting.help));
    }
    text
}

fn say(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(EXIT_FAILURE),
    }
}

fn refuse(text: &str) -> ExitCode {
    // Nobody is left to tell when stderr is closed.
    let _ = std::io::stderr().write_all(text.as_bytes());
    ExitCode::from(EXIT_USAGE)
}
