//! A person's yes to a hand-out, asked once for all who wait for the same and remembered for their tree of processes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Broker;
use super::attendance::{Attendance, Attending, Waiter};
use super::failure::Failure;
use super::flight::Flight;
use crate::domain::consent::{self, Matter, Tree};
use crate::domain::grant::{Ask, Grant, decide};
use crate::domain::notice::Notice;
use crate::domain::peer::Peer;
use crate::ports::{PromptError, Wish};

/// Most questions that are open, or were refused a moment ago.
const MAX_OPEN: usize = 64;

#[derive(Debug, Clone)]
struct Open {
    tree: Tree,
    matter: Matter,
    flight: Flight<()>,
    attendance: Attendance,
}

#[derive(Debug)]
struct Refused {
    tree: Tree,
    matter: Matter,
    failure: Failure,
    /// By the clock that nobody can set.
    until: Duration,
}

#[derive(Debug, Default)]
struct Table {
    given: consent::Consents,
    open: Vec<Open>,
    refused: Vec<Refused>,
}

/// What was said yes to, what was refused a moment ago, and what is being asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Consents(Arc<Mutex<Table>>);

impl Consents {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A lock ends every yes and takes every question back.
    pub(super) fn lock(&self) {
        let mut table = self.table();
        table.given.clear();
        table.refused.clear();
        table.open.drain(..).for_each(|open| open.flight.call_off());
    }

    fn settle(
        &self,
        flight: &Flight<()>,
        result: Result<(), Failure>,
        now: Duration,
    ) -> Result<(), Failure> {
        let mut table = self.table();
        let found = table.open.iter().position(|open| open.flight.is(flight));
        let Some(found) = found else {
            return Err(Failure::Locked);
        };
        let Open { tree, matter, .. } = table.open.swap_remove(found);
        table.refused.retain(|refused| refused.until > now);
        match &result {
            Ok(()) => table.given.give(tree, matter, now),
            Err(failure) => {
                if let Some(pause) = failure.remembered() {
                    table.refused.push(Refused {
                        tree,
                        matter,
                        failure: failure.clone(),
                        until: now + pause,
                    });
                }
            }
        }
        result
    }
}

impl Table {
    fn refusal(&self, tree: Tree, matter: &Matter, now: Duration) -> Option<Failure> {
        let mut refused = self.refused.iter();
        let refused = refused.find(|refused| {
            refused.tree == tree && refused.matter == *matter && refused.until > now
        });
        refused.map(|refused| refused.failure.clone())
    }

    fn open(&self, tree: Tree, matter: &Matter) -> Option<Open> {
        let mut open = self.open.iter();
        let same = |open: &&Open| {
            open.tree == tree && open.matter.covers(matter) && open.flight.is_under_way()
        };
        open.find(same).cloned()
    }
}

impl Broker {
    /// Step 6 of a request: a person's yes, if the grant needs one. Waits for it as long as for a code.
    ///
    /// # Errors
    /// A no, no answer in time, nobody to ask.
    pub(super) async fn confirmed(
        self: &Arc<Self>,
        grant: &Grant,
        peer: &Peer,
    ) -> Result<(), Failure> {
        if !grant.confirm {
            return Ok(());
        }
        let tree = self.tree(grant, peer)?;
        let wait = self.settings().agent.prompt_wait;
        let join = |room: &Attendance, waiter| Some(room.join(waiter, wait));
        let Some((open, _waits)) = self.board(grant, tree, peer, join)? else {
            return Ok(());
        };
        let landed = tokio::time::timeout(wait, open.flight.landed()).await;
        landed.unwrap_or_else(|_| Err(unconfirmed(grant, PromptError::TimedOut)))
    }

    /// Asks a person for a yes to what an endpoint for this ask would serve, if one is needed: before it is opened.
    ///
    /// # Errors
    /// The rules' refusal, the person's.
    pub async fn confirm_endpoint(self: &Arc<Self>, peer: &Peer, ask: &Ask) -> Result<(), Failure> {
        self.arrive().await;
        let confirmed = match decide(&self.settings(), peer, ask) {
            Ok(grant) => self.confirmed(&grant, peer).await,
            // Said and recorded where it is opened.
            Err(_) => return Ok(()),
        };
        self.noted(peer, ask, confirmed).await
    }

    /// The same for an endpoint's hand-out, which cannot wait: the question stays, for whoever comes again.
    pub(super) fn still_confirmed(
        self: &Arc<Self>,
        grant: &Grant,
        tree: Option<Tree>,
        owner: &Peer,
    ) -> Result<(), Failure> {
        if !grant.confirm {
            return Ok(());
        }
        let tree = tree.ok_or_else(|| unavailable(grant))?;
        let wait = self.settings().agent.prompt_wait;
        let linger = |room: &Attendance, waiter| {
            room.linger(waiter, wait);
            None
        };
        match self.board(grant, tree, owner, linger)? {
            None => Ok(()),
            Some(_) => Err(Failure::BeingAsked(format!(
                "profile {}",
                grant.profile.name
            ))),
        }
    }

