//! A policy that exists against the needs: what the rules say, and what each call would be answered.

use jumpgate_api::ExitStatus;
use jumpgate_iam::evaluate::{
    Context, Document, Layer, Policies, Request, Role, Verdict, evaluate,
};
use jumpgate_iam::lint::{JumpNeed, Kind};
use jumpgate_iam::{PolicyDocument, PolicyKind};
use serde::Serialize;

use super::policy::{Need, Needs, Pin};
use crate::lint::{self, Format};

/// One call that a profile makes, and what the policy says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Call {
    action: &'static str,
    resource: String,
    /// `allowed`, `denied` or `cannot_tell`.
    decision: &'static str,
    /// By which statements, or why it cannot be told.
    why: Vec<String>,
}

/// What is said of the policy.
pub(super) struct Checked {
    /// By the rules, as text or JSON.
    pub(super) findings: String,
    pub(super) calls: Vec<Call>,
    pub(super) unread: Vec<String>,
    pub(super) status: ExitStatus,
}

impl Checked {
    /// For people: the findings, the calls that are not surely allowed, and how many are.
    pub(super) fn text(&self) -> String {
        let mut text = self.findings.clone();
        let allowed = |call: &&Call| call.decision == "allowed";
        for call in self.calls.iter().filter(|call| !allowed(call)) {
            let Call {
                action, resource, ..
            } = call;
            let (decision, why) = (call.decision.replace('_', " "), call.why.join("; "));
            text.push_str(&format!("{action} on {resource}: {decision}: {why}\n"));
        }
        let sure = self.calls.iter().filter(allowed).count();
        text.push_str(&format!(
            "{sure} of {} calls of the profiles are allowed\n",
            self.calls.len()
        ));
        text
    }
}

/// Reads the file, once.
pub(super) fn run(file: &str, json: bool, roles: &[JumpNeed], needs: &Needs) -> Checked {
    let arguments = lint::Arguments {
        format: match json {
            true => Format::Json,
            false => Format::Text,
        },
        kind: Some(Kind::Jump),
        class: None,
        identity: None,
        files: vec![file.to_owned()],
    };
    let text = lint::read(file);
    let calls = calls(text.as_deref().unwrap_or_default(), needs);
    let files = arguments.files.iter().zip([text]);
    let verdict = lint::judged(&arguments, Some(roles), files);
    let failing = calls.iter().any(|call| call.decision == "denied");
    Checked {
        findings: verdict.text,
        unread: verdict.unread,
        status: match verdict.status {
            ExitStatus::Success if failing => ExitStatus::Failed,
            status => status,
        },
        calls,
    }
}

/// What is no policy, is said by the rules.
fn calls(text: &str, needs: &Needs) -> Vec<Call> {
    let document = PolicyDocument::parse_as(PolicyKind::Identity, text).ok();
    let Some(document) = document.and_then(|policy| Document::read("", &policy).ok()) else {
        return Vec::new();
    };
    let policies = Policies {
        layers: vec![Layer {
            role: Role::Identity,
            documents: vec![document],
        }],
        resource: None,
    };
    let mut calls: Vec<Call> = Vec::new();
    for need in &needs.each {
        for call in of_need(need, needs, &policies) {
            if !calls.contains(&call) {
                calls.push(call);
            }
        }
    }
    calls
}

fn of_need<'a>(
    need: &'a Need,
    needs: &'a Needs,
    policies: &'a Policies,
) -> impl Iterator<Item = Call> + use<'a> {
    let actions = [
        (true, "sts:AssumeRole"),
        (need.tags, "sts:TagSession"),
        (need.source_identity.is_some(), "sts:SetSourceIdentity"),
    ];
    let asked = actions.into_iter().filter(|(made, _)| *made);
    asked.filter_map(move |(_, action)| {
        let resource = need.role.to_string();
        let request = Request::new(action, &resource, context(need, needs)).ok()?;
        let verdict = evaluate(policies, &request);
        Some(Call {
            action,
            resource,
            decision: verdict.word(),
            why: whys(&verdict),
        })
    })
}

/// What is known about the call.
fn context(need: &Need, needs: &Needs) -> Context {
    let mut context = Context::partial();
    if let Some(user) = &needs.user {
        context = context.with("aws:username", [user.as_str()]);
    }
    if needs.mfa {
        context = context.with("aws:MultiFactorAuthPresent", ["true"]);
    }
    let key = "sts:SourceIdentity";
    match (&need.source_identity, &needs.user) {
        (None, _) => context.with::<String>(key, []),
        (Some(Pin::UserName), Some(user)) => context.with(key, [user.as_str()]),
        (Some(Pin::Text(text)), _) => context.with(key, [text.as_str()]),
        (Some(_), _) => context,
    }
}

/// By which statements, or why it cannot be told.
fn whys(verdict: &Verdict) -> Vec<String> {
    match verdict {
        Verdict::Allowed { by } | Verdict::ExplicitlyDenied { by } => {
            let each = by.iter().map(|cited| cited.statement.to_string());
            each.collect()
        }
        Verdict::ImplicitlyDenied { .. } => vec!["no statement allows it".to_owned()],
        Verdict::CannotTell { doubts } => {
            let each = doubts
                .iter()
                .map(|doubt| format!("{}: {}", doubt.by.statement, doubt.why));
            each.collect()
        }
    }
}
