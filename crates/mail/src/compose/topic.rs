//! What somebody subscribed to, in words.

use article::Article;
use askama::filters::{Escaper, Html};
use subscription::{Atom, Expression, Selection};

use crate::locale::Locale;
use crate::site::Site;

/// A selection under the names the newsroom gave its parts.
///
/// Names must come from articles or configuration, never from a request: a selection's slugs are whatever a
/// stranger typed into a form, and mail must not carry a stranger's words to an address of the stranger's choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topic {
    Everything,
    /// Names from the outermost section in.
    Section(Vec<String>),
    Publisher(String),
    /// A keyword or a subject.
    About(String),
    Source(String),
    /// A language tag.
    Language(String),
    /// 1–9: this and what is more urgent.
    Urgency(u8),
    /// Words looked for in the text.
    Words(String),
    /// The same where the words are a stranger's.
    CertainWords,
    /// One story and what becomes of it, by its headline; `None`: readers may not have that, or not any more.
    Story(Option<String>),
    /// Nothing is known of its name but that someone asked for it.
    Unnamed,
    AllOf(Vec<Topic>),
    AnyOf(Vec<Topic>),
    Without(Box<Topic>),
}

/// Languages we have names for; another goes by its tag.
const LANGUAGES: [&str; 13] = ["ar", "de", "en", "es", "fr", "ja", "ko", "mn", "pt", "ru", "zh", "zh-hans", "zh-hant"];

impl Topic {
    /// The selection, its parts under the names that `named` knows.
    pub fn of(selection: &Selection, named: &dyn Fn(&Atom) -> Option<Self>) -> Self {
        Self::of_expression(selection.parts(), named)
    }

    fn of_expression(expression: &Expression, named: &dyn Fn(&Atom) -> Option<Self>) -> Self {
        let all = |parts: &[Expression]| parts.iter().map(|part| Self::of_expression(part, named)).collect();
        match expression {
            Expression::Atom(atom) => named(atom).unwrap_or(Self::Unnamed),
            Expression::AllOf(parts) => Self::AllOf(all(parts)),
            Expression::AnyOf(parts) => Self::AnyOf(all(parts)),
            Expression::Not(part) => Self::Without(Box::new(Self::of_expression(part, named))),
        }
    }

    /// What an article names, under the names it gives: its sections, keywords, sources and subjects, its publisher,
    /// its language, and itself.
    pub fn named_by(article: &Article) -> Vec<(Atom, Self)> {
        let sections = (1..=article.section.len()).map(|depth| &article.section[..depth]);
        let mut named: Vec<_> = sections.map(|names| (Atom::section(names), Self::Section(names.to_vec()))).collect();
        named.push((Atom::Story(article.id), Self::Story(Some(article.headline.clone()))));
        named.push((Atom::Publisher(article.publisher.clone()), Self::Publisher(article.publisher.to_string())));
        let about = |name: &str| Self::About(name.to_owned());
        named.extend(article.keywords.iter().filter_map(|name| Some((Atom::keyword(name)?, about(name)))));
        let sources = article.sources.iter().map(|source| &source.name);
        named.extend(sources.filter_map(|name| Some((Atom::source(name)?, Self::Source(name.clone())))));
        named.extend(article.subjects.iter().filter_map(|subject| {
            let name = subject.name.as_ref().unwrap_or(&subject.code);
            Some((Atom::subject(&subject.scheme, &subject.code)?, about(name)))
        }));
        let mut tag = article.language.as_str();
        while let Some(language) = Atom::language(tag) {
            named.push((language, Self::Language(tag.to_owned())));
            tag = tag.rsplit_once('-').map_or("", |(above, _)| above);
        }
        named
    }

    /// What is known of an atom by itself; the name of a section or a keyword as it stands in addresses.
    pub fn by_itself(atom: &Atom) -> Self {
        let name = |slug: &str| slug.replace('-', " ");
        match atom {
            Atom::Everything => Self::Everything,
            Atom::Test => Self::Unnamed,
            Atom::Section(path) => Self::Section(path.split('/').map(name).collect()),
            Atom::Publisher(publisher) => Self::Publisher(publisher.to_string()),
            Atom::Keyword(slug) => Self::About(name(slug)),
            Atom::Source(slug) => Self::Source(name(slug)),
            Atom::Language(tag) => Self::Language(tag.to_string()),
            Atom::Subject(path) => Self::About(path.split_once('/').map_or("", |(_, code)| code).to_owned()),
            Atom::Urgency(most) => Self::Urgency(*most),
            Atom::Text(words) => Self::Words(name(words)),
            Atom::Story(_) => Self::Story(None),
        }
    }

