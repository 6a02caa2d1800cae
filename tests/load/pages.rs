//! Text pages imported per second on one core.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use import::{Options, import_text};

use crate::figures::{Scale, row};

/// Imports between two looks at the clock.
const ROUND: u32 = 50;

/// The importer's own samples, and the page that the project began with where it is at hand.
pub(crate) fn measure(scale: Scale) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut samples = pages(&root.join("crates/import/samples"));
    samples.sort();
    let (mut bytes, mut spent, mut slowest) = (0, Duration::ZERO, Duration::ZERO);
    for page in &samples {
        let each = time(page, scale.import);
        bytes += page.len();
        spent += each;
        slowest = slowest.max(each);
    }
    let count = samples.len();
    row(
        &format!("the {count} sample pages, {} bytes on average", bytes / count),
        &figure(spent / count as u32, bytes / count),
    );
    row("the slowest of them", &format!("{:.0} pages/s", 1.0 / slowest.as_secs_f64()));
    match fs::read(root.join("../shared/fixtures/pages/00-seed.txt")) {
        Ok(seed) => row(&format!("a real page, {} bytes", seed.len()), &figure(time(&seed, scale.import), seed.len())),
        Err(_) => row("a real page", &"skipped: the shared fixtures are not here"),
    }
}

/// The pages of a folder that can be imported, not those that show how one is refused.
fn pages(folder: &Path) -> Vec<Vec<u8>> {
    let files = fs::read_dir(folder).expect("the samples").map(|entry| entry.expect("a readable folder").path());
    let texts = files.filter(|path: &PathBuf| path.extension().is_some_and(|extension| extension == "txt"));
    let pages = texts.map(|path| fs::read(path).expect("a readable page"));
    pages.filter(|page| import_text(page, &Options::default()).is_ok()).collect()
}

/// How long one import takes, on average over `limit`.
fn time(page: &[u8], limit: Duration) -> Duration {
    let options = Options::default();
    let (begin, mut imported) = (Instant::now(), 0);
    while begin.elapsed() < limit {
        for _ in 0..ROUND {
            black_box(import_text(black_box(page), &options)).expect("it was imported before");
        }
        imported += ROUND;
    }
    begin.elapsed() / imported
}

fn figure(each: Duration, bytes: usize) -> String {
    let seconds = each.as_secs_f64();
    format!("{:.0} pages/s, {:.1} µs each, {:.0} MB/s", 1.0 / seconds, seconds * 1e6, bytes as f64 / seconds / 1e6)
}
