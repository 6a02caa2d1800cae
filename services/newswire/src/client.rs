//! The publisher's API, as the command line uses it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use article::{ArticleId, Problem};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, IF_MATCH, LOCATION};
use reqwest::{Method, StatusCode, redirect};
use serde::Deserialize;
use serde_json::Value;
use service_kit::Secret;
use url::Url;

use crate::Usage;

/// Longer than the publisher waits for its store.
const TIMEOUT: Duration = Duration::from_secs(40);

/// The largest answer read: an article of 1 MiB and whatever escapes add to it.
const MAX_ANSWER: usize = 4 << 20;

const TOKEN_VARIABLE: &str = "NEWSWIRE_TOKEN";

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

/// Why the publisher did not do it, in its own words (RFC 9457).
#[derive(Debug, Deserialize)]
pub(crate) struct Refused {
    #[serde(rename = "type", default)]
    pub(crate) kind: String,
    title: String,
    detail: String,
    #[serde(default)]
    errors: Vec<Problem>,
    /// The article that exists already.
    pub(crate) article: Option<ArticleId>,
    pub(crate) current_revision: Option<u32>,
}

impl std::error::Error for Refused {}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.title, self.detail)?;
        // A single mistake is the detail already.
        if self.errors.len() > 1 {
            for problem in &self.errors {
                write!(f, "\n  {problem}")?;
            }
        }
        Ok(())
    }
}

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
        self.send(Method::POST, "v1/articles", headers, Some(body)).await
    }

    /// Publishes a new text for the article whose revision `base` is current.
    pub(crate) async fn revise(&self, id: &ArticleId, base: u32, body: Vec<u8>) -> anyhow::Result<Answer> {
        let mut headers = json_headers("cli");
        headers.insert(IF_MATCH, HeaderValue::try_from(format!("\"{base}\"")).context("a revision")?);
        self.send(Method::PUT, &format!("v1/articles/{}", id.token()), headers, Some(body)).await
    }

    pub(crate) async fn read(&self, id: &ArticleId) -> anyhow::Result<Answer> {
        self.send(Method::GET, &format!("v1/articles/{}", id.token()), HeaderMap::new(), None).await
    }

    /// # Errors
    /// [`Refused`] when the publisher said no; anything else when it could not be asked.
    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Option<Vec<u8>>,
    ) -> anyhow::Result<Answer> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{path}", self.base.path().trim_end_matches('/')));
        let mut request = self.http.request(method, url).headers(headers).bearer_auth(self.token.expose());
        if let Some(body) = body {
            request = request.body(body);
        }
        let unreachable = || {
            let base = &self.base;
            format!("no answer from the publisher at {base}; check --publisher-url. Repeating the command is safe")
        };
        let mut response = request.send().await.with_context(unreachable)?;
        let status = response.status();
        if status.is_redirection() {
            let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("elsewhere");
            bail!("{} points to {to}; give that address with --publisher-url", self.base);
        }
        let replayed = response.headers().contains_key("idempotency-replayed");
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.with_context(unreachable)? {
            if bytes.len() + chunk.len() > MAX_ANSWER {
                bail!("{} answers with more than an article; is it a publisher?", self.base);
            }
            bytes.extend_from_slice(&chunk);
        }
        if matches!(status, StatusCode::OK | StatusCode::CREATED) {
            let article = serde_json::from_slice(&bytes);
            let article = article.with_context(|| format!("{} does not answer as a publisher does", self.base))?;
            return Ok(Answer { article, replayed });
        }
        match serde_json::from_slice::<Refused>(&bytes) {
            Ok(refused) => Err(refused.into()),
            Err(_) => bail!("{} answered {status}, not as a publisher does; check --publisher-url", self.base),
        }
    }
}

fn json_headers(channel: &'static str) -> HeaderMap {
    HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (reqwest::header::HeaderName::from_static("newswire-channel"), HeaderValue::from_static(channel)),
    ])
}
