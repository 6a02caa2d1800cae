//! The envelope of Amazon SNS: what is signed, where the certificate is, where a subscription is confirmed.

use jiff::Timestamp;
use serde::Deserialize;
use url::Url;

use crate::{NotRead, json};

/// What SNS posts.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Envelope {
    #[serde(rename = "Type")]
    kind: Kind,
    message_id: String,
    topic_arn: String,
    subject: Option<String>,
    message: String,
    timestamp: String,
    signature_version: String,
    signature: String,
    #[serde(rename = "SigningCertURL")]
    signing_cert_url: String,
    #[serde(rename = "SubscribeURL")]
    subscribe_url: Option<String>,
    token: Option<String>,
}

/// What it is sent for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Kind {
    Notification,
    SubscriptionConfirmation,
    /// Somebody ended the subscription; to visit its address would begin it again.
    UnsubscribeConfirmation,
}

impl Envelope {
    /// # Errors
    /// [`NotRead`] when it is no message of SNS, or one signed after version 1 (SHA-1): the topic's attribute
    /// `SignatureVersion` must be 2.
    pub fn read(bytes: &[u8]) -> Result<Self, NotRead> {
        let envelope: Self = json(bytes)?;
        if envelope.signature_version != "2" {
            return Err(NotRead::Field("SignatureVersion (set the topic's attribute SignatureVersion to 2)"));
        }
        Ok(envelope)
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Unique to what was published; a repetition has the same.
    pub fn message_id(&self) -> &str {
        &self.message_id
    }

    pub fn topic_arn(&self) -> &str {
        &self.topic_arn
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    /// In base64.
    pub fn signature(&self) -> &str {
        &self.signature
    }

    /// When it was published.
    ///
    /// # Errors
    /// When it is no time.
    pub fn published(&self) -> Result<Timestamp, NotRead> {
        self.timestamp.parse().map_err(|_| NotRead::Field("Timestamp"))
    }

    /// The text that the signature is over: names and values, in the order that Amazon documents.
    pub fn signed_text(&self) -> String {
        let subject = self.subject.as_deref().map(|subject| ("Subject", subject));
        let token = self.token.as_deref().map(|token| ("Token", token));
        let url = self.subscribe_url.as_deref().map(|url| ("SubscribeURL", url));
        let (first, id) = (Some(("Message", self.message.as_str())), Some(("MessageId", self.message_id.as_str())));
        let (time, topic) = (Some(("Timestamp", self.timestamp.as_str())), Some(("TopicArn", self.topic_arn.as_str())));
        let (fields, kind) = match self.kind {
            Kind::Notification => ([first, id, subject, time, None, topic], "Notification"),
            Kind::SubscriptionConfirmation => ([first, id, url, time, token, topic], "SubscriptionConfirmation"),
            Kind::UnsubscribeConfirmation => ([first, id, url, time, token, topic], "UnsubscribeConfirmation"),
        };
        let mut text = String::new();
        for (name, value) in fields.into_iter().flatten().chain([("Type", kind)]) {
            for line in [name, value] {
                text.push_str(line);
                text.push('\n');
            }
        }
        text
    }

    /// Where the certificate is, if it is where Amazon keeps them: a file of `https://sns.<region>.amazonaws.com`.
    ///
    /// # Errors
    /// For every other address: whoever signs would say where his own certificate is.
    pub fn certificate(&self) -> Result<Url, NotRead> {
        let wrong = NotRead::Field("SigningCertURL");
        let url = at_amazon(&self.signing_cert_url).ok_or(wrong.clone())?;
        let path = url.path();
        let fits = path.starts_with("/SimpleNotificationService-") && path.ends_with(".pem") && url.query().is_none();
        if fits { Ok(url) } else { Err(wrong) }
    }

    /// Where the subscription is confirmed.
    ///
    /// # Errors
    /// When it is not at Amazon's.
    pub fn confirmation(&self) -> Result<Url, NotRead> {
        self.subscribe_url.as_deref().and_then(at_amazon).ok_or(NotRead::Field("SubscribeURL"))
    }
}

/// An address at `https://sns.<region>.amazonaws.com`, on its own port, without a user.
fn at_amazon(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|url| url.as_str().len() <= 2048)?;
    let region = url.host_str()?.strip_prefix("sns.")?.strip_suffix(".amazonaws.com")?;
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let fits = (1..=32).contains(&region.len()) && region.bytes().all(letters);
    let plain =
        url.scheme() == "https" && url.port().is_none() && url.username().is_empty() && url.password().is_none();
    (fits && plain).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(kind: &str, extra: &serde_json::Value) -> Envelope {
        let mut json = serde_json::json!({
            "Type": kind, "MessageId": "id-1", "TopicArn": "arn:aws:sns:eu-west-1:1:bounces", "Message": "say \"党\"\n",
            "Timestamp": "2026-11-22T10:00:00.000Z", "SignatureVersion": "2", "Signature": "AA==",
            "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a.pem",
        });
        for (name, value) in extra.as_object().unwrap() {
            json[name] = value.clone();
        }
        Envelope::read(json.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn the_signed_text_has_its_fields_in_order() {
        let plain = envelope("Notification", &serde_json::json!({"Subject": "S", "Token": "not signed here"}));
        let expected = "Message\nsay \"党\"\n\nMessageId\nid-1\nSubject\nS\nTimestamp\n2026-11-22T10:00:00.000Z\n\
                        TopicArn\narn:aws:sns:eu-west-1:1:bounces\nType\nNotification\n";
        assert_eq!(plain.signed_text(), expected);
        assert_eq!(plain.published().unwrap().as_second(), 1_795_341_600);
        let url = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t";
        let confirmation =
            envelope("SubscriptionConfirmation", &serde_json::json!({"SubscribeURL": url, "Token": "t"}));
        let expected = format!(
            "Message\nsay \"党\"\n\nMessageId\nid-1\nSubscribeURL\n{url}\nTimestamp\n2026-11-22T10:00:00.000Z\n\
             Token\nt\nTopicArn\narn:aws:sns:eu-west-1:1:bounces\nType\nSubscriptionConfirmation\n"
        );
        assert_eq!(confirmation.signed_text(), expected);
        assert_eq!(confirmation.confirmation().unwrap().as_str(), url);
    }

    #[test]
    fn only_amazons_own_addresses_are_visited() {
        for wrong in [
            "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a.pem",
            "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0a.pem",
            "https://evil.example/sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a.pem",
            "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-0a.pem",
            "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-0a.pem",
            "https://user@sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a.pem",
            "https://sns.a.b.amazonaws.com/SimpleNotificationService-0a.pem",
            "https://sns..amazonaws.com/SimpleNotificationService-0a.pem",
            "https://bucket.s3.amazonaws.com/SimpleNotificationService-0a.pem",
            "https://sns.eu-west-1.amazonaws.com/bucket/SimpleNotificationService-0a.pem",
            "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a.pem?x=y",
            "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a.txt",
            "file:///etc/passwd",
            "",
        ] {
            let envelope = envelope("Notification", &serde_json::json!({"SigningCertURL": wrong}));
            assert_eq!(envelope.certificate(), Err(NotRead::Field("SigningCertURL")), "{wrong}");
        }
        assert!(envelope("Notification", &serde_json::json!({})).certificate().is_ok());
    }

    #[test]
    fn sha_1_and_what_is_no_message_are_refused() {
        let old = br#"{"Type":"Notification","MessageId":"1","TopicArn":"a","Message":"m","Timestamp":"t",
            "SignatureVersion":"1","Signature":"s","SigningCertURL":"u"}"#;
        assert!(matches!(Envelope::read(old), Err(NotRead::Field(_))));
        for garbage in [&b""[..], b"{}", b"[]", b"null", b"\xff\xfe", "{\"Type\":\"党\"}".as_bytes()] {
            assert!(matches!(Envelope::read(garbage), Err(NotRead::Json(_))), "{garbage:?}");
        }
        assert_eq!(Envelope::read(&vec![b' '; crate::MAX_WEBHOOK + 1]).unwrap_err(), NotRead::TooLong);
    }
}
