//! An HTML page as its site serves it, in whatever encoding and state.
//!
//! What a reader sees leads: label lines, then what government systems and JSON-LD say, then the rest of the metadata.
//! Each field keeps where it came from and what was not taken for it.

mod agencies;
mod body;
mod byline;
mod clock;
mod dating;
mod dom;
mod encoding;
mod headline;
mod language;
mod linked;
mod meta;
mod months;
mod outline;
mod page;
mod parse;
mod people;
mod picture;
mod said;
mod section;
mod select;
mod tokens;
mod when;
mod words;
mod write;

use url::Url;

use self::page::Parts;
use crate::error::{Code, ImportError, quote};
use crate::imported::{Encoding, EncodingFrom, Field, Format, Imported, Rejected, Trace, language_for_people};
use crate::page::{LanguageFrom, Options, Warning, WarningCode};

/// Most of what was not taken for a field that is told: a page of nothing but bylines is no trace.
const MAX_REJECTED: usize = 50;
/// How much of a page is looked at to tell what it is, in bytes.
const SNIFFED: usize = 64 * 1024;

/// Something that may be the value of a field.
struct Candidate {
    /// The lowest is taken.
    rank: u8,
    value: String,
    origin: String,
    /// Why it cannot be it, however good its origin.
    veto: Option<String>,
}

impl Candidate {
    fn new(rank: u8, value: String, origin: String) -> Self {
        Self { rank, value, origin, veto: None }
    }

    /// Rules it out if `out`.
    fn unless(mut self, out: bool, why: &str) -> Self {
        if out {
            self.veto = Some(why.to_owned());
        }
        self
    }
}

/// Takes the best candidate and remembers the others.
fn choose(field: Field, mut candidates: Vec<Candidate>) -> Option<Trace> {
    candidates.sort_by_key(|candidate| candidate.rank);
    let at = candidates.iter().position(|candidate| candidate.veto.is_none() && !candidate.value.is_empty())?;
    let best = candidates.remove(at);
    let mut rejected: Vec<Rejected> = Vec::new();
    for other in candidates.into_iter().filter(|other| other.value != best.value) {
        if rejected.len() == MAX_REJECTED {
            break;
        }
        if !rejected.iter().any(|known| known.value == other.value && known.origin == other.origin) {
            let why = other.veto.unwrap_or_else(|| format!("{} goes before it", best.origin));
            rejected.push(Rejected { value: other.value, origin: other.origin, why });
        }
    }
    Some(Trace { field, value: best.value, origin: best.origin, rejected })
}

impl Format {
    /// What a page seems to be: HTML begins with a tag, or has the tags of a document.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        // In UTF-16 every other byte is zero: without them the tags are plain.
        let sample: Vec<u8> =
            bytes.iter().take(SNIFFED).filter(|byte| **byte != 0).map(u8::to_ascii_lowercase).collect();
        let start = sample
            .iter()
            .position(|byte| !byte.is_ascii_whitespace() && !matches!(byte, 0xef | 0xbb | 0xbf | 0xfe | 0xff));
        let first = start.map(|start| &sample[start..]);
        let begins = matches!(first, Some([b'<', b'a'..=b'z' | b'!' | b'?' | b'/', ..]));
        let has = |tag: &[u8]| sample.windows(tag.len()).any(|window| window == tag);
        let document =
            [&b"<html"[..], b"<body", b"</body>", b"</div>", b"</p>", b"</td>", b"</head>"].iter().any(|tag| has(tag));
        if begins || document { Self::Html } else { Self::Text }
    }
}

/// Reads a page.
pub(crate) fn page(bytes: &[u8], options: &Options) -> Result<Imported, Vec<ImportError>> {
    if bytes.len() > crate::MAX_PAGE_BYTES {
        let seen = format!("the page has {} bytes, the limit is {}", bytes.len(), crate::MAX_PAGE_BYTES);
        return Err(vec![ImportError::new(Code::TooLarge, 1, seen, "save the article without its pictures")]);
    }
    if Format::of(bytes) == Format::Text {
        let blank = bytes.iter().all(u8::is_ascii_whitespace);
        let (code, seen) =
            if blank { (Code::Empty, "nothing but white space") } else { (Code::LooksLikeText, "no tag of HTML") };
        return Err(vec![ImportError::new(code, 1, seen, "import it as text, or save the web page as HTML")]);
    }
    let tld = options.url.as_ref().and_then(Url::domain).and_then(|domain| domain.rsplit('.').next());
    let decoded = encoding::decode(bytes, tld).map_err(|error| vec![error])?;
    let dom = parse::parse(&decoded.text).map_err(|error| vec![error])?;
    let outline = outline::outline(&dom);
    let Some(parts) = Parts::of(&dom, &outline, options) else {
        let seen = "no sentence that is not part of the page's furniture";
        let advice = "check that the page holds the story itself, not only the script that loads it";
        return Err(vec![ImportError::new(Code::NoBody, 1, seen, advice)]);
    };
    fields(&parts, decoded.encoding, decoded.unreadable)
}

