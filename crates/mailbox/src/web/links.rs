//! Finds web addresses in plain text, so that the confirmation link of a text part can be clicked.

/// A stretch of text; `link` when it is a web address as a whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece<'t> {
    pub(super) text: &'t str,
    pub(super) link: bool,
}

/// Cuts `text` into pieces which, joined, are `text` again. Only http and https addresses become links.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = first_address(rest) {
        // An address in running Chinese or Arabic text ends where ASCII does.
        let address = &rest[start..];
        let end = address.find(|c: char| !c.is_ascii_graphic() || "<>\"".contains(c)).unwrap_or(address.len());
        let address = address[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '\'']);
        pieces.push(Piece { text: &rest[..start], link: false });
        pieces.push(Piece { text: address, link: address.split_once("//").is_some_and(|(_, host)| !host.is_empty()) });
        rest = &rest[start + address.len()..];
    }
    pieces.push(Piece { text: rest, link: false });
    pieces.retain(|piece| !piece.text.is_empty());
    pieces
}

fn first_address(text: &str) -> Option<usize> {
    [text.find("http://"), text.find("https://")].into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_addresses_and_nothing_else() {
        for (text, links) in [
            ("", vec![]),
            ("no address", vec![]),
            ("see https://a.example/x?t=1&u=2.", vec!["https://a.example/x?t=1&u=2"]),
            ("请点击https://a.example/确认。", vec!["https://a.example/"]),
            ("<https://a.example/u>, <mailto:u@a.example>", vec!["https://a.example/u"]),
            ("http://[::1]:8025/ (https://b.example/)", vec!["http://[::1]:8025/", "https://b.example/"]),
            ("https://a.example/\r\nhttps://b.example/", vec!["https://a.example/", "https://b.example/"]),
            ("javascript:alert(1) data:text/html,x", vec![]),
            ("http:// https://", vec![]),
            ("\"https://a.example/\"onclick=\"x", vec!["https://a.example/"]),
        ] {
            let pieces = pieces(text);
            let found: Vec<_> = pieces.iter().filter(|piece| piece.link).map(|piece| piece.text).collect();
            assert_eq!(found, links, "{text}");
            assert_eq!(pieces.iter().map(|piece| piece.text).collect::<String>(), text);
        }
    }
}
