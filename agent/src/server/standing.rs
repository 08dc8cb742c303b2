//! Endpoints that stand by configuration (`[serve.NAME]`): at their own port, with the same token after a restart.
//!
//! [`Endpoints::settle`] makes what stands be what the configuration says: at the start, and after each reload. One that
//! cannot be opened stays closed with its reason, and nothing else suffers by it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jumpgate_api::{Code, EndpointStatus, Problem, Secret};

use super::container::{Container, PREFIX, Paths};
use super::endpoints::{DRAIN, Endpoints, kind};
use super::imds::Imds;
use super::imds::token::TokenKey;
use super::listener::Listener;
use super::ports::{self, NoPort};
use super::problem::problem;
use super::socket::SocketError;
use super::stand::Stand;
use crate::broker::Failure;
use crate::domain::grant::Ask;
use crate::domain::name::LeaseId;
use crate::domain::serve::{Serve, ServeName, Speaks};

/// Why a standing endpoint is not open.
#[derive(Debug, thiserror::Error)]
enum NotOpen {
    #[error(transparent)]
    Port(#[from] NoPort),
    #[error("its token cannot be kept: {0}")]
    Token(#[from] SocketError),
    #[error("{0}")]
    Refused(Failure),
    #[error("{}", .0.message)]
    House(Problem),
}

impl NotOpen {
    fn problem(&self, serve: &Serve) -> Problem {
        let told = |code, hint| {
            let message = format!("[serve.{}] is not open: {self}", serve.name);
            Problem::new(code, message).with_hint(hint)
        };
        match self {
            Self::Port(error) => told(Code::Busy, error.hint()),
            Self::Token(error) => told(Code::StoreUnavailable, error.hint()),
            Self::Refused(failure) => problem(failure),
            Self::House(problem) => problem.clone(),
        }
    }
}

/// A section of the configuration and what became of it.
struct Section {
    serve: Serve,
    state: State,
}

enum State {
    Open(LeaseId),
    /// Why it is not open.
    Closed(String),
}

/// All sections, by name.
#[derive(Default)]
pub(super) struct Sections(Mutex<BTreeMap<ServeName, Section>>);

impl Sections {
    fn all(&self) -> MutexGuard<'_, BTreeMap<ServeName, Section>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, serve: &Serve, state: State) {
        let serve = serve.clone();
        self.all()
            .insert(serve.name.clone(), Section { serve, state });
    }

    /// Notes that the endpoint of this lease was closed.
    pub(super) fn closed(&self, serve: &Serve, lease: &LeaseId, why: &str) {
        if let Some(section) = self.all().get_mut(&serve.name)
            && matches!(&section.state, State::Open(open) if open == lease)
        {
            section.state = State::Closed(format!("it was closed: {why}"));
        }
    }

    /// Forgets what is not wanted as it is; the leases of those among it that are open.
    fn part_with(&self, wanted: &BTreeMap<ServeName, Serve>) -> Vec<LeaseId> {
        let mut leases = Vec::new();
        self.all().retain(|name, section| {
            let stays = wanted.get(name) == Some(&section.serve);
            if let (false, State::Open(lease)) = (stays, &section.state) {
                leases.push(lease.clone());
            }
            stays
        });
        leases
    }

    fn open(&self, name: &ServeName) -> Option<LeaseId> {
        match self.all().get(name)?.state {
            State::Open(ref lease) => Some(lease.clone()),
            State::Closed(_) => None,
        }
    }

    /// What `status` says of them.
    pub(super) fn status(&self) -> Vec<EndpointStatus> {
        let status = |section: &Section| EndpointStatus {
            profile: section.serve.profile.to_string(),
            kind: kind(section.serve.ask().interface).as_str().to_owned(),
            url: url(&section.serve),
            serve: Some(section.serve.name.to_string()),
            failure: match &section.state {
                State::Open(_) => None,
                State::Closed(why) => Some(why.clone()),
            },
        };
        self.all().values().map(status).collect()
    }
}

impl Endpoints {
    /// Opens, closes and keeps standing endpoints as the configuration says. Returns what could not be opened, in
    /// words. It is a task of its own: what was begun is finished, also when nobody waits.
    pub async fn settle(self: &Arc<Self>) -> Vec<String> {
        let this = Arc::clone(self);
        let settled = tokio::spawn(async move { this.settled().await });
        settled.await.unwrap_or_default()
    }

