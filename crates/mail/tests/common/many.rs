//! Mails about several articles, in many scripts, and the update to one.
#![expect(unreachable_pub, reason = "shared by test binaries, none of which is a library")]

use article::Article;
use mail::{DigestContent, DigestItem, Key, Locale, Message, MessageId, Notice, Topic, Why};
use mail::{compile_digest, compile_notice};
use serde_json::json;

use crate::common::{address, article, site, splice, spliced};

/// Headlines in more than ten scripts, each with its language.
pub const HEADLINES: [(&str, &str); 12] = [
    ("en", "Court opens an inquiry into the hospital"),
    ("zh-Hans", "市检察院召开党风廉政建设和反腐败工作会议，传达学习有关精神并对下一阶段工作作出部署"),
    ("ar", "افتتاح المؤتمر الدولي للصحافة في العاصمة بمشاركة وفود من خمسين دولة"),
    ("ru", "Суд начал расследование против больницы в Хэфэе"),
    ("hi", "अदालत ने अस्पताल के खिलाफ जाँच शुरू की और रिपोर्ट माँगी"),
    ("ja", "病院に対する調査が始まった：ガギグゲゴ"),
    ("ko", "병원에 대한 조사가 시작되었다"),
    ("he", "בית המשפט פתח בחקירה נגד בית החולים"),
    ("th", "ศาลเริ่มการสอบสวนโรงพยาบาลแห่งหนึ่งในเมือง"),
    ("el", "Το δικαστήριο ξεκίνησε έρευνα για το νοσοκομείο"),
    ("mn-Mong", "ᠮᠣᠩᠭᠣᠯ ᠪᠢᠴᠢᠭ"),
    ("en", "👩‍👩‍👧‍👦 family day 🇨🇳 “quoted” =?utf-8?B?SGk=?= <b>"),
];

/// One article for each of [`HEADLINES`].
pub fn articles() -> Vec<Article> {
    let one = |(n, (language, headline)): (usize, &(&str, &str))| {
        let minute = json!({"at": "2026-11-22T01:30:00Z", "precision": "minute", "tz": "UTC"});
        let day = json!({"at": "2026-11-21T16:00:00Z", "precision": "date", "tz": "Asia/Shanghai"});
        article(json!({
            "id": format!("urn:uuid:0192d3f0-a1b2-7c3d-8e4f-0000000000{n:02}"),
            "headline": headline,
            "language": language,
            "summary": (n % 3 != 2).then(|| format!("{headline}. {headline}.")),
            "published": if n == 1 { day } else { minute },
            "corrections": if n == 2 { json!([{"revision": 2, "at": "2026-11-22T02:00:00Z", "note": "N"}]) } else { json!([]) },
        }))
    };
    HEADLINES.iter().enumerate().map(one).collect()
}

pub fn content(articles: &[Article], more: usize) -> DigestContent {
    DigestContent {
        due: "2026-11-22T00:00:00Z".parse().unwrap(),
        zone: jiff::tz::TimeZone::get("Asia/Shanghai").unwrap(),
        items: articles.iter().map(|article| DigestItem::of(article, &site())).collect(),
        more,
        more_link: "https://news.example/wire/feeds/all?a=1&b=2".parse().unwrap(),
    }
}

pub fn digest(locale: Locale) -> Message {
    let issue = compile_digest(&content(&articles(), 7), &site(), locale);
    let topic = Topic::AnyOf(vec![Topic::Section(vec!["World".into()]), Topic::About("الصحافة".into())]);
    splice(&issue, &address("reader@example.org"), locale, &topic)
}

pub fn update(article: &Article, locale: Locale) -> Message {
    let issue = compile_notice(article, Notice::Update { revision: 3 }, &site(), locale);
    let why = Why::new(&site(), locale, &Topic::Story(Some(article.headline.clone())));
    let first = MessageId::derive(&Key::new([7; 32]), "alert", "reader@example.org", "mail.news.example");
    spliced(&issue, &address("reader@example.org"), Some(&first), &why)
}
