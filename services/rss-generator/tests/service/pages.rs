//! The HTML pages as a browser's parser sees them, and where their links lead.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::TokenizerOpts;
use html5ever::tokenizer::{BufferQueue, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer};

use super::*;

/// A page's tags and text, and what a parser holds against it.
#[derive(Default)]
struct Page {
    tags: RefCell<Vec<(String, HashMap<String, String>)>>,
    text: RefCell<String>,
    errors: RefCell<Vec<String>>,
}

impl TokenSink for Page {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => {
                let attributes = tag.attrs.iter().map(|of| (of.name.local.to_string(), of.value.to_string())).collect();
                self.tags.borrow_mut().push((tag.name.to_string(), attributes));
            }
            Token::CharacterTokens(text) => self.text.borrow_mut().push_str(&text),
            Token::ParseError(error) => self.errors.borrow_mut().push(error.into_owned()),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Page {
    fn parse(html: &str) -> Self {
        let input = BufferQueue::default();
        input.push_back(StrTendril::from(html));
        let tokenizer = Tokenizer::new(Self::default(), TokenizerOpts { exact_errors: true, ..Default::default() });
        let _ = tokenizer.feed(&input);
        tokenizer.end();
        tokenizer.sink
    }

    fn all(&self, name: &str) -> Vec<HashMap<String, String>> {
        let tags = self.tags.borrow();
        tags.iter().filter(|(tag, _)| tag == name).map(|(_, attributes)| attributes.clone()).collect()
    }

    fn one(&self, name: &str) -> HashMap<String, String> {
        let mut all = self.all(name);
        assert_eq!(all.len(), 1, "exactly one <{name}>");
        all.remove(0)
    }

    /// Addresses on this site, as paths.
    fn links(&self) -> BTreeSet<String> {
        let tags = self.tags.borrow();
        let addresses = tags.iter().filter_map(|(_, attributes)| attributes.get("href"));
        addresses.filter_map(|address| address.strip_prefix("https://news.example")).map(str::to_owned).collect()
    }

    /// What holds for every page whatever it says.
    fn check(&self, path: &str) {
        assert_eq!(*self.errors.borrow(), Vec::<String>::new(), "{path}");
        for landmark in ["html", "title", "main", "h1", "link"] {
            assert!(!self.all(landmark).is_empty(), "{path}: no <{landmark}>");
        }
        assert_eq!(self.one("main")["id"], "main", "{path}");
        self.one("h1");
        self.one("html");
        let tags = self.tags.borrow();
        let first = tags.iter().find(|(tag, _)| tag == "a").unwrap();
        assert_eq!(first.1["href"], "#main", "{path}: the first link skips what is the same everywhere");
        let levels = tags.iter().filter_map(|(tag, _)| tag.strip_prefix('h')?.parse::<u8>().ok());
        levels.fold(0, |before, level| {
            assert!(level <= before + 1, "{path}: a heading of level {level} after one of level {before}");
            level
        });
        let mut ids = BTreeSet::new();
        for (tag, attributes) in &*tags {
            assert!(tag != "script" || attributes["type"] == "application/ld+json", "{path}: {attributes:?}");
            assert!(!attributes.keys().any(|name| name.starts_with("on") || name == "style"), "{path}: {attributes:?}");
            assert!(
                attributes.get("id").is_none_or(|id| ids.insert(id.clone())),
                "{path}: an id twice: {attributes:?}"
            );
            let has_name = |name: &str| attributes.get(name).is_some_and(|value| !value.is_empty());
            assert!(
                tag != "nav" || has_name("aria-label") || has_name("aria-labelledby"),
                "{path}: several <nav> need names"
            );
            assert!(tag != "img" || attributes.contains_key("alt"), "{path}: {attributes:?}");
            assert!(tag != "time" || has_name("datetime"), "{path}: {attributes:?}");
        }
    }
}

fn in_language(language: &str, headline: &str, section: &[&str]) -> Value {
    json!({
        "headline": headline, "body_text": "One.\n\nTwo.", "language": language, "section": section,
        "byline": "Lin Mei", "sources": [{"name": "Riverton Evening News", "url": "https://evening.example/"}],
        "translations": [{"language": "fr", "rel": "has_translation", "url": "https://news.example/fr"}],
        "associations": [{"type": "picture", "uri": "https://pictures.example/a.jpg", "alt_text": "A ferry", "width": 800, "height": 600}],
    })
}

#[tokio::test]
async fn every_page_is_whole_and_every_link_leads_somewhere() {
    let (nats, bus) = provisioned().await;
    for (n, (language, headline, section)) in [
        ("en", "Ferry sails again", ["World", "Asia"].as_slice()),
        ("ar", "العبّارة تبحر من جديد", &["العالم"]),
        ("zh-Hans", "渡轮复航", &["党风廉政建设"]),
        ("en", "Harbour closed", &["World", "Africa"]),
    ]
    .into_iter()
    .enumerate()
    {
        let mut document = in_language(language, headline, section);
        document["urgency"] = json!(if n == 0 { 2 } else { 5 });
        publish(&bus, &create(n as u8, &document)).await;
    }
    let withdrawn = create(10, &in_language("en", "Doubtful", &["World"]));
    publish(&bus, &withdrawn).await;
    publish(&bus, &then(&withdrawn, Command::Withdraw { note: "It was wrong.".into() })).await;
    let killed = create(11, &in_language("zh", "错误", &["World"]));
    publish(&bus, &killed).await;
    publish(&bus, &then(&killed, Command::Kill { note: "法院命令".into() })).await;
    let replica = Replica::start(&nats).await;

    let (mut known, mut waiting) = (BTreeSet::new(), BTreeSet::from(["/".to_owned()]));
    let (mut pages, mut languages, mut combined) = (0, BTreeSet::new(), 0);
    while let Some(path) = waiting.pop_first() {
        known.insert(path.clone());
        let response = replica.get(&path).await;
        let gone = path == format!("/articles/{}", killed.id.token());
        assert_eq!(response.status(), if gone { StatusCode::GONE } else { StatusCode::OK }, "{path}");
        if !header(&response, "content-type").starts_with("text/html") {
            continue;
        }
        let html = response.text().await.unwrap();
        let page = Page::parse(&html);
        page.check(&path);
        pages += 1;
        let is_combined = path.contains(['+', ',', '!']);
        combined += usize::from(is_combined);
        languages.insert((page.one("html")["lang"].clone(), page.one("html")["dir"].clone()));
        // A crawler that heeds `nofollow` reads what the directory and the articles name, and no combinations.
        let tags = page.tags.borrow();
        for (_, attributes) in tags.iter().filter(|(tag, _)| tag == "a") {
            let combination =
                attributes["href"].starts_with("https://news.example") && attributes["href"].contains(['+', ',']);
            assert!(
                is_combined || !combination || attributes.get("rel").is_some_and(|rel| rel == "nofollow"),
                "{path}: {attributes:?}"
            );
        }
        let fresh = page.links().into_iter().filter(|link| !known.contains(link) && *link != "/fr");
        waiting.extend(fresh);
        assert!(known.len() < 400, "combinations of combinations have to come to an end");
    }
    assert!(pages > 15 && combined > 0, "{pages} pages, {combined} of combinations");
    for (language, direction) in [("en", "ltr"), ("ar", "rtl"), ("zh-Hans", "ltr")] {
        assert!(languages.contains(&(language.into(), direction.into())), "{language} in {languages:?}");
    }
    let nowhere = replica.get("/feeds/section/nowhere").await;
    assert_eq!(nowhere.status(), StatusCode::NOT_FOUND);
    Page::parse(&nowhere.text().await.unwrap()).check("404");
}

#[tokio::test]
async fn what_newsrooms_write_is_text_everywhere() {
    const HOSTILE: &str = "</title></script><script>alert(1)</script><img src=x onerror=alert(1)>\"'`&lt; 😈 مرحبا";
    let (nats, bus) = provisioned().await;
    let mut document = in_language("ar", HOSTILE, &[HOSTILE, HOSTILE]);
    for field in ["byline", "summary", "located", "copyright_notice", "usage_terms"] {
        document[field] = HOSTILE.into();
    }
    document["keywords"] = json!([HOSTILE]);
    document["sources"] = json!([{"name": HOSTILE, "url": "https://evening.example/?a='\"><script>"}]);
    document["associations"][0]["alt_text"] = HOSTILE.into();
    document["associations"][0]["caption"] = HOSTILE.into();
    let first = create(1, &document);
    publish(&bus, &first).await;
    let correction = Command::Revise {
        kind: article::RevisionKind::Correction,
        note: Some(HOSTILE.into()),
        draft: draft(&document),
        provenance: provenance(),
    };
    publish(&bus, &then(&first, correction)).await;
    let replica = Replica::start(&nats).await;
    let article = format!("/articles/{}", first.id.token());
    for (path, times) in [("/", 1), ("/feeds/all", 2), (article.as_str(), 8)] {
        let page = Page::parse(&replica.text(path).await);
        page.check(path);
        let shown = page.text.borrow().matches(HOSTILE).count();
        assert!(shown >= times, "{path} shows it {shown} times");
        let pictures = page.all("img");
        assert!(pictures.iter().all(|picture| picture["src"] == "https://pictures.example/a.jpg"), "{pictures:?}");
    }
}
