//! Reading what a form sent.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use url::form_urlencoded;

/// Bytes of a form. The longest honest one is an address, a section of 2 KB and their escapes.
const MAX_FORM: usize = 16 * 1024;
/// A form is one packet; whoever sends it byte by byte holds a connection and nothing else.
const READ_WITHIN: Duration = Duration::from_secs(10);

/// Why a form was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    TooLarge,
    TooSlow,
}

/// The fields of a form or a query, in their order.
#[derive(Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads `application/x-www-form-urlencoded`. It cannot fail: what is something else has no fields that we know.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }

    pub(super) async fn read(body: Body) -> Result<Self, Unread> {
        let read = tokio::time::timeout(READ_WITHIN, to_bytes(body, MAX_FORM)).await.map_err(|_| Unread::TooSlow)?;
        // A body that breaks off has nobody left to be answered, so the limit is the only other cause worth a name.
        Ok(Self::parse(&read.map_err(|_| Unread::TooLarge)?))
    }

    /// The first value of `name`; empty when there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }

    pub(super) fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}
