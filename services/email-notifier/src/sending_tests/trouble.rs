//! Relays, servers and addresses that fail.

use super::*;

#[tokio::test]
async fn an_answer_that_is_lost_is_uncertain_and_sent_again_under_the_same_id() {
    let cut = Fault::new(Stage::Content, Action::KeepThenCut).to(&address(5)).times(1);
    let mut desk = Desk::open(vec![cut]).await;
    desk.readers(10).await;
    desk.run_notifier().await;
    let (article, _) = desk.publish(None, create("Lost answer")).await;
    let ledger = desk.worked_off(&article).await;
    assert_eq!((ledger.count(State::Accepted), ledger.count(State::Uncertain)), (9, 1));
    let call = RetryCall { plan: plan_key(&article.id), lane: Lane::Normal, chunk: 0, attempt: 1 };
    let due = subjects::retry_due(call.lane.retries(), &call.plan, 0, 1);
    let payload = serde_json::to_vec(&call).unwrap();
    desk.bus.publish(&RETRIES, &due, "due", HeaderMap::new(), payload.into(), None).await.unwrap();
    let ledger = eventually("sent again", async || match desk.ledger(&article).await {
        Some(ledger) if ledger.count(State::Accepted) == 10 => Ok(ledger),
        other => Err(format!("{other:?}")),
    })
    .await;
    assert_eq!(ledger.resent_uncertain, 1, "the possible duplicate is counted");
    let ids: Vec<_> = desk
        .mailbox
        .mails()
        .iter()
        .filter(|mail| mail.to == [address(5)])
        .map(|mail| mail.header("Message-ID"))
        .collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1], "a receiver that got both can tell");
    desk.stop().await;
}

#[tokio::test]
async fn a_relay_that_is_away_costs_nobody_anything() {
    let away = Fault::reply(Stage::Connect, 421, "4.3.2 not now").times(2);
    let mut desk = Desk::open(vec![away]).await;
    desk.readers(5).await;
    desk.run_notifier().await;
    let (article, _) = desk.publish(None, create("Patience")).await;
    let ledger = desk.worked_off(&article).await;
    assert_eq!((ledger.count(State::Accepted), ledger.resent_uncertain), (5, 0));
    assert_eq!(desk.mailbox.mails().len(), 5);
    desk.stop().await;
}

#[tokio::test]
async fn who_confirms_after_publication_gets_nothing() {
    let mut desk = Desk::open(vec![]).await;
    desk.readers(2).await;
    let (article, _) = desk.publish(None, create("Early")).await;
    // Confirmed later than the article: it was not asked for at the time.
    let late = "late@example.org".parse().unwrap();
    let now = service_kit::now() + jiff::SignedDuration::from_secs(5);
    desk.store.request(&late, &Wish::alerts(Selection::everything(), "en"), now).await.unwrap();
    desk.confirm(&late, now).await;
    desk.run_notifier().await;
    assert_eq!(desk.worked_off(&article).await.count(State::Accepted), 2);
    assert!(desk.mailbox.mails().iter().all(|mail| mail.to != ["late@example.org"]));
    desk.stop().await;
}

#[tokio::test]
async fn many_forms_for_one_address_make_one_record() {
    let desk = Desk::open(vec![]).await;
    let store = Arc::new(desk.store.clone());
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let store = store.clone();
            let selection = if n % 2 == 0 { Selection::everything() } else { "section/world".parse().unwrap() };
            tokio::spawn(async move {
                let address = "same@example.org".parse().unwrap();
                store.request(&address, &Wish::alerts(selection, "en"), service_kit::now()).await
            })
        })
        .collect();
    let mut contended = 0;
    for task in tasks {
        contended += usize::from(task.await.unwrap().is_err());
    }
    assert_eq!(contended, 0);
    let mut records = 0;
    let mut from = 0;
    while let Some(stored) = desk.bus.next(&SUBSCRIBERS, subjects::SUBSCRIBER_RECORDS, from).await.unwrap() {
        records += 1;
        from = stored.sequence + 1;
    }
    assert_eq!(records, 1);
}

