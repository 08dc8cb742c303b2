//! By which of the programs on PATH a person can be asked.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::domain::settings::PromptBy;

/// What the agent knows of the desktop around it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Screen {
    /// Whether `DISPLAY` or `WAYLAND_DISPLAY` is set.
    pub display: bool,
    /// The directories of `PATH`.
    pub path: Vec<PathBuf>,
}

/// A program that asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) program: PathBuf,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Asks on the display, or on this terminal.
    Pinentry {
        terminal: Option<String>,
    },
    Zenity,
    Kdialog,
}

/// Those that are tried where none is chosen, in this order. `pinentry` comes first, since that is the one that the
/// machine's owner chose.
const KNOWN: [&str; 6] = [
    "pinentry",
    "pinentry-gnome3",
    "pinentry-qt",
    "pinentry-gtk-2",
    "zenity",
    "kdialog",
];

/// The programs to ask by, the first first. A terminal is the caller's.
pub(super) fn programs(screen: &Screen, by: PromptBy, terminal: Option<&str>) -> Vec<Found> {
    match by {
        PromptBy::Nothing => Vec::new(),
        PromptBy::Auto if !screen.display => Vec::new(),
        PromptBy::Auto => {
            let known = KNOWN.iter().filter_map(|name| on_path(screen, name));
            let known = known.filter(|program| !is_textual(program));
            known.map(|program| shown_by(program, None)).collect()
        }
        PromptBy::Program(name) => {
            let program = on_path(screen, name);
            let program = program.and_then(|program| chosen(screen, program, terminal));
            program.into_iter().collect()
        }
    }
}

fn chosen(screen: &Screen, program: PathBuf, terminal: Option<&str>) -> Option<Found> {
    match (is_textual(&program), terminal) {
        (true, Some(terminal)) => Some(shown_by(program, Some(terminal.to_owned()))),
        (true, None) => None,
        (false, _) => screen.display.then(|| shown_by(program, None)),
    }
}

fn shown_by(program: PathBuf, terminal: Option<String>) -> Found {
    let kind = match name_of(&program) {
        "zenity" => Kind::Zenity,
        "kdialog" => Kind::Kdialog,
        _ => Kind::Pinentry { terminal },
    };
    Found { program, kind }
}

/// Whether it asks on a terminal; `pinentry` is a link to the one that was chosen.
fn is_textual(program: &Path) -> bool {
    let real = program.canonicalize();
    let real = real.as_deref().unwrap_or(program);
    matches!(name_of(real), "pinentry-curses" | "pinentry-tty")
}

fn name_of(program: &Path) -> &str {
    let name = program.file_name().and_then(|name| name.to_str());
    name.unwrap_or_default()
}

fn on_path(screen: &Screen, name: &str) -> Option<PathBuf> {
    let mut found = screen.path.iter().map(|directory| directory.join(name));
    found.find(|program| {
        let file = program.metadata();
        file.is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    struct Bin(tempfile::TempDir);

    impl Bin {
        fn with(names: &[&str]) -> Self {
            let directory = tempfile::tempdir().unwrap();
            for name in names {
                let file = directory.path().join(name);
                std::fs::write(&file, "").unwrap();
                let mode = std::fs::Permissions::from_mode(0o755);
                std::fs::set_permissions(&file, mode).unwrap();
            }
            Self(directory)
        }

        fn screen(&self, display: bool) -> Screen {
            let path = vec![self.0.path().to_owned()];
            Screen { display, path }
        }

        fn names(&self, display: bool, by: PromptBy, terminal: Option<&str>) -> Vec<String> {
            programs(&self.screen(display), by, terminal)
                .iter()
                .map(|found| match &found.kind {
                    Kind::Pinentry {
                        terminal: Some(terminal),
                    } => format!("{} on {terminal}", name_of(&found.program)),
                    _ => name_of(&found.program).to_owned(),
                })
                .collect()
        }
    }

    #[test]
    fn which_program_asks() {
        use PromptBy::{Auto, Nothing, Program};
        let all = Bin::with(&["zenity", "pinentry-qt", "pinentry-curses", "kdialog"]);
        let tty = Some("/dev/pts/3");
        for (display, by, terminal, expected) in [
            (true, Auto, None, vec!["pinentry-qt", "zenity", "kdialog"]),
            (false, Auto, tty, vec![]),
            (true, Nothing, tty, vec![]),
            (true, Program("zenity"), tty, vec!["zenity"]),
            (false, Program("zenity"), tty, vec![]),
            (true, Program("pinentry-gnome3"), tty, vec![]),
            (
                false,
                Program("pinentry-curses"),
                tty,
                vec!["pinentry-curses on /dev/pts/3"],
            ),
            (true, Program("pinentry-curses"), None, vec![]),
        ] {
            assert_eq!(
                all.names(display, by, terminal),
                expected,
                "{display} {by:?} {terminal:?}"
            );
        }
    }

    #[test]
    fn a_pinentry_that_is_a_link_is_what_it_points_at() {
        let bin = Bin::with(&["pinentry-curses", "pinentry-gnome3"]);
        let link = bin.0.path().join("pinentry");
        std::os::unix::fs::symlink("pinentry-curses", &link).unwrap();
        let auto = |bin: &Bin| bin.names(true, PromptBy::Auto, Some("/dev/pts/3"));
        assert_eq!(auto(&bin), ["pinentry-gnome3"]);
        std::fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink("pinentry-gnome3", &link).unwrap();
        assert_eq!(auto(&bin), ["pinentry", "pinentry-gnome3"]);
    }

    #[test]
    fn only_what_can_be_run_is_found() {
        let bin = Bin::with(&["zenity"]);
        let mode = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(bin.0.path().join("zenity"), mode).unwrap();
        assert!(bin.names(true, PromptBy::Auto, None).is_empty());
        std::fs::create_dir(bin.0.path().join("kdialog")).unwrap();
        assert!(bin.names(true, PromptBy::Auto, None).is_empty());
    }
}
