//! Addresses as RFC 3986 has them. The URL standard that browsers follow, and with it our parser, lets more characters
//! stand; strict readers do not.

use url::{Position, Url};

/// `url` with everything percent-encoded that the RFC does not allow where it stands, a lone `%` among it.
pub(crate) fn address(url: &Url) -> String {
    let rest = &url[Position::BeforePath..];
    let mut written = url[..Position::BeforePath].to_owned();
    let mut in_fragment = false;
    for (at, c) in rest.char_indices() {
        let escape = rest.as_bytes().get(at + 1..at + 3);
        let stands = match c {
            '%' => escape.is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)),
            '#' => !std::mem::replace(&mut in_fragment, true),
            _ => c.is_ascii_alphanumeric() || "-._~:/?@!$&'()*+,;=".contains(c),
        };
        if stands {
            written.push(c);
        } else {
            c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| written.push_str(&format!("%{byte:02X}")));
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_rfc_forbids_is_encoded_and_nothing_else() {
        for (given, written) in [
            ("https://x.example/a-b_c.d~e/?f=g&h=i;j,k#l/m?n", "https://x.example/a-b_c.d~e/?f=g&h=i;j,k#l/m?n"),
            ("http://[2001:db8::1]:8080/[x]", "http://[2001:db8::1]:8080/%5Bx%5D"),
            ("https://x.example/%zz%2f%", "https://x.example/%25zz%2f%25"),
            ("https://x.example/a|b^c`d{e}?[f]|g#h#i", "https://x.example/a%7Cb%5Ec%60d%7Be%7D?%5Bf%5D%7Cg#h%23i"),
            ("https://例え.jp/パ?ü", "https://xn--r8jz45g.jp/%E3%83%91?%C3%BC"),
        ] {
            let url: Url = given.parse().unwrap();
            let strict = address(&url);
            assert_eq!(strict, written);
            assert_eq!(address(&strict.parse().unwrap()), strict, "once is enough");
        }
    }
}
