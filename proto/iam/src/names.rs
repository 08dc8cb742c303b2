//! The names that travel with AssumeRole: role session name, source identity, external id.
//!
//! Source: STS API reference, AssumeRole. `\w` in AWS's patterns is ASCII only.

use crate::excerpt::Excerpt;
use crate::string_form::string_form;
use crate::text_rule::{NAME_CHARACTERS, TextFault, TextRule, is_name_character};

/// Why a text is no legal name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NameError {
    /// Length or character set.
    #[error("{what} {text} is not legal: {fault}")]
    Illegal {
        /// Which name.
        what: &'static str,
        /// The beginning of the text.
        text: Excerpt,
        /// The rule it breaks.
        fault: TextFault,
    },
    /// Begins with `aws:`, which AWS keeps for itself.
    #[error("{what} {text} begins with \"aws:\", which AWS keeps for itself")]
    Reserved {
        /// Which name.
        what: &'static str,
        /// The beginning of the text.
        text: Excerpt,
    },
}

const NAME_RULE: TextRule = TextRule {
    min: 2,
    max: 64,
    legal: is_name_character,
    allowed: NAME_CHARACTERS,
};

const EXTERNAL_ID_RULE: TextRule = TextRule {
    min: 2,
    max: 1224,
    legal: |character| is_name_character(character) || character == ':' || character == '/',
    allowed: "ASCII letters, digits and _ + = , . @ : / -",
};

fn checked(what: &'static str, rule: &TextRule, text: &str) -> Result<String, NameError> {
    match rule.check(text) {
        Ok(()) => Ok(text.to_owned()),
        Err(fault) => Err(NameError::Illegal {
            what,
            text: Excerpt::of(text),
            fault,
        }),
    }
}

/// The `RoleSessionName` of AssumeRole: 2 to 64 of `[\w+=,.@-]`. It is part of the session's ARN
/// and the key by which CloudTrail joins to our journal.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoleSessionName(String);

impl RoleSessionName {
    /// Most characters.
    pub const MAX_CHARACTERS: usize = NAME_RULE.max;

    /// Reads a name as it stands.
    ///
    /// # Errors
    /// When length or characters are not what STS accepts.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        checked("role session name", &NAME_RULE, text).map(Self)
    }

    /// As [`RoleSessionName::parse`], for a name inside of something else.
    pub(crate) fn checked(text: &str) -> Result<Self, TextFault> {
        NAME_RULE.check(text).map(|()| Self(text.to_owned()))
    }

    /// Reads a name from text that was not written for AWS (a login, a host name): every character
    /// that STS refuses becomes `-`. Nothing is cut off, so that no two names become one by their
    /// length.
    ///
    /// # Errors
    /// When the text is shorter than 2 or longer than 64 characters.
    pub fn cleaned(text: &str) -> Result<Self, NameError> {
        let replaced: String = text
            .chars()
            .map(|c| if is_name_character(c) { c } else { '-' })
            .collect();
        Self::parse(&replaced)
    }

    /// The name as STS gets it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

string_form!(RoleSessionName, NameError);

/// The `SourceIdentity` of AssumeRole: 2 to 64 of `[\w+=,.@-]`, not beginning with `aws:`. Once set
/// it stays through role chaining and cannot be changed.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceIdentity(String);

impl SourceIdentity {
    /// Most characters.
    pub const MAX_CHARACTERS: usize = NAME_RULE.max;

    /// Reads a source identity as it stands.
    ///
    /// # Errors
    /// When length, characters or the beginning are not what STS accepts.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let what = "source identity";
        // The colon alone is illegal already; the reserved beginning deserves its own words.
        if text
            .get(..4)
            .is_some_and(|head| head.eq_ignore_ascii_case("aws:"))
        {
            return Err(NameError::Reserved {
                what,
                text: Excerpt::of(text),
            });
        }
        checked(what, &NAME_RULE, text).map(Self)
    }

    /// The source identity as STS gets it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

string_form!(SourceIdentity, NameError);

/// The `ExternalId` of AssumeRole: 2 to 1,224 of `[\w+=,.@:\/-]`. It is not a secret.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExternalId(String);

impl ExternalId {
    /// Most characters.
    pub const MAX_CHARACTERS: usize = EXTERNAL_ID_RULE.max;

    /// Reads an external id as it stands.
    ///
    /// # Errors
    /// When length or characters are not what STS accepts.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        checked("external id", &EXTERNAL_ID_RULE, text).map(Self)
    }

    /// The external id as STS gets it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

string_form!(ExternalId, NameError);

#[cfg(test)]
mod tests;
