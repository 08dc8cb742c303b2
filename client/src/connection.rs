//! One request on the control socket: finds the agent or starts it, makes sure that it is ours, asks, and
//! reads the answer within a deadline.

mod error;
mod http;
mod place;
mod start;

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use jumpgate_api::{MAX_BODY_BYTES, MAX_REPLY_BYTES};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, sockopt};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use zeroize::Zeroizing;

pub(crate) use self::error::{CallError, ConnectionError};
use self::http::AnswerError;
use self::place::Place;
pub(crate) use self::start::{StartError, program, wait_for_process};
use crate::cli::Environment;

/// How long an agent may take that only has to look something up.
const QUICK: Duration = Duration::from_secs(10);

/// How long an agent may take that asks AWS or a person. It keeps to its own `prompt_wait`, of 10 minutes at most.
const PATIENT: Duration = Duration::from_secs(11 * 60);

/// How often a request is repeated that no agent answered. The kernel closes what a killed agent had open one by
/// one: the first time a connection may end, the second time one that came to a socket which ends itself; then there
/// is none.
const REPEATS: usize = 2;

/// The longest reply of an agent that ends, in bytes.
const MAX_LAST_WORDS: usize = 4096;

/// One request, ready to be sent.
pub(crate) struct Request {
    method: &'static str,
    path: String,
    body: Option<Zeroizing<Vec<u8>>>,
    patience: Duration,
    repeatable: bool,
}

impl Request {
    /// `path` starts behind the version: `status`.
    pub(crate) fn new(method: &'static str, path: &str) -> Self {
        let path = format!("/{}/{path}", jumpgate_api::VERSION);
        Self {
            method,
            path,
            body: None,
            patience: QUICK,
            repeatable: method == "GET",
        }
    }

    /// With a JSON body.
    pub(crate) fn body(mut self, value: &impl Serialize) -> Self {
        self.body = Some(crate::output::document::json(value));
        self
    }

    /// An agent that ends without an answer may have heard it, and no harm is done if the next one hears it too.
    pub(crate) fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// The agent may ask AWS or a person before it answers.
    pub(crate) fn patient(mut self) -> Self {
        self.patience = PATIENT;
        self
    }
}

/// Who reads our stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// A program that wants it to be empty on success.
    Program,
    /// A person, who is told of an agent of another version.
    Person,
}

/// The way to the agent.
#[derive(Clone, Copy)]
pub(crate) struct Agent<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) audience: Audience,
}

/// A reply that is not decoded yet; wiped after use, since it may hold a session.
pub(crate) struct Reply {
    status: u16,
    bytes: Zeroizing<Vec<u8>>,
}

impl Reply {
    /// Its value.
    pub(crate) fn decode<T: DeserializeOwned>(&self) -> Result<T, ConnectionError> {
        serde_json::from_slice(&self.bytes).map_err(|_| self.undecodable())
    }

    /// Its JSON as the agent wrote it, on a line of its own and harmless to a terminal.
    pub(crate) fn json(&self) -> Result<String, ConnectionError> {
        self.decode::<IgnoredAny>()?;
        let text = std::str::from_utf8(&self.bytes).map_err(|_| self.undecodable())?;
        Ok(crate::output::json(text))
    }

    fn undecodable(&self) -> ConnectionError {
        ConnectionError::Undecodable {
            status: self.status,
        }
    }
}

/// The body of an answer that arrives bit by bit.
pub(crate) type Stream = http::Body<TimedStream>;

