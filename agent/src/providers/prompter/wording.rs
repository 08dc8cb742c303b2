//! What a person reads. Dialogs take text for markup, for escapes and for access keys, each in its own way; so of what
//! a caller could have chosen only characters pass that none of them takes for anything.

use jumpgate_iam::MfaSerial;

use crate::domain::name::IdentityName;
use crate::ports::{Errand, Wish};

/// The longest path or text of a caller that is shown, in characters; of a longer one the end is, which names the
/// program.
const MAX_SHOWN: usize = 100;

/// Most parts of a scope that are shown.
const MAX_SCOPE: usize = 6;

/// The text of a dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) title: &'static str,
    pub(super) remark: Option<&'static str>,
    pub(super) lines: Vec<String>,
    /// What is to be typed; nothing where it is yes or no.
    pub(super) prompt: Option<&'static str>,
}

impl Text {
    /// All of it.
    pub(super) fn body(&self) -> String {
        let remark = self.remark.map(|remark| format!("{remark}\n\n"));
        remark.unwrap_or_default() + &self.lines.join("\n")
    }
}

/// Asks for a code.
pub(super) fn code(serial: &MfaSerial, errand: &Errand, remark: Option<&'static str>) -> Text {
    let mut lines = vec![format!("MFA code of {}", plain(serial.as_ref()))];
    lines.extend(why(errand));
    Text {
        title: "Jumpgate: MFA code",
        remark,
        lines,
        prompt: Some("MFA code:"),
    }
}

/// Asks for a passphrase.
pub(super) fn passphrase(
    name: &IdentityName,
    errand: &Errand,
    remark: Option<&'static str>,
) -> Text {
    let mut lines = vec![format!(
        "Passphrase of the identity {}",
        plain(name.as_str())
    )];
    lines.extend(why(errand));
    Text {
        title: "Jumpgate: passphrase",
        remark,
        lines,
        prompt: Some("Passphrase:"),
    }
}

/// Asks for a yes.
pub(super) fn consent(wish: &Wish, errand: &Errand) -> Text {
    let profile = errand.profile.as_ref().map(|name| plain(name.as_str()));
    let mut lines = vec![
        format!("May this process use {}?", profile.unwrap_or_default()),
        String::new(),
        format!("Process: {}", caller(errand)),
        format!("Account: {}", plain(&wish.account)),
        format!("Role: {}", plain(&wish.role)),
        format!("For: {}", duration(wish.seconds)),
    ];
    let scope: Vec<String> = wish.scope.iter().map(|part| plain(part)).collect();
    let (shown, rest) = scope.split_at(scope.len().min(MAX_SCOPE));
    lines.push(match (shown, rest.len()) {
        ([], _) => "Scope: all that the role may".to_owned(),
        (shown, 0) => format!("Scope: {}", shown.join(", ")),
        (shown, more) => format!("Scope: {} and {more} more", shown.join(", ")),
    });
    for (name, text) in [("Ticket", &wish.ticket), ("Reason", &wish.reason)] {
        lines.extend(text.iter().map(|text| format!("{name}: {}", plain(text))));
    }
    lines.push(String::new());
    lines.push("A yes holds for its session of processes: 10 min idle, 12 h at most.".to_owned());
    Text {
        title: "Jumpgate: consent",
        remark: None,
        lines,
        prompt: None,
    }
}

fn why(errand: &Errand) -> Vec<String> {
    let profile = errand.profile.as_ref();
    let profile = profile.map(|name| format!("for the profile {}", plain(name.as_str())));
    let others = match errand.others {
        0 => None,
        1 => Some("and for 1 other that waits".to_owned()),
        more => Some(format!("and for {more} others that wait")),
    };
    let by = format!("asked for by {}", caller(errand));
    profile.into_iter().chain([by]).chain(others).collect()
}

fn caller(errand: &Errand) -> String {
    let unknown = || "an unknown program".to_owned();
    let executable = errand.executable.as_deref().map_or_else(unknown, plain);
    let terminal = errand.kin.terminal.as_ref();
    let terminal = terminal.map_or_else(String::new, |name| format!(", {}", plain(name)));
    let parent = errand.kin.parent.as_ref();
    let parent = parent.map_or_else(String::new, |(pid, path)| {
        format!("\nstarted by {} (process {pid})", plain(path))
    });
    format!("{executable} (process {}{terminal}){parent}", errand.pid)
}

