//! Our own words on pages and in feeds, in English and Chinese. What newsrooms write is never translated.

/// Everything we say in one language.
pub(crate) struct Words {
    /// BCP 47.
    pub(crate) language: &'static str,
    pub(crate) skip: &'static str,
    pub(crate) all_feeds: &'static str,
    /// Between the parts of a sentence.
    pub(crate) colon: &'static str,

    pub(crate) directory_lead: &'static str,
    pub(crate) directory_lead_email: &'static str,
    pub(crate) latest: &'static str,
    pub(crate) everything: &'static str,
    pub(crate) sections: &'static str,
    pub(crate) publishers: &'static str,
    pub(crate) languages: &'static str,
    /// How many there are: one, and any other number.
    pub(crate) article: &'static str,
    pub(crate) articles: &'static str,
    pub(crate) more_listed: &'static str,
    pub(crate) opml: &'static str,
    pub(crate) opml_hint: &'static str,

    pub(crate) by_email: &'static str,
    pub(crate) follow_story: &'static str,
    pub(crate) email: &'static str,
    pub(crate) what_is_a_feed: &'static str,
    pub(crate) a_feed_is: &'static str,
    pub(crate) copy: &'static str,
    pub(crate) nothing_yet: &'static str,
    /// Before what the page can be narrowed to.
    pub(crate) only: &'static str,
    pub(crate) urgent_news: &'static str,
    pub(crate) pages: &'static str,
    pub(crate) newest: &'static str,
    pub(crate) newer: &'static str,
    pub(crate) older: &'static str,
    pub(crate) older_articles: &'static str,
    pub(crate) more_from: &'static str,

    pub(crate) correction: &'static str,
    pub(crate) updated: &'static str,
    pub(crate) translations: &'static str,
    pub(crate) files: &'static str,

    pub(crate) missing: Said,
    pub(crate) starting: Said,
    pub(crate) busy: Said,
    pub(crate) expired: Said,

    pub(crate) all_news: &'static str,
    pub(crate) tests: &'static str,
    pub(crate) and: &'static str,
    pub(crate) or: &'static str,
    /// What a feed of the name holds; `{}` is the name.
    pub(crate) feed_of: &'static str,
    pub(crate) rehearsals: &'static str,
    /// `{}` is a language's name.
    pub(crate) in_language: &'static str,
    /// `{}` is what is left out.
    pub(crate) without: &'static str,
    /// `{}` is the least urgent that counts, 2 to 9.
    pub(crate) urgent: &'static str,
    pub(crate) most_urgent: &'static str,
    /// `{}` is the words looked for.
    pub(crate) containing: &'static str,
}

/// A page that only says something.
#[derive(Clone, Copy)]
pub(crate) struct Said {
    pub(crate) heading: &'static str,
    pub(crate) text: &'static str,
}

pub(crate) static ENGLISH: Words = Words {
    language: "en",
    skip: "Skip to the text",
    all_feeds: "All feeds",
    colon: ": ",

    directory_lead: "Follow what you care about in a feed reader. No account is needed.",
    directory_lead_email: "Follow what you care about in a feed reader or by email. No account is needed.",
    latest: "Latest",
    everything: "Everything",
    sections: "Sections",
    publishers: "Publishers",
    languages: "Languages",
    article: "{} article",
    articles: "{} articles",
    more_listed: "There are more, in the OPML file below.",
    opml: "All of these feeds as one OPML file",
    opml_hint: "which feed readers import in one go.",

    by_email: "Subscribe by email",
    follow_story: "Follow this story by email",
    email: "Email",
    what_is_a_feed: "What is a feed?",
    a_feed_is: "A feed is an address that your feed reader, an app or a website of your choice, looks at for you: give it the \
                address once, and new articles come to you by themselves.",
    copy: "Any of these will do; copy it into your feed reader:",
    nothing_yet: "Nothing has been published here yet. Subscribe now and you will not miss the first article.",
    only: "Show only",
    urgent_news: "Urgent news",
    pages: "More pages",
    newest: "The newest articles",
    newer: "Newer articles",
    older: "Older articles",
    older_articles: "Older articles",
    more_from: "More from",

    correction: "Correction",
    updated: "Updated",
    translations: "In other languages",
    files: "Files",

    missing: Said {
        heading: "There is nothing here",
        text: "The address may be misspelt, or the newsroom may have taken the article back.",
    },
    starting: Said {
        heading: "One moment, please",
        text: "This site has just started and is still reading the news. Try again in a moment.",
    },
    busy: Said {
        heading: "One moment, please",
        text: "Too many feeds are asked for that nobody read before. Try again in a moment.",
    },
    expired: Said {
        heading: "This article has expired",
        text: "The newsroom published this article for a limited time, and that time is over.",
    },

    all_news: "All news",
    tests: "Test articles",
    and: ", ",
    or: " or ",
    feed_of: "Every article as it is published: {}",
    rehearsals: "Rehearsals; none of this is news",
    in_language: "in {}",
    without: "without {}",
    urgent: "urgent news (1 to {})",
    most_urgent: "most urgent news (1)",
    containing: "“{}” in the text",
};

