//! Foreign URLs over HTTP: upstream feeds, WebSub hubs and callbacks, anything whose address a stranger may have chosen.
//!
//! Three promises. What is connected to is on the public internet (or in a network the operator has named), whatever
//! a name resolves to and wherever a redirect points. What comes back is bounded in bytes, before and after decoding,
//! and in time. And the other side can tell who asks: an honest `User-Agent` with an address to complain to.
//!
//! It knows no feed and no article.

mod body;
mod error;
mod fetcher;
mod guard;
mod resolver;
mod validators;

pub use error::FetchError;
pub use fetcher::{Fetcher, Limits, Response};
pub use guard::{Guard, Network, Networks, NotANetwork};
pub use validators::Validators;

pub use reqwest::StatusCode;
pub use reqwest::header::{self, HeaderMap, HeaderValue};
