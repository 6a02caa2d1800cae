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
        (&["token", "create", "--publisher", "a", "--scope", "read,fly"][..], "a scope is read, write or kill"),
        (&["token", "create", "--publisher", "a", "--rate", "0"], "use a number from 1 to 100000"),
        (&["token", "revoke", "nobody"], "token list"),
        (&["token", "create", "--publisher", "Not a slug"], "not a publisher"),
        (&["token", "create", "--publisher", "a", "--name", "two\nlines"], "one line"),
    ] {
        let ran = desk.run(args).await;
        assert!(ran.code != 0 && ran.err.contains(said), "{ran:?}");
    }
}

#[tokio::test]
async fn two_tokens_of_a_name_live_while_one_replaces_the_other() {
    let desk = Desk::open().await;
    let make = ["token", "create", "--publisher", "wuhan", "--name", "cms", "--scope", "read,write", "--rate", "7"];
    let old = desk.ok(&make).await.out;
    desk.ok(&make).await;
    let third = desk.run(&make).await;
    assert!(third.code == 1 && third.err.contains("has 2 live tokens; revoke one of them first"), "{third:?}");
    desk.ok(&["token", "create", "--publisher", "hefei", "--name", "cms"]).await;

    // The list tells which of the two is in use.
    let used = eventually("the use is noted", async || {
        desk.run_with(&["show", "0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f"], &[("NEWSWIRE_TOKEN", old.trim())], b"").await;
        let list = desk.ok(&["token", "list", "--json"]).await.out;
        let lines: Vec<serde_json::Value> = list.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of_wuhan = || lines.iter().filter(|token| token["publisher"] == "wuhan");
        let (used, silent): (Vec<_>, Vec<_>) = of_wuhan().partition(|token| !token["last_used_at"].is_null());
        match (&used[..], &silent[..]) {
            ([used], [_]) => Ok((*used).clone()),
            _ => Err(list),
        }
    })
    .await;
    assert_eq!((&used["scopes"], &used["rate"]), (&serde_json::json!(["read", "write"]), &serde_json::json!(7)));
    let list = desk.ok(&["token", "list"]).await.out;
    let of_wuhan: Vec<_> = list.lines().filter(|line| line.contains("wuhan  cms")).collect();
    assert!(of_wuhan.len() == 2 && of_wuhan.iter().all(|line| line.contains("read,write")), "{list}");
    assert_eq!(of_wuhan.iter().filter(|line| line.contains("never used")).count(), 1, "{list}");
    // To revoke by name would be a guess.
    assert_eq!(desk.run(&["token", "revoke", "cms", "--publisher", "wuhan"]).await.code, 1);
    desk.ok(&["token", "revoke", used["hash"].as_str().unwrap()]).await;
    desk.ok(&make).await;
}
