//! RSS 2.0 and Atom 1.0, element by element, without a tree.

use article::ArticleId;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::{NsReader, XmlVersion};

use super::Unreadable;

const ATOM_NS: &str = "http://www.w3.org/2005/Atom";
const CONTENT_NS: &str = "http://purl.org/rss/1.0/modules/content/";

/// Namespace (empty: none) and local name.
type Name = (&'static str, &'static str);

/// What a child element has to be.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// There exactly once.
    Once,
    /// There, however often.
    Some,
    /// Once, and an article's.
    Id,
    /// Once, and a date.
    Date,
}

/// How a format is built.
pub(super) struct Dialect {
    /// From the root to the element that holds the entries.
    path: &'static [Name],
    feed: &'static [(Name, Kind)],
    entry: Name,
    fields: &'static [(Name, Kind)],
    is_date: fn(&str) -> bool,
}

pub(super) const ATOM: Dialect = Dialect {
    path: &[(ATOM_NS, "feed")],
    feed: &[
        ((ATOM_NS, "id"), Kind::Once),
        ((ATOM_NS, "title"), Kind::Once),
        ((ATOM_NS, "updated"), Kind::Date),
        ((ATOM_NS, "link"), Kind::Some),
    ],
    entry: (ATOM_NS, "entry"),
    fields: &[
        ((ATOM_NS, "id"), Kind::Id),
        ((ATOM_NS, "title"), Kind::Once),
        ((ATOM_NS, "updated"), Kind::Date),
        ((ATOM_NS, "published"), Kind::Date),
        ((ATOM_NS, "link"), Kind::Some),
        ((ATOM_NS, "author"), Kind::Some),
        ((ATOM_NS, "content"), Kind::Once),
    ],
    is_date: |text| text.parse::<Timestamp>().is_ok(),
};

pub(super) const RSS: Dialect = Dialect {
    path: &[("", "rss"), ("", "channel")],
    feed: &[(("", "title"), Kind::Once), (("", "link"), Kind::Once), (("", "description"), Kind::Once)],
    entry: ("", "item"),
    fields: &[
        (("", "guid"), Kind::Id),
        (("", "title"), Kind::Once),
        (("", "link"), Kind::Once),
        (("", "description"), Kind::Once),
        (("", "pubDate"), Kind::Date),
        ((CONTENT_NS, "encoded"), Kind::Once),
    ],
    is_date: |text| rfc2822::parse(text).is_ok(),
};

/// What was seen of the children that an element must have.
struct Seen {
    fields: &'static [(Name, Kind)],
    times: Vec<usize>,
}

impl Seen {
    fn new(fields: &'static [(Name, Kind)]) -> Self {
        Self { fields, times: vec![0; fields.len()] }
    }

    /// Counts a child; its kind, if it is one of them.
    fn child(&mut self, name: (&str, &str)) -> Option<Kind> {
        let n = self.fields.iter().position(|(field, _)| is(*field, name))?;
        self.times[n] += 1;
        Some(self.fields[n].1)
    }

    /// What is missing, or there too often.
    fn fault(&self) -> Option<String> {
        let wrong = |(((_, name), kind), times): (&(Name, Kind), &usize)| match (times, kind) {
            (0, _) => Some(format!("no {name}")),
            (1, _) | (_, Kind::Some) => None,
            (times, _) => Some(format!("{name} stands there {times} times")),
        };
        self.fields.iter().zip(&self.times).find_map(wrong)
    }
}

/// The local names first: they hardly ever have one length, where namespaces are compared to their last byte.
fn is(expected: Name, (namespace, local): (&str, &str)) -> bool {
    expected.1 == local && expected.0 == namespace
}

pub(super) fn read(text: &str, dialect: &'static Dialect) -> Result<Vec<ArticleId>, Unreadable> {
    if may_be_illegal(text)
        && let Some(at) = text.find(is_illegal)
    {
        return Err(Unreadable::new(at, "a character that XML 1.0 forbids"));
    }
    let has_section_end = text.contains("]]>");
    let mut reader = NsReader::from_str(text);
    reader.config_mut().check_comments = true;
    let mut reading = Reading::new(dialect);
    loop {
        let at = usize::try_from(reader.buffer_position()).expect("a place in memory");
        let (namespace, event) = reader.read_resolved_event().map_err(|error| Unreadable::new(at, error))?;
        let namespace = match namespace {
            ResolveResult::Bound(Namespace(namespace)) => namespace,
            ResolveResult::Unbound => "",
            ResolveResult::Unknown(prefix) => {
                return Err(Unreadable::new(at, format!("nothing declares the prefix {prefix:?}")));
            }
        };
        let done = match &event {
            Event::Start(start) => {
                let known = reading.open((namespace, start.local_name().into_inner()));
                known.and_then(|()| attributes(&reader, start))
            }
            Event::Empty(start) => reading
                .open((namespace, start.local_name().into_inner()))
                .and_then(|()| attributes(&reader, start))
                .and_then(|()| reading.close()),
            Event::End(_) => reading.close(),
            Event::Text(words) if has_section_end && words.contains("]]>") => Err("]]> in text".into()),
            Event::Text(words) => reading.words(words),
            Event::CData(words) => reading.words(words),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(c)) if is_illegal(c) => Err(format!("&{}; is a character that XML 1.0 forbids", &**reference)),
                Ok(Some(c)) => reading.words(c.encode_utf8(&mut [0; 4])),
                Ok(None) => match resolve_xml_entity(reference) {
                    Some(words) => reading.words(words),
                    None => Err(format!("nothing declares &{};", &**reference)),
                },
                Err(error) => Err(error.to_string()),
            },
            Event::DocType(_) => Err("a document type".into()),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => Ok(()),
            Event::Eof => return reading.end().map_err(|problem| Unreadable::new(at, problem)),
        };
        done.map_err(|problem| Unreadable::new(at, problem))?;
    }
}

