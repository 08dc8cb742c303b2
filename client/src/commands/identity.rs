//! `jumpgate identity`: the long-lived keys. They go to the agent once and never come back.

use jumpgate_api::{
    Code, ExitStatus, IdentityAddRequest, IdentityRemoved, IdentityReply, Need, Problem, Secret,
    path_segment,
};

use super::{Context, Outcome};
use crate::cli::IdentityVerb;
use crate::connection::{CallError, Request};
use crate::failure::Failure;
use crate::output::{escape, listings};

pub(super) fn run(context: &mut Context<'_>, verb: IdentityVerb) -> Outcome {
    match verb {
        IdentityVerb::Add { name } => add(context, &name),
        IdentityVerb::List(json) => context.list(
            json,
            &Request::new("GET", "identities"),
            listings::identities,
        ),
        IdentityVerb::Remove { name } => {
            let request = Request::new("DELETE", &path(&name)).patient();
            let removed: IdentityRemoved = context.agent.call(&request)?;
            context.finish(&format!("{}: removed\n", escape(&removed.name)))
        }
        IdentityVerb::Check { name } => {
            let request = Request::new("POST", &format!("{}/check", path(&name))).patient();
            let reply = context.agent.call(&request)?;
            context.finish(&said(&reply, "is"))
        }
    }
}

fn path(name: &str) -> String {
    format!("identities/{}", path_segment(name))
}

fn said(reply: &IdentityReply, verb: &str) -> String {
    let [name, arn, store] = [&reply.name, &reply.arn, &reply.store].map(|text| escape(text));
    format!("{name}: {verb} {arn}, in the {store}\n")
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
    let mut ask = IdentityAddRequest {
        access_key_id: key_id.expose().trim().to_owned(),
        secret_access_key: secret.expose().trim().into(),
        passphrase: None,
    };
    let reply = match put(context, name, &ask) {
        Err(CallError::Refused(problem)) if needs_passphrase(&problem) => {
            ask.passphrase = Some(new_passphrase(context, &shown)?);
            put(context, name, &ask)?
        }
        other => other?,
    };
    context.finish(&said(&reply, "stored"))
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

fn needs_passphrase(problem: &Problem) -> bool {
    let is_passphrase = |need: &Need| matches!(need, Need::Passphrase { .. });
    problem.code == Code::InteractionRequired && problem.needs.iter().any(is_passphrase)
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
