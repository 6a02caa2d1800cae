//! What comes back, over real sockets and a real nats-server, until it stands in a record.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use bus::{Bus, Credentials, Server};
use inbound::MAX_MAIL;
use jiff::{SignedDuration, Timestamp};
use mail::return_path;
use reqwest::{Client, RequestBuilder, StatusCode};
use service_kit::{Listener, Secret};
use subscription::Selection;
use testkit::{NatsServer, eventually};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use topology::{CONSUMERS, DEAD, INBOUND, STREAMS, subjects};

use super::*;
use crate::bounces::Reason;
use crate::links::Keys;
use crate::store::Store;
use crate::subscriber::{ConsentEvent, Form, Subscriber, SubscriberId, Wish};

mod effects;
mod lmtp;
mod webhooks;

const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:mail";
const LOGIN: &str = "postmark:0123456789abcdefghij";
const SIGNING: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// One newsroom.
struct House {
    nats: NatsServer,
    bus: Bus,
    keys: Keys,
    store: Store,
    lmtp: SocketAddr,
    base: String,
    http: Client,
    shutdown: CancellationToken,
}

impl Drop for House {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl House {
    async fn open() -> Self {
        let nats = NatsServer::start().await;
        let server = Server { url: nats.url().into(), credentials: Credentials::None };
        let bus = Bus::connect(&server, "test").await.unwrap();
        bus.provision(STREAMS, CONSUMERS, 1).await.unwrap();
        let keys = Keys::new(b"a secret of the tests");
        let store = Store::new(bus.clone(), keys.clone(), "UTC".into());
        let gate = Arc::new(Gate::new(bus.clone(), keys.clone(), store.clone(), "News.Example", &metrics()));
        let shutdown = CancellationToken::new();
        let config = Inbound {
            lmtp: None,
            ses: Some(TOPIC.parse().unwrap()),
            postmark: Some(Secret::new(LOGIN)),
            generic: interchange::signature::Secret::parse(SIGNING),
        };
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), "X").await.unwrap();
        let base = format!("http://{}", listener.address);
        let router = webhooks(gate.clone(), &config, &base.parse().unwrap()).unwrap();
        tokio::spawn(service_kit::serve(listener, router, shutdown.clone()));
        let lmtp = Lmtp::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = lmtp.address;
        tokio::spawn(lmtp.run(gate, shutdown.clone()));
        let http = Client::builder().no_proxy().build().unwrap();
        Self { nats, bus, keys, store, lmtp: address, base, http, shutdown }
    }

    /// Carries out what came back, as the service does.
    fn work(&self) {
        tokio::spawn(consumer::run(self.bus.clone(), self.store.clone(), self.shutdown.clone()));
    }

    /// Somebody who confirmed everything.
    async fn reader(&self, address: &str) -> Reader<'_> {
        let now = service_kit::now();
        let address = address.parse().unwrap();
        self.store.request(&address, &Wish::alerts(Selection::everything(), "en"), now).await.unwrap();
        let id = self.store.at(&address).await.unwrap().unwrap().id;
        self.store.update(id, |subscriber| subscriber.confirm(now, now)).await.unwrap();
        Reader { house: self, id }
    }

    async fn client(&self) -> Talk {
        let mut talk = Talk { stream: BufReader::new(TcpStream::connect(self.lmtp).await.unwrap()) };
        assert!(talk.reply().await.starts_with("220 news.example"));
        assert!(talk.say("LHLO mx.news.example").await.starts_with("250"));
        talk
    }

    /// The reply to a whole mail to one recipient.
    async fn mail(&self, to: &str, mail: &[u8]) -> String {
        self.client().await.mail("", to, mail).await
    }

    /// How many events were kept.
    async fn events(&self) -> u64 {
        self.bus.last_sequence(&INBOUND).await.unwrap()
    }

    /// Waits until nothing is left to be carried out.
    async fn carried_out(&self) {
        let last = self.events().await;
        eventually("everything is carried out", async || match self.bus.backlog(&topology::INBOUND_EVENTS).await {
            Ok(backlog) if backlog.is_empty() && backlog.settled >= last => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    }
}

struct Reader<'a> {
    house: &'a House,
    id: SubscriberId,
}

impl Reader<'_> {
    fn returned(&self) -> String {
        return_path(&self.house.keys.mail, &self.id.to_string(), "news.example").unwrap().as_str().to_owned()
    }

    fn leave(&self) -> String {
        self.house.keys.leave_address(self.id, "news.example").as_str().to_owned()
    }

    async fn record(&self) -> Subscriber {
        self.house.store.get(self.id).await.unwrap().unwrap()
    }

    async fn stops(&self) -> Option<Reason> {
        self.record().await.bounces.stops(service_kit::now())
    }
}

/// A conversation in LMTP.
struct Talk {
    stream: BufReader<TcpStream>,
}

impl Talk {
    async fn reply(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let start = reply.len();
            if self.stream.read_line(&mut reply).await.unwrap_or(0) == 0
                || reply.as_bytes().get(start + 3) != Some(&b'-')
            {
                return reply;
            }
        }
    }

    async fn say(&mut self, line: &str) -> String {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
        self.reply().await
    }

    /// Everything but the end of the mail.
    async fn begin(&mut self, sender: &str, to: &str, mail: &[u8]) {
        assert!(self.say(&format!("MAIL FROM:<{sender}> SIZE={}", mail.len())).await.starts_with("250"));
        assert!(self.say(&format!("RCPT TO:<{to}>")).await.starts_with("250"), "{to}");
        assert!(self.say("DATA").await.starts_with("354"));
        self.stream.write_all(&stuffed(mail)).await.unwrap();
    }

    async fn mail(&mut self, sender: &str, to: &str, mail: &[u8]) -> String {
        self.begin(sender, to, mail).await;
        self.say(".").await
    }
}

/// As it is on the wire, less the dot at the end.
fn stuffed(mail: &[u8]) -> Vec<u8> {
    let lines = mail.strip_suffix(b"\n").unwrap_or(mail).split(|&byte| byte == b'\n');
    let mut wire = Vec::new();
    for line in lines {
        if line.first() == Some(&b'.') {
            wire.push(b'.');
        }
        wire.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        wire.extend_from_slice(b"\r\n");
    }
    wire
}

fn metrics() -> service_kit::Metrics {
    service_kit::Metrics::new("test")
}

fn samples() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../crates/inbound/samples")
}

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(samples().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}
