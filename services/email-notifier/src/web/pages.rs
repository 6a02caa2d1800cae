//! The pages as HTML. Everything in them is escaped by askama; what a page says comes from `locales/`.

use std::sync::LazyLock;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use mail::{Locale, Site, Topic, Words};
use sha2::{Digest, Sha256};
use subscription::Selection;
use url::{Url, form_urlencoded};

use super::Web;
use super::often::{DAYS, KINDS, Often, Zones};
use crate::subscriber::WORDING;

const ENGLISH: &str = include_str!("../../locales/en.ftl");
const CHINESE: &str = include_str!("../../locales/zh.ftl");
pub(super) const STYLE: &str = include_str!("../../templates/style.css");

static WORDS: LazyLock<Words> = LazyLock::new(|| Words::new(ENGLISH, CHINESE));

/// The field that people do not see and scripts fill in.
pub(super) const TRAP: &str = "homepage";

/// Nothing runs and nothing is loaded; the one style sheet stands in the page and is known by its hash.
pub(super) fn content_security_policy() -> String {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}

pub(super) fn render(status: StatusCode, page: &impl Template) -> Response {
    (status, Html(page.render().expect("writing to a String cannot fail"))).into_response()
}

/// What stands around every page.
pub(super) struct Chrome<'a> {
    pub(super) locale: Locale,
    pub(super) site: &'a Site,
    pub(super) home: &'a Url,
    /// The same page in the other languages.
    pub(super) others: Vec<(Locale, String)>,
}

impl<'a> Chrome<'a> {
    pub(super) fn new(locale: Locale, site: &'a Site, home: &'a Url) -> Self {
        Self { locale, site, home, others: Vec::new() }
    }

    /// Offers the other languages by a link to this page with `query`.
    pub(super) fn in_other_languages(mut self, query: &[(&str, &str)]) -> Self {
        let others = Locale::ALL.into_iter().filter(|other| *other != self.locale);
        let link = |other: Locale| {
            let query = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(query)
                .append_pair("lang", other.tag())
                .finish();
            (other, format!("?{query}"))
        };
        self.others = others.map(link).collect();
        self
    }

    pub(super) fn say(&self, id: &str) -> String {
        WORDS.say(self.locale, id, &[("site", self.site.name()), ("from", self.site.from().as_str())])
    }

    /// [`Chrome::say`] with one more value.
    pub(super) fn say_of(&self, id: &str, name: &'static str, value: &str) -> String {
        WORDS.say(self.locale, id, &[("site", self.site.name()), (name, value)])
    }

    /// [`Chrome::say`] with values of its own.
    pub(super) fn say_with(&self, id: &str, values: &[(&'static str, &str)]) -> String {
        WORDS.say(self.locale, id, values)
    }

    /// What is agreed to, with the version that the consent log keeps.
    pub(super) fn consent(&self) -> String {
        format!("{} {}", self.say("consent"), self.say_of("consent-version", "version", &WORDING.to_string()))
    }

    /// A language's name, in that language.
    pub(super) fn name_of(&self, language: &Locale) -> String {
        WORDS.say(*language, "language-name", &[])
    }
}

/// One line of a select box.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) name: String,
    pub(super) chosen: bool,
}

#[derive(Template)]
#[template(path = "subscribe.html")]
pub(super) struct Subscribe<'a> {
    pub(super) chrome: Chrome<'a>,
    /// The id of what went wrong as a whole.
    pub(super) notice: Option<&'static str>,
    pub(super) everything: Choice,
    /// The id of a group's name, and what is in it.
    pub(super) groups: [(&'static str, Vec<Choice>); 3],
    pub(super) wrong_selection: bool,
    pub(super) address: &'a str,
    /// The id of what is wrong with the address.
    pub(super) wrong_address: Option<&'static str>,
    pub(super) language: Locale,
    /// `None` for a story, which is followed at once.
    pub(super) often: Option<Often>,
    pub(super) zones: Zones,
}

impl Subscribe<'_> {
    fn has_problem(&self) -> bool {
        let wrong = self.wrong_selection || self.wrong_address.is_some() || self.zones.wrong;
        wrong || self.notice.is_some() || self.often.as_ref().is_some_and(|often| often.wrong)
    }
}

/// What can be subscribed to: everything, and what else there is by the id of its group. `text`, a selection, is chosen.
pub(super) fn offers(web: &Web, chrome: &Chrome<'_>, text: &str) -> (Choice, [(&'static str, Vec<Choice>); 3]) {
    let (chosen, words) = web.offered(text).unwrap_or((Selection::everything(), Topic::Everything));
    let choice =
        |selection: &Selection, name| Choice { value: selection.to_string(), name, chosen: *selection == chosen };
    let (mut sections, mut publishers) = (Vec::new(), Vec::new());
    for (selection, topic) in web.catalogue.list() {
        match topic {
            Topic::Section(names) => sections.push(choice(&selection, names.join(" › "))),
            Topic::Publisher(name) => publishers.push(choice(&selection, name)),
            _ => {}
        }
    }
    let everything = choice(&Selection::everything(), chrome.say("all-news"));
    // A combination comes from the page of its feed, or was written by hand.
    let listed = everything.chosen || sections.iter().chain(&publishers).any(|choice| choice.chosen);
    let combined = if listed { vec![] } else { vec![choice(&chosen, words.words(chrome.locale))] };
    (everything, [("group-combined", combined), ("group-sections", sections), ("group-publishers", publishers)])
}

