//! `newswire publish`, `revise`, `show`.

use serde_json::json;

use crate::desk::Desk;

#[tokio::test]
async fn an_article_is_published_revised_and_shown() {
    let desk = Desk::open().await;
    let draft =
        json!({ "headline": "桥\u{2009}重新开放", "body_text": "One.\n\nTwo.", "language": "en", "section": ["City"] });
    desk.file("article.json", &draft.to_string());
    let published = desk.ok(&["publish", "article.json"]).await;
    let id = published.after("published: ").split(',').next().unwrap().to_owned();
    let again = desk.ok(&["publish", "article.json"]).await;
    assert_eq!(again.out, format!("already published, unchanged: {id}, revision 1\n"));

    let revise = ["revise", &id, "article.json", "--kind", "correction"];
    let refused = desk.run(&revise).await;
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("/change/note") && refused.err.contains("must tell readers why"), "{}", refused.err);
    let noted = [&revise[..], &["--note", "One bridge."]].concat();
    assert_eq!(desk.ok(&noted).await.out, format!("published: {id}, revision 2\n"));
    assert_eq!(desk.ok(&noted).await.out, format!("already published, unchanged: {id}, revision 2\n"));
    let stale = desk.run(&["revise", &id, "article.json", "--kind", "minor", "--if-revision", "1"]).await;
    assert_eq!(stale.code, 1);
    assert!(stale.err.contains("revision 2 is current"), "{}", stale.err);

    let shown = desk.ok(&["show", &id]).await;
    for said in ["2 (correction: One bridge.)", "桥\u{2009}重新开放", "hefei", "\nOne.\n\nTwo.\n"] {
        assert!(shown.out.contains(said), "{said:?} in {}", shown.out);
    }
    assert_eq!(desk.ok(&["show", &id, "--json"]).await.json()["revision"], 2);
}

#[tokio::test]
async fn every_mistake_is_listed() {
    let desk = Desk::open().await;
    desk.file("bad.json", r#"{"headline": "\u001b[31mred", "urgency": 0, "language": "en", "body_text": "B"}"#);
    let ran = desk.run(&["publish", "bad.json"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("  /headline: ") && ran.err.contains("  /urgency: "), "{}", ran.err);
    assert!(!ran.err.contains('\u{1b}'), "an answer does not command the terminal");
    desk.file("broken.json", "{\n  \"headline\": x\n}");
    let ran = desk.run(&["publish", "broken.json"]).await;
    assert!(ran.code == 1 && ran.err.contains("line 2, column 15"), "{ran:?}");
}

#[tokio::test]
async fn a_publisher_that_is_not_there_is_named() {
    let desk = Desk::open().await;
    desk.file("article.json", "{}");
    let gone = [("NEWSWIRE_PUBLISHER_URL", "http://127.0.0.1:1")];
    let ran = desk.run_with(&["publish", "article.json"], &gone, b"").await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("http://127.0.0.1:1/") && ran.err.contains("--publisher-url"), "{}", ran.err);
    // Something else than a publisher: the NATS server's monitoring page.
    let other = [("NEWSWIRE_PUBLISHER_URL", desk.nats.monitoring_url())];
    let ran = desk.run_with(&["publish", "article.json"], &other, b"").await;
    assert!(ran.code == 1 && ran.err.contains("not as a publisher does"), "{ran:?}");
}
