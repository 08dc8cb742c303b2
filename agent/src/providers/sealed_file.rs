//! Identities in files that a passphrase seals, for machines without a keyring.
//!
//! One file per identity, `NAME.age` with the name percent-encoded, 0600 in a directory 0700 of ours. The
//! format is that of age (docs/decisions/0001-sealed-file-format.md), so that in an emergency
//! `age -d NAME.age` shows the key without Jumpgate.

mod age;
mod directory;
#[cfg(any(test, feature = "fuzzed"))]
pub(crate) use age::fuzzed;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jumpgate_api::{Secret, leaving_no_trace, path_segment};
use zeroize::Zeroizing;

use super::stored_key;
use crate::domain::identity::Identity;
use crate::domain::name::IdentityName;
use crate::domain::rotation::StoredKey;
use crate::ports::{Answer, IdentityStore, StoreError};
use age::{Draw, OpenError, WorkFactor};
use directory::PrivateDirectory;

/// The longest passphrase, in bytes.
pub const MAX_PASSPHRASE: usize = 1024;

/// The directory of sealed identities.
///
/// scrypt and files block, so each answer's work runs on a blocking thread of the runtime. A dropped answer
/// does not stop it: a save that began is finished, and a file is always whole.
#[derive(Debug, Clone)]
pub struct SealedFileStore {
    directory: PathBuf,
    work: WorkFactor,
    /// One change at a time.
    changing: Arc<Mutex<()>>,
}

impl SealedFileStore {
    /// Keeps identities in this directory (`$XDG_STATE_HOME/jumpgate/identities`). Opens nothing yet; it is
    /// made when the first one is kept.
    #[must_use]
    pub fn new(directory: PathBuf) -> Self {
        Self {
            directory,
            work: WorkFactor::WRITTEN,
            changing: Arc::default(),
        }
    }

    /// With so little work that it is no protection.
    #[cfg(test)]
    fn trivial(directory: PathBuf) -> Self {
        let work = WorkFactor::TRIVIAL;
        Self {
            work,
            ..Self::new(directory)
        }
    }

    fn save_now(
        &self,
        name: &IdentityName,
        key: &StoredKey,
        passphrase: &Secret<String>,
    ) -> Result<(), StoreError> {
        if !self.work.fits() {
            return Err(no_memory());
        }
        let text = stored_key::encode(key)?;
        let sealed = age::seal(&text, passphrase, self.work, &draw()?);
        let _one_at_a_time = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        PrivateDirectory::open_or_make(&self.directory)?.replace(&file_name(name), &sealed)
    }

    fn remove_now(&self, name: &IdentityName) -> Result<(), StoreError> {
        let _one_at_a_time = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let directory = PrivateDirectory::open(&self.directory)?;
        match directory.map(|directory| directory.remove(&file_name(name))) {
            Some(Ok(true)) => Ok(()),
            Some(Ok(false)) | None => Err(StoreError::NothingStored),
            Some(Err(error)) => Err(error),
        }
    }
}

impl IdentityStore for SealedFileStore {
    fn load<'a>(
        &'a self,
        identity: &'a Identity,
        passphrase: Option<&'a Secret<String>>,
    ) -> Answer<'a, Result<StoredKey, StoreError>> {
        let (directory, name) = (self.directory.clone(), identity.name.clone());
        let passphrase = passphrase.cloned();
        Box::pin(blocking(move || {
            load_now(&directory, &name, passphrase.as_ref())
        }))
    }

    fn save<'a>(
        &'a self,
        identity: &'a Identity,
        key: &'a StoredKey,
        passphrase: Option<&'a Secret<String>>,
    ) -> Answer<'a, Result<(), StoreError>> {
        let (store, name) = (self.clone(), identity.name.clone());
        let (key, passphrase) = (key.clone(), passphrase.cloned());
        Box::pin(blocking(move || {
            store.save_now(&name, &key, usable(passphrase.as_ref())?)
        }))
    }

    fn remove<'a>(&'a self, identity: &'a Identity) -> Answer<'a, Result<(), StoreError>> {
        let (store, name) = (self.clone(), identity.name.clone());
        Box::pin(blocking(move || store.remove_now(&name)))
    }

    fn wants_passphrase(&self) -> bool {
        true
    }
}

/// A missing file is said before a missing passphrase: nobody is asked for what opens nothing.
fn load_now(
    directory: &Path,
    name: &IdentityName,
    passphrase: Option<&Secret<String>>,
) -> Result<StoredKey, StoreError> {
    let directory = PrivateDirectory::open(directory)?.ok_or(StoreError::NothingStored)?;
    let sealed = directory
        .read(&file_name(name), age::MAX_FILE)?
        .ok_or(StoreError::NothingStored)?;
    let text = age::open(&sealed, usable(passphrase)?).map_err(|error| match error {
        OpenError::WrongPassphrase => StoreError::WrongPassphrase,
        OpenError::NoMemory => no_memory(),
        OpenError::Malformed(what) => StoreError::Malformed {
            what: what.to_owned(),
        },
    })?;
    stored_key::decode(&text)
}

fn no_memory() -> StoreError {
    StoreError::Unavailable {
        what: "a sealed file takes 256 MiB of memory, more than the agent's limit leaves"
            .to_owned(),
        remedy: "raise the limit under which the agent is started: ulimit -v".to_owned(),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    // The thread goes back to its pool.
    let work = move || leaving_no_trace(work);
    let finished = tokio::task::spawn_blocking(work).await;
    finished.unwrap_or_else(|_| {
        Err(StoreError::Unavailable {
            what: "the work on the sealed file broke off".to_owned(),
            remedy: "see the agent's log".to_owned(),
        })
    })
}

fn usable(passphrase: Option<&Secret<String>>) -> Result<&Secret<String>, StoreError> {
    let passphrase = passphrase.ok_or(StoreError::PassphraseMissing)?;
    match passphrase.expose().len() {
        0 => Err(StoreError::PassphraseMissing),
        1..=MAX_PASSPHRASE => Ok(passphrase),
        _ => Err(StoreError::Unavailable {
            what: format!("the passphrase is longer than {MAX_PASSPHRASE} bytes"),
            remedy: "use a shorter one".to_owned(),
        }),
    }
}

/// Names may hold `/`: percent-encoded, one is a single component of a path, of at most 196 bytes.
pub(crate) fn file_name(name: &IdentityName) -> String {
    format!("{}.age", path_segment(name.as_str()))
}

fn draw() -> Result<Draw, StoreError> {
    let mut draw = Draw {
        file_key: Zeroizing::default(),
        salt: [0; 16],
        nonce: [0; 16],
    };
    getrandom::fill(&mut *draw.file_key)
        .and_then(|()| getrandom::fill(&mut draw.salt))
        .and_then(|()| getrandom::fill(&mut draw.nonce))
        .map_err(|error| StoreError::Unavailable {
            what: format!("the operating system gives no randomness: {error}"),
            remedy: "none from here; this should not happen on a running system".to_owned(),
        })?;
    Ok(draw)
}

#[cfg(test)]
mod tests;
