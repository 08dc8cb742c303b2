//! `jumpgate-agent --explain`: what the sessions of a profile may do, by which statement of which document. The client
//! runs it, as it runs `--check`.
//!
//! The layers intersect: service control policies ∩ boundary ∩ the role's own policies ∩ the profile's session policies ∩
//! an ask's policy. What is not known is said to be unknown and never guessed: without the role's own policies an answer
//! is the most that a session may do, and a managed policy without its document is a doubt.

mod arguments;
mod callers;
mod facts;
mod layers;
mod questions;
mod report;
mod text;
mod way;

use jumpgate_api::ExitStatus;
use jumpgate_iam::Excerpt;
use jumpgate_iam::evaluate::{Policies, RequestError, evaluate, shadows};

use crate::config::Config;
use crate::domain::name::ProfileName;
use crate::domain::scope::Surroundings;
use crate::domain::weight::{LastSize, Sent};
pub(crate) use arguments::Arguments;
use layers::Stack;
use report::Explanation;

/// Why nothing is explained.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExplainError {
    /// The command line is not understood.
    #[error("{0}")]
    Usage(String),
    /// The configuration has no such profile.
    #[error("there is no profile {0} in the configuration")]
    NoProfile(Excerpt),
    /// A file that cannot be used: its name, and why.
    #[error("{name}: {why}")]
    File {
        /// As it was named, made printable.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// Not an action, or not a resource.
    #[error(transparent)]
    Question(#[from] RequestError),
}

/// What there is to say, and the exit status.
#[derive(Debug)]
pub(crate) struct Said {
    /// For standard output.
    pub(crate) text: String,
    /// With `--exit-code` that of the answer.
    pub(crate) status: ExitStatus,
}

/// Answers all questions. `last_size` knows what AWS said of the same policies' size.
pub(crate) fn run(
    arguments: &Arguments,
    config: &Config,
    surroundings: &Surroundings,
    last_size: &dyn Fn(&Sent<'_>) -> Option<LastSize>,
) -> Result<Said, ExplainError> {
    let missing = || ExplainError::NoProfile(Excerpt::of(&arguments.profile));
    let name = ProfileName::parse(&arguments.profile).map_err(|_| missing())?;
    let whole = config.settings.profiles.get(&name).ok_or_else(missing)?;
    let chain = config.settings.chain(whole);
    let profile = callers::profile(whole, arguments.peer)?;
    let context = facts::context(&chain, surroundings, &arguments.context)?;
    let requests = questions::requests(arguments, &context)?;
    let policy_name = callers::policy_name(config, whole, profile, arguments.peer);
    let stack = Stack::read(arguments, profile, &policy_name)?;
    let policies = Policies {
        layers: stack.layers.clone(),
        resource: None,
    };
    let answers = requests.iter().map(|(action, request)| {
        report::Answer::new(action, request, evaluate(&policies, request), &stack)
    });
    let mut explanation = Explanation::new(
        profile,
        answers.collect(),
        &shadows(&policies.layers),
        &stack,
        last_size,
    );
    let rules = callers::notes(whole, arguments.peer);
    explanation.notes.splice(0..0, rules);
    Ok(Said {
        status: match arguments.exit_code {
            true => explanation.status(),
            false => ExitStatus::Success,
        },
        text: match arguments.json {
            true => explanation.json(),
            false => text::render(&explanation, arguments.matrix.is_some()),
        },
    })
}

#[cfg(test)]
mod tests;
