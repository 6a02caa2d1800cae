//! The one folder in which `newswire up` keeps everything.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use service_kit::Secret;

/// The folder, locked: two servers on one store would ruin it.
pub(crate) struct Folder {
    path: PathBuf,
    /// Held as long as the process lives; the system releases it even after a kill -9.
    _lock: File,
}

impl Folder {
    /// Opens or makes the folder, readable by its owner only: it holds mail and secrets.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder
            .create(path)
            .with_context(|| format!("cannot make the folder {}; --data names another", path.display()))?;
        let path = path.canonicalize().with_context(|| format!("cannot enter {}", path.display()))?;
        let lock = File::create(path.join("lock")).with_context(|| format!("cannot write in {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                bail!(
                    "another newswire up is using {}; stop it, or give this one another folder with --data",
                    path.display()
                )
            }
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The secret of this name, made of 32 random bytes the first time.
    pub(crate) fn secret(&self, name: &str) -> anyhow::Result<Secret> {
        if let Some(known) = self.read(name)? {
            return Ok(Secret::new(known));
        }
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("the system gives no random bytes: {error}"))?;
        let secret = URL_SAFE_NO_PAD.encode(bytes);
        self.write(name, &secret)?;
        Ok(Secret::new(secret))
    }

    /// The content of a file in the folder; `None` when there is none.
    pub(crate) fn read(&self, name: &str) -> anyhow::Result<Option<String>> {
        let path = self.path.join(name);
        match std::fs::read_to_string(&path) {
            Ok(text) if !text.trim().is_empty() => Ok(Some(text.trim().to_owned())),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Writes a file whole or not at all, for its owner only.
    pub(crate) fn write(&self, name: &str, content: &str) -> anyhow::Result<()> {
        let (path, fresh) = (self.path.join(name), self.path.join(format!("{name}.new")));
        let write = || -> std::io::Result<()> {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
            file.write_all(content.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&fresh, &path)
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }
}
