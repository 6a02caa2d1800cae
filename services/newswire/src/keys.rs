//! `newswire keys`: who the services are to the NATS server.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use nkeys::{KeyPair, KeyPairType};
use topology::{OPERATOR, SERVICES, nkey_variable};

use crate::output;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where the private halves are kept: one file for each service, one for the operator. What is there stays
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// Makes the keys that are missing and prints the public half of each, as the server's configuration wants them.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let folder = &args.folder;
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut lines = String::new();
    for identity in SERVICES.iter().chain([&OPERATOR]) {
        let key = key(&folder.join(format!("{identity}.nkey")))?;
        lines.push_str(&format!("{}={}\n", nkey_variable(identity), key.public_key()));
    }
    output::print(&lines)?;
    output::complain(&format!("the private halves are in {}; keep them as you keep passwords\n", folder.display()));
    Ok(ExitCode::SUCCESS)
}

/// The key in `path`, which is made if it is not there: a key that is in use must survive a second run.
fn key(path: &Path) -> anyhow::Result<KeyPair> {
    let shown = path.display();
    match fs::read_to_string(path) {
        Ok(seed) => match KeyPair::from_seed(seed.trim()) {
            Ok(pair) if matches!(pair.key_pair_type(), KeyPairType::User) => Ok(pair),
            Ok(_) | Err(_) => bail!("{shown} holds no nkey seed of a user (SU…); move it away to get a new one"),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let pair = KeyPair::new_user();
            let seed = pair.seed().with_context(|| format!("no seed for {shown}"))?;
            write(path, &seed).with_context(|| format!("cannot write {shown}"))?;
            Ok(pair)
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {shown}")),
    }
}

/// Readable by its owner only, from the first moment.
fn write(path: &Path, seed: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{seed}")?;
    file.sync_all()
}
