//! Asks a source's hub to tell us what is new.

use bytes::Bytes;
use fetch::{Fetcher, HeaderMap, HeaderValue, header};
use jiff::Timestamp;
use upstream::websub::Discovery;
use url::form_urlencoded::Serializer;
use url::{Host, Url};

use crate::http::callback_path;
use crate::intake::Intake;
use crate::websub::{Keys, LEASE, Lease};

pub(crate) struct Subscriber {
    pub(crate) keys: Keys,
    /// Where hubs reach us.
    pub(crate) public_url: Url,
}

impl Subscriber {
    /// Subscribes to what was `found` in a source's feed, unless that stands already. Whatever fails here is tried
    /// again hours later: without a hub the news comes at the source's intervals.
    pub(crate) async fn subscribe(
        &self,
        intake: &Intake,
        fetcher: &Fetcher,
        source: &str,
        asked_at: Timestamp,
        found: Option<Discovery>,
    ) {
        let hub = |found: Discovery| Some((found.hubs.into_iter().find(keeps_secrets)?, found.topic));
        let Some((hub, topic)) = found.and_then(hub) else { return };
        let (key, now) = (self.keys.of_callback(source), service_kit::now());
        if !Lease::is_wanted(intake.lease(source).as_ref(), &hub, &topic, &key, asked_at, now) {
            return;
        }
        let (stands, expected) = match intake.current_lease(source).await {
            Ok(Some((lease, sequence))) => (Some(lease), sequence),
            Ok(None) => (None, 0),
            Err(error) => return tracing::warn!(source, "an agreement with a hub cannot be read: {error}"),
        };
        // While it is agreed anew, what was agreed stands.
        let same = |lease: &Lease| lease.hub == hub && lease.topic == topic && lease.key == key;
        let until = stands.filter(same).and_then(|lease| lease.until);
        let lease = Lease { hub, topic, key, requested_at: now, until, denied: false };
        // Noted first: the hub may ask us back before it answers.
        if let Err(error) = intake.put_lease(source, &lease, expected).await {
            return tracing::warn!(source, "an agreement with a hub cannot be stored: {error}");
        }
        match fetcher.post(&lease.hub, form(), self.request(source, &lease)).await {
            Ok(answer) if answer.status.is_success() => tracing::info!(source, hub = %lease.hub, "asked a hub"),
            Ok(answer) => tracing::info!(source, hub = %lease.hub, status = %answer.status, "a hub does not take us"),
            Err(error) => tracing::info!(source, hub = %lease.hub, %error, "a hub cannot be asked"),
        }
    }

    /// W3C WebSub, section 5.1.
    fn request(&self, source: &str, lease: &Lease) -> Bytes {
        let mut callback = self.public_url.clone();
        callback.set_path(&format!("{}{}", self.public_url.path(), callback_path(source, &lease.key)));
        let seconds = LEASE.as_secs().to_string();
        let secret = self.keys.of_signature(source);
        let mut form = Serializer::new(String::new());
        form.append_pair("hub.mode", "subscribe");
        form.append_pair("hub.callback", callback.as_str());
        form.append_pair("hub.topic", lease.topic.as_str());
        form.append_pair("hub.lease_seconds", &seconds);
        form.append_pair("hub.secret", &secret);
        form.finish().into()
    }
}

/// Whether what is sent to a hub stays between us. Whoever knows the secret can send us news: it goes over TLS, or to
/// this host.
fn keeps_secrets(hub: &Url) -> bool {
    let here = match hub.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        _ => false,
    };
    hub.scheme() == "https" || here
}

fn form() -> HeaderMap {
    HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))])
}

#[cfg(test)]
mod tests {
    use service_kit::Secret;

    use super::*;

    #[test]
    fn a_secret_goes_to_no_hub_in_the_clear() {
        for (hub, keeps) in [
            ("https://hub.example/", true),
            ("http://hub.example/", false),
            ("http://127.0.0.1:9/", true),
            ("http://[::1]:9/", true),
            ("http://10.0.0.1/", false),
            ("http://localhost/", false),
        ] {
            assert_eq!(keeps_secrets(&hub.parse().unwrap()), keeps, "{hub}");
        }
    }

    #[test]
    fn the_request_is_the_standards() {
        let subscriber = Subscriber {
            keys: Keys::new(Secret::new("nwt_x")),
            public_url: "https://hooks.example/news/".parse().unwrap(),
        };
        let lease = Lease {
            hub: "https://hub.example/".parse().unwrap(),
            topic: "https://news.example/feed?a=b&c=新".parse().unwrap(),
            key: "k1".into(),
            requested_at: Timestamp::UNIX_EPOCH,
            until: None,
            denied: false,
        };
        let form = subscriber.request("a1", &lease);
        let pairs: std::collections::HashMap<_, _> = url::form_urlencoded::parse(&form).into_owned().collect();
        assert_eq!(pairs["hub.callback"], "https://hooks.example/news/websub/a1/k1");
        assert_eq!(pairs["hub.topic"], lease.topic.as_str());
        assert_eq!((pairs["hub.mode"].as_str(), pairs["hub.lease_seconds"].as_str()), ("subscribe", "864000"));
        assert_eq!(pairs["hub.secret"].len(), 64);
    }
}
