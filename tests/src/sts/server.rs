//! Sockets and threads: a loopback listener, a thread for each connection, an end to all of them.

use super::dispatch::{self, Incoming};
use super::faults::{self, Fault};
use super::http::{Request, read_request};
use super::state::State;
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What all threads share.
#[derive(Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Something in the state has changed.
    pub(super) changed: Condvar,
    open: Mutex<BTreeMap<u64, TcpStream>>,
}

impl Shared {
    pub(super) fn of(state: State) -> Shared {
        Shared {
            state: Mutex::new(state),
            ..Shared::default()
        }
    }

    /// The state; a panic in one connection's thread does not take the others down.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<u64, TcpStream>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the state is as wished, or `deadline` has passed; answers which.
    pub(super) fn wait_until(
        &self,
        deadline: Option<Instant>,
        wished: impl Fn(&State) -> bool,
    ) -> bool {
        let mut state = self.state();
        loop {
            if wished(&state) {
                return true;
            }
            state = match deadline {
                None => self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(at) => {
                    let left = at.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return false;
                    }
                    let waited = self.changed.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Ends all connections and all waiting.
    pub(super) fn stop(&self) {
        self.state().stopping = true;
        self.changed.notify_all();
        for stream in self.open().values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// Accepts connections until the double stops; then waits for their threads.
pub(super) fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    for (id, stream) in (0u64..).zip(listener.incoming()) {
        let Ok(stream) = stream else { continue };
        if shared.state().stopping {
            break;
        }
        let Ok(twin) = stream.try_clone() else {
            continue;
        };
        shared.open().insert(id, twin);
        let of_thread = Arc::clone(shared);
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread::spawn(move || {
            let _ = converse(stream, &of_thread);
            of_thread.open().remove(&id);
        }));
    }
    shared.stop();
    for thread in threads {
        let _ = thread.join();
    }
}

/// What to do with the connection after a call.
enum After {
    Keep,
    Close,
}

/// One connection: requests and replies until either side ends it.
fn converse(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let source_ip = stream.peer_addr()?.ip().to_string();
    let mut carry = Vec::new();
    while let Some(request) = next_request(&mut stream, &mut carry)? {
        let request = Request {
            source_ip: source_ip.clone(),
            ..request
        };
        let close = request.wants_close();
        match serve(&mut stream, request, shared)? {
            After::Keep if !close => {}
            After::Keep | After::Close => break,
        }
    }
    stream.shutdown(Shutdown::Both)
}

fn next_request(stream: &mut TcpStream, carry: &mut Vec<u8>) -> io::Result<Option<Request>> {
    let request = read_request(stream, carry);
    if request
        .as_ref()
        .is_err_and(|error| error.kind() == io::ErrorKind::InvalidData)
    {
        let refusal = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(refusal)?;
    }
    request
}

fn serve(stream: &mut TcpStream, request: Request, shared: &Shared) -> io::Result<After> {
    let incoming = Incoming::of(request);
    let (fault, releases) = {
        let mut state = shared.state();
        *state.arrivals.entry(incoming.action.clone()).or_default() += 1;
        (
            faults::next(&mut state.planned, &incoming.action),
            state.releases,
        )
    };
    shared.changed.notify_all();
    match &fault {
        Some(Fault::Delay(delay)) => {
            shared.wait_until(Instant::now().checked_add(*delay), |state| state.stopping);
        }
        Some(Fault::Hold) => {
            shared.wait_until(None, |state| state.stopping || state.releases > releases);
        }
        Some(fault @ (Fault::Hang | Fault::Reset)) => {
            dispatch::unanswered(&mut shared.state(), &incoming, fault);
            shared.changed.notify_all();
            return give_up(stream, fault);
        }
        _ => {}
    }
    let reply = dispatch::answered(&mut shared.state(), &incoming, fault.as_ref());
    shared.changed.notify_all();
    if fault == Some(Fault::HoldAnswer) {
        shared.wait_until(None, |state| state.stopping || state.releases > releases);
    }
    let bytes = reply.to_bytes(incoming.request.method == "HEAD");
    match &fault {
        Some(Fault::Drip(pause)) => drip(stream, &bytes, *pause, shared)?,
        _ => stream.write_all(&bytes)?,
    }
    Ok(if fault == Some(Fault::TruncatedBody) {
        After::Close
    } else {
        After::Keep
    })
}

/// Until all has gone, or the other side has; what is left goes at once when the double stops.
fn drip(stream: &mut TcpStream, bytes: &[u8], pause: Duration, shared: &Shared) -> io::Result<()> {
    for byte in bytes {
        shared.wait_until(Instant::now().checked_add(pause), |state| state.stopping);
        stream.write_all(&[*byte])?;
    }
    Ok(())
}

/// No answer: a reset at once, or silence until the other side closes (or the double stops).
fn give_up(stream: &mut TcpStream, fault: &Fault) -> io::Result<After> {
    match fault {
        Fault::Reset => {
            // Without lingering, closing sends RST instead of FIN.
            let at_once = Some(Duration::ZERO);
            rustix::net::sockopt::set_socket_linger(&*stream, at_once)?;
        }
        _ => while stream.read(&mut [0; 1024])? > 0 {},
    }
    Err(io::ErrorKind::ConnectionReset.into())
}

/// Wakes the acceptor, which then sees that the double stops.
pub(super) fn wake(address: SocketAddr) {
    drop(TcpStream::connect(address));
}
