//! What languages are called.

/// A language's name in itself, and in the languages that our own words come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LanguageName {
    pub own: &'static str,
    pub english: &'static str,
    pub chinese: &'static str,
}

/// The names of a language: for `zh-Hant-HK` those of `zh-Hant`, for `pt-BR` those of `pt` (RFC 4647, lookup). `None`
/// for a language that is in no large news agency's service; its tag is its name then.
pub fn language_name(tag: &str) -> Option<LanguageName> {
    let lower = tag.to_ascii_lowercase();
    let mut rest = lower.as_str();
    loop {
        if let Some((_, own, english, chinese)) = NAMES.iter().find(|(name, ..)| *name == rest) {
            return Some(LanguageName { own, english, chinese });
        }
        rest = rest.rsplit_once('-')?.0;
    }
}

/// Own names as the Unicode CLDR has them. Regions of China that are written in the traditional script say so.
const NAMES: [(&str, &str, &str, &str); 64] = [
    ("af", "Afrikaans", "Afrikaans", "南非荷兰语"),
    ("am", "አማርኛ", "Amharic", "阿姆哈拉语"),
    ("ar", "العربية", "Arabic", "阿拉伯语"),
    ("az", "azərbaycan", "Azerbaijani", "阿塞拜疆语"),
    ("be", "беларуская", "Belarusian", "白俄罗斯语"),
    ("bg", "български", "Bulgarian", "保加利亚语"),
    ("bn", "বাংলা", "Bangla", "孟加拉语"),
    ("bo", "བོད་སྐད་", "Tibetan", "藏语"),
    ("bs", "bosanski", "Bosnian", "波斯尼亚语"),
    ("ca", "català", "Catalan", "加泰罗尼亚语"),
    ("cs", "čeština", "Czech", "捷克语"),
    ("cy", "Cymraeg", "Welsh", "威尔士语"),
    ("da", "dansk", "Danish", "丹麦语"),
    ("de", "Deutsch", "German", "德语"),
    ("el", "Ελληνικά", "Greek", "希腊语"),
    ("en", "English", "English", "英语"),
    ("es", "español", "Spanish", "西班牙语"),
    ("et", "eesti", "Estonian", "爱沙尼亚语"),
    ("eu", "euskara", "Basque", "巴斯克语"),
    ("fa", "فارسی", "Persian", "波斯语"),
    ("fi", "suomi", "Finnish", "芬兰语"),
    ("fr", "français", "French", "法语"),
    ("ga", "Gaeilge", "Irish", "爱尔兰语"),
    ("he", "עברית", "Hebrew", "希伯来语"),
    ("hi", "हिन्दी", "Hindi", "印地语"),
    ("hr", "hrvatski", "Croatian", "克罗地亚语"),
    ("hu", "magyar", "Hungarian", "匈牙利语"),
    ("hy", "հայերեն", "Armenian", "亚美尼亚语"),
    ("id", "Bahasa Indonesia", "Indonesian", "印度尼西亚语"),
    ("is", "íslenska", "Icelandic", "冰岛语"),
    ("it", "italiano", "Italian", "意大利语"),
    ("ja", "日本語", "Japanese", "日语"),
    ("ka", "ქართული", "Georgian", "格鲁吉亚语"),
    ("kk", "қазақ тілі", "Kazakh", "哈萨克语"),
    ("km", "ខ្មែរ", "Khmer", "高棉语"),
    ("ko", "한국어", "Korean", "韩语"),
    ("lo", "ລາວ", "Lao", "老挝语"),
    ("lt", "lietuvių", "Lithuanian", "立陶宛语"),
    ("lv", "latviešu", "Latvian", "拉脱维亚语"),
    ("mn", "монгол", "Mongolian", "蒙古语"),
    ("ms", "Bahasa Melayu", "Malay", "马来语"),
    ("my", "မြန်မာ", "Burmese", "缅甸语"),
    ("nb", "norsk bokmål", "Norwegian Bokmål", "书面挪威语"),
    ("nl", "Nederlands", "Dutch", "荷兰语"),
    ("pl", "polski", "Polish", "波兰语"),
    ("ps", "پښتو", "Pashto", "普什图语"),
    ("pt", "português", "Portuguese", "葡萄牙语"),
    ("ro", "română", "Romanian", "罗马尼亚语"),
    ("ru", "русский", "Russian", "俄语"),
    ("sr", "српски", "Serbian", "塞尔维亚语"),
    ("sv", "svenska", "Swedish", "瑞典语"),
    ("sw", "Kiswahili", "Swahili", "斯瓦希里语"),
    ("ta", "தமிழ்", "Tamil", "泰米尔语"),
    ("th", "ไทย", "Thai", "泰语"),
    ("tr", "Türkçe", "Turkish", "土耳其语"),
    ("ug", "ئۇيغۇرچە", "Uyghur", "维吾尔语"),
    ("uk", "українська", "Ukrainian", "乌克兰语"),
    ("ur", "اردو", "Urdu", "乌尔都语"),
    ("vi", "Tiếng Việt", "Vietnamese", "越南语"),
    ("zh", "中文", "Chinese", "中文"),
    ("zh-hans", "简体中文", "Simplified Chinese", "简体中文"),
    ("zh-hant", "繁體中文", "Traditional Chinese", "繁体中文"),
    ("zh-hk", "繁體中文", "Traditional Chinese", "繁体中文"),
    ("zh-tw", "繁體中文", "Traditional Chinese", "繁体中文"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_found_by_the_longest_tag_that_has_a_name() {
        for (tag, own) in [
            ("en", Some("English")),
            ("pt-BR", Some("português")),
            ("ZH-Hant-HK", Some("繁體中文")),
            ("zh-CN", Some("中文")),
            ("ar-x-private", Some("العربية")),
            ("tlh", None),
            ("english", None),
            ("", None),
        ] {
            assert_eq!(language_name(tag).map(|name| name.own), own, "{tag}");
        }
    }

    #[test]
    fn every_tag_is_there_once_and_in_order() {
        assert!(NAMES.is_sorted_by(|(a, ..), (b, ..)| a < b));
    }
}
