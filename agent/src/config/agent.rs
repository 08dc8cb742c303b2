//! `[agent]`: when to lock, how long to wait, how long to keep.

use super::faults::Faults;
use super::raw::RawAgent;
use super::terms::{Bounds, DAY, HOUR, MINUTE, choice, choices, duration, duration_or_never};
use crate::domain::settings::{AgentSettings, PromptBy};

const IDLE_LOCK: Bounds = Bounds {
    seconds: (MINUTE, 24 * HOUR),
    words: "1m to 24h, or \"never\"",
};
const MAX_UNLOCK: Bounds = Bounds {
    seconds: (5 * MINUTE, 36 * HOUR),
    words: "5m to 36h, or \"never\"",
};
const PROMPT_WAIT: Bounds = Bounds {
    seconds: (1, 10 * MINUTE),
    words: "1s to 10m",
};
const JOURNAL_KEEP: Bounds = Bounds {
    seconds: (DAY, 3_650 * DAY),
    words: "1d to 3650d",
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LockOn {
    Suspend,
    ScreenLock,
}

const LOCK_ON: &[(&str, LockOn)] = &[
    ("suspend", LockOn::Suspend),
    ("screen-lock", LockOn::ScreenLock),
];

const PROMPTERS: &[(&str, PromptBy)] = &[
    ("auto", PromptBy::Auto),
    ("pinentry", PromptBy::Program("pinentry")),
    ("pinentry-gnome3", PromptBy::Program("pinentry-gnome3")),
    ("pinentry-qt", PromptBy::Program("pinentry-qt")),
    ("pinentry-curses", PromptBy::Program("pinentry-curses")),
    ("zenity", PromptBy::Program("zenity")),
    ("kdialog", PromptBy::Program("kdialog")),
    ("none", PromptBy::Nothing),
];

/// Understands the section; without it everything is as it is by default.
pub(super) fn understand(faults: &Faults, raw: Option<&RawAgent<'_>>) -> AgentSettings {
    let default = AgentSettings::default();
    let Some(raw) = raw else {
        return default;
    };
    let lock_on = raw.lock_on.here();
    let lock_on = lock_on.map(|list| choices(faults, &list.value, LOCK_ON));
    let prompter = raw.prompter.here();
    let prompter = prompter.and_then(|written| choice(faults, written, PROMPTERS));
    let locks = |on, default| lock_on.as_ref().map_or(default, |list| list.contains(&on));
    AgentSettings {
        idle_lock: duration_or_never(faults, &raw.idle_lock, IDLE_LOCK, default.idle_lock),
        max_unlock: duration_or_never(faults, &raw.max_unlock, MAX_UNLOCK, default.max_unlock),
        lock_on_suspend: locks(LockOn::Suspend, default.lock_on_suspend),
        lock_on_screen_lock: locks(LockOn::ScreenLock, default.lock_on_screen_lock),
        prompt_wait: duration(faults, &raw.prompt_wait, PROMPT_WAIT, default.prompt_wait),
        prompter: prompter.unwrap_or(default.prompter),
        journal_keep: duration(
            faults,
            &raw.journal_keep,
            JOURNAL_KEEP,
            default.journal_keep,
        ),
    }
}
