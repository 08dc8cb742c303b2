//! The serial number of an MFA device.

use super::general::Parts;
use super::{AccountId, ArnError};
use crate::excerpt::Excerpt;
use crate::string_form::string_form;
use crate::text_rule::{TextFault, TextRule, is_name_character};

const WHAT: &str = "MFA serial";
const EXPECTED: &str = "arn:PARTITION:iam::ACCOUNT:mfa/NAME or the serial number of a device";

/// `[\w+=/:,.@-]`, 9 to 256 (STS API, `SerialNumber`).
const RULE: TextRule = TextRule {
    min: 9,
    max: 256,
    legal: |character| is_name_character(character) || character == '/' || character == ':',
    allowed: "ASCII letters, digits and _ + = / : , . @ -",
};

/// The `SerialNumber` that goes with an MFA code: the ARN of a virtual device
/// (`arn:PARTITION:iam::ACCOUNT:mfa/NAME`) or the serial number of a hardware token. 9 to 256
/// characters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MfaSerial {
    text: String,
    account: Option<AccountId>,
}

impl MfaSerial {
    /// Reads an MFA serial.
    ///
    /// # Errors
    /// When STS would refuse it, or when it names a FIDO key, which has no codes.
    pub fn parse(text: &str) -> Result<Self, ArnError> {
        RULE.check(text)
            .map_err(|fault| illegal("text", text, fault))?;
        let account = if text.starts_with("arn:") {
            Some(account_of(text)?)
        } else {
            None
        };
        Ok(Self {
            text: text.to_owned(),
            account,
        })
    }

    /// As STS gets it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The account of a virtual device; a hardware serial does not say.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        self.account
    }

    /// Whether it is a hardware token's number, not an ARN.
    #[must_use]
    pub fn is_hardware(&self) -> bool {
        self.account.is_none()
    }
}

string_form!(MfaSerial, ArnError);

fn account_of(text: &str) -> Result<AccountId, ArnError> {
    let parts = Parts::of(text, WHAT, EXPECTED)?;
    let form = || ArnError::Form {
        what: WHAT,
        expected: EXPECTED,
        found: Excerpt::of(text),
    };
    if parts.service != "iam" || !parts.region.is_empty() {
        return Err(form());
    }
    if parts.resource.starts_with("u2f/") {
        return Err(ArnError::SecurityKey {
            found: Excerpt::of(text),
        });
    }
    let name = parts.resource.strip_prefix("mfa/").ok_or_else(form)?;
    if name.is_empty() || name.ends_with('/') {
        return Err(form());
    }
    AccountId::parse(parts.account)
}

fn illegal(part: &'static str, text: &str, fault: TextFault) -> ArnError {
    ArnError::Part {
        what: WHAT,
        part,
        found: Excerpt::of(text),
        fault,
    }
}
