//! An item as the draft of an article.

use article::{MAX_BODY_BYTES, MAX_FUTURE, Precision, is_blank};
use jiff::Timestamp;
use oxilangtag::LanguageTag;
use serde_json::{Map, Value, json};
use thiserror::Error;
use unicode_segmentation::UnicodeSegmentation;
use url::Url;

use crate::html::{safe, words, words_of};
use crate::item::{Feed, Item, Markup, Media};
use crate::text::{head, line};

/// Graphemes of a headline (`article::Draft`).
const MAX_HEADLINE: usize = 300;

/// Graphemes of a headline that is made of the text, for want of a title.
const MADE_HEADLINE: usize = 120;

/// Characters of a summary.
const MAX_SUMMARY: usize = 1000;

/// The longest address, in bytes once encoded.
const MAX_ADDRESS: usize = 2048;

/// The most bytes of markup given to the sanitiser for one body.
const MAX_MARKUP: usize = 4 * MAX_BODY_BYTES;

/// The most bytes that a body may become while its addresses are made absolute: each of them may grow by the base.
const MAX_GROWN: usize = 16 * MAX_BODY_BYTES;

/// What the newsroom has decided about a feed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DraftOptions {
    /// What to call it, instead of its own title.
    pub name: Option<String>,
    /// The language of items that do not say it, nor does their feed; a BCP 47 tag.
    pub language: String,
    /// Where its articles go.
    pub section: Vec<String>,
}

/// Why an item makes no article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Undraftable {
    #[error("it has neither a title nor any text")]
    Empty,
    #[error("the feed breaks off in the middle of it")]
    CutOff,
    #[error("its text has more than {MAX_BODY_BYTES} bytes once sanitised")]
    TooLong,
}

impl Item {
    /// What `article::Draft::from_json` takes: body sanitised, addresses absolute, everything within its bounds.
    ///
    /// The headline is the title; without one, the first sentence of the text. What there is of text is the body:
    /// content, else summary, else the headline. A publication date more than 48 hours ahead is left out.
    ///
    /// # Errors
    /// Nothing to publish, or more than an article may have.
    pub fn draft(&self, feed: &Feed, options: &DraftOptions, now: Timestamp) -> Result<Value, Undraftable> {
        if self.cut_off {
            return Err(Undraftable::CutOff);
        }
        let body = self.body()?;
        let headline = match self.title.as_ref().filter(|title| !is_blank(title)) {
            Some(title) => cut(title, MAX_HEADLINE),
            None => first_sentence(&words(&body)).ok_or(Undraftable::Empty)?,
        };
        let body = if body.is_empty() { article::paragraphs_to_html(&[&headline]) } else { body };
        let mut draft = Map::new();
        draft.insert("language".into(), self.language(feed, options).into());
        let summary = self.summary.as_ref().filter(|_| self.content.is_some()).map(words_of);
        let says_more = |summary: &String| !is_blank(summary) && *summary != headline && *summary != words(&body);
        if let Some(summary) = summary.filter(says_more) {
            draft.insert("summary".into(), cut(&summary, MAX_SUMMARY).into());
        }
        draft.insert("body".into(), body.into());
        self.names(feed, options, &mut draft);
        if let Some(link) = self.link.as_ref().filter(|link| is_publishable(link)) {
            draft.insert("canonical_url".into(), link.as_str().into());
        }
        if let Some(guid) = self.guid.as_deref().filter(|guid| !is_blank(guid) && guid.graphemes(true).count() <= 1000)
        {
            draft.insert("alt_ids".into(), json!([{ "role": "guid", "value": guid }]));
        }
        if let Some(published) = self.published(now) {
            draft.insert("published".into(), published);
        }
        let keywords = self.keywords();
        if !keywords.is_empty() {
            draft.insert("keywords".into(), keywords.into());
        }
        if !options.section.is_empty() {
            draft.insert("section".into(), options.section.clone().into());
        }
        let associations: Vec<Value> = self.media.iter().filter_map(|media| association(media, &headline)).collect();
        if !associations.is_empty() {
            draft.insert("associations".into(), associations.into());
        }
        draft.insert("headline".into(), headline.into());
        Ok(draft.into())
    }

