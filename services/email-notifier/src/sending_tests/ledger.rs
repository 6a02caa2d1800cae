//! The ledger closes at every moment, whatever the relay does, and whoever asks is told so.

use serde_json::{Value, json};

use super::*;

pub(super) async fn plans(desk: &Desk, article: &Article) -> Option<Vec<Value>> {
    let question = json!({ "ask": "ledger", "publisher": "test", "article": article.id }).to_string();
    let answer = desk.bus.request(subjects::ASK_MAIL, question.into(), Duration::from_secs(20)).await?;
    let mut answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(answer["answer"], "ledger", "{answer}");
    serde_json::from_value(answer["plans"].take()).unwrap()
}

fn sum(counts: &Value) -> u64 {
    counts.as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum()
}

#[tokio::test]
async fn the_sum_closes_at_every_moment_while_the_relay_refuses_defers_and_cuts() {
    let faults = vec![
        Fault::reply(Stage::Rcpt, 550, "5.1.1 no such user").to(&address(1)),
        Fault::reply(Stage::Rcpt, 450, "4.2.0 greylisted").to(&address(7)),
        Fault::new(Stage::Content, Action::KeepThenCut).to(&address(60)).times(1),
        Fault::new(Stage::Content, Action::Delay(Duration::from_millis(15))),
    ];
    let mut desk = Desk::open(faults).await;
    desk.readers(120).await;
    desk.run_notifier().await;
    let (article, sequence) = desk.publish(None, create("Under fire")).await;
    let mut seen = std::collections::BTreeSet::new();
    let last = eventually("nobody is planned or on the way", async || {
        let plans = plans(&desk, &article).await.unwrap_or_default();
        let Some(plan) = plans.first() else { return Err("no plan".to_owned()) };
        let states = &plan["states"];
        assert_eq!((plan["matched"].as_u64(), sum(states)), (Some(120), 120), "{plan}");
        assert_eq!(states["suppressed"].as_u64(), Some(sum(&plan["suppressed"])), "{plan}");
        seen.insert(states.to_string());
        match (states["planned"].as_u64(), states["submitting"].as_u64()) {
            (Some(0), Some(0)) => Ok(plan.clone()),
            _ => Err(plan.to_string()),
        }
    })
    .await;
    assert!(seen.len() > 1, "it was asked while they were sent");
    let states = &last["states"];
    let counts = ["accepted", "failed", "deferred", "uncertain"].map(|state| states[state].as_u64().unwrap());
    assert_eq!((counts, last["open"].as_u64()), ([117, 1, 1, 1], Some(2)), "{last}");
    assert!(last["next_retry_at"].is_string() && last["last_at"].is_string(), "{last}");
    // A notice has a plan of its own, for those who may have the text; nobody else's article tells of it.
    let withdraw = Command::Withdraw { note: "Wrong.".into() };
    desk.publish(Some((&article, sequence)), withdraw).await;
    let kinds = eventually("the notice is planned", async || {
        let plans = plans(&desk, &article).await.unwrap_or_default();
        let kinds: Vec<_> = plans.iter().map(|plan| (plan["kind"].clone(), plan["matched"].clone())).collect();
        if kinds.len() == 2 { Ok(kinds) } else { Err(format!("{kinds:?}")) }
    })
    .await;
    assert_eq!(kinds, [(json!("alert"), json!(120)), (json!("withdrawal"), json!(118))]);
    let question = json!({ "ask": "ledger", "publisher": "other", "article": article.id }).to_string();
    let answer = desk.bus.request(subjects::ASK_MAIL, question.into(), Duration::from_secs(20)).await.unwrap();
    assert_eq!(answer, r#"{"answer":"ledger","plans":[]}"#);
    desk.stop().await;
}
