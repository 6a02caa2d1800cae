//! The elements of an item: what each of them says, or holds.

use super::absolute::Resolver;
use super::item::ItemWriter;
use super::names::{Meaning, Vocabulary, lower, meaning};
use super::{Inside, Mender};
use crate::scan::Tag;
use url::Url;

impl<'a> Mender<'a> {
    pub(super) fn start_in_item(&mut self, tag: &Tag<'a>, vocabulary: Vocabulary, local: &str) {
        let meaning = meaning(vocabulary, local);
        let depth = self.open.len();
        let base = self.base();
        let Some((_, item)) = &mut self.item else { return };
        let inside = match meaning {
            Meaning::Nothing => Inside::Nothing,
            Meaning::Link => {
                let Some(href) = tag.attribute("href").or_else(|| tag.attribute("rdf:resource")) else {
                    return self.begin_leaf(tag, vocabulary, local, meaning);
                };
                let mut attributes = vec![("href", self.resolver.absolute(&base, &href))];
                for name in ["rel", "type", "title", "length"] {
                    attributes.extend(tag.attribute(name).map(|value| (name, value.into_owned())));
                }
                let attributes: Vec<(&str, &str)> = attributes.iter().map(|(name, value)| (*name, &**value)).collect();
                item.link(&attributes);
                Inside::Nothing
            }
            Meaning::Enclosure => {
                if let Some(url) = tag.attribute("url").or_else(|| tag.attribute("href")) {
                    let url = self.resolver.absolute(&base, &url);
                    let mime = tag.attribute("type").unwrap_or_default();
                    let length = tag.attribute("length").unwrap_or_default();
                    item.link(&[("href", &*url), ("rel", "enclosure"), ("type", &*mime), ("length", &*length)]);
                }
                Inside::Nothing
            }
            Meaning::Category => {
                let Some(term) = tag.attribute("term").filter(|term| !term.trim().is_empty()) else {
                    return self.begin_leaf(tag, vocabulary, local, meaning);
                };
                item.category(&term, tag.attribute("scheme").as_deref(), tag.attribute("label").as_deref());
                Inside::Nothing
            }
            Meaning::Source => {
                let parts = tag.attribute("url").map(|url| ("url".into(), url.into_owned())).into_iter().collect();
                Inside::Parts { of: meaning, field: String::new(), parts }
            }
            Meaning::Person => Inside::Parts { of: meaning, field: String::new(), parts: Vec::new() },
            Meaning::Media => {
                media_start(item, local, tag, &base, &self.resolver);
                Inside::Media
            }
            _ => {
                if matches!(meaning, Meaning::Id(_)) {
                    item.notes.guid_is_no_link =
                        tag.attribute("isPermaLink").is_some_and(|word| word.trim().eq_ignore_ascii_case("false"));
                }
                if matches!(meaning, Meaning::Content(_)) && self.bases.last().is_some_and(|(at, _)| *at == depth) {
                    item.notes.base = Some(Url::clone(&base));
                }
                return self.begin_leaf(tag, vocabulary, local, meaning);
            }
        };
        self.inside = Some((depth, inside));
    }

    pub(super) fn media_end(&mut self, name: &str) {
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        if self.prefixes.named(prefix) == Vocabulary::Media
            && let Some((_, item)) = &mut self.item
        {
            item.media_end(&lower(local));
        }
    }
}

/// Media RSS with what feed-rs refuses a whole item for put right.
pub(super) fn media_start(item: &mut ItemWriter, local: &str, tag: &Tag<'_>, base: &Url, resolver: &Resolver) {
    let is_text = matches!(local, "title" | "description");
    let mut attributes = Vec::new();
    for (name, value) in tag.attributes() {
        match name {
            "type" if is_text && !matches!(&*value, "plain" | "html") => {}
            "url" => attributes.push((name, resolver.absolute(base, &value))),
            _ if name.starts_with("xml") => {}
            _ => attributes.push((name, value.into_owned())),
        }
    }
    let attributes: Vec<(&str, &str)> = attributes.iter().map(|(name, value)| (*name, &**value)).collect();
    item.media_start(local, &attributes);
    if is_text {
        item.media_text(" ");
    }
}
