//! What a request tells about whoever looks: the languages they read.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header::ACCEPT_LANGUAGE;
use axum::http::request::Parts;
use mail::Locale;

use super::form::Fields;
use crate::subscriber::Subscriber;

pub(super) struct Visitor {
    pub(super) query: Fields,
    accepted: Option<Locale>,
}

impl Visitor {
    /// The language they chose on a page, or else the one their browser asks for.
    pub(super) fn locale(&self) -> Locale {
        self.chosen().or(self.accepted).unwrap_or(Locale::English)
    }

    /// The same for a page of a subscriber, who has told us once.
    pub(super) fn locale_for(&self, subscriber: &Subscriber) -> Locale {
        self.chosen().unwrap_or_else(|| Locale::for_tag(&subscriber.language))
    }

    /// Chosen by a link on one of our pages.
    pub(super) fn chosen(&self) -> Option<Locale> {
        Some(self.query.get("lang")).filter(|tag| !tag.is_empty()).map(Locale::for_tag)
    }
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        // A selection with its `+` may have been copied from a feed's address, where that is no space; no value has one.
        let query = Fields::parse(parts.uri.query().unwrap_or_default().replace('+', "%2B").as_bytes());
        let accepted = parts.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Ok(Self { query, accepted: accepted.and_then(preferred) })
    }
}

/// The best of our languages in an `Accept-Language` (RFC 9110 section 12.5.4); `None` when it has none of them.
fn preferred(accepted: &str) -> Option<Locale> {
    let ranges = accepted.split(',').filter_map(|range| {
        let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
        let quality = parameters.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>).ok()?;
        let language = tag.trim().split('-').next()?;
        let ours = ["en", "zh"].iter().any(|known| language.eq_ignore_ascii_case(known));
        (ours && quality > 0.0).then_some((Locale::for_tag(language), quality))
    });
    // Of equals the first counts.
    ranges.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(locale, _)| locale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_best_that_we_have() {
        for (accepted, locale) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Some(Locale::Chinese)),
            ("en-GB, zh;q=0.9", Some(Locale::English)),
            ("fr, zh;q=0.5", Some(Locale::Chinese)),
            ("en;q=0.1, zh-Hant-TW;q=0.2", Some(Locale::Chinese)),
            ("en, zh", Some(Locale::English)),
            ("zh;q=0, en;q=0.1", Some(Locale::English)),
            ("enm, zha", None),
            ("ar", None),
            ("*", None),
            ("", None),
            (";;;q=,,=zh;q=x", None),
        ] {
            assert_eq!(preferred(accepted), locale, "{accepted}");
        }
    }
}
