//! `newswire why` and `newswire reach`, and what a newsroom's token may hear of the same.
#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use bus::{Bus, Credentials, HeaderMap, Server};
use jiff::Timestamp;
use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::eventually;
use testkit::mailbox::{Fault, Faults, Stage};
use topology::{JOBS, subjects};

use crate::desk::Desk;
use crate::subscribers::notifier;

/// Who has asked for what. Nobody pressed the button for the last.
const LIST: &str = "address,selection,frequency,zone,language,confirmed_at,source
has@example.org,all,immediate,UTC,en,2025-03-01,the old site
gone@example.org,section/world,immediate,UTC,en,2025-03-01,the old site
later@example.org,all,immediate,UTC,en,2025-03-01,the old site
daily@example.org,section/world,daily@08,UTC,en,2025-03-01,the old site
sport@example.org,section/sport+language/en,immediate,UTC,en,2025-03-01,the old site
asked@example.org,all,immediate,UTC,en,,
";

/// What the publisher answers to whoever has `token`.
async fn post(desk: &Desk, token: &str, path: &str, body: &Value) -> (StatusCode, Value) {
    let request = reqwest::Client::new().post(format!("http://{}/{path}", desk.publisher()));
    let request = request.bearer_auth(token).header("content-type", "application/json").body(body.to_string());
    let answer = request.send().await.unwrap();
    let status = answer.status();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

async fn token(desk: &Desk, publisher: &str, more: &[&str]) -> String {
    let made = desk.ok(&[&["token", "create", "--publisher", publisher], more].concat()).await;
    let token = made.out.trim().to_owned();
    eventually("the publisher knows the token", async || {
        match desk.run_with(&["list"], &[("NEWSWIRE_TOKEN", &token)], b"").await {
            ran if ran.code == 0 => Ok(()),
            ran => Err(ran.err),
        }
    })
    .await;
    token
}

#[tokio::test]
async fn the_operator_hears_why_and_a_newsroom_what_became_of_its_own_article() {
    let desk = Desk::open().await;
    let (mailbox, _stop) = notifier(&desk).await;
    mailbox.set_faults(Faults::from(vec![
        Fault::reply(Stage::Rcpt, 550, "5.1.1 no gone@example.org here").to("gone@example.org"),
        Fault::reply(Stage::Rcpt, 450, "4.2.0 greylisted").to("later@example.org"),
    ]));
    desk.file("list.csv", LIST);
    desk.ok(&["subscribers", "import", "list.csv"]).await;
    let draft = json!({ "headline": "A bridge", "body_text": "Words.", "language": "en", "section": ["World"] });
    desk.file("a.json", &draft.to_string());
    let counts = json!({ "immediate": 3, "daily": 1, "weekly": 0, "paused": 0 });
    eventually("everybody is counted", async || {
        match desk.ok(&["reach", "--article", "a.json", "--json"]).await.json() {
            told if told == counts => Ok(()),
            told => Err(told.to_string()),
        }
    })
    .await;
    assert_eq!(desk.ok(&["reach", "--selection", "section/world", "--json"]).await.json(), counts);
    let told = desk.ok(&["reach", "--selection", "section/sport+language/en"]).await.out;
    assert!(told.contains("at once                 3\n") && told.contains("in a daily digest       0\n"), "{told}");
    let wrong = desk.run(&["reach", "--selection", "sections/world"]).await;
    assert!(wrong.code == 1 && wrong.err.contains("sections"), "{wrong:?}");
    assert_eq!(desk.run(&["reach"]).await.code, 2);

    let article = desk.ok(&["publish", "a.json", "--json"]).await.json();
    let id = article["id"].as_str().unwrap();
    let why = async |address: &str| desk.ok(&["why", id, address]).await.out;
    eventually("all were tried", async || match desk.ok(&["ledger", id, "--json"]).await.json() {
        ledger if ledger["plans"][0]["states"]["deferred"] == 1 => Ok(()),
        ledger => Err(ledger.to_string()),
    })
    .await;
    for (address, told) in [
        ("has@example.org", &["The alert", "was taken by the relay at 20"][..]),
        ("gone@example.org", &["was refused for good at 20", "The relay said: 550 5.1.1 no … here"]),
        ("later@example.org", &["could not be sent at 20", "450 4.2.0 greylisted", "It is tried again at 20"]),
        ("daily@example.org", &["They get it in the digest that is due at 20", "T08:00:00Z."]),
        ("sport@example.org", &["Nothing they asked for has this article", "it is not in section/sport)"]),
        ("asked@example.org", &["all was asked for at 20", "never confirmed"]),
        ("nobody@例子.example", &["Nobody has subscribed"]),
    ] {
        let said = why(address).await;
        assert!(told.iter().all(|told| said.contains(told)), "{address}: {said}");
        assert!(!said.contains(address), "it is not repeated: {said}");
    }
    let machine = desk.ok(&["why", id, "gone@example.org", "--json"]).await.json();
    assert_eq!((&machine["plans"][0]["state"], &machine["because"]), (&json!("failed"), &json!([])));
    assert_eq!(desk.run(&["why", id, "nobody"]).await.code, 1);

    let path = format!("v1/articles/{}/mail/why", id.trim_start_matches("urn:uuid:"));
    let ours = token(&desk, "hefei", &["--name", "why"]).await;
    let ask = async |address: &str| post(&desk, &ours, &path, &json!({ "address": address })).await;
    let (status, told) = ask("gone@example.org").await;
    let sent = &told["plans"][0];
    assert_eq!((status, &sent["state"], &sent["kind"]), (StatusCode::OK, &json!("failed"), &json!("alert")));
    assert!(sent["at"].is_string() && sent["reply"].is_null() && sent["why"].is_null(), "the operator's: {told}");
    let none = (StatusCode::OK, json!({ "plans": [] }));
    for address in ["sport@example.org", "daily@example.org", "asked@example.org", "nobody@example.org"] {
        assert_eq!(ask(address).await, none, "whether {address} is subscribed is not a newsroom's business");
    }
    assert_eq!(ask("nobody").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(post(&desk, &ours, &path, &json!({})).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let body = json!({ "address": "has@example.org" });
    let others = token(&desk, "other", &[]).await;
    assert_eq!(post(&desk, &others, &path, &body).await.0, StatusCode::NOT_FOUND);
    let reads = token(&desk, "hefei", &["--name", "reads", "--scope", "read"]).await;
    assert_eq!(post(&desk, &reads, &path, &body).await.0, StatusCode::FORBIDDEN);
    assert_eq!(post(&desk, &reads, "v1/reach", &json!({ "selection": "all" })).await.0, StatusCode::FORBIDDEN);
}

/// A digest of `article` for the reader at `address`, as a run writes it that makes up for a week without any.
async fn digest(desk: &Desk, article: &str, address: &str) -> String {
    let server = Server { url: desk.nats.url().into(), credentials: Credentials::None };
    let bus = Bus::connect(&server, "test").await.unwrap();
    let reader = desk.ok(&["subscribers", "show", address]).await.json()["id"].clone();
    let now = service_kit::now();
    let slot = Timestamp::from_second((now.as_second() / 86_400 + 8) * 86_400).unwrap();
    let plan = format!("digest-{}", slot.as_second());
    let run = json!({ "slot": slot, "seen": bus.last_sequence(&JOBS).await.unwrap(), "articles": [article] });
    let head = json!({
        "plan": plan, "kind": "digest", "revision": 0, "lane": "digest", "matched": 1, "chunks": 1, "planned_at": now,
    });
    let chunk = json!({
        "plan": plan, "lane": "digest", "chunk": 0, "planned_at": now, "items": [{ "article": article, "publisher": "hefei" }],
        "lists": [{ "items": [0], "due": slot, "readers": 1 }], "recipients": [reader],
    });
    for (subject, message) in [
        (subjects::digest_run(&slot.as_second().to_string()), run),
        (subjects::plan(&plan), head),
        (subjects::chunk("digest", &plan, 0), chunk),
    ] {
        let payload = message.to_string().into();
        bus.publish(&JOBS, &subject, &subject, HeaderMap::new(), payload, Some(0)).await.unwrap();
    }
    plan
}

#[tokio::test]
async fn what_became_of_a_digest_is_told_to_the_operator_and_of_its_own_article_to_a_newsroom() {
    let desk = Desk::open().await;
    let (mailbox, _stop) = notifier(&desk).await;
    desk.file("list.csv", LIST);
    desk.ok(&["subscribers", "import", "list.csv"]).await;
    let draft = json!({ "headline": "桥 <b>", "body_text": "Words.", "language": "en", "section": ["World"] });
    desk.file("a.json", &draft.to_string());
    let article = desk.ok(&["publish", "a.json", "--json"]).await.json();
    let id = article["id"].as_str().unwrap();
    eventually("the alert is planned", async || match desk.ok(&["ledger", id, "--json"]).await.json() {
        ledger if ledger["plans"][0]["matched"].is_u64() => Ok(()),
        ledger => Err(ledger.to_string()),
    })
    .await;
    let plan = digest(&desk, id, "daily@example.org").await;
    let told = desk.ok(&["ledger", &plan, "--follow"]).await.out;
    assert!(told.starts_with(&format!("{plan}: 1 recipient, closed\n  accepted  1  from 20")), "{told}");
    assert!(mailbox.mails().iter().any(|mail| mail.to == ["daily@example.org"]));

    let why = desk.ok(&["why", id, "daily@example.org"]).await.out;
    let sent = format!("The digest that has it ({plan}) was taken by the relay at 20");
    assert!(why.starts_with(&sent) && why.contains("They get it in the digest that is due at 20"), "{why}");
    let path = format!("v1/articles/{}/mail/why", id.trim_start_matches("urn:uuid:"));
    let ours = token(&desk, "hefei", &["--name", "why"]).await;
    let (status, told) = post(&desk, &ours, &path, &json!({ "address": "daily@example.org" })).await;
    let sent = &told["plans"][0];
    assert_eq!((status, &sent["plan"], &sent["state"]), (StatusCode::OK, &json!(plan), &json!("accepted")), "{told}");
    let (_, told) = post(&desk, &ours, &path, &json!({ "address": "sport@example.org" })).await;
    assert_eq!(told, json!({ "plans": [] }), "who was in no digest");
    let none = desk.run(&["ledger", "digest-0"]).await;
    assert!(none.code == 1 && none.err.contains("no such plan"), "{none:?}");
}
