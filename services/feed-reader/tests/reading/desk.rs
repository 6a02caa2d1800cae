//! A nats-server, a publisher process on it, and readers pointed at both.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;

use bus::{Bus, Credentials, HeaderMap, Server};
use feed_reader::quarantine::Quarantined;
use feed_reader::source::Source;
use feed_reader::state::State;
use feed_reader::{Config, FeedReader};
use jiff::Timestamp;
use serde_json::{Value, json};
use service_kit::Secret;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use testkit::{NatsServer, Port, Process, built, eventually};
use tokio_util::sync::CancellationToken;
use topology::{ARTICLES, CONSUMERS, INTAKE, QUARANTINE, SOURCES, STREAMS, TOKENS, subjects};

/// A token as the publisher reads it, made of nothing in particular.
const TOKEN: &str = "nwt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

pub(crate) struct Desk {
    pub(crate) nats: NatsServer,
    pub(crate) bus: Bus,
    pub(crate) publisher: Option<Process>,
    /// It may be killed and come back.
    publisher_port: Port,
    dir: TempDir,
    shutdown: CancellationToken,
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

fn riverton() -> article::PublisherId {
    "riverton".parse().expect("a publisher")
}

impl Desk {
    pub(crate) async fn open() -> Self {
        let nats = NatsServer::start().await;
        let bus = Bus::connect(&Server { url: nats.url().into(), credentials: Credentials::None }, "test")
            .await
            .expect("connects");
        bus.provision(STREAMS, CONSUMERS, 1).await.expect("provisions");
        let hash: String = Sha256::digest(TOKEN).iter().map(|byte| format!("{byte:02x}")).collect();
        let record = json!({ "publisher": "riverton", "name": "feeds", "created_at": Timestamp::UNIX_EPOCH });
        let (subject, payload) = (subjects::token(&hash), record.to_string().into());
        bus.publish(&TOKENS, &subject, &subject, HeaderMap::new(), payload, Some(0)).await.expect("a token");
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("token"), TOKEN).expect("a file");
        let (publisher_port, shutdown) = (Port::reserve(), CancellationToken::new());
        let mut desk = Self { nats, bus, publisher: None, publisher_port, dir, shutdown };
        desk.start_publisher().await;
        desk
    }

    pub(crate) async fn start_publisher(&mut self) {
        let mut command = built("publisher");
        command
            .env("NEWSWIRE_NATS_URL", self.nats.url())
            .env("NEWSWIRE_PUBLISHER_LISTEN", self.publisher_port.address().to_string());
        let mut process = Process::spawn(&mut command);
        process.ready(&format!("http://{}/readyz", self.publisher_port.address())).await;
        self.publisher = Some(process);
    }

    /// A reader in this process.
    pub(crate) async fn reader(&self, public_url: Option<&str>) -> SocketAddr {
        let config = Config {
            nats: Server { url: self.nats.url().into(), credentials: Credentials::None },
            listen: "127.0.0.1:0".parse().expect("an address"),
            publisher_url: format!("http://{}/", self.publisher_port.address()).parse().expect("an address"),
            token: Secret::new(TOKEN),
            contact_url: "https://riverton.example/about".parse().expect("an address"),
            public_url: public_url.map(|url| url.parse().expect("an address")),
            allowed: "127.0.0.0/8".parse().expect("a network"),
        };
        let reader = FeedReader::bind(config).await.expect("binds");
        let address = reader.address();
        tokio::spawn(reader.run(self.shutdown.clone()));
        address
    }

    /// A reader as a process of its own.
    pub(crate) fn reader_process(&self, listen: SocketAddr) -> Command {
        let mut command = built("feed-reader");
        command
            .env("NEWSWIRE_NATS_URL", self.nats.url())
            .env("NEWSWIRE_FEED_READER_LISTEN", listen.to_string())
            .env("NEWSWIRE_FEED_READER_PUBLISHER_URL", format!("http://{}", self.publisher_port.address()))
            .env("NEWSWIRE_FEED_READER_TOKEN_FILE", self.dir.path().join("token"))
            .env("NEWSWIRE_FEED_READER_CONTACT_URL", "https://riverton.example/about")
            .env("NEWSWIRE_FEED_READER_ALLOW_NETWORKS", "127.0.0.1/32");
        command
    }

