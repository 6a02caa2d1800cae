//! Feeds of every dialect, in every state of repair, and hostile ones.

use super::*;
use crate::text::MAX_SHARED;
use crate::{Format, Item, Markup};

fn address() -> Url {
    Url::parse("https://news.example/feeds/all.xml").unwrap()
}

fn feed(text: &str) -> Feed {
    read(text.as_bytes(), None, &address()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The items in one line each: guid, link, title, text.
fn items(text: &str) -> Vec<String> {
    let shown = |item: &Item| {
        let markup = item.content.as_ref().or(item.summary.as_ref());
        let markup = match markup {
            Some(Markup::Html(html)) => format!("html {html}"),
            Some(Markup::Text(text)) => format!("text {text}"),
            None => "-".into(),
        };
        let link = item.link.as_ref().map_or("-", Url::as_str);
        format!("{} {link} {} | {markup}", item.guid.as_deref().unwrap_or("-"), item.title.as_deref().unwrap_or("-"))
    };
    feed(text).items.iter().map(shown).collect()
}

#[test]
fn every_dialect_says_the_same() {
    let documents = [
        "<rss version='2.0'><channel><title>T</title><item><guid>g</guid><link>/a</link><title>A &amp; B</title>\
         <description>&lt;p&gt;x&lt;/p&gt;</description></item></channel></rss>",
        "<rss><channel><item><guid isPermaLink='false'>g</guid><link>/a</link><title><![CDATA[A &amp; B]]></title>\
         <description><![CDATA[<p>x</p>]]></description></item></channel></rss>",
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'><channel/>\
         <item rdf:about='g'><link>/a</link><title>A &amp; B</title><description>&lt;p>x&lt;/p></description></item></rdf:RDF>",
        "<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>g</id><link href='/a'/><title>A &amp; B</title>\
         <content type='html'>&lt;p&gt;x&lt;/p&gt;</content></entry></feed>",
        "<a:feed xmlns:a='http://www.w3.org/2005/Atom' xmlns:h='http://www.w3.org/1999/xhtml'><a:entry><a:id>g</a:id>\
         <a:link href='/a'/><a:title type='html'>A &amp;amp; B</a:title>\
         <a:content type='xhtml'><h:p>x</h:p></a:content></a:entry></a:feed>",
        "<feed version='0.3' xmlns='http://purl.org/atom/ns#'><entry><id>g</id><link rel='alternate' href='/a'/>\
         <title>A &amp; B</title><content type='text/html' mode='escaped'>&lt;p&gt;x&lt;/p&gt;</content></entry></feed>",
        "{\"version\":\"https://jsonfeed.org/version/1\",\"items\":[{\"id\":\"g\",\"url\":\"/a\",\"title\":\"A & B\",\
         \"content_html\":\"<p>x</p>\"}]}",
        "<RSS><CHANNEL><ITEM><GUID>g</GUID><LINK>/a</LINK><TITLE>A & B</TITLE><DESCRIPTION><P>x</P></DESCRIPTION></ITEM>",
    ];
    for document in documents {
        assert_eq!(items(document), ["g https://news.example/a A & B | html <p>x</p>"], "{document}");
    }
}

#[test]
fn a_mistake_reaches_no_further_than_its_element() {
    let item = |inside: &str| {
        let text = format!(
            "<rss><channel><item>{inside}</item><item><guid>2</guid><title>Next</title></item></channel></rss>"
        );
        let all = items(&text);
        assert_eq!(all.last().map(String::as_str), Some("2 - Next | -"), "{inside}");
        all[0].clone()
    };
    let cases = [
        ("<guid>1</guid><title>R&D & more</title>", "1 - R&D & more | -"),
        ("<guid>1</guid><title>A</titel>", "1 - A | -"),
        ("<guid>1</guid><title>A<br>B</title>", "1 - A B | -"),
        ("<title>&nbsp;&eacute;&bogus;</title>", "- - é&bogus; | -"),
        ("<title>1 < 2</title><description>a < b</description>", "- - 1 < 2 | html a < b"),
        ("<description>a <b>c</b> &amp;lt;</description>", "- - - | html a <b>c</b> &amp;lt;"),
        ("<x:y z='1' z='2'><title>in another</title></x:y><title>A</title>", "- - A | -"),
        ("<description><![CDATA[a]]>]]&gt;</description>", "- - - | html a]]>"),
        ("<author></author><category/><link/><title></title><guid></guid>", "- - - | -"),
        ("<title>a\u{B}b\u{FFFE}&#11;</title>", "- - ab | -"),
        ("<media:title type='odd'/><media:content url='x'><media:title/></media:content><title>A</title>", "- - A | -"),
        ("<pubDate>never</pubDate><title>A</title>", "- - A | -"),
        ("</channel><title>A</title>", "- - - | -"),
    ];
    for (inside, expected) in cases {
        assert_eq!(item(inside), expected, "{inside}");
    }
}

#[test]
fn a_document_that_breaks_off_gives_what_came_before() {
    let whole = "<rss><channel><item><guid>1</guid><title>One</title></item><item><guid>2</guid><title>Two";
    let cut = feed(whole);
    assert_eq!((cut.items.len(), cut.cut_off), (2, true));
    assert_eq!(cut.items.iter().map(|item| item.cut_off).collect::<Vec<_>>(), [false, true]);
    let only_ends_missing = feed("<rss><channel><item><guid>1</guid></item><item><guid>2</guid>");
    assert_eq!((only_ends_missing.items.len(), only_ends_missing.cut_off), (2, false));
    let json = feed("{\"version\":\"1\",\"title\":\"T\",\"items\":[{\"id\":1},{\"id\":\"2\",\"x\":\"}\\\"\"},{\"id\":");
    assert_eq!((json.items.len(), json.title.as_deref(), json.cut_off), (2, Some("T"), true));
    assert_eq!(json.items[0].guid.as_deref(), Some("1"), "numbers are names, too");
}

#[test]
fn what_is_no_feed_says_what_it_is() {
    let error = |text: &str| read(text.as_bytes(), None, &address()).unwrap_err().to_string();
    for (text, expected) in [
        ("", "the document is empty"),
        ("<!DOCTYPE html><html><body>Login</body></html>", "not a feed: a web page"),
        ("Service unavailable", "not a feed: it begins with \"Service unavailable\""),
        ("<opml><body/></opml>", "not a feed: a list of feeds (OPML)"),
        ("<党/>", "not a feed: its root element is <党>"),
        ("{\"a\": 1}", "not a feed: JSON without a list of items"),
        ("[1, 2]", "none of its 2 items could be read; the first: an item must be an object"),
    ] {
        assert_eq!(error(text), expected);
    }
    assert!(error("{\"items\": [").starts_with("not JSON: "));
    assert_eq!(feed("<rss version='2.0'><channel/></rss>").items.len(), 0, "an empty feed is a feed");
}

#[test]
fn what_a_feed_says_beside_its_items() {
    let feed = feed(
        "<rss version='2.0' xmlns:atom='http://www.w3.org/2005/Atom' xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'>\
         <channel><title>News</title><link>https://news.example/</link><language>en-gb</language><ttl>30</ttl>\
         <image><title>Logo</title><link>https://x.example/</link></image><skipHours><hour>3</hour></skipHours>\
         <skipDays><day>Sunday</day></skipDays><sy:updatePeriod>daily</sy:updatePeriod>\
         <sy:updateFrequency>4</sy:updateFrequency><atom:link rel='self' href='/own'/><atom:link rel='hub' href='https://hub.example/'/>\
         <item><title>A</title><dc:creator>Sun Lu</dc:creator><author>desk@news.example (Desk)</author>\
         <source url='https://wire.example/f'>Wire</source><pubDate>Mon, 26 Nov 2018 09:30 +0800</pubDate>\
         <category domain='d'>World</category><enclosure url='/a.jpg' type='image/jpeg' length='12'/>\
         <media:content url='https://news.example/b.jpg' width='10' medium='image'><media:credit>Photo</media:credit></media:content>\
         </item></channel></rss>",
    );
    assert_eq!(
        (feed.format, feed.title.as_deref(), feed.language.as_deref()),
        (Format::Rss, Some("News"), Some("en-gb"))
    );
    assert_eq!(feed.home.as_ref().map(Url::as_str), Some("https://news.example/"));
    assert_eq!(feed.own_address.as_ref().map(Url::as_str), Some("https://news.example/own"));
    assert_eq!(feed.hubs.iter().map(Url::as_str).collect::<Vec<_>>(), ["https://hub.example/"]);
    let hints = &feed.hints;
    assert_eq!((hints.ttl, hints.update_period, hints.update_frequency), (Some(30), Some(86400), Some(4)));
    assert_eq!((hints.skip_hours, hints.skip_days), (8, 64));
    let item = &feed.items[0];
    assert_eq!(item.authors.iter().map(|author| author.name.as_str()).collect::<Vec<_>>(), ["Sun Lu", "Desk"]);
    assert_eq!(item.source.as_ref().map(|source| source.title.as_str()), Some("Wire"));
    assert_eq!(item.published.as_ref().map(|date| date.raw.as_str()), Some("Mon, 26 Nov 2018 09:30 +0800"));
    assert_eq!((item.categories[0].term.as_str(), item.categories[0].scheme.as_deref()), ("World", Some("d")));
    let media: Vec<_> = item.media.iter().map(|media| (media.url.path(), media.width, media.size)).collect();
    assert_eq!(media, [("/b.jpg", Some(10), None), ("/a.jpg", None, Some(12))]);
    assert_eq!(item.media[0].credit.as_deref(), Some("Photo"));
}

#[test]
fn addresses_are_relative_to_the_nearest_base() {
    let text = "<feed xml:base='https://one.example/x/' xml:lang='fr'><entry xml:lang='de'><link href='a'/>\
                <content type='html' xml:base='/deep/'>&lt;a href='b'>c&lt;/a></content></entry>\
                <entry><link href='a'/></entry></feed>";
    let feed = feed(text);
    assert_eq!(feed.language.as_deref(), Some("fr"));
    let item = &feed.items[0];
    assert_eq!(item.link.as_ref().map(Url::as_str), Some("https://one.example/x/a"));
    assert_eq!(item.base.as_ref().map(Url::as_str), Some("https://one.example/deep/"));
    assert_eq!((item.language.as_deref(), feed.items[1].language.as_deref()), (Some("de"), None));
    let plain = "<rss><channel><item><guid>https://o.example/p</guid></item></channel></rss>";
    assert_eq!(self::feed(plain).items[0].base.as_ref().map(Url::as_str), Some("https://o.example/p"));
}

#[test]
fn items_are_bounded() {
    let many = format!("<rss><channel>{}</channel></rss>", "<item><title>a</title></item>".repeat(MAX_ITEMS + 7));
    let feed = feed(&many);
    assert_eq!((feed.items.len(), feed.left_out), (MAX_ITEMS, 7));
}

/// How much text was made of a document, whatever became of it.
fn made_of(bytes: &[u8]) -> (usize, usize) {
    let size = |markup: &Option<Markup>| match markup {
        Some(Markup::Html(text) | Markup::Text(text)) => text.len(),
        None => 0,
    };
    match read(bytes, None, &address()) {
        Ok(feed) => {
            let all = feed.items.iter().map(|item| size(&item.content) + size(&item.summary)).sum();
            (feed.items.len(), all)
        }
        Err(_) => (0, 0),
    }
}

#[test]
fn hostile_documents_become_no_more_than_they_are() {
    const SIZE: usize = 256 << 10;
    let item = |inside: &str| format!("<rss><channel><item><title>a</title>{inside}</item></channel></rss>");
    let many = |part: &str| part.repeat(SIZE / part.len());
    let lol: String = (1..30).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))).collect();
    let documents = [
        format!("<!DOCTYPE r [<!ENTITY l0 \"lol\">{lol}]>{}", item("<description>&l29;</description>")),
        format!("<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>{}", item("<description>&x;</description>")),
        item(&many("<a>")),
        item(&format!("<description>{}</description>", many("<a>"))),
        item(&format!("<description>{}</description>", many("<a b='c' "))),
        item(&format!("<description>{}</description>", many("&amp;"))),
        item(&format!("<description {}>x</description>", many("a='b' "))),
        item(&format!("<media:group>{}</media:group>", many("<media:group>"))),
        item(&many("<![CDATA[")),
        item(&many("<!--")),
        item(&many("<!a [")),
        item(&many("<?x")),
        item(&many("<a \"")),
        item(&many("<description>")),
        item(&many("</a>")),
        item(&many("<category>")),
        item(&many("<author>x</author>")),
        item(&many("<enclosure url='a'/>")),
        many("<item>"),
        many("<entry xmlns:a='b'>"),
        many("&"),
        many("<"),
        many("{\"a\":"),
        many("["),
        format!("{{\"items\":[{}", many("{\"id\":1},")),
        format!("{{\"items\":[{{\"a\":{}", many("{")),
    ];
    for document in documents {
        let name = head(&document, 60);
        let (items, text) = made_of(document.as_bytes());
        assert!(items <= MAX_ITEMS, "{name}");
        // Markup that was not escaped is, an `&` in it becomes five bytes, and what was never ended is.
        assert!(text <= 6 * document.len(), "{name}: {text} bytes of {}", document.len());
    }
    let bomb = feed(&item("<description>&lol9; &#x26;lt;</description>"));
    assert_eq!(bomb.items[0].summary, Some(Markup::Html("&lol9; &lt;".into())), "what is declared is not expanded");
}

