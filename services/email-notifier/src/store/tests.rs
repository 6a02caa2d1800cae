//! Records on a real server: sealed, read back, erased.

use bus::{Credentials, Server};
use subscription::Selection;
use testkit::NatsServer;
use topology::{CONSUMERS, KEYS, STREAMS};

use super::*;

const ADDRESS: &str = "reader@example.org";

struct Desk {
    _nats: NatsServer,
    bus: Bus,
    store: Store,
}

impl Desk {
    async fn open() -> Self {
        let nats = NatsServer::start().await;
        let server = Server { url: nats.url().into(), credentials: Credentials::None };
        let bus = Bus::connect(&server, "test").await.unwrap();
        bus.provision(STREAMS, CONSUMERS, 1).await.unwrap();
        let store = Store::new(bus.clone(), Keys::new(b"a secret of the tests"), "Asia/Shanghai".into());
        Self { _nats: nats, bus, store }
    }

    async fn request(&self, selection: &str) -> SubscriberId {
        let wish = Wish::alerts(selection.parse().unwrap(), "en");
        self.store.request(&address(), &wish, service_kit::now()).await.unwrap();
        self.store.at(&address()).await.unwrap().expect("a record").id
    }

    async fn confirmed(&self) -> SubscriberId {
        let id = self.request("all").await;
        let now = service_kit::now();
        self.store.update(id, |subscriber| subscriber.confirm(now, now)).await.unwrap();
        id
    }

    async fn record(&self, id: SubscriberId) -> Option<Stored> {
        self.bus.last(&SUBSCRIBERS, &subjects::subscriber(&id.to_string())).await.unwrap()
    }

    async fn claim(&self) -> Option<Stored> {
        self.bus.last(&SUBSCRIBERS, &self.store.claim_subject(&address())).await.unwrap()
    }

    /// What KEYS holds of `id`, oldest first: whether each lasts.
    async fn keys(&self, id: SubscriberId) -> Vec<bool> {
        let (subject, mut from, mut found) = (subjects::subscriber_key(&id.to_string()), 0, Vec::new());
        while let Some(stored) = self.bus.next(&KEYS, &subject, from).await.unwrap() {
            from = stored.sequence + 1;
            found.push(stored.headers.get("Nats-TTL").is_none());
        }
        found
    }
}

fn address() -> Address {
    ADDRESS.parse().unwrap()
}

#[tokio::test]
async fn no_address_stands_in_the_log() {
    let desk = Desk::open().await;
    let id = desk.confirmed().await;
    let mut from = 0;
    while let Some(stored) = desk.bus.next(&SUBSCRIBERS, subjects::SUBSCRIBERS, from).await.unwrap() {
        from = stored.sequence + 1;
        assert!(!stored.payload.windows(6).any(|window| window == b"reader"), "{}", stored.subject);
    }
    let record = desk.store.get(id).await.unwrap().unwrap();
    assert_eq!((record.address, record.zone.as_str()), (address(), "Asia/Shanghai"));
}

#[tokio::test]
async fn a_key_expires_with_the_record_until_its_owner_confirms() {
    let desk = Desk::open().await;
    let id = desk.request("all").await;
    assert_eq!(desk.keys(id).await, [false]);
    assert!(desk.record(id).await.unwrap().headers.get("Nats-TTL").is_some());
    desk.request("section/world").await;
    assert_eq!(desk.keys(id).await, [false], "it is good for both");
    let now = service_kit::now();
    desk.store.update(id, |subscriber| subscriber.confirm(now, now)).await.unwrap();
    assert_eq!(desk.keys(id).await, [true], "the one that expires is overwritten");
    assert!(desk.record(id).await.unwrap().headers.get("Nats-TTL").is_none());
    assert_eq!(desk.store.get(id).await.unwrap().unwrap().confirmed().count(), 2);
    // Killed between the key and the record, and tried again: the earlier key goes then.
    let key = desk.store.vault.key(id).await.unwrap().unwrap();
    let subject = subjects::subscriber_key(&id.to_string());
    desk.bus.publish(&KEYS, &subject, "again", HeaderMap::new(), key.to_vec().into(), None).await.unwrap();
    assert_eq!(desk.keys(id).await, [true, true]);
    desk.store.update(id, |subscriber| subscriber.change_language("zh")).await.unwrap();
    assert_eq!(desk.keys(id).await, [true]);
}

