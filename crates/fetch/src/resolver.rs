//! Names to addresses, none of which the guard refuses.
//!
//! It stands inside the connector: what is checked here is what is connected to, and no second look-up can answer
//! differently (DNS rebinding).

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::{FetchError, Guard};

/// Asks `inner` and keeps what the guard lets pass.
pub(crate) struct Guarded {
    pub(crate) inner: Arc<dyn Resolve>,
    pub(crate) guard: Guard,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (host, guard) = (name.as_str().to_owned(), self.guard.clone());
        let resolving = self.inner.resolve(name);
        Box::pin(async move {
            let found = resolving.await.map_err(|error| {
                let error = FetchError::Unresolved { host: host.clone(), cause: error.to_string() };
                Box::new(error) as Box<dyn Error + Send + Sync>
            })?;
            Ok(Box::new(permitted(&host, found, &guard)?.into_iter()) as Addrs)
        })
    }
}

/// Of several addresses those that are permitted; an error when none is.
fn permitted(host: &str, found: Addrs, guard: &Guard) -> Result<Vec<SocketAddr>, FetchError> {
    let mut refused = None;
    let mut permitted = Vec::new();
    for address in found {
        match guard.refuses(address.ip()) {
            None => permitted.push(address),
            Some(range) => refused = Some((address.ip(), range)),
        }
    }
    match (permitted.is_empty(), refused) {
        (false, _) => Ok(permitted),
        (true, Some((address, range))) => Err(FetchError::Blocked { host: host.to_owned(), address, range }),
        (true, None) => Err(FetchError::Unresolved { host: host.to_owned(), cause: "it has no address".into() }),
    }
}

/// The system's own resolver.
pub(crate) struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // Without a port: the connector puts in that of the URL.
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// What our own resolver, or the guard in it, has said somewhere below `error`.
pub(crate) fn said_below(error: &(dyn Error + 'static)) -> Option<FetchError> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(ours) = error.downcast_ref::<FetchError>() {
            return Some(ours.clone());
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn addresses(of: &[&str]) -> Addrs {
        let parsed: Vec<SocketAddr> = of.iter().map(|ip| (ip.parse::<IpAddr>().unwrap(), 0).into()).collect();
        Box::new(parsed.into_iter())
    }

    #[test]
    fn a_private_address_among_public_ones_is_left_out() {
        let guard = Guard::default();
        let kept = permitted("news.example", addresses(&["10.0.0.1", "8.8.8.8", "::1"]), &guard).unwrap();
        assert_eq!(kept, ["8.8.8.8:0".parse::<SocketAddr>().unwrap()]);
        let error = permitted("news.example", addresses(&["10.0.0.1", "::1"]), &guard).unwrap_err();
        assert!(matches!(error, FetchError::Blocked { .. }), "{error:?}");
        let error = permitted("news.example", addresses(&[]), &guard).unwrap_err();
        assert!(matches!(error, FetchError::Unresolved { .. }), "{error:?}");
    }
}
