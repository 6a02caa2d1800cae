//! The publisher's API, as the command line uses it.

mod failure;
mod reply;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use article::ArticleId;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, IF_MATCH};
use reqwest::{Method, redirect};
use serde_json::{Value, json};
use service_kit::Secret;
use url::Url;

use self::failure::Unreachable;
pub(crate) use self::failure::{Refused, Verdict, verdict};
pub(crate) use self::reply::Reply;
use crate::Usage;

/// Longer than the publisher waits for its store.
const TIMEOUT: Duration = Duration::from_secs(40);

const TOKEN_VARIABLE: &str = "NEWSWIRE_TOKEN";

/// How often a change that meets another one is sent again, to what is current then.
const RACES: usize = 5;

/// Where the publisher is and who we are there.
#[derive(clap::Args)]
pub(crate) struct Target {
    /// Address of the publisher
    #[arg(long, value_name = "URL", env = "NEWSWIRE_PUBLISHER_URL", default_value = "http://127.0.0.1:8081")]
    publisher_url: Url,
    /// File with the API token; without it NEWSWIRE_TOKEN in the environment. Never an argument: those are public
    #[arg(long, value_name = "FILE", env = "NEWSWIRE_TOKEN_FILE")]
    token_file: Option<PathBuf>,
}

impl Target {
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        if !matches!(self.publisher_url.scheme(), "http" | "https") {
            return Err(Usage(format!("{} is not an http address", self.publisher_url)).into());
        }
        // It would stand in every message about this address.
        if !self.publisher_url.username().is_empty() || self.publisher_url.password().is_some() {
            return Err(Usage(
                "the publisher's address must hold no name or password; the token is all it asks for".into(),
            )
            .into());
        }
        Client::new(self.publisher_url.clone(), self.token()?)
    }

    fn token(&self) -> anyhow::Result<Secret> {
        let text = match &self.token_file {
            Some(file) => std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?,
            None => std::env::var(TOKEN_VARIABLE).map_err(|_| {
                Usage(format!("no token: name its file with --token-file, or set {TOKEN_VARIABLE}; `newswire token create` makes one"))
            })?,
        };
        Ok(Secret::new(text.trim()))
    }
}

#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    token: Secret,
}

/// A success.
pub(crate) struct Answer {
    pub(crate) article: Value,
    /// The request had been carried out before; nothing has changed.
    pub(crate) replayed: bool,
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self { article: reply.document, replayed: reply.replayed }
    }
}

impl Answer {
    /// # Errors
    /// When there is none: whoever answered is no publisher.
    pub(crate) fn revision(&self) -> anyhow::Result<u32> {
        let revision = self.article["revision"].as_u64().and_then(|revision| u32::try_from(revision).ok());
        revision.context("the publisher answered with an article without a revision")
    }
}

/// A change that leaves the text alone.
pub(crate) struct Change<'a> {
    /// `hold`, `release`, `withdraw` or `kill`.
    pub(crate) kind: &'a str,
    pub(crate) note: Option<&'a str>,
}

