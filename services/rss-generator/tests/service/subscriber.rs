//! A WebSub subscriber that does what a test wants, and what the tests ask of a hub.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use bus::Bus;
use serde_json::Value;
use testkit::eventually;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use topology::{HUB, HUB_DELIVERIES};
use url::form_urlencoded;

use super::Replica;

/// How a callback behaves; willing where nothing else is said.
#[derive(Debug, Clone, Default)]
pub(super) enum Mood {
    #[default]
    Willing,
    /// Knows of no subscription.
    Refuses,
    /// Answers a challenge with other words.
    SaysSomethingElse,
    /// Takes no delivery, with this status.
    Status(u16),
    /// Answers a delivery with a gigabyte.
    Endless,
    Redirects(String),
    /// Takes a delivery and never answers.
    Hangs,
    /// Takes a delivery and answers once that is over.
    Waits(CancellationToken),
    /// Answers nothing that it is asked.
    Silent,
}

/// A delivery.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) query: String,
    pub(super) body: String,
    headers: HeaderMap,
}

impl Told {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

type Question = HashMap<String, String>;

#[derive(Default)]
struct Seen {
    moods: HashMap<String, Mood>,
    questions: HashMap<String, Vec<Question>>,
    told: HashMap<String, Vec<Told>>,
}

/// A server of callbacks.
pub(super) struct Subscriber {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

impl Subscriber {
    pub(super) async fn start() -> Self {
        Self::at("127.0.0.1").await
    }

