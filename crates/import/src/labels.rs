//! The labels that newsrooms put before values, and a line cut at them.

use std::ops::Range;

use crate::date;
use crate::fold::Folded;
use crate::lines::{Line, is_blank};

/// What a label announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Date,
    Author,
    Source,
    Editor,
    Views,
    /// A font size control, as a label or in brackets.
    FontSize,
    /// Any other control in brackets.
    Control,
    /// The breadcrumb.
    Location,
}

/// Labels in their folded form; where one ends in another, the longer comes first. `true`: a Chinese label rendered
/// word for word, which newsrooms writing in English do not use.
const LABELS: &[(&str, Kind, bool)] = &[
    ("release time", Kind::Date, true),
    ("release date", Kind::Date, true),
    ("published", Kind::Date, false),
    ("time", Kind::Date, true),
    ("date", Kind::Date, false),
    ("author", Kind::Author, false),
    ("by", Kind::Author, false),
    ("news source", Kind::Source, true),
    ("source", Kind::Source, false),
    ("responsible editor", Kind::Editor, true),
    ("editor", Kind::Editor, false),
    ("views", Kind::Views, false),
    ("font size", Kind::FontSize, false),
    ("current position", Kind::Location, true),
    ("发布时间", Kind::Date, false),
    ("发布日期", Kind::Date, false),
    ("时间", Kind::Date, false),
    ("日期", Kind::Date, false),
    ("文章作者", Kind::Author, false),
    ("作者", Kind::Author, false),
    ("新闻来源", Kind::Source, false),
    ("稿件来源", Kind::Source, false),
    ("信息来源", Kind::Source, false),
    ("文章来源", Kind::Source, false),
    ("来源", Kind::Source, false),
    ("责任编辑", Kind::Editor, false),
    ("编辑", Kind::Editor, false),
    ("责编", Kind::Editor, false),
    ("發布時間", Kind::Date, false),
    ("發佈時間", Kind::Date, false),
    ("時間", Kind::Date, false),
    ("新聞來源", Kind::Source, false),
    ("來源", Kind::Source, false),
    ("責任編輯", Kind::Editor, false),
    ("編輯", Kind::Editor, false),
    ("浏览次数", Kind::Views, false),
    ("浏览量", Kind::Views, false),
    ("浏览", Kind::Views, false),
    ("访问次数", Kind::Views, false),
    ("访问量", Kind::Views, false),
    ("点击次数", Kind::Views, false),
    ("点击数", Kind::Views, false),
    ("点击", Kind::Views, false),
    ("阅读次数", Kind::Views, false),
    ("阅读量", Kind::Views, false),
    ("阅读", Kind::Views, false),
    ("字号", Kind::FontSize, false),
    ("字体", Kind::FontSize, false),
    ("当前位置", Kind::Location, false),
    ("您的位置", Kind::Location, false),
];

/// What stands first in the brackets of a control.
const CONTROLS: &[(&str, Kind)] = &[
    ("font size", Kind::FontSize),
    ("字号", Kind::FontSize),
    ("字体", Kind::FontSize),
    ("print", Kind::Control),
    ("close", Kind::Control),
    ("打印", Kind::Control),
    ("关闭", Kind::Control),
];

/// Longest line that can hold labels, in bytes. Real ones are under 300; the bound keeps hostile lines cheap.
const MAX_LABEL_LINE: usize = 1000;
/// Longest value in units of width (an ideograph counts two): longer is prose.
pub(crate) const MAX_VALUE_WIDTH: usize = 80;

/// A label with its value, or a control in brackets. Ranges are bytes of the line.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) kind: Kind,
    /// The label with its colon; for a control, all of it.
    pub(crate) label: Range<usize>,
    /// Without blanks and separators at its ends; empty where there is none.
    pub(crate) value: Range<usize>,
    /// Where the next segment starts.
    pub(crate) end: usize,
    pub(crate) chinese: bool,
    pub(crate) rendered: bool,
}

/// What a line is to the importer.
pub(crate) enum Class {
    /// Labels with values, at least one that makes a field.
    Labels(Vec<Segment>),
    /// Controls and counters only.
    Controls(Vec<Segment>),
    Breadcrumb(Vec<Segment>),
    Text,
}

/// Tells label lines from prose: a line with labels must start with one, and its values must be short.
pub(crate) fn classify(line: &Line<'_>) -> Class {
    let Some(segments) = cut(line.text) else { return Class::Text };
    if segments[0].kind == Kind::Location {
        return Class::Breadcrumb(segments);
    }
    let is_field = |s: &&Segment| matches!(s.kind, Kind::Date | Kind::Author | Kind::Source | Kind::Editor);
    if !segments.iter().any(|segment| is_field(&segment)) {
        return Class::Controls(segments);
    }
    let plausible = segments.iter().filter(is_field).all(|segment| {
        let value = &line.text[segment.value.clone()];
        match segment.kind {
            Kind::Date => value.is_empty() || date::is_datelike(value),
            _ => width(value, MAX_VALUE_WIDTH) <= MAX_VALUE_WIDTH,
        }
    });
    if plausible || (segments.len() >= 2 && !is_prose(line.text)) { Class::Labels(segments) } else { Class::Text }
}

