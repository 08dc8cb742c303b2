//! Ports that a test scripts, holds up and counts. They share tokio's paused time.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jumpgate_api::{JournalReport, Secret, Timestamp};
use jumpgate_iam::{CallerArn, MfaSessionDuration};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::domain::assume_role::{AssumeRoleRequest, ScopeDown};
use crate::domain::consent::Tree;
use crate::domain::event::{Activity, Event};
use crate::domain::identity::{
    AccessKeyId, BaseCredentials, CodeSource, Endpoint, Identity, LongTermKey,
};
use crate::domain::notice::Notice;
use crate::domain::rotation::{LastUse, ListedKey, StoredKey};
use crate::domain::samples;
use crate::domain::session::AssumedRole;
use crate::ports::{
    Answer, Asking, Clock, Entropy, Errand, IdentityStore, Journal, JournalError, JournalHealth,
    KeyCall, KeyService, Kin, Lines, MfaProof, Notifier, Processes, PromptError, Prompter,
    StoreError, TokenError, TokenErrorKind, TokenService, Wish,
};

/// 30 s after a step of RFC 6238 begins would be awkward to count with: this is the beginning of one.
const START: i64 = 1_800_000_000;

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Clocks that go with tokio's, and by which a suspended machine or somebody who sets the time can be played.
pub(crate) struct FakeClock {
    start: Instant,
    slept: AtomicI64,
    set_back: AtomicI64,
    reads: AtomicU64,
}

impl FakeClock {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            slept: AtomicI64::new(0),
            set_back: AtomicI64::new(0),
            reads: AtomicU64::new(0),
        }
    }

    /// How often it was looked at: nobody who waits does.
    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Ordering::SeqCst)
    }

    /// The wall clock goes on while timers stand still.
    pub(crate) fn suspend(&self, time: Duration) {
        let millis = i64::try_from(time.as_millis()).unwrap();
        self.slept.fetch_add(millis, Ordering::SeqCst);
    }

    /// Somebody sets the wall clock back.
    pub(crate) fn set_back(&self, time: Duration) {
        let millis = i64::try_from(time.as_millis()).unwrap();
        self.set_back.fetch_add(millis, Ordering::SeqCst);
    }

    /// Somebody sets it ahead.
    pub(crate) fn set_ahead(&self, time: Duration) {
        let millis = i64::try_from(time.as_millis()).unwrap();
        self.set_back.fetch_sub(millis, Ordering::SeqCst);
    }

    fn millis(&self) -> i64 {
        let run = i64::try_from(self.start.elapsed().as_millis()).unwrap();
        run + self.slept.load(Ordering::SeqCst)
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let set_back = self.set_back.load(Ordering::SeqCst);
        Timestamp::from_unix_millis(START * 1000 + self.millis() - set_back)
    }

    fn running(&self) -> Duration {
        Duration::from_millis(self.millis().unsigned_abs())
    }
}

#[derive(Default)]
pub(crate) struct FakeEntropy(AtomicU64);

impl Entropy for FakeEntropy {
    fn ulid(&self) -> String {
        format!("01KAN{:021}", self.0.fetch_add(1, Ordering::SeqCst))
    }

    fn byte(&self) -> u8 {
        0
    }

    fn secret(&self) -> Secret<String> {
        let number = self.0.fetch_add(1, Ordering::SeqCst);
        Secret::new(format!("{number:_>43}"))
    }
}

/// Holds callers up until the test lets them through, and tells the test when they arrive.
pub(crate) struct Gate {
    open: watch::Sender<bool>,
    arrived: watch::Sender<usize>,
    waiting: AtomicUsize,
}

/// One that waits at a gate, until it is let through or given up.
struct Waits<'g>(&'g Gate);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Gate {
    fn new() -> Self {
        Self {
            open: watch::channel(true).0,
            arrived: watch::channel(0).0,
            waiting: AtomicUsize::new(0),
        }
    }

    pub(crate) fn close(&self) {
        self.open.send_replace(false);
    }

    pub(crate) fn open(&self) {
        self.open.send_replace(true);
    }

    /// How many came so far.
    pub(crate) fn count(&self) -> usize {
        *self.arrived.borrow()
    }

