//! The language of the text: as declared if that can be right, else as the text shows.

use crate::names::is_han;

/// How many letters are looked at.
const SAMPLE: usize = 4000;
/// Frequent small words that are frequent in one language and rare in the others of its script.
const WORDS: &[(&str, &[&str])] = &[
    (
        "en",
        &[
            "the", "of", "and", "to", "in", "that", "is", "was", "for", "with", "said", "on", "it", "by", "from",
            "are", "has",
        ],
    ),
    (
        "de",
        &[
            "der", "die", "und", "das", "den", "von", "mit", "ist", "nicht", "auch", "eine", "sich", "dem", "des",
            "für", "auf", "werden",
        ],
    ),
    (
        "fr",
        &[
            "le", "les", "des", "et", "est", "dans", "une", "du", "pour", "qui", "que", "sur", "pas", "avec", "au",
            "cette", "ont",
        ],
    ),
    (
        "es",
        &[
            "el", "los", "del", "las", "una", "por", "con", "para", "que", "se", "ha", "su", "como", "más", "al",
            "este", "según",
        ],
    ),
    (
        "pt",
        &[
            "os", "do", "da", "em", "uma", "não", "com", "dos", "para", "que", "ao", "mais", "foi", "pela", "são",
            "também", "das",
        ],
    ),
    (
        "it",
        &[
            "il", "di", "che", "della", "è", "gli", "per", "una", "del", "non", "con", "sono", "nel", "alla", "anche",
            "più", "dei",
        ],
    ),
    (
        "nl",
        &[
            "het", "een", "van", "dat", "niet", "zijn", "voor", "met", "aan", "ook", "bij", "naar", "wordt", "deze",
            "maar", "uit", "op",
        ],
    ),
    (
        "tr",
        &[
            "ve", "bir", "bu", "için", "ile", "olarak", "da", "de", "olan", "daha", "gibi", "kadar", "çok", "sonra",
            "ise", "en", "türkiye",
        ],
    ),
    (
        "pl",
        &[
            "nie", "się", "jest", "na", "że", "do", "przez", "oraz", "jak", "dla", "po", "był", "od", "które", "także",
            "ale", "z",
        ],
    ),
    (
        "sv",
        &[
            "och", "att", "det", "som", "är", "för", "inte", "har", "av", "på", "till", "ett", "från", "med", "om",
            "den", "var",
        ],
    ),
    (
        "da",
        &[
            "og", "det", "af", "til", "ikke", "har", "på", "med", "der", "som", "er", "fra", "også", "blev", "en",
            "efter", "men",
        ],
    ),
    (
        "nb",
        &[
            "og", "det", "av", "til", "ikke", "har", "på", "med", "som", "er", "fra", "også", "ble", "etter", "men",
            "seg", "være",
        ],
    ),
    (
        "fi",
        &[
            "ja", "on", "ei", "että", "oli", "se", "mutta", "myös", "ovat", "kun", "hän", "sen", "mukaan", "ole",
            "joka", "sekä", "voi",
        ],
    ),
    (
        "cs",
        &[
            "je", "na", "se", "že", "do", "pro", "které", "také", "jako", "jsou", "podle", "ale", "by", "byl", "který",
            "při", "v",
        ],
    ),
    (
        "hu",
        &[
            "a", "az", "és", "hogy", "nem", "is", "egy", "volt", "meg", "azt", "szerint", "már", "csak", "ez", "el",
            "még", "mint",
        ],
    ),
    (
        "ro",
        &[
            "și", "în", "de", "la", "cu", "care", "din", "pentru", "este", "pe", "mai", "fost", "să", "nu", "sunt",
            "au", "că",
        ],
    ),
    (
        "vi",
        &[
            "và", "của", "các", "là", "có", "được", "cho", "trong", "không", "với", "này", "một", "những", "người",
            "đã", "đến", "ở",
        ],
    ),
    (
        "id",
        &[
            "yang", "dan", "di", "dengan", "untuk", "dari", "ini", "itu", "pada", "tidak", "dalam", "akan", "ke",
            "juga", "telah", "oleh", "adalah",
        ],
    ),
    (
        "sw",
        &[
            "na", "ya", "wa", "kwa", "katika", "ni", "za", "la", "kuwa", "hiyo", "huyo", "alisema", "hilo", "baada",
            "pia", "hao", "cha",
        ],
    ),
    (
        "xh",
        &[
            "kwaye", "ukuba", "uthe", "kunye", "ngo", "lo", "abantu", "emva", "kuba", "yi", "nge", "le", "ke", "xa",
            "okanye", "wathi", "esithi",
        ],
    ),
    (
        "zu",
        &[
            "ukuthi",
            "futhi",
            "uthe",
            "kanye",
            "ngoba",
            "lo",
            "abantu",
            "emva",
            "uma",
            "noma",
            "kodwa",
            "le",
            "nge",
            "ngesikhathi",
            "wathi",
            "okwamanje",
            "yena",
        ],
    ),
    (
        "af",
        &[
            "die", "en", "van", "het", "nie", "dat", "wat", "is", "vir", "met", "hy", "sy", "aan", "ook", "om", "sal",
            "oor",
        ],
    ),
];

/// What a text looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// The script leaves no other choice.
    Script(&'static str),
    /// The words are those of this language.
    Words(&'static str),
    /// A script that several languages use, by some of them.
    OneOf(&'static [&'static str]),
    Nothing,
}

