//! What somebody subscribed to, in words.

use article::Article;
use askama::filters::{Escaper, Html};
use subscription::{Atom, Expression, Selection};

use crate::locale::Locale;
use crate::site::Site;

/// A selection under the names the newsroom gave it.
///
/// Names must come from articles or configuration, never from a request: a selection's slugs are whatever a
/// stranger typed into a form, and mail must not carry a stranger's words to an address of the stranger's choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topic {
    Everything,
    /// Names from the outermost section in.
    Section(Vec<String>),
    Publisher(String),
    /// Nothing is known of its name but that someone asked for it.
    Unnamed,
}

impl Topic {
    /// The selection as this article, which it matches, names it.
    pub fn of(selection: &Selection, article: &Article) -> Self {
        match selection.parts() {
            Expression::Atom(Atom::Everything) => Self::Everything,
            Expression::Atom(Atom::Publisher(_)) => Self::Publisher(article.publisher.to_string()),
            Expression::Atom(Atom::Section(path)) => {
                let names = article.section.get(..path.split('/').count());
                names.map_or(Self::Unnamed, |names| Self::Section(names.to_vec()))
            }
            _ => Self::Unnamed,
        }
    }

    /// As it stands in a sentence: "all news", "the section …".
    pub fn words(&self, locale: Locale) -> String {
        match self {
            Self::Everything => locale.say("topic-everything", &[]),
            Self::Section(names) => {
                locale.say("topic-section", &[("name", &names.join(&locale.say("path-separator", &[])))])
            }
            Self::Publisher(name) => locale.say("topic-publisher", &[("name", name)]),
            Self::Unnamed => locale.say("topic-unnamed", &[]),
        }
    }
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
mod tests {
    use super::*;

    #[test]
    fn topics_read_well_in_every_language() {
        let section = Topic::Section(vec!["World".into(), "亚洲".into()]);
        for (topic, english, chinese) in [
            (Topic::Everything, "all news", "全部新闻"),
            (section, "the section “World › 亚洲”", "“World › 亚洲”栏目"),
            (Topic::Publisher("hefei".into()), "everything published by hefei", "hefei 发布的全部内容"),
            (Topic::Unnamed, "a part of the news", "部分新闻"),
        ] {
            assert_eq!(topic.words(Locale::English), english);
            assert_eq!(topic.words(Locale::Chinese), chinese);
        }
    }
}