    /// How many wait at it now.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    /// Resolves when so many have come.
    pub(crate) async fn arrived(&self, count: usize) {
        let mut arrived = self.arrived.subscribe();
        arrived.wait_for(|so_far| *so_far >= count).await.unwrap();
    }

    async fn pass(&self) {
        let _waits = self.arrive();
        self.opened().await;
    }

    fn arrive(&self) -> Waits<'_> {
        self.arrived.send_modify(|count| *count += 1);
        self.waiting.fetch_add(1, Ordering::SeqCst);
        Waits(self)
    }

    async fn opened(&self) {
        self.open.subscribe().wait_for(|open| *open).await.unwrap();
    }
}

/// One AssumeRole as STS saw it.
#[derive(Debug, Clone)]
pub(crate) struct Assumed {
    pub(crate) signer: String,
    pub(crate) request: AssumeRoleRequest,
    pub(crate) code: Option<String>,
}

/// What STS does with one AssumeRole.
pub(crate) enum Script {
    Fail(TokenErrorKind),
    /// Refuses its credentials, once the test says so.
    RejectLate(Arc<Notify>),
    Life(Duration),
    Edit(fn(&mut AssumedRole)),
    Panic,
}

/// STS. Sessions live as long as was asked for.
pub(crate) struct FakeTokens {
    clock: Arc<FakeClock>,
    pub(crate) roles: Gate,
    pub(crate) tokens: Gate,
    pub(crate) assumed: Mutex<Vec<Assumed>>,
    pub(crate) codes: Mutex<Vec<String>>,
    /// Who signed each GetScopedCredentials, and what it took.
    pub(crate) scoped: Mutex<Vec<(String, ScopeDown)>>,
    /// What every GetScopedCredentials gets.
    pub(crate) scoped_denied: Mutex<Option<TokenErrorKind>>,
    script: Mutex<VecDeque<Script>>,
    denied: Mutex<Option<TokenErrorKind>>,
    pub(crate) right_code: Mutex<Option<String>>,
    pub(crate) caller: Mutex<String>,
}

impl FakeTokens {
    pub(crate) fn new(clock: Arc<FakeClock>) -> Self {
        Self {
            clock,
            roles: Gate::new(),
            tokens: Gate::new(),
            assumed: Mutex::default(),
            codes: Mutex::default(),
            scoped: Mutex::default(),
            scoped_denied: Mutex::default(),
            script: Mutex::default(),
            denied: Mutex::default(),
            right_code: Mutex::default(),
            caller: Mutex::new("arn:aws:iam::111111111111:user/alice".into()),
        }
    }

    /// What happens to the next AssumeRole that no earlier script is for.
    pub(crate) fn script(&self, script: Script) {
        locked(&self.script).push_back(script);
    }

    /// What every AssumeRole without a script gets from now on.
    pub(crate) fn deny(&self, kind: Option<TokenErrorKind>) {
        *locked(&self.denied) = kind;
    }

    /// GetSessionToken takes this code only.
    pub(crate) fn take_code(&self, code: &str) {
        *locked(&self.right_code) = Some(code.to_owned());
    }

    pub(crate) fn seen(&self) -> Vec<Assumed> {
        locked(&self.assumed).clone()
    }

    pub(crate) fn codes(&self) -> Vec<String> {
        locked(&self.codes).clone()
    }

    fn answer(
        &self,
        request: &AssumeRoleRequest,
        number: usize,
        script: Option<Script>,
    ) -> Result<AssumedRole, TokenError> {
        let asked = Duration::from_secs(u64::from(request.duration.seconds()));
        let life = match &script {
            Some(Script::Life(life)) => *life,
            _ => asked,
        };
        let mut answer = samples::answer(request, number, self.clock.now().plus(life));
        match script {
            Some(Script::Fail(kind)) => return Err(token_error(kind)),
            Some(Script::RejectLate(_)) => {
                return Err(token_error(TokenErrorKind::CredentialsRejected));
            }
            Some(Script::Panic) => panic!("as the test wanted"),
            Some(Script::Edit(edit)) => edit(&mut answer),
            Some(Script::Life(_)) => {}
            None => {
                if let Some(kind) = *locked(&self.denied) {
                    return Err(token_error(kind));
                }
            }
        }
        Ok(answer)
    }
}

