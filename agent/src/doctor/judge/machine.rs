//! The kernel's settings. The agent protects itself whatever they are; what it hands out, others hold too.

use crate::doctor::check::Check;
use crate::doctor::facts::Facts;
use crate::doctor::finding::Finding;

pub(super) fn memory(facts: &Facts) -> Vec<Finding> {
    let check = Check::Memory;
    let said = facts
        .said("/memory_locked")
        .and_then(|value| value.as_bool());
    let locked = said.unwrap_or(facts.machine.may_lock_memory);
    vec![match (locked, facts.machine.swaps) {
        (true, _) => Finding::ok(check, "the agent's memory is locked"),
        (false, false) => Finding::ok(check, "memory is not locked, and there is no swap"),
        (false, true) => Finding::warning(
            check,
            "there is swap, and the agent may not lock its memory: a secret may come to the disk",
            "allow it (LimitMEMLOCK=infinity in the unit, or memlock in limits.conf), or encrypt the swap",
        ),
    }]
}

pub(super) fn ptrace(facts: &Facts) -> Vec<Finding> {
    let check = Check::Ptrace;
    vec![match facts.machine.ptrace_scope.as_deref() {
        None => Finding::ok(
            check,
            "the kernel has no Yama, so programs of yours can read each other's memory; the agent refuses",
        ),
        Some("0") => Finding::warning(
            check,
            "ptrace_scope is 0: any program of yours can read the memory of others, such as those that hold a session",
            "set kernel.yama.ptrace_scope = 1 in /etc/sysctl.d; the agent itself refuses debuggers anyway",
        ),
        Some(scope) => Finding::ok(check, &format!("ptrace_scope is {scope}")),
    }]
}

/// The agent is not dumpable, which the kernel heeds for pipes too (core(5)).
pub(super) fn core_dumps(facts: &Facts) -> Vec<Finding> {
    let check = Check::CoreDumps;
    let pattern = facts.machine.core_pattern.as_deref().unwrap_or_default();
    let what = match pattern.strip_prefix('|') {
        Some(reporter) => {
            let program = reporter.split_whitespace().next().unwrap_or_default();
            format!(
                "the agent makes none; those of other programs, which may hold a session, go to {program}"
            )
        }
        None => "the agent makes none".to_owned(),
    };
    vec![Finding::ok(check, &what)]
}
