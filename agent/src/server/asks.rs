//! From the wire to the domain: every text becomes a value that is legal by construction, or a problem.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jumpgate_api::{
    Code, CredentialsRequest, EndpointKind, EndpointRequest, IdentityAddRequest, Interface, Narrow,
    Problem, RotateAim, RotateRequest, UnlockRequest,
};
use jumpgate_iam::{Partition, PolicyDocument, ScopedDuration, SessionTags, TagKey, TagValue};

use crate::broker::{Answers, Wish};
use crate::domain::grant::{Ask, MAX_REASON, MAX_TICKET, Narrowing};
use crate::domain::identity::{AccessKeyId, Identity, LongTermKey};
use crate::domain::name::{IdentityName, LeaseId, ProfileName};
use crate::domain::preset::{Given, Preset, SessionPolicies};
use crate::domain::rotation::{Aim, MAX_GRACE};
use crate::domain::settings::Settings;
use crate::domain::totp::TotpSeed;

/// Longest secret that a person types or a key has, in bytes.
const MAX_SECRET: usize = 1_024;

fn invalid(what: &str, why: &dyn std::fmt::Display) -> Problem {
    let remedy = match what {
        "profile" => "jumpgate profile list names those that you may use",
        "identity" => "jumpgate identity list names those configured",
        "lease" => "jumpgate leases lists the live ones",
        "policy" => "jumpgate policy lint FILE says all that is wrong with it",
        "tag" => "correct --tag KEY=VALUE and try again",
        _ => "correct it and try again",
    };
    Problem::new(Code::InvalidRequest, format!("{what}: {why}")).with_hint(remedy)
}

pub(super) fn ask(settings: &Settings, request: CredentialsRequest) -> Result<Ask, Problem> {
    ask_for(
        settings,
        &request.profile,
        request.interface,
        request.narrow,
    )
}

pub(super) fn endpoint(settings: &Settings, request: EndpointRequest) -> Result<Ask, Problem> {
    let interface = match request.kind {
        EndpointKind::Container => Interface::Container,
        EndpointKind::Imds => Interface::Imds,
    };
    ask_for(settings, &request.profile, interface, request.narrow)
}

fn ask_for(
    settings: &Settings,
    profile: &str,
    interface: Interface,
    narrow: Narrow,
) -> Result<Ask, Problem> {
    let profile = profile_name(profile)?;
    // A profile that is not there is told by who decides; till then any partition will do.
    let found = settings.profiles.get(&profile);
    let partition = found.map_or(Partition::Aws, |profile| profile.role.partition());
    let policies = narrow.policy.as_deref();
    let policies = policies
        .map(|text| policies_of(text, partition))
        .transpose()?;
    let SessionPolicies { inline, arns, .. } = policies.unwrap_or_default();
    Ok(Ask {
        profile,
        interface,
        narrowing: Narrowing {
            policy: inline,
            policy_arns: arns,
            duration: narrow
                .duration_seconds
                .map(|seconds| ScopedDuration::new(seconds).map_err(|e| invalid("duration", &e)))
                .transpose()?,
            tags: tags(&narrow.tags)?,
        },
        reason: narrow
            .reason
            .map(|text| said("reason", text, MAX_REASON))
            .transpose()?,
        ticket: narrow
            .ticket
            .map(|text| said("ticket", text, MAX_TICKET))
            .transpose()?,
    })
}

fn policies_of(text: &str, partition: Partition) -> Result<SessionPolicies, Problem> {
    if let Some(name) = text.strip_prefix("preset:") {
        return preset(name, partition);
    }
    let inline = PolicyDocument::parse(text).map_err(|error| invalid("policy", &error))?;
    Ok(SessionPolicies {
        inline: Some(inline),
        ..SessionPolicies::default()
    })
}

/// An ask names a preset and no parameters: which instances and documents are the configuration's to say.
fn preset(name: &str, partition: Partition) -> Result<SessionPolicies, Problem> {
    let preset = Preset::named(name).map_err(|error| {
        invalid("policy", &error).with_hint("jumpgate policy preset list names all of them")
    })?;
    preset.policies(partition, &Given::new()).map_err(|error| {
        invalid("policy", &error).with_hint(format!(
            "name it in a profile: policy = {{ preset = \"{}\", … }}",
            preset.name
        ))
    })
}

/// Legal one by one, and together.
fn tags(asked: &BTreeMap<String, String>) -> Result<Vec<(TagKey, TagValue)>, Problem> {
    let tags: Vec<_> = asked.iter().map(tag).collect::<Result<_, _>>()?;
    SessionTags::new(tags.clone()).map_err(|error| invalid("tag", &error))?;
    Ok(tags)
}

