//! Whole feeds against golden files. `UPDATE_GOLDEN=1` writes them anew; read the difference before it is committed.

use std::path::PathBuf;

use feed::Format;

use crate::samples::{chinese, create, english, feed};

#[test]
fn feeds_are_byte_for_byte_what_they_were() {
    let articles = [create(1, &chinese()), create(2, &english())];
    for format in Format::ALL {
        let written = feed(format, &articles);
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("tests/feeds/golden")
            .join(format!("two-articles.{}", format.extension()));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, &written).unwrap();
        }
        let golden = std::fs::read_to_string(&path).unwrap();
        assert_eq!(written, golden, "{} differs; if that is intended, run with UPDATE_GOLDEN=1", path.display());
    }
}
