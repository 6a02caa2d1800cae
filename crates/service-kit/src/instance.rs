//! Which of several instances of a service this is.

use std::net::SocketAddr;

/// Characters of the host's name that are kept; a DNS label has no more.
const MAX_HOST: usize = 63;

/// The name under which this instance reports what it has done: its host and port, so that it keeps its name over a
/// restart and no two that run at one time share one. ASCII letters, digits, `-` and `_` only.
pub fn instance(address: SocketAddr) -> String {
    named(&rustix::system::uname().nodename().to_string_lossy(), address.port())
}

fn named(host: &str, port: u16) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let host: String = host.chars().take(MAX_HOST).map(safe).collect();
    format!("{host}-{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_token_of_a_subject() {
        for (host, name) in [
            ("rss-generator-0", "rss-generator-0-8080"),
            ("news.example.org", "news-example-org-8080"),
            ("a *>\u{0}b", "a----b-8080"),
            ("新闻", "---8080"),
            ("", "-8080"),
        ] {
            assert_eq!(named(host, 8080), name);
        }
        assert_eq!(named(&"x".repeat(500), 1).len(), MAX_HOST + 2);
        assert!(instance(([127, 0, 0, 1], 4222).into()).ends_with("-4222"));
    }
}
