//! A page taken apart: its tree, its lines, the story among them, and where to look for what is said about it.

use std::ops::Range;

use super::body::{self, Role};
use super::dom::{Dom, Id};
use super::headline::{self, Headline};
use super::meta::Head;
use super::outline::Outline;
use super::said::{self, Label, Said};
use super::words;
use crate::page::Options;

/// How many lines behind the story are read: the label line of some systems stands there.
const TAIL: usize = 40;
/// How many lines before the story are read when no headline is shown.
const HEAD: usize = 14;
/// How many lines before the story are read at most, however far above it the headline stands.
const MAX_BETWEEN: usize = 400;
/// How many lines above the headline are read.
const ABOVE: usize = 8;
/// How many short lines at the beginning of a story may be a byline, and at its end a sign-off.
const INSIDE: usize = 5;

pub(super) struct Parts<'p> {
    pub(super) dom: &'p Dom,
    pub(super) outline: &'p Outline,
    pub(super) roles: Vec<Role>,
    /// The element that holds the story.
    pub(super) story: Id,
    pub(super) head: Head,
    pub(super) headline: Option<Headline>,
    /// Lines of the story: from its first sentence to its last.
    pub(super) lines: Range<usize>,
    /// What is said about the story, nearest first: below the headline, in the story, behind it.
    pub(super) said: Vec<Said>,
    /// Index of the first entry of `said` that stands behind the story.
    pub(super) behind: usize,
    /// The lines above the headline that are near it.
    pub(super) above: Range<usize>,
    pub(super) options: &'p Options,
}

impl<'p> Parts<'p> {
    /// `None` when there is no sentence on the page.
    pub(super) fn of(dom: &'p Dom, outline: &'p Outline, options: &'p Options) -> Option<Self> {
        let runs = &outline.runs;
        let found = body::find(dom, runs, body::roles(dom, runs))?;
        let (story, mut roles) = (found.element, found.roles);
        let mut inside: Vec<usize> =
            (0..runs.len()).filter(|at| roles[*at] == Role::Prose && dom.is_in(runs[*at].block, story)).collect();
        while let [_, .., last] = inside[..]
            && words::closes_for_the_site(&runs[last].text, runs[last].letters)
        {
            roles[last] = Role::Furniture;
            inside.pop();
        }
        let (first, last) = (*inside.first()?, *inside.last()?);
        let lines = first..last + 1;
        let head = Head::read(dom);
        let headline = headline::find(dom, runs, first, &head);
        let shown = headline.as_ref().map(|headline| headline.lines.clone()).filter(|lines| !lines.is_empty());
        let below = match &shown {
            Some(lines) if lines.end <= first => lines.end,
            _ => first.saturating_sub(HEAD),
        };
        let top = shown.filter(|lines| lines.start <= first).map_or(below, |lines| lines.start);
        let mut parts = Self {
            dom,
            outline,
            roles,
            story,
            head,
            headline,
            lines: lines.clone(),
            said: Vec::new(),
            behind: 0,
            above: top.saturating_sub(ABOVE)..top,
            options,
        };
        parts.read(below.max(first.saturating_sub(MAX_BETWEEN))..first);
        let short = |at: &usize| parts.roles[*at] != Role::Prose;
        let inner: Vec<usize> = lines.clone().filter(short).collect();
        let early: Vec<usize> = inner.iter().copied().filter(|at| *at < first + INSIDE).collect();
        parts.read(early.into_iter());
        parts.behind = parts.said.len();
        parts.read(lines.end..(lines.end + TAIL).min(runs.len()));
        Some(parts)
    }

    fn read(&mut self, lines: impl Iterator<Item = usize>) {
        let (mut waiting, mut before) = (None, None);
        for at in lines {
            let run = &self.outline.runs[at];
            let long = body::is_sentence(run) && run.letters > 60;
            if self.roles[at] == Role::Caption || long {
                waiting = None;
                continue;
            }
            if before.is_some_and(|before| before + 1 != at) {
                waiting = None;
            }
            before = Some(at);
            self.said.extend(said::read(at, run, &mut waiting));
        }
    }

    /// What stands behind a label, below the headline or in the story first.
    pub(super) fn labelled(&self, label: Label) -> impl Iterator<Item = &Said> {
        self.said.iter().filter(move |said| said.label == Some(label))
    }

    /// What is said between the headline and the story without a label.
    pub(super) fn unlabelled(&self) -> impl Iterator<Item = &Said> {
        self.said[..self.behind].iter().filter(|said| said.label.is_none())
    }

    /// How many sentences of the story each element holds.
    pub(super) fn sentences(&self) -> Vec<u32> {
        let mut own = vec![0; self.dom.nodes.len()];
        for at in self.lines.clone().filter(|at| self.roles[*at] == Role::Prose) {
            own[self.outline.runs[at].block as usize] += 1;
        }
        body::sums(self.dom, own)
    }

    /// 1-based line of the page.
    pub(super) fn line(&self, run: usize) -> u32 {
        self.outline.runs[run].line
    }
}
