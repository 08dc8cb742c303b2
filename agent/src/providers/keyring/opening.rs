//! A locked collection that tells nothing of its items is opened before it is searched.
//!
//! gnome-keyring tells of the items of a locked collection, and they are unlocked when one is found. KeePassXC does not: it
//! answers a search with nothing, or (as it is set up at first) with a dialog and only when that is answered, which is
//! longer than the library waits for any answer but a prompt's.

use dbus_secret_service::{EncryptionType, Error, SecretService};

/// Raises the keyring's own prompt if that is so, and waits for a person, however long it takes.
///
/// # Errors
/// There is no keyring, or the prompt was dismissed.
pub(super) fn open_if_mute() -> Result<(), Error> {
    // No secret passes, so nothing is to be encrypted.
    let service = SecretService::connect(EncryptionType::Plain)?;
    let collection = match service.get_default_collection() {
        // What is to be read may lie in another.
        Err(Error::NoResult) => return Ok(()),
        found => found?,
    };
    if collection.is_locked()? && collection.get_all_items()?.is_empty() {
        collection.unlock()?;
    }
    Ok(())
}