impl Agent<'_> {
    /// Asks the agent, started if need be, and decodes its reply.
    pub(crate) fn call<T: DeserializeOwned>(&self, request: &Request) -> Result<T, CallError> {
        Ok(self.reply(request)?.decode()?)
    }

    /// The same with the reply as it is.
    pub(crate) fn reply(&self, request: &Request) -> Result<Reply, CallError> {
        whole(self.ask_anyone(request)?)
    }

    /// The same for a reply that is a stream; the deadline ends with its head.
    pub(crate) fn stream(&self, request: &Request) -> Result<Stream, CallError> {
        let (_, mut body) = self.ask_anyone(request)?;
        body.source_mut().deadline = None;
        Ok(body)
    }

    /// A connection to the agent if one runs; none is started.
    pub(crate) fn connect_if_running(&self) -> Result<Option<UnixStream>, ConnectionError> {
        self.guard()?;
        connect_at(&Place::of(self.environment)?)
    }

    /// A connection to an agent that is ours.
    pub(crate) fn connect_or_start(&self) -> Result<UnixStream, ConnectionError> {
        self.guard()?;
        let place = Place::of(self.environment)?;
        if let Some(stream) = connect_at(&place)? {
            return Ok(stream);
        }
        place.create()?;
        let _lock = start::StartLock::acquire(&place)?;
        if let Some(stream) = connect_at(&place)? {
            return Ok(stream);
        }
        let started = start::launch(self.environment);
        // Ours may have found the place taken by one that somebody else has just started.
        match (connect_at(&place)?, started) {
            (Some(stream), _) => Ok(stream),
            (None, Err(error)) => Err(error.into()),
            (None, Ok(())) => Err(ConnectionError::Connect {
                socket: place.socket.display().to_string(),
                error: io::ErrorKind::NotFound.into(),
            }),
        }
    }

    fn guard(&self) -> Result<(), ConnectionError> {
        match self.environment.agent_child {
            true => Err(ConnectionError::Recursion),
            false => Ok(()),
        }
    }

    /// One request and its whole reply.
    pub(crate) fn exchange(
        &self,
        stream: UnixStream,
        request: &Request,
    ) -> Result<Reply, CallError> {
        whole(self.ask(stream, request)?)
    }

    /// A reply whose end is that of the agent, which may cut it off.
    pub(crate) fn exchange_to_the_end(
        &self,
        stream: UnixStream,
        request: &Request,
    ) -> Result<Reply, CallError> {
        let (status, mut body) = self.ask(stream, request)?;
        let mut bytes = Zeroizing::new(Vec::new());
        loop {
            match body.piece() {
                Ok([]) | Err(AnswerError::Truncated) => return Ok(Reply { status, bytes }),
                Ok(piece) if piece.len() > MAX_LAST_WORDS - bytes.len() => {
                    return Err(ConnectionError::from(AnswerError::TooLarge(MAX_LAST_WORDS)).into());
                }
                Ok(piece) => {
                    bytes.extend_from_slice(piece);
                    let size = piece.len();
                    body.advance(size);
                }
                Err(error) => return Err(ConnectionError::from(error).into()),
            }
        }
    }

    /// Asks the agent, started if need be; and the next one, where it ends without an answer.
    fn ask_anyone(&self, request: &Request) -> Result<(u16, Stream), CallError> {
        let repeats = if request.repeatable { REPEATS } else { 0 };
        for _ in 0..repeats {
            match self.ask(self.connect_or_start()?, request) {
                Err(CallError::Broken(ConnectionError::Answer(AnswerError::Unanswered))) => {}
                asked => return asked,
            }
        }
        self.ask(self.connect_or_start()?, request)
    }

    /// Sends the request and reads the answer's head. What is not a success is a problem.
    fn ask(&self, stream: UnixStream, request: &Request) -> Result<(u16, Stream), CallError> {
        let deadline = Instant::now() + request.patience;
        let mut stream = TimedStream {
            stream,
            deadline: Some(deadline),
        };
        let body = request.body.as_ref().map(|body| body.as_slice());
        if body.is_some_and(|body| body.len() > MAX_BODY_BYTES) {
            return Err(ConnectionError::RequestTooLarge.into());
        }
        let bytes = http::request_bytes(request.method, &request.path, body);
        // An agent that refuses early may close before it has read everything; its answer says why.
        let sent = stream.stream.write_all(&bytes);
        let (head, mut body) = match (http::read_head(stream), sent) {
            (Ok(answer), _) => answer,
            (Err(AnswerError::Truncated), Err(error)) => {
                return Err(ConnectionError::from(AnswerError::from(error)).into());
            }
            (Err(error), _) => return Err(ConnectionError::from(error).into()),
        };
        if self.audience == Audience::Person {
            warn_of_version(head.agent_version.as_deref());
        }
        if (200..300).contains(&head.status) {
            return Ok((head.status, body));
        }
        let bytes = body
            .read_all(MAX_REPLY_BYTES)
            .map_err(ConnectionError::from)?;
        Err(match serde_json::from_slice(&bytes) {
            Ok(problem) => CallError::Refused(Box::new(problem)),
            Err(_) => ConnectionError::Undecodable {
                status: head.status,
            }
            .into(),
        })
    }
}

