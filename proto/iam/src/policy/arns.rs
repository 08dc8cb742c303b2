//! The list of managed policies of a request.

use std::collections::HashSet;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::arn::PolicyArn;

/// Most managed policies of one request.
pub const MAX_POLICY_ARNS: usize = 10;

/// Why some managed policies do not go together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PolicyArnsError {
    /// Too many.
    #[error("at most {MAX_POLICY_ARNS} managed policies are expected, there are {found}")]
    TooMany {
        /// How many.
        found: usize,
    },
    /// One is named twice.
    #[error("managed policy {arn} is named twice")]
    Repeated {
        /// Which.
        arn: PolicyArn,
    },
}

/// The `PolicyArns` of a request: at most [`MAX_POLICY_ARNS`] in the order given, none twice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PolicyArns(Vec<PolicyArn>);

impl PolicyArns {
    /// Policies in the order given.
    ///
    /// # Errors
    /// When there are too many, or one is named twice.
    pub fn new(arns: Vec<PolicyArn>) -> Result<Self, PolicyArnsError> {
        if arns.len() > MAX_POLICY_ARNS {
            return Err(PolicyArnsError::TooMany { found: arns.len() });
        }
        let mut seen = HashSet::new();
        match arns.iter().find(|arn| !seen.insert(*arn)) {
            Some(arn) => Err(PolicyArnsError::Repeated { arn: arn.clone() }),
            None => Ok(Self(arns)),
        }
    }

    /// The policies in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &PolicyArn> {
        self.0.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// As a list of strings.
impl Serialize for PolicyArns {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for PolicyArns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
