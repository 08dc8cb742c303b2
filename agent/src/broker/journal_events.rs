//! Records of what the broker did.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Broker, Failure, Minted};
use crate::domain::assume_role::{AssumeRole, AssumeRoleRequest};
use crate::domain::event::{Activity, Event, Facts};
use crate::domain::grant::{Ask, Grant, rule_for};
use crate::domain::identity::Identity;
use crate::domain::lease::Lease;
use crate::domain::name::ProfileName;
use crate::domain::narrowing::Way;
use crate::domain::notice::Notice;
use crate::domain::peer::Peer;
use crate::domain::session::Session;

impl Broker {
    /// The record of a hand-out. The first of a session's that is safely written is its issue. Until one is known
    /// to be on disk, all are flushed: whoever took the issue upon itself may be gone, and its record lost.
    pub(super) async fn record_lease(
        self: &Arc<Self>,
        lease: &Lease,
        grant: &Grant,
        minted: &Arc<Minted>,
    ) -> Result<(), Failure> {
        self.record_hand_out(lease, grant, minted).await?;
        if grant.profile.notify {
            let notice = Notice::handed_out(&lease.profile, &lease.peer, lease.interface);
            self.ports.notifier.show(notice);
        }
        Ok(())
    }

    async fn record_hand_out(
        self: &Arc<Self>,
        lease: &Lease,
        grant: &Grant,
        minted: &Arc<Minted>,
    ) -> Result<(), Failure> {
        let event = Self::lease_event(lease, grant, minted);
        if minted.issued.load(Ordering::Acquire) {
            return self.record_handed(event, minted).await;
        }
        // Whether the issue is written must be known also when the caller does not wait for it.
        let (this, minted) = (Arc::clone(self), Arc::clone(minted));
        let issue = async move { this.record_issue(event, &minted).await };
        self.changes.make(issue).await
    }

    /// Whoever comes first takes the issue upon itself, and gives it back if it could not be written.
    async fn record_issue(&self, mut event: Event, minted: &Minted) -> Result<(), Failure> {
        let first = !minted.issued.swap(true, Ordering::AcqRel);
        if first {
            event.activity = Activity::LeaseIssue;
        }
        let recorded = self.record_handed(event, minted).await;
        if first && recorded.is_err() {
            minted.issued.store(false, Ordering::Release);
        }
        recorded
    }

    async fn record_handed(&self, mut event: Event, minted: &Minted) -> Result<(), Failure> {
        event.flushed = !minted.on_disk.load(Ordering::Acquire);
        self.ports.journal.record(event).await?;
        minted.on_disk.store(true, Ordering::Release);
        Ok(())
    }

    /// A hand-out of a session that others had before.
    pub(super) fn lease_event(lease: &Lease, grant: &Grant, minted: &Minted) -> Event {
        let mut event = Event::new(Activity::LeaseServe, lease.issued_at);
        event.peer = Some(lease.peer.clone());
        event.lease = Some(lease.id.clone());
        event.detail = lease.note.map(str::to_owned);
        event.expires_at = Some(lease.expires_at);
        event.account = Some(lease.role.account());
        event.facts = Facts {
            profile: Some(lease.profile.to_string()),
            identity: Some(grant.profile.identity.to_string()),
            interface: Some(lease.interface),
            rule: grant.rule.as_ref().map(ToString::to_string),
            reason: grant.reason.clone(),
            ticket: grant.ticket.clone(),
            narrowed_by: grant.narrowed.as_ref().map(|narrowed| narrowed.way),
            asked_policy: grant.narrowed.as_ref().and_then(|n| n.policy.clone()),
            ..session_facts(&minted.sent, &minted.session)
        };
        event
    }

    /// A lease that was ended before its time.
    pub(super) fn lease_end_event(&self, peer: &Peer, lease: &Lease) -> Event {
        let mut event = Event::new(Activity::LeaseEnd, self.ports.clock.now());
        event.peer = Some(peer.clone());
        event.lease = Some(lease.id.clone());
        event.expires_at = Some(lease.expires_at);
        event.account = Some(lease.role.account());
        event.facts = Facts {
            profile: Some(lease.profile.to_string()),
            role_arn: Some(lease.role.to_string()),
            session: Some(lease.session.to_string()),
            interface: Some(lease.interface),
            ..Facts::default()
        };
        event
    }

