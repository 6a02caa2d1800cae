//! Keeps mails: in memory, and as `.eml` files when a folder is given.
//!
//! A file is whole and synced before the sender hears 250, so an accepted mail survives the mailbox being killed. Each
//! file opens with the trace fields a final delivery adds (RFC 5321 4.4), which carry the envelope over a restart.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::rfc2822::{self, DateTimePrinter};

use crate::mail::Mail;

/// Octets of all mails kept together; the oldest go first. A few large mails must not eat the machine.
const MAX_OCTETS: usize = 512 << 20;

pub(crate) struct Store {
    kept: Mutex<Kept>,
    last_number: AtomicU64,
    keep: usize,
    folder: Option<Folder>,
}

#[derive(Default)]
struct Kept {
    mails: BTreeMap<u64, Arc<Mail>>,
    octets: usize,
}

/// The folder and the lock that keeps a second mailbox from counting the same numbers.
struct Folder {
    path: PathBuf,
    _lock: File,
}

/// A mail on its way in.
pub(crate) struct Arrival {
    pub(crate) received: Timestamp,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    /// Who handed it over, for the Received field.
    pub(crate) via: String,
    pub(crate) raw: Bytes,
}

impl Store {
    pub(crate) fn in_memory(keep: usize) -> Self {
        Self { kept: Mutex::default(), last_number: AtomicU64::new(0), keep: keep.max(1), folder: None }
    }

    /// Opens a folder, creating it when absent, and reads the newest `keep` mails back.
    pub(crate) fn open(path: &Path, keep: usize) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        let lock = File::create(path.join("lock"))?;
        lock.try_lock().map_err(|error| io::Error::other(format!("another mailbox has it open ({error})")))?;
        let mut numbers = Vec::new();
        for entry in fs::read_dir(path)? {
            let file = entry?.path();
            if file.extension().is_some_and(|extension| extension == "part") {
                // Never acknowledged: the sender still has it.
                fs::remove_file(&file)?;
            } else if let Some(number) = number_of(&file) {
                numbers.push(number);
            }
        }
        numbers.sort_unstable();
        let mut store = Self::in_memory(keep);
        store.last_number = AtomicU64::new(numbers.last().copied().unwrap_or(0));
        store.folder = Some(Folder { path: path.to_owned(), _lock: lock });
        for number in numbers {
            let file = file_of(path, number);
            match decode(number, &fs::read(&file)?) {
                Some(mail) => store.insert(mail),
                None => tracing::warn!(file = %file.display(), "not a mail this mailbox wrote: left alone"),
            }
        }
        Ok(store)
    }

    /// Keeps a mail and gives its number. It blocks on the disk when there is a folder.
    ///
    /// # Errors
    /// The file could not be written; the mail is then not kept.
    pub(crate) fn keep(&self, arrival: Arrival) -> io::Result<u64> {
        let number = self.last_number.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(folder) = &self.folder {
            write(&folder.path, number, &arrival)?;
        }
        let Arrival { received, from, to, raw, .. } = arrival;
        self.insert(Mail { number, received, from, to, raw });
        Ok(number)
    }

    pub(crate) fn has_folder(&self) -> bool {
        self.folder.is_some()
    }

    pub(crate) fn last_number(&self) -> u64 {
        self.last_number.load(Ordering::Relaxed)
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().mails.len()
    }

    /// Oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<Mail>> {
        self.lock().mails.values().cloned().collect()
    }

    pub(crate) fn get(&self, number: u64) -> Option<Arc<Mail>> {
        self.lock().mails.get(&number).cloned()
    }

    /// The newest `count` mails numbered below `before`, newest first.
    pub(crate) fn page(&self, before: u64, count: usize) -> Vec<Arc<Mail>> {
        self.lock().mails.range(..before).rev().take(count).map(|(_, mail)| Arc::clone(mail)).collect()
    }

    fn insert(&self, mail: Mail) {
        let mut kept = self.lock();
        kept.octets += mail.raw.len();
        kept.mails.insert(mail.number, Arc::new(mail));
        while kept.mails.len() > self.keep || (kept.octets > MAX_OCTETS && kept.mails.len() > 1) {
            let Some((number, oldest)) = kept.mails.pop_first() else { break };
            kept.octets -= oldest.raw.len();
            if let Some(folder) = &self.folder {
                // One that cannot be removed comes back after a restart, and is tried again then.
                let _ = fs::remove_file(file_of(&folder.path, number));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().expect("no holder of this lock panics")
    }
}

fn file_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:010}.eml"))
}

fn number_of(file: &Path) -> Option<u64> {
    file.file_name()?.to_str()?.strip_suffix(".eml")?.parse().ok()
}

/// Whole and synced under a name that is not read back, then renamed: a kill leaves all of it or nothing.
fn write(folder: &Path, number: u64, arrival: &Arrival) -> io::Result<()> {
    let part = folder.join(format!("{number:010}.part"));
    let mut file = File::create(&part)?;
    file.write_all(trace(number, arrival).as_bytes())?;
    file.write_all(&arrival.raw)?;
    file.sync_all()?;
    fs::rename(&part, file_of(folder, number))?;
    File::open(folder)?.sync_all()
}

