//! Endpoints for SDKs on loopback: opened by an ask on the control socket, closed by its end, its process's, or ours.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jumpgate_api::{
    Code, EndpointKind, EndpointReply, EndpointRequest, EndpointStatus, Interface, Problem, Secret,
};
use tokio::sync::{OnceCell, Semaphore, watch};

use super::asks;
use super::container::{Container, PREFIX, Paths};
use super::exits::Watched;
use super::imds::Imds;
use super::imds::token::TokenKey;
use super::listener::{self, House, Listener};
use super::problem::problem;
use super::stand::{Stand, Stands};
use super::standing::Sections;
use super::standing_tokens::StandingTokens;
use super::token_files::TokenFiles;
use crate::broker::Broker;
use crate::broker::endpoints::OpenEndpoint;
use crate::domain::grant::Ask;
use crate::domain::name::LeaseId;
use crate::domain::peer::Peer;
use crate::ports::Witness;

/// How long answers under way may take at our own end.
pub(super) const DRAIN: Duration = Duration::from_secs(1);

/// All endpoints. Nothing listens before the first is opened.
pub struct Endpoints {
    pub(super) broker: Arc<Broker>,
    /// This process: nobody else asks for what stands by configuration.
    pub(super) us: Peer,
    pub(super) stands: Arc<Stands>,
    files: TokenFiles,
    /// What the configuration wants to stand, and the tokens of that.
    pub(super) sections: Sections,
    pub(super) standing_tokens: StandingTokens,
    pub(super) key: Arc<TokenKey>,
    house: OnceCell<Arc<House>>,
    /// The port of the container listener.
    container: OnceCell<u16>,
    pub(super) closing: watch::Sender<bool>,
    /// One at a time, so that two asks for the same do not make two.
    pub(super) opening: Semaphore,
}

impl Endpoints {
    /// Endpoints of a broker whose tokens are kept in `tokens`, and those of standing ones in `standing` beside it.
    #[must_use]
    pub fn new(broker: Arc<Broker>, tokens: PathBuf, us: Peer) -> Arc<Self> {
        let key = Arc::new(TokenKey::new(&broker.new_secret()));
        Arc::new(Self {
            broker,
            stands: Arc::default(),
            standing_tokens: StandingTokens::new(tokens.with_file_name("standing"), us.uid),
            files: TokenFiles::new(tokens, us.uid),
            sections: Sections::default(),
            key,
            house: OnceCell::new(),
            container: OnceCell::new(),
            closing: watch::Sender::new(false),
            opening: Semaphore::new(1),
            us,
        })
    }

    /// Opens an endpoint, or shows the one that stands for the same ask. It is a task of its own: what was begun is
    /// either finished or undone, also when the asker leaves.
    pub(super) async fn open(
        self: &Arc<Self>,
        peer: &Peer,
        witness: Arc<dyn Witness>,
        request: EndpointRequest,
    ) -> Result<EndpointReply, Problem> {
        let (this, peer) = (Arc::clone(self), peer.clone());
        let opening = tokio::spawn(async move {
            let reply = this.opened_and_ready(&peer, request).await?;
            this.still(&peer, witness.as_ref(), reply).await
        });
        let fault = |_| Problem::new(Code::Internal, "a fault of the agent");
        opening.await.map_err(fault)?
    }

    /// A process that became another program meanwhile is told nothing, where a rule was for what it was.
    async fn still(
        &self,
        peer: &Peer,
        witness: &dyn Witness,
        reply: EndpointReply,
    ) -> Result<EndpointReply, Problem> {
        let stand = LeaseId::parse(&reply.lease).ok();
        let stand = stand.and_then(|lease| self.stands.find(&lease));
        let Some(stand) = stand.filter(|_| !witness.is_still(peer)) else {
            return Ok(reply);
        };
        let Some(failure) = self.broker.note_changed(peer, &stand.open.ask).await else {
            return Ok(reply);
        };
        if stand.open.owner == *peer {
            let why = "its process is not the same any more";
            self.close(&stand.open.lease, None, why).await;
        }
        Err(problem(&failure))
    }

    /// What ends with its process is for a command that starts now: it must find its session there, or not start.
    async fn opened_and_ready(
        self: &Arc<Self>,
        peer: &Peer,
        request: EndpointRequest,
    ) -> Result<EndpointReply, Problem> {
        let (reply, stand) = self.opened(peer, request).await?;
        // Its process may have ended meanwhile.
        if stand.until_exit && !*stand.closing.borrow() {
            let prepared = self.broker.prepare_endpoint(&stand.open).await;
            if let Err(failure) = prepared {
                let why = "its session could not be had";
                self.close(&stand.open.lease, None, why).await;
                return Err(problem(&failure));
            }
        }
        Ok(reply)
    }