    async fn settled(self: &Arc<Self>) -> Vec<String> {
        let Ok(_turn) = self.opening.acquire().await else {
            return Vec::new();
        };
        let wanted = self.broker.settings().serves.clone();
        for lease in self.sections.part_with(&wanted) {
            let why = "the configuration was changed";
            self.close(&lease, None, why).await;
        }
        self.standing_tokens.keep_only(wanted.values());
        let mut failed = Vec::new();
        for serve in wanted.values() {
            if let Some(stand) = self.stand_of(serve) {
                self.put_file_back(&stand);
            } else if let Err(error) = self.raise(serve).await {
                failed.push(format!("serve.{} is not open: {error}", serve.name));
            }
        }
        failed
    }

    /// The section of the configuration for this ask, if there is one.
    pub(super) fn configured(&self, ask: &Ask) -> Option<Serve> {
        let settings = self.broker.settings();
        let mut serves = settings.serves.values();
        serves.find(|serve| serve.ask() == *ask).cloned()
    }

    /// The endpoint of a section, opened if it is not open.
    pub(super) async fn open_or_raised(
        self: &Arc<Self>,
        serve: &Serve,
    ) -> Result<Arc<Stand>, Problem> {
        match self.stand_of(serve) {
            Some(stand) => Ok(stand),
            None => {
                let raised = self.raise(serve).await;
                raised.map_err(|error| error.problem(serve))
            }
        }
    }

    fn stand_of(&self, serve: &Serve) -> Option<Arc<Stand>> {
        self.stands.find(&self.sections.open(&serve.name)?)
    }

    /// Opens one and puts on record what became of it.
    async fn raise(self: &Arc<Self>, serve: &Serve) -> Result<Arc<Stand>, NotOpen> {
        match self.raised(serve).await {
            Ok(stand) => {
                let lease = &stand.open.lease;
                self.sections.set(serve, State::Open(lease.clone()));
                self.broker.record_standing(serve, Ok(lease)).await;
                Ok(stand)
            }
            Err(error) => {
                let why = error.to_string();
                tracing::warn!(serve = %serve.name, %error, "not open");
                self.sections.set(serve, State::Closed(why.clone()));
                self.broker.record_standing(serve, Err(why)).await;
                Err(error)
            }
        }
    }

    async fn raised(self: &Arc<Self>, serve: &Serve) -> Result<Arc<Stand>, NotOpen> {
        let house = self.house().await.map_err(NotOpen::House)?;
        let socket = ports::take(serve.port, self.us.uid).await?;
        let secret = self.kept_secret(serve)?;
        let open = self.broker.open_endpoint(&self.us, &serve.ask()).await;
        let open = open.map_err(NotOpen::Refused)?;
        let mut stand = Stand::new(open, url(serve), false);
        stand.serve = Some(serve.clone());
        let key = Arc::new(TokenKey::new(&secret));
        stand.token = (serve.speaks == Speaks::Container).then_some(secret);
        let stand = Arc::new(stand);
        let (closing, port) = (stand.closing.subscribe(), serve.port.number());
        let broker = Arc::clone(&self.broker);
        match serve.speaks {
            Speaks::Container => {
                let paths = Paths::One(serve.name.to_string(), Arc::clone(&stand));
                let site = Container { broker, paths };
                tokio::spawn(Listener::new(house, site, port).serve(socket, closing));
            }
            Speaks::Imds { .. } => {
                let site = Imds::new(broker, key, Arc::clone(&stand));
                tokio::spawn(Listener::new(house, site, port).serve(socket, closing));
            }
        }
        self.stands.add(Arc::clone(&stand));
        Ok(stand)
    }

    /// The token of an earlier agent, or the key of its tokens (IMDS); else a new one.
    fn kept_secret(&self, serve: &Serve) -> Result<Secret<String>, SocketError> {
        if let Some(token) = self.standing_tokens.read(serve) {
            return Ok(token);
        }
        let token = self.broker.new_secret();
        self.standing_tokens.write(serve, &token)?;
        Ok(token)
    }

    /// Waits until the port of an endpoint that was taken down is free.
    pub(super) async fn silent(stand: &Stand) {
        let _cut_off = tokio::time::timeout(DRAIN, stand.closing.closed()).await;
    }
}

/// The full URI of container credentials, the root of IMDS: nothing in it changes with the agent's process.
fn url(serve: &Serve) -> String {
    let root = format!("http://127.0.0.1:{}", serve.port.number());
    match serve.speaks {
        Speaks::Container => format!("{root}{PREFIX}{}", serve.name),
        Speaks::Imds { .. } => root,
    }
}
