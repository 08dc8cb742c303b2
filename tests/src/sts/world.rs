//! What exists in the double's AWS. A plain value that a test writes down, or that a JSON or TOML file
//! holds.

use super::bytes::{BASE32, BASE64, random_text};
use super::entities::{Bucket, Instance, ManagedPolicy, Role, User};
use super::managed;
use super::organization::Account;
use super::policy::{Policy, Purpose};
use super::rules::{Rule, Rules};
use serde::{Deserialize, Serialize};

/// Everything that exists when the double starts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    /// IAM users; the root user of an account is one with [`User::root`] set.
    #[serde(default)]
    pub users: Vec<User>,
    /// Roles.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// Customer managed policies; AWS's own are built in.
    #[serde(default)]
    pub managed_policies: Vec<ManagedPolicy>,
    /// Buckets of the tiny S3.
    #[serde(default)]
    pub buckets: Vec<Bucket>,
    /// Instances that sessions can be started on.
    #[serde(default)]
    pub instances: Vec<Instance>,
    /// Accounts of an organisation with their service control policies; others have none.
    #[serde(default)]
    pub accounts: Vec<Account>,
    /// Regions whose signatures are accepted; empty: every name of a region's form.
    #[serde(default)]
    pub regions: Vec<String>,
    /// Every secret key and token that the double makes begins with this text (base64 letters, at
    /// most 32), so that a scan finds them.
    #[serde(default)]
    pub canary: String,
    /// Rules that are out of force: for tests of the double itself.
    #[serde(default)]
    pub without: Rules,
}

/// Why a world cannot exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct WorldError {
    /// Which user, role, policy or bucket.
    pub place: String,
    /// What is wrong with it.
    pub what: String,
}

impl World {
    /// Nothing at all.
    pub fn new() -> World {
        World::default()
    }

    /// Adds a user.
    pub fn user(mut self, user: User) -> World {
        self.users.push(user);
        self
    }

    /// Adds a role.
    pub fn role(mut self, role: Role) -> World {
        self.roles.push(role);
        self
    }

    /// Adds a bucket.
    pub fn bucket(mut self, bucket: Bucket) -> World {
        self.buckets.push(bucket);
        self
    }

    /// Adds an instance.
    pub fn instance(mut self, instance: Instance) -> World {
        self.instances.push(instance);
        self
    }

    /// Adds an account's place in the organisation.
    pub fn account(mut self, account: Account) -> World {
        self.accounts.push(account);
        self
    }

    /// Adds a customer managed policy.
    pub fn managed_policy(mut self, arn: &str, document: &str) -> World {
        let policy = ManagedPolicy {
            arn: arn.to_owned(),
            document: document.to_owned(),
        };
        self.managed_policies.push(policy);
        self
    }

    /// Takes a rule out.
    pub fn without(mut self, rule: Rule) -> World {
        self.without.take_out(rule);
        self
    }

    /// The same world with a new random secret for every key and device, and `canary` at the
    /// beginning of every secret key, given or made.
    pub fn with_fresh_secrets(mut self, canary: &str) -> World {
        self.canary = canary.to_owned();
        for user in &mut self.users {
            for key in &mut user.keys {
                key.secret = format!("{canary}{}", random_text(BASE64, 40 - canary.len().min(32)));
            }
            for device in &mut user.mfa {
                device.seed = random_text(BASE32, 64);
            }
        }
        self
    }

    /// Refuses what cannot exist in AWS: too many keys or devices, policies that do not parse.
    pub(super) fn check(&self) -> Result<(), WorldError> {
        for user in &self.users {
            user.check(&self.without).map_err(|what| WorldError {
                place: user.arn(),
                what,
            })?;
        }
        for role in &self.roles {
            role.check(&self.without).map_err(|what| WorldError {
                place: role.arn(),
                what,
            })?;
        }
        for policy in &self.managed_policies {
            Policy::parse(&policy.document, Purpose::Identity, &self.without).map_err(|what| {
                WorldError {
                    place: policy.arn.clone(),
                    what,
                }
            })?;
        }
        for account in &self.accounts {
            account.check(self).map_err(|what| WorldError {
                place: account.id.clone(),
                what,
            })?;
        }
        for bucket in &self.buckets {
            let parse = |text| Policy::parse(text, Purpose::Resource, &self.without).map(drop);
            let mut policy = bucket.policy.iter();
            policy
                .try_for_each(|text| parse(text))
                .map_err(|what| WorldError {
                    place: bucket.arn(),
                    what,
                })?;
        }
        Ok(())
    }

    pub(super) fn find_user(&self, arn: &str) -> Option<&User> {
        self.users.iter().find(|user| user.arn() == arn)
    }

    pub(super) fn find_role(&self, arn: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.arn() == arn)
    }

    pub(super) fn find_bucket(&self, name: &str) -> Option<&Bucket> {
        self.buckets.iter().find(|bucket| bucket.name == name)
    }

    /// The text of a managed policy, AWS's or a customer's.
    pub(super) fn managed_text(&self, arn: &str) -> Option<&str> {
        let ours = self
            .managed_policies
            .iter()
            .find(|policy| policy.arn == arn);
        ours.map(|policy| policy.document.as_str())
            .or_else(|| managed::text(arn))
    }
}