fn tag((key, value): (&String, &String)) -> Result<(TagKey, TagValue), Problem> {
    let key = TagKey::parse(key).map_err(|error| invalid("tag", &error))?;
    let value = TagValue::parse(value).map_err(|error| invalid("tag", &error))?;
    Ok((key, value))
}

/// What goes into the journal in the caller's words: one line of bounded length.
fn said(what: &str, text: String, limit: usize) -> Result<String, Problem> {
    let text = text.trim().to_owned();
    if text.is_empty() || text.chars().count() > limit || text.chars().any(char::is_control) {
        return Err(invalid(
            what,
            &format!("expected 1 to {limit} characters on one line"),
        ));
    }
    Ok(text)
}

pub(super) fn profile_name(text: &str) -> Result<ProfileName, Problem> {
    ProfileName::parse(text).map_err(|error| invalid("profile", &error))
}

pub(super) fn identity_name(text: &str) -> Result<IdentityName, Problem> {
    IdentityName::parse(text).map_err(|error| invalid("identity", &error))
}

pub(super) fn lease_id(text: &str) -> Result<LeaseId, Problem> {
    LeaseId::parse(text)
        .map_err(|_| invalid("lease", &"expected the id of a lease: letters and digits"))
}

pub(super) fn unlock(request: UnlockRequest) -> Result<(Option<IdentityName>, Answers), Problem> {
    let identity = request.identity.as_deref().map(identity_name).transpose()?;
    if let Some(code) = &request.mfa_code {
        let digits = code.expose().len() == 6 && code.expose().bytes().all(|b| b.is_ascii_digit());
        digits
            .then_some(())
            .ok_or_else(|| invalid("MFA code", &"expected six digits"))?;
    }
    let passphrase = request.passphrase;
    check_length(
        "passphrase",
        passphrase.as_ref().map(|secret| secret.expose().len()),
    )?;
    Ok((
        identity,
        Answers {
            passphrase,
            mfa_code: request.mfa_code,
            totp_seed: None,
        },
    ))
}

pub(super) fn rotation(request: RotateRequest) -> Result<(Wish, Answers), Problem> {
    let grace = request.grace_seconds;
    let grace = grace.map(|seconds| Duration::from_secs(u64::from(seconds)));
    if grace.is_some_and(|grace| grace > MAX_GRACE) {
        return Err(invalid("grace", &"expected at most 30 days"));
    }
    let aim = match request.aim {
        RotateAim::Begin => Aim::Begin,
        RotateAim::Resume => Aim::Resume,
        RotateAim::Abort => Aim::Abort,
    };
    let (_, answers) = unlock(UnlockRequest {
        identity: None,
        passphrase: request.passphrase,
        mfa_code: request.mfa_code,
    })?;
    Ok((Wish { aim, grace }, answers))
}

pub(super) fn key(
    request: IdentityAddRequest,
    identity: Option<&Arc<Identity>>,
) -> Result<(LongTermKey, Answers), Problem> {
    let access_key_id = AccessKeyId::parse(&request.access_key_id)
        .map_err(|error| invalid("access key id", &error))?;
    let secret = request.secret_access_key;
    let printable = secret.expose().bytes().all(|byte| byte.is_ascii_graphic());
    printable
        .then_some(())
        .ok_or_else(|| invalid("secret access key", &"expected printable characters"))?;
    check_length("secret access key", Some(secret.expose().len()))?;
    check_length(
        "passphrase",
        request.passphrase.as_ref().map(|text| text.expose().len()),
    )?;
    let seed = request.totp_seed.as_ref();
    if seed.is_some() && identity.is_some_and(|identity| !identity.makes_codes()) {
        return Err(invalid(
            "TOTP seed",
            &"one is kept for mfa = \"stored\" only",
        ));
    }
    let seed = seed.map(|text| TotpSeed::parse(text.expose()));
    let answers = Answers {
        passphrase: request.passphrase,
        mfa_code: None,
        totp_seed: seed
            .transpose()
            .map_err(|error| invalid("TOTP seed", &error))?,
    };
    Ok((
        LongTermKey {
            access_key_id,
            secret_access_key: secret,
        },
        answers,
    ))
}

fn check_length(what: &str, length: Option<usize>) -> Result<(), Problem> {
    let fits = length.is_none_or(|length| (1..=MAX_SECRET).contains(&length));
    fits.then_some(())
        .ok_or_else(|| invalid(what, &format!("expected 1 to {MAX_SECRET} bytes")))
}
