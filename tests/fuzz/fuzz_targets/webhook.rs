//! A webhook of ours: its headers, on lines of their own, then its body.
#![no_main]

use interchange::signature::{Secret, StandardHeaders, body_only, ghost, sign_standard, standard};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let now: jiff::Timestamp = "2026-11-22T10:00:00Z".parse().expect("a time");
    let secret = Secret::derive(b"a master key", "hook");
    let mut lines = bytes.splitn(4, |b| *b == b'\n').map(std::str::from_utf8);
    let mut line = || lines.next().and_then(Result::ok);
    let (id, timestamp, signature) = (line(), line(), line());
    let body = bytes.splitn(4, |b| *b == b'\n').nth(3).unwrap_or_default();
    // Without the key nothing is believed, whatever the headers are.
    let headers = StandardHeaders { id, timestamp, signature };
    assert!(standard(&secret, &headers, body, now).is_err());
    assert!(ghost(&secret, signature, body, now).is_err());
    assert!(body_only(&secret, signature, body).is_err());
    // With it, everything is.
    if let Some(id) = id.filter(|id| !id.is_empty()) {
        let (good, at) = (sign_standard(&secret, id, now, body), now.as_second().to_string());
        let headers = StandardHeaders { id: Some(id), timestamp: Some(&at), signature: Some(&good) };
        assert_eq!(standard(&secret, &headers, body, now), Ok(now));
    }
    newswire_fuzz::foreign(body, interchange::newswire::read);
});
