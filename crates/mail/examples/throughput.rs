//! How fast mails are made and handed in: `cargo run --release -p mail --example throughput [host:port [connections]]`.
//!
//! Without an address it only splices. With one it submits 12 KB mails there in windows of 50: to Postfix's
//! `smtp-sink -c 127.0.0.1:2525 1000`, for one.
#![expect(clippy::print_stdout, reason = "a measurement is for a person to read")]

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use mail::smtp::{Timeouts, Tls};
use mail::{Address, Connection, Issue, Key, Link, Locale, Message, MessageId, Outcome, Outgoing, Personal, Relay};
use mail::{Site, Topic, Why, compile_alert};
use serde_json::json;

const RUN: Duration = Duration::from_secs(5);
const WINDOW: usize = 50;

fn main() -> Result<()> {
    let site = Site::new(
        "Hefei News",
        "https://news.example/".parse()?,
        "https://mail.news.example/".parse()?,
        "news@news.example".parse()?,
        "news.example",
    )?;
    let mut finished = None;
    for (name, paragraph, count, locale) in [
        (
            "English",
            "<p>The court asked the hospital for its files, and the hospital sent them.</p>",
            42,
            Locale::English,
        ),
        (
            "Chinese",
            "<p>市检察院召开党风廉政建设和反腐败工作会议，传达学习有关精神，部署下一阶段工作。</p>",
            19,
            Locale::Chinese,
        ),
    ] {
        let started = Instant::now();
        let article = article(&paragraph.repeat(count))?;
        let issue = compile_alert(&article, &site, locale);
        let compiled = started.elapsed();
        let (message, rate) = splice(&issue, &site, locale)?;
        println!(
            "{name}: compiled in {compiled:?}; {} bytes a mail, {rate:.0} splices/s on one core",
            message.as_bytes().len()
        );
        finished = Some(message);
    }
    let message = finished.context("both languages were measured")?;
    let mut arguments = std::env::args().skip(1);
    let Some(address) = arguments.next() else { return Ok(()) };
    let connections = arguments.next().map_or(Ok(1), |count| count.parse()).context("connections is a number")?;
    tokio::runtime::Runtime::new()?.block_on(submit(&address, connections, &message))
}

fn article(body: &str) -> Result<article::Article> {
    Ok(serde_json::from_value(json!({
        "id": "urn:uuid:0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f", "revision": 1, "publisher": "hefei",
        "status": "published", "change": {"kind": "new"}, "headline": "Court opens an inquiry", "body": body,
        "language": "en", "section": ["World"], "urgency": 5,
        "first_created": "2026-11-22T10:00:00Z", "version_created": "2026-11-22T10:00:00Z",
        "updated_at": "2026-11-22T10:00:00Z", "provenance": {"channel": "api", "raw_sha256": "00"},
    }))?)
}

fn splice(issue: &Issue, site: &Site, locale: Locale) -> Result<(Message, f64)> {
    let (to, key): (Address, Key) = ("reader@example.org".parse()?, Key::new([7; 32]));
    let message_id = MessageId::derive(&key, "plan", "reader", site.mail_domain());
    let unsubscribe = Link::new("https://mail.news.example/unsubscribe/0123456789abcdef0123456789abcdef".parse()?)?;
    let manage = Link::new("https://mail.news.example/preferences/0123456789abcdef0123456789abcdef".parse()?)?;
    let why = Why::new(site, locale, &Topic::Everything);
    let date = "2026-11-22T10:00:00Z".parse()?;
    let personal = Personal {
        to: &to,
        about: None,
        message_id: &message_id,
        date,
        unsubscribe: &unsubscribe,
        unsubscribe_mailto: None,
        manage: &manage,
        why: &why,
    };
    let started = Instant::now();
    let mut count = 0u32;
    while started.elapsed() < RUN / 5 {
        for _ in 0..1_000 {
            std::hint::black_box(issue.splice(std::hint::black_box(&personal)));
        }
        count += 1_000;
    }
    let rate = f64::from(count) / started.elapsed().as_secs_f64();
    Ok((issue.splice(&personal), rate))
}

async fn submit(address: &str, connections: usize, message: &Message) -> Result<()> {
    let (host, port) = address.rsplit_once(':').context("the address is host:port")?;
    let relay = Relay {
        host: host.to_owned(),
        port: port.parse().context("the port is a number")?,
        tls: Tls::None,
        auth: None,
        hello: "mail.news.example".to_owned(),
        timeouts: Timeouts::default(),
    };
    let started = Instant::now();
    let workers: Vec<_> = (0..connections)
        .map(|_| {
            let (relay, message) = (relay.clone(), message.clone());
            tokio::spawn(async move { work(&relay, &message, started).await })
        })
        .collect();
    let mut accepted = 0;
    for worker in workers {
        accepted += worker.await??;
    }
    let rate = accepted as f64 / started.elapsed().as_secs_f64();
    println!("{connections} connections: {accepted} mails accepted, {rate:.0}/s");
    Ok(())
}

async fn work(relay: &Relay, message: &Message, started: Instant) -> Result<usize> {
    let mut connection = Connection::open(relay).await?;
    let (from, to) = ("bounces+t.00@news.example".parse()?, "reader@example.org".parse()?);
    let window = [Outgoing { from: &from, to: &to, message }; WINDOW];
    let mut accepted = 0;
    while started.elapsed() < RUN {
        for outcome in connection.send_window(&window).await {
            anyhow::ensure!(matches!(outcome, Outcome::Accepted(_)), "not accepted: {outcome:?}");
            accepted += 1;
        }
    }
    connection.close().await;
    Ok(accepted)
}