    async fn opened(
        self: &Arc<Self>,
        peer: &Peer,
        request: EndpointRequest,
    ) -> Result<(EndpointReply, Arc<Stand>), Problem> {
        let until_exit = request.until_exit;
        let ask = asks::endpoint(&self.broker.settings(), request)?;
        let confirmed = self.broker.confirm_endpoint(peer, &ask).await;
        confirmed.map_err(|failure| problem(&failure))?;
        let turn = self.opening.acquire().await;
        let _turn = turn.map_err(|_| Problem::new(Code::Busy, "the agent is ending"))?;
        if !until_exit && let Some(stand) = self.found(peer, &ask).await {
            let stand = stand?;
            return Ok((self.shown(&stand)?, stand));
        }
        let watched = until_exit.then(|| Watched::of(peer)).transpose();
        let watched = watched.map_err(|error| cannot("the process cannot be watched", &error))?;
        let open = self.broker.open_endpoint(peer, &ask).await;
        let open = open.map_err(|failure| problem(&failure))?;
        let lease = open.lease.clone();
        let stand = self.set_up(open, until_exit).await;
        let shown = match stand {
            Ok(stand) => self.recorded_and_shown(stand).await,
            Err(problem) => Err(problem),
        };
        let (reply, stand) = match shown {
            Ok(done) => done,
            Err(problem) => {
                self.close(&lease, None, "it could not be opened").await;
                return Err(problem);
            }
        };
        if let Some(watched) = watched {
            self.close_at_the_end_of(watched, &stand);
        }
        Ok((reply, stand))
    }

    async fn recorded_and_shown(
        &self,
        stand: Arc<Stand>,
    ) -> Result<(EndpointReply, Arc<Stand>), Problem> {
        let recorded = self.broker.record_opened(&stand.open).await;
        recorded.map_err(|failure| problem(&failure))?;
        Ok((self.shown(&stand)?, stand))
    }

    /// The one that stands for the same ask, or shall by the configuration.
    async fn found(
        self: &Arc<Self>,
        peer: &Peer,
        ask: &Ask,
    ) -> Option<Result<Arc<Stand>, Problem>> {
        let configured = self.configured(ask);
        if configured.is_none() && self.stands.standing(ask).is_empty() {
            return None;
        }
        let question = match self.broker.may_open(peer, ask).await {
            Ok(question) => question,
            Err(failure) => return Some(Err(problem(&failure))),
        };
        if let Some(serve) = configured {
            return Some(self.open_or_raised(&serve).await);
        }
        // It may have been ended meanwhile; then it is opened anew.
        let mut open = self.stands.standing(ask).into_iter();
        let same = open.find(|stand| self.broker.serves(&stand.open, &question));
        same.map(Ok)
    }

    async fn set_up(
        self: &Arc<Self>,
        open: Arc<OpenEndpoint>,
        until_exit: bool,
    ) -> Result<Arc<Stand>, Problem> {
        let house = self.house().await?;
        let stand = match kind(open.ask.interface) {
            EndpointKind::Container => {
                let port = self.container_port(&house).await?;
                let url = format!("http://127.0.0.1:{port}{PREFIX}{}", open.lease);
                let mut stand = Stand::new(open, url, until_exit);
                stand.token = Some(self.broker.new_secret());
                Arc::new(stand)
            }
            EndpointKind::Imds => {
                let (socket, port) = listener::bind().await.map_err(|e| no_port(&e))?;
                let url = format!("http://127.0.0.1:{port}");
                let stand = Arc::new(Stand::new(open, url, until_exit));
                let closing = stand.closing.subscribe();
                let (broker, key) = (Arc::clone(&self.broker), Arc::clone(&self.key));
                let site = Imds::new(broker, key, Arc::clone(&stand));
                tokio::spawn(Listener::new(house, site, port).serve(socket, closing));
                stand
            }
        };
        self.stands.add(Arc::clone(&stand));
        Ok(stand)
    }

    pub(super) async fn house(self: &Arc<Self>) -> Result<Arc<House>, Problem> {
        let house = self.house.get_or_try_init(async || {
            let house = House::new(self.us.uid)?;
            self.look_after_files();
            Ok(Arc::new(house))
        });
        let house = house.await;
        house
            .cloned()
            .map_err(|error| cannot("owners of connections cannot be told here", &error))
    }

    async fn container_port(&self, house: &Arc<House>) -> Result<u16, Problem> {
        let listening = async || {
            let (socket, port) = listener::bind().await?;
            let site = Container {
                broker: Arc::clone(&self.broker),
                paths: Paths::Leases(Arc::clone(&self.stands)),
            };
            let listener = Listener::new(Arc::clone(house), site, port);
            tokio::spawn(listener.serve(socket, self.closing.subscribe()));
            Ok(port)
        };
        let port = self.container.get_or_try_init(listening).await;
        port.copied().map_err(|error| no_port(&error))
    }

