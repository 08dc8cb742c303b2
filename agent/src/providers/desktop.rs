//! The desktop, by D-Bus: it says that the machine goes to sleep or that its screen is locked, and shows notices.
//!
//! One task for each bus, which waits on its socket and is not woken otherwise. A bus that is not there is not looked for
//! again before the next reload; one that went away is, less and less often. Nothing that happens here holds up an answer.

mod bus;
mod ear;
#[cfg(any(test, feature = "fuzzed"))]
pub(crate) mod fuzzed;
mod watcher;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use self::bus::{Bus, Lost};
use self::ear::Ear;
use self::watcher::{Kind, Wanted};
use crate::domain::notice::Notice;
use crate::domain::settings::AgentSettings;
use crate::ports::{Answer, Notifier, Sign, Signs};

/// Where the machine's bus is unless `DBUS_SYSTEM_BUS_ADDRESS` says otherwise (D-Bus specification, "System message bus").
pub const SYSTEM_BUS: &str = "unix:path=/run/dbus/system_bus_socket";

/// Most signs that wait to be heeded; further ones wait in the bus.
const MAX_SIGNS: usize = 16;

/// Most notices that wait to be shown; further ones are left out.
const MAX_NOTICES: usize = 16;

/// How often a bus that went away is looked for, after 1 s, 2 s, 4 s and so on: for about four minutes in all.
const RETRIES: u32 = 8;

/// A connection that lasted this long was a good one.
const LASTED: Duration = Duration::from_secs(60);

/// Where the buses are; absent for one that there is not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses {
    /// The machine's.
    pub system: Option<String>,
    /// The user's.
    pub session: Option<String>,
}

/// The desktop. Nothing is connected to before it is told what to listen to.
#[derive(Debug)]
pub struct DesktopBuses {
    wanted: watch::Sender<Wanted>,
    signs: tokio::sync::Mutex<mpsc::Receiver<Sign>>,
    notices: mpsc::Sender<Notice>,
    lines: Mutex<Vec<Line>>,
}

impl DesktopBuses {
    /// The desktop whose buses are there, for the user of this process.
    #[must_use]
    pub fn new(addresses: Addresses) -> Self {
        let (wanted, heeded) = watch::channel(Wanted::default());
        let (signs, receiver) = mpsc::channel(MAX_SIGNS);
        let (notices, to_show) = mpsc::channel(MAX_NOTICES);
        let line = |kind, address: Option<String>, notices| {
            address.map(|address| Line {
                kind,
                address,
                wanted: heeded.clone(),
                signs: signs.clone(),
                notices,
                notice: None,
            })
        };
        let lines = [
            line(Kind::System, addresses.system, None),
            line(Kind::Session, addresses.session, Some(to_show)),
        ];
        Self {
            wanted,
            signs: tokio::sync::Mutex::new(receiver),
            notices,
            lines: Mutex::new(lines.into_iter().flatten().collect()),
        }
    }
}

impl Signs for DesktopBuses {
    fn listen(&self, agent: &AgentSettings) {
        let new = Wanted {
            suspend: agent.lock_on_suspend,
            screen_lock: agent.lock_on_screen_lock,
        };
        self.wanted.send_if_modified(|wanted| {
            let changed = *wanted != new;
            *wanted = new;
            changed
        });
        let lines = std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner));
        for line in lines {
            tokio::spawn(line.keep());
        }
    }

    fn next(&self) -> Answer<'_, Sign> {
        Box::pin(async {
            match self.signs.lock().await.recv().await {
                Some(sign) => sign,
                None => std::future::pending().await,
            }
        })
    }
}

impl Notifier for DesktopBuses {
    fn show(&self, notice: Notice) {
        let _no_desktop_or_too_many = self.notices.try_send(notice);
    }
}

/// The line to one bus.
#[derive(Debug)]
struct Line {
    kind: Kind,
    address: String,
    wanted: watch::Receiver<Wanted>,
    signs: mpsc::Sender<Sign>,
    /// What is to be shown, on the user's bus.
    notices: Option<mpsc::Receiver<Notice>>,
    /// What the connection is made for.
    notice: Option<Notice>,
}

/// The next notice; never where none are shown.
async fn next(notices: &mut Option<mpsc::Receiver<Notice>>) -> Option<Notice> {
    match notices {
        Some(notices) => notices.recv().await,
        None => std::future::pending().await,
    }
}

/// Why a connection is given up in good order.
enum Ended {
    /// Something else is to be listened to.
    OtherWishes,
    /// The agent ends.
    Agent,
}

impl Line {
    /// Keeps a connection for as long as there is something to listen to.
    async fn keep(mut self) {
        // How often in a row it was lost; absent for a bus that was never there.
        let mut lost = None;
        while self.is_needed().await {
            let began = Instant::now();
            let error = match Bus::connect(&self.address).await {
                Ok(bus) => {
                    lost.get_or_insert(0);
                    match self.listen(&bus).await {
                        Ok(Ended::OtherWishes) => continue,
                        Ok(Ended::Agent) => return,
                        Err(error) => error,
                    }
                }
                Err(error) => error,
            };
            tracing::info!(%error, "the {} is not there", self.kind.name());
            lost = lost.map(|times| {
                let lasted = began.elapsed() >= LASTED;
                if lasted { 0 } else { times + 1 }
            });
            if !self.pause(lost).await {
                return;
            }
        }
    }

    /// Waits until something is wanted of this bus; says no when the agent ends.
    async fn is_needed(&mut self) -> bool {
        let kind = self.kind;
        let listens = |wanted: &Wanted| !wanted.names(kind).is_empty();
        tokio::select! {
            biased;
            wanted = self.wanted.wait_for(listens) => wanted.is_ok(),
            notice = next(&mut self.notices) => {
                self.notice = notice;
                self.notice.is_some()
            }
        }
    }

    /// After a failure: for a while, and when there were too many until other things are wanted.
    async fn pause(&mut self, lost: Option<u32>) -> bool {
        // What could not be shown is old by the time that the bus is there.
        self.notice = None;
        if let Some(notices) = &mut self.notices {
            while notices.try_recv().is_ok() {}
        }
        let Some(times) = lost.filter(|times| *times <= RETRIES) else {
            return self.wanted.changed().await.is_ok();
        };
        let while_lost = tokio::time::sleep(Duration::from_millis(500 << times));
        tokio::select! {
            () = while_lost => true,
            changed = self.wanted.changed() => changed.is_ok(),
        }
    }

    async fn listen(&mut self, bus: &Bus) -> Result<Ended, Lost> {
        let wanted = *self.wanted.borrow_and_update();
        let mut ear = Ear::new(bus, self.kind, wanted);
        let mut sign = ear.first();
        loop {
            if let Some(notice) = self.notice.take() {
                bus.show(&notice);
            }
            while let Some(sign) = sign.take().or_else(|| ear.next()) {
                if self.signs.send(sign).await.is_err() {
                    return Ok(Ended::Agent);
                }
            }
            tokio::select! {
                moved = bus.news() => moved?,
                late = ear.late() => sign = late,
                notice = next(&mut self.notices) => match notice {
                    None => return Ok(Ended::Agent),
                    some => self.notice = some,
                },
                changed = self.wanted.changed() => {
                    return Ok(changed.map_or(Ended::Agent, |()| Ended::OtherWishes));
                }
            }
        }
    }
}
