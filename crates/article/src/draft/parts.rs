//! The parts of a draft that are objects of their own: contributors, sources, subjects, translations, files.

use super::{ARTICLE_ID, MAX_NOTE, language};
use crate::model::{
    AltId, Association, AssociationKind, Change, ChangeKind, Contributor, ContributorRole, Source, SourceRole, Subject,
    Translation, TranslationRel,
};
use crate::reader::{Fields, shown};

pub(super) fn change(fields: &mut Fields<'_>) -> Option<Change> {
    let kind = fields.word("kind", ChangeKind::WORDS, ChangeKind::from_word);
    fields.require("kind", kind.is_some());
    let note = fields.text("note", MAX_NOTE);
    Some(Change { kind: kind?, note })
}

pub(super) fn contributor(fields: &mut Fields<'_>) -> Option<Contributor> {
    let name = fields.line("name", 300);
    fields.require("name", name.is_some());
    let role = fields.word("role", ContributorRole::WORDS, ContributorRole::from_word);
    fields.require("role", role.is_some());
    let uri = fields.web_url("uri");
    Some(Contributor { name: name?, role: role?, uri })
}

pub(super) fn source(fields: &mut Fields<'_>) -> Option<Source> {
    let name = fields.line("name", 300);
    fields.require("name", name.is_some());
    let role = fields.word("role", SourceRole::WORDS, SourceRole::from_word);
    let url = fields.web_url("url");
    Some(Source { name: name?, role: role.unwrap_or(SourceRole::Originator), url })
}

pub(super) fn subject(fields: &mut Fields<'_>) -> Option<Subject> {
    let scheme = fields.line("scheme", 120);
    fields.require("scheme", scheme.is_some());
    let code = fields.line("code", 120);
    fields.require("code", code.is_some());
    let name = fields.line("name", 300);
    let (scheme, code) = (scheme?, code?);
    // IPTC Media Topics are eight digits; whether a code exists is the taxonomy's business, which changes monthly.
    if scheme == "medtop" && !(code.len() == 8 && code.bytes().all(|b| b.is_ascii_digit())) {
        fields.problem(
            "code",
            "format",
            format!("{} is not an IPTC Media Topic: eight digits, such as 11000000", shown(&code)),
        );
        return None;
    }
    Some(Subject { scheme, code, name })
}

pub(super) fn translation(fields: &mut Fields<'_>) -> Option<Translation> {
    let language = language(fields, "language");
    fields.require("language", language.is_some());
    let rel = fields.word("rel", TranslationRel::WORDS, TranslationRel::from_word);
    fields.require("rel", rel.is_some());
    let id = fields.parsed("id", ARTICLE_ID);
    let url = fields.web_url("url");
    if id.is_none() && url.is_none() {
        fields.problem("id", "required", "a translation needs the id or the url of the other article");
    }
    Some(Translation { language: language?, rel: rel?, id, url })
}

pub(super) fn association(fields: &mut Fields<'_>) -> Option<Association> {
    let kind = fields.word("type", AssociationKind::WORDS, AssociationKind::from_word);
    fields.require("type", kind.is_some());
    let uri = fields.web_url("uri");
    fields.require("uri", uri.is_some());
    let alt_text = fields.text("alt_text", 1000);
    if kind == Some(AssociationKind::Picture) {
        fields.require("alt_text", alt_text.is_some());
    }
    let mime = fields.line("mime", 127);
    let shaped =
        |mime: &String| matches!(mime.split('/').collect::<Vec<_>>()[..], [a, b] if is_token(a) && is_token(b));
    if !mime.as_ref().is_none_or(shaped) {
        fields.problem("mime", "format", "not a media type, such as image/jpeg");
    }
    Some(Association {
        kind: kind?,
        uri: uri?,
        mime,
        width: fields.integer("width", 1..=100_000).map(|pixels| pixels as u32),
        height: fields.integer("height", 1..=100_000).map(|pixels| pixels as u32),
        size: fields.integer("size", 1..=1 << 40),
        alt_text,
        caption: fields.text("caption", 2000),
        credit: fields.line("credit", 300),
        usage_terms: fields.text("usage_terms", 1000),
    })
}

pub(super) fn alt_id(fields: &mut Fields<'_>) -> Option<AltId> {
    let role = fields.line("role", 64);
    fields.require("role", role.is_some());
    let value = fields.line("value", 1000);
    fields.require("value", value.is_some());
    Some(AltId { role: role?, value: value? })
}

/// A `restricted-name` of RFC 6838, section 4.2.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
}
