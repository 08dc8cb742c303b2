//! Any ARN, and the six parts that all ARNs are made of.

use super::{AccountId, ArnError, Partition, Region};
use crate::excerpt::Excerpt;
use crate::string_form::string_form;
use crate::text_rule::{TextRule, check_length};

/// Most characters of any ARN here; STS's own limit for the ARNs that it takes.
pub const MAX_ARN_CHARACTERS: usize = 2_048;

const FORM: &str = "arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE";

const SERVICE_RULE: TextRule = TextRule {
    min: 1,
    max: 63,
    legal: |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-',
    allowed: "lower-case ASCII letters, digits and -",
};

/// The parts of an ARN as they stand in the text; only the partition is understood.
pub(super) struct Parts<'a> {
    pub(super) partition: Partition,
    pub(super) service: &'a str,
    pub(super) region: &'a str,
    pub(super) account: &'a str,
    pub(super) resource: &'a str,
}

impl<'a> Parts<'a> {
    /// Cuts `text` at its first five colons. `what` and `expected` are for the error.
    pub(super) fn of(
        text: &'a str,
        what: &'static str,
        expected: &'static str,
    ) -> Result<Self, ArnError> {
        check_length(text.chars().count(), 1, MAX_ARN_CHARACTERS).map_err(|fault| {
            ArnError::Part {
                what,
                part: "length",
                found: Excerpt::of(text),
                fault,
            }
        })?;
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next();
        match (next(), next(), next(), next(), next(), next()) {
            (
                Some("arn"),
                Some(partition),
                Some(service),
                Some(region),
                Some(account),
                Some(resource),
            ) => Ok(Self {
                partition: Partition::parse(partition)?,
                service,
                region,
                account,
                resource,
            }),
            _ => Err(ArnError::Form {
                what,
                expected,
                found: Excerpt::of(text),
            }),
        }
    }
}

/// Any ARN without wildcards: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`, at most
/// [`MAX_ARN_CHARACTERS`]. Region and account may be empty; the account may be `aws` for what AWS
/// itself owns.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Arn {
    text: String,
    partition: Partition,
    region: Option<Region>,
    account: Option<AccountId>,
}

impl Arn {
    /// Reads any ARN.
    ///
    /// # Errors
    /// When a part is missing or not legal.
    pub fn parse(text: &str) -> Result<Self, ArnError> {
        let what = "ARN";
        let parts = Parts::of(text, what, FORM)?;
        let faulty = |part, fault| ArnError::Part {
            what,
            part,
            found: Excerpt::of(text),
            fault,
        };
        SERVICE_RULE
            .check(parts.service)
            .map_err(|fault| faulty("service", fault))?;
        RESOURCE_RULE
            .check(parts.resource)
            .map_err(|fault| faulty("resource", fault))?;
        let account = match parts.account {
            "" | "aws" => None,
            digits => Some(AccountId::parse(digits)?),
        };
        let region = region_of(&parts)?;
        Ok(Self {
            text: text.to_owned(),
            partition: parts.partition,
            region,
            account,
        })
    }

    /// The whole ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The partition.
    #[must_use]
    pub fn partition(&self) -> Partition {
        self.partition
    }

    /// The service, such as `s3`.
    #[must_use]
    pub fn service(&self) -> &str {
        self.part(2)
    }

    /// The region, if the resource has one.
    #[must_use]
    pub fn region(&self) -> Option<&Region> {
        self.region.as_ref()
    }

    /// The account, if one is named; see [`Arn::is_aws_owned`] for the account `aws`.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        self.account
    }

    /// Whether the account part says `aws`: a resource that AWS itself owns.
    #[must_use]
    pub fn is_aws_owned(&self) -> bool {
        self.part(4) == "aws"
    }

    /// Everything after the fifth colon.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.part(5)
    }

    fn part(&self, index: usize) -> &str {
        self.text
            .splitn(6, ':')
            .nth(index)
            .expect("parsing found six parts")
    }
}

string_form!(Arn, ArnError);

const RESOURCE_RULE: TextRule = TextRule {
    min: 1,
    max: MAX_ARN_CHARACTERS,
    legal: |character| !character.is_control(),
    allowed: "all but control characters",
};

fn region_of(parts: &Parts<'_>) -> Result<Option<Region>, ArnError> {
    if parts.region.is_empty() {
        return Ok(None);
    }
    let region = Region::parse(parts.region)?;
    if region.partition() != parts.partition {
        return Err(ArnError::RegionElsewhere {
            region,
            partition: parts.partition,
        });
    }
    Ok(Some(region))
}
