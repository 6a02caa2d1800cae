//! Plans that are stopped, let go, ended and tried again, on a real server under two notifiers; and the guard.

use std::collections::BTreeMap;

use bus::BatchMessage;
use serde_json::{Value, json};

use super::*;
use crate::ledger::Why;
use crate::plan::Chunk;

impl Desk {
    /// Gives an order as the publisher does, and answers with what is said.
    async fn order(&self, article: &Article, order: &str) -> Value {
        let owner = json!({ "publisher": article.publisher, "article": article.id });
        self.ask(&json!({ "plan": plan_key(&article.id), "order": order, "by": "token desk", "owner": owner })).await
    }

    async fn ask(&self, control: &Value) -> Value {
        let mut question = control.clone();
        question["ask"] = json!("control");
        let answer = eventually("somebody answers", async || {
            let question = question.to_string().into();
            self.bus.request(subjects::ASK_MAIL, question, Duration::from_secs(20)).await.ok_or("no answer")
        })
        .await;
        serde_json::from_slice(&answer).unwrap()
    }

    /// The records of all chunks of an alert, as one list of states.
    async fn states(&self, article: &Article) -> Vec<State> {
        let plan = plan_key(&article.id);
        let Some(head) = self.bus.last(&JOBS, &subjects::plan(&plan)).await.unwrap() else { return Vec::new() };
        let head: Head = serde_json::from_slice(&head.payload).unwrap();
        let mut states = Vec::new();
        for chunk in 0..head.chunks {
            if let Some(stored) = self.bus.last(&LEDGER, &subjects::ledger(&plan, chunk)).await.unwrap() {
                states.extend(Ledger::read(&stored.payload).unwrap().states());
            }
        }
        states.resize(head.matched, State::Planned);
        states
    }

    /// Waits until every recipient is in one of `wanted`; answers how many are in the first.
    async fn all_are(&self, article: &Article, wanted: &[State]) -> usize {
        eventually(&format!("all are {wanted:?}"), async || {
            let states = self.states(article).await;
            let count = |state| states.iter().filter(|known| **known == state).count();
            match states.iter().find(|state| !wanted.contains(state)) {
                None if !states.is_empty() => Ok(count(wanted[0])),
                other => Err(format!("{other:?} of {}", states.len())),
            }
        })
        .await
    }

    /// The server would do it at the retry's time; a test does not wait for it.
    async fn call_early(&self, article: &Article, attempt: u32) {
        let lane = Lane::of(article);
        let call = RetryCall { plan: plan_key(&article.id), lane, chunk: 0, attempt };
        let due = subjects::retry_due(lane.retries(), &call.plan, 0, attempt);
        let payload = serde_json::to_vec(&call).unwrap();
        self.bus
            .publish(&RETRIES, &due, &format!("woken {due}"), HeaderMap::new(), payload.into(), None)
            .await
            .unwrap();
    }