pub(crate) fn token_error(kind: TokenErrorKind) -> TokenError {
    TokenError {
        kind,
        code: Some("AccessDenied".into()),
        message: "User is not authorized to perform sts:AssumeRole".into(),
        request_id: Some("request".into()),
    }
}

impl TokenService for FakeTokens {
    fn caller_identity<'a>(
        &'a self,
        _: &'a Endpoint,
        _: &'a BaseCredentials,
    ) -> Answer<'a, Result<CallerArn, TokenError>> {
        Box::pin(async move { Ok(CallerArn::parse(&locked(&self.caller)).unwrap()) })
    }

    fn session_token<'a>(
        &'a self,
        _: &'a Endpoint,
        key: &'a BaseCredentials,
        mfa: MfaProof<'a>,
        duration: MfaSessionDuration,
    ) -> Answer<'a, Result<BaseCredentials, TokenError>> {
        Box::pin(async move {
            self.tokens.pass().await;
            let code = mfa.code.expose().clone();
            let right = locked(&self.right_code).clone();
            let number = {
                let mut codes = locked(&self.codes);
                codes.push(code.clone());
                codes.len()
            };
            if right.is_some_and(|right| right != code) {
                return Err(token_error(TokenErrorKind::MfaRejected));
            }
            assert_eq!(key.access_key_id.as_str(), samples::KEY_ID);
            let life = Duration::from_secs(u64::from(duration.seconds()));
            Ok(BaseCredentials {
                access_key_id: AccessKeyId::parse(&format!("ASIAMFA{number:013}")).unwrap(),
                secret_access_key: "canary-mfa-secret".into(),
                session_token: Some("canary-mfa-token".into()),
                expires_at: Some(self.clock.now().plus(life)),
            })
        })
    }

    fn assume_role<'a>(
        &'a self,
        _: &'a Endpoint,
        credentials: &'a BaseCredentials,
        request: &'a AssumeRoleRequest,
        mfa: Option<MfaProof<'a>>,
    ) -> Answer<'a, Result<AssumedRole, TokenError>> {
        Box::pin(async move {
            let number = {
                let mut assumed = locked(&self.assumed);
                assumed.push(Assumed {
                    signer: credentials.access_key_id.as_str().to_owned(),
                    request: request.clone(),
                    code: mfa.map(|proof| proof.code.expose().clone()),
                });
                assumed.len()
            };
            let script = locked(&self.script).pop_front();
            self.roles.pass().await;
            if let Some(Script::RejectLate(told)) = &script {
                told.notified().await;
            }
            self.answer(request, number, script)
        })
    }

    fn scoped_credentials<'a>(
        &'a self,
        _: &'a Endpoint,
        credentials: &'a BaseCredentials,
        taken: &'a ScopeDown,
    ) -> Answer<'a, Result<AssumedRole, TokenError>> {
        Box::pin(async move {
            let signer = credentials.access_key_id.as_str().to_owned();
            let number = {
                let mut scoped = locked(&self.scoped);
                scoped.push((signer, taken.clone()));
                scoped.len()
            };
            if let Some(kind) = *locked(&self.scoped_denied) {
                return Err(token_error(kind));
            }
            let session = locked(&self.assumed).last().unwrap().request.clone();
            let life = taken.duration.map(Duration::from);
            let end = life.map(|life| self.clock.now().plus(life));
            let end = end.or(credentials.expires_at).unwrap();
            Ok(samples::answer(&session, 1000 + number, end))
        })
    }

    fn counts(&self) -> (u64, u64) {
        (0, 0)
    }
}

/// Where keys are kept: the long-term key, behind a passphrase if it has one.
pub(crate) struct FakeStore {
    pub(crate) loads: Gate,
    /// Keys kept and removed.
    pub(crate) changes: Gate,
    pub(crate) passphrase: Option<&'static str>,
    pub(crate) failure: Mutex<Option<StoreError>>,
    /// What was kept last.
    pub(crate) kept: Mutex<Option<StoredKey>>,
}