#[tokio::test]
async fn a_record_from_before_they_were_sealed_is_sealed_when_it_changes() {
    let desk = Desk::open().await;
    let mut old = Subscriber::new(SubscriberId::random(), address(), "en".into(), "UTC".into());
    let now = service_kit::now();
    old.request(&Wish::alerts(Selection::everything(), "en"), now);
    old.confirm(now, now);
    let subject = subjects::subscriber(&old.id.to_string());
    let plain = serde_json::to_vec(&old).unwrap();
    desk.bus.publish(&SUBSCRIBERS, &subject, "1", HeaderMap::new(), plain.into(), Some(0)).await.unwrap();
    let claim = serde_json::to_vec(&serde_json::json!({"id": old.id})).unwrap();
    let claim_subject = desk.store.claim_subject(&address());
    desk.bus.publish(&SUBSCRIBERS, &claim_subject, "2", HeaderMap::new(), claim.into(), Some(0)).await.unwrap();
    assert_eq!(desk.store.at(&address()).await.unwrap().unwrap(), old);
    desk.store.update(old.id, |subscriber| subscriber.change_language("zh")).await.unwrap();
    assert!(matches!(Content::of(&desk.record(old.id).await.unwrap().payload), Content::Sealed(_)));
    assert_eq!(desk.store.at(&address()).await.unwrap().unwrap().language, "zh");
}

#[tokio::test]
async fn who_is_erased_leaves_nothing_and_may_come_back() {
    let desk = Desk::open().await;
    let id = desk.confirmed().await;
    let sealed = desk.record(id).await.unwrap();
    let erased = desk.store.erase_at(&address()).await.unwrap();
    assert_eq!(erased, Erased { id: Some(id), anything: true, suppressed: None });
    assert_eq!(desk.keys(id).await, [false; 0]);
    assert!(desk.claim().await.is_none());
    assert!(desk.record(id).await.unwrap().payload.is_empty(), "a mark for the replicas");
    assert!(desk.store.get(id).await.unwrap().is_none() && desk.store.at(&address()).await.unwrap().is_none());
    // Whoever brings a copy of the record back has noise.
    let subject = subjects::subscriber(&id.to_string());
    desk.bus.publish(&SUBSCRIBERS, &subject, "copy", HeaderMap::new(), sealed.payload, None).await.unwrap();
    assert!(desk.store.get(id).await.unwrap().is_none());
    assert!(!desk.store.update(id, |_| true).await.is_ok_and(|found| found.is_some()), "and it is not sealed anew");
    let again = desk.store.erase_at(&address()).await.unwrap();
    assert_eq!(again, Erased::default(), "nobody holds the address");
    assert_ne!(desk.request("all").await, id, "whoever comes back is somebody new");
}

/// After what an erasure was killed.
#[derive(Debug, Clone, Copy)]
enum Killed {
    Key,
    Record,
    Mark,
}

#[tokio::test]
async fn an_erasure_that_was_killed_is_finished_by_the_next() {
    for killed in [Killed::Key, Killed::Record, Killed::Mark] {
        for by_link in [true, false] {
            let desk = Desk::open().await;
            let id = desk.confirmed().await;
            let stored = desk.record(id).await.unwrap();
            desk.store.vault.destroy(id).await.unwrap();
            match killed {
                Killed::Key => {}
                // The link alone cannot tell whose record it was then; the address can.
                Killed::Record if by_link => continue,
                Killed::Record => desk.bus.erase(&SUBSCRIBERS, stored.sequence).await.unwrap(),
                Killed::Mark => {
                    let claim = desk.store.keys.address_mac(&address());
                    desk.store.mark(id, &stored.subject, crate::vault::mark(claim)).await.unwrap();
                }
            }
            assert!(desk.store.get(id).await.unwrap().is_none(), "it is erased for everybody: {killed:?}");
            let erased =
                if by_link { desk.store.erase(id).await } else { desk.store.erase_at(&address()).await }.unwrap();
            assert!(erased.anything, "{killed:?}");
            assert!(desk.claim().await.is_none(), "{killed:?} {by_link}");
            assert!(desk.record(id).await.unwrap().payload.is_empty(), "{killed:?} {by_link}");
        }
    }
}

