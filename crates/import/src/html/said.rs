//! What the lines around a story say: labels with their values, and short texts without a label.

use super::dom::Id;
use super::outline::Run;
use super::when;
use super::words::squeezed;
use crate::labels::{self, Kind};
use crate::lines::is_blank;
use crate::names;

/// What a label announces, on a page of HTML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    Date,
    Author,
    Source,
    Editor,
    Section,
    /// Something that is no field: a view counter, the time of an update, a proofreader.
    None,
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) label: Option<Label>,
    pub(super) value: String,
    /// Index of its line.
    pub(super) run: usize,
    /// The text node it begins in.
    pub(super) node: Id,
    /// The label is followed by a colon or its like: words such as “by” begin other things, too.
    pub(super) marked: bool,
}

/// Labels that stand on pages of HTML besides those of [`labels`], squeezed. Those for which the last is `true` need
/// no colon after them.
const MORE: &[(&str, Label, bool)] = &[
    ("publishedon", Label::Date, true),
    ("published", Label::Date, true),
    ("posted", Label::Date, true),
    ("veroffentlicht", Label::Date, true),
    ("publiele", Label::Date, true),
    ("publicado", Label::Date, true),
    ("发表于", Label::Date, true),
    ("发布于", Label::Date, true),
    ("发布", Label::Date, false),
    ("發布時間", Label::Date, false),
    ("時間", Label::Date, false),
    ("日期", Label::Date, false),
    ("writtenby", Label::Author, true),
    ("by", Label::Author, true),
    ("von", Label::Author, true),
    ("par", Label::Author, true),
    ("por", Label::Author, true),
    ("door", Label::Author, true),
    ("autor", Label::Author, false),
    ("auteur", Label::Author, false),
    ("yazar", Label::Author, false),
    ("автор", Label::Author, false),
    ("作者", Label::Author, true),
    ("记者", Label::Author, false),
    ("記者", Label::Author, false),
    ("执笔", Label::Author, true),
    ("撰文", Label::Author, true),
    ("撰稿", Label::Author, true),
    ("文/图", Label::Author, true),
    ("文/", Label::Author, true),
    ("from", Label::Source, false),
    ("quelle", Label::Source, false),
    ("fuente", Label::Source, false),
    ("fonte", Label::Source, false),
    ("kaynak", Label::Source, false),
    ("источник", Label::Source, false),
    ("المصدر", Label::Source, false),
    ("出处", Label::Source, false),
    ("转自", Label::Source, false),
    ("来源于", Label::Source, false),
    ("來源", Label::Source, true),
    ("来源", Label::Source, true),
    ("原标题", Label::None, false),
    ("責任編輯", Label::Editor, false),
    ("责任编辑", Label::Editor, true),
    ("责编", Label::Editor, true),
    ("责任编缉", Label::Editor, true),
    ("所属分类", Label::Section, false),
    ("分类", Label::Section, false),
    ("栏目", Label::Section, false),
    ("频道", Label::Section, false),
    ("category", Label::Section, false),
    ("kategorie", Label::Section, true),
    ("rubrik", Label::Section, false),
    ("rubrique", Label::Section, false),
    ("更新时间", Label::None, false),
    ("校对", Label::None, false),
    ("审核", Label::None, false),
    ("监审", Label::None, false),
    ("摄影", Label::None, false),
    ("阅读", Label::None, false),
    ("浏览", Label::None, false),
    ("关键词", Label::None, false),
    ("标签", Label::None, false),
    ("电话", Label::None, false),
    ("foto", Label::None, true),
    ("photo", Label::None, true),
    ("bild", Label::None, false),
    ("image", Label::None, false),
    ("updated", Label::None, false),
    ("copyright", Label::None, false),
];

/// Longest line read, in letters: labels with their values are short.
const MAX_LETTERS: usize = 200;
/// Longest value without a label, in letters.
const MAX_VALUE: usize = 60;