fn fields(parts: &Parts<'_>, encoding: Encoding, unreadable: usize) -> Result<Imported, Vec<ImportError>> {
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    if unreadable > 0 {
        let text = format!("{unreadable} characters are not {} and were replaced", encoding.used);
        warnings.push(Warning { code: WarningCode::Unreadable, line: None, text });
    }
    let language = language(parts);
    if language.from == LanguageFrom::Assumed {
        let text = format!(
            "the language was taken to be “{}” from the text alone; name it if it is another",
            language.trace.value
        );
        warnings.push(Warning { code: WarningCode::LanguageAssumed, line: None, text });
    }
    let headline = parts.headline.as_ref().map(|headline| headline.trace.clone());
    if headline.is_none() {
        let seen = "neither a heading nor a title";
        errors.push(ImportError::new(Code::NoHeadline, 1, seen, "give the page a <title> or an <h1>"));
    }
    let dated = dating::find(parts, &language.trace.value).map_err(|error| errors.push(error));
    let (Some(headline), Ok(dated)) = (headline, dated) else { return Err(errors) };
    let people = people::find(parts);
    let section = section::find(parts);
    let address = address(parts);
    let selected = select::select(parts, people.signed);
    let base = parts.head.base(parts.options.url.as_ref());
    let body = write::write(parts.dom, parts.outline, parts.story, &selected.kept, &selected.pictures, base.as_ref());
    if body.paragraphs.is_empty() {
        let text = quote(&parts.outline.runs[parts.lines.start].text);
        let seen = format!("nothing is left of the story that begins {text}");
        return Err(vec![ImportError::new(Code::NoBody, parts.line(parts.lines.start), seen, "import its text")]);
    }
    warnings.extend(dated.warnings);
    let origin =
        format!("line {}, the {} with the most sentences", parts.line(parts.lines.start), parts.dom.name(parts.story));
    let story = Trace { field: Field::Body, value: body.paragraphs.join("\n"), origin, rejected: Vec::new() };
    let canonical_url = address.as_ref().and_then(|trace| trace.value.parse().ok());
    let mut trace: Vec<Trace> = section.iter().cloned().collect();
    trace.push(headline.clone());
    trace.extend(dated.traces);
    trace.extend(people.traces);
    trace.push(language.trace.clone());
    trace.extend(address);
    trace.push(encoding_trace(&encoding));
    trace.push(story);
    Ok(Imported {
        format: Format::Html,
        section: section.map(|section| section.value),
        headline: headline.value,
        date: dated.date,
        byline: people.byline,
        authors: people.authors,
        editors: people.editors,
        source: people.source,
        language: language.trace.value,
        body: body.html.trim_end().to_owned(),
        paragraphs: body.paragraphs,
        pictures: body.pictures,
        canonical_url,
        encoding: Some(encoding),
        trace,
        dropped: selected.dropped,
        warnings,
    })
}

fn encoding_trace(encoding: &Encoding) -> Trace {
    let origin = match encoding.from {
        EncodingFrom::ByteOrderMark => "the byte order mark",
        EncodingFrom::ValidUtf8 => "the bytes are valid UTF-8",
        EncodingFrom::Declared => "the declaration",
        EncodingFrom::Detected => "what the bytes look like",
    };
    let declared = encoding.declared.iter().filter(|declared| !declared.eq_ignore_ascii_case(encoding.used));
    let rejected = declared.map(|declared| Rejected {
        value: declared.clone(),
        origin: "the declaration".to_owned(),
        why: "another name of it, or not what the bytes are".to_owned(),
    });
    Trace {
        field: Field::Encoding,
        value: encoding.used.to_owned(),
        origin: origin.to_owned(),
        rejected: rejected.collect(),
    }
}

/// The page's own address. One that leads to the front page is no address of an article.
fn address(parts: &Parts<'_>) -> Option<Trace> {
    let given = parts.options.url.as_ref();
    let candidates = parts.head.address(given).into_iter().enumerate().map(|(rank, (url, origin))| {
        let front = url.path() == "/" && url.query().is_none() && given.is_none();
        let secret = !url.username().is_empty() || url.password().is_some();
        let candidate = Candidate::new(u8::try_from(rank).unwrap_or(u8::MAX), url.to_string(), origin);
        candidate.unless(front, "the address of the front page").unless(secret, "has a name or password in it")
    });
    choose(Field::CanonicalUrl, candidates.collect())
}

struct Language {
    trace: Trace,
    from: LanguageFrom,
}

/// The language: named by the caller, declared and possible, or as the text shows.
fn language(parts: &Parts<'_>) -> Language {
    let told = |value: String, from: LanguageFrom, origin: Option<String>, rejected: Vec<Rejected>| Language {
        trace: Trace {
            field: Field::Language,
            value,
            origin: origin.unwrap_or_else(|| language_for_people(from).to_owned()),
            rejected,
        },
        from,
    };
    if let Some(language) = &parts.options.language {
        return told(language.clone(), LanguageFrom::Option, None, Vec::new());
    }
    let story = parts.lines.clone().filter(|at| parts.roles[*at] == body::Role::Prose);
    let text: String = story.take(200).map(|at| parts.outline.runs[at].text.as_str()).collect::<Vec<_>>().join("\n");
    let seen = language::look(&text);
    let mut rejected = Vec::new();
    for (tag, origin) in &parts.head.languages {
        let shaped = (2..=35).contains(&tag.len())
            && tag
                .split('-')
                .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        if shaped && language::agrees(tag, seen) {
            return told(tag.clone(), LanguageFrom::Declared, Some(origin.clone()), rejected);
        }
        let why = if shaped { "the text is in another language" } else { "no language tag" };
        rejected.push(Rejected { value: tag.clone(), origin: origin.clone(), why: why.to_owned() });
    }
    match seen {
        language::Seen::Script(tag) => told(tag.to_owned(), LanguageFrom::Script, None, rejected),
        language::Seen::Words(tag) => {
            told(tag.to_owned(), LanguageFrom::Assumed, Some("the words of the story".to_owned()), rejected)
        }
        language::Seen::OneOf(tags) => told(tags[0].to_owned(), LanguageFrom::Assumed, None, rejected),
        language::Seen::Nothing => told("und".to_owned(), LanguageFrom::Assumed, None, rejected),
    }
}
