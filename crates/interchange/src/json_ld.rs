//! An article for search engines and machines: schema.org `NewsArticle` as JSON-LD.

use article::{
    Article, ArticleId, Association, AssociationKind, Contributor, ContributorRole, Precision, Status, Translation,
    TranslationRel, to_text,
};
use serde_json::{Map, Value, json};

/// The article as a `NewsArticle`. `title` is what the page shows above it; `page_of` gives the address of an article's own
/// page, where there is one.
///
/// Of a withdrawn or killed article only the notice's data are told. The editors' note is never in it.
pub fn json_ld(article: &Article, title: &str, page_of: &dyn Fn(ArticleId) -> Option<String>) -> Value {
    let mut fields = common(article, title, page_of);
    if !matches!(article.status, Status::Withdrawn | Status::Killed | Status::Unknown) {
        text(&mut fields, article);
        rights(&mut fields, article);
        related(&mut fields, article, page_of);
    }
    fields.retain(|_, value| !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty()));
    Value::Object(fields)
}

/// JSON that may stand inside a `script` element: no `<` can end it early.
pub fn in_script(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

fn common(article: &Article, title: &str, page_of: &dyn Fn(ArticleId) -> Option<String>) -> Map<String, Value> {
    let page = page_of(article.id);
    let published = article.published.as_ref().map(|published| match published.precision {
        Precision::Date => published.for_people(),
        _ => published.rfc3339(),
    });
    let (status, is_notice) = match article.status {
        Status::Published => ("Published", false),
        Status::Embargoed => ("Embargoed", false),
        Status::Held => ("Held", false),
        Status::Withdrawn => ("Withdrawn", true),
        Status::Killed | Status::Unknown => ("Removed", true),
    };
    // A notice is on our own page only.
    let canonical = article.canonical_url.as_ref().filter(|_| !is_notice).map(|url| url.as_str().to_owned());
    let fields = [
        ("@context", json!("https://schema.org")),
        ("@type", json!("NewsArticle")),
        ("@id", json!(article.id.to_string())),
        ("url", json!(canonical.or_else(|| page.clone()))),
        ("mainEntityOfPage", json!(page)),
        ("headline", json!(title)),
        ("inLanguage", json!(article.language)),
        ("datePublished", json!(published)),
        ("dateModified", json!(article.updated_at.to_string())),
        ("version", json!(article.revision)),
        ("creativeWorkStatus", json!(status)),
        ("publisher", json!({ "@type": "NewsMediaOrganization", "name": article.publisher.as_str() })),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn text(fields: &mut Map<String, Value>, article: &Article) {
    let people = |role| article.contributors_in(role).map(person).collect::<Vec<_>>();
    let authors = match &article.byline {
        Some(byline) => vec![json!({ "@type": "Person", "name": byline })],
        None => people(ContributorRole::Author),
    };
    let pictures = article.associations.iter().filter(|file| file.kind == AssociationKind::Picture);
    let about = article.subjects.iter().map(|subject| {
        without_nulls(json!({
            "@type": "DefinedTerm", "termCode": subject.code, "name": subject.name, "inDefinedTermSet": subject.scheme,
        }))
    });
    let corrections = article.corrections.iter().map(|correction| {
        json!({ "@type": "CorrectionComment", "text": correction.note, "datePublished": correction.at.to_string() })
    });
    for (name, value) in [
        ("description", json!(article.summary)),
        ("articleBody", json!(article.body.as_deref().map(to_text))),
        ("articleSection", json!(article.section)),
        ("keywords", json!(article.keywords)),
        ("genre", json!(article.genre)),
        ("about", about.collect()),
        ("author", json!(authors)),
        ("editor", json!(people(ContributorRole::Editor))),
        ("translator", json!(people(ContributorRole::Translator))),
        ("dateline", json!(article.located)),
        ("dateCreated", json!(article.first_created.to_string())),
        ("expires", json!(article.expires_at.map(|at| at.to_string()))),
        ("image", pictures.map(image).collect()),
        ("correction", corrections.collect()),
    ] {
        fields.insert(name.into(), value);
    }
}

fn rights(fields: &mut Map<String, Value>, article: &Article) {
    let holder = article.copyright_holder.as_ref().map(|name| json!({ "@type": "Organization", "name": name }));
    fields.insert("copyrightHolder".into(), json!(holder));
    fields.insert("copyrightNotice".into(), json!(article.copyright_notice));
    fields.insert("usageInfo".into(), json!(article.rights_url));
}

fn related(fields: &mut Map<String, Value>, article: &Article, page_of: &dyn Fn(ArticleId) -> Option<String>) {
    let names: Vec<&str> = article.sources.iter().map(|source| source.name.as_str()).collect();
    let based_on: Vec<&str> =
        article.sources.iter().filter_map(|source| source.url.as_ref()).map(url::Url::as_str).collect();
    let version = |other: &Translation| {
        let url = other.url.as_ref().map(|url| url.as_str().to_owned()).or_else(|| page_of(other.id?));
        // Without an address it is still known by its id.
        let id = other.id.filter(|_| url.is_none()).map(|id| id.to_string());
        without_nulls(json!({ "@type": "NewsArticle", "@id": id, "url": url, "inLanguage": other.language }))
    };
    let versions =
        |rel| -> Value { article.translations.iter().filter(|other| other.rel == rel).map(version).collect() };
    fields.insert("creditText".into(), if names.is_empty() { Value::Null } else { json!(names.join(", ")) });
    fields.insert("isBasedOn".into(), json!(based_on));
    fields.insert("workTranslation".into(), versions(TranslationRel::HasTranslation));
    fields.insert("translationOfWork".into(), versions(TranslationRel::TranslationOf));
}

fn person(contributor: &Contributor) -> Value {
    without_nulls(json!({ "@type": "Person", "name": contributor.name, "url": contributor.uri }))
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
