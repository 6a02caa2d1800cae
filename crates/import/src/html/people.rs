//! Who wrote a story, who edited it, and whom it is credited to. An agency is a source, never an author.

use super::agencies::is_agency;
use super::byline::{MAX_NAME, is_nobody, is_office, split, why_nobody};
use super::page::Parts;
use super::said::{Label, Said};
use super::words::{squeezed, within_class};
use super::{Candidate, choose};
use crate::imported::{Field, Rejected, Trace};
use crate::lines::is_blank;
use crate::names;
use crate::signoff::{self, Signoff};

/// Words in the class of an element that holds a byline.
const BYLINES: &[&str] = &["author", "authors", "byline", "bylines", "writer", "reporter", "journalist"];
/// Words in the class of an element that holds a source.
const SOURCES: &[&str] = &["source", "laiyuan", "origin", "mediasource", "copyfrom"];
/// Names of `meta` tags for authors.
const AUTHOR_METAS: &[&str] = &[
    "author",
    "authors",
    "article:author",
    "articleauthor",
    "dc.creator",
    "dcterms.creator",
    "sailthru.author",
    "byl",
    "parsely-author",
    "cxenseparse:author",
    "citation_author",
    "writer",
];
/// Names of `meta` tags for sources.
const SOURCE_METAS: &[&str] = &["contentsource", "source", "mediaid", "dc.source", "copyfrom", "articlesource"];
/// Everybody, and where that is said.
pub(super) struct People {
    pub(super) byline: Option<String>,
    pub(super) authors: Vec<String>,
    pub(super) editors: Vec<String>,
    pub(super) source: Option<String>,
    pub(super) traces: Vec<Trace>,
    /// Bytes of the story's last sentence before the sign-off that closes it.
    pub(super) signed: Option<usize>,
}

/// A byline that may be the story's.
struct Byline {
    rank: u8,
    text: String,
    names: Vec<String>,
    origin: String,
    /// Its line, where it is shown.
    run: Option<usize>,
    /// It counts people whom it does not name.
    incomplete: bool,
}

pub(super) fn find(parts: &Parts<'_>) -> People {
    let sites = parts.head.site_names();
    let mut agencies = Vec::new();
    let mut rejected = Vec::new();
    let mut bylines: Vec<Byline> = Vec::new();
    let sources: Vec<String> = parts.labelled(Label::Source).map(|said| squeezed(&said.value)).collect();
    let called = parts.unlabelled().filter(|said| is_source(parts, said)).map(|said| squeezed(&said.value));
    let sources: Vec<String> = sources.into_iter().chain(called).collect();
    let mut credited = None;
    let mut add = |rank: u8, text: &str, origin: String, run: Option<usize>, whole: bool| {
        let mut names = Vec::new();
        if text.contains("://") {
            let why = "an address is no name".to_owned();
            return rejected.push(Rejected { value: text.to_owned(), origin, why });
        }
        let list = if whole { text.split(", ").map(str::to_owned).collect() } else { split(text) };
        for name in list {
            if is_agency(&name) {
                agencies.push(Candidate::new(20 + rank, name.clone(), origin.clone()));
                credited = credited.or(run);
            }
            let source =
                (rank > 0 && sources.contains(&squeezed(&name))).then_some("the page credits it as the source");
            match source.or_else(|| why_nobody(&name, &sites, rank)) {
                Some(why) => rejected.push(Rejected { value: name, origin: origin.clone(), why: why.to_owned() }),
                None => names.push(name),
            }
        }
        let incomplete = text.contains("외 ") || squeezed(text).ends_with("etal.");
        if !names.is_empty() {
            bylines.push(Byline { rank, text: text.to_owned(), names, origin, run, incomplete });
        }
    };
    let below = |said: &&Said| said.run < parts.lines.start;
    for said in parts.labelled(Label::Author).filter(|said| said.marked || below(said)) {
        add(
            u8::from(said.run >= parts.lines.end) * 2,
            &said.value,
            format!("label line {}", parts.line(said.run)),
            Some(said.run),
            false,
        );
    }
    for said in parts.unlabelled().filter(|said| is_byline(parts, said)) {
        add(1, &said.value, format!("byline, line {}", parts.line(said.run)), Some(said.run), false);
    }
    let (signed, signature) = sign_off(parts);
    if let Some((text, line)) = &signature {
        add(2, text, format!("line {line}, the sign-off"), None, false);
    }
    let visible = |name: &str| parts.said.iter().any(|said| squeezed(&said.value).contains(&squeezed(name)));
    let linked: Vec<_> = parts.head.linked.authors.iter().collect();
    if !linked.is_empty() {
        let people = linked.iter().filter(|author| !author.is_organisation).map(|author| author.name.as_str());
        let people = people.collect::<Vec<_>>().join(", ");
        add(if visible(&people) { 3 } else { 4 }, &people, "JSON-LD author".to_owned(), None, true);
        for agency in linked.iter().filter(|author| author.is_organisation && is_agency(&author.name)) {
            add(5, &agency.name, "JSON-LD author".to_owned(), None, true);
        }
    }
    for meta in parts.head.all(AUTHOR_METAS).take(20) {
        add(if visible(&meta.value) { 3 } else { 5 }, &meta.value, meta.origin.clone(), None, false);
    }
    // Where the page itself credits an agency, only a name beside it is the author's: other names are of other stories.
    if let Some(line) = credited {
        bylines.retain(|byline| byline.run.map_or(byline.rank <= 4, |run| run == line));
    }
    bylines.sort_by_key(|byline| byline.rank);
    let mut traces = Vec::new();
    let (byline, authors) = authors(bylines, rejected, &mut traces);
    let source = source(parts, agencies, &sites, &mut traces);
    let editors = editors(parts, &mut traces);
    People { byline, authors, editors, source, traces, signed }
}

