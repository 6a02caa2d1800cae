//! Webhooks through the command line: made, tried, listed, revoked.

use testkit::eventually;

use crate::desk::{Desk, WEBHOOK_MASTER};

#[tokio::test]
async fn a_webhook_is_made_tried_and_revoked() {
    let desk = Desk::open().await;
    std::fs::write(desk.dir.path().join("master"), format!("{WEBHOOK_MASTER}\n")).expect("writes");
    let key = [("NEWSWIRE_PUBLISHER_WEBHOOK_SECRET_FILE", "master")];
    assert!(desk.ok(&["webhook", "list"]).await.out.contains("there are no webhooks"));
    for format in ["ghost", "wordpress", "newswire", "ninjs"] {
        let create = ["webhook", "create", "--publisher", "hefei", "--name", "cms", "--format", format];
        let create =
            [&create[..], &["--language", "zh-Hans", "--section", "News", "--timezone", "Asia/Shanghai", "--json"]]
                .concat();
        let made = desk.run_with(&create, &key, b"").await;
        assert_eq!(made.code, 0, "{made:?}");
        let made = made.json();
        let id = made["id"].as_str().expect("an id");
        assert!(made["url"].as_str().expect("an address").ends_with(&format!("/v1/webhooks/{id}")), "{made}");
        assert!(made["secret"].as_str().expect("a secret").starts_with("whsec_"), "{made}");
        eventually("the webhook is taken", async || {
            let ran = desk.run_with(&["webhook", "test", id], &key, b"").await;
            if ran.code == 0 { Ok(()) } else { Err(ran.err) }
        })
        .await;
        std::fs::write(desk.dir.path().join("other"), "x".repeat(40)).expect("writes");
        let other = [("NEWSWIRE_PUBLISHER_WEBHOOK_SECRET_FILE", "other")];
        let ran = desk.run_with(&["webhook", "test", id], &other, b"").await;
        assert!(ran.code == 1 && ran.err.contains("signature is wrong"), "{ran:?}");
        let listed = desk.ok(&["webhook", "list"]).await.out;
        assert!(listed.contains(id) && listed.contains(format) && !listed.contains("whsec_"), "{listed}");
        assert_eq!(desk.ok(&["webhook", "revoke", id]).await.out, "revoked \"cms\" of hefei\n");
        assert!(desk.ok(&["webhook", "revoke", id]).await.out.contains("revoked already"));
        eventually("the webhook is closed", async || {
            let ran = desk.run_with(&["webhook", "test", id], &key, b"").await;
            if ran.code == 1 && ran.err.contains("404") { Ok(()) } else { Err(ran.err) }
        })
        .await;
    }
    assert!(desk.log().await.is_empty(), "a test publishes nothing");
}

#[tokio::test]
async fn what_is_wrong_is_said_before_anything_is_made() {
    let desk = Desk::open().await;
    let create = ["webhook", "create", "--publisher", "hefei", "--name", "cms", "--format", "ghost"];
    let key = ("NEWSWIRE_PUBLISHER_WEBHOOK_SECRET_FILE", "missing");
    std::fs::write(desk.dir.path().join("short"), "short").expect("writes");
    for (more, key, code, says) in [
        (&[][..], ("NEWSWIRE_PUBLISHER_WEBHOOK_SECRET_FILE", ""), 2, "--secret-file"),
        (&[], key, 1, "cannot read missing"),
        (&[], (key.0, "short"), 1, "shorter than 32 bytes"),
        (&["--language", "not a language"], key, 2, "--language"),
        (&["--timezone", "Mars/Olympus"], key, 2, "--timezone"),
        (&["--name", "a/b"], key, 2, "--name"),
        (&["--format", "drupal"], key, 2, "newswire, ghost, wordpress, ninjs"),
    ] {
        let args: Vec<&str> = match more {
            // A flag that is given anew takes the place of the one before.
            [flag, value] if create.contains(flag) => {
                let at = create.iter().position(|arg| arg == flag).expect("it is there");
                let mut args = create.to_vec();
                args[at + 1] = value;
                args
            }
            _ => [&create[..], more].concat(),
        };
        let ran = desk.run_with(&args, &[key], b"").await;
        assert!(ran.code == code && ran.err.contains(says), "{args:?}: {ran:?}");
    }
    assert!(desk.ok(&["webhook", "list"]).await.out.contains("there are no webhooks"));
    std::fs::write(desk.dir.path().join("master"), WEBHOOK_MASTER).expect("writes");
    // An id may begin with any character of URL-safe base64, a hyphen among them.
    for id in ["AAAAAAAAAAAAAAAAAAAAAA", "-AAAAAAAAAAAAAAAAAAAAA", "--hVAAAAAAAAAAAAAAAAAA", "-hAAAAAAAAAAAAAAAAAAAA"] {
        for args in [&["webhook", "revoke", id][..], &["webhook", "test", id, "--secret-file", "master"]] {
            let ran = desk.run(args).await;
            assert!(ran.code == 1 && ran.err.contains("there is no webhook"), "{args:?}: {ran:?}");
        }
    }
}
