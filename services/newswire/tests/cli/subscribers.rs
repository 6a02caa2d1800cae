//! `newswire subscribers`: a file goes in once, comes out again, and whoever is erased is gone.

use bus::{Credentials, Server};
use email_notifier::{Config, EmailNotifier, RelayConfig, RelayTls};
use service_kit::Secret;
use testkit::mailbox::Mailbox;
use testkit::{eventually, mail_sink};
use tokio_util::sync::CancellationToken;

use crate::desk::Desk;

const HEAD: &str = "address,selection,frequency,zone,language,confirmed_at,source\n";

struct Office {
    desk: Desk,
    mailbox: Mailbox,
    _stop: tokio_util::sync::DropGuard,
}

/// A provisioned server, and an email-notifier that answers.
async fn office() -> Office {
    let desk = Desk::bare().await;
    desk.ok(&["provision"]).await;
    let (mailbox, stop) = notifier(&desk).await;
    Office { desk, mailbox, _stop: stop }
}

/// An email-notifier that answers, until the guard goes.
pub(crate) async fn notifier(desk: &Desk) -> (Mailbox, tokio_util::sync::DropGuard) {
    let mailbox = mail_sink(vec![]).await;
    let url: url::Url = "http://127.0.0.1:1/".parse().expect("a URL");
    let site = mail::Site::new(
        "Test",
        url.clone(),
        url.clone(),
        "news@news.example".parse().expect("an address"),
        "news.example",
    );
    let config = Config {
        nats: Server { url: desk.nats.url().into(), credentials: Credentials::None },
        listen: "127.0.0.1:0".parse().expect("an address"),
        tls: None,
        site: site.expect("a site"),
        pages_url: url.clone(),
        public_url: url,
        secret: Secret::new("a secret of at least thirty-two bytes"),
        zone: "Asia/Shanghai".into(),
        guard: email_notifier::GuardConfig::default(),
        relay: RelayConfig {
            host: mailbox.smtp_addr().ip().to_string(),
            port: mailbox.smtp_addr().port(),
            tls: RelayTls::None,
            roots: Vec::new(),
            user: None,
            password: None,
            timeout: std::time::Duration::from_secs(5),
        },
        dkim: None,
        inbound: email_notifier::Inbound::default(),
        client_ip_header: None,
        metrics: None,
    };
    let stop = CancellationToken::new();
    tokio::spawn(EmailNotifier::bind(config).await.expect("binds").run(stop.clone()));
    eventually("it answers", async || match desk.run(&["subscribers", "export"]).await {
        ran if ran.code == 0 => Ok(()),
        ran => Err(ran.err),
    })
    .await;
    (mailbox, stop.drop_guard())
}

#[tokio::test]
async fn a_file_goes_in_once_and_comes_out_as_it_was() {
    let Office { desk, mailbox, _stop } = office().await;
    let rows = "a@example.org,all,immediate,Europe/Berlin,en,2025-03-01T08:00:00Z,the old site\n\
                '+b@example.org,section/world,daily@08,Asia/Shanghai,zh-Hans,2025-03-02T08:00:00Z,'=form 2\n";
    desk.file("list.csv", &format!("{HEAD}{rows}c@example.org,,,,,,\n"));
    let dry = desk.ok(&["subscribers", "import", "list.csv", "--dry-run"]).await.out;
    assert!(dry.contains("2 added") && dry.contains("1 asked") && dry.contains("dry run"), "{dry}");
    assert_eq!(desk.ok(&["subscribers", "export"]).await.out, HEAD);
    let first = desk.ok(&["subscribers", "import", "list.csv"]).await.out;
    assert!(first.contains("2 added\n1 asked by mail to confirm\n0 rows not taken in"), "{first}");
    let second = desk.ok(&["subscribers", "import", "list.csv"]).await.out;
    assert!(second.contains("0 added\n0 asked") && second.contains("2 unchanged: subscribed already"), "{second}");
    eventually("who did not agree is asked", async || match mailbox.mails().len() {
        1 => Ok(()),
        n => Err(format!("{n} mails")),
    })
    .await;
    assert_eq!(mailbox.mails()[0].to, ["c@example.org"]);

    let ran = desk.ok(&["subscribers", "export", "out.csv"]).await;
    assert!(ran.out.contains("2 subscriptions in out.csv"), "{ran:?}");
    let path = desk.dir.path().join("out.csv");
    let out = std::fs::read_to_string(&path).unwrap();
    let (mut found, mut expected): (Vec<_>, Vec<_>) =
        (out.lines().collect(), HEAD.lines().chain(rows.lines()).collect());
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected, "a formula stays behind its apostrophe");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o077, 0, "it is readable by its owner alone");
    let again = desk.ok(&["subscribers", "import", "out.csv"]).await.out;
    assert!(again.contains("0 added") && again.contains("2 unchanged"), "{again}");
}