#[test]
fn what_is_said_once_for_all_items_costs_no_more_than_it_is() {
    let long = "a".repeat(300_000);
    let entries = |inside: &str| format!("<entry><id>1</id>{inside}</entry>").repeat(200);
    let items = |inside: &str| format!("<item><title>t</title>{inside}</item>").repeat(200);
    for document in [
        format!("<feed xml:base='http://x.example/{long}/'>{}</feed>", entries("<link href='b'/>")),
        format!("<feed><x xml:lang='{long}'>{}</x></feed>", entries("")),
        format!("<rss><channel><title>{long}</title><language>{long}</language>{}</channel></rss>", items("")),
        format!("<rss><channel><dc:creator>{long}</dc:creator>{}</channel></rss>", items("")),
        format!("<rss><channel>{}</channel></rss>", items(&format!("<link>http://x.example/{}</link>", &long[..9000]))),
        format!("{{\"title\":\"{long}\",\"language\":\"{long}\",\"author\":\"{long}\",\"items\":[{{\"id\":1}}]}}"),
    ] {
        let feed = feed(&document);
        let said = [&feed.title, &feed.language].into_iter().flatten().chain(feed.authors.iter().map(|a| &a.name));
        let said = said.map(String::len).max().unwrap_or(0);
        let each = |item: &Item| {
            item.base.as_ref().map_or(0, |base| base.as_str().len()) + item.language.as_ref().map_or(0, String::len)
        };
        let each = feed.items.iter().map(each).max().unwrap_or(0);
        assert!(said <= MAX_SHARED && each <= 2 * MAX_SHARED, "{}: {said} {each}", head(&document, 60));
    }
}

