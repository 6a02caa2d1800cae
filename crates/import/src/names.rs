//! The people in a byline: names without the roles around them.

use std::ops::Range;

use crate::lines::is_blank;

/// Roles before a name, longest first where one holds another.
const ROLES_HAN: &[&str] = &[
    "全媒体记者",
    "特约通讯员",
    "本报记者",
    "本网记者",
    "本台记者",
    "特约记者",
    "实习记者",
    "见习记者",
    "首席记者",
    "通讯员",
    "记者",
    // Text and pictures are by the same people.
    "文/图",
    "图/文",
    "文图",
    "图文",
];
const ROLES_LATIN: &[&str] = &[
    "reporter",
    "reporters",
    "correspondent",
    "correspondents",
    "journalist",
    "staff",
    "intern",
    "trainee",
    "writer",
    "by",
];

/// Words of organisations and remarks: what has one of them is no name.
const NOT_NAMES_LATIN: &[&str] = &[
    "agency",
    "archive",
    "associated",
    "association",
    "authority",
    "board",
    "bureau",
    "committee",
    "company",
    "congress",
    "continued",
    "council",
    "court",
    "courtesy",
    "daily",
    "department",
    "edited",
    "editing",
    "end",
    "evening",
    "file",
    "gazette",
    "government",
    "group",
    "herald",
    "image",
    "inc",
    "institute",
    "international",
    "journal",
    "limited",
    "ltd",
    "magazine",
    "media",
    "ministry",
    "morning",
    "network",
    "news",
    "newspaper",
    "note",
    "office",
    "online",
    "page",
    "party",
    "people's",
    "photo",
    "photos",
    "picture",
    "post",
    "press",
    "procuratorate",
    "radio",
    "reporting",
    "reserved",
    "review",
    "rights",
    "service",
    "source",
    "sources",
    "standard",
    "television",
    "telegraph",
    "times",
    "translated",
    "translation",
    "tribune",
    "tv",
    "university",
    "update",
    "updated",
    "via",
    "video",
    "weekly",
    "xinhua",
];
const NOT_NAMES_HAN: &[&str] = &[
    "社", "报", "网", "台", "电", "频道", "中心", "法院", "检察", "委员", "公司", "政府", "新华", "图", "摄", "供稿",
    "来源", "编辑",
];
/// Lower-case words inside names.
const PARTICLES: &[&str] = &[
    "al", "bin", "bint", "da", "de", "del", "della", "den", "der", "di", "do", "dos", "du", "el", "ibn", "la", "le",
    "ten", "ter", "van", "von", "y",
];
/// Surnames of nearly all Chinese: without a role before it, only these make two to four ideographs a name.
const SURNAMES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳欧阳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝诸葛司马上官皇甫令狐";

