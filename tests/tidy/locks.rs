//! The fuzz targets are a workspace of their own, with a `Cargo.lock` of their own that no build of the tests reads. What
//! they fuzz has to be what is shipped.

use std::collections::BTreeSet;

/// What only the targets are built of: themselves, and what makes the inputs.
const THEIRS: [&str; 4] = ["arbitrary", "jobserver", "jumpgate-fuzz", "libfuzzer-sys"];

/// Packages of the targets' lock file that are not in the workspace's in this version.
pub(crate) fn astray(targets: &str, workspace: &str) -> Vec<String> {
    let shipped = packages(workspace);
    let all = packages(targets).into_iter();
    let theirs = |(name, _): &(&str, &str)| THEIRS.contains(name);
    let astray = all.filter(|package| !theirs(package) && !shipped.contains(package));
    astray
        .map(|(name, version)| format!("{name} {version}"))
        .collect()
}

/// Names and versions.
fn packages(lock: &str) -> BTreeSet<(&str, &str)> {
    let blocks = lock.split("[[package]]\n").skip(1);
    blocks
        .filter_map(|block| Some((field(block, "name")?, field(block, "version")?)))
        .collect()
}

fn field<'l>(block: &'l str, name: &str) -> Option<&'l str> {
    let mut fields = block.lines().filter_map(|line| line.split_once(" = "));
    let value = fields.find_map(|(field, value)| (field == name).then_some(value))?;
    Some(value.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKSPACE: &str = "version = 4\n\n[[package]]\nname = \"bytes\"\nversion = \"1.11.0\"\n\n\
                             [[package]]\nname = \"http\"\nversion = \"1.4.0\"\n";

    #[test]
    fn another_version_is_found_and_the_targets_own_are_not() {
        let targets = "[[package]]\nname = \"arbitrary\"\nversion = \"1.5.0\"\n\n\
                       [[package]]\nname = \"bytes\"\nversion = \"1.10.0\"\n";
        assert_eq!(astray(targets, WORKSPACE), ["bytes 1.10.0"]);
        assert!(astray(WORKSPACE, WORKSPACE).is_empty());
    }
}
