//! What comes back from the publisher: a document, or why there is none.

use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::header::{HeaderMap, LINK, LOCATION, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde_json::Value;
use url::Url;

use super::failure::{Refused, Stranger, Unreachable};

/// The largest answer read: sixteen revisions of an article of 1 MiB, and a little for the escapes.
const MAX_ANSWER: usize = 20 << 20;

/// The longest wait that is taken from an answer: nobody sits before a command for longer without a word.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// A document, and what its headers say about it.
pub(crate) struct Reply {
    pub(crate) document: Value,
    /// The request had been carried out before.
    pub(crate) replayed: bool,
    /// The cursor of the next page, where there is one.
    pub(crate) next: Option<String>,
}

pub(super) async fn read(mut response: Response, base: &Url) -> anyhow::Result<Reply> {
    let status = response.status();
    let headers = response.headers().clone();
    if status.is_redirection() {
        let to = headers.get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("elsewhere");
        bail!("{base} points to {to}; give that address with --publisher-url");
    }
    let unreachable = |source| Unreachable { base: base.clone(), source };
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if bytes.len() + chunk.len() > MAX_ANSWER {
            bail!("{base} answers with more than a publisher would; is it one?");
        }
        bytes.extend_from_slice(&chunk);
    }
    if matches!(status, StatusCode::OK | StatusCode::CREATED) {
        let document = serde_json::from_slice(&bytes);
        let document = document.with_context(|| format!("{base} does not answer as a publisher does"))?;
        return Ok(Reply { document, replayed: headers.contains_key("idempotency-replayed"), next: next(&headers) });
    }
    let retry_after = retry_after(&headers);
    match serde_json::from_slice::<Refused>(&bytes) {
        Ok(mut refused) => {
            (refused.status, refused.retry_after) = (status, retry_after);
            Err(refused.into())
        }
        Err(_) => Err(Stranger { base: base.clone(), status, retry_after }.into()),
    }
}

/// Seconds (RFC 9110, section 10.2.3); our publisher sends no dates.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}

/// The cursor in `Link: <…?cursor=…>; rel="next"` (RFC 8288). Only the cursor is taken: a link to somewhere else would
/// get our token.
fn next(headers: &HeaderMap) -> Option<String> {
    let links = headers.get_all(LINK).iter().filter_map(|link| link.to_str().ok());
    let mut links = links.flat_map(|links| links.split(", <"));
    let link = links.find(|link| link.contains("rel=\"next\"") || link.contains("rel=next"))?;
    let target = link.trim_start_matches('<').split('>').next()?;
    let query = target.split_once('?')?.1;
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "cursor").map(|(_, cursor)| cursor.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_known_by_its_cursor_alone() {
        for (link, cursor) in [
            (r#"</v1/articles?limit=50&cursor=a%2Fb>; rel="next""#, Some("a/b")),
            (r#"</v1/articles>; rel="first", <https://evil.example/?cursor=x>; rel="next""#, Some("x")),
            (r#"</v1/articles?cursor=x>; rel="prev""#, None),
            (r#"</v1/articles>; rel="next""#, None),
            ("", None),
        ] {
            let headers = HeaderMap::from_iter([(LINK, link.parse().unwrap())]);
            assert_eq!(next(&headers).as_deref(), cursor, "{link}");
        }
    }

    #[test]
    fn a_wait_is_seconds_and_never_endless() {
        for (text, seconds) in [("5", Some(5)), ("86400", Some(120)), ("Wed, 21 Oct 2026 07:28:00 GMT", None)] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            assert_eq!(retry_after(&headers), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
