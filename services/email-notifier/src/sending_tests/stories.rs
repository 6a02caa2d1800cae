//! Following a story: who is told of its new versions, and of what becomes of it then.

use article::{ChangeKind, RevisionKind};
use bus::{Delivery, Disposition};
use jiff::SignedDuration;

use super::notices::{kill, revise};
use super::*;
use crate::control::Controls;
use crate::guard::Guard;
use crate::planner::{Planner, Turns};

impl Desk {
    async fn follow(&self, n: usize, article: &Article, now: Timestamp) {
        let address = address(n).parse().unwrap();
        let wish = Wish::alerts(Selection::following(article.id), "en");
        self.store.request(&address, &wish, now).await.unwrap();
        self.confirm(&address, now).await;
    }

    /// A planner that does as it is told, and nobody who sends.
    async fn planner(&self) -> Planner {
        let readers = Arc::new(Readers::new());
        let last = self.bus.last(&SUBSCRIBERS, subjects::SUBSCRIBERS).await.unwrap().unwrap().sequence;
        let mut tail = self.bus.tail(&SUBSCRIBERS, self.shutdown.clone());
        while let Some(TailEvent::Message { subject, sequence, .. }) = tail.next().await {
            match SubscriberId::of_subject(&subject).filter(|_| subjects::is_subscriber(&subject)) {
                Some(id) => readers.apply(&self.store.get(id).await.unwrap().unwrap(), sequence),
                None => readers.saw(sequence),
            }
            if sequence == last {
                break;
            }
        }
        let caps = Arc::new(crate::cap::Caps::new());
        let (followed, tail) = (caps.clone(), self.bus.tail_subject(&JOBS, subjects::CAPPED, self.shutdown.clone()));
        tokio::spawn(async move { followed.follow(tail).await });
        Planner {
            bus: self.bus.clone(),
            readers,
            guard: Arc::new(Guard::new(GuardConfig::default())),
            controls: Arc::<Controls>::default(),
            caps,
            turns: Turns::new(),
            news: Arc::new(crate::digest::news::News::new()),
            instance: "test".into(),
        }
    }

    async fn delivered(&self, article: &Article) -> Delivery {
        let subject = subjects::article(&article.publisher, &article.id);
        let stored = self.bus.last(&ARTICLES, &subject).await.unwrap().unwrap();
        let (payload, sequence, stored_at) = (stored.payload, stored.sequence, stored.stored_at);
        Delivery { subject, payload, sequence, stored_at, attempt: 1 }
    }
}

#[tokio::test]
async fn whoever_follows_a_story_gets_what_is_new_in_it_and_what_becomes_of_it() {
    let mut desk = Desk::open(vec![]).await;
    desk.readers(2).await;
    desk.run_notifier().await;
    let mut last = desk.publish(None, create("A story")).await;
    desk.worked_off(&last.0).await;
    // One has the alert, the other had never been sent anything.
    // Whoever has subscriptions already follows it some seconds after the button.
    let before = service_kit::now() - SignedDuration::from_secs(10);
    desk.follow(1, &last.0, before).await;
    desk.follow(2, &last.0, before).await;
    // Whoever asks to follow it may be asked to confirm that before they are confirmed here.
    let confirms = |text: Option<String>| text.is_some_and(|text| text.contains("/confirm/"));
    let news_to = |n: usize| {
        let mails = desk.mailbox.mails().into_iter().filter(|mail| mail.to == [address(n)]);
        mails.filter(|mail| !confirms(mail.content().text)).count()
    };
    let mails = || [0, 1, 2].map(news_to);
    for (what, command, wanted) in [
        ("a small change", revise(RevisionKind::Minor, "A story", None), [1, 1, 0]),
        ("news", revise(RevisionKind::Major, "A story and more", None), [1, 2, 1]),
        ("more news", revise(RevisionKind::Major, "A story and yet more", None), [1, 3, 2]),
        ("a correction", revise(RevisionKind::Correction, "A story", Some("It was 5.")), [2, 4, 3]),
        ("its end", kill(), [3, 5, 4]),
    ] {
        last = desk.publish(Some((&last.0, last.1)), command).await;
        desk.settled().await;
        assert_eq!(mails(), wanted, "{what}");
    }
    let update = desk.planned(&last.0, "update-3").await;
    assert_eq!((update.kind, update.revision, update.matched), (Kind::Update, 3, 2));
    let updates = desk
        .mailbox
        .mails()
        .into_iter()
        .map(|mail| mail.content().text.unwrap())
        .filter(|text| text.contains("yet more"));
    let said = updates.filter(|text| text.replace('\n', " ").contains("updates to the story “A story and yet more”"));
    assert_eq!(said.count(), 2, "why they get it");
    desk.stop().await;
}

#[tokio::test]
async fn whose_alert_is_still_to_come_is_not_told_twice() {
    let desk = Desk::open(vec![]).await;
    desk.readers(2).await;
    let first = desk.publish(None, create("Not sent yet")).await;
    let now = service_kit::now();
    desk.follow(1, &first.0, now).await;
    desk.follow(2, &first.0, now).await;
    let planner = desk.planner().await;
    assert!(matches!(planner.handle(&desk.delivered(&first.0).await).await, Disposition::Done));
    let second = desk.publish(Some((&first.0, first.1)), revise(RevisionKind::Major, "More", None)).await;
    assert_eq!(second.0.change.kind, ChangeKind::Major);
    // Again and again, as after a crash: the plan is made once.
    for _ in 0..2 {
        assert!(matches!(planner.handle(&desk.delivered(&second.0).await).await, Disposition::Done));
    }
    assert_eq!(desk.planned(&first.0, "published").await.matched, 2);
    assert_eq!(desk.planned(&first.0, "update-2").await.matched, 1, "the alert brings the newest to the other one");
}

#[tokio::test]
async fn breaking_news_is_planned_while_everything_else_waits_for_its_turn() {
    let desk = Desk::open(vec![]).await;
    desk.readers(2).await;
    let normal = desk.publish(None, create("Normal")).await.0;
    let Command::Create { id, publisher, mut draft, provenance } = create("Breaking") else { panic!("it creates") };
    draft.urgency = 1;
    let breaking = desk.publish(None, Command::Create { id, publisher, draft, provenance }).await.0;
    let planner = desk.planner().await;
    // As a plan for a million does that is being made.
    let turn = planner.turns.of_alerts().await;
    assert!(matches!(planner.handle(&desk.delivered(&normal).await).await, Disposition::Retry(_)));
    assert!(matches!(planner.handle(&desk.delivered(&breaking).await).await, Disposition::Done));
    assert_eq!(desk.planned(&breaking, "published").await.lane, Lane::Breaking);
    assert!(desk.bus.last(&JOBS, &subjects::plan(&plan_key(&normal.id))).await.unwrap().is_none());
    drop(turn);
    assert!(matches!(planner.handle(&desk.delivered(&normal).await).await, Disposition::Done));
    assert_eq!(desk.planned(&normal, "published").await.matched, 2);
}