    /// Waits until the retry `attempt` has begun, and is to be tried later.
    async fn put_off(&self, article: &Article, attempt: u32) {
        eventually("it is put off", async || match self.ledger(article).await.and_then(|ledger| ledger.retry) {
            Some(retry) if retry.attempt > attempt => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    }

    async fn more_readers(&self, numbers: std::ops::Range<usize>) {
        for n in numbers {
            let (address, now) = (address(n).parse().unwrap(), service_kit::now());
            self.store.request(&address, &Wish::alerts(Selection::everything(), "en"), now).await.unwrap();
            self.confirm(&address, now).await;
        }
    }

    /// Copies of the article's alert, by recipient.
    fn copies(&self, article: &Article) -> BTreeMap<String, usize> {
        let id = article.id.to_string();
        let mut copies = BTreeMap::new();
        for mail in self.mailbox.mails() {
            if mail.header("X-Newswire-Article").as_deref() == Some(&id) {
                *copies.entry(mail.to[0].clone()).or_default() += 1;
            }
        }
        copies
    }

    async fn first_mails(&self) {
        eventually("the first are out", async || match self.mailbox.mails().len() {
            0..5 => Err("none"),
            _ => Ok(()),
        })
        .await;
    }

    /// Other news is sent meanwhile: whoever gets none is not merely late.
    async fn others_go_out(&self, headline: &str) {
        let (other, _) = self.publish(None, create(headline)).await;
        self.all_are(&other, &[State::Accepted]).await;
    }

    /// Plans an alert in chunks of `size`, as if it were much larger, and publishes its article. No planner may run yet.
    async fn publish_in_chunks(&self, headline: &str, readers: usize, size: usize) -> Article {
        let article = apply(None, create(headline), service_kit::now()).unwrap();
        let mut recipients = Vec::new();
        for n in 0..readers {
            recipients.push(self.id(&address(n).parse().unwrap()).await);
        }
        let now = service_kit::now();
        let cause = Cause { article: &article, kind: Kind::Alert, revision: 1, published: now, sequence: 0 };
        let (head, chunks) = make_plan(&cause, &recipients, now);
        let parts = chunks[0].recipients.chunks(size).zip(0..);
        let chunks: Vec<Chunk> =
            parts.map(|(part, chunk)| Chunk { chunk, recipients: part.to_vec(), ..chunks[0].clone() }).collect();
        let head = Head { chunks: chunks.len() as u32, ..head };
        let message = |subject: String, payload: Vec<u8>| BatchMessage {
            subject,
            headers: HeaderMap::new(),
            payload: payload.into(),
            expected: Some(0),
        };
        let lane = head.lane.as_str();
        let mut batch = vec![message(subjects::plan(&head.plan), serde_json::to_vec(&head).unwrap())];
        batch.extend(
            chunks.iter().map(|chunk| {
                message(subjects::chunk(lane, &chunk.plan, chunk.chunk), serde_json::to_vec(chunk).unwrap())
            }),
        );
        self.bus.publish_batch(batch).await.unwrap();
        self.log(&article).await;
        article
    }
}

const HELD: [State; 2] = [State::Deferred, State::Accepted];

#[tokio::test]
async fn a_plan_stops_in_its_middle_under_two_notifiers_and_goes_on_where_it_was() {
    let slow = Fault::new(Stage::Content, Action::Delay(Duration::from_millis(20)));
    let mut desk = Desk::open(vec![slow]).await;
    desk.readers(240).await;
    let article = desk.publish_in_chunks("In parts", 240, 10).await;
    desk.run_notifier().await;
    desk.run_notifier().await;
    desk.first_mails().await;
    let paused = desk.order(&article, "pause").await;
    assert_eq!((&paused["answer"], &paused["control"]["state"]), (&json!("control"), &json!("paused")), "{paused}");
    assert_eq!(paused["control"]["by"], "token desk");
    let waiting = desk.all_are(&article, &HELD).await;
    assert!(waiting > 0, "it was stopped before its end");
    let before = desk.copies(&article);
    assert_eq!(before.len(), 240 - waiting);
    assert_eq!(desk.order(&article, "pause").await, paused, "once is enough");
    let plan = &ledger::plans(&desk, &article).await.unwrap()[0];
    assert_eq!((&plan["control"], &plan["open"]), (&paused["control"], &json!(waiting)));
    desk.others_go_out("Meanwhile").await;
    assert_eq!(desk.copies(&article), before);
    let resumed = desk.order(&article, "resume").await;
    assert_eq!(resumed["control"]["state"], "running", "{resumed}");
    desk.all_are(&article, &[State::Accepted]).await;
    let copies = desk.copies(&article);
    assert_eq!((copies.len(), copies.values().max()), (240, Some(&1)), "everybody once");
    desk.stop().await;
}

#[tokio::test]
async fn a_pause_between_two_windows_outlives_every_notifier_and_costs_no_attempt() {
    let slow = Fault::new(Stage::Content, Action::Delay(Duration::from_millis(8)));
    let mut desk = Desk::open(vec![slow]).await;
    desk.readers(160).await;
    desk.run_notifier().await;
    let (article, _) = desk.publish(None, create("In windows")).await;
    desk.first_mails().await;
    desk.order(&article, "pause").await;
    let waiting = desk.all_are(&article, &HELD).await;
    assert!(waiting > 0 && (160 - waiting) % 50 == 0, "stopped after a window, not in one: {waiting}");
    let held = desk.ledger(&article).await.unwrap();
    desk.stop().await;
    desk.run_notifier().await;
    desk.others_go_out("After a start").await;
    assert_eq!(desk.copies(&article).len(), 160 - waiting);
    // Its own wake-up call finds it held, and puts it off again.
    let attempt = held.retry.unwrap().attempt;
    desk.call_early(&article, attempt).await;
    desk.put_off(&article, attempt).await;
    assert_eq!(desk.all_are(&article, &HELD).await, waiting);
    desk.order(&article, "resume").await;
    desk.all_are(&article, &[State::Accepted]).await;
    let copies = desk.copies(&article);
    assert_eq!((copies.len(), copies.values().max()), (160, Some(&1)));
    assert_eq!(desk.ledger(&article).await.unwrap().resent_uncertain, 0);
    desk.stop().await;
}

#[tokio::test]
async fn what_is_cancelled_ends_for_good_and_corrections_reach_who_has_it() {
    let slow = Fault::new(Stage::Content, Action::Delay(Duration::from_millis(8)));
    let later = Fault::reply(Stage::Rcpt, 450, "4.2.0 greylisted").to(&address(3));
    let mut desk = Desk::open(vec![slow, later]).await;
    desk.readers(160).await;
    desk.run_notifier().await;
    let (article, sequence) = desk.publish(None, create("Not for you")).await;
    desk.first_mails().await;
    let cancelled = desk.order(&article, "cancel").await;
    assert_eq!(cancelled["control"]["state"], "cancelled");
    let gone = desk.all_are(&article, &[State::Suppressed(Why::Cancelled), State::Accepted]).await;
    let copies = desk.copies(&article);
    assert!(gone > 1 && copies.len() == 160 - gone && !copies.contains_key(&address(3)), "{gone} {}", copies.len());
    let plan = &ledger::plans(&desk, &article).await.unwrap()[0];
    assert_eq!((&plan["open"], &plan["suppressed"]["cancelled"]), (&json!(0), &json!(gone)));
    for order in ["resume", "pause", "retry"] {
        let refused = desk.order(&article, order).await;
        assert_eq!(refused["answer"], "refused", "{order}: {refused}");
    }
    assert_eq!(desk.order(&article, "cancel").await, cancelled);
    let correct = notices::revise(article::RevisionKind::Correction, "Not for you", Some("It was wrong."));
    desk.publish(Some((&article, sequence)), correct).await;
    assert_eq!(desk.planned(&article, "correction-2").await.matched, copies.len());
    desk.stop().await;
}

#[tokio::test]
async fn only_those_who_failed_are_tried_again_and_as_often_as_it_is_ordered() {
    let policy = Fault::reply(Stage::Rcpt, 550, "5.1.1 not today").to(&address(4)).times(2);
    let full = Fault::reply(Stage::Rcpt, 452, "4.2.2 full").to(&address(7)).times(1);
    let mut desk = Desk::open(vec![policy, full]).await;
    desk.readers(12).await;
    desk.run_notifier().await;
    desk.run_notifier().await;
    let (article, _) = desk.publish(None, create("Again")).await;
    let first = desk.worked_off(&article).await;
    let counts = [State::Accepted, State::Failed, State::Deferred].map(|state| first.count(state));
    assert_eq!(counts, [10, 1, 1]);
    assert_eq!(desk.order(&article, "retry").await["control"]["retry"], 1);
    // Whoever was to be tried in a minute is tried with them.
    desk.all_are(&article, &[State::Failed, State::Accepted]).await;
    assert_eq!([desk.sent_to(4), desk.sent_to(7)], [0, 1]);
    assert_eq!(desk.order(&article, "retry").await["control"]["retry"], 2);
    desk.all_are(&article, &[State::Accepted]).await;
    let last = desk.ledger(&article).await.unwrap();
    assert_eq!((last.reasons.len(), last.resent_uncertain), (0, 0));
    assert_eq!(desk.order(&article, "retry").await["answer"], "control", "nobody is left");
    desk.others_go_out("Meanwhile").await;
    let copies = desk.copies(&article);
    assert_eq!((copies.len(), copies.values().max()), (12, Some(&1)));
    desk.stop().await;
}

#[tokio::test]
async fn an_alert_to_far_more_readers_than_usual_waits_until_it_is_let_go() {
    let guard = GuardConfig { from: 8, factor: 3 };
    let mut desk = Desk::open(vec![]).await;
    let config = Config { guard, ..desk.config() };
    desk.readers(2).await;
    desk.run_as(config.clone()).await;
    desk.run_as(config.clone()).await;
    for n in 0..5 {
        desk.others_go_out(&format!("Usual {n}")).await;
    }
    desk.more_readers(2..9).await;
    let (article, _) = desk.publish(None, create("To far more")).await;
    assert_eq!(desk.all_are(&article, &[State::Deferred]).await, 9);
    let plan = ledger::plans(&desk, &article).await.unwrap().remove(0);
    let control = &plan["control"];
    assert_eq!((&control["state"], &control["by"], &control["usual"]), (&json!("waiting"), &json!("guard"), &json!(2)));
    desk.stop().await;
    desk.run_as(config.clone()).await;
    // As large, and as urgent as can be.
    let Command::Create { id, publisher, mut draft, provenance } = create("Breaking") else { panic!("it creates") };
    draft.urgency = 1;
    let (breaking, _) = desk.publish(None, Command::Create { id, publisher, draft, provenance }).await;
    desk.all_are(&breaking, &[State::Accepted]).await;
    assert_eq!(desk.copies(&article).len(), 0);
    assert_eq!(desk.order(&article, "resume").await["control"]["state"], "running");
    desk.all_are(&article, &[State::Accepted]).await;
    // What somebody has let go is usual from now on, and nothing larger is.
    desk.others_go_out("As large").await;
    desk.more_readers(9..10).await;
    let (larger, _) = desk.publish(None, create("Larger yet")).await;
    assert_eq!(desk.all_are(&larger, &[State::Deferred]).await, 10);
    desk.stop().await;
}

#[tokio::test]
async fn what_expires_while_it_waits_is_never_sent_whatever_its_lane() {
    let later = Fault::reply(Stage::Rcpt, 450, "4.2.0 greylisted").to(&address(0));
    let mut desk = Desk::open(vec![later]).await;
    desk.readers(3).await;
    desk.run_notifier().await;
    let mut articles = Vec::new();
    let expires = service_kit::now() + jiff::SignedDuration::from_secs(15);
    for (urgency, retried) in [(1, false), (5, false), (1, true), (5, true)] {
        let headline = format!("Perishable {urgency} {retried}");
        let Command::Create { id, publisher, mut draft, provenance } = create(&headline) else { panic!("it creates") };
        (draft.expires_at, draft.urgency) = (Some(expires), urgency);
        let (article, _) = desk.publish(None, Command::Create { id, publisher, draft, provenance }).await;
        desk.worked_off(&article).await;
        if !retried {
            desk.order(&article, "pause").await;
            desk.call_early(&article, 1).await;
            desk.put_off(&article, 1).await;
        }
        articles.push((article, retried));
    }
    eventually("they have expired", async || match service_kit::now() {
        now if now > expires => Ok(()),
        now => Err(now),
    })
    .await;
    for (article, retried) in articles {
        if retried {
            desk.call_early(&article, 1).await;
        } else {
            desk.order(&article, "resume").await;
        }
        desk.all_are(&article, &[State::Expired, State::Accepted]).await;
    }
    assert_eq!(desk.sent_to(0), 0);
    desk.stop().await;
}

#[tokio::test]
async fn an_order_is_for_the_owner_of_the_article_and_names_a_plan_there_is() {
    let mut desk = Desk::open(vec![]).await;
    desk.readers(2).await;
    desk.run_notifier().await;
    let (article, _) = desk.publish(None, create("Whose")).await;
    desk.worked_off(&article).await;
    let plan = plan_key(&article.id);
    let (other, _) = desk.publish(None, create("Another")).await;
    let owner = |publisher: &str, id: &ArticleId| json!({ "publisher": publisher, "article": id });
    let cases = [
        (plan.as_str(), owner("test", &article.id), "control"),
        (plan.as_str(), owner("others", &article.id), "no_such_plan"),
        (plan.as_str(), owner("test", &other.id), "no_such_plan"),
        (plan.as_str(), Value::Null, "control"),
        ("digest-1795348800", Value::Null, "no_such_plan"),
        ("", Value::Null, "no_such_plan"),
        ("a.b", Value::Null, "no_such_plan"),
        ("*", Value::Null, "no_such_plan"),
        ("新闻\u{202e}", Value::Null, "no_such_plan"),
        (&"x".repeat(5000), Value::Null, "no_such_plan"),
    ];
    for (plan, owner, expected) in cases {
        let answer = desk.ask(&json!({ "plan": plan, "order": "pause", "by": "x".repeat(5000), "owner": owner })).await;
        assert_eq!(answer["answer"], expected, "{plan}: {answer}");
        assert!(answer["control"]["by"].as_str().is_none_or(|by| by.len() == 128));
    }
    desk.stop().await;
}
