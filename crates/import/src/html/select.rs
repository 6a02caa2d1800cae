//! Which lines and pictures go into the body, and what was left out of the story.

use std::collections::HashSet;

use super::body::Role;
use super::dom::Id;
use super::page::Parts;
use super::words;
use super::write::Kept;
use crate::page::{Dropped, Why};

/// Most entries of what was dropped.
const MAX_DROPPED: usize = 200;

pub(super) struct Selected {
    /// For each line.
    pub(super) kept: Vec<Kept>,
    /// For each picture.
    pub(super) pictures: Vec<bool>,
    pub(super) dropped: Vec<Dropped>,
}

/// `signed` is where the sign-off of the last sentence begins.
pub(super) fn select(parts: &Parts<'_>, signed: Option<usize>) -> Selected {
    let runs = &parts.outline.runs;
    let mut kept = vec![Kept::No; runs.len()];
    let mut dropped = Vec::new();
    let inside: Vec<usize> = (0..runs.len()).filter(|at| parts.dom.is_in(runs[*at].block, parts.story)).collect();
    let labelled: HashSet<usize> = parts.said.iter().filter(|said| said.label.is_some()).map(|said| said.run).collect();
    let mut ended = false;
    for at in inside.iter().copied() {
        let run = &runs[at];
        let headline = parts.headline.as_ref();
        let repeats = headline.is_some_and(|known| known.lines.contains(&at) || known.trace.value == run.text);
        let says = labelled.contains(&at) && parts.roles[at] != Role::Prose;
        let why = if repeats || says {
            Some(Why::Field)
        } else {
            match parts.roles[at] {
                Role::Furniture => Some(Why::Furniture),
                Role::Caption => {
                    kept[at] = Kept::Caption;
                    None
                }
                Role::Prose => {
                    kept[at] = Kept::Text(end(parts, at, signed));
                    None
                }
                Role::Other if at < parts.lines.start => leads(parts, at),
                Role::Other if at >= parts.lines.end => {
                    // Behind the last sentence the first line that is none ends the story.
                    let paragraph = parts.dom.name(run.block) == "p" && run.letters > 3 && !ended;
                    (!paragraph).then_some(Why::Furniture)
                }
                Role::Other => within(parts, at),
            }
        };
        ended |= at >= parts.lines.end && why == Some(Why::Furniture);
        match why {
            None if kept[at] == Kept::No => kept[at] = Kept::Text(run.text.len()),
            None => {}
            Some(why) if dropped.len() < MAX_DROPPED => {
                dropped.push(Dropped { line: run.line, text: run.text.clone(), why });
            }
            Some(_) => {}
        }
    }
    let pictures = pictures(parts);
    Selected { kept, pictures, dropped }
}

/// A short line before the first sentence is kept where paragraphs and headings are.
fn leads(parts: &Parts<'_>, at: usize) -> Option<Why> {
    let run = &parts.outline.runs[at];
    let said = parts
        .said
        .iter()
        .any(|said| said.run == at && (said.label.is_some() || !super::when::dates(&said.value).is_empty()));
    let name = parts.dom.name(run.block);
    let text = matches!(name, "p" | "h2" | "h3" | "h4" | "blockquote" | "li");
    if said {
        Some(Why::Field)
    } else if text && run.letters > 8 && !run.is_link() {
        None
    } else {
        Some(Why::Furniture)
    }
}

/// A short line among sentences is kept unless it is a link.
fn within(parts: &Parts<'_>, at: usize) -> Option<Why> {
    let run = &parts.outline.runs[at];
    let heading = parts.dom.name(run.block).starts_with('h');
    (run.is_link() && !heading || run.linked == run.letters && run.letters > 0).then_some(Why::Furniture)
}

/// Where the text of a line ends: before a sign-off, and before a link of the site that closes the paragraph.
fn end(parts: &Parts<'_>, at: usize, signed: Option<usize>) -> usize {
    let run = &parts.outline.runs[at];
    if let Some(end) = signed.filter(|_| at + 1 == parts.lines.end) {
        return end;
    }
    let Some((start, node)) = run.pieces.last().filter(|(start, _)| *start > 0) else { return run.text.len() };
    let linked = parts.dom.ancestors(*node).take(4).any(|id| parts.dom.name(id) == "a");
    let tail = words::squeezed(&run.text[*start..]);
    let before = run.text[..*start].trim_end_matches(crate::lines::is_blank);
    let away = tail.ends_with(">>") || tail.ends_with('»') || tail.starts_with("返回") || tail.starts_with("readmore");
    let closed = before.ends_with(['.', '。', '!', '！', '?', '？', '”', '"']);
    if linked && away && closed { before.len() } else { run.text.len() }
}

/// Pictures between the first and the last line of the story, or in its element just before or behind them, and not
/// in furniture.
fn pictures(parts: &Parts<'_>) -> Vec<bool> {
    let inside = |id: Id| parts.dom.is_in(id, parts.story);
    let sentences = parts.sentences();
    let furniture = |id: Id| {
        let around = parts.dom.ancestors(id).take_while(|around| *around != parts.story);
        around.take(12).any(|around| sentences[around as usize] == 0 && words::is_furniture(parts.dom, around))
    };
    let near = |before: usize| before + 6 >= parts.lines.start && before <= parts.lines.end + 2;
    parts
        .outline
        .pictures
        .iter()
        .map(|picture| inside(picture.element) && near(picture.before) && !furniture(picture.element))
        .collect()
}