    fn close_at_the_end_of(self: &Arc<Self>, watched: Watched, stand: &Arc<Stand>) {
        let (this, lease) = (Arc::clone(self), stand.open.lease.clone());
        let mut closing = stand.closing.subscribe();
        tokio::spawn(async move {
            let closed = tokio::select! {
                () = watched.ended() => false,
                _ = closing.wait_for(|closing| *closing) => true,
            };
            if !closed {
                this.close(&lease, None, "its process ended").await;
            }
        });
    }

    /// Closes an endpoint, `by` a process if one asked for it; `false` if there is none of this lease.
    pub(super) async fn close(
        &self,
        lease: &LeaseId,
        by: Option<&Peer>,
        why: &'static str,
    ) -> bool {
        let stood = self.stands.take(lease);
        self.files.remove(lease);
        if let Some(stand) = &stood
            && let Some(serve) = &stand.serve
        {
            self.sections.closed(serve, lease, why);
            self.standing_tokens.remove(serve);
            Self::silent(stand).await;
        }
        self.broker.close_endpoint(lease, by, why).await;
        stood.is_some()
    }

    /// Closes everything: listeners first, then tokens, then leases. Answers under way are let out.
    pub async fn shut(&self) {
        let _last_to_open = tokio::time::timeout(DRAIN, self.opening.acquire()).await;
        self.opening.close();
        self.closing.send_replace(true);
        let stands = self.stands.list();
        for stand in &stands {
            self.stands.take(&stand.open.lease);
        }
        self.files.remove_all();
        let silent = async {
            self.closing.closed().await;
            for stand in &stands {
                stand.closing.closed().await;
            }
        };
        let _cut_off = tokio::time::timeout(DRAIN, silent).await;
        for stand in stands {
            let lease = &stand.open.lease;
            let ended = self.broker.close_endpoint(lease, None, "the agent ended");
            ended.await;
        }
    }

    /// What `status` says of them.
    pub(super) fn status(&self) -> Vec<EndpointStatus> {
        let stands = self.stands.list();
        let status = |stand: &Arc<Stand>| EndpointStatus {
            profile: stand.open.ask.profile.to_string(),
            kind: kind(stand.open.ask.interface).as_str().to_owned(),
            url: stand.url.clone(),
            serve: None,
            failure: None,
        };
        let opened = stands.iter().filter(|stand| stand.serve.is_none());
        let mut all = self.sections.status();
        all.extend(opened.map(status));
        all
    }

    fn shown(&self, stand: &Stand) -> Result<EndpointReply, Problem> {
        let token_file = match &stand.token {
            Some(token) => Some(self.token_file(stand, token)?),
            None => None,
        };
        let profile = self.broker.profile_now(&stand.open);
        Ok(EndpointReply {
            lease: stand.open.lease.to_string(),
            profile: profile.name.to_string(),
            kind: kind(stand.open.ask.interface),
            url: stand.url.clone(),
            token: stand.token.clone(),
            token_file,
            region: profile.region.as_ref().map(ToString::to_string),
            role_arn: profile.role.to_string(),
            warnings: stand.open.warning().into_iter().collect(),
        })
    }

    pub(super) fn remove_token_file(&self, stand: &Stand) {
        match &stand.serve {
            None => self.files.remove(&stand.open.lease),
            Some(serve) => self.standing_tokens.remove(serve),
        }
    }

    /// The file that holds the token, written anew if somebody cleaned up.
    pub(super) fn token_file(
        &self,
        stand: &Stand,
        token: &Secret<String>,
    ) -> Result<String, Problem> {
        let (lease, files, standing) = (&stand.open.lease, &self.files, &self.standing_tokens);
        let written = match &stand.serve {
            None if files.holds(lease, token) => Ok(()),
            None => files.write(lease, token),
            Some(serve) if standing.holds(serve, token) => Ok(()),
            Some(serve) => standing.write(serve, token),
        };
        written.map_err(|error| {
            Problem::new(Code::StoreUnavailable, error.to_string()).with_hint(error.hint())
        })?;
        let path = match &stand.serve {
            None => files.path(lease),
            Some(serve) => standing.path(serve),
        };
        Ok(path.display().to_string())
    }
}

pub(super) const fn kind(interface: Interface) -> EndpointKind {
    match interface {
        Interface::Imds => EndpointKind::Imds,
        Interface::Container | Interface::Process | Interface::Export => EndpointKind::Container,
    }
}

fn cannot(what: &str, error: &io::Error) -> Problem {
    Problem::new(Code::Internal, format!("{what}: {error}"))
        .with_hint("use jumpgate exec --via env, or credential_process")
}

fn no_port(error: &io::Error) -> Problem {
    Problem::new(
        Code::Busy,
        format!("127.0.0.1 cannot be listened on: {error}"),
    )
    .with_hint("try again later")
}
