//! The draft that a foreign document becomes, field by field: what does not fit is left out, and said.

use article::{Problem, sanitise, to_text};
use serde_json::{Map, Value, json};
use url::Url;

use crate::Defaults;

/// The most warnings kept: whoever has more reads the first ones first.
const MAX_WARNINGS: usize = 20;
/// The longest foreign identity, in bytes. It is kept as an alternative id, which may have 1,000 characters.
const MAX_ID: usize = 500;
/// The longest address a draft takes, in bytes.
const MAX_URL: usize = 2048;

/// A draft in the making.
#[derive(Default)]
pub(crate) struct Shape {
    pub(crate) draft: Map<String, Value>,
    pub(crate) warnings: Vec<String>,
}

impl Shape {
    pub(crate) fn warn(&mut self, warning: impl Into<String>) {
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(warning.into());
        }
    }

    /// A field that an article must have: its faults are the draft's to report.
    pub(crate) fn required(&mut self, field: &str, value: impl Into<Value>) {
        self.draft.insert(field.into(), value.into());
    }

    /// An optional text of at most `max` characters.
    pub(crate) fn text(&mut self, field: &str, text: Option<&str>, max: usize) {
        if let Some(text) = self.fitting(field, text, max) {
            self.draft.insert(field.into(), text.into());
        }
    }

    /// An optional text on one line.
    pub(crate) fn line(&mut self, field: &str, text: Option<&str>, max: usize) {
        self.text(field, text.map(one_line).as_deref(), max);
    }

    /// `text` if there is something in it and it fits.
    pub(crate) fn fitting<'a>(&mut self, field: &str, text: Option<&'a str>, max: usize) -> Option<&'a str> {
        let text = text.map(str::trim).filter(|text| !text.is_empty())?;
        let length = text.chars().count();
        if length > max {
            self.warn(format!("{field} left out: {length} characters; at most {max} are taken"));
            return None;
        }
        Some(text)
    }

    pub(crate) fn url(&mut self, field: &str, address: Option<&str>) {
        let Some(address) = address.map(str::trim).filter(|address| !address.is_empty()) else { return };
        match web_url(address) {
            Some(url) => self.required(field, url.as_str()),
            None => self.warn(format!("{field} left out: not an address on the web")),
        }
    }

    /// A list of at most `max` items; an empty one is left out.
    pub(crate) fn list(&mut self, field: &str, mut items: Vec<Value>, max: usize) {
        if items.len() > max {
            self.warn(format!("{field}: {} of {} left out; at most {max} are taken", items.len() - max, items.len()));
            items.truncate(max);
        }
        if !items.is_empty() {
            self.required(field, items);
        }
    }

    /// Names of at most 120 characters, each once: keywords, the levels of a section.
    pub(crate) fn names<'a>(&mut self, field: &str, names: impl IntoIterator<Item = &'a str>, max: usize) {
        let mut kept: Vec<Value> = Vec::new();
        for name in names {
            let name = one_line(name);
            if let Some(name) = self.fitting(field, Some(&name), 120)
                && !kept.iter().any(|kept| kept == name)
            {
                kept.push(name.into());
            }
        }
        self.list(field, kept, max);
    }

    /// The language the document names, or its sender's.
    pub(crate) fn language(&mut self, named: Option<&str>, defaults: &Defaults) {
        if let Some(language) = named.or(defaults.language.as_deref()) {
            self.required("language", language.trim());
        }
    }

    pub(crate) fn section(&mut self, named: Vec<&str>, defaults: &Defaults) {
        let levels = if named.is_empty() { defaults.section.iter().map(String::as_str).collect() } else { named };
        self.names("section", levels, 5);
    }

    /// A publication time with its offset.
    pub(crate) fn published(&mut self, at: &str, defaults: &Defaults) {
        let mut published = json!({ "at": at });
        if let Some(tz) = &defaults.tz {
            published["tz"] = tz.as_str().into();
        }
        self.required("published", published);
    }
}

/// A file that goes with an article.
#[derive(Default)]
pub(crate) struct File<'a> {
    /// `picture`, `video`, `audio`, `document`.
    pub(crate) kind: &'static str,
    pub(crate) uri: &'a str,
    pub(crate) mime: Option<&'a str>,
    pub(crate) width: Option<u64>,
    pub(crate) height: Option<u64>,
    pub(crate) size: Option<u64>,
    pub(crate) alt_text: Option<&'a str>,
    pub(crate) caption: Option<&'a str>,
    pub(crate) credit: Option<&'a str>,
    pub(crate) usage_terms: Option<&'a str>,
}