impl FakeStore {
    pub(crate) fn new(passphrase: Option<&'static str>) -> Self {
        Self {
            loads: Gate::new(),
            changes: Gate::new(),
            passphrase,
            failure: Mutex::default(),
            kept: Mutex::default(),
        }
    }

    pub(crate) fn fail(&self, failure: Option<StoreError>) {
        *locked(&self.failure) = failure;
    }

    async fn change(&self) -> Result<(), StoreError> {
        self.changes.pass().await;
        locked(&self.failure).clone().map_or(Ok(()), Err)
    }
}

impl IdentityStore for FakeStore {
    fn load<'a>(
        &'a self,
        _: &'a Identity,
        passphrase: Option<&'a Secret<String>>,
    ) -> Answer<'a, Result<StoredKey, StoreError>> {
        Box::pin(async move {
            self.loads.pass().await;
            if let Some(failure) = locked(&self.failure).clone() {
                return Err(failure);
            }
            let kept = locked(&self.kept).clone();
            let kept = kept.unwrap_or_else(|| StoredKey::new(samples::long_term_key(), None));
            match (self.passphrase, passphrase) {
                (None, _) => Ok(kept),
                (Some(_), None) => Err(StoreError::PassphraseMissing),
                (Some(right), Some(given)) if given.expose() == right => Ok(kept),
                (Some(_), Some(_)) => Err(StoreError::WrongPassphrase),
            }
        })
    }

    fn save<'a>(
        &'a self,
        _: &'a Identity,
        key: &'a StoredKey,
        _: Option<&'a Secret<String>>,
    ) -> Answer<'a, Result<(), StoreError>> {
        Box::pin(async move {
            self.change().await?;
            *locked(&self.kept) = Some(key.clone());
            Ok(())
        })
    }

    fn remove<'a>(&'a self, _: &'a Identity) -> Answer<'a, Result<(), StoreError>> {
        Box::pin(self.change())
    }

    fn wants_passphrase(&self) -> bool {
        self.passphrase.is_some()
    }
}

/// The access keys of a user.
pub(crate) struct FakeKeys {
    /// Calls that change something.
    pub(crate) changes: Gate,
    pub(crate) active: Mutex<BTreeMap<String, bool>>,
}

impl FakeKeys {
    pub(crate) fn new() -> Self {
        let only = BTreeMap::from([(samples::KEY_ID.to_owned(), true)]);
        Self {
            changes: Gate::new(),
            active: Mutex::new(only),
        }
    }

    /// The ids, the inactive ones in brackets.
    pub(crate) fn shown(&self) -> Vec<String> {
        let keys = locked(&self.active);
        let shown = |(id, active): (&String, &bool)| match active {
            true => id.clone(),
            false => format!("({id})"),
        };
        keys.iter().map(shown).collect()
    }
}

fn no_such_key() -> TokenError {
    TokenError {
        code: Some("NoSuchEntity".into()),
        ..token_error(TokenErrorKind::RequestRejected)
    }
}

impl KeyService for FakeKeys {
    fn keys<'a>(&'a self, _: KeyCall<'a>) -> Answer<'a, Result<Vec<ListedKey>, TokenError>> {
        let keys = locked(&self.active).clone();
        let listed = |(id, active): (String, bool)| ListedKey {
            id: AccessKeyId::parse(&id).unwrap(),
            active,
            created_at: Some(Timestamp::from_unix_seconds(START)),
            last_used: LastUse::Unknown,
        };
        Box::pin(async move { Ok(keys.into_iter().map(listed).collect()) })
    }

