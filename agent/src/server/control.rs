//! The control server: HTTP/1.1 and JSON on the Unix socket, one request a connection.
//!
//! Limits: [`MAX_CONNECTIONS`] at a time (the rest waits in the kernel's queue), a head of 16 KiB within 5 s, a body
//! of 256 KiB within 5 s; [`MAX_READERS`] of the journal. A peer is checked before a byte of it is read.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use jumpgate_api::{
    Code, JournalStatus, LeaseEnded, LeaseList, LockReply, MAX_HEAD_BYTES, Problem, ProfileList,
    ReloadReply, Status, StopReply, StsStatus,
};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::body::{Body, PATIENCE, json, ok, read, stream};
use super::endpoints::Endpoints;
use super::peer::Held;
use super::problem::problem;
use super::routes::{Route, route};
use super::{answers, asks, peer};
use crate::broker::Broker;
use crate::domain::grant::{Denial, rule_for};
use crate::domain::identity::Identity;
use crate::domain::peer::Peer;
use crate::domain::settings::Settings;
use crate::ports::{Answer, Lines};

/// Most connections at a time.
pub const MAX_CONNECTIONS: usize = 512;

/// Most readers of the journal at a time. They may take as long as they like, so without a limit of their own
/// they could take all connections, and the runtime's threads for blocking work with them.
pub const MAX_READERS: usize = 32;

/// What the server cannot know itself: the process around it.
pub trait Process: Send + Sync {
    /// Reads the configuration anew.
    fn reload(&self) -> Answer<'_, Result<ReloadReply, Problem>>;

    /// Asks the process to drain and end. The peer is told the end by the end of what this returns.
    fn stop(&self) -> Lines;

    /// What `status` says of the process.
    fn about(&self) -> About;
}

/// What `status` says of the process.
#[derive(Debug, Clone)]
pub struct About {
    /// Our process id.
    pub pid: u32,
    /// Our user.
    pub uid: u32,
    /// Seconds since the start.
    pub uptime_seconds: u64,
    /// The configuration file.
    pub config_path: String,
    /// Why its last state is not in force.
    pub config_error: Option<String>,
    /// Whether memory is locked.
    pub memory_locked: bool,
}

/// The control server.
#[derive(Clone)]
pub struct Control {
    pub(super) broker: Arc<Broker>,
    process: Arc<dyn Process>,
    endpoints: Arc<Endpoints>,
    permits: Arc<Semaphore>,
    readers: Arc<Semaphore>,
    uid: u32,
}

impl Control {
    /// A server for a broker.
    #[must_use]
    pub fn new(broker: Arc<Broker>, endpoints: Arc<Endpoints>, process: Arc<dyn Process>) -> Self {
        let uid = process.about().uid;
        Self {
            broker,
            process,
            endpoints,
            permits: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            readers: Arc::new(Semaphore::new(MAX_READERS)),
            uid,
        }
    }

