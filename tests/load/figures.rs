//! What is measured how often, and how a figure is printed.

use std::fmt;
use std::time::Duration;

/// How often everything is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// How long one page is imported again and again.
    pub(crate) import: Duration,
    /// Repetitions of the raw operations of disk and server.
    pub(crate) baseline: usize,
    /// Articles published one after the other while somebody reads the feed.
    pub(crate) feed: usize,
    /// Articles published at each degree of concurrency.
    pub(crate) create: usize,
    /// Different selections that are stored at once, and articles they are asked about.
    pub(crate) selections: usize,
    pub(crate) matched: usize,
    /// How long articles are sent at a steady rate.
    pub(crate) steady: Duration,
    /// Rounds of requests for one feed, in turns with nginx, and how long one takes: whole seconds.
    pub(crate) rounds: usize,
    pub(crate) round: Duration,
    /// Articles in the log when rss-generator starts cold.
    pub(crate) log: usize,
    /// Articles in the log when what feeds cost is measured.
    pub(crate) long_log: usize,
    /// Articles waited for in twenty feeds.
    pub(crate) seen: usize,
    /// Feeds that are made then.
    pub(crate) live: usize,
    /// Articles mailed to a single subscriber.
    pub(crate) alone: usize,
    /// Subscribers of a mid-sized list, and articles mailed to them.
    pub(crate) some: (usize, usize),
    /// Subscribers of a large list, and articles mailed to them.
    pub(crate) many: (usize, usize),
}

impl Scale {
    pub(crate) const FULL: Self = Self {
        import: Duration::from_secs(1),
        baseline: 1000,
        feed: 500,
        create: 3000,
        selections: 1_000_000,
        matched: 2000,
        steady: Duration::from_secs(20),
        rounds: 9,
        round: Duration::from_secs(3),
        log: 10_000,
        long_log: 100_000,
        seen: 100,
        live: 10_000,
        alone: 300,
        some: (1000, 20),
        many: (10_000, 3),
    };

    /// Only to see that the benchmark itself works.
    pub(crate) const QUICK: Self = Self {
        import: Duration::from_millis(50),
        baseline: 50,
        feed: 30,
        create: 100,
        selections: 10_000,
        matched: 100,
        steady: Duration::from_secs(1),
        rounds: 1,
        round: Duration::from_secs(1),
        log: 500,
        long_log: 2000,
        seen: 10,
        live: 200,
        alone: 10,
        some: (100, 2),
        many: (1000, 1),
    };
}

/// Some durations of the same thing.
pub(crate) struct Spread(Vec<Duration>);

impl Spread {
    /// # Panics
    /// When there are none: a figure of nothing.
    pub(crate) fn of(mut durations: Vec<Duration>) -> Self {
        assert!(!durations.is_empty(), "nothing was measured");
        durations.sort_unstable();
        Self(durations)
    }

    /// The smallest duration that `percent` of all do not exceed (nearest rank).
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        self.0[(self.0.len() * percent).div_ceil(100).max(1) - 1]
    }

    pub(crate) fn p50(&self) -> Duration {
        self.percentile(50)
    }

    /// How many times its median is that of `unit`.
    pub(crate) fn times(&self, unit: &Self) -> String {
        format!("p50 is {:.1} acknowledgements of the server", self.p50().as_secs_f64() / unit.p50().as_secs_f64())
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (p50, p99, max) = (ms(self.p50()), ms(self.percentile(99)), ms(self.percentile(100)));
        write!(f, "p50 {p50}  p99 {p99}  max {max}  (of {})", self.0.len())
    }
}

pub(crate) fn ms(duration: Duration) -> String {
    let ms = duration.as_secs_f64() * 1e3;
    if ms < 10.0 { format!("{ms:.2} ms") } else { format!("{ms:.0} ms") }
}

pub(crate) fn per_second(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

pub(crate) fn heading(text: &str) {
    println!("\n{text}");
}

/// Printed as soon as it is known: a full run takes minutes.
pub(crate) fn row(what: &str, figure: &dyn fmt::Display) {
    println!("  {what:<58} {figure}");
}

pub(crate) fn note(text: &str) {
    println!("  {:<58} {text}", "");
}

/// Bytes of memory that a process has.
pub(crate) fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("this is Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the kernel tells");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("it is a number") * 1024
}
