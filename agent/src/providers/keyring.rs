//! Identities in the desktop's keyring, by the Secret Service on the D-Bus session bus.
//!
//! One small item per identity in the default collection, with the attributes `service` = `jumpgate` and
//! `username` = its name (the names are the library's), labelled `Jumpgate identity NAME`. It is written when
//! the identity is added and never on a read.
//!
//! The library blocks, and its calls may wait for a person who types a password: see `queue`. It needs nothing
//! below `/proc/self`, which a process that is not dumpable cannot read.

mod explain;
mod opening;
mod owner;
pub mod probe;
mod queue;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use dbus_secret_service_keyring_store::Store;
use jumpgate_api::Secret;
use keyring_core::api::CredentialStoreApi as _;
use keyring_core::{Entry, Error};
use zeroize::Zeroizing;

use super::stored_key;
use crate::domain::identity::Identity;
use crate::domain::name::IdentityName;
use crate::domain::rotation::StoredKey;
use crate::ports::{Answer, IdentityStore, StoreError};
use queue::{Queue, Vault};

/// How long a caller waits by default: an unlock prompt may be on the screen, for a save as for a read.
pub const DEFAULT_WAIT: Duration = Duration::from_secs(50);

/// How long a read takes at most for a caller who counts those who wait, and gives up when the last does: no
/// `prompt_wait` is longer.
const LONGEST_WAIT: Duration = Duration::from_secs(660);

/// The attribute that all our items share.
const SERVICE: &str = "jumpgate";

/// Where the keyring is, and who could unlock it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desktop {
    /// `DBUS_SESSION_BUS_ADDRESS`, if it is set.
    ///
    /// The C library below reads that variable itself, once per process, and takes no other address. This copy
    /// decides whether it is called at all: without an address it would start a bus of its own.
    pub bus_address: Option<String>,
    /// Whether `DISPLAY` or `WAYLAND_DISPLAY` is set. On a locked keyring, no display and a person who presses
    /// Cancel make the same error.
    pub has_display: bool,
}

impl Desktop {
    /// Before anything is called that would connect to a bus.
    fn has_bus(&self) -> Result<(), StoreError> {
        let address = self.bus_address.as_deref();
        if address.is_none_or(str::is_empty) {
            return Err(explain::no_bus("DBUS_SESSION_BUS_ADDRESS is not set"));
        }
        Ok(())
    }
}

/// The desktop's keyring. Nothing is connected to before the first call.
#[derive(Debug)]
pub struct KeyringStore {
    queue: Queue<SecretService>,
    address: Option<String>,
    wait: Duration,
    wait_for_read: Duration,
}

impl KeyringStore {
    /// The keyring of this desktop; each caller waits at most this long ([`DEFAULT_WAIT`]).
    #[must_use]
    pub fn new(desktop: Desktop, wait: Duration) -> Self {
        let address = desktop.bus_address.clone();
        let vault = SecretService {
            desktop,
            connection: None,
        };
        Self {
            queue: Queue::new(vault),
            address,
            wait,
            wait_for_read: wait,
        }
    }

    /// Lets the caller end a read: it takes as long as somebody waits for it.
    #[must_use]
    pub const fn read_patiently(mut self) -> Self {
        self.wait_for_read = LONGEST_WAIT;
        self
    }

    async fn in_time<T>(
        &self,
        wait: Duration,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        tokio::select! {
            biased;
            answer = answer => answer,
            () = tokio::time::sleep(wait) => Err(explain::late(wait)),
            () = owner::ended(self.address.as_deref()) => {
                self.queue.abandon();
                Err(explain::ended())
            }
        }
    }
}

impl IdentityStore for KeyringStore {
    fn load<'a>(
        &'a self,
        identity: &'a Identity,
        _: Option<&'a Secret<String>>,
    ) -> Answer<'a, Result<StoredKey, StoreError>> {
        Box::pin(self.in_time(self.wait_for_read, self.queue.load(&identity.name)))
    }

    fn save<'a>(
        &'a self,
        identity: &'a Identity,
        key: &'a StoredKey,
        _: Option<&'a Secret<String>>,
    ) -> Answer<'a, Result<(), StoreError>> {
        Box::pin(self.in_time(self.wait, self.queue.save(&identity.name, key)))
    }

    fn remove<'a>(&'a self, identity: &'a Identity) -> Answer<'a, Result<(), StoreError>> {
        Box::pin(self.in_time(self.wait, self.queue.remove(&identity.name)))
    }

    fn wants_passphrase(&self) -> bool {
        false
    }
}

/// The blocking side; lives on the queue's thread. One connection, kept while it works.
struct SecretService {
    desktop: Desktop,
    connection: Option<Arc<Store>>,
}

impl SecretService {
    /// One call. A kept connection may have died with its bus or its keyring since the last one, so a failure on
    /// it is tried once more on a new one; every call here can be made twice.
    fn call<T>(
        &mut self,
        name: &IdentityName,
        call: impl Fn(&Entry) -> keyring_core::Result<T>,
    ) -> Result<T, StoreError> {
        self.desktop.has_bus()?;
        opening::open_if_mute().map_err(|error| explain::of_the_service(&error, &self.desktop))?;
        let kept = self.connection.is_some();
        let mut result = self.attempt(name, &call);
        if kept && matches!(result, Err(Error::PlatformFailure(_))) {
            result = self.attempt(name, &call);
        }
        result.map_err(|error| explain::explain(&error, &self.desktop))
    }

    fn attempt<T>(
        &mut self,
        name: &IdentityName,
        call: impl Fn(&Entry) -> keyring_core::Result<T>,
    ) -> keyring_core::Result<T> {
        let result = self.entry(name).and_then(|entry| call(&entry));
        if matches!(result, Err(Error::PlatformFailure(_))) {
            self.connection = None;
        }
        result
    }

    /// Says which item is meant; finds or makes nothing yet.
    fn entry(&mut self, name: &IdentityName) -> keyring_core::Result<Entry> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => Store::new()?,
        };
        let label = format!("Jumpgate identity {name}");
        let modifiers = HashMap::from([("label", label.as_str())]);
        let entry = connection.build(SERVICE, name.as_str(), Some(&modifiers));
        self.connection = Some(connection);
        entry
    }
}

impl Vault for SecretService {
    fn load(&mut self, name: &IdentityName) -> Result<StoredKey, StoreError> {
        let text = self.call(name, |entry| entry.get_secret().map(Zeroizing::new))?;
        stored_key::decode(&text)
    }

    fn save(&mut self, name: &IdentityName, key: &StoredKey) -> Result<(), StoreError> {
        let text = stored_key::encode(key)?;
        self.call(name, |entry| entry.set_secret(&text))
    }

    /// Removes also what another program put beside it: afterwards there is nothing under this name.
    fn remove(&mut self, name: &IdentityName) -> Result<(), StoreError> {
        self.call(name, |entry| match entry.delete_credential() {
            Err(Error::Ambiguous(entries)) => entries.iter().try_for_each(Entry::delete_credential),
            result => result,
        })
    }

    fn disconnect(&mut self) {
        self.connection = None;
    }

    fn renewed(&self) -> Option<Self> {
        Some(Self {
            desktop: self.desktop.clone(),
            connection: None,
        })
    }
}

#[cfg(test)]
mod tests;
