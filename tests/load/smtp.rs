//! Mail to many readers beside Postfix's own load generator: smtp-source into smtp-sink, and the newsroom into the same
//! sink, in turns, with mails of the same size. From the request to publish until the relay has taken the last mail:
//! the plan, the ledger and every mail composed for its reader are in it.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use testkit::mail_sink;

use crate::desk;
use crate::figures::{Spread, heading, ms, per_second, row};
use crate::mails::subscribe;
use crate::newsroom::{Newsroom, Service};
use crate::sustained::seconds;

/// Sessions of smtp-source: as many connections as a lane of the newsroom has.
const SESSIONS: &str = "4";

/// Rounds in turns; medians are shown.
const ROUNDS: usize = 3;

/// Between two looks at how many were accepted, and how long all may take.
const LOOK: Duration = Duration::from_millis(2);
const LIMIT: Duration = Duration::from_secs(900);

/// Breaking news sent while everybody is sent something else, and readers of each.
const BREAKING: usize = 20;
const BREAKING_READERS: usize = 100;

const SOURCE: &str = "/usr/sbin/smtp-source";
const SINK: &str = "/usr/sbin/smtp-sink";

/// A process that ends with this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How fast, and mails for each second of a processor of the sender.
struct Round {
    rate: f64,
    for_a_second: f64,
}

pub(crate) async fn measure(readers: usize) {
    if !Path::new(SOURCE).exists() || !Path::new(SINK).exists() {
        println!("  no {SOURCE} here: it is in Debian's package postfix, of which only the binaries are needed");
        return;
    }
    let size = size_of_a_mail().await;
    let sink = free_port();
    let _sink = Running(quiet(Command::new(SINK).args([&format!("127.0.0.1:{}", sink.port()), "1024"])));
    while TcpStream::connect(sink).is_err() {
        tokio::time::sleep(LOOK).await;
    }
    let folder = tempfile::tempdir().expect("a folder for a key");
    let key = folder.path().join("dkim.pem");
    let made = Command::new("openssl")
        .args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-quiet", "-out"])
        .arg(&key)
        .status();
    assert!(made.is_ok_and(|status| status.success()), "openssl makes a key");
    heading(&format!("One article to {readers} readers, {size} bytes each, into smtp-sink"));
    for signed in [false, true] {
        let room = Desk::open(sink, signed.then_some(key.as_path()), readers).await;
        let (mut source, mut ours) = (Vec::new(), Vec::new());
        for n in 0..ROUNDS {
            source.push(smtp_source(sink, size, readers));
            ours.push(room.article(n, readers).await);
        }
        let (source, ours) = (median(source), median(ours));
        row("smtp-source", &show(&source));
        row(if signed { "newswire, signed (DKIM, RSA-2048)" } else { "newswire, not signed" }, &show(&ours));
        if signed {
            let bare = bare_signing();
            row("aws-lc-rs, RSA-2048 signatures and nothing else, all cores", &format!("{bare:.0}/s"));
            row("newswire, signed, of that", &format!("{:.0} %", ours.rate / bare * 100.0));
        } else {
            row("newswire of smtp-source", &format!("{:.2} ×", ours.rate / source.rate));
            heading(&format!("Breaking news while {readers} readers are sent something else"));
            room.breaking(ours.rate, readers).await;
        }
    }
}

fn show(round: &Round) -> String {
    format!("{:.0}/s, {:.0} for each second of a processor that it takes", round.rate, round.for_a_second)
}

fn median(mut rounds: Vec<Round>) -> Round {
    rounds.sort_by(|one, other| one.rate.total_cmp(&other.rate));
    rounds.swap_remove(rounds.len() / 2)
}

/// One article, as long as makes a mail of 12 KB.
fn article(n: usize, breaking: bool) -> serde_json::Value {
    let mut article = desk::article(n);
    article["headline"] = format!("{} {n}", if breaking { "Bridge falls" } else { "Council meets" }).into();
    // A section for each kind, so that readers of one are not sent the other.
    article["section"] = serde_json::json!([if breaking { "Alarm" } else { "Region" }]);
    if breaking {
        article["urgency"] = 1.into();
    }
    article
}

async fn size_of_a_mail() -> usize {
    let room = Newsroom::start(vec![]).await;
    let bus = room.bus().await;
    subscribe(&bus, "section/region", 0..1).await;
    room.settled().await;
    desk::publish_article(&room, &article(0, false)).await;
    while room.mailbox.accepted() == 0 {
        tokio::time::sleep(LOOK).await;
    }
    room.mailbox.mails()[0].raw.len()
}

/// A newsroom before the sink.
struct Desk {
    room: Newsroom,
    metrics: SocketAddr,
}

