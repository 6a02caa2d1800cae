//! The relaxed canonicalization of fields and bodies (RFC 6376 section 3.4): what a relay may change on the way is
//! taken out before it is hashed.

/// Appends the field as section 3.4.2 has it, with the CRLF behind it. `field` is a name, a colon and a value that may
/// be folded.
pub(super) fn push_field(out: &mut String, field: &str) {
    let (name, value) = field.split_once(':').unwrap_or((field, ""));
    out.extend(name.trim_end_matches(BLANKS).chars().map(|c| c.to_ascii_lowercase()));
    out.push(':');
    let mut first = true;
    for word in value.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()) {
        if !first {
            out.push(' ');
        }
        out.push_str(word);
        first = false;
    }
    out.push_str("\r\n");
}

const BLANKS: [char; 2] = [' ', '\t'];

/// The body as section 3.4.4 has it: no blanks at the end of a line, one where there are more, no empty lines at the
/// end. An empty body stays empty.
pub(super) fn body(body: &str) -> String {
    let mut out = String::with_capacity(body.len() + 2);
    // Empty lines wait until a line follows them.
    let mut empty = 0;
    for line in body.split_terminator('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line).trim_end_matches(BLANKS);
        if line.is_empty() {
            empty += 1;
            continue;
        }
        for _ in 0..std::mem::take(&mut empty) {
            out.push_str("\r\n");
        }
        push_line(&mut out, line);
        out.push_str("\r\n");
    }
    out
}

/// Most lines of an encoded mail have nothing to take out: looked for in one go.
fn push_line(out: &mut String, line: &str) {
    if !line.contains('\t') && !line.contains("  ") {
        return out.push_str(line);
    }
    let mut blank = false;
    for c in line.chars() {
        let is_blank = BLANKS.contains(&c);
        if is_blank && !blank {
            out.push(' ');
        } else if !is_blank {
            out.push(c);
        }
        blank = is_blank;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_standard() {
        // RFC 6376 section 3.4.5, and what our own composers write.
        for (field, canonical) in [
            ("A: X", "a:X\r\n"),
            ("B : Y\t\r\n\tZ  ", "b:Y Z\r\n"),
            ("Subject:", "subject:\r\n"),
            ("Subject:  =?utf-8?B?5YWa?=\r\n =?utf-8?B?6aOO?=", "subject:=?utf-8?B?5YWa?= =?utf-8?B?6aOO?=\r\n"),
            ("To:\r\n reader@example.org", "to:reader@example.org\r\n"),
        ] {
            let mut out = String::new();
            push_field(&mut out, field);
            assert_eq!(out, canonical, "{field:?}");
        }
    }

    #[test]
    fn bodies_are_those_of_the_standard() {
        for (raw, canonical) in [
            (" C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n"),
            ("", ""),
            ("\r\n\r\n", ""),
            ("-- \r\n.\r\n", "--\r\n.\r\n"),
            ("a\r\n\r\n \r\nb", "a\r\n\r\n\r\nb\r\n"),
            ("\t \tx\r\n", " x\r\n"),
        ] {
            assert_eq!(body(raw), canonical, "{raw:?}");
        }
    }
}
