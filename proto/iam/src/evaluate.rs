//! What policies say about a request: allowed, denied, or "cannot tell", each with the statement.
//!
//! Nothing is guessed. A condition key whose value is not known, an operator or a corner that AWS
//! does not document gives a doubt, and a doubt that could change the outcome gives
//! [`Verdict::CannotTell`]. What is certain wins over what is not: a known deny denies whatever
//! else is in doubt, and where one layer surely allows nothing, a doubt elsewhere does not matter.
//!
//! Sources: IAM user guide, "Policy evaluation logic" and its pages, "IAM JSON policy elements",
//! "Session policies" (under "Policies and permissions").

mod answer;
pub(crate) mod compare;
mod condition;
mod context;
mod matching;
mod resource;
mod shadow;
mod text;

pub use answer::Doubt;
pub use context::{Context, Fact, Request, RequestError};
pub use resource::{Caller, ResourcePolicy};
pub use shadow::{Shadow, shadows};

use std::fmt;

use crate::excerpt::Excerpt;
use crate::policy::{PolicyDocument, PolicyError};
use crate::statement::{Effect, Statement, StatementName, statements};
use answer::Answer;

/// What a layer of policies is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// The policies of the role or user itself, inline and managed.
    Identity,
    /// Its permissions boundary.
    Boundary,
    /// The session policies of one call, inline and ARNs: AWS adds them up. Each later
    /// GetScopedCredentials is a layer of its own.
    Session,
    /// The session policies that a caller narrows a session by; they limit as those of the session do.
    Asked,
    /// The service control policies of one level, such as an organisational unit.
    ServiceControl {
        /// Which level, for the explanation.
        level: String,
    },
    /// The policy of the resource; never a [`Layer`].
    Resource,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity => f.write_str("identity policies"),
            Self::Boundary => f.write_str("permissions boundary"),
            Self::Session => f.write_str("session policies"),
            Self::Asked => f.write_str("policy of the ask"),
            Self::ServiceControl { level } => {
                write!(f, "service control policies of {}", Excerpt::of(level))
            }
            Self::Resource => f.write_str("policy of the resource"),
        }
    }
}

/// A policy document ready for evaluation, and what the explanation calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its name, such as a path or the ARN of a managed policy.
    pub name: String,
    /// Its statements in order.
    pub statements: Vec<Statement>,
}

impl Document {
    /// Takes a document apart.
    ///
    /// # Errors
    /// As [`statements`].
    pub fn read(name: impl Into<String>, policy: &PolicyDocument) -> Result<Self, PolicyError> {
        Ok(Self {
            name: name.into(),
            statements: statements(policy)?,
        })
    }
}

/// Policies that add up: what one of them allows, the layer allows. A layer without documents
/// allows nothing; a layer that is not there limits nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// What they are for.
    pub role: Role,
    /// The documents.
    pub documents: Vec<Document>,
}

/// All policies that a request meets. The layers intersect: each must allow, and none may deny.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policies {
    /// The layers. Without one of [`Role::Identity`] nothing but the resource's policy grants.
    pub layers: Vec<Layer>,
    /// The policy of the resource and who asks, where that is known.
    pub resource: Option<ResourcePolicy>,
}

/// A statement of a document. Displays as `statement 2 "Logs" (line 9, column 5) of "dev.json",
/// session policies`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cited {
    /// Its layer.
    pub role: Role,
    /// The document's name.
    pub document: String,
    /// The statement.
    pub statement: StatementName,
}

impl fmt::Display for Cited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let document = Excerpt::of(&self.document);
        write!(f, "{} of {document}, {}", self.statement, self.role)
    }
}

/// A doubt and the statement that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubtful {
    /// Whether the statement would allow or deny.
    pub effect: Effect,
    /// The statement.
    pub by: Cited,
    /// What is not known.
    pub why: Doubt,
}

/// What the policies say.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Allowed: the first statement of each layer that allows, in the order of the layers.
    Allowed {
        /// The statements.
        by: Vec<Cited>,
    },
    /// Denied by these statements.
    ExplicitlyDenied {
        /// All that surely apply.
        by: Vec<Cited>,
    },
    /// Denied since none of these has a statement that allows it.
    ImplicitlyDenied {
        /// The layers.
        by: Vec<Role>,
    },
    /// It depends on what is not known.
    CannotTell {
        /// All doubts that could change the outcome.
        doubts: Vec<Doubtful>,
    },
}

