//! ninjs of any generation, and what we write of it again.
#![no_main]

use interchange::{Defaults, Wish, ninjs};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(article) = newswire_fuzz::foreign(bytes, ninjs::read) else { return };
    let written = ninjs::write(&article);
    let again = ninjs::read(&written, &Defaults::default()).expect("what we write, we read");
    assert_eq!(again.id, article.id.to_string());
    // What is under embargo is withheld, and nothing else.
    assert_eq!(matches!(again.wish, Wish::Publish(_)), written["pubStatus"] == "usable");
});
