//! A selection of the news and its canonical address form.

use std::fmt;
use std::str::FromStr;

use article::{Article, PublisherId, slug};
use serde::{Deserialize, Serialize};

/// A part of the news that can be read as a feed and subscribed to by email.
///
/// Its text form is canonical, stable for ever and a URL path: `all`, `section/world/asia`, `publisher/hefei`, `test`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Selection {
    Everything,
    /// Section slugs from the outermost in, 1 to 5; the articles of every section below belong to it too.
    Section(Vec<String>),
    Publisher(PublisherId),
    /// Rehearsals, marked so when they were made. They are in no other selection, and nobody can subscribe to them.
    Test,
}

/// The text names no selection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no selection; use all, section/<name> or publisher/<name>")]
pub struct InvalidSelection(String);

impl Selection {
    pub fn matches(&self, article: &Article) -> bool {
        match self {
            Self::Test => article.test,
            _ if article.test => false,
            Self::Everything => true,
            Self::Publisher(publisher) => article.publisher == *publisher,
            Self::Section(slugs) => {
                article.section.len() >= slugs.len()
                    && article.section.iter().zip(slugs).all(|(name, wanted)| slug(name) == *wanted)
            }
        }
    }

    /// Every selection an article belongs to: everything, its publisher, its section and each section above that; a
    /// test article to the tests alone.
    pub fn of(article: &Article) -> Vec<Self> {
        if article.test {
            return vec![Self::Test];
        }
        let slugs: Vec<String> = article.section.iter().map(|name| slug(name)).collect();
        let sections = (1..=slugs.len()).map(|depth| Self::Section(slugs[..depth].to_vec()));
        [Self::Everything, Self::Publisher(article.publisher.clone())].into_iter().chain(sections).collect()
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str("all"),
            Self::Publisher(publisher) => write!(f, "publisher/{publisher}"),
            Self::Section(slugs) => write!(f, "section/{}", slugs.join("/")),
            Self::Test => f.write_str("test"),
        }
    }
}

impl FromStr for Selection {
    type Err = InvalidSelection;

    /// Reads the canonical form; section names are slugged, so that `section/World` and `section/world` are one.
    fn from_str(text: &str) -> Result<Self, InvalidSelection> {
        let invalid = || InvalidSelection(text.chars().take(100).collect());
        match text.split_once('/') {
            None if text == "all" => Ok(Self::Everything),
            None if text == "test" => Ok(Self::Test),
            Some(("publisher", name)) => name.parse().map(Self::Publisher).map_err(|_| invalid()),
            Some(("section", path)) => {
                let slugs: Vec<String> = path.split('/').map(slug).collect();
                let fits = (1..=5).contains(&slugs.len()) && text.len() <= 2048 && !path.split('/').any(str::is_empty);
                if fits { Ok(Self::Section(slugs)) } else { Err(invalid()) }
            }
            _ => Err(invalid()),
        }
    }
}

impl Serialize for Selection {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Selection {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use article::{ArticleId, Command, Draft, Provenance};
    use proptest::prelude::*;

    use super::*;

    fn article_in(section: &[String]) -> Article {
        let document = serde_json::json!({"headline": "H", "language": "en", "body_text": "B", "section": section});
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        let provenance =
            Provenance { channel: "api".into(), raw_sha256: String::new(), importer: None, warnings: Vec::new() };
        let (publisher, draft) = ("hefei".parse().unwrap(), Box::new(Draft::from_json(&document, now).unwrap()));
        let command = Command::Create { id: ArticleId::new(now, [0; 10]), publisher, draft, provenance };
        article::apply(None, command, now).unwrap()
    }

    fn names(section: &[&str]) -> Vec<String> {
        section.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn an_article_belongs_to_its_section_and_those_above() {
        let article = article_in(&names(&["World News", "Asia"]));
        let of: Vec<String> = Selection::of(&article).iter().map(ToString::to_string).collect();
        assert_eq!(of, ["all", "publisher/hefei", "section/world-news", "section/world-news/asia"]);
        for (selection, wanted) in [
            ("all", true),
            ("publisher/hefei", true),
            ("publisher/wuhan", false),
            ("section/world-news", true),
            ("section/WORLD news/asia", true),
            ("section/asia", false),
            ("section/world", false),
            ("section/world-news/asia/japan", false),
        ] {
            assert_eq!(selection.parse::<Selection>().unwrap().matches(&article), wanted, "{selection}");
        }
    }

    #[test]
    fn a_test_article_is_in_the_tests_alone() {
        let news = article_in(&names(&["World"]));
        let test = Article { test: true, ..news.clone() };
        assert_eq!(Selection::of(&test), [Selection::Test]);
        for (selection, news_wanted, test_wanted) in [
            ("all", true, false),
            ("publisher/hefei", true, false),
            ("section/world", true, false),
            ("test", false, true),
        ] {
            let selection: Selection = selection.parse().unwrap();
            assert_eq!((selection.matches(&news), selection.matches(&test)), (news_wanted, test_wanted), "{selection}");
        }
        let mut index = crate::Index::default();
        for selection in ["all", "publisher/hefei", "section/world", "test"] {
            index.insert(7, &selection.parse().unwrap());
        }
        assert_eq!((index.matching(&news).len(), index.matching(&test).len()), (1, 0), "nobody is mailed a rehearsal");
    }

    proptest! {
        #[test]
        fn every_selection_of_an_article_matches_it_and_reads_back(
            section in proptest::collection::vec("[a-zA-Z党İñ🎉 ./&%#?-]{0,20}[a-zÅ℃ß]", 0..=5)
        ) {
            let article = article_in(&section);
            for selection in Selection::of(&article) {
                prop_assert!(selection.matches(&article));
                prop_assert_eq!(&selection.to_string().parse::<Selection>().unwrap(), &selection);
                let json = serde_json::to_string(&selection).unwrap();
                prop_assert_eq!(serde_json::from_str::<Selection>(&json).unwrap(), selection);
            }
        }
    }

    #[test]
    fn the_longest_section_reads_back() {
        // 5 levels; with what separates them exactly the 2,000 bytes that a draft may have.
        let article = article_in(&[
            "党".repeat(120),
            "党".repeat(120),
            "党".repeat(120),
            "党".repeat(120),
            "党".repeat(118) + "éa",
        ]);
        for selection in Selection::of(&article) {
            assert_eq!(selection.to_string().parse::<Selection>().unwrap(), selection);
        }
    }

    #[test]
    fn the_text_form_is_canonical() {
        for text in ["all", "test", "publisher/hefei", "section/world", "section/world/asia", "section/党风廉政建设"]
        {
            assert_eq!(text.parse::<Selection>().unwrap().to_string(), text);
        }
        assert_eq!("section/World News/ASIA".parse::<Selection>().unwrap().to_string(), "section/world-news/asia");
        for bad in [
            "",
            "All",
            "Test",
            "tests",
            "test/x",
            "section",
            "section/",
            "section//a",
            "publisher/A",
            "tag/x",
            "section/a/b/c/d/e/f",
        ] {
            assert!(bad.parse::<Selection>().is_err(), "{bad:?}");
        }
    }
}
