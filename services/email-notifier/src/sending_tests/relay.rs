//! Relays in trouble, domains that ask for less, and what is counted of them.

use super::*;

/// The value of a metric: its sample's line begins so.
async fn metric(desk: &Desk, line: &str) -> Option<f64> {
    let text = reqwest::get(format!("http://{}/metrics", desk.metrics.unwrap())).await.unwrap().text().await.unwrap();
    assert!(!text.contains('@') && !text.contains("example"), "an address, or a domain: {text}");
    text.lines().find_map(|known| known.strip_prefix(line)?.trim().parse().ok())
}

async fn metric_is(desk: &Desk, line: &str, value: f64) {
    eventually(line, async || match metric(desk, line).await {
        Some(is) if (is - value).abs() < 0.1 => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

/// A reader of another domain than those of [`Desk::readers`].
async fn reader_at(desk: &Desk, address: &str) {
    let now = service_kit::now();
    let address = address.parse().unwrap();
    desk.store.request(&address, &Wish::alerts(Selection::everything(), "en"), now).await.unwrap();
    desk.confirm(&address, now).await;
}

#[tokio::test]
async fn a_domain_that_asks_for_less_waits_alone_and_loses_no_attempt() {
    let slow = Fault::reply(Stage::Rcpt, 421, "4.7.28 too much for <you>").to("@slow.example");
    let mut desk = Desk::open(vec![slow]).await;
    for n in 0..8 {
        reader_at(&desk, &format!("reader{n}@slow.example")).await;
    }
    desk.readers(60).await;
    desk.run_notifier().await;
    let (article, _) = desk.publish(None, create("Slowly")).await;
    let ledger = desk.worked_off(&article).await;
    assert_eq!(ledger.count(State::Accepted), 60, "nobody waits with them");
    assert_eq!(ledger.count(State::Slowed) + ledger.count(State::Deferred), 8);
    assert!(ledger.count(State::Slowed) >= 5, "three answers are believed, and nobody is asked for more");
    metric_is(&desk, "newswire_mail_domains_slowed{service=\"email-notifier\"}", 1.0).await;
    desk.stop().await;
}

#[tokio::test]
async fn a_relay_that_is_gone_is_waited_for_and_nobody_is_tried() {
    let mut desk = Desk::open(vec![]).await;
    desk.readers(120).await;
    let port = testkit::Port::reserve();
    let mut config = desk.config();
    config.relay.port = port.number();
    desk.run_as(config).await;
    let (article, _) = desk.publish(None, create("Later")).await;
    let away = "newswire_mail_relay{service=\"email-notifier\",state=\"away\"}";
    metric_is(&desk, away, 1.0).await;
    eventually("nobody is put off, nor on the way", async || match desk.ledger(&article).await {
        Some(ledger) if (ledger.count(State::Planned), ledger.retry) == (120, None) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    // It comes back where it was.
    let mut config = testkit::mailbox::Config::new(service_kit::now);
    config.smtp.set_port(port.number());
    desk.mailbox = Mailbox::start(config, &CancellationToken::new()).await.unwrap();
    let ledger = desk.worked_off(&article).await;
    assert_eq!((ledger.count(State::Accepted), ledger.resent_uncertain), (120, 0));
    metric_is(&desk, away, 0.0).await;
    let accepted = "newswire_mails_total{service=\"email-notifier\",lane=\"normal\",outcome=\"accepted\"}";
    metric_is(&desk, accepted, 120.0).await;
    metric_is(&desk, "newswire_mail_seconds_count{service=\"email-notifier\",lane=\"normal\"}", 120.0).await;
    metric_is(&desk, "newswire_mail_recipients_open{service=\"email-notifier\",lane=\"normal\"}", 0.0).await;
    desk.stop().await;
}

#[tokio::test]
async fn a_relay_that_refuses_what_we_are_gets_no_more_mail_and_nobody_is_lost() {
    let refused = Fault::reply(Stage::Rcpt, 550, "5.7.26 this sender is not authenticated");
    let mut desk = Desk::open(vec![refused]).await;
    desk.readers(70).await;
    desk.run_notifier().await;
    let (article, _) = desk.publish(None, create("Refused")).await;
    metric_is(&desk, "newswire_mail_relay{service=\"email-notifier\",state=\"refuses\"}", 1.0).await;
    // The first window was on its way; the second is not asked about.
    let ledger = eventually("the window is noted", async || match desk.ledger(&article).await {
        Some(ledger) if ledger.count(State::Slowed) == 50 => Ok(ledger),
        other => Err(format!("{other:?}")),
    })
    .await;
    assert_eq!((ledger.count(State::Planned), ledger.count(State::Failed)), (20, 0));
    desk.stop().await;
}

#[tokio::test]
async fn one_reader_whose_server_refuses_everybody_stops_nothing() {
    let refused = Fault::reply(Stage::Rcpt, 550, "5.7.133 not from outside").to(&address(3));
    let mut desk = Desk::open(vec![refused]).await;
    desk.readers(70).await;
    desk.run_notifier().await;
    let (article, _) = desk.publish(None, create("Members only")).await;
    let ledger = desk.worked_off(&article).await;
    assert_eq!((ledger.count(State::Accepted), ledger.count(State::Slowed)), (69, 1));
    metric_is(&desk, "newswire_mail_relay{service=\"email-notifier\",state=\"ready\"}", 1.0).await;
    metric_is(&desk, "newswire_mail_retries_total{service=\"email-notifier\",lane=\"normal\"}", 1.0).await;
    desk.stop().await;
}
