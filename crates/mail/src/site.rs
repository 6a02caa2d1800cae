//! Who sends: the names and addresses that stand in every mail.

use article::ArticleId;
use subscription::Selection;
use url::Url;

use crate::address::{Address, ascii_domain};

/// The sender as readers see it. Values are checked once, so that rendering cannot fail.
#[derive(Debug, Clone)]
pub struct Site {
    name: String,
    pages: Url,
    notifier: Url,
    from: Address,
    mail_domain: String,
}

/// A setting of the site that no mail could be sent with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSite {
    #[error("the site's name must be one line of 1 to 100 characters without control characters")]
    Name,
    #[error("{0:?} is not an address of web pages: it must begin with https:// or http:// and have no query")]
    Url(String),
    #[error("{0:?} is not a domain name with a dot in it")]
    MailDomain(String),
    #[error(
        "mail from {from} cannot be authenticated for {mail_domain}: one must be the other or a subdomain of it, or \
         DMARC fails and receivers refuse the mail"
    )]
    Unaligned { from: String, mail_domain: String },
}

impl Site {
    /// * `name`: the sender's display name
    /// * `pages`: where the feed and article pages are
    /// * `notifier`: where readers subscribe and unsubscribe
    /// * `from`: what readers see as the sender
    /// * `mail_domain`: of Message-IDs, List-Ids and bounces; aligned with `from`
    ///
    /// # Errors
    /// The first setting that is wrong.
    pub fn new(name: &str, pages: Url, notifier: Url, from: Address, mail_domain: &str) -> Result<Self, InvalidSite> {
        // Private-use characters mark the slots of a footer, see `compose::slots`.
        let fits = |c: char| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{E000}'..='\u{F8FF}');
        let name = name.trim();
        if name.is_empty() || name.chars().count() > 100 || !name.chars().all(fits) {
            return Err(InvalidSite::Name);
        }
        for url in [&pages, &notifier] {
            let web = matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none();
            if !web || url.as_str().len() > 500 {
                return Err(InvalidSite::Url(url.to_string()));
            }
        }
        let invalid = || InvalidSite::MailDomain(mail_domain.to_owned());
        // Longer than a host: List-Id puts the publisher's name in front.
        let domain = ascii_domain(mail_domain).filter(|domain| domain.len() <= 180).ok_or_else(invalid)?;
        if !within(from.domain(), &domain) && !within(&domain, from.domain()) {
            return Err(InvalidSite::Unaligned { from: from.as_str().to_owned(), mail_domain: domain });
        }
        Ok(Self { name: name.to_owned(), pages, notifier, from, mail_domain: domain })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn from(&self) -> &Address {
        &self.from
    }

    /// Lower-case ASCII.
    pub fn mail_domain(&self) -> &str {
        &self.mail_domain
    }

    /// The form to subscribe by, in a language of ours; `selection` is what it offers, everything otherwise.
    pub fn subscribe_page(&self, selection: Option<&str>, language: &str) -> Url {
        let mut url = self.notifier.clone();
        url.path_segments_mut().expect("http and https URLs have a path").pop_if_empty().push("subscribe");
        let mut query = url.query_pairs_mut();
        query.extend_pairs(selection.map(|selection| ("selection", selection))).append_pair("lang", language);
        drop(query);
        url
    }

    /// Where whoever reads an article asks for what becomes of it.
    pub fn follow_page(&self, id: &ArticleId, language: &str) -> Url {
        self.subscribe_page(Some(&format!("story/{}", id.token())), language)
    }

    /// Our own page of a selection, `<pages>/feeds/<selection>`; without one the directory.
    pub fn feed_page(&self, selection: Option<&Selection>) -> Url {
        let mut url = self.pages.clone();
        if let Some(selection) = selection {
            let mut path = url.path_segments_mut().expect("http and https URLs have a path");
            path.pop_if_empty().push("feeds").extend(selection.as_str().split('/'));
        }
        url
    }

    /// Our own page of an article: `<pages>/articles/<uuid>`.
    pub fn article_page(&self, id: &ArticleId) -> Url {
        let mut url = self.pages.clone();
        url.path_segments_mut()
            .expect("http and https URLs have a path")
            .pop_if_empty()
            .extend(["articles", id.token().as_str()]);
        url
    }
}

/// Whether `domain` is `parent` or below it.
fn within(domain: &str, parent: &str) -> bool {
    domain.strip_suffix(parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// A web address short enough for one header line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link(Url);

/// The URL cannot stand in a header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a link in a mail must begin with https:// or http:// and be at most {} bytes long", Link::MAX)]
pub struct InvalidLink;

impl Link {
    /// Bytes. A header line may have 998 (RFC 5322 section 2.1.1) and a URL cannot be folded.
    pub const MAX: usize = 900;

    /// # Errors
    /// [`InvalidLink`] when it is not http(s) or too long.
    pub fn new(url: Url) -> Result<Self, InvalidLink> {
        // `Url` is ASCII and escapes blanks, quotes, angle brackets and controls; a userinfo would only mislead.
        let fits = matches!(url.scheme(), "http" | "https") && url.as_str().len() <= Self::MAX;
        if fits && url.username().is_empty() && url.as_str().bytes().all(|b| b.is_ascii_graphic() && b != b'>') {
            Ok(Self(url))
        } else {
            Err(InvalidLink)
        }
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn site(name: &str, pages: &str, from: &str, domain: &str) -> Result<Site, InvalidSite> {
        Site::new(name, url(pages), url("https://mail.news.example"), from.parse().unwrap(), domain)
    }

    #[test]
    fn settings_that_would_spoil_every_mail_are_refused() {
        let ok = "https://news.example/";
        assert!(site("Hefei News", ok, "news@news.example", "mail.news.example").is_ok());
        assert!(site("Hefei News", ok, "news@mail.news.example", "news.example").is_ok());
        for bad in ["", " ", "a\r\nBcc: x", "\u{E000}", &"x".repeat(101)] {
            assert_eq!(site(bad, ok, "news@news.example", "news.example").unwrap_err(), InvalidSite::Name, "{bad:?}");
        }
        for bad in ["ftp://news.example/", "https://news.example/?a=b", "mailto:x@news.example"] {
            assert!(matches!(site("N", bad, "n@news.example", "news.example"), Err(InvalidSite::Url(_))), "{bad}");
        }
        assert!(matches!(site("N", ok, "n@news.example", "news"), Err(InvalidSite::MailDomain(_))));
        for unaligned in ["example", "other.example", "badnews.example"] {
            assert!(site("N", ok, "n@news.example", unaligned).is_err(), "{unaligned}");
        }
    }

    #[test]
    fn article_pages_keep_the_base_path() {
        let id = "urn:uuid:0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f".parse().unwrap();
        for base in ["https://news.example/wire", "https://news.example/wire/"] {
            let site = site("N", base, "n@news.example", "news.example").unwrap();
            let expected = "https://news.example/wire/articles/0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f";
            assert_eq!(site.article_page(&id).as_str(), expected);
        }
    }

    #[test]
    fn a_link_fits_a_header_line() {
        assert!(Link::new(url("https://news.example/u?t=<a> b\"")).unwrap().as_str().is_ascii());
        assert_eq!(Link::new(url(&format!("https://news.example/{}", "a".repeat(900)))), Err(InvalidLink));
        assert_eq!(Link::new(url("mailto:a@news.example")), Err(InvalidLink));
        assert_eq!(Link::new(url("https://bank@news.example/")), Err(InvalidLink));
    }
}
