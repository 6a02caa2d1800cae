//! An article as ninjs 3.1.

use article::{Article, Association, AssociationKind, ChangeKind, Status, TranslationRel, to_text};
use serde_json::{Map, Value, json};

use super::{MEDIA_TOPICS, SECTION, WEB};

/// The article as a ninjs 3.1 document.
///
/// Withdrawn and killed articles are `canceled` and have no text, only the note for readers; what is under embargo or
/// held is `withheld`, and so is a rehearsal, which ninjs has no word for. The editors' note and `ext` are never in it.
pub fn write(article: &Article) -> Value {
    let is_notice = matches!(article.status, Status::Withdrawn | Status::Killed | Status::Unknown);
    let status = match article.status {
        Status::Published if !article.test => "usable",
        Status::Published | Status::Embargoed | Status::Held => "withheld",
        Status::Withdrawn | Status::Killed | Status::Unknown => "canceled",
    };
    let published = article.published.as_ref().map(|published| published.rfc3339());
    let mut item = Map::new();
    for (name, value) in [
        ("uri", json!(article.id.to_string())),
        ("type", json!("text")),
        ("representationType", json!(if is_notice { "partial" } else { "full" })),
        ("version", json!(article.revision.to_string())),
        ("firstCreated", json!(article.first_created.to_string())),
        ("versionCreated", json!(article.version_created.to_string())),
        ("contentCreated", json!(published)),
        ("embargoedUntil", json!(article.embargoed_until.map(|at| at.to_string()))),
        ("expires", json!(article.expires_at.map(|at| at.to_string()))),
        ("pubStatus", json!(status)),
        ("urgency", json!(article.urgency)),
        ("language", json!(article.language)),
        ("headlines", json!([{ "role": "main", "contentType": "text/plain", "value": article.headline }])),
        ("descriptions", descriptions(article, is_notice)),
        ("subjects", subjects(article)),
        ("altIds", article.alt_ids.iter().map(|id| json!({ "role": id.role, "value": id.value })).collect()),
        (
            "standard",
            json!({
                "name": "ninjs", "version": "3.1", "schema": "http://www.iptc.org/std/ninjs/ninjs-schema_3.1.json",
            }),
        ),
    ] {
        item.insert(name.into(), value);
    }
    if !is_notice {
        text(&mut item, article);
    }
    item.retain(|_, value| !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty()));
    Value::Object(item)
}

fn descriptions(article: &Article, is_notice: bool) -> Value {
    let note = |role: &str, text: &str| json!({ "role": role, "contentType": "text/plain", "value": text });
    if is_notice {
        return article.change.note.iter().map(|text| note("notice", text)).collect();
    }
    let summary = article.summary.iter().map(|text| note("summary", text));
    let corrections = article.corrections.iter().map(|correction| note("correction", &correction.note));
    // The note of a correction is among the corrections already.
    let own = article.change.note.iter().filter(|_| article.change.kind != ChangeKind::Correction);
    summary.chain(corrections).chain(own.map(|text| note("notice", text))).collect()
}

fn text(item: &mut Map<String, Value>, article: &Article) {
    let bodies: Vec<Value> = article
        .body
        .iter()
        .flat_map(|body| {
            [
                json!({ "role": "html", "contentType": "text/html", "value": body }),
                json!({ "role": "text", "contentType": "text/plain", "value": to_text(body) }),
            ]
        })
        .collect();
    let page =
        article.canonical_url.as_ref().map(|url| json!([{ "name": WEB, "href": url, "contentType": "text/html" }]));
    for (name, value) in [
        ("bodies", json!(bodies)),
        ("by", json!(article.byline)),
        ("infoSources", parties(article)),
        ("located", json!(article.located)),
        ("slugline", json!(article.slugline)),
        ("genres", json!(article.genre.iter().map(|uri| json!({ "uri": uri })).collect::<Vec<_>>())),
        ("copyrightHolder", json!(article.copyright_holder)),
        ("copyrightNotice", json!(article.copyright_notice)),
        ("usageTerms", json!(article.usage_terms)),
        ("rightsInfo", json!(article.rights_url.as_ref().map(|url| json!({ "linkedRights": url })))),
        ("renditions", json!(page)),
        ("associations", associations(article)),
    ] {
        item.insert(name.into(), value);
    }
}