impl Verdict {
    /// `Some(true)` for allowed, `Some(false)` for denied, `None` where it cannot be told.
    #[must_use]
    pub fn decision(&self) -> Option<bool> {
        match self {
            Self::Allowed { .. } => Some(true),
            Self::ExplicitlyDenied { .. } | Self::ImplicitlyDenied { .. } => Some(false),
            Self::CannotTell { .. } => None,
        }
    }

    /// The same for programs: `allowed`, `denied` or `cannot_tell`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.decision() {
            Some(true) => "allowed",
            Some(false) => "denied",
            None => "cannot_tell",
        }
    }
}

/// What one layer, or the resource's policy, says about a request.
#[derive(Debug, Clone, Default)]
struct Findings {
    allows: Vec<Cited>,
    denies: Vec<Cited>,
    doubtful_allows: Vec<Doubtful>,
    doubtful_denies: Vec<Doubtful>,
}

impl Findings {
    fn note(&mut self, effect: Effect, by: Cited, answer: Answer) {
        match (effect, answer) {
            (_, Answer::No) => {}
            (Effect::Allow, Answer::Yes) => self.allows.push(by),
            (Effect::Deny, Answer::Yes) => self.denies.push(by),
            (Effect::Allow, Answer::Unknown(why)) => {
                self.doubtful_allows.push(Doubtful { effect, by, why });
            }
            (Effect::Deny, Answer::Unknown(why)) => {
                self.doubtful_denies.push(Doubtful { effect, by, why });
            }
        }
    }

    /// Whether it allows, leaving denies aside; the doubts are kept apart.
    fn allow(&self) -> Option<bool> {
        match (self.allows.is_empty(), self.doubtful_allows.is_empty()) {
            (false, _) => Some(true),
            (true, true) => Some(false),
            (true, false) => None,
        }
    }
}

fn findings(layer: &Layer, request: &Request) -> Findings {
    let mut found = Findings::default();
    for document in &layer.documents {
        for statement in &document.statements {
            let by = Cited {
                role: layer.role.clone(),
                document: document.name.clone(),
                statement: statement.name(),
            };
            found.note(statement.effect, by, matching::applies(statement, request));
        }
    }
    found
}

/// What the policies say about the request.
pub fn evaluate(policies: &Policies, request: &Request) -> Verdict {
    let layers: Vec<(&Role, Findings)> = policies
        .layers
        .iter()
        .map(|layer| (&layer.role, findings(layer, request)))
        .collect();
    let resource = policies.resource.as_ref();
    let grants = resource.map(|policy| resource::grants(policy, request));
    let all = layers.iter().map(|(_, found)| found);
    let all = || all.clone().chain(grants.iter().map(|grants| &grants.found));
    let denies: Vec<Cited> = all().flat_map(|found| found.denies.clone()).collect();
    if !denies.is_empty() {
        return Verdict::ExplicitlyDenied { by: denies };
    }
    let doubts = all().flat_map(|found| found.doubtful_denies.clone());
    let verdict = match &grants {
        Some(grants) => resource::with_grants(&layers, grants),
        None => intersected(&layers, |_| None),
    };
    let doubts: Vec<Doubtful> = doubts.collect();
    match verdict {
        Verdict::Allowed { .. } if !doubts.is_empty() => Verdict::CannotTell { doubts },
        Verdict::CannotTell { doubts: allows } => Verdict::CannotTell {
            doubts: allows.into_iter().chain(doubts).collect(),
        },
        certain => certain,
    }
}

/// All layers must allow; `instead` may stand in for what a layer says, with its statements.
fn intersected(
    layers: &[(&Role, Findings)],
    instead: impl Fn(&Role) -> Option<Vec<Cited>>,
) -> Verdict {
    let (mut by, mut missing, mut doubts) = (Vec::new(), Vec::new(), Vec::new());
    if !layers.iter().any(|(role, _)| **role == Role::Identity) {
        match instead(&Role::Identity) {
            Some(cited) => by.extend(cited),
            None => missing.push(Role::Identity),
        }
    }
    for (role, found) in layers {
        match (found.allow(), instead(role)) {
            (Some(true), _) => by.extend(found.allows.first().cloned()),
            (_, Some(cited)) => by.extend(cited),
            (Some(false), None) => missing.push((*role).clone()),
            (None, None) => doubts.extend(found.doubtful_allows.clone()),
        }
    }
    if !missing.is_empty() {
        Verdict::ImplicitlyDenied { by: missing }
    } else if doubts.is_empty() {
        Verdict::Allowed { by }
    } else {
        Verdict::CannotTell { doubts }
    }
}

#[cfg(test)]
mod tests;
