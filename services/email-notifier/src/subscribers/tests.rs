//! The operator's questions, on a real server.

use bus::{Credentials, HeaderMap, Server};
use serde::de::DeserializeOwned;
use subscription::Selection;
use testkit::NatsServer;
use topology::{CONSUMERS, JOBS, KEYS, STREAMS, SUBSCRIBERS, subjects};

use super::*;
use crate::links::Keys;
use crate::subscriber::Form;

struct Office {
    _nats: NatsServer,
    desk: Desk,
}

impl Office {
    async fn open() -> Self {
        let nats = NatsServer::start().await;
        let server = Server { url: nats.url().into(), credentials: Credentials::None };
        let bus = Bus::connect(&server, "test").await.unwrap();
        bus.provision(STREAMS, CONSUMERS, 1).await.unwrap();
        let store = Store::new(bus.clone(), Keys::new(b"a secret of the tests"), "Asia/Shanghai".into());
        Self { _nats: nats, desk: Desk { bus, store, news: Arc::new(News::new()) } }
    }

    async fn ask<T: DeserializeOwned>(&self, question: &Question) -> Answer<T> {
        let answer = self.desk.answer(&serde_json::to_vec(question).unwrap()).await;
        serde_json::from_slice(&answer).unwrap()
    }

    async fn import(&self, rows: &[Row], dry_run: bool) -> Vec<Outcome> {
        self.ask(&Question::Import { rows: rows.to_vec(), dry_run }).await.unwrap()
    }

    async fn written(&self) -> (u64, u64) {
        let bus = &self.desk.bus;
        (bus.last_sequence(&SUBSCRIBERS).await.unwrap(), bus.last_sequence(&KEYS).await.unwrap())
    }
}

fn agreed(address: &str) -> Row {
    let (confirmed_at, source) = ("2025-03-01T08:00:00Z".into(), "form on the old site".into());
    Row { address: address.into(), confirmed_at, source, ..Row::default() }
}