pub(crate) static CHINESE: Words = Words {
    language: "zh-Hans",
    skip: "跳到正文",
    all_feeds: "全部订阅源",
    colon: "：",

    directory_lead: "用阅读器订阅您关心的内容，无需注册。",
    directory_lead_email: "用阅读器或邮件订阅您关心的内容，无需注册。",
    latest: "最新",
    everything: "全部内容",
    sections: "栏目",
    publishers: "发布者",
    languages: "语言",
    article: "{} 篇",
    articles: "{} 篇",
    more_listed: "其余见下方的 OPML 文件。",
    opml: "以上全部订阅源的 OPML 文件",
    opml_hint: "可一次导入阅读器。",

    by_email: "邮件订阅",
    follow_story: "邮件关注这篇报道的后续",
    email: "邮件",
    what_is_a_feed: "什么是订阅源？",
    a_feed_is: "订阅源是一个网址，由您选用的阅读器（应用或网站）代为查看：只需添加一次，新文章就会自动送达。",
    copy: "以下任选其一，复制到阅读器中：",
    nothing_yet: "此处尚未发布文章。现在订阅，即不会错过第一篇。",
    only: "只看",
    urgent_news: "紧急新闻",
    pages: "更多页面",
    newest: "最新文章",
    newer: "较新的文章",
    older: "较早的文章",
    older_articles: "较早的文章",
    more_from: "更多内容：",

    correction: "更正",
    updated: "更新于",
    translations: "其他语言版本",
    files: "文件",

    missing: Said { heading: "此处没有内容", text: "网址可能有误，或文章已被编辑部收回。" },
    starting: Said { heading: "请稍候", text: "网站刚刚启动，正在读取新闻，请稍后再试。" },
    busy: Said { heading: "请稍候", text: "此前无人阅读的订阅源请求过多，请稍后再试。" },
    expired: Said { heading: "本文已过期", text: "编辑部仅在限定时间内发布本文，现已到期。" },

    all_news: "全部新闻",
    tests: "测试文章",
    and: "，",
    or: "或",
    feed_of: "每篇文章一经发布即可看到：{}",
    rehearsals: "演练内容，均非新闻",
    in_language: "{}",
    without: "不含{}",
    urgent: "紧急新闻（1 至 {} 级）",
    most_urgent: "最紧急新闻（1 级）",
    containing: "文中有“{}”",
};

impl Words {
    /// For a BCP 47 tag: Chinese for `zh` and everything under it, English otherwise, and where articles are in several
    /// languages.
    pub(crate) fn of(language: Option<&str>) -> &'static Self {
        let primary = language.unwrap_or_default().split(['-', '_']).next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("zh") { &CHINESE } else { &ENGLISH }
    }

    /// Whether text in `language` needs no mark where our words stand in it.
    pub(crate) fn are_in(&self, language: &str) -> bool {
        let lower = language.to_ascii_lowercase();
        let traditional = ["zh-hant", "zh-tw", "zh-hk", "zh-mo"].iter().any(|tag| lower.starts_with(tag));
        let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_owned();
        primary(&lower) == primary(self.language) && !traditional
    }
}

/// `pattern` with `{}` replaced.
pub(crate) fn fill(pattern: &str, value: &str) -> String {
    pattern.replacen("{}", value, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_speaks_chinese_where_its_articles_do() {
        for (language, words) in [
            (Some("zh"), "zh-Hans"),
            (Some("zh-Hant-HK"), "zh-Hans"),
            (Some("ZH-cn"), "zh-Hans"),
            (Some("zha"), "en"),
            (Some("ar"), "en"),
            (None, "en"),
        ] {
            assert_eq!(Words::of(language).language, words, "{language:?}");
        }
        for (language, fits) in [("zh", true), ("zh-CN", true), ("zh-TW", false), ("zh-Hant-HK", false), ("en", false)]
        {
            assert_eq!(CHINESE.are_in(language), fits, "{language}");
        }
        assert!(ENGLISH.are_in("en-GB") && !ENGLISH.are_in("enm") && !ENGLISH.are_in("ar"));
    }
}