/// Cuts a line at its labels and controls; `None` unless it starts with one.
fn cut(line: &str) -> Option<Vec<Segment>> {
    if !may_start_with_label(line) {
        return None;
    }
    let segments = marks(line);
    let first = segments.first()?;
    let from_start = line[..first.label.start].chars().all(is_separator);
    // Text after a closed control is no value of it, so such a line is not made of labels.
    let stray = |s: &Segment| line[s.label.clone()].ends_with([']', '】']) && !s.value.is_empty();
    if !from_start || segments.iter().any(stray) {
        return None;
    }
    let mut segments = segments;
    segments[0].label.start = 0;
    Some(segments)
}

/// The labels and controls of a line wherever they stand, each with the text up to the next.
pub(crate) fn marks(line: &str) -> Vec<Segment> {
    if line.len() > MAX_LABEL_LINE {
        return Vec::new();
    }
    let folded = Folded::new(line);
    let mut segments: Vec<Segment> = Vec::with_capacity(8);
    let mut at = 0;
    while let Some((range, kind, chinese, rendered)) = next_mark(&folded.text, at) {
        let (start, end) = (folded.origin(range.start), folded.origin(range.end));
        segments.push(Segment { kind, label: start..end, value: end..end, end, chinese, rendered });
        at = range.end;
    }
    for index in 0..segments.len() {
        let end = segments.get(index + 1).map_or(line.len(), |next| next.label.start);
        let segment = &mut segments[index];
        segment.end = end.max(segment.label.end);
        segment.value = trim(line, segment.label.end..segment.end);
    }
    segments
}

/// A quick look that spares most body lines the folding: the colon or bracket must come early.
fn may_start_with_label(line: &str) -> bool {
    line.chars().take(40).any(|c| matches!(c, ':' | '：' | '︓' | '﹕' | '[' | '［' | '【'))
}

/// The next label or control of a folded line at or after `from`: its range, kind, and whether it is Chinese or a
/// rendering of Chinese.
fn next_mark(text: &str, from: usize) -> Option<(Range<usize>, Kind, bool, bool)> {
    for (offset, c) in text[from..].char_indices() {
        let at = from + offset;
        match c {
            '[' | '【' => {
                let inner = text[at + c.len_utf8()..].trim_start_matches(' ');
                let Some((word, kind)) = CONTROLS.iter().find(|(word, _)| inner.starts_with(word)) else { continue };
                return Some((at..control_end(text, at), *kind, !word.is_ascii(), false));
            }
            ':' => {
                let found = LABELS.iter().find_map(|label| Some((label_start(&text[from..at], label.0)?, label)));
                let Some((start, &(word, kind, rendered))) = found else { continue };
                return Some((from + start..at + 1, kind, !word.is_ascii(), rendered));
            }
            _ => {}
        }
    }
    None
}

/// Where `label` starts if `text` ends with it. Ideographs of a label may be spread out (`作　者`); Latin labels must
/// not be the end of a longer word.
fn label_start(text: &str, label: &str) -> Option<usize> {
    let mut rest = text.trim_end_matches(' ');
    for c in label.chars().rev() {
        if c == ' ' {
            let trimmed = rest.trim_end_matches(' ');
            rest = (trimmed.len() < rest.len()).then_some(trimmed)?;
        } else {
            rest = if c.is_ascii() { rest } else { rest.trim_end_matches(' ') };
            rest = rest.strip_suffix(c)?;
        }
    }
    let in_word = label.is_ascii() && rest.ends_with(|c: char| c.is_ascii_alphabetic());
    (!in_word).then_some(rest.len())
}

/// The end of the control that opens at `start`: its closing bracket, else the next label, else the end of the line.
fn control_end(text: &str, start: usize) -> usize {
    let open = if text[start..].starts_with('[') { 1 } else { '【'.len_utf8() };
    if let Some((at, c)) = text[start + open..].char_indices().find(|(_, c)| matches!(c, ']' | '】' | '[' | '【')) {
        let at = start + open + at;
        return if matches!(c, ']' | '】') { at + c.len_utf8() } else { at };
    }
    let mut from = start + open;
    while let Some((range, kind, ..)) = next_mark(text, from) {
        if !matches!(kind, Kind::FontSize | Kind::Control) {
            return range.start;
        }
        from = range.end;
    }
    text.len()
}

pub(crate) fn is_separator(c: char) -> bool {
    is_blank(c) || matches!(c, '|' | '｜' | '丨' | '·' | '•')
}

fn trim(line: &str, range: Range<usize>) -> Range<usize> {
    let kept = line[range.clone()].trim_start_matches(is_separator);
    let start = range.end - kept.len();
    start..start + kept.trim_end_matches(is_separator).len()
}