/// What a line says, piece by piece. `waiting` is a label whose value is still to come, also from the line before.
pub(super) fn read(index: usize, run: &Run, waiting: &mut Option<(Label, bool)>) -> Vec<Said> {
    if run.letters > MAX_LETTERS {
        *waiting = None;
        return Vec::new();
    }
    let mut said = Vec::new();
    let mut labels = 0;
    for (node, text) in pieces(run) {
        let mut rest = 0;
        for segment in labels::marks(text) {
            plain(index, node, &text[rest..segment.label.start], waiting, &mut said);
            let label = match segment.kind {
                Kind::Date => Label::Date,
                Kind::Author => Label::Author,
                Kind::Source => Label::Source,
                Kind::Editor => Label::Editor,
                _ => Label::None,
            };
            *waiting = Some((label, true));
            labels += 1;
            plain(index, node, &text[segment.value.clone()], waiting, &mut said);
            rest = segment.end;
        }
        if rest < text.len() {
            plain(index, node, &text[rest..], waiting, &mut said);
        }
    }
    // Only a label alone on its line has its value on the next.
    if labels > 1 || !said.is_empty() {
        *waiting = None;
    }
    said
}

/// A line at the borders of its texts and at its separators. Brackets around a whole line are no part of it.
fn pieces(run: &Run) -> Vec<(Id, &str)> {
    let mut found = Vec::new();
    for (node, text) in run.texts() {
        let parts = text
            .split(['|', '｜', '丨', '•', '\u{2003}'])
            .flat_map(|part| part.split(" · "))
            .flat_map(|part| part.split(" – "));
        for part in parts.flat_map(|part| part.split("\u{a0}\u{a0}")).flat_map(|part| part.split("\u{3000}\u{3000}")) {
            let part = part.trim_matches(|c: char| {
                is_blank(c) || matches!(c, '[' | ']' | '【' | '】' | '(' | ')' | '（' | '）' | ',' | '，' | '-' | '—')
            });
            if !part.is_empty() {
                found.push((node, part));
            }
        }
    }
    found
}

/// Text without one of the usual labels: it may begin with another, be the value of the one before, or be nothing's.
fn plain(run: usize, node: Id, text: &str, waiting: &mut Option<(Label, bool)>, said: &mut Vec<Said>) {
    let text = text.trim_matches(|c: char| is_blank(c) || matches!(c, ':' | '：' | '-' | ';' | '；'));
    if text.is_empty() {
        return;
    }
    let mut add = |label: Option<(Label, bool)>, value: &str| {
        let marked = label.is_some_and(|(_, marked)| marked);
        said.push(Said { label: label.map(|(label, _)| label), value: value.to_owned(), run, node, marked });
    };
    if let Some((label, marked, value)) = labelled(text).or_else(|| in_office(text)) {
        *waiting = None;
        if value.is_empty() {
            *waiting = Some((label, marked));
        } else {
            add(Some((label, marked)), value);
        }
        return;
    }
    let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
    if letters == 0 || letters > MAX_VALUE {
        return;
    }
    // A date ends the value of a label before it: `来源：晚报 2019-09-23`.
    let dates = when::dates(text);
    if let (Some((Label::Source | Label::Author | Label::Editor, _)), Some(date)) = (*waiting, dates.first()) {
        let before = text[..date.range.start].trim_matches(is_blank);
        if !before.is_empty() {
            add(*waiting, before);
        }
        *waiting = None;
        add(None, &text[date.range.clone()]);
        return;
    }
    add(waiting.take(), text);
}

/// A label of [`MORE`] at the beginning of a text, whether it is marked as one, and what follows it.
fn labelled(text: &str) -> Option<(Label, bool, &str)> {
    // `Kommentar von`: the name follows in an element of its own.
    let last = text.rsplit(is_blank).next().unwrap_or_default();
    if matches!(last, "von" | "by" | "di" | "par" | "por" | "door") && text.split(is_blank).count() <= 4 {
        return Some((Label::Author, false, ""));
    }
    for (word, label, alone) in MORE {
        let Some(end) = starts_with(text, word) else { continue };
        let rest = &text[end..];
        let value = rest.trim_start_matches(|c: char| is_blank(c) || matches!(c, ':' | '：' | '/' | '／'));
        let marked = rest.trim_start_matches(is_blank).starts_with([':', '：', '/', '／']) || word.ends_with('/');
        let latin = !word.starts_with(names::is_han);
        // A word is a label of its own only where a word ends.
        let ends = !latin || rest.chars().next().is_none_or(|c| !c.is_alphanumeric());
        let short = value.chars().count() <= 40;
        if ends && (marked || value.is_empty() || (*alone && short)) {
            return Some((*label, marked, value));
        }
    }
    None
}