impl Shape {
    /// The association that a file becomes. A picture without a description gets its caption as one, or `stand_in`.
    pub(crate) fn file(&mut self, file: &File<'_>, stand_in: &str) -> Option<Value> {
        let Some(uri) = web_url(file.uri) else {
            self.warn(format!("a {} left out: it has no address on the web", file.kind));
            return None;
        };
        let mut made = json!({ "type": file.kind, "uri": uri.as_str() });
        let caption = self.fitting("caption", file.caption, 2000);
        let alt_text = self.fitting("alt_text", file.alt_text, 1000);
        let described = alt_text.or_else(|| {
            (file.kind == "picture").then(|| {
                self.warn("a picture has no alternative text; its caption or the headline stands in");
                caption.filter(|caption| caption.chars().count() <= 1000).unwrap_or(stand_in)
            })
        });
        let credit = file.credit.map(one_line);
        let texts = [
            ("alt_text", described),
            ("caption", caption),
            ("credit", self.fitting("credit", credit.as_deref(), 300)),
            ("usage_terms", self.fitting("usage_terms", file.usage_terms, 1000)),
            ("mime", file.mime.filter(|mime| is_media_type(mime))),
        ];
        for (field, text) in texts {
            if let Some(text) = text {
                made[field] = text.into();
            }
        }
        for (field, number, max) in
            [("width", file.width, 100_000), ("height", file.height, 100_000), ("size", file.size, 1 << 40)]
        {
            if let Some(number) = number.filter(|number| (1..=max).contains(number)) {
                made[field] = number.into();
            }
        }
        Some(made)
    }
}

/// Every run of white space and control characters as one space: what a line of a form loses when it is printed.
pub(crate) fn one_line(text: &str) -> String {
    let parts = text.split(|c: char| c.is_whitespace() || c.is_control());
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The words of a piece of markup.
pub(crate) fn words(html: &str) -> String {
    to_text(&sanitise(html, None).html)
}

/// An http(s) address that a draft takes.
pub(crate) fn web_url(address: &str) -> Option<Url> {
    let url = Url::parse(address.trim()).ok()?;
    let plain = url.username().is_empty() && url.password().is_none();
    (matches!(url.scheme(), "http" | "https") && url.has_host() && plain && url.as_str().len() <= MAX_URL)
        .then_some(url)
}

fn is_media_type(mime: &str) -> bool {
    let legal =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b));
    mime.len() <= 127 && mime.split_once('/').is_some_and(|(kind, name)| legal(kind) && legal(name))
}

/// A member that is a string with something in it.
pub(crate) fn string<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// The foreign identity in a member that is a string or a number.
pub(crate) fn identity(object: &Value, name: &str, pointer: &str) -> Result<String, Problem> {
    let id = match object.get(name) {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    if id.is_empty() || id.len() > MAX_ID || id.chars().any(char::is_control) {
        let detail = format!("the article's own id is missing or unusable; expected 1 to {MAX_ID} bytes on one line");
        return Err(Problem::new(pointer, "required", detail));
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_and_nothing_else_changes() {
        for (text, line) in [
            (" a\r\n b\u{2028}c\t", "a b c"),
            ("党\u{3000}报", "党 报"),
            ("a\u{0}b\u{85}c", "a b c"),
            ("👩‍👩‍👧 عربي", "👩‍👩‍👧 عربي"),
            ("\n", ""),
        ] {
            assert_eq!(one_line(text), line, "{text:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out_and_said() {
        let mut shape = Shape::default();
        shape.text("summary", Some(&"x".repeat(11)), 10);
        shape.text("located", Some("  "), 10);
        shape.url("canonical_url", Some("javascript:alert(1)"));
        shape.names("keywords", ["a", "a ", "b", "c"], 2);
        assert_eq!(Value::Object(shape.draft), json!({ "keywords": ["a", "b"] }));
        assert_eq!(shape.warnings.len(), 3, "{:?}", shape.warnings);
        let mut shape = Shape::default();
        (0..100).for_each(|n| shape.warn(n.to_string()));
        assert_eq!(shape.warnings.len(), MAX_WARNINGS);
    }

    #[test]
    fn a_picture_always_has_words() {
        let mut shape = Shape::default();
        let file =
            File { kind: "picture", uri: "https://h.example/a.jpg", caption: Some("In court"), ..File::default() };
        assert_eq!(shape.file(&file, "Headline").unwrap()["alt_text"], "In court");
        let file = File { caption: None, mime: Some("image/jpeg\n"), width: Some(0), ..file };
        let made = shape.file(&file, "Headline").unwrap();
        assert_eq!(made, json!({ "type": "picture", "uri": "https://h.example/a.jpg", "alt_text": "Headline" }));
        assert!(shape.file(&File { uri: "/a.jpg", ..file }, "Headline").is_none());
        assert_eq!(shape.warnings.len(), 3);
    }

    #[test]
    fn addresses_are_on_the_web() {
        for yes in ["https://h.example/a", " http://h.example ", "https://新闻.example/新"] {
            assert!(web_url(yes).is_some(), "{yes}");
        }
        for no in ["", "/a", "ftp://h.example/", "https://u:p@h.example/", "mailto:a@b.example", "data:,x"] {
            assert!(web_url(no).is_none(), "{no}");
        }
    }
}
