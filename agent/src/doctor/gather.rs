//! Finds the facts. Whatever may hang runs on a thread of its own, and is not waited for beyond its time.

mod aws;
mod files;
mod machine;
mod network;

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::facts::{Configured, Facts, Here};
use super::told::Told;
use crate::config::environment::Environment;
use crate::config::{self, place};
use crate::domain::identity::{Identity, Store};
use crate::ports::Clock;
use crate::providers::keyring::{Desktop, probe};
use crate::providers::system::SystemClock;

/// For the configuration and its policies: a file may lie on a server that is gone.
const READING: Duration = Duration::from_secs(10);

/// For everything else, at the same time.
const LOOKING: Duration = Duration::from_secs(15);

/// Work on a thread of its own.
struct Pending<T>(Option<Receiver<T>>);

impl<T: Send + 'static> Pending<T> {
    /// Begins it. It ends with the process, if not before.
    fn begin(work: impl FnOnce() -> T + Send + 'static) -> Self {
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new().spawn(move || {
            let _nobody_waits = sender.send(work());
        });
        Self(thread.ok().map(|_| receiver))
    }

    /// Its result, if it is there in time.
    fn until(self, deadline: Instant) -> Option<T> {
        let left = deadline.saturating_duration_since(Instant::now());
        self.0?.recv_timeout(left).ok()
    }
}

/// Everything there is to know.
pub(super) fn everything(environment: &Environment, told: Told) -> Facts {
    let configured = configured(environment);
    let deadline = Instant::now() + LOOKING;
    let files = files::Places::of(environment, &told, &configured);
    let files = Pending::begin(move || files.look());
    let endpoints = network::reach(environment, &configured);
    let keyring = keyring(environment, &configured);
    Facts {
        us: rustix::process::geteuid().as_raw(),
        now: SystemClock.now(),
        told,
        here: Here {
            has_display: has_display(environment),
            has_runtime_directory: environment.xdg_runtime_dir.is_some(),
            has_session_bus: environment.dbus_session_bus_address.is_some(),
        },
        configured,
        machine: machine::look(),
        files: files.until(deadline),
        keyring: keyring.until(deadline),
        endpoints: endpoints.until(deadline),
    }
}

const fn has_display(environment: &Environment) -> bool {
    environment.display.is_some() || environment.wayland_display.is_some()
}

fn configured(environment: &Environment) -> Configured {
    let path = match place::configuration(environment) {
        Ok(path) => path,
        Err(nowhere) => return Configured::Nowhere(nowhere.to_string()),
    };
    let path = std::path::absolute(&path).unwrap_or(path);
    let read = {
        let path = path.clone();
        Pending::begin(move || read(path))
    };
    let read = read.until(Instant::now() + READING);
    read.unwrap_or(Configured::Late(path))
}

fn read(path: PathBuf) -> Configured {
    match config::load(&path) {
        Ok(config) => Configured::Valid(Box::new(config)),
        Err(_) if !path.exists() && path.symlink_metadata().is_err() => Configured::Missing(path),
        Err(errors) => {
            let lines = errors.0.iter().map(ToString::to_string).collect();
            Configured::Invalid(path, lines)
        }
    }
}

/// The identities of the configuration that are kept there.
fn kept_in(configured: &Configured, store: Store) -> impl Iterator<Item = &Identity> {
    let identities = configured.valid().into_iter();
    let identities = identities.flat_map(|config| config.settings.identities.values());
    identities
        .map(|identity| &**identity)
        .filter(move |identity| identity.store == store)
}

/// Nothing is asked of a keyring that no identity is in.
fn keyring(
    environment: &Environment,
    configured: &Configured,
) -> Pending<Result<probe::Sight, probe::Broken>> {
    let names: Vec<_> = kept_in(configured, Store::Keyring)
        .map(|identity| identity.name.clone())
        .collect();
    if names.is_empty() {
        return Pending(None);
    }
    let desktop = Desktop {
        bus_address: environment.dbus_session_bus_address.clone(),
        has_display: has_display(environment),
    };
    Pending::begin(move || probe::look(&desktop, &names))
}