/// Looks at a text.
pub(super) fn look(text: &str) -> Seen {
    let mut counts = [0_usize; 10];
    let mut all = 0;
    for c in text.chars().filter(|c| c.is_alphabetic()).take(SAMPLE) {
        all += 1;
        let at = match c {
            '\u{3040}'..='\u{30ff}' => 0,
            '\u{ac00}'..='\u{d7a3}' => 1,
            c if is_han(c) => 2,
            '\u{e00}'..='\u{e7f}' => 3,
            '\u{370}'..='\u{3ff}' => 4,
            '\u{590}'..='\u{5ff}' => 5,
            '\u{600}'..='\u{6ff}' => 6,
            '\u{400}'..='\u{4ff}' => 7,
            '\u{900}'..='\u{97f}' => 8,
            c if c.is_ascii() || ('\u{c0}'..'\u{250}').contains(&c) || ('\u{1e00}'..'\u{1f00}').contains(&c) => 9,
            _ => continue,
        };
        counts[at] += 1;
    }
    let [kana, hangul, han, thai, greek, hebrew, arabic, cyrillic, devanagari, latin] = counts;
    let most = |count: usize| count * 2 > all && all > 0;
    if most(han + kana) {
        return Seen::Script(if kana * 10 > han + kana { "ja" } else { "zh" });
    }
    if let Some((_, tag)) =
        [(hangul, "ko"), (thai, "th"), (greek, "el"), (hebrew, "he")].into_iter().find(|(n, _)| most(*n))
    {
        return Seen::Script(tag);
    }
    if most(arabic) {
        let has = |letters: &[char]| text.contains(letters);
        return match (has(&['ٹ', 'ڑ', 'ں', 'ے']), has(&['پ', 'چ', 'ژ', 'گ'])) {
            (true, _) => Seen::OneOf(&["ur"]),
            (false, true) => Seen::OneOf(&["fa", "ckb", "ug", "ps", "ur"]),
            (false, false) => Seen::OneOf(&["ar", "fa", "ps"]),
        };
    }
    if most(cyrillic) {
        let has = |letters: &[char]| text.contains(letters);
        return if has(&['ы', 'э']) {
            Seen::OneOf(&["ru", "be", "kk", "ky", "mn", "tt"])
        } else if has(&['ї', 'є']) {
            Seen::OneOf(&["uk"])
        } else {
            Seen::OneOf(&["bg", "sr", "mk", "uk", "ru"])
        };
    }
    if most(devanagari) {
        return Seen::OneOf(&["hi", "mr", "ne"]);
    }
    if most(latin) { by_words(text) } else { Seen::Nothing }
}

/// Counts the small words. A language needs enough of them, and clearly more than the next.
fn by_words(text: &str) -> Seen {
    let lower = text.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).take(800).collect();
    let count = |list: &[&str]| words.iter().filter(|word| list.contains(word)).count();
    let mut found: Vec<(usize, &'static str)> = WORDS.iter().map(|(tag, list)| (count(list), *tag)).collect();
    found.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let [(first, tag), (second, _), ..] = found[..] else { return Seen::Nothing };
    // Languages that glue their small words to others, such as Xhosa, have few.
    let enough = first >= 3 && first * 40 >= words.len();
    if enough && first * 4 > second * 5 { Seen::Words(tag) } else { Seen::Nothing }
}

/// Whether a declared language can be that of a text that looks so.
pub(super) fn agrees(tag: &str, seen: Seen) -> bool {
    let primary = tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    let known = |wanted: &str| {
        wanted == primary
            || matches!(
                (wanted, &*primary),
                ("nb", "no" | "nn" | "da") | ("da", "no" | "nb") | ("he", "iw") | ("id", "in" | "ms")
            )
    };
    match seen {
        Seen::Script("zh") => matches!(&*primary, "zh" | "cmn" | "yue" | "wuu" | "nan" | "lzh"),
        Seen::Script(wanted) => known(wanted),
        // A language we have no words of may well be what it says it is.
        Seen::Words(wanted) => known(wanted) || !WORDS.iter().any(|(tag, _)| *tag == primary),
        Seen::OneOf(tags) => tags.contains(&primary.as_str()),
        Seen::Nothing => true,
    }
}

/// Languages written in one time zone.
pub(super) fn zone(tag: &str) -> Option<&'static str> {
    let lower = tag.to_ascii_lowercase();
    let primary = lower.split('-').next()?;
    Some(match primary {
        "zh" if lower.ends_with("-tw") => "Asia/Taipei",
        "zh" if lower.ends_with("-hk") => "Asia/Hong_Kong",
        "zh" => "Asia/Shanghai",
        "ja" => "Asia/Tokyo",
        "ko" => "Asia/Seoul",
        "tr" => "Europe/Istanbul",
        "vi" => "Asia/Ho_Chi_Minh",
        "th" => "Asia/Bangkok",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_and_declarations() {
        for (text, seen, agreeing, other) in [
            ("今年以来，合肥市人民检察院", Seen::Script("zh"), "zh-CN", "en"),
            ("東京で会議がありました", Seen::Script("ja"), "ja", "zh"),
            ("서울에서 회의가", Seen::Script("ko"), "ko-KR", "en"),
            ("The minister said that the plan is for the people of the town.", Seen::Words("en"), "en-AU", "de"),
            (
                "Der Minister sagte, dass die Stadt mit dem Plan nicht zufrieden ist und auch das Land.",
                Seen::Words("de"),
                "de",
                "en",
            ),
            ("Новые объявления сегодня эти", Seen::OneOf(&["ru", "be", "kk", "ky", "mn", "tt"]), "ru", "en"),
            ("مرحبا بالعالم", Seen::OneOf(&["ar", "fa", "ps"]), "ar", "he"),
            ("2018", Seen::Nothing, "xx", ""),
        ] {
            assert_eq!(look(text), seen, "{text}");
            assert!(agrees(agreeing, seen), "{text}");
            assert!(other.is_empty() || !agrees(other, seen), "{text}");
        }
    }
}
