//! `cargo soak --minutes 60 --seed 7`: the soak for as long as one likes, on what is shipped.
#![allow(clippy::unwrap_used)]

#[path = "../double/client.rs"]
#[allow(dead_code)]
mod double_client;
#[path = "mod.rs"]
mod soak;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use jumpgate_tests::Programs;
use soak::Plan;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some(plan) = plan(&words) else {
        return said("usage: soak [--minutes N] [--seed N]", ExitCode::from(64));
    };
    match soak::run(&programs(), plan) {
        Ok(report) => said(&format!("{report}\nnothing was found"), ExitCode::SUCCESS),
        Err(what) => said(&what, ExitCode::FAILURE),
    }
}

fn plan(words: &[String]) -> Option<Plan> {
    let mut plan = Plan {
        seed: 1,
        length: Duration::from_secs(120),
    };
    for pair in words.chunks(2) {
        let [name, number] = pair else { return None };
        let number: u64 = number.parse().ok()?;
        match name.as_str() {
            "--minutes" => plan.length = Duration::from_secs(number * 60),
            "--seed" => plan.seed = number,
            _ => return None,
        }
    }
    Some(plan)
}

/// What is shipped, as `packaging/build` made it; of another directory if `JUMPGATE_DIST` names one.
fn programs() -> Programs {
    let built = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/dist");
    let dist = std::env::var_os("JUMPGATE_DIST").map_or_else(built, PathBuf::from);
    Programs {
        client: dist.join("jumpgate"),
        agent: dist.join("jumpgate-agent"),
    }
}

fn said(text: &str, code: ExitCode) -> ExitCode {
    let _nobody_reads = writeln!(std::io::stdout(), "{text}");
    code
}
