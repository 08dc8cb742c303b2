//! Services to try sessions on beside S3: support, servicequotas and ssm, in JSON 1.1 as the AWS CLI
//! speaks to them. A call is decided by the caller's policies and answered with the least that a
//! client takes; nothing is kept.

use super::authenticate::Passport;
use super::authorize::{self, Target};
use super::bytes::{BASE32, random_text};
use super::call::{Origin, base_context};
use super::context::Context;
use super::http::{Reply, Request};
use super::refusal::Refusal;
use super::rules::Rule;
use super::state::State;
use serde_json::{Value, json};

/// Signing name, prefix of `X-Amz-Target`, prefix of actions: the same as the signing name.
const SERVICES: &[(&str, &str)] = &[
    ("ssm", "AmazonSSM."),
    ("support", "AWSSupport_20130415."),
    ("servicequotas", "ServiceQuotasV20190624."),
];

/// The document of a session that names none (getting-started-create-preferences-cli).
const DEFAULT_DOCUMENT: &str = "SSM-SessionManagerRunShell";

/// The service's name, if it is one of these.
pub(super) fn known(signed_for: &str) -> Option<&'static str> {
    let services = SERVICES.iter().map(|(name, _)| *name);
    services.into_iter().find(|name| *name == signed_for)
}

/// The operation that `X-Amz-Target` names.
pub(super) fn operation(request: &Request) -> String {
    let target = request.header("x-amz-target").unwrap_or("");
    target.rsplit('.').next().unwrap_or("").to_owned()
}

/// The body as JSON; `null` where it is none.
pub(super) fn input(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap_or_default()
}

/// One call of a service.
pub(super) struct Ask<'a> {
    pub(super) service: &'a str,
    pub(super) operation: &'a str,
    pub(super) request: &'a Request,
    pub(super) origin: &'a Origin,
    pub(super) now: i64,
}

/// Answers one call.
pub(super) fn answered(
    state: &State,
    passport: &Passport,
    ask: &Ask<'_>,
) -> Result<Reply, Refusal> {
    let target = ask.request.header("x-amz-target").unwrap_or("");
    let prefix = SERVICES.iter().find(|(name, _)| *name == ask.service);
    let fits = prefix.is_some_and(|(_, prefix)| target.starts_with(prefix));
    if !fits && state.enforces(Rule::JsonTarget) {
        return Err(Refusal::new(400, "UnknownOperationException", ""));
    }
    let input = input(ask.request);
    let view = View {
        state,
        passport,
        ask,
        input: &input,
    };
    view.permit()?;
    let body = view.output().to_string();
    Ok(Reply::new(200, "application/x-amz-json-1.1", body))
}

struct View<'a> {
    state: &'a State,
    passport: &'a Passport,
    ask: &'a Ask<'a>,
    input: &'a Value,
}

