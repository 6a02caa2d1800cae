//! Text for people on a terminal: aligned, whatever the script, and unable to command the terminal.

use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A last column narrower than this is left to the terminal.
const NARROWEST: usize = 20;

/// How wide the terminal is; `None` when standard output is none: whoever reads it there wants whole lines.
fn terminal_columns() -> Option<usize> {
    terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0))
}

/// Writes to standard output. A reader that has seen enough (`| head`) is no mistake.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Writes to standard error.
pub(crate) fn complain(text: &str) {
    // Nobody is left to tell when stderr is closed.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Text of strangers as one line: line breaks, control and direction-changing characters are shown, not obeyed.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let commands =
            c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
        if commands {
            let _ = write!(out, "\\u{{{:04x}}}", c as u32);
        } else {
            out.push(c);
        }
    }
    out
}

/// The beginning of `text`, at most `columns` wide.
pub(crate) fn beginning(text: &str, columns: usize) -> String {
    let text = plain(text);
    if text.width() <= columns {
        return text;
    }
    let mut width = 0;
    let kept = text.chars().take_while(|c| {
        width += c.width().unwrap_or(0);
        width < columns
    });
    kept.chain(['…']).collect()
}

/// Rows of a table, indented; every column but the last is as wide as its widest cell.
pub(crate) struct Table<const N: usize>(Vec<[String; N]>);

impl<const N: usize> Table<N> {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn row(&mut self, cells: [impl AsRef<str>; N]) {
        self.0.push(cells.map(|cell| plain(cell.as_ref())));
    }
}

impl<const N: usize> std::fmt::Display for Table<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.fitted(terminal_columns()))
    }
}

impl<const N: usize> Table<N> {
    /// The table with its last column broken into lines, so that it is at most `columns` wide.
    fn fitted(&self, columns: Option<usize>) -> String {
        let mut out = String::new();
        let mut widths = [0; N];
        for row in &self.0 {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        let before = 2 + widths.iter().take(N - 1).map(|width| width + 2).sum::<usize>();
        let room = columns.map(|columns| columns.saturating_sub(before)).filter(|room| *room >= NARROWEST);
        for row in &self.0 {
            let mut line = String::from("  ");
            for (width, cell) in widths.iter().zip(row).take(N - 1) {
                // The formatter's own padding counts characters, and a Chinese one is two columns wide.
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', width - cell.width() + 2));
            }
            for piece in room.map_or_else(|| vec![row[N - 1].as_str()], |room| broken(&row[N - 1], room)) {
                line.push_str(piece);
                out.push_str(line.trim_end());
                out.push('\n');
                line = " ".repeat(before);
            }
        }
        out
    }
}

/// Lines of at most `room` columns: broken at spaces and beside wide characters, elsewhere only when a word alone is
/// wider. Nothing but the spaces at the breaks is lost.
fn broken(text: &str, room: usize) -> Vec<&str> {
    let (mut lines, mut start) = (Vec::new(), 0);
    let (mut width, mut fits) = (0, None);
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let own = c.width().unwrap_or(0);
        if at > start && (own == 2 || before.width() == Some(2) || (before == ' ' && c != ' ')) {
            fits = Some(at);
        }
        if width + own > room && c != ' ' && at > start {
            let end = fits.unwrap_or(at);
            lines.push(text[start..end].trim_end_matches(' '));
            (start, fits) = (end, None);
            width = text[start..at].width();
        }
        width += own;
        before = c;
    }
    lines.push(&text[start..]);
    lines
}

/// `2026-11-22`, in UTC.
pub(crate) fn day(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// `1 paragraph`, `2 paragraphs`.
pub(crate) fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_in_every_script() {
        let mut table = Table::new();
        table.row(["党建", "1", "x"]);
        table.row(["ab", "22", ""]);
        assert_eq!(table.to_string(), "  党建  1   x\n  ab    22\n");
    }

    #[test]
    fn what_is_too_wide_goes_on_below_itself() {
        let mut table = Table::new();
        table.row(["headline", "合肥市人民检察院扎实推进党建工作"]);
        table.row(["source", "Hefei Evening News of the city"]);
        let expected = "  headline  合肥市人民检察院扎实
            推进党建工作
  source    Hefei Evening News of
            the city
";
        assert_eq!(table.fitted(Some(33)), expected);
        assert_eq!(table.fitted(Some(20)), table.fitted(None), "too narrow to be worth it");
        assert_eq!(table.fitted(None).lines().count(), 2);
    }

    #[test]
    fn lines_are_broken_where_words_end_and_nothing_is_lost() {
        for (text, lines) in [
            ("", &[""][..]),
            ("one two three", &["one two", "three"]),
            ("one two    three", &["one two", "three"]),
            ("abcdefghijkl mn", &["abcdefgh", "ijkl mn"]),
            ("ab 合肥市", &["ab 合肥", "市"]),
            ("合肥市人民检察院", &["合肥市人", "民检察院"]),
            (
                "e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}",
                &["e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}"],
            ),
        ] {
            assert_eq!(broken(text, 8), lines, "{text}");
        }
    }

    #[test]
    fn a_text_cannot_command_the_terminal() {
        assert_eq!(plain("a\u{1b}[31mb\r\n\u{202e}c"), "a\\u{001b}[31mb\\u{000d}\\u{000a}\\u{202e}c");
        assert_eq!(beginning("合肥市人民检察院", 7), "合肥市…");
        assert_eq!(beginning("short", 7), "short");
    }
}