    /// A refusal.
    /// What became of an ask; a refusal is on record, or about to be, when it is returned.
    pub(super) async fn noted<T>(
        &self,
        peer: &Peer,
        ask: &Ask,
        outcome: Result<T, Failure>,
    ) -> Result<T, Failure> {
        if let Err(failure) = &outcome {
            let event = self.denial_event(peer, ask, failure);
            Box::pin(self.denials.note(event)).await;
        }
        outcome
    }

    pub(super) fn denial_event(&self, peer: &Peer, ask: &Ask, failure: &Failure) -> Event {
        let mut event = Event::new(Activity::Deny, self.ports.clock.now());
        event.peer = Some(peer.clone());
        event.failure = Some(failure.to_string());
        let settings = self.settings();
        let profile = settings.profiles.get(&ask.profile);
        event.account = profile.map(|profile| profile.role.account());
        event.facts = Facts {
            profile: Some(ask.profile.to_string()),
            identity: profile.map(|profile| profile.identity.to_string()),
            role_arn: profile.map(|profile| profile.role.to_string()),
            interface: Some(ask.interface),
            rule: rule_for(&settings, peer, &ask.profile).map(|rule| rule.to_string()),
            reason: ask.reason.clone(),
            ticket: ask.ticket.clone(),
            sts_request_id: match failure {
                Failure::Upstream { error, .. } | Failure::TooLarge { error, .. } => {
                    error.request_id.clone()
                }
                _ => None,
            },
            code: Some(failure.code().to_string()),
            ..Facts::default()
        };
        event
    }

    /// What a flight did that no lease will tell: a role on the way, a refresh behind its callers.
    pub(super) async fn record_refresh(
        &self,
        question: &AssumeRole,
        profile: ProfileName,
        result: &Result<Minted, Failure>,
    ) {
        let mut event = Event::new(Activity::SessionRefresh, self.ports.clock.now());
        event.account = Some(question.last.role.account());
        match result {
            Ok(minted) => {
                event.expires_at = Some(minted.session.expires_at);
                event.facts = session_facts(&minted.sent, &minted.session);
                event.facts.narrowed_by = question.scope_down.as_ref().map(|_| Way::ScopeDown);
                let scoped = question.scope_down.as_ref();
                event.facts.asked_policy = scoped.and_then(|scoped| scoped.policy.clone());
            }
            Err(failure) => {
                event.failure = Some(failure.to_string());
                event.facts.code = Some(failure.code().to_string());
                event.facts.role_arn = Some(question.last.role.to_string());
            }
        }
        event.facts.profile = Some(profile.to_string());
        event.facts.identity = Some(question.identity.to_string());
        self.record_or_log(event).await;
    }

    /// An identity that became usable, or not.
    pub(super) async fn record_unlock(
        &self,
        peer: &Peer,
        identity: &Identity,
        outcome: &Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut event = Event::new(Activity::IdentityUnlock, self.ports.clock.now());
        event.peer = Some(peer.clone());
        event.account = Some(identity.account);
        event.facts.identity = Some(identity.name.to_string());
        if let Err(failure) = outcome {
            event.failure = Some(failure.to_string());
            event.facts.code = Some(failure.code().to_string());
        }
        Ok(self.ports.journal.record(event).await?)
    }

    /// For records that no hand-out depends on: what cannot be written is at least in the log, and `status`
    /// shows the journal unhealthy.
    pub(super) async fn record_or_log(&self, event: Event) {
        let activity = event.activity.as_str();
        if let Err(error) = self.ports.journal.record(event).await {
            tracing::error!(%error, activity, "not recorded");
        }
    }
}

fn session_facts(sent: &AssumeRoleRequest, session: &Session) -> Facts {
    Facts {
        role_arn: Some(sent.role.to_string()),
        session: Some(sent.session.to_string()),
        session_name: Some(sent.session_name.to_string()),
        source_identity: sent.source_identity.as_ref().map(ToString::to_string),
        tags: sent
            .tags
            .iter()
            .map(|(key, value)| (key.to_string(), value.to_string()))
            .collect(),
        transitive_tags: sent.transitive.iter().map(ToString::to_string).collect(),
        policy: sent.policy.clone(),
        policy_arns: Some(sent.policy_arns.clone()),
        access_key_id: Some(session.access_key_id.as_str().to_owned()),
        assumed_role_id: Some(session.assumed_role_id.clone()),
        packed_policy_percent: session.packed_policy_percent,
        token_bytes: Some(session.session_token.expose().len()),
        token_percent: session.token_percent,
        sts_request_id: session.request_id.clone(),
        ..Facts::default()
    }
}
