//! One authenticated STS call: what its handler sees, and the forms of simple parameters.

use super::authorize::{self, Target};
use super::clock;
use super::context::Context;
use super::packed::{TOKEN_MAX, percent};
use super::principal::Caller;
use super::query::Params;
use super::record::Issued;
use super::refusal::Refusal;
use super::rules::Rule;
use super::state::{Order, State, role_session};
use super::xml::Xml;

/// Facts of the request that policies may ask for.
#[derive(Debug, Clone, Default)]
pub(super) struct Origin {
    pub(super) source_ip: String,
    pub(super) user_agent: String,
    pub(super) region: String,
    /// The `Host` that was asked, without its port.
    pub(super) host: String,
}

/// Changes to an otherwise proper answer, by a fault.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Twist {
    pub(super) already_expired: bool,
    pub(super) other_role: bool,
}

pub(super) struct Call<'a> {
    pub(super) state: &'a mut State,
    pub(super) caller: &'a Caller,
    pub(super) params: &'a Params,
    pub(super) origin: &'a Origin,
    pub(super) now: i64,
    pub(super) twist: Twist,
    /// What the call issued, for the record.
    pub(super) issued: Option<Issued>,
}

/// The context that every call has: origin, time, principal.
pub(super) fn base_context(state: &State, caller: &Caller, origin: &Origin, now: i64) -> Context {
    let mut context = Context::default();
    context.set("aws:SourceIp", &origin.source_ip);
    context.set("aws:UserAgent", &origin.user_agent);
    context.set("aws:RequestedRegion", &origin.region);
    context.set("aws:SecureTransport", "false");
    context.set("aws:ViaAWSService", "false");
    context.set("aws:CurrentTime", clock::rfc3339(now));
    context.set("aws:EpochTime", now.to_string());
    caller.describe(&state.world, now, &mut context);
    context
}

impl Call<'_> {
    pub(super) fn enforces(&self, rule: Rule) -> bool {
        self.state.enforces(rule)
    }

    pub(super) fn context(&self) -> Context {
        base_context(self.state, self.caller, self.origin, self.now)
    }

    /// Refuses the call unless the policies allow the action.
    pub(super) fn permit(
        &self,
        action: &str,
        target: Target<'_>,
        context: &Context,
    ) -> Result<(), Refusal> {
        let who = &self.caller.who;
        match authorize::allowed(&self.state.world, self.caller, action, target, context) {
            true => Ok(()),
            false => Err(Refusal::not_authorized(&who.arn(), action, target.arn)),
        }
    }

    /// An optional parameter of a length and a character set: `rule` names both.
    pub(super) fn form(
        &self,
        name: &str,
        lengths: std::ops::RangeInclusive<usize>,
        legal: fn(char) -> bool,
        rule: Rule,
    ) -> Result<Option<String>, Refusal> {
        let Some(value) = self.params.text(name) else {
            return Ok(None);
        };
        let good = lengths.contains(&value.chars().count()) && value.chars().all(legal);
        if !good && self.enforces(rule) {
            let (min, max) = (lengths.start(), lengths.end());
            let member = lower_first(name);
            let wanted = format!("Member must have {min} to {max} characters of its pattern");
            return Err(Refusal::constraint(&member, value, &wanted));
        }
        Ok(Some(value.to_owned()))
    }

    pub(super) fn required(&self, name: &str) -> Result<(), Refusal> {
        match self.params.text(name) {
            Some(_) => Ok(()),
            None => Err(Refusal::constraint(
                &lower_first(name),
                "null",
                "Member must not be null",
            )),
        }
    }

    /// DurationSeconds, if given and within the model's range.
    pub(super) fn duration(
        &self,
        range: std::ops::RangeInclusive<i64>,
        rule: Rule,
    ) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.params.text("DurationSeconds") else {
            return Ok(None);
        };
        let wanted = format!(
            "Member must be {} to {} seconds",
            range.start(),
            range.end()
        );
        match text.parse::<i64>() {
            Ok(seconds) if range.contains(&seconds) || !self.enforces(rule) => Ok(Some(seconds)),
            _ => Err(Refusal::constraint("durationSeconds", text, &wanted)),
        }
    }

    /// Issues credentials and writes their XML.
    pub(super) fn issue(&mut self, order: Order, packed: Option<usize>) -> Xml {
        let expires = if self.twist.already_expired {
            self.now - 60
        } else {
            order.expires
        };
        let (session, mut issued) = self.state.mint(Order { expires, ..order }, self.now);
        issued.packed_policy_size = packed;
        let xml = Xml::new()
            .leaf("AccessKeyId", &issued.access_key_id)
            .leaf("SecretAccessKey", &session.secret)
            .leaf("SessionToken", &session.token)
            .leaf("Expiration", clock::rfc3339(session.expires));
        self.issued = Some(issued);
        xml
    }

    /// Whether the caller is itself a role session.
    pub(super) fn chained(&self) -> bool {
        role_session(&self.caller.who).is_some()
    }
}

fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or(String::new(), |c| {
        c.to_ascii_lowercase().to_string() + letters.as_str()
    })
}

/// `[\w+=,.@-]`, the character set of session names, user names and source identities.
pub(super) fn name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)
}

/// The members that tell about the token, since September 2026 (API_AssumeRole).
pub(super) fn with_token_size(answer: Xml, token_bytes: usize) -> Xml {
    answer
        .leaf("SessionTokenSize", token_bytes.to_string())
        .leaf(
            "SessionTokenUtilization",
            percent(token_bytes, TOKEN_MAX).to_string(),
        )
}
