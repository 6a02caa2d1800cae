//! What of a receiver's words may be kept: one line, short, and nobody's address.

/// The longest diagnostic kept, in characters.
const MAX: usize = 500;

/// How much of a text is looked at for a diagnostic, in bytes.
const READ: usize = 8 * 1024;

/// One line of at most 500 characters. What looks like an address becomes `…`, and so does whatever is one of `known`,
/// or the part of it before its `@`, where it stands by itself.
pub(crate) fn diagnostic(text: &str, known: &[&str]) -> String {
    let mut line = String::new();
    for word in cut(text, READ).split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let mut line = without_addresses(&line);
    for known in known {
        let local = known.rsplit_once('@').map_or(*known, |(local, _)| local);
        for part in [known, local] {
            line = without(&line, part.trim());
        }
    }
    // Directions and joiners would let a receiver's words turn a log line around.
    let hidden =
        |c: char| matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}');
    line.chars().filter(|c| !hidden(*c)).take(MAX).collect()
}

/// The first `most` bytes, less a letter that would be cut in two.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

fn without_addresses(line: &str) -> String {
    let belongs = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.\"\\".contains(c);
    let (mut out, mut rest) = (String::new(), line);
    while let Some(at) = rest.find('@') {
        let before = rest[..at].trim_end_matches(belongs);
        let after = rest[at + 1..].trim_start_matches(|c: char| belongs(c) || c == '@' || c == '[' || c == ':');
        out.push_str(before);
        out.push('…');
        rest = after;
    }
    out.push_str(rest);
    out
}

fn without(line: &str, part: &str) -> String {
    // One or two letters are found everywhere and tell nobody apart.
    if part.chars().count() < 3 {
        return line.to_owned();
    }
    // Folding ASCII keeps every offset.
    let (folded, part) = (line.to_ascii_lowercase(), part.to_ascii_lowercase());
    let letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let (mut out, mut from) = (String::new(), 0);
    while let Some(at) = folded[from..].find(&part).map(|at| from + at) {
        let end = at + part.len();
        let alone = !letter(line[..at].chars().next_back()) && !letter(line[end..].chars().next());
        out.push_str(&line[from..at]);
        out.push_str(if alone { "…" } else { &line[at..end] });
        from = end;
    }
    out.push_str(&line[from..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobodys_address_is_kept() {
        let known = ["Jo.Doe@example.org"];
        for (text, kept) in [
            ("550 5.1.1 <jo.doe@Example.ORG>: no\r\n such user", "550 5.1.1 <…>: no such user"),
            ("smtp; jo.doe is unknown, mojo.doe is not", "smtp; … is unknown, mojo.doe is not"),
            ("收件人 jo.doe@例子.中国 不存在", "收件人 … 不存在"),
            ("\"jo doe\"@[192.0.2.1] a@b@c.example", "\"jo …] …"),
            ("a\u{202E}b\u{0}c", "ab c"),
            ("@", "…"),
            ("", ""),
        ] {
            assert_eq!(diagnostic(text, &known), kept, "{text:?}");
        }
        assert_eq!(diagnostic(&"党".repeat(3000), &[]).chars().count(), 500);
        assert_eq!(diagnostic("an a is no name", &["a@example.org", "", "@"]), "an a is no name");
    }
}
