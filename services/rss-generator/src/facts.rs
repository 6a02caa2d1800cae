//! Which articles have what a selection may ask for, but for their words: for every atom a bitmap of articles.
//!
//! A feed that nobody read before is found by a few operations on these; only what asks for words has articles read.

use std::collections::HashMap;

use article::{Article, section_slug};
use roaring::RoaringBitmap;
use subscription::{Atom, Expression, Selection};

use crate::members::Handle;

/// Every atom that is true of an article, each once, but for those of its words.
pub(crate) fn facts(article: &Article) -> Vec<Atom> {
    if article.test {
        return vec![Atom::Test];
    }
    let mut facts = vec![Atom::Everything, Atom::Publisher(article.publisher.clone())];
    let section = section_slug(&article.section);
    facts.extend(above(&section, '/').map(|path| Atom::Section(path.into())));
    facts.extend(article.keywords.iter().filter_map(|name| Atom::keyword(name)));
    facts.extend(article.sources.iter().filter_map(|source| Atom::source(&source.name)));
    facts.extend(article.subjects.iter().filter_map(|subject| Atom::subject(&subject.scheme, &subject.code)));
    if let Some(Atom::Language(tag)) = Atom::language(&article.language) {
        facts.extend(above(&tag, '-').map(|tag| Atom::Language(tag.into())));
    }
    facts.extend((article.urgency..=9).map(Atom::Urgency));
    facts
}

/// A path and all above it; none of none.
fn above(path: &str, separator: char) -> impl Iterator<Item = &str> {
    let whole = (!path.is_empty()).then_some(path);
    path.match_indices(separator).map(|(at, _)| &path[..at]).chain(whole)
}

#[derive(Debug, Default)]
pub(crate) struct Facts {
    articles: HashMap<Atom, RoaringBitmap>,
}

/// What is known of the articles in a selection without looking into their texts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Range {
    /// These are in it.
    pub(crate) sure: RoaringBitmap,
    /// These and no others may be.
    pub(crate) possible: RoaringBitmap,
}

impl Facts {
    /// Notes that everything in `atoms` is true of an article.
    pub(crate) fn insert(&mut self, handle: Handle, atoms: Vec<Atom>) {
        for atom in atoms {
            self.articles.entry(atom).or_default().insert(handle);
        }
    }

    pub(crate) fn remove(&mut self, handle: Handle, atoms: &[Atom]) {
        for atom in atoms {
            if let Some(articles) = self.articles.get_mut(atom) {
                articles.remove(handle);
                if articles.is_empty() {
                    self.articles.remove(atom);
                }
            }
        }
    }

    /// The articles of an atom; `None`: there are none.
    pub(crate) fn of(&self, atom: &Atom) -> Option<&RoaringBitmap> {
        self.articles.get(atom)
    }

    pub(crate) fn atoms(&self) -> impl Iterator<Item = (&Atom, &RoaringBitmap)> {
        self.articles.iter()
    }

    pub(crate) fn range(&self, selection: &Selection) -> Range {
        self.evaluate(selection.parts())
    }

    fn evaluate(&self, expression: &Expression) -> Range {
        match expression {
            // Test articles are in the tests alone.
            Expression::Atom(Atom::Text(_)) => {
                Range { sure: RoaringBitmap::new(), possible: self.articles(&Atom::Everything) }
            }
            Expression::Atom(atom) => {
                let sure = self.articles(atom);
                Range { possible: sure.clone(), sure }
            }
            Expression::AllOf(parts) => {
                let both = |a: Range, b: Range| Range { sure: a.sure & b.sure, possible: a.possible & b.possible };
                self.joined(parts, both)
            }
            Expression::AnyOf(parts) => {
                let either = |a: Range, b: Range| Range { sure: a.sure | b.sure, possible: a.possible | b.possible };
                self.joined(parts, either)
            }
            Expression::Not(part) => {
                let (range, all) = (self.evaluate(part), self.articles(&Atom::Everything));
                Range { sure: &all - range.possible, possible: all - range.sure }
            }
        }
    }

    fn joined(&self, parts: &[Expression], join: impl Fn(Range, Range) -> Range) -> Range {
        let ranges = parts.iter().map(|part| self.evaluate(part));
        ranges.reduce(join).expect("a group has at least two members")
    }

    fn articles(&self, atom: &Atom) -> RoaringBitmap {
        self.articles.get(atom).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use article::Article;
    use proptest::prelude::*;
    use subscription::Features;

    use super::*;
    use crate::samples::{create, document};

    fn article(n: u16, (section, urgency, keyword, test): (u8, u8, u8, bool)) -> Article {
        let mut document = document(["World", "Sport"][usize::from(section % 2)], "2026-01-01T00:00:00Z");
        document["urgency"] = urgency.into();
        document["keywords"] = serde_json::json!([format!("k{keyword}")]);
        document["test"] = test.into();
        document["headline"] = format!("Number {n} of k{keyword}").into();
        create(n, &document, "2026-01-01T00:00:00Z")
    }

    proptest! {
        /// Without words the range is exactly what matches; with words nothing that matches is outside, and nothing
        /// inside `sure` does not.
        #[test]
        fn a_range_is_right_about_every_article(
            articles in prop::collection::vec((0u8..2, 1u8..9, 0u8..3, any::<bool>()), 1..30),
            gone in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        ) {
            let mut known = Facts::default();
            let mut articles: Vec<Option<Article>> =
                (0..).zip(articles).map(|(n, what)| Some(article(n, what))).collect();
            for (handle, article) in (0..).zip(articles.iter().flatten()) {
                known.insert(handle, facts(article));
            }
            for gone in gone {
                let at = gone.index(articles.len());
                if let Some(article) = articles[at].take() {
                    known.remove(u32::try_from(at).unwrap(), &facts(&article));
                }
            }
            for text in [
                "all", "test", "section/sport", "keyword/k1", "urgency/4", "!section/sport", "language/en", "language/zh",
                "section/sport+urgency/4", "section/world,keyword/k2", "section/world+!(keyword/k0,urgency/2)",
                "text/of-k1", "!text/of-k1", "section/sport+text/number", "text/of-k1,section/world", "keyword/none",
            ] {
                let selection: Selection = text.parse().unwrap();
                let range = known.range(&selection);
                for (handle, article) in (0..).zip(&articles) {
                    let matches = article.as_ref().is_some_and(|article| selection.matches(&Features::of(article)));
                    prop_assert!(matches || !range.sure.contains(handle), "{} {}", text, handle);
                    prop_assert!(!matches || range.possible.contains(handle), "{} {}", text, handle);
                    if !text.contains("text/") {
                        prop_assert_eq!(matches, range.possible.contains(handle), "{} {}", text, handle);
                    }
                }
            }
        }
    }
}
