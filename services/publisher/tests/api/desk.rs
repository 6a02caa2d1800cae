//! A publisher on a server of its own, and a client with a token.

use std::path::{Path, PathBuf};

use article::ArticleId;
use bus::{Bus, Credentials, HeaderMap, Server, Stored};
use publisher::token::{Token, TokenRecord};
use publisher::{Config, Publisher};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::{NatsServer, eventually};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use topology::{CONSUMERS, STREAMS, Stream, TOKENS};

pub(crate) struct Newsroom {
    pub(crate) nats: NatsServer,
    pub(crate) bus: Bus,
    client: Client,
    shutdown: CancellationToken,
    running: JoinHandle<anyhow::Result<()>>,
}

/// Whatever the client does, the newsroom does with its own token.
impl std::ops::Deref for Newsroom {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Newsroom {
    /// Starts everything, with a token of the publisher `hefei`.
    pub(crate) async fn open() -> Self {
        let nats = NatsServer::start().await;
        let server = Server { url: nats.url().into(), credentials: Credentials::None };
        let bus = Bus::connect(&server, "test").await.expect("connects");
        bus.provision(STREAMS, CONSUMERS, 1).await.expect("provisions");
        let listen = "127.0.0.1:0".parse().expect("an address");
        let publisher = Publisher::bind(Config { listen, tls: None, nats: server, webhook_secret: webhook_secret() })
            .await
            .expect("binds");
        let client =
            Client { base: format!("http://{}", publisher.address()), token: None, http: reqwest::Client::new() };
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(publisher.run(shutdown.clone()));
        let mut room = Self { nats, bus, client, shutdown, running };
        let token = room.token("hefei", "test").await;
        room.client.token = Some(token);
        room
    }

    /// A token that the publisher has heard of.
    pub(crate) async fn token(&self, publisher: &str, name: &str) -> String {
        let token = Token::generate().expect("random bytes");
        self.store(&token, publisher, name, false, 0).await;
        let client = self.as_token(token.expose());
        eventually("the token is known", async || {
            match client.get("/v1/articles/0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f", &[]).await.status.as_u16() {
                404 => Ok(()),
                other => Err(other),
            }
        })
        .await;
        token.expose().to_owned()
    }

    pub(crate) async fn revoke(&self, token: &str) {
        let token: Token = token.parse().expect("a token");
        let stored = self.bus.last(&TOKENS, &token.hash().subject()).await.expect("reads").expect("a record");
        self.store(&token, "wuhan", "desk", true, stored.sequence).await;
    }

    async fn store(&self, token: &Token, publisher: &str, name: &str, revoked: bool, expected: u64) {
        let now = service_kit::now();
        let fresh = TokenRecord::new(publisher.parse().expect("a publisher"), name.to_owned(), now);
        self.put_token(token, &TokenRecord { revoked_at: revoked.then_some(now), ..fresh }, expected).await;
    }

    /// Writes a token's record, after the one at `expected`.
    pub(crate) async fn put_token(&self, token: &Token, record: &TokenRecord, expected: u64) {
        let (subject, id) = (token.hash().subject(), format!("{}/{expected}", token.hash().as_str()));
        let stored =
            self.bus.publish(&TOKENS, &subject, &id, HeaderMap::new(), record.to_bytes().into(), Some(expected));
        stored.await.expect("stores the token");
    }

    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    pub(crate) fn as_token(&self, token: &str) -> Client {
        Client { token: Some(token.to_owned()), ..self.client.clone() }
    }

    pub(crate) fn anonymous(&self) -> Client {
        Client { token: None, ..self.client.clone() }
    }

    /// Stops the publisher as an operator would.
    pub(crate) async fn close(mut self) {
        self.stop().await;
    }

    /// [`Newsroom::close`], of the publisher alone.
    pub(crate) async fn stop(&mut self) {
        self.shutdown.cancel();
        let running = &mut self.running;
        running.await.expect("the publisher did not panic").expect("it stopped in good order");
    }

    /// Ends the publisher wherever it is, as a crash would.
    pub(crate) async fn crash(&mut self) {
        self.running.abort();
        let running = &mut self.running;
        assert!(running.await.is_err_and(|error| error.is_cancelled()), "it was running");
        // What it had spawned ends with it.
        self.shutdown.cancel();
    }

