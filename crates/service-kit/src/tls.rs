//! TLS for a service that readers or clients reach without a proxy in front: a certificate and its key, from files that
//! are read again when they change, so that a renewed certificate needs no restart.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use anyhow::{Context, bail};
use rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::Settings;

/// A certificate and its key, as they are in their files now; TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1.
#[derive(Clone)]
pub struct Tls {
    pair: Arc<Pair>,
    acceptor: TlsAcceptor,
}

/// Reads the settings `cert` and `key`: both, or neither. `None` when something is wrong.
pub fn tls_settings(settings: &mut Settings, cert: &'static str, key: &'static str) -> Option<Option<Tls>> {
    let help = "File with the certificate and those between it and the authority (PEM); with it this service speaks TLS \
                itself. Read again when it changes";
    let certificate = settings.optional::<PathBuf>(cert, help);
    let private = settings.optional::<PathBuf>(key, "File with the certificate's private key (PEM)");
    match (certificate?, private?) {
        (None, None) => Some(None),
        (Some(_), None) => settings.mistake(format!("{cert} is set and {key} is not; TLS needs both")),
        (None, Some(_)) => settings.mistake(format!("{key} is set and {cert} is not; TLS needs both")),
        (Some(certificate), Some(private)) => match Tls::load(certificate, private) {
            Ok(tls) => Some(Some(tls)),
            Err(error) => settings.mistake(format!("{cert}, {key}: {error:#}")),
        },
    }
}

