//! The closing parentheses of a body: reporter and editor sign there.

use crate::labels::{self, Kind};
use crate::lines::is_blank;
use crate::names;

/// Longest text in the parentheses, in bytes: some ten names.
const MAX_SIGNOFF: usize = 200;

/// What the closing parentheses of a paragraph are. Ranges are bytes of the paragraph.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Signoff {
    None,
    /// They do not read as names: they stay in the body.
    Remark(std::ops::Range<usize>),
    Signed(Signed),
}

/// A sign-off with the parts that are in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    /// From the opening to the closing parenthesis.
    pub(crate) whole: std::ops::Range<usize>,
    pub(crate) byline: Option<std::ops::Range<usize>>,
    pub(crate) editors: Option<std::ops::Range<usize>>,
}

/// Looks at the end of a paragraph. A sign-off stands alone or after the end of a sentence; parentheses inside a
/// sentence belong to it. With `byline_wanted` false a reporter's name stays in the body.
pub(crate) fn read(paragraph: &str, byline_wanted: bool) -> Signoff {
    let Some((open, inner)) = parentheses(paragraph) else { return Signoff::None };
    let before = paragraph[..open].trim_end_matches(is_blank);
    let ends_sentence = before
        .trim_end_matches(['"', '\'', '”', '’', '」', '』', ')', '）'])
        .ends_with(['.', '!', '?', '…', '。', '！', '？', '؟', '।']);
    if !before.is_empty() && !ends_sentence {
        return Signoff::None;
    }
    let text = &paragraph[inner.clone()];
    let remark = Signoff::Remark(open..paragraph.len());
    if text.chars().any(char::is_numeric) {
        return remark;
    }
    let label = labels::find_word(text, Kind::Editor);
    let (author_end, editors) = match label {
        Some(label) => (inner.start + label.start, Some(inner.start + label.end..inner.end)),
        None => (inner.end, None),
    };
    let byline = trim(paragraph, inner.start..author_end);
    let unsigned = byline.is_empty() && editors.is_some();
    let signed = byline_wanted && names::is_signature(&paragraph[byline.clone()]);
    if !unsigned && !signed {
        return remark;
    }
    if editors.clone().is_some_and(|range| names::people(&paragraph[range]).is_empty()) {
        return remark;
    }
    Signoff::Signed(Signed { whole: open..paragraph.len(), byline: (!unsigned).then_some(byline), editors })
}

/// The last pair of parentheses when the paragraph ends with it: where it opens, and the range inside.
fn parentheses(paragraph: &str) -> Option<(usize, std::ops::Range<usize>)> {
    let close = paragraph.chars().next_back().filter(|c| matches!(c, ')' | '）'))?;
    let end = paragraph.len() - close.len_utf8();
    let mut from = end.saturating_sub(MAX_SIGNOFF);
    while !paragraph.is_char_boundary(from) {
        from += 1;
    }
    let (at, open) = paragraph[from..end].char_indices().rev().find(|(_, c)| matches!(c, '(' | '（' | ')' | '）'))?;
    let open_at = from + at;
    matches!(open, '(' | '（').then(|| (open_at, open_at + open.len_utf8()..end))
}

fn trim(text: &str, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let edge = |c: char| is_blank(c) || matches!(c, ',' | '，' | ';' | '；' | '、' | '|' | '｜');
    let kept = text[range.clone()].trim_start_matches(edge);
    let start = range.end - kept.len();
    start..start + kept.trim_end_matches(edge).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_signed() {
        let cases: [(&str, Option<&str>, Option<&str>); 6] = [
            ("All is well. (Sun Li)", Some("Sun Li"), None),
            ("（记者 孙丽）", Some("记者 孙丽"), None),
            ("一切都好。（孙丽）", Some("孙丽"), None),
            ("He said: “Fine.” (Reporter Sun Li; editor: Bo An)", Some("Reporter Sun Li"), Some(" Bo An")),
            ("好。（记者 孙丽 责任编辑：王芳）", Some("记者 孙丽"), Some("王芳")),
            ("(Responsible editor: Bo An, Li Wu)", None, Some(" Bo An, Li Wu")),
        ];
        for (text, byline, editors) in cases {
            let Signoff::Signed(signed) = read(text, true) else { panic!("{text} is signed") };
            assert_eq!(signed.byline.map(|range| &text[range]), byline, "{text}");
            assert_eq!(signed.editors.map(|range| &text[range]), editors, "{text}");
        }
    }

    #[test]
    fn what_stays_in_the_body() {
        for text in ["Done. (2018)", "Done. (Xinhua)", "好。（完）", "Done. (Editor)"] {
            assert!(matches!(read(text, true), Signoff::Remark(_)), "{text}");
        }
        assert!(matches!(read("Done. (Sun Li)", false), Signoff::Remark(_)));
        for text in [
            "",
            ")",
            "Done.",
            "held in Queens (New York)",
            "Done. (Sun Li).",
            "a) b)",
            "(Sun Li) wrote",
            "Done. ((Sun Li))",
        ] {
            assert_eq!(read(text, true), Signoff::None, "{text}");
        }
        let long = format!("Done. ({})", "Sun Li, ".repeat(500));
        assert_eq!(read(&long, true), Signoff::None);
    }
}
