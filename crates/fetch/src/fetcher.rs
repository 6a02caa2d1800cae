//! The client: one request, the redirects it meets, each checked, and the answer, bounded.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::dns::Resolve;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Method, StatusCode, redirect};
use tokio::time::timeout;
use url::Url;

use crate::body::Collector;
use crate::resolver::{Guarded, System, said_below};
use crate::{FetchError, Guard};

/// The longest address that is followed to, in bytes. Whatever is read there is relative to it.
const MAX_ADDRESS: usize = 2048;

/// How long a connection is kept for the next request. Whoever is asked again at all is asked at once, or minutes later; and
/// of the thousands of hosts that are called one after the other each would hold an open file.
const IDLE: Duration = Duration::from_secs(2);

/// How much, and how long, a stranger may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a body as it is sent.
    pub received: usize,
    /// Bytes of a body once decoded.
    pub decoded: usize,
    pub redirects: usize,
    /// Until connected, the name resolved and TLS agreed on.
    pub connect: Duration,
    /// From the request until the headers of its answer are there.
    pub headers: Duration,
    /// Between two pieces of the body.
    pub idle: Duration,
    /// For everything, redirects included.
    pub total: Duration,
}

impl Default for Limits {
    /// 15 MB, five redirects, a minute.
    fn default() -> Self {
        Self {
            received: 15_000_000,
            decoded: 15_000_000,
            redirects: 5,
            connect: Duration::from_secs(10),
            headers: Duration::from_secs(20),
            idle: Duration::from_secs(15),
            total: Duration::from_secs(60),
        }
    }
}

/// What came back, whatever its status.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Where it came from in the end.
    pub url: Url,
    /// Where the first address has moved for good: the end of the 301s and 308s with which the way began.
    pub moved_to: Option<Url>,
}

/// Fetches; cloning is cheap and shares the connections.
#[derive(Clone)]
pub struct Fetcher {
    http: reqwest::Client,
    guard: Guard,
    limits: Limits,
}

impl Fetcher {
    /// `user_agent` says who we are and where to complain, such as `newswire/1.0 (+https://news.example/about)`.
    ///
    /// # Errors
    /// When the user agent is no header or the system's roots of trust cannot be read.
    pub fn new(user_agent: &str, guard: Guard, limits: Limits) -> Result<Self, FetchError> {
        Self::with_resolver(user_agent, guard, limits, Arc::new(System))
    }