impl Desk {
    async fn open(sink: SocketAddr, key: Option<&Path>, readers: usize) -> Self {
        let metrics = free_port();
        let mut settings = vec![
            ("NEWSWIRE_EMAIL_RELAY_PORT", sink.port().to_string()),
            ("NEWSWIRE_EMAIL_METRICS_LISTEN", metrics.to_string()),
            ("NEWSWIRE_EMAIL_GUARD_FACTOR", "0".to_owned()),
        ];
        if let Some(key) = key {
            settings.push(("NEWSWIRE_EMAIL_DKIM_SELECTOR", "load".to_owned()));
            settings.push(("NEWSWIRE_EMAIL_DKIM_KEY_FILE", key.display().to_string()));
        }
        // The newsroom keeps them as long as the benchmark runs.
        let settings: Vec<(&str, &str)> =
            settings.into_iter().map(|(name, value)| (name, &*String::leak(value))).collect();
        let room = Newsroom::start_with(mail_sink(vec![]).await, settings.leak()).await;
        let bus = room.bus().await;
        subscribe(&bus, "section/region", 0..readers).await;
        subscribe(&bus, "section/alarm", readers..readers + BREAKING_READERS).await;
        room.settled().await;
        bus.close().await;
        Self { room, metrics }
    }

    /// From the request until the relay has taken the last mail.
    async fn article(&self, n: usize, readers: usize) -> Round {
        let before = self.accepted("normal").await;
        let cpu = self.cpu();
        let begin = Instant::now();
        desk::publish_article(&self.room, &article(n, false)).await;
        self.wait("normal", before + readers).await;
        let took = begin.elapsed();
        let round = Round { rate: per_second(readers, took), for_a_second: readers as f64 / (self.cpu() - cpu) };
        self.room.settled().await;
        assert_eq!(self.accepted("normal").await, before + readers, "everybody got it, and once");
        round
    }

    /// Breaking news in the middle of a list, and what it costs the list.
    async fn breaking(&self, alone: f64, readers: usize) {
        let before = self.accepted("normal").await;
        let began = Instant::now();
        desk::publish_article(&self.room, &article(1000, false)).await;
        self.wait("normal", before + readers / 20).await;
        let mut took = Vec::new();
        for n in 0..BREAKING {
            let base = self.accepted("breaking").await;
            assert!(
                self.accepted("normal").await < before + readers,
                "the list is at an end before the news: more readers"
            );
            let sent = desk::publish_article(&self.room, &article(2000 + n, true)).await;
            while took.len() < (n + 1) * BREAKING_READERS {
                let there = self.accepted("breaking").await - base;
                took.resize(n * BREAKING_READERS + there, sent.at.elapsed());
                tokio::time::sleep(LOOK).await;
            }
        }
        let with_news = self.accepted("normal").await;
        let while_news = per_second(with_news - before, began.elapsed());
        self.wait("normal", before + readers).await;
        row(&format!("breaking news, request sent → each of {BREAKING_READERS} taken by the relay"), &Spread::of(took));
        row(
            "the list meanwhile",
            &format!("{while_news:.0}/s, {:.0} % of what it does alone", while_news / alone * 100.0),
        );
        self.room.settled().await;
    }

    async fn wait(&self, lane: &str, mails: usize) {
        let begin = Instant::now();
        while self.accepted(lane).await < mails {
            assert!(begin.elapsed() < LIMIT, "not all of {mails} after {}", ms(LIMIT));
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Mails of a lane that the relay has taken so far.
    async fn accepted(&self, lane: &str) -> usize {
        let answer = self.room.http.get(format!("http://{}/metrics", self.metrics)).send().await.expect("metrics");
        let text = answer.text().await.expect("text");
        let name = "newswire_mails_total";
        let sample = format!("lane=\"{lane}\",outcome=\"accepted\"");
        let line = text.lines().find(|line| line.starts_with(name) && line.contains(&sample));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0)
    }

    fn cpu(&self) -> f64 {
        seconds(self.room.processes[Service::EmailNotifier as usize].id()).unwrap_or(f64::NAN)
    }
}

/// Postfix's generator: the same number of mails, of the same size, over kept connections.
fn smtp_source(sink: SocketAddr, size: usize, mails: usize) -> Round {
    let mut command = Command::new(SOURCE);
    command.args(["-d", "-s", SESSIONS, "-l", &size.to_string(), "-m", &mails.to_string()]);
    command.args(["-f", "bounces@news.example", "-t", "reader@example.org", &sink.to_string()]);
    let begin = Instant::now();
    let mut running = Running(quiet(&mut command));
    let id = running.0.id();
    let mut cpu = 0.0;
    // What it has spent is not told any more once it has been waited for.
    while std::fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z ")) {
        cpu = seconds(id).unwrap_or(cpu);
        std::thread::sleep(LOOK);
    }
    let took = begin.elapsed();
    cpu = seconds(id).unwrap_or(cpu);
    let status = running.0.wait().expect("it ran");
    assert!(status.success(), "smtp-source: {status}");
    Round { rate: per_second(mails, took), for_a_second: mails as f64 / cpu }
}

/// Signatures a second on all cores, over what a mail's signature is made of: a hash.
fn bare_signing() -> f64 {
    const FOR: Duration = Duration::from_secs(3);
    let key = KeyPair::generate(KeySize::Rsa2048).expect("a key");
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let sign = || {
        let (begin, mut signed) = (Instant::now(), 0usize);
        let mut signature = vec![0; key.public_modulus_len()];
        while begin.elapsed() < FOR {
            key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &[0x5a; 1024], &mut signature).expect("signs");
            signed += 1;
        }
        signed
    };
    let signed: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(sign)).collect();
        threads.into_iter().map(|thread| thread.join().expect("does not panic")).sum()
    });
    per_second(signed, FOR)
}

fn quiet(command: &mut Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("runs")
}

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}
