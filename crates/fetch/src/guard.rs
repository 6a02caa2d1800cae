//! Which addresses may be connected to: the public internet, and the networks that the operator has named.
//!
//! After IANA's special-purpose registries for IPv4 and IPv6 (RFC 6890 and its updates). For IPv6 the rule is the
//! other way round: only 2000::/3 is given out as global unicast, so everything else is refused without a list.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use url::{Host, Url};

use crate::FetchError;

/// A network in CIDR notation, such as `10.20.0.0/16` or `fd00:1::/64`; an address alone is itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// The text is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a network: write 10.20.0.0/16, fd00:1::/64 or one address, without bits set beyond the length")]
pub struct NotANetwork(String);

impl Network {
    fn contains(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => in_v4(network, self.bits, address),
            (IpAddr::V6(network), IpAddr::V6(address)) => in_v6(network, self.bits, address),
            _ => false,
        }
    }
}

fn in_v4(network: Ipv4Addr, bits: u8, address: Ipv4Addr) -> bool {
    let differs = network.to_bits() ^ address.to_bits();
    differs.checked_shr(32 - u32::from(bits)).unwrap_or(0) == 0
}

fn in_v6(network: Ipv6Addr, bits: u8, address: Ipv6Addr) -> bool {
    let differs = network.to_bits() ^ address.to_bits();
    differs.checked_shr(128 - u32::from(bits)).unwrap_or(0) == 0
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let wrong = || NotANetwork(text.to_owned());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(longest);
        // 10.1.2.3/8 is more often a slip than a way to write 10.0.0.0/8, and this opens a door.
        let beyond = match address {
            _ if bits > longest => true,
            IpAddr::V4(address) => address.to_bits().checked_shl(u32::from(bits)).unwrap_or(0) != 0,
            IpAddr::V6(address) => address.to_bits().checked_shl(u32::from(bits)).unwrap_or(0) != 0,
        };
        if beyond { Err(wrong()) } else { Ok(Self { address, bits }) }
    }
}

/// Networks, separated by commas: how an operator names those that may be connected to beside the public internet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(pub Vec<Network>);

impl FromStr for Networks {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        text.split(',').map(|network| network.trim().parse()).collect::<Result<_, _>>().map(Self)
    }
}

/// What of IPv4 is not the public internet.
const REFUSED_V4: [(Ipv4Addr, u8, &str); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, "this host"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "carrier-grade NAT"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "protocol assignments"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "6to4 relays"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "benchmarks"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
    (Ipv4Addr::BROADCAST, 32, "broadcast"),
];

/// What of 2000::/3 is not the public internet, or leads to IPv4 addresses that nobody has looked at.
const REFUSED_V6: [(Ipv6Addr, u8, &str); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "protocol assignments, Teredo"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "documentation"),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "6to4"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "documentation"),
];

const GLOBAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Decides what may be connected to.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    allowed: Vec<Network>,
}

impl Guard {
    /// The public internet and `allowed`.
    pub fn new(allowed: Vec<Network>) -> Self {
        Self { allowed }
    }

