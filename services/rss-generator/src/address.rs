//! Addresses of feeds: which selection, which page of it, in which format.

use feed::Format;
use percent_encoding::percent_decode_str;
use subscription::{InvalidSelection, Selection};

use crate::library::{Key, PageId};
use crate::site::Site;

/// What `/feeds/<selection>[;<page>][.<extension>]` names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) selection: Selection,
    pub(crate) page: Option<PageId>,
    /// `None`: no extension.
    pub(crate) format: Option<Format>,
    /// Whether it is spelt as we spell it.
    pub(crate) canonical: bool,
}

/// It names nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Misspelt {
    /// And this is why.
    Selection(InvalidSelection),
    Otherwise,
}

impl Address {
    /// Reads what follows `/feeds/`, percent-encoded as it came.
    pub(crate) fn read(path: &str) -> Result<Self, Misspelt> {
        let path = percent_decode_str(path).decode_utf8().map_err(|_| Misspelt::Otherwise)?;
        let (path, format) = Format::ALL
            .into_iter()
            .find_map(|format| Some((path.strip_suffix(format.extension())?.strip_suffix('.')?, Some(format))))
            .unwrap_or((&*path, None));
        // No name holds a semicolon.
        let (name, page) = match path.split_once(';') {
            Some((name, page)) => (name, Some(page_id(page).ok_or(Misspelt::Otherwise)?)),
            None => (path, None),
        };
        let selection: Selection = name.parse().map_err(Misspelt::Selection)?;
        let canonical = selection.as_str() == name;
        Ok(Self { selection, page, format, canonical })
    }

    /// The address as we spell it, absolute.
    pub(crate) fn url(&self, site: &Site) -> String {
        let mut url = site.feed(&self.selection);
        if let Some(page) = self.page {
            url.push_str(&format!(";{page}"));
        }
        if let Some(format) = self.format {
            url.push('.');
            url.push_str(format.extension());
        }
        url
    }

    /// The document that is there; `preferred` where the address does not say in which form.
    pub(crate) fn key(self, preferred: Option<Format>) -> Key {
        match self.page {
            Some(page) => Key::Archive(self.selection, self.format, page),
            None => Key::Feed(self.selection, self.format.or(preferred)),
        }
    }
}

/// `<number>-<mark>` in the one way we write it.
fn page_id(text: &str) -> Option<PageId> {
    let (number, mark) = text.split_once('-')?;
    let page = PageId { number: number.parse().ok()?, mark: u32::from_str_radix(mark, 16).ok()? };
    (page.number > 0 && page.to_string() == text).then_some(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_selection_a_page_and_a_format() {
        let third = Some(PageId { number: 3, mark: 0x00c0_ffee });
        for (path, selection, page, format, canonical) in [
            ("all", "all", None, None, true),
            ("all.rss", "all", None, Some(Format::Rss), true),
            ("section/%E5%85%9A%E9%A3%8E.json", "section/党风", None, Some(Format::Json), true),
            ("section/党风.json", "section/党风", None, Some(Format::Json), true),
            ("section/World/ASIA.atom", "section/world/asia", None, Some(Format::Atom), false),
            ("publisher/hefei", "publisher/hefei", None, None, true),
            ("all;3-00c0ffee", "all", third, None, true),
            ("all;3-00c0ffee.atom", "all", third, Some(Format::Atom), true),
            ("language/en+section/world;3-00c0ffee.atom", "section/world+language/en", third, Some(Format::Atom), true),
        ] {
            let address = Address::read(path).unwrap_or_else(|error| panic!("{path}: {error:?}"));
            let selection: Selection = selection.parse().unwrap();
            let spelt_so =
                canonical && selection.as_str() == path.split([';', '.']).next().unwrap() || path.contains('%');
            assert_eq!((&address.selection, address.page, address.format), (&selection, page, format), "{path}");
            if canonical && !path.contains('+') {
                assert!(address.canonical && spelt_so, "{path}");
            }
        }
        assert!(!Address::read("section/World").unwrap().canonical);
        for path in [
            "",
            ".rss",
            "al",
            "all.xml",
            "all.rss.rss",
            "section/",
            "section/a//b",
            "section/%ff",
            "all;",
            "all;3",
            "all;3-",
            "all;0-00c0ffee",
            "all;03-00c0ffee",
            "all;+3-00c0ffee",
            "all;3-C0FFEE",
            "all;3-00C0FFEE",
            "all;3-00c0ffee;4-00c0ffee",
            "all;99999999999-00c0ffee",
            "all;3-000c0ffee",
        ] {
            assert!(Address::read(path).is_err(), "{path}");
        }
    }
}
