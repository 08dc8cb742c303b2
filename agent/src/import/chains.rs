//! Where the credentials of each profile come from: a key of its own or of another profile, through how many roles.
//! Of each key becomes an identity, of each role a profile.

use std::collections::BTreeMap;

use jumpgate_iam::{AccountId, Excerpt, MfaSerial};

use super::Arguments;
use super::found::{Found, Key, Profile, Remarks};
use super::judged::{Block, Known, Sort};
use super::translate;

/// Sources of credentials that are no keys, with what to say of them. The first that a profile has counts.
const OTHERS: [(&str, &str); 9] = [
    (
        "credential_source",
        "credential_source takes the credentials of the machine: there is no such identity",
    ),
    (
        "web_identity_token_file",
        "web identity is no kind of identity in this version",
    ),
    (
        "web_identity_token_process",
        "web identity is no kind of identity in this version",
    ),
    ("sso_session", SSO),
    ("sso_start_url", SSO),
    ("sso_account_id", SSO),
    ("granted_sso_start_url", SSO),
    (
        "login_session",
        "a console login is no kind of identity in this version",
    ),
    (
        "credential_process",
        "credential_process: a program is no kind of identity in this version",
    ),
];

/// Of a key that no role starts from.
const UNUSED: &str =
    "it has a key and no role: it becomes an identity, from which no profile starts yet";

const SSO: &str = "IAM Identity Center is no kind of identity in this version";

/// How a profile comes to credentials.
enum Nature<'a> {
    /// A key, and no role.
    Key,
    /// Neither: only settings. aws-vault has keys of such profiles.
    Settings,
    /// A role that its own key assumes.
    OwnRole,
    /// A role that is assumed with the credentials of another profile.
    Role(&'a str),
    /// It cannot be taken over.
    No(String),
}

fn nature<'a>(profile: &Profile<'a>, aws_vault: bool) -> Nature<'a> {
    if let Some(refused) = &profile.refused {
        return Nature::No(refused.clone());
    }
    let other = OTHERS.iter().find(|(key, _)| profile.get(key).is_some());
    let temporary = || Nature::No("its key is a temporary one (aws_session_token)".to_owned());
    if profile.get("role_arn").is_some() {
        return match (profile.get("source_profile"), other, profile.key) {
            (_, Some((key, why)), _) if *key != "credential_process" => {
                Nature::No((*why).to_owned())
            }
            (Some(source), ..) if source != profile.name => Nature::Role(source),
            (_, _, Key::LongLived) => Nature::OwnRole,
            (_, _, Key::Temporary) => temporary(),
            (_, _, Key::None) if aws_vault => Nature::OwnRole,
            _ => Nature::No(
                "role_arn without source_profile: nothing says whose key assumes the role"
                    .to_owned(),
            ),
        };
    }
    match (profile.key, other) {
        (Key::LongLived, _) => Nature::Key,
        (Key::Temporary, _) => temporary(),
        (Key::None, Some(("credential_process", _))) if is_ours(profile) => {
            Nature::No("it calls jumpgate already".to_owned())
        }
        (Key::None, Some((_, why))) => Nature::No((*why).to_owned()),
        (Key::None, None) => Nature::Settings,
    }
}

/// Whether the program is this one.
fn is_ours(profile: &Profile<'_>) -> bool {
    let command = profile.get("credential_process").unwrap_or_default();
    command.contains("jumpgate") && command.contains(" credential-process ")
}

/// Where a role's credentials begin.
#[derive(Clone, Copy)]
struct Origin<'a> {
    identity: &'a str,
    /// The profile that the role is assumed through.
    via: Option<&'a str>,
}

struct Chains<'f, 'a> {
    found: &'f Found<'a>,
    aws_vault: bool,
}

