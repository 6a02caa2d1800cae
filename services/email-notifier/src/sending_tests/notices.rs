//! Who hears what became of an article, on a real server and over a relay that does what relays do.

use std::collections::BTreeMap;

use article::RevisionKind;
use testkit::mailbox::Content;

use super::*;

/// What one reader has got of an article.
#[derive(Debug, Default)]
pub(super) struct Got {
    /// Message-ID and revision.
    alerts: Vec<(String, u32)>,
    notices: Vec<Content>,
}

fn header(mail: &Content, name: &str) -> String {
    mail.header(name).unwrap_or_else(|| panic!("no {name}")).to_owned()
}

impl Desk {
    pub(super) fn got(&self, article: &Article) -> BTreeMap<String, Got> {
        let mut got: BTreeMap<String, Got> = BTreeMap::new();
        for mail in self.mailbox.mails() {
            let content = mail.content();
            if content.header("X-Newswire-Article") != Some(article.id.to_string().as_str()) {
                continue;
            }
            let reader = got.entry(mail.to[0].clone()).or_default();
            if content.header("In-Reply-To").is_some() {
                reader.notices.push(content);
            } else {
                let revision = header(&content, "X-Newswire-Revision").parse().unwrap();
                reader.alerts.push((header(&content, "Message-ID"), revision));
            }
        }
        got
    }

    /// The ledger of the first chunk of a notice.
    async fn notice(&self, article: &Article, what: &str) -> Option<Ledger> {
        let plan = format!("{}-{what}", article.id.token());
        let stored = self.bus.last(&LEDGER, &subjects::ledger(&plan, 0)).await.unwrap()?;
        Some(Ledger::read(&stored.payload).unwrap())
    }

    async fn notice_is(&self, article: &Article, what: &str, wanted: impl Fn(&Ledger) -> bool) -> Ledger {
        eventually(what, async || match self.notice(article, what).await {
            Some(ledger) if wanted(&ledger) => Ok(ledger),
            other => Err(format!("{other:?}")),
        })
        .await
    }

    /// The head of a plan, once it is there.
    pub(super) async fn planned(&self, article: &Article, what: &str) -> Head {
        let subject = subjects::plan(&format!("{}-{what}", article.id.token()));
        let stored = eventually(what, async || {
            self.bus.last(&JOBS, &subject).await.map_err(|error| error.to_string())?.ok_or_else(|| "no plan".to_owned())
        })
        .await;
        serde_json::from_slice(&stored.payload).unwrap()
    }

    /// Wakes the retries of a plan's first chunk now instead of in some minutes.
    async fn wake(&self, article: &Article, what: &str, ledger: &Ledger) {
        let (plan, attempt) = (format!("{}-{what}", article.id.token()), ledger.retry.unwrap().attempt);
        let call = RetryCall { plan, lane: Lane::Normal, chunk: 0, attempt };
        let due = subjects::retry_due(call.lane.retries(), &call.plan, 0, attempt);
        let payload = serde_json::to_vec(&call).unwrap();
        self.bus.publish(&RETRIES, &due, &format!("{due} now"), HeaderMap::new(), payload.into(), None).await.unwrap();
    }

    pub(super) async fn settled(&self) {
        eventually("all is settled", async || {
            for consumer in CONSUMERS {
                if !consumer.name.starts_with("email") {
                    continue;
                }
                // What a stream has just taken may not be counted as waiting yet.
                let last = self.bus.last(&consumer.stream, consumer.filter).await.map_err(|error| error.to_string())?;
                let backlog = self.bus.backlog(consumer).await.map_err(|error| error.to_string())?;
                if !backlog.is_empty() || last.is_some_and(|last| backlog.settled < last.sequence) {
                    return Err(format!("{}: {backlog:?}", consumer.name));
                }
            }
            Ok(())
        })
        .await;
    }

    pub(super) async fn receipts(&self, article: &Article) -> Vec<serde_json::Value> {
        let (mut found, mut from) = (Vec::new(), 0);
        while let Some(stored) = self.bus.next(&RECEIPTS, &subjects::receipts_of(&article.id), from).await.unwrap() {
            assert!(stored.subject.contains(".email-notifier."), "{}", stored.subject);
            found.push(serde_json::from_slice(&stored.payload).unwrap());
            from = stored.sequence + 1;
        }
        found
    }
}

pub(super) fn revise(kind: RevisionKind, headline: &str, note: Option<&str>) -> Command {
    let Command::Create { draft, provenance, .. } = create(headline) else { panic!("it creates") };
    Command::Revise { kind, note: note.map(str::to_owned), draft, provenance }
}

fn correction(note: &str) -> Command {
    revise(RevisionKind::Correction, "Corrected", Some(note))
}

fn reinstate(headline: &str) -> Command {
    let Command::Create { draft, provenance, .. } = create(headline) else { panic!("it creates") };
    Command::Reinstate { note: None, draft, provenance }
}

fn withdraw() -> Command {
    Command::Withdraw { note: "It was wrong.".into() }
}

