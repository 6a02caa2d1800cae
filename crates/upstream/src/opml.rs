//! Lists of feeds: OPML 1.0 and 2.0.

use std::fmt::Write;

use jiff::Timestamp;
use thiserror::Error;
use url::Url;

use crate::decode::decode;
use crate::scan::{Scan, Token};
use crate::text::line;

/// The most feeds read of one list.
pub const MAX_OUTLINES: usize = 10_000;

/// How deep folders may nest; those further in count as the last of these.
const MAX_FOLDERS: usize = 16;

/// A feed in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    pub address: Url,
    pub title: Option<String>,
    pub home: Option<Url>,
    /// The folders it is in, outermost first.
    pub folders: Vec<String>,
}

/// A list as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// In its own order, each address once.
    pub outlines: Vec<Outline>,
    /// What ought to be a feed's address and is none, as written; at most a hundred.
    pub refused: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotOpml {
    #[error(transparent)]
    Unreadable(#[from] crate::Unreadable),
    #[error("not a list of feeds: there is no <outline> in it")]
    NoOutline,
}

/// Reads a list. Names are read in any case, `url` counts where `xmlUrl` is missing, and what is not XML is passed over.
///
/// # Errors
/// The document is empty, too large, or has no outline at all.
pub fn read(bytes: &[u8]) -> Result<List, NotOpml> {
    let text = decode(bytes, None)?;
    let mut list = List { outlines: Vec::new(), refused: Vec::new() };
    let mut addresses = std::collections::HashSet::new();
    let mut folders: Vec<Option<String>> = Vec::new();
    let mut any = false;
    for token in Scan::new(&text) {
        let tag = match token {
            Token::Start(tag) if tag.name.eq_ignore_ascii_case("outline") => tag,
            Token::End(name) if name.eq_ignore_ascii_case("outline") => {
                folders.pop();
                continue;
            }
            _ => continue,
        };
        any = true;
        let named = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| tag.attribute(name).map(|value| line(&value)).filter(|value| !value.is_empty()))
        };
        let title = named(&["title", "text"]);
        let is_feed = named(&["type"]).is_none_or(|kind| !matches!(&*kind.to_lowercase(), "link" | "include"));
        let address = named(&["xmlUrl"]).or_else(|| named(&["url"]).filter(|_| is_feed));
        let is_folder = address.is_none();
        match address.as_deref().map(|address| (address, web(address))) {
            Some((_, Some(address))) if list.outlines.len() < MAX_OUTLINES && addresses.insert(address.clone()) => {
                let home = named(&["htmlUrl"]).and_then(|home| web(&home));
                let folders = folders.iter().take(MAX_FOLDERS).flatten().cloned().collect();
                list.outlines.push(Outline { address, title: title.clone(), home, folders });
            }
            Some((written, None)) if list.refused.len() < 100 => {
                list.refused.push(crate::text::head(written, 200).into());
            }
            _ => {}
        }
        if !tag.empty {
            folders.push(title.filter(|_| is_folder));
        }
    }
    if any { Ok(list) } else { Err(NotOpml::NoOutline) }
}

/// `feed:` is what some readers put before, or in place of, `http:`.
fn web(written: &str) -> Option<Url> {
    let bare = written.strip_prefix("feed:").unwrap_or(written);
    let address = if let Some(rest) = bare.strip_prefix("//") { format!("https://{rest}") } else { bare.into() };
    Url::parse(&address).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

/// Writes a list as OPML 2.0, feeds of one folder together.
pub fn write(title: &str, now: Timestamp, outlines: &[Outline]) -> String {
    let mut opml = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<opml version=\"2.0\">\n<head>\n");
    let date = now.to_zoned(jiff::tz::TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let _ = writeln!(opml, "<title>{}</title>\n<dateCreated>{date}</dateCreated>\n</head>\n<body>", escaped(title));
    let mut sorted: Vec<&Outline> = outlines.iter().collect();
    // Stable: within a folder the order stays.
    sorted.sort_by(|a, b| a.folders.cmp(&b.folders));
    let mut open: &[String] = &[];
    for outline in sorted {
        let shared = open.iter().zip(&outline.folders).take_while(|(a, b)| a == b).count();
        opml.push_str(&"</outline>\n".repeat(open.len() - shared));
        for folder in &outline.folders[shared..] {
            let folder = escaped(folder);
            let _ = writeln!(opml, "<outline text=\"{folder}\" title=\"{folder}\">");
        }
        open = &outline.folders;
        let title = escaped(outline.title.as_deref().unwrap_or(outline.address.as_str()));
        let _ = write!(
            opml,
            "<outline type=\"rss\" text=\"{title}\" title=\"{title}\" xmlUrl=\"{}\"",
            escaped(outline.address.as_str())
        );
        if let Some(home) = &outline.home {
            let _ = write!(opml, " htmlUrl=\"{}\"", escaped(home.as_str()));
        }
        opml.push_str("/>\n");
    }
    opml.push_str(&"</outline>\n".repeat(open.len()));
    opml.push_str("</body>\n</opml>\n");
    opml
}

fn escaped(text: &str) -> String {
    line(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests;
