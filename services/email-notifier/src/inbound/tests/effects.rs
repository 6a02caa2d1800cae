//! What becomes of a subscriber by what came back.

use ::inbound::Class;
use bus::HeaderMap;

use super::*;

/// Puts an event on the log as if it had come in.
async fn tell(house: &House, event: &Event, reference: &str) {
    let (subject, payload) =
        (subjects::inbound(&event.identity(reference.as_bytes())), serde_json::to_vec(event).unwrap());
    house.bus.publish(&INBOUND, &subject, &subject, HeaderMap::new(), payload.into(), None).await.unwrap();
}

fn soft(subscriber: SubscriberId, at: Timestamp) -> Event {
    Event { subscriber, at, what: What::Bounce { class: Class::Soft, status: None, diagnostic: "full".into() } }
}

#[tokio::test]
async fn a_mailbox_that_is_gone_stops_its_owner_and_nobody_else() {
    let house = House::open().await;
    house.work();
    let (gone, other) = (house.reader("gone@example.org").await, house.reader("other@example.org").await);
    house.mail(&gone.returned(), &sample("mail/postfix-unknown.eml")).await;
    house.mail(&other.returned(), &sample("mail/postfix-full.eml")).await;
    house.carried_out().await;
    assert_eq!((gone.stops().await, other.stops().await), (Some(Reason::Bounced), None));
    assert!(gone.record().await.is_confirmed(), "their subscriptions stand, for when it is back");
    // They ask for the same again and confirm by a mail that reached them.
    let now = service_kit::now();
    house.store.update(gone.id, |subscriber| subscriber.unsubscribe(None, Form::Preferences, now)).await.unwrap();
    let _again = house.reader("gone@example.org").await;
    assert_eq!(gone.stops().await, None);
}

#[tokio::test]
async fn five_bad_days_and_a_probe_that_comes_back() {
    let house = House::open().await;
    house.work();
    let reader = house.reader("reader@example.org").await;
    // Of one moment: a point is a day's, and this may run while one ends.
    let now = service_kit::now();
    let day = |n: i64| now + SignedDuration::from_hours(24 * n + 1);
    for n in 0..5 {
        for again in 0..3 {
            tell(&house, &soft(reader.id, day(n)), &format!("{n}-{again}")).await;
        }
        house.carried_out().await;
    }
    // What was sent before the rest still comes back in it.
    tell(&house, &soft(reader.id, day(8)), "late").await;
    house.carried_out().await;
    let record = reader.record().await;
    assert_eq!(record.bounces.stops(day(5)), Some(Reason::Bounced), "a week of rest");
    assert_eq!(record.bounces.stops(day(12)), None, "the probe may go");
    tell(&house, &soft(reader.id, day(13)), "probe").await;
    house.carried_out().await;
    assert_eq!(reader.record().await.bounces.stops(day(400)), Some(Reason::Bounced));
}

#[tokio::test]
async fn a_complaint_is_for_ever_whoever_asks() {
    let house = House::open().await;
    house.work();
    let reader = house.reader("reader@example.org").await;
    let text = String::from_utf8(sample("mail/arf-abuse.eml")).unwrap();
    house.mail(&reader.returned(), text.as_bytes()).await;
    house.carried_out().await;
    assert_eq!(reader.stops().await, Some(Reason::Complained));
    let address = "reader@example.org".parse().unwrap();
    assert_eq!(house.store.suppressed(&address).await.unwrap().as_deref(), Some("complained"));
    let before = reader.record().await;
    house
        .store
        .request(&address, &Wish::alerts("section/world".parse().unwrap(), "en"), service_kit::now())
        .await
        .unwrap();
    assert_eq!(reader.record().await, before, "no form changes it");
    house.store.erase(reader.id).await.unwrap();
    assert_eq!(
        house.store.suppressed(&address).await.unwrap().as_deref(),
        Some("complained"),
        "nor that they are forgotten"
    );
    // What comes in after that is about nobody.
    house.mail(&reader.returned(), &sample("mail/postfix-unknown.eml")).await;
    house.carried_out().await;
    assert_eq!(house.store.get(reader.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_mail_to_the_address_in_list_unsubscribe_ends_everything() {
    let house = House::open().await;
    house.work();
    let reader = house.reader("reader@example.org").await;
    let farewell = |id: &str| {
        format!("From: x@example.org\r\nMessage-ID: <{id}@example.org>\r\nSubject: 退订\r\n\r\n").into_bytes()
    };
    // A report at this address is nobody's wish.
    let reply = house.mail(&reader.leave(), &sample("mail/postfix-unknown.eml")).await;
    assert_eq!(reply, "250 2.0.0 taken; there is nothing to do\r\n");
    assert!(reader.record().await.is_confirmed());
    assert_eq!(
        house.client().await.mail("x@example.org", &reader.leave(), &farewell("1")).await,
        "250 2.0.0 taken\r\n"
    );
    house.carried_out().await;
    let record = reader.record().await;
    assert!(!record.is_confirmed());
    let last = record.consent.last().unwrap();
    assert_eq!((last.event, last.form), (ConsentEvent::Withdrawn, Some(Form::Mail)));
    // They come back; the old mail, delivered once more, does not end what is new.
    let told = Event { subscriber: reader.id, at: last.at, what: What::Leave };
    let _again = house.reader("reader@example.org").await;
    house.mail(&reader.leave(), &farewell("1")).await;
    tell(&house, &told, "delivered again").await;
    house.carried_out().await;
    assert!(reader.record().await.is_confirmed());
    house.mail(&reader.leave(), &sample("mail/vacation.eml")).await;
    house.carried_out().await;
    assert!(!reader.record().await.is_confirmed(), "whoever has the address has it from our mail");
}

/// The server forgets acknowledgements when it is killed; the workers are killed between the record and theirs.
#[tokio::test]
async fn what_is_delivered_again_changes_nothing() {
    let mut house = House::open().await;
    let now = service_kit::now();
    let mut ids = Vec::new();
    for n in 0..20 {
        let reader = house.reader(&format!("reader{n}@example.org")).await;
        tell(&house, &soft(reader.id, now), "1").await;
        ids.push(reader.id);
    }
    house.work();
    house.carried_out().await;
    let mut before = Vec::new();
    for id in &ids {
        before.push(house.store.get(*id).await.unwrap());
    }
    assert!(before.iter().flatten().all(|record| record.bounces != crate::bounces::Bounces::default()));
    house.nats.kill9();
    house.nats.restart().await;
    for (n, id) in ids.iter().enumerate() {
        // And what the server's window for duplicates does not see.
        if n % 2 == 0 {
            tell(&house, &soft(*id, now), "told again").await;
        }
    }
    house.carried_out().await;
    for (id, before) in ids.iter().zip(before) {
        assert_eq!(house.store.get(*id).await.unwrap(), before);
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_a_dead_letter() {
    let house = House::open().await;
    house.work();
    for (n, garbage) in [&b"{}"[..], b"", b"null", "{\"event\":\"党\"}".as_bytes(), b"\xff\x00"].into_iter().enumerate()
    {
        let subject = subjects::inbound(&format!("{n:064x}"));
        let payload = bytes::Bytes::copy_from_slice(garbage);
        house.bus.publish(&INBOUND, &subject, &subject, HeaderMap::new(), payload, None).await.unwrap();
    }
    house.carried_out().await;
    assert_eq!(house.bus.last_sequence(&DEAD).await.unwrap(), 5);
}
