//! `newswire token` and `newswire provision`.

use bus::{Bus, Credentials, Server};
use testkit::eventually;
use topology::ARTICLES;

use crate::desk::Desk;

#[tokio::test]
async fn a_server_is_provisioned_once_and_drift_is_not_repaired_by_guessing() {
    let desk = Desk::bare().await;
    let unprepared = desk.run(&["token", "list"]).await;
    assert_eq!(unprepared.code, 1);
    assert!(unprepared.err.contains("newswire provision"), "{}", unprepared.err);

    let first = desk.ok(&["provision"]).await;
    assert!(first.out.contains("created  stream ARTICLES") && !first.out.contains("unchanged"), "{}", first.out);
    assert_eq!(desk.ok(&["provision"]).await.out, "everything is as this version needs it\n");
    assert!(desk.ok(&["provision", "--replicas", "1"]).await.out.contains("unchanged  stream ARTICLES"));

    let server = Server { url: desk.nats.url().into(), credentials: Credentials::None };
    let bus = Bus::connect(&server, "test").await.unwrap();
    let mut other = ARTICLES;
    other.max_messages_per_subject = 3;
    bus.provision(&[other], &[], 1).await.unwrap();
    let asked = desk.run(&["provision"]).await;
    assert_eq!(asked.code, 2);
    assert!(
        asked.err.contains("max_msgs_per_subject is 3, expected 16") && asked.err.contains("--replicas"),
        "{}",
        asked.err
    );
    assert!(desk.ok(&["provision", "--replicas", "1"]).await.out.contains("updated    stream ARTICLES"));
    assert_eq!(desk.run(&["provision", "--replicas", "2"]).await.code, 2);
}

#[tokio::test]
async fn a_token_is_shown_once_listed_and_revoked() {
    let desk = Desk::open().await;
    let made = desk.ok(&["token", "create", "--publisher", "wuhan", "--name", "新华 CMS"]).await;
    let token = made.out.trim();
    assert!(token.starts_with("nwt_") && token.len() == 47 && !made.err.contains(token), "{made:?}");
    let list = desk.ok(&["token", "list"]).await;
    assert!(list.out.contains("wuhan  新华 CMS") && list.out.contains("hefei  default") && !list.out.contains(token));

    let file = desk.file("token", &format!("{token}\n"));
    let with_file = ["show", "0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f", "--token-file", file.to_str().unwrap()];
    eventually("the new token opens", async || match desk.run(&with_file).await {
        ran if ran.err.contains("No such article") => Ok(()),
        ran => Err(ran.err),
    })
    .await;
    let revoked = desk.ok(&["token", "revoke", "新华 CMS"]).await;
    assert_eq!(revoked.out, "revoked \"新华 CMS\" of wuhan\n");
    eventually("the token is shut out", async || match desk.run(&with_file).await {
        ran if ran.err.contains("The token is not good") => Ok(()),
        ran => Err(ran.err),
    })
    .await;
    assert!(desk.ok(&["token", "revoke", "新华 CMS"]).await.out.contains("revoked already"));
    assert!(desk.show_nothing().await.err.contains("No such article"), "the other one still opens");

    // Two of one name: the hash decides, and publisher narrows.
    desk.ok(&["token", "create", "--publisher", "wuhan"]).await;
    let ambiguous = desk.run(&["token", "revoke", "default"]).await;
    assert!(ambiguous.code == 1 && ambiguous.err.contains("several tokens"), "{ambiguous:?}");
    desk.ok(&["token", "revoke", "default", "--publisher", "wuhan"]).await;
    let hash = ambiguous.err.rsplit(": ").next().unwrap().split(", ").next().unwrap().trim();
    desk.ok(&["token", "revoke", hash]).await;
    let live = desk
        .ok(&["token", "list", "--json"])
        .await
        .out
        .lines()
        .filter(|line| line.contains("\"revoked_at\":null"))
        .count();
    assert!(live <= 1, "{live}");
    for (args, said) in [
        (&["token", "revoke", "nobody"][..], "token list"),
        (&["token", "create", "--publisher", "Not a slug"], "not a publisher"),
        (&["token", "create", "--publisher", "a", "--name", "two\nlines"], "one line"),
    ] {
        let ran = desk.run(args).await;
        assert!(ran.code != 0 && ran.err.contains(said), "{ran:?}");
    }
}