    fn last_use<'a>(
        &'a self,
        _: KeyCall<'a>,
        _: &'a AccessKeyId,
    ) -> Answer<'a, Result<LastUse, TokenError>> {
        Box::pin(async { Ok(LastUse::Never) })
    }

    fn create_key<'a>(&'a self, _: KeyCall<'a>) -> Answer<'a, Result<LongTermKey, TokenError>> {
        Box::pin(async move {
            self.changes.pass().await;
            let mut keys = locked(&self.active);
            assert!(keys.len() < 2, "a third key");
            let id = format!("AKIANEWKEYNEWKEY{:04}", self.changes.count());
            keys.insert(id.clone(), true);
            Ok(LongTermKey {
                access_key_id: AccessKeyId::parse(&id).unwrap(),
                secret_access_key: "canary-of-a-new-key".into(),
            })
        })
    }

    fn set_active<'a>(
        &'a self,
        _: KeyCall<'a>,
        id: &'a AccessKeyId,
        active: bool,
    ) -> Answer<'a, Result<(), TokenError>> {
        Box::pin(async move {
            self.changes.pass().await;
            let mut keys = locked(&self.active);
            let key = keys.get_mut(id.as_str()).ok_or_else(no_such_key)?;
            *key = active;
            Ok(())
        })
    }

    fn delete_key<'a>(
        &'a self,
        _: KeyCall<'a>,
        id: &'a AccessKeyId,
    ) -> Answer<'a, Result<(), TokenError>> {
        Box::pin(async move {
            self.changes.pass().await;
            let gone = locked(&self.active).remove(id.as_str());
            gone.map(drop).ok_or_else(no_such_key)
        })
    }
}

/// A program that prints codes, the last one over and over; nobody to ask while it has none. And a person at a screen,
/// if there is one.
pub(crate) struct FakePrompter {
    pub(crate) asked: Gate,
    codes: Mutex<VecDeque<Result<&'static str, PromptError>>>,
    pub(crate) passphrases: AtomicUsize,
    pub(crate) screen: AtomicBool,
    /// On whose behalf the person was asked, and what was remarked.
    pub(crate) errands: Mutex<Vec<(Errand, Option<&'static str>)>>,
    /// The person at the screen: what is typed, or yes for anything.
    pub(crate) dialogs: Gate,
    typed: Mutex<VecDeque<Result<&'static str, PromptError>>>,
    withdrawn: Arc<AtomicUsize>,
}

/// A dialog that nobody has answered. Dropped, it is taken back.
struct Dialog(Arc<AtomicUsize>);

impl Drop for Dialog {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl FakePrompter {
    pub(crate) fn new() -> Self {
        Self {
            asked: Gate::new(),
            codes: Mutex::default(),
            passphrases: AtomicUsize::new(0),
            screen: AtomicBool::new(false),
            errands: Mutex::default(),
            dialogs: Gate::new(),
            typed: Mutex::default(),
            withdrawn: Arc::default(),
        }
    }

    /// How many dialogs were taken back.
    pub(crate) fn withdrawn(&self) -> usize {
        self.withdrawn.load(Ordering::SeqCst)
    }

    pub(crate) fn prints(&self, codes: &[&'static str]) {
        *locked(&self.codes) = codes.iter().map(|code| Ok(*code)).collect();
    }

    pub(crate) fn fails(&self, error: PromptError) {
        *locked(&self.codes) = VecDeque::from([Err(error)]);
    }

    /// There is a screen, and a person who does this, in this order.
    pub(crate) fn person(&self, does: &[Result<&'static str, PromptError>]) {
        self.screen.store(true, Ordering::SeqCst);
        *locked(&self.typed) = does.iter().cloned().collect();
    }

    pub(crate) fn errands(&self) -> Vec<(Errand, Option<&'static str>)> {
        locked(&self.errands).clone()
    }

    async fn dialog(
        &self,
        errand: &Errand,
        remark: Option<&'static str>,
    ) -> Result<Secret<String>, PromptError> {
        locked(&self.errands).push((errand.clone(), remark));
        let dialog = Dialog(Arc::clone(&self.withdrawn));
        self.dialogs.pass().await;
        std::mem::forget(dialog);
        let answer = locked(&self.typed).pop_front();
        answer
            .unwrap_or(Err(PromptError::Declined))
            .map(Secret::from)
    }
}

impl Prompter for FakePrompter {
    fn reaches(&self, _: &Errand) -> bool {
        self.screen.load(Ordering::SeqCst)
    }

    fn mfa_code<'a>(
        &'a self,
        asking: Asking<'a>,
    ) -> Answer<'a, Result<Secret<String>, PromptError>> {
        Box::pin(async move {
            self.asked.pass().await;
            let mfa = asking.identity.mfa.as_ref();
            let typed = mfa.is_some_and(|mfa| mfa.source == CodeSource::Prompt);
            if let Some(errand) = asking.errand.filter(|_| typed) {
                return self.dialog(errand, asking.remark).await;
            }
            let mut codes = locked(&self.codes);
            let answer = match codes.len() {
                0 => Err(PromptError::NoPrompter),
                1 => codes[0].clone(),
                _ => codes.pop_front().unwrap(),
            };
            answer.map(Secret::from)
        })
    }