    /// The peer's tree, where a yes is needed and stands; nothing where none is needed.
    pub(super) fn standing_yes(&self, grant: &Grant, peer: &Peer) -> Result<Option<Tree>, Failure> {
        if !grant.confirm {
            return Ok(None);
        }
        let tree = self.tree(grant, peer)?;
        let now = self.ports.clock.running();
        let matter = Matter::of(grant);
        let stands = self.consents.table().given.stands(tree, &matter, now);
        stands
            .then_some(Some(tree))
            .ok_or_else(|| unconfirmed(grant, PromptError::Withdrawn))
    }

    fn tree(&self, grant: &Grant, peer: &Peer) -> Result<Tree, Failure> {
        let tree = self.ports.processes.kin(peer.pid).tree;
        tree.ok_or_else(|| unavailable(grant))
    }

    /// Nothing where a yes stands, else the question that is open, or opened now.
    fn board(
        self: &Arc<Self>,
        grant: &Grant,
        tree: Tree,
        peer: &Peer,
        attend: impl FnOnce(&Attendance, Waiter) -> Option<Attending>,
    ) -> Result<Option<(Open, Option<Attending>)>, Failure> {
        let now = self.ports.clock.running();
        let matter = Matter::of(grant);
        let mut table = self.consents.table();
        if table.given.stands(tree, &matter, now) {
            return Ok(None);
        }
        let waiter = Waiter::new(grant, peer);
        if let Some(open) = table.open(tree, &matter) {
            let attending = attend(&open.attendance, waiter);
            return Ok(Some((open, attending)));
        }
        if let Some(failure) = table.refusal(tree, &matter, now) {
            return Err(failure);
        }
        if table.open.len() + table.refused.len() >= MAX_OPEN {
            return Err(Failure::Busy("too many questions to a person are open"));
        }
        let attendance = Attendance::default();
        // Before the flight: it asks on behalf of those who are there.
        let attending = attend(&attendance, waiter);
        let flight = self.ask(grant, attendance.clone());
        let open = Open {
            tree,
            matter,
            flight,
            attendance,
        };
        table.open.push(open.clone());
        Ok(Some((open, attending)))
    }

    fn ask(self: &Arc<Self>, grant: &Grant, attendance: Attendance) -> Flight<()> {
        let (this, that, grant) = (Arc::clone(self), Arc::clone(self), grant.clone());
        let question = async move {
            let ports = &this.ports;
            let errand = attendance.errand(ports.processes.as_ref());
            let errand = errand.filter(|errand| ports.prompter.reaches(errand));
            let errand = errand.ok_or_else(|| unavailable(&grant))?;
            let wish = wish(&grant);
            let about = format!("profile {}", grant.profile.name);
            ports.notifier.show(Notice::asked("A yes or a no", &about));
            let answer = tokio::select! {
                biased;
                answer = ports.prompter.consent(&wish, &errand) => answer,
                why = attendance.deserted() => Err(why),
            };
            answer.map_err(|error| unconfirmed(&grant, error))
        };
        Flight::start(question, move |flight, result| {
            let now = that.ports.clock.running();
            that.consents.settle(flight, result, now)
        })
    }
}

fn unconfirmed(grant: &Grant, error: PromptError) -> Failure {
    Failure::Unconfirmed {
        profile: grant.profile.name.clone(),
        error,
    }
}

fn unavailable(grant: &Grant) -> Failure {
    let by = grant.rule.as_ref();
    let by = by.map_or_else(String::new, |rule| format!(" (by the rule {rule})"));
    Failure::ConfirmationUnavailable(format!("profile {}{by}", grant.profile.name))
}

/// What the person is shown.
fn wish(grant: &Grant) -> Wish {
    let profile = &grant.profile;
    let account = profile.role.account();
    let account = match &profile.account_name {
        Some(name) => format!("{account} ({name})"),
        None => account.to_string(),
    };
    let role = profile.role.to_string();
    let role = role
        .split_once(":role/")
        .map_or(role.as_str(), |(_, role)| role);
    let down = grant.scope_down.as_ref();
    let life = down.and_then(|down| down.duration).map(Duration::from);
    let life = life.unwrap_or(Duration::from_secs(grant.duration.seconds().into()));
    let own = grant.policy.is_some() || down.is_some_and(|down| down.policy.is_some());
    let policy = own.then(|| "session policy".to_owned());
    let managed = grant.policy_arns.iter().map(ToString::to_string);
    let tags = profile.tags.iter().map(|(key, _)| format!("tag {key}"));
    let asked = grant
        .tags
        .iter()
        .map(|(key, value)| format!("tag {key}={value}"));
    Wish {
        account,
        role: role.to_owned(),
        seconds: u32::try_from(life.as_secs()).unwrap_or(u32::MAX),
        scope: policy
            .into_iter()
            .chain(managed)
            .chain(asked)
            .chain(tags)
            .collect(),
        reason: grant.reason.clone(),
        ticket: grant.ticket.clone(),
    }
}
