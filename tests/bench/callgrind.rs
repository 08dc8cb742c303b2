//! Callgrind's profiles: which function executed how many instructions.
//!
//! Source: "Callgrind Format Specification" of the Valgrind manual.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

/// Whose the lab's programs are, by their environment.
const USER: &str = "tester";

/// What a program executed, by function.
#[derive(Debug, Default)]
pub(crate) struct Profile(HashMap<String, u64>);

impl Profile {
    /// # Errors
    /// The file system's.
    pub(crate) fn read(file: &Path) -> std::io::Result<Self> {
        Ok(Self::of(&std::fs::read_to_string(file)?))
    }

    /// Each line is a name or a cost of the function named last. The line that follows `calls=` is what a call cost in all,
    /// which the function that was called has already.
    fn of(text: &str) -> Self {
        let (mut names, mut costs) = (HashMap::new(), HashMap::new());
        let (mut current, mut of_a_call) = (String::new(), false);
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("fn=") {
                current = named(&mut names, rest);
            } else if let Some(rest) = line.strip_prefix("cfn=") {
                named(&mut names, rest);
            } else if line.starts_with("calls=") {
                of_a_call = true;
            } else if is_a_cost(line) && !std::mem::take(&mut of_a_call) {
                let cost = line.split(' ').nth(1).and_then(|cost| cost.parse().ok());
                *costs.entry(current.clone()).or_default() += cost.unwrap_or(0);
            }
        }
        Self(costs)
    }

    /// All instructions.
    pub(crate) fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// So many functions, the dearest first.
    pub(crate) fn dearest(&self, count: usize) -> Vec<(&str, u64)> {
        let mut functions: Vec<(&str, u64)> = self
            .0
            .iter()
            .map(|(name, cost)| (name.as_str(), *cost))
            .collect();
        functions.sort_by_key(|(name, cost)| (std::cmp::Reverse(*cost), *name));
        functions.truncate(count);
        functions
    }

    /// The same added up by what a function is for; each goes to the first group that has a word of its name.
    pub(crate) fn groups<'a>(&self, groups: &[(&'a str, &[&str])]) -> Vec<(&'a str, u64)> {
        let mut sums: Vec<(&str, u64)> = groups.iter().map(|(name, _)| (*name, 0)).collect();
        for (function, cost) in &self.0 {
            let fits =
                |(_, words): &(&str, &[&str])| words.iter().any(|word| function.contains(word));
            if let Some(group) = groups.iter().position(fits) {
                sums[group].1 += cost;
            }
        }
        sums.sort_by_key(|(_, cost)| std::cmp::Reverse(*cost));
        sums
    }
}

fn is_a_cost(line: &str) -> bool {
    line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first))
}

/// `(7) name` gives the number a name, `(7)` is that name again.
fn named(names: &mut HashMap<String, String>, text: &str) -> String {
    let (number, name) = text.split_once(' ').unwrap_or((text, ""));
    if !name.is_empty() {
        // A function within itself is named `f'2`.
        let name = name.split('\'').next().unwrap_or(name);
        names.insert(number.to_owned(), name.to_owned());
    }
    names.get(number).cloned().unwrap_or_default()
}

/// A command that runs a program under callgrind, which leaves its profile in `file`.
pub(crate) fn arguments(file: &Path) -> [String; 2] {
    let file = file.display();
    [
        "--tool=callgrind".to_owned(),
        format!("--callgrind-out-file={file}"),
    ]
}

/// Has a program that runs under callgrind begin to count (`--instr=on`), forget (`--zero`) or write (`--dump`) what it
/// counted.
///
/// # Panics
/// It does not answer.
pub(crate) fn control(order: &str, pid: u32) {
    let mut command = Command::new("callgrind_control");
    command.args([order, &pid.to_string()]);
    // They meet at a pipe in a place that is named after these variables, and the lab's are not ours.
    for name in ["TMPDIR", "HOST", "LOGNAME"] {
        command.env_remove(name);
    }
    command.env("USER", USER);
    let output = command.output().expect("callgrind_control");
    assert!(
        output.status.success(),
        "callgrind_control {order}: {output:?}"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_function_calls_is_not_its_own() {
        let text = "version: 1\nevents: Ir\n\nfn=(1) main\n0 10\ncfn=(2) wipe'2\ncalls=3 0\n0 30\n0 5\n\nfn=(2)\n0 30\n+3 4\n\ntotals: 49\n";
        let profile = Profile::of(text);
        assert_eq!(profile.total(), 49);
        assert_eq!(profile.dearest(9), [("wipe", 34), ("main", 15)]);
        let groups: [(&str, &[&str]); 2] = [("ours", &["main"]), ("theirs", &[""])];
        assert_eq!(profile.groups(&groups), [("theirs", 34), ("ours", 15)]);
    }
}
