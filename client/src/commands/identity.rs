//! `jumpgate identity`: the long-lived keys. They go to the agent once and never come back.

mod source;

use jumpgate_api::{
    Code, ExitStatus, IdentityAddRequest, IdentityRemoved, IdentityReply, Need, Problem, RotateAim,
    RotateReply, RotateRequest, Secret, Timestamp, UnlockRequest, path_segment,
};

use super::{Context, Outcome, unlock};
use crate::cli::{IdentityVerb, Rotate};
use crate::connection::{Agent, CallError, Request};
use crate::failure::Failure;
use crate::output::{escape, listings, until};

pub(super) fn run(context: &mut Context<'_>, verb: IdentityVerb) -> Outcome {
    match verb {
        IdentityVerb::Add { name, source: None } => add(context, &name),
        IdentityVerb::Add {
            name,
            source: Some(source),
        } => source::add(context, &name, &source),
        IdentityVerb::List(json) => {
            let now = context.now;
            context.list(json, &Request::new("GET", "identities"), |list| {
                listings::identities(list, now)
            })
        }
        IdentityVerb::Remove { name } => {
            let request = Request::new("DELETE", &path(&name)).patient();
            let removed: IdentityRemoved = context.agent.call(&request)?;
            context.finish(&format!("{}: removed\n", escape(&removed.name)))
        }
        IdentityVerb::Check { name } => {
            let reply = check(context, &name)?;
            context.finish(&said(&reply, "is"))
        }
        IdentityVerb::Rotate(wish) => rotate(context, wish),
    }
}

fn rotate(context: &mut Context<'_>, wish: Rotate) -> Outcome {
    if context.person.is_present() && wish.aim != RotateAim::Abort {
        let name = escape(&wish.name);
        let news =
            format!("{name}: a new key is made and proved; AWS can take a minute for that\n");
        context.person.tell(&news);
    }
    let path = format!("{}/rotate", path(&wish.name));
    let call = |agent: &Agent<'_>, given: &UnlockRequest| {
        let ask = RotateRequest {
            aim: wish.aim,
            grace_seconds: wish.grace_seconds,
            passphrase: given.passphrase.clone(),
            mfa_code: given.mfa_code.clone(),
        };
        agent.reply(&Request::new("POST", &path).body(&ask).patient())
    };
    let reply = unlock::with_answers(context, UnlockRequest::default(), call)?;
    let now = context.now;
    context.show(wish.json, &reply, |reply| rotated(reply, now))
}

fn rotated(reply: &RotateReply, now: Timestamp) -> String {
    let (name, key) = (escape(&reply.name), &reply.key);
    let current = escape(&key.access_key_id);
    let Some((former, delete_at)) = key.other_access_key_id.as_ref().zip(key.delete_at) else {
        return format!("{name}: {current} is current, and no other key is left\n");
    };
    let (former, end) = (escape(former), until(now, delete_at));
    format!(
        "{name}: {current} is current\n\
         {name}: {former} is inactive; --abort takes it back, --resume deletes it after {end}\n"
    )
}

fn path(name: &str) -> String {
    format!("identities/{}", path_segment(name))
}

fn said(reply: &IdentityReply, verb: &str) -> String {
    let [name, arn, store] = [&reply.name, &reply.arn, &reply.store].map(|text| escape(text));
    format!("{name}: {verb} {arn}, in the {store}\n")
}

/// Asks AWS whose key is stored.
fn check(context: &Context<'_>, name: &str) -> Result<IdentityReply, CallError> {
    let request = Request::new("POST", &format!("{}/check", path(name)));
    context.agent.call(&request.patient())
}

fn add(context: &mut Context<'_>, name: &str) -> Outcome {
    let shown = escape(name);
    let key_id = context
        .person
        .line(&format!("Access key id of {shown}: "))?;
    let secret = context
        .person
        .secret(&format!("Secret access key of {shown}: "))?;
    let (Some(key_id), Some(secret)) = (key_id, secret) else {
        return Err(Failure::usage("the access key is missing")
            .hint("give the access key id and the secret access key, each on a line of its own"));
    };
    let ask = IdentityAddRequest {
        access_key_id: key_id.expose().trim().to_owned(),
        secret_access_key: secret.expose().trim().into(),
        passphrase: None,
        totp_seed: None,
    };
    let reply = store(context, name, ask)?;
    context.finish(&said(&reply, "stored"))
}

/// Has the agent store a key, with the seed of the MFA device and a new passphrase if it needs them.
fn store(
    context: &mut Context<'_>,
    name: &str,
    mut ask: IdentityAddRequest,
) -> Result<IdentityReply, Failure> {
    loop {
        match put(context, name, &ask) {
            Err(CallError::Refused(problem))
                if ask.totp_seed.is_none() && needs(&problem, is_seed) =>
            {
                ask.totp_seed = Some(totp_seed(context)?);
            }
            Err(CallError::Refused(problem))
                if ask.passphrase.is_none() && needs(&problem, is_passphrase) =>
            {
                ask.passphrase = Some(new_passphrase(context, &escape(name))?);
            }
            other => return Ok(other?),
        }
    }
}

fn put(
    context: &Context<'_>,
    name: &str,
    ask: &IdentityAddRequest,
) -> Result<IdentityReply, CallError> {
    context
        .agent
        .call(&Request::new("PUT", &path(name)).body(ask).patient())
}

fn needs(problem: &Problem, what: fn(&Need) -> bool) -> bool {
    problem.code == Code::InteractionRequired && problem.needs.iter().any(what)
}

const fn is_passphrase(need: &Need) -> bool {
    matches!(need, Need::Passphrase { .. })
}

const fn is_seed(need: &Need) -> bool {
    matches!(need, Need::TotpSeed { .. })
}

/// Asked for only where codes are made of it.
fn totp_seed(context: &mut Context<'_>) -> Result<Secret<String>, Failure> {
    let question = "TOTP seed (base32, as AWS shows it under \"Show secret key\"): ";
    let seed = context.person.secret(question)?;
    seed.ok_or_else(|| {
        Failure::new(
            ExitStatus::Denied,
            "the TOTP seed of the MFA device is missing",
        )
        .hint("give it as a third line, or set mfa = \"prompt\"")
    })
}

/// A typing error would lock the identity away for ever, so a person types it twice.
fn new_passphrase(context: &mut Context<'_>, shown: &str) -> Result<Secret<String>, Failure> {
    let first = context
        .person
        .secret(&format!("New passphrase for {shown}: "))?;
    let first = first
        .filter(|passphrase| !passphrase.expose().is_empty())
        .ok_or_else(|| {
            Failure::new(
                ExitStatus::Denied,
                "a passphrase is needed to seal the identity",
            )
            .hint("give it as a third line, or set passphrase_command")
        })?;
    if context.person.is_present() {
        let again = context.person.secret("The same again: ")?;
        if again.as_ref() != Some(&first) {
            return Err(
                Failure::usage("the two passphrases differ").hint("nothing was stored; try again")
            );
        }
    }
    Ok(first)
}
