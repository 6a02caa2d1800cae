//! A million readers: what they take, how long it takes to plan for all of them and for one in a hundred, and breaking
//! news while everybody's digest is sent.

use std::time::{Duration, Instant, SystemTime};

use article::ArticleId;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use testkit::eventually_within;
use topology::{JOBS, subjects};

use crate::desk::{self, Sent};
use crate::figures::{Spread, heading, ms, per_second, resident, row};
use crate::mails::{plan_time, subscribe, subscribe_each};
use crate::newsroom::Service;
use crate::relayed::{ALARM, BREAKING_READERS, LOOK, Relayed, article, smtp_sink};

/// Sections that every hundredth reader asks for.
const SECTIONS: usize = 100;

/// Articles in everybody's digest.
const NEWS: usize = 5;

/// Plans of either kind.
const PLANS: usize = 5;

/// Rows of a file that is imported.
const ROWS: usize = 20_000;

/// A million records are written, read and looked at for confirmations that are owed.
const SETTLED_WITHIN: Duration = Duration::from_secs(1200);

/// How long everything before the digest takes, at most.
const BEFORE: SignedDuration = SignedDuration::from_mins(12);

pub(crate) async fn measure(readers: usize) {
    let Some((sink, _sink)) = smtp_sink().await else { return };
    let mut newsroom = Relayed::open(sink, None).await;
    let bus = newsroom.room.bus().await;
    let empty = resident(newsroom.notifier());
    let (due, zone, hour) = due(now() + BEFORE);
    subscribe_each(&bus, 0..readers, zone, |n| {
        // Everybody asks for something that many others ask for in other words, too.
        let own = match n % 4 {
            0 => format!("section/s{}", n % SECTIONS),
            1 => format!("section/s{}+language/en", n % SECTIONS),
            2 => format!("section/s{}+!keyword/k{}", n % SECTIONS, n % 7),
            _ => format!("section/s{}+urgency/{}", n % SECTIONS, n % 5 + 5),
        };
        vec![
            (format!("section/everyone,{own}"), "immediate".to_owned()),
            ("section/evening".to_owned(), format!("daily@{hour:02}")),
        ]
    })
    .await;
    subscribe(&bus, ALARM, readers..readers + BREAKING_READERS).await;
    newsroom.room.settled_within(SETTLED_WITHIN).await;

    heading(&format!("{readers} readers, each with an alert and a digest"));
    import(&newsroom).await;
    let begin = Instant::now();
    newsroom.room.kill9_and_restart(Service::EmailNotifier);
    let url = newsroom.room.url(Service::EmailNotifier, "readyz");
    while !matches!(newsroom.room.http.get(&url).send().await, Ok(answer) if answer.status().is_success()) {
        assert!(begin.elapsed() < SETTLED_WITHIN, "email-notifier is not ready");
        tokio::time::sleep(LOOK).await;
    }
    row("email-notifier, started → ready", &ms(begin.elapsed()));
    let bytes = resident(newsroom.notifier()).saturating_sub(empty) / readers as u64;
    row("memory for each reader", &format!("{bytes} bytes"));
    for (section, name) in [("Everyone", "all"), ("S8", "one in a hundred")] {
        let mut took = Vec::new();
        for n in 0..PLANS {
            let sent = desk::publish_article(&newsroom.room, &article(n, section)).await;
            planned(&newsroom, &sent).await;
            took.push(plan_time(&bus, &sent).await);
            cancel(&newsroom, &sent).await;
            newsroom.room.settled_within(SETTLED_WITHIN).await;
        }
        row(&format!("article for {name}: stored → its plan stored"), &Spread::of(took));
    }
    for n in 0..NEWS {
        desk::publish_article(&newsroom.room, &article(1000 + n, "Evening")).await;
    }
    let left = due.duration_since(now());
    assert!(left.is_positive(), "the digest was due before everything was there");
    digest(&newsroom, readers, left).await;
}

/// A quarter of an hour after `after` that is a full hour somewhere; where, and which.
fn due(after: Timestamp) -> (Timestamp, &'static str, i8) {
    const QUARTER: i64 = 15 * 60;
    let mut due = Timestamp::from_second((after.as_second() / QUARTER + 1) * QUARTER).expect("a time of today");
    loop {
        for zone in ["UTC", "Asia/Kolkata", "Asia/Kathmandu"] {
            let local = TimeZone::get(zone).expect("a known zone").to_datetime(due);
            if local.minute() == 0 {
                return (due, zone, local.hour());
            }
        }
        due += SignedDuration::from_secs(QUARTER);
    }
}

#[expect(clippy::disallowed_methods, reason = "digests are due by the clock on the wall")]
fn now() -> Timestamp {
    SystemTime::now().try_into().expect("a time that can be said")
}

async fn digest(newsroom: &Relayed, readers: usize, left: SignedDuration) {
    heading(&format!("Breaking news while {readers} digests are sent"));
    tokio::time::sleep(left.unsigned_abs()).await;
    let begin = Instant::now();
    newsroom.wait("digest", 1).await;
    row("due → the relay has the first", &ms(begin.elapsed()));
    newsroom.wait("digest", readers / 20).await;
    let (begin, before) = (Instant::now(), newsroom.accepted("digest").await);
    newsroom.wait("digest", readers / 5).await;
    let alone = per_second(newsroom.accepted("digest").await - before, begin.elapsed());
    row("digests alone", &format!("{alone:.0}/s"));
    newsroom.breaking("digest", readers, alone).await;
    newsroom.wait("digest", readers).await;
    newsroom.room.settled_within(SETTLED_WITHIN).await;
    assert_eq!(newsroom.accepted("digest").await, readers, "everybody got theirs, and once");
}

async fn import(newsroom: &Relayed) {
    let rows = (0..ROWS).map(|n| {
        format!(
            "imported{n}@d{}.example.org,section/s{},daily@08,Europe/Berlin,en,2026-01-01T00:00:00Z,old list\n",
            n % 100,
            n % SECTIONS
        )
    });
    let csv = "address,selection,frequency,zone,language,confirmed_at,source\n".to_owned() + &rows.collect::<String>();
    let file = newsroom.room.page("subscribers.csv", &csv);
    let begin = Instant::now();
    newsroom.room.cli(&["subscribers", "import", &file.display().to_string()]).await;
    let took = begin.elapsed();
    row(&format!("import of {ROWS} rows, command line"), &format!("{:.0}/s", per_second(ROWS, took)));
}

async fn planned(newsroom: &Relayed, sent: &Sent) {
    let bus = newsroom.room.bus().await;
    let subject = subjects::plan(&plan(sent));
    eventually_within(SETTLED_WITHIN, "it is planned", async || match bus.last(&JOBS, &subject).await {
        Ok(Some(_)) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    bus.close().await;
}

fn plan(sent: &Sent) -> String {
    let id: ArticleId = sent.id.parse().expect("the id of an article");
    format!("{}-published", id.token())
}

async fn cancel(newsroom: &Relayed, sent: &Sent) {
    let url = newsroom.room.url(Service::Publisher, &format!("v1/articles/{}/mail/{}/cancel", sent.id, plan(sent)));
    let answer = newsroom.room.http.post(url).bearer_auth(&newsroom.room.token).send().await.expect("an answer");
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap_or_default());
}
