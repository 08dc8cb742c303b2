//! AssumeRole (API_AssumeRole).

use super::authorize::Target;
use super::call::{Call, name_character, with_token_size};
use super::context::Context;
use super::entities::Role;
use super::packed::token_bytes;
use super::policy::Purpose;
use super::principal::{RoleSession, Who, account_of, set_mfa, unique_id};
use super::refusal::Refusal;
use super::rules::Rule;
use super::state::{Order, role_session};
use super::xml::Xml;
use super::{mfa, session_policy, tags};
use std::collections::BTreeSet;

const CHAINED_MAX: i64 = 3600;
const DEFAULT_DURATION: i64 = 3600;

/// The parameters, their forms checked.
struct Ask {
    role_arn: String,
    name: String,
    external_id: Option<String>,
    source_identity: Option<String>,
    duration: Option<i64>,
    tags: Vec<(String, String)>,
    transitive: Vec<String>,
}

/// What a role session hands on to the next hop.
#[derive(Default)]
struct Inherited {
    tags: Vec<(String, String)>,
    source_identity: Option<String>,
}

pub(super) fn assume_role(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let ask = Ask::of(call)?;
    if call.caller.who.is_root(&call.state.world) && call.enforces(Rule::RootRefused) {
        return Err(Refusal::access_denied(
            "Roles may not be assumed by root accounts.",
        ));
    }
    let mfa_at = mfa::verified(call)?;
    let inherited = Inherited::of(call);
    let role = permitted(call, &ask, &inherited, mfa_at)?;
    let seconds = duration(call, &ask, &role)?;
    check_chain(call, &ask, &inherited)?;
    let policies = session_policy::passed(call, &role.account, None)?;
    let packed = session_policy::packed(call, &policies, &ask.tags)?;
    let mut session = ask.session(&inherited, call.enforces(Rule::TransitiveTagsTravel));
    session.policies = policies;
    session.mfa_at = mfa_at.filter(|_| !call.enforces(Rule::MfaNotInRoleSession));
    let needed = token_bytes(packed, &inherited.tags, Some(&session));
    let token_bytes = session_policy::token_size(call, needed)?;
    let sizes = Sizes {
        packed: session_policy::packed_percent(call, packed),
        token_bytes,
    };
    Ok(answer(call, session, seconds, sizes))
}

/// RoleArn: `arn:PARTITION:iam::TWELVE_DIGITS:role/…`.
fn check_role_arn(call: &Call<'_>) -> Result<String, Refusal> {
    call.required("RoleArn")?;
    let arn = call.form("RoleArn", 20..=2048, |c| !c.is_control(), Rule::RoleArnForm)?;
    let arn = arn.unwrap_or_default();
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let good = parts.len() == 6
        && parts[0] == "arn"
        && parts[2] == "iam"
        && parts[3].is_empty()
        && parts[4].len() == 12
        && parts[4].chars().all(|c| c.is_ascii_digit())
        && parts[5].starts_with("role/");
    match good || !call.enforces(Rule::RoleArnForm) {
        true => Ok(arn),
        false => Err(Refusal::validation(format!("{arn} is invalid"))),
    }
}

fn external_character(c: char) -> bool {
    name_character(c) || c == ':' || c == '/'
}

impl Ask {
    fn of(call: &Call<'_>) -> Result<Ask, Refusal> {
        let role_arn = check_role_arn(call)?;
        call.required("RoleSessionName")?;
        let name = call.form(
            "RoleSessionName",
            2..=64,
            name_character,
            Rule::RoleSessionName,
        )?;
        let external_id = call.form(
            "ExternalId",
            2..=1224,
            external_character,
            Rule::ExternalIdForm,
        )?;
        let rules = &call.state.world.without;
        let tags = tags::tags(call.params, rules)?;
        Ok(Ask {
            role_arn,
            name: name.unwrap_or_default(),
            external_id,
            source_identity: source_identity(call)?,
            duration: call.duration(900..=43_200, Rule::DurationRange)?,
            transitive: tags::transitive_keys(call.params, &tags, rules)?,
            tags,
        })
    }

    /// The session that comes of it: inherited transitive tags first, those passed over them.
    fn session(self, inherited: &Inherited, travels: bool) -> RoleSession {
        let fixed: Vec<(String, String)> = if travels {
            inherited.tags.clone()
        } else {
            Vec::new()
        };
        let transitive: BTreeSet<String> = fixed
            .iter()
            .map(|(key, _)| key)
            .chain(&self.transitive)
            .map(|key| key.to_lowercase())
            .collect();
        RoleSession {
            role_arn: self.role_arn,
            name: self.name,
            tags: fixed.into_iter().chain(self.tags).collect(),
            transitive,
            source_identity: self
                .source_identity
                .or_else(|| inherited.source_identity.clone()),
            ..RoleSession::default()
        }
    }
}

/// id_credentials_temp_control-access_monitor: the form, and no `aws:` in front.
fn source_identity(call: &Call<'_>) -> Result<Option<String>, Refusal> {
    call.form(
        "SourceIdentity",
        2..=64,
        name_character,
        Rule::SourceIdentityForm,
    )
}

impl Inherited {
    fn of(call: &Call<'_>) -> Inherited {
        let Some(session) = role_session(&call.caller.who) else {
            return Inherited::default();
        };
        let travels =
            |(key, _): &&(String, String)| session.transitive.contains(&key.to_lowercase());
        let kept = call.enforces(Rule::SourceIdentityKept);
        Inherited {
            tags: session.tags.iter().filter(travels).cloned().collect(),
            source_identity: session.source_identity.clone().filter(|_| kept),
        }
    }
}