    /// Why `address` may not be connected to; `None` when it may.
    pub fn refuses(&self, address: IpAddr) -> Option<&'static str> {
        // ::ffff:127.0.0.1 is connected to as 127.0.0.1.
        let address = address.to_canonical();
        if self.allowed.iter().any(|network| network.contains(address)) {
            return None;
        }
        match address {
            IpAddr::V4(address) => {
                let found = REFUSED_V4.iter().find(|(network, bits, _)| in_v4(*network, *bits, address));
                found.map(|(_, _, range)| *range)
            }
            IpAddr::V6(address) if !in_v6(GLOBAL_V6.0, GLOBAL_V6.1, address) => Some("not global unicast"),
            IpAddr::V6(address) => {
                let found = REFUSED_V6.iter().find(|(network, bits, _)| in_v6(*network, *bits, address));
                found.map(|(_, _, range)| *range)
            }
        }
    }

    /// Whether `url` may be asked for, as far as it can be told without resolving its name.
    ///
    /// An address in place of a name is checked here, because no resolver is ever asked about it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, url: &Url) -> Result<(), FetchError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(FetchError::Scheme(url.clone()));
        }
        let host = url.host().ok_or_else(|| FetchError::Scheme(url.clone()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FetchError::UserInfo { host: host.to_string() });
        }
        // Below 1024 other protocols listen, some of which make sense of an HTTP request (SMTP, LPD, …).
        match url.port_or_known_default() {
            Some(80 | 443 | 1024..) => {}
            port => return Err(FetchError::Port(port.unwrap_or_default())),
        }
        let address = match host {
            Host::Domain(_) => return Ok(()),
            Host::Ipv4(address) => IpAddr::V4(address),
            Host::Ipv6(address) => IpAddr::V6(address),
        };
        match self.refuses(address) {
            None => Ok(()),
            Some(range) => Err(FetchError::Blocked { host: host.to_string(), address, range }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_range_is_refused_from_its_first_to_its_last_address_and_not_beyond() {
        let guard = Guard::default();
        for (first, last, outside) in [
            ("0.0.0.0", "0.255.255.255", "1.0.0.0"),
            ("10.0.0.0", "10.255.255.255", "11.0.0.0"),
            ("10.0.0.0", "10.255.255.255", "9.255.255.255"),
            ("100.64.0.0", "100.127.255.255", "100.128.0.0"),
            ("100.64.0.0", "100.127.255.255", "100.63.255.255"),
            ("127.0.0.0", "127.255.255.255", "128.0.0.0"),
            ("169.254.0.0", "169.254.255.255", "169.255.0.0"),
            ("172.16.0.0", "172.31.255.255", "172.32.0.0"),
            ("172.16.0.0", "172.31.255.255", "172.15.255.255"),
            ("192.0.0.0", "192.0.0.255", "192.0.1.0"),
            ("192.0.2.0", "192.0.2.255", "192.0.3.0"),
            ("192.88.99.0", "192.88.99.255", "192.88.100.0"),
            ("192.168.0.0", "192.168.255.255", "192.169.0.0"),
            ("198.18.0.0", "198.19.255.255", "198.20.0.0"),
            ("198.51.100.0", "198.51.100.255", "198.51.101.0"),
            ("203.0.113.0", "203.0.113.255", "203.0.114.0"),
            ("224.0.0.0", "239.255.255.255", "223.255.255.255"),
            ("240.0.0.0", "255.255.255.255", "223.0.0.1"),
            ("::", "::", "2000::"),
            ("::1", "::1", "2620:fe::fe"),
            ("64:ff9b::", "64:ff9b::ffff:ffff", "2a00::1"),
            ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "2a00::1"),
            ("100::", "100::ffff:ffff:ffff:ffff", "2a00::1"),
            ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"),
            ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"),
            ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::"),
            ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"),
            ("4000::", "5f00::1", "3fff:1000::"),
            ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2a00::1"),
            ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2a00::1"),
            ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2a00::1"),
            ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2a00::1"),
            ("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8"),
            ("::127.0.0.1", "::10.0.0.1", "2a00::1"),
        ] {
            for refused in [first, last] {
                assert!(guard.refuses(refused.parse().unwrap()).is_some(), "{refused}");
            }
            assert_eq!(guard.refuses(outside.parse().unwrap()), None, "{outside}");
        }
    }

    #[test]
    fn only_what_is_named_is_allowed() {
        let guard = Guard::new(vec!["10.20.0.0/16".parse().unwrap(), "fd00:1::/64".parse().unwrap()]);
        for (address, allowed) in [
            ("10.20.255.1", true),
            ("10.21.0.0", false),
            ("::ffff:10.20.0.1", true),
            ("fd00:1::9", true),
            ("fd00:1:0:1::9", false),
            ("127.0.0.1", false),
        ] {
            assert_eq!(guard.refuses(address.parse().unwrap()).is_none(), allowed, "{address}");
        }
        let all: Network = "0.0.0.0/0".parse().unwrap();
        assert!(Guard::new(vec![all]).refuses("127.0.0.1".parse().unwrap()).is_none());
        for text in ["", "10.0.0.0/33", "10.1.2.3/8", "::/129", "fd00::1/64", "10.0.0.0/-1", "localhost", "10/8"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    #[test]
    fn networks_are_a_list_and_a_slip_in_it_is_named() {
        assert_eq!("10.20.0.0/16, fd00:1::/64".parse::<Networks>().unwrap().0.len(), 2);
        assert!("10.20.0.0/16,".parse::<Networks>().is_err());
        assert!("everything".parse::<Networks>().unwrap_err().to_string().contains("everything"));
    }

    #[test]
    fn an_address_is_seen_in_every_disguise() {
        let guard = Guard::default();
        for (url, refused) in [
            ("http://127.0.0.1/", "loopback"),
            ("http://2130706433/", "loopback"),
            ("http://0x7f.1/", "loopback"),
            ("http://0177.0.0.01/", "loopback"),
            ("http://１２７.0.0.1/", "loopback"),
            ("http://[::1]/", "not global"),
            ("http://[::ffff:7f00:1]/", "loopback"),
            ("http://[64:ff9b::a00:1]/", "not global"),
            ("https://169.254.169.254/latest/meta-data", "link-local"),
            ("http://user:hunter2@news.example/", "user name"),
            ("http://user@news.example/", "user name"),
            ("ftp://news.example/", "http://"),
            ("file:///etc/passwd", "http://"),
            ("gopher://news.example/", "http://"),
            ("http://news.example:25/", "port 25"),
            ("http://news.example:0/", "port 0"),
            ("https://news.example:22/", "port 22"),
        ] {
            let error = guard.check(&url.parse().unwrap()).unwrap_err().to_string();
            assert!(error.contains(refused) && !error.contains("hunter2"), "{url}: {error}");
        }
        for url in
            ["http://news.example/", "https://news.example:8443/a?b", "http://8.8.8.8/", "http://news.example:80/"]
        {
            assert_eq!(guard.check(&url.parse().unwrap()), Ok(()), "{url}");
        }
    }
}