    /// Adds a source, or asks for it anew; answers its id.
    pub(crate) async fn source(&self, url: &str) -> String {
        let url: url::Url = url.parse().expect("an address");
        let id = Source::id(&url);
        let now = service_kit::now();
        let source = Source {
            url,
            name: None,
            section: vec!["World".into()],
            language: Some("en".into()),
            added_at: now,
            asked_at: now,
            paused: false,
            removed_at: None,
        };
        let subject = subjects::source(&riverton(), &id);
        let message_id = format!("{subject}/{now}");
        let written =
            self.bus.publish(&SOURCES, &subject, &message_id, HeaderMap::new(), source.to_bytes().into(), None);
        written.await.expect("a source");
        id
    }

    pub(crate) async fn state(&self, source: &str) -> Option<State> {
        let stored = self.bus.last(&INTAKE, &subjects::intake_state(&riverton(), source)).await.expect("reads");
        stored.map(|stored| State::from_bytes(&stored.payload).expect("a state"))
    }

    /// The state of a source once nobody is at it and `is_it`.
    pub(crate) async fn settled(&self, source: &str, what: &str, is_it: impl Fn(&State) -> bool) -> State {
        eventually(what, async || match self.state(source).await {
            Some(state) if state.claim.is_none() && is_it(&state) => Ok(state),
            other => Err(format!("{other:?}")),
        })
        .await
    }

    /// Makes a source due now, as if its time had come, and waits until its turn is over.
    pub(crate) async fn next_turn(&self, source: &str) -> State {
        let before = self.settled(source, "nobody is at the source", |_| true).await;
        let subject = subjects::intake_state(&riverton(), source);
        let mut due = before.clone();
        due.plan.next_check_at = Some(Timestamp::UNIX_EPOCH);
        let payload = serde_json::to_vec(&due).expect("a state");
        let message_id = format!("{subject}/{}", service_kit::now());
        self.bus.publish(&INTAKE, &subject, &message_id, HeaderMap::new(), payload.into(), None).await.expect("due");
        self.settled(source, "the source has had its turn", |state| state.checked_at > before.checked_at).await
    }

    /// Every article in its last revision, by headline.
    pub(crate) async fn articles(&self) -> BTreeMap<String, Value> {
        let (mut articles, mut from) = (BTreeMap::new(), 0);
        while let Some(stored) = self.bus.next(&ARTICLES, subjects::ARTICLES, from).await.expect("the log can be read")
        {
            let envelope: Value = serde_json::from_slice(&stored.payload).expect("an envelope");
            articles.insert(stored.subject, envelope["data"].clone());
            from = stored.sequence + 1;
        }
        articles
            .into_values()
            .map(|article| (article["headline"].as_str().unwrap_or_default().to_owned(), article))
            .collect()
    }

    /// How many messages the log of articles has, and how many articles.
    pub(crate) async fn revisions(&self) -> (usize, usize) {
        let (mut subjects_seen, mut count, mut from) = (std::collections::BTreeSet::new(), 0, 0);
        while let Some(stored) = self.bus.next(&ARTICLES, subjects::ARTICLES, from).await.expect("the log can be read")
        {
            subjects_seen.insert(stored.subject);
            (count, from) = (count + 1, stored.sequence + 1);
        }
        (count, subjects_seen.len())
    }

    pub(crate) async fn quarantined(&self) -> Vec<Quarantined> {
        let (mut found, mut from) = (Vec::new(), 0);
        while let Some(stored) = self.bus.next(&QUARANTINE, subjects::QUARANTINE, from).await.expect("it can be read") {
            found.push(Quarantined::from_bytes(&stored.payload).expect("a record"));
            from = stored.sequence + 1;
        }
        found
    }

    /// Calls the publisher as the newsroom would.
    pub(crate) async fn newsroom(
        &self,
        method: reqwest::Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Value {
        let mut request = reqwest::Client::new()
            .request(method, format!("http://{}/{path}", self.publisher_port.address()))
            .bearer_auth(TOKEN)
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.body(body.to_string()).send().await.expect("the publisher answers");
        let (status, text) = (answer.status(), answer.text().await.expect("text"));
        assert!(status.is_success(), "{status} {text}");
        serde_json::from_str(&text).expect("JSON")
    }
}
