//! The agent's memory, searched from outside by root: what was locked away is nowhere in it.

use std::path::PathBuf;

use jumpgate_tests::lab::DEV;
use jumpgate_tests::skip::skip;
use jumpgate_tests::{Lab, Programs, memory};

use crate::built::programs;
use crate::endpoints::{authorized, imds_document, imds_token, open};
use crate::surroundings::as_root;

#[test]
fn after_a_lock_no_secret_is_in_memory() {
    forgets(&programs());
}

/// Another optimizer leaves other things on the stack.
#[test]
fn after_a_lock_no_secret_is_in_the_memory_of_what_is_shipped() {
    let what = "a search of the shipped agent's memory";
    let Some(dist) = std::env::var_os("JUMPGATE_DIST").map(PathBuf::from) else {
        return skip(what, "there is no release build");
    };
    forgets(&Programs {
        client: dist.join("jumpgate"),
        agent: dist.join("jumpgate-agent"),
    });
}

fn forgets(programs: &Programs) {
    if !as_root("a search of the agent's memory") {
        return;
    }
    let lab = Lab::new(programs, DEV);
    lab.start_agent();
    lab.add_identity();
    lab.run(&["credential-process", "dev"]).good();
    lab.run(&["export", "dev"]).good();
    let (container, imds) = (open(&lab, "dev", "container"), open(&lab, "dev", "imds"));
    assert_eq!(authorized(&container).0, 200);
    assert_eq!(imds_document(&imds, &imds_token(&imds)).0, 200);
    let secrets = lab.secrets();
    let before = memory::found(lab.agent_pid(), &secrets);
    let names = |found: &[(String, String)]| -> Vec<String> {
        let name = |(secret, place): &(String, String)| {
            let start: String = secret.chars().take(24).collect();
            format!("{start}… in {place}")
        };
        found.iter().map(name).collect()
    };
    // The long-term key, the session that carries the second factor, the role's: secret and token of each.
    assert!(
        before.len() >= 5,
        "nothing to look for: {:?}",
        names(&before)
    );
    lab.run(&["lock"]).good();
    let after = memory::found(lab.agent_pid(), &secrets);
    assert!(
        after.is_empty(),
        "before {:#?} after {:#?}",
        names(&before),
        names(&after)
    );
}
