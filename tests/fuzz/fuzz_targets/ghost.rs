//! A post as Ghost's webhooks send it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    newswire_fuzz::foreign(bytes, interchange::ghost::read);
});