fn whole((status, mut body): (u16, Stream)) -> Result<Reply, CallError> {
    let bytes = body
        .read_all(MAX_REPLY_BYTES)
        .map_err(ConnectionError::from)?;
    Ok(Reply { status, bytes })
}

/// A connection to the agent that listens at this place, if one does.
fn connect_at(place: &Place) -> Result<Option<UnixStream>, ConnectionError> {
    if !place.exists()? {
        return Ok(None);
    }
    let socket = || place.socket.display().to_string();
    match connect(place) {
        Ok(stream) => trust(stream, socket).map(Some),
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::CONNREFUSED) => Ok(None),
        // The wait for a place in the agent's queue was too long.
        Err(rustix::io::Errno::AGAIN) => Err(AnswerError::TimedOut.into()),
        Err(error) => Err(ConnectionError::Connect {
            socket: socket(),
            error: error.into(),
        }),
    }
}

fn connect(place: &Place) -> rustix::io::Result<UnixStream> {
    let address = SocketAddrUnix::new(&place.socket)?;
    let flags = SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    // On Linux this bounds connect(2) too.
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(QUICK))?;
    rustix::net::connect(&socket, &address)?;
    Ok(socket.into())
}

/// Makes sure that the one who listens is us: a secret is about to be sent or read.
fn trust(stream: UnixStream, socket: impl Fn() -> String) -> Result<UnixStream, ConnectionError> {
    let peer = sockopt::socket_peercred(&stream);
    let peer = peer.map_err(|error| ConnectionError::Connect {
        socket: socket(),
        error: error.into(),
    })?;
    let (peer, ours) = (peer.uid.as_raw(), rustix::process::geteuid().as_raw());
    match peer == ours {
        true => Ok(stream),
        false => Err(ConnectionError::ForeignAgent {
            socket: socket(),
            peer,
            ours,
        }),
    }
}

/// A socket whose reads end at a deadline, however small the bits in which they arrive.
pub(crate) struct TimedStream {
    stream: UnixStream,
    deadline: Option<Instant>,
}

impl Read for TimedStream {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let left = self
            .deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(left)?;
        self.stream.read(target)
    }
}

/// Says that agent and client are of different releases, which may explain what comes next.
fn warn_of_version(agent: Option<&str>) {
    let ours = env!("CARGO_PKG_VERSION");
    if let Some(agent) = agent.filter(|agent| release(agent) != release(ours)) {
        let agent = crate::output::escape(agent);
        let text = format!(
            "jumpgate: warning: the agent is version {agent}, this is {ours}; restart it: jumpgate agent stop\n"
        );
        let _ = rustix::io::write(rustix::stdio::stderr(), text.as_bytes());
    }
}

/// Major and minor version.
fn release(version: &str) -> Option<(&str, &str)> {
    let (major, rest) = version.split_once('.')?;
    Some((major, rest.split('.').next()?))
}

#[cfg(test)]
mod tests;
