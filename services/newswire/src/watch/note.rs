//! The notes beside files that are settled: for people what went wrong, for programs what became of it. Pure.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::folder::called;
use crate::import::Mistake;
use crate::output::plain;

/// `failed/….error.txt`
pub(super) fn error(claim: &str, mistakes: &[Mistake], now: Timestamp) -> String {
    let list: String =
        mistakes.iter().map(|mistake| format!("  [{}] {}\n", mistake.code, lines(&mistake.text))).collect();
    format!(
        "{} was not published.\n\n{list}\nTried at {}. When it is put right, move it back into the watched folder, or put in \
         a new file;\nthis note and the file here can then be deleted.\n",
        called(claim),
        now.strftime("%Y-%m-%d %H:%M:%S UTC"),
    )
}

/// Each mistake of a long list on a line of its own, and none able to command a terminal.
fn lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n  ")
}

/// `done/….result.json`
pub(super) fn result(claim: &str, mut outcome: Value) -> String {
    outcome["file"] = json!(called(claim));
    format!("{outcome:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_tells_the_file_every_mistake_and_what_to_do() {
        let mistakes = [
            Mistake::other("E_NO_DATE", "E_NO_DATE, line 2: no date; write one"),
            Mistake::other("invalid-article", "The article has mistakes\n  /headline: \u{1b}[31mred"),
        ];
        let note = error("20261122T101530.123Z-3f9a-故事.txt", &mistakes, "2026-11-22T10:15:31Z".parse().unwrap());
        let expected = "故事.txt was not published.

  [E_NO_DATE] E_NO_DATE, line 2: no date; write one
  [invalid-article] The article has mistakes
    /headline: \\u{001b}[31mred

Tried at 2026-11-22 10:15:31 UTC. When it is put right, move it back into the watched folder, or put in a new file;
this note and the file here can then be deleted.
";
        assert_eq!(note, expected);
    }
}
