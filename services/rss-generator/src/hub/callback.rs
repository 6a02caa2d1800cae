//! Calls to subscribers: whether they meant it, that they are denied, what is new. Nothing they answer is kept.

use bytes::Bytes;
use fetch::{FetchError, Fetcher, Guard, HeaderMap, HeaderValue, Limits, StatusCode, header};
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use service_kit::Secret;
use sha2::Sha256;
use std::time::Duration;
use url::Url;

use crate::hub::record::Asked;
use crate::hub::record::Mode;
use crate::hub::store::random;

/// A subscriber has this long to take a delivery or to answer a question.
pub(crate) const TOTAL: Duration = Duration::from_secs(10);

/// Redirects are not followed: whoever moved asks anew, from where he is. A challenge fits in well.
const LIMITS: Limits = Limits {
    received: 4096,
    decoded: 4096,
    redirects: 0,
    connect: Duration::from_secs(3),
    headers: TOTAL,
    idle: TOTAL,
    total: TOTAL,
};

/// What a subscriber said to the question whether he meant it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    /// He knows nothing of it.
    No(String),
    /// Nobody could say; asking again may help.
    Silent(String),
}

/// What became of a delivery.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Taken,
    /// He wants no more (410).
    Gone,
    Failed(String),
}

#[derive(Clone)]
pub(crate) struct Caller {
    fetcher: Fetcher,
    hub: String,
}

impl Caller {
    /// `home` says to subscribers who calls; `hub` is the hub's address.
    ///
    /// # Errors
    /// When the system's roots of trust cannot be read.
    pub(crate) fn new(home: &str, hub: String, guard: Guard) -> Result<Self, FetchError> {
        let agent = format!("newswire/{} (+{home})", env!("CARGO_PKG_VERSION"));
        Ok(Self { fetcher: Fetcher::new(&agent, guard, LIMITS)?, hub })
    }

    /// Verification of intent (section 5.3), with a challenge that is good for this call alone.
    pub(crate) async fn ask(&self, callback: &Url, asked: &Asked) -> Answer {
        let challenge = random();
        let mut url = callback.clone();
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("hub.mode", asked.mode.as_str()).append_pair("hub.topic", &asked.topic);
            query.append_pair("hub.challenge", &challenge);
            if asked.mode == Mode::Subscribe {
                query.append_pair("hub.lease_seconds", &asked.lease.to_string());
            }
        }
        match self.fetcher.get(&url, HeaderMap::new()).await {
            Ok(answer) if answer.status.is_success() && answer.body.trim_ascii() == challenge.as_bytes() => Answer::Yes,
            Ok(answer) if answer.status.is_success() => Answer::No("it answers without the challenge".into()),
            Ok(answer) if answer.status.is_server_error() => Answer::Silent(format!("it answers {}", answer.status)),
            Ok(answer) => Answer::No(format!("it answers {}", answer.status)),
            // It was there and said something else than the challenge.
            Err(error @ (FetchError::TooManyRedirects(_) | FetchError::TooLarge(_))) => Answer::No(error.to_string()),
            Err(error) => Answer::Silent(error.to_string()),
        }
    }

    /// Tells a subscriber that he gets nothing, and why (section 5.2). `true`: he has heard it.
    pub(crate) async fn deny(&self, callback: &Url, topic: &str, reason: &str) -> bool {
        let mut url = callback.clone();
        url.query_pairs_mut()
            .append_pair("hub.mode", "denied")
            .append_pair("hub.topic", topic)
            .append_pair("hub.reason", reason);
        let answer = self.fetcher.get(&url, HeaderMap::new()).await;
        answer.is_ok_and(|answer| !answer.status.is_server_error())
    }

    /// Delivers `body` of the topic at `topic` (section 7).
    pub(crate) async fn tell(
        &self,
        callback: &Url,
        topic: &str,
        content_type: &'static str,
        secret: Option<&Secret>,
        body: Bytes,
    ) -> Told {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        let links = format!("<{}>; rel=\"hub\", <{topic}>; rel=\"self\"", self.hub);
        headers.insert(header::LINK, HeaderValue::from_str(&links).expect("addresses are ASCII"));
        if let Some(secret) = secret {
            let signature = HeaderValue::from_str(&signature(secret, &body)).expect("hex digits are ASCII");
            headers.insert("x-hub-signature", signature);
        }
        match self.fetcher.notify(callback, headers, body).await {
            Ok(status) if status.is_success() => Told::Taken,
            Ok(StatusCode::GONE) => Told::Gone,
            Ok(status) => Told::Failed(format!("it answers {status}")),
            Err(error) => Told::Failed(error.to_string()),
        }
    }
}

/// Section 7.1.
fn signature(secret: &Secret, body: &[u8]) -> String {
    let mut mac =
        <Hmac<Sha256> as KeyInit>::new_from_slice(secret.expose().as_bytes()).expect("a key of any length will do");
    mac.update(body);
    let digest = mac.finalize().into_bytes();
    format!("sha256={}", digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// A callback for the eyes of operators: what stands behind the question mark may be a secret between subscriber and hub.
pub(crate) fn masked(callback: &Url) -> String {
    let mut url = callback.clone();
    let had_query = url.query().is_some();
    url.set_query(None);
    if had_query { format!("{url}?…") } else { url.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_rfc_4231() {
        let secret = Secret::new("Jefe");
        assert_eq!(
            signature(&secret, b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn what_may_be_a_secret_is_not_shown() {
        for (callback, shown) in [
            ("https://reader.example/hook?key=hunter2", "https://reader.example/hook?…"),
            ("https://reader.example/hook", "https://reader.example/hook"),
        ] {
            assert_eq!(masked(&callback.parse().unwrap()), shown);
        }
    }
}
