//! What is legal in a policy and probably not what was meant, and what is not legal: rules on the
//! tokens as they are written, so that repeated keys and their places are seen.
//!
//! [`lint`] takes a text and says everything at once; nothing is changed and nothing refused. The
//! rules are a table, [`Rule`]; docs/lint.md explains them.

mod access;
pub mod actions;
mod conditions;
mod jump;
mod pattern;
mod repeats;
mod rules;
mod shape;
mod trust;
mod view;

pub use jump::JumpNeed;
pub use rules::{Rule, Severity};
pub use view::StatementName;

use std::fmt;

use crate::json::{self, JsonError, Node, Position};
use crate::policy::{PolicyError, PolicyKind};
use view::{Statement, View};

/// Most findings of one text. What has more is broken in some other way than by mistakes.
pub const MAX_FINDINGS: usize = 200;

/// What a document is meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Passed to AssumeRole, as a profile's `policy` is.
    Session,
    /// Attached to a user, group or role.
    Identity,
    /// A role's trust policy.
    Trust,
    /// What lets an IAM user assume roles in other accounts.
    Jump,
    /// A service control policy of an organisation.
    Scp,
    /// Attached to a resource such as a bucket.
    Resource,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::Session,
        Self::Identity,
        Self::Trust,
        Self::Jump,
        Self::Scp,
        Self::Resource,
    ];

    /// In one word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Identity => "identity",
            Self::Trust => "trust",
            Self::Jump => "jump",
            Self::Scp => "scp",
            Self::Resource => "resource",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What a document looks like: with principals it is a trust policy if it speaks of assuming
    /// roles, else that of a resource. Without, it is a jump policy if it speaks of assuming roles
    /// only, else a session policy.
    #[must_use]
    fn guessed(view: &View<'_>) -> Self {
        let mut actions = view
            .statements
            .iter()
            .flat_map(|statement| statement.actions.texts())
            .map(|action| action.text.to_ascii_lowercase());
        let has_principal = |statement: &Statement<'_>| {
            !statement.principals.is_empty() || statement.not_principal.is_some()
        };
        if view.statements.iter().any(has_principal) {
            return match actions.any(|action| action.starts_with("sts:")) {
                true => Self::Trust,
                false => Self::Resource,
            };
        }
        let mut actions = actions.peekable();
        match actions.peek().is_some() && actions.all(|action| action.starts_with("sts:")) {
            true => Self::Jump,
            false => Self::Session,
        }
    }

    const fn grammar(self) -> PolicyKind {
        match self {
            Self::Session => PolicyKind::Session,
            Self::Identity | Self::Jump | Self::Scp => PolicyKind::Identity,
            Self::Trust => PolicyKind::Trust,
            Self::Resource => PolicyKind::Resource,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a policy promises to whoever reads its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Changes nothing.
    ReadOnly,
    /// Changes nothing and does not show what data says.
    View,
}

impl Class {
    /// The class of that name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        match name {
            "read-only" => Some(Self::ReadOnly),
            "view" => Some(Self::View),
            _ => None,
        }
    }
}

/// What is known of a document beyond its text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// What it is meant for; guessed from the text if not known.
    pub kind: Option<Kind>,
    /// What it promises.
    pub class: Option<Class>,
    /// For a jump policy: every role that it must open, and how. `None` if that is not known.
    pub needs: Option<&'a [JumpNeed]>,
}

/// Something that a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// Where.
    pub at: Position,
    /// The statement, if it is in one.
    pub statement: Option<StatementName>,
    /// What is there. Text of the document is quoted as an [`crate::Excerpt`].
    pub what: String,
    /// What helps in this case; else [`Rule::fix`] does.
    pub remedy: Option<String>,
    /// The other place, if there is one, and what is there.
    pub other: Option<(Position, &'static str)>,
}

impl Finding {
    /// What helps.
    #[must_use]
    pub fn fix(&self) -> &str {
        self.remedy.as_deref().unwrap_or(self.rule.fix())
    }
}

/// `statement 2 (Sid "Runbooks")`
impl fmt::Display for StatementName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "statement {}", self.number)?;
        match &self.sid {
            Some(sid) => write!(f, " (Sid {})", crate::Excerpt::of(sid)),
            None => Ok(()),
        }
    }
}

