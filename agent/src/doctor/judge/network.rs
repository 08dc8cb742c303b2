//! STS: whether it can be reached, and whether our clock is right.

use crate::doctor::check::Check;
use crate::doctor::facts::Facts;
use crate::doctor::finding::Finding;

/// A signature is refused whose time is further off, in seconds ("Troubleshooting Signature Version 4 request signing"
/// of the IAM user guide).
const REFUSED: u64 = 300;

/// Further off than a network makes it, in seconds.
const DOUBTFUL: u64 = 60;

pub(super) fn sts(facts: &Facts) -> Vec<Finding> {
    let check = Check::Sts;
    let Some(endpoints) = &facts.endpoints else {
        return vec![Finding::failed(check, super::LATE, super::HANGS)];
    };
    let findings = endpoints.iter().map(|reached| match &reached.answer {
        Ok(_) => Finding::ok(check, &format!("{} answers", reached.url)),
        Err(why) => Finding::failed(
            check,
            &format!("{} cannot be reached: {why}", reached.url),
            "see to network, DNS and HTTPS_PROXY, and to region, sts_endpoint and ca_bundle of the identity",
        ),
    });
    let none = "no identity of a valid configuration has an endpoint";
    or_skipped(findings.collect(), check, none)
}

pub(super) fn clock(facts: &Facts) -> Vec<Finding> {
    let check = Check::Clock;
    let answered = facts.endpoints.iter().flatten();
    let told = answered.filter_map(|reached| Some((&reached.url, reached.answer.clone().ok()??)));
    let findings = told.map(|(url, ahead)| {
        let off = ahead.unsigned_abs();
        let direction = if ahead > 0 { "ahead of" } else { "behind" };
        let what = format!("the clock is {off} s {direction} {url}");
        let hint = "set the clock, and have it kept: timedatectl set-ntp true";
        match off {
            0..DOUBTFUL => Finding::ok(check, &what),
            DOUBTFUL..REFUSED => Finding::warning(check, &what, hint),
            _ => Finding::failed(
                check,
                &format!("{what}: AWS refuses what is signed by it"),
                hint,
            ),
        }
    });
    or_skipped(findings.collect(), check, "no endpoint told the time")
}

fn or_skipped(findings: Vec<Finding>, check: Check, why: &str) -> Vec<Finding> {
    match findings.is_empty() {
        true => vec![Finding::skipped(check, why)],
        false => findings,
    }
}
