//! One loopback listener for SDKs and its limits, whatever it serves.
//!
//! A connection is asked for its owner right after it was accepted, while it is established; another user's gets nothing
//! but the refusal. Then: a head of 16 KiB within 5 s, no body to speak of, a rest of a minute between requests, an answer within
//! [`DEADLINE`], no redirect, no CORS header, nothing kept by caches.

use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use jumpgate_api::MAX_HEAD_BYTES;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use super::crowd::Crowd;
use super::guard::{self, ForeignHead, Ours};
use super::holder::{Caller, Holders};
use super::pace::{Pace, Paced};
use super::reply::{More, Reply};
use super::room::Room;
use super::tcp_peer::{self, Owner, TcpPeers};
use crate::domain::peer::{Peer, Stranger};
use crate::ports::Answer;

/// An answer leaves by then: some SDKs give up after a second (Java, PHP, C++).
pub(super) const DEADLINE: Duration = Duration::from_millis(750);

/// Most connections of strangers that are told so at a time; the others are just closed. They take no room from ours.
const MAX_STRANGERS: usize = 16;

/// Longest body that is let pass, and not looked at.
const MAX_BODY: u64 = 1_024;

/// How long answers under way may take when a listener closes.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How long the record of an answer that is late already may delay it.
const NOTED_WITHIN: Duration = Duration::from_millis(50);

/// Why a request is not answered by its site.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// No SDK sent it.
    #[error(transparent)]
    Foreign(#[from] ForeignHead),
    /// Another user, or nobody that is known.
    #[error(transparent)]
    Stranger(#[from] Stranger),
    /// It has a body that nobody asked for.
    #[error("a request here has no body")]
    Body,
    /// Its process asks too much at a time.
    #[error("too many requests of one process at a time; try again")]
    Crowd,
    /// hyper answers it with 400 or 431.
    #[error("what came is no HTTP request, or its head is too large")]
    Malformed,
    /// No answer in time.
    #[error("no answer in time; try again")]
    Late,
}

/// What a listener serves.
pub(super) trait Site: Send + Sync + 'static {
    /// The address at which AWS has this interface.
    const AT_AWS: &'static str;

    /// Answers a request that the guard let pass.
    fn answer<'a>(
        &'a self,
        caller: &'a Caller,
        request: &'a Request<Incoming>,
    ) -> Answer<'a, Reply>;

    /// The words for a refusal.
    fn refuse(&self, refusal: &Refusal) -> Reply;

    /// Puts a refusal on record.
    fn note(&self, peer: Peer, why: String) -> Answer<'_, ()>;

    /// Refuses what is no request for credentials at all: on record, and slower for who does so again and again.
    fn turned_away<'a>(&'a self, caller: &'a Caller, why: &'a str) -> Answer<'a, ()> {
        Box::pin(async move {
            let peer = caller.peer().await.clone();
            self.note(peer, why.to_owned()).await;
            caller.refused().await;
        })
    }
}

/// What all listeners share.
#[derive(Debug)]
pub(super) struct House {
    pub(super) uid: u32,
    peers: TcpPeers,
    holders: Arc<Holders>,
    crowd: Arc<Crowd>,
    room: Room,
    strangers: Arc<Semaphore>,
}

impl House {
    /// # Errors
    /// The kernel cannot be asked for the owners of connections.
    pub(super) fn new(uid: u32) -> io::Result<Self> {
        Ok(Self {
            uid,
            peers: TcpPeers::new()?,
            holders: Arc::default(),
            crowd: Arc::default(),
            room: Room::new(super::room::MAX_CONNECTIONS),
            strangers: Arc::new(Semaphore::new(MAX_STRANGERS)),
        })
    }
}

/// A listener and what it serves.
pub(super) struct Listener<S> {
    house: Arc<House>,
    site: S,
    port: u16,
}

/// Binds a port of the kernel's choice on 127.0.0.1; no other address, ever.
pub(super) async fn bind() -> io::Result<(TcpListener, u16)> {
    bind_at(0).await
}

/// Binds this port on 127.0.0.1; 0 for the kernel's choice.
pub(super) async fn bind_at(port: u16) -> io::Result<(TcpListener, u16)> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

impl<S: Site> Listener<S> {
    pub(super) fn new(house: Arc<House>, site: S, port: u16) -> Arc<Self> {
        Arc::new(Self { house, site, port })
    }

