//! The languages the project speaks, and what it says in them (Fluent files in `locales/` of each crate that speaks).

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use jiff::Zoned;

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
        self.format(locale, id, &arguments.iter().copied().collect())
    }

    /// The same of a number of things, `$count` of them: languages differ in how many forms a noun has.
    ///
    /// # Panics
    /// When there is no such id.
    pub fn count(&self, locale: Locale, id: &str, count: usize, arguments: &[(&'static str, &str)]) -> String {
        let mut arguments: FluentArgs<'_> = arguments.iter().copied().collect();
        arguments.set("count", count);
        self.format(locale, id, &arguments)
    }

    fn format(&self, locale: Locale, id: &str, arguments: &FluentArgs<'_>) -> String {
        let words = &self.0[locale as usize];
        let message = words.get_message(id).and_then(|message| message.value());
        let pattern = message.expect("a test compares the ids of every language, and templates name no other");
        words.format_pattern(pattern, Some(arguments), &mut Vec::new()).into_owned()
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

    /// The same of a number of things; see [`Words::count`].
    pub(crate) fn count(self, id: &str, count: usize, arguments: &[(&'static str, &str)]) -> String {
        WORDS.count(self, id, count, arguments)
    }

    /// The day of `time`, written out.
    pub(crate) fn day(self, time: &Zoned) -> String {
        let weekday = self.say(&format!("weekday-{}", time.weekday().to_monday_one_offset()), &[]);
        let month = self.say(&format!("month-{}", time.month()), &[]);
        let (day, year) = (time.day().to_string(), time.year().to_string());
        self.say("day", &[("weekday", &weekday), ("day", &day), ("month", &month), ("year", &year)])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// Every id with the names it has places for.
    fn ids(source: &str) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut ids: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut last = "";
        for line in source.lines().filter(|line| !line.starts_with('#')) {
            // A line that is indented goes on with the message before it.
            let begins = line.split_once(" = ").filter(|_| !line.starts_with(' '));
            last = begins.map_or(last, |(id, _)| id);
            let names = line.split("{$").skip(1).filter_map(|rest| rest.split(['}', ' ']).next());
            if !last.is_empty() {
                ids.entry(last).or_default().extend(names);
            }
        }
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
            for (id, names) in ids(ENGLISH) {
                let names: Vec<&str> = names.into_iter().filter(|name| *name != "count").collect();
                let arguments: Vec<(&'static str, &str)> = names.iter().map(|name| (*name, "〈x〉")).collect();
                for count in [1, 2, 5] {
                    let said = locale.count(id, count, &arguments);
                    assert!(!said.contains(['{', '}', '$']), "{locale:?} {id}: {said}");
                    assert_eq!(said.matches("〈x〉").count(), names.len(), "{locale:?} {id}: {said}");
                }
            }
        }
    }

    #[test]
    fn numbers_and_days_are_said_as_each_language_says_them() {
        let day = |locale: Locale, at: &str| locale.day(&at.parse().unwrap());
        let sunday = "2026-11-22T10:00:00+08:00[Asia/Shanghai]";
        assert_eq!(day(Locale::English, sunday), "Sunday, 22 November 2026");
        assert_eq!(day(Locale::Chinese, sunday), "2026年11月22日 星期日");
        let more = |locale: Locale, count| locale.count("digest-more", count, &[]);
        assert_eq!([more(Locale::English, 1), more(Locale::English, 1200)], ["One more article", "1200 more articles"]);
        assert_eq!(more(Locale::Chinese, 1), "另有 1 篇文章");
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