impl View<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.input.get(name).and_then(Value::as_str)
    }

    /// `arn:aws:SERVICE:REGION:ACCOUNT:rest` in the caller's account.
    fn arn(&self, service: &str, rest: &str) -> String {
        let account = self.passport.caller.who.account();
        format!(
            "arn:aws:{service}:{}:{account}:{rest}",
            self.ask.origin.region
        )
    }

    /// Every resource that the call is about must be allowed.
    fn permit(&self) -> Result<(), Refusal> {
        if !self.state.enforces(Rule::ServicePermission) {
            return Ok(());
        }
        match (self.ask.service, self.ask.operation) {
            ("ssm", "StartSession") => self.permit_session(),
            _ => self.permit_one(&self.resource(), &self.context()),
        }
    }

    fn permit_one(&self, arn: &str, context: &Context) -> Result<(), Refusal> {
        let action = format!("{}:{}", self.ask.service, self.ask.operation);
        match self.may(arn, context) {
            true => Ok(()),
            false => {
                let caller = self.passport.caller.who.arn();
                let refusal = Refusal::not_authorized(&caller, &action, arn);
                Err(Refusal::new(400, "AccessDeniedException", refusal.message))
            }
        }
    }

    fn may(&self, arn: &str, context: &Context) -> bool {
        let action = format!("{}:{}", self.ask.service, self.ask.operation);
        let target = Target {
            arn,
            account: None,
            policy: None,
        };
        let caller = &self.passport.caller;
        authorize::allowed(&self.state.world, caller, &action, target, context)
    }

    /// Service authorization reference (list_awssystemsmanager, list_servicequotas, list_awssupport).
    fn resource(&self) -> String {
        match (self.ask.service, self.ask.operation) {
            ("ssm", "GetParameter") => {
                let name = self.text("Name").unwrap_or("").trim_start_matches('/');
                self.arn("ssm", &format!("parameter/{name}"))
            }
            ("ssm", "TerminateSession" | "ResumeSession") => {
                let id = self.text("SessionId").unwrap_or("");
                self.arn("ssm", &format!("session/{id}"))
            }
            ("servicequotas", "RequestServiceQuotaIncrease") => {
                let of = |name| self.text(name).unwrap_or("");
                let quota = format!("{}/{}", of("ServiceCode"), of("QuotaCode"));
                self.arn("servicequotas", &quota)
            }
            _ => "*".to_owned(),
        }
    }

    fn context(&self) -> Context {
        let caller = &self.passport.caller;
        let mut context = base_context(self.state, caller, self.ask.origin, self.ask.now);
        if self.ask.service == "servicequotas" {
            context.set_if("servicequotas:service", self.text("ServiceCode"));
        }
        context
    }

    /// getting-started-sessiondocumentaccesscheck: the instance, and the document where one is named
    /// or a policy asks for the check. undocumented: how AWS finds out that a policy asks; here it
    /// does where the instance is allowed only with the key.
    fn permit_session(&self) -> Result<(), Refusal> {
        let target = self.text("Target").unwrap_or("");
        let instance = self.arn("ec2", &format!("instance/{target}"));
        let named = self.text("DocumentName");
        let with_check = self.instance_context(target, true);
        self.permit_one(&instance, &with_check)?;
        let wanted = !self.may(&instance, &self.instance_context(target, false))
            && self.state.enforces(Rule::SessionDocumentCheck);
        let named = named.filter(|_| self.state.enforces(Rule::SessionDocument));
        match named.or(wanted.then_some(DEFAULT_DOCUMENT)) {
            Some(document) => {
                let document = self.arn("ssm", &format!("document/{document}"));
                self.permit_one(&document, &with_check)
            }
            None => Ok(()),
        }
    }

    fn instance_context(&self, id: &str, check: bool) -> Context {
        let mut context = self.context();
        let instances = &self.state.world.instances;
        let instance = instances.iter().find(|instance| instance.id == id);
        let instance = instance.filter(|_| self.state.enforces(Rule::InstanceTagContext));
        for (key, value) in instance.iter().flat_map(|instance| &instance.tags) {
            context.set(&format!("ssm:resourceTag/{key}"), value);
            context.set(&format!("aws:ResourceTag/{key}"), value);
        }
        context.set("ssm:SessionDocumentAccessCheck", check.to_string());
        context
    }

    fn output(&self) -> Value {
        match (self.ask.service, self.ask.operation) {
            ("support", "CreateCase") => json!({"caseId": format!("case-{}", self.id())}),
            ("support", "DescribeCases") => json!({"cases": []}),
            ("servicequotas", "RequestServiceQuotaIncrease") => json!({"RequestedQuota": {
                "Id": self.id(), "Status": "PENDING", "DesiredValue": self.input["DesiredValue"],
                "ServiceCode": self.input["ServiceCode"], "QuotaCode": self.input["QuotaCode"]}}),
            ("ssm", "StartSession") => json!({
                // undocumented: the id's form, but that policies write it `${aws:userid}-*`.
                "SessionId": format!("{}-{}", self.passport.caller.who.user_id(), self.id()),
                "TokenValue": "worthless", "StreamUrl": "wss://127.0.0.1/worthless"}),
            ("ssm", "GetParameter") => json!({"Parameter": {
                "Name": self.input["Name"], "Type": "String", "Value": "a parameter's value",
                "Version": 1, "ARN": self.resource()}}),
            ("ssm", "TerminateSession" | "ResumeSession") => {
                json!({"SessionId": self.input["SessionId"]})
            }
            _ => json!({}),
        }
    }

    fn id(&self) -> String {
        random_text(BASE32, 17).to_lowercase()
    }
}

/// A refusal in JSON 1.1: always 400 for what the caller did (CommonErrors of each service), with
/// these services' names for what STS calls otherwise.
pub(super) fn refused(refusal: &Refusal) -> Reply {
    let (status, code) = match refusal.code.as_str() {
        "InvalidClientTokenId" => (400, "UnrecognizedClientException"),
        "SignatureDoesNotMatch" | "RequestExpired" => (400, "InvalidSignatureException"),
        "ExpiredToken" => (400, "ExpiredTokenException"),
        "MissingAuthenticationToken" => (400, "MissingAuthenticationTokenException"),
        "IncompleteSignature" => (400, "IncompleteSignatureException"),
        other if refusal.status < 500 => (400, other),
        other => (refusal.status, other),
    };
    let body = json!({"__type": code, "message": refusal.message}).to_string();
    Reply::new(status, "application/x-amz-json-1.1", body)
}

/// The members of the input that are texts and numbers, for the record.
pub(super) fn recorded(request: &Request) -> Vec<(String, String)> {
    let input = input(request);
    let members = input.as_object().into_iter().flatten();
    let told = |(name, value): (&String, &Value)| match value {
        Value::String(text) => Some((name.clone(), text.clone())),
        Value::Number(number) => Some((name.clone(), number.to_string())),
        _ => None,
    };
    members.filter_map(told).collect()
}