#[test]
fn addresses_of_one_document_grow_within_bounds() {
    let base = "a".repeat(2000);
    let links = "<link href='b'/>".repeat(20_000);
    let text = format!("<feed xml:base='http://x.example/{base}/'><entry>{links}</entry></feed>");
    let made: usize = mend(&text, &address()).items.iter().map(|item| item.entry.len()).sum();
    assert!(made < 20 << 20, "{made} bytes of {}", text.len());
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    const WHOLE: &str = "<?xml version='1.0' encoding='utf-8'?><rss version='2.0' xmlns:media='http://search.yahoo.com/mrss/'>\
        <channel><title>T &amp; U</title><item><guid>1</guid><title>党风</title><link>/a</link><description><![CDATA[<p>x</p>]]>\
        </description><media:content url='/i.png'/></item><item><guid>2</guid><author><name>n</name></author></item></channel></rss>";

    proptest! {
        #[test]
        fn nothing_that_comes_panics(bytes in any::<Vec<u8>>(), content_type in any::<Option<String>>()) {
            let _ = read(&bytes, content_type.as_deref(), &address());
        }

        #[test]
        fn no_change_to_a_feed_panics_or_loses_what_is_before_it(
            at in 0..WHOLE.len(),
            instead in prop::sample::select(&["", "<", ">", "&", "\"", "'", "</", "]]>", "<!--", "\u{0}", "\u{FF}", "<item>", "</item>"][..]),
            length in 0_usize..20,
        ) {
            let mut bytes = WHOLE.as_bytes().to_vec();
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, instead.bytes());
            let second = WHOLE.find("<item><guid>2").unwrap();
            if let Ok(feed) = read(&bytes, None, &address()) && at > second {
                prop_assert_eq!(feed.items[0].guid.as_deref(), Some("1"));
                prop_assert_eq!(feed.items[0].title.as_deref(), Some("党风"));
            }
        }
    }
}
