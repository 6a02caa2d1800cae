//! The newest articles for search engines: a sitemap (sitemaps.org 0.9) with Google's news extension.

use article::{Article, Precision, Published, Status};

use crate::entry::Links;
use crate::xml::Xml;

/// The most articles that a news sitemap may have; the search engine ignores the rest.
pub const MAX_NEWS_URLS: usize = 1_000;

/// Writes a news sitemap of those of `articles` that can be read, at most [`MAX_NEWS_URLS`], in their order: the caller
/// gives the newest first, and none older than two days. `publication` is the site's name as its pages have it.
pub fn news_sitemap<'a>(publication: &str, links: &Links, articles: impl IntoIterator<Item = &'a Article>) -> Vec<u8> {
    let mut xml = Xml::document();
    let namespaces = [
        ("xmlns", "http://www.sitemaps.org/schemas/sitemap/0.9"),
        ("xmlns:news", "http://www.google.com/schemas/sitemap-news/0.9"),
    ];
    xml.open("urlset", &namespaces);
    let readable = articles.into_iter().filter(|article| article.status == Status::Published && !article.test);
    let dated = readable.filter_map(|article| Some((article, article.published.as_ref()?)));
    for (article, published) in dated.take(MAX_NEWS_URLS) {
        xml.open("url", &[]);
        // Of our own host always: a sitemap may not speak for others.
        xml.element("loc", &[], &links.article(article.id));
        xml.open("news:news", &[]);
        xml.open("news:publication", &[]);
        xml.element("news:name", &[], publication);
        xml.element("news:language", &[], &language(&article.language));
        xml.close("news:publication");
        xml.element("news:publication_date", &[], &date(published));
        xml.element("news:title", &[], &article.headline);
        xml.close("news:news");
        xml.close("url");
    }
    xml.close("urlset");
    xml.finish().into_bytes()
}

/// A W3C date: the day alone where the newsroom gave no time.
fn date(published: &Published) -> String {
    match published.precision {
        Precision::Date => published.for_people(),
        Precision::Minute | Precision::Second => published.rfc3339(),
    }
}

/// The code that the extension wants for a BCP 47 tag: ISO 639, two letters where there are two, but for Chinese by the
/// script it is written in.
fn language(tag: &str) -> String {
    let lower = tag.to_ascii_lowercase();
    let mut parts = lower.split(['-', '_']);
    let primary = parts.next().unwrap_or_default();
    if !matches!(primary, "zh" | "cmn") {
        return primary.to_owned();
    }
    let mut rest = parts.take_while(|part| part.len() > 1);
    let traditional = match rest.clone().find(|part| matches!(*part, "hans" | "hant")) {
        Some(script) => script == "hant",
        None => rest.any(|part| matches!(part, "tw" | "hk" | "mo")),
    };
    if traditional { "zh-tw" } else { "zh-cn" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_is_told_by_its_script_and_all_else_by_its_language() {
        for (tag, code) in [
            ("zh", "zh-cn"),
            ("zh-Hans", "zh-cn"),
            ("zh-CN", "zh-cn"),
            ("zh-SG", "zh-cn"),
            ("zh-Hans-HK", "zh-cn"),
            ("zh-Hant", "zh-tw"),
            ("zh-TW", "zh-tw"),
            ("zh-HK", "zh-tw"),
            ("zh-Hant-MO", "zh-tw"),
            ("cmn-Hant", "zh-tw"),
            ("zh-x-tw", "zh-cn"),
            ("en-GB", "en"),
            ("pt_BR", "pt"),
            ("yue-Hant", "yue"),
            ("AR", "ar"),
        ] {
            assert_eq!(language(tag), code, "{tag}");
        }
    }

    #[test]
    fn a_day_has_no_time() {
        let published = |precision| Published {
            at: "2026-01-10T02:30:00Z".parse().unwrap(),
            precision,
            tz: "Asia/Shanghai".into(),
        };
        assert_eq!(date(&published(Precision::Date)), "2026-01-10");
        assert_eq!(date(&published(Precision::Minute)), "2026-01-10T10:30:00+08:00");
    }
}