pub(super) fn kill() -> Command {
    Command::Kill { note: "By order.".into() }
}

#[tokio::test]
async fn a_correction_is_for_whoever_got_the_mistake_and_nobody_else() {
    let faults = vec![
        // A window takes long enough for a correction to come in the middle of it.
        Fault::new(Stage::Content, Action::Delay(Duration::from_millis(15))),
        Fault::reply(Stage::Rcpt, 450, "4.2.1 later").to(&address(7)).times(1),
        Fault::reply(Stage::Rcpt, 550, "5.1.1 no such user").to(&address(8)),
    ];
    let mut desk = Desk::open(faults).await;
    desk.readers(120).await;
    desk.run_notifier().await;
    let (article, sequence) = desk.publish(None, create("With a mistake")).await;
    eventually("the first are out", async || match desk.mailbox.mails().len() {
        0..5 => Err("none"),
        _ => Ok(()),
    })
    .await;
    let (second, _) = desk.publish(Some((&article, sequence)), correction("It was 5, not 50.")).await;
    let alerts = desk.worked_off(&article).await;
    let notices = desk.notice_is(&article, "correction-2", |ledger| ledger.count(State::Accepted) > 0).await;
    desk.settled().await;
    // The deferred one is sent the newest text, and is not corrected.
    desk.wake(&article, "published", &alerts).await;
    eventually("the deferred one is sent", async || match desk.sent_to(7) {
        1 => Ok(()),
        n => Err(n),
    })
    .await;
    desk.settled().await;
    let got = desk.got(&second);
    assert_eq!(got.len(), 119, "everybody but the one who does not exist");
    let mut corrected = 0;
    for (reader, got) in &got {
        let [(alert, revision)] = got.alerts.as_slice() else { panic!("{reader}: {:?}", got.alerts) };
        let wanted = usize::from(*revision == 1);
        assert_eq!(got.notices.len(), wanted, "{reader} has revision {revision}");
        corrected += wanted;
        for notice in &got.notices {
            assert_eq!(header(notice, "In-Reply-To"), *alert);
            assert_eq!(header(notice, "References"), *alert);
            assert_ne!(header(notice, "Message-ID"), *alert);
            assert!(notice.text.as_ref().unwrap().contains("It was 5, not 50."));
        }
    }
    assert!((1..=100).contains(&corrected), "{corrected} of 119: the correction came in the middle");
    assert_eq!(got[&address(7)].alerts[0].1, 2);
    assert_eq!(notices.states().len(), corrected);
    desk.stop().await;
}

#[tokio::test]
async fn who_may_have_the_mistake_is_told_and_who_has_left_is_not() {
    let lost = Fault::new(Stage::Content, Action::KeepThenCut).to(&address(5)).times(1);
    let mut desk = Desk::open(vec![lost]).await;
    desk.readers(10).await;
    desk.run_notifier().await;
    let first = desk.publish(None, create("Lost answer")).await;
    assert_eq!(desk.worked_off(&first.0).await.count(State::Uncertain), 1);
    desk.unsubscribe(3).await;
    // Whoever comes later never had it.
    let late = "late@example.org".parse().unwrap();
    desk.store.request(&late, &Wish::alerts(Selection::everything(), "en"), service_kit::now()).await.unwrap();
    desk.confirm(&late, service_kit::now()).await;
    let (article, _) = desk.publish(Some((&first.0, first.1)), correction("It was 5.")).await;
    let ledger = desk.notice_is(&article, "correction-2", |ledger| ledger.count(State::Accepted) == 9).await;
    assert_eq!(ledger.suppressed(), 1);
    let got = desk.got(&article);
    assert_eq!((got[&address(5)].notices.len(), got[&address(3)].notices.len()), (1, 0));
    assert!(!got.contains_key("late@example.org"));
    desk.stop().await;
}

#[tokio::test]
async fn a_withdrawal_and_a_kill_reach_everybody_of_record_once() {
    let mut desk = Desk::open(vec![]).await;
    desk.readers(60).await;
    // Two, so that each could do it twice.
    desk.run_notifier().await;
    desk.run_notifier().await;
    let first = desk.publish(None, create("Gone soon")).await;
    desk.worked_off(&first.0).await;
    let second = desk.publish(Some((&first.0, first.1)), withdraw()).await;
    desk.notice_is(&first.0, "withdrawal-2", |ledger| ledger.count(State::Accepted) == 60).await;
    assert_eq!(desk.receipts(&first.0).await, [] as [serde_json::Value; 0], "only a kill is answered");
    let before = service_kit::now();
    let third = desk.publish(Some((&second.0, second.1)), kill()).await;
    desk.notice_is(&first.0, "kill-3", |ledger| ledger.count(State::Accepted) == 60).await;
    let receipts = eventually("the kill is answered", async || match desk.receipts(&first.0).await {
        receipts if receipts.is_empty() => Err("not yet"),
        receipts => Ok(receipts),
    })
    .await;
    assert_eq!(receipts.len(), 1, "by whoever planned the notice");
    assert_eq!(receipts[0]["revision"], 3);
    assert!(receipts[0]["applied_at"].as_str().unwrap().parse::<Timestamp>().unwrap() >= before);

    let (back, _) = desk.publish(Some((&third.0, third.1)), reinstate("Back")).await;
    desk.settled().await;
    let got = desk.got(&back);
    assert_eq!(got.len(), 60);
    for (reader, got) in got {
        let kinds: Vec<String> = got.notices.iter().map(|notice| header(notice, "Feedback-ID")).collect();
        assert_eq!(got.alerts.len(), 1, "{reader}: no second alert to who had it");
        assert!(
            matches!(&kinds[..], [one, other] if one.contains(":withdrawal:") && other.contains(":kill:")),
            "{kinds:?}"
        );
    }
    desk.stop().await;
}

