//! Where tests keep what nobody reads after them.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;

/// Files in memory, on Linux.
const MEMORY: &str = "/dev/shm";

/// Bytes that must be free there; no test writes a tenth of it.
const ROOM: u64 = 2 << 30;

static ON_DISK: AtomicBool = AtomicBool::new(false);

/// A folder for a server's store, in memory where there is room. Such a server syncs every write, and stands still for
/// seconds on a disk that others keep busy, which no test is about. What kill -9 leaves behind is the same in both.
///
/// # Panics
/// When no folder can be made.
pub fn scratch() -> TempDir {
    let mut folder = tempfile::Builder::new();
    folder.prefix("newswire-");
    let on_disk = ON_DISK.load(Ordering::Relaxed) || !has_room(Path::new(MEMORY));
    let made = if on_disk { folder.tempdir() } else { folder.tempdir_in(MEMORY) };
    made.expect("a temporary folder")
}

/// From now on on disk, in this process: for measurements, which are of the disk, too.
pub fn scratch_on_disk() {
    ON_DISK.store(true, Ordering::Relaxed);
}

fn has_room(folder: &Path) -> bool {
    rustix::fs::statvfs(folder).is_ok_and(|found| found.f_bavail.saturating_mul(found.f_frsize) >= ROOM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_a_folder_and_on_disk_if_that_is_wanted() {
        let folder = scratch();
        std::fs::write(folder.path().join("file"), "words").expect("it can be written to");
        assert_eq!(folder.path().starts_with(MEMORY), has_room(Path::new(MEMORY)));
        assert!(!has_room(Path::new("/no/such/folder")));
        scratch_on_disk();
        assert!(!scratch().path().starts_with(MEMORY));
        ON_DISK.store(false, Ordering::Relaxed);
    }
}
