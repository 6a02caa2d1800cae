//! The section of a story: the innermost step of the way to it, a label, or what its template says.

use super::page::Parts;
use super::said::Label;
use super::words::{squeezed, within_class};
use super::{Candidate, choose};
use crate::imported::{Field, Trace};
use crate::lines::is_blank;

/// Words in the class of a breadcrumb.
const CRUMBS: &[&str] = &[
    "breadcrumb",
    "breadcrumbs",
    "crumb",
    "crumbs",
    "path",
    "location",
    "position",
    "bread",
    "brea",
    "bc",
    "weizhi",
    "curpos",
];
/// Words in the class of an element that names the section.
const SECTIONS: &[&str] =
    &["section", "category", "catalog", "rubric", "kicker", "upperdek", "channel", "lanmu", "slug", "topic", "ressort"];
/// Steps that are no section, squeezed.
const NO_SECTION: &[&str] = &[
    "首页",
    "网站首页",
    "主页",
    "正文",
    "内容",
    "文章",
    "详情",
    "新闻详情",
    "home",
    "homepage",
    "content",
    "text",
    "article",
    "start",
    "startseite",
    "accueil",
    "inicio",
    "portada",
    "ホーム",
    "トップ",
    "홈",
    "الرئيسية",
    "главная",
    "anasayfa",
    "haberler",
    "news",
    "当前位置",
    "您的位置",
    "您当前的位置",
    "你的位置",
    "youarehere",
    "您所在的位置",
    "undefined",
    "打印",
    "字号",
    "none",
];
/// Longest name of a section, in characters.
const MAX_NAME: usize = 40;

pub(super) fn find(parts: &Parts<'_>) -> Option<Trace> {
    let headline = parts.headline.as_ref().map(|headline| squeezed(&headline.trace.value)).unwrap_or_default();
    let sites = parts.head.site_names();
    let why = |name: &str| {
        let bare = squeezed(name);
        if bare.is_empty() || name.chars().count() > MAX_NAME || !name.chars().any(char::is_alphabetic) {
            Some("no name of a section")
        } else if NO_SECTION.contains(&bare.as_str()) {
            Some("a step of every page")
        } else if bare == headline || (bare.chars().count() > 8 && headline.starts_with(&bare)) {
            Some("the headline itself")
        } else if sites.iter().any(|site| squeezed(site) == bare) {
            Some("the name of the site")
        } else {
            None
        }
    };
    let mut candidates = Vec::new();
    let mut add = |rank: u8, name: &str, origin: String| {
        let name =
            name.trim_matches(|c: char| is_blank(c) || matches!(c, '>' | '›' | '»' | '—' | '-' | '/' | ':' | '：'));
        let candidate = Candidate::new(rank, name.to_owned(), origin);
        candidates.push(match why(name) {
            Some(why) => candidate.unless(true, why),
            None => candidate,
        });
    };
    for (line, steps) in crumbs(parts) {
        // The innermost step first: what follows it is only worth showing.
        let mut inner = steps.iter().rev().filter(|step| why(step).is_none());
        if let Some(step) = inner.next().filter(|_| steps.len() > 1) {
            add(0, step, format!("breadcrumb, line {line}"));
        }
    }
    for said in parts.labelled(Label::Section) {
        add(2, &said.value, format!("label line {}", parts.line(said.run)));
    }
    let linked = &parts.head.linked;
    for step in linked.crumbs.iter().rev().filter(|_| linked.crumbs.len() > 1) {
        add(1, step, "JSON-LD breadcrumb".to_owned());
    }
    let government = ["columnname", "lanmu"];
    for meta in parts.head.all(&government) {
        add(3, &meta.value, meta.origin.clone());
    }
    let near: Vec<(usize, &str)> =
        parts.above.clone().map(|run| (run, parts.outline.runs[run].text.as_str())).collect();
    let visible = |name: &str| {
        let bare = squeezed(name);
        near.iter().any(|(_, text)| squeezed(text) == bare)
            || parts.unlabelled().any(|said| squeezed(&said.value) == bare)
    };
    for meta in parts.head.all(&["article:section", "section", "articlesection"]) {
        add(if visible(&meta.value) { 4 } else { 6 }, &meta.value, meta.origin.clone());
    }
    if let Some(section) = &linked.section {
        add(if visible(section) { 4 } else { 7 }, section, "JSON-LD articleSection".to_owned());
    }
    for said in parts.unlabelled().filter(|said| super::when::dates(&said.value).is_empty()) {
        if within_class(parts.dom, parts.dom.node(said.node).parent, 3, SECTIONS) {
            add(5, &said.value, format!("line {}, an element for the section", parts.line(said.run)));
        }
    }
    for (run, text) in near.iter().rev() {
        let block = parts.outline.runs[*run].block;
        if within_class(parts.dom, block, 3, SECTIONS) && !super::words::is_furniture(parts.dom, block) {
            add(5, text, format!("line {}, an element for the section", parts.line(*run)));
        }
    }
    choose(Field::Section, candidates)
}

/// Breadcrumbs as steps, with their lines: lines with arrows between links, and lists that say what they are.
fn crumbs(parts: &Parts<'_>) -> Vec<(u32, Vec<String>)> {
    const ARROWS: [char; 6] = ['>', '＞', '»', '›', '→', '≫'];
    let mut found: Vec<(u32, Vec<String>)> = Vec::new();
    let mut list: Option<(super::dom::Id, usize)> = None;
    let shown = parts.headline.as_ref().map(|headline| headline.lines.start).filter(|at| *at > 0);
    let end = shown.unwrap_or(parts.lines.start).min(parts.lines.start);
    for (at, run) in parts.outline.runs.iter().enumerate().take(end) {
        let element = std::iter::once(run.block)
            .chain(parts.dom.ancestors(run.block))
            .take(4)
            .filter(|id| !matches!(parts.dom.name(*id), "html" | "body"))
            .find(|id| within_class(parts.dom, *id, 1, CRUMBS));
        let links = run.linked > 0;
        let label = crate::labels::marks(&run.text)
            .first()
            .is_some_and(|segment| segment.kind == crate::labels::Kind::Location);
        if run.letters > 120
            || !(label || (run.text.contains(ARROWS) && (links || element.is_some())) || element.is_some())
        {
            continue;
        }
        let text = match crate::labels::marks(&run.text).first() {
            Some(segment) if segment.kind == crate::labels::Kind::Location => &run.text[segment.value.clone()],
            _ => run.text.as_str(),
        };
        let mut steps: Vec<String> = Vec::new();
        if text.contains(ARROWS) {
            // What stands before the first link of a line is no step of the way.
            let steps_of = text.split(ARROWS).map(|step| step.trim_matches(crate::labels::is_separator).to_owned());
            steps.extend(steps_of.filter(|step| !step.is_empty()));
        } else {
            steps.extend(run.texts().map(|(_, text)| text.to_owned()).filter(|text| !text.is_empty()));
        }
        match (element, list) {
            // A list has each step on a line of its own.
            (Some(element), Some((known, index))) if element == known => found[index].1.extend(steps),
            _ => {
                list = element.map(|element| (element, found.len()));
                found.push((parts.line(at), steps));
            }
        }
    }
    // The nearest to the story leads.
    found.reverse();
    found
}