#[tokio::test]
async fn a_kill_in_the_middle_stops_the_rest_and_tells_those_who_have_it() {
    let slow = Fault::new(Stage::Content, Action::Delay(Duration::from_millis(15)));
    let mut desk = Desk::open(vec![slow]).await;
    desk.readers(170).await;
    desk.run_notifier().await;
    let (article, sequence) = desk.publish(None, create("Killed in the middle")).await;
    eventually("the first are out", async || match desk.mailbox.mails().len() {
        0..5 => Err("none"),
        _ => Ok(()),
    })
    .await;
    desk.publish(Some((&article, sequence)), kill()).await;
    let alerts = desk.worked_off(&article).await;
    let had = alerts.count(State::Accepted);
    assert!((1..170).contains(&had), "{had}");
    desk.notice_is(&article, "kill-2", |ledger| ledger.count(State::Accepted) == had).await;
    desk.settled().await;
    let got = desk.got(&article);
    assert_eq!(got.len(), had, "whoever had nothing hears nothing");
    assert!(got.values().all(|got| (got.alerts.len(), got.notices.len()) == (1, 1)), "{got:?}");
    assert_eq!(desk.receipts(&article).await.len(), 1);
    desk.stop().await;
}

#[tokio::test]
async fn corrections_made_while_held_go_out_with_the_release() {
    let mut desk = Desk::open(vec![]).await;
    desk.readers(3).await;
    desk.run_notifier().await;
    let mut last = desk.publish(None, create("Held")).await;
    desk.worked_off(&last.0).await;
    for command in [Command::Hold { note: None }, correction("It was 5."), correction("No, 6.")] {
        last = desk.publish(Some((&last.0, last.1)), command).await;
    }
    desk.settled().await;
    assert_eq!(desk.mailbox.mails().len(), 3, "nobody hears of it while it is held");
    last = desk.publish(Some((&last.0, last.1)), Command::Release { note: None }).await;
    for what in ["correction-3", "correction-4"] {
        desk.notice_is(&last.0, what, |ledger| ledger.count(State::Accepted) == 3).await;
    }
    for got in desk.got(&last.0).values() {
        let texts: Vec<&str> = got.notices.iter().filter_map(|notice| notice.text.as_deref()).collect();
        assert_eq!(texts.len(), 2);
        assert!(
            texts.iter().all(|text| text.contains("No, 6.")),
            "the newest note, whichever is read first: {texts:?}"
        );
        assert_eq!(texts.iter().filter(|text| text.contains("It was 5.")).count(), 1);
    }
    // What a withdrawal has overtaken is not told later on.
    for command in [Command::Hold { note: None }, correction("7."), withdraw(), reinstate("Back"), correction("8.")] {
        last = desk.publish(Some((&last.0, last.1)), command).await;
        desk.settled().await;
    }
    desk.notice_is(&last.0, "correction-10", |ledger| ledger.count(State::Accepted) == 3).await;
    assert_eq!(desk.planned(&last.0, "correction-7").await.matched, 0);
    assert!(desk.got(&last.0).values().all(|got| got.notices.len() == 4));
    desk.stop().await;
}

#[tokio::test]
async fn a_hold_puts_a_notice_off_and_a_release_sends_it() {
    let mut desk = Desk::open(vec![]).await;
    desk.readers(3).await;
    desk.run_notifier().await;
    let mut last = desk.publish(None, create("Put off")).await;
    desk.worked_off(&last.0).await;
    desk.stop().await;
    for command in [correction("It was 5."), Command::Hold { note: None }] {
        last = desk.publish(Some((&last.0, last.1)), command).await;
    }
    desk.run_notifier().await;
    let waiting = desk.notice_is(&last.0, "correction-2", |ledger| ledger.retry.is_some()).await;
    assert_eq!((waiting.count(State::Deferred), desk.mailbox.mails().len()), (3, 3));
    last = desk.publish(Some((&last.0, last.1)), Command::Release { note: None }).await;
    desk.settled().await;
    desk.wake(&last.0, "correction-2", &waiting).await;
    desk.notice_is(&last.0, "correction-2", |ledger| ledger.count(State::Accepted) == 3).await;
    assert!(desk.got(&last.0).values().all(|got| got.notices.len() == 1));
    desk.stop().await;
}
