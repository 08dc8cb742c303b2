//! The ARNs of IAM's own things that have a path and a name: roles, users, managed policies.

use super::general::Parts;
use super::{AccountId, ArnError, Partition};
use crate::excerpt::Excerpt;
use crate::string_form::string_form;
use crate::text_rule::{NAME_CHARACTERS, TextFault, TextRule, check_length, is_name_character};

/// A path with both its slashes has at most 512 printable ASCII characters (IAM API, `pathType`).
const PATH_RULE: TextRule = TextRule {
    min: 1,
    max: 512,
    legal: |character| ('!'..='~').contains(&character),
    allowed: "printable ASCII characters without the space",
};

/// What distinguishes one kind of named ARN from another.
struct Kind {
    what: &'static str,
    expected: &'static str,
    resource: &'static str,
    name_max: usize,
}

const ROLE: Kind = Kind {
    what: "role ARN",
    expected: "arn:PARTITION:iam::ACCOUNT:role/NAME",
    resource: "role",
    name_max: 64,
};

const USER: Kind = Kind {
    what: "user ARN",
    expected: "arn:PARTITION:iam::ACCOUNT:user/NAME",
    resource: "user",
    name_max: 64,
};

const POLICY: Kind = Kind {
    what: "managed policy ARN",
    expected: "arn:PARTITION:iam::ACCOUNT:policy/NAME (ACCOUNT is aws for AWS's own)",
    resource: "policy",
    name_max: 128,
};

/// An ARN `arn:P:iam::OWNER:RESOURCE/PATH/NAME` whose path and name are legal. Equality, order and
/// hash go by the text, from which the rest follows.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Named {
    text: String,
    partition: Partition,
    /// Byte index of the path's first slash.
    path_at: usize,
    /// Byte index of the name.
    name_at: usize,
}

impl Named {
    /// Reads everything but the owner, which is handed back for the caller to judge.
    fn parse<'a>(kind: &Kind, text: &'a str) -> Result<(Self, &'a str), ArnError> {
        let parts = Parts::of(text, kind.what, kind.expected)?;
        let path_and_name = parts.resource.strip_prefix(kind.resource);
        let (Some(path_and_name), "iam", "") = (path_and_name, parts.service, parts.region) else {
            return Err(kind.form(text));
        };
        let name_in_path = match path_and_name.rfind('/') {
            Some(slash) if path_and_name.starts_with('/') => slash + 1,
            _ => return Err(kind.form(text)),
        };
        let (path, name) = path_and_name.split_at(name_in_path);
        kind.check(text, path, name)?;
        let path_at = text.len() - path_and_name.len();
        let named = Self {
            text: text.to_owned(),
            partition: parts.partition,
            path_at,
            name_at: path_at + name_in_path,
        };
        Ok((named, parts.account))
    }

    fn path(&self) -> &str {
        &self.text[self.path_at..self.name_at]
    }

    fn name(&self) -> &str {
        &self.text[self.name_at..]
    }
}

impl Kind {
    fn form(&self, text: &str) -> ArnError {
        ArnError::Form {
            what: self.what,
            expected: self.expected,
            found: Excerpt::of(text),
        }
    }

    fn check(&self, text: &str, path: &str, name: &str) -> Result<(), ArnError> {
        let name_rule = TextRule {
            min: 1,
            max: self.name_max,
            legal: is_name_character,
            allowed: NAME_CHARACTERS,
        };
        PATH_RULE
            .check(path)
            .map_err(|fault| self.part("path", text, fault))?;
        name_rule
            .check(name)
            .map_err(|fault| self.part("name", text, fault))
    }

    fn part(&self, part: &'static str, text: &str, fault: TextFault) -> ArnError {
        ArnError::Part {
            what: self.what,
            part,
            found: Excerpt::of(text),
            fault,
        }
    }

    fn compose(&self, partition: Partition, owner: &str, path_and_name: &str) -> String {
        let path_and_name = path_and_name.strip_prefix('/').unwrap_or(path_and_name);
        format!(
            "arn:{partition}:iam::{owner}:{}/{path_and_name}",
            self.resource
        )
    }
}

