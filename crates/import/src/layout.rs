//! Where on the page the labels, the headline and the body are.

use std::ops::Range;

use crate::block::{self, Block};
use crate::date;
use crate::error::{Code, ImportError, quote};
use crate::labels::{self, Class, Kind};
use crate::lines::Line;

/// How many closing lines may hold labels.
const FOOTER_LINES: usize = 6;

/// The parts of a page as ranges of its lines. Header and footer lines are in the blocks.
pub(crate) struct Layout {
    pub(crate) above: Range<usize>,
    pub(crate) header: Block,
    pub(crate) body: Range<usize>,
    pub(crate) footer: Block,
    pub(crate) after: Range<usize>,
}

pub(crate) fn find(lines: &[Line<'_>]) -> Result<Layout, ImportError> {
    let layout = with_header(lines).or_else(|| with_footer(lines)).ok_or_else(|| {
        let advice = "put a line such as “Time: 2018-11-26 Source: …” between the headline and the body";
        ImportError::new(Code::NoLabelLine, lines[0].number, "no line starts with a known label and its value", advice)
    })?;
    refuse_second_article(lines, layout.body.clone())?;
    Ok(layout)
}

/// Labels between headline and body. Labels in the closing lines count too when they repeat none.
fn with_header(lines: &[Line<'_>]) -> Option<Layout> {
    let start = header_start(lines)?;
    let header = block::read(lines, start, None);
    let body_follows = lines[header.end..].iter().any(|line| matches!(labels::classify(line), Class::Text));
    if !body_follows && text_lines(&lines[..start]) > 2 {
        return None;
    }
    let closing = lines.len().saturating_sub(FOOTER_LINES).max(header.end)..lines.len();
    let footer = closing
        .map(|start| (start, block::read(lines, start, Some(&header))))
        .find(|(start, block)| block.end == lines.len() && block.end > *start);
    let (body_end, footer) = footer.unwrap_or((lines.len(), Block::empty(lines.len())));
    let body = header.end..body_end;
    Some(Layout { above: 0..start, header, body, footer, after: lines.len()..lines.len() })
}

/// Where the labels start: the first lines of labels with a date before the prose begins, else the first of any. A
/// headline such as “Source: minister to resign” is no label line when the labels below it name another source.
/// Only section and headline stand above: there a full stop does not make a sentence, or a headline that ends in one
/// would hide the labels.
fn header_start(lines: &[Line<'_>]) -> Option<usize> {
    let mut first = None;
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        if matches!(labels::classify(line), Class::Labels(_)) {
            let block = block::read(lines, at, None);
            if block.has(Kind::Date) {
                return Some(at);
            }
            first = first.or(Some(at));
            at = block.end;
            continue;
        }
        if if at < 2 { labels::is_overlong(line.text) } else { labels::is_prose(line.text) } {
            break;
        }
        at += 1;
    }
    first
}

fn text_lines(lines: &[Line<'_>]) -> usize {
    lines.iter().filter(|line| matches!(labels::classify(line), Class::Text)).count()
}

/// Labels after the body: in the closing lines, the first block with a date, else the first block.
fn with_footer(lines: &[Line<'_>]) -> Option<Layout> {
    let starts = (lines.len().saturating_sub(FOOTER_LINES)..lines.len())
        .filter(|&start| matches!(labels::classify(&lines[start]), Class::Labels(_)));
    let blocks: Vec<_> = starts.map(|start| (start, block::read(lines, start, None))).collect();
    let found = blocks.iter().find(|(_, block)| block.has(Kind::Date)).or(blocks.first())?;
    let (start, footer) = found.clone();
    let above = 0..headline_end(&lines[..start]);
    let after = footer.end..lines.len();
    let header = Block::empty(above.end);
    Some(Layout { body: above.end..start, above, header, footer, after })
}

/// Without labels below it, the headline is what stands before the first prose; of more than two lines, what stands
/// before the first empty line.
fn headline_end(lines: &[Line<'_>]) -> usize {
    let prose = lines.iter().position(|line| labels::is_prose(line.text));
    let end = prose.unwrap_or(lines.len());
    if end <= 2 && prose.is_some() {
        return end;
    }
    let blank = lines[..end].iter().skip(1).position(|line| line.after_blank).map(|index| index + 1);
    blank.unwrap_or(end.min(2))
}

/// A dated label line in the middle of the body belongs to another article. Date and place of an event announced
/// there do not look like it: they name no author, source or editor.
fn refuse_second_article(lines: &[Line<'_>], body: Range<usize>) -> Result<(), ImportError> {
    let mut at = body.start;
    while at < body.end {
        if !matches!(labels::classify(&lines[at]), Class::Labels(_)) {
            at += 1;
            continue;
        }
        let block = block::read(&lines[..body.end], at, None);
        let value = |range: &Range<usize>| {
            let line = &lines[lines.partition_point(|line| line.start <= range.start) - 1];
            &line.text[range.start - line.start..range.end - line.start]
        };
        let mut dates = block.entries.iter().filter(|entry| entry.segment.kind == Kind::Date);
        let dated = dates.any(|entry| !entry.value.is_empty() && date::parse(value(&entry.value)).is_ok());
        let others = [Kind::Author, Kind::Source, Kind::Editor, Kind::Views, Kind::FontSize];
        if dated && at > body.start && block.end < body.end && others.into_iter().any(|kind| block.has(kind)) {
            let advice = "save each article as a page of its own";
            let seen = format!("{} starts a second article", quote(lines[at].text));
            return Err(ImportError::new(Code::TwoArticles, lines[at].number, seen, advice));
        }
        // A block without a line would stop the walk.
        at = block.end.max(at + 1);
    }
    Ok(())
}