fn parties(article: &Article) -> Value {
    let people = article.contributors.iter().map(|person| (&person.name, person.role.as_str(), &person.uri));
    let sources = article.sources.iter().map(|source| (&source.name, source.role.as_str(), &source.url));
    let party = |(name, role, uri)| without_nulls(json!({ "name": name, "role": role, "uri": uri }));
    people.chain(sources).map(party).collect()
}

fn subjects(article: &Article) -> Value {
    let section = article.section.iter().map(|level| json!({ "name": level, "rel": SECTION }));
    let coded = article.subjects.iter().map(|subject| {
        let uri = match subject.scheme.as_str() {
            "medtop" => Some(format!("{MEDIA_TOPICS}{}", subject.code)),
            scheme => address(scheme, &subject.code),
        };
        let literal = format!("{}:{}", subject.scheme, subject.code);
        without_nulls(json!({ "name": subject.name, "rel": "about", "uri": uri, "literal": literal }))
    });
    let keywords = article.keywords.iter().map(|word| json!({ "name": word, "rel": "about" }));
    section.chain(coded).chain(keywords).collect()
}

/// The address of a concept whose scheme is one.
fn address(scheme: &str, code: &str) -> Option<String> {
    let uri = format!("{scheme}/{code}");
    (scheme.contains("://") && url::Url::parse(&uri).is_ok_and(|parsed| parsed.as_str() == uri)).then_some(uri)
}

fn associations(article: &Article) -> Value {
    let files = article.associations.iter().enumerate().map(|(n, file)| association(n, file));
    let versions = article.translations.iter().enumerate().filter_map(|(n, other)| {
        let rel = match other.rel {
            TranslationRel::TranslationOf => "translation_of",
            TranslationRel::HasTranslation => "has_translation",
            TranslationRel::Unknown => return None,
        };
        let uri =
            other.id.map(|id| id.to_string()).or_else(|| other.url.as_ref().map(|url| url.as_str().to_owned()))?;
        let page = other.url.as_ref().map(|url| json!([{ "name": WEB, "href": url, "contentType": "text/html" }]));
        Some(without_nulls(json!({
            "name": format!("translation-{}", n + 1), "rel": rel, "type": "text", "uri": uri,
            "language": other.language, "renditions": page,
        })))
    });
    files.chain(versions).collect()
}

fn association(n: usize, file: &Association) -> Value {
    let kind = match file.kind {
        AssociationKind::Picture => "picture",
        AssociationKind::Video => "video",
        AssociationKind::Audio => "audio",
        // ninjs has no word for a document that is read beside the text.
        AssociationKind::Document | AssociationKind::Unknown => "component",
    };
    let described = |role: &str, text: &Option<String>| {
        text.as_ref().map(|text| json!({ "role": role, "contentType": "text/plain", "value": text }))
    };
    let descriptions: Vec<Value> =
        [described("alttext", &file.alt_text), described("caption", &file.caption)].into_iter().flatten().collect();
    let rendition = without_nulls(json!({
        "name": "main", "href": file.uri, "contentType": file.mime, "width": file.width, "height": file.height,
        "sizeInBytes": file.size,
    }));
    let mut made = without_nulls(json!({
        "name": format!("{kind}-{}", n + 1), "type": kind, "uri": file.uri, "by": file.credit,
        "usageTerms": file.usage_terms, "renditions": [rendition],
    }));
    if !descriptions.is_empty() {
        made["descriptions"] = descriptions.into();
    }
    made
}

fn without_nulls(mut value: Value) -> Value {
    if let Value::Object(fields) = &mut value {
        fields.retain(|_, value| !value.is_null());
    }
    value
}