#[derive(Template)]
#[template(path = "confirm.html")]
pub(super) struct Confirm<'a> {
    pub(super) chrome: Chrome<'a>,
    /// Masked.
    pub(super) address: String,
    pub(super) topics: Vec<String>,
    pub(super) shown: Timestamp,
}

#[derive(Template)]
#[template(path = "unsubscribe.html")]
pub(super) struct Unsubscribe<'a> {
    pub(super) chrome: Chrome<'a>,
    /// The id of what was just done.
    pub(super) notice: Option<&'static str>,
    /// Masked.
    pub(super) address: String,
    /// The value of the button, and what it ends.
    pub(super) topics: Vec<(String, String)>,
    /// Whether nothing is sent for now anyway.
    pub(super) paused: bool,
    /// Where everything else can be changed.
    pub(super) preferences: String,
}

/// A page that says one thing.
#[derive(Template)]
#[template(path = "message.html")]
pub(super) struct Message<'a> {
    pub(super) chrome: Chrome<'a>,
    heading: String,
    pub(super) lead: Option<String>,
    pub(super) topics: Vec<String>,
    pub(super) paragraphs: Vec<String>,
    /// Where to, and its words.
    pub(super) link: Option<(String, String)>,
}

impl<'a> Message<'a> {
    /// `heading` and `text` are ids.
    pub(super) fn new(chrome: Chrome<'a>, heading: &str, text: &str) -> Self {
        let (heading, paragraphs) = (chrome.say(heading), vec![chrome.say(text)]);
        Self { chrome, heading, lead: None, topics: Vec::new(), paragraphs, link: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(source: &str) -> Vec<(&str, Vec<&str>)> {
        let lines = source.lines().filter_map(|line| line.split_once(" = "));
        let mut ids: Vec<(&str, Vec<&str>)> = lines
            .map(|(id, text)| {
                let mut names: Vec<&str> = text.split("{$").skip(1).filter_map(|rest| rest.split('}').next()).collect();
                names.sort_unstable();
                (id, names)
            })
            .collect();
        ids.sort_unstable();
        ids
    }

    #[test]
    fn both_languages_say_the_same_things_about_the_same_names() {
        assert_eq!(ids(ENGLISH), ids(CHINESE));
        for locale in Locale::ALL {
            for (id, names) in ids(ENGLISH) {
                let all = ["site", "from", "address", "topic", "version", "how", "day", "hour", "until", "count"];
                let arguments: Vec<(&'static str, &str)> =
                    all.into_iter().filter(|name| names.contains(name)).map(|name| (name, "〈x〉")).collect();
                let said = WORDS.say(locale, id, &arguments);
                assert_eq!(said.matches("〈x〉").count(), names.len(), "{locale:?} {id}: {said}");
            }
        }
    }

    #[test]
    fn every_id_is_said_somewhere() {
        let said_in = [
            include_str!("pages.rs"),
            include_str!("mod.rs"),
            include_str!("subscribe.rs"),
            include_str!("confirm.rs"),
            include_str!("unsubscribe.rs"),
            include_str!("access.rs"),
            include_str!("often.rs"),
            include_str!("preferences/deed.rs"),
            include_str!("preferences/export.rs"),
            include_str!("preferences/mod.rs"),
            include_str!("preferences/page.rs"),
            include_str!("../../templates/access.html"),
            include_str!("../../templates/erase.html"),
            include_str!("../../templates/fresh.html"),
            include_str!("../../templates/language.html"),
            include_str!("../../templates/often.html"),
            include_str!("../../templates/preferences.html"),
            include_str!("../../templates/zones.html"),
            include_str!("../../templates/base.html"),
            include_str!("../../templates/subscribe.html"),
            include_str!("../../templates/confirm.html"),
            include_str!("../../templates/unsubscribe.html"),
        ]
        .concat();
        for (id, _) in ids(ENGLISH) {
            assert!(said_in.contains(&format!("\"{id}\"")), "{id} is in no page");
        }
    }
}