    /// Accepts connections for as long as it is polled; their tasks end up in `connections`.
    pub async fn accept(&self, listener: &UnixListener, connections: &mut JoinSet<()>) {
        loop {
            while connections.try_join_next().is_some() {}
            let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let server = self.clone();
                    connections.spawn(async move {
                        server.serve(stream).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    // Out of descriptors: those in use end by their own limits.
                    tracing::warn!(%error, "accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    async fn serve(&self, stream: UnixStream) {
        let look_around = self.broker.settings().want_origin();
        let (peer, held) = match peer::admitted(&stream, self.uid, look_around) {
            Ok((peer, held)) => (peer, Arc::new(held)),
            Err((peer, stranger)) => {
                return self.broker.note_stranger(peer, stranger.to_string()).await;
            }
        };
        let service = hyper::service::service_fn(|request| async {
            Ok::<_, Infallible>(self.respond(&peer, &held, request).await)
        });
        let served = hyper::server::conn::http1::Builder::new()
            .keep_alive(false)
            .header_read_timeout(PATIENCE)
            .timer(TokioTimer::new())
            .max_buf_size(MAX_HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), service)
            .await;
        if let Err(error) = served {
            tracing::debug!(%error, pid = peer.pid, "connection");
        }
    }

    pub(super) async fn respond(
        &self,
        peer: &Peer,
        held: &Arc<Held>,
        request: Request<Incoming>,
    ) -> Response<Body> {
        match self.reply(peer, held, request).await {
            Ok(response) => response,
            Err(mut problem) => {
                problem.request_id = self.broker.request_id();
                tracing::info!(code = %problem.code, id = problem.request_id, "refused");
                let status = StatusCode::from_u16(problem.code.http_status());
                json(
                    status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                    &problem,
                )
            }
        }
    }

    async fn reply(
        &self,
        peer: &Peer,
        held: &Arc<Held>,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Problem> {
        let uri = request.uri();
        let route = route(request.method().as_str(), uri.path(), uri.query())?;
        match route {
            Route::Credentials => self.credentials(peer, held, read(request).await?).await,
            Route::OpenEndpoint => {
                // It outlives the configuration: the rules of the next one may ask where its opener comes from.
                let opener = peer::looked_around(peer);
                let (witness, request) = (Arc::clone(held) as _, read(request).await?);
                let opened = self.endpoints.open(&opener, witness, request).await;
                Ok(ok(&opened?))
            }
            Route::Status => Ok(ok(&self.status())),
            Route::Unlock => self.unlock(peer, read(request).await?).await,
            Route::Lock => {
                let (identities, sessions) = self.broker.lock(Some(peer), "by its user").await;
                Ok(ok(&LockReply {
                    identities,
                    sessions,
                }))
            }
            Route::Profiles => Ok(ok(&self.profiles(peer))),
            Route::Profile(name) => self.profile(peer, &name),
            Route::Leases => {
                let leases = self.broker.leases().iter().map(answers::lease).collect();
                Ok(ok(&LeaseList { leases }))
            }
            Route::EndLease(id) => self.end_lease(peer, &id).await,
            Route::Identities => Ok(ok(&self.identities())),
            Route::AddIdentity(name) => self.add_identity(peer, &name, read(request).await?).await,
            Route::RemoveIdentity(name) => self.remove_identity(peer, &name).await,
            Route::CheckIdentity(name) => self.check_identity(&name).await,
            Route::RotateIdentity(name) => {
                self.rotate_identity(peer, &name, read(request).await?)
                    .await
            }
            Route::Journal { last, follow } => self.journal(last, follow).await,
            Route::VerifyJournal => self.verify_journal().await,
            Route::Reload => Ok(ok(&self.process.reload().await?)),
            Route::Stop => Ok(stream(self.stop(), None)),
        }
    }

    async fn credentials(
        &self,
        peer: &Peer,
        held: &Held,
        request: jumpgate_api::CredentialsRequest,
    ) -> Result<Response<Body>, Problem> {
        let ask = asks::ask(&self.broker.settings(), request)?;
        let leased = self
            .broker
            .credentials(peer, held, &ask)
            .await
            .map_err(|f| problem(&f))?;
        Ok(ok(&answers::credentials(&leased)))
    }

    async fn unlock(
        &self,
        peer: &Peer,
        request: jumpgate_api::UnlockRequest,
    ) -> Result<Response<Body>, Problem> {
        let (name, given) = asks::unlock(request)?;
        let unlocked = self.broker.unlock(peer, name.as_ref(), given).await;
        let (identity, standing) = unlocked.map_err(|failure| problem(&failure))?;
        let agent = self.broker.settings().agent;
        Ok(ok(&answers::unlocked(&identity, standing, &agent)))
    }

    fn profiles(&self, peer: &Peer) -> ProfileList {
        let profiles = self.broker.profiles(peer);
        ProfileList {
            profiles: profiles.iter().map(answers::profile_summary).collect(),
        }
    }

    fn profile(&self, peer: &Peer, name: &str) -> Result<Response<Body>, Problem> {
        let name = asks::profile_name(name)?;
        let profiles = self.broker.profiles(peer);
        let found = profiles
            .iter()
            .find(|profile| profile.name == name)
            .ok_or_else(|| problem(&Denial::NoSuchProfile(name.clone()).into()))?;
        let rule = rule_for(&self.broker.settings(), peer, &name);
        Ok(ok(&answers::profile_detail(found, rule.as_ref())))
    }

    async fn end_lease(&self, peer: &Peer, id: &str) -> Result<Response<Body>, Problem> {
        let id = asks::lease_id(id)?;
        let held = self.broker.lease_of(&id);
        if self.endpoints.close(&id, Some(peer), "by its user").await {
            let none_left = self.broker.now();
            return Ok(ok(&LeaseEnded {
                id: id.to_string(),
                valid_until: held.map_or(none_left, |lease| lease.expires_at),
            }));
        }
        let ended = self.broker.end_lease(peer, &id).await;
        let lease = ended.map_err(|failure| problem(&failure))?;
        Ok(ok(&LeaseEnded {
            id: lease.id.to_string(),
            valid_until: lease.expires_at,
        }))
    }

    async fn journal(&self, last: Option<usize>, follow: bool) -> Result<Response<Body>, Problem> {
        let place = self.reader()?;
        let lines = self.broker.journal(last, follow).await;
        Ok(stream(lines, Some(place)))
    }

    async fn verify_journal(&self) -> Result<Response<Body>, Problem> {
        let _place = self.reader()?;
        let report = self.broker.verify_journal().await;
        Ok(ok(&report.map_err(|failure| problem(&failure))?))
    }

    fn reader(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let place = Arc::clone(&self.readers).try_acquire_owned();
        place.map_err(|_| {
            let message = format!("{MAX_READERS} readers have the journal open already");
            Problem::new(Code::Busy, message).with_hint("end one of them: jumpgate journal tail")
        })
    }

    /// The reply, then nothing until the agent has drained: the end of the body is the end of the agent.
    fn stop(&self) -> Lines {
        let pid = self.process.about().pid;
        let mut ended = self.process.stop();
        let (sender, lines) = tokio::sync::mpsc::channel(1);
        let reply = serde_json::to_string(&StopReply { pid }).unwrap_or_default();
        tokio::spawn(async move {
            let _gone = sender.send(reply).await;
            while ended.recv().await.is_some() {}
            drop(sender);
        });
        lines
    }

    fn status(&self) -> Status {
        let about = self.process.about();
        let settings = self.broker.settings();
        let standing = |identity: &Arc<_>| {
            let standing = self.broker.standing(identity);
            answers::identity_status(identity, standing, &settings.agent)
        };
        let (calls, failures) = self.broker.sts_counts();
        let journal = self.broker.journal_health();
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: about.pid,
            uptime_seconds: about.uptime_seconds,
            config_path: about.config_path,
            config_error: about.config_error,
            locked: self.broker.is_locked(),
            memory_locked: about.memory_locked,
            identities: settings.identities.values().map(standing).collect(),
            sessions: self
                .broker
                .sessions()
                .iter()
                .map(answers::session)
                .collect(),
            leases: self.broker.lease_count(),
            endpoints: self.endpoints.status(),
            sts: StsStatus {
                calls,
                failures,
                skew_seconds: self.broker.sts_skew(),
            },
            journal: JournalStatus {
                path: journal.path,
                records: journal.records,
                healthy: journal.healthy,
            },
            notes: self.notes(&settings),
        }
    }

    fn notes(&self, settings: &Settings) -> Vec<String> {
        let now = self.broker.now();
        let of_key = |identity: &Arc<Identity>| {
            let history = self.broker.standing(identity).history?;
            answers::key_notes(identity, &history, now)
        };
        let keys = settings.identities.values().filter_map(of_key);
        let durations = settings.profiles.values();
        keys.chain(durations.filter_map(|profile| profile.duration_note()))
            .collect()
    }
}
