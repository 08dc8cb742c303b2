//! The composition root: configuration and ports in, a serving agent out.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jumpgate_api::{Code, Problem, ReloadReply};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, mpsc};
use tokio::task::{JoinHandle, JoinSet};

use crate::broker::{Broker, Ports};
use crate::config::{self, Config};
use crate::domain::event::Activity;
use crate::domain::peer::Peer;
use crate::domain::scope::Surroundings;
use crate::harden::Hardening;
use crate::ports::{Answer, Lines, Signs as _};
use crate::providers::desktop::DesktopBuses;
use crate::providers::journal::FileJournal;
use crate::providers::keyring::KeyringStore;
use crate::providers::processes::ProcProcesses;
use crate::providers::prompter::PersonPrompter;
use crate::providers::sealed_file::SealedFileStore;
use crate::providers::sts::SdkTokenService;
use crate::providers::system::{SystemClock, SystemEntropy};
use crate::server::control::{About, Control, Process};
use crate::server::endpoints::Endpoints;
use crate::server::foothold::Foothold;
use crate::server::peer;
use crate::server::socket::ControlSocket;

/// How long requests under way may take after the agent was told to end.
const DRAIN: Duration = Duration::from_secs(5);

/// The agent, put together but not serving yet.
pub struct App {
    broker: Arc<Broker>,
    endpoints: Arc<Endpoints>,
    desktop: Arc<DesktopBuses>,
    this: Arc<Running>,
}

/// What the parts need to know of the process around them.
struct Running {
    broker: Arc<Broker>,
    endpoints: Arc<Endpoints>,
    desktop: Arc<DesktopBuses>,
    journal: Arc<FileJournal>,
    prompter: Arc<PersonPrompter>,
    config_path: PathBuf,
    config_error: Mutex<Option<String>>,
    hardening: Hardening,
    started: Instant,
    stopping: Notify,
    told: Mutex<Vec<mpsc::Sender<String>>>,
}

/// The providers that need something from outside.
pub struct Providers {
    /// STS.
    pub tokens: SdkTokenService,
    /// The desktop's keyring.
    pub keyring: KeyringStore,
    /// Files sealed by a passphrase.
    pub sealed_files: SealedFileStore,
    /// People, or programs that stand in for them.
    pub prompter: PersonPrompter,
    /// The audit record.
    pub journal: FileJournal,
    /// The machine's sleep, the screen's lock.
    pub desktop: DesktopBuses,
    /// The directory for the tokens of endpoints.
    pub tokens_directory: PathBuf,
}

impl App {
    /// Puts the agent together.
    #[must_use]
    pub fn new(
        config: Config,
        providers: Providers,
        surroundings: Surroundings,
        hardening: Hardening,
    ) -> Self {
        let journal = Arc::new(providers.journal);
        let desktop = Arc::new(providers.desktop);
        let tokens = Arc::new(providers.tokens);
        let prompter = Arc::new(providers.prompter);
        let ports = Ports {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            keyring: Arc::new(providers.keyring),
            sealed_files: Arc::new(providers.sealed_files),
            keys: Arc::clone(&tokens) as _,
            tokens,
            prompter: Arc::clone(&prompter) as _,
            processes: Arc::new(ProcProcesses),
            journal: Arc::clone(&journal) as _,
            notifier: Arc::clone(&desktop) as _,
        };
        let broker = Broker::new(ports, config.settings, surroundings);
        let pid = std::process::id();
        let us = Peer {
            pid,
            uid: rustix::process::geteuid().as_raw(),
            executable: peer::executable(pid),
            origin: None,
        };
        let endpoints = Endpoints::new(Arc::clone(&broker), providers.tokens_directory, us);
        let this = Arc::new(Running {
            broker: Arc::clone(&broker),
            endpoints: Arc::clone(&endpoints),
            desktop: Arc::clone(&desktop),
            journal,
            prompter,
            config_path: config.path,
            config_error: Mutex::new(None),
            hardening,
            started: Instant::now(),
            stopping: Notify::new(),
            told: Mutex::default(),
        });
        Self {
            broker,
            endpoints,
            desktop,
            this,
        }
    }

    /// Serves until SIGTERM, SIGINT or a client's stop, or until the socket's place is lost; then lets requests under
    /// way finish and says so in the journal. `ready` is called when a client can connect. The place is held for as long
    /// as what is returned.
    ///
    /// # Errors
    /// Signals cannot be watched, or nobody can be listened to.
    pub async fn serve(
        self,
        socket: ControlSocket,
        ready: impl FnOnce(),
    ) -> std::io::Result<Option<ControlSocket>> {
        let mut signals = Signals::new()?;
        let (broker, endpoints) = (Arc::clone(&self.broker), Arc::clone(&self.endpoints));
        let control = Control::new(broker, endpoints, Arc::clone(&self.this) as _);
        let mut connections = JoinSet::new();
        self.note(Activity::AgentStart).await;
        let _in_status_and_journal = self.endpoints.settle().await;
        let heeding = self.heed();
        ready();
        let mut socket = Some(socket);
        while let Some(mut bound) = socket.take() {
            let listener = bound.take_listener()?;
            let accepting = control.accept(&listener, &mut connections);
            match self.watch(&bound, accepting, &mut signals).await {
                Over::Ended => {
                    socket = Some(bound);
                    break;
                }
                Over::PlaceLost => socket = self.stand_up_again(bound).await,
            }
        }
        heeding.abort();
        self.endpoints.shut().await;
        self.drain(connections).await;
        Ok(socket)
    }

