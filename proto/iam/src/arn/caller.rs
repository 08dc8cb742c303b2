//! Who AWS says we are: the `Arn` of GetCallerIdentity and of `AssumedRoleUser`.

use std::fmt;

use super::general::Parts;
use super::{AccountId, ArnError, Partition, RoleArn, UserArn};
use crate::excerpt::Excerpt;
use crate::names::RoleSessionName;
use crate::string_form::parsed_form;
use crate::text_rule::{NAME_CHARACTERS, TextFault, TextRule, is_name_character};

const WHAT: &str = "caller ARN";
const EXPECTED: &str = "an IAM user, root, assumed-role or federated-user ARN";

const ROLE_NAME_RULE: TextRule = TextRule {
    min: 1,
    max: 64,
    legal: is_name_character,
    allowed: NAME_CHARACTERS,
};

/// GetFederationToken, `Name`.
const FEDERATED_NAME_RULE: TextRule = TextRule {
    min: 2,
    max: 32,
    legal: is_name_character,
    allowed: NAME_CHARACTERS,
};

/// The principal behind some credentials, as GetCallerIdentity names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CallerArn {
    /// An IAM user (`arn:P:iam::A:user/…`), also by a session of GetSessionToken.
    User {
        /// The user's ARN.
        arn: UserArn,
    },
    /// The account's root (`arn:P:iam::A:root`).
    Root {
        /// The partition.
        partition: Partition,
        /// The account.
        account: AccountId,
    },
    /// A role session (`arn:P:sts::A:assumed-role/ROLE/SESSION`). The role's path is not told.
    AssumedRole {
        /// The partition.
        partition: Partition,
        /// The account.
        account: AccountId,
        /// The role's name without its path.
        role_name: String,
        /// The session's name.
        session_name: RoleSessionName,
    },
    /// A session of GetFederationToken (`arn:P:sts::A:federated-user/NAME`).
    FederatedUser {
        /// The partition.
        partition: Partition,
        /// The account.
        account: AccountId,
        /// The name that was given.
        name: String,
    },
}

impl CallerArn {
    /// Reads the `Arn` of GetCallerIdentity.
    ///
    /// # Errors
    /// When it is none of the four kinds.
    pub fn parse(text: &str) -> Result<Self, ArnError> {
        let parts = Parts::of(text, WHAT, EXPECTED)?;
        let form = || ArnError::Form {
            what: WHAT,
            expected: EXPECTED,
            found: Excerpt::of(text),
        };
        if !parts.region.is_empty() {
            return Err(form());
        }
        let (kind, rest) = parts
            .resource
            .split_once('/')
            .unwrap_or((parts.resource, ""));
        match (parts.service, kind) {
            ("iam", "user") => Ok(Self::User {
                arn: UserArn::parse(text)?,
            }),
            ("iam", "root") if parts.resource == "root" => Ok(Self::Root {
                partition: parts.partition,
                account: AccountId::parse(parts.account)?,
            }),
            ("sts", "assumed-role") => assumed_role(text, &parts, rest),
            ("sts", "federated-user") => federated_user(text, &parts, rest),
            _ => Err(form()),
        }
    }

    /// The partition.
    #[must_use]
    pub fn partition(&self) -> Partition {
        match self {
            Self::User { arn } => arn.partition(),
            Self::Root { partition, .. }
            | Self::AssumedRole { partition, .. }
            | Self::FederatedUser { partition, .. } => *partition,
        }
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> AccountId {
        match self {
            Self::User { arn } => arn.account(),
            Self::Root { account, .. }
            | Self::AssumedRole { account, .. }
            | Self::FederatedUser { account, .. } => *account,
        }
    }

    /// Whether this is a session of `role` under the name `session`. The role's path cannot be
    /// compared, since AWS leaves it out of the session's ARN; names are unique in an account.
    #[must_use]
    pub fn is_session_of(&self, role: &RoleArn, session: &RoleSessionName) -> bool {
        match self {
            Self::AssumedRole {
                partition,
                account,
                role_name,
                session_name,
            } => {
                *partition == role.partition()
                    && *account == role.account()
                    && role_name == role.name()
                    && session_name == session
            }
            _ => false,
        }
    }

    /// What kind of principal it is, in words.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::User { .. } => "an IAM user",
            Self::Root { .. } => "the account's root",
            Self::AssumedRole { .. } => "a role session",
            Self::FederatedUser { .. } => "a federated user",
        }
    }
}

fn assumed_role(text: &str, parts: &Parts<'_>, rest: &str) -> Result<CallerArn, ArnError> {
    let (role_name, session_name) = rest.split_once('/').ok_or_else(|| ArnError::Form {
        what: WHAT,
        expected: "arn:PARTITION:sts::ACCOUNT:assumed-role/ROLE/SESSION",
        found: Excerpt::of(text),
    })?;
    ROLE_NAME_RULE
        .check(role_name)
        .map_err(|fault| part("role name", text, fault))?;
    Ok(CallerArn::AssumedRole {
        partition: parts.partition,
        account: AccountId::parse(parts.account)?,
        role_name: role_name.to_owned(),
        session_name: RoleSessionName::checked(session_name)
            .map_err(|fault| part("session name", text, fault))?,
    })
}

fn federated_user(text: &str, parts: &Parts<'_>, name: &str) -> Result<CallerArn, ArnError> {
    FEDERATED_NAME_RULE
        .check(name)
        .map_err(|fault| part("name", text, fault))?;
    Ok(CallerArn::FederatedUser {
        partition: parts.partition,
        account: AccountId::parse(parts.account)?,
        name: name.to_owned(),
    })
}

fn part(part: &'static str, text: &str, fault: TextFault) -> ArnError {
    ArnError::Part {
        what: WHAT,
        part,
        found: Excerpt::of(text),
        fault,
    }
}

impl fmt::Display for CallerArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User { arn } => write!(f, "{arn}"),
            Self::Root { partition, account } => write!(f, "arn:{partition}:iam::{account}:root"),
            Self::AssumedRole {
                partition,
                account,
                role_name,
                session_name,
            } => {
                write!(
                    f,
                    "arn:{partition}:sts::{account}:assumed-role/{role_name}/{session_name}"
                )
            }
            Self::FederatedUser {
                partition,
                account,
                name,
            } => {
                write!(f, "arn:{partition}:sts::{account}:federated-user/{name}")
            }
        }
    }
}

parsed_form!(CallerArn, ArnError);

impl serde::Serialize for CallerArn {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
