//! Articles as bad as they can be, made by chance from a seed: what a desk could type, and what an importer with a hole
//! in it could let through.

use article::{Article, ArticleId, Command, Draft, PublisherId, RevisionKind, apply};
use fastrand::Rng;
use serde_json::{Value, json};

use crate::samples::{at, provenance};

/// Words of many scripts, and what breaks parsers.
const SNIPPETS: &[&str] = &[
    "Riverton",
    "opens",
    "the archive",
    "Übergrößenträger",
    "naïve café",
    "Ελλάδα",
    "Москва открыла",
    "Ծառ",
    "საქართველო",
    "עיתון הבוקר",
    "عاجل: خبر «مهم»",
    "فارسی",
    "اردو",
    "ܣܘܪܝܝܐ",
    "हिन्दी समाचार",
    "தமிழ்",
    "বাংলা",
    "ไทยรัฐ",
    "ລາວ",
    "မြန်မာ",
    "ភាសាខ្មែរ",
    "བོད་ཡིག",
    "ᠮᠣᠩᠭᠣᠯ",
    "አማርኛ",
    "ᏣᎳᎩ",
    "한국어 뉴스",
    "ニュース速報",
    "临江市新图书馆",
    "臺灣",
    "党风廉政建设",
    "𠮷野家",
    "👩‍👩‍👧 🇨🇳",
    "👩🏿‍❤️‍💋‍👨🏿",
    "Z̸̢a̵l̶g̷o̴",
    "﷽",
    "\u{10FFFD}",
    "\u{E000}",
    "\u{200B}\u{FEFF}",
    "\u{AD}\u{2060}",
    "a\u{A0}b",
    "]]>",
    "<![CDATA[x]]>",
    "&",
    "&amp;",
    "&nbsp;&eacute;",
    "&#0;&#x1F;",
    "&#xD800;",
    "\\ud800\\udc00",
    "<b>bold</b>",
    "</title></item></entry>",
    "<script>alert(1)</script>",
    "--><!--",
    "<?xml version=\"1.1\"?>",
    "%s %00 %n",
    "\"'`",
    "{{7*7}}",
    "${jndi:ldap://x.example}",
    "'; DROP TABLE articles;--",
    "<",
    ">",
    "\\",
    "AT&T",
];

/// What intake refuses; straight into a field where it does not.
const FORBIDDEN: &[&str] = &[
    "\u{0}",
    "\u{1}",
    "\u{8}",
    "\u{B}",
    "\u{C}",
    "\u{1B}[31m",
    "\u{1F}",
    "\u{7F}\u{85}",
    "\u{202E}gnp.exe\u{202C}",
    "\u{2066}x",
    "\u{2028}\u{2029}",
    "\u{FFFE}",
    "\u{FFFF}",
    "\u{1FFFE}\u{10FFFF}",
];

