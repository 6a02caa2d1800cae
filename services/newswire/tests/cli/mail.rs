//! `newswire mail`: what a reader would get, in files; and one mail for trial.

use serde_json::json;

use crate::desk::Desk;
use crate::subscribers::notifier;

#[tokio::test]
async fn a_mail_is_looked_at_in_files_and_one_is_sent_for_trial() {
    let desk = Desk::open().await;
    let (mailbox, _stop) = notifier(&desk).await;
    let mut ids = Vec::new();
    for headline in ["Court opens an inquiry", "市检察院召开会议"] {
        desk.file("a.json", &json!({ "headline": headline, "body_text": "Words.", "language": "en" }).to_string());
        let article = desk.ok(&["publish", "a.json", "--json"]).await.json();
        ids.push(article["id"].as_str().unwrap().to_owned());
    }
    let (first, second) = (ids[0].as_str(), ids[1].as_str());
    let read = |name: &str| std::fs::read_to_string(desk.dir.path().join(name)).unwrap();

    let shown = desk.ok(&["mail", "preview", first, "--locale", "zh", "--out", "shown"]).await.out;
    assert_eq!(shown, "shown/alert-zh.eml\nshown/alert-zh.html\nshown/alert-zh.txt\n");
    assert!(read("shown/alert-zh.eml").contains("\r\nSubject: Court opens an inquiry\r\n"));
    assert!(read("shown/alert-zh.html").starts_with("<!DOCTYPE html>") && read("shown/alert-zh.txt").contains("退订"));
    desk.ok(&["mail", "preview", "--digest", first, second]).await;
    let digest = read("digest-en.txt");
    assert!(digest.contains("Court opens an inquiry") && digest.contains("市检察院召开会议"), "{digest}");
    desk.ok(&["mail", "preview", first, "--notice", "kill", "--note", "By order of the court."]).await;
    assert!(read("kill-en.txt").contains("By order of the court."));

    let nobody = "0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f";
    for (args, code, told) in [
        (&["preview", first, "--notice", "kill"][..], 1, "--note"),
        (&["preview", first, second], 1, "only a digest"),
        (&["preview", nobody], 1, "no article"),
        (&["preview"], 2, "ARTICLE"),
        (&["test", first, "nobody"], 1, "newswire: "),
        (&["test", first, "a@example.org", "--note", "N"], 2, "--notice"),
    ] {
        let ran = desk.run(&[&["mail"], args].concat()).await;
        assert!(ran.code == code && ran.err.contains(told), "{args:?}: {ran:?}");
    }
    assert_eq!(mailbox.mails().len(), 0, "what is only looked at goes nowhere");

    let said = desk.ok(&["mail", "test", second, "editor@example.org"]).await.out;
    assert!(said.starts_with("the relay took it"), "{said}");
    let mails = mailbox.mails();
    assert_eq!((mails.len(), mails[0].to.as_slice()), (1, &["editor@example.org".to_owned()][..]));
    assert_eq!(mails[0].header("Subject").as_deref(), Some("[Test] 市检察院召开会议"));
    assert!(desk.ok(&["ledger", second]).await.out.contains("0 recipients"), "it is of no plan");
}