/// Neither branches nor stops at the first: the compiler makes it look at many bytes at once.
fn may_be_illegal(text: &str) -> bool {
    let controls = text.bytes().fold(0, |seen, byte| {
        seen | (u8::from(byte < b' ') & u8::from(byte != b'\t') & u8::from(byte != b'\n') & u8::from(byte != b'\r'))
    });
    // U+FFFE and U+FFFF begin with these two, which hardly anything else does.
    let pairs =
        text.as_bytes().windows(2).fold(0, |seen, pair| seen | (u8::from(pair[0] == 0xEF) & u8::from(pair[1] == 0xBF)));
    controls > 0 || (pairs > 0 && text.contains(['\u{FFFE}', '\u{FFFF}']))
}

/// XML 1.0, section 2.2.
fn is_illegal(c: char) -> bool {
    (c < ' ' && !c.is_ascii_whitespace()) || c == '\u{C}' || matches!(c, '\u{FFFE}' | '\u{FFFF}')
}

/// No attribute twice, no prefix undeclared, no reference that nobody knows.
fn attributes(reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Result<(), String> {
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        if let (ResolveResult::Unknown(prefix), _) = reader.resolver().resolve_attribute(attribute.key) {
            return Err(format!("nothing declares the prefix {prefix:?}"));
        }
        if attribute.value.contains('<') {
            return Err("< in the value of an attribute".into());
        }
        // One level deep: no entity that a reader knows without a document type stands for another one.
        let value = attribute.normalized_value_with(XmlVersion::Explicit1_0, 1, resolve_xml_entity);
        if value.map_err(|error| error.to_string())?.contains(is_illegal) {
            return Err("a reference to a character that XML 1.0 forbids".into());
        }
    }
    Ok(())
}

/// Where in the document reading is, and what it found.
struct Reading {
    dialect: &'static Dialect,
    /// Open elements.
    depth: usize,
    /// The root element is open, or was.
    begun: bool,
    feed: Seen,
    entry: Option<Seen>,
    /// The text of the field that is open, if it says more than that it is there.
    field: Option<(Kind, String)>,
    ids: Vec<ArticleId>,
}

impl Reading {
    fn new(dialect: &'static Dialect) -> Self {
        Self {
            dialect,
            depth: 0,
            begun: false,
            feed: Seen::new(dialect.feed),
            entry: None,
            field: None,
            ids: Vec::new(),
        }
    }

    fn open(&mut self, name: (&str, &str)) -> Result<(), String> {
        let depth = self.depth;
        self.depth += 1;
        let path = self.dialect.path;
        if let Some(expected) = path.get(depth) {
            return match is(*expected, name) {
                false => Err(format!("{} in place of {}", name.1, expected.1)),
                true if depth == 0 && std::mem::replace(&mut self.begun, true) => Err("a second root element".into()),
                true => Ok(()),
            };
        }
        let kind = match (depth - path.len(), &mut self.entry) {
            (0, _) if is(self.dialect.entry, name) => {
                self.entry = Some(Seen::new(self.dialect.fields));
                None
            }
            (0, _) => self.feed.child(name),
            (1, Some(entry)) => entry.child(name),
            _ => None,
        };
        if let Some(kind @ (Kind::Id | Kind::Date)) = kind {
            self.field = Some((kind, String::new()));
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        self.depth -= 1;
        match self.field.take() {
            Some((Kind::Id, text)) => {
                self.ids.push(text.trim().parse().map_err(|error: article::InvalidId| error.to_string())?);
            }
            Some((Kind::Date, text)) if !(self.dialect.is_date)(text.trim()) => {
                return Err(format!("{text:?} is no date"));
            }
            _ => {}
        }
        if self.depth == self.dialect.path.len()
            && let Some(entry) = self.entry.take()
            && let Some(fault) = entry.fault()
        {
            return Err(format!("an entry with {fault}"));
        }
        Ok(())
    }

    fn words(&mut self, words: &str) -> Result<(), String> {
        if self.depth == 0 && !words.trim().is_empty() {
            return Err("text beside the feed".into());
        }
        if let Some((_, text)) = &mut self.field {
            text.push_str(words);
        }
        Ok(())
    }

    fn end(self) -> Result<Vec<ArticleId>, String> {
        if self.depth > 0 {
            return Err("the document ends before its elements do".into());
        }
        match self.feed.fault() {
            Some(fault) => Err(format!("a feed with {fault}")),
            None => Ok(self.ids),
        }
    }
}