const BODIES: &[&str] = &[
    "<p>One <em>two</em> <strong>three</strong>.</p>",
    "<p onclick=\"x()\" style=\"color:red\">styled</p>",
    "<script>document.write('x')</script><style>p{}</style>",
    "<a href=\"javascript:alert(1)\">x</a><a href=\"//evil.example/x\">y</a><a href=\"../up\">z</a>",
    "<a href=\"https://x.example/?a=1&amp;b=2#f\" title='\"'>link</a>",
    "<img src=\"https://img.example/a.jpg\" alt=\"A &gt; B\" width=10><img src=\"rel.png\"><img>",
    "<iframe src=\"https://x.example\"></iframe><object data=x></object><form><input></form>",
    "<ul><li>a<li>b<ul><li>c</ul></ul><ol><li>1</ol>",
    "<table><tr><td>a<td>b</table><table><p>out</table>",
    "<blockquote cite=\"https://x.example/\">q</blockquote><pre>\n  two\n    lines\t\n</pre>",
    "<figure><img src=\"https://img.example/b.jpg\" alt=\"\"><figcaption>Caption</figcaption></figure>",
    "<p>unclosed <b>bold <i>both</p><p>crossed</b></i>",
    "<svg><script>alert(1)</script></svg><math><mi>x</mi></math>",
    "<!-- comment --><![CDATA[ cdata ]]><?php echo 1 ?>",
    "]]>&lt;/content&gt;</content></item>",
    "&nbsp;&copy;&#8212;&#x1F600;&unknown;&#0;&#11;&#xFFFF;&#xD800;",
    "<p dir=\"rtl\" lang=\"ar\">نص عربي <bdo dir=\"ltr\">ltr</bdo></p>",
    "<ruby>漢<rt>かん</rt></ruby><details><summary>s</summary>d</details>",
    "<h1>H</h1><h2>h</h2><hr><br/><br>text",
    "<p>\u{202E}bidi\u{202C} \u{200F}rlm</p>",
    "<video src=\"https://v.example/v.mp4\" controls></video><audio src=x></audio>",
    "<base href=\"https://evil.example/\"><meta http-equiv=refresh content=0><link rel=stylesheet href=x>",
    "plain words without any markup & < >",
    "<p></p><p> </p><div><div><div>deep</div></div></div>",
    "<a name=\"x\" id=\"y\" class=\"z\">anchor</a><font color=red>font</font><center>c</center><marquee>m</marquee>",
    "<embed src=x><applet></applet><frameset></frameset><noscript>n</noscript><template>t</template>",
];

const URLS: &[&str] = &[
    "https://news.example/a",
    "http://例え.jp/パス/?q=ü&a=b#破片",
    "http://[2001:db8::1]:8080/x",
    "https://x.example/%zz%20'\"<>{}|\\^`",
    "https://x.example/?a=1&b=2&amp;c=3;d=%26",
    "https://xn--bcher-kva.example/",
    "https://x.example/a b\u{3000}c",
    "https://x.example/]]>",
    "https://x.example:65535/?#",
    "https://192.0.2.1/",
    "https://x.example/🦊?🦊#🦊",
    "HTTPS://UPPER.EXAMPLE/../a/./b",
];

/// A date and a zone: local mean time, days with a change of clocks, leap days, the other side of the date line.
const DATES: &[(&str, &str)] = &[
    ("1601-01-01", "Europe/Amsterdam"),
    ("1883-11-17 12:00:01", "America/New_York"),
    ("1936-12-31 23:59:59", "Europe/Amsterdam"),
    ("1969-12-31 23:59:59", "UTC"),
    ("1970-01-01", "Pacific/Kiritimati"),
    ("1999-12-31 23:59", "America/St_Johns"),
    ("2011-12-31", "Pacific/Apia"),
    ("2018-11-26", "Asia/Shanghai"),
    ("2024-02-29 09:30", "Asia/Kathmandu"),
    ("2025-03-30 03:30", "Europe/Berlin"),
    ("2025-06-01 00:00:01", "Pacific/Chatham"),
    ("2025-07-01", "Australia/Lord_Howe"),
    ("2025-12-31 23:59:59", "-09:30"),
    ("2025-12-31", "+14:00"),
    ("2026-01-01 00:00", "Africa/Casablanca"),
];

const LANGUAGES: &[&str] = &[
    "en",
    "en-GB",
    "zh-Hans",
    "zh-Hant-TW",
    "ar",
    "he",
    "fa",
    "ur",
    "th",
    "hi",
    "ja",
    "ko",
    "sr-Latn-RS",
    "de-CH-1996",
];

/// Hostile words, none of which intake refuses, and never blank.
fn words(rng: &mut Rng, most: usize) -> String {
    let mut words = vec!["A"];
    words.extend((0..rng.usize(1..=most)).map(|_| SNIPPETS[rng.usize(..SNIPPETS.len())]));
    words.join(" ")
}

