//! Why the publisher did not do what it was asked, and what to make of that.

use std::time::Duration;

use article::{ArticleId, Problem};
use reqwest::StatusCode;
use serde::Deserialize;
use url::Url;

use crate::output::plain;

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
    /// Of the answer, not of its document.
    #[serde(skip)]
    pub(super) status: StatusCode,
    /// What `Retry-After` asks for.
    #[serde(skip)]
    pub(super) retry_after: Option<Duration>,
}

impl Refused {
    /// The stable word at the end of its type, such as `stale`.
    pub(crate) fn word(&self) -> &str {
        self.kind.rsplit(':').next().unwrap_or_default()
    }
}

impl std::error::Error for Refused {}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // It may repeat what strangers wrote.
        write!(f, "{}: {}", plain(&self.title), plain(&self.detail))?;
        // A single mistake is the detail already.
        if self.errors.len() > 1 {
            for problem in &self.errors {
                write!(f, "\n  {}", plain(&problem.to_string()))?;
            }
        }
        Ok(())
    }
}

/// No answer at all, or half of one.
#[derive(Debug, thiserror::Error)]
#[error("no answer from the publisher at {base}; check --publisher-url. Repeating the command is safe")]
pub(super) struct Unreachable {
    pub(super) base: Url,
    pub(super) source: reqwest::Error,
}

/// An answer that no publisher gives: a proxy in front of it speaks, or something else is at that address.
#[derive(Debug, thiserror::Error)]
#[error("{base} answered {status}, not as a publisher does; check --publisher-url")]
pub(super) struct Stranger {
    pub(super) base: Url,
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
}

/// What a failed call means for whoever has more to send.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is about this request: it will fare no better, others may.
    Final,
    /// It passes: the same request again, after this time if one was named.
    Wait(Option<Duration>),
    /// It is about us or the publisher, and somebody has to act before anything goes through.
    Barred,
}

pub(crate) fn verdict(error: &anyhow::Error) -> Verdict {
    if error.is::<Unreachable>() {
        return Verdict::Wait(None);
    }
    if let Some(Stranger { status, retry_after, .. }) = error.downcast_ref() {
        let passes = matches!(status.as_u16(), 408 | 429 | 502 | 503 | 504);
        return if passes { Verdict::Wait(*retry_after) } else { Verdict::Barred };
    }
    let Some(refused) = error.downcast_ref::<Refused>() else { return Verdict::Barred };
    match refused.status.as_u16() {
        408 | 429 | 502 | 503 | 504 => Verdict::Wait(refused.retry_after),
        // Another publisher's article is the article's mistake; every other 403 is the token's.
        403 if refused.word() == "other-publisher" => Verdict::Final,
        401 | 403 | 507 => Verdict::Barred,
        _ => Verdict::Final,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_waited_for_and_what_does_not_is_told() {
        let base: Url = "http://127.0.0.1:8081".parse().unwrap();
        let refused = |status: u16, word: &str| -> anyhow::Error {
            let document = format!(r#"{{"type":"urn:newswire:problem:{word}","title":"T","detail":"D"}}"#);
            let mut refused: Refused = serde_json::from_str(&document).unwrap();
            refused.status = StatusCode::from_u16(status).unwrap();
            refused.retry_after = Some(Duration::from_secs(7));
            anyhow::Error::from(refused).context("while importing")
        };
        let wait = Verdict::Wait(Some(Duration::from_secs(7)));
        for (status, word, expected) in [
            (429, "too-many", wait),
            (503, "busy", Verdict::Wait(Some(Duration::from_secs(7)))),
            (401, "bad-token", Verdict::Barred),
            (403, "scope", Verdict::Barred),
            (403, "other-publisher", Verdict::Final),
            (507, "store-full", Verdict::Barred),
            (422, "invalid-article", Verdict::Final),
            (412, "stale", Verdict::Final),
            (500, "unreadable", Verdict::Final),
        ] {
            assert_eq!(verdict(&refused(status, word)), expected, "{status} {word}");
        }
        let stranger = |status| Stranger { base: base.clone(), status, retry_after: None };
        assert_eq!(verdict(&stranger(StatusCode::BAD_GATEWAY).into()), Verdict::Wait(None));
        assert_eq!(verdict(&stranger(StatusCode::NOT_FOUND).into()), Verdict::Barred);
        assert_eq!(verdict(&anyhow::anyhow!("anything else")), Verdict::Barred);
    }
}