#[tokio::test]
async fn a_change_under_way_does_not_bring_the_erased_back() {
    let desk = Desk::open().await;
    let id = desk.confirmed().await;
    let found = desk.store.find(id).await.unwrap().unwrap();
    let held = desk.store.held(&desk.store.claim_subject(&address())).await.unwrap();
    desk.store.erase(id).await.unwrap();
    assert!(!desk.store.write(&found, &held).await.unwrap());
    assert!(desk.keys(id).await.is_empty() && desk.claim().await.is_none());
    assert!(desk.store.get(id).await.unwrap().is_none());
}

#[tokio::test]
async fn what_is_written_together_is_written_by_compare_and_set() {
    let desk = Desk::open().await;
    let others: Vec<Address> = ["a@example.org", "b@example.org"].map(|text| text.parse().unwrap()).into();
    let draft = async |address: &Address| {
        let mut draft = desk.store.draft(address, "en").await.unwrap();
        assert!(draft.subscriber().request(&Wish::alerts(Selection::everything(), "en"), service_kit::now()));
        draft
    };
    let mut drafts = vec![draft(&others[0]).await, draft(&others[1]).await, draft(&address()).await];
    // Somebody types the last of them into the form meanwhile.
    let id = desk.request("section/world").await;
    assert!(!desk.store.write_all(&drafts).await.unwrap());
    for address in &others {
        assert!(desk.store.at(address).await.unwrap().is_none(), "all or none");
    }
    drafts = vec![draft(&others[0]).await, draft(&others[1]).await];
    assert!(desk.store.write_all(&drafts).await.unwrap());
    for (address, draft) in others.iter().zip(&mut drafts) {
        let written = desk.store.at(address).await.unwrap().unwrap();
        assert_eq!(written, *draft.subscriber());
        assert_eq!(desk.keys(written.id).await, [false], "it expires, until somebody confirms");
        assert!(desk.record(written.id).await.unwrap().headers.get("Nats-TTL").is_some());
    }
    // One that is known goes with one that is new.
    let mut known = desk.store.draft(&address(), "en").await.unwrap();
    assert!(known.subscriber().confirm(service_kit::now(), service_kit::now()));
    let new = draft(&"c@example.org".parse().unwrap()).await;
    assert!(desk.store.write_all(&[known, new]).await.unwrap());
    assert!(desk.store.get(id).await.unwrap().unwrap().is_confirmed());
    assert_eq!(desk.keys(id).await, [true]);
}

#[tokio::test]
async fn a_suppressed_address_is_answered_as_any_other_and_stays_so() {
    let desk = Desk::open().await;
    let id = desk.confirmed().await;
    assert!(desk.store.suppress(id, "complained").await.unwrap());
    assert!(!desk.store.suppress(SubscriberId::random(), "complained").await.unwrap());
    let world = Wish::alerts("section/world".parse().unwrap(), "en");
    desk.store.request(&address(), &world, service_kit::now()).await.unwrap();
    assert_eq!(desk.store.get(id).await.unwrap().unwrap().subscriptions.len(), 1, "a form changes nothing");
    desk.store.update(id, |subscriber| subscriber.change_language("zh")).await.unwrap();
    let why = async || desk.store.suppressed(&address()).await.unwrap();
    assert_eq!(why().await.as_deref(), Some("complained"), "neither does its owner");
    let erased = desk.store.erase(id).await.unwrap();
    assert_eq!(erased, Erased { id: Some(id), anything: true, suppressed: Some("complained".into()) });
    assert_eq!(desk.claim().await.unwrap().payload, "{\"suppressed\":\"complained\"}", "the hash is what is kept");
    desk.store.request(&address(), &world, service_kit::now()).await.unwrap();
    assert!(desk.store.at(&address()).await.unwrap().is_none());
    let again = desk.store.erase_at(&address()).await.unwrap();
    assert_eq!(again, Erased { suppressed: Some("complained".into()), ..Erased::default() });
}