    /// Until the agent is to end, or nobody can find it any more.
    async fn watch(
        &self,
        socket: &ControlSocket,
        accepting: impl Future<Output = ()>,
        signals: &mut Signals,
    ) -> Over {
        let foothold = Foothold::of(socket);
        let (locking, lost) = (self.broker.keep_locking(), foothold.lost(socket));
        tokio::pin!(accepting, locking, lost);
        loop {
            tokio::select! {
                () = &mut accepting => return Over::Ended,
                () = &mut locking => return Over::Ended,
                () = self.this.stopping.notified() => return Over::Ended,
                () = &mut lost => return Over::PlaceLost,
                wish = signals.next() => match wish {
                    Wish::End => return Over::Ended,
                    Wish::Reload => { let _in_the_journal = self.this.reload().await; }
                    Wish::Lock => { self.broker.lock(None, "SIGUSR1").await; }
                },
            }
        }
    }

    /// At the same place, with all that is in memory. Where that cannot be had, as when its user has left, the agent ends:
    /// nobody would find it, and it would hold the journal against the next one.
    async fn stand_up_again(&self, lost: ControlSocket) -> Option<ControlSocket> {
        let bound = tokio::task::spawn_blocking(|| lost.bind_again()).await;
        match bound {
            Ok(Ok(bound)) => {
                tracing::warn!("the control socket had been taken away; it is back");
                self.endpoints.put_files_back().await;
                Some(bound)
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "the control socket was taken away, and there is no place for another");
                None
            }
            Err(_) => None,
        }
    }

    /// Heeds what the machine tells, beside everything else: nothing else under way may hold that up.
    fn heed(&self) -> JoinHandle<()> {
        self.desktop.listen(&self.broker.settings().agent);
        let (broker, desktop) = (Arc::clone(&self.broker), Arc::clone(&self.desktop));
        tokio::spawn(async move {
            loop {
                broker.heed(desktop.next().await).await;
            }
        })
    }

    /// Waits for requests under way; those that wait for our end are let go last.
    async fn drain(&self, mut connections: JoinSet<()>) {
        let waiting = || {
            let told = self.this.told.lock();
            told.unwrap_or_else(PoisonError::into_inner).len() + self.this.journal.followers()
        };
        let under_way = async {
            while connections.len() > waiting() && connections.join_next().await.is_some() {}
            self.broker.changes_made().await;
        };
        if tokio::time::timeout(DRAIN, under_way).await.is_err() {
            tracing::warn!("requests under way were cut off");
        }
        self.broker.flush_denials().await;
        self.note(Activity::AgentStop).await;
        self.this.journal.end_following();
        self.this
            .told
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        let let_go = async { while connections.join_next().await.is_some() {} };
        let _cut_off = tokio::time::timeout(Duration::from_millis(500), let_go).await;
    }

    async fn note(&self, activity: Activity) {
        if let Err(error) = self.broker.record(activity, None).await {
            tracing::error!(%error, activity = activity.as_str(), "not recorded");
        }
    }
}

impl Process for Running {
    /// Puts the file's present state in force, or leaves the old one and says why.
    fn reload(&self) -> Answer<'_, Result<ReloadReply, Problem>> {
        Box::pin(async move {
            let path = self.config_path.clone();
            // Thousands of policy files may be named in it: requests go on meanwhile.
            let loaded = tokio::task::spawn_blocking(move || config::load(&path)).await;
            let loaded = loaded.map_err(|_| Problem::new(Code::Internal, "reading it failed"))?;
            let mut error = None;
            let outcome = match loaded {
                Ok(config) => Ok(self.put_in_force(config).await),
                Err(errors) => {
                    let details: Vec<String> = errors.0.iter().map(ToString::to_string).collect();
                    error = details.first().cloned();
                    Err(details)
                }
            };
            *self
                .config_error
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = error.clone();
            if error.is_some() {
                let _unhealthy = self.broker.record(Activity::ConfigReload, error).await;
            }
            outcome.map_err(|details| {
                let message = "the configuration has errors; the old one stays in force";
                let hint = "correct the file, then: jumpgate reload";
                let mut problem = Problem::new(Code::InvalidConfiguration, message).with_hint(hint);
                problem.details = details;
                problem
            })
        })
    }

    fn stop(&self) -> Lines {
        let (sender, lines) = mpsc::channel(1);
        self.told
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(sender);
        self.stopping.notify_one();
        lines
    }

    fn about(&self) -> About {
        let error = self
            .config_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        About {
            pid: std::process::id(),
            uid: rustix::process::geteuid().as_raw(),
            uptime_seconds: self.started.elapsed().as_secs(),
            config_path: self.config_path.display().to_string(),
            config_error: error.clone(),
            memory_locked: self.hardening.memory_locked,
        }
    }
}

impl Running {
    async fn put_in_force(&self, config: Config) -> ReloadReply {
        let mut reply = ReloadReply {
            config_path: self.config_path.display().to_string(),
            profiles: config.settings.profiles.len(),
            identities: config.settings.identities.len(),
            warnings: config.warnings.iter().map(ToString::to_string).collect(),
        };
        self.journal.set_keep(config.settings.agent.journal_keep);
        self.desktop.listen(&config.settings.agent);
        self.prompter.configure(&config.settings.agent);
        self.broker.replace_settings(config.settings).await;
        reply.warnings.extend(self.endpoints.settle().await);
        reply
    }
}

/// Why nobody is accepted any more.
enum Over {
    Ended,
    PlaceLost,
}

enum Wish {
    End,
    Reload,
    Lock,
}

struct Signals {
    term: Signal,
    int: Signal,
    hup: Signal,
    usr1: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            hup: signal(SignalKind::hangup())?,
            usr1: signal(SignalKind::user_defined1())?,
        })
    }

    async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.term.recv() => Wish::End,
            _ = self.int.recv() => Wish::End,
            _ = self.hup.recv() => Wish::Reload,
            _ = self.usr1.recv() => Wish::Lock,
        }
    }
}
