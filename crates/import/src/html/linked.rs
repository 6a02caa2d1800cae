//! JSON-LD: schema.org's `NewsArticle` and its kin, and breadcrumbs; well formed or nearly so.

use serde_json::Value;

use super::meta::squeeze;

/// Largest block read, in bytes; `articleBody` is part of it.
const MAX_BLOCK: usize = 1 << 20;
/// Most objects looked at in a page's blocks.
const MAX_OBJECTS: usize = 2000;

/// Most people of one kind: lists may be lists of lists.
const MAX_PEOPLE: usize = 50;

/// Types that are an article; the first part of their names may vary (`ReportageNewsArticle`).
const ARTICLES: [&str; 6] = ["article", "blogposting", "liveblogposting", "report", "socialmediaposting", "webpage"];

/// Somebody who is said to have written the article.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Author {
    pub(super) name: String,
    /// Said to be an organisation.
    pub(super) is_organisation: bool,
}

/// What the blocks of a page say.
#[derive(Debug, Default)]
pub(super) struct Linked {
    pub(super) headline: Option<String>,
    pub(super) published: Option<String>,
    pub(super) authors: Vec<Author>,
    pub(super) editors: Vec<String>,
    pub(super) section: Option<String>,
    pub(super) publisher: Option<String>,
    pub(super) language: Option<String>,
    /// The way through the site, from the outside in.
    pub(super) crumbs: Vec<String>,
    /// Set when a block is no JSON even after repair.
    pub(super) broken: bool,
    /// The rank of what the fields came from: an article beats a page.
    rank: u8,
}

/// Adds what a block says.
pub(super) fn read(block: &str, linked: &mut Linked) {
    if block.len() > MAX_BLOCK {
        linked.broken = true;
        return;
    }
    let parsed = serde_json::from_str(block).or_else(|_| serde_json::from_str(&repaired(block)));
    let Ok(root) = parsed else {
        linked.broken = true;
        return;
    };
    let root: Value = root;
    // An explicit stack: the parser has bounded the depth, and this bounds the number.
    let mut waiting = vec![&root];
    for _ in 0..MAX_OBJECTS {
        let Some(value) = waiting.pop() else { break };
        match value {
            Value::Array(list) => waiting.extend(list.iter().rev()),
            Value::Object(fields) => {
                object(value, linked);
                let inner = ["@graph", "mainEntity", "mainEntityOfPage", "hasPart", "breadcrumb", "itemListElement"];
                waiting.extend(inner.iter().filter_map(|name| fields.get(*name)).filter(|value| !value.is_string()));
            }
            _ => {}
        }
    }
}

fn object(value: &Value, linked: &mut Linked) {
    let types: Vec<String> = texts(&value["@type"]).iter().map(|name| name.to_ascii_lowercase()).collect();
    let is =
        |kind: &str| types.iter().any(|name| name.rsplit(['/', ':']).next().is_some_and(|name| name.ends_with(kind)));
    if is("breadcrumblist") {
        let crumbs = breadcrumbs(value);
        if crumbs.len() > linked.crumbs.len() {
            linked.crumbs = crumbs;
        }
        return;
    }
    let rank = match ARTICLES.iter().position(|kind| is(kind)) {
        Some(5) => 1,
        Some(_) => 2,
        None => return,
    };
    // A list of teasers has articles, too: the first is the page's own.
    if rank <= linked.rank {
        return;
    }
    linked.rank = rank;
    let text = |name: &str| texts(&value[name]).into_iter().next();
    linked.headline = text("headline").or_else(|| if rank == 2 { text("name") } else { None });
    linked.published = text("datePublished");
    linked.section = text("articleSection");
    linked.language = text("inLanguage");
    linked.publisher = names(&value["publisher"]).into_iter().next().map(|author| author.name);
    linked.authors = names(&value["author"]);
    linked.editors =
        names(&value["editor"]).into_iter().take(MAX_PEOPLE).filter(|e| !e.is_organisation).map(|e| e.name).collect();
    if linked.authors.is_empty() {
        linked.authors = names(&value["creator"]);
    }
    linked.authors.truncate(MAX_PEOPLE);
}

fn breadcrumbs(value: &Value) -> Vec<String> {
    let Value::Array(items) = &value["itemListElement"] else { return Vec::new() };
    let mut crumbs: Vec<(u64, String)> = Vec::new();
    for (at, item) in items.iter().take(12).enumerate() {
        let position = item["position"].as_u64().or_else(|| item["position"].as_str()?.parse().ok());
        let name = texts(&item["name"]).into_iter().chain(texts(&item["item"]["name"])).next();
        if let Some(name) = name {
            crumbs.push((position.unwrap_or(at as u64), name));
        }
    }
    crumbs.sort_by_key(|(position, _)| *position);
    crumbs.into_iter().map(|(_, name)| name).collect()
}

/// The texts of a value that may be one or several, plain or with a language.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => squeeze(&unescaped(text)).into_iter().collect(),
        Value::Array(list) => list.iter().take(20).flat_map(texts).collect(),
        Value::Object(_) => value.get("@value").map(texts).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// People and organisations by name.
