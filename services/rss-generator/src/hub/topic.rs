//! Topics: the addresses of our own feeds, each form a topic of its own. Pages of older articles and single articles are
//! none: they do not change, or say themselves where their news is.

use std::fmt;
use std::str::FromStr;

use feed::Format;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subscription::Selection;
use url::Url;

use crate::library::Key;
use crate::site::Site;

/// Its text is the path below `/feeds/`, not encoded: what is stored outlives a change of the site's address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Topic {
    selection: Selection,
    /// `None`: the HTML page.
    form: Option<Format>,
}

/// The address is none of our feeds'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotATopic {
    #[error("is no address")]
    NoAddress,
    #[error("is not an address of this site")]
    Elsewhere,
    #[error("is no feed of this site; feeds are below /feeds/")]
    NoFeed,
}

impl Topic {
    pub(crate) fn of(key: &Key) -> Option<Self> {
        match key {
            Key::Feed(selection, form) => Some(Self { selection: selection.clone(), form: *form }),
            _ => None,
        }
    }

    pub(crate) fn key(&self) -> Key {
        Key::Feed(self.selection.clone(), self.form)
    }

    /// The canonical address.
    pub(crate) fn address(&self, site: &Site) -> String {
        let page = site.feed(&self.selection);
        self.form.map_or(page.clone(), |form| format!("{page}.{}", form.extension()))
    }

    /// The topic that `address` means: a feed's own address, or one that would be redirected to it. The site begins at
    /// `home`; http and https are one, for whichever a proxy in front offers leads here.
    pub(crate) fn find(address: &str, home: &Url) -> Result<Self, NotATopic> {
        let url = Url::parse(address).map_err(|_| NotATopic::NoAddress)?;
        let port = |url: &Url| url.port_or_known_default().filter(|port| !matches!(port, 80 | 443));
        let here = matches!(url.scheme(), "http" | "https") && url.host() == home.host() && port(&url) == port(home);
        let base = home.path().trim_end_matches('/');
        let path = url.path().strip_prefix(base).filter(|_| here).ok_or(NotATopic::Elsewhere)?;
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err(NotATopic::NoFeed);
        }
        let path = path.strip_prefix("/feeds/").ok_or(NotATopic::NoFeed)?;
        let path = percent_decode_str(path).decode_utf8().map_err(|_| NotATopic::NoFeed)?;
        path.parse()
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.form {
            Some(form) => write!(f, "{}.{}", self.selection, form.extension()),
            None => self.selection.fmt(f),
        }
    }
}

impl FromStr for Topic {
    type Err = NotATopic;

    fn from_str(text: &str) -> Result<Self, NotATopic> {
        let form = |form: Format| Some((text.strip_suffix(form.extension())?.strip_suffix('.')?, Some(form)));
        let (name, form) = Format::ALL.into_iter().find_map(form).unwrap_or((text, None));
        let selection = name.parse().map_err(|_| NotATopic::NoFeed)?;
        Ok(Self { selection, form })
    }
}

impl Serialize for Topic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Topic {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_feeds_address_is_one_topic() {
        let home: Url = "https://news.example/agency/".parse().unwrap();
        for (address, topic) in [
            ("https://news.example/agency/feeds/all.atom", Ok("all.atom")),
            ("http://news.example/agency/feeds/all.json", Ok("all.json")),
            ("https://NEWS.example:443/agency/feeds/all", Ok("all")),
            ("https://news.example/agency/feeds/section/World%20News.rss", Ok("section/world-news.rss")),
            ("https://news.example/agency/feeds/section/%E5%85%9A%E9%A3%8E.rss", Ok("section/党风.rss")),
            ("https://news.example/agency/feeds/section/党风.rss", Ok("section/党风.rss")),
            ("https://news.example/agency/feeds/section/%FF.rss", Err(NotATopic::NoFeed)),
            ("https://news.example/agency/feeds/all.xml", Err(NotATopic::NoFeed)),
            ("https://news.example/agency/feeds/all;3-0a1b2c3d.atom", Err(NotATopic::NoFeed)),
            ("https://news.example/agency/feeds/", Err(NotATopic::NoFeed)),
            ("https://news.example/agency/feeds/all.atom?x", Err(NotATopic::NoFeed)),
            ("https://news.example/agency/feeds/all.atom#x", Err(NotATopic::NoFeed)),
            ("https://a:b@news.example/agency/feeds/all.atom", Err(NotATopic::NoFeed)),
            ("https://news.example/agency/articles/0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f", Err(NotATopic::NoFeed)),
            ("https://news.example/feeds/all.atom", Err(NotATopic::Elsewhere)),
            ("https://news.example:8443/agency/feeds/all.atom", Err(NotATopic::Elsewhere)),
            ("https://other.example/agency/feeds/all.atom", Err(NotATopic::Elsewhere)),
            ("ftp://news.example/agency/feeds/all.atom", Err(NotATopic::Elsewhere)),
            ("feeds/all.atom", Err(NotATopic::NoAddress)),
            ("", Err(NotATopic::NoAddress)),
        ] {
            let found = Topic::find(address, &home).map(|topic| topic.to_string());
            assert_eq!(found.as_deref(), topic.as_ref().map(|topic| *topic), "{address}");
        }
    }

    #[test]
    fn a_topic_is_stored_as_it_is_spelt() {
        for text in ["all.atom", "section/党风.rss", "publisher/hefei"] {
            let topic: Topic = text.parse().unwrap();
            assert_eq!(Topic::of(&topic.key()), Some(topic.clone()));
            let json = serde_json::to_string(&topic).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<Topic>(&json).unwrap(), topic);
        }
        assert_eq!(Topic::of(&Key::Directory), None);
    }
}
