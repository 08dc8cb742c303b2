//! AWS's partitions and regions.

use super::ArnError;
use crate::excerpt::Excerpt;
use crate::string_form::string_form;

/// A group of regions with IAM, accounts and endpoints of its own. No credential works in two.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Partition {
    /// `aws`, the commercial regions.
    Aws,
    /// `aws-cn`, China.
    AwsCn,
    /// `aws-us-gov`, GovCloud (US).
    AwsUsGov,
    /// `aws-iso`, isolated (US).
    AwsIso,
    /// `aws-iso-b`, isolated (US).
    AwsIsoB,
    /// `aws-iso-e`, isolated (Europe).
    AwsIsoE,
    /// `aws-iso-f`, isolated (US).
    AwsIsoF,
    /// `aws-eusc`, the European Sovereign Cloud.
    AwsEusc,
}

impl Partition {
    /// Every partition.
    pub const ALL: [Self; 8] = [
        Self::Aws,
        Self::AwsCn,
        Self::AwsUsGov,
        Self::AwsIso,
        Self::AwsIsoB,
        Self::AwsIsoE,
        Self::AwsIsoF,
        Self::AwsEusc,
    ];

    /// Reads a partition as ARNs spell it.
    ///
    /// # Errors
    /// When it is none of [`Partition::ALL`].
    pub fn parse(text: &str) -> Result<Self, ArnError> {
        Self::ALL
            .into_iter()
            .find(|partition| partition.as_str() == text)
            .ok_or_else(|| ArnError::Partition {
                found: Excerpt::of(text),
            })
    }

    /// As ARNs spell it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        self.facts().0
    }

    /// The domain beneath which the partition's STS endpoints are: `sts.REGION.SUFFIX`.
    #[must_use]
    pub const fn sts_dns_suffix(&self) -> &'static str {
        self.facts().1
    }

    /// The region to use when none is configured: the one that the AWS SDKs take for the
    /// partition's global services.
    #[must_use]
    pub fn default_region(&self) -> Region {
        Region(self.facts().2.to_owned())
    }

    /// The host of the partition's IAM, which has one endpoint for all regions (AWS general reference, "AWS
    /// Identity and Access Management endpoints and quotas").
    #[must_use]
    pub const fn iam_host(&self) -> &'static str {
        match self {
            Self::Aws => "iam.amazonaws.com",
            Self::AwsCn => "iam.cn-north-1.amazonaws.com.cn",
            Self::AwsUsGov => "iam.us-gov.amazonaws.com",
            Self::AwsIso => "iam.us-iso-east-1.c2s.ic.gov",
            Self::AwsIsoB => "iam.us-isob-east-1.sc2s.sgov.gov",
            Self::AwsIsoE => "iam.eu-isoe-west-1.cloud.adc-e.uk",
            Self::AwsIsoF => "iam.us-isof-south-1.csp.hci.ic.gov",
            Self::AwsEusc => "iam.eusc-de-east-1.amazonaws.eu",
        }
    }

    /// The region that calls to the partition's IAM are signed for.
    #[must_use]
    pub fn iam_region(&self) -> Region {
        match self {
            Self::AwsCn => Region("cn-north-1".to_owned()),
            other => other.default_region(),
        }
    }

    /// Name, DNS suffix, default region: one row for each partition.
    const fn facts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Aws => ("aws", "amazonaws.com", "us-east-1"),
            Self::AwsCn => ("aws-cn", "amazonaws.com.cn", "cn-northwest-1"),
            Self::AwsUsGov => ("aws-us-gov", "amazonaws.com", "us-gov-west-1"),
            Self::AwsIso => ("aws-iso", "c2s.ic.gov", "us-iso-east-1"),
            Self::AwsIsoB => ("aws-iso-b", "sc2s.sgov.gov", "us-isob-east-1"),
            Self::AwsIsoE => ("aws-iso-e", "cloud.adc-e.uk", "eu-isoe-west-1"),
            Self::AwsIsoF => ("aws-iso-f", "csp.hci.ic.gov", "us-isof-south-1"),
            Self::AwsEusc => ("aws-eusc", "amazonaws.eu", "eusc-de-east-1"),
        }
    }
}

string_form!(Partition, ArnError);

/// A region by its code. Only the shape is checked (`xx-word-1`, any number of words, at most 32
/// characters), since AWS opens regions faster than lists are updated. The shape makes it safe as a
/// label of a host name.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region(String);

impl Region {
    /// Most characters.
    pub const MAX_CHARACTERS: usize = 32;

    /// Reads a region code.
    ///
    /// # Errors
    /// When it is not shaped like one.
    pub fn parse(text: &str) -> Result<Self, ArnError> {
        if text.len() <= Self::MAX_CHARACTERS && is_region_shaped(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(ArnError::Region {
            found: Excerpt::of(text),
        })
    }

    /// The code, such as `eu-central-1`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The partition that the region belongs to, by its prefix; an unknown prefix is commercial.
    #[must_use]
    pub fn partition(&self) -> Partition {
        const PREFIXES: [(&str, Partition); 8] = [
            ("cn-", Partition::AwsCn),
            ("us-gov-", Partition::AwsUsGov),
            ("us-iso-", Partition::AwsIso),
            ("us-isob-", Partition::AwsIsoB),
            ("eu-isoe-", Partition::AwsIsoE),
            ("us-isof-", Partition::AwsIsoF),
            ("eu-isof-", Partition::AwsIsoF),
            ("eusc-", Partition::AwsEusc),
        ];
        PREFIXES
            .into_iter()
            .find(|(prefix, _)| self.0.starts_with(prefix))
            .map_or(Partition::Aws, |(_, partition)| partition)
    }

    /// The host of the region's STS endpoint, such as `sts.eu-central-1.amazonaws.com`.
    #[must_use]
    pub fn sts_host(&self) -> String {
        format!("sts.{self}.{}", self.partition().sts_dns_suffix())
    }
}

string_form!(Region, ArnError);

/// `[a-z]{2,}(-[a-z]+)+-[0-9]+`
fn is_region_shaped(text: &str) -> bool {
    let Some((words, number)) = text.rsplit_once('-') else {
        return false;
    };
    let all =
        |part: &str, legal: fn(&u8) -> bool| !part.is_empty() && part.as_bytes().iter().all(legal);
    let Some((first, _)) = words.split_once('-') else {
        return false;
    };
    all(number, u8::is_ascii_digit)
        && first.len() >= 2
        && words
            .split('-')
            .all(|word| all(word, u8::is_ascii_lowercase))
}