fn names(value: &Value) -> Vec<Author> {
    match value {
        Value::Array(list) => list.iter().take(50).flat_map(names).collect(),
        Value::Object(_) => {
            let kinds = texts(&value["@type"]);
            let is_organisation =
                kinds.iter().any(|kind| kind.ends_with("Organization") || kind.ends_with("Organisation"));
            let names = texts(&value["name"]);
            names.into_iter().map(|name| Author { name, is_organisation }).collect()
        }
        _ => texts(value).into_iter().map(|name| Author { name, is_organisation: false }).collect(),
    }
}

/// Some systems write HTML's character references into JSON.
fn unescaped(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let pairs = [
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#039;", "'"),
        ("&#x27;", "'"),
        ("&apos;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&nbsp;", "\u{a0}"),
        ("&amp;", "&"),
    ];
    pairs.iter().fold(text.to_owned(), |text, (reference, meant)| text.replace(reference, meant))
}

/// What makes most broken blocks valid: comment marks around them, line breaks inside texts, commas before a closing
/// bracket, a semicolon at the end.
fn repaired(block: &str) -> String {
    let mut text = block.trim();
    for (open, close) in [("<!--", "-->"), ("//<![CDATA[", "//]]>"), ("<![CDATA[", "]]>"), ("/*<![CDATA[*/", "/*]]>*/")]
    {
        text = text.strip_prefix(open).unwrap_or(text).trim();
        text = text.strip_suffix(close).unwrap_or(text).trim();
    }
    let text = text.trim_end_matches(';');
    let mut out = String::with_capacity(text.len());
    let (mut quoted, mut escaped) = (false, false);
    for c in text.chars() {
        if quoted {
            match c {
                // An escape that JSON does not know stands for the character itself.
                _ if escaped && !matches!(c, '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' | 'u') => {
                    out.pop();
                    out.push(if c.is_control() { ' ' } else { c });
                }
                c if c.is_control() => out.push(' '),
                c => out.push(c),
            }
            quoted = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        if matches!(c, ']' | '}') {
            let kept = out.trim_end().trim_end_matches(',').len();
            out.truncate(kept);
        }
        quoted = c == '"';
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(blocks: &[&str]) -> Linked {
        let mut linked = Linked::default();
        for block in blocks {
            read(block, &mut linked);
        }
        linked
    }

    #[test]
    fn an_article_wherever_it_stands() {
        for block in [
            r#"{"@type":"NewsArticle","headline":"H","datePublished":"2024-01-02","author":"A B"}"#,
            r#"[{"@type":"Organization","name":"X"},{"@type":["Article","Thing"],"headline":["H"],"datePublished":"2024-01-02","author":{"@type":"Person","name":"A B"}}]"#,
            r#"{"@graph":[{"@type":"WebPage","headline":"no"},{"@type":"http://schema.org/ReportageNewsArticle","headline":{"@value":"H"},"datePublished":"2024-01-02","author":[{"name":"A B"}]}]}"#,
            r#"{"@type":"WebPage","headline":"no","mainEntity":{"@type":"BlogPosting","headline":"H","datePublished":"2024-01-02","creator":"A B"}}"#,
            "<!-- {\"@type\":\"NewsArticle\",\"headline\":\"H\",\n\"datePublished\":\"2024-01-02\",\"author\":[\"A B\",],} -->",
            "//<![CDATA[\n{\"@type\":\"NewsArticle\",\"headline\":\"H\",\"description\":\"a\nb \\' c\",\"datePublished\":\"2024-01-02\",\"author\":\"A B\"};\n//]]>",
        ] {
            let linked = of(&[block]);
            assert_eq!(
                (linked.headline.as_deref(), linked.published.as_deref()),
                (Some("H"), Some("2024-01-02")),
                "{block}"
            );
            assert_eq!(linked.authors[0].name, "A B", "{block}");
            assert!(!linked.broken);
        }
    }

    #[test]
    fn breadcrumbs_organisations_and_teasers() {
        let linked = of(&[
            r#"{"@type":"BreadcrumbList","itemListElement":[{"position":2,"item":{"name":"B"}},{"position":"1","name":"A &amp; C"}]}"#,
            r#"{"@type":"NewsArticle","headline":"First","author":{"@type":"NewsMediaOrganization","name":"Wire"},"publisher":{"name":"Paper"}}"#,
            r#"{"@type":"NewsArticle","headline":"Teaser","author":"Somebody"}"#,
        ]);
        assert_eq!(linked.crumbs, ["A & C", "B"]);
        assert_eq!((linked.headline.as_deref(), linked.publisher.as_deref()), (Some("First"), Some("Paper")));
        assert_eq!(linked.authors, [Author { name: "Wire".into(), is_organisation: true }]);
    }

    #[test]
    fn rubbish_is_told_and_bounded() {
        for block in ["{", "", "null,", &"[".repeat(100_000), &format!("\"{}\"", "x".repeat(MAX_BLOCK))] {
            assert!(of(&[block]).broken, "{block:.20}");
        }
        for block in ["[]", "{}", "null", "3", r#"{"@type":3,"headline":{"a":[]}}"#] {
            assert!(of(&[block]).headline.is_none(), "{block}");
        }
    }
}
