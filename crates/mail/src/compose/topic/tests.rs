//! Subscriptions in words, in the languages we speak.

use super::*;

fn named(atom: &Atom) -> Option<Topic> {
    match atom {
        Atom::Section(path) if **path == *"world/亚洲" => Some(Topic::Section(vec!["World".into(), "亚洲".into()])),
        Atom::Section(path) if **path == *"sport" => None,
        Atom::Keyword(slug) if **slug == *"ai" => Some(Topic::About("A.I.".into())),
        other => Some(Topic::by_itself(other)),
    }
}

#[test]
fn selections_read_well_in_every_language() {
    for (selection, english, chinese) in [
        ("all", "all news", "全部新闻"),
        ("section/world/亚洲", "the section “World › 亚洲”", "“World › 亚洲”栏目"),
        ("section/city-hall", "the section “city hall”", "“city hall”栏目"),
        ("section/sport", "a part of the news", "部分新闻"),
        ("publisher/hefei", "everything published by hefei", "hefei 发布的全部内容"),
        ("keyword/ai", "news about “A.I.”", "关于“A.I.”的新闻"),
        ("subject/medtop/20000344", "news about “20000344”", "关于“20000344”的新闻"),
        ("source/xinhua", "news from “xinhua”", "来自“xinhua”的新闻"),
        ("language/en", "news in English", "英文新闻"),
        ("language/zh-Hans", "news in Chinese (simplified)", "简体中文新闻"),
        ("language/cy", "news in cy", "cy新闻"),
        ("urgency/1", "the most urgent news (1)", "最紧急新闻（1 级）"),
        ("urgency/2", "urgent news (1 or 2)", "紧急新闻（1 级或 2 级）"),
        ("urgency/4", "news of urgency 1 to 4", "1 至 4 级紧急程度的新闻"),
        ("text/rain-today", "news with the words “rain today”", "含有“rain today”的新闻"),
        (
            "section/world/亚洲+language/en+!keyword/ai",
            "the section “World › 亚洲”, in English, without news about “A.I.”",
            "“World › 亚洲”栏目，限英文，不含关于“A.I.”的新闻",
        ),
        ("!section/cars", "all news, without the section “cars”", "全部新闻，不含“cars”栏目"),
        (
            "!section/cars+!(keyword/ai,source/xinhua)",
            "all news, without the section “cars”, without (news about “A.I.” or news from “xinhua”)",
            "全部新闻，不含“cars”栏目，不含（关于“A.I.”的新闻或来自“xinhua”的新闻）",
        ),
        (
            "section/cars+language/en,urgency/2",
            "urgent news (1 or 2) or (the section “cars”, in English)",
            "紧急新闻（1 级或 2 级）或（“cars”栏目，限英文）",
        ),
        (
            "section/cars+(language/en,language/fr)+urgency/2",
            "the section “cars”, of urgency 1 or 2, (in English or in French)",
            "“cars”栏目，限 1 级或 2 级紧急程度，（限英文或限法文）",
        ),
        (
            "(keyword/ai,keyword/cars)+(text/rain+publisher/hefei,urgency/1,urgency/3)",
            "(news about “A.I.” or news about “cars”), (of urgency 1 or of urgency 1 to 3 or (published by hefei, with \
             the words “rain”))",
            "（关于“A.I.”的新闻或关于“cars”的新闻），（限 1 级紧急程度或限 1 至 3 级紧急程度或（限 hefei 发布，限含有“rain”））",
        ),
    ] {
        let topic = Topic::of(&selection.parse().unwrap(), &named);
        assert_eq!(topic.words(Locale::English), english, "{selection}");
        assert_eq!(topic.words(Locale::Chinese), chinese, "{selection}");
    }
}

#[test]
fn every_part_can_begin_and_go_on() {
    for locale in Locale::ALL {
        for atom in [
            "section/a",
            "publisher/a",
            "keyword/a",
            "source/a",
            "language/a",
            "subject/a/b",
            "urgency/1",
            "urgency/2",
            "urgency/9",
            "text/a",
        ] {
            let topic = Topic::of(&atom.parse().unwrap(), &|atom| Some(Topic::by_itself(atom)));
            assert_ne!(topic.words(locale), topic.addition(locale), "{atom}");
        }
        assert_ne!(Topic::CertainWords.words(locale), Topic::CertainWords.addition(locale));
        for tag in LANGUAGES {
            assert_ne!(language(locale, &tag.to_uppercase()), tag.to_uppercase());
        }
    }
}
