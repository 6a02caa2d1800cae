//! Pages imported per second on one core: `cargo run --release -p import --example throughput -- FILE…`; without
//! files, the English sample.

#![expect(clippy::print_stdout, reason = "a measurement run by hand reports on its standard output")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use import::{Options, import_text};

/// Long enough to even out the first page faults, short enough to wait for.
const RUN: Duration = Duration::from_secs(3);

fn main() -> std::io::Result<()> {
    let mut files: Vec<_> = std::env::args_os().skip(1).map(std::path::PathBuf::from).collect();
    if files.is_empty() {
        files.push(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/01-english.txt"));
    }
    for file in files {
        let page = std::fs::read(&file)?;
        let options = Options::default();
        let begin = Instant::now();
        let mut pages = 0_u32;
        while begin.elapsed() < RUN {
            for _ in 0..100 {
                black_box(import_text(black_box(&page), &options)).ok();
            }
            pages += 100;
        }
        let rate = f64::from(pages) / begin.elapsed().as_secs_f64();
        println!("{}: {} bytes, {rate:.0} pages/s, {:.1} µs each", file.display(), page.len(), 1e6 / rate);
    }
    Ok(())
}
