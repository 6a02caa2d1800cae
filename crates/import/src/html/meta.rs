//! What a page says of itself in its head: `meta` tags, titles, addresses, languages, JSON-LD.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;
use url::Url;

use super::dom::{Dom, ROOT};
use super::linked::{self, Linked};
use super::parse::is_linked_data;
use super::picture::resolve;
use crate::fold::Folded;

/// Most `meta` tags read: real pages have up to a hundred.
const MAX_METAS: usize = 500;
/// Most names that one `meta` tag gives its value.
const MAX_NAMES: usize = 8;
/// Longest value read, in bytes: a headline in many scripts, not a novel.
const MAX_VALUE: usize = 4096;
/// Most blocks of JSON-LD read.
const MAX_BLOCKS: usize = 32;
/// Longest name of a site, in bytes, and most of them: every name on the page is compared with each.
const MAX_SITE: usize = 200;
const MAX_SITES: usize = 16;

/// A `meta` tag with a name and a value.
pub(super) struct Meta {
    /// Lower case, without white space: `og:title`, `pubdate`.
    pub(super) name: String,
    pub(super) value: String,
    /// `meta og:title`, `itemprop datePublished`.
    pub(super) origin: String,
}

pub(super) struct Head {
    pub(super) metas: Vec<Meta>,
    pub(super) title: Option<String>,
    /// `rel=canonical` as written.
    pub(super) canonical: Option<String>,
    pub(super) base: Option<String>,
    /// Languages as declared, the best first, each with where.
    pub(super) languages: Vec<(String, String)>,
    pub(super) linked: Linked,
}

impl Head {
    pub(super) fn read(dom: &Dom) -> Self {
        let mut head = Self {
            metas: Vec::new(),
            title: None,
            canonical: None,
            base: None,
            languages: Vec::new(),
            linked: Linked::default(),
        };
        let mut blocks = 0;
        for id in dom.descendants(ROOT) {
            let Some(element) = dom.element(id) else { continue };
            match &*element.name {
                "html" => {
                    let lang = dom.attribute(id, "lang").or_else(|| dom.attribute(id, "xml:lang"));
                    head.languages.extend(lang.map(|lang| (lang.trim().to_owned(), "html lang".to_owned())));
                }
                // An icon drawn in SVG may have a title, too.
                "title" if head.title.is_none() => head.title = squeeze(&dom.text(id)),
                "base" if head.base.is_none() => head.base = dom.attribute(id, "href").map(str::to_owned),
                "link" if is_rel(dom.attribute(id, "rel"), "canonical") && head.canonical.is_none() => {
                    head.canonical = dom.attribute(id, "href").map(str::to_owned);
                }
                "meta" if head.metas.len() < MAX_METAS => head.meta(dom, id),
                "script" if blocks < MAX_BLOCKS && is_linked_data(element) => {
                    blocks += 1;
                    linked::read(&dom.text(id), &mut head.linked);
                }
                _ => {}
            }
        }
        for meta in head.metas.iter().filter(|meta| matches!(&*meta.name, "content-language" | "language")) {
            head.languages.push((meta.value.clone(), meta.origin.clone()));
        }
        head.languages.extend(head.linked.language.iter().map(|tag| (tag.clone(), "JSON-LD inLanguage".to_owned())));
        for meta in head.metas.iter().filter(|meta| meta.name == "og:locale") {
            head.languages.push((meta.value.replace('_', "-"), meta.origin.clone()));
        }
        head
    }

    fn meta(&mut self, dom: &Dom, id: super::dom::Id) {
        let Some(value) = dom.attribute(id, "content").and_then(squeeze) else { return };
        for kind in ["property", "name", "itemprop", "http-equiv"] {
            let Some(names) = dom.attribute(id, kind) else { continue };
            // RDFa and microdata allow several names; government systems have blanks in one.
            let names: Vec<&str> =
                if kind == "itemprop" { names.split_whitespace().take(MAX_NAMES).collect() } else { vec![names] };
            for name in names {
                let written: String = name.chars().filter(|c| !c.is_whitespace()).take(80).collect();
                let tag = if kind == "itemprop" { "itemprop" } else { "meta" };
                self.metas.push(Meta {
                    name: written.to_ascii_lowercase(),
                    value: value.clone(),
                    origin: format!("{tag} {written}"),
                });
            }
        }
        if dom.attribute(id, "name") == Some("parsely-page")
            && let Ok(page) = serde_json::from_str::<Value>(&value)
        {
            for (key, name) in [
                ("title", "headline"),
                ("pub_date", "datepublished"),
                ("section", "article:section"),
                ("author", "author"),
            ] {
                if let Some(value) = page[key].as_str() {
                    let origin = format!("meta parsely-page {key}");
                    self.metas.push(Meta { name: name.to_owned(), value: value.to_owned(), origin });
                }
            }
        }
    }

    /// The tags with one of `names`, in the order of `names`.
    pub(super) fn all<'h>(&'h self, names: &'h [&str]) -> impl Iterator<Item = &'h Meta> {
        names.iter().flat_map(|name| self.metas.iter().filter(move |meta| meta.name == *name))
    }

    /// What the site calls itself, everywhere it says so, for comparing: folded.
    pub(super) fn site_names(&self) -> Vec<String> {
        let names =
            self.all(&["og:site_name", "sitename", "application-name", "publisher", "copyright", "article:publisher"]);
        let tail = self.title.as_deref().and_then(|title| title.rsplit(['|', '-', '–', '—', '_', '»']).next());
        let tail = tail.filter(|tail| Some(*tail) != self.title.as_deref());
        let names = names.map(|meta| meta.value.as_str()).chain(self.linked.publisher.as_deref()).chain(tail);
        let names = names.map(|name| name.trim_start_matches('©').trim()).filter(|name| name.len() <= MAX_SITE);
        let mut found: Vec<String> = Vec::new();
        for name in names.map(|name| Folded::new(name).text) {
            if found.len() < MAX_SITES && !found.contains(&name) {
                found.push(name);
            }
        }
        found
    }

    /// The page's own address and where it says so: the caller's, `rel=canonical`, `og:url`.
    pub(super) fn address(&self, given: Option<&Url>) -> Vec<(Url, String)> {
        let mut found: Vec<(Url, String)> = given.map(|url| (url.clone(), "--url".to_owned())).into_iter().collect();
        let canonical = self.canonical.as_deref().map(|url| (url, "link rel=canonical".to_owned()));
        let graph = self.all(&["og:url"]).map(|meta| (meta.value.as_str(), meta.origin.clone()));
        found.extend(
            canonical.into_iter().chain(graph).filter_map(|(url, origin)| Some((resolve(url, given)?, origin))),
        );
        found
    }

    /// What relative addresses resolve against.
    pub(super) fn base(&self, given: Option<&Url>) -> Option<Url> {
        let page = self.address(given).into_iter().next().map(|(url, _)| url);
        self.base.as_deref().and_then(|base| resolve(base, page.as_ref())).or(page)
    }
}

/// One line, or nothing.
pub(super) fn squeeze(text: &str) -> Option<String> {
    let words = text.split(|c: char| c.is_ascii_whitespace()).filter(|word| !word.is_empty());
    // Metadata is made by programs, some of which take letters and accents apart.
    let text: String = words.collect::<Vec<_>>().join(" ").nfc().collect();
    let text = text.trim_matches(crate::lines::is_blank);
    (!text.is_empty() && text.len() <= MAX_VALUE).then(|| text.to_owned())
}

pub(super) fn is_rel(rel: Option<&str>, wanted: &str) -> bool {
    rel.is_some_and(|rel| rel.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case(wanted)))
}
