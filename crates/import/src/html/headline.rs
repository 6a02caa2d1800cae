//! The headline as the page shows it: the line that the page's titles confirm.

use std::ops::Range;

use super::dom::Dom;
use super::meta::Head;
use super::outline::Run;
use super::{Candidate, choose};
use crate::imported::{Field, Trace};
use crate::names::is_han;

/// Longest headline, in letters.
const MAX_LETTERS: usize = 300;
/// Most titles in the metadata that lines are compared with.
const MAX_TITLES: usize = 16;
/// Most lines that one headline is broken into.
const MAX_LINES: usize = 4;

/// A headline and the lines it stands in; an empty range when it is not shown.
pub(super) struct Headline {
    pub(super) lines: Range<usize>,
    pub(super) trace: Trace,
}

/// What the page calls itself in its metadata, the best first, with where.
fn titles(head: &Head) -> Vec<(String, String)> {
    let names = ["articletitle", "og:title", "headline", "title", "twitter:title", "dc.title", "name"];
    let government = head.all(&names[..1]).map(|meta| (meta.value.clone(), meta.origin.clone()));
    let linked = head.linked.headline.iter().map(|title| (title.clone(), "JSON-LD headline".to_owned()));
    let metas = head.all(&names[1..]).map(|meta| (meta.value.clone(), meta.origin.clone()));
    government.chain(linked).chain(metas).take(MAX_TITLES).collect()
}

/// For comparing: letters and digits only, in lower case.
fn letters(text: &str) -> String {
    crate::fold::Folded::new(text).text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Two lines of one headline: ideographs need no space between them.
fn join(lines: &[Run]) -> String {
    let mut text = String::new();
    for line in lines {
        let glued = text.chars().next_back().is_none_or(is_han) && line.text.chars().next().is_some_and(is_han);
        if !text.is_empty() && !glued {
            text.push(' ');
        }
        text.push_str(&line.text);
    }
    text
}

/// Finds the headline. `story` is the first line of the story, `runs` all lines.
pub(super) fn find(dom: &Dom, runs: &[Run], story: usize, head: &Head) -> Option<Headline> {
    let titles = titles(head);
    let known: Vec<String> = titles.iter().map(|(title, _)| letters(title)).filter(|t| !t.is_empty()).collect();
    let title = head.title.as_deref().map(letters).unwrap_or_default();
    let mut best: Option<(i64, Range<usize>)> = None;
    let mut firsts = Vec::new();
    for at in 0..runs.len() {
        for lines in 1..=MAX_LINES {
            let range = at..at + lines;
            let Some(part) = runs.get(range.clone()).filter(|part| part.iter().all(|run| run.block == part[0].block))
            else {
                break;
            };
            // A heading is whole: its lines are not headlines each.
            let heading = matches!(dom.name(part[0].block), "h1" | "h2" | "h3");
            let goes_on = runs.get(range.end).is_some_and(|next| next.block == part[0].block);
            let begun = at > 0 && runs[at - 1].block == part[0].block;
            if heading && (goes_on || begun) {
                continue;
            }
            let own = letters(&join(part));
            let count = own.chars().count();
            if !(2..=MAX_LETTERS).contains(&count) {
                continue;
            }
            let exact = known.contains(&own);
            let within = count >= 4 && (known.iter().any(|t| t.contains(&own)) || title.contains(&own));
            let h1 = dom.name(part[0].block) == "h1";
            if h1 && lines == 1 || exact {
                firsts.push((range.clone(), join(part)));
            }
            if !exact && !within {
                continue;
            }
            let share = 100 * count
                / title.chars().count().max(known.iter().map(|t| t.chars().count()).min().unwrap_or(1)).max(1);
            if !exact && share < 30 {
                continue;
            }
            let far = i64::try_from(story.abs_diff(at)).unwrap_or(i64::MAX).min(200) + if at > story { 60 } else { 0 };
            let mut score = i64::try_from(count.min(120)).unwrap_or(0) * 10 - far;
            score += if exact { 200 } else { 0 } + if h1 { 150 } else { 0 } + if heading { 40 } else { 0 };
            score -= if part.iter().any(Run::is_link) && !h1 { 300 } else { 0 };
            if best.as_ref().is_none_or(|(known, _)| score > *known) {
                best = Some((score, range));
            }
        }
    }
    let mut candidates = Vec::new();
    if let Some((_, range)) = &best {
        let line = runs[range.start].line;
        let name = dom.name(runs[range.start].block);
        candidates.push(Candidate::new(
            0,
            join(&runs[range.clone()]),
            format!("line {line}, {name} confirmed by a title"),
        ));
    }
    let alone = firsts.iter().filter(|(range, _)| dom.name(runs[range.start].block) == "h1").collect::<Vec<_>>();
    for (range, text) in &alone {
        let rank = if alone.len() == 1 && range.start <= story { 2 } else { 6 };
        candidates.push(Candidate::new(rank, text.clone(), format!("line {}, h1", runs[range.start].line)));
    }
    candidates.extend(titles.into_iter().enumerate().map(|(at, (title, origin))| {
        // What a list of articles or a page calls itself may be the site's name.
        Candidate::new(if origin.contains("itemprop name") { 9 } else { 1 + 2 * u8::from(at > 0) }, title, origin)
    }));
    if let Some(title) = &head.title {
        candidates.push(Candidate::new(5, without_site(title, &head.site_names()), "title".to_owned()));
    }
    let trace = choose(Field::Headline, candidates)?;
    let shown = best.filter(|(_, range)| join(&runs[range.clone()]) == trace.value).map(|(_, range)| range);
    let only = || firsts.iter().find(|(_, text)| *text == trace.value).map(|(range, _)| range.clone());
    let lines = shown.or_else(only).unwrap_or(0..0);
    Some(Headline { lines, trace })
}

/// A title without the name of the site, its section or its slogan behind it.
fn without_site(title: &str, sites: &[String]) -> String {
    let mut rest = title.trim();
    for _ in 0..4 {
        let marks = [" | ", " - ", " – ", " — ", " :: ", " » ", "_", "|", "--", "——", "-"];
        let Some((at, mark)) =
            marks.iter().filter_map(|mark| Some((rest.rfind(mark)?, mark))).max_by_key(|(at, mark)| (*at, mark.len()))
        else {
            break;
        };
        let tail = rest[at + mark.len()..].trim();
        let site = sites.iter().any(|site| letters(site) == letters(tail));
        // A hyphen inside a word is part of the headline.
        let loose = mark.starts_with(' ') || matches!(*mark, "_" | "--" | "——" | "|");
        let short = tail.chars().count() * 2 <= rest[..at].chars().count();
        if !(site || (loose && short)) {
            break;
        }
        rest = rest[..at].trim();
    }
    rest.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_site_goes_from_a_title() {
        for (title, expected) in [
            ("A long headline about something | The Paper", "A long headline about something"),
            ("某某市召开会议部署下半年工作_要闻_某某网", "某某市召开会议部署下半年工作"),
            ("Just-released thing", "Just-released thing"),
            ("A – B", "A – B"),
        ] {
            assert_eq!(without_site(title, &["the paper".to_owned()]), expected);
        }
    }
}
