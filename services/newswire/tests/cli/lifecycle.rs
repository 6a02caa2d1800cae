//! `hold`, `release`, `withdraw`, `kill`, `reinstate`, `list`, `revisions`, and articles under embargo.

use serde_json::{Value, json};

use crate::desk::Desk;

async fn published(desk: &Desk, article: &Value) -> String {
    desk.file("article.json", &article.to_string());
    desk.ok(&["publish", "article.json", "--json"]).await.json()["id"].as_str().expect("an id").to_owned()
}

fn article(headline: &str) -> Value {
    json!({ "headline": headline, "body_text": "Secret words.", "language": "en", "section": ["City"] })
}

#[tokio::test]
async fn an_article_goes_through_its_whole_life() {
    let desk = Desk::open().await;
    let id = published(&desk, &article("桥")).await;
    for (args, said) in [
        (&["hold", &id, "--note", "Checking."][..], "held: "),
        // The same again: its effect is there.
        (&["hold", &id, "--note", "Checking."], "already held, unchanged: "),
        (&["release", &id], "published: "),
        (&["withdraw", &id, "--note", "It was wrong."], "withdrawn: "),
        (&["reinstate", &id, "--note", "It was right."], "published: "),
        (&["kill", &id, "--note", "A court order.", "--wait", "0"], "killed: "),
    ] {
        let ran = desk.run(args).await;
        assert!(ran.out.starts_with(said), "{args:?}: {ran:?}");
    }
    let refused = desk.run(&["release", &id]).await;
    assert!(refused.code == 1 && refused.err.contains("killed"), "{refused:?}");
    let empty = desk.run(&["reinstate", &id]).await;
    assert!(empty.code == 1 && empty.err.contains("--file"), "a killed article has no text: {empty:?}");
    let again = desk.ok(&["reinstate", &id, "--file", "article.json", "--json"]).await.json();
    assert_eq!((&again["revision"], &again["status"]), (&json!(7), &json!("published")));

    let revisions = desk.ok(&["revisions", &id]).await.out;
    let numbers: Vec<_> = revisions.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    // The texts before the kill are erased.
    assert_eq!(numbers, ["6", "7"], "{revisions}");
    assert!(revisions.contains("reinstate") && revisions.contains("kill: A court order."), "{revisions}");
    let stale = desk.run(&["withdraw", &id, "--note", "N", "--if-revision", "2"]).await;
    assert!(stale.code == 1 && stale.err.contains("revision 7 is current"), "{stale:?}");
}

#[tokio::test]
async fn articles_are_listed_newest_change_first() {
    let desk = Desk::open().await;
    assert_eq!(desk.ok(&["list"]).await.out, "there are no such articles\n");
    for n in 0..5 {
        published(&desk, &article(&format!("Story {n}"))).await;
    }
    let rows = |ran: crate::desk::Ran| -> Vec<String> {
        let lines = ran.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.map(|row| row["headline"].as_str().unwrap().to_owned()).collect()
    };
    let all = testkit::eventually("all are listed", async || {
        let listed = rows(desk.ok(&["list", "--json"]).await);
        if listed.len() == 5 { Ok(listed) } else { Err(format!("{listed:?}")) }
    })
    .await;
    assert_eq!(all, ["Story 4", "Story 3", "Story 2", "Story 1", "Story 0"]);
    assert_eq!(rows(desk.ok(&["list", "--limit", "2", "--json"]).await), all[..2]);
    assert_eq!(desk.ok(&["list", "--status", "held"]).await.out, "there are no such articles\n");
    assert!(desk.ok(&["list"]).await.out.contains("published"));
}

#[tokio::test]
async fn an_embargo_is_said_and_ended_early() {
    let desk = Desk::open().await;
    let mut draft = article("Budget");
    draft["embargoed_until"] = json!("2099-01-01T00:00:00Z");
    desk.file("budget.json", &draft.to_string());
    let ran = desk.ok(&["publish", "budget.json"]).await;
    let id = ran.after("under embargo until 2099-01-01T00:00:00Z: ").split(',').next().unwrap().to_owned();
    assert!(desk.ok(&["show", &id]).await.out.contains("embargoed"));
    assert_eq!(desk.log().await.len(), 0, "nothing is in the log that everybody reads");
    assert!(desk.ok(&["release", &id]).await.out.starts_with("published: "));
    assert_eq!(desk.log().await.len(), 1);
}

#[tokio::test]
async fn a_kill_that_nobody_confirms_is_told() {
    let desk = Desk::open().await;
    let id = published(&desk, &article("桥")).await;
    // There is a publisher here, which erases, but nobody who reads.
    let killed = desk.run(&["kill", &id, "--note", "N", "--wait", "5", "--expect", "rss-generator=2"]).await;
    assert_eq!(killed.code, 1);
    assert!(killed.out.contains("text erased"), "{killed:?}");
    assert!(
        killed.out.contains("rss-generator (0 of 2)") && killed.out.contains("not confirmed within 5 s"),
        "{killed:?}"
    );
    assert!(killed.err.contains("the kill stands"), "{}", killed.err);
    let drill = desk.run(&["kill", "--drill", "--wait", "0", "--json"]).await.json();
    assert_eq!((&drill["article"]["test"], &drill["article"]["status"]), (&json!(true), &json!("killed")));
    assert_eq!(drill["missing"].as_array().unwrap()[..2], [json!("rss-generator"), json!("email-notifier")]);
    for args in [&["kill"][..], &["kill", &id], &["kill", &id, "--drill"], &["kill", "--drill", "--expect", "x"]] {
        assert_eq!(desk.run(args).await.code, 2, "{args:?}");
    }
}
