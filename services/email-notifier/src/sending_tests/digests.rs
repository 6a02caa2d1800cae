//! Digests on a real server: planned once, sent once, and true at the moment they are sent.

use article::RevisionKind;
use jiff::SignedDuration;
use testkit::mailbox::Content;

use super::notices::{kill, revise};
use super::*;
use crate::cap::Caps;
use crate::digest::chunk::{DigestChunk, Run};
use crate::digest::due::{SLOT, slot};
use crate::digest::news::News;
use crate::digest::run::{Made, Runner};
use crate::follow::Follower;
use crate::frequency::Frequency;
use crate::ledger::Why;

mod proof;

impl Desk {
    /// Readers of digests who confirmed days ago; answers when the next is due, a quarter of an hour to five quarters from
    /// now: nothing that a test does is later.
    async fn digest_readers(&self, count: usize, language: &str) -> Timestamp {
        let now = service_kit::now();
        let due = slot(now) + SLOT * 5;
        let due = due - SignedDuration::from_secs(due.as_second() % 3600);
        let hour = ((due.as_second() / 3600) % 24) as i8;
        let long_ago = now - SignedDuration::from_hours(72);
        for n in 0..count {
            let address = address(n).parse().unwrap();
            let frequency = Frequency::Daily { hour };
            let wish = Wish { frequency, ..Wish::alerts(Selection::everything(), language) };
            self.store.request(&address, &wish, long_ago).await.unwrap();
            self.confirm(&address, long_ago).await;
        }
        due
    }

    /// Whoever makes runs, as a notifier has it.
    fn runner(&self) -> Runner {
        let caps = Arc::new(Caps::new());
        let (followed, tail) = (caps.clone(), self.bus.tail_subject(&JOBS, subjects::CAPPED, self.shutdown.clone()));
        tokio::spawn(async move { followed.follow(tail).await });
        let (readers, news) = (Arc::new(Readers::new()), Arc::new(News::new()));
        let runner = Runner { bus: self.bus.clone(), readers, news, caps };
        let follower = Follower { bus: self.bus.clone(), vault: self.store.vault(), readers: runner.readers.clone() };
        tokio::spawn(follower.run(|| (), self.shutdown.clone()));
        let (news, tail) =
            (runner.news.clone(), self.bus.tail_subject(&JOBS, subjects::PLANNED, self.shutdown.clone()));
        tokio::spawn(async move { news.follow(tail, || ()).await });
        runner
    }

