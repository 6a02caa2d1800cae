//! `newswire watch`: whatever is put into a folder is published, once.
//!
//! A file goes `FOLDER/` → `work/` → `done/` or `failed/`, by rename alone. In `work/` it bears a name that no other file ever
//! gets, so whoever works on it works on that content and no other; to work on it twice is harmless, because the
//! publisher does everything once. That is what makes several watchers and a crash at any point safe, with no locks,
//! which network file systems do not always have. The folder is looked at every second: those systems send no events
//! about what other machines do, and where there are events some get lost.

mod deliver;
mod folder;
mod name;
mod note;
mod parcel;
mod round;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use self::deliver::Desk;
use self::folder::Folder;
use self::round::Watch;
use crate::client::Target;
use crate::import::Reading;
use crate::intake::Revise;
use crate::{Usage, output, process};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder. work/, done/ and failed/ are made in it
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// How long a file must not grow before it is taken, in seconds. Programs that rename a finished file into the folder
    /// need none of it; uploads that stall need more
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = clap::value_parser!(u64).range(1..=3600))]
    settle: u64,
    /// What a page becomes that was published before with other words. The words of an editor who has revised the article
    /// since are never replaced
    #[arg(long, value_name = "KIND", default_value = "minor")]
    revise: Revise,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    reading: Reading,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let stop = CancellationToken::new();
    tokio::select! {
        done = watch(args, stop.clone()) => done.map(|()| ExitCode::SUCCESS),
        twice = process::signalled_twice(stop) => twice.map(|()| ExitCode::FAILURE),
    }
}

/// Until `stop`; then the file under way is finished.
async fn watch(args: Args, stop: CancellationToken) -> anyhow::Result<()> {
    // What is wrong now is a mistake in the command; later on it is waited out.
    Folder::open(&args.folder).map_err(|error| Usage(format!("{error:#}")))?;
    let desk = Desk::new(args.target.client()?, args.revise);
    output::print(&format!("watching {}\n", output::plain(&args.folder.display().to_string())))?;
    let mut watch = Watch::new(args.folder, desk, args.reading, Duration::from_secs(args.settle));
    while !stop.is_cancelled() {
        let pause = watch.round(&stop).await;
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
    output::print("stopped\n")
}
