//! What selections may ask of an article, worked out once.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroU32;

use article::{Article, ArticleId, PublisherId, section_slug};

use crate::expression::{Atom, is_under};
use crate::words::{self, FIELD, folded};

/// The facts and the words of one article. About as large as its text.
#[derive(Debug, Clone)]
pub struct Features {
    test: bool,
    story: ArticleId,
    /// Slugs with `/` between; empty: in no section.
    section: String,
    publisher: PublisherId,
    /// `None`: a tag that is none.
    language: Option<Box<str>>,
    /// Keywords, sources and subjects, sorted.
    names: Box<[Atom]>,
    urgency: u8,
    /// Headline, summary and body, folded.
    text: Box<str>,
}

impl Features {
    pub fn of(article: &Article) -> Self {
        let body = article.body.as_deref().map(words::of_markup).unwrap_or_default();
        let fields = [article.headline.as_str(), article.summary.as_deref().unwrap_or_default(), &body];
        let text: Vec<String> = fields.into_iter().map(folded).collect();
        Self {
            test: article.test,
            story: article.id,
            section: section_slug(&article.section),
            publisher: article.publisher.clone(),
            language: match Atom::language(&article.language) {
                Some(Atom::Language(tag)) => Some(tag),
                _ => None,
            },
            names: names(article),
            urgency: article.urgency,
            text: text.join(&FIELD.to_string()).into(),
        }
    }

    pub(crate) fn is_test(&self) -> bool {
        self.test
    }

    pub(crate) fn has(&self, atom: &Atom) -> bool {
        match atom {
            // Whoever asks has told tests and news apart.
            Atom::Everything | Atom::Test => true,
            Atom::Section(path) => is_under(&self.section, path, '/'),
            Atom::Publisher(publisher) => self.publisher == *publisher,
            Atom::Keyword(_) | Atom::Source(_) | Atom::Subject(_) => self.names.binary_search(atom).is_ok(),
            Atom::Language(range) => self.language.as_deref().is_some_and(|tag| is_under(tag, range, '-')),
            Atom::Urgency(most) => self.urgency <= *most,
            Atom::Text(words) => words::contains(&self.text, words),
            Atom::Story(article) => self.story == *article,
        }
    }

    /// The atoms that are true of it beside its section, its publisher and its text.
    pub(crate) fn named(&self) -> Vec<Atom> {
        let languages = self.language.iter().flat_map(|tag| above(tag, '-')).map(|tag| Atom::Language(tag.into()));
        let urgency = (1..=9).contains(&self.urgency).then_some(Atom::Urgency(self.urgency));
        self.names.iter().cloned().chain(languages).chain(urgency).collect()
    }

    /// Every atom that is true of it, but for those of its text.
    pub(crate) fn atoms(&self) -> Vec<Atom> {
        if self.test {
            return vec![Atom::Test];
        }
        let sections = above(&self.section, '/').filter(|path| !path.is_empty());
        let mut atoms = vec![Atom::Everything, Atom::Publisher(self.publisher.clone()), Atom::Story(self.story)];
        atoms.extend(sections.map(|path| Atom::Section(path.into())));
        atoms.extend(self.named().into_iter().filter(|atom| !matches!(atom, Atom::Urgency(_))));
        atoms.extend((self.urgency..=9).map(Atom::Urgency));
        atoms
    }

    /// The anchors of every atom that is true of it, each once.
    pub(crate) fn anchors(&self) -> Vec<Anchor> {
        let mut anchors: Vec<Anchor> = self.atoms().iter().map(Anchor::of).collect();
        if !self.test {
            anchors.extend(words::pieces(&self.text).map(Anchor::word));
        }
        anchors.sort_unstable();
        anchors.dedup();
        anchors
    }
}

/// Something an article has or has not, as a number: two that share one cost a look, not an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Anchor(u64);

impl Anchor {
    /// Of an atom that is not a text.
    pub(crate) fn of(atom: &Atom) -> Self {
        match atom {
            Atom::Everything => Self::new("all", ""),
            Atom::Test => Self::new("test", ""),
            Atom::Section(path) => Self::new("section", path),
            Atom::Publisher(publisher) => Self::new("publisher", publisher.as_str()),
            Atom::Keyword(name) => Self::new("keyword", name),
            Atom::Source(name) => Self::new("source", name),
            Atom::Language(tag) => Self::new("language", tag),
            Atom::Subject(path) => Self::new("subject", path),
            Atom::Urgency(most) => Self::new("urgency", &most.to_string()),
            Atom::Text(words) => Self::word(words),
            Atom::Story(article) => Self::new("story", &article.token()),
        }
    }

    pub(crate) fn word(piece: &str) -> Self {
        Self::new("text", piece)
    }

    /// Half of it; none for one in four billion.
    pub(crate) fn brief(self) -> Option<NonZeroU32> {
        NonZeroU32::new(self.0 as u32)
    }

    fn new(kind: &str, value: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        (kind, value).hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// A path and all above it, outermost first.
fn above(path: &str, separator: char) -> impl Iterator<Item = &str> {
    path.match_indices(separator).map(|(at, _)| &path[..at]).chain(std::iter::once(path))
}

fn names(article: &Article) -> Box<[Atom]> {
    let keywords = article.keywords.iter().filter_map(|name| Atom::keyword(name));
    let sources = article.sources.iter().filter_map(|source| Atom::source(&source.name));
    let subjects = article.subjects.iter().filter_map(|subject| Atom::subject(&subject.scheme, &subject.code));
    let mut names: Vec<Atom> = keywords.chain(sources).chain(subjects).collect();
    names.sort_unstable();
    names.dedup();
    names.into()
}
