//! What became of digests can be told: whoever had an article in one, however late, and each digest's whole ledger.

use serde_json::{Value, json};

use super::*;
use crate::asks::{Asks, Because, Records, Told, told};

const DAY: SignedDuration = SignedDuration::from_hours(24);

impl Desk {
    /// The answer to what the publisher asks, or the operator about a plan.
    async fn asked(&self, runner: &Runner, question: &Value) -> Value {
        let (readers, news) = (runner.readers.clone(), runner.news.clone());
        let asks = Asks { bus: self.bus.clone(), readers, store: self.store.clone(), news };
        let answer = asks.answer(&serde_json::to_vec(question).unwrap()).await.expect("an answer");
        serde_json::from_slice(&answer).unwrap()
    }

    /// What the operator is told of an article and a reader.
    async fn why(&self, runner: &Runner, article: &Article, n: usize) -> Told {
        let records = Records { bus: &self.bus, store: &self.store, news: &runner.news };
        told(&records, article.id, &address(n).parse().unwrap()).await.unwrap()
    }

    /// What the newsroom is told: plans, and how they ended.
    async fn newsroom(&self, runner: &Runner, article: &Article, n: usize) -> Vec<(String, String)> {
        let question = json!({ "ask": "why", "publisher": "test", "article": article.id, "address": address(n) });
        let answer = self.asked(runner, &question).await;
        let plans = answer["plans"].as_array().unwrap_or_else(|| panic!("{answer}"));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        plans.iter().map(|sent| (text(&sent["plan"]), text(&sent["state"]))).collect()
    }
}

#[tokio::test]
async fn the_digest_that_had_an_article_is_found_however_late_it_was_and_whatever_changed_since() {
    let mut desk = Desk::open(vec![]).await;
    let due = desk.digest_readers(2, "en").await;
    desk.run_notifier().await;
    let runner = desk.runner();
    desk.digested(&runner, due - SLOT).await;
    let news = desk.news(&["Waits for days", "等了好几天"]).await;
    // Then nobody ran for six days.
    let made_up = due + DAY * 6;
    desk.digested(&runner, made_up).await;
    // Published before that by the server's clock, planned after it; then nobody ran for ten.
    let late = desk.news(&["Later still"]).await;
    let at_last = made_up + DAY * 10;
    desk.digested(&runner, at_last).await;
    // A digest of others between them and now.
    desk.news(&["Of today"]).await;
    desk.digested(&runner, at_last + DAY).await;
    for slot in [made_up, at_last, at_last + DAY] {
        assert_eq!(desk.digests_sent(slot).await.count(State::Accepted), 2);
    }

    let accepted = |slot: Timestamp| vec![(digest(slot), "accepted".to_owned())];
    for (article, slot, due) in
        [(&news[0].0, made_up, due), (&news[1].0, made_up, due), (&late[0].0, at_last, made_up + DAY)]
    {
        assert_eq!(desk.newsroom(&runner, article, 1).await, accepted(slot));
        let told = desk.why(&runner, article, 1).await;
        assert_eq!((told.plans.len(), told.because), (1, vec![Because::Digest { due: Some(due) }]));
        assert_eq!((told.plans[0].plan.as_str(), told.plans[0].kind.as_str()), (digest(slot).as_str(), "digest"));
    }

    // One leaves, and their record forgets in time what they had; somebody comes who had nothing of it.
    let id = desk.id(&address(0).parse().unwrap()).await;
    let leave = |reader: &mut Subscriber| {
        reader.unsubscribe(None, Form::Unsubscribe, service_kit::now());
        reader.prune(service_kit::now() + DAY * 30);
        true
    };
    desk.store.update(id, leave).await.unwrap();
    assert_eq!(desk.store.at(&address(0).parse().unwrap()).await.unwrap().unwrap().spans().count(), 0);
    let wish = Wish { frequency: Frequency::Daily { hour: 8 }, ..Wish::alerts(Selection::everything(), "en") };
    desk.store.request(&address(2).parse().unwrap(), &wish, service_kit::now()).await.unwrap();
    desk.confirm(&address(2).parse().unwrap(), service_kit::now()).await;
    for (article, slot) in [(&news[0].0, made_up), (&late[0].0, at_last)] {
        assert_eq!(desk.newsroom(&runner, article, 0).await, accepted(slot));
        assert!(desk.why(&runner, article, 0).await.because.is_empty(), "their record no longer says why");
        assert!(desk.newsroom(&runner, article, 2).await.is_empty());
        let told = desk.why(&runner, article, 2).await;
        assert!(told.plans.is_empty() && matches!(told.because[..], [Because::Later { .. }]), "{told:?}");
    }
    desk.stop().await;
}

#[tokio::test]
async fn the_ledger_of_a_digest_closes_and_is_told_by_its_name() {
    let refused = Fault::reply(Stage::Rcpt, 550, "5.1.1 nobody here").to(&address(1));
    let mut desk = Desk::open(vec![refused]).await;
    let due = desk.digest_readers(3, "en").await;
    desk.run_notifier().await;
    let runner = desk.runner();
    desk.news(&["News"]).await;
    desk.digested(&runner, due).await;
    desk.digested(&runner, due + SLOT).await;
    desk.digests_sent(due).await;
    let answer = desk.asked(&runner, &json!({ "ask": "digest", "plan": digest(due) })).await;
    let plan = &answer["plans"][0];
    assert_eq!((&answer["answer"], answer["plans"].as_array().map(Vec::len)), (&json!("ledger"), Some(1)));
    assert_eq!((&plan["plan"], &plan["kind"], &plan["matched"]), (&json!(digest(due)), &json!("digest"), &json!(3)));
    assert_eq!(
        (&plan["states"]["accepted"], &plan["states"]["failed"], &plan["open"]),
        (&json!(2), &json!(1), &json!(0))
    );
    let article = desk.news(&["More"]).await.remove(0).0;
    let nothing_was_due = digest(due + SLOT);
    for wrong in
        [nothing_was_due.as_str(), &plan_key(&article.id), "digest-", "digest-0", "digest->", "digest-新闻", ""]
    {
        let answer = desk.asked(&runner, &json!({ "ask": "digest", "plan": wrong })).await;
        assert_eq!(answer, json!({ "answer": "no_such_plan" }), "{wrong}");
    }
    desk.stop().await;
}
