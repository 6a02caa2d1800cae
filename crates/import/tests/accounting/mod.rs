//! Character accounting from the outside: counts characters instead of trusting the importer's offsets.

use std::collections::BTreeMap;

use import::{Page, What};

/// How often each non-blank character occurs.
fn characters<'t>(texts: impl IntoIterator<Item = &'t str>) -> BTreeMap<char, usize> {
    let mut counts = BTreeMap::new();
    for c in texts.into_iter().flat_map(str::chars) {
        if !c.is_whitespace() && !matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}') {
            *counts.entry(c).or_default() += 1;
        }
    }
    counts
}

/// Asserts that fields, marks and dropped texts together have exactly the characters of the page.
pub(crate) fn assert_accounted(input: &str, page: &Page) {
    let marks = page.claims.iter().filter(|claim| claim.what == What::Mark).map(|claim| &input[claim.span.clone()]);
    let fields =
        [&page.section, &page.byline, &page.source].into_iter().flatten().chain([&page.headline, &page.date.printed]);
    let fields = fields.chain(&page.editors).chain(&page.body).chain(page.dropped.iter().map(|dropped| &dropped.text));
    assert_eq!(characters([input]), characters(fields.map(String::as_str).chain(marks)));
}
