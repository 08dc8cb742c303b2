//! What lets an identity assume roles: not every role, and for those of the configuration enough.

use std::collections::BTreeSet;

use super::pattern::covers;
use super::view::{Selection, Statement, View};
use super::{Findings, Kind, Rule};
use crate::arn::RoleArn;
use crate::excerpt::Excerpt;
use crate::json::Position;

/// A role that an identity must be able to assume, and what it passes in doing so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JumpNeed {
    /// The role.
    pub role: RoleArn,
    /// The profile that has it.
    pub profile: String,
    /// Whether it passes session tags.
    pub tags: bool,
    /// Whether it passes a source identity.
    pub source_identity: bool,
}

const ASSUME: &str = "sts:assumerole";

/// What every role of every account is.
const ANY_ROLE: &str = "arn:aws:iam::*:role/*";

/// Keys that say which roles are meant, in lower case.
const LIMITING: [&str; 6] = [
    "aws:resourceaccount",
    "aws:resourceorgid",
    "aws:resourceorgpaths",
    "aws:resourcetag/",
    "iam:resourcetag/",
    "sts:rolearn",
];

pub(super) fn check(
    kind: Kind,
    view: &View<'_>,
    needs: Option<&[JumpNeed]>,
    findings: &mut Findings,
) {
    for statement in view.allows() {
        assume_any(kind, statement, needs, findings);
    }
    let Some(needs) = needs.filter(|_| kind == Kind::Jump) else {
        return;
    };
    for need in needs {
        granted(view, need, findings);
    }
    surplus(view, needs, findings);
}

/// In a policy for jumping any way to AssumeRole counts, in others those that name the service.
fn assume_any(
    kind: Kind,
    statement: &Statement<'_>,
    needs: Option<&[JumpNeed]>,
    findings: &mut Findings,
) {
    let named = |action: &str| kind == Kind::Jump || action.len() > 4 && action[..4] == *"sts:";
    let assumes = statement.actions.listed().iter().any(|action| {
        let action = action.text.to_ascii_lowercase();
        covers(&action, ASSUME) && named(&action)
    });
    let limited = statement.conditions.iter().any(|condition| {
        condition.demands_its_key()
            && LIMITING
                .iter()
                .any(|key| condition.key_after(key).is_some())
    });
    if !assumes || limited {
        return;
    }
    let all = match &statement.resources {
        Selection::Listed(resources) => resources
            .iter()
            .find(|resource| covers(resource.text, ANY_ROLE))
            .map(|resource| (resource.at, format!("{} is", Excerpt::of(resource.text)))),
        Selection::Excluded(_) => Some((statement.at, "all resources but some are".to_owned())),
    };
    if let Some((at, resource)) = all {
        let what = format!("sts:AssumeRole is allowed, and {resource} every role of every account");
        let finding = findings.add_in(statement, Rule::AssumeAny, at, what);
        finding.remedy = needs.filter(|needs| !needs.is_empty()).map(listed);
    }
}

/// The roles of the profiles as a Resource that names them and no others.
fn listed(needs: &[JumpNeed]) -> String {
    let roles: BTreeSet<String> = needs
        .iter()
        .map(|need| format!("\"{}\"", need.role))
        .collect();
    let roles: Vec<String> = roles.into_iter().collect();
    format!(
        "Name the roles of the profiles: \"Resource\": [{}].",
        roles.join(", ")
    )
}

/// Whether the policy allows an action on a role: by its statements alone, their conditions taken
/// for true. Where it is denied, it is only if the Deny has no condition.
fn is_allowed(view: &View<'_>, action: &str, role: &str) -> bool {
    let applies = |statement: &Statement<'_>| {
        selects(&statement.actions, action, true) && selects(&statement.resources, role, false)
    };
    let mut statements = view.statements.iter();
    let denied = statements.any(|s| s.denies && s.conditions.is_empty() && applies(s));
    !denied && view.allows().any(applies)
}

fn selects(selection: &Selection<'_>, text: &str, ignore_case: bool) -> bool {
    let matches = selection.texts().iter().any(|pattern| match ignore_case {
        true => covers(&pattern.text.to_ascii_lowercase(), text),
        false => covers(pattern.text, text),
    });
    match selection {
        Selection::Listed(_) => matches,
        Selection::Excluded(_) => !matches,
    }
}

fn granted(view: &View<'_>, need: &JumpNeed, findings: &mut Findings) {
    let role = need.role.to_string();
    let at = place_of(view, &role);
    let profile = Excerpt::of(&need.profile);
    if !is_allowed(view, ASSUME, &role) {
        let what = format!("{role} of profile {profile} may not be assumed");
        findings.add(Rule::RoleNotGranted, at, what);
        return;
    }
    let extras = [
        (need.tags, "sts:TagSession", "session tags"),
        (
            need.source_identity,
            "sts:SetSourceIdentity",
            "a source identity",
        ),
    ];
    for (_, action, what) in extras.iter().filter(|(needed, ..)| *needed) {
        if is_allowed(view, &action.to_ascii_lowercase(), &role) {
            continue;
        }
        let what =
            format!("profile {profile} passes {what}, and {action} is not allowed on {role}");
        let finding = findings.add(Rule::SessionTagging, at, what);
        finding.remedy = Some(format!("Allow {action} on {role}, beside sts:AssumeRole."));
    }
}

/// The statement that is about this role, else the document.
fn place_of(view: &View<'_>, role: &str) -> Position {
    let about = view.allows().find(|s| selects(&s.resources, role, false));
    about.map_or(view.root.position, |statement| statement.at)
}

/// Resources beside which no profile has a role.
fn surplus(view: &View<'_>, needs: &[JumpNeed], findings: &mut Findings) {
    for statement in view.allows() {
        let assumes = selects(&statement.actions, ASSUME, true);
        for resource in statement.resources.listed().iter().filter(|_| assumes) {
            let needed = |need: &JumpNeed| covers(resource.text, need.role.as_ref());
            let exact = !resource.text.contains(['*', '?']);
            // What stands for every role has a rule of its own.
            if covers(resource.text, ANY_ROLE) || exact && needs.iter().any(needed) {
                continue;
            }
            let quoted = Excerpt::of(resource.text);
            let what = match needs.iter().any(needed) {
                true => format!("{quoted} matches more roles than those of the profiles"),
                false => format!("no profile has a role that is {quoted}"),
            };
            findings.add_in(statement, Rule::Surplus, resource.at, what);
        }
    }
}
