//! What the process does to itself before it holds a secret.
//!
//! None of this is a wall against the same user, who may read the keyring once it is unlocked; it keeps secrets out of
//! core files, swap and the reach of a debugger that somebody else's program attaches (docs/threat-model.md).

use std::alloc::System;

use rustix::process::{Resource, Rlimit};
use zeroizing_alloc::ZeroAlloc;

/// Memory is wiped when it is given back. Our own secrets wipe themselves; the copies that libraries make on the way, in
/// buffers and parsers, do not.
#[global_allocator]
static MEMORY: ZeroAlloc<System> = ZeroAlloc(System);

/// Descriptors that the agent wants: 512 connections to the control socket, 512 to endpoints, up to 1,000 listeners of
/// endpoints and as many processes that are watched, and some.
const DESCRIPTORS: u64 = 4_096;

/// What took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hardening {
    /// Memory is locked against swapping.
    pub memory_locked: bool,
}

/// Hardens the process: not dumpable (so no ptrace and no /proc/PID/mem either), no core file, files for the user
/// alone, memory locked where allowed.
///
/// # Errors
/// The process could not be made undumpable: then it must not hold a secret.
pub fn harden() -> std::io::Result<Hardening> {
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    rustix::process::setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    )?;
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    raise_descriptors();
    Ok(Hardening {
        memory_locked: lock_memory(),
    })
}

fn raise_descriptors() {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let wanted = limit
        .maximum
        .map_or(DESCRIPTORS, |maximum| maximum.min(DESCRIPTORS));
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit {
            current: Some(wanted),
            maximum: limit.maximum,
        };
        let _as_it_was = rustix::process::setrlimit(Resource::Nofile, raised);
    }
}

/// Locks pages as they are touched. Only without a limit on locked memory: under a small one, later
/// allocations would fail instead.
#[cfg(target_os = "linux")]
fn lock_memory() -> bool {
    use rustix::mm::MlockAllFlags;
    let unlimited = rustix::process::getrlimit(Resource::Memlock)
        .current
        .is_none();
    let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    (unlimited || rustix::process::geteuid().is_root()) && rustix::mm::mlockall(flags).is_ok()
}

#[cfg(not(target_os = "linux"))]
const fn lock_memory() -> bool {
    false
}