#[tokio::test]
async fn a_record_that_expired_last_does_not_stop_the_planning() {
    let mut desk = Desk::open(vec![]).await;
    desk.readers(3).await;
    let mut headers = HeaderMap::new();
    headers.insert("Nats-TTL", "1s");
    let fleeting = subjects::subscriber("abcd");
    desk.bus.publish(&SUBSCRIBERS, &fleeting, "x", headers, "{}".into(), None).await.unwrap();
    eventually("it has expired", async || match desk.bus.last(&SUBSCRIBERS, &fleeting).await {
        Ok(None) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    // The number of what expired was given out and is seen by nobody who starts now.
    desk.run_notifier().await;
    let (article, _) = desk.publish(None, create("After an expiry")).await;
    assert_eq!(desk.worked_off(&article).await.count(State::Accepted), 3);
    desk.stop().await;
}

#[tokio::test]
async fn a_recipient_that_breaks_the_connection_keeps_nobody_waiting() {
    let poison = Fault::reply(Stage::Rcpt, 421, "4.7.0 not for <reader0@example.org>").to(&address(0));
    let mut desk = Desk::open(vec![poison]).await;
    desk.readers(10).await;
    desk.run_notifier().await;
    let (article, _) = desk.publish(None, create("Poison")).await;
    let ledger = desk.worked_off(&article).await;
    assert_eq!((ledger.count(State::Accepted), ledger.count(State::Deferred)), (9, 1));
    desk.stop().await;
}

#[tokio::test]
async fn addresses_that_cannot_be_reached_stop_no_other_sign_up() {
    let unreachable = Fault::reply(Stage::Rcpt, 450, "4.1.2 Domain not found").times(70);
    let mut desk = Desk::open(vec![unreachable]).await;
    for n in 0..71 {
        let address = address(n).parse().unwrap();
        desk.store.request(&address, &Wish::alerts(Selection::everything(), "en"), service_kit::now()).await.unwrap();
    }
    desk.run_notifier().await;
    eventually("somebody gets theirs", async || match desk.mailbox.mails().len() {
        0 => Err("nobody"),
        _ => Ok(()),
    })
    .await;
    desk.stop().await;
}

#[tokio::test]
async fn stopping_between_two_windows_sends_nothing_twice() {
    let slow = Fault::new(Stage::Content, Action::Delay(Duration::from_millis(15)));
    let mut desk = Desk::open(vec![slow]).await;
    desk.readers(120).await;
    desk.run_notifier().await;
    let (article, _) = desk.publish(None, create("Stopped")).await;
    eventually("the first are out", async || match desk.mailbox.mails().len() {
        0..5 => Err("none"),
        _ => Ok(()),
    })
    .await;
    desk.stop().await;
    let before = desk.mailbox.mails().len();
    assert!(before < 120 && before % 50 == 0, "stopped after a window, not in one: {before}");
    desk.run_notifier().await;
    let ledger = desk.worked_off(&article).await;
    assert_eq!((ledger.count(State::Accepted), ledger.resent_uncertain), (120, 0));
    assert_eq!(desk.mailbox.mails().len(), 120);
    desk.stop().await;
}

#[tokio::test]
async fn a_window_that_was_sent_while_the_server_was_away_is_not_sent_again() {
    let slow = Fault::new(Stage::Content, Action::Delay(Duration::from_millis(20)));
    let mut desk = Desk::open(vec![slow]).await;
    desk.readers(50).await;
    desk.run_notifier().await;
    let (article, _) = desk.publish(None, create("Outage")).await;
    eventually("the first are out", async || match desk.mailbox.mails().len() {
        0..5 => Err("none"),
        _ => Ok(()),
    })
    .await;
    desk.nats.kill9();
    // Longer than a publish is tried: the outcomes are known to the worker alone.
    tokio::time::sleep(bus::RETRY_FOR + Duration::from_secs(3)).await;
    desk.nats.restart().await;
    assert_eq!(desk.worked_off(&article).await.count(State::Accepted), 50);
    assert_eq!(desk.mailbox.mails().len(), 50);
    desk.stop().await;
}