#[tokio::test]
async fn rows_that_do_not_do_are_told_with_their_line_and_the_others_go_in() {
    let Office { desk, mailbox: _mailbox, _stop } = office().await;
    let text = "address,frequency,confirmed_at\n\
                good@example.org,,2025-03-01\n\
                nobody,,\n\
                a@example.org,hourly,\n\
                b@example.org\n\
                c@example.org,,2999-01-01\n";
    desk.file("list.csv", text);
    let ran = desk.run(&["subscribers", "import", "list.csv", "--consent-source", "sign-up sheet, fair of 2025"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("1 added") && ran.out.contains("4 rows not taken in"), "{ran:?}");
    for told in ["line 3: address: ", "line 4: frequency: ", "line 5: 1 cells", "line 6: confirmed_at: "] {
        assert!(ran.err.contains(told), "{told}: {}", ran.err);
    }
    let shown = desk.ok(&["subscribers", "show", "Good@example.org"]).await.json();
    assert_eq!(shown["consent"][0]["source"], "sign-up sheet, fair of 2025");
    desk.file("wrong.csv", "mail;name\n");
    let ran = desk.run(&["subscribers", "import", "wrong.csv"]).await;
    assert!(ran.code == 2 && ran.err.contains("address, selection"), "{ran:?}");
}

#[tokio::test]
async fn who_is_erased_is_gone_and_it_is_told_what_remains() {
    let Office { desk, mailbox: _mailbox, _stop } = office().await;
    desk.file("list.csv", &format!("{HEAD}a@example.org,,,,,2025-03-01,the old site\n"));
    desk.ok(&["subscribers", "import", "list.csv"]).await;
    let unasked = desk.run(&["subscribers", "erase", "a@example.org"]).await;
    assert!(unasked.code == 2 && unasked.err.contains("--yes"), "{unasked:?}");
    assert_eq!(desk.run(&["subscribers", "show", "a@example.org"]).await.code, 0);
    let erased = desk.ok(&["subscribers", "erase", "a@example.org", "--yes"]).await.out;
    assert!(erased.starts_with("erased") && erased.contains("backups made before"), "{erased}");
    for args in [&["show", "a@example.org"][..], &["erase", "a@example.org", "--yes"]] {
        let gone = desk.run(&[&["subscribers"], args].concat()).await;
        assert!(gone.code == 1 && gone.err.contains("nobody has subscribed"), "{gone:?}");
    }
    assert_eq!(desk.ok(&["subscribers", "export"]).await.out, HEAD);
}

#[tokio::test]
async fn without_an_email_notifier_it_is_said_what_to_start() {
    let desk = Desk::bare().await;
    desk.ok(&["provision"]).await;
    let ran = desk.run(&["subscribers", "show", "a@example.org"]).await;
    assert!(ran.code == 1 && ran.err.contains("email-notifier must be running"), "{ran:?}");
}
