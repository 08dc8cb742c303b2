//! Refusals, recorded once for a storm of them.
//!
//! The SDKs repeat a refused request three to six times within some seconds, and a hundred workers of one tool
//! fail together. Refusals of one kind within ten seconds become one record with a count. Nothing leaves with a
//! refusal, so its record may be written after the reply; it is written early when the journal is read, on lock
//! and at the end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::domain::event::Event;
use crate::domain::notice::Notice;
use crate::ports::{Journal, Notifier};

/// How long refusals of one kind are gathered.
pub(super) const WINDOW: Duration = Duration::from_secs(10);

/// Most kinds that are gathered at a time; what comes beyond it waits for its record, so that a flood of
/// refusals is no faster than the disk.
const MAX_KINDS: usize = 256;

/// While this many kinds are gathered, the desktop is shown no more of them.
const MAX_SHOWN: usize = 3;

/// What makes two refusals one of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Kind {
    profile: Option<String>,
    rule: Option<String>,
    interface: Option<&'static str>,
    code: Option<String>,
    detail: Option<String>,
    uid: Option<u32>,
    executable: Option<String>,
}

impl From<&Event> for Kind {
    fn from(event: &Event) -> Self {
        Self {
            profile: event.facts.profile.clone(),
            rule: event.facts.rule.clone(),
            interface: event.facts.interface.map(jumpgate_api::Interface::as_str),
            code: event.facts.code.clone(),
            detail: event.failure.clone(),
            uid: event.peer.as_ref().map(|peer| peer.uid),
            executable: event.peer.as_ref().and_then(|peer| peer.executable.clone()),
        }
    }
}

/// The refusals of the last seconds.
#[derive(Clone)]
pub(super) struct Denials {
    open: Arc<Mutex<HashMap<Kind, Event>>>,
    writing: Arc<watch::Sender<usize>>,
    journal: Arc<dyn Journal>,
    notifier: Arc<dyn Notifier>,
}

/// A record on its way to the journal, for [`Denials::flush`] to wait for.
struct Writing(Arc<watch::Sender<usize>>);

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Denials {
    pub(super) fn new(journal: Arc<dyn Journal>, notifier: Arc<dyn Notifier>) -> Self {
        Self {
            open: Arc::default(),
            writing: Arc::new(watch::channel(0).0),
            journal,
            notifier,
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Kind, Event>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a refusal, or writes it where there are too many kinds of them.
    pub(super) async fn note(&self, event: Event) {
        if let Some(event) = self.gather(event) {
            self.write(event, self.writing()).await;
        }
    }

    /// Counts a refusal; the first of its kind starts the window. Returns one that there is no room for.
    fn gather(&self, mut event: Event) -> Option<Event> {
        let kind = Kind::from(&event);
        let mut open = self.open();
        if let Some(first) = open.get_mut(&kind) {
            first.facts.count = first.facts.count.map(|count| count + 1);
            return None;
        }
        event.facts.count = Some(1);
        if open.len() >= MAX_KINDS {
            return Some(event);
        }
        let notice = Notice::refused(&event).filter(|_| open.len() < MAX_SHOWN);
        open.insert(kind.clone(), event);
        if let Some(notice) = notice {
            self.notifier.show(notice);
        }
        drop(open);
        let this = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(WINDOW).await;
            this.close(&kind).await;
        });
        None
    }

    fn writing(&self) -> Writing {
        self.writing.send_modify(|count| *count += 1);
        Writing(Arc::clone(&self.writing))
    }

    async fn close(&self, kind: &Kind) {
        let writing = self.writing();
        let event = self.open().remove(kind);
        if let Some(event) = event {
            self.write(event, writing).await;
        }
    }

    /// Records what is open, and waits for what is being recorded. Called before the journal is read, on lock
    /// and at the end.
    pub(super) async fn flush(&self) {
        let (this, writing) = (self.clone(), self.writing());
        let open = std::mem::take(&mut *self.open());
        // A reader who goes away takes no record along.
        tokio::spawn(async move {
            for event in open.into_values() {
                this.write(event, this.writing()).await;
            }
            drop(writing);
        });
        let mut writing = self.writing.subscribe();
        // The sender is ours: it cannot be gone.
        let _none = writing.wait_for(|count| *count == 0).await;
    }

    async fn write(&self, event: Event, _writing: Writing) {
        if let Err(error) = self.journal.record(event).await {
            tracing::error!(%error, "a refusal could not be recorded");
        }
    }
}
