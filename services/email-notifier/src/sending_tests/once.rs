//! Everybody once, whoever else is at work.

use super::*;
use crate::digest::issues::DigestIssues;
use crate::digest::items::Items;
use crate::worker::Job;

#[tokio::test]
async fn every_recipient_ends_somewhere_and_the_ledger_says_where() {
    let faults = vec![
        Fault::reply(Stage::Rcpt, 550, "5.1.1 <Reader3@EXAMPLE.org>: no such user reader3@example.org").to(&address(3)),
        Fault::reply(Stage::Rcpt, 450, "4.2.1 later").to(&address(7)).times(1),
        // A refusal of our mail is no fault of the reader's.
        Fault::reply(Stage::Rcpt, 554, "5.7.1 policy").to(&address(9)).times(1),
    ];
    let mut desk = Desk::open(faults).await;
    desk.readers(120).await;
    desk.run_notifier().await;
    let (article, _) = desk.publish(None, create("To all")).await;
    let ledger = desk.worked_off(&article).await;
    let counts = [State::Accepted, State::Deferred, State::Slowed, State::Failed].map(|state| ledger.count(state));
    assert_eq!(counts, [117, 1, 1, 1]);
    assert!(ledger.reasons[0].reply.contains("5.1.1"), "{:?}", ledger.reasons);
    assert!(!ledger.reasons[0].reply.to_lowercase().contains("reader3"), "{:?}", ledger.reasons);
    assert_eq!(ledger.retry.unwrap().attempt, 1);
    let head = desk.bus.last(&JOBS, &subjects::plan(&plan_key(&article.id))).await.unwrap().unwrap();
    let head: Head = serde_json::from_slice(&head.payload).unwrap();
    assert_eq!((head.matched, head.chunks, head.lane), (120, 1, Lane::Normal));

    let plan = plan_key(&article.id);
    let later = eventually("the wake-up call", async || {
        let call = desk.bus.last(&RETRIES, &subjects::retry_later("other", &plan, 0, 1)).await;
        call.map_err(|error| error.to_string())?.ok_or_else(|| "not yet".to_owned())
    })
    .await;
    // The server would deliver it in a minute; the test does not wait for it.
    let call: RetryCall = serde_json::from_slice(&later.payload).unwrap();
    assert_eq!(call.attempt, 1);
    let due = subjects::retry_due("other", &plan, 0, 1);
    desk.bus.publish(&RETRIES, &due, "due", HeaderMap::new(), later.payload.clone(), None).await.unwrap();
    eventually("the deferred are sent", async || match desk.ledger(&article).await {
        Some(ledger) if ledger.count(State::Accepted) == 119 => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    assert_eq!([desk.sent_to(3), desk.sent_to(7), desk.sent_to(9)], [0, 1, 1]);
    desk.stop().await;
}

#[tokio::test]
async fn two_notifiers_send_once() {
    let mut desk = Desk::open(vec![]).await;
    desk.readers(60).await;
    desk.run_notifier().await;
    desk.run_notifier().await;
    let mut articles = Vec::new();
    for n in 0..5 {
        articles.push(desk.publish(None, create(&format!("Article {n}"))).await.0);
    }
    for article in &articles {
        assert_eq!(desk.worked_off(article).await.count(State::Accepted), 60);
    }
    assert_eq!(desk.mailbox.mails().len(), 300);
    desk.stop().await;
}

#[tokio::test]
async fn of_two_workers_on_one_chunk_one_sends() {
    let desk = Desk::open(vec![]).await;
    desk.readers(70).await;
    let (article, _) = desk.publish(None, create("Once")).await;
    let readers = Arc::new(Readers::new());
    let mut tail = desk.bus.tail(&SUBSCRIBERS, desk.shutdown.clone());
    let mut recipients = Vec::new();
    while let Some(TailEvent::Message { subject, sequence, .. }) = tail.next().await {
        if subjects::is_subscriber(&subject) {
            let reader = desk.store.get(SubscriberId::of_subject(&subject).unwrap()).await.unwrap().unwrap();
            readers.apply(&reader, sequence);
            recipients.push(reader.id);
        }
    }
    let now = service_kit::now();
    let cause = Cause { article: &article, kind: Kind::Alert, revision: 1, published: now, sequence: 1 };
    let (_, chunks) = make_plan(&cause, &recipients, now);
    let config = desk.config();
    let counts = Counts::new(&service_kit::Metrics::new("test"));
    let worker = Worker {
        bus: desk.bus.clone(),
        readers,
        issues: Arc::new(Issues::new(config.site)),
        catalogue: Arc::default(),
        controls: Arc::default(),
        items: Arc::new(Items::new()),
        digests: Arc::new(DigestIssues::new()),
        pool: Arc::new(Pool::new(relay(&config.relay, "news.example"), None, counts.clone())),
        counts,
        keys: Keys::new(SECRET.as_bytes()),
        public_url: config.public_url,
        by_mail: false,
        shutdown: desk.shutdown.clone(),
    };
    let job = Job::Article(chunks[0].clone());
    // Both begin with the same empty record, as after a redelivery to a second worker while the first is not dead.
    let (first, second) = tokio::join!(worker.first_pass(&job), worker.first_pass(&job));
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    assert_eq!(desk.mailbox.mails().len(), 70);
}

#[tokio::test]
async fn what_is_withdrawn_before_it_is_sent_is_not_sent() {
    // The second window waits long enough for the withdrawal.
    let slow = Fault::new(Stage::Data, Action::Delay(Duration::from_secs(6))).after(50).times(1);
    let mut desk = Desk::open(vec![slow]).await;
    desk.readers(120).await;
    desk.run_notifier().await;
    let (article, sequence) = desk.publish(None, create("Withdrawn")).await;
    eventually("the second window is begun", async || match desk.ledger(&article).await {
        Some(ledger) if ledger.count(State::Submitting) > 0 && ledger.count(State::Accepted) > 0 => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    desk.publish(Some((&article, sequence)), Command::Withdraw { note: "It was wrong.".into() }).await;
    let ledger = desk.worked_off(&article).await;
    // It may have read the article a moment before.
    let sent = ledger.count(State::Accepted);
    assert!(sent == 50 || sent == 100, "{sent}");
    assert_eq!(ledger.suppressed(), 120 - sent);
    desk.stop().await;
}
