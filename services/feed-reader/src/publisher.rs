//! The publisher's API, as this service uses it.

use std::time::Duration;

use anyhow::Context;
use article::{Article, ArticleId, PublisherId};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, IF_MATCH, RETRY_AFTER};
use reqwest::{Method, StatusCode, redirect};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use service_kit::Secret;
use url::Url;

/// Longer than the publisher waits for its store.
const TIMEOUT: Duration = Duration::from_secs(40);

/// The largest answer read: an article of 1 MiB and whatever escapes add to it.
const MAX_ANSWER: usize = 4 << 20;

/// How our articles came in; an article whose current revision came in otherwise was changed by the newsroom.
pub(crate) const CHANNEL: &str = "feed";

#[derive(Clone)]
pub(crate) struct Publisher {
    http: reqwest::Client,
    base: Url,
    token: Secret,
}

/// Why the publisher did not do it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The article, or the request, will not do; it would be refused again.
    #[error("the publisher refused it: {}", .0.said())]
    Refused(Box<Problem>),
    /// It passes, perhaps after the time that is given.
    #[error("the publisher cannot take it now: {why}")]
    Later { why: String, after: Option<Duration> },
    /// Our token opens nothing, or not this.
    #[error("the publisher does not take our token: {0}")]
    Forbidden(String),
}

/// Its reason in its own words (RFC 9457).
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Problem {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    errors: Vec<article::Problem>,
    /// The article that a key has made before.
    pub(crate) article: Option<ArticleId>,
    pub(crate) current_revision: Option<u32>,
}

impl Problem {
    /// Whether it is the one called `word`.
    pub(crate) fn is(&self, word: &str) -> bool {
        self.kind.rsplit(':').next() == Some(word)
    }

    fn said(&self) -> String {
        let errors: String = self.errors.iter().map(|error| format!("; {error}")).collect();
        format!("{}: {}{errors}", self.title, self.detail)
    }
}

#[derive(Deserialize)]
struct TokenOwner {
    publisher: PublisherId,
}

impl Publisher {
    pub(crate) fn new(base: Url, token: Secret) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .user_agent(concat!("newswire-feed-reader/", env!("CARGO_PKG_VERSION")))
            // A redirect would carry the token to wherever it points.
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()
            .context("cannot set up HTTP")?;
        Ok(Self { http, base, token })
    }

    /// Whom our token speaks for.
    pub(crate) async fn owner(&self) -> Result<PublisherId, Refusal> {
        let owner: TokenOwner = self.send(Method::GET, "v1/token", HeaderMap::new(), None).await?;
        Ok(owner.publisher)
    }

    /// Publishes a new article, once under `key`.
    pub(crate) async fn create(&self, key: &str, body: Vec<u8>) -> Result<Article, Refusal> {
        let mut headers = json();
        headers.insert("idempotency-key", HeaderValue::from_str(key).expect("a hex digest is legal in a header"));
        self.send(Method::POST, "v1/articles", headers, Some(body)).await
    }

    /// Publishes a new text for the article whose revision `base` is current.
    pub(crate) async fn revise(&self, id: &ArticleId, base: u32, body: Vec<u8>) -> Result<Article, Refusal> {
        let mut headers = json();
        let tag = HeaderValue::from_str(&format!("\"{base}\"")).expect("a number is legal in a header");
        headers.insert(IF_MATCH, tag);
        self.send(Method::PUT, &format!("v1/articles/{}", id.token()), headers, Some(body)).await
    }

    pub(crate) async fn read(&self, id: &ArticleId) -> Result<Article, Refusal> {
        self.send(Method::GET, &format!("v1/articles/{}", id.token()), HeaderMap::new(), None).await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Option<Vec<u8>>,
    ) -> Result<T, Refusal> {
        let later = |why: String| Refusal::Later { why, after: None };
        let url = self.base.join(path).map_err(|error| later(error.to_string()))?;
        let mut request = self.http.request(method, url).headers(headers).bearer_auth(self.token.expose());
        if let Some(body) = body {
            request = request.body(body);
        }
        let mut answer = request.send().await.map_err(|error| later(format!("no answer ({error})")))?;
        let status = answer.status();
        let after = answer.headers().get(RETRY_AFTER).and_then(|seconds| seconds.to_str().ok()?.parse().ok());
        let after = after.map(Duration::from_secs);
        let mut bytes = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|error| later(format!("half an answer ({error})")))? {
            if bytes.len() + piece.len() > MAX_ANSWER {
                return Err(later(format!("{} answers with more than an article; is it a publisher?", self.base)));
            }
            bytes.extend_from_slice(&piece);
        }
        if status.is_success() {
            let read = serde_json::from_slice(&bytes);
            return read.map_err(|error| later(format!("{} does not answer as a publisher does: {error}", self.base)));
        }
        Err(refusal(status, after, &bytes))
    }
}

fn refusal(status: StatusCode, after: Option<Duration>, body: &[u8]) -> Refusal {
    let problem: Option<Problem> = serde_json::from_slice(body).ok();
    let said = problem.as_ref().map_or_else(|| status.to_string(), Problem::said);
    match (status, problem) {
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => Refusal::Forbidden(said),
        (StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS, _) => Refusal::Later { why: said, after },
        (status, Some(problem)) if status.is_client_error() => Refusal::Refused(Box::new(problem)),
        // Without a problem document it was not the publisher who said it.
        _ => Refusal::Later { why: said, after },
    }
}

fn json() -> HeaderMap {
    HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (HeaderName::from_static("newswire-channel"), HeaderValue::from_static(CHANNEL)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_from_what_does_not() {
        let problem = br#"{"type":"urn:newswire:problem:stale","title":"t","detail":"d","current_revision":4}"#;
        let after = Some(Duration::from_secs(7));
        for (status, body, expected) in [
            (429, &problem[..], "later 7"),
            (503, problem, "later 7"),
            (507, problem, "later 7"),
            (404, b"<html>", "later 7"),
            (302, b"", "later 7"),
            (412, problem, "refused stale 4"),
            (422, problem, "refused stale 4"),
            (401, problem, "forbidden"),
            (403, b"", "forbidden"),
        ] {
            let said = match refusal(StatusCode::from_u16(status).unwrap(), after, body) {
                Refusal::Later { after, .. } => format!("later {}", after.unwrap().as_secs()),
                Refusal::Refused(problem) if problem.is("stale") => {
                    format!("refused stale {}", problem.current_revision.unwrap())
                }
                Refusal::Refused(_) => "refused".to_owned(),
                Refusal::Forbidden(_) => "forbidden".to_owned(),
            };
            assert_eq!(said, expected, "{status}");
        }
    }
}
