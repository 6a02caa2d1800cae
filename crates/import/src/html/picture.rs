//! Pictures: where they really are, and which of them belong to a story.

use url::Url;

use super::dom::{Dom, Id};

/// Attributes that hold the address of a picture that is loaded when a reader comes near it, before `src`.
const LAZY: [&str; 7] =
    ["data-src", "data-original", "data-lazy-src", "data-actualsrc", "data-url", "data-echo", "data-lazyload"];

/// Parts of the addresses of pictures that are no news: counters, icons, placeholders.
const NO_NEWS: &[&str] = &[
    "1x1",
    "avatar",
    "blank.",
    "counter",
    "emoji",
    "favicon",
    "icon",
    "loading",
    "logo",
    "pixel",
    "placeholder",
    "qrcode",
    "spacer",
    "sprite",
    "transparent",
    "vgwort",
    "/face/",
    "weixin",
    "wechat",
    "ewm",
];

/// Longest address, in bytes: what is longer is no address, and each of a page's may be as long as its `base`.
const MAX_ADDRESS: usize = 2048;
/// Most elements of a `picture` looked at.
const MAX_SOURCES: usize = 32;
/// The smallest side of a picture worth showing, in pixels as the page says.
const SMALLEST: u32 = 60;

/// A picture as it goes into the body.
pub(super) struct Shown {
    pub(super) address: Url,
    pub(super) alt: String,
}

/// The picture, when it has an address and is more than decoration.
pub(super) fn shown(dom: &Dom, id: Id, base: Option<&Url>) -> Option<Shown> {
    let small = |name: &str| {
        let digits = dom.attribute(id, name)?.trim().trim_end_matches("px").parse::<u32>().ok()?;
        Some(digits < SMALLEST)
    };
    if small("width") == Some(true) || small("height") == Some(true) {
        return None;
    }
    let address = addresses(dom, id).into_iter().find_map(|address| resolve(&address, base))?;
    let path = address.path().to_ascii_lowercase();
    if NO_NEWS.iter().any(|word| path.contains(word)) || path.ends_with(".svg") {
        return None;
    }
    let alt = dom.attribute(id, "alt").unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    Some(Shown { address, alt })
}

/// Every address the page gives for a picture, the best first.
fn addresses(dom: &Dom, id: Id) -> Vec<String> {
    let mut found: Vec<String> = LAZY.iter().filter_map(|name| dom.attribute(id, name)).map(str::to_owned).collect();
    found.extend(["data-srcset", "srcset"].iter().filter_map(|name| largest(dom.attribute(id, name)?)));
    found.extend(dom.attribute(id, "src").map(str::to_owned));
    let parent = dom.node(id).parent;
    if dom.name(parent) == "picture" {
        let sources = dom.children(parent).take(MAX_SOURCES).filter(|child| dom.name(*child) == "source");
        found.extend(sources.filter_map(|source| {
            largest(dom.attribute(source, "data-srcset").or_else(|| dom.attribute(source, "srcset"))?)
        }));
    }
    // Pages that load pictures by script have the real one beside it, for browsers without.
    if let Some(noscript) = dom.following(id).take(3).find(|id| dom.name(*id) == "noscript") {
        let inside = dom.descendants(noscript).find(|id| dom.name(*id) == "img");
        found.extend(inside.and_then(|img| dom.attribute(img, "src")).map(str::to_owned));
    }
    found
}

/// The widest of the candidates of a `srcset`.
fn largest(srcset: &str) -> Option<String> {
    let candidate = |part: &str| {
        let mut words = part.split_ascii_whitespace();
        let address = words.next()?.to_owned();
        let size = words.next().and_then(|size| size.trim_end_matches(['w', 'x']).parse::<f32>().ok()).unwrap_or(1.0);
        Some((address, size))
    };
    // Candidates are parted by a comma and a blank: an address may have commas.
    let candidates = srcset.split(", ").chain(srcset.split(",\n")).filter_map(candidate);
    candidates.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(address, _)| address)
}

/// An address on the web; a picture in the page itself (`data:`) is none.
pub(super) fn resolve(address: &str, base: Option<&Url>) -> Option<Url> {
    if address.len() > MAX_ADDRESS {
        return None;
    }
    let address = address.trim();
    if address.is_empty() || address.starts_with('#') {
        return None;
    }
    let url = match base {
        Some(base) => base.join(address).ok()?,
        None if address.starts_with("//") => Url::parse(&format!("https:{address}")).ok()?,
        None => Url::parse(address).ok()?,
    };
    (matches!(url.scheme(), "http" | "https") && url.as_str().len() <= MAX_ADDRESS).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::html::parse::parse;

    fn of(html: &str) -> Option<(String, String)> {
        let dom = parse(html).unwrap();
        let id = dom.descendants(0).find(|id| dom.name(*id) == "img").unwrap();
        let base = Url::parse("https://news.example/a/b.html").unwrap();
        shown(&dom, id, Some(&base)).map(|shown| (shown.address.to_string(), shown.alt))
    }

    #[test]
    fn the_real_picture_behind_a_lazy_one() {
        for (html, address) in [
            ("<img src=p.jpg alt=' A  B '>", Some("https://news.example/a/p.jpg")),
            ("<img src='data:image/gif;base64,AA' data-src='/p.jpg'>", Some("https://news.example/p.jpg")),
            ("<img src=/loading.png data-original=//cdn.example/p.jpg>", Some("https://cdn.example/p.jpg")),
            ("<img srcset='a.jpg 300w, c,d.jpg 1024w, b.jpg 600w'>", Some("https://news.example/a/c,d.jpg")),
            (
                "<picture><source srcset='big.webp 2x'><img src='data:,x'></picture>",
                Some("https://news.example/a/big.webp"),
            ),
            ("<img class=lazy><noscript><img src=real.jpg></noscript>", Some("https://news.example/a/real.jpg")),
            ("<img src=p.jpg width=1 height=1>", None),
            ("<img src=/img/favicon.png>", None),
            ("<img src=javascript:x>", None),
            ("<img>", None),
        ] {
            assert_eq!(of(html).map(|shown| shown.0).as_deref(), address, "{html}");
        }
        assert_eq!(of("<img src=p.jpg alt=' A  B '>").unwrap().1, "A B");
    }
}