impl Tls {
    /// # Errors
    /// When a file cannot be read or does not hold what it should; the text names the file.
    pub fn load(cert: PathBuf, key: PathBuf) -> anyhow::Result<Self> {
        let files = (read(&cert)?, read(&key)?);
        let current = certified((&cert, &files.0), (&key, &files.1))?;
        let pair = Arc::new(Pair { cert, key, current: RwLock::new(current), tried: Mutex::new(Some(files)) });
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .context("TLS 1.2 and 1.3")?
            .with_no_client_auth()
            .with_cert_resolver(pair.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // A reader that comes back resumes without the costly half of a handshake, and brings what is needed for it.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.ticketer = Ticketer::new().context("keys for session tickets")?;
        Ok(Self { pair, acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    pub(crate) async fn accept(&self, socket: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        self.acceptor.accept(socket).await
    }

    /// Looks at the files for ever, once in each `pause`.
    pub(crate) async fn follow(&self, pause: Duration) {
        loop {
            tokio::time::sleep(pause).await;
            let pair = self.pair.clone();
            if tokio::task::spawn_blocking(move || pair.renew()).await.is_err() {
                tracing::error!("a new certificate could not be looked at; the old one is kept");
            }
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("cert", &self.pair.cert).field("key", &self.pair.key).finish()
    }
}

/// What the two files held.
type Files = (Vec<u8>, Vec<u8>);

struct Pair {
    cert: PathBuf,
    key: PathBuf,
    current: RwLock<Arc<CertifiedKey>>,
    /// What was looked at last; `None`: it could not be read.
    tried: Mutex<Option<Files>>,
}

impl Pair {
    /// Takes the pair from the files if it is another one, and keeps the old one if it will not do.
    fn renew(&self) {
        let files = read(&self.cert).and_then(|cert| Ok((cert, read(&self.key)?)));
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        if files.as_ref().ok() == tried.as_ref() {
            return;
        }
        let renewed = match &files {
            Ok((cert, key)) => certified((&self.cert, cert), (&self.key, key)),
            Err(error) => Err(anyhow::anyhow!("{error:#}")),
        };
        *tried = files.ok();
        match renewed {
            Ok(renewed) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = renewed;
                tracing::info!(cert = %self.cert.display(), "the new certificate is in use");
            }
            Err(error) => tracing::error!("the new certificate will not do, the old one is kept: {error:#}"),
        }
    }
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair").field("cert", &self.cert).finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Pair {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The pair that two files hold.
fn certified(cert: (&Path, &[u8]), key: (&Path, &[u8])) -> anyhow::Result<Arc<CertifiedKey>> {
    let (cert_file, key_file) = (cert.0.display(), key.0.display());
    let chain = CertificateDer::pem_slice_iter(cert.1).collect::<Result<Vec<_>, _>>();
    let chain = chain.with_context(|| format!("{cert_file} is not PEM"))?;
    if chain.is_empty() {
        bail!("{cert_file} holds no certificate (BEGIN CERTIFICATE)");
    }
    let private = match PrivateKeyDer::from_pem_slice(key.1) {
        Ok(private) => private,
        Err(PemError::NoItemsFound) => bail!("{key_file} holds no private key (BEGIN PRIVATE KEY)"),
        Err(error) => return Err(error).with_context(|| format!("{key_file} is not PEM")),
    };
    match CertifiedKey::from_der(chain, private, &default_provider()) {
        Ok(pair) => Ok(Arc::new(pair)),
        Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            bail!("the key in {key_file} is not that of the certificate in {cert_file}")
        }
        Err(rustls::Error::InvalidCertificate(error)) => bail!("{cert_file} holds no valid certificate: {error}"),
        Err(error) => Err(error).with_context(|| format!("the key in {key_file} will not do")),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::process::Command;

    use super::*;

    /// A self-signed certificate for localhost, and its key.
    pub(crate) struct Files {
        pub(crate) cert: PathBuf,
        pub(crate) key: PathBuf,
        _dir: tempfile::TempDir,
    }

    impl Files {
        pub(crate) fn load(&self) -> Tls {
            Tls::load(self.cert.clone(), self.key.clone()).unwrap()
        }
    }

    /// `None`, with a line that says so, where there is no openssl.
    pub(crate) fn certificate() -> Option<Files> {
        let dir = tempfile::tempdir().unwrap();
        let (cert, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
            .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&cert)
            .output();
        let Ok(made) = made else {
            eprintln!("skipped: there is no openssl to make a certificate with");
            return None;
        };
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Some(Files { cert, key, _dir: dir })
    }

    #[test]
    fn a_mistake_names_the_file_and_what_is_wrong() {
        let (Some(one), Some(other)) = (certificate(), certificate()) else { return };
        let text = |path: &Path| path.display().to_string();
        let (cert, key, foreign) = (text(&one.cert), text(&one.key), text(&other.key));
        let empty = text(&one.cert.with_file_name("empty.pem"));
        std::fs::write(&empty, "").unwrap();
        let broken = text(&one.cert.with_file_name("broken.pem"));
        std::fs::write(&broken, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
        let torn = text(&one.cert.with_file_name("torn.pem"));
        std::fs::write(&torn, &std::fs::read(&one.cert).unwrap()[..100]).unwrap();
        for (pairs, says) in [
            (vec![], vec![]),
            (vec![("X_CERT", &cert), ("X_KEY", &key)], vec![]),
            (vec![("X_CERT", &cert)], vec!["X_CERT is set and X_KEY is not"]),
            (vec![("X_KEY", &key)], vec!["X_KEY is set and X_CERT is not"]),
            (vec![("X_CERT", &cert), ("X_KEY", &foreign)], vec!["is not that of", &cert, &foreign]),
            (vec![("X_CERT", &empty), ("X_KEY", &key)], vec!["no certificate", &empty]),
            (vec![("X_CERT", &key), ("X_KEY", &key)], vec!["no certificate", &key]),
            (vec![("X_CERT", &broken), ("X_KEY", &key)], vec!["certificate", &broken]),
            (vec![("X_CERT", &torn), ("X_KEY", &key)], vec!["not PEM", &torn]),
            (vec![("X_CERT", &cert), ("X_KEY", &cert)], vec!["no private key", &cert]),
            (vec![("X_CERT", &"/nowhere".to_owned()), ("X_KEY", &key)], vec!["cannot read /nowhere"]),
        ] {
            let named = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).clone()));
            let mut settings = Settings::from_pairs(named);
            let tls = tls_settings(&mut settings, "X_CERT", "X_KEY");
            match settings.finish("X_", tls) {
                Ok(tls) => assert!(says.is_empty() && tls.is_some() != pairs.is_empty(), "{pairs:?}"),
                Err(mistakes) => {
                    let mistakes = mistakes.to_string();
                    assert!(!says.is_empty() && says.iter().all(|part| mistakes.contains(part)), "{mistakes}");
                }
            }
        }
    }

    #[test]
    fn only_a_pair_that_will_do_replaces_the_old_one() {
        let (Some(files), Some(renewed)) = (certificate(), certificate()) else { return };
        let tls = files.load();
        let shown = || tls.pair.current.read().unwrap().cert.clone();
        let old = shown();
        let renew = |cert: Option<&Path>, key: Option<&Path>| {
            cert.map(|cert| std::fs::copy(cert, &files.cert).unwrap());
            key.map(|key| std::fs::copy(key, &files.key).unwrap());
            tls.pair.renew();
        };
        // Half of a renewal, a file that is gone, and one that is something else.
        renew(Some(&renewed.cert), None);
        assert_eq!(shown(), old);
        std::fs::remove_file(&files.key).unwrap();
        tls.pair.renew();
        assert_eq!(shown(), old);
        renew(None, Some(&renewed.cert));
        assert_eq!(shown(), old);
        renew(None, Some(&renewed.key));
        assert_ne!(shown(), old);
    }
}
