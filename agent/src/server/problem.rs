//! The one bridge from our failures to a problem on the wire. No wildcard: a new failure must be placed here.

use jumpgate_api::{Need, Problem};

use crate::broker::Failure;
use crate::domain::rotation::Refusal;
use crate::domain::scope::ScopeError;
use crate::ports::{PromptError, StoreError, TokenError, TokenErrorKind};

/// The problem that a peer sees.
pub(super) fn problem(failure: &Failure) -> Problem {
    let mut problem = Problem::new(failure.code(), failure.to_string());
    problem.hint = hint(failure);
    if let Failure::InteractionRequired { identity, needs } = failure {
        let identity = || identity.to_string();
        if needs.passphrase {
            problem.needs.push(Need::Passphrase {
                identity: identity(),
            });
        }
        if needs.totp_seed {
            problem.needs.push(Need::TotpSeed {
                identity: identity(),
            });
        }
        let serial = needs.mfa_serial.clone();
        problem.needs.extend(serial.map(|serial| Need::MfaCode {
            identity: identity(),
            serial,
        }));
    }
    problem
}

fn hint(failure: &Failure) -> Option<String> {
    let text = match failure {
        Failure::Locked => "run: jumpgate unlock".to_owned(),
        Failure::Denied(denial) => denial.hint().to_owned(),
        Failure::Scope(ScopeError::TicketMissing(_)) => "add --ticket ID".to_owned(),
        Failure::Scope(ScopeError::Illegal { .. }) => {
            "correct the --ticket or --tag that went into it, or the profile, then: jumpgate reload"
                .to_owned()
        }
        Failure::Scope(
            ScopeError::TransitiveTagChanged { .. } | ScopeError::SourceIdentityChanged(_),
        ) => "correct the profile, then: jumpgate reload".to_owned(),
        Failure::NoSuchIdentity(_) => "jumpgate identity list names those configured".to_owned(),
        Failure::NoSuchLease(_) => "jumpgate leases lists the live ones".to_owned(),
        Failure::InteractionRequired { identity, .. } => format!("run: jumpgate unlock {identity}"),
        Failure::ConfirmationUnavailable(_) => {
            "a dialog asks for it: start the agent where DISPLAY is set, with pinentry or zenity on PATH"
                .to_owned()
        }
        Failure::PeerChanged(_) => "ask again, from the program that the rule is for".to_owned(),
        Failure::BeingAsked(_) => {
            "answer the question on the screen (a code or passphrase also by: jumpgate unlock), then try again"
                .to_owned()
        }
        Failure::Unconfirmed { error, .. } => unconfirmed_hint(error).to_owned(),
        Failure::Unanswered { identity, error } => unanswered_hint(identity.as_str(), error),
        Failure::CodeUsedBefore(_) => {
            "wait for the next code; each is good for one call".to_owned()
        }
        Failure::Store { identity, error } => return store_hint(identity.as_str(), error),
        Failure::Unfit(_) => {
            "create an access key for an IAM user of that account and add that".to_owned()
        }
        Failure::Rotation { identity, refusal } => rotation_hint(identity.as_str(), refusal),
        Failure::Upstream { call, error } => call_hint(call, error),
        Failure::TooLarge { .. } => {
            "name managed policies instead of a long inline one, or shorten the policy or the tags; none is left out by itself".to_owned()
        }
        Failure::Invalid { .. } => {
            "nothing was handed out; see what sts_endpoint and the proxy point at".to_owned()
        }
        Failure::Waited(_) => "jumpgate status says what is being waited for".to_owned(),
        Failure::Journal(_) => {
            "nothing is handed out unrecorded; make room in the journal's directory, or make it writable \
             again"
                .to_owned()
        }
        Failure::Busy(_) => "try again later".to_owned(),
        Failure::Internal(_) => "the agent's log has more; please report it".to_owned(),
    };
    Some(text)
}

fn call_hint(call: &str, error: &TokenError) -> String {
    let denied = error.kind == TokenErrorKind::Denied;
    if call.contains("AccessKey") {
        key_call_hint(error)
    } else if denied && call.starts_with("GetScopedCredentials") {
        "the role's policies, the profile's policy and the organisation's may all deny \
         sts:GetScopedCredentials; without scope_down the policy is narrowed by denies"
            .to_owned()
    } else if denied && call == "GetSessionToken" {
        "no policy has to allow it: see that mfa_serial is a device of this very user".to_owned()
    } else {
        upstream_hint(error).to_owned()
    }
}

/// Of IAM's calls about access keys.
fn key_call_hint(error: &TokenError) -> String {
    if error.kind == TokenErrorKind::Denied {
        return "the user's own policies must allow iam:ListAccessKeys, CreateAccessKey, UpdateAccessKey, \
                DeleteAccessKey and GetAccessKeyLastUsed on itself; those that ask for MFA need mfa_session"
            .to_owned();
    }
    let hint = upstream_hint(error);
    format!("{hint}; then jumpgate status says whether the rotation is to be resumed")
}