/// `澎湃新闻记者 李波`: somebody with the office before the name.
fn in_office(text: &str) -> Option<(Label, bool, &str)> {
    let at = ["记者", "記者", "作者"].iter().find_map(|word| Some(text.find(word)? + word.len()))?;
    let name = text[at..].trim_start_matches(|c: char| is_blank(c) || matches!(c, ':' | '：'));
    let apart = name.len() < text.len() - at;
    let short = text.chars().count() <= 40;
    (apart && short && names::is_signature(&format!("记者 {name}"))).then_some((Label::Author, true, name))
}

/// Where `text` goes on after `word`, compared squeezed.
fn starts_with(text: &str, word: &str) -> Option<usize> {
    let first = text.chars().next()?;
    if !squeezed(&first.to_string()).starts_with(word.chars().next()?) {
        return None;
    }
    let ends = text.char_indices().map(|(at, c)| at + c.len_utf8()).take(2 * word.chars().count() + 2);
    ends.filter(|end| text.is_char_boundary(*end)).find(|end| squeezed(&text[..*end]) == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::html::{outline::outline, parse::parse};

    fn of(html: &str) -> Vec<(Option<Label>, String)> {
        let dom = parse(html).unwrap();
        let mut waiting = None;
        let runs = outline(&dom).runs;
        let said =
            runs.iter().enumerate().flat_map(|(at, run)| read(at, run, &mut waiting).into_iter().collect::<Vec<_>>());
        said.map(|said| (said.label, said.value)).collect()
    }

    #[test]
    fn labels_with_and_without_colons_in_one_element_or_several() {
        use Label::{Author, Date, Editor, Section, Source};
        type Expected<'t> = &'t [(Option<Label>, &'t str)];
        let cases: [(&str, Expected<'_>); 13] = [
            (
                "来源：当代商报 时间：2019-09-23 14:34:05 作者：",
                &[(Some(Source), "当代商报"), (Some(Date), "2019-09-23 14:34:05")],
            ),
            (
                "发表于<b>2014-08-24 21:30</b>| <a>7次阅读</a> | 来源<b>CSDN</b>| 作者魏星",
                &[(Some(Date), "2014-08-24 21:30"), (None, "7次阅读"), (Some(Source), "CSDN"), (Some(Author), "魏星")],
            ),
            ("<p>By<p>Ana Ruiz", &[(Some(Author), "Ana Ruiz")]),
            ("<p>from: Herald Sun", &[(Some(Source), "Herald Sun")]),
            ("<p>[责任编辑：韩保林 PK155]", &[(Some(Editor), "韩保林 PK155")]),
            ("<p>（责任编辑： HN666）", &[(Some(Editor), "HN666")]),
            ("2020-06-06 10:08<span>来源：澎湃新闻</span>", &[(None, "2020-06-06 10:08"), (Some(Source), "澎湃新闻")]),
            ("<p>执笔/叨叨姐、胡一刀", &[(Some(Author), "叨叨姐、胡一刀")]),
            ("来源：晚报 2019-09-23", &[(Some(Source), "晚报"), (None, "2019-09-23")]),
            ("<dt>Kategorie<dd>Kultur", &[(Some(Section), "Kultur")]),
            ("<p>澎湃新闻记者 李波", &[(Some(Author), "李波")]),
            ("<p>记者了解到情况", &[(None, "记者了解到情况")]),
            ("<p>Bypass opened", &[(None, "Bypass opened")]),
        ];
        for (html, expected) in cases {
            let found = of(html);
            let found: Vec<_> = found.iter().map(|(label, value)| (*label, value.as_str())).collect();
            assert_eq!(found, expected, "{html}");
        }
    }
}