    /// As it stands in a sentence: "all news", "the section “World”, in English, without news about “sport”".
    pub fn words(&self, locale: Locale) -> String {
        match self {
            Self::Without(_) => parts(locale, std::slice::from_ref(self)),
            Self::AllOf(topics) => parts(locale, topics),
            Self::AnyOf(topics) => either(locale, topics, &Self::words),
            topic => topic.atom(locale, "topic"),
        }
    }

    /// As it goes on after other words: "in the section “World”".
    fn addition(&self, locale: Locale) -> String {
        match self {
            Self::Everything | Self::Unnamed | Self::Story(_) => self.atom(locale, "topic"),
            Self::Without(topic) => {
                let left_out = topic.words(locale);
                let left_out = if topic.is_group() { grouped(locale, &left_out) } else { left_out };
                locale.say("topic-without", &[("topic", &left_out)])
            }
            Self::AllOf(topics) => {
                let additions: Vec<String> = topics.iter().map(|topic| topic.addition(locale)).collect();
                additions.join(&locale.say("part-separator", &[]))
            }
            Self::AnyOf(topics) => either(locale, topics, &Self::addition),
            topic => topic.atom(locale, "also"),
        }
    }

    fn is_group(&self) -> bool {
        matches!(self, Self::AllOf(_) | Self::AnyOf(_))
    }

    /// What is no group; `form` is `topic` at the beginning, `also` after it.
    fn atom(&self, locale: Locale, form: &str) -> String {
        let say = |what: &str, name: &str| {
            let arguments = [("name", name)];
            locale.say(&format!("{form}-{what}"), if name.is_empty() { &[] } else { &arguments })
        };
        match self {
            Self::Section(names) => say("section", &names.join(&locale.say("path-separator", &[]))),
            Self::Publisher(name) => say("publisher", name),
            Self::About(name) => say("about", name),
            Self::Source(name) => say("source", name),
            Self::Language(tag) => say("language", &language(locale, tag)),
            Self::Urgency(1) => say("most-urgent", ""),
            Self::Urgency(2) => say("urgent", ""),
            Self::Urgency(most) => say("urgency", &most.to_string()),
            Self::Words(words) => say("words", words),
            Self::CertainWords => say("certain-words", ""),
            Self::Story(headline) => headline.as_ref().map_or_else(|| say("some-story", ""), |name| say("story", name)),
            Self::Everything => say("everything", ""),
            Self::Unnamed | Self::AllOf(_) | Self::AnyOf(_) | Self::Without(_) => say("unnamed", ""),
        }
    }
}

/// All of these at once: the first that says what it is, then what else must be true, then what is left out.
fn parts(locale: Locale, topics: &[Topic]) -> String {
    let begins = |topic: &&Topic| !matches!(topic, Topic::Without(_));
    let begin = topics.iter().find(begins).unwrap_or(&Topic::Everything);
    let words = begin.words(locale);
    let mut said = vec![if begin.is_group() { grouped(locale, &words) } else { words }];
    for topic in topics.iter().filter(|topic| !std::ptr::eq(*topic, begin)) {
        let words = topic.addition(locale);
        said.push(if topic.is_group() { grouped(locale, &words) } else { words });
    }
    said.join(&locale.say("part-separator", &[]))
}

/// Any of these.
fn either(locale: Locale, topics: &[Topic], words: &dyn Fn(&Topic, Locale) -> String) -> String {
    let said = topics.iter().map(|topic| {
        let words = words(topic, locale);
        if topic.is_group() { grouped(locale, &words) } else { words }
    });
    said.collect::<Vec<_>>().join(&locale.say("or-separator", &[]))
}

/// In parentheses: what belongs together must not be read with what stands beside it.
fn grouped(locale: Locale, words: &str) -> String {
    locale.say("topic-group", &[("topic", words)])
}

/// A language's name in `locale`.
fn language(locale: Locale, tag: &str) -> String {
    let lower = tag.to_ascii_lowercase();
    if LANGUAGES.contains(&lower.as_str()) { locale.say(&format!("language-{lower}"), &[]) } else { tag.to_owned() }
}

/// "Why you get this", ready to be spliced; made once per topic and language.
#[derive(Debug, Clone)]
pub struct Why {
    pub(crate) text: String,
    pub(crate) html: String,
}

impl Why {
    pub fn new(site: &Site, locale: Locale, topic: &Topic) -> Self {
        Self::of(locale.say("why", &[("topic", &topic.words(locale)), ("site", site.name())]))
    }

    /// Of a notice: whatever its reader has subscribed to since, they have the article.
    pub fn sent(site: &Site, locale: Locale) -> Self {
        Self::of(locale.say("why-notice", &[("site", site.name())]))
    }

    fn of(text: String) -> Self {
        let mut html = String::new();
        Html.write_escaped_str(&mut html, &text).expect("writing to a String cannot fail");
        Self { text, html }
    }
}

#[cfg(test)]
mod tests;
