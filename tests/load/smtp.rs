//! Mail to many readers beside Postfix's own load generator: smtp-source into smtp-sink, and the newsroom into the same
//! sink, in turns, with mails of the same size. From the request to publish until the relay has taken the last mail:
//! the plan, the ledger and every mail composed for its reader are in it.

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::RSA_PKCS1_SHA256;

use crate::desk;
use crate::figures::{heading, per_second, row};
use crate::mails::subscribe;
use crate::newsroom::Newsroom;
use crate::relayed::{ALARM, BREAKING_READERS, LOOK, Relayed, Running, article, quiet, smtp_sink};
use crate::sustained::seconds;

/// Sessions of smtp-source: as many connections as a lane of the newsroom has.
const SESSIONS: &str = "4";

/// Rounds in turns; medians are shown.
const ROUNDS: usize = 3;

const SOURCE: &str = "/usr/sbin/smtp-source";

/// What the readers of the list ask for.
const LIST: &str = "section/region";

/// How fast, and mails for each second of a processor of the sender.
struct Round {
    rate: f64,
    for_a_second: f64,
}

pub(crate) async fn measure(readers: usize) {
    // Both are in one package.
    let Some((sink, _sink)) = smtp_sink().await else { return };
    let size = size_of_a_mail().await;
    let folder = tempfile::tempdir().expect("a folder for a key");
    let key = folder.path().join("dkim.pem");
    let made = Command::new("openssl")
        .args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-quiet", "-out"])
        .arg(&key)
        .status();
    assert!(made.is_ok_and(|status| status.success()), "openssl makes a key");
    heading(&format!("One article to {readers} readers, {size} bytes each, into smtp-sink"));
    for signed in [false, true] {
        let newsroom = Relayed::open(sink, signed.then_some(key.as_path())).await;
        let bus = newsroom.room.bus().await;
        subscribe(&bus, LIST, 0..readers).await;
        subscribe(&bus, ALARM, readers..readers + BREAKING_READERS).await;
        newsroom.room.settled().await;
        bus.close().await;
        let (mut source, mut ours) = (Vec::new(), Vec::new());
        for n in 0..ROUNDS {
            source.push(smtp_source(sink, size, readers));
            ours.push(one_article(&newsroom, n, readers).await);
        }
        let (source, ours) = (median(source), median(ours));
        row("smtp-source", &show(&source));
        row(if signed { "newswire, signed (DKIM, RSA-2048)" } else { "newswire, not signed" }, &show(&ours));
        if signed {
            for cores in [1, std::thread::available_parallelism().map_or(1, usize::from)] {
                let bare = bare_signing(cores);
                row(
                    &format!("aws-lc-rs, RSA-2048 signatures and nothing else, cores: {cores}"),
                    &format!("{bare:.0}/s"),
                );
                row("newswire, signed, of that", &format!("{:.0} %", ours.rate / bare * 100.0));
            }
        } else {
            row("newswire of smtp-source", &format!("{:.2} ×", ours.rate / source.rate));
            heading(&format!("Breaking news while {readers} readers are sent something else"));
            let before = newsroom.accepted("normal").await;
            desk::publish_article(&newsroom.room, &article(1000, "Region")).await;
            newsroom.wait("normal", before + readers / 20).await;
            newsroom.breaking("normal", before + readers, ours.rate).await;
            newsroom.wait("normal", before + readers).await;
        }
    }
}

/// From the request until the relay has taken the last mail.
async fn one_article(newsroom: &Relayed, n: usize, readers: usize) -> Round {
    let (before, cpu) = (newsroom.accepted("normal").await, newsroom.cpu());
    let begin = Instant::now();
    desk::publish_article(&newsroom.room, &article(n, "Region")).await;
    newsroom.wait("normal", before + readers).await;
    let took = begin.elapsed();
    let round = Round { rate: per_second(readers, took), for_a_second: readers as f64 / (newsroom.cpu() - cpu) };
    newsroom.room.settled().await;
    assert_eq!(newsroom.accepted("normal").await, before + readers, "everybody got it, and once");
    round
}

fn show(round: &Round) -> String {
    format!("{:.0}/s, {:.0} for each second of a processor that it takes", round.rate, round.for_a_second)
}

fn median(mut rounds: Vec<Round>) -> Round {
    rounds.sort_by(|one, other| one.rate.total_cmp(&other.rate));
    rounds.swap_remove(rounds.len() / 2)
}

async fn size_of_a_mail() -> usize {
    let room = Newsroom::start(vec![]).await;
    let bus = room.bus().await;
    subscribe(&bus, LIST, 0..1).await;
    room.settled().await;
    desk::publish_article(&room, &article(0, "Region")).await;
    while room.mailbox.accepted() == 0 {
        tokio::time::sleep(LOOK).await;
    }
    room.mailbox.mails()[0].raw.len()
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

/// Signatures a second on so many cores, of a text as long as the header of a mail.
fn bare_signing(cores: usize) -> f64 {
    const FOR: Duration = Duration::from_secs(3);
    let key = KeyPair::generate(KeySize::Rsa2048).expect("a key");
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
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(sign)).collect();
        threads.into_iter().map(|thread| thread.join().expect("does not panic")).sum()
    });
    per_second(signed, FOR)
}
