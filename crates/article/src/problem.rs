//! One mistake in one field, as an API client or a command line shows it.

use serde::{Deserialize, Serialize};

/// A mistake in an article, addressed by JSON pointer (RFC 6901) so that a form can mark the field.
///
/// Problems are collected, never thrown one at a time: whoever corrects an article sees the whole list at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Problem {
    /// Where, as an RFC 6901 pointer into the submitted document; `""` is the document itself.
    pub pointer: String,
    /// A stable, machine-readable word: `required`, `type`, `unknown_field`, `too_long`, …
    pub code: String,
    /// What was seen and what to do about it, for a person.
    pub detail: String,
}

impl Problem {
    pub fn new(pointer: impl Into<String>, code: &str, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code: code.into(), detail: detail.into() }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let pointer = if self.pointer.is_empty() { "(document)" } else { &self.pointer };
        write!(f, "{pointer}: {} [{}]", self.detail, self.code)
    }
}
