//! `jumpgate unlock [IDENTITY]`: the agent says what a person has to supply, the person supplies it.

use jumpgate_api::{
    Code, ExitStatus, Need, Problem, Secret, Timestamp, UnlockReply, UnlockRequest,
};

use super::{Context, Outcome};
use crate::cli::Json;
use crate::connection::{Agent, CallError, Reply, Request};
use crate::failure::Failure;
use crate::output::{escape, until};

/// How often a person at a terminal may try.
const MAX_ROUNDS: usize = 3;

/// The digits of an MFA code.
const CODE_DIGITS: usize = 6;

/// What AWS says of an MFA code that is wrong or used; the code of the error is that of any denial.
const WRONG_CODE: &str = "invalid MFA one time pass code";

pub(super) fn run(context: &mut Context<'_>, identity: Option<String>, json: Json) -> Outcome {
    let ask = UnlockRequest {
        identity,
        ..UnlockRequest::default()
    };
    let unlock = |agent: &Agent<'_>, ask: &UnlockRequest| {
        agent.reply(&Request::new("POST", "unlock").body(ask).patient())
    };
    let reply = with_answers(context, ask, unlock)?;
    let now = context.now;
    context.show(json, &reply, |reply| said(reply, now))
}

/// Asks the agent, and a person for what the agent says is missing, until it is not.
pub(super) fn with_answers(
    context: &mut Context<'_>,
    mut ask: UnlockRequest,
    call: impl Fn(&Agent<'_>, &UnlockRequest) -> Result<Reply, CallError>,
) -> Result<Reply, Failure> {
    let mut needs: Vec<Need> = Vec::new();
    let mut round = 0;
    loop {
        for need in &needs {
            answer(context, need, &mut ask)?;
        }
        let problem = match call(&context.agent, &ask) {
            Ok(reply) => return Ok(reply),
            Err(CallError::Refused(problem)) => problem,
            Err(error) => return Err(error.into()),
        };
        let may_ask = round == 0 || (round < MAX_ROUNDS && context.person.is_present());
        needs = missing(&problem, &needs);
        if needs.is_empty() || !may_ask {
            return Err((*problem).into());
        }
        if round > 0 {
            context
                .person
                .tell(&format!("jumpgate: {}\n", escape(&problem.message)));
        }
        round += 1;
    }
}

/// What to ask for next; nothing when no answer of a person would help.
fn missing(problem: &Problem, asked: &[Need]) -> Vec<Need> {
    match problem.code {
        Code::InteractionRequired => problem.needs.clone(),
        Code::UpstreamDenied if problem.message.contains(WRONG_CODE) => {
            let is_code = |need: &&Need| matches!(need, Need::MfaCode { .. });
            asked.iter().filter(is_code).cloned().collect()
        }
        _ => problem.needs.clone(),
    }
}

fn answer(context: &mut Context<'_>, need: &Need, ask: &mut UnlockRequest) -> Result<(), Failure> {
    match need {
        Need::Passphrase { identity } => {
            let question = format!("Passphrase of {}: ", escape(identity));
            let passphrase = context.person.secret(&question)?;
            ask.passphrase = Some(passphrase.ok_or_else(|| unanswered("passphrase"))?);
        }
        Need::MfaCode { serial, .. } => ask.mfa_code = Some(mfa_code(context, serial)?),
        // Only `identity add` brings one.
        Need::TotpSeed { .. } => return Err(unanswered("TOTP seed")),
    }
    Ok(())
}

/// A code with the shape of one; AWS counts wrong ones, so what cannot be right is not sent.
fn mfa_code(context: &mut Context<'_>, serial: &str) -> Result<Secret<String>, Failure> {
    for _ in 0..MAX_ROUNDS {
        let code = context
            .person
            .line(&format!("MFA code for {}: ", escape(serial)))?;
        let code = code.ok_or_else(|| unanswered("MFA code"))?;
        let digits = code.expose().trim();
        if digits.len() == CODE_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(digits.into());
        }
        if !context.person.is_present() {
            break;
        }
        context
            .person
            .tell("jumpgate: an MFA code has six digits\n");
    }
    Err(Failure::usage("an MFA code has six digits")
        .hint("type the code that the device shows now"))
}

fn unanswered(what: &str) -> Failure {
    Failure::new(ExitStatus::Denied, format!("the {what} is missing"))
        .hint("run jumpgate unlock in a terminal, or give each answer on a line of standard input")
}

fn said(reply: &UnlockReply, now: Timestamp) -> String {
    let name = escape(&reply.identity);
    let end = reply
        .unlocked_until
        .map(|at| format!(" until {}", until(now, at)))
        .unwrap_or_default();
    let code = reply
        .mfa_until
        .map(|at| format!(", no further MFA code until {}", until(now, at)));
    format!("{name}: unlocked{end}{}\n", code.unwrap_or_default())
}
