//! Private keys, checked when they are read: a mail that is signed wrongly is worse off than one that is not signed.

use aws_lc_rs::digest::{Digest, SHA256, digest};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;

/// RFC 8301 section 3.2: signers use 2048 bits at least, and verifiers need not take more than 4096.
const BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// Why a key will not do. It never repeats anything of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error(
        "no private key as PKCS#8 PEM (-----BEGIN PRIVATE KEY-----). Make one with: openssl genpkey -algorithm {0}; an \
         older form becomes one with: openssl pkcs8 -topk8 -nocrypt -in old.pem"
    )]
    Pem(&'static str),
    #[error(
        "the PEM holds another kind of key, one of fewer than 2048 bits, or a broken one. Make one with: openssl genpkey -algorithm {0}"
    )]
    Kind(&'static str),
    #[error("the key has {0} bits; receivers need not take more than 4096, and 2048 fit into one record of the DNS")]
    Size(usize),
    #[error("a selector is a name in the DNS: 1 to 63 lower-case letters, digits and inner hyphens, such as news2026")]
    Selector,
}

const RSA: &str = "RSA -pkeyopt rsa_keygen_bits:2048";
const ED25519: &str = "ED25519";

/// A private key of one of the two algorithms that receivers know.
pub(super) enum Key {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

impl Key {
    pub(super) fn rsa(pem: &str) -> Result<Self, KeyError> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| KeyError::Pem(RSA))?;
        let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| KeyError::Kind(RSA))?;
        let bits = key.public_modulus_len() * 8;
        if BITS.contains(&bits) { Ok(Self::Rsa(Box::new(key))) } else { Err(KeyError::Size(bits)) }
    }

    pub(super) fn ed25519(pem: &str) -> Result<Self, KeyError> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| KeyError::Pem(ED25519))?;
        Ed25519KeyPair::from_pkcs8(der.secret_pkcs8_der()).map(Self::Ed25519).map_err(|_| KeyError::Kind(ED25519))
    }

    /// As the tag `a=` has it.
    pub(super) fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "rsa-sha256",
            Self::Ed25519(_) => "ed25519-sha256",
        }
    }

    /// The signature over what was hashed, in base64.
    ///
    /// # Errors
    /// When memory has run out; nothing else can fail once the key was read.
    pub(super) fn sign(&self, data: &str) -> Result<String, Unspecified> {
        let hash: Digest = digest(&SHA256, data.as_bytes());
        match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign_digest(&RSA_PKCS1_SHA256, &hash, &mut signature)?;
                Ok(STANDARD.encode(signature))
            }
            // RFC 8463 section 3: PureEdDSA over the hash, not over what was hashed.
            Self::Ed25519(key) => Ok(STANDARD.encode(key.try_sign(hash.as_ref())?)),
        }
    }

    /// The value of the record at `<selector>._domainkey.<domain>`.
    pub(super) fn record(&self) -> String {
        match self {
            Self::Rsa(key) => {
                let der: PublicKeyX509Der<'_> = key.public_key().as_der().expect("a key that was read can be written");
                format!("v=DKIM1; k=rsa; p={}", STANDARD.encode(der.as_ref()))
            }
            Self::Ed25519(key) => format!("v=DKIM1; k=ed25519; p={}", STANDARD.encode(key.public_key())),
        }
    }
}
