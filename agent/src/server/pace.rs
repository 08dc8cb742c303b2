//! How long a connection may take: for the head of a request, and between two requests.
//!
//! hyper's own limit on the head also runs between requests, where SDKs keep connections for a minute. So what arrives
//! and what is answered is watched here: a head that was begun ends soon, a connection without one may rest.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How long a peer may take for a head; a new connection is expected to begin at once.
pub(super) const HEAD_WITHIN: Duration = Duration::from_secs(5);

/// How long a connection may rest between requests.
pub(super) const REST: Duration = Duration::from_secs(60);

/// How often it is looked whether the time is up.
const LOOK: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Head,
    Serving,
    Resting,
}

/// What a connection is doing, and since when. One number, since it changes twice a request.
#[derive(Debug)]
pub(super) struct Pace {
    began: Instant,
    /// Milliseconds since `began`, and the phase in the two lowest bits.
    state: AtomicU64,
    wanted_elsewhere: Notify,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            state: AtomicU64::new(encode(Duration::ZERO, Phase::Head)),
            wanted_elsewhere: Notify::new(),
        }
    }

    fn enter(&self, phase: Phase) {
        let state = encode(self.began.elapsed(), phase);
        self.state.store(state, Ordering::Relaxed);
    }

    /// Since when does not matter: what is being answered is not cut off.
    pub(super) fn serving(&self) {
        self.state
            .store(encode(Duration::ZERO, Phase::Serving), Ordering::Relaxed);
    }

    pub(super) fn resting(&self) {
        self.enter(Phase::Resting);
    }

    fn arrived(&self) {
        if self.now().0 == Phase::Resting {
            self.enter(Phase::Head);
        }
    }

    fn now(&self) -> (Phase, Instant) {
        let state = self.state.load(Ordering::Relaxed);
        let phase = match state & 3 {
            0 => Phase::Head,
            1 => Phase::Serving,
            _ => Phase::Resting,
        };
        (phase, self.began + Duration::from_millis(state >> 2))
    }

    /// Since when nothing is being answered here; `None` while something is.
    pub(super) fn unused_since(&self) -> Option<Instant> {
        let (phase, since) = self.now();
        (phase != Phase::Serving).then_some(since)
    }

    /// Asks the connection to make room for another.
    pub(super) fn give_way(&self) {
        self.wanted_elsewhere.notify_one();
    }

    /// Resolves when the connection has taken too long, or has to make room.
    pub(super) async fn over(&self) {
        loop {
            if tokio::time::timeout(LOOK, self.wanted_elsewhere.notified())
                .await
                .is_ok()
            {
                return;
            }
            let (phase, since) = self.now();
            let limit = match phase {
                Phase::Head => HEAD_WITHIN,
                Phase::Serving => continue,
                Phase::Resting => REST,
            };
            if since.elapsed() >= limit {
                return;
            }
        }
    }
}

fn encode(since: Duration, phase: Phase) -> u64 {
    let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX >> 2);
    let phase = match phase {
        Phase::Head => 0,
        Phase::Serving => 1,
        Phase::Resting => 2,
    };
    millis << 2 | phase
}

/// A connection that tells its pace when something arrives.
#[derive(Debug)]
pub(super) struct Paced {
    pub(super) stream: TcpStream,
    pub(super) pace: Arc<Pace>,
}

impl AsyncRead for Paced {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.pace.arrived();
        }
        read
    }
}

impl AsyncWrite for Paced {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn passes(pace: &Pace, time: Duration) -> bool {
        tokio::time::timeout(time, pace.over()).await.is_err()
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_ends_soon_and_a_rest_may_last() {
        let pace = Pace::new();
        assert!(passes(&pace, HEAD_WITHIN - LOOK).await);
        assert!(!passes(&pace, 2 * LOOK).await, "nothing came");
        pace.serving();
        assert!(passes(&pace, 10 * REST).await, "never cut while we work");
        assert_eq!(pace.unused_since(), None);
        pace.resting();
        assert!(passes(&pace, REST - LOOK).await);
        pace.arrived();
        assert!(passes(&pace, HEAD_WITHIN - LOOK).await);
        assert!(!passes(&pace, 2 * LOOK).await, "a head that does not end");
        pace.resting();
        assert!(
            !passes(&pace, REST + LOOK).await,
            "a rest that does not end"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn it_makes_room_when_asked() {
        let pace = Pace::new();
        pace.give_way();
        assert!(!passes(&pace, Duration::from_millis(1)).await);
    }
}
