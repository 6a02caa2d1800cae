//! From the newsroom's request to the relay that takes the mail, for lists of every size.

use std::time::{Duration, Instant};

use article::{ArticleId, PublisherId};
use bus::{BatchMessage, Bus, HeaderMap};
use topology::{ARTICLES, JOBS, subjects};

use crate::desk::{Sent, publish};
use crate::figures::{Scale, Spread, heading, ms, note, per_second, row};
use crate::newsroom::{self, Newsroom};

/// Between two looks at how many mails the relay has: short against anything measured here.
const LOOK: Duration = Duration::from_micros(100);

/// A list that takes longer never ends.
const LIMIT: Duration = Duration::from_secs(120);

/// Records in one batch; the server takes 1,000.
const BATCH: usize = 500;

pub(crate) async fn measure(room: &Newsroom, scale: Scale, ack: &Spread) {
    let bus = room.bus().await;
    let mut subscribed = 0;
    for (readers, articles) in [(1, scale.alone), scale.some, scale.many] {
        subscribe(&bus, "all", subscribed..readers).await;
        subscribed = readers;
        // Only then has the notifier seen that it owes them no confirmation.
        room.settled().await;
        heading(&format!("One article after the other, {readers} subscribed to everything"));
        list(room, &bus, readers, articles, ack).await;
    }
    bus.close().await;
}

/// Publishes to a list of `readers` and waits for the last mail of each article.
async fn list(room: &Newsroom, bus: &Bus, readers: usize, articles: usize, ack: &Spread) {
    let (mut first, mut last, mut since_answer, mut planned) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut sending = Duration::ZERO;
    for n in 0..articles {
        let before = room.mailbox.accepted();
        let sent = publish(room, n).await;
        let taken = tokio::task::block_in_place(|| watch(room, before, readers));
        let (begin, end) = (taken[0], taken[readers - 1]);
        first.push(begin.duration_since(sent.at));
        last.push(end.duration_since(sent.at));
        since_answer.push(end.saturating_duration_since(sent.accepted));
        sending += end.duration_since(begin);
        // Its acknowledgements must not run into the next article's time.
        room.settled().await;
        assert_eq!(room.mailbox.accepted() - before, readers as u64, "everybody got it, and once");
        planned.push(plan_time(bus, &sent).await);
    }
    row("article stored → its plan stored", &Spread::of(planned));
    if readers > 1 {
        row("request sent → the relay has the first mail", &Spread::of(first));
    }
    let last = Spread::of(last);
    row("request sent → the relay has the last mail", &last);
    note(&last.times(ack));
    row("201 → the relay has the last mail", &Spread::of(since_answer));
    if readers > 1 {
        let rate = per_second((readers - 1) * articles, sending);
        row(
            "mails, from the first to the last",
            &format!("{rate:.0}/s, {} for the list", ms(sending / articles as u32)),
        );
    }
}

/// When the relay had taken each of the next `count` mails.
fn watch(room: &Newsroom, before: u64, count: usize) -> Vec<Instant> {
    let begin = Instant::now();
    let mut taken = Vec::with_capacity(count);
    while taken.len() < count {
        let now = Instant::now();
        let accepted = usize::try_from(room.mailbox.accepted() - before).expect("a count of mails");
        taken.resize(accepted.max(taken.len()), now);
        assert!(begin.elapsed() < LIMIT, "{accepted} of {count} mails after {LIMIT:?}");
        std::thread::sleep(LOOK);
    }
    taken
}

/// By the server's clock. The plan holds all recipients, and nothing is sent before it is stored.
pub(crate) async fn plan_time(bus: &Bus, sent: &Sent) -> Duration {
    let id: ArticleId = sent.id.parse().expect("the id of an article");
    let publisher: PublisherId = newsroom::PUBLISHER.parse().expect("the id of a publisher");
    let article = bus.last(&ARTICLES, &subjects::article(&publisher, &id)).await.expect("reads");
    let plan = bus.last(&JOBS, &subjects::plan(&format!("{}-published", id.token()))).await.expect("reads");
    let (article, plan) = (article.expect("the article is stored"), plan.expect("its plan is stored"));
    Duration::try_from(plan.stored_at.duration_since(article.stored_at)).unwrap_or_default()
}

/// Writes the records of confirmed subscribers who are alerted to `selection`.
pub(crate) async fn subscribe(bus: &Bus, selection: &str, numbers: std::ops::Range<usize>) {
    subscribe_each(bus, numbers, "UTC", |_| vec![(selection.to_owned(), "immediate".to_owned())]).await;
}

/// Writes the records of confirmed subscribers as the store does: what each `asks` for, as selections and frequencies, and
/// their zone. The claims on their addresses are left out: they matter to the form, not to who gets mail.
pub(crate) async fn subscribe_each(
    bus: &Bus,
    numbers: std::ops::Range<usize>,
    zone: &str,
    asks: impl Fn(usize) -> Vec<(String, String)>,
) {
    const LONG_AGO: &str = "2026-01-01T00:00:00Z";
    let record = |n: usize| {
        // Spread as random ids are: the shard is the first two digits.
        let id = format!("{:032x}", (n as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
        let subscription = |(selection, frequency): (String, String)| {
            serde_json::json!({
                "selection": selection, "frequency": frequency, "requested_at": LONG_AGO, "confirmed_at": LONG_AGO,
            })
        };
        let record = serde_json::json!({
            "id": id,
            "address": format!("reader{n}@d{}.example.org", n % 100),
            "language": if n.is_multiple_of(4) { "zh" } else { "en" },
            "zone": zone,
            "subscriptions": asks(n).into_iter().map(subscription).collect::<Vec<_>>(),
            "confirmation_sent_at": LONG_AGO,
            "consent": [
                { "event": "requested", "at": LONG_AGO, "wording": 1 },
                { "event": "confirmed", "at": LONG_AGO, "wording": 1 },
            ],
        });
        BatchMessage {
            subject: subjects::subscriber(&id),
            headers: HeaderMap::new(),
            payload: record.to_string().into(),
            expected: Some(0),
        }
    };
    for from in numbers.clone().step_by(BATCH) {
        let batch = (from..numbers.end.min(from + BATCH)).map(record).collect();
        bus.publish_batch(batch).await.expect("subscribed");
    }
}
