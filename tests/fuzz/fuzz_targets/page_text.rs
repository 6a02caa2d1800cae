//! A page of text: what is read of it accounts for every character.
#![no_main]

use import::{Imported, Options, import_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let options = Options::default();
    if let Ok(page) = import_text(bytes, &options) {
        let ends: Vec<usize> = page.claims.iter().map(|claim| claim.span.end).collect();
        assert!(ends.is_sorted() && ends.last().is_none_or(|end| *end <= bytes.len()));
        newswire_fuzz::imported(&Imported::of_text(page, &options));
    }
});
