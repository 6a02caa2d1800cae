//! Whether a message is Amazon's: SNS signs with the key of a certificate that lies at its own address, and nobody else
//! can put one there.

use std::num::NonZeroUsize;
use std::str::FromStr;
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fetch::{Fetcher, Guard, HeaderMap, Limits, StatusCode};
use inbound::NotRead;
use inbound::sns::Envelope;
use lru::LruCache;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use service_kit::Limit;
use tokio::time::Instant;
use url::Url;
use webpki::EndEntityCert;
use webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA256;

/// How long a certificate is used before it is looked for again.
const KEPT_FOR: Duration = Duration::from_secs(24 * 3600);

/// There is one, and while it is changed two.
const KEPT: NonZeroUsize = NonZeroUsize::new(4).expect("four is not zero");

/// Who asks for a certificate has proved nothing yet, so nobody makes us fetch without end.
const FETCHES: u32 = 10;
const FETCH_EVERY: Duration = Duration::from_secs(60);

/// The topic that SES reports to: `arn:aws:sns:<region>:<account>:<name>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    arn: String,
    /// `sns.<region>.amazonaws.com`
    host: String,
}

/// The text is no topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a topic is arn:aws:sns:<region>:<account of 12 digits>:<name>")]
pub struct NotATopic;

impl FromStr for Topic {
    type Err = NotATopic;

    fn from_str(text: &str) -> Result<Self, NotATopic> {
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next().unwrap_or_default();
        let (start, region, account, name) = ([next(), next(), next()], next(), next(), next());
        let plain = |part: &str, more: &[u8]| {
            let fits = |b: u8| b.is_ascii_alphanumeric() || more.contains(&b);
            !part.is_empty() && part.len() <= 256 && part.bytes().all(fits)
        };
        let digits = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        if start != ["arn", "aws", "sns"] || !digits || !plain(region, b"-") || !plain(name, b"-_.") {
            return Err(NotATopic);
        }
        Ok(Self { arn: text.to_owned(), host: format!("sns.{region}.amazonaws.com") })
    }
}