    fn passphrase<'a>(
        &'a self,
        asking: Asking<'a>,
    ) -> Answer<'a, Result<Secret<String>, PromptError>> {
        self.passphrases.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            match asking.errand {
                Some(errand) => self.dialog(errand, asking.remark).await,
                None => Err(PromptError::NoPrompter),
            }
        })
    }

    fn consent<'a>(
        &'a self,
        _: &'a Wish,
        errand: &'a Errand,
    ) -> Answer<'a, Result<(), PromptError>> {
        Box::pin(async move { self.dialog(errand, None).await.map(drop) })
    }
}

/// Processes whose trees the test says; by default all are of one.
#[derive(Default)]
pub(crate) struct FakeProcesses(pub(crate) Mutex<HashMap<u32, u32>>);

impl FakeProcesses {
    pub(crate) fn leads(&self, leader: u32, pid: u32) {
        locked(&self.0).insert(pid, leader);
    }
}

impl Processes for FakeProcesses {
    fn kin(&self, pid: u32) -> Kin {
        let leader = locked(&self.0).get(&pid).copied().unwrap_or(1);
        Kin {
            tree: Some(Tree { leader, started: 0 }),
            terminal: Some("/dev/pts/3".into()),
            parent: None,
        }
    }
}

/// A desktop that keeps what it was shown.
#[derive(Default)]
pub(crate) struct FakeNotifier(Mutex<Vec<Notice>>);

impl FakeNotifier {
    pub(crate) fn shown(&self) -> Vec<String> {
        let notices = locked(&self.0);
        let lines = notices.iter().map(|notice| notice.title.clone());
        lines.collect()
    }
}

impl Notifier for FakeNotifier {
    fn show(&self, notice: Notice) {
        locked(&self.0).push(notice);
    }
}

/// The audit record in memory.
/// Like the real one it writes in the order in which it was given its records, and a caller who goes away takes none back.
pub(crate) struct FakeJournal {
    pub(crate) writes: Arc<Gate>,
    pub(crate) broken: Arc<AtomicBool>,
    order: Arc<tokio::sync::Mutex<()>>,
    records: Arc<Mutex<Vec<Event>>>,
}

impl FakeJournal {
    pub(crate) fn new() -> Self {
        Self {
            writes: Arc::new(Gate::new()),
            broken: Arc::default(),
            order: Arc::default(),
            records: Arc::default(),
        }
    }

    pub(crate) fn records(&self) -> Vec<Event> {
        locked(&self.records).clone()
    }

    pub(crate) fn of(&self, activity: Activity) -> Vec<Event> {
        let records = self.records().into_iter();
        records.filter(|event| event.activity == activity).collect()
    }
}

impl Journal for FakeJournal {
    fn record(&self, event: Event) -> Answer<'_, Result<(), JournalError>> {
        let (writes, broken) = (Arc::clone(&self.writes), Arc::clone(&self.broken));
        let (order, records) = (Arc::clone(&self.order), Arc::clone(&self.records));
        let writing = tokio::spawn(async move {
            let _waits = writes.arrive();
            let _turn = order.lock().await;
            writes.opened().await;
            if broken.load(Ordering::SeqCst) {
                return Err(JournalError {
                    what: "no space left on device".into(),
                });
            }
            locked(&records).push(event);
            Ok(())
        });
        Box::pin(async move { writing.await.unwrap() })
    }

    fn report(&self) -> Answer<'_, Result<JournalReport, JournalError>> {
        Box::pin(async { unreachable!("the broker does not read the journal") })
    }

    fn lines(&self, _: Option<usize>, _: bool) -> Lines {
        unreachable!("the broker does not read the journal")
    }

    fn health(&self) -> JournalHealth {
        JournalHealth {
            path: String::new(),
            records: 0,
            healthy: !self.broken.load(Ordering::SeqCst),
        }
    }
}
