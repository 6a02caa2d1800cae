//! A run of label lines as entries: each label with its value, wherever the value stands.

use std::ops::Range;

use crate::labels::{self, Class, Kind, MAX_VALUE_WIDTH, Segment};
use crate::lines::Line;

/// One label with its value; offsets are bytes of the page.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) segment: Segment,
    pub(crate) line: u32,
    pub(crate) label: Range<usize>,
    pub(crate) value: Range<usize>,
    pub(crate) value_line: u32,
    /// Label and value, with the separators around them.
    pub(crate) extent: Range<usize>,
}

/// Label lines that belong together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Block {
    pub(crate) entries: Vec<Entry>,
    /// Index after the last line.
    pub(crate) end: usize,
    /// The fields that have a value and can have only one.
    filled: Vec<Kind>,
}

impl Block {
    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.entries.iter().any(|entry| entry.segment.kind == kind)
    }

    /// No labels, between the lines before and from `end` on.
    pub(crate) fn empty(end: usize) -> Self {
        Self { end, ..Self::default() }
    }

    fn fill(&mut self, kind: Kind) {
        if matches!(kind, Kind::Date | Kind::Author | Kind::Source) && !self.filled.contains(&kind) {
            self.filled.push(kind);
        }
    }
}

/// Reads the label lines from `start` on: up to the first other line, or the first that gives a second value to a
/// label which has one in this block or in `before`.
pub(crate) fn read(lines: &[Line<'_>], start: usize, before: Option<&Block>) -> Block {
    let mut block = Block::empty(start);
    while let Some(line) = lines.get(block.end) {
        let (Class::Labels(segments) | Class::Controls(segments)) = labels::classify(line) else { break };
        let repeats = |segment: &Segment| {
            let filled = block.filled.iter().chain(before.iter().flat_map(|before| &before.filled));
            !segment.value.is_empty() && filled.clone().any(|kind| *kind == segment.kind)
        };
        if segments.iter().any(repeats) {
            break;
        }
        block.end += 1;
        for segment in segments.iter().filter(|segment| !segment.value.is_empty()) {
            block.fill(segment.kind);
        }
        let at = |range: &Range<usize>| line.start + range.start..line.start + range.end;
        block.entries.extend(segments.into_iter().map(|segment| Entry {
            line: line.number,
            label: at(&segment.label),
            value: at(&segment.value),
            value_line: line.number,
            extent: at(&(segment.label.start..segment.end)),
            segment,
        }));
        take_next_line(lines, &mut block);
    }
    block
}

/// A label at the end of its line without a value has it on the next line.
fn take_next_line(lines: &[Line<'_>], block: &mut Block) {
    let Some((entry, next)) = block.entries.last_mut().zip(lines.get(block.end)) else { return };
    let is_field = matches!(entry.segment.kind, Kind::Date | Kind::Author | Kind::Source | Kind::Editor);
    let short = labels::width(next.text, MAX_VALUE_WIDTH) <= MAX_VALUE_WIDTH && !labels::is_prose(next.text);
    if is_field && entry.value.is_empty() && !next.after_blank && short && matches!(labels::classify(next), Class::Text)
    {
        entry.value = next.start..next.start + next.text.len();
        entry.value_line = next.number;
        let kind = entry.segment.kind;
        block.fill(kind);
        block.end += 1;
    }
}
