//! Articles sent at a steady rate, as a wire service would: whether the API keeps up, and who spends the time.
//!
//! The client is a bare socket, because client and servers share the cores. A request is timed from the moment it was
//! due, not from when it could be sent: a server that stalls makes everything behind it late, and that must show.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::desk::article;
use crate::figures::{Scale, Spread, note, per_second, row};
use crate::newsroom::{Newsroom, Service};

/// Articles a second.
const RATES: [usize; 3] = [250, 500, 1000];

/// Kept connections, each with one request at a time.
const CONNECTIONS: usize = 64;

/// Clock ticks a second in `/proc/<pid>/stat` (`getconf CLK_TCK`), everywhere on Linux.
const TICKS: f64 = 100.0;

pub(crate) async fn measure(room: &Newsroom, scale: Scale) {
    for rate in RATES {
        let count = (scale.steady.as_secs_f64() * rate as f64) as usize;
        let before = Cpu::of(room);
        let begin = Instant::now();
        let took = send(room, count, rate).await;
        let elapsed = begin.elapsed();
        let reached = per_second(count, elapsed);
        row(&format!("{rate} articles/s for {:.0} s", scale.steady.as_secs_f64()), &format!("{reached:.0}/s  {took}"));
        if let (Some(before), Some(after)) = (before, Cpu::of(room)) {
            note(&after.since(&before, elapsed));
        }
    }
}

/// Sends `count` articles, the n-th due n/`rate` seconds from now.
async fn send(room: &Newsroom, count: usize, rate: usize) -> Spread {
    let address = room.url(Service::Publisher, "");
    let host: Arc<str> = address.trim_start_matches("http://").trim_end_matches('/').into();
    let (next, begin) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let clients = (0..CONNECTIONS).map(|_| {
        let (next, host, token) = (next.clone(), host.clone(), room.token.clone());
        tokio::spawn(async move {
            let mut socket = TcpStream::connect(&*host).await.expect("connects");
            socket.set_nodelay(true).expect("sets an option");
            let mut took = Vec::new();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= count {
                    return took;
                }
                let body = article(n).to_string();
                let request = format!(
                    "POST /v1/articles HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
                     Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                let due = begin + Duration::from_secs_f64(n as f64 / rate as f64);
                tokio::time::sleep_until(due.into()).await;
                socket.write_all(request.as_bytes()).await.expect("sends");
                created(&mut socket).await;
                took.push(due.elapsed());
            }
        })
    });
    let mut all = Vec::with_capacity(count);
    for client in clients.collect::<Vec<_>>() {
        all.extend(client.await.expect("a client does not panic"));
    }
    Spread::of(all)
}

/// Reads one answer, which must be a 201.
async fn created(socket: &mut TcpStream) {
    let mut answer = Vec::with_capacity(8 << 10);
    loop {
        assert!(socket.read_buf(&mut answer).await.expect("an answer") > 0, "the publisher hung up");
        let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 201"), "{}", String::from_utf8_lossy(&answer));
        let length = head.split("content-length:").nth(1).and_then(|rest| rest.split_whitespace().next());
        let length: usize = length.and_then(|length| length.parse().ok()).expect("a length");
        if answer.len() >= end + 4 + length {
            return;
        }
    }
}

/// Processor seconds that each part has spent so far.
struct Cpu(Vec<(&'static str, f64)>);

impl Cpu {
    /// `None` where there is no `/proc`.
    fn of(room: &Newsroom) -> Option<Self> {
        let parts = [
            ("publisher", room.processes[Service::Publisher as usize].id()),
            ("nats-server", room.nats.id()),
            ("rss-generator", room.processes[Service::RssGenerator as usize].id()),
            ("email-notifier", room.processes[Service::EmailNotifier as usize].id()),
            ("this client", std::process::id()),
        ];
        parts.into_iter().map(|(name, id)| Some((name, seconds(id)?))).collect::<Option<_>>().map(Self)
    }

    fn since(&self, before: &Self, elapsed: Duration) -> String {
        let share = |(now, then): (&(&str, f64), &(&str, f64))| {
            format!("{} {:.0} %", now.0, (now.1 - then.1) / elapsed.as_secs_f64() * 100.0)
        };
        let shares: Vec<String> = self.0.iter().zip(&before.0).map(share).collect();
        format!("of one core: {}", shares.join(", "))
    }
}

/// Processor seconds that a process has spent so far; `None` where there is no `/proc`.
pub(crate) fn seconds(process: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in parentheses, may hold anything; user and system time are the 12th and 13th field after it.
    let mut fields = stat.rsplit(')').next()?.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS)
}