/// Why a message is not acted on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Untrusted {
    #[error(transparent)]
    NotRead(#[from] NotRead),
    #[error("it is of another topic than NEWSWIRE_EMAIL_INBOUND_SES_TOPIC")]
    Topic,
    #[error("{0} is not at the host of the topic's region")]
    Host(&'static str),
    #[error("the signature is wrong")]
    Signature,
    /// It may be good; nobody knows yet.
    #[error("the signature cannot be checked yet: {0}")]
    Away(String),
}

pub(crate) struct Sns {
    topic: Topic,
    fetcher: Fetcher,
    /// Since when each is known.
    certificates: Mutex<LruCache<Url, (Instant, CertificateDer<'static>)>>,
    fetches: Limit<()>,
}

impl Sns {
    /// `user_agent`: as of [`Fetcher::new`].
    ///
    /// # Errors
    /// As [`Fetcher::new`].
    pub(crate) fn new(topic: Topic, user_agent: &str) -> Result<Self, fetch::FetchError> {
        let limits = Limits {
            received: 64 * 1024,
            decoded: 64 * 1024,
            redirects: 0,
            connect: Duration::from_secs(5),
            headers: Duration::from_secs(5),
            idle: Duration::from_secs(5),
            // SNS waits for 15 s.
            total: Duration::from_secs(10),
        };
        let fetcher = Fetcher::new(user_agent, Guard::default(), limits)?;
        let certificates = Mutex::new(LruCache::new(KEPT));
        Ok(Self { topic, fetcher, certificates, fetches: Limit::new(FETCHES, FETCH_EVERY) })
    }

    /// Whether `envelope` is of our topic and Amazon's.
    ///
    /// # Errors
    /// [`Untrusted`]; nothing in it may be believed then.
    pub(crate) async fn verify(&self, envelope: &Envelope) -> Result<(), Untrusted> {
        if envelope.topic_arn() != self.topic.arn {
            return Err(Untrusted::Topic);
        }
        let url = self.at_home(envelope.certificate()?, "SigningCertURL")?;
        let signature = STANDARD.decode(envelope.signature()).map_err(|_| Untrusted::Signature)?;
        let known = self.known(&url, Instant::now());
        let certificate = match &known {
            Some(certificate) => certificate.clone(),
            None => self.fetch(&url).await?,
        };
        let parsed = EndEntityCert::try_from(&certificate).map_err(|error| Untrusted::Away(error.to_string()))?;
        parsed
            .verify_signature(RSA_PKCS1_2048_8192_SHA256, envelope.signed_text().as_bytes(), &signature)
            .map_err(|_| Untrusted::Signature)?;
        if known.is_none() {
            // Only now: what signs nothing must not push out what does.
            self.learn(url, certificate, Instant::now());
        }
        Ok(())
    }

    /// Says yes to a subscription of ours, whose signature was checked.
    ///
    /// # Errors
    /// [`Untrusted`].
    pub(crate) async fn confirm(&self, envelope: &Envelope) -> Result<(), Untrusted> {
        let url = self.at_home(envelope.confirmation()?, "SubscribeURL")?;
        self.get(&url).await.map(drop)
    }

    fn at_home(&self, url: Url, field: &'static str) -> Result<Url, Untrusted> {
        if url.host_str() == Some(&self.topic.host) { Ok(url) } else { Err(Untrusted::Host(field)) }
    }

    async fn fetch(&self, url: &Url) -> Result<CertificateDer<'static>, Untrusted> {
        if self.fetches.take((), Instant::now()).is_err() {
            return Err(Untrusted::Away("too many certificates were asked for; try again in a minute".into()));
        }
        let pem = self.get(url).await?;
        CertificateDer::from_pem_slice(&pem)
            .map_err(|error| Untrusted::Away(format!("at {url} is no certificate: {error:?}")))
    }

    async fn get(&self, url: &Url) -> Result<bytes::Bytes, Untrusted> {
        let away = |cause: String| Untrusted::Away(format!("{}: {cause}", self.topic.host));
        let answer = self.fetcher.get(url, HeaderMap::new()).await.map_err(|error| away(error.to_string()))?;
        if answer.status == StatusCode::OK {
            Ok(answer.body)
        } else {
            Err(away(format!("it answers {}", answer.status)))
        }
    }

    fn known(&self, url: &Url, now: Instant) -> Option<CertificateDer<'static>> {
        let mut certificates = self.certificates.lock().expect("no code panics while it holds this lock");
        let fresh = |(since, _): &&(Instant, _)| now.duration_since(*since) < KEPT_FOR;
        certificates.get(url).filter(fresh).map(|(_, certificate)| certificate.clone())
    }

    /// Uses `certificate` for what says that it is at `url`.
    pub(super) fn learn(&self, url: Url, certificate: CertificateDer<'static>, now: Instant) {
        self.certificates.lock().expect("no code panics while it holds this lock").put(url, (now, certificate));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_says_where_amazon_is() {
        let topic: Topic = "arn:aws:sns:eu-west-1:123456789012:mail-feedback".parse().unwrap();
        assert_eq!(topic.host, "sns.eu-west-1.amazonaws.com");
        for wrong in [
            "",
            "arn:aws:sns:eu-west-1:123456789012:",
            "arn:aws:sqs:eu-west-1:123456789012:x",
            "arn:aws:sns:eu.evil:123456789012:x",
            "arn:aws:sns:evil.example/:123456789012:x",
            "arn:aws:sns::123456789012:x",
            "arn:aws:sns:eu-west-1:12345:x",
            "arn:aws:sns:eu-west-1:12345678901党:x",
            "arn:aws:sns:eu-west-1:123456789012:x:0af1",
        ] {
            assert_eq!(wrong.parse::<Topic>(), Err(NotATopic), "{wrong}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_certificate_is_known_for_a_day_and_not_for_ever() {
        let sns = Sns::new("arn:aws:sns:eu-west-1:123456789012:x".parse().unwrap(), "test").unwrap();
        let url: Url = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a.pem".parse().unwrap();
        let start = Instant::now();
        sns.learn(url.clone(), CertificateDer::from(vec![1]), start);
        assert!(sns.known(&url, start + KEPT_FOR - Duration::from_secs(1)).is_some());
        assert!(sns.known(&url, start + KEPT_FOR).is_none());
        for n in 0..KEPT.get() {
            sns.learn(format!("{url}{n}").parse().unwrap(), CertificateDer::from(vec![2]), start);
        }
        assert!(sns.known(&url, start).is_none(), "bounded");
    }
}
