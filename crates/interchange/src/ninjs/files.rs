//! What goes with the text: pictures, video and audio, other language versions, the page on the web.

use article::ArticleId;
use serde_json::{Value, json};

use super::WEB;
use super::members::{items, member, number, preferred, text, texts};
use crate::shape::{File, Shape, web_url, words};

/// The width that a picture should have, in pixels: the widest rendition up to it is taken, for what agencies call
/// their original is made for print.
const WIDE_ENOUGH: u64 = 2000;

/// The article's own page, if a rendition is one.
pub(super) fn page(item: &Value) -> Option<&str> {
    let is_page = |rendition: &&Value| {
        text(rendition, &["name"]).is_some_and(|name| name.eq_ignore_ascii_case(WEB))
            || text(rendition, &["contentType", "mimetype"]).is_some_and(|kind| kind.starts_with("text/html"))
    };
    items(item, &["renditions"]).into_iter().find(is_page).and_then(|rendition| text(rendition, &["href"]))
}

/// Fills `associations` and `translations`.
pub(super) fn associated(shape: &mut Shape, document: &Value, headline: &str) {
    let (mut files, mut translations) = (Vec::new(), Vec::new());
    for item in items(document, &["associations"]) {
        let rel = text(item, &["rel"]).unwrap_or_default();
        match text(item, &["type"]) {
            Some("picture" | "graphic") => files.extend(file(shape, item, "picture", headline)),
            Some("video") => files.extend(file(shape, item, "video", headline)),
            Some("audio") => files.extend(file(shape, item, "audio", headline)),
            // ninjs has no word of its own for a document that is read beside the text.
            Some("component") => files.extend(file(shape, item, "document", headline)),
            _ if matches!(rel, "translation_of" | "has_translation") => translations.extend(translation(item, rel)),
            other => {
                let kind: String = other.unwrap_or("item without a type").chars().take(30).collect();
                shape.warn(format!("an associated {kind} is not taken over"));
            }
        }
    }
    shape.list("associations", files, 100);
    shape.list("translations", translations, 50);
}

fn translation(item: &Value, rel: &str) -> Option<Value> {
    let uri = text(item, &["uri"])?;
    let mut made = json!({ "language": text(item, &["language"])?, "rel": rel });
    match (uri.parse::<ArticleId>(), page(item).or(Some(uri)).and_then(web_url)) {
        (Ok(id), url) => {
            made["id"] = id.to_string().into();
            if let Some(url) = url {
                made["url"] = url.as_str().into();
            }
        }
        (Err(_), Some(url)) => made["url"] = url.as_str().into(),
        (Err(_), None) => return None,
    }
    Some(made)
}

fn file(shape: &mut Shape, item: &Value, kind: &'static str, headline: &str) -> Option<Value> {
    let rendition = rendition(item);
    // Some senders put the file's address where its identity belongs.
    let uri = rendition.and_then(|rendition| text(rendition, &["href"])).or(text(item, &["uri"]))?;
    let descriptions = texts(item, "descriptions", "description");
    let alt =
        descriptions.iter().find(|text| ["alttext", "alt_text", "alt"].contains(&text.role.to_lowercase().as_str()));
    let others: Vec<_> = descriptions.iter().filter(|text| !["creditline", "byline"].contains(&text.role)).collect();
    let caption = others
        .iter()
        .find(|text| ["caption", "main"].contains(&text.role))
        .or_else(|| others.iter().find(|text| alt.is_none_or(|alt| !std::ptr::eq(**text, alt))));
    let caption = caption.map(|text| if text.is_html() { words(text.value) } else { text.value.to_owned() });
    let name = preferred(&texts(item, "headlines", "headline"), &["main"]).map(|text| text.value.to_owned());
    let of = |name: &str| rendition.and_then(|rendition| number(rendition, name));
    let file = File {
        kind,
        uri,
        mime: rendition.and_then(|rendition| text(rendition, &["contentType", "mimetype"])),
        width: of("width"),
        height: of("height"),
        size: of("sizeInBytes"),
        alt_text: alt.map(|text| text.value),
        caption: caption.as_deref(),
        credit: text(item, &["by", "byline"]).or(text(item, &["copyrightHolder"])),
        usage_terms: text(item, &["usageTerms"]),
    };
    shape.file(&file, name.as_deref().unwrap_or(headline))
}

fn rendition(item: &Value) -> Option<&Value> {
    let on_the_web = |rendition: &&Value| text(rendition, &["href"]).is_some_and(|href| web_url(href).is_some());
    let all: Vec<&Value> = items(item, &["renditions"]).into_iter().filter(on_the_web).collect();
    let width = |rendition: &&&Value| member(rendition, &["width"]).and_then(Value::as_u64).unwrap_or(0);
    let fitting = all.iter().filter(|rendition| width(rendition) <= WIDE_ENOUGH).max_by_key(width);
    let fitting = fitting.filter(|rendition| width(rendition) > 0);
    fitting
        .or_else(|| all.iter().find(|rendition| width(rendition) == 0))
        .or_else(|| all.iter().min_by_key(width))
        .copied()
}
