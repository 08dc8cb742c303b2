//! The double as tests and the demo hold it.

use super::entities::{Bucket, Role, User};
use super::faults::{Fault, Planned, When};
use super::policy::{Policy, Purpose};
use super::record::Event;
use super::rules::{Rule, Rules};
use super::server::{self, Shared};
use super::state::{Object, State};
use super::totp;
use super::world::{World, WorldError};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A running double. Dropping it ends all its connections and threads.
pub struct StsDouble {
    shared: Arc<Shared>,
    address: SocketAddr,
    acceptor: Option<JoinHandle<()>>,
}

impl StsDouble {
    /// Starts on a free loopback port. Errors: a world that cannot exist (too many keys, a policy
    /// that does not parse), or no port.
    pub fn start(world: World) -> Result<StsDouble, WorldError> {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        StsDouble::listen(loopback, world)
    }

    /// Starts on the given address, which must be a loopback one.
    pub fn listen(address: SocketAddr, world: World) -> Result<StsDouble, WorldError> {
        world.check()?;
        let failed = |error: io::Error| WorldError {
            place: format!("listen on {address}"),
            what: error.to_string(),
        };
        if !address.ip().is_loopback() {
            return Err(failed(io::Error::other(
                "the double listens on loopback only",
            )));
        }
        let listener = TcpListener::bind(address).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let shared = Arc::new(Shared::of(State::of(world)));
        let of_thread = Arc::clone(&shared);
        let acceptor = thread::spawn(move || server::accept(&listener, &of_thread));
        Ok(StsDouble {
            shared,
            address,
            acceptor: Some(acceptor),
        })
    }

    /// `http://127.0.0.1:PORT`, for STS and S3 alike.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends all connections and lets everyone go on who waits. Dropping does the same.
    pub fn stop(&self) {
        self.shared.stop();
    }

    // What happened

    /// All calls that were answered (or dropped by a fault), in order.
    pub fn events(&self) -> Vec<Event> {
        self.shared.state().events.clone()
    }

    /// The calls of one action.
    pub fn events_of(&self, action: &str) -> Vec<Event> {
        let state = self.shared.state();
        state
            .events
            .iter()
            .filter(|event| event.action == action)
            .cloned()
            .collect()
    }

    /// The number of calls of one action, refused ones among them.
    pub fn count(&self, action: &str) -> usize {
        self.shared
            .state()
            .events
            .iter()
            .filter(|event| event.action == action)
            .count()
    }

    /// Forgets all calls so far.
    pub fn clear_events(&self) {
        let mut state = self.shared.state();
        state.events.clear();
        state.arrivals.clear();
    }

    /// Waits until that many calls of an action have come in, answered or held; `false` when the
    /// time ran out first.
    pub fn wait_for_arrivals(&self, action: &str, count: usize, patience: Duration) -> bool {
        self.wait(patience, |s| {
            s.arrivals.get(action).copied().unwrap_or(0) >= count
        })
    }

    /// Waits until that many calls of an action were answered.
    pub fn wait_for_events(&self, action: &str, count: usize, patience: Duration) -> bool {
        self.wait(patience, |s| {
            s.events.iter().filter(|e| e.action == action).count() >= count
        })
    }

    /// Waits until there are more events than `seen`, however long it takes, and returns those.
    pub fn next_events(&self, seen: usize) -> Vec<Event> {
        self.shared
            .wait_until(None, |s| s.stopping || s.events.len() > seen);
        self.shared
            .state()
            .events
            .iter()
            .skip(seen)
            .cloned()
            .collect()
    }

    fn wait(&self, patience: Duration, wished: impl Fn(&State) -> bool) -> bool {
        self.shared
            .wait_until(Instant::now().checked_add(patience), wished)
    }

    /// Every secret that exists: secret keys and seeds as given, secret keys and session tokens as
    /// made. For a scan of logs.
    pub fn secrets(&self) -> Vec<String> {
        self.shared.state().secrets()
    }

    // Faults

    /// Plans a fault. Several are met in the order of their planning.
    pub fn inject(&self, fault: Fault, when: When) {
        self.shared.state().planned.push(Planned { fault, when });
    }

    /// Forgets all planned faults and lets held calls go on.
    pub fn clear_faults(&self) {
        self.shared.state().planned.clear();
        self.release();
    }

    /// Lets the calls go on that [`Fault::Hold`] holds now.
    pub fn release(&self) {
        self.shared.state().releases += 1;
        self.shared.changed.notify_all();
    }

    /// Keys that IAM makes from now on are unknown to STS for so many calls of each.
    pub fn delay_new_keys(&self, calls: usize) {
        self.shared.state().propagation = calls;
    }

    /// The access keys of a user, by ARN: id and whether it is active. Panics on an unknown one.
    pub fn access_keys(&self, user_arn: &str) -> Vec<(String, bool)> {
        let state = self.shared.state();
        let user = state.world.find_user(user_arn).expect("a known user");
        let keys = user.keys.iter();
        keys.map(|key| (key.id.clone(), key.active)).collect()
    }