macro_rules! named_accessors {
    () => {
        /// The whole ARN.
        #[must_use]
        pub fn as_str(&self) -> &str {
            &self.named.text
        }

        /// The partition.
        #[must_use]
        pub fn partition(&self) -> Partition {
            self.named.partition
        }

        /// The path with both its slashes; `/` if there is none.
        #[must_use]
        pub fn path(&self) -> &str {
            self.named.path()
        }

        /// The name without the path.
        #[must_use]
        pub fn name(&self) -> &str {
            self.named.name()
        }
    };
}

/// The ARN of a role: `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`, 20 to 2,048 characters, the name
/// 1 to 64 of `[\w+=,.@-]`, the path at most 512.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoleArn {
    named: Named,
    account: AccountId,
}

impl RoleArn {
    /// Reads a role ARN.
    ///
    /// # Errors
    /// When it has another form, or a part that IAM would refuse.
    pub fn parse(text: &str) -> Result<Self, ArnError> {
        let (named, owner) = Named::parse(&ROLE, text)?;
        check_length(text.len(), 20, super::MAX_ARN_CHARACTERS)
            .map_err(|fault| ROLE.part("length", text, fault))?;
        Ok(Self {
            named,
            account: AccountId::parse(owner)?,
        })
    }

    /// Composes a role ARN. `path_and_name` is `Developer`, `team/Developer` or `/team/Developer`.
    ///
    /// # Errors
    /// When path or name is one that IAM would refuse.
    pub fn new(
        partition: Partition,
        account: AccountId,
        path_and_name: &str,
    ) -> Result<Self, ArnError> {
        Self::parse(&ROLE.compose(partition, account.as_str(), path_and_name))
    }

    /// The account that the role is in.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.account
    }

    named_accessors!();
}

string_form!(RoleArn, ArnError);

/// The ARN of an IAM user: `arn:PARTITION:iam::ACCOUNT:user/PATH/NAME`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserArn {
    named: Named,
    account: AccountId,
}

impl UserArn {
    /// Reads a user ARN.
    ///
    /// # Errors
    /// When it has another form, or a part that IAM would refuse.
    pub fn parse(text: &str) -> Result<Self, ArnError> {
        let (named, owner) = Named::parse(&USER, text)?;
        Ok(Self {
            named,
            account: AccountId::parse(owner)?,
        })
    }

    /// Composes a user ARN. `path_and_name` is `alice`, `team/alice` or `/team/alice`.
    ///
    /// # Errors
    /// When path or name is one that IAM would refuse.
    pub fn new(
        partition: Partition,
        account: AccountId,
        path_and_name: &str,
    ) -> Result<Self, ArnError> {
        Self::parse(&USER.compose(partition, account.as_str(), path_and_name))
    }

    /// The account that the user is in.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.account
    }

    named_accessors!();
}

string_form!(UserArn, ArnError);

/// The ARN of a managed policy: `arn:PARTITION:iam::OWNER:policy/PATH/NAME`, where the owner is an
/// account or `aws`. The name has 1 to 128 characters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PolicyArn {
    named: Named,
    account: Option<AccountId>,
}

impl PolicyArn {
    /// Reads the ARN of a managed policy.
    ///
    /// # Errors
    /// When it has another form, or a part that IAM would refuse.
    pub fn parse(text: &str) -> Result<Self, ArnError> {
        let (named, owner) = Named::parse(&POLICY, text)?;
        let account = match owner {
            "aws" => None,
            digits => Some(AccountId::parse(digits)?),
        };
        Ok(Self { named, account })
    }

    /// Composes a policy ARN; no account means one of AWS's own.
    ///
    /// # Errors
    /// When path or name is one that IAM would refuse.
    pub fn new(
        partition: Partition,
        account: Option<AccountId>,
        path_and_name: &str,
    ) -> Result<Self, ArnError> {
        let owner = account.as_ref().map_or("aws", AccountId::as_str);
        Self::parse(&POLICY.compose(partition, owner, path_and_name))
    }

    /// The account that owns the policy; none for AWS's own.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        self.account
    }

    /// Whether it is one of AWS's own managed policies.
    #[must_use]
    pub fn is_aws_managed(&self) -> bool {
        self.account.is_none()
    }

    named_accessors!();
}

string_form!(PolicyArn, ArnError);
