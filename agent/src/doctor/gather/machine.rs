//! What the kernel is set to.

use rustix::process::Resource;

use crate::doctor::facts::Machine;

pub(super) fn look() -> Machine {
    let setting = |path: &str| {
        let text = std::fs::read_to_string(path).ok()?;
        Some(text.trim().to_owned())
    };
    let unlimited = rustix::process::getrlimit(Resource::Memlock)
        .current
        .is_none();
    Machine {
        ptrace_scope: setting("/proc/sys/kernel/yama/ptrace_scope"),
        core_pattern: setting("/proc/sys/kernel/core_pattern"),
        // Its first line is the head of the table.
        swaps: setting("/proc/swaps").is_some_and(|table| table.lines().count() > 1),
        may_lock_memory: unlimited || rustix::process::geteuid().is_root(),
    }
}