    /// Has a key sign a call that nobody sees.
    pub fn use_key(&self, id: &str) {
        let mut state = self.shared.state();
        let now = state.now();
        state.last_used.insert(id.to_owned(), now);
    }

    // Time

    /// The double's time in Unix seconds.
    pub fn now(&self) -> i64 {
        self.shared.state().now()
    }

    /// Moves the double's clock forward, by whole seconds. Clients whose clocks stay behind are
    /// refused after five minutes: to let sessions expire for them, use
    /// [`StsDouble::expire_sessions`].
    pub fn advance(&self, by: Duration) {
        let seconds = i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
        let mut state = self.shared.state();
        state.offset = state.offset.saturating_add(seconds);
    }

    /// Sets the clock to the system's plus this many seconds.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.shared.state().offset = seconds;
    }

    /// Lets every session that exists expire now.
    pub fn expire_sessions(&self) {
        let mut state = self.shared.state();
        let now = state.now();
        state
            .sessions
            .values_mut()
            .for_each(|session| session.expires = now);
    }

    /// A code of the MFA device that is good now and was not used yet: the current one, else a
    /// neighbour within the window. Panics on an unknown serial, or when all three are used up
    /// (then [`StsDouble::advance`] by 30 s).
    pub fn totp_code(&self, serial: &str) -> String {
        self.shared
            .state()
            .fresh_code(serial)
            .expect("a known device with an unused code")
    }

    /// The seed of the MFA device in base32, as its user was shown it. Panics on an unknown serial.
    pub fn totp_seed(&self, serial: &str) -> String {
        let state = self.shared.state();
        let mut devices = state.world.users.iter().flat_map(|user| &user.mfa);
        let device = devices.find(|device| device.serial == serial);
        device.expect("a known device").seed.clone()
    }

    /// The code of the MFA device so many steps of 30 s from now, used or not.
    pub fn totp_code_at(&self, serial: &str, steps: i64) -> String {
        let state = self.shared.state();
        let mut devices = state.world.users.iter().flat_map(|user| &user.mfa);
        let device = devices
            .find(|d| d.serial == serial)
            .expect("a known device");
        let seed = totp::base32(&device.seed).expect("checked at the start");
        totp::code(&seed, totp::step_at(state.now()) + steps)
    }

    // Changes of the world, in force at the next call

    /// Attaches an inline policy to a role, by ARN: a revocation, for example. Panics on an unknown
    /// role or a policy that does not parse.
    pub fn attach_role_policy(&self, role_arn: &str, json: &str) {
        let check = Policy::parse(json, Purpose::Identity, &Rules::default());
        check.map(drop).expect("a policy that parses");
        self.change_role(role_arn, |role, rules| {
            if rules.enforces(Rule::PoliciesAtEachCall) {
                role.policies.push(json.to_owned());
            }
        });
    }

    /// Changes a role, by ARN. Panics on an unknown one.
    pub fn change_role(&self, role_arn: &str, change: impl FnOnce(&mut Role, &Rules)) {
        let mut state = self.shared.state();
        let rules = state.world.without.clone();
        let role = state
            .world
            .roles
            .iter_mut()
            .find(|role| role.arn() == role_arn);
        change(role.expect("a known role"), &rules);
    }

    /// Changes a user, by ARN: makes a key inactive, adds a policy. Panics on an unknown one.
    pub fn change_user(&self, user_arn: &str, change: impl FnOnce(&mut User)) {
        let mut state = self.shared.state();
        let user = state
            .world
            .users
            .iter_mut()
            .find(|user| user.arn() == user_arn);
        change(user.expect("a known user"));
    }

    /// Changes a bucket, by name. Panics on an unknown one.
    pub fn change_bucket(&self, name: &str, change: impl FnOnce(&mut Bucket)) {
        let mut state = self.shared.state();
        let bucket = state
            .world
            .buckets
            .iter_mut()
            .find(|bucket| bucket.name == name);
        change(bucket.expect("a known bucket"));
    }

    /// Puts an object into a bucket, without asking anyone.
    pub fn put_object(&self, bucket: &str, key: &str, body: &[u8]) {
        let mut state = self.shared.state();
        let content_type = "binary/octet-stream".to_owned();
        let object = Object {
            body: body.to_vec(),
            content_type,
            modified: state.now(),
        };
        state
            .objects
            .insert((bucket.to_owned(), key.to_owned()), object);
    }

    /// An object's bytes, without asking anyone.
    pub fn object(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        let place = (bucket.to_owned(), key.to_owned());
        self.shared
            .state()
            .objects
            .get(&place)
            .map(|object| object.body.clone())
    }
}

impl std::fmt::Debug for StsDouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StsDouble")
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}

impl Drop for StsDouble {
    fn drop(&mut self) {
        self.shared.stop();
        server::wake(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}
