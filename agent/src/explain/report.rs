//! What is explained, as values: JSON for programs is these. The keys are stable: new ones may come, none goes.

use jumpgate_api::ExitStatus;
use jumpgate_iam::PolicyDocument;
use jumpgate_iam::evaluate::{Cited, Doubtful, Layer, Request, Shadow, Verdict};
use jumpgate_iam::policy::{DOCUMENTED_POLICY_CHARACTERS, MAX_POLICY_ARNS};
use serde::Serialize;

use super::layers::{Stack, UNKNOWN_ROLE};
use super::way::Narrowing;
use crate::config::MAX_TAGS;
use crate::domain::narrowing::Way;
use crate::domain::profile::Profile;
use crate::domain::weight::{LastSize, Sent};

/// Said always: nothing here can see it.
const RESOURCE_POLICIES: &str = "a resource policy can allow more: one that names the session's own ARN is limited by \
     neither session policies nor a boundary; across accounts one is needed as well";

#[derive(Debug, Serialize)]
pub(super) struct Explanation {
    pub(super) profile: String,
    pub(super) role_arn: String,
    /// Whether the role's own policies are unknown, so that "allowed" is the most that can be.
    pub(super) at_most: bool,
    pub(super) answers: Vec<Answer>,
    /// The layers, which intersect.
    pub(super) layers: Vec<LayerEntry>,
    pub(super) shadowed: Vec<ShadowEntry>,
    pub(super) narrowing: Option<Narrowing>,
    pub(super) size: Size,
    pub(super) notes: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Answer {
    pub(super) action: String,
    pub(super) resource: String,
    /// `allowed`, `denied` or `cannot_tell`.
    pub(super) decision: &'static str,
    /// The statements that allow, one of each layer, or those that deny.
    pub(super) by: Vec<Place>,
    /// The layers in which no statement allows it.
    pub(super) missing: Vec<String>,
    /// Why it cannot be told.
    pub(super) doubts: Vec<DoubtEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct DoubtEntry {
    /// Absent for a document that is not known at all.
    pub(super) statement: Option<Place>,
    pub(super) why: String,
}

/// Where a statement stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Place {
    pub(super) layer: String,
    pub(super) document: String,
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) number: usize,
    pub(super) sid: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct LayerEntry {
    pub(super) layer: String,
    pub(super) documents: Vec<DocumentEntry>,
}

#[derive(Debug, Serialize)]
pub(super) struct DocumentEntry {
    pub(super) name: String,
    pub(super) known: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct ShadowEntry {
    pub(super) allow: Place,
    /// The actions that are always denied; none for all but some.
    pub(super) actions: Vec<String>,
    /// Whether nothing of the statement is left.
    pub(super) wholly: bool,
    pub(super) denies: Vec<Place>,
}

/// What AssumeRole is sent.
#[derive(Debug, Serialize)]
pub(super) struct Size {
    /// Of the inline session policy, minified.
    pub(super) characters: usize,
    pub(super) documented_characters: usize,
    pub(super) policy_arns: usize,
    pub(super) most_policy_arns: usize,
    pub(super) tags: usize,
    pub(super) most_tags: usize,
    /// Absent if the journal has no session by the same policies.
    pub(super) last_session: Option<LastSession>,
}

/// What AWS said when it made the last session by these policies. The keys are those of the journal.
#[derive(Debug, Serialize)]
pub(super) struct LastSession {
    pub(super) time_dt: String,
    pub(super) packed_policy_percent: Option<u64>,
    pub(super) token_bytes: u64,
    pub(super) token_percent: Option<u64>,
}

impl Size {
    fn of(
        profile: &Profile,
        narrowing: Option<&Narrowing>,
        last_size: &dyn Fn(&Sent<'_>) -> Option<LastSize>,
    ) -> Self {
        let sent = Sent {
            profile: profile.name.as_str(),
            policy: match narrowing {
                None => profile.policy.as_ref(),
                Some(narrowing) => narrowing.inline.as_ref(),
            },
            arns: narrowing.map_or(&profile.policy_arns, |narrowing| &narrowing.arns),
            way: narrowing.and_then(|narrowing| narrowing.taken),
        };
        // What a scope-down asks for has no place in what AssumeRole is sent, nor has what is refused.
        let is_sent = narrowing.is_none() || !matches!(sent.way, None | Some(Way::ScopeDown));
        let last = is_sent.then(|| last_size(&sent)).flatten();
        Self {
            characters: sent.policy.map_or(0, PolicyDocument::characters),
            documented_characters: DOCUMENTED_POLICY_CHARACTERS,
            policy_arns: sent.arns.len(),
            most_policy_arns: MAX_POLICY_ARNS,
            tags: profile.tags.len(),
            most_tags: MAX_TAGS,
            last_session: last.map(|last| LastSession {
                time_dt: last.at,
                packed_policy_percent: last.packed_policy_percent,
                token_bytes: last.token_bytes,
                token_percent: last.token_percent,
            }),
        }
    }
}

impl Place {
    fn of(cited: &Cited) -> Self {
        let at = cited.statement.position;
        Self {
            layer: cited.role.to_string(),
            document: cited.document.clone(),
            line: at.line,
            column: at.column,
            number: cited.statement.number,
            sid: cited.statement.sid.clone(),
        }
    }
}

impl Answer {
    pub(super) fn new(action: &str, request: &Request, verdict: Verdict, stack: &Stack) -> Self {
        let mut answer = Self {
            action: action.to_owned(),
            resource: request.resource().to_owned(),
            decision: verdict.word(),
            by: Vec::new(),
            missing: Vec::new(),
            doubts: Vec::new(),
        };
        match verdict {
            Verdict::Allowed { by } | Verdict::ExplicitlyDenied { by } => {
                let known = by.iter().filter(|cited| !stack.is_unknown(&cited.document));
                answer.by = known.map(Place::of).collect();
            }
            Verdict::ImplicitlyDenied { by } => {
                answer.missing = by.iter().map(ToString::to_string).collect();
            }
            Verdict::CannotTell { doubts } => {
                for doubt in doubts.iter().map(|doubt| entry(doubt, stack)) {
                    if !answer.doubts.contains(&doubt) {
                        answer.doubts.push(doubt);
                    }
                }
            }
        }
        answer
    }
}

fn entry(doubt: &Doubtful, stack: &Stack) -> DoubtEntry {
    let document = &doubt.by.document;
    match stack.is_unknown(document) {
        true => DoubtEntry {
            statement: None,
            why: format!(
                "the document of {document} is not known: give it with --managed {document}=FILE"
            ),
        },
        false => DoubtEntry {
            statement: Some(Place::of(&doubt.by)),
            why: doubt.why.to_string(),
        },
    }
}

impl Explanation {
    pub(super) fn new(
        profile: &Profile,
        answers: Vec<Answer>,
        shadows: &[Shadow],
        stack: &Stack,
        last_size: &dyn Fn(&Sent<'_>) -> Option<LastSize>,
    ) -> Self {
        let shadowed = shadows
            .iter()
            .filter(|shadow| !stack.is_unknown(&shadow.allow.document))
            .map(|shadow| ShadowEntry {
                allow: Place::of(&shadow.allow),
                actions: shadow.actions.clone(),
                wholly: shadow.wholly,
                denies: shadow.denies.iter().map(Place::of).collect(),
            });
        Self {
            profile: profile.name.to_string(),
            role_arn: profile.role.to_string(),
            at_most: !stack.role_is_known,
            answers,
            layers: stack
                .layers
                .iter()
                .map(|layer| listed(layer, stack))
                .collect(),
            shadowed: shadowed.collect(),
            narrowing: stack.narrowing.clone(),
            size: Size::of(profile, stack.narrowing.as_ref(), last_size),
            notes: notes(stack),
        }
    }

    /// For `--exit-code`: allowed, denied (77), or else.
    pub(super) fn status(&self) -> ExitStatus {
        let any = |decision| {
            self.answers
                .iter()
                .any(|answer| answer.decision == decision)
        };
        match (any("denied"), any("cannot_tell")) {
            (true, _) => ExitStatus::Denied,
            (false, true) => ExitStatus::Failed,
            (false, false) => ExitStatus::Success,
        }
    }

    pub(super) fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain values become JSON") + "\n"
    }
}

fn listed(layer: &Layer, stack: &Stack) -> LayerEntry {
    let documents = layer.documents.iter().map(|document| DocumentEntry {
        name: document.name.clone(),
        known: !stack.is_unknown(&document.name),
    });
    LayerEntry {
        layer: layer.role.to_string(),
        documents: documents.collect(),
    }
}

fn notes(stack: &Stack) -> Vec<String> {
    let mut notes = Vec::new();
    if !stack.role_is_known {
        notes.push(format!(
            "{UNKNOWN_ROLE} are not known (--role-policy FILE for each), so this is the most that the session may do"
        ));
    }
    for level in &stack.silent {
        notes.push(format!(
            "the level {level} allows nothing; AWS attaches FullAWSAccess to each level unless it is detached: \
             --scp FullAWSAccess,{level}"
        ));
    }
    let warning = stack.narrowing.iter();
    notes.extend(warning.filter_map(|narrowing| narrowing.warning.clone()));
    notes.push(RESOURCE_POLICIES.to_owned());
    notes
}
