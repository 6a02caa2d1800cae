//! A page of HTML in any encoding: it is read or refused, and what is read becomes an article or a list of mistakes.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(page) = import::import_html(bytes, &import::Options::default()) {
        newswire_fuzz::imported(&page);
    }
});
