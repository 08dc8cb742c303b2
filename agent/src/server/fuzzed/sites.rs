//! A broker with scripted ports, and what stands before it.

use std::path::PathBuf;
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use jumpgate_api::{JournalReport, Problem, ReloadReply};
use tokio::net::UnixStream;

use crate::broker::tests::fakes::{
    FakeClock, FakeEntropy, FakeKeys, FakeProcesses, FakePrompter, FakeStore, FakeTokens,
};
use crate::broker::{Broker, Ports};
use crate::config;
use crate::domain::event::Event;
use crate::domain::name::LeaseId;
use crate::domain::notice::Notice;
use crate::domain::peer::Peer;
use crate::domain::samples::{ask, peer, surroundings};
use crate::domain::settings::Settings;
use crate::ports::{Answer, Journal, JournalError, JournalHealth, Lines, Notifier};
use crate::server::body;
use crate::server::container::{Container, Paths};
use crate::server::control::{About, Control, Process};
use crate::server::endpoints::Endpoints;
use crate::server::holder::Caller;
use crate::server::imds::Imds;
use crate::server::imds::token::TokenKey;
use crate::server::listener::{House, Listener};
use crate::server::peer::{Held, admitted};
use crate::server::stand::{Stand, Stands};

/// Opens the container endpoint.
pub(super) const CONTAINER_TOKEN: &str = "0123456789012345678901234567890123456789abc";

/// The port in `Host`.
const PORT: u16 = 8080;

/// An identity without a second factor, one with codes from a program, and a profile for each thing that an ask may meet.
const SETTINGS: &str = r#"version = 1
[identity.jump]
kind = "iam-user"
account = "111111111111"
[identity.codes]
kind = "iam-user"
account = "111111111111"
mfa_serial = "arn:aws:iam::111111111111:mfa/alice"
mfa = "command"
mfa_command = ["codes"]
[profile.dev]
identity = "jump"
role_arn = "arn:aws:iam::222222222222:role/dev"
region = "eu-central-1"
narrow = { policy = true, duration = true, tags = ["Ticket"] }
[profile.bounded]
identity = "jump"
role_arn = "arn:aws:iam::222222222222:role/bounded"
policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","sqs:*"],"Resource":"*"}]}'
require = ["reason", "ticket"]
[profile.asked]
identity = "codes"
role_arn = "arn:aws:iam::222222222222:role/asked"
require = ["confirm"]
[profile.chained]
identity = "jump"
role_arn = "arn:aws:iam::333333333333:role/chained"
via = "dev"
[profile."team/hidden"]
identity = "jump"
role_arn = "arn:aws:iam::222222222222:role/hidden"
peers = [{ exe = "/usr/bin/terraform" }]
"#;

fn settings() -> Settings {
    let nothing = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
    let mut settings = config::parse(SETTINGS, "/ours.toml".as_ref(), &nothing)
        .unwrap()
        .settings;
    settings.agent.idle_lock = None;
    settings
}

fn broker() -> Arc<Broker> {
    let clock = Arc::new(FakeClock::new());
    let prompter = FakePrompter::new();
    prompter.prints(&["111111", "222222", "333333"]);
    let ports = Ports {
        clock: clock.clone(),
        entropy: Arc::new(FakeEntropy::default()),
        keyring: Arc::new(FakeStore::new(None)),
        sealed_files: Arc::new(FakeStore::new(Some("open sesame"))),
        tokens: Arc::new(FakeTokens::new(clock)),
        keys: Arc::new(FakeKeys::new()),
        prompter: Arc::new(prompter),
        processes: Arc::new(FakeProcesses::default()),
        journal: Arc::new(Blank),
        notifier: Arc::new(Blank),
    };
    Broker::new(ports, settings(), surroundings())
}

/// Takes all records and notices, and keeps none: it has millions of them.
struct Blank;

impl Notifier for Blank {
    fn show(&self, _: Notice) {}
}

impl Journal for Blank {
    fn record(&self, _: Event) -> Answer<'_, Result<(), JournalError>> {
        Box::pin(async { Ok(()) })
    }

    fn health(&self) -> JournalHealth {
        JournalHealth {
            path: String::new(),
            records: 0,
            healthy: true,
        }
    }

    fn report(&self) -> Answer<'_, Result<JournalReport, JournalError>> {
        let what = "it is blank".to_owned();
        Box::pin(async { Err(JournalError { what }) })
    }

    fn lines(&self, last: Option<usize>, _: bool) -> Lines {
        let (sender, lines) = tokio::sync::mpsc::channel(4);
        for _ in 0..last.unwrap_or(4).min(4) {
            sender.try_send("{}".to_owned()).unwrap();
        }
        lines
    }
}

