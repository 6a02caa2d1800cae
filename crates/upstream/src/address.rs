//! Addresses that lead to the same page, made the same.

use url::Url;

/// Parameters that say where a reader came from, not what is to be read.
fn is_tracking(name: &str) -> bool {
    const WHOLE: [&str; 21] = [
        "fbclid", "gclid", "dclid", "gbraid", "wbraid", "msclkid", "yclid", "twclid", "igshid", "mc_cid", "mc_eid",
        "cmpid", "ocid", "ncid", "ref", "referrer", "source", "xtor", "spm", "smid", "ito",
    ];
    const BEGINNINGS: [&str; 5] = ["utm_", "at_medium", "at_campaign", "pk_", "mtm_"];
    let name = name.to_ascii_lowercase();
    WHOLE.contains(&&*name) || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
}

/// The host without what only says which kind of reader it is for.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let bare = ["www.", "m.", "mobile.", "amp."].iter().find_map(|prefix| host.strip_prefix(prefix));
    // `m.example` is a name of its own.
    bare.filter(|bare| bare.contains('.')).unwrap_or(host).into()
}

/// An address for comparison: without scheme, `www.` or `m.`, default port, tracking parameters, order of parameters,
/// final slash and empty fragment. `None` if it leads to no page in particular.
pub(crate) fn canonical(url: &Url) -> Option<String> {
    let page = page(url)?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}{port}{page}", host(url)))
}

/// What [`canonical`] keeps after the host.
pub(crate) fn page(url: &Url) -> Option<String> {
    let mut parameters: Vec<(String, String)> =
        url.query_pairs().filter(|(name, _)| !is_tracking(name)).map(|(n, v)| (n.into(), v.into())).collect();
    parameters.sort_unstable();
    let mut page = url.path().trim_end_matches('/').to_owned();
    let query: Vec<String> = parameters.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    if !query.is_empty() {
        page = format!("{page}?{}", query.join("&"));
    }
    // Entries of one live page differ in nothing else.
    if let Some(fragment) = url.fragment().filter(|f| !f.is_empty() && !f.contains('=')) {
        page = format!("{page}#{fragment}");
    }
    (!page.is_empty()).then_some(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str) -> Option<String> {
        canonical(&Url::parse(url).unwrap())
    }

    #[test]
    fn one_page_has_one_address() {
        for same in [
            "https://news.example/a?id=7",
            "http://news.example/a?id=7",
            "https://www.news.example/a/?id=7",
            "https://m.news.example:443/a?id=7&utm_source=rss&UTM_medium=feed",
            "https://NEWS.example/a?fbclid=x&id=7#",
            "https://news.example/a?id=7#xtor=RSS-1",
        ] {
            assert_eq!(of(same).as_deref(), Some("news.example/a?id=7"), "{same}");
        }
        assert_eq!(of("https://n.example/?b=2&a=1"), of("https://n.example/?a=1&b=2"));
    }

    #[test]
    fn different_pages_stay_different() {
        let all = [
            "https://n.example/a",
            "https://n.example/A",
            "https://n.example/a?id=1",
            "https://n.example/a?id=2",
            "https://n.example:8080/a",
            "https://n.example/a#post-2",
            "https://other.example/a",
            "https://m.example/a",
        ];
        let mut canonical: Vec<_> = all.iter().map(|url| of(url).unwrap()).collect();
        canonical.sort();
        canonical.dedup();
        assert_eq!(canonical.len(), all.len(), "{canonical:?}");
        for nowhere in ["https://n.example", "https://n.example/", "https://www.n.example/?utm_source=x"] {
            assert_eq!(of(nowhere), None, "{nowhere}");
        }
    }
}
