//! Sessions in the making: hop by hop, each signed by the one before, the first by the identity.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use jumpgate_iam::PolicyDocument;

use super::Broker;
use super::failure::Failure;
use super::question::Question;
use super::sessions::{Behind, Bodies, Manner, Minted};
use crate::domain::assume_role::{AssumeRole, AssumeRoleRequest};
use crate::domain::identity::{BaseCredentials, Identity};
use crate::domain::name::{ProfileName, SessionId};
use crate::domain::session::{Session, accept, accept_scoped};
use crate::domain::weight::{scoped_weights, weights};
use crate::ports::{Answer, MfaProof, TokenError, TokenErrorKind};

/// What of a minted session gets a record of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// None: the lease's record, or the refusal's, tells it.
    ByLease,
    /// A role on the way to another: no lease tells of it.
    Success,
    /// A refresh behind its callers: they notice neither outcome.
    Outcome,
}

impl Broker {
    /// The session for a question; in the flight, the session that signs it comes first. Boxed, since the two
    /// call each other.
    pub(super) fn session<'a>(
        self: &'a Arc<Self>,
        identity: &'a Arc<Identity>,
        question: Question,
        profile: &'a ProfileName,
        manner: Manner,
        told: Told,
    ) -> Answer<'a, Result<Arc<Minted>, Failure>> {
        Box::pin(async move {
            let refreshable = self.identities.is_ready(identity);
            let mint = |behind: Behind| {
                let (broker, identity) = (Arc::clone(self), Arc::clone(identity));
                let (question, profile) = (question.clone(), profile.clone());
                let told = if behind.0 { Told::Outcome } else { told };
                async move {
                    broker
                        .mint(&identity, &question, profile, manner, told)
                        .await
                }
            };
            self.sessions
                .session(&question, refreshable, manner, mint)
                .await
        })
    }

    async fn mint(
        self: Arc<Self>,
        identity: &Arc<Identity>,
        question: &AssumeRole,
        profile: ProfileName,
        manner: Manner,
        told: Told,
    ) -> Result<Arc<Minted>, Failure> {
        let name = profile.clone();
        let result = match question.prefix() {
            Some(whole) if question.scope_down.is_some() => {
                self.scope_down(identity, question, whole, profile, manner)
                    .await
            }
            None => {
                self.assume_by_identity(identity, question, profile, manner)
                    .await
            }
            Some(prefix) => {
                self.assume_by_role(identity, question, prefix, profile, manner)
                    .await
            }
        };
        match (told, &result) {
            (Told::Outcome, _) | (Told::Success, Ok(_)) => {
                self.record_refresh(question, name, &result).await;
            }
            (Told::ByLease, _) | (Told::Success, Err(_)) => {}
        }
        result.map(Arc::new)
    }

    async fn assume_by_role(
        self: &Arc<Self>,
        identity: &Arc<Identity>,
        question: &AssumeRole,
        prefix: AssumeRole,
        profile: ProfileName,
        manner: Manner,
    ) -> Result<Minted, Failure> {
        let prefix = Question::from(prefix);
        let earlier = prefix.clone();
        let earlier = self.session(identity, earlier, &profile, manner, Told::Success);
        let earlier = earlier.await?;
        let base = earlier.session.as_base();
        let assumed = self.assume(question, profile, &base, None).await;
        if assumed.as_ref().is_err_and(rejects_credentials) {
            self.sessions.discard(&prefix, &earlier);
        }
        assumed
    }

    /// The session without the scope-down, shared with those who ask for it as it is; then the scope-down.
    async fn scope_down(
        self: &Arc<Self>,
        identity: &Arc<Identity>,
        question: &AssumeRole,
        whole: AssumeRole,
        profile: ProfileName,
        manner: Manner,
    ) -> Result<Minted, Failure> {
        let whole = Question::from(whole);
        let within = self.session(identity, whole.clone(), &profile, manner, Told::Success);
        let within = within.await?;
        let scoped = self.scoped(question, profile, &within).await;
        if scoped.as_ref().is_err_and(rejects_credentials) {
            self.sessions.discard(&whole, &within);
        }
        scoped
    }

    async fn scoped(
        &self,
        question: &AssumeRole,
        profile: ProfileName,
        within: &Minted,
    ) -> Result<Minted, Failure> {
        let call = format!("GetScopedCredentials {}", question.last.role);
        let taken = question.scope_down.clone();
        let taken = taken.ok_or(Failure::Internal("no scope-down"))?;
        let left = within
            .session
            .expires_at
            .since(within.now(self.ports.clock.as_ref()));
        let taken = taken.within(left);
        let base = within.session.as_base();
        let tokens = &self.ports.tokens;
        let answer = tokens.scoped_credentials(&question.endpoint, &base, &taken);
        let answer = answer.await.map_err(|error| {
            let weights = || scoped_weights(&taken, &within.sent);
            refused(call.clone(), error, taken.policy.as_ref(), weights)
        })?;
        let now = within.now(self.ports.clock.as_ref());
        let session = accept_scoped(&within.sent, &within.session, &taken, answer, now)
            .map_err(|error| Failure::Invalid { call, error })?;
        Ok(self.minted(session, within.sent.clone(), profile))
    }

    fn minted(&self, session: Session, sent: AssumeRoleRequest, profile: ProfileName) -> Minted {
        Minted {
            session,
            sent,
            profile,
            made_at: self.ports.clock.running(),
            issued: AtomicBool::new(false),
            on_disk: AtomicBool::new(false),
            bodies: Bodies::default(),
        }
    }

    async fn assume_by_identity(
        &self,
        identity: &Arc<Identity>,
        question: &AssumeRole,
        profile: ProfileName,
        manner: Manner,
    ) -> Result<Minted, Failure> {
        let base = self.identities.base(identity, manner.person).await?;
        let code = self
            .identities
            .code_for_role(identity, manner.person)
            .await?;
        let serial = identity.mfa.as_ref().map(|mfa| &mfa.serial);
        let mfa = serial
            .zip(code.as_ref())
            .map(|(serial, code)| MfaProof { serial, code });
        let assumed = self.assume(question, profile.clone(), &base, mfa).await;
        if !assumed.as_ref().is_err_and(rejects_credentials) {
            return assumed;
        }
        if base.session_token.is_none()
            && mfa.is_none()
            && self.identities.has_another(&identity.name, &base)
        {
            let base = self.identities.base(identity, manner.person).await?;
            return self.assume(question, profile, &base, None).await;
        }
        self.identities.drop_base(&identity.name, &base);
        assumed
    }

    async fn assume(
        &self,
        question: &AssumeRole,
        profile: ProfileName,
        base: &BaseCredentials,
        mfa: Option<MfaProof<'_>>,
    ) -> Result<Minted, Failure> {
        let call = format!("AssumeRole {}", question.last.role);
        let id = SessionId::parse(&self.ports.entropy.ulid())
            .map_err(|_| Failure::Internal("no session id"))?;
        let sent = question
            .last
            .request(&id)
            .map_err(|_| Failure::Internal("a session id made a request illegal"))?;
        let tokens = &self.ports.tokens;
        let answer = tokens
            .assume_role(&question.endpoint, base, &sent, mfa)
            .await;
        let answer = answer.map_err(|error| {
            let weights = || weights(&sent);
            refused(call.clone(), error, sent.policy.as_ref(), weights)
        })?;
        let now = self.ports.clock.now();
        let session = accept(&sent, question.is_chained(), answer, now)
            .map_err(|error| Failure::Invalid { call, error })?;
        Ok(self.minted(session, sent, profile))
    }
}

/// What STS said, and what each part weighs where it says that there is too much of them.
fn refused(
    call: String,
    error: TokenError,
    sent: Option<&PolicyDocument>,
    weights: impl FnOnce() -> String,
) -> Failure {
    let long = sent.is_some_and(PolicyDocument::exceeds_documented_limit);
    match error.code.as_deref() {
        Some("PackedPolicyTooLarge") => {}
        Some("ValidationError") if long => {}
        _ => return Failure::Upstream { call, error },
    }
    Failure::TooLarge {
        call,
        error,
        weights: weights(),
    }
}

fn rejects_credentials(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Upstream {
            error: TokenError {
                kind: TokenErrorKind::CredentialsRejected,
                ..
            },
            ..
        }
    )
}
