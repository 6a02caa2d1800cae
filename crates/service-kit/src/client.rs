//! Who is at the other end, as far as a limit needs to know.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::HeaderMap;

use crate::Settings;

/// The setting `name`: the header in which a proxy in front tells the client's address. `None` when it is wrong.
pub fn address_header(settings: &mut Settings, name: &'static str) -> Option<Option<String>> {
    let help =
        "Header in which the proxy in front tells the client's address, such as X-Real-IP; only behind such a proxy";
    settings.optional(name, help)
}

/// The network of the client: an IPv4 address or an IPv6 /64, which is what one household or host is given.
///
/// `header` ([`address_header`]) is set by the proxy in front. Proxies append, so the last value is the proxy's own and those before it
/// are whatever the client claims. Without a readable value it is the peer of the connection.
pub fn network(peer: SocketAddr, headers: &HeaderMap, header: Option<&str>) -> IpAddr {
    let told = header.and_then(|name| headers.get_all(name).iter().next_back()).and_then(|value| value.to_str().ok());
    let told = told.and_then(|value| value.rsplit(',').next()).and_then(|last| last.trim().parse::<IpAddr>().ok());
    match told.unwrap_or(peer.ip()).to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn seen(peer: &str, values: &[&str], header: Option<&str>) -> String {
        let values = values
            .iter()
            .map(|value| (HeaderName::from_static("x-forwarded-for"), HeaderValue::from_str(value).unwrap()));
        network(
            peer.parse().unwrap(),
            &values.collect::<Vec<_>>().into_iter().fold(HeaderMap::new(), |mut all, (n, v)| {
                all.append(n, v);
                all
            }),
            header,
        )
        .to_string()
    }

    #[test]
    fn a_client_is_its_network() {
        let forwarded = Some("X-Forwarded-For");
        for (peer, values, header, network) in [
            ("192.0.2.7:1", &[][..], None, "192.0.2.7"),
            ("[::ffff:192.0.2.7]:1", &[], None, "192.0.2.7"),
            ("[2001:db8:1:2:3:4:5:6]:1", &[], None, "2001:db8:1:2::"),
            // Without the setting the header is a stranger's word.
            ("192.0.2.7:1", &["198.51.100.1"], None, "192.0.2.7"),
            ("127.0.0.1:1", &["198.51.100.1"], forwarded, "198.51.100.1"),
            ("127.0.0.1:1", &["203.0.113.9, 198.51.100.1"], forwarded, "198.51.100.1"),
            ("127.0.0.1:1", &["203.0.113.9", "198.51.100.1"], forwarded, "198.51.100.1"),
            ("127.0.0.1:1", &["2001:db8:1:2:3::1"], forwarded, "2001:db8:1:2::"),
            ("127.0.0.1:1", &["198.51.100.1, unknown"], forwarded, "127.0.0.1"),
            ("127.0.0.1:1", &[""], forwarded, "127.0.0.1"),
            ("127.0.0.1:1", &["198.51.100.1"], Some("not a header name"), "127.0.0.1"),
        ] {
            assert_eq!(seen(peer, values, header), network, "{peer} {values:?} {header:?}");
        }
    }
}