    /// The run of `slot`, by this runner or another.
    async fn digested(&self, runner: &Runner, slot: Timestamp) {
        eventually("the run is made", async || match runner.make(slot).await {
            Ok(Made::Whole) => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    }

    /// Articles, once they are planned; nobody may have asked to be alerted to them.
    async fn news(&self, headlines: &[&str]) -> Vec<(Article, u64)> {
        let mut news = Vec::new();
        for headline in headlines {
            news.push(self.publish(None, create(headline)).await);
        }
        for (article, _) in &news {
            assert_eq!(self.planned(article, "published").await.matched, 0);
        }
        news
    }

    async fn chunk(&self, slot: Timestamp) -> Option<DigestChunk> {
        let subject = subjects::chunk("digest", &digest(slot), 0);
        let stored = self.bus.last(&JOBS, &subject).await.unwrap()?;
        Some(serde_json::from_slice(&stored.payload).unwrap())
    }

    /// The ledger of a run's first chunk, once nobody of it is planned or on the way.
    async fn digests_sent(&self, slot: Timestamp) -> Ledger {
        eventually("the digests are sent", async || {
            let stored = self.bus.last(&LEDGER, &subjects::ledger(&digest(slot), 0)).await;
            let stored = stored.map_err(|error| error.to_string())?;
            let ledger = stored.map(|stored| Ledger::read(&stored.payload).unwrap());
            match ledger {
                Some(ledger) if ledger.count(State::Planned) + ledger.count(State::Submitting) == 0 => Ok(ledger),
                other => Err(format!("{other:?}")),
            }
        })
        .await
    }

    fn digests_of(&self, n: usize) -> Vec<Content> {
        self.mailbox.mails().iter().filter(|mail| mail.to == [address(n)]).map(|mail| mail.content()).collect()
    }
}

fn digest(slot: Timestamp) -> String {
    format!("digest-{}", slot.as_second())
}

/// Where each of these words first stands in a mail's text.
fn places(text: &str, words: &[&str]) -> Vec<Option<usize>> {
    words.iter().map(|word| text.find(word)).collect()
}

#[tokio::test]
async fn of_two_notifiers_one_plans_a_digest_and_it_arrives_once() {
    let mut desk = Desk::open(vec![]).await;
    let due = desk.digest_readers(3, "en").await;
    desk.run_notifier().await;
    desk.run_notifier().await;
    desk.news(&["First <news>", "第二条新闻", "الخبر الثالث"]).await;
    let (one, other) = (desk.runner(), desk.runner());
    tokio::join!(desk.digested(&one, due), desk.digested(&other, due));
    let ledger = desk.digests_sent(due).await;
    assert_eq!((ledger.count(State::Accepted), ledger.states().len()), (3, 3));
    // Neither the next slot nor the same again has any of it.
    for slot in [due, due + SLOT, due + SLOT * 96] {
        desk.digested(&other, slot).await;
        assert_eq!(desk.chunk(slot).await.is_some(), slot == due);
    }
    desk.settled().await;
    for n in 0..3 {
        let mails = desk.digests_of(n);
        assert_eq!(mails.len(), 1, "once");
        let (text, html) = (mails[0].text.as_deref().unwrap(), mails[0].html.as_deref().unwrap());
        let found = places(text, &["الخبر الثالث", "第二条新闻", "First <news>"]);
        assert!(found.is_sorted() && found[0].is_some(), "the newest first: {text}");
        assert!(!html.contains("<news>") && html.contains("第二条新闻"), "{html}");
        assert!(mails[0].header("List-Unsubscribe").is_some_and(|link| link.contains("/unsubscribe/")));
        assert!(mails[0].header("Message-ID").is_some() && mails[0].header("Subject").is_some());
    }
    desk.stop().await;
}

#[tokio::test]
async fn a_run_knows_what_was_planned_and_the_next_has_the_rest() {
    let mut desk = Desk::open(vec![]).await;
    let due = desk.digest_readers(1, "en").await;
    desk.run_notifier().await;
    let runner = desk.runner();
    desk.news(&["In time"]).await;
    desk.digested(&runner, due).await;
    // Published before the due, by the server's clock, and planned after the run.
    let late = desk.news(&["Too late for it"]).await;
    let tomorrow = due + SLOT * 96;
    // Nobody ran for two days: one run makes up for both dues.
    desk.digested(&runner, tomorrow + SLOT * 96).await;
    assert!(desk.chunk(tomorrow).await.is_none());
    let chunk = desk.chunk(tomorrow + SLOT * 96).await.unwrap();
    let items: Vec<ArticleId> = chunk.items.iter().map(|item| item.article).collect();
    assert_eq!((items, chunk.lists[0].due), (vec![late[0].0.id], tomorrow));
    desk.digests_sent(tomorrow + SLOT * 96).await;
    let cursor = desk.bus.last(&JOBS, subjects::DIGEST_CURSOR).await.unwrap().unwrap();
    assert_eq!(serde_json::from_slice::<Run>(&cursor.payload).unwrap().slot, tomorrow + SLOT * 96);
    let texts: Vec<String> = desk.digests_of(0).into_iter().filter_map(|mail| mail.text).collect();
    let has = |text: &str, words: &str| text.contains(words);
    assert_eq!(texts.len(), 2);
    assert!(has(&texts[0], "In time") && !has(&texts[0], "Too late") && has(&texts[1], "Too late"), "{texts:?}");
    desk.stop().await;
}

#[tokio::test]
async fn a_digest_says_what_is_true_when_it_is_sent() {
    let mut desk = Desk::open(vec![]).await;
    let due = desk.digest_readers(2, "en").await;
    desk.run_notifier().await;
    let news = desk.news(&["Stays", "Is withdrawn", "Is held", "Is killed", "Is revised"]).await;
    desk.stop().await;
    let runner = desk.runner();
    desk.digested(&runner, due).await;
    let of = |n: usize| Some((&news[n].0, news[n].1));
    desk.publish(of(1), Command::Withdraw { note: "It was wrong.".into() }).await;
    desk.publish(of(2), Command::Hold { note: None }).await;
    desk.publish(of(3), kill()).await;
    desk.publish(of(4), revise(RevisionKind::Minor, "Says it better", None)).await;
    let id = desk.id(&address(1).parse().unwrap()).await;
    let pause =
        |reader: &mut Subscriber| reader.pause(None, service_kit::now() - SignedDuration::from_secs(9)).unwrap();
    desk.store.update(id, pause).await.unwrap();
    desk.run_notifier().await;
    let ledger = desk.digests_sent(due).await;
    assert_eq!(ledger.states().iter().filter(|state| **state == State::Accepted).count(), 1);
    assert_eq!(ledger.count(State::Suppressed(Why::Paused)), 1);
    let mails = desk.digests_of(0);
    let text = mails[0].text.as_deref().unwrap();
    let found = places(text, &["Stays", "Says it better", "Is withdrawn", "Is held", "Is killed", "Is revised"]);
    let found: Vec<bool> = found.iter().map(Option::is_some).collect();
    assert_eq!(found, [true, true, false, false, false, false], "{text}");
    assert_eq!(desk.mailbox.mails().len(), 1);
    desk.stop().await;
}

#[tokio::test]
async fn who_read_a_mistake_in_a_digest_is_told_and_nobody_else() {
    let mut desk = Desk::open(vec![]).await;
    let due = desk.digest_readers(2, "en").await;
    desk.run_notifier().await;
    let news = desk.news(&["The wrong number", "Is held"]).await;
    desk.stop().await;
    desk.digested(&desk.runner(), due).await;
    // Who comes later has not read it.
    desk.readers(3).await;
    let held = desk.publish(Some((&news[1].0, news[1].1)), Command::Hold { note: None }).await;
    desk.run_notifier().await;
    desk.digests_sent(due).await;
    let told = |n: usize| desk.digests_of(n).len();
    assert_eq!([0, 1, 2].map(told), [1, 1, 0]);

    let wrong = Some((&news[0].0, news[0].1));
    let right = desk.publish(wrong, revise(RevisionKind::Correction, "The right number", Some("It was 5."))).await;
    assert_eq!(desk.planned(&right.0, "correction-2").await.matched, 2);
    desk.settled().await;
    assert_eq!([0, 1, 2].map(told), [2, 2, 0]);
    let gone = desk.publish(Some((&right.0, right.1)), kill()).await;
    assert_eq!(desk.planned(&gone.0, "kill-3").await.matched, 2);
    // It was not in the digest, which is why its readers have nothing to be told.
    let mended = revise(RevisionKind::Correction, "Was held", Some("It was 6."));
    let mended = desk.publish(Some((&held.0, held.1)), mended).await;
    let out = desk.publish(Some((&mended.0, mended.1)), Command::Release { note: None }).await;
    assert_eq!(desk.planned(&out.0, "correction-3").await.matched, 0);
    desk.settled().await;
    assert_eq!([0, 1, 2].map(told), [3, 3, 0]);
    desk.stop().await;
}

#[tokio::test]
async fn a_digest_of_which_nothing_is_left_is_not_sent() {
    let mut desk = Desk::open(vec![]).await;
    let due = desk.digest_readers(2, "zh").await;
    desk.run_notifier().await;
    let news = desk.news(&["Is withdrawn"]).await;
    desk.stop().await;
    let runner = desk.runner();
    desk.digested(&runner, due).await;
    desk.publish(Some((&news[0].0, news[0].1)), Command::Withdraw { note: "It was wrong.".into() }).await;
    desk.run_notifier().await;
    let ledger = desk.digests_sent(due).await;
    assert_eq!(ledger.count(State::Suppressed(Why::Empty)), 2);
    assert!(desk.mailbox.mails().is_empty());
    desk.stop().await;
}

#[tokio::test]
async fn a_digest_whose_answer_was_lost_is_not_sent_again_and_who_is_deferred_is_tried_in_its_own_queue() {
    let cut = Fault::new(Stage::Content, Action::KeepThenCut).to(&address(1)).times(1);
    let busy = Fault::reply(Stage::Rcpt, 450, "4.2.1 later").to(&address(2)).times(1);
    let mut desk = Desk::open(vec![cut, busy]).await;
    let due = desk.digest_readers(4, "en").await;
    desk.run_notifier().await;
    desk.news(&["News"]).await;
    desk.digested(&desk.runner(), due).await;
    let plan = digest(due);
    let later = eventually("the wake-up call", async || {
        let call = desk.bus.last(&RETRIES, &subjects::retry_later("digest", &plan, 0, 1)).await;
        call.map_err(|error| error.to_string())?.ok_or_else(|| "not yet".to_owned())
    })
    .await;
    let call = subjects::retry_due("digest", &plan, 0, 1);
    desk.bus.publish(&RETRIES, &call, "due", HeaderMap::new(), later.payload.clone(), None).await.unwrap();
    let ledger = eventually("the deferred is sent", async || {
        let ledger = desk.digests_sent(due).await;
        if ledger.count(State::Accepted) == 3 { Ok(ledger) } else { Err(format!("{ledger:?}")) }
    })
    .await;
    assert_eq!((ledger.count(State::Unanswered), ledger.retry, ledger.resent_uncertain), (1, None, 0));
    assert_eq!([1, 2].map(|n| desk.sent_to(n)), [1, 1]);
    desk.stop().await;
}

#[tokio::test]
async fn a_notifier_that_died_in_a_window_leaves_it_unanswered() {
    let mut desk = Desk::open(vec![]).await;
    let due = desk.digest_readers(3, "en").await;
    desk.run_notifier().await;
    desk.news(&["News"]).await;
    desk.stop().await;
    desk.digested(&desk.runner(), due).await;
    // The intent for two of three, and then nothing: as kill -9 leaves it.
    let mut ledger = Ledger::new(3);
    ledger.set(0, State::Submitting);
    ledger.set(1, State::Submitting);
    let payload = serde_json::to_vec(&ledger).unwrap();
    let subject = subjects::ledger(&digest(due), 0);
    desk.bus.publish(&LEDGER, &subject, "dead", HeaderMap::new(), payload.into(), Some(0)).await.unwrap();
    desk.run_notifier().await;
    let ledger = desk.digests_sent(due).await;
    assert_eq!(ledger.states(), [State::Unanswered, State::Unanswered, State::Accepted]);
    desk.settled().await;
    assert_eq!(desk.mailbox.mails().len(), 1);
    desk.stop().await;
}

#[tokio::test]
async fn what_is_beyond_fifty_articles_is_a_number_and_a_link() {
    let mut desk = Desk::open(vec![]).await;
    let due = desk.digest_readers(1, "en").await;
    desk.run_notifier().await;
    let headlines: Vec<String> = (100..153).map(|n| format!("Number {n}")).collect();
    desk.news(&headlines.iter().map(String::as_str).collect::<Vec<_>>()).await;
    desk.digested(&desk.runner(), due).await;
    desk.digests_sent(due).await;
    let mails = desk.digests_of(0);
    let (text, html) = (mails[0].text.as_deref().unwrap(), mails[0].html.as_deref().unwrap());
    let shown = headlines.iter().filter(|headline| text.contains(headline.as_str())).count();
    assert_eq!((shown, text.contains("Number 102"), text.contains("Number 103")), (50, false, true));
    assert!(text.contains("3 more") && html.contains("http://127.0.0.1:1/feeds/all"), "{text}");
    desk.stop().await;
}
