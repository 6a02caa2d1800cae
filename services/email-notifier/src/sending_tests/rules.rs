//! What the lifecycle and the clock forbid to be mailed, and what the desk is told beforehand.

use article::RevisionKind;

use super::notices::{kill, revise};
use super::*;

#[tokio::test]
async fn nothing_but_an_alert_follows_changes_that_are_no_corrections() {
    let mut desk = Desk::open(vec![]).await;
    desk.readers(2).await;
    desk.run_notifier().await;
    let mut last = desk.publish(None, create("Changed")).await;
    desk.worked_off(&last.0).await;
    for command in [
        revise(RevisionKind::Minor, "Changed a little", None),
        revise(RevisionKind::Major, "Changed much", None),
        Command::Hold { note: None },
        revise(RevisionKind::Minor, "Changed while held", None),
        Command::Release { note: None },
    ] {
        last = desk.publish(Some((&last.0, last.1)), command).await;
        desk.settled().await;
    }
    assert_eq!(desk.mailbox.mails().len(), 2);
    desk.stop().await;
}

#[tokio::test]
async fn a_rehearsal_is_mailed_to_nobody_and_its_kill_is_answered() {
    let mut desk = Desk::open(vec![]).await;
    desk.readers(2).await;
    desk.run_notifier().await;
    let Command::Create { id, publisher, mut draft, provenance } = create("Rehearsal") else { panic!("it creates") };
    draft.test = Some(true);
    let first = desk.publish(None, Command::Create { id, publisher, draft, provenance }).await;
    assert!(first.0.test);
    let (killed, _) = desk.publish(Some((&first.0, first.1)), kill()).await;
    eventually("the kill is answered", async || match desk.receipts(&killed).await.len() {
        1 => Ok(()),
        n => Err(n),
    })
    .await;
    // What comes after it is mailed, so it is not merely late.
    let (news, _) = desk.publish(None, create("News")).await;
    desk.worked_off(&news).await;
    assert_eq!(desk.got(&news).len(), 2);
    assert_eq!(desk.mailbox.mails().len(), 2);
    desk.stop().await;
}

#[tokio::test]
async fn an_embargo_is_waited_for_whatever_the_log_says() {
    let mut desk = Desk::open(vec![]).await;
    desk.readers(2).await;
    desk.run_notifier().await;
    let Command::Create { id, publisher, draft, provenance } = create("Too early") else { panic!("it creates") };
    let now = service_kit::now();
    let article = apply(None, Command::Create { id, publisher, draft, provenance }, now).unwrap();
    let until = now + jiff::SignedDuration::from_secs(2);
    // Weeks after it was written: it is news from the end of the embargo on.
    let first_created = now - jiff::SignedDuration::from_hours(24 * 30);
    let article = Article { embargoed_until: Some(until), first_created, ..article };
    desk.log(&article).await;
    let head = desk.planned(&article, "published").await;
    assert!(head.planned_at >= until, "{} before {until}", head.planned_at);
    assert_eq!(desk.worked_off(&article).await.count(State::Accepted), 2);
    desk.stop().await;
}

#[tokio::test]
async fn what_expires_before_it_is_sent_is_not_sent() {
    // The first window begins before it expires, and ends after that.
    let slow = Fault::new(Stage::Data, Action::Delay(Duration::from_secs(10))).times(1);
    let mut desk = Desk::open(vec![slow]).await;
    desk.readers(120).await;
    desk.run_notifier().await;
    let Command::Create { id, publisher, mut draft, provenance } = create("Perishable") else { panic!("it creates") };
    draft.expires_at = Some(service_kit::now() + jiff::SignedDuration::from_secs(8));
    let (article, _) = desk.publish(None, Command::Create { id, publisher, draft, provenance }).await;
    let ledger = desk.worked_off(&article).await;
    assert_eq!((ledger.count(State::Accepted), ledger.count(State::Expired)), (50, 70));
    desk.stop().await;
}

#[tokio::test]
async fn the_desk_is_told_how_many_readers_an_article_would_reach() {
    let mut desk = Desk::open(vec![]).await;
    desk.readers(5).await;
    let pending = "pending@example.org".parse().unwrap();
    desk.store.request(&pending, &Wish::alerts(Selection::everything(), "en"), service_kit::now()).await.unwrap();
    desk.run_notifier().await;
    let (article, _) = desk.publish(None, create("Asked about")).await;
    desk.worked_off(&article).await;
    let ask = async |article: &Article| {
        let question = serde_json::json!({ "ask": "reach", "of": { "article": article } }).to_string();
        let answer = desk.bus.request(subjects::ASK_MAIL, question.into(), Duration::from_secs(20)).await.unwrap();
        serde_json::from_slice::<serde_json::Value>(&answer).unwrap()
    };
    let reach = |n| serde_json::json!({ "answer": "reach", "immediate": n, "daily": 0, "weekly": 0, "paused": 0 });
    assert_eq!(ask(&article).await, reach(5));
    assert_eq!(ask(&Article { test: true, ..article }).await, reach(0));
    let nonsense = "no question".into();
    assert_eq!(desk.bus.request(subjects::ASK_MAIL, nonsense, Duration::from_millis(300)).await, None);
    desk.stop().await;
}
