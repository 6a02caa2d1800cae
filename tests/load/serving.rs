//! A feed that is already there, to readers who have it (304) and to those who have not (gzip): the requests that are
//! most of a feed server's life, beside nginx with the same bytes on the same machine in the same minute.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, ETAG, IF_NONE_MATCH};
use testkit::{Process, built, eventually};

use crate::desk::publish_many;
use crate::figures::{Scale, note, row};
use crate::newsroom::Newsroom;

/// Articles in the feed, as many as it shows.
const ARTICLES: usize = 50;
/// Connections that ask all the time.
const READERS: u32 = 32;
const FEED: &str = "feeds/all.rss";

/// One server, and the header that makes it say 304.
struct Served {
    process: Process,
    base: String,
    etag: String,
}

/// What one round of requests came to.
#[derive(Clone, Copy)]
struct Rate {
    per_second: f64,
    /// Time on a processor for each request, in µs; `None` where there is no `/proc`.
    cost: Option<f64>,
}

pub(crate) async fn measure(room: &Newsroom, scale: Scale) {
    let (Some(nginx), Some(wrk)) = (installed("nginx"), installed("wrk")) else {
        row("feeds beside nginx", &"skipped: nginx and wrk are not both installed");
        return;
    };
    publish_many(room, ARTICLES, 8).await;
    let folder = tempfile::tempdir().expect("a folder for the files of nginx");
    let ours = start_ours(room, folder.path()).await;
    let theirs = start_nginx(&nginx, room, folder.path()).await;
    for (what, conditional) in [("304 to If-None-Match", true), ("200, gzip", false)] {
        let (mut of_ours, mut of_theirs) = (Vec::new(), Vec::new());
        // In turns: whatever else the machine does then happens to both.
        for _ in 0..scale.rounds {
            of_theirs.push(round(&wrk, &theirs, conditional, scale.round).await);
            of_ours.push(round(&wrk, &ours, conditional, scale.round).await);
        }
        let (ours, theirs) =
            (median(&of_ours, |rate| Some(rate.per_second)), median(&of_theirs, |rate| Some(rate.per_second)));
        let (Some(ours), Some(theirs)) = (ours, theirs) else { continue };
        row(what, &format!("{:.2} × nginx ({ours:.0}/s and {theirs:.0}/s)", ours / theirs));
        let costs = (median(&of_ours, |rate| rate.cost), median(&of_theirs, |rate| rate.cost));
        if let (Some(ours), Some(theirs)) = costs {
            note(&format!("on a processor {ours:.1} µs a request, nginx {theirs:.1} µs: {:.2} × nginx", theirs / ours));
        }
    }
}

/// A replica with one thread, and the bytes of its feed in files for nginx.
async fn start_ours(room: &Newsroom, folder: &Path) -> Served {
    let port = free_port();
    let mut command = built("rss-generator");
    command
        .env("NEWSWIRE_NATS_URL", room.nats.url())
        .env("NEWSWIRE_RSS_LISTEN", format!("127.0.0.1:{port}"))
        // The runtime's own setting.
        .env("TOKIO_WORKER_THREADS", "1");
    let mut process = Process::spawn(&mut command);
    let base = format!("http://127.0.0.1:{port}");
    process.ready(&format!("{base}/readyz")).await;
    let url = format!("{base}/{FEED}");
    let plain = room.http.get(&url).send().await.expect("an answer").bytes().await.expect("the feed");
    // Compressed after it is written, not before anybody may see it.
    let (etag, packed) = eventually("the feed is compressed", async || {
        let answer =
            room.http.get(&url).header(ACCEPT_ENCODING, "gzip").send().await.map_err(|error| error.to_string())?;
        let header = |name| answer.headers().get(name).and_then(|value| Some(value.to_str().ok()?.to_owned()));
        match (header(CONTENT_ENCODING).as_deref(), header(ETAG)) {
            (Some("gzip"), Some(etag)) => Ok((etag, answer.bytes().await.map_err(|error| error.to_string())?)),
            (encoding, _) => Err(format!("{encoding:?}")),
        }
    })
    .await;
    let file = folder.join(FEED);
    std::fs::create_dir_all(file.parent().expect("a folder of feeds")).expect("writes");
    std::fs::write(&file, &plain).expect("writes");
    std::fs::write(file.with_extension("rss.gz"), &packed).expect("writes");
    row(&format!("a feed of {ARTICLES} articles, {} bytes", plain.len()), &format!("{} bytes gzip", packed.len()));
    Served { process, base, etag }
}