impl<'a> Chains<'_, 'a> {
    fn nature(&self, profile: &Profile<'a>) -> Nature<'a> {
        nature(profile, self.aws_vault)
    }

    /// Of every profile with a role.
    fn origins(&self, remarks: &mut Remarks) -> BTreeMap<&'a str, Origin<'a>> {
        let mut origins = BTreeMap::new();
        for profile in &self.found.profiles {
            if matches!(self.nature(profile), Nature::Key | Nature::Settings) {
                continue;
            }
            match self.origin(profile.name, &mut Vec::new()) {
                Ok(origin) => drop(origins.insert(profile.name, origin)),
                Err(why) => remarks.skipped.push(profile.remark(why)),
            }
        }
        origins
    }

    /// Of every profile with a key, and of every other that a role starts from.
    fn bases(
        &self,
        origins: &BTreeMap<&'a str, Origin<'a>>,
        arguments: &Arguments,
        remarks: &mut Remarks,
    ) -> BTreeMap<&'a str, Base<'a>> {
        let mut bases = BTreeMap::new();
        for profile in &self.found.profiles {
            let starts_here = |role: &&Profile<'a>| {
                let origin = origins.get(role.name);
                origin.is_some_and(|origin| origin.identity == profile.name)
            };
            let roles: Vec<&Profile<'a>> = self.found.profiles.iter().filter(starts_here).collect();
            let is_key = matches!(self.nature(profile), Nature::Key);
            if !is_key && roles.is_empty() {
                continue;
            }
            let is_direct = |role: &&&Profile<'a>| origins[role.name].via.is_none();
            let direct: Vec<&Profile<'a>> = roles.iter().filter(is_direct).copied().collect();
            match base(profile, &direct, arguments) {
                Err(why) => remarks.skipped.push(profile.remark(why)),
                Ok(base) => {
                    bases.insert(profile.name, base);
                    if roles.is_empty() {
                        remarks.notes.push(profile.remark(UNUSED));
                    }
                }
            }
        }
        bases
    }

    /// The key at the end of a role's chain. `way` are the profiles that led here.
    fn origin(&self, name: &'a str, way: &mut Vec<&'a str>) -> Result<Origin<'a>, String> {
        if way.contains(&name) {
            return Err("source_profile runs in a circle".to_owned());
        }
        way.push(name);
        let profile = self.found.profile(name);
        let profile =
            profile.ok_or_else(|| format!("there is no profile {}", Excerpt::of(name)))?;
        let source = match nature(profile, self.aws_vault) {
            Nature::Role(source) => source,
            Nature::OwnRole => {
                return Ok(Origin {
                    identity: name,
                    via: None,
                });
            }
            Nature::Key | Nature::Settings => return Err("it has no role".to_owned()),
            Nature::No(why) => return Err(why),
        };
        let above = self.found.profile(source);
        let Some(above) = above else {
            let missing = Excerpt::of(source);
            return Err(format!("its source_profile {missing} is not there"));
        };
        // A key of the source comes before a role of the source.
        let has_key = above.key == Key::LongLived && above.refused.is_none();
        match nature(above, self.aws_vault) {
            Nature::Key | Nature::Settings => Ok(Origin {
                identity: source,
                via: None,
            }),
            _ if has_key => Ok(Origin {
                identity: source,
                via: None,
            }),
            Nature::OwnRole | Nature::Role(_) => {
                let origin = self.origin(source, way)?;
                Ok(Origin {
                    identity: origin.identity,
                    via: Some(source),
                })
            }
            Nature::No(why) => Err(format!("its source_profile {}: {why}", Excerpt::of(source))),
        }
    }
}

/// What an identity is made of.
pub(super) struct Base<'a> {
    pub(super) name: &'a str,
    pub(super) account: AccountId,
    pub(super) region: Option<&'a str>,
    pub(super) device: Option<&'a str>,
    pub(super) mfa_process: Option<&'a str>,
}

/// Lines for everything that can be taken over and is not there yet, identities first. What cannot is remarked.
pub(super) fn blocks<'a>(
    found: &mut Found<'a>,
    arguments: &Arguments,
    known: &Known,
) -> Vec<Block> {
    if arguments.aws_vault {
        add_missing_sources(found);
    }
    let mut remarks = std::mem::take(&mut found.remarks);
    let chains = Chains {
        found,
        aws_vault: arguments.aws_vault,
    };
    let origins = chains.origins(&mut remarks);
    let bases = chains.bases(&origins, arguments, &mut remarks);
    let mut blocks = Vec::new();
    for profile in &found.profiles {
        let base = bases.get(profile.name);
        if let Some(base) = base.filter(|_| !known.has_identity(profile.name)) {
            blocks.push(Block::new(
                Sort::Identity,
                profile,
                translate::identity(base),
            ));
        }
    }
    for profile in &found.profiles {
        let Some(origin) = origins.get(profile.name) else {
            continue;
        };
        if known.has_profile(profile.name) {
            remarks.kept += 1;
            continue;
        }
        let role = translate::Role {
            profile,
            identity: origin.identity,
            via: origin.via,
        };
        match role.text(bases.get(origin.identity), &mut remarks.notes) {
            Ok(text) => blocks.push(Block::new(Sort::Profile, profile, text)),
            Err(why) => remarks.skipped.push(profile.remark(why)),
        }
    }
    found.remarks = remarks;
    blocks
}

/// aws-vault has keys of profiles that the file does not name.
fn add_missing_sources(found: &mut Found<'_>) {
    let sources: Vec<_> = found
        .profiles
        .iter()
        .filter_map(|profile| {
            Some((
                profile.get("source_profile")?,
                profile.file.clone(),
                profile.line,
            ))
        })
        .collect();
    for (name, file, line) in sources {
        if found.profile(name).is_none() {
            found.profiles.push(Profile {
                name,
                file,
                line,
                settings: BTreeMap::new(),
                key: Key::None,
                refused: None,
            });
        }
    }
}

/// What is known of a key: by its own profile, else by those whose roles it assumes itself.
fn base<'a>(
    profile: &Profile<'a>,
    direct: &[&Profile<'a>],
    arguments: &Arguments,
) -> Result<Base<'a>, String> {
    let first = |key: &str| {
        let roles = direct.iter().find_map(|role| role.get(key));
        profile.get(key).or(roles)
    };
    let device = first("mfa_serial");
    let serial = device.and_then(|device| MfaSerial::parse(device).ok());
    let said = profile.get("aws_account_id");
    let said = said.and_then(|digits| AccountId::parse(digits).ok());
    let account = said.or_else(|| serial?.account()).or(arguments.account);
    Ok(Base {
        name: profile.name,
        account: account.ok_or("the account of its key is told nowhere: give --account")?,
        region: first("region"),
        device,
        mfa_process: first("mfa_process"),
    })
}
