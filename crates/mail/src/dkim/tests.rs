//! Against the examples of the standards; `tests/dkim.rs` asks a verifier that is not ours.

use aws_lc_rs::signature::Ed25519KeyPair;

use super::*;

/// The mail of RFC 8463, appendix A.3.
const BODY: &str = "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
const FIELDS: [&str; 5] = [
    "From: Joe SixPack <joe@football.example.com>",
    "To: Suzie Q <suzie@shopping.example.net>",
    "Subject: Is dinner ready?",
    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)",
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>",
];
const BODY_HASH: &str = "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=";

#[test]
fn the_example_of_rfc_8463_comes_out_bit_by_bit() {
    assert_eq!(STANDARD.encode(digest(&SHA256, canonical::body(BODY).as_bytes())), BODY_HASH);
    let mut data = String::new();
    for field in FIELDS {
        canonical::push_field(&mut data, field);
    }
    let unsigned = format!(
        "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n d=football.example.com; \
         i=@football.example.com;\r\n q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n subject : date : \
         message-id : from : subject : date;\r\n bh={BODY_HASH};\r\n b="
    );
    canonical::push_field(&mut data, &unsigned);
    data.truncate(data.len() - 2);
    let seed = STANDARD.decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=").unwrap();
    let key = Key::Ed25519(Ed25519KeyPair::from_seed_unchecked(&seed).unwrap());
    assert_eq!(key.record(), "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
    let signature = "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==";
    assert_eq!(key.sign(&data).unwrap(), signature);
}

#[test]
fn the_hash_of_an_empty_body_is_that_of_nothing() {
    // RFC 6376 section 3.4.4.
    let hash = STANDARD.encode(digest(&SHA256, canonical::body("\r\n").as_bytes()));
    assert_eq!(hash, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

#[test]
fn every_field_is_listed_as_often_as_it_occurs_and_two_once_more() {
    let header = "Received: x\r\nFROM : a\r\nTo: 1\r\nSubject: one\r\n two\r\nReferences: first\r\nReferences: last\r\nX-Other: y";
    let (names, canonical) = signed_fields(header);
    assert_eq!(names, ["from", "to", "subject", "references", "references", "from", "subject"]);
    assert_eq!(canonical, "from:a\r\nto:1\r\nsubject:one two\r\nreferences:last\r\nreferences:first\r\n");
}

#[test]
fn keys_that_will_not_do_are_named_and_not_shown() {
    const PKCS1: &str = "-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJBAKj34GkxFhD9\n-----END RSA PRIVATE KEY-----\n";
    const NONSENSE: &str = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0IG5vbnNlbnNl\n-----END PRIVATE KEY-----\n";
    for (pem, expected) in [("", "PKCS#8 PEM"), (PKCS1, "openssl pkcs8 -topk8"), (NONSENSE, "another kind")] {
        for error in [Signer::new("news.example", "news", pem).unwrap_err(), Key::ed25519(pem).err().unwrap()] {
            let text = error.to_string();
            assert!(text.contains(expected) && text.contains("openssl genpkey"), "{text}");
            assert!(!text.contains("c2Vj") && !text.contains("MIIB"), "{text}");
        }
    }
}
