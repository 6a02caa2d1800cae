//! Reads a JSON object field by field and collects every mistake with its pointer, instead of stopping at the first
//! as a derived deserialiser does.

use std::str::FromStr;

use serde_json::{Map, Value};
use url::Url;

use crate::Problem;
use crate::text::{graphemes, illegal_in_line, illegal_in_text, is_blank};

/// The longest value with a text form (an id, a time, a language), in characters.
const MAX_PARSED: usize = 64;

/// The most bytes a field may have per character it may have. The longest emoji have 35, Indic clusters fewer; without
/// a bound one letter could carry a megabyte of accents.
const BYTES_PER_CHARACTER: usize = 36;

/// The fields of one object still to be read; `finish` reports what nobody asked for.
pub(crate) struct Fields<'a> {
    map: &'a Map<String, Value>,
    pointer: String,
    problems: &'a mut Vec<Problem>,
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// `None`, with a problem, where the value is no object.
    pub(crate) fn of(value: &'a Value, pointer: String, problems: &'a mut Vec<Problem>) -> Option<Self> {
        match value {
            Value::Object(map) => Some(Self { map, pointer, problems, known: Vec::new() }),
            other => {
                problems.push(Problem::new(pointer, "type", format!("expected an object, not {}", kind(other))));
                None
            }
        }
    }

    pub(crate) fn problem(&mut self, field: &str, code: &str, detail: impl Into<String>) {
        let pointer = self.pointer_to(field);
        self.problems.push(Problem::new(pointer, code, detail));
    }

    fn pointer_to(&self, field: &str) -> String {
        // RFC 6901 escapes.
        format!("{}/{}", self.pointer, field.replace('~', "~0").replace('/', "~1"))
    }

    /// The field's value; absent and `null` are the same.
    pub(crate) fn value(&mut self, field: &'static str) -> Option<&'a Value> {
        self.known.push(field);
        self.map.get(field).filter(|value| !value.is_null())
    }

    fn string(&mut self, field: &'static str) -> Option<&'a str> {
        match self.value(field)? {
            Value::String(text) => Some(text),
            other => {
                self.problem(field, "type", format!("expected a string, not {}", kind(other)));
                None
            }
        }
    }

    /// Reports a missing field, unless reading it has already found what is wrong with it.
    pub(crate) fn require(&mut self, field: &str, present: bool) {
        let pointer = self.pointer_to(field);
        if !present && !self.problems.iter().any(|problem| problem.pointer == pointer) {
            self.problem(field, "required", format!("{field} is required"));
        }
    }

    /// One line of text, 1 to `max` graphemes, kept verbatim.
    pub(crate) fn line(&mut self, field: &'static str, max: usize) -> Option<String> {
        self.checked(field, |text| fault(text, illegal_in_line(text), max))
    }

    /// Text of several lines, 1 to `max` graphemes, kept verbatim.
    pub(crate) fn text(&mut self, field: &'static str, max: usize) -> Option<String> {
        self.checked(field, |text| fault(text, illegal_in_text(text), max))
    }

    /// Text of several lines that is too long to be counted in anything but bytes, at most `max` of them.
    pub(crate) fn long_text(&mut self, field: &'static str, max: usize) -> Option<String> {
        self.checked(field, |text| match text.len() {
            length if length > max => Some(("too_long", format!("{length} bytes; at most {max} are allowed"))),
            _ => fault(text, illegal_in_text(text), max),
        })
    }

    fn checked(&mut self, field: &'static str, fault: impl FnOnce(&str) -> Option<Fault>) -> Option<String> {
        let text = self.string(field)?;
        if let Some((code, detail)) = fault(text) {
            self.problem(field, code, detail);
            return None;
        }
        Some(text.to_owned())
    }

    /// A value with a text form; `expected` tells what that form is.
    pub(crate) fn parsed<T: FromStr>(&mut self, field: &'static str, expected: &str) -> Option<T> {
        let text = self.line(field, MAX_PARSED)?;
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.problem(field, "format", format!("{} is not {expected}", shown(&text)));
        }
        parsed
    }

    pub(crate) fn boolean(&mut self, field: &'static str) -> Option<bool> {
        let value = self.value(field)?;
        if value.as_bool().is_none() {
            self.problem(field, "type", format!("expected true or false, not {}", kind(value)));
        }
        value.as_bool()
    }

    pub(crate) fn word<T>(&mut self, field: &'static str, words: &[&str], from: fn(&str) -> Option<T>) -> Option<T> {
        let text = self.string(field)?;
        let known = from(text);
        if known.is_none() {
            self.problem(field, "unknown_word", format!("{} is not one of {}", shown(text), words.join(", ")));
        }
        known
    }

    pub(crate) fn integer(&mut self, field: &'static str, range: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let value = self.value(field)?;
        let number = value.as_u64().filter(|number| range.contains(number));
        if number.is_none() {
            let (low, high) = range.into_inner();
            self.problem(field, "range", format!("not a whole number from {low} to {high}"));
        }
        number
    }

    /// An absolute http(s) URL without user information, at most 2,048 bytes.
    pub(crate) fn web_url(&mut self, field: &'static str) -> Option<Url> {
        let text = self.string(field)?;
        let fault = match Url::parse(text) {
            Err(error) => format!("{} is not an absolute URL: {error}", shown(text)),
            // Checked as it is kept, percent-encoded, so that an article sent back is as short as it was.
            Ok(url) if url.as_str().len() > 2048 => "longer than 2,048 bytes once encoded".to_owned(),
            Ok(url) if !matches!(url.scheme(), "http" | "https") => {
                format!("{} must begin with https:// or http://", shown(text))
            }
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                "a URL with a user name or password is not for publication; remove them".to_owned()
            }
            Ok(url) => return Some(url),
        };
        self.problem(field, "url", fault);
        None
    }

    /// A list of at most `max` items, each read by `read` as an object.
    pub(crate) fn objects<T>(
        &mut self,
        field: &'static str,
        max: usize,
        read: fn(&mut Fields<'_>) -> Option<T>,
    ) -> Vec<T> {
        let pointer = self.pointer_to(field);
        let mut items = Vec::new();
        for (n, value) in self.array(field, max).iter().enumerate() {
            if let Some(mut fields) = Fields::of(value, format!("{pointer}/{n}"), self.problems) {
                items.extend(read(&mut fields));
                fields.finish();
            }
        }
        items
    }

    /// A list of at most `max` lines of at most `length` graphemes.
    pub(crate) fn lines(&mut self, field: &'static str, max: usize, length: usize) -> Vec<String> {
        let pointer = self.pointer_to(field);
        let mut items = Vec::new();
        for (n, value) in self.array(field, max).iter().enumerate() {
            let found = match value.as_str() {
                None => Some(("type", format!("expected a string, not {}", kind(value)))),
                Some(text) => fault(text, illegal_in_line(text), length).or_else(|| {
                    items.push(text.to_owned());
                    None
                }),
            };
            if let Some((code, detail)) = found {
                self.problems.push(Problem::new(format!("{pointer}/{n}"), code, detail));
            }
        }
        items
    }

    fn array(&mut self, field: &'static str, max: usize) -> &'a [Value] {
        match self.value(field) {
            None => &[],
            Some(Value::Array(items)) if items.len() <= max => items,
            Some(Value::Array(items)) => {
                self.problem(field, "too_many", format!("{} items; {field} may have {max}", items.len()));
                &[]
            }
            Some(other) => {
                self.problem(field, "type", format!("expected a list, not {}", kind(other)));
                &[]
            }
        }
    }

    /// Reads one nested object.
    pub(crate) fn object<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&mut Fields<'_>) -> Option<T>,
    ) -> Option<T> {
        let pointer = self.pointer_to(field);
        let value = self.value(field)?;
        let mut fields = Fields::of(value, pointer, self.problems)?;
        let read = read(&mut fields);
        fields.finish();
        read
    }

    /// Marks fields the server owns: they may be sent back as they were read, and are not looked at.
    pub(crate) fn ignore(&mut self, fields: &[&'static str]) {
        self.known.extend(fields);
    }

    /// Reports what nobody read: a misspelt field would otherwise be lost in silence.
    pub(crate) fn finish(mut self) {
        let known = std::mem::take(&mut self.known);
        for field in self.map.keys().filter(|field| !known.contains(&field.as_str())) {
            let detail = format!("there is no field {}; put what is your own under ext.<namespace>", shown(field));
            self.problem(field, "unknown_field", detail);
        }
    }
}

/// What is wrong with a text: a code and a sentence.
pub(crate) type Fault = (&'static str, String);

pub(crate) fn fault(text: &str, illegal: Option<char>, max: usize) -> Option<Fault> {
    if let Some(c) = illegal {
        return Some(("illegal_character", format!("the character U+{:04X} may not stand here; remove it", c as u32)));
    }
    if is_blank(text) {
        return Some(("blank", "blank; write something or leave it out".into()));
    }
    // A grapheme holds at least one byte: short texts need no counting.
    if text.len() > max.saturating_mul(BYTES_PER_CHARACTER) {
        return Some(("too_long", format!("{} bytes; at most {max} characters are allowed", text.len())));
    }
    let length = if text.len() > max { graphemes(text) } else { 0 };
    (length > max).then(|| ("too_long", format!("{length} characters; at most {max} are allowed")))
}

/// A value as a message quotes it: short, whatever was sent.
pub(crate) fn shown(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
