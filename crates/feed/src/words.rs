//! The few words of ours that stand in an entry, in the language of the article they are about.

/// What an entry says beside what the newsroom wrote.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Words {
    /// Before the headline.
    pub(crate) withdrawn: &'static str,
    pub(crate) killed: &'static str,
    /// Before the note.
    pub(crate) correction: &'static str,
    /// For a log whose notice has no words of its own.
    pub(crate) withdrawn_notice: &'static str,
    pub(crate) killed_notice: &'static str,
}

const ENGLISH: Words = Words {
    withdrawn: "Withdrawn: ",
    killed: "Removed: ",
    correction: "Correction: ",
    withdrawn_notice: "This article was withdrawn by its publisher.",
    killed_notice: "This article was removed by its publisher.",
};

/// Of characters that the simplified and the traditional script share.
const CHINESE: Words = Words {
    withdrawn: "已撤回：",
    killed: "已移除：",
    correction: "更正：",
    withdrawn_notice: "本文已撤回。",
    killed_notice: "本文已移除。",
};

impl Words {
    /// For a BCP 47 tag: Chinese for `zh` and everything under it, English otherwise.
    pub(crate) fn of(language: &str) -> &'static Self {
        let primary = language.split(['-', '_']).next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("zh") { &CHINESE } else { &ENGLISH }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_article_is_spoken_of_in_its_language() {
        for (language, words) in [
            ("zh", &CHINESE),
            ("zh-Hans", &CHINESE),
            ("ZH_tw", &CHINESE),
            ("zha", &ENGLISH),
            ("en-GB", &ENGLISH),
            ("ar", &ENGLISH),
            ("", &ENGLISH),
        ] {
            assert_eq!(Words::of(language), words, "{language}");
        }
    }
}
