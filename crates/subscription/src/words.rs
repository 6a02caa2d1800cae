//! Words of running text: how they are written alike, and when they stand in a text.
//!
//! Where a script is written with spaces, a word is found whole or not at all; where it is written without (Han, Kana, Thai,
//! Lao, Khmer, Myanmar) nobody but a dictionary knows where a word ends, so any run of letters is found.

use article::slug;
use unicode_normalization::{UnicodeNormalization, is_nfkc_quick};

/// Between a headline, a summary and a body: no words go across it.
pub(crate) const FIELD: char = '\n';

/// Running text with everything that does not tell words apart made alike: lower case, one hyphen for whatever stands
/// between words. Empty when there is no letter or digit.
///
/// Compatibility forms are made alike too (NFKC), other than in names: in Chinese text a full-width `ＡＩ` is `AI`, and
/// Japanese half-width `ﾃﾚﾋﾞ` is `テレビ`.
pub(crate) fn folded(text: &str) -> String {
    let mut letters = String::with_capacity(text.len());
    // Ordinary text is in the normal form already, and telling so is cheaper than making it.
    if is_nfkc_quick(text.chars()) == unicode_normalization::IsNormalized::Yes {
        text.chars().for_each(|c| push(&mut letters, c));
    } else {
        text.nfkc().for_each(|c| push(&mut letters, c));
    }
    let folded = slug(&letters);
    if folded == "-" { String::new() } else { folded }
}

/// Adds a letter; those that lower case alone leave different from their own capitals become one (`STRASSE`, `ΔΡΌΜΟΣ`; in
/// Turkish capitals `I` is `ı` and `İ` is `i`, and nobody says which language is meant).
fn push(letters: &mut String, c: char) {
    match c {
        'ß' | 'ẞ' => letters.push_str("ss"),
        'ς' => letters.push('σ'),
        'ı' | 'İ' => letters.push('i'),
        '\u{307}' if letters.ends_with(['i', 'I']) => {}
        c if is_invisible(c) => {}
        c => letters.push(c),
    }
}

/// Characters that are no end of a word and no part of it: what shows nothing (Default_Ignorable_Code_Point of Unicode: soft
/// hyphens, joiners, marks of direction, fillers, choices of a letter's picture), and what draws Arabic words out (U+0640).
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{640}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Whether a folded text has folded words in it, at whole words where words are told apart.
pub(crate) fn contains(text: &str, words: &str) -> bool {
    let (Some(first), Some(last)) = (words.chars().next(), words.chars().next_back()) else { return false };
    let (finder, mut from) = (memchr::memmem::Finder::new(words), 0);
    while let Some(found) = finder.find(&text.as_bytes()[from..]) {
        let (begin, end) = (from + found, from + found + words.len());
        let apart = |inner: char, outer: Option<char>| !(is_spaced(inner) && outer.is_some_and(is_spaced));
        let whole = apart(first, text[..begin].chars().next_back()) && apart(last, text[end..].chars().next());
        if whole {
            return true;
        }
        // A word begins where one ends: the rest of this one cannot be it. So a text is gone through once.
        let rest = &text[begin..];
        let next = if is_spaced(first) { rest.find(|c| !is_spaced(c)) } else { Some(first.len_utf8()) };
        match next {
            Some(next) => from = begin + next,
            None => return false,
        }
    }
    false
}

/// Whether the letter belongs to a word that spaces keep apart.
fn is_spaced(c: char) -> bool {
    c != '-' && c != FIELD && !is_unspaced(c)
}

/// Whether the letter is of a script that is written without spaces.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0E00}'..='\u{0EFF}' // Thai, Lao
        | '\u{1000}'..='\u{109F}' | '\u{A9E0}'..='\u{A9FF}' | '\u{AA60}'..='\u{AA7F}' // Myanmar
        | '\u{1780}'..='\u{17FF}' // Khmer
        | '\u{2E80}'..='\u{2FDF}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3038}'..='\u{303B}'
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}' // Han
        | '\u{3040}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' | '\u{1AFF0}'..='\u{1B16F}' // Kana
        | '\u{3100}'..='\u{312F}' | '\u{31A0}'..='\u{31BF}') // Bopomofo
}

/// What a folded text can be found by: its words; where there are no words, each letter and each two that follow each
/// other. Whatever [`contains`] finds in a text, the pieces of it are among the pieces of the text.
pub(crate) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split(['-', FIELD]).flat_map(runs).flat_map(|run| {
        let unspaced = run.starts_with(is_unspaced);
        let whole = (!unspaced).then_some(run);
        let letters = unspaced.then_some(run).into_iter().flat_map(letters_and_pairs);
        whole.into_iter().chain(letters)
    })
}

/// Parts of a text between separators that are of one kind of script.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let unspaced = is_unspaced(rest.chars().next()?);
        let end = rest.find(|c| is_unspaced(c) != unspaced).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        rest = after;
        Some(run)
    })
}

fn letters_and_pairs(run: &str) -> impl Iterator<Item = &str> {
    run.char_indices().flat_map(move |(at, c)| {
        let second = at + c.len_utf8();
        let pair = run[second..].chars().next().map(|next| &run[at..second + next.len_utf8()]);
        std::iter::once(&run[at..second]).chain(pair)
    })
}

/// The words of sanitised markup. Tags within a line of text (`<b>`, `<a>`) are no ends of words, all others are; entities
/// stand for signs, which are.
pub(crate) fn of_markup(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        text.push_str(&rest[..at]);
        let begun = &rest[at + 1..];
        let is_tag = rest.as_bytes()[at] == b'<';
        let end = if is_tag { tag_end(begun) } else { entity_end(begun) };
        if is_tag && end.is_none() {
            // What is after it was gone through already, and is not for each `<` in it.
            text.push_str(&rest[at..]);
            return text;
        }
        let Some(end) = end else {
            text.push(' ');
            rest = begun;
            continue;
        };
        if !is_tag || !is_within_line(&begun[..end]) {
            text.push(' ');
        }
        rest = &begun[end + 1..];
    }
    text.push_str(rest);
    text
}

/// The `>` that ends a tag, skipping those inside quoted attribute values.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quoted = false;
    tag.bytes().position(|b| {
        quoted ^= b == b'"';
        b == b'>' && !quoted
    })
}

fn entity_end(entity: &str) -> Option<usize> {
    entity.bytes().take(32).position(|b| b == b';')
}

fn is_within_line(tag: &str) -> bool {
    let name = tag.trim_start_matches('/').split([' ', '/', '\n']).next().unwrap_or_default();
    matches!(
        name,
        "a" | "abbr"
            | "b"
            | "bdi"
            | "bdo"
            | "cite"
            | "code"
            | "del"
            | "dfn"
            | "em"
            | "i"
            | "ins"
            | "kbd"
            | "mark"
            | "q"
            | "s"
            | "samp"
            | "small"
            | "span"
            | "strike"
            | "strong"
            | "sub"
            | "sup"
            | "tt"
            | "u"
            | "var"
            | "wbr"
    )
}
