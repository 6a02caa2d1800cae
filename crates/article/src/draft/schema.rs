//! JSON Schema (2020-12) of what a newsroom may submit, for API documentation and for clients' own checks.
//!
//! It is written beside the reader instead of derived from it: the reader reports every mistake with its pointer,
//! which no derived type does. `tests/draft_schema.rs` holds the two together, property by property and limit by
//! limit. JSON Schema counts code points where the reader counts graphemes, so the schema is never the laxer one.

use serde_json::{Map, Value, json};

use super::{MAX_BODY_BYTES, SERVER_OWNED};
use crate::model::{AssociationKind, ChangeKind, ContributorRole, SourceRole, TranslationRel};

/// The schema of the documents that [`crate::Draft::from_json`] accepts. Self-contained: it has no references, so that
/// it can be embedded in an OpenAPI 3.1 document as it is.
pub fn draft_schema() -> Value {
    let mut properties = Map::new();
    for group in [identity(), text(), classification(), dates(), relations(), rights(), extras(), server_owned()] {
        let Value::Object(group) = group else { unreachable!("every group is an object literal") };
        properties.extend(group);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "newswire article draft v1",
        "description": "An article as a newsroom submits it. Unknown fields are refused; put your own under ext.",
        "type": "object",
        "properties": properties,
        "required": ["headline", "language"],
        "oneOf": [
            { "title": "HTML body", "required": ["body"] },
            { "title": "Plain text body", "required": ["body_text"] },
        ],
        "additionalProperties": false,
    })
}

fn identity() -> Value {
    json!({
        "id": described(id(), "The article's id, as the service gave it. Leave it out for a new article."),
        "publisher": {
            "description": "Your publisher name; it must be the one your token belongs to.",
            "type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$", "examples": ["city-desk"],
        },
        "change": object("What kind of change this is, and what readers are told about it.", json!({
            "kind": word(ChangeKind::WORDS, "new for a first publication; otherwise the kind of revision."),
            "note": lines(1000, "Required for a correction, a withdrawal and a kill: the notice readers get."),
        }), &["kind"]),
        "test": {
            "description": "A rehearsal: shown in the feed selection test only, mailed to nobody. Never changes; false for a new article if left out.",
            "type": "boolean",
        },
    })
}

fn text() -> Value {
    json!({
        "headline": example(line(300, "One line, published verbatim."), "Bridge reopens after two years of repairs"),
        "summary": lines(1000, "What the article says, in a sentence or two."),
        "body": {
            "description": format!("The text as HTML. Scripts, styles, forms and frames are removed; at most {MAX_BODY_BYTES} bytes are kept."),
            "type": "string", "minLength": 1, "examples": ["<p>The bridge reopened on Monday.</p>"],
        },
        "body_text": {
            "description": "The text as plain text, instead of body; a blank line begins a new paragraph.",
            "type": "string", "minLength": 1, "examples": ["The bridge reopened on Monday.\n\nTraffic was light."],
        },
        "language": described(language(), "The language the article is written in, as a BCP 47 tag."),
        "byline": example(line(300, "Who wrote it, exactly as it is to be printed."), "By Ana Silva in Porto"),
        "contributors": list(50, "The people behind the article, for search and credit.", object("", json!({
            "name": line(300, "The person's name."),
            "role": word(ContributorRole::WORDS, "What the person did."),
            "uri": web_url("A page about the person."),
        }), &["name", "role"])),
        "sources": list(20, "Where the article comes from.", object("", json!({
            "name": line(300, "The source's name, as it is to be printed."),
            "role": word(SourceRole::WORDS, "What the source is to the article; originator if left out."),
            "url": web_url("The source's page for this article, or its home page."),
        }), &["name"])),
        "located": example(line(120, "The dateline: where the article was written."), "PORTO"),
    })
}

fn classification() -> Value {
    json!({
        "section": described(
            list(5, "", example(line(120, "A section name."), "World")),
            "The section path, outermost first. Its address form may have 2,000 bytes.",
        ),
        "subjects": list(50, "What the article is about.", object("", json!({
            "scheme": example(line(120, "Whose codes: medtop for IPTC Media Topics."), "medtop"),
            "code": example(line(120, "The code; eight digits for medtop."), "11000000"),
            "name": line(300, "The code's name for people."),
        }), &["scheme", "code"])),
        "keywords": list(20, "Free keywords.", line(120, "A keyword.")),
        "genre": web_url("The kind of text, as an IPTC genre address."),
        "slugline": line(64, "The newsroom's short working title."),
        "urgency": {
            "description": "1 is the most urgent; 1 and 2 are breaking news.",
            "type": "integer", "minimum": 1, "maximum": 9, "default": 5,
        },
    })
}