/// The role, if it exists and everything that the call asks for is allowed. A role that does not
/// exist answers as one that does not trust the caller.
fn permitted(
    call: &Call<'_>,
    ask: &Ask,
    inherited: &Inherited,
    mfa_at: Option<i64>,
) -> Result<Role, Refusal> {
    let who = &call.caller.who;
    let role = call.state.world.find_role(&ask.role_arn);
    let role =
        role.ok_or_else(|| Refusal::not_authorized(&who.arn(), "sts:AssumeRole", &ask.role_arn))?;
    let target = Target {
        arn: &ask.role_arn,
        account: Some(&role.account),
        policy: Some((&role.trust, Purpose::Trust)),
    };
    let context = context(call, ask, mfa_at);
    call.permit("sts:AssumeRole", target, &context)?;
    let tagged = !ask.tags.is_empty() || !inherited.tags.is_empty();
    if tagged && call.enforces(Rule::TagSessionPermission) {
        call.permit("sts:TagSession", target, &context)?;
    }
    let identified = ask.source_identity.is_some() || inherited.source_identity.is_some();
    if identified && call.enforces(Rule::SetSourceIdentityPermission) {
        call.permit("sts:SetSourceIdentity", target, &context)?;
    }
    Ok(role.clone())
}

/// The context of the trust policy (reference_policies_iam-condition-keys, STS).
fn context(call: &Call<'_>, ask: &Ask, mfa_at: Option<i64>) -> Context {
    let mut context = call.context();
    let rules = &call.state.world.without;
    context.set("sts:RoleSessionName", &ask.name);
    if call.enforces(Rule::ExternalIdContext) {
        context.set_if("sts:ExternalId", ask.external_id.as_deref());
    }
    if call.enforces(Rule::SourceIdentityContext) {
        context.set_if("sts:SourceIdentity", ask.source_identity.as_deref());
    }
    if call.enforces(Rule::RequestTagContext) {
        for (key, value) in &ask.tags {
            context.set(&format!("aws:RequestTag/{key}"), value);
        }
    }
    if call.enforces(Rule::TagKeysContext) {
        context.set_all("aws:TagKeys", ask.tags.iter().map(|(key, _)| key.clone()));
    }
    if call.enforces(Rule::TransitiveTagKeysContext) {
        context.set_all("sts:TransitiveTagKeys", ask.transitive.iter().cloned());
    }
    if mfa_at.is_some() {
        set_mfa(rules, Some(mfa_at), call.now, &mut context);
    }
    context
}

fn duration(call: &Call<'_>, ask: &Ask, role: &Role) -> Result<i64, Refusal> {
    let chained = call.chained() && call.enforces(Rule::DurationChained);
    match ask.duration {
        Some(seconds) if chained && seconds > CHAINED_MAX => Err(Refusal::validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        )),
        Some(seconds) if seconds > role.max_session && call.enforces(Rule::DurationRoleMaximum) => {
            Err(Refusal::validation(
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            ))
        }
        Some(seconds) => Ok(seconds),
        None => Ok(DEFAULT_DURATION),
    }
}

/// What an earlier session fixed cannot be passed again.
fn check_chain(call: &Call<'_>, ask: &Ask, inherited: &Inherited) -> Result<(), Refusal> {
    let fixed = |key: &String| {
        inherited
            .tags
            .iter()
            .any(|(old, _)| old.to_lowercase() == key.to_lowercase())
    };
    if ask.tags.iter().any(|(key, _)| fixed(key)) && call.enforces(Rule::TransitiveTagsFixed) {
        // undocumented: the code.
        return Err(Refusal::access_denied(
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
        ));
    }
    let earlier = role_session(&call.caller.who).and_then(|s| s.source_identity.as_ref());
    let changed = ask.source_identity.is_some()
        && earlier.is_some_and(|e| Some(e) != ask.source_identity.as_ref());
    if changed && call.enforces(Rule::SourceIdentityFixed) {
        // undocumented: code and message.
        return Err(Refusal::access_denied(
            "The source identity of the calling session cannot be changed.",
        ));
    }
    Ok(())
}

/// What the answer tells about sizes.
struct Sizes {
    /// PackedPolicySize in percent.
    packed: Option<usize>,
    token_bytes: usize,
}

fn answer(call: &mut Call<'_>, session: RoleSession, seconds: i64, sizes: Sizes) -> Xml {
    let source_identity = session.source_identity.clone();
    let mut shown = session.clone();
    if call.twist.other_role {
        let account = account_of(&shown.role_arn).to_owned();
        shown.role_arn = format!("arn:aws:iam::{account}:role/SomethingElse");
    }
    let id = format!("{}:{}", unique_id("AROA", &shown.role_arn), shown.name);
    let who = Who::RoleSession(session);
    let order = Order {
        who,
        scopes: Vec::new(),
        expires: call.now + seconds,
        token_bytes: sizes.token_bytes,
    };
    let credentials = call.issue(order, sizes.packed);
    let user = Xml::new()
        .leaf("AssumedRoleId", id)
        .leaf("Arn", Who::RoleSession(shown).arn());
    let answer = Xml::new()
        .leaf_if("SourceIdentity", source_identity)
        .node("AssumedRoleUser", user)
        .node("Credentials", credentials)
        .leaf_if("PackedPolicySize", sizes.packed.map(|p| p.to_string()));
    with_token_size(answer, sizes.token_bytes)
}
