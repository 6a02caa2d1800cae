//! The watched folder on the disk: `work/`, `done/` and `failed/` in it, and moves between them by rename alone.
//!
//! All names are looked up below folders that were opened once and never through a link, so that nothing outside the folder
//! is read or moved, whatever is put into it meanwhile.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use anyhow::Context;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, mkdirat, open, openat, renameat, statat, unlinkat};
use rustix::io::Errno;

use super::name::original;

/// The most files looked at in one folder in one round; the rest waits for the next one.
const MAX_LISTED: usize = 10_000;

const HERE: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);

pub(super) struct Folder {
    root: OwnedFd,
    work: OwnedFd,
    done: OwnedFd,
    failed: OwnedFd,
}

/// What tells whether somebody is still writing to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) inode: u64,
    pub(super) size: u64,
    /// Seconds and nanoseconds of its last change.
    pub(super) changed: (i64, i64),
}

/// Where a file goes once it is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Done,
    Failed,
}

impl Place {
    /// The ending of the note beside a file.
    pub(super) fn note(self) -> &'static str {
        match self {
            Self::Done => "result.json",
            Self::Failed => "error.txt",
        }
    }
}

impl Folder {
    /// Opens `path` and what is needed in it, making it where it is missing.
    ///
    /// # Errors
    /// When it is no folder, or nothing can be made or moved in it.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let root =
            open(path, HERE, Mode::empty()).with_context(|| format!("cannot open the folder {}", path.display()))?;
        let part = |name: &str| {
            match mkdirat(&root, name, Mode::RWXU | Mode::RWXG) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error).with_context(|| format!("cannot make {name}/ in {}", path.display())),
            }
            let part = openat(&root, name, HERE | OFlags::NOFOLLOW, Mode::empty());
            part.with_context(|| format!("{name}/ in {} is no folder that can be used", path.display()))
        };
        Ok(Self { work: part("work")?, done: part("done")?, failed: part("failed")?, root })
    }

    /// Files that were put into the folder.
    pub(super) fn arrived(&self) -> rustix::io::Result<Vec<(OsString, Look)>> {
        list(&self.root, |name| !crate::import::is_unfinished(name))
    }

    /// Files that were claimed, by this watcher or another, and are not settled.
    pub(super) fn claimed(&self) -> rustix::io::Result<Vec<(OsString, Look)>> {
        // A long name may have been cut to one that looks unfinished.
        list(&self.work, |_| true)
    }

    /// Makes `called` ours under the name `claim`; `false` when another watcher has it.
    pub(super) fn claim(&self, called: &OsStr, claim: &str) -> rustix::io::Result<bool> {
        match renameat(&self.root, called, &self.work, claim) {
            Ok(()) => Ok(true),
            // Or work/ itself was removed; the next look at it tells.
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What a claimed file looks like now; `None` when it is settled.
    pub(super) fn look(&self, claim: &str) -> rustix::io::Result<Option<Look>> {
        look(&self.work, claim)
    }

    /// At most `limit` bytes of a claimed file.
    pub(super) fn read(&self, claim: &str, limit: u64) -> std::io::Result<Vec<u8>> {
        // NONBLOCK: a pipe in the file's place must not stop us.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(openat(&self.work, claim, flags, Mode::empty())?);
        if !file.metadata()?.is_file() {
            return Err(std::io::Error::other("it is not a file"));
        }
        let mut bytes = Vec::new();
        file.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Moves a claimed file to its place, with a note beside it; `false` when another watcher has moved it.
    pub(super) fn settle(&self, claim: &str, place: Place, note: &str) -> anyhow::Result<bool> {
        let (target, other) = match place {
            Place::Done => (&self.done, (&self.failed, Place::Failed)),
            Place::Failed => (&self.failed, (&self.done, Place::Done)),
        };
        let noted = format!("{claim}.{}", place.note());
        // First the note: a file in failed/ without a reason would be a riddle, a note without its file is put right when
        // the file is worked on again.
        self.write(target, &noted, note).with_context(|| format!("cannot write {noted}"))?;
        match renameat(&self.work, claim, target, claim) {
            Ok(()) => {
                let stale = format!("{claim}.{}", other.1.note());
                remove(other.0, &stale).with_context(|| format!("cannot remove {stale}"))?;
                Ok(true)
            }
            Err(Errno::NOENT) if self.look(claim)?.is_none() => {
                // Another watcher was faster. If it came to another end, its note stands and ours goes.
                if look(target, claim)?.is_none() {
                    remove(target, &noted).with_context(|| format!("cannot remove {noted}"))?;
                }
                Ok(false)
            }
            Err(error) => Err(error).with_context(|| format!("cannot move {claim} to its place")),
        }
    }

    /// Whole or not at all, for readers and after a loss of power.
    fn write(&self, folder: &OwnedFd, name: &str, text: &str) -> std::io::Result<()> {
        let unfinished = format!(".{name}.tmp");
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::WGRP;
        let mut file = File::from(openat(folder, &unfinished, flags, mode)?);
        let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
        if written.is_err() {
            // A full disk gets its bytes back.
            let _ = unlinkat(folder, &unfinished, AtFlags::empty());
            return written;
        }
        match renameat(folder, &unfinished, folder, name) {
            // Another watcher at the same file has moved the note into its place.
            Err(Errno::NOENT) => Ok(()),
            done => Ok(done?),
        }
    }
}

fn remove(folder: &OwnedFd, name: &str) -> rustix::io::Result<()> {
    match unlinkat(folder, name, AtFlags::empty()) {
        Err(Errno::NOENT) => Ok(()),
        done => done,
    }
}

/// Plain files with names that are `wanted`. Folders, links, pipes and devices are nobody's news.
fn list(folder: &OwnedFd, wanted: impl Fn(&str) -> bool) -> rustix::io::Result<Vec<(OsString, Look)>> {
    let mut files = Vec::new();
    for entry in Dir::read_from(folder)? {
        let name = OsString::from_vec(entry?.file_name().to_bytes().to_vec());
        if !wanted(&name.to_string_lossy()) {
            continue;
        }
        if let Some(look) = look(folder, name.as_os_str())? {
            files.push((name, look));
        }
        if files.len() == MAX_LISTED {
            break;
        }
    }
    Ok(files)
}

fn look(folder: impl AsFd, name: impl AsRef<OsStr>) -> rustix::io::Result<Option<Look>> {
    let stat = match statat(folder, name.as_ref().as_bytes(), AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => stat,
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(error),
    };
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Ok(None);
    }
    #[expect(clippy::useless_conversion, reason = "these types differ between platforms")]
    let look = Look {
        inode: stat.st_ino as u64,
        size: stat.st_size as u64,
        changed: (stat.st_mtime.into(), stat.st_mtime_nsec as i64),
    };
    Ok(Some(look))
}

/// What a claimed file was called, for people.
pub(super) fn called(claim: &str) -> String {
    crate::output::plain(original(claim))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    use super::*;

    fn folder() -> (tempfile::TempDir, Folder, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        let path = dir.path().to_owned();
        (dir, folder, path)
    }

    fn names(files: Vec<(OsString, Look)>) -> Vec<String> {
        let mut names: Vec<String> = files.into_iter().map(|(name, _)| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn only_finished_plain_files_have_arrived() {
        let (outside, (_dir, folder, path)) = (tempfile::tempdir().unwrap(), folder());
        let secret = outside.path().join("secret.txt");
        fs::write(&secret, "secret").unwrap();
        for name in ["a.txt", "新闻.json", ".hidden", "b.txt.part", "c.tmp", "d~"] {
            fs::write(path.join(name), "x").unwrap();
        }
        symlink(&secret, path.join("link.txt")).unwrap();
        fs::create_dir(path.join("sub.txt")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, path.join("pipe.txt"), FileType::Fifo, Mode::RWXU, 0).unwrap();
        assert_eq!(names(folder.arrived().unwrap()), ["a.txt", "新闻.json"]);
        // Even when a link takes the place of a file that was looked at.
        symlink(&secret, path.join("work/w.txt")).unwrap();
        assert!(folder.read("w.txt", 10).is_err());
        assert_eq!(folder.look("w.txt").unwrap(), None);
    }

    #[test]
    fn a_name_that_was_cut_short_is_worked_on_all_the_same() {
        let (_dir, folder, path) = folder();
        let called = format!("{}~{}", "x".repeat(173), "x".repeat(60));
        fs::write(path.join(&called), "x").unwrap();
        let claim = super::super::name::claimed(&called, "2026-11-22T10:15:30Z".parse().unwrap(), 1);
        assert!(claim.ends_with('~') && folder.claim(OsStr::new(&called), &claim).unwrap());
        assert_eq!(names(folder.claimed().unwrap()), [claim]);
    }

    #[test]
    fn what_two_watchers_want_one_gets_and_a_new_file_of_the_name_is_safe() {
        let (_dir, one, path) = folder();
        let two = Folder::open(&path).unwrap();
        fs::write(path.join("a.txt"), "first").unwrap();
        assert!(one.claim(OsStr::new("a.txt"), "1-a.txt").unwrap());
        assert!(!two.claim(OsStr::new("a.txt"), "2-a.txt").unwrap());
        fs::write(path.join("a.txt"), "second").unwrap();
        // The first watcher died; the second works on what it had, then the first one wakes up.
        assert!(two.settle("1-a.txt", Place::Done, "{}").unwrap());
        assert!(!one.settle("1-a.txt", Place::Failed, "why").unwrap());
        assert!(!path.join("failed/1-a.txt.error.txt").exists(), "there is no such file in failed/");
        assert_eq!(fs::read_to_string(path.join("done/1-a.txt")).unwrap(), "first");
        assert_eq!(fs::read_to_string(path.join("done/1-a.txt.result.json")).unwrap(), "{}");
        assert_eq!(fs::read_to_string(path.join("a.txt")).unwrap(), "second");
    }

    #[test]
    fn a_file_that_was_worked_on_twice_has_the_note_of_its_end() {
        let (_dir, folder, path) = folder();
        fs::write(path.join("work/1-a.txt"), "x").unwrap();
        // Killed between the note and the move.
        fs::write(path.join("failed/1-a.txt.error.txt"), "why").unwrap();
        assert!(folder.settle("1-a.txt", Place::Done, "{}").unwrap());
        assert!(!path.join("failed/1-a.txt.error.txt").exists());
        let left: Vec<_> = fs::read_dir(path.join("done")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 2, "{left:?}");
    }

    #[test]
    fn a_place_that_was_removed_is_told_and_nothing_is_lost() {
        let (_dir, folder, path) = folder();
        fs::write(path.join("work/1-a.txt"), "x").unwrap();
        fs::remove_dir(path.join("done")).unwrap();
        assert!(folder.settle("1-a.txt", Place::Done, "{}").is_err());
        assert!(path.join("work/1-a.txt").exists());
        let again = Folder::open(&path).unwrap();
        assert!(again.settle("1-a.txt", Place::Done, "{}").unwrap());
        // Somebody else's folder in the place of ours.
        let outside = tempfile::tempdir().unwrap();
        fs::remove_dir(path.join("failed")).unwrap();
        symlink(outside.path(), path.join("failed")).unwrap();
        assert!(Folder::open(&path).is_err());
    }
}
