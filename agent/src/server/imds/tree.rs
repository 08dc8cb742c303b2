//! What an instance says of itself, as far as a profile knows it. Pure. What is not known is not invented: clients go on
//! to their next source when they get a 404.

use std::borrow::Cow;
use std::fmt::Write;

use jumpgate_api::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::domain::name::LeaseId;
use crate::domain::profile::Profile;

/// Longest role name that clients take out of a list.
const MAX_ROLE: usize = 64;

/// What there is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Text(String),
    Credentials,
    Nothing,
}

/// What is known of the instance that we stand for. Each fact is made when it is asked for: most requests want the role's
/// name and nothing else.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instance<'a> {
    profile: &'a Profile,
    lease: &'a LeaseId,
}

/// `iam/info` (Terraform reads the account from it).
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct IamInfo {
    code: &'static str,
    last_updated: Timestamp,
    instance_profile_arn: String,
    instance_profile_id: String,
}

/// The instance identity document (Go, Terraform and .NET read the region from it).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    account_id: &'a str,
    availability_zone: &'a str,
    instance_id: &'a str,
    region: &'a str,
    version: &'static str,
}

impl<'a> Instance<'a> {
    pub(super) const fn new(profile: &'a Profile, lease: &'a LeaseId) -> Self {
        Self { profile, lease }
    }

    fn role(&self) -> Cow<'a, str> {
        clean(self.profile.role.name())
    }

    fn region(&self) -> Option<String> {
        self.profile.region.as_ref().map(ToString::to_string)
    }

    fn zone(&self) -> Option<String> {
        self.region().map(|region| format!("{region}a"))
    }

    /// Where no region is known, neither is an instance.
    fn id(&self) -> Option<String> {
        self.profile.region.as_ref().map(|_| id_of(self.lease))
    }

    fn iam_info(&self, now: Timestamp) -> String {
        let arn = &self.profile.role;
        let (partition, account, role) = (arn.partition(), arn.account(), self.role());
        let id = id_of(self.lease);
        let id = id.trim_start_matches("i-").to_ascii_uppercase();
        json(&IamInfo {
            code: "Success",
            last_updated: now,
            instance_profile_arn: format!(
                "arn:{}:iam::{account}:instance-profile/{role}",
                partition.as_str()
            ),
            instance_profile_id: format!("AIPA{id}"),
        })
    }

    fn identity(&self) -> Option<String> {
        let (region, zone, id) = (self.region()?, self.zone()?, self.id()?);
        Some(json(&Identity {
            account_id: self.profile.role.account().as_ref(),
            availability_zone: &zone,
            instance_id: &id,
            region: &region,
            version: "2017-09-30",
        }))
    }
}

/// With and without a slash at the end, each path is the same; a listing has no newline at its end. The clock is read for
/// the document that has a time.
pub(super) fn find(path: &str, instance: &Instance<'_>, now: impl Fn() -> Timestamp) -> Found {
    let path = path.strip_suffix('/').unwrap_or(path);
    let known = |text: Option<String>| text.map_or(Found::Nothing, Found::Text);
    let fixed = |text: &str| Found::Text(text.to_owned());
    let partition = instance.profile.role.partition();
    match path {
        "" => return fixed("latest"),
        "/latest" => return fixed("dynamic\nmeta-data"),
        "/latest/dynamic" => return fixed("instance-identity/"),
        "/latest/dynamic/instance-identity" => return fixed("document"),
        "/latest/dynamic/instance-identity/document" => return known(instance.identity()),
        "/latest/meta-data" => return fixed("iam/\ninstance-id\nplacement/\nservices/"),
        _ => {}
    }
    match path.strip_prefix("/latest/meta-data/").unwrap_or_default() {
        "iam" => fixed("info\nsecurity-credentials/\nsecurity-credentials-extended/"),
        "iam/info" => Found::Text(instance.iam_info(now())),
        "iam/security-credentials" | "iam/security-credentials-extended" => fixed(&instance.role()),
        "instance-id" => known(instance.id()),
        "placement" => fixed("availability-zone\nregion"),
        "placement/region" => known(instance.region()),
        "placement/availability-zone" => known(instance.zone()),
        "services" => fixed("domain\npartition"),
        "services/domain" => fixed(partition.sts_dns_suffix()),
        "services/partition" => fixed(partition.as_str()),
        rest => credentials(rest, instance),
    }
}

fn credentials(path: &str, instance: &Instance<'_>) -> Found {
    let role = path
        .strip_prefix("iam/security-credentials-extended/")
        .or_else(|| path.strip_prefix("iam/security-credentials/"));
    match role {
        Some(role) if role == instance.role() => Found::Credentials,
        _ => Found::Nothing,
    }
}

/// A role's name as it may stand in a list and in a path.
fn clean(role: &str) -> Cow<'_, str> {
    let legal = |c: &char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(*c);
    if (1..=MAX_ROLE).contains(&role.len()) && role.chars().all(|c| legal(&c)) {
        return Cow::Borrowed(role);
    }
    let name: String = role.chars().filter(legal).take(MAX_ROLE).collect();
    if name.is_empty() {
        Cow::Borrowed("role")
    } else {
        Cow::Owned(name)
    }
}