    /// Serves until `closing` says so, or nobody can say so any more.
    pub(super) async fn serve(
        self: Arc<Self>,
        socket: TcpListener,
        closing: watch::Receiver<bool>,
    ) {
        let mut closes = closing.clone();
        loop {
            let accepted = tokio::select! {
                () = told(&mut closes) => return,
                accepted = socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => self.admit(stream, &closing).await,
                Err(error) => {
                    // Out of descriptors: those in use end by their own limits.
                    tracing::warn!(%error, "accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    async fn admit(self: &Arc<Self>, stream: TcpStream, closing: &watch::Receiver<bool>) {
        let owner = self.owner(&stream).await;
        let pace = Arc::new(Pace::new());
        let place = match owner {
            Ok(_) => self.house.room.enter(&pace).await,
            Err(_) => Arc::clone(&self.house.strangers).try_acquire_owned().ok(),
        };
        let Some(place) = place else {
            return;
        };
        let (this, closing) = (Arc::clone(self), closing.clone());
        tokio::spawn(async move {
            this.connection(stream, owner, pace, closing).await;
            drop(place);
        });
    }

    async fn owner(&self, stream: &TcpStream) -> Result<Owner, Stranger> {
        let nobody = Peer {
            pid: 0,
            uid: u32::MAX,
            executable: None,
            origin: None,
        };
        let _small_answers_leave_at_once = stream.set_nodelay(true);
        let owner = match (stream.peer_addr(), stream.local_addr()) {
            (Ok(peer), Ok(local)) => {
                tcp_peer::admitted(&self.house.peers, peer, local, self.house.uid)
            }
            _ => Err((nobody, Stranger::Unknown)),
        };
        match owner {
            Ok(owner) => Ok(owner),
            Err((peer, stranger)) => {
                self.site.note(peer, stranger.to_string()).await;
                Err(stranger)
            }
        }
    }

    async fn connection(
        &self,
        stream: TcpStream,
        owner: Result<Owner, Stranger>,
        pace: Arc<Pace>,
        mut closing: watch::Receiver<bool>,
    ) {
        let (holders, crowd) = (&self.house.holders, &self.house.crowd);
        let caller = owner.map(|owner| Caller::new(owner, Arc::clone(holders), Arc::clone(crowd)));
        let service = hyper::service::service_fn(|request| {
            pace.serving();
            async {
                let reply = match &caller {
                    Ok(caller) => self.respond(caller, request).await,
                    Err(stranger) => self.last_word(&Refusal::from(stranger.clone())),
                };
                pace.resting();
                Ok::<_, Infallible>(Response::from(reply))
            }
        });
        let paced = Paced {
            stream,
            pace: Arc::clone(&pace),
        };
        let connection = hyper::server::conn::http1::Builder::new()
            .header_read_timeout(None)
            .max_buf_size(MAX_HEAD_BYTES)
            // Or it would look for the peer's end behind each request, into another 8 KiB that are wiped again. Who leaves
            // before its answer is noticed when that is written, within its deadline.
            .half_close(true)
            .serve_connection(TokioIo::new(paced), service);
        tokio::pin!(connection);
        // In this order: what has come is read before it is looked whether the connection has to go.
        tokio::select! {
            biased;
            served = connection.as_mut() => {
                if let Err(error) = served {
                    self.note_broken(&error, &caller).await;
                }
                return;
            }
            () = pace.over() => if pace.unused_since().is_some() {
                return;
            },
            () = told(&mut closing) => {}
        }
        connection.as_mut().graceful_shutdown();
        let _cut_off = tokio::time::timeout(LAST_WORDS, connection).await;
    }

    pub(super) async fn respond(&self, caller: &Caller, request: Request<Incoming>) -> Reply {
        let (port, at_aws) = (self.port, S::AT_AWS);
        let ours = Ours { port, at_aws };
        let answer = pin!(async {
            let Some(_attended) = caller.attended().await else {
                self.note(caller, &Refusal::Crowd).await;
                return self.last_word(&Refusal::Crowd);
            };
            if let Err(foreign) = guard::from_an_sdk(request.uri(), request.headers(), ours) {
                let foreign = Refusal::from(foreign);
                self.note(caller, &foreign).await;
                caller.refused().await;
                return self.site.refuse(&foreign);
            }
            if request
                .body()
                .size_hint()
                .exact()
                .is_none_or(|size| size > MAX_BODY)
            {
                self.note(caller, &Refusal::Body).await;
                return self.last_word(&Refusal::Body);
            }
            self.site.answer(caller, &request).await
        });
        match in_time(answer).await {
            Some(reply) => reply,
            None => {
                let noted = self.note(caller, &Refusal::Late);
                let _journal_hangs = tokio::time::timeout(NOTED_WITHIN, noted).await;
                self.site.refuse(&Refusal::Late)
            }
        }
    }

    async fn note(&self, caller: &Caller, refusal: &Refusal) {
        let peer = caller.peer().await.clone();
        self.site.note(peer, refusal.to_string()).await;
    }

    /// A connection that ended by an error. What was no request was refused; who just left was not.
    async fn note_broken(&self, error: &hyper::Error, caller: &Result<Caller, Stranger>) {
        tracing::debug!(%error, "connection");
        if error.is_parse()
            && let Ok(caller) = caller
        {
            self.note(caller, &Refusal::Malformed).await;
        }
    }

    /// A refusal that ends the connection.
    fn last_word(&self, refusal: &Refusal) -> Reply {
        self.site.refuse(refusal).with(More::Close)
    }
}

/// An answer before its deadline. Most are there when they are first looked at, and get no timer.
async fn in_time(mut answer: Pin<&mut impl Future<Output = Reply>>) -> Option<Reply> {
    let at_once = std::future::poll_fn(|context| Poll::Ready(answer.as_mut().poll(context)));
    match at_once.await {
        Poll::Ready(reply) => Some(reply),
        Poll::Pending => tokio::time::timeout(DEADLINE, answer).await.ok(),
    }
}

/// Resolves when a listener is told to close.
async fn told(closing: &mut watch::Receiver<bool>) {
    let _told_or_nobody_can = closing.wait_for(|closing| *closing).await;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use hyper::StatusCode;
    use hyper::body::Bytes;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::server::reply::Kind;

    /// Answers everybody, but not at once.
    struct Willing;

    impl Site for Willing {
        const AT_AWS: &'static str = "169.254.170.2";

        fn answer<'a>(&'a self, _: &'a Caller, _: &'a Request<Incoming>) -> Answer<'a, Reply> {
            Box::pin(async {
                tokio::task::yield_now().await;
                Reply::new(StatusCode::OK, Kind::Json, Bytes::new())
            })
        }

        fn refuse(&self, _: &Refusal) -> Reply {
            Reply::new(StatusCode::SERVICE_UNAVAILABLE, Kind::Json, Bytes::new())
        }

        fn note(&self, _: Peer, _: String) -> Answer<'_, ()> {
            Box::pin(async {})
        }
    }

    #[tokio::test]
    async fn a_process_that_is_being_answered_too_often_is_told_so() {
        let house = Arc::new(House::new(rustix::process::geteuid().as_raw()).unwrap());
        let (socket, port) = bind().await.unwrap();
        let (_open, closing) = watch::channel(false);
        let listener = Listener::new(Arc::clone(&house), Willing, port);
        tokio::spawn(listener.serve(socket, closing));
        let attend = |_| house.crowd.attend(std::process::id());
        let mut under_way: Vec<_> = (0..crate::server::crowd::MAX_AT_ONCE).map(attend).collect();
        for status in ["503", "200"] {
            let mut client = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let head = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
            client.write_all(head).await.unwrap();
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.unwrap();
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status}")),
                "{answer}"
            );
            under_way.pop();
        }
    }

    #[tokio::test]
    async fn who_has_said_all_that_it_will_say_is_answered() {
        let house = House::new(rustix::process::geteuid().as_raw()).unwrap();
        let (socket, port) = bind().await.unwrap();
        let listener = Listener::new(Arc::new(house), Willing, port);
        let mut client = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (stream, _) = socket.accept().await.unwrap();
        let owner = listener.owner(&stream).await;
        let head = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
        client.write_all(head).await.unwrap();
        client.shutdown().await.unwrap();
        let (_open, closing) = watch::channel(false);
        let pace = Arc::new(Pace::new());
        listener.connection(stream, owner, pace, closing).await;
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200"));
    }

    #[tokio::test]
    async fn who_asked_is_answered_before_it_makes_room() {
        let house = House::new(rustix::process::geteuid().as_raw()).unwrap();
        let (socket, port) = bind().await.unwrap();
        let listener = Listener::new(Arc::new(house), Willing, port);
        // More than once, since what is ready at the same time may be looked at in any order.
        for _ in 0..32 {
            let mut client = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let (stream, _) = socket.accept().await.unwrap();
            let head = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
            client.write_all(head).await.unwrap();
            stream.readable().await.unwrap();
            let pace = Arc::new(Pace::new());
            pace.give_way();
            let (_open, closing) = watch::channel(false);
            let owner = listener.owner(&stream).await;
            listener.connection(stream, owner, pace, closing).await;
            let mut answer = Vec::new();
            client.read_to_end(&mut answer).await.unwrap();
            assert!(answer.starts_with(b"HTTP/1.1 200"));
        }
    }
}
