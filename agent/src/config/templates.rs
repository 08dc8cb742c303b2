//! Templates: whatever of them is certain before anything runs is checked here.

use jumpgate_iam::{NameError, RoleSessionName, SourceIdentity, TagError, TagValue, TextFault};

use super::faults::{Fault, Faults, Place, Written};
use super::section::Entry;
use super::terms::Account;
use crate::domain::name::{SAMPLE_SESSION_ID, SessionId};
use crate::domain::template::{Template, TemplateError, Values, Variable};

/// The session name of a profile that has none.
pub const DEFAULT_SESSION_NAME: &str = "{user}-{session}";

/// The shortest value that the unknown variables can have.
const SHORTEST: &str = "x";

/// What is known of a template's variables, and the rest at its shortest.
pub(super) struct KnownValues {
    profile: String,
    account_id: String,
    account: String,
}

/// Reads a profile's templates.
pub(super) struct Templates<'r> {
    pub(super) faults: &'r Faults,
    /// What is known of the variables.
    pub(super) values: KnownValues,
    /// Whether every ask has a ticket.
    pub(super) ticket_is_sure: bool,
}

/// The variables' values that the configuration itself decides.
pub(super) fn known_values(profile: &str, account: Option<&Account<'_>>) -> KnownValues {
    // Without an account something else is wrong already; any id will do.
    let id = account.map_or_else(|| "0".repeat(12), |account| account.id.to_string());
    let name = account.and_then(|account| account.name);
    KnownValues {
        profile: profile.to_owned(),
        account: name.map_or_else(|| id.clone(), str::to_owned),
        account_id: id,
    }
}

impl Templates<'_> {
    /// The template of the role session name, or the default one.
    pub(super) fn session_name(&self, entry: &Entry<&str>, profile: &Place) -> Option<Template> {
        let default;
        let written = match entry {
            Entry::Here(written) => written,
            Entry::Absent => {
                let place = profile.clone();
                let value = DEFAULT_SESSION_NAME;
                default = Written { value, place };
                &default
            }
            Entry::Broken => return None,
        };
        self.template(written, |text| {
            RoleSessionName::parse(text).map_err(of_name)
        })
    }

    /// The template of the source identity.
    pub(super) fn source_identity(&self, entry: &Entry<&str>) -> Option<Template> {
        self.template(entry.here()?, |text| {
            SourceIdentity::parse(text).map_err(of_name)
        })
    }

    /// The template of a tag's value.
    pub(super) fn tag_value(&self, written: &Written<&str>) -> Option<Template> {
        self.template(written, |text| TagValue::parse(text).map_err(of_tag))
    }

    fn template<T>(
        &self,
        written: &Written<&str>,
        check: impl Fn(&str) -> Result<T, Illegal>,
    ) -> Option<Template> {
        let template = match Template::parse(written.value) {
            Ok(template) => template,
            Err(error) => {
                self.faults.error(self.no_template(written, &error));
                return None;
            }
        };
        if let Err(illegal) = check(&self.shortest(&template)) {
            let can_grow = [Variable::User, Variable::Host, Variable::Ticket]
                .into_iter()
                .any(|variable| template.names(variable));
            if !(illegal.is_too_short && can_grow) {
                let fault = Fault::wrong(&written.place, illegal.message);
                self.faults.error(fault);
            }
        }
        if template.names(Variable::Ticket) && !self.ticket_is_sure {
            let message = "{ticket} is in it, so an ask without a ticket is refused";
            let fault = Fault::wrong(&written.place, message);
            let expected = "require = [\"ticket\"], which says so beforehand";
            self.faults.warning(fault.expected(expected));
        }
        Some(template)
    }

    fn no_template(&self, written: &Written<&str>, error: &TemplateError) -> Fault {
        let names = || Variable::ALL.into_iter().map(Variable::as_str);
        let fault = Fault::wrong(&written.place, error.to_string());
        match error {
            TemplateError::UnknownVariable(name) => {
                let listed: Vec<String> = names().map(|name| format!("{{{name}}}")).collect();
                let nearest = self.faults.nearest(name, names());
                fault.expected(listed.join(" ")).meant(nearest)
            }
            TemplateError::Unbalanced => fault.expected("{NAME} around the name of a variable"),
            TemplateError::TooLong => fault,
        }
    }

    /// The shortest text that the template can become.
    fn shortest(&self, template: &Template) -> String {
        let pattern = template.render(&Values {
            user: SHORTEST,
            host: SHORTEST,
            profile: &self.values.profile,
            account_id: &self.values.account_id,
            account: &self.values.account,
            ticket: Some(SHORTEST),
        });
        let pattern = pattern.expect("there is a ticket");
        let session = SessionId::parse(SAMPLE_SESSION_ID).expect("the sample is a session id");
        pattern.with_session(&session)
    }
}

/// Why a rendered text is not legal.
struct Illegal {
    message: String,
    is_too_short: bool,
}

fn of_name(error: NameError) -> Illegal {
    let is_too_short = matches!(&error, NameError::Illegal { fault, .. } if too_short(fault));
    let message = error.to_string();
    Illegal {
        message,
        is_too_short,
    }
}

fn of_tag(error: TagError) -> Illegal {
    let is_too_short = matches!(&error, TagError::Value { fault, .. } if too_short(fault));
    let message = error.to_string();
    Illegal {
        message,
        is_too_short,
    }
}

fn too_short(fault: &TextFault) -> bool {
    matches!(fault, TextFault::Length { found, min, .. } if found < min)
}
