//! Content codings: which there are, how hard we try, and who does it when.
//!
//! Nobody waits for a compressor. A document that is new is compressed quickly once it has stood for a moment; one that has
//! stood longer and is still asked for is compressed again, thoroughly, and that takes the quick one's place. A coding
//! that nobody asks for is not made.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::document::Document;

/// How a document may be coded on its way. The order is that of preference: from most to fewest bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Coding {
    Gzip,
    Zstd,
    Brotli,
}

impl Coding {
    pub(crate) const ALL: [Self; 3] = [Self::Gzip, Self::Zstd, Self::Brotli];

    /// The name in `Content-Encoding`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Brotli => "br",
        }
    }
}

/// How much time a compressor may take for how few bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Effort {
    /// Some milliseconds.
    Quick,
    /// Up to some hundred milliseconds, for what many will fetch.
    Thorough,
}

/// Levels as measured on a feed of 131 KB, two thirds English and one third Chinese: gzip 2.0 ms for 44.7 KB and 4.9 ms for
/// 43.4, Zstandard 0.6 ms for 40.6 KB and 20 ms for 33.5, Brotli 3.7 ms for 35.5 KB and 350 ms for 30.9. What lies between
/// costs nearly as much as the better of them, and what is beyond saves a per cent.
pub(crate) fn encode(coding: Coding, effort: Effort, body: &[u8]) -> Bytes {
    let room = Vec::with_capacity(body.len() / 4);
    let quick = effort == Effort::Quick;
    let encoded = match coding {
        Coding::Gzip => {
            let mut encoder = GzEncoder::new(room, Compression::new(if quick { 3 } else { 9 }));
            encoder.write_all(body).and_then(|()| encoder.finish())
        }
        Coding::Zstd => zstd::bulk::compress(body, if quick { 3 } else { 15 }),
        Coding::Brotli => {
            // The window takes in a feed of the largest size.
            let mut encoder = brotli::CompressorWriter::new(room, 16 * 1024, if quick { 5 } else { 11 }, 20);
            encoder.write_all(body).map(|()| encoder.into_inner())
        }
    };
    let mut encoded = encoded.expect("writing to memory does not fail");
    encoded.shrink_to_fit();
    encoded.into()
}

/// A new document is compressed when it has stood this long: in a flood most are replaced before.
const STOOD: Duration = Duration::from_millis(50);

/// One that is still asked for after this long is compressed thoroughly.
pub(crate) const THOROUGH_AFTER: Duration = Duration::from_secs(5);

/// After that, as many times as long no other is: a quarter of a core at most goes into it.
const REST: u32 = 3;

/// Documents that may wait to be compressed, in each queue. What finds no place is asked for again by its next reader.
const QUEUE: usize = 4096;

/// What is to be made of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Work {
    Encode(Coding, Effort),
    /// The step from the version before, for readers who have that as a dictionary.
    Step,
}

struct Job {
    document: Weak<Document>,
    work: Work,
    not_before: Instant,
}

/// Takes documents to be compressed; never waits.
#[derive(Debug, Clone)]
pub(crate) struct Packer {
    quick: mpsc::Sender<Job>,
    thorough: mpsc::Sender<Job>,
    grown: Arc<AtomicUsize>,
}

impl Packer {
    /// And what it needs to be run by [`Packing::run`].
    pub(crate) fn new() -> (Self, Packing) {
        let ((quick, quick_jobs), (thorough, thorough_jobs)) = (mpsc::channel(QUEUE), mpsc::channel(QUEUE));
        let grown = Arc::<AtomicUsize>::default();
        let packing = Packing { quick: quick_jobs, thorough: thorough_jobs, grown: grown.clone() };
        (Self { quick, thorough, grown }, packing)
    }

    /// Notes bytes of memory that documents take from now on.
    pub(crate) fn grew(&self, bytes: usize) {
        self.grown.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The bytes noted since this was last asked. What went meanwhile is in it.
    pub(crate) fn take_grown(&self) -> usize {
        self.grown.swap(0, Ordering::Relaxed)
    }

    /// Whether there was a place for it.
    pub(crate) fn queue(&self, document: Weak<Document>, work: Work) -> bool {
        let thorough = matches!(work, Work::Encode(_, Effort::Thorough));
        let (queue, wait) = if thorough { (&self.thorough, Duration::ZERO) } else { (&self.quick, STOOD) };
        queue.try_send(Job { document, work, not_before: Instant::now() + wait }).is_ok()
    }
}

/// The other end of a [`Packer`].
pub(crate) struct Packing {
    quick: mpsc::Receiver<Job>,
    thorough: mpsc::Receiver<Job>,
    grown: Arc<AtomicUsize>,
}

impl Packing {
    /// Compresses on threads that answer nobody, until the last packer is dropped.
    pub(crate) async fn run(self) {
        tokio::join!(work_off(self.quick, 0, &self.grown), work_off(self.thorough, REST, &self.grown));
    }
}

/// Does one job after the other, and rests after each `rest` times as long as it took.
async fn work_off(mut jobs: mpsc::Receiver<Job>, rest: u32, grown: &AtomicUsize) {
    while let Some(job) = jobs.recv().await {
        tokio::time::sleep_until(job.not_before).await;
        // Replaced meanwhile: nobody will ask for it.
        let Some(document) = job.document.upgrade() else { continue };
        let begin = Instant::now();
        match tokio::task::spawn_blocking(move || document.work(job.work)).await {
            Ok(bytes) => drop(grown.fetch_add(bytes, Ordering::Relaxed)),
            Err(_panicked) => {
                tracing::error!(work = ?job.work, "compressing a document panicked; it goes out as it is");
            }
        }
        tokio::time::sleep(begin.elapsed() * rest).await;
    }
}