fn dates() -> Value {
    let published = json!({
        "at": {
            "description": "A time with an offset, or a date (and time) on the clock of tz. At most 48 hours ahead.",
            "type": "string", "minLength": 10, "maxLength": 64,
            "examples": ["2026-11-22T09:30:00+08:00", "2026-11-22T09:30", "2026-11-22"],
        },
        "tz": example(line(64, "IANA time zone or fixed offset; required if at has no offset."), "Asia/Shanghai"),
        "precision": word(&["date", "minute", "second"], "How much of at is known; what at shows if left out."),
    });
    json!({
        "published": object("When the article was published; the moment of acceptance if left out. Never changes.", published, &["at"]),
        "embargoed_until": instant("Nothing is shown to anybody before this time. Not together with published."),
        "expires_at": instant("The article leaves feeds and queues then; after publication and embargo."),
    })
}

fn relations() -> Value {
    json!({
        "canonical_url": web_url("Your own page of this article; relative addresses in the body resolve against it."),
        "translations": list(50, "The article in other languages; each has an id, a url or both.", object("", json!({
            "language": described(language(), "The other version's language."),
            "rel": word(TranslationRel::WORDS, "How the linked article stands to this one."),
            "id": described(id(), "The other version here."),
            "url": web_url("The other version's page."),
        }), &["language", "rel"])),
        "associations": list(100, "Pictures, video, audio and documents.", object("", json!({
            "type": word(AssociationKind::WORDS, "What the file is."),
            "uri": web_url("Where the file is."),
            "mime": { "description": "Media type.", "type": "string", "maxLength": 127, "pattern": "^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+$", "examples": ["image/jpeg"] },
            "width": integer(100_000, "Pixels."),
            "height": integer(100_000, "Pixels."),
            "size": integer(1 << 40, "Bytes; feed readers want it."),
            "alt_text": lines(1000, "What the picture shows, for those who cannot see it; required for a picture."),
            "caption": lines(2000, "Printed beside the file."),
            "credit": line(300, "Who made it."),
            "usage_terms": lines(1000, "What others may do with it."),
        }), &["type", "uri"])),
    })
}

fn rights() -> Value {
    json!({
        "copyright_holder": line(300, "Who holds the copyright."),
        "copyright_notice": lines(1000, "The notice as it is to be printed."),
        "usage_terms": lines(1000, "What others may do with the article."),
        "rights_url": web_url("A page that states the rights."),
    })
}

fn extras() -> Value {
    json!({
        "ed_note": lines(4000, "For editors only; it is never published."),
        "alt_ids": list(20, "The article's identity in other systems.", object("", json!({
            "role": example(line(64, "Whose identity."), "cms"),
            "value": line(1000, "The identity there."),
        }), &["role", "value"])),
        "ext": {
            "description": "Your own data by namespace, at most 64 KiB of JSON; carried, never interpreted.",
            "type": "object", "examples": [{ "org.example": { "desk": "night" } }],
        },
    })
}

fn server_owned() -> Value {
    let ignored = json!({ "description": "Set by the service; ignored when it is sent back.", "readOnly": true });
    SERVER_OWNED.iter().map(|name| ((*name).to_owned(), ignored.clone())).collect::<Map<_, _>>().into()
}

/// One line of 1 to `max` characters.
fn line(max: u32, description: &str) -> Value {
    json!({ "description": description, "type": "string", "minLength": 1, "maxLength": max })
}

/// Several lines of 1 to `max` characters together. To a schema it is the same thing; line breaks are the reader's business.
fn lines(max: u32, description: &str) -> Value {
    line(max, description)
}

fn word(words: &[&str], description: &str) -> Value {
    json!({ "description": description, "type": "string", "enum": words })
}

fn integer(max: u64, description: &str) -> Value {
    json!({ "description": description, "type": "integer", "minimum": 1, "maximum": max })
}

fn web_url(description: &str) -> Value {
    json!({
        "description": description, "type": "string", "format": "uri", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://",
        "maxLength": 2048, "examples": ["https://news.example/2026/bridge"],
    })
}

fn id() -> Value {
    json!({
        "type": "string", "format": "uri", "pattern": "^urn:uuid:[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
        "examples": ["urn:uuid:0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f"],
    })
}

fn language() -> Value {
    json!({ "type": "string", "minLength": 2, "maxLength": 64, "examples": ["en", "zh-Hans"] })
}

fn instant(description: &str) -> Value {
    json!({ "description": description, "type": "string", "format": "date-time", "examples": ["2026-11-22T09:30:00+08:00"] })
}

fn list(max: u32, description: &str, items: Value) -> Value {
    described(json!({ "type": "array", "maxItems": max, "items": items }), description)
}

fn object(description: &str, properties: Value, required: &[&str]) -> Value {
    let object =
        json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false });
    described(object, description)
}

fn described(schema: Value, description: &str) -> Value {
    with(schema, "description", json!(description))
}

fn example(schema: Value, example: &str) -> Value {
    with(schema, "examples", json!([example]))
}

/// `schema` with one more keyword; an empty description is left out.
fn with(mut schema: Value, keyword: &str, value: Value) -> Value {
    if value != json!("") {
        schema[keyword] = value;
    }
    schema
}