/// The best byline; a longer list of the same people elsewhere completes it.
fn authors(bylines: Vec<Byline>, rejected: Vec<Rejected>, traces: &mut Vec<Trace>) -> (Option<String>, Vec<String>) {
    let mut bylines = bylines.into_iter();
    let Some(first) = bylines.next() else { return (None, Vec::new()) };
    let rest: Vec<Byline> = bylines.collect();
    let same = |name: &String, other: &Byline| other.names.iter().any(|known| squeezed(known) == squeezed(name));
    let fuller = rest.iter().find(|other| {
        other.names.len() > first.names.len()
            && (first.incomplete || other.rank <= 4)
            && first.names.iter().all(|name| same(name, other))
    });
    let chosen = fuller.unwrap_or(&first);
    let others = rest.iter().chain([&first]).filter(|other| other.names.iter().any(|name| !same(name, chosen)));
    let mut rejected = rejected;
    rejected.extend(others.map(|other| Rejected {
        value: other.text.clone(),
        origin: other.origin.clone(),
        why: format!("{} says otherwise", chosen.origin),
    }));
    let mut authors: Vec<String> = Vec::new();
    for name in &chosen.names {
        if !authors.contains(name) {
            authors.push(name.clone());
        }
    }
    let byline = chosen.text.clone();
    traces.push(Trace { field: Field::Byline, value: byline.clone(), origin: chosen.origin.clone(), rejected });
    for author in &authors {
        traces.push(Trace {
            field: Field::Author,
            value: author.clone(),
            origin: "the byline".into(),
            rejected: Vec::new(),
        });
    }
    (Some(byline), authors)
}

/// Whether a short text below the headline stands in an element for bylines.
fn is_byline(parts: &Parts<'_>, said: &Said) -> bool {
    let author = parts.dom.ancestors(said.node).take(3).any(|id| {
        super::meta::is_rel(parts.dom.attribute(id, "rel"), "author")
            || parts.dom.attribute(id, "itemprop") == Some("author")
    });
    let dated = !super::when::dates(&said.value).is_empty() || said.value.chars().any(|c| c.is_ascii_digit());
    !dated && (author || within_class(parts.dom, parts.dom.node(said.node).parent, 3, BYLINES))
}

