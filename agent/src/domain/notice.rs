//! What the desktop shows a person about the agent: two short lines of plain text, with nothing secret in them.

use jumpgate_api::Interface;

use super::event::Event;
use super::name::ProfileName;
use super::peer::Peer;

/// Most characters of one name or reason.
const MAX_CHARACTERS: usize = 120;

/// Two short lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The first.
    pub title: String,
    /// The second.
    pub body: String,
}

impl Notice {
    /// A person is asked for something.
    #[must_use]
    pub fn asked(what: &str, about: &str) -> Self {
        Self {
            title: "Jumpgate asks".to_owned(),
            body: format!("{} for {}", plain(what), plain(about)),
        }
    }

    /// A session of a profile that says `notify` was handed out.
    #[must_use]
    pub fn handed_out(profile: &ProfileName, peer: &Peer, interface: Interface) -> Self {
        Self {
            title: format!("Session of {profile} handed out"),
            body: format!("to {} by {}", process(Some(peer)), interface.as_str()),
        }
    }

    /// Everything was dropped.
    #[must_use]
    pub fn locked(why: &str) -> Self {
        Self {
            title: "Jumpgate is locked".to_owned(),
            body: plain(why),
        }
    }

    /// The caller of a refusal, if it is one for what the caller is: not for what it asked by mistake, nor for a fault.
    #[must_use]
    pub fn refused(event: &Event) -> Option<Self> {
        let code = event.facts.code.as_deref();
        if !matches!(code, None | Some("access_denied" | "profile_not_found")) {
            return None;
        }
        let profile = event.facts.profile.as_deref().map_or_else(
            || "a connection".to_owned(),
            |name| format!("profile {}", plain(name)),
        );
        let why = event.failure.as_deref().unwrap_or_default();
        Some(Self {
            title: format!("Refused: {profile}"),
            body: format!("{}: {}", process(event.peer.as_ref()), plain(why)),
        })
    }
}

fn process(peer: Option<&Peer>) -> String {
    let Some(peer) = peer else {
        return "an unknown process".to_owned();
    };
    let executable = peer.executable.as_deref().unwrap_or("an unknown program");
    format!("{} (pid {})", plain(executable), peer.pid)
}

/// At most [`MAX_CHARACTERS`], none of which steers anything or turns the direction of text.
fn plain(text: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(c, '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
    };
    let fit = |c: char| if steers(c) { '?' } else { c };
    let mut shown: String = text.chars().take(MAX_CHARACTERS).map(fit).collect();
    if text.chars().nth(MAX_CHARACTERS).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use jumpgate_api::Timestamp;

    use super::*;
    use crate::domain::event::Activity;
    use crate::domain::samples::{peer, profile_name};

    #[test]
    fn what_is_said_of_whom() {
        let handed = Notice::handed_out(&profile_name("dev"), &peer(), Interface::Imds);
        assert_eq!(handed.title, "Session of dev handed out");
        let of_peer = format!(
            "{} (pid {})",
            peer().executable.unwrap_or_default(),
            peer().pid
        );
        assert_eq!(handed.body, format!("to {of_peer} by imds"));
        assert_eq!(Notice::locked("idle").body, "idle");
        let asked = Notice::asked("a code", "identity jump").body;
        assert_eq!(asked, "a code for identity jump");
    }

    #[test]
    fn only_callers_that_were_refused_for_what_they_are() {
        for (code, shown) in [
            (None, true),
            (Some("access_denied"), true),
            (Some("profile_not_found"), true),
            (Some("locked"), false),
            (Some("invalid_request"), false),
            (Some("interaction_required"), false),
            (Some("upstream_denied"), false),
        ] {
            let mut event = Event::new(Activity::Deny, Timestamp::default());
            event.facts.code = code.map(str::to_owned);
            assert_eq!(Notice::refused(&event).is_some(), shown, "{code:?}");
        }
    }

    #[test]
    fn a_text_is_short_and_steers_nothing() {
        assert_eq!(plain("a\u{1b}[2J\u{202e}b\nc"), "a?[2J?b?c");
        let edge = "é".repeat(MAX_CHARACTERS);
        assert_eq!(plain(&edge), edge);
        assert_eq!(plain(&format!("{edge}x")), format!("{edge}…"));
    }
}