fn rotation_hint(identity: &str, refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotUnderWay => format!("jumpgate identity rotate {identity} begins one"),
        Refusal::UnderWay(_) => format!(
            "jumpgate identity rotate {identity} --resume ends it, and --abort takes it back"
        ),
        Refusal::NoRoom(_) => {
            "delete the one that is not used: aws iam delete-access-key --access-key-id ID"
                .to_owned()
        }
        Refusal::Foreign(_) => {
            "if nobody uses it, delete it: aws iam delete-access-key --access-key-id ID".to_owned()
        }
        Refusal::Unlisted(_) => format!("add a key of the user: jumpgate identity add {identity}"),
        Refusal::FormerIsGone(_) => {
            format!("the new key works: jumpgate identity rotate {identity} --resume")
        }
        Refusal::Confused => "the agent's log has more; please report it".to_owned(),
    }
}

fn unanswered_hint(identity: &str, error: &PromptError) -> String {
    let first = match error {
        PromptError::NoPrompter | PromptError::Withdrawn => "",
        PromptError::Declined | PromptError::TimedOut => "try again, and answer; or ",
        PromptError::Failed(_) => "correct mfa_command or passphrase_command, or the prompter; or ",
    };
    format!("{first}run: jumpgate unlock {identity}")
}

const fn unconfirmed_hint(error: &PromptError) -> &'static str {
    match error {
        PromptError::Failed(_) => {
            "see that the agent has DISPLAY, and name a program that works here as prompter"
        }
        PromptError::NoPrompter
        | PromptError::Withdrawn
        | PromptError::Declined
        | PromptError::TimedOut => "try again, and answer",
    }
}

fn store_hint(identity: &str, error: &StoreError) -> Option<String> {
    match error {
        StoreError::NothingStored => Some(format!("run: jumpgate identity add {identity}")),
        StoreError::PassphraseMissing => Some(format!("run: jumpgate unlock {identity}")),
        StoreError::WrongPassphrase => Some(format!(
            "run: jumpgate unlock {identity}; or correct its passphrase_command"
        )),
        StoreError::Declined => Some("unlock the keyring when it asks".to_owned()),
        StoreError::Unavailable { remedy, .. } => Some(remedy.clone()),
        StoreError::Malformed { .. } => Some(format!(
            "remove it and add the key again: jumpgate identity add {identity}"
        )),
    }
}

const fn upstream_hint(error: &TokenError) -> &'static str {
    match error.kind {
        TokenErrorKind::Denied => {
            "the role's trust policy and the policies of who assumes it (the user; in a chain, the role before) \
             must both allow it (with tags: sts:TagSession; with a source identity: sts:SetSourceIdentity)"
        }
        TokenErrorKind::MfaRejected => "wait for the next code and try again",
        TokenErrorKind::CredentialsRejected => {
            "the key may be inactive or deleted: jumpgate identity check"
        }
        TokenErrorKind::RequestRejected => {
            "the profile asks for something that AWS does not grant; correct it"
        }
        TokenErrorKind::ClockSkewed => "set this machine's clock",
        TokenErrorKind::RegionDisabled => {
            "activate the region for STS in the account, or configure another region"
        }
        TokenErrorKind::Throttled => "try again in a few seconds",
        TokenErrorKind::Unavailable => "check the network, the proxy, sts_endpoint and ca_bundle",
        TokenErrorKind::TimedOut => "check the network; then try again",
        TokenErrorKind::Invalid => "see what sts_endpoint and the proxy point at",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// An answer to CreateAccessKey that never came leaves something to resume.
    #[test]
    fn a_call_of_a_rotation_that_failed_points_to_what_is_left() {
        let hint = |kind| {
            let error = TokenError {
                kind,
                code: None,
                message: "STS did not answer in time".into(),
                request_id: None,
            };
            let call = "CreateAccessKey".into();
            problem(&Failure::Upstream { call, error }).hint.unwrap()
        };
        assert_eq!(
            hint(TokenErrorKind::TimedOut),
            "check the network; then try again; then jumpgate status says whether the rotation is to be resumed"
        );
        assert!(hint(TokenErrorKind::Denied).contains("iam:ListAccessKeys"));
    }

    #[test]
    fn a_ticket_that_is_missing_or_wrong_is_said_to_be_that() {
        let hint = |error: ScopeError| problem(&error.into()).hint.unwrap();
        assert_eq!(
            hint(ScopeError::TicketMissing("dev".into())),
            "add --ticket ID"
        );
        let illegal = ScopeError::Illegal {
            profile: "dev".into(),
            value: crate::domain::assume_role::IllegalValue {
                field: "session name".into(),
                value: "a b".into(),
                why: "a blank".into(),
            },
        };
        assert!(hint(illegal).contains("--ticket"));
    }
}
