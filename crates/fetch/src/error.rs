//! Why a URL could not be fetched.

use std::net::IpAddr;
use std::time::Duration;

use url::Url;

/// None of these says anything of the resource itself: an answer with a status of 400 or more is a [`crate::Response`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error("{0} cannot be fetched: only http:// and https:// addresses are")]
    Scheme(Url),
    /// Whoever may read the address may use the password in it; so nothing with one is fetched, logged or passed on.
    #[error("an address with a user name or a password in it is not fetched; take them out of the address of {host}")]
    UserInfo { host: String },
    #[error("port {0} is not fetched from: only 80, 443 and those from 1024 up are")]
    Port(u16),
    #[error("{host} is {address}, which is not on the public internet ({range}); if it is meant, allow its network")]
    Blocked { host: String, address: IpAddr, range: &'static str },
    #[error("the name {host} does not resolve: {cause}")]
    Unresolved { host: String, cause: String },
    #[error("it redirects more than {0} times")]
    TooManyRedirects(usize),
    #[error("it redirects in a circle, back to {0}")]
    RedirectLoop(Url),
    #[error("it redirects to {0:?}, which is no address")]
    BadRedirect(String),
    #[error("it redirects to an address of more than {0} bytes")]
    LongRedirect(usize),
    #[error("it answers with more than {0} bytes")]
    TooLarge(usize),
    #[error("its {sent} bytes decode to more than {limit}")]
    Bomb { sent: usize, limit: usize },
    #[error("its content encoding {0:?} was not asked for; gzip and deflate are read")]
    Encoding(String),
    #[error("its body is not what its content encoding {0} says")]
    Garbled(&'static str),
    #[error("{what} took more than {} s", .limit.as_secs_f32())]
    TooSlow { what: &'static str, limit: Duration },
    #[error("no answer: {0}")]
    Network(String),
}
