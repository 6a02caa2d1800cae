//! The names of months, and the words between a date and a time.

/// Names without accents, in lower case; where a language declines them, as they stand in dates.
const MONTHS: [&[&str]; 12] = [
    &[
        "january",
        "januar",
        "janner",
        "janvier",
        "enero",
        "janeiro",
        "gennaio",
        "januari",
        "ocak",
        "января",
        "січня",
        "stycznia",
        "يناير",
    ],
    &[
        "february",
        "februar",
        "fevrier",
        "febrero",
        "fevereiro",
        "febbraio",
        "februari",
        "subat",
        "февраля",
        "лютого",
        "lutego",
        "فبراير",
    ],
    &[
        "march",
        "marz",
        "maerz",
        "mars",
        "marzo",
        "marco",
        "maart",
        "mart",
        "marts",
        "maret",
        "марта",
        "березня",
        "marca",
        "مارس",
    ],
    &["april", "avril", "abril", "aprile", "nisan", "апреля", "квітня", "kwietnia", "ابريل"],
    &["may", "mai", "mayo", "maio", "maggio", "mei", "mayıs", "mayis", "maj", "мая", "травня", "maja", "مايو"],
    &["june", "juni", "juin", "junio", "junho", "giugno", "haziran", "июня", "червня", "czerwca", "يونيو"],
    &["july", "juli", "juillet", "julio", "julho", "luglio", "temmuz", "июля", "липня", "lipca", "يوليو"],
    &[
        "august",
        "aout",
        "agosto",
        "augustus",
        "agustos",
        "augusti",
        "agustus",
        "августа",
        "серпня",
        "sierpnia",
        "اغسطس",
    ],
    &[
        "september",
        "septembre",
        "septiembre",
        "setiembre",
        "setembro",
        "settembre",
        "eylul",
        "сентября",
        "вересня",
        "wrzesnia",
        "سبتمبر",
    ],
    &[
        "october",
        "oktober",
        "octobre",
        "octubre",
        "outubro",
        "ottobre",
        "ekim",
        "октября",
        "жовтня",
        "pazdziernika",
        "اكتوبر",
    ],
    &["november", "novembre", "noviembre", "novembro", "kasım", "kasim", "ноября", "листопада", "listopada", "نوفمبر"],
    &[
        "december",
        "dezember",
        "decembre",
        "diciembre",
        "dezembro",
        "dicembre",
        "aralık",
        "aralik",
        "desember",
        "декабря",
        "грудня",
        "grudnia",
        "ديسمبر",
    ],
];

/// The number of a month by its name or the first three letters and more of it.
pub(super) fn month(word: &str) -> Option<u32> {
    let number = |at: usize| u32::try_from(at + 1).ok();
    if let Some(at) = MONTHS.iter().position(|names| names.contains(&word)) {
        return number(at);
    }
    if word.chars().count() < 3 {
        return None;
    }
    let mut found = (0..12).filter(|at| MONTHS[*at].iter().any(|name| name.starts_with(word)));
    let first = found.next()?;
    found.next().is_none().then(|| number(first)).flatten()
}

/// Words that may stand between a date and its time.
pub(super) fn is_filler(word: &str) -> bool {
    matches!(
        word,
        "t" | "at"
            | "um"
            | "a"
            | "as"
            | "las"
            | "alle"
            | "ore"
            | "kl"
            | "klo"
            | "saat"
            | "pukul"
            | "в"
            | "о"
            | "г"
            | "den"
            | "uhr"
            | "on"
            | "monday"
            | "tuesday"
            | "wednesday"
            | "thursday"
            | "friday"
            | "saturday"
            | "sunday"
            | "mon"
            | "tue"
            | "wed"
            | "thu"
            | "fri"
            | "sat"
            | "sun"
            | "الساعة"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_beginnings() {
        for (word, number) in [("sept", 9), ("mai", 5), ("dez", 12), ("ago", 8), ("марта", 3), ("mar", 3), ("jun", 6)]
        {
            assert_eq!(month(word), Some(number), "{word}");
        }
        for word in ["ja", "ma", "jui", "hello", "", "and"] {
            assert_eq!(month(word), None, "{word}");
        }
    }
}
