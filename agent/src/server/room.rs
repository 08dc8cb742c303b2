//! Room for connections to the endpoints: so many at a time, and the one that rested longest goes when a new one comes.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::pace::Pace;

/// Most connections to all endpoints at a time.
pub(super) const MAX_CONNECTIONS: usize = 512;

/// Where connections stay.
#[derive(Debug)]
pub(super) struct Room {
    free: Arc<Semaphore>,
    guests: Mutex<Vec<Weak<Pace>>>,
}

impl Room {
    pub(super) fn new(size: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(size)),
            guests: Mutex::default(),
        }
    }

    /// A place; waits until there is one. `None` never: the semaphore is not closed.
    pub(super) async fn enter(&self, pace: &Arc<Pace>) -> Option<OwnedSemaphorePermit> {
        if self.free.available_permits() == 0 {
            self.send_one_away();
        }
        let place = Arc::clone(&self.free).acquire_owned().await.ok()?;
        let mut guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
        // Those who left are swept out when the list has doubled.
        if guests.len() == guests.capacity() {
            guests.retain(|guest| guest.strong_count() > 0);
        }
        guests.push(Arc::downgrade(pace));
        Some(place)
    }

    fn send_one_away(&self) {
        let mut guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
        guests.retain(|guest| guest.strong_count() > 0);
        let present = guests.iter().filter_map(Weak::upgrade);
        let unused = present.filter_map(|pace| Some((pace.unused_since()?, pace)));
        if let Some((_, pace)) = unused.min_by_key(|(since, _)| *since) {
            pace.give_way();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_rested_longest_goes() {
        let room = Room::new(2);
        let (busy, first, second) = (Pace::new(), Pace::new(), Pace::new());
        let (busy, first, second) = (Arc::new(busy), Arc::new(first), Arc::new(second));
        busy.serving();
        let _busy = room.enter(&busy).await;
        let place = room.enter(&first).await;
        tokio::time::advance(Duration::from_millis(1)).await;
        let leaving = async {
            first.over().await;
            drop(place);
        };
        let (entered, ()) = tokio::join!(room.enter(&second), leaving);
        assert!(entered.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_served_stays() {
        let room = Room::new(1);
        let (busy, new) = (Arc::new(Pace::new()), Arc::new(Pace::new()));
        busy.serving();
        let _busy = room.enter(&busy).await;
        let second = tokio::time::timeout(Duration::from_secs(60), room.enter(&new));
        assert!(second.await.is_err());
    }
}
