//! Whether a person can be asked, and what tells the agent that they left.

use super::keyring::identities;
use super::unless_faulty;
use crate::doctor::check::Check;
use crate::doctor::facts::{Facts, Files};
use crate::doctor::finding::Finding;
use crate::domain::identity::{CodeSource, Identity, Store};
use crate::domain::settings::PromptBy;

/// Whether the agent would have to ask for code or passphrase.
fn asks(identity: &Identity) -> bool {
    let mfa = identity.mfa.as_ref();
    let code = mfa.is_some_and(|mfa| mfa.source == CodeSource::Prompt);
    code || identity.store == Store::File && identity.passphrase_command.is_none()
}

fn agent_asks(facts: &Facts) -> bool {
    let config = facts.configured.valid();
    let confirms = config.is_some_and(|config| {
        let mut profiles = config.settings.profiles.values();
        profiles.any(|profile| profile.require.confirm)
    });
    confirms || identities(facts).any(asks)
}

pub(super) fn display(facts: &Facts) -> Vec<Finding> {
    let check = Check::Display;
    let wanted =
        agent_asks(facts) || identities(facts).any(|identity| identity.store == Store::Keyring);
    let missing = (wanted && !facts.here.has_display).then(|| {
        Finding::warning(
            check,
            "neither DISPLAY nor WAYLAND_DISPLAY is set here: an agent that is started from here can show no prompt",
            "start it from the desktop's session, or answer on a terminal: jumpgate unlock",
        )
    });
    let in_order = match wanted {
        true => "there is one",
        false => "nothing would be asked on one",
    };
    unless_faulty(missing.into_iter().collect(), check, in_order)
}

pub(super) fn prompter(facts: &Facts, files: &Files) -> Vec<Finding> {
    let check = Check::Prompter;
    let Some(config) = facts.configured.valid().filter(|_| agent_asks(facts)) else {
        return vec![Finding::skipped(check, "the agent has nothing to ask")];
    };
    let hint = "install pinentry-gnome3, pinentry-qt, zenity or kdialog; or answer on a terminal: jumpgate unlock";
    vec![
        match (files.prompters.first(), config.settings.agent.prompter) {
            (Some(program), _) => Finding::ok(check, &program.display().to_string()),
            (None, PromptBy::Nothing) => {
                Finding::ok(check, "nobody is asked but on a terminal: jumpgate unlock")
            }
            (None, PromptBy::Auto) if !facts.here.has_display => {
                Finding::skipped(check, "see display")
            }
            (None, PromptBy::Auto) => {
                Finding::warning(check, "no program that could ask is on PATH", hint)
            }
            (None, PromptBy::Program(name)) => {
                let what = format!("{name} cannot ask: it is not on PATH, or there is no display");
                Finding::warning(check, &what, hint)
            }
        },
    ]
}

/// A machine without a desktop has no screen to lock; idle time and age lock there.
pub(super) fn lock_signs(facts: &Facts, files: &Files) -> Vec<Finding> {
    let check = Check::LockSigns;
    let agent = facts.configured.valid().map(|config| config.settings.agent);
    let Some(agent) = agent.filter(|agent| agent.lock_on_suspend || agent.lock_on_screen_lock)
    else {
        return vec![Finding::skipped(
            check,
            "no valid configuration has a lock_on",
        )];
    };
    if !facts.here.has_display {
        return vec![Finding::ok(
            check,
            "there is no desktop; idle time and age lock",
        )];
    }
    let mut faults = Vec::new();
    if let Some(bus) = files.system_bus.as_ref().filter(|bus| !bus.is_there()) {
        let what = format!(
            "there is no system bus at {}: nothing tells when the machine sleeps",
            bus.shown()
        );
        let hint =
            "start dbus and systemd-logind, or set lock_on without it; idle_lock locks anyway";
        faults.push(Finding::warning(check, &what, hint));
    }
    if agent.lock_on_screen_lock && !facts.here.has_session_bus {
        let what = "there is no session bus: a screen saver cannot tell that it locks the screen";
        let hint = "start the agent from the desktop's session; idle_lock locks anyway";
        faults.push(Finding::warning(check, what, hint));
    }
    unless_faulty(faults, check, "the buses that tell are there")
}
