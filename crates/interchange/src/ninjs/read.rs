//! A ninjs document into a draft: 3.x, and of 1.x and 2.x what has a counterpart.

use article::Problem;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::members::{Text, items, member, number, preferred, text, texts};
use super::{EXT, MEDIA_TOPICS, ROLE, SECTION, files};
use crate::shape::{Shape, identity, one_line, web_url, words};
use crate::{Defaults, Foreign, Wish};

/// What is kept as it is, up to this size, in bytes of JSON: `ext` may have 64 KiB.
const MAX_KEPT: usize = 32 * 1024;

/// What an article has no field for.
const KEPT: [&str; 8] =
    ["people", "organisations", "places", "events", "objects", "trustIndicators", "digitalSourceType", "profile"];

/// Reads a ninjs document.
///
/// # Errors
/// What keeps it from being an article: no identity, no text, an embargo that cannot be read.
pub fn read(document: &Value, defaults: &Defaults) -> Result<Foreign, Problem> {
    let id = identity(document, "uri", "/uri")?;
    let changed_at = instant(document, &["versionCreated"]);
    let foreign = |wish, warnings| Foreign { id: id.clone(), changed_at, wish, warnings };
    let kind = text(document, &["type"]).unwrap_or("text");
    if !matches!(kind, "text" | "composite") {
        let kind: String = kind.chars().filter(|c| !c.is_control()).take(30).collect();
        return Ok(foreign(Wish::Nothing { why: format!("its type is {kind}: no article") }, Vec::new()));
    }
    match text(document, &["pubStatus"]) {
        None | Some("usable") => {}
        Some(status) => {
            let status: String = status.chars().filter(|c| !c.is_control()).take(30).collect();
            let wish = Wish::Withdraw { why: format!("its status is {status}"), note: None };
            return Ok(foreign(wish, Vec::new()));
        }
    }
    let mut shape = Shape::default();
    let headlines = texts(document, "headlines", "headline");
    let title = || text(document, &["title"]).unwrap_or_default().to_owned();
    let headline = one_line(&preferred(&headlines, &["main", "headline"]).map(plain).unwrap_or_else(title));
    shape.required("headline", headline.as_str());
    let descriptions = texts(document, "descriptions", "description");
    let summaries = ["summary", "abstract", "teaser", "short", "text", "main", ""];
    let summary = descriptions
        .iter()
        .filter(|text| summaries.contains(&text.role))
        .min_by_key(|text| summaries.iter().position(|role| *role == text.role));
    let summary = summary.map(plain);
    shape.text("summary", summary.as_deref(), 1000);
    body(&mut shape, document, summary)?;
    shape.language(text(document, &["language"]), defaults);
    times(&mut shape, document, defaults)?;
    lines(&mut shape, document);
    parties(&mut shape, document);
    topics(&mut shape, document, defaults);
    files::associated(&mut shape, document, &headline);
    identities(&mut shape, document, &id);
    keep(&mut shape, document);
    Ok(foreign(Wish::Publish(Value::Object(shape.draft)), shape.warnings))
}

fn plain(text: &Text<'_>) -> String {
    if text.is_html() { words(text.value) } else { text.value.to_owned() }
}

fn instant(document: &Value, names: &[&str]) -> Option<Timestamp> {
    text(document, names)?.parse().ok()
}

/// HTML if there is some, plain text otherwise; of a flash, which has none yet, what describes it.
fn body(shape: &mut Shape, document: &Value, summary: Option<String>) -> Result<(), Problem> {
    let bodies = texts(document, "bodies", "body");
    let readable = || bodies.iter().filter(|text| !text.is_foreign());
    if let Some(html) = readable().find(|text| text.is_html()) {
        shape.required("body", inside_body(html.value));
        return Ok(());
    }
    match (readable().next(), summary) {
        (Some(text), _) => shape.required("body_text", text.value),
        (None, Some(summary)) if bodies.is_empty() => {
            shape.warn("it has no body; its description stands in");
            shape.required("body_text", summary);
        }
        (None, _) if bodies.is_empty() => {
            let detail = "the item has no body; expected one of text/html or text/plain";
            return Err(Problem::new("/bodies", "required", detail));
        }
        (None, _) => {
            let detail = "none of the bodies is text/html or text/plain; add one that is";
            return Err(Problem::new("/bodies", "required", detail));
        }
    }
    Ok(())
}

