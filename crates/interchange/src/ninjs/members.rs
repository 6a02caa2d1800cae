//! One reading of three generations of names: 3.x writes `versionCreated`, 2.x `versioncreated`, and 1.x has
//! `body_html` and an object where the later ones have `bodies` and a list.

use serde_json::Value;

/// A member by any of its names, whatever their case.
pub(super) fn member<'a>(object: &'a Value, names: &[&str]) -> Option<&'a Value> {
    let map = object.as_object()?;
    names.iter().find_map(|name| {
        let exact = map.get(*name);
        exact.or_else(|| map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
    })
}

/// A member that is a string with something in it.
pub(super) fn text<'a>(object: &'a Value, names: &[&str]) -> Option<&'a str> {
    member(object, names)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// A member that is a whole number, or a string of one.
pub(super) fn number(object: &Value, name: &str) -> Option<u64> {
    let value = member(object, &[name])?;
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// The objects of a list, or the values of the object that 1.x has in its place; at most 200.
pub(super) fn items<'a>(object: &'a Value, names: &[&str]) -> Vec<&'a Value> {
    const MOST: usize = 200;
    match member(object, names) {
        Some(Value::Array(items)) => items.iter().filter(|item| item.is_object()).take(MOST).collect(),
        Some(Value::Object(map)) => map.values().filter(|item| item.is_object()).take(MOST).collect(),
        _ => Vec::new(),
    }
}

/// A text of which there may be several, told apart by role and media type.
pub(super) struct Text<'a> {
    pub(super) role: &'a str,
    pub(super) value: &'a str,
    html: Option<bool>,
}

impl Text<'_> {
    /// Whether it is markup: by its media type, its role, or its looks.
    pub(super) fn is_html(&self) -> bool {
        self.html.unwrap_or_else(|| match self.role {
            "html" | "html5" | "xhtml" => true,
            "text" | "plain" => false,
            _ => ["</p>", "<br", "</div>"].iter().any(|tag| self.value.contains(tag)),
        })
    }

    /// Whether it is neither HTML nor plain text: NITF, most often.
    pub(super) fn is_foreign(&self) -> bool {
        self.html.is_none() && self.role == FOREIGN
    }
}

/// Stands for the role of a text of a media type nobody here reads.
const FOREIGN: &str = "\u{0}";

/// The texts of `plural`, or those of 1.x whose name begins with `singular`: `headline`, `body_text`.
pub(super) fn texts<'a>(object: &'a Value, plural: &str, singular: &str) -> Vec<Text<'a>> {
    let listed = items(object, &[plural]).into_iter().filter_map(|item| {
        let value = text(item, &["value"])?;
        let role = text(item, &["role"]).unwrap_or_default();
        let html = match text(item, &["contentType"]) {
            None => None,
            Some(kind) if kind.contains("html") => Some(true),
            Some(kind) if kind.starts_with("text/plain") => Some(false),
            Some(_) => return Some(Text { role: FOREIGN, value, html: None }),
        };
        Some(Text { role, value, html })
    });
    let mut found: Vec<Text<'a>> = listed.collect();
    if found.is_empty()
        && let Some(map) = object.as_object()
    {
        let members = map.iter().filter_map(|(key, value)| {
            let value = value.as_str().map(str::trim).filter(|text| !text.is_empty())?;
            let rest = key.strip_prefix(singular)?;
            let role = if rest.is_empty() { "main" } else { rest.strip_prefix('_')? };
            Some(Text { role, value, html: None })
        });
        found.extend(members);
    }
    found
}

/// The text in one of `roles`, in their order; else the first.
pub(super) fn preferred<'t, 'a>(texts: &'t [Text<'a>], roles: &[&str]) -> Option<&'t Text<'a>> {
    let mut readable = texts.iter().filter(|text| !text.is_foreign());
    let by_role = roles.iter().find_map(|role| texts.iter().find(|text| text.role.eq_ignore_ascii_case(role)));
    by_role.or_else(|| readable.next())
}
