//! Whom a TLS connection to STS trusts: the system's certificate store, or exactly one `ca_bundle`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Error, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use hyper_rustls::ConfigBuilderExt;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};

/// The largest `ca_bundle`, in bytes. The bundles of whole operating systems have about 220 kB.
pub const MAX_CA_BUNDLE_BYTES: u64 = 4 * 1_024 * 1_024;

/// The most bundles that are remembered; beyond that they are read again.
const MAX_REMEMBERED: usize = 64;

/// Certificates that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum TrustError {
    /// The system's store.
    #[error("the system's certificate store cannot be used: {0}")]
    System(Error),
    /// A bundle of the configuration.
    #[error("the ca_bundle {} cannot be used: {why}", path.display())]
    Bundle {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The cryptography that was built in does not fit.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// TLS settings by what they trust. Loaded on first use: the system's store once, a bundle whenever its file
/// has changed.
#[derive(Debug, Default)]
pub(super) struct TrustStore {
    remembered: Mutex<HashMap<Option<PathBuf>, Remembered>>,
}

#[derive(Debug)]
struct Remembered {
    stamp: Option<Stamp>,
    tls: Arc<ClientConfig>,
}

/// When a file was changed, and its size.
type Stamp = (SystemTime, u64);

impl TrustStore {
    /// The settings that trust `bundle`, or the system without one. Reads files: not for an async thread.
    pub(super) fn load(&self, bundle: Option<&Path>) -> Result<Arc<ClientConfig>, TrustError> {
        let key = bundle.map(Path::to_path_buf);
        let stamp = bundle.map(stamp_of).transpose()?;
        if let Some(known) = self.lock().get(&key)
            && known.stamp == stamp
        {
            return Ok(Arc::clone(&known.tls));
        }
        let tls = Arc::new(match bundle {
            Some(path) => trusting_bundle(path)?,
            None => trusting_system()?,
        });
        let mut remembered = self.lock();
        if remembered.len() >= MAX_REMEMBERED {
            remembered.clear();
        }
        let tls_of_this = Arc::clone(&tls);
        remembered.insert(
            key,
            Remembered {
                stamp,
                tls: tls_of_this,
            },
        );
        Ok(tls)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Option<PathBuf>, Remembered>> {
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn unusable(path: &Path, why: impl std::fmt::Display) -> TrustError {
    TrustError::Bundle {
        path: path.to_path_buf(),
        why: why.to_string(),
    }
}

fn stamp_of(path: &Path) -> Result<Stamp, TrustError> {
    let about = path.metadata().map_err(|error| unusable(path, error))?;
    if !about.is_file() {
        return Err(unusable(path, "not a file"));
    }
    if about.len() > MAX_CA_BUNDLE_BYTES {
        let why = format!("larger than {MAX_CA_BUNDLE_BYTES} bytes");
        return Err(unusable(path, why));
    }
    let changed = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    Ok((changed, about.len()))
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, TrustError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?)
}

fn trusting_system() -> Result<ClientConfig, TrustError> {
    let with_roots = builder()?.with_native_roots().map_err(TrustError::System)?;
    Ok(with_roots.with_no_client_auth())
}

fn trusting_bundle(path: &Path) -> Result<ClientConfig, TrustError> {
    let pem = read_at_most(path, MAX_CA_BUNDLE_BYTES).map_err(|error| unusable(path, error))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| unusable(path, error))?;
        roots
            .add(certificate)
            .map_err(|error| unusable(path, error))?;
    }
    if roots.is_empty() {
        return Err(unusable(path, "no PEM certificate in it"));
    }
    Ok(builder()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn read_at_most(path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(Error::new(
            ErrorKind::FileTooLarge,
            format!("larger than {limit} bytes"),
        ));
    }
    Ok(bytes)
}
