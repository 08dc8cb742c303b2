//! The command line behind `credential_process`, written so that everybody reads the same words: botocore splits it as
//! a shell would, the SDKs for Go, JavaScript, Rust, Java and C++ give it to `sh -c`.

use std::path::{Path, PathBuf};

/// A path that some reader would take apart or expand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} cannot be written so that every SDK reads it alike", .0.display())]
pub(crate) struct Unquotable(PathBuf);

/// No reader takes these for anything but themselves.
fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || "/._-+@%,:=".contains(character)
}

/// Whether the path has to stand in double quotes.
pub(super) fn needs_quotes(program: &Path) -> bool {
    !program
        .to_str()
        .is_some_and(|path| path.chars().all(is_plain))
}

/// The program's absolute path, in double quotes where it has to be, and what it is asked for. A profile's name is
/// plain by construction.
pub(super) fn command(program: &Path, profile: &str) -> Result<String, Unquotable> {
    let unquotable = || Unquotable(program.to_owned());
    let path = program.to_str().filter(|path| path.starts_with('/'));
    let path = path.ok_or_else(unquotable)?;
    // Within double quotes a shell still expands these; a comment in the file begins behind a space.
    let special = |c: char| c.is_control() || "\"\\$`!\u{fffd}".contains(c);
    let is_comment = path.contains(" #") || path.contains(" ;");
    if path.contains(special)
        || path.contains(|c: char| c.is_whitespace() && c != ' ')
        || is_comment
    {
        return Err(unquotable());
    }
    let quote = match needs_quotes(program) {
        true => "\"",
        false => "",
    };
    Ok(format!("{quote}{path}{quote} credential-process {profile}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn of(path: &str) -> Option<String> {
        command(Path::new(path), "dev").ok()
    }

    #[test]
    fn a_path_is_written_plainly_or_in_double_quotes_or_not_at_all() {
        for (path, written) in [
            ("/usr/bin/jumpgate", Some("/usr/bin/jumpgate")),
            (
                "/opt/a-b_c+1.0@x,y=z:%/jumpgate",
                Some("/opt/a-b_c+1.0@x,y=z:%/jumpgate"),
            ),
            ("/home/o k/jumpgate", Some("\"/home/o k/jumpgate\"")),
            ("/home/o'k/jumpgate", Some("\"/home/o'k/jumpgate\"")),
            (
                "/home/(x)&y;z#1~*?/jumpgate",
                Some("\"/home/(x)&y;z#1~*?/jumpgate\""),
            ),
            ("/home/ü/jumpgate", Some("\"/home/ü/jumpgate\"")),
            ("/home/a #b/jumpgate", None),
            ("/home/a ;b/jumpgate", None),
            ("/home/a\"b/jumpgate", None),
            ("/home/$x/jumpgate", None),
            ("/home/`x`/jumpgate", None),
            ("/home/a\\b/jumpgate", None),
            ("/home/a!b/jumpgate", None),
            ("/home/a\nb/jumpgate", None),
            ("/home/a\tb/jumpgate", None),
            ("/home/a\u{a0}b/jumpgate", None),
            ("jumpgate", None),
        ] {
            let expected = written.map(|written| format!("{written} credential-process dev"));
            assert_eq!(of(path), expected, "{path}");
        }
    }

    #[test]
    fn a_shell_reads_what_is_written() {
        for path in [
            "/usr/bin/jumpgate",
            "/home/o k/j",
            "/home/o'k/j",
            "/a(x)&y;z#1~*?/j",
            "/ü/j",
        ] {
            let written = of(path).unwrap();
            let script = format!("printf '%s\\n' {written}");
            let shell = std::process::Command::new("sh")
                .args(["-c", &script])
                .output();
            let words = String::from_utf8(shell.unwrap().stdout).unwrap();
            assert_eq!(words, format!("{path}\ncredential-process\ndev\n"));
        }
    }
}
