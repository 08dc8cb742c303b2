//! The desktop, by D-Bus: it says that the machine goes to sleep or that its screen is locked, and shows notices.
//!
//! One task for each bus, which waits on its socket and is not woken otherwise. A bus that is not there is not looked for
//! again before the next reload; one that went away is, less and less often. Nothing that happens here holds up an answer.

mod bus;
mod ear;
mod watcher;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use self::bus::{Bus, Lost};
use self::ear::Ear;
use self::watcher::{Kind, Wanted};
use crate::domain::settings::AgentSettings;
use crate::ports::{Answer, Sign, Signs};

/// Where the machine's bus is unless `DBUS_SYSTEM_BUS_ADDRESS` says otherwise (D-Bus specification, "System message bus").
pub const SYSTEM_BUS: &str = "unix:path=/run/dbus/system_bus_socket";

/// Most signs that wait to be heeded; further ones wait in the bus.
const MAX_SIGNS: usize = 16;

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
    lines: Mutex<Vec<Line>>,
}

impl DesktopBuses {
    /// The desktop whose buses are there, for the user of this process.
    #[must_use]
    pub fn new(addresses: Addresses) -> Self {
        let (wanted, heeded) = watch::channel(Wanted::default());
        let (signs, receiver) = mpsc::channel(MAX_SIGNS);
        let line = |kind, address: Option<String>| {
            address.map(|address| Line {
                kind,
                address,
                wanted: heeded.clone(),
                signs: signs.clone(),
            })
        };
        let lines = [
            line(Kind::System, addresses.system),
            line(Kind::Session, addresses.session),
        ];
        Self {
            wanted,
            signs: tokio::sync::Mutex::new(receiver),
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

/// The line to one bus.
#[derive(Debug)]
struct Line {
    kind: Kind,
    address: String,
    wanted: watch::Receiver<Wanted>,
    signs: mpsc::Sender<Sign>,
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
        let wanted = self
            .wanted
            .wait_for(|wanted| !wanted.names(kind).is_empty());
        wanted.await.is_ok()
    }

    /// After a failure: for a while, and when there were too many until other things are wanted.
    async fn pause(&mut self, lost: Option<u32>) -> bool {
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
            while let Some(sign) = sign.take().or_else(|| ear.next()) {
                if self.signs.send(sign).await.is_err() {
                    return Ok(Ended::Agent);
                }
            }
            tokio::select! {
                moved = bus.news() => moved?,
                late = ear.late() => sign = late,
                changed = self.wanted.changed() => {
                    return Ok(changed.map_or(Ended::Agent, |()| Ended::OtherWishes));
                }
            }
        }
    }
}
