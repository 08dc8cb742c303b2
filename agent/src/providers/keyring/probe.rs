//! How the keyring stands, part by part. Nothing here unlocks or prompts.

use std::collections::HashMap;

use dbus_secret_service::{Collection, EncryptionType, Error as ServiceError, Item, SecretService};

use super::{Desktop, SERVICE, explain};
use crate::domain::name::IdentityName;
use crate::ports::StoreError;

/// The parts, in the order in which each needs the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The D-Bus session bus.
    Bus,
    /// The Secret Service on it.
    Service,
    /// The default collection.
    Collection,
}

/// The part that does not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Which.
    pub part: Part,
    /// Why, and what to do.
    pub error: StoreError,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// Whether the default collection is locked.
    pub locked: bool,
    /// The items of each identity that was asked for. In a locked collection, none may mean that nothing is told of
    /// them.
    pub items: Vec<usize>,
}

/// Looks at the keyring of this desktop, and for the items of these identities. Blocks, for as long as the bus does.
///
/// # Errors
/// The first part that does not work.
pub fn look(desktop: &Desktop, names: &[IdentityName]) -> Result<Sight, Broken> {
    desktop.has_bus().map_err(|error| Broken {
        part: Part::Bus,
        error,
    })?;
    let broken = |part: Part| {
        move |error: ServiceError| Broken {
            part: if explain::is_of_the_bus(&error) {
                Part::Bus
            } else {
                part
            },
            error: explain::of_the_service(&error, desktop),
        }
    };
    // No secret passes, so nothing is to be encrypted.
    let service = SecretService::connect(EncryptionType::Plain).map_err(broken(Part::Service))?;
    let collection = service.get_default_collection();
    let collection = collection.map_err(broken(Part::Collection))?;
    let locked = collection.is_locked().map_err(broken(Part::Collection))?;
    let items = names
        .iter()
        .map(|name| count(&service, &collection, locked, name).map_err(broken(Part::Collection)));
    Ok(Sight {
        locked,
        items: items.collect::<Result<_, _>>()?,
    })
}

/// While it is locked only the collection is searched: KeePassXC answers a search of the whole service with a prompt.
fn count(
    service: &SecretService,
    collection: &Collection<'_>,
    locked: bool,
    name: &IdentityName,
) -> Result<usize, ServiceError> {
    let attributes = HashMap::from([("service", SERVICE), ("username", name.as_str())]);
    if locked {
        let items: Vec<Item<'_>> = collection.search_items(attributes)?;
        return Ok(items.len());
    }
    let found = service.search_items(attributes)?;
    Ok(found.unlocked.len() + found.locked.len())
}