/// An endpoint's listener and its one caller.
pub(super) enum Endpoint {
    Container(Arc<Listener<Container>>, Caller),
    Imds(Arc<Listener<Imds>>, Caller, Token),
}

/// What makes tokens for an endpoint.
pub(super) struct Token(Arc<TokenKey>, Arc<Stand>, Arc<Broker>);

impl Endpoint {
    pub(super) async fn container() -> Self {
        let broker = broker();
        let mut stand = stand(&broker).await;
        stand.token = Some(CONTAINER_TOKEN.into());
        let stands = Arc::new(Stands::default());
        stands.add(Arc::new(stand));
        let paths = Paths::Leases(stands);
        let site = Container { broker, paths };
        Self::Container(Listener::new(house(), site, PORT), Caller::known(peer()))
    }

    pub(super) async fn imds() -> Self {
        let broker = broker();
        let stand = Arc::new(stand(&broker).await);
        let key = Arc::new(TokenKey::new(&broker.new_secret()));
        let site = Imds::new(Arc::clone(&broker), Arc::clone(&key), Arc::clone(&stand));
        let listener = Listener::new(house(), site, PORT);
        Self::Imds(listener, Caller::known(peer()), Token(key, stand, broker))
    }

    /// A token that is valid for a minute.
    pub(super) fn token(&self) -> String {
        match self {
            Self::Container(..) => CONTAINER_TOKEN.to_owned(),
            Self::Imds(_, _, Token(key, stand, broker)) => {
                key.issue(stand.token_name(), broker.running(), 60)
            }
        }
    }

    pub(super) async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let reply = match self {
            Self::Container(listener, caller) => listener.respond(caller, request).await,
            Self::Imds(listener, caller, _) => listener.respond(caller, request).await,
        };
        reply.into()
    }
}

fn house() -> Arc<House> {
    Arc::new(House::new(peer().uid).unwrap())
}

/// The lease is always the same: the corpus has it in paths.
async fn stand(broker: &Arc<Broker>) -> Stand {
    let open = broker.open_endpoint(&peer(), &ask("dev")).await.unwrap();
    assert_eq!(open.lease, LeaseId::parse(LEASE).unwrap());
    Stand::new(open, format!("http://127.0.0.1:{PORT}/v1/{LEASE}"), false)
}

/// The first that the scripted entropy makes.
const LEASE: &str = "01KAN000000000000000000000";

/// The control server and its one peer.
pub(super) struct Socket {
    control: Control,
    peer: Peer,
    held: Arc<Held>,
}

impl Socket {
    pub(super) async fn respond(&self, request: Request<Incoming>) -> Response<body::Body> {
        self.control.respond(&self.peer, &self.held, request).await
    }
}

pub(super) async fn control_socket() -> Socket {
    let broker = broker();
    let (stream, _other) = UnixStream::pair().unwrap();
    let uid = rustix::process::geteuid().as_raw();
    let (peer, held) = admitted(&stream, uid, false).unwrap();
    // Nothing can be made below a file, so no token is written and no container endpoint opened.
    let nowhere = PathBuf::from("/proc/version/tokens");
    let endpoints = Endpoints::new(Arc::clone(&broker), nowhere, peer.clone());
    let control = Control::new(broker, endpoints, Arc::new(Still(uid)));
    let held = Arc::new(held);
    Socket {
        control,
        peer,
        held,
    }
}

/// A process that is always the same.
struct Still(u32);

impl Process for Still {
    fn reload(&self) -> Answer<'_, Result<ReloadReply, Problem>> {
        let reply = ReloadReply {
            config_path: String::new(),
            profiles: 0,
            identities: 0,
            warnings: Vec::new(),
        };
        Box::pin(async { Ok(reply) })
    }

    fn stop(&self) -> Lines {
        tokio::sync::mpsc::channel(1).1
    }

    fn about(&self) -> About {
        About {
            pid: 1,
            uid: self.0,
            uptime_seconds: 1,
            config_path: String::new(),
            config_error: None,
            memory_locked: true,
        }
    }
}
