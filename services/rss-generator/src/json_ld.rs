//! An article for search engines: schema.org `NewsArticle` as JSON-LD.

use article::{Association, AssociationKind, Contributor, ContributorRole, Precision, TranslationRel};
use feed::{Entry, Standing};
use serde_json::{Map, Value, json};

use crate::site::Site;

/// JSON that may stand inside a `script` element: no `<` can end it early.
pub(crate) fn json_ld(site: &Site, entry: &Entry<'_>) -> String {
    let mut fields = common(site, entry);
    if entry.standing == Standing::Readable {
        readable(&mut fields, entry);
        rights(&mut fields, entry);
        related(&mut fields, site, entry);
    }
    fields.retain(|_, value| !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty()));
    Value::Object(fields).to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

fn common(site: &Site, entry: &Entry<'_>) -> Map<String, Value> {
    let article = entry.article;
    let published = match entry.published.precision {
        Precision::Date => entry.published.for_people(),
        _ => entry.published.rfc3339(),
    };
    let status = match entry.standing {
        Standing::Readable => "Published",
        Standing::Withdrawn => "Withdrawn",
        Standing::Killed => "Removed",
    };
    let fields = json!({
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "@id": article.id.to_string(),
        "url": entry.link,
        "mainEntityOfPage": site.article(article.id),
        "headline": entry.title,
        "inLanguage": article.language,
        "datePublished": published,
        "dateModified": entry.updated.to_string(),
        "version": article.revision,
        "creativeWorkStatus": status,
        "publisher": {"@type": "NewsMediaOrganization", "name": article.publisher.as_str()},
    });
    match fields {
        Value::Object(fields) => fields,
        _ => unreachable!("written as an object above"),
    }
}

fn readable(fields: &mut Map<String, Value>, entry: &Entry<'_>) {
    let article = entry.article;
    let people = |role| article.contributors_in(role).map(person).collect::<Vec<_>>();
    let authors: Vec<Value> = entry
        .authors()
        .into_iter()
        .map(|(name, url)| json!({"@type": "Person", "name": name, "url": url}))
        .map(without_nulls)
        .collect();
    let images: Vec<Value> =
        entry.associations.iter().filter(|file| file.kind == AssociationKind::Picture).map(image).collect();
    let about: Vec<Value> = article
        .subjects
        .iter()
        .map(|subject| without_nulls(json!({"@type": "DefinedTerm", "termCode": subject.code, "name": subject.name, "inDefinedTermSet": subject.scheme})))
        .collect();
    let corrections: Vec<Value> = article
        .corrections
        .iter()
        .map(|correction| json!({"@type": "CorrectionComment", "text": correction.note, "datePublished": correction.at.to_string()}))
        .collect();
    for (name, value) in [
        ("description", json!(entry.summary)),
        ("articleBody", json!(article::to_text(&entry.html))),
        ("articleSection", json!(article.section)),
        ("keywords", json!(article.keywords)),
        ("genre", json!(article.genre)),
        ("about", Value::Array(about)),
        ("author", Value::Array(authors)),
        ("editor", Value::Array(people(ContributorRole::Editor))),
        ("translator", Value::Array(people(ContributorRole::Translator))),
        ("dateline", json!(article.located)),
        ("dateCreated", json!(article.first_created.to_string())),
        ("expires", json!(article.expires_at.map(|at| at.to_string()))),
        ("image", Value::Array(images)),
        ("correction", Value::Array(corrections)),
    ] {
        fields.insert(name.into(), value);
    }
}

fn rights(fields: &mut Map<String, Value>, entry: &Entry<'_>) {
    let article = entry.article;
    let holder = article.copyright_holder.as_ref().map(|name| json!({"@type": "Organization", "name": name}));
    fields.insert("copyrightHolder".into(), json!(holder));
    fields.insert("copyrightNotice".into(), json!(article.copyright_notice));
    fields.insert("usageInfo".into(), json!(article.rights_url));
}

fn related(fields: &mut Map<String, Value>, site: &Site, entry: &Entry<'_>) {
    let article = entry.article;
    let names: Vec<&str> = article.sources.iter().map(|source| source.name.as_str()).collect();
    let based_on: Vec<&str> =
        article.sources.iter().filter_map(|source| source.url.as_ref()).map(url::Url::as_str).collect();
    let translations = |rel| -> Vec<Value> {
        let those = article.translations.iter().filter(|translation| translation.rel == rel);
        those
            .filter_map(|translation| {
                let url = translation.url.as_ref().map(|url| url.as_str().to_owned());
                let url = url.or_else(|| translation.id.map(|id| site.article(id)))?;
                Some(json!({"@type": "NewsArticle", "url": url, "inLanguage": translation.language}))
            })
            .collect()
    };
    fields.insert("creditText".into(), if names.is_empty() { Value::Null } else { json!(names.join(", ")) });
    fields.insert("isBasedOn".into(), json!(based_on));
    fields.insert("workTranslation".into(), Value::Array(translations(TranslationRel::HasTranslation)));
    fields.insert("translationOfWork".into(), Value::Array(translations(TranslationRel::TranslationOf)));
}

fn person(contributor: &Contributor) -> Value {
    without_nulls(json!({"@type": "Person", "name": contributor.name, "url": contributor.uri}))
}

fn image(file: &Association) -> Value {
    without_nulls(json!({
        "@type": "ImageObject",
        "url": file.uri,
        "width": file.width,
        "height": file.height,
        "caption": file.caption,
        "creditText": file.credit,
        "description": file.alt_text,
    }))
}

fn without_nulls(mut value: Value) -> Value {
    if let Value::Object(fields) = &mut value {
        fields.retain(|_, value| !value.is_null());
    }
    value
}