/// What stands between the `body` tags of a whole document: its title is the headline once more.
fn inside_body(html: &str) -> &str {
    // ASCII case does not move a byte.
    let lower = html.to_ascii_lowercase();
    let start = lower.find("<body").and_then(|open| Some(open + lower[open..].find('>')? + 1)).unwrap_or(0);
    let end = lower.rfind("</body").filter(|end| *end >= start).unwrap_or(html.len());
    &html[start..end]
}

fn times(shape: &mut Shape, document: &Value, defaults: &Defaults) -> Result<(), Problem> {
    let mut is_over = true;
    if let Some(until) = text(document, &["embargoedUntil", "embargoed"]) {
        let Ok(until) = until.parse::<Timestamp>() else {
            let detail = "an embargo that cannot be read; expected an RFC 3339 time with an offset";
            return Err(Problem::new("/embargoedUntil", "format", detail));
        };
        shape.required("embargoed_until", until.to_string());
        is_over = instant(document, &["versionCreated"]).is_some_and(|sent| sent >= until);
    }
    if let Some(expires) = text(document, &["expires"]) {
        match expires.parse::<Timestamp>() {
            Ok(at) => shape.required("expires_at", at.to_string()),
            Err(_) => shape.warn("expires left out: not an RFC 3339 time with an offset"),
        }
    }
    let candidates = ["contentCreated", "firstCreated", "versionCreated"];
    let at = candidates.iter().filter_map(|name| text(document, &[name])).find(|at| at.parse::<Timestamp>().is_ok());
    // What is under embargo is published when it ends.
    if let Some(at) = at.filter(|_| is_over) {
        shape.published(at, defaults);
    }
    Ok(())
}

fn lines(shape: &mut Shape, document: &Value) {
    shape.line("byline", text(document, &["by", "byline"]), 300);
    shape.line("located", text(document, &["located"]), 120);
    shape.line("slugline", text(document, &["slugline"]), 64);
    shape.line("copyright_holder", text(document, &["copyrightHolder"]), 300);
    shape.text("copyright_notice", text(document, &["copyrightNotice"]), 1000);
    shape.text("usage_terms", text(document, &["usageTerms"]), 1000);
    shape.text("ed_note", text(document, &["edNote"]), 4000);
    let rights = member(document, &["rightsInfo"]).and_then(|rights| text(rights, &["linkedRights"]));
    shape.url("rights_url", rights);
    shape.url("canonical_url", files::page(document));
    match number(document, "urgency") {
        Some(urgency @ 1..=9) => shape.required("urgency", urgency),
        Some(_) => shape.warn("urgency left out: not a number from 1 to 9"),
        None => {}
    }
    let genres = items(document, &["genres", "genre"]);
    let genre = genres.iter().filter_map(|genre| text(genre, &["uri"])).find(|uri| web_url(uri).is_some());
    shape.url("genre", genre);
}

/// Parties are people of the newsroom by their role, sources otherwise.
fn parties(shape: &mut Shape, document: &Value) {
    let (mut contributors, mut sources) = (Vec::new(), Vec::new());
    for party in items(document, &["infoSources", "infosource"]) {
        let Some(name) = text(party, &["name", "literal"]).map(one_line) else { continue };
        let Some(name) = shape.fitting("an information source", Some(&name), 300) else { continue };
        // Roles may be addresses: the last segment is the word.
        let role = text(party, &["role"]).and_then(|role| role.rsplit(['/', ':']).next()).unwrap_or_default();
        let uri = text(party, &["uri"]).and_then(web_url);
        let person = match role.to_ascii_lowercase().as_str() {
            "author" | "writer" | "reporter" | "creator" => Some("author"),
            "editor" => Some("editor"),
            "photographer" => Some("photographer"),
            "translator" => Some("translator"),
            _ => None,
        };
        let mut made = match person {
            Some(role) => json!({ "name": name, "role": role }),
            None if ["publisher", "originator", "reference"].contains(&role) => json!({ "name": name, "role": role }),
            None => json!({ "name": name }),
        };
        if let Some(uri) = uri {
            made[if person.is_some() { "uri" } else { "url" }] = uri.as_str().into();
        }
        if person.is_some() { contributors.push(made) } else { sources.push(made) }
    }
    if let Some(name) = text(document, &["source"]).map(one_line)
        && let Some(name) = shape.fitting("source", Some(&name), 300)
        && !sources.iter().any(|source| source["name"] == name)
    {
        sources.push(json!({ "name": name }));
    }
    shape.list("contributors", contributors, 50);
    shape.list("sources", sources, 20);
}