fn duration(seconds: u32) -> String {
    match (seconds / 3600, seconds % 3600 / 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, _) => format!("{minutes} min"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// Letters and digits of any script, spaces, and signs that are only signs; everything else is a question mark.
fn plain(text: &str) -> String {
    let legal = |c: char| c.is_alphanumeric() || " /.-_+=@:,#()[]*".contains(c);
    let shown = |c: char| if legal(c) { c } else { '?' };
    let length = text.chars().count();
    let cut = length.saturating_sub(MAX_SHOWN);
    let kept: String = text.chars().skip(cut).map(shown).collect();
    if cut > 0 { format!("...{kept}") } else { kept }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::name::ProfileName;
    use crate::ports::Kin;

    fn errand(executable: &str) -> Errand {
        Errand {
            profile: ProfileName::parse("dev").ok(),
            pid: 4711,
            executable: Some(executable.to_owned()),
            kin: Kin {
                tree: None,
                terminal: Some("/dev/pts/3".to_owned()),
                parent: Some((4710, "/usr/bin/aws".to_owned())),
            },
            others: 0,
        }
    }

    #[test]
    fn a_code_is_asked_for_with_who_wants_it_and_what_for() {
        let serial = MfaSerial::parse("arn:aws:iam::111111111111:mfa/alice").unwrap();
        let mut errand = errand("/usr/bin/jumpgate");
        let text = code(&serial, &errand, Some("Once more."));
        assert_eq!(
            text.body(),
            "Once more.\n\nMFA code of arn:aws:iam::111111111111:mfa/alice\n\
             for the profile dev\n\
             asked for by /usr/bin/jumpgate (process 4711, /dev/pts/3)\nstarted by /usr/bin/aws (process 4710)"
        );
        errand.others = 49;
        let text = code(&serial, &errand, None);
        assert!(text.body().ends_with("\nand for 49 others that wait"));
    }

    #[test]
    fn a_yes_is_asked_for_with_account_role_duration_and_scope() {
        let wish = Wish {
            account: "222222222222 (prod)".to_owned(),
            role: "team/Admin".to_owned(),
            seconds: 5400,
            scope: (1..=8).map(|n| format!("tag T{n}")).collect(),
            reason: Some("it <b>burns</b>".to_owned()),
            ticket: Some("T-1".to_owned()),
        };
        let body = consent(&wish, &errand("/usr/bin/terraform")).body();
        for line in [
            "May this process use dev?",
            "Account: 222222222222 (prod)",
            "Role: team/Admin",
            "For: 1 h 30 min",
            "Scope: tag T1, tag T2, tag T3, tag T4, tag T5, tag T6 and 2 more",
            "Ticket: T-1",
            "Reason: it ?b?burns?/b?",
        ] {
            assert!(body.lines().any(|found| found == line), "{line}: {body}");
        }
        let plain = Wish {
            scope: Vec::new(),
            ..wish
        };
        let body = consent(&plain, &errand("/usr/bin/terraform")).body();
        assert!(body.contains("\nScope: all that the role may\n"), "{body}");
    }

    #[test]
    fn what_a_caller_chose_is_plain() {
        for (text, shown) in [
            ("/usr/bin/aws_cli-2+x", "/usr/bin/aws_cli-2+x"),
            ("/tmp/<b>&amp;\\n%0A_\"'`$", "/tmp/?b??amp??n?0A_????"),
            (
                "a\nMay this process use dev?\u{1b}[2J\u{202e}",
                "a?May this process use dev??[2J?",
            ),
            ("/opt/größe/工具", "/opt/größe/工具"),
        ] {
            let shown = shown.replace(';', "?");
            assert_eq!(plain(text), shown, "{text}");
        }
        let long = plain(&format!("/{}/aws", "x".repeat(5000)));
        assert_eq!(long.chars().count(), MAX_SHOWN + 3);
        assert!(long.starts_with("...x") && long.ends_with("/aws"));
        let body = consent(
            &Wish {
                account: "x".repeat(1000),
                role: "x".repeat(1000),
                seconds: 900,
                scope: vec!["x".repeat(1000); 9],
                reason: Some("x".repeat(1000)),
                ticket: Some("x".repeat(1000)),
            },
            &errand(&"x".repeat(5000)),
        );
        assert!(body.body().len() < 2000);
    }
}
