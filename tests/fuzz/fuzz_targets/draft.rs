//! Our own JSON, as the HTTP API takes it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(document) = serde_json::from_slice(bytes) {
        newswire_fuzz::published(&document);
    }
});
