//! Partitions, regions, account ids and the ARNs that the broker meets.
//!
//! Sources: AWS general reference, "ARNs"; IAM user guide, "IAM identifiers" and "Names and quotas";
//! the partition data that the AWS SDKs ship.

mod account;
mod caller;
mod general;
mod mfa;
mod named;
mod partition;

pub use account::AccountId;
pub use caller::CallerArn;
pub use general::{Arn, MAX_ARN_CHARACTERS};
pub use mfa::MfaSerial;
pub use named::{PolicyArn, RoleArn, UserArn};
pub use partition::{Partition, Region};

use crate::excerpt::Excerpt;
use crate::text_rule::TextFault;

/// Why a text is no legal ARN, partition, region, account id or MFA serial.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ArnError {
    /// Not one of the partitions.
    #[error(
        "{found} is no AWS partition, one of aws, aws-cn, aws-us-gov, aws-iso, aws-iso-b, \
             aws-iso-e, aws-iso-f, aws-eusc is expected"
    )]
    Partition {
        /// The beginning of the text.
        found: Excerpt,
    },
    /// Not shaped like a region.
    #[error("{found} is no AWS region, something like us-east-1 is expected")]
    Region {
        /// The beginning of the text.
        found: Excerpt,
    },
    /// The region of an ARN belongs to another partition than the ARN.
    #[error("region {region} is not in partition {partition}")]
    RegionElsewhere {
        /// The region.
        region: Region,
        /// The ARN's partition.
        partition: Partition,
    },
    /// Not 12 digits.
    #[error("{found} is no AWS account id, 12 digits are expected")]
    Account {
        /// The beginning of the text.
        found: Excerpt,
    },
    /// The text as a whole has another form.
    #[error("{found} is no {what}, expected is {expected}")]
    Form {
        /// What it should be.
        what: &'static str,
        /// The form.
        expected: &'static str,
        /// The beginning of the text.
        found: Excerpt,
    },
    /// One part breaks a length or character rule.
    #[error("the {part} of {what} {found} is not legal: {fault}")]
    Part {
        /// What it should be.
        what: &'static str,
        /// Which part of it.
        part: &'static str,
        /// The beginning of the text.
        found: Excerpt,
        /// The rule it breaks.
        fault: TextFault,
    },
    /// A FIDO security key, which has no code that could be passed to STS.
    #[error(
        "{found} is a FIDO security key; STS takes codes of TOTP devices only (arn:…:mfa/NAME)"
    )]
    SecurityKey {
        /// The beginning of the text.
        found: Excerpt,
    },
}

#[cfg(test)]
mod tests;
