//! What comes back: bounces, complaints and requests to leave, by mail (LMTP, behind the site's own mail system) and by the
//! webhooks of providers.
//!
//! Nobody is believed but by a proof: a mail by its address, which carries a MAC of ours; a webhook by its signature, and
//! then by the envelope sender that it names. A report becomes an event on INBOUND before whoever brought it is told that
//! it was taken; [`consumer`] carries it out.

pub(crate) mod consumer;
mod event;
mod gate;
mod lmtp;
mod sns;
#[cfg(test)]
mod tests;
mod webhooks;

use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use url::Url;

pub(crate) use event::{Event, What};
pub(crate) use gate::Gate;
pub(crate) use lmtp::Lmtp;
use sns::Sns;
pub use sns::Topic;
use webhooks::Webhooks;

use crate::config::Inbound;

/// The webhooks that are set up. `public_url`: where Amazon may ask who we are.
pub(crate) fn webhooks(gate: Arc<Gate>, config: &Inbound, public_url: &Url) -> anyhow::Result<Router> {
    let agent = format!("newswire/{} (+{public_url})", env!("CARGO_PKG_VERSION"));
    let ses = match config.ses.clone() {
        Some(topic) => Some(Sns::new(topic, &agent).context("nothing can be fetched from Amazon SNS")?),
        None => None,
    };
    let postmark = config.postmark.as_ref().map(|secret| secret.expose());
    Ok(webhooks::router(Webhooks::new(gate, ses, postmark, config.generic.clone())))
}