fn url(rng: &mut Rng) -> Value {
    let url = URLS[rng.usize(..URLS.len())];
    // As long as it may be, now and then.
    if rng.u8(..) < 8 { format!("https://x.example/{}", "é".repeat(300)).into() } else { url.into() }
}

fn body(rng: &mut Rng) -> String {
    let mut body = format!("<p>{}</p>", words(rng, 6));
    for _ in 0..rng.usize(..5) {
        body.push_str(BODIES[rng.usize(..BODIES.len())]);
    }
    match rng.u16(..1_000) {
        0 => "<p>huge & long</p>".repeat(12_000),
        1..20 => body + &format!("<p>{}</p>", words(rng, 6)).repeat(60),
        _ => body,
    }
}

fn document(rng: &mut Rng) -> Value {
    let (date, zone) = DATES[rng.usize(..DATES.len())];
    let mut document = json!({
        "headline": words(rng, 6),
        "body": body(rng),
        "language": LANGUAGES[rng.usize(..LANGUAGES.len())],
        "published": {"at": date, "tz": zone},
        "urgency": rng.u8(1..=9),
        "test": rng.u8(..) < 8,
    });
    let mut maybe = |rng: &mut Rng, field: &str, value: &dyn Fn(&mut Rng) -> Value| {
        if rng.bool() {
            document[field] = value(rng);
        }
    };
    let list = |rng: &mut Rng, most: usize, one: &dyn Fn(&mut Rng) -> Value| {
        (0..rng.usize(..=most)).map(|_| one(rng)).collect::<Vec<_>>()
    };
    maybe(rng, "summary", &|rng| words(rng, 20).into());
    maybe(rng, "byline", &|rng| words(rng, 4).into());
    maybe(rng, "contributors", &|rng| {
        list(rng, 6, &|rng| {
            let role = ["author", "photographer", "editor"][rng.usize(..3)];
            json!({"name": words(rng, 3), "role": role, "uri": url(rng)})
        })
        .into()
    });
    maybe(rng, "sources", &|rng| list(rng, 4, &|rng| json!({"name": words(rng, 3), "url": url(rng)})).into());
    maybe(rng, "section", &|rng| list(rng, 5, &|rng| words(rng, 2).into()).into());
    maybe(rng, "keywords", &|rng| list(rng, 12, &|rng| words(rng, 2).into()).into());
    maybe(rng, "subjects", &|rng| {
        let scheme = |rng: &mut Rng| ["medtop", "own words & codes", "http://x.example/scheme/"][rng.usize(..3)];
        list(rng, 5, &|rng| match scheme(rng) {
            "medtop" => {
                json!({"scheme": "medtop", "code": format!("{:08}", rng.u32(..99_999_999)), "name": words(rng, 2)})
            }
            other => json!({"scheme": other, "code": words(rng, 1), "name": words(rng, 2)}),
        })
        .into()
    });
    maybe(rng, "genre", &|_| "http://cv.iptc.org/newscodes/genre/Current".into());
    maybe(rng, "slugline", &|_| "AA-<slug>&-line".into());
    maybe(rng, "canonical_url", &url);
    maybe(rng, "copyright_notice", &|rng| words(rng, 4).into());
    maybe(rng, "usage_terms", &|rng| words(rng, 4).into());
    maybe(rng, "rights_url", &url);
    maybe(rng, "translations", &|rng| {
        list(rng, 3, &|rng| {
            let language = LANGUAGES[rng.usize(..LANGUAGES.len())];
            json!({"language": language, "rel": "has_translation", "url": url(rng)})
        })
        .into()
    });
    maybe(rng, "associations", &|rng| {
        let kinds = [
            ("picture", "image/jpeg"),
            ("video", "video/mp4"),
            ("audio", "audio/mpeg"),
            ("document", "application/pdf"),
        ];
        list(rng, 4, &|rng| {
            let (kind, mime) = kinds[rng.usize(..4)];
            let mut file = json!({"type": kind, "uri": url(rng), "caption": words(rng, 3), "credit": words(rng, 2)});
            if rng.bool() {
                file["mime"] = mime.into();
                file["size"] = rng.u32(1..).into();
            }
            if kind == "picture" {
                file["alt_text"] = words(rng, 3).into();
                file["width"] = rng.u32(1..9_000).into();
            }
            file
        })
        .into()
    });
    document
}