/// An id in the form of EC2's, the same for the life of the endpoint.
fn id_of(lease: &LeaseId) -> String {
    let mut id = "i-".to_owned();
    for byte in &Sha256::digest(lease.as_str())[..9] {
        let _infallible = write!(id, "{byte:02x}");
    }
    id.truncate(2 + 17);
    id
}

fn json(document: &impl Serialize) -> String {
    serde_json::to_string(document).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::samples;

    fn with<T>(region: Option<&str>, look: impl FnOnce(&Instance<'_>) -> T) -> T {
        let mut profile = samples::profile("dev");
        profile.region = region.map(|text| jumpgate_iam::Region::parse(text).unwrap());
        let lease = LeaseId::parse("01KAN0000000000000000000L1").unwrap();
        look(&Instance::new(&profile, &lease))
    }

    fn now() -> Timestamp {
        Timestamp::from_unix_seconds(1_800_000_000)
    }

    fn text(path: &str, region: Option<&str>) -> Option<String> {
        match with(region, |instance| find(path, instance, now)) {
            Found::Text(text) => Some(text),
            Found::Nothing => None,
            Found::Credentials => Some("credentials".into()),
        }
    }

    #[test]
    fn i5_i10_every_path_in_both_slash_forms() {
        let role = with(None, |instance| instance.role().into_owned());
        for (path, with, without) in [
            ("", "latest", Some("latest")),
            ("/latest", "dynamic\nmeta-data", Some("dynamic\nmeta-data")),
            (
                "/latest/dynamic",
                "instance-identity/",
                Some("instance-identity/"),
            ),
            (
                "/latest/meta-data/iam/security-credentials",
                &role,
                Some(role.as_str()),
            ),
            (
                "/latest/meta-data/iam/security-credentials-extended",
                &role,
                Some(&role),
            ),
            ("/latest/meta-data/placement/region", "eu-central-1", None),
            (
                "/latest/meta-data/placement/availability-zone",
                "eu-central-1a",
                None,
            ),
            ("/latest/meta-data/instance-id", "i-", None),
            (
                "/latest/dynamic/instance-identity/document",
                r#"{"accountId":"#,
                None,
            ),
            (
                "/latest/meta-data/iam/info",
                r#"{"Code":"Success""#,
                Some(r#"{"Code":"Success""#),
            ),
            (
                "/latest/meta-data/services/domain",
                "amazonaws.com",
                Some("amazonaws.com"),
            ),
            ("/latest/meta-data/services/partition", "aws", Some("aws")),
            (
                &format!("/latest/meta-data/iam/security-credentials/{role}"),
                "credentials",
                Some("credentials"),
            ),
            (
                &format!("/latest/meta-data/iam/security-credentials-extended/{role}"),
                "credentials",
                Some("credentials"),
            ),
        ] {
            for path in [path.to_owned(), format!("{path}/")] {
                let (set, unset) = (text(&path, Some("eu-central-1")), text(&path, None));
                assert!(set.as_ref().unwrap().starts_with(with), "{path}: {set:?}");
                assert!(!set.unwrap().ends_with('\n'), "{path}");
                assert_eq!(unset.is_some(), without.is_some(), "{path}");
                assert!(
                    unset
                        .unwrap_or_default()
                        .starts_with(without.unwrap_or_default())
                );
            }
        }
    }

    #[test]
    fn anything_else_is_not_there() {
        for path in [
            "/latest/user-data",
            "/latest/meta-data/iam/security-credentials/other",
            "/latest/meta-data/iam/security-credentials/../info",
            "/latest//meta-data",
            "/latest/meta-data//",
            "/2021-01-01/meta-data",
            "//",
            "*",
        ] {
            assert_eq!(
                with(Some("eu-west-1"), |instance| find(path, instance, now)),
                Found::Nothing,
                "{path}"
            );
        }
    }

    #[test]
    fn documents_read_as_their_readers_expect() {
        let region = Some("eu-west-1");
        let info = with(region, |instance| instance.iam_info(now()));
        let info: serde_json::Value = serde_json::from_str(&info).unwrap();
        let arn = info["InstanceProfileArn"].as_str().unwrap();
        assert!(
            arn.starts_with("arn:aws:iam::222222222222:instance-profile/"),
            "{arn}"
        );
        assert_eq!(info["LastUpdated"], "2027-01-15T08:00:00Z");
        let identity = with(region, |instance| instance.identity()).unwrap();
        let identity: serde_json::Value = serde_json::from_str(&identity).unwrap();
        assert_eq!(identity["region"], "eu-west-1");
        assert_eq!(identity["accountId"], "222222222222");
        assert_eq!(with(region, |instance| instance.id()).unwrap().len(), 19);
    }

    #[test]
    fn a_role_is_cleaned() {
        assert_eq!(clean("Deve loper/%\n+=,.@_-"), "Developer+=,.@_-");
        assert_eq!(clean(&"x".repeat(65)).len(), 64);
        assert_eq!(clean("/"), "role");
    }
}
