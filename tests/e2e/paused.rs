//! kill -9 while a plan of mail is paused, ordered and let go through the command line: everybody gets it once, and
//! nothing goes out in between.

use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use testkit::mailbox::{Action, Fault, Faults, Stage};
use testkit::{eventually, eventually_within};

use crate::newsroom::{Newsroom, Service};

/// More than two windows.
const READERS: usize = 120;

/// Deaths while it is paused.
const KILLS: usize = 3;

async fn publish(room: &Newsroom, headline: &str) -> String {
    let article = json!({ "headline": headline, "body": "<p>Words.</p>", "language": "en" });
    let request = room.http.post(room.url(Service::Publisher, "v1/articles")).bearer_auth(&room.token);
    let answer = request.json(&article).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    let answer: Value = answer.json().await.unwrap();
    answer["id"].as_str().unwrap().to_owned()
}

/// The only plan of an article, as the command line shows it.
async fn plan(room: &Newsroom, id: &str) -> Result<Value, String> {
    let output = room.try_cli(&["ledger", id, "--json"]).await;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let mut ledger: Value = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    ledger["plans"].get_mut(0).map(Value::take).ok_or_else(|| "no plan".to_owned())
}

async fn is_open(room: &Newsroom, id: &str, open: impl Fn(u64) -> bool) -> Value {
    eventually_within(Duration::from_secs(120), "the plan", async || {
        let plan = plan(room, id).await?;
        let busy = ["planned", "submitting"].iter().any(|state| plan["states"][state] != 0);
        if !busy && open(plan["open"].as_u64().unwrap_or(u64::MAX)) { Ok(plan) } else { Err(plan.to_string()) }
    })
    .await
}

fn copies(room: &Newsroom, id: &str) -> Vec<String> {
    let mails = room.mailbox.mails();
    let about = mails.iter().filter(|mail| mail.header("X-Newswire-Article").as_deref() == Some(id));
    about.map(|mail| mail.to[0].clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_outlives_kill_9_and_everybody_gets_it_once() {
    let mut room = Newsroom::start(vec![]).await;
    let addresses: Vec<String> = (0..READERS).map(|n| format!("reader@d{n}.example.org")).collect();
    join_all(addresses.iter().map(|address| room.subscribe(address, "all"))).await;
    // Most of them are still to come when the order arrives, however busy the machine is.
    let slow = Fault::new(Stage::Content, Action::Delay(Duration::from_millis(60)));
    room.mailbox.set_faults(vec![slow].into());
    let id = publish(&room, "Stopped").await;
    let name = format!("{}-published", id.trim_start_matches("urn:uuid:"));
    eventually("the first are out", async || if copies(&room, &id).is_empty() { Err("none") } else { Ok(()) }).await;
    let said = room.cli(&["plan", "pause", &name]).await;
    let said = String::from_utf8(said.stdout).unwrap();
    assert_eq!(said, format!("{name}: paused, by token tests\n"));
    let paused = is_open(&room, &id, |open| open > 0).await;
    assert_eq!(paused["control"]["state"], "paused", "{paused}");
    room.mailbox.set_faults(Faults::default());
    let before = copies(&room, &id);
    assert_eq!(before.len() as u64 + paused["open"].as_u64().unwrap(), READERS as u64, "{paused}");
    for n in 0..KILLS {
        room.kill9_and_restart(Service::EmailNotifier);
        room.ready(Service::EmailNotifier).await;
        // It works: what is not paused goes out.
        let other = publish(&room, &format!("Meanwhile {n}")).await;
        is_open(&room, &other, |open| open == 0).await;
        assert_eq!(copies(&room, &id), before);
    }
    room.cli(&["plan", "resume", &name]).await;
    let done = is_open(&room, &id, |open| open == 0).await;
    assert_eq!((&done["states"]["accepted"], &done["resent_uncertain"]), (&json!(READERS), &json!(0)), "{done}");
    let mut all = copies(&room, &id);
    all.sort();
    assert_eq!(all.len(), READERS);
    all.dedup();
    assert_eq!(all.len(), READERS, "everybody once");
    room.settled().await;
}
