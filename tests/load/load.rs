//! How fast the whole thing is, measured in one run on one machine beside what bounds it: the disk's fsync and the
//! server's acknowledgement. How to run it and read it: `README.md` beside this file.

#![expect(clippy::print_stdout, reason = "a measurement run by hand reports on its standard output")]

mod baseline;
mod desk;
mod feeds;
mod figures;
#[path = "../fire/mod.rs"]
mod fire;
mod live;
mod mails;
mod matching;
mod million;
mod pages;
mod reading;
mod relayed;
mod serving;
mod smtp;
mod sustained;
mod updates;

#[path = "../newsroom/mod.rs"]
#[expect(dead_code, reason = "shared with the journeys, which do more with it")]
mod newsroom;

use figures::{Scale, heading, row};
use newsroom::Newsroom;

#[tokio::main(flavor = "multi_thread")]
async fn main() -> std::process::ExitCode {
    testkit::scratch_on_disk();
    let mut scale = Scale::FULL;
    let mut only_live = false;
    let (mut only_sustained, mut only_serving, mut only_matching, mut only_updates) = (false, false, false, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => scale = Scale::QUICK,
            "--sustained" => only_sustained = true,
            "--serving" => only_serving = true,
            "--live" => only_live = true,
            "--matching" => only_matching = true,
            "--updates" => only_updates = true,
            "--fire" => {
                let Some(seed) = arguments.next().and_then(|seed| seed.parse().ok()) else {
                    println!("--fire takes a seed, such as --fire 1");
                    return std::process::ExitCode::from(2);
                };
                heading("One article to 100,000 readers while everything breaks");
                let within = std::time::Duration::from_secs(1800);
                let fire = fire::Fire { seed, readers: 100_000, kills: 10, patient: true, within };
                println!("{}", fire::burn(fire).await);
                return std::process::ExitCode::SUCCESS;
            }
            "--smtp" => {
                let readers = arguments.next().and_then(|readers| readers.parse().ok()).unwrap_or(100_000);
                smtp::measure(readers).await;
                return std::process::ExitCode::SUCCESS;
            }
            "--million" => {
                let readers = arguments.next().and_then(|readers| readers.parse().ok()).unwrap_or(1_000_000);
                million::measure(readers).await;
                return std::process::ExitCode::SUCCESS;
            }
            // Cargo says to every benchmark that it is one.
            "--bench" => {}
            unknown => {
                println!(
                    "unknown argument {unknown:?}: --quick is a short run to see that it works, --sustained measures only what the API takes, --serving only how fast feeds are served, --live only what feeds cost that are made when they are asked for, --matching only what finds the selections of an article, --updates only what a reader fetches of a feed that changed, --fire SEED sends to 100,000 readers while services and server are killed, --smtp READERS compares mail with Postfix's smtp-source, --million READERS plans for many and sends breaking news beside their digest"
                );
                return std::process::ExitCode::from(2);
            }
        }
    }
    if cfg!(debug_assertions) {
        println!("This is a debug build: its figures say nothing. Use cargo bench.");
    }
    if only_sustained {
        heading("Articles at a steady rate, nobody subscribed");
        sustained::measure(&Newsroom::start(vec![]).await, scale).await;
        return std::process::ExitCode::SUCCESS;
    }
    if only_live {
        live::measure(scale).await;
        return std::process::ExitCode::SUCCESS;
    }
    if only_serving {
        heading("A feed beside nginx, one thread each");
        serving::measure(&Newsroom::start(vec![]).await, scale).await;
        return std::process::ExitCode::SUCCESS;
    }
    if only_updates {
        heading("One new article in a feed, fetched in each way");
        updates::measure(&Newsroom::start(vec![]).await).await;
        return std::process::ExitCode::SUCCESS;
    }
    if only_matching {
        heading("Which selections an article is in, one core");
        matching::measure(scale);
        return std::process::ExitCode::SUCCESS;
    }
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    heading(&format!("Import, one core of {cores}"));
    pages::measure(scale);
    heading("Feeds of others, one core");
    feeds::measure();
    heading("Which selections an article is in, one core");
    matching::measure(scale);

    heading("What everything else rests on");
    let fsync = baseline::fsync(scale.baseline);
    row("write and fsync of 4 KiB", &fsync);
    let mut room = Newsroom::start(vec![]).await;
    let ack = baseline::acknowledged(&room, scale.baseline).await;
    row("JetStream, one replica, 1 KiB: sent → acknowledged", &ack);
    baseline::in_flight(&room, scale.create).await;
    row("JetStream, an atomic batch of two", &baseline::batch(&room, scale.baseline).await);

    heading("One article after the other, nobody subscribed");
    reading::latency(&room, scale, &ack).await;
    heading("Many articles at once, nobody subscribed");
    desk::throughput(&room, scale).await;
    reading::cold_start(&mut room, scale).await;
    live::measure(scale).await;
    heading("A feed beside nginx, one thread each");
    serving::measure(&room, scale).await;
    heading("Articles at a steady rate, nobody subscribed");
    sustained::measure(&room, scale).await;
    heading("One new article in a feed, fetched in each way");
    updates::measure(&room).await;
    mails::measure(&room, scale, &ack).await;
    std::process::ExitCode::SUCCESS
}