/// A closing signature of the story's last sentence: where it begins, and the names with their line.
fn sign_off(parts: &Parts<'_>) -> (Option<usize>, Option<(String, u32)>) {
    let Some(last) = parts.lines.end.checked_sub(1) else { return (None, None) };
    let run = &parts.outline.runs[last];
    match signoff::read(&run.text, true) {
        Signoff::Signed(signed) => {
            let end = run.text[..signed.whole.start].trim_end_matches(is_blank).len();
            (Some(end), signed.byline.map(|range| (run.text[range].to_owned(), run.line)))
        }
        Signoff::None | Signoff::Remark(_) => (None, None),
    }
}

fn source(parts: &Parts<'_>, agencies: Vec<Candidate>, sites: &[String], traces: &mut Vec<Trace>) -> Option<String> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for said in parts.labelled(Label::Source) {
        let late = u8::from(said.run >= parts.lines.end);
        candidates.push(Candidate::new(late, said.value.clone(), format!("label line {}", parts.line(said.run))));
    }
    let dated: Vec<usize> =
        parts.unlabelled().filter(|said| !super::when::dates(&said.value).is_empty()).map(|said| said.run).collect();
    for said in parts.unlabelled().filter(|said| super::when::dates(&said.value).is_empty()) {
        let origin = format!("line {}", parts.line(said.run));
        let beside = dated.contains(&said.run);
        let own = sites.iter().any(|site| squeezed(site) == squeezed(&said.value));
        let called = is_source(parts, said);
        let candidate = if is_agency(&said.value) {
            Candidate::new(3, said.value.clone(), format!("{origin}, an agency"))
        } else if called {
            Candidate::new(2, said.value.clone(), format!("{origin}, an element for the source"))
        } else if beside && is_office(&said.value) {
            Candidate::new(4, said.value.clone(), format!("{origin}, beside the date"))
        } else {
            continue;
        };
        candidates.push(candidate.unless(own && !called, "the name of the site"));
    }
    candidates.extend(agencies);
    for meta in parts.head.all(SOURCE_METAS) {
        let address = meta.value.contains("://");
        candidates
            .push(Candidate::new(10, meta.value.clone(), meta.origin.clone()).unless(address, "an address is no name"));
    }
    for candidate in &mut candidates {
        if is_nobody(&candidate.value) {
            candidate.veto = Some("stands where a name should".to_owned());
        }
    }
    let trace = choose(Field::Source, candidates)?;
    let value = trace.value.clone();
    traces.push(trace);
    Some(value)
}

/// Whether a short text below the headline stands in an element for the source.
fn is_source(parts: &Parts<'_>, said: &Said) -> bool {
    let letters = said.value.chars().filter(|c| c.is_alphabetic()).count();
    let parent = parts.dom.node(said.node).parent;
    (2..=MAX_NAME).contains(&letters)
        && super::when::dates(&said.value).is_empty()
        && !said.value.contains(['：', ':'])
        && within_class(parts.dom, parent, 3, SOURCES)
}

fn editors(parts: &Parts<'_>, traces: &mut Vec<Trace>) -> Vec<String> {
    let mut editors: Vec<String> = Vec::new();
    let mut add = |name: &str, origin: String| {
        let name =
            name.trim_matches(|c: char| is_blank(c) || matches!(c, '[' | ']' | '(' | ')' | '（' | '）' | '【' | '】'));
        if name.is_empty() || editors.iter().any(|known| known == name) {
            return;
        }
        editors.push(name.to_owned());
        traces.push(Trace { field: Field::Editor, value: name.to_owned(), origin, rejected: Vec::new() });
    };
    for said in parts.labelled(Label::Editor) {
        for range in names::people(&said.value) {
            add(&said.value[range], format!("label line {}", parts.line(said.run)));
        }
    }
    if let Some(last) = parts.lines.end.checked_sub(1)
        && let Signoff::Signed(signed) = signoff::read(&parts.outline.runs[last].text, true)
        && let Some(range) = signed.editors
    {
        let text = &parts.outline.runs[last].text[range];
        for name in names::people(text) {
            add(&text[name], format!("line {}, the sign-off", parts.line(last)));
        }
    }
    for name in &parts.head.linked.editors {
        add(name, "JSON-LD editor".to_owned());
    }
    editors
}