/// Every call fails with [`Refused`] when the publisher said no, and otherwise when it could not be asked;
/// [`verdict`] tells what to make of it.
impl Client {
    /// A client of the publisher at `base`.
    pub(crate) fn new(base: Url, token: Secret) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .user_agent(concat!("newswire/", env!("CARGO_PKG_VERSION")))
            // A redirect would carry the token to wherever it points.
            .redirect(redirect::Policy::none())
            .build()
            .context("cannot set up HTTP")?;
        Ok(Self { http, base, token })
    }

    /// Publishes a new article, once under `key`. `channel` tells how it came in.
    pub(crate) async fn create(&self, body: Vec<u8>, key: &str, channel: &'static str) -> anyhow::Result<Answer> {
        let mut headers = json_headers(channel);
        headers.insert("idempotency-key", HeaderValue::try_from(key).context("the key of an article")?);
        Ok(self.send(Method::POST, "v1/articles", headers, Some(body)).await?.into())
    }

    /// Publishes a new text for the article whose revision `base` is current.
    pub(crate) async fn revise(
        &self,
        id: &ArticleId,
        base: u32,
        body: Vec<u8>,
        channel: &'static str,
    ) -> anyhow::Result<Answer> {
        let mut headers = json_headers(channel);
        headers.insert(IF_MATCH, tag(base));
        Ok(self.send(Method::PUT, &path_of(id, ""), headers, Some(body)).await?.into())
    }

    /// Changes the state of an article. Without a `base` it is whichever revision is current that changes, even if
    /// somebody revises it at the same time.
    pub(crate) async fn change(
        &self,
        id: &ArticleId,
        change: &Change<'_>,
        base: Option<u32>,
        channel: &'static str,
    ) -> anyhow::Result<Answer> {
        let mut races = 0;
        loop {
            let current = match (base, change.kind) {
                (Some(base), _) => Some(base),
                // A kill must not lose a race: the publisher itself applies it to what is current.
                (None, "kill") => None,
                (None, _) => {
                    let current = self.read(id).await?;
                    // The command was repeated, or its first answer was lost.
                    if current.article["change"]["kind"] == change.kind
                        && current.article["change"]["note"].as_str() == change.note
                    {
                        return Ok(Answer { replayed: true, ..current });
                    }
                    Some(current.revision()?)
                }
            };
            races += 1;
            match self.change_once(id, change, current, channel).await {
                Err(error) if base.is_none() && races < RACES && is_stale(&error) => {}
                done => return done,
            }
        }
    }

    async fn change_once(
        &self,
        id: &ArticleId,
        change: &Change<'_>,
        base: Option<u32>,
        channel: &'static str,
    ) -> anyhow::Result<Answer> {
        let mut headers = json_headers(channel);
        if let Some(base) = base {
            headers.insert(IF_MATCH, tag(base));
        }
        let mut body = json!({ "kind": change.kind });
        if let Some(note) = change.note {
            body["note"] = note.into();
        }
        let body = body.to_string().into_bytes();
        Ok(self.send(Method::POST, &path_of(id, "/changes"), headers, Some(body)).await?.into())
    }

    pub(crate) async fn read(&self, id: &ArticleId) -> anyhow::Result<Answer> {
        Ok(self.get(&path_of(id, "")).await?.into())
    }

    /// `path` is relative to the publisher's address, and may have a query.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Reply> {
        self.send(Method::GET, path, HeaderMap::new(), None).await
    }

    /// Orders what the path says.
    pub(crate) async fn order(&self, path: &str) -> anyhow::Result<Reply> {
        self.send(Method::POST, path, HeaderMap::new(), None).await
    }

    /// Asks with a document. Nothing changes by it.
    pub(crate) async fn ask(&self, path: &str, body: Vec<u8>) -> anyhow::Result<Reply> {
        self.send(Method::POST, path, json_headers("cli"), Some(body)).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Option<Vec<u8>>,
    ) -> anyhow::Result<Reply> {
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{path}", self.base.path().trim_end_matches('/')));
        url.set_query(query);
        let mut request = self.http.request(method, url).headers(headers).bearer_auth(self.token.expose());
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await.map_err(|source| Unreachable { base: self.base.clone(), source })?;
        reply::read(response, &self.base).await
    }
}

pub(crate) fn path_of(id: &ArticleId, rest: &str) -> String {
    format!("v1/articles/{}{rest}", id.token())
}

/// Whether somebody else's revision came first.
pub(crate) fn is_stale(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Refused>().is_some_and(|refused| refused.word() == "stale")
}

fn tag(revision: u32) -> HeaderValue {
    HeaderValue::try_from(format!("\"{revision}\"")).expect("digits and quotes are legal in a header")
}

fn json_headers(channel: &'static str) -> HeaderMap {
    HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (HeaderName::from_static("newswire-channel"), HeaderValue::from_static(channel)),
    ])
}