    /// The sanitised body, empty if there is none.
    fn body(&self) -> Result<String, Undraftable> {
        for markup in [&self.content, &self.summary].into_iter().flatten() {
            let (Markup::Html(raw) | Markup::Text(raw)) = markup;
            let base = self.base.as_ref().map_or(0, |base| base.as_str().len());
            let grown = raw.len() + base * memchr::memchr_iter(b'=', raw.as_bytes()).count();
            if raw.len() > MAX_MARKUP || grown > MAX_GROWN {
                return Err(Undraftable::TooLong);
            }
            let body = safe(markup, self.base.as_ref());
            if body.len() > MAX_BODY_BYTES {
                return Err(Undraftable::TooLong);
            }
            if !body.is_empty() {
                return Ok(body);
            }
        }
        Ok(String::new())
    }

    /// The first that is a language tag: the item's, the feed's, the newsroom's for this feed.
    fn language(&self, feed: &Feed, options: &DraftOptions) -> String {
        let written = [self.language.as_deref(), feed.language.as_deref()].into_iter().flatten();
        let tag = |text: &str| LanguageTag::parse_and_normalize(&text.trim().replace('_', "-")).ok();
        let known = |tag: &LanguageTag<String>| tag.primary_language() != "und" && tag.primary_language() != "x";
        written.filter_map(tag).find(known).map_or_else(|| options.language.clone(), LanguageTag::into_inner)
    }

    fn names(&self, feed: &Feed, options: &DraftOptions, draft: &mut Map<String, Value>) {
        let authors = if self.authors.is_empty() { &feed.authors } else { &self.authors };
        let named = |name: &str, url: Option<&Url>| {
            let mut named = json!({ "name": cut(name, MAX_HEADLINE) });
            if let Some(url) = url.filter(|url| is_publishable(url)) {
                named["url"] = url.as_str().into();
            }
            named
        };
        let authors: Vec<&crate::Author> = authors.iter().filter(|author| !is_blank(&author.name)).collect();
        if !authors.is_empty() {
            let names: Vec<&str> = authors.iter().map(|author| author.name.as_str()).collect();
            draft.insert("byline".into(), cut(&names.join(", "), MAX_HEADLINE).into());
            let contributor = |author: &&crate::Author| {
                let mut contributor = json!({ "name": cut(&author.name, MAX_HEADLINE), "role": "author" });
                if let Some(url) = author.url.as_ref().filter(|url| is_publishable(url)) {
                    contributor["uri"] = url.as_str().into();
                }
                contributor
            };
            draft.insert("contributors".into(), authors.iter().take(50).map(contributor).collect());
        }
        let mut sources = Vec::new();
        if let Some(source) = self.source.as_ref().filter(|source| !is_blank(&source.title)) {
            sources.push(named(&source.title, source.url.as_ref()));
        }
        let own = options.name.as_deref().or(feed.title.as_deref()).map(line).filter(|name| !is_blank(name));
        if let Some(name) = own {
            let mut own = named(&name, feed.home.as_ref());
            own["role"] = "publisher".into();
            sources.push(own);
        }
        if !sources.is_empty() {
            draft.insert("sources".into(), sources.into());
        }
    }

    fn published(&self, now: Timestamp) -> Option<Value> {
        const FIRST_YEAR: i16 = 1600;
        let date = self.published.as_ref().or(self.updated.as_ref())?;
        let zoned = date.at.to_zoned(jiff::tz::TimeZone::fixed(date.offset.unwrap_or(jiff::tz::Offset::UTC)));
        if zoned.year() < FIRST_YEAR || date.at > now + MAX_FUTURE {
            return None;
        }
        let at = match date.precision {
            Precision::Date => zoned.strftime("%Y-%m-%d"),
            Precision::Minute => zoned.strftime("%Y-%m-%dT%H:%M"),
            Precision::Second => zoned.strftime("%Y-%m-%dT%H:%M:%S"),
        };
        Some(json!({ "at": at.to_string(), "tz": date.zone() }))
    }

