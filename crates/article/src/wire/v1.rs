//! Version 1: a CloudEvents 1.0 envelope in structured JSON, one per revision.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Article;

/// `Content-Type` of an envelope (CloudEvents JSON format).
pub const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";

/// Identifies the schema of `data`; the publisher serves the schema itself at `/v1/schemas/article`.
pub const DATASCHEMA: &str = "urn:newswire:schema:article:v1";

/// One revision of an article on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Envelope {
    /// Always `1.0`.
    pub specversion: String,
    /// `{article}/{revision}`; also the message id under which the log refuses a second copy.
    pub id: String,
    /// `/publishers/{publisher}`.
    pub source: String,
    /// `newswire.article.<kind>.v1`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The article's id.
    pub subject: String,
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub time: Timestamp,
    pub datacontenttype: String,
    pub dataschema: String,
    /// W3C Trace Context, so that one article can be followed through every service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    pub data: Article,
}

impl Envelope {
    pub fn new(article: Article, traceparent: Option<String>) -> Self {
        Self {
            specversion: "1.0".into(),
            id: message_id(&article),
            source: format!("/publishers/{}", article.publisher),
            kind: format!("newswire.article.{}.v1", article.change.kind.as_str()),
            subject: article.id.to_string(),
            time: article.version_created,
            datacontenttype: "application/json".into(),
            dataschema: DATASCHEMA.into(),
            traceparent,
            data: article,
        }
    }

    /// The bytes that go into the log.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings, numbers and string-keyed maps always serialise")
    }

    /// Reads an envelope from the log; unknown fields and words of newer versions pass.
    ///
    /// # Errors
    /// When the bytes are not a version 1 envelope, or its id or subject is not that of the article in it; the message
    /// says which field.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let envelope: Self = serde_json::from_slice(bytes)?;
        if envelope.specversion != "1.0" || !envelope.kind.ends_with(".v1") {
            let message = format!("not a version 1 article event: {} {}", envelope.specversion, envelope.kind);
            return Err(serde::de::Error::custom(message));
        }
        let article = &envelope.data;
        if envelope.id != message_id(article) || envelope.subject != article.id.to_string() {
            let message = format!(
                "the event {} about {} carries revision {} of {}",
                envelope.id, envelope.subject, article.revision, article.id
            );
            return Err(serde::de::Error::custom(message));
        }
        Ok(envelope)
    }
}

/// `{article}/{revision}`: the CloudEvents `id` and the `Nats-Msg-Id`.
pub fn message_id(article: &Article) -> String {
    format!("{}/{}", article.id, article.revision)
}

/// JSON Schema (2020-12) of an [`Article`], generated from the types.
pub fn article_schema() -> serde_json::Value {
    schemars::schema_for!(Article).to_value()
}