fn topics(shape: &mut Shape, document: &Value, defaults: &Defaults) {
    let (mut subjects, mut section, mut keywords): (Vec<Value>, _, _) = (Vec::new(), Vec::new(), Vec::new());
    for item in items(document, &["subjects", "subject"]) {
        let name = text(item, &["name"]);
        if text(item, &["rel"]) == Some(SECTION) {
            section.extend(name);
            continue;
        }
        match code(item) {
            Some((scheme, code)) => {
                let mut subject = json!({ "scheme": scheme, "code": code });
                let name = name.map(one_line);
                if let Some(name) = shape.fitting("the name of a subject", name.as_deref(), 300) {
                    subject["name"] = name.into();
                }
                if !subjects.contains(&subject) {
                    subjects.push(subject);
                }
            }
            None => keywords.extend(name),
        }
    }
    shape.list("subjects", subjects, 50);
    shape.section(section, defaults);
    shape.names("keywords", keywords, 20);
}

/// Scheme and code of a subject, from its address or its literal; each 1 to 120 characters on one line.
fn code(item: &Value) -> Option<(String, String)> {
    let (scheme, code) = match (text(item, &["uri"]), text(item, &["literal", "code"])) {
        (Some(uri), _) if uri.starts_with(MEDIA_TOPICS) => ("medtop".to_owned(), uri[MEDIA_TOPICS.len()..].to_owned()),
        (Some(uri), _) => {
            let (scheme, code) = uri.trim_end_matches('/').rsplit_once(['/', '#'])?;
            (scheme.to_owned(), code.to_owned())
        }
        (None, Some(literal)) => match literal.split_once(':') {
            Some((scheme, code)) => (scheme.to_owned(), code.to_owned()),
            // 1.x has the scheme beside the code; otherwise nobody says whose code it is.
            None => (text(item, &["scheme"]).unwrap_or("literal").to_owned(), literal.to_owned()),
        },
        (None, None) => return None,
    };
    let fits = |part: &str| (1..=120).contains(&part.chars().count()) && one_line(part) == part;
    let is_topic = |code: &str| code.len() == 8 && code.bytes().all(|b| b.is_ascii_digit());
    (fits(&scheme) && fits(&code) && (scheme != "medtop" || is_topic(&code))).then_some((scheme, code))
}

fn identities(shape: &mut Shape, document: &Value, uri: &str) {
    let mut ids = vec![json!({ "role": ROLE, "value": uri })];
    for other in items(document, &["altIds"]) {
        let (role, value) = (text(other, &["role"]).unwrap_or("ninjs-alt"), text(other, &["value"]));
        let (role, value) = (one_line(role), value.map(one_line));
        if let (Some(role), Some(value)) =
            (shape.fitting("the role of an id", Some(&role), 64), shape.fitting("an id", value.as_deref(), 1000))
        {
            ids.push(json!({ "role": role, "value": value }));
        }
    }
    shape.list("alt_ids", ids, 20);
}

fn keep(shape: &mut Shape, document: &Value) {
    let mut kept = Map::new();
    for name in KEPT {
        if let Some(value) = member(document, &[name]) {
            kept.insert(name.to_owned(), value.clone());
        }
    }
    if kept.is_empty() {
        return;
    }
    let names = kept.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let kept = Value::Object(kept);
    if kept.to_string().len() > MAX_KEPT {
        shape.warn(format!("left out, because larger than {MAX_KEPT} bytes: {names}"));
        return;
    }
    shape.required("ext", json!({ EXT: kept }));
}