/// One process of nginx with the files that [`start_ours`] wrote.
async fn start_nginx(nginx: &Path, room: &Newsroom, folder: &Path) -> Served {
    let (port, at) = (free_port(), folder.display());
    let temporary =
        ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|kind| format!("{kind}_temp_path {at}/{kind};\n"));
    let configuration = format!(
        "daemon off; master_process off; pid {at}/pid; error_log stderr;\nevents {{ worker_connections 512; }}\n\
         http {{ access_log off; etag on; sendfile on; tcp_nopush on; gzip_static on; keepalive_requests 1000000000;\n\
         types {{ application/rss+xml rss; }}\n{}server {{ listen 127.0.0.1:{port}; root {at}; }} }}\n",
        temporary.concat()
    );
    let file = folder.join("nginx.conf");
    std::fs::write(&file, configuration).expect("writes");
    let mut process = Process::spawn(Command::new(nginx).arg("-p").arg(folder).arg("-c").arg(&file));
    let base = format!("http://127.0.0.1:{port}");
    process.ready(&format!("{base}/{FEED}")).await;
    let asked =
        room.http.get(format!("{base}/{FEED}")).header(ACCEPT_ENCODING, "gzip").send().await.expect("an answer");
    assert_eq!(asked.headers()[CONTENT_ENCODING], "gzip", "nginx was built without gzip_static");
    let etag = asked.headers()[ETAG].to_str().expect("ETags are ASCII").to_owned();
    Served { process, base, etag }
}

async fn round(wrk: &Path, served: &Served, conditional: bool, takes: Duration) -> Rate {
    let mut command = Command::new(wrk);
    command.args(["-t1", &format!("-c{READERS}"), &format!("-d{}s", takes.as_secs())]);
    command.args(["-H", &format!("{ACCEPT_ENCODING}: gzip")]);
    if conditional {
        command.args(["-H", &format!("{IF_NONE_MATCH}: {}", served.etag)]);
    }
    command.arg(format!("{}/{FEED}", served.base));
    let before = on_cpu(served.process.id());
    let output = tokio::task::spawn_blocking(move || command.output().expect("wrk runs")).await.expect("no panic");
    let after = on_cpu(served.process.id());
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && !told.contains("Non-2xx"), "{told}");
    let figure =
        |label: &str| told.lines().find_map(|line| line.trim().strip_prefix(label)?.trim().parse::<f64>().ok());
    let per_second = figure("Requests/sec:").expect("wrk says how many");
    let requests = told.lines().find_map(|line| line.trim().split_once(" requests in ")?.0.parse::<f64>().ok());
    let requests = requests.expect("wrk says how many");
    let cost = before.zip(after).map(|(before, after)| after.saturating_sub(before).as_secs_f64() * 1e6 / requests);
    Rate { per_second, cost }
}

fn median(rates: &[Rate], of: impl Fn(&Rate) -> Option<f64>) -> Option<f64> {
    let mut figures: Vec<f64> = rates.iter().filter_map(of).collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied()
}

/// How long the kernel has let the threads of a process run.
fn on_cpu(process: u32) -> Option<Duration> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).ok()?;
    let each = threads.filter_map(|thread| {
        let counted = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        counted.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    });
    Some(each.sum())
}

/// Distributions keep servers out of a user's path.
fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn free_port() -> u16 {
    let held = TcpListener::bind("127.0.0.1:0").expect("a free port");
    held.local_addr().expect("a bound port").port()
}
