//! Caps and storms, by two notifiers at once: who gets how much, and that nothing is lost or comes twice.

use std::collections::{HashMap, HashSet};

use jiff::SignedDuration;
use testkit::eventually_within;

use super::*;
use crate::cap::Caps;
use crate::plan::Chunk;
use crate::span::Cap;

impl Desk {
    /// Reader `n` wants so many alerts a day, and has for a while.
    async fn cap(&self, n: usize, alerts: u16) -> SubscriberId {
        let id = self.id(&address(n).parse().unwrap()).await;
        let before = service_kit::now() - SignedDuration::from_mins(1);
        let cap = Some(Cap { alerts, hour: 18 });
        self.store.update(id, |reader: &mut Subscriber| reader.change_cap(cap, before).unwrap()).await.unwrap();
        id
    }

    /// Of each article whom its alert was planned for, and its head.
    async fn alerts(&self, articles: &[Article]) -> Vec<(Head, HashSet<SubscriberId>)> {
        let mut alerts = Vec::new();
        for article in articles {
            let head = self.planned(article, "published").await;
            let subject = subjects::chunk(head.lane.as_str(), &head.plan, 0);
            let chunk = self.bus.last(&JOBS, &subject).await.unwrap();
            let chunk = chunk.map(|stored| serde_json::from_slice::<Chunk>(&stored.payload).unwrap().recipients);
            alerts.push((head, chunk.into_iter().flatten().collect()));
        }
        alerts
    }
}

/// Waits until the `seconds` of UTC that are counted are not about to end: a test that passes from one day to the next
/// counts two of them.
async fn is_not_about_to_end(seconds: i64) {
    const ENOUGH: i64 = 60;
    eventually_within(Duration::from_secs(90), "the next begins", async || {
        let left = seconds - service_kit::now().as_second().rem_euclid(seconds);
        if left > ENOUGH { Ok(()) } else { Err(left) }
    })
    .await;
}

fn urgent(command: Command) -> Command {
    let Command::Create { id, publisher, mut draft, provenance } = command else { panic!("it creates") };
    draft.urgency = 1;
    Command::Create { id, publisher, draft, provenance }
}

#[tokio::test]
async fn a_cap_lets_through_what_it_says_and_the_rest_is_for_a_digest() {
    is_not_about_to_end(86_400).await;
    let mut desk = Desk::open(vec![]).await;
    desk.readers(4).await;
    let capped = HashMap::from([(desk.cap(0, 1).await, 1), (desk.cap(1, 3).await, 3), (desk.cap(2, 3).await, 3)]);
    desk.run_notifier().await;
    desk.run_notifier().await;
    let mut articles = Vec::new();
    for n in 0..8 {
        articles.push(desk.publish(None, create(&format!("Capped {n}"))).await.0);
    }
    articles.push(desk.publish(None, urgent(create("Urgent"))).await.0);
    desk.settled().await;

    let alerts = desk.alerts(&articles).await;
    let caps = Arc::new(Caps::new());
    let (followed, tail) = (caps.clone(), desk.bus.tail_subject(&JOBS, subjects::CAPPED, desk.shutdown.clone()));
    tokio::spawn(async move { followed.follow(tail).await });
    caps.has_seen(alerts.iter().map(|(head, _)| head.caps_seen).max().unwrap()).await.unwrap();
    let (urgent, normal) = alerts.split_last().unwrap();
    for (id, wanted) in &capped {
        let spans = desk.store.get(*id).await.unwrap().unwrap().caps;
        let got = normal.iter().filter(|(_, got)| got.contains(id)).count();
        assert_eq!(got, *wanted, "alerts of the day");
        for (head, got) in normal {
            let over = caps.over_at(id, &spans, head.published.unwrap(), head.caps_seen);
            assert_ne!(got.contains(id), over, "each article at once, or in a digest: {head:?}");
        }
        assert!(urgent.1.contains(id), "breaking news is never held back");
    }
    assert_eq!(alerts.iter().map(|(_, got)| got.len()).sum::<usize>(), 1 + 3 + 3 + 8 + 4);
    assert_eq!(desk.mailbox.mails().len(), 1 + 3 + 3 + 8 + 4);
    desk.stop().await;
}

#[tokio::test]
async fn a_storm_is_cut_off_after_twenty() {
    let mut desk = Desk::open(vec![]).await;
    desk.readers(2).await;
    desk.cap(1, 1000).await;
    desk.run_notifier().await;
    // All of it within ten minutes of the clock.
    is_not_about_to_end(600).await;
    let mut articles = Vec::new();
    for n in 0..25 {
        articles.push(desk.publish(None, create(&format!("Storm {n}"))).await.0);
    }
    desk.settled().await;
    let alerts = desk.alerts(&articles).await;
    let stormed = desk.id(&address(0).parse().unwrap()).await;
    assert_eq!(alerts.iter().filter(|(_, got)| got.contains(&stormed)).count(), 20);
    assert_eq!(alerts.iter().map(|(_, got)| got.len()).sum::<usize>(), 20 + 25, "who has a cap has chosen");
    desk.stop().await;
}
