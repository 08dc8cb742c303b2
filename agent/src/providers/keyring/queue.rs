//! Blocking calls, one after the other, on a thread of their own.
//!
//! An unlock prompt outlives its caller: it can be neither cancelled nor shown twice without harm (a dismissed
//! prompt ends some keyrings). So a call that began is finished, whoever waits; who comes for the same key
//! meanwhile joins the call; and a call that has not begun when nobody waits for it any more is left out.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jumpgate_api::leaving_no_trace;
use tokio::sync::oneshot;

use super::explain;
use crate::domain::name::IdentityName;
use crate::domain::rotation::StoredKey;
use crate::ports::StoreError;

/// The most calls that wait for their turn.
const MAX_WAITING: usize = 64;

/// What the thread does; every call may take as long as a person does.
pub(super) trait Vault: Send + 'static {
    fn load(&mut self, name: &IdentityName) -> Result<StoredKey, StoreError>;
    fn save(&mut self, name: &IdentityName, key: &StoredKey) -> Result<(), StoreError>;
    fn remove(&mut self, name: &IdentityName) -> Result<(), StoreError>;

    /// Forgets what a call that broke off may have left half done.
    fn disconnect(&mut self);

    /// Another one, to go on with where a call of this one never ends.
    fn renewed(&self) -> Option<Self>
    where
        Self: Sized;
}

type Outcome<T> = Result<T, StoreError>;
type Reply<T> = oneshot::Sender<Outcome<T>>;

/// Who waits for which key. An entry is there from the time a load is queued until it is answered.
type Loads = Arc<Mutex<HashMap<IdentityName, Vec<Reply<StoredKey>>>>>;

enum Call {
    Load(IdentityName),
    Save(IdentityName, StoredKey, Reply<()>),
    Remove(IdentityName, Reply<()>),
}

/// The waiting calls. The thread starts with the first one and ends with the queue.
pub(super) struct Queue<V> {
    state: Mutex<State<V>>,
}

enum State<V> {
    Idle(V),
    /// The thread's calls, those who wait for a key, and a vault to go on with.
    Running(SyncSender<Call>, Loads, Option<V>),
    /// The thread could not be started.
    Broken,
}

impl<V> std::fmt::Debug for Queue<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Queue")
    }
}

impl<V: Vault> Queue<V> {
    pub(super) fn new(vault: V) -> Self {
        Self {
            state: Mutex::new(State::Idle(vault)),
        }
    }

    /// Reads a key, with all who want the same one.
    pub(super) async fn load(&self, name: &IdentityName) -> Outcome<StoredKey> {
        let (reply, answer) = oneshot::channel();
        self.join(name, reply)?;
        answer.await.unwrap_or_else(|_| Err(explain::broke_off()))
    }

    pub(super) async fn save(&self, name: &IdentityName, key: &StoredKey) -> Outcome<()> {
        let (reply, answer) = oneshot::channel();
        self.push(Call::Save(name.clone(), key.clone(), reply))?;
        answer.await.unwrap_or_else(|_| Err(explain::broke_off()))
    }

    pub(super) async fn remove(&self, name: &IdentityName) -> Outcome<()> {
        let (reply, answer) = oneshot::channel();
        self.push(Call::Remove(name.clone(), reply))?;
        answer.await.unwrap_or_else(|_| Err(explain::broke_off()))
    }

    /// Gives up a call that never ends, with all that wait behind it. Its thread is left alone; the next call has another.
    pub(super) fn abandon(&self) {
        let mut state = locked(&self.state);
        if let State::Running(_, loads, spare) = &mut *state {
            // Those who wait are told by their dropped replies.
            locked(loads).clear();
            *state = spare.take().map_or(State::Broken, State::Idle);
        }
    }

    fn join(&self, name: &IdentityName, reply: Reply<StoredKey>) -> Outcome<()> {
        let mut state = locked(&self.state);
        let (calls, loads) = state.running()?;
        let mut loads = locked(loads);
        if let Some(waiting) = loads.get_mut(name) {
            waiting.push(reply);
            return Ok(());
        }
        send(calls, Call::Load(name.clone()))?;
        loads.insert(name.clone(), vec![reply]);
        Ok(())
    }

    fn push(&self, call: Call) -> Outcome<()> {
        send(locked(&self.state).running()?.0, call)
    }
}

impl<V: Vault> State<V> {
    /// The running thread, started if need be.
    fn running(&mut self) -> Outcome<(&SyncSender<Call>, &Loads)> {
        if let Self::Idle(_) = self {
            *self = match std::mem::replace(self, Self::Broken) {
                Self::Idle(vault) => start(vault)?,
                other => other,
            };
        }
        match self {
            Self::Running(calls, loads, _) => Ok((calls, loads)),
            Self::Idle(_) | Self::Broken => Err(explain::broke_off()),
        }
    }
}

fn send(calls: &SyncSender<Call>, call: Call) -> Outcome<()> {
    calls.try_send(call).map_err(|error| match error {
        TrySendError::Full(_) => explain::busy(),
        TrySendError::Disconnected(_) => explain::broke_off(),
    })
}

fn start<V: Vault>(vault: V) -> Outcome<State<V>> {
    let (sender, calls) = mpsc::sync_channel(MAX_WAITING);
    let (loads, spare) = (Loads::default(), vault.renewed());
    let served = Arc::clone(&loads);
    std::thread::Builder::new()
        .name("keyring".to_owned())
        .spawn(move || serve(vault, &calls, &served))
        .map_err(|_| explain::broke_off())?;
    Ok(State::Running(sender, loads, spare))
}

fn serve<V: Vault>(mut vault: V, calls: &Receiver<Call>, loads: &Loads) {
    while let Ok(call) = calls.recv() {
        leaving_no_trace(|| match call {
            Call::Load(name) => serve_load(&mut vault, &name, loads),
            Call::Save(name, key, reply) => answer(&mut vault, reply, |v| v.save(&name, &key)),
            Call::Remove(name, reply) => answer(&mut vault, reply, |v| v.remove(&name)),
        });
    }
}

fn serve_load<V: Vault>(vault: &mut V, name: &IdentityName, loads: &Loads) {
    if nobody_waits(name, loads) {
        return;
    }
    let outcome = unbroken(vault, |vault| vault.load(name));
    // Who comes from here on starts a new call.
    let waiting = locked(loads).remove(name).unwrap_or_default();
    for reply in waiting {
        let _ = reply.send(outcome.clone());
    }
}

fn nobody_waits(name: &IdentityName, loads: &Loads) -> bool {
    let mut loads = locked(loads);
    let gone = loads
        .get(name)
        .is_none_or(|waiting| waiting.iter().all(Reply::is_closed));
    if gone {
        loads.remove(name);
    }
    gone
}

fn answer<V: Vault>(vault: &mut V, reply: Reply<()>, call: impl FnOnce(&mut V) -> Outcome<()>) {
    if !reply.is_closed() {
        let _ = reply.send(unbroken(vault, call));
    }
}

/// A panic of the library ends the call, and not all calls to come.
fn unbroken<V: Vault, T>(vault: &mut V, call: impl FnOnce(&mut V) -> Outcome<T>) -> Outcome<T> {
    catch_unwind(AssertUnwindSafe(|| call(vault))).unwrap_or_else(|_| {
        vault.disconnect();
        Err(explain::broke_off())
    })
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
