//! Our own loader has the last word: what it does not take is not imported, for the loader's own reason.

use std::path::Path;

use super::found::{Profile, Remarks};
use super::{ImportError, Remark};
use crate::config::{self, Config, ConfigErrors, Report};

/// How a configuration begins.
const BEGINNING: &str = "version = 1\n";

/// What our configuration has before.
#[derive(Debug, Default)]
pub(super) struct Known(Option<Config>);

impl Known {
    /// Reads it, if there is one. `text` is what stands at `path`.
    pub(super) fn read(text: &str, path: &Path) -> Result<Self, ImportError> {
        match text.is_empty() {
            true => Ok(Self(None)),
            false => Ok(Self(Some(config::load(path)?))),
        }
    }

    #[cfg(any(test, feature = "fuzzed"))]
    pub(super) fn of(config: Config) -> Self {
        Self(Some(config))
    }

    pub(super) fn has_identity(&self, name: &str) -> bool {
        let identities = self
            .0
            .iter()
            .flat_map(|config| config.settings.identities.keys());
        identities.into_iter().any(|known| known.as_str() == name)
    }

    pub(super) fn has_profile(&self, name: &str) -> bool {
        let profiles = self
            .0
            .iter()
            .flat_map(|config| config.settings.profiles.keys());
        profiles.into_iter().any(|known| known.as_str() == name)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Identity,
    Profile,
}

/// Lines for one identity or profile, and whose they are.
#[derive(Debug)]
pub(super) struct Block {
    sort: Sort,
    name: String,
    text: String,
    /// What to say if they are not taken.
    remark: Remark,
}

impl Block {
    pub(super) fn new(sort: Sort, profile: &Profile<'_>, text: String) -> Self {
        Self {
            sort,
            name: profile.name.to_owned(),
            text,
            remark: profile.remark(""),
        }
    }
}

/// What was taken.
#[derive(Debug, Default)]
pub(super) struct Judged {
    pub(super) identities: Vec<String>,
    pub(super) profiles: Vec<String>,
    /// What is added.
    pub(super) toml: String,
    /// The configuration with it.
    pub(super) whole: String,
}

/// Drops blocks until the loader takes the whole. Each round drops one at least.
pub(super) fn judge(
    mut blocks: Vec<Block>,
    before: &str,
    path: &Path,
    remarks: &mut Remarks,
) -> Judged {
    loop {
        let judged = joined(&blocks, before);
        if blocks.is_empty() {
            return judged;
        }
        let Err(ConfigErrors(reports)) = config::judge(&judged.whole, path) else {
            return judged;
        };
        let faults = faults(&blocks, &judged, &reports);
        match faults.iter().any(Option::is_some) {
            true => refuse(&mut blocks, faults, remarks),
            false => refuse_last(&mut blocks, &reports, remarks),
        }
    }
}

/// All of it, behind what is there.
fn joined(blocks: &[Block], before: &str) -> Judged {
    let named = |sort: Sort| {
        let named = blocks.iter().filter(move |block| block.sort == sort);
        named.map(|block| block.name.clone()).collect()
    };
    let (mut whole, end) = match before.is_empty() {
        true => (BEGINNING.to_owned(), ""),
        false if before.ends_with('\n') => (before.to_owned(), ""),
        false => (before.to_owned(), "\n"),
    };
    let toml: String = blocks.iter().map(|block| block.text.as_str()).collect();
    whole.push_str(end);
    whole.push_str(&toml);
    Judged {
        identities: named(Sort::Identity),
        profiles: named(Sort::Profile),
        toml,
        whole,
    }
}

/// For each block what the loader says of it first.
fn faults(blocks: &[Block], judged: &Judged, reports: &[Report]) -> Vec<Option<String>> {
    let behind = judged.whole.len() - judged.toml.len();
    let mut line = judged.whole[..behind].lines().count();
    let fault = |block: &Block| {
        let first = line + 1;
        line += block.text.lines().count();
        let within = |report: &&Report| {
            let place = report.position.map(|position| position.line);
            place.is_some_and(|place| (first..=line).contains(&place))
        };
        reports.iter().find(within).map(reason)
    };
    blocks.iter().map(fault).collect()
}

/// The loader's words, with the last part of the key that they are about.
fn reason(report: &Report) -> String {
    let key = report.key.rsplit('.').next().unwrap_or_default();
    match key {
        "" => report.message.clone(),
        // Only a name that the user chose stands in quotes.
        key if key.ends_with('"') => format!("its name: {}", report.message),
        key => format!("{key}: {}", report.message),
    }
}

fn refuse(blocks: &mut Vec<Block>, faults: Vec<Option<String>>, remarks: &mut Remarks) {
    let mut faults = faults.into_iter();
    blocks.retain_mut(|block| match faults.next().flatten() {
        None => true,
        Some(what) => {
            remarks.skipped.push(Remark {
                what,
                ..block.remark.clone()
            });
            false
        }
    });
}

/// The fault lies in what was there before, as when its profiles name no identity, which only one does not need.
fn refuse_last(blocks: &mut Vec<Block>, reports: &[Report], remarks: &mut Remarks) {
    let identity = blocks
        .iter()
        .rposition(|block| block.sort == Sort::Identity);
    let last = identity.unwrap_or(blocks.len() - 1);
    let block = blocks.remove(last);
    let why = reports.first().map(ToString::to_string).unwrap_or_default();
    let what = format!("with it the configuration would not be valid: {why}");
    remarks.skipped.push(Remark {
        what,
        ..block.remark
    });
}