    fn keywords(&self) -> Vec<String> {
        let mut keywords: Vec<String> = Vec::new();
        for category in &self.categories {
            let keyword = category.label.as_deref().unwrap_or(&category.term);
            // A category may be an address in some scheme: nothing that a reader would look for.
            let fits = !is_blank(keyword) && keyword.graphemes(true).count() <= 120 && !keyword.contains("://");
            if fits && keywords.len() < 20 && !keywords.iter().any(|known| known == keyword) {
                keywords.push(keyword.into());
            }
        }
        keywords
    }
}

fn is_publishable(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.as_str().len() <= MAX_ADDRESS
}

/// A file, if it is clear what it is. A picture that nobody describes is described by the headline it stands under.
fn association(media: &Media, headline: &str) -> Option<Value> {
    if !is_publishable(&media.url) {
        return None;
    }
    let mime = media.mime.as_deref().and_then(mime).or_else(|| by_ending(&media.url).map(Into::into))?;
    let kind = match mime.split('/').next()? {
        "image" => "picture",
        "video" => "video",
        "audio" => "audio",
        _ => "document",
    };
    let mut association = json!({ "type": kind, "uri": media.url.as_str() });
    if !mime.ends_with("/*") {
        association["mime"] = mime.into();
    }
    let mut texts = [media.description.as_deref(), media.title.as_deref()].into_iter().flatten();
    let described = texts.find(|text| !is_blank(text));
    if kind == "picture" {
        association["alt_text"] = cut(described.unwrap_or(headline), 1000).into();
    }
    if let Some(caption) = described {
        association["caption"] = cut(caption, 2000).into();
    }
    if let Some(credit) = media.credit.as_ref().filter(|credit| !is_blank(credit)) {
        association["credit"] = cut(credit, MAX_HEADLINE).into();
    }
    for (name, pixels) in [("width", media.width), ("height", media.height)] {
        if let Some(pixels @ 1..=100_000) = pixels {
            association[name] = pixels.into();
        }
    }
    if let Some(size @ 1..=0x100_0000_0000) = media.size {
        association["size"] = size.into();
    }
    Some(association)
}

/// A media type in its plain form, without parameters.
fn mime(written: &str) -> Option<String> {
    let mime = written.split(';').next()?.trim().to_ascii_lowercase();
    let is_token =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b));
    let (kind, name) = mime.split_once('/')?;
    (is_token(kind) && (is_token(name) || name == "*") && mime.len() <= 127).then_some(mime)
}

fn by_ending(url: &Url) -> Option<&'static str> {
    let ending = url.path().rsplit_once('.')?.1.to_ascii_lowercase();
    let mime = match ending.as_str() {
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "mp3" => "audio/mpeg",
        "m4a" => "audio/mp4",
        "ogg" | "oga" => "audio/ogg",
        "mp4" | "m4v" => "video/mp4",
        "webm" => "video/webm",
        "pdf" => "application/pdf",
        _ => return None,
    };
    Some(mime)
}

/// The first sentence of a text, or as much of it as a headline has.
fn first_sentence(text: &str) -> Option<String> {
    let start = head(text, 4096);
    let sentence = start.split_sentence_bounds().find(|sentence| sentence.chars().any(char::is_alphanumeric))?;
    Some(cut(&line(sentence), MADE_HEADLINE)).filter(|sentence| !sentence.is_empty())
}

/// The first `max` graphemes of a line, with an ellipsis in place of what is cut, at the end of a word if one is near.
fn cut(text: &str, max: usize) -> String {
    let Some((end, _)) = text.grapheme_indices(true).nth(max) else { return text.into() };
    let last = text[..end].grapheme_indices(true).next_back().map_or(0, |(at, _)| at);
    let kept = &text[..last];
    let word = kept.rfind(' ').filter(|space| *space > last / 2);
    format!("{}…", kept[..word.unwrap_or(last)].trim_end())
}

#[cfg(test)]
mod tests;
