//! The keys that mails are signed with, checked before the first mail: what receivers cannot verify they take for forged.

use std::sync::Arc;

use mail::dkim::Signer;
use service_kit::Settings;

const SELECTOR: &str = "NEWSWIRE_EMAIL_DKIM_SELECTOR";
const KEY: &str = "NEWSWIRE_EMAIL_DKIM_KEY_FILE";
const ED25519_SELECTOR: &str = "NEWSWIRE_EMAIL_DKIM_ED25519_SELECTOR";
const ED25519_KEY: &str = "NEWSWIRE_EMAIL_DKIM_ED25519_KEY_FILE";

/// Keys that mails from `domain`, the sender's, are signed with.
pub(super) fn dkim(settings: &mut Settings, domain: &str) -> Option<Option<Arc<Signer>>> {
    let selector = settings.optional::<String>(
        SELECTOR,
        "Name of the DKIM key, such as news2026: its public half is the TXT record <selector>._domainkey.<the sender's \
         domain>, which the service logs when it starts. Without one the relay is expected to sign",
    );
    let key = settings.secret_file(
        KEY,
        "File with the RSA key that mails are signed with; make one with: openssl genpkey -algorithm RSA -pkeyopt \
         rsa_keygen_bits:2048",
    );
    let second_selector =
        settings.optional::<String>(ED25519_SELECTOR, "Name of a second key, for a second signature of each mail");
    let second_key = settings
        .secret_file(ED25519_KEY, "File with the second key; make one with: openssl genpkey -algorithm ED25519");
    let (selector, key, second_selector, second_key) = (selector?, key?, second_selector?, second_key?);
    if selector.is_some() != key.is_some() {
        return settings.mistake(format!("{SELECTOR} and {KEY} go together"));
    }
    if second_selector.is_some() != second_key.is_some() {
        return settings.mistake(format!("{ED25519_SELECTOR} and {ED25519_KEY} go together"));
    }
    let second = second_selector.zip(second_key);
    let Some((selector, key)) = selector.zip(key) else {
        return match second {
            None => Some(None),
            // Receivers that know no Ed25519 would find no signature at all.
            Some(_) => settings.mistake(format!("{ED25519_SELECTOR} is for a second signature: set {SELECTOR} too")),
        };
    };
    let signer = match Signer::new(domain, &selector, key.expose()) {
        Ok(signer) => signer,
        Err(error) => return settings.mistake(format!("{SELECTOR}, {KEY}: {error}")),
    };
    let Some((selector, key)) = second else { return Some(Some(Arc::new(signer))) };
    match signer.with_ed25519(&selector, key.expose()) {
        Ok(signer) => Some(Some(Arc::new(signer))),
        Err(error) => settings.mistake(format!("{ED25519_SELECTOR}, {ED25519_KEY}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use aws_lc_rs::signature::Ed25519KeyPair;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn pem(der: &[u8]) -> String {
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der))
    }

    #[test]
    fn two_keys_one_or_none_and_never_half_of_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: String| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let rsa = file("rsa", pem(KeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap().as_ref()));
        let ed25519 = file("ed25519", pem(Ed25519KeyPair::generate().unwrap().to_pkcs8v1().unwrap().as_ref()));
        let nonsense = file("nonsense", pem(b"a secret that is no key"));
        let (one, two) = ([(SELECTOR, "news"), (KEY, &rsa)], [(ED25519_SELECTOR, "new"), (ED25519_KEY, &ed25519)]);
        for (pairs, expected) in [
            (vec![], Ok(0)),
            (one.to_vec(), Ok(1)),
            ([one, two].concat(), Ok(2)),
            (two.to_vec(), Err("set NEWSWIRE_EMAIL_DKIM_SELECTOR too")),
            (one[..1].to_vec(), Err("go together")),
            ([&one[..], &two[1..]].concat(), Err("go together")),
            (vec![one[0], (KEY, &nonsense)], Err("openssl genpkey -algorithm RSA")),
            ([one, [(ED25519_SELECTOR, "news"), two[1]]].concat(), Err("a selector is")),
            (vec![one[0], (KEY, "/nowhere/at/all")], Err("cannot read")),
        ] {
            let owned = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let mut settings = Settings::from_pairs(owned);
            let read = dkim(&mut settings, "news.example");
            let records = read.map(|signer| signer.map_or(Vec::new(), |signer| signer.records()));
            match (settings.finish("NEWSWIRE_EMAIL_", records), expected) {
                (Ok(records), Ok(count)) => {
                    assert_eq!(records.len(), count);
                    assert!(records.iter().all(|record| record.name.ends_with("._domainkey.news.example")));
                }
                (Err(mistakes), Err(expected)) => {
                    let text = mistakes.to_string();
                    assert!(text.contains(expected) && !text.contains("secret"), "{text}");
                }
                (read, expected) => panic!("{pairs:?}: {read:?} instead of {expected:?}"),
            }
        }
    }
}
