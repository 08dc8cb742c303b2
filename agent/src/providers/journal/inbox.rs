//! What the writing thread waits for: records, or the time by which those before must be on disk.

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::MAX_BATCH;
use crate::domain::event::Event;
use crate::ports::JournalError;

/// A record that waits, and who waits for it.
pub(super) struct Job {
    pub(super) event: Event,
    pub(super) done: oneshot::Sender<Result<(), JournalError>>,
}

/// What the thread does next.
#[must_use]
pub(super) enum Next {
    /// Writes these: at least one, at most [`MAX_BATCH`].
    Jobs(Vec<Job>),
    /// Flushes.
    Due,
    /// Ends: nobody can send any more.
    Ended,
}

/// The queue's end, of the thread that made it.
pub(super) struct Inbox {
    queue: mpsc::Receiver<Job>,
    waker: Waker,
}

impl Inbox {
    /// For the thread that calls this.
    pub(super) fn new(queue: mpsc::Receiver<Job>) -> Self {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        Self { queue, waker }
    }

    /// Waits, without a timer unless something is due. What is due goes before what arrives, so that a stream of
    /// records cannot put it off.
    pub(super) fn next(&mut self, due: Option<Instant>) -> Next {
        loop {
            let left = due.map(|due| due.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Next::Due;
            }
            let mut context = Context::from_waker(&self.waker);
            match self.queue.poll_recv(&mut context) {
                Poll::Ready(Some(first)) => return Next::Jobs(self.batch(first)),
                Poll::Ready(None) => return Next::Ended,
                Poll::Pending => left.map_or_else(thread::park, thread::park_timeout),
            }
        }
    }

    fn batch(&mut self, first: Job) -> Vec<Job> {
        let mut jobs = vec![first];
        while jobs.len() < MAX_BATCH
            && let Ok(job) = self.queue.try_recv()
        {
            jobs.push(job);
        }
        jobs
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jumpgate_api::Timestamp;

    use super::*;
    use crate::domain::event::Activity;

    fn send(queue: &mpsc::Sender<Job>) {
        let (done, _) = oneshot::channel();
        let event = Event::new(Activity::LeaseServe, Timestamp::default());
        queue.try_send(Job { event, done }).ok().unwrap();
    }

    #[test]
    fn what_is_due_is_not_put_off_by_records() {
        let (queue, jobs) = mpsc::channel(1);
        let mut inbox = Inbox::new(jobs);
        send(&queue);
        assert!(matches!(inbox.next(Some(Instant::now())), Next::Due));
        assert!(matches!(inbox.next(None), Next::Jobs(jobs) if jobs.len() == 1));
        drop(queue);
        assert!(matches!(inbox.next(None), Next::Ended));
    }

    #[test]
    fn a_record_ends_the_wait_and_more_than_a_batch_is_left_for_the_next() {
        let (queue, jobs) = mpsc::channel(MAX_BATCH + 1);
        let reader = thread::spawn(move || {
            let mut inbox = Inbox::new(jobs);
            let mut sizes = Vec::new();
            while let Next::Jobs(jobs) = inbox.next(None) {
                sizes.push(jobs.len());
            }
            sizes
        });
        (0..=MAX_BATCH).for_each(|_| send(&queue));
        drop(queue);
        let sizes = reader.join().unwrap();
        assert_eq!(sizes.iter().sum::<usize>(), MAX_BATCH + 1);
        assert!(sizes.iter().all(|&size| size <= MAX_BATCH), "{sizes:?}");
    }
}