#[tokio::test]
async fn rows_are_taken_in_once_and_a_dry_run_writes_nothing() {
    let office = Office::open().await;
    let rows = [
        agreed("a@example.org"),
        Row { selection: "section/world".into(), frequency: "daily@08".into(), ..agreed("a@example.org") },
        Row { zone: "europe/berlin".into(), language: "zh-CN".into(), ..agreed("b@例子.中国") },
        Row { address: "asked@example.org".into(), ..Row::default() },
    ];
    let expected = [Outcome::Added, Outcome::Added, Outcome::Added, Outcome::Asked];
    let before = office.written().await;
    assert_eq!(office.import(&rows, true).await, expected);
    assert_eq!(office.written().await, before);
    assert_eq!(office.import(&rows, false).await, expected);
    let after = office.written().await;
    let again = office.import(&rows, false).await;
    assert!(again.iter().all(|outcome| matches!(outcome, Outcome::Unchanged { .. })), "{again:?}");
    assert_eq!(office.written().await, after, "the same rows again change nothing");

    let now = service_kit::now();
    let a = office.desk.store.at(&"a@example.org".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((a.confirmed().count(), a.zone.as_str(), a.language.as_str()), (2, "Asia/Shanghai", "en"));
    assert!(a.spans().all(|span| now.duration_since(span.since).as_secs() < 60), "nothing of before is owed");
    assert_eq!(a.consent[0].source.as_deref(), Some("form on the old site"));
    let said: Vec<_> = a.consent.iter().map(|line| (line.selection.clone(), line.language.as_deref())).collect();
    assert!(a.confirmed().all(|s| said.contains(&(Some(s.selection.clone()), None))), "no words of ours: {said:?}");
    assert_eq!((a.consent[0].form, a.consent[0].at.to_string()), (Some(Form::Import), "2025-03-01T08:00:00Z".into()));
    let b = office.desk.store.at(&"b@xn--fsqu00a.xn--fiqs8s".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((b.zone.as_str(), b.language.as_str()), ("Europe/Berlin", "zh-Hans"));
    let asked = office.desk.store.at(&"asked@example.org".parse().unwrap()).await.unwrap().unwrap();
    assert!(!asked.is_confirmed() && asked.wants_confirmation(now), "nobody said that they agreed");
}

#[tokio::test]
async fn one_mailbox_has_one_record_however_its_rows_are_spelt() {
    let office = Office::open().await;
    let rows = [
        agreed("Reader@Example.org"),
        Row { selection: "section/world".into(), ..agreed("reader@example.ORG") },
        agreed("READER@example.org"),
        Row { frequency: "hourly".into(), ..agreed("reader@example.org") },
    ];
    let before = office.written().await;
    let outcomes = office.import(&rows, false).await;
    assert_eq!(outcomes[..2], [Outcome::Added, Outcome::Added]);
    assert_eq!(outcomes[2], Outcome::Unchanged { why: "subscribed already".into() });
    assert!(matches!(outcomes[3], Outcome::Error { .. }));
    assert_eq!(office.written().await, (before.0 + 2, before.1 + 1), "a claim, a record and a key");
    let reader = office.desk.store.at(&"reader@example.org".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((reader.confirmed().count(), reader.address.as_str()), (2, "Reader@example.org"));
}

/// Everybody who is there, by address.
async fn everybody(office: &Office) -> Vec<String> {
    let (mut addresses, mut after) = (Vec::new(), Some(0));
    while let Some(cursor) = after {
        let page: Page = office.ask(&Question::Export { after: cursor }).await.unwrap();
        addresses.extend(page.rows.into_iter().map(|row| row.address));
        after = page.next;
    }
    addresses.sort();
    addresses
}

#[tokio::test]
async fn an_import_that_is_killed_is_finished_by_the_same_file() {
    let office = Office::open().await;
    let rows: Vec<Row> = (0..900).map(|n| agreed(&format!("r{n:03}@example.org"))).collect();
    let mut before = office.written().await;
    for stream in [KEYS, SUBSCRIBERS] {
        let (desk, rows) = (office.desk.clone(), rows.clone());
        let importing = tokio::spawn(async move { desk.import(rows, false).await });
        // Keys without records the first time, some batches of records the second.
        let grown = async || {
            let now = office.written().await;
            if stream.name == KEYS.name { now.1 > before.1 } else { now.0 > before.0 }
        };
        while !importing.is_finished() && !grown().await {}
        importing.abort();
        before = office.written().await;
    }
    let outcomes = office.import(&rows, false).await;
    let well = |outcome: &&Outcome| matches!(outcome, Outcome::Added | Outcome::Unchanged { .. });
    assert_eq!(outcomes.iter().filter(well).count(), 900, "{outcomes:?}");
    let addresses: Vec<String> = rows.into_iter().map(|row| row.address).collect();
    assert_eq!(everybody(&office).await, addresses, "each once");
}

#[tokio::test]
async fn the_same_file_from_two_sides_takes_everybody_in_once() {
    let office = Office::open().await;
    let rows: Vec<Row> = (0..300).map(|n| agreed(&format!("r{n:03}@example.org"))).collect();
    // Together they take all in; a row that one of them had to write alone may be the other's by then.
    let (here, there) = tokio::join!(office.import(&rows, false), office.import(&rows, false));
    for (here, there) in here.iter().zip(&there) {
        let added = [here, there].into_iter().filter(|outcome| **outcome == Outcome::Added).count();
        assert_eq!(added, 1, "{here:?} {there:?}");
    }
    let addresses: Vec<String> = rows.into_iter().map(|row| row.address).collect();
    assert_eq!(everybody(&office).await, addresses);
}

#[tokio::test]
async fn what_is_wrong_in_a_row_is_told_by_its_column() {
    let office = Office::open().await;
    let good = agreed("a@example.org");
    for (row, column) in [
        (Row { address: "=cmd@".into(), ..good.clone() }, "address"),
        (Row { address: "😀@example.org".into(), ..good.clone() }, "address"),
        (Row { address: String::new(), ..good.clone() }, "address"),
        (Row { selection: "section/".into(), ..good.clone() }, "selection"),
        (Row { selection: format!("section/{}", "x".repeat(3000)), ..good.clone() }, "selection"),
        (Row { frequency: "hourly".into(), ..good.clone() }, "frequency"),
        (Row { zone: "Mars".into(), ..good.clone() }, "zone"),
        (Row { language: "中文".into(), ..good.clone() }, "language"),
        (Row { confirmed_at: "yesterday".into(), ..good.clone() }, "confirmed_at"),
        (Row { confirmed_at: "2999-01-01".into(), ..good.clone() }, "confirmed_at"),
        (Row { source: String::new(), ..good.clone() }, "source"),
        (Row { source: "a\u{0}b".into(), ..good.clone() }, "source"),
        (Row { source: "x".repeat(121), ..good.clone() }, "source"),
    ] {
        let outcome = office.import(std::slice::from_ref(&row), false).await.remove(0);
        let Outcome::Error { column: found, problem } = outcome else { panic!("{row:?}: {outcome:?}") };
        assert_eq!(found, column, "{row:?}");
        assert!(!problem.is_empty() && !problem.contains("example.org:"), "{problem}");
    }
    assert!(office.desk.store.at(&"a@example.org".parse().unwrap()).await.unwrap().is_none());
    let day = Row { confirmed_at: "2025-03-01".into(), ..good };
    assert_eq!(office.import(&[day], false).await, [Outcome::Added], "a day is a time, too");
    let too_many = Question::Import { rows: vec![Row::default(); MAX_ROWS + 1], dry_run: false };
    assert!(office.ask::<Vec<Outcome>>(&too_many).await.is_err());
    assert!(serde_json::from_slice::<Answer<()>>(&office.desk.answer(b"{}").await).unwrap().is_err());
}

#[tokio::test]
async fn an_import_overrides_nothing_that_the_owner_said() {
    let office = Office::open().await;
    let (store, row) = (&office.desk.store, agreed("a@example.org"));
    office.import(std::slice::from_ref(&row), false).await;
    let id = store.at(&row.address.parse().unwrap()).await.unwrap().unwrap().id;
    let daily = Row { frequency: "daily@08".into(), ..row.clone() };
    assert!(matches!(&office.import(&[daily], false).await[0], Outcome::Unchanged { .. }));
    let now = service_kit::now();
    store.update(id, |subscriber| subscriber.unsubscribe(None, Form::Unsubscribe, now)).await.unwrap();
    let unasked = Row { confirmed_at: String::new(), ..row.clone() };
    for row in [row.clone(), unasked, Row { selection: "section/world".into(), ..row.clone() }] {
        let outcome = office.import(&[row], false).await.remove(0);
        assert_eq!(outcome, Outcome::Unchanged { why: "has left since".into() });
    }
    let later = Row { confirmed_at: service_kit::now().to_string(), ..row };
    assert_eq!(office.import(&[later], false).await, [Outcome::Added], "they have agreed again");
}

#[tokio::test]
async fn what_is_given_out_can_be_taken_in_elsewhere() {
    let (here, there) = (Office::open().await, Office::open().await);
    let rows: Vec<Row> = (0..700)
        .map(|n| Row {
            frequency: "weekly@mon@08".into(),
            selection: "section/世界".into(),
            ..agreed(&format!("r{n}@example.org"))
        })
        .collect();
    here.import(&rows, false).await;
    here.import(&[Row { address: "asked@example.org".into(), ..Row::default() }], false).await;
    let (mut found, mut after, mut pages) = (Vec::new(), 0, 0);
    loop {
        let page: Page = here.ask(&Question::Export { after }).await.unwrap();
        assert!(serde_json::to_vec(&page).unwrap().len() < MAX_QUESTION);
        found.extend(page.rows);
        pages += 1;
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    assert!(pages > 1, "{pages} pages");
    let mut addresses: Vec<_> = found.iter().map(|row| row.address.clone()).collect();
    addresses.sort();
    addresses.dedup();
    assert_eq!((found.len(), addresses.len()), (700, 700), "who has not confirmed is nobody's to pass on");
    assert_eq!(found[0].selection, "section/世界".parse::<Selection>().unwrap().to_string());
    assert_eq!((&found[0].zone[..], &found[0].source[..]), ("Asia/Shanghai", "form on the old site"));
    let outcomes = there.import(&found[..100], false).await;
    assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Added), "{outcomes:?}");
}

#[tokio::test]
async fn who_is_erased_is_told_what_remains() {
    let office = Office::open().await;
    office.import(&[agreed("a@example.org")], false).await;
    let shown: Shown = office.ask(&Question::Show { address: "A@Example.org".into() }).await.unwrap();
    let record = shown.record.unwrap();
    assert_eq!(record["address"], "a@example.org");
    let chunk = serde_json::json!({"recipients": [record["id"]]}).to_string();
    let subject = subjects::chunk("normal", "p", 0);
    office.desk.bus.publish(&JOBS, &subject, "1", HeaderMap::new(), chunk.into(), None).await.unwrap();

    let forgotten: Forgotten = office.ask(&Question::Erase { address: "a@example.org".into() }).await.unwrap();
    assert!(forgotten.erased);
    let jobs = forgotten.remains.iter().find(|remains| remains.place.starts_with("JOBS")).unwrap();
    assert!(jobs.what.starts_with("1 list") && jobs.what.contains(record["id"].as_str().unwrap()), "{jobs:?}");
    assert!(forgotten.remains.iter().all(|remains| !remains.what.contains("example.org")));
    let shown: Shown = office.ask(&Question::Show { address: "a@example.org".into() }).await.unwrap();
    assert_eq!(shown, Shown { record: None, suppressed: None });
    let again: Forgotten = office.ask(&Question::Erase { address: "a@example.org".into() }).await.unwrap();
    assert_eq!(again, Forgotten { erased: false, remains: Vec::new() });
    assert!(office.ask::<Forgotten>(&Question::Erase { address: "nobody".into() }).await.is_err());
}