/// Return-Path, one Delivered-To per recipient, and Received as the last: what follows is the mail as it came.
fn trace(number: u64, arrival: &Arrival) -> String {
    let mut fields = format!("Return-Path: <{}>\r\n", arrival.from);
    for recipient in &arrival.to {
        fields.push_str(&format!("Delivered-To: {recipient}\r\n"));
    }
    let date = DateTimePrinter::new().timestamp_to_string(&arrival.received).unwrap_or_default();
    fields.push_str(&format!("Received: from {} by newswire-mailbox id {number}; {date}\r\n", arrival.via));
    fields
}

/// The reverse of [`trace`]; `None` for a file that does not begin so.
fn decode(number: u64, file: &[u8]) -> Option<Mail> {
    let (mut from, mut to, mut rest) = (None, Vec::new(), file);
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
        let line = std::str::from_utf8(&rest[..end]).ok()?;
        rest = &rest[end + 2..];
        match line.split_once(": ")? {
            ("Return-Path", path) => from = Some(path.strip_prefix('<')?.strip_suffix('>')?.to_owned()),
            ("Delivered-To", recipient) => to.push(recipient.to_owned()),
            ("Received", trace) => {
                let received = rfc2822::parse(trace.rsplit_once("; ")?.1).ok()?.timestamp();
                return Some(Mail { number, received, from: from?, to, raw: Bytes::copy_from_slice(rest) });
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(from: &str, to: &[&str], raw: &str) -> Arrival {
        let received = "2018-11-25T16:00:00Z".parse().expect("a time");
        let to = to.iter().map(|&to| to.to_owned()).collect();
        Arrival { received, from: from.into(), to, via: "mx.example (127.0.0.1)".into(), raw: raw.to_owned().into() }
    }

    #[test]
    fn a_folder_gives_back_what_was_kept() {
        let dir = tempfile::tempdir().expect("a folder");
        let cases = [
            ("", vec!["a@example.org"], ""),
            ("desk@example.org", vec!["a@example.org", "读者@例子.example"], "Received: x; y\r\n\r\n标题\r\n"),
            ("\"; \"@x.example", vec!["\"Delivered-To: \"@x.example"], "Delivered-To: z\r\n\r\n\u{0}🗞️\r\n"),
        ];
        let store = Store::open(dir.path(), 10).expect("open");
        for (from, to, raw) in &cases {
            store.keep(arrival(from, to, raw)).expect("kept");
        }
        let before: Vec<_> = store.all().iter().map(|mail| format!("{mail:?}")).collect();
        assert_eq!(before.len(), cases.len());
        drop(store);
        // What a kill leaves behind, and what does not belong here.
        fs::write(dir.path().join("0000000004.part"), "half").expect("write");
        fs::write(dir.path().join("0000000009.eml"), "Subject: someone else's\r\n\r\n").expect("write");
        fs::write(dir.path().join("notes.txt"), "mine").expect("write");
        let store = Store::open(dir.path(), 10).expect("open again");
        let after: Vec<_> = store.all().iter().map(|mail| format!("{mail:?}")).collect();
        assert_eq!(after, before);
        assert!(!dir.path().join("0000000004.part").exists());
        assert!(dir.path().join("notes.txt").exists() && dir.path().join("0000000009.eml").exists());
        assert_eq!(store.keep(arrival("", &["a@b"], "next")).expect("kept"), 10, "a number is never used twice");
    }

    #[test]
    fn the_oldest_go_first_from_memory_and_disk() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(dir.path(), 2).expect("open");
        for _ in 0..5 {
            store.keep(arrival("", &["a@b"], "x")).expect("kept");
        }
        let numbers = |store: &Store| store.all().iter().map(|mail| mail.number).collect::<Vec<_>>();
        assert_eq!(numbers(&store), [4, 5]);
        assert_eq!(store.page(5, 9).iter().map(|mail| mail.number).collect::<Vec<_>>(), [4]);
        drop(store);
        let store = Store::open(dir.path(), 1).expect("open");
        assert_eq!((numbers(&store), store.last_number()), (vec![5], 5));
        assert!(!file_of(dir.path(), 4).exists());
    }

    #[test]
    fn large_mails_do_not_fill_the_memory() {
        let store = Store::in_memory(1000);
        let raw = Bytes::from(vec![b'x'; 25 << 20]);
        for _ in 0..30 {
            store.keep(Arrival { raw: raw.clone(), ..arrival("", &["a@b"], "") }).expect("kept");
        }
        assert_eq!(store.all().len(), MAX_OCTETS / raw.len());
    }

    #[test]
    fn one_folder_belongs_to_one_mailbox() {
        let dir = tempfile::tempdir().expect("a folder");
        let _first = Store::open(dir.path(), 2).expect("open");
        assert!(Store::open(dir.path(), 2).is_err());
    }
}
