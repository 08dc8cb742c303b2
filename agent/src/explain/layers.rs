//! The policies that a session meets, from the configuration and from files.

use jumpgate_iam::evaluate::{Document, Layer, Role};
use jumpgate_iam::{Partition, PolicyArns, PolicyDocument, PolicyKind};

use super::ExplainError;
use super::arguments::Arguments;
use super::way::{self, Narrowing};
use crate::config::report::printable;
use crate::domain::preset::{Given, Preset, SessionPolicies};
use crate::domain::profile::Profile;
use crate::lint;

/// What the documents of unknown policies are conditioned on, so that no answer from them is certain.
pub(super) const OWN_KEYS: &str = "jumpgate:";

/// What AWS attaches to each level unless it is detached.
const FULL_ACCESS: &str = "FullAWSAccess";

/// The name of the layer's document where the role's policies are not known.
pub(super) const UNKNOWN_ROLE: &str = "the role's own policies";

const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

const UNKNOWN: &str = r#"{"Version":"2012-10-17","Statement":[
 {"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"jumpgate:unknown":"true"}}},
 {"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"jumpgate:unknown":"true"}}}]}"#;

/// All layers, and what is to be said about them.
#[derive(Debug)]
pub(super) struct Stack {
    pub(super) layers: Vec<Layer>,
    /// Whether the role's own policies were given.
    pub(super) role_is_known: bool,
    /// Managed policies without their documents.
    pub(super) unknown: Vec<String>,
    /// Levels of service control policies that allow nothing at all.
    pub(super) silent: Vec<String>,
    pub(super) narrowing: Option<Narrowing>,
}

impl Stack {
    /// Service control policies, boundary, role, session policies, ask: in this order.
    pub(super) fn read(
        arguments: &Arguments,
        profile: &Profile,
        policy_name: &str,
    ) -> Result<Self, ExplainError> {
        let mut reading = Reading {
            arguments,
            unknown: Vec::new(),
        };
        let mut layers = Vec::new();
        let mut silent = Vec::new();
        for level in &arguments.scps {
            let layer = reading.level(level)?;
            let allows = |document: &Document| {
                let mut statements = document.statements.iter();
                statements.any(|each| each.effect == jumpgate_iam::statement::Effect::Allow)
            };
            if !layer.documents.iter().any(allows) {
                silent.push(level.clone());
            }
            layers.push(layer);
        }
        if let Some(file) = &arguments.boundary {
            let documents = vec![document(file)?];
            layers.push(layer(Role::Boundary, documents));
        }
        layers.push(layer(Role::Identity, reading.role()?));
        if profile.is_scoped() {
            let inline = profile.policy.as_ref();
            let documents = reading.session(inline, &profile.policy_arns, policy_name)?;
            layers.push(layer(Role::Session, documents));
        }
        let narrowing = match arguments.policy.as_deref() {
            None => None,
            Some(name) => {
                let ask = ask(name, profile.role.partition())?;
                let documents = reading.session(ask.inline.as_ref(), &ask.arns, name)?;
                layers.push(layer(Role::Asked, documents));
                Some(way::of(profile, &ask))
            }
        };
        Ok(Self {
            layers,
            role_is_known: !arguments.role_policies.is_empty(),
            unknown: reading.unknown,
            silent,
            narrowing,
        })
    }

    /// Whether a document stands for what is not known.
    pub(super) fn is_unknown(&self, document: &str) -> bool {
        self.unknown.iter().any(|arn| arn == document)
            || !self.role_is_known && document == UNKNOWN_ROLE
    }
}

struct Reading<'a> {
    arguments: &'a Arguments,
    unknown: Vec<String>,
}

impl Reading<'_> {
    fn level(&self, level: &str) -> Result<Layer, ExplainError> {
        let files = level.split(',').map(|file| match file {
            FULL_ACCESS => Ok(built_in(FULL_ACCESS, EVERYTHING)),
            file => document(file),
        });
        let role = Role::ServiceControl {
            level: level.to_owned(),
        };
        Ok(layer(role, files.collect::<Result<_, _>>()?))
    }

    fn role(&self) -> Result<Vec<Document>, ExplainError> {
        match self.arguments.role_policies.as_slice() {
            [] => Ok(vec![built_in(UNKNOWN_ROLE, EVERYTHING)]),
            files => files.iter().map(|file| document(file)).collect(),
        }
    }

    fn session(
        &mut self,
        inline: Option<&PolicyDocument>,
        arns: &PolicyArns,
        name: &str,
    ) -> Result<Vec<Document>, ExplainError> {
        let mut documents = Vec::new();
        if let Some(policy) = inline {
            documents.push(taken_apart(name, policy)?);
        }
        for arn in arns.iter() {
            documents.push(self.managed(arn.as_ref())?);
        }
        Ok(documents)
    }

    fn managed(&mut self, arn: &str) -> Result<Document, ExplainError> {
        let mut given = self.arguments.managed.iter();
        match given.find(|(given, _)| given == arn) {
            Some((_, file)) => document(file),
            None => {
                self.unknown.push(arn.to_owned());
                Ok(built_in(arn, UNKNOWN))
            }
        }
    }
}

fn layer(role: Role, documents: Vec<Document>) -> Layer {
    Layer { role, documents }
}

fn built_in(name: &str, text: &str) -> Document {
    let policy = PolicyDocument::parse(text).expect("our own text is a policy");
    Document::read(name, &policy).expect("our own text is a policy")
}

/// A policy attached to a principal, from a file.
fn document(file: &str) -> Result<Document, ExplainError> {
    let policy = policy(file, PolicyKind::Identity)?;
    taken_apart(file, &policy)
}

fn taken_apart(name: &str, policy: &PolicyDocument) -> Result<Document, ExplainError> {
    Document::read(name, policy).map_err(|error| wrong(name, &error))
}

fn policy(file: &str, kind: PolicyKind) -> Result<PolicyDocument, ExplainError> {
    let text = text_of(file)?;
    PolicyDocument::parse_as(kind, &text).map_err(|error| wrong(file, &error))
}

/// What an ask brings: a file, or a preset without parameters.
fn ask(word: &str, partition: Partition) -> Result<SessionPolicies, ExplainError> {
    let Some(name) = word.strip_prefix("preset:") else {
        return Ok(SessionPolicies {
            inline: Some(policy(word, PolicyKind::Session)?),
            ..SessionPolicies::default()
        });
    };
    let policies = Preset::named(name).and_then(|found| found.policies(partition, &Given::new()));
    policies.map_err(|error| wrong(word, &error))
}

/// A file's text without the mark that some editors begin it with.
pub(super) fn text_of(file: &str) -> Result<String, ExplainError> {
    let mut text =
        lint::read(file).map_err(|error| wrong(file, &format!("cannot be read: {error}")))?;
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    Ok(text)
}

fn wrong(name: &str, why: &dyn std::fmt::Display) -> ExplainError {
    ExplainError::File {
        name: printable(name).to_string(),
        why: why.to_string(),
    }
}
