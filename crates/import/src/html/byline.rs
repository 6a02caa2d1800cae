//! The names in a byline: each alone, and why some are nobody's.

use super::agencies::is_agency;
use super::words::squeezed;
use crate::lines::is_blank;
use crate::names;

/// What stands in the place of a name and is none, squeezed; one after the other.
const NOBODY: &str = "di da foto photo artikel article nachrichten news kommentar この記事を書いた人 lifestyle travel sport sports \
     politik writers name author unknown null undefined 本站原创 互联网 admin administrator staff editor editors \
     redaktion redaction redaccion redazione online 网络整理 佚名 未知 本站 小编 编辑部 管理员 newsdesk \
     staffwriter staffreporter webmaster 网络 原创 转载";

/// Longest name, in characters.
pub(super) const MAX_NAME: usize = 40;

/// Whether a text stands where a name should and is none.
pub(super) fn is_nobody(text: &str) -> bool {
    let bare = squeezed(text);
    NOBODY.split_ascii_whitespace().any(|word| word == bare)
}

/// The people in a byline, each alone.
pub(super) fn split(text: &str) -> Vec<String> {
    let mut plain = String::new();
    let mut depth = 0_usize;
    for c in text.chars().take(400) {
        match c {
            '(' | '（' | '[' | '【' => depth += 1,
            ')' | '）' | ']' | '】' => depth = depth.saturating_sub(1),
            c if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    // Korean: the role stands behind the name, and others may be counted.
    let plain = plain.replace(" 기자", ",").replace(" 특파원", ",").replace("기자 ", ",");
    let plain = plain
        .split(" 외 ")
        .next()
        .unwrap_or_default()
        .replace(" · ", ",")
        .replace(['·', '＆'], if text.is_ascii() { " " } else { "·" });
    let mut found = Vec::new();
    for range in names::people(&plain) {
        let mut name = plain[range].trim_matches(|c: char| is_blank(c) || matches!(c, '.' | '-' | '–' | '—' | ':'));
        loop {
            let word = name.split(is_blank).next().unwrap_or_default();
            let glue = matches!(
                word.to_lowercase().as_str(),
                "von"
                    | "by"
                    | "par"
                    | "por"
                    | "door"
                    | "und"
                    | "and"
                    | "et"
                    | "y"
                    | "e"
                    | "ve"
                    | "from"
                    | "text"
                    | "di"
            );
            // A name may begin with “von” or “di”, but not be followed by nothing.
            if !glue
                || word.len() == name.len()
                || (word == "von" && names::people(name).len() == 1 && found.is_empty() && !text.starts_with(word))
            {
                break;
            }
            name = name[word.len()..].trim_start_matches(is_blank);
        }
        for part in name
            .split(" und ")
            .flat_map(|part| part.split(" et "))
            .flat_map(|part| part.split(" y "))
            .flat_map(|part| part.split(" ve "))
            .flat_map(|part| part.split(" avec "))
            .flat_map(|part| part.split(" with "))
        {
            if !part.is_empty() {
                found.push(part.to_owned());
            }
        }
    }
    found
}

/// Why a text is no name of a person; `None` when it may be.
pub(super) fn why_nobody(name: &str, sites: &[String], rank: u8) -> Option<&'static str> {
    let bare = squeezed(name);
    let letters = name.chars().filter(|c| c.is_alphabetic()).count();
    let site = |site: &String| {
        let site = squeezed(site);
        site == bare
            || (bare.chars().count() >= 4 && (site.starts_with(&bare) || bare.starts_with(&site) && !site.is_empty()))
    };
    if is_agency(name) {
        Some("an agency is a source, not an author")
    } else if name.contains("://")
        || name.contains('@')
        || name.contains("www.")
        || bare.contains(".com")
        || bare.contains(".net")
    {
        Some("an address is no name")
    } else if rank == 1 && name.is_ascii() && !name.contains(' ') {
        Some("one word alone in an element for bylines")
    } else if is_nobody(name) {
        Some("stands where a name should")
    } else if is_role(name) {
        Some("what somebody is, not who")
    } else if sites.iter().any(site) {
        Some("the name of the site")
    } else if !(2..=MAX_NAME).contains(&letters) || name.split(is_blank).count() > 6 {
        Some("too short or too long for a name")
    } else if (rank > 0 && names::is_organisation(name)) || is_office(name) {
        Some("the name of an organisation")
    } else {
        None
    }
}

/// `Transport Editor`, behind the name of whoever that is.
fn is_role(name: &str) -> bool {
    let Some((_, last)) = name.rsplit_once(is_blank) else { return false };
    ["editor", "correspondent", "reporter", "columnist"].iter().any(|role| last.eq_ignore_ascii_case(role))
}

/// Organisations by how their names end: even a label for authors is filled with them.
pub(super) fn is_office(name: &str) -> bool {
    let ends = ["网", "报", "报社", "社", "电视台", "日报", "晚报", "编辑部", "融媒体中心", "公众号", "新闻", "频道"];
    name.ends_with("作者") || name.chars().count() > 2 && ends.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_byline() {
        let cases: [(&str, &[&str]); 10] = [
            ("Luc Martin et Zoé Dupré avec AFP", &["Luc Martin", "Zoé Dupré", "AFP"]),
            ("Chus del Pino, Martí Abad (Enviado especial)", &["Chus del Pino", "Martí Abad"]),
            ("박준석 기자 외 1명", &["박준석"]),
            ("Kolumne von Carla Siepmann", &["Kolumne von Carla Siepmann"]),
            ("von Ana Ruiz und Bo Andersen", &["Ana Ruiz", "Bo Andersen"]),
            ("叨叨姐、胡一刀&李小飞刀", &["叨叨姐", "胡一刀", "李小飞刀"]),
            ("By Ana Ruiz and Bo Andersen", &["Ana Ruiz", "Bo Andersen"]),
            ("Ursula von der Leyen", &["Ursula von der Leyen"]),
            ("本报记者 李波", &["李波"]),
            ("", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(split(text), expected, "{text}");
        }
    }

    #[test]
    fn who_is_nobody() {
        let sites = ["the harbour gazette".to_owned()];
        for name in
            ["AFP", "admin", "网络整理", "a@b.example", "晚报编辑部", "X", "The Harbour Gazette", "Transport Editor"]
        {
            assert!(why_nobody(name, &sites, 1).is_some(), "{name}");
        }
        for name in ["Ana Ruiz", "李波", "叨叨姐", "Иван Петров"] {
            assert_eq!(why_nobody(name, &sites, 1), None, "{name}");
        }
    }
}
