//! From the parts of a page to its fields, claiming every piece on the way.

use std::ops::Range;

use crate::account::{Ledger, What};
use crate::block::Entry;
use crate::date::{self, Fault};
use crate::error::{Code, ImportError, quote};
use crate::labels::{self, Class, Kind, is_separator};
use crate::language;
use crate::layout::Layout;
use crate::lines::Line;
use crate::names;
use crate::page::{BylineFrom, Dropped, LanguageFrom, Options, Page, PageDate, Warning, WarningCode, Why, ZoneFrom};
use crate::signoff::{self, Signed, Signoff};
use crate::zone::{self, Zone};

/// Most closing parentheses read as sign-offs: a reporter's, an editor's.
const MAX_SIGNOFFS: usize = 2;

/// A page in the making.
struct Draft<'a> {
    text: &'a str,
    ledger: Ledger<'a>,
    errors: Vec<ImportError>,
    warnings: Vec<Warning>,
    dropped: Vec<Dropped>,
    section: Option<&'a str>,
    headline: Option<&'a str>,
    date: Option<PageDate>,
    byline: Option<(&'a str, BylineFrom)>,
    source: Option<&'a str>,
    editors: Vec<String>,
    body: Vec<String>,
}

pub(crate) fn page(
    text: &str,
    lines: &[Line<'_>],
    layout: &Layout,
    options: &Options,
) -> Result<Page, Vec<ImportError>> {
    let mut draft = Draft {
        text,
        ledger: Ledger::new(text),
        errors: Vec::new(),
        warnings: Vec::new(),
        dropped: Vec::new(),
        section: None,
        headline: None,
        date: None,
        byline: None,
        source: None,
        editors: Vec::new(),
        body: Vec::new(),
    };
    // A byte order mark counts as blank, and offsets include it.
    let crumbs = draft.above(&lines[layout.above.clone()]);
    let entries = || layout.header.entries.iter().chain(&layout.footer.entries);
    let label_line = entries().next().map_or(1, |entry| entry.line);
    if draft.headline.is_none() {
        let advice = "put the headline on a line of its own above the labels";
        draft.errors.push(ImportError::new(Code::NoHeadline, label_line, "no headline above the label line", advice));
    }
    for crumb in crumbs {
        draft.breadcrumb(crumb.line, crumb.range);
    }
    let recognised = zone::recognise(entries().map(|entry| &entry.segment));
    for entry in entries() {
        draft.entry(entry, options, recognised);
    }
    if draft.date.is_none() && draft.errors.iter().all(|error| error.code == Code::NoHeadline) {
        let advice = "put the date of publication behind its label, as in “Time: 2018-11-26”";
        draft.errors.push(ImportError::new(Code::NoDate, label_line, "no date in the label lines", advice));
    }
    draft.body(&lines[layout.body.clone()]);
    for line in &lines[layout.after.clone()] {
        draft.drop(line.number, line.start..line.start + line.text.len(), Why::AfterLabels);
        draft.warn(WarningCode::TextDropped, Some(line.number), format!("{} {}", quote(line.text), Why::AfterLabels));
    }
    if draft.body.is_empty() {
        let line = lines.last().map_or(1, |line| line.number);
        let advice = "check that the whole page was copied";
        draft.errors.push(ImportError::new(Code::NoBody, line, "no paragraph of text", advice));
    }
    draft.finish(lines, options)
}

/// The value of a breadcrumb.
struct Crumb {
    line: u32,
    range: Range<usize>,
}

impl<'a> Draft<'a> {
    fn warn(&mut self, code: WarningCode, line: Option<u32>, text: impl Into<String>) {
        self.warnings.push(Warning { code, line, text: text.into() });
    }

    fn drop(&mut self, line: u32, range: Range<usize>, why: Why) {
        let text = self.ledger.claim(line, range, What::Dropped);
        if !text.is_empty() {
            self.dropped.push(Dropped { line, text: text.to_owned(), why });
        }
    }

    /// Headline, section and what stands above them; returns the breadcrumbs, which matter only without a section.
    fn above(&mut self, lines: &[Line<'a>]) -> Vec<Crumb> {
        let mut crumbs = Vec::new();
        let mut texts = Vec::new();
        for line in lines {
            let whole = line.start..line.start + line.text.len();
            match labels::classify(line) {
                Class::Breadcrumb(segments) => {
                    let label = &segments[0].label;
                    self.ledger.claim(line.number, line.start..line.start + label.end, What::Mark);
                    crumbs.push(Crumb { line: line.number, range: line.start + label.end..whole.end });
                }
                Class::Controls(_) => self.drop(line.number, whole, Why::Control),
                Class::Labels(_) | Class::Text => texts.push((line.number, whole)),
            }
        }
        if let Some((number, range)) = texts.pop() {
            self.headline = Some(self.ledger.claim(number, range, What::Headline));
        }
        if let Some((number, range)) = texts.pop() {
            self.section = Some(self.ledger.claim(number, range, What::Section));
        }
        for (number, range) in texts {
            let text = quote(&self.text[range.clone()]);
            self.drop(number, range, Why::AboveSection);
            self.warn(WarningCode::TextDropped, Some(number), format!("{text} {}", Why::AboveSection));
        }
        crumbs
    }

    /// The last step of a breadcrumb that names a section serves as the section when the page has no other.
    fn breadcrumb(&mut self, line: u32, range: Range<usize>) {
        const ARROWS: [char; 6] = ['>', '＞', '»', '›', '→', '/'];
        const NO_SECTION: [&str; 8] = ["首页", "网站首页", "正文", "内容", "home", "content", "text", "article"];
        let names_section = |step: &&str| !step.is_empty() && !NO_SECTION.contains(&step.to_lowercase().as_str());
        let mut steps = self.text[range.clone()].split(ARROWS).map(|step| step.trim_matches(is_separator));
        let last = steps.rfind(names_section);
        let Some(last) = last.filter(|last| self.section.is_none() && self.headline != Some(*last)) else {
            return self.drop(line, range, Why::Breadcrumb);
        };
        // `last` is a slice of the page, so its place in it is the distance of the two.
        let start = last.as_ptr().addr() - self.text.as_ptr().addr();
        self.drop(line, range.start..start, Why::Breadcrumb);
        self.section = Some(self.ledger.claim(line, start..start + last.len(), What::Section));
        self.drop(line, start + last.len()..range.end, Why::Breadcrumb);
    }

    /// One label with its value.
    fn entry(&mut self, entry: &Entry, options: &Options, recognised: Option<(zone::Profile, zone::Tell)>) {
        let kind = entry.segment.kind;
        match kind {
            Kind::FontSize | Kind::Control => return self.drop(entry.line, entry.extent.clone(), Why::Control),
            Kind::Views => return self.drop(entry.line, entry.extent.clone(), Why::Views),
            Kind::Date | Kind::Author | Kind::Source | Kind::Editor | Kind::Location => {}
        }
        self.ledger.claim(entry.line, entry.label.clone(), What::Mark);
        if entry.value_line == entry.line {
            self.ledger.claim(entry.line, entry.label.end..entry.value.start, What::Mark);
            self.ledger.claim(entry.line, entry.value.end..entry.extent.end, What::Mark);
        } else {
            // The value stands on the next line: what is left of this one are separators.
            self.ledger.claim(entry.line, entry.label.end..entry.extent.end, What::Mark);
        }
        if entry.value.is_empty() {
            return;
        }
        let value = &self.text[entry.value.clone()];
        let filled = match kind {
            Kind::Date => self.date.is_some(),
            Kind::Author => self.byline.is_some(),
            Kind::Source => self.source.is_some(),
            _ => false,
        };
        if filled {
            self.drop(entry.value_line, entry.value.clone(), Why::RepeatedLabel);
            let text = format!("{} {}", quote(value), Why::RepeatedLabel);
            return self.warn(WarningCode::RepeatedLabel, Some(entry.value_line), text);
        }
        match kind {
            Kind::Date => self.date(entry, options, recognised),
            Kind::Author => {
                self.ledger.claim(entry.value_line, entry.value.clone(), What::Byline);
                self.byline = Some((value, BylineFrom::Label));
            }
            Kind::Source => {
                self.ledger.claim(entry.value_line, entry.value.clone(), What::Source);
                self.source = Some(value);
            }
            Kind::Editor => self.editors(entry.value_line, entry.value.clone()),
            _ => self.drop(entry.value_line, entry.value.clone(), Why::Breadcrumb),
        }
        if kind != Kind::Date && (value.contains(": ") || value.contains('：')) {
            let text = format!("{} seems to have another label in it", quote(value));
            self.warn(WarningCode::UnknownLabel, Some(entry.value_line), text);
        }
    }

    fn date(&mut self, entry: &Entry, options: &Options, recognised: Option<(zone::Profile, zone::Tell)>) {
        let value = self.ledger.claim(entry.value_line, entry.value.clone(), What::Date);
        let printed = match date::parse(value) {
            Ok(printed) => printed,
            Err(fault) => {
                let advice = "write it as 2018-11-26, with the time as 2018-11-26 09:30 if there is one";
                let (code, why) = match fault {
                    Fault::Ambiguous(why) => (Code::DateAmbiguous, why),
                    Fault::Invalid(why) => (Code::DateInvalid, why),
                    Fault::NotADate => (Code::DateInvalid, "it does not read as a date".to_owned()),
                };
                let seen = format!("the date is {}: {why}", quote(value));
                return self.errors.push(ImportError::new(code, entry.value_line, seen, advice));
            }
        };
        let (zone, zone_from) = match (printed.zone, options.profile, &options.timezone, recognised) {
            (Some(zone), ..) => (zone, ZoneFrom::Printed),
            (_, Some(profile), ..) => (profile.zone(), ZoneFrom::Profile(profile)),
            (_, _, Some(zone), _) => (zone.clone(), ZoneFrom::Option),
            (.., Some((profile, tell))) => {
                let zone = profile.zone();
                if tell != zone::Tell::ChineseLabel {
                    let text = format!(
                        "the time zone was taken to be {zone} because of {tell}: name a zone or the source profile {profile}"
                    );
                    self.warn(WarningCode::ZoneAssumed, Some(entry.value_line), text);
                }
                (zone, ZoneFrom::Recognised(profile, tell))
            }
            _ => {
                let text = "nothing tells the time zone of the date: UTC was assumed; name it with a time zone or a source profile";
                self.warn(WarningCode::ZoneAssumed, Some(entry.value_line), text);
                (Zone::utc(), ZoneFrom::Assumed)
            }
        };
        let (date, clear) = PageDate::placed(value, printed.date, printed.time, printed.precision, zone, zone_from);
        if !clear {
            let at = printed.date.to_datetime(printed.time.unwrap_or(jiff::civil::Time::midnight()));
            let text = format!("the clocks of {} showed {at} twice or not at all", date.timezone);
            self.warn(WarningCode::TimeUnclear, Some(entry.value_line), text);
        }
        self.date = Some(date);
    }

    /// Names of editors; what separates them is structure.
    fn editors(&mut self, line: u32, range: Range<usize>) {
        let text = self.text;
        let mut done = range.start;
        for name in names::people(&text[range.clone()]) {
            let name = range.start + name.start..range.start + name.end;
            self.ledger.claim(line, done..name.start, What::Mark);
            done = name.end;
            self.editors.push(self.ledger.claim(line, name, What::Editor).to_owned());
        }
        self.ledger.claim(line, done..range.end, What::Mark);
    }

    /// Paragraphs, after the sign-offs at their end are taken off.
    fn body(&mut self, lines: &[Line<'a>]) {
        let mut paragraphs: Vec<(u32, Range<usize>)> =
            lines.iter().map(|line| (line.number, line.start..line.start + line.text.len())).collect();
        for _ in 0..MAX_SIGNOFFS {
            let Some((number, range)) = paragraphs.last_mut() else { break };
            let (number, start) = (*number, range.start);
            let paragraph = &self.text[range.clone()];
            match signoff::read(paragraph, self.byline.is_none()) {
                Signoff::None => break,
                Signoff::Remark(remark) => {
                    let text = format!("{} stays in the body", quote(&paragraph[remark]));
                    self.warn(WarningCode::SignoffKept, Some(number), text);
                    break;
                }
                Signoff::Signed(signed) => {
                    range.end = start + signed.whole.start;
                    range.end = start + self.text[range.clone()].trim_end_matches(crate::lines::is_blank).len();
                    if range.start == range.end {
                        paragraphs.pop();
                    }
                    self.signed(number, start, signed);
                }
            }
        }
        self.body.reserve(paragraphs.len());
        for (number, range) in paragraphs {
            let paragraph = self.ledger.claim(number, range, What::Body).to_owned();
            self.body.push(paragraph);
        }
    }

    /// Claims a sign-off of the paragraph that begins at `start`.
    fn signed(&mut self, line: u32, start: usize, signed: Signed) {
        let at = |range: Range<usize>| start + range.start..start + range.end;
        let whole = at(signed.whole);
        let mut done = whole.start;
        if let Some(byline) = signed.byline.map(at) {
            self.ledger.claim(line, done..byline.start, What::Mark);
            done = byline.end;
            self.byline = Some((self.ledger.claim(line, byline, What::Byline), BylineFrom::Signoff));
        }
        if let Some(editors) = signed.editors.map(at) {
            self.ledger.claim(line, done..editors.start, What::Mark);
            done = editors.end;
            self.editors(line, editors);
        }
        self.ledger.claim(line, done..whole.end, What::Mark);
    }

    fn language(&mut self, options: &Options) -> (String, LanguageFrom) {
        if let Some(language) = &options.language {
            return (language.clone(), LanguageFrom::Option);
        }
        let (tag, certain) = language::detect(self.body.iter().map(String::as_str));
        if certain {
            return (tag.to_owned(), LanguageFrom::Script);
        }
        let text = format!("the language was taken to be “{tag}” from the script alone; name it if it is another");
        self.warn(WarningCode::LanguageAssumed, None, text);
        (tag.to_owned(), LanguageFrom::Assumed)
    }

    fn finish(mut self, lines: &[Line<'_>], options: &Options) -> Result<Page, Vec<ImportError>> {
        let (language, language_from) = self.language(options);
        let (Some(headline), Some(date), true) = (self.headline, self.date.take(), self.errors.is_empty()) else {
            self.errors.sort_by_key(|error| error.line);
            return Err(self.errors);
        };
        let claims = self.ledger.close(lines).map_err(|error| vec![error])?;
        let authors =
            self.byline.map(|(text, _)| names::people(text).into_iter().map(|name| text[name].to_owned()).collect());
        self.dropped.sort_by_key(|dropped| dropped.line);
        Ok(Page {
            section: self.section.map(str::to_owned),
            headline: headline.to_owned(),
            date,
            authors: authors.unwrap_or_default(),
            byline: self.byline.map(|(text, _)| text.to_owned()),
            byline_from: self.byline.map(|(_, from)| from),
            source: self.source.map(str::to_owned),
            editors: self.editors,
            language,
            language_from,
            body: self.body,
            dropped: self.dropped,
            warnings: self.warnings,
            claims,
        })
    }
}