/// Columns a text takes, an ideograph counting two; counts no further than just beyond `limit`.
pub(crate) fn width(text: &str, limit: usize) -> usize {
    let mut width = 0;
    for c in text.chars() {
        width += if c >= '\u{2e80}' { 2 } else { 1 };
        if width > limit {
            break;
        }
    }
    width
}

/// Whether a line reads as a sentence of a body rather than a headline or values. Headlines end in a full stop
/// rarely, and never in an ideographic one.
pub(crate) fn is_prose(line: &str) -> bool {
    let last = line.trim_end_matches(['"', '\'', '”', '’', '」', '』', ')', '）']).chars().next_back();
    match last {
        Some('。' | '।' | '۔') => true,
        Some('.' | '!' | '?' | '…' | '؟') => width(line, 80) >= 80,
        _ => is_overlong(line),
    }
}

/// Wider than the longest headline an article may have.
pub(crate) fn is_overlong(line: &str) -> bool {
    width(line, 400) > 400
}

/// The label of `kind` anywhere in `text`, colon or not: its byte range with the colon.
pub(crate) fn find_word(text: &str, kind: Kind) -> Option<Range<usize>> {
    let folded = Folded::new(text);
    let words = LABELS.iter().filter(|label| label.1 == kind).map(|label| label.0);
    let (start, word) = words.filter_map(|word| Some((folded.text.find(word)?, word))).min_by_key(|found| found.0)?;
    let rest = &folded.text[start + word.len()..];
    let colon = rest.trim_start_matches(' ');
    let end = if colon.starts_with(':') { folded.text.len() - colon.len() + 1 } else { start + word.len() };
    let in_word = word.is_ascii()
        && (folded.text[..start].ends_with(|c: char| c.is_ascii_alphabetic())
            || folded.text[end..].starts_with(|c: char| c.is_ascii_alphabetic()) && !colon.starts_with(':'));
    (!in_word).then(|| folded.origin(start)..folded.origin(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line<'_> {
        Line { number: 1, start: 0, text, after_blank: false }
    }

    fn cut_to_strings(text: &str) -> Vec<(Kind, &str, &str)> {
        let segments = cut(text).unwrap_or_default();
        segments.iter().map(|s| (s.kind, &text[s.label.clone()], &text[s.value.clone()])).collect()
    }

    #[test]
    fn cuts_at_labels_and_controls() {
        use Kind::{Author, Control, Date, FontSize, Source, Views};
        type Cut<'t> = (Kind, &'t str, &'t str);
        let cases: [(&str, &[Cut<'_>]); 10] = [
            (
                "Time: 1 Author: News source: A B",
                &[(Date, "Time:", "1"), (Author, "Author:", ""), (Source, "News source:", "A B")],
            ),
            ("时间：1作　者：来源 ：乙", &[(Date, "时间：", "1"), (Author, "作　者：", ""), (Source, "来源 ：", "乙")]),
            ("| DATE: 1 | Views: 2 |", &[(Date, "| DATE:", "1"), (Views, "Views:", "2")]),
            ("Source: A [Font size: s | m", &[(Source, "Source:", "A"), (FontSize, "[Font size: s | m", "")]),
            ("[Font size: s | m Source: A", &[(FontSize, "[Font size: s | m ", ""), (Source, "Source:", "A")]),
            ("【打印】 [ Close ]", &[(Control, "【打印】", ""), (Control, "[ Close ]", "")]),
            ("Source: A【字号： | |", &[(Source, "Source:", "A"), (FontSize, "【字号： | |", "")]),
            ("Resource: A", &[]),
            ("Source: A Resource: B", &[(Source, "Source:", "A Resource: B")]),
            ("[Print] this page: it is good", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(cut_to_strings(text), expected, "{text}");
        }
    }

    #[test]
    fn tells_labels_from_prose() {
        let labels =
            ["Time: 2018-11-26", "Time: 2018-13-45", "Source:", "作者：张三 来源：晨报", "Date: soon Source: A"];
        for text in labels {
            assert!(matches!(classify(&line(text)), Class::Labels(_)), "{text}");
        }
        let prose = [
            "Time: nine o'clock was chosen so that all could attend, and Source: was the theme of the whole evening.",
            "Time: nine o'clock",
            "At the time: a Source: of joy",
            "[Constitution Week] A headline",
            "Source: officials who spoke on condition that nobody names them told the paper that it was so",
        ];
        for text in prose {
            assert!(matches!(classify(&line(text)), Class::Text), "{text}");
        }
        assert!(matches!(classify(&line("[Print] [Close]")), Class::Controls(_)));
        assert!(matches!(classify(&line("当前位置：首页>>要闻")), Class::Breadcrumb(_)));
    }

    #[test]
    fn finds_an_editor_inside_a_signoff() {
        for (text, expected) in [
            ("记者 孙某 责任编辑：王某", Some("责任编辑：")),
            ("Responsible editor: A B", Some("Responsible editor:")),
            ("Editor A B", Some("Editor")),
            ("Editorial Board", None),
            ("记者 孙某", None),
        ] {
            assert_eq!(find_word(text, Kind::Editor).map(|range| &text[range]), expected, "{text}");
        }
    }
}