/// Where the names are in a byline: cut at separators and roles. What is left over when nothing but roles is there is
/// nothing.
pub(crate) fn people(byline: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while at < byline.len() {
        match separator(byline, at) {
            Some(end) => {
                push(byline, start..at, &mut found);
                (start, at) = (end, end);
            }
            None => at += byline[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    push(byline, start..byline.len(), &mut found);
    found
}

/// The end of a separator or role that starts at `at`.
fn separator(text: &str, at: usize) -> Option<usize> {
    let rest = &text[at..];
    let c = rest.chars().next()?;
    if matches!(c, ',' | '，' | '、' | ';' | '；' | '&' | '/' | '|' | '｜' | ':' | '：') {
        return Some(at + c.len_utf8());
    }
    if let Some(role) = ROLES_HAN.iter().find(|role| rest.starts_with(**role)) {
        return Some(at + role.len());
    }
    let before = text[..at].chars().next_back();
    if is_blank(c) {
        // Ideographs are spaced between names, and inside a short one to make it as wide as the others.
        let after = rest.trim_start_matches(is_blank);
        let ends = |part: &str| part.chars().take_while(|c| is_han(*c)).count() >= 2;
        let tail = text[..at].chars().rev().take_while(|c| is_han(*c)).count() >= 2;
        return (tail && ends(after)).then_some(text.len() - after.len());
    }
    if !c.is_ascii_alphabetic() || before.is_some_and(char::is_alphanumeric) {
        return None;
    }
    let word = &rest[..rest.bytes().take_while(u8::is_ascii_alphabetic).count()];
    let whole = !rest[word.len()..].starts_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '\'' | '’'));
    let role = ROLES_LATIN.iter().chain(&["and"]).any(|role| word.eq_ignore_ascii_case(role));
    (whole && role).then_some(at + word.len())
}

fn push(text: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let kept = text[range.clone()].trim_start_matches(is_blank);
    let start = range.end - kept.len();
    let end = start + kept.trim_end_matches(is_blank).len();
    if start < end {
        found.push(start..end);
    }
}

/// Whether the closing parentheses of an article hold names and nothing else.
pub(crate) fn is_signature(text: &str) -> bool {
    let names = people(text);
    let has_role = |name: &Range<usize>| {
        let before = text[..name.start].trim_end_matches(is_blank);
        ROLES_HAN.iter().any(|role| before.ends_with(role))
            || ROLES_LATIN.iter().any(|role| {
                let tail = before.len().checked_sub(role.len()).and_then(|start| before.get(start..));
                tail.is_some_and(|tail| tail.eq_ignore_ascii_case(role))
            })
    };
    !names.is_empty() && names.iter().all(|name| is_name(&text[name.clone()], has_role(name)))
}

fn is_name(name: &str, after_role: bool) -> bool {
    if name.chars().any(is_han) { is_han_name(name, after_role) } else { is_cased_name(name, after_role) }
}

fn is_han_name(name: &str, after_role: bool) -> bool {
    let letters = name.chars().filter(|c| !is_blank(*c) && !matches!(c, '·' | '•' | '・')).count();
    let dotted = name.chars().any(|c| matches!(c, '·' | '•' | '・'));
    name.chars().all(|c| is_han(c) || is_blank(c) || matches!(c, '·' | '•' | '・'))
        && (2..=if dotted { 15 } else { 4 }).contains(&letters)
        && !NOT_NAMES_HAN.iter().any(|word| name.contains(word))
        && (after_role || dotted || name.chars().next().is_some_and(|c| SURNAMES.contains(c)))
}

/// Whether a name is one of an organisation by the words in it.
pub(crate) fn is_organisation(name: &str) -> bool {
    let word = |word: &str| {
        let lower = word.to_lowercase().replace('’', "'");
        NOT_NAMES_LATIN.contains(&lower.trim_matches(|c: char| !c.is_alphanumeric()))
    };
    let han = name.chars().filter(|c| is_han(*c)).count();
    name.split(is_blank).any(word) || (han >= 2 && NOT_NAMES_HAN.iter().any(|word| name.contains(word)))
}

/// Names in scripts with capital letters. One word alone is more often an agency than a person.
fn is_cased_name(name: &str, after_role: bool) -> bool {
    let mut words = 0;
    for word in name.split(is_blank).filter(|word| !word.is_empty()) {
        words += 1;
        let lower = word.to_lowercase();
        let lower = lower.trim_end_matches('.').replace('’', "'");
        let capital = word.starts_with(char::is_uppercase);
        let letters = word.chars().all(|c| c.is_alphabetic() || matches!(c, '.' | '\'' | '’' | '-'));
        if !letters || NOT_NAMES_LATIN.contains(&lower.as_str()) || !(capital || PARTICLES.contains(&lower.as_str())) {
            return false;
        }
    }
    (if after_role { 1..=5 } else { 2..=5 }).contains(&words) && name.starts_with(char::is_uppercase)
}

pub(crate) fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}' | '\u{f900}'..='\u{faff}' | '〇')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_their_roles() {
        let cases: [(&str, &[&str]); 10] = [
            ("Sun Li", &["Sun Li"]),
            ("Reporter Ana Ruiz, correspondent Li Bo", &["Ana Ruiz", "Li Bo"]),
            ("Staff Reporters Ana Ruiz and Bo Andersen", &["Ana Ruiz", "Bo Andersen"]),
            ("By-Law Office", &["By-Law Office"]),
            ("本报记者 李波 通讯员 王小明", &["李波", "王小明"]),
            ("李波 王小明", &["李波", "王小明"]),
            ("李　波", &["李　波"]),
            ("李波、王小明", &["李波", "王小明"]),
            ("记者：李波", &["李波"]),
            ("记者", &[]),
        ];
        for (text, expected) in cases {
            let names: Vec<_> = people(text).into_iter().map(|range| &text[range]).collect();
            assert_eq!(names, expected, "{text}");
        }
    }

    #[test]
    fn signatures_and_remarks() {
        let signatures = [
            "Sun Li",
            "Reporter Sun Li",
            "by María de la Cruz",
            "孙丽",
            "记者 某某",
            "欧阳小明",
            "阿依古丽·买买提",
            "Иван Петров",
        ];
        for text in signatures {
            assert!(is_signature(text), "{text}");
        }
        let remarks = [
            "2018",
            "Xinhua",
            "AP",
            "Lake City Evening News",
            "end",
            "See page 4",
            "File Photo",
            "To be continued",
            "完",
            "组图",
            "待续",
            "新华社",
            "新华社记者 孙丽",
            "记者 孙丽 摄影 王芳",
            "",
            "Reporter",
            "محمد علي",
        ];
        for text in remarks {
            assert!(!is_signature(text), "{text}");
        }
    }
}
