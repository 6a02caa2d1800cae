//! Character accounting: each piece of the page is claimed once, for one purpose.

use std::ops::Range;

use crate::error::{Code, ImportError, quote};
use crate::lines::{Line, is_blank};

/// What a piece of the page became.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    Section,
    Headline,
    Date,
    Byline,
    Source,
    Editor,
    Body,
    /// A label, a separator, or the parentheses around a sign-off: structure, part of no field.
    Mark,
    /// Listed in [`crate::Page::dropped`].
    Dropped,
}

/// A piece of the page and what it became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// 1-based line of the page.
    pub line: u32,
    /// Byte range in the page.
    pub span: Range<usize>,
    pub what: What,
}

/// Collects the claims on a page.
pub(crate) struct Ledger<'a> {
    text: &'a str,
    claims: Vec<Claim>,
}

impl<'a> Ledger<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, claims: Vec::with_capacity(32) }
    }

    /// Claims `span` without the blanks at its ends, and returns its text; a blank span claims nothing.
    pub(crate) fn claim(&mut self, line: u32, span: Range<usize>, what: What) -> &'a str {
        let raw = &self.text[span.clone()];
        let kept = raw.trim_start_matches(is_blank);
        let start = span.start + (raw.len() - kept.len());
        let kept = kept.trim_end_matches(is_blank);
        if !kept.is_empty() {
            self.claims.push(Claim { line, span: start..start + kept.len(), what });
        }
        kept
    }

    /// The claims in the order of the page.
    ///
    /// # Errors
    /// [`Code::Unaccounted`] when a non-blank character is claimed by nothing or twice: the page is refused rather
    /// than imported with a piece missing.
    pub(crate) fn close(mut self, lines: &[Line<'_>]) -> Result<Vec<Claim>, ImportError> {
        self.claims.sort_unstable_by_key(|claim| claim.span.start);
        let mut done = 0;
        let end = self.text.len();
        for span in self.claims.iter().map(|claim| claim.span.clone()).chain(std::iter::once(end..end)) {
            let gap = self.text.get(done..span.start);
            if !gap.is_some_and(|gap| gap.chars().all(is_blank)) {
                let at = lines.partition_point(|line| line.start <= done).saturating_sub(1);
                let number = lines.get(at).map_or(1, |line| line.number);
                let seen = format!("{} was lost or used twice", quote(gap.unwrap_or_default().trim_matches(is_blank)));
                return Err(ImportError::new(
                    Code::Unaccounted,
                    number,
                    seen,
                    "report this page: the importer is at fault",
                ));
            }
            done = span.end;
        }
        Ok(self.claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_or_claimed_twice_is_refused() {
        let text = "one two\n\u{3000}three";
        let lines = crate::lines::read(text.as_bytes()).expect("clean text").1;
        let close = |spans: &[(usize, usize)]| {
            let mut ledger = Ledger::new(text);
            for (start, end) in spans {
                ledger.claim(1, *start..*end, What::Body);
            }
            ledger.close(&lines)
        };
        assert_eq!(close(&[(7, 16), (0, 4), (4, 7)]).expect("all claimed").len(), 3);
        for spans in [&[(0, 7)][..], &[(0, 3), (8, 16)], &[(0, 7), (4, 7), (8, 16)], &[]] {
            assert_eq!(close(spans).expect_err("refused").code, Code::Unaccounted, "{spans:?}");
        }
        assert_eq!(close(&[(0, 7)]).expect_err("refused").line, 1);
    }
}
