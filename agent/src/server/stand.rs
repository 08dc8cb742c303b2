//! The endpoints that stand: what the transport knows of each, and how a session gets out of the broker.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jumpgate_api::Secret;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use super::holder::Caller;
use crate::broker::endpoints::OpenEndpoint;
use crate::broker::{Broker, Failure};
use crate::domain::grant::Ask;
use crate::domain::name::LeaseId;
use crate::domain::serve::{Serve, Speaks};
use crate::domain::session::Session;

/// A request without a token from a process that was refused so short a time ago is its second way to ask for the same.
const SAME_AGAIN: Duration = Duration::from_secs(10);

/// Most requests for one session that are worked on at a time; more wait, and nobody at another endpoint does.
pub(super) const MAX_IN_SERVICE: usize = 64;

/// An endpoint that is reachable.
pub(super) struct Stand {
    pub(super) open: Arc<OpenEndpoint>,
    /// Where: the full URI of container credentials, the root of IMDS.
    pub(super) url: String,
    /// What the `Authorization` header must hold; IMDS makes its own tokens.
    pub(super) token: Option<Secret<String>>,
    /// The section of the configuration that it stands by.
    pub(super) serve: Option<Serve>,
    /// Whether it ends with the process that asked for it.
    pub(super) until_exit: bool,
    pub(super) closing: watch::Sender<bool>,
    in_service: Semaphore,
    refused: Mutex<Option<(u32, Instant, Failure)>>,
}

impl Stand {
    pub(super) fn new(open: Arc<OpenEndpoint>, url: String, until_exit: bool) -> Self {
        Self {
            open,
            url,
            token: None,
            serve: None,
            until_exit,
            closing: watch::Sender::new(false),
            in_service: Semaphore::new(MAX_IN_SERVICE),
            refused: Mutex::default(),
        }
    }

    /// What a token of IMDS is for: the section, which an earlier agent had too, or the lease.
    pub(super) fn token_name(&self) -> &str {
        match &self.serve {
            Some(serve) => serve.name.as_str(),
            None => self.open.lease.as_str(),
        }
    }

    /// Whether it is served to requests without a token (IMDSv1).
    pub(super) fn allows_v1(&self) -> bool {
        let speaks = self.serve.as_ref().map(|serve| serve.speaks);
        speaks == Some(Speaks::Imds { v1: true })
    }

    /// The session for this caller, rendered. What it gets is on record before it leaves, with this note.
    pub(super) async fn hand_out(
        &self,
        broker: &Arc<Broker>,
        caller: &Caller,
        note: Option<&'static str>,
        render: fn(&Session) -> Secret<Vec<u8>>,
    ) -> Result<Arc<Secret<Vec<u8>>>, Failure> {
        let peer = caller.peer().await;
        let turn = self.in_service.acquire().await;
        let handed = broker.serve_endpoint(&self.open, peer, note).await;
        drop(turn);
        if *self.closing.borrow() {
            return Err(Failure::NoSuchLease(self.open.lease.clone()));
        }
        match handed {
            Ok(handed) => Ok(handed.body(render)),
            Err(failure) => {
                *self.refused() = Some((peer.pid, Instant::now(), failure.clone()));
                Err(failure)
            }
        }
    }

    /// What this process was refused with a moment ago. Of one that is not known nothing can be said.
    pub(super) fn refused_lately(&self, pid: u32) -> Option<Failure> {
        let refused = self.refused();
        let (refused_pid, when, failure) = refused.as_ref()?;
        (pid != 0 && *refused_pid == pid && when.elapsed() < SAME_AGAIN).then(|| failure.clone())
    }

    fn refused(&self) -> MutexGuard<'_, Option<(u32, Instant, Failure)>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All of them, by lease.
#[derive(Default)]
pub(super) struct Stands(Mutex<HashMap<LeaseId, Arc<Stand>>>);

impl Stands {
    fn all(&self) -> MutexGuard<'_, HashMap<LeaseId, Arc<Stand>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, stand: Arc<Stand>) {
        self.all().insert(stand.open.lease.clone(), stand);
    }

    pub(super) fn find(&self, lease: &LeaseId) -> Option<Arc<Stand>> {
        self.all().get(lease).cloned()
    }

    /// Takes one down: from here on it answers nobody.
    pub(super) fn take(&self, lease: &LeaseId) -> Option<Arc<Stand>> {
        let stand = self.all().remove(lease)?;
        stand.closing.send_replace(true);
        Some(stand)
    }

    /// Those that stand for the same ask and do not end with a process.
    pub(super) fn standing(&self, ask: &Ask) -> Vec<Arc<Stand>> {
        let same = |stand: &&Arc<Stand>| !stand.until_exit && stand.open.ask == *ask;
        self.all().values().filter(same).cloned().collect()
    }

    /// The oldest first: their leases are in the order of time.
    pub(super) fn list(&self) -> Vec<Arc<Stand>> {
        let mut list: Vec<_> = self.all().values().cloned().collect();
        list.sort_by(|a, b| a.open.lease.cmp(&b.open.lease));
        list
    }
}