    fn with_resolver(
        user_agent: &str,
        guard: Guard,
        limits: Limits,
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self, FetchError> {
        let http = reqwest::Client::builder()
            .user_agent(user_agent)
            .dns_resolver(Arc::new(Guarded { inner: resolver, guard: guard.clone() }))
            // Each step is checked, counted and reported here.
            .redirect(redirect::Policy::none())
            // A proxy would resolve the names itself, behind the guard's back.
            .no_proxy()
            .referer(false)
            .connect_timeout(limits.connect)
            .pool_idle_timeout(IDLE)
            .build()
            .map_err(|error| FetchError::Network(chain(&error)))?;
        Ok(Self { http, guard, limits })
    }

    /// Gets `url`, following redirects of every kind.
    ///
    /// # Errors
    /// [`FetchError`]; a status of 400 or more is none.
    pub async fn get(&self, url: &Url, headers: HeaderMap) -> Result<Response, FetchError> {
        self.within_total(self.follow(Method::GET, url, headers, Bytes::new())).await
    }

    /// Posts `body` to `url`. Only 307 and 308 are followed, which ask for the same again (RFC 9110, section 15.4), and
    /// never from https to http: what is posted may be confidential.
    ///
    /// # Errors
    /// As [`Fetcher::get`].
    pub async fn post(&self, url: &Url, headers: HeaderMap, body: Bytes) -> Result<Response, FetchError> {
        self.within_total(self.follow(Method::POST, url, headers, body)).await
    }

    /// Posts `body` to `url` and answers the status alone: the answer's body is not read, however long it is, and a
    /// redirect is a status like any other.
    ///
    /// # Errors
    /// As [`Fetcher::get`].
    pub async fn notify(&self, url: &Url, headers: HeaderMap, body: Bytes) -> Result<StatusCode, FetchError> {
        self.within_total(async {
            self.guard.check(url)?;
            Ok(self.send(Method::POST, url.clone(), headers, body).await?.status())
        })
        .await
    }

    async fn within_total<T>(&self, fetching: impl Future<Output = Result<T, FetchError>>) -> Result<T, FetchError> {
        let limit = self.limits.total;
        timeout(limit, fetching).await.unwrap_or(Err(FetchError::TooSlow { what: "all of it", limit }))
    }

    async fn follow(&self, method: Method, url: &Url, headers: HeaderMap, body: Bytes) -> Result<Response, FetchError> {
        let mut at = url.clone();
        at.set_fragment(None);
        let (mut seen, mut moved_to, mut for_good) = (vec![at.clone()], None, true);
        loop {
            self.guard.check(&at)?;
            let answer = self.send(method.clone(), at.clone(), headers.clone(), body.clone()).await?;
            let Some(next) = redirection(&method, &at, &answer)? else {
                let (status, headers) = (answer.status(), answer.headers().clone());
                let body = self.collect(answer).await?;
                return Ok(Response { status, headers, body, url: at, moved_to });
            };
            for_good &= matches!(answer.status(), StatusCode::MOVED_PERMANENTLY | StatusCode::PERMANENT_REDIRECT);
            if for_good {
                moved_to = Some(next.clone());
            }
            if seen.contains(&next) {
                return Err(FetchError::RedirectLoop(next));
            }
            if seen.len() > self.limits.redirects {
                return Err(FetchError::TooManyRedirects(self.limits.redirects));
            }
            seen.push(next.clone());
            at = next;
        }
    }

    async fn send(
        &self,
        method: Method,
        url: Url,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<reqwest::Response, FetchError> {
        let mut request = self.http.request(method.clone(), url).headers(headers);
        request = request.header(ACCEPT_ENCODING, HeaderValue::from_static("gzip, deflate"));
        if method == Method::POST {
            request = request.body(body);
        }
        let limit = self.limits.headers;
        match timeout(limit, request.send()).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.failed(error)),
            Err(_) => Err(FetchError::TooSlow { what: "the beginning of its answer", limit }),
        }
    }

    async fn collect(&self, mut answer: reqwest::Response) -> Result<Bytes, FetchError> {
        let Limits { received, decoded, idle, .. } = self.limits;
        let codings = answer.headers().get_all(CONTENT_ENCODING).iter();
        let codings: Vec<_> = codings.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        let mut collector = Collector::new(&codings.join(", "), received, decoded)?;
        loop {
            match timeout(idle, answer.chunk()).await {
                Ok(Ok(Some(piece))) => collector.take(&piece)?,
                Ok(Ok(None)) => return collector.finish(),
                Ok(Err(error)) => return Err(self.failed(error)),
                Err(_) => return Err(FetchError::TooSlow { what: "the next piece of its body", limit: idle }),
            }
        }
    }

    fn failed(&self, error: reqwest::Error) -> FetchError {
        // The address is the caller's to name.
        let error = error.without_url();
        match said_below(&error) {
            Some(ours) => ours,
            None if error.is_timeout() && error.is_connect() => {
                FetchError::TooSlow { what: "connecting", limit: self.limits.connect }
            }
            None => FetchError::Network(chain(&error)),
        }
    }
}

/// Where an answer sends us on, if it does.
fn redirection(method: &Method, at: &Url, answer: &reqwest::Response) -> Result<Option<Url>, FetchError> {
    let follows = match answer.status().as_u16() {
        301..=303 => method == Method::GET,
        307 | 308 => true,
        _ => false,
    };
    let Some(location) = answer.headers().get(LOCATION).filter(|_| follows) else { return Ok(None) };
    let text = String::from_utf8_lossy(location.as_bytes());
    let next = at.join(&text);
    let mut next = next.map_err(|_| FetchError::BadRedirect(text.chars().take(200).collect()))?;
    next.set_fragment(None);
    if next.as_str().len() > MAX_ADDRESS {
        return Err(FetchError::LongRedirect(MAX_ADDRESS));
    }
    if method == Method::POST && at.scheme() == "https" && next.scheme() != "https" {
        return Err(FetchError::BadRedirect(next.into()));
    }
    Ok(Some(next))
}

/// An error with its causes: reqwest's own text says no more than that something failed.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
