//! A newsroom before Postfix's sink, and how far its mails are, by its own metrics.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use testkit::mail_sink;

use crate::desk;
use crate::figures::{Spread, ms, per_second, row};
use crate::newsroom::{Newsroom, Service};
use crate::sustained::seconds;

const SINK: &str = "/usr/sbin/smtp-sink";

/// Between two looks at how many were accepted, and how long all may take.
pub(crate) const LOOK: Duration = Duration::from_millis(2);
const LIMIT: Duration = Duration::from_secs(900);

/// Breaking news sent while everybody is sent something else, and readers of each.
const BREAKING: usize = 20;
pub(crate) const BREAKING_READERS: usize = 100;

/// What readers of breaking news ask for.
pub(crate) const ALARM: &str = "section/alarm";

/// A process that ends with this.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A newsroom before the sink.
pub(crate) struct Relayed {
    pub(crate) room: Newsroom,
    metrics: SocketAddr,
}

/// An article in `section`, as long as makes a mail of 12 KB.
pub(crate) fn article(n: usize, section: &str) -> serde_json::Value {
    let mut article = desk::article(n);
    article["headline"] = format!("{section}: the council meets for the {n}th time").into();
    article["section"] = serde_json::json!([section]);
    article
}

impl Relayed {
    /// With nobody subscribed. `key`: mails are signed with it.
    pub(crate) async fn open(sink: SocketAddr, key: Option<&Path>) -> Self {
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
        Self { room, metrics }
    }

    /// Breaking news until the `goal`th mail of `lane` is accepted, or often enough; and what it costs the lane, which does
    /// `alone` mails a second without it.
    pub(crate) async fn breaking(&self, lane: &str, goal: usize, alone: f64) {
        let (begin, before) = (Instant::now(), self.accepted(lane).await);
        let mut took = Vec::new();
        for n in 0..BREAKING {
            // A short list is at an end before the news: more readers give more of it.
            if self.accepted(lane).await >= goal {
                break;
            }
            let mut news = article(2000 + n, "Alarm");
            news["urgency"] = 1.into();
            let base = self.accepted("breaking").await;
            let sent = desk::publish_article(&self.room, &news).await;
            while took.len() < (n + 1) * BREAKING_READERS {
                let there = self.accepted("breaking").await - base;
                took.resize(n * BREAKING_READERS + there, sent.at.elapsed());
                tokio::time::sleep(LOOK).await;
            }
        }
        let meanwhile = per_second(self.accepted(lane).await - before, begin.elapsed());
        row(&format!("breaking news, request sent → each of {BREAKING_READERS} taken by the relay"), &Spread::of(took));
        let share = meanwhile / alone * 100.0;
        row("the others meanwhile", &format!("{meanwhile:.0}/s, {share:.0} % of what they do alone"));
    }

    /// Until the relay has taken so many mails of a lane.
    pub(crate) async fn wait(&self, lane: &str, mails: usize) {
        let begin = Instant::now();
        while self.accepted(lane).await < mails {
            assert!(begin.elapsed() < LIMIT, "not all of {mails} after {}", ms(LIMIT));
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Mails of a lane that the relay has taken since the service was started.
    pub(crate) async fn accepted(&self, lane: &str) -> usize {
        let answer = self.room.http.get(format!("http://{}/metrics", self.metrics)).send().await.expect("metrics");
        let text = answer.text().await.expect("text");
        let name = "newswire_mails_total";
        let sample = format!("lane=\"{lane}\",outcome=\"accepted\"");
        let line = text.lines().find(|line| line.starts_with(name) && line.contains(&sample));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0)
    }

    /// Seconds of a processor that email-notifier has taken.
    pub(crate) fn cpu(&self) -> f64 {
        seconds(self.notifier()).unwrap_or(f64::NAN)
    }

    pub(crate) fn notifier(&self) -> u32 {
        self.room.processes[Service::EmailNotifier as usize].id()
    }
}

/// Postfix's sink, once it listens; `None` where it is not installed.
pub(crate) async fn smtp_sink() -> Option<(SocketAddr, Running)> {
    if !Path::new(SINK).exists() {
        println!("  no {SINK} here: it is in Debian's package postfix, of which only the binaries are needed");
        return None;
    }
    let sink = free_port();
    let mut command = Command::new(SINK);
    // It refuses to stay the superuser.
    if std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0) {
        command.args(["-u", "nobody"]);
    }
    let mut running = Running(quiet(command.args([&sink.to_string(), "1024"])));
    while TcpStream::connect(sink).is_err() {
        let ended = running.0.try_wait().expect("a child of ours");
        assert!(ended.is_none(), "smtp-sink ended: {ended:?}; run it by hand to see why");
        tokio::time::sleep(LOOK).await;
    }
    Some((sink, running))
}

pub(crate) fn quiet(command: &mut Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("runs")
}

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}