    /// Each address is a host of its own.
    pub(super) async fn at(host: &str) -> Self {
        let listener = TcpListener::bind((host, 0)).await.unwrap();
        let (address, seen) = (listener.local_addr().unwrap(), Arc::<Mutex<Seen>>::default());
        let router = Router::new().fallback(called).with_state(seen.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, seen }
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(super) fn callback(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn mood(&self, path: &str, mood: Mood) {
        self.seen.lock().unwrap().moods.insert(path.to_owned(), mood);
    }

    /// What came to `path` so far.
    pub(super) fn told(&self, path: &str) -> Vec<Told> {
        self.seen.lock().unwrap().told.get(path).cloned().unwrap_or_default()
    }

    /// How many callbacks were sent something.
    pub(super) fn reached(&self) -> usize {
        self.seen.lock().unwrap().told.len()
    }

    /// The `n`th delivery to `path`, from 1.
    pub(super) async fn next(&self, path: &str, n: usize) -> Told {
        eventually(&format!("delivery {n} to {path}"), async || {
            let told = self.told(path);
            told.get(n - 1).cloned().ok_or(format!("{} so far", told.len()))
        })
        .await
    }

    /// The first question to `path`.
    pub(super) async fn question(&self, path: &str) -> Question {
        self.questions(path, 1).await
    }

    /// The `n`th question to `path`, from 1.
    pub(super) async fn questions(&self, path: &str, n: usize) -> Question {
        eventually(&format!("question {n} to {path}"), async || {
            let asked = self.seen.lock().unwrap().questions.get(path).cloned().unwrap_or_default();
            asked.get(n - 1).cloned().ok_or(format!("{} so far", asked.len()))
        })
        .await
    }
}

async fn called(
    State(seen): State<Arc<Mutex<Seen>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (path, query) = (uri.path().to_owned(), uri.query().unwrap_or_default().to_owned());
    let mood = seen.lock().unwrap().moods.get(&path).cloned().unwrap_or_default();
    if method == Method::GET {
        let question: Question = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let challenge = question.get("hub.challenge").cloned().unwrap_or_default();
        seen.lock().unwrap().questions.entry(path).or_default().push(question);
        return match mood {
            Mood::Refuses => StatusCode::NOT_FOUND.into_response(),
            Mood::SaysSomethingElse => "welcome".into_response(),
            Mood::Silent => std::future::pending().await,
            _ => challenge.into_response(),
        };
    }
    let told = Told { query, body: String::from_utf8(body.to_vec()).unwrap(), headers };
    seen.lock().unwrap().told.entry(path).or_default().push(told);
    match mood {
        Mood::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Mood::Endless => {
            let piece = Bytes::from(vec![b'x'; 1 << 20]);
            let pieces = futures::stream::iter((0..1024).map(move |_| Ok::<_, std::io::Error>(piece.clone())));
            Body::from_stream(pieces).into_response()
        }
        Mood::Redirects(to) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response(),
        Mood::Hangs => std::future::pending().await,
        Mood::Waits(until) => {
            until.cancelled().await;
            StatusCode::NO_CONTENT.into_response()
        }
        Mood::Willing | Mood::Refuses | Mood::SaysSomethingElse | Mood::Silent => {
            StatusCode::NO_CONTENT.into_response()
        }
    }
}

impl Replica {
    pub(super) async fn hub(&self, form: &[(&str, &str)]) -> reqwest::Response {
        self.client.post(format!("{}/hub", self.base)).form(form).send().await.unwrap()
    }

    /// Subscribes, and waits until it stands.
    pub(super) async fn subscribe(&self, bus: &Bus, reader: &Subscriber, topic: &str, callback: &str) {
        let path = callback.split_once(&reader.address.to_string()).unwrap().1.to_owned();
        let form = [("hub.mode", "subscribe"), ("hub.topic", topic), ("hub.callback", callback)];
        assert_eq!(self.hub(&form).await.status(), 202);
        reader.question(&path).await;
        stands(bus, topic, callback).await;
    }
}

/// Waits until the subscription is agreed on, known here, and nothing is left to do for it.
pub(super) async fn stands(bus: &Bus, topic: &str, callback: &str) {
    eventually(&format!("{callback} subscribes to {topic}"), async || match record(bus, topic, callback).await {
        Some(record) if record["agreed"].is_object() && record["asked"].is_null() => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    settled(bus).await;
}

/// Waits until nobody subscribes there.
pub(super) async fn ended(bus: &Bus, topic: &str, callback: &str) {
    eventually(&format!("{callback} does not subscribe to {topic}"), async || {
        record(bus, topic, callback).await.map_or(Ok(()), |record| Err(record.to_string()))
    })
    .await;
}

/// Waits until every call has been worked off.
pub(super) async fn settled(bus: &Bus) {
    eventually("every call is worked off", async || {
        // What the stream has just taken may not be counted as waiting yet.
        let last = bus.last(&HUB, HUB_DELIVERIES.filter).await.map_err(|error| error.to_string())?;
        match bus.backlog(&HUB_DELIVERIES).await {
            Ok(backlog) if backlog.is_empty() && last.is_none_or(|last| backlog.settled >= last.sequence) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

/// The record of a subscriber, found by what is in it.
async fn record(bus: &Bus, topic: &str, callback: &str) -> Option<Value> {
    let topic = topic.rsplit_once("/feeds/").unwrap().1;
    let mut from = 1;
    while let Some(stored) = bus.next(&HUB, "nw.hub.subscription.*.*", from).await.unwrap() {
        from = stored.sequence + 1;
        let record: Value = serde_json::from_slice(&stored.payload).unwrap_or_default();
        if record["topic"] == topic && record["callback"] == callback {
            return Some(record);
        }
    }
    None
}

/// How many subscriptions are agreed on.
pub(super) async fn agreed(bus: &Bus) -> usize {
    let (mut agreed, mut from) = (0, 1);
    while let Some(stored) = bus.next(&HUB, "nw.hub.subscription.*.*", from).await.unwrap() {
        from = stored.sequence + 1;
        let record: Value = serde_json::from_slice(&stored.payload).unwrap_or_default();
        agreed += usize::from(record["agreed"].is_object() && record["asked"].is_null());
    }
    agreed
}