/// Everything that was found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linted {
    /// What the document was taken for.
    pub kind: Kind,
    /// In the order of the text, at most [`MAX_FINDINGS`], errors before all others.
    pub findings: Vec<Finding>,
    /// How many more there were.
    pub left_out: usize,
}

impl Linted {
    /// Whether there is a finding of this severity.
    #[must_use]
    pub fn has(&self, severity: Severity) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|finding| finding.rule.severity() == severity)
    }
}

/// Findings on the way.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, rule: Rule, at: Position, what: impl Into<String>) -> &mut Finding {
        self.0.push(Finding {
            rule,
            at,
            statement: None,
            what: what.into(),
            remedy: None,
            other: None,
        });
        self.0.last_mut().expect("one was put in just now")
    }

    fn add_in(
        &mut self,
        statement: &Statement<'_>,
        rule: Rule,
        at: Position,
        what: impl Into<String>,
    ) -> &mut Finding {
        let finding = self.add(rule, at, what);
        finding.statement = Some(statement.name.clone());
        finding
    }
}

/// Applies every rule to a text. A byte order mark at its beginning is overlooked.
#[must_use]
pub fn lint(text: &str, options: &Options<'_>) -> Linted {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match json::parse_with_repeats(text) {
        Ok(root) => lint_document(text, &root, options),
        Err(error) => not_json(&error, options),
    }
}

fn not_json(error: &JsonError, options: &Options<'_>) -> Linted {
    let mut findings = Findings::default();
    let what = without_place(&error.to_string(), error.position());
    findings.add(Rule::NotJson, error.position(), what);
    finished(options.kind.unwrap_or(Kind::Session), findings)
}

fn lint_document(text: &str, root: &Node, options: &Options<'_>) -> Linted {
    let view = View::of(root);
    let kind = options.kind.unwrap_or_else(|| Kind::guessed(&view));
    let mut findings = Findings::default();
    repeats::check(&view, &mut findings);
    grammar(text, root, kind, &mut findings);
    shape::check(kind, &view, &mut findings);
    conditions::check(&view, &mut findings);
    if let Some(class) = options.class {
        access::check(class, &view, &mut findings);
    }
    match kind {
        Kind::Trust => trust::check(&view, &mut findings),
        Kind::Session | Kind::Identity | Kind::Jump => {
            jump::check(kind, &view, options.needs, &mut findings);
        }
        Kind::Scp | Kind::Resource => {}
    }
    finished(kind, findings)
}

/// The rule that a text breaks which is refused as a policy.
#[must_use]
pub fn rule_of(error: &PolicyError) -> Rule {
    match error {
        PolicyError::Json(JsonError::DuplicateKey { .. }) => Rule::DuplicateKey,
        PolicyError::Json(_) => Rule::NotJson,
        PolicyError::ConditionKeyCase { .. } => Rule::CaseTwins,
        _ => Rule::NotPolicy,
    }
}

/// The grammar of the kind, on the document as readers see it that keep the last of repeated keys.
fn grammar(text: &str, root: &Node, kind: Kind, findings: &mut Findings) {
    let last_wins = repeats::last_wins(root);
    let Err(broken) = crate::policy::check(kind.grammar(), text, &last_wins) else {
        return;
    };
    // Other rules have said this already, and all of it.
    if rule_of(&broken) != Rule::NotPolicy {
        return;
    }
    let what = without_place(&broken.to_string(), broken.position());
    findings.add(
        Rule::NotPolicy,
        broken.position(),
        format!("as a {kind} policy, {what}"),
    );
}

/// The error without the place that it begins with.
fn without_place(error: &str, at: Position) -> String {
    error
        .strip_prefix(&format!("{at}: "))
        .unwrap_or(error)
        .to_owned()
}

/// Of too many findings the worst are kept, and of those of the rules that come first.
fn finished(kind: Kind, findings: Findings) -> Linted {
    let mut findings = findings.0;
    findings.sort_by_key(|finding| {
        let severity = std::cmp::Reverse(finding.rule.severity());
        (severity, finding.rule, finding.at)
    });
    let left_out = findings.len().saturating_sub(MAX_FINDINGS);
    findings.truncate(MAX_FINDINGS);
    findings.sort_by_key(|finding| (finding.at, finding.rule));
    Linted {
        kind,
        findings,
        left_out,
    }
}

#[cfg(test)]
mod tests;