/// What no draft could bring: forbidden characters in every field, fields that are empty, markup that nobody cleaned.
fn spoil(rng: &mut Rng, article: &mut Article) {
    let mut bad = |text: &mut String| {
        let place = text.char_indices().map(|(at, _)| at).nth(rng.usize(..4)).unwrap_or(0);
        text.insert_str(place, FORBIDDEN[rng.usize(..FORBIDDEN.len())]);
    };
    bad(&mut article.headline);
    let texts = [&mut article.summary, &mut article.body, &mut article.byline, &mut article.copyright_notice];
    texts.into_iter().flatten().for_each(&mut bad);
    article.section.iter_mut().chain(&mut article.keywords).for_each(&mut bad);
    article.contributors.iter_mut().for_each(|contributor| bad(&mut contributor.name));
    article.sources.iter_mut().for_each(|source| bad(&mut source.name));
    article.subjects.iter_mut().for_each(|subject| bad(&mut subject.code));
    article.change.note.iter_mut().for_each(&mut bad);
    article.corrections.iter_mut().for_each(|correction| bad(&mut correction.note));
    for file in &mut article.associations {
        [&mut file.alt_text, &mut file.caption, &mut file.credit].into_iter().flatten().for_each(&mut bad);
    }
    match rng.u8(..20) {
        0 => article.summary = Some(String::new()),
        1 => article.body = None,
        2 => article.headline = "\u{B}".into(),
        3 => article.byline = Some(" ".into()),
        4 => article.body = Some(BODIES.concat()),
        _ => {}
    }
}

/// Article number `n`, wherever its life has taken it; every other one spoilt behind intake's back.
pub(crate) fn hostile(seed: u64, n: u32) -> Article {
    let mut rng = Rng::with_seed(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ u64::from(n));
    let rng = &mut rng;
    let draft = |rng: &mut Rng| {
        let document = document(rng);
        let draft = Draft::from_json(&document, at("2026-01-01T00:00:00Z"));
        Box::new(draft.unwrap_or_else(|problems| panic!("intake refuses {document}: {problems:?}")))
    };
    let publisher: PublisherId = ["riverton", "wire"][rng.usize(..2)].parse().unwrap();
    let id = ArticleId::derived(&publisher, "hostile", &n.to_be_bytes());
    let create = Command::Create { id, publisher, draft: draft(rng), provenance: provenance() };
    let mut article = apply(None, create, at("2026-01-01T00:00:00.25Z")).unwrap();
    let rehearsal = article.test;
    for step in 0..rng.usize(..4) {
        let mut revised = draft(rng);
        revised.test = Some(rehearsal);
        let revise = |kind, note| Command::Revise { kind, note, draft: revised.clone(), provenance: provenance() };
        let command = match rng.u8(..12) {
            0..4 => revise(RevisionKind::Correction, Some(words(rng, 5))),
            4..8 => revise(RevisionKind::Minor, None),
            8 => Command::Withdraw { note: words(rng, 5) },
            9 => Command::Kill { note: words(rng, 5) },
            10 => Command::Hold { note: None },
            _ => Command::Reinstate { note: None, draft: revised.clone(), provenance: provenance() },
        };
        // Not every step leads on from every state.
        let now = at("2026-02-01T08:00:00Z") + jiff::SignedDuration::from_hours(i64::try_from(step).unwrap());
        if let Ok(next) = apply(Some(&article), command, now) {
            article = next;
        }
    }
    if n % 2 == 1 {
        spoil(rng, &mut article);
    }
    article
}
