//! The languages the project speaks, and what it says in them (Fluent files in `locales/` of each crate that speaks).

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};

/// A language of the words around an article. The article keeps its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Locale {
    English,
    Chinese,
}

const ENGLISH: &str = include_str!("../locales/en.ftl");
const CHINESE: &str = include_str!("../locales/zh.ftl");

/// What a part of the project says, in every language.
pub struct Words([FluentBundle<FluentResource>; 2]);

static WORDS: LazyLock<Words> = LazyLock::new(|| Words::new(ENGLISH, CHINESE));

impl Words {
    /// Reads one Fluent file for each language. Both must define the same ids.
    ///
    /// # Panics
    /// When a file does not parse or has an id twice: it is part of the program, and a test reads it.
    pub fn new(english: &str, chinese: &str) -> Self {
        Self([bundle(Locale::English, english), bundle(Locale::Chinese, chinese)])
    }

    /// The words of `id`, with `arguments` in their places. Values come back as they went in, unescaped.
    ///
    /// # Panics
    /// When there is no such id.
    pub fn say(&self, locale: Locale, id: &str, arguments: &[(&'static str, &str)]) -> String {
        let words = &self.0[locale as usize];
        let message = words.get_message(id).and_then(|message| message.value());
        let pattern = message.expect("a test compares the ids of every language, and templates name no other");
        let arguments: FluentArgs<'_> = arguments.iter().copied().collect();
        words.format_pattern(pattern, Some(&arguments), &mut Vec::new()).into_owned()
    }
}

fn bundle(locale: Locale, source: &str) -> FluentBundle<FluentResource> {
    let resource = FluentResource::try_new(source.to_owned()).expect("a test parses every language's file");
    let tag = locale.tag().parse().expect("our own tags are well-formed");
    let mut bundle = FluentBundle::new_concurrent(vec![tag]);
    // Isolation marks around names would be kept by readers who copy them, and break "verbatim".
    bundle.set_use_isolating(false);
    bundle.add_resource(resource).expect("a test finds every id once");
    bundle
}

impl Locale {
    pub const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// The best we have for a BCP 47 tag: Chinese for `zh` and everything under it, English otherwise.
    pub fn for_tag(tag: &str) -> Self {
        let language = tag.split(['-', '_']).next().unwrap_or_default();
        if language.eq_ignore_ascii_case("zh") { Self::Chinese } else { Self::English }
    }

    /// BCP 47.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-Hans",
        }
    }

    /// What a mail says; see [`Words::say`].
    pub(crate) fn say(self, id: &str, arguments: &[(&'static str, &str)]) -> String {
        WORDS.say(self, id, arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(source: &str) -> Vec<(&str, Vec<&str>)> {
        let mut ids: Vec<(&str, Vec<&str>)> = source
            .lines()
            .filter_map(|line| line.split_once(" = "))
            .map(|(id, text)| {
                let mut arguments: Vec<&str> =
                    text.split("{$").skip(1).filter_map(|rest| rest.split('}').next()).collect();
                arguments.sort_unstable();
                (id, arguments)
            })
            .collect();
        ids.sort_unstable();
        ids
    }

    #[test]
    fn both_languages_say_the_same_things_about_the_same_names() {
        assert_eq!(ids(ENGLISH), ids(CHINESE));
        assert!(ids(ENGLISH).len() > 15);
    }

    #[test]
    fn every_id_can_be_said() {
        for locale in Locale::ALL {
            for (id, arguments) in ids(ENGLISH) {
                let arguments: Vec<(&'static str, &str)> = ["name", "site", "topic"]
                    .into_iter()
                    .filter(|name| arguments.contains(name))
                    .map(|name| (name, "〈x〉"))
                    .collect();
                let said = locale.say(id, &arguments);
                assert!(!said.contains(['{', '}', '$']), "{locale:?} {id}: {said}");
                assert_eq!(said.matches("〈x〉").count(), arguments.len(), "{locale:?} {id}: {said}");
            }
        }
    }

    #[test]
    fn tags_find_their_language() {
        for (tag, locale) in [
            ("zh", Locale::Chinese),
            ("zh-Hant-TW", Locale::Chinese),
            ("ZH_cn", Locale::Chinese),
            ("en-GB", Locale::English),
            ("zha", Locale::English),
            ("ar", Locale::English),
            ("", Locale::English),
        ] {
            assert_eq!(Locale::for_tag(tag), locale, "{tag}");
        }
    }
}
