//! A post as WordPress's REST API shows it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    newswire_fuzz::foreign(bytes, interchange::wordpress::read);
});