    /// Another publisher on the same server, which the client talks to from now on.
    pub(crate) async fn start(&mut self) {
        self.start_after(async |_| {}).await;
    }

    /// [`Newsroom::start`], with something done once it has found the store as it should be.
    pub(crate) async fn start_after(&mut self, change: impl AsyncFnOnce(&Bus)) {
        let server = Server { url: self.nats.url().into(), credentials: Credentials::None };
        let listen = "127.0.0.1:0".parse().expect("an address");
        let publisher = Publisher::bind(Config { listen, tls: None, nats: server, webhook_secret: webhook_secret() })
            .await
            .expect("binds");
        change(&self.bus).await;
        self.client.base = format!("http://{}", publisher.address());
        self.shutdown = CancellationToken::new();
        self.running = tokio::spawn(publisher.run(self.shutdown.clone()));
        eventually("it is ready", async || match self.client.get("/readyz", &[]).await.status.as_u16() {
            200 => Ok(()),
            other => Err(other),
        })
        .await;
    }

    /// The article's messages in a stream, oldest first.
    pub(crate) async fn history(&self, stream: &Stream, subject: &str) -> Vec<Stored> {
        let (mut history, mut from) = (Vec::new(), 0);
        while let Some(stored) = self.bus.next(stream, subject, from).await.expect("reads") {
            from = stored.sequence + 1;
            history.push(stored);
        }
        history
    }

    /// Files of the server's store that hold `words`.
    pub(crate) fn files_with(&self, words: &str) -> Vec<PathBuf> {
        files_with(&self.nats.store_dir(), words.as_bytes())
    }
}

fn files_with(dir: &Path, words: &[u8]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, words));
        } else if std::fs::read(&path).is_ok_and(|bytes| bytes.windows(words.len()).any(|window| window == words)) {
            found.push(path);
        }
    }
    found
}

#[derive(Clone)]
pub(crate) struct Client {
    base: String,
    token: Option<String>,
    http: reqwest::Client,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: reqwest::header::HeaderMap,
    /// `Null` without a JSON body.
    pub(crate) json: Value,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.optional(name).unwrap_or_else(|| panic!("no {name} in {:?}", self.headers))
    }

    pub(crate) fn optional(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("an ASCII header"))
    }
}

impl Client {
    /// Host and port.
    pub(crate) fn authority(&self) -> &str {
        self.base.strip_prefix("http://").expect("an http address")
    }

    pub(crate) fn bearer(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.expect("a body");
        Answer { status, headers, json: serde_json::from_str(&text).unwrap_or_default(), text }
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(Method::GET, path, headers, None).await
    }

    pub(crate) async fn post(&self, document: &Value, headers: &[(&str, &str)]) -> Answer {
        let mut all = vec![("content-type", "application/json")];
        all.extend(headers);
        self.send(Method::POST, "/v1/articles", &all, Some(document.to_string().into())).await
    }

    /// `POST …/changes`, on the revision in `if_match` if one is named.
    pub(crate) async fn change(&self, path: &str, if_match: Option<&str>, change: &Value) -> Answer {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(if_match.map(|tag| ("if-match", tag)));
        self.send(Method::POST, &format!("{path}/changes"), &headers, Some(change.to_string().into())).await
    }

    pub(crate) async fn put(&self, path: &str, if_match: &str, document: &Value) -> Answer {
        let headers = [("content-type", "application/json; charset=utf-8"), ("if-match", if_match)];
        self.send(Method::PUT, path, &headers, Some(document.to_string().into())).await
    }
}

pub(crate) fn draft(headline: &str) -> Value {
    json!({ "headline": headline, "body_text": "First.\n\nSecond.", "language": "en", "section": ["City"] })
}

/// The id in an article as it was answered.
pub(crate) fn id_of(article: &Value) -> ArticleId {
    article["id"].as_str().and_then(|id| id.parse().ok()).expect("an article with an id")
}

/// The master key of the webhooks in every test.
pub(crate) const MASTER: &str = "a master key of at least thirty-two bytes";

fn webhook_secret() -> Option<service_kit::Secret> {
    Some(service_kit::Secret::new(MASTER))
}
