//! The tokens of standing container endpoints, and the keys of the tokens of IMDS ones: files that outlive the agent, so
//! that a client does too.
//!
//! What is read back is believed only if nobody else could have written or read it: our own plain file, mode 0600, in a
//! directory of ours, of the form that our tokens have. Anything else is replaced by a new token.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jumpgate_api::Secret;
use rustix::fs::OFlags;
use zeroize::Zeroizing;

use super::socket::{SocketError, private_directory};
use super::token_files::replace;
use crate::domain::serve::{Serve, ServeName};

/// A token is 32 random bytes as base64url without padding.
const TOKEN_BYTES: usize = 43;

/// What the name of a file begins with until the file is whole.
const HALF_WRITTEN: &str = ".";

/// Where the files are.
#[derive(Debug)]
pub(super) struct StandingTokens {
    directory: PathBuf,
    uid: u32,
}

impl StandingTokens {
    pub(super) const fn new(directory: PathBuf, uid: u32) -> Self {
        Self { directory, uid }
    }

    pub(super) fn path(&self, serve: &Serve) -> PathBuf {
        self.directory.join(serve.token_file())
    }

    /// The token that an earlier agent left, if it is beyond doubt.
    pub(super) fn read(&self, serve: &Serve) -> Option<Secret<String>> {
        private_directory(&self.directory, self.uid).ok()?;
        let path = self.path(serve);
        let read = self.private_text(&path);
        if let Err(error) = &read
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %path.display(), %error, "the token is replaced");
        }
        read.ok()
    }

    fn private_text(&self, path: &Path) -> io::Result<Secret<String>> {
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(flags.cast_signed())
            .open(path)?;
        let found = file.metadata()?;
        let private = found.is_file()
            && found.uid() == self.uid
            && found.mode() & 0o7777 == 0o600
            && found.nlink() == 1;
        if !private {
            return Err(io::Error::other("others may have read or written it"));
        }
        token_in(file).ok_or_else(|| io::Error::other("it is no token"))
    }

    /// Writes a token, in place of an earlier one, without a newline at its end: SDKs send the file as it is.
    pub(super) fn write(&self, serve: &Serve, token: &Secret<String>) -> Result<(), SocketError> {
        private_directory(&self.directory, self.uid)?;
        let path = self.path(serve);
        let name = format!("{HALF_WRITTEN}{}", serve.token_file());
        replace(path, &self.directory.join(name), token)
    }

    /// Whether the file is there with this token.
    pub(super) fn holds(&self, serve: &Serve, token: &Secret<String>) -> bool {
        self.private_text(&self.path(serve))
            .is_ok_and(|found| found.expose() == token.expose())
    }

    pub(super) fn remove(&self, serve: &Serve) {
        let _gone_already = fs::remove_file(self.path(serve));
    }

    /// Removes the tokens of endpoints that the configuration has no more, and the directory with the last of them.
    pub(super) fn keep_only<'a>(&self, wanted: impl Iterator<Item = &'a Serve>) {
        let wanted: Vec<String> = wanted.map(Serve::token_file).collect();
        let entries = fs::read_dir(&self.directory)
            .into_iter()
            .flatten()
            .flatten();
        for entry in entries {
            let name = entry.file_name();
            if is_ours(&name) && !wanted.iter().any(|file| name == file.as_str()) {
                let _gone_already = fs::remove_file(entry.path());
            }
        }
        let _others_are_there = fs::remove_dir(&self.directory);
    }
}

/// The token that the whole file is. It is read into memory that does not grow.
fn token_in(file: File) -> Option<Secret<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(TOKEN_BYTES + 1));
    file.take(TOKEN_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .ok()?;
    let digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if bytes.len() != TOKEN_BYTES || !bytes.iter().all(digit) {
        return None;
    }
    let text = std::str::from_utf8(&bytes).ok()?;
    Some(Secret::new(text.to_owned()))
}

/// Whether a file is named like one of ours: `NAME,PROFILE`, perhaps half written.
fn is_ours(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    let name = name.strip_prefix(HALF_WRITTEN).unwrap_or(name);
    let parts = name.split_once(',');
    parts.is_some_and(|(serve, profile)| ServeName::parse(serve).is_ok() && !profile.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use crate::domain::name::ProfileName;
    use crate::domain::serve::{Port, Speaks};

    fn serve(name: &str, profile: &str) -> Serve {
        Serve {
            name: ServeName::parse(name).unwrap(),
            profile: ProfileName::parse(profile).unwrap(),
            speaks: Speaks::Container,
            port: Port::parse(4_100).unwrap(),
        }
    }

    fn tokens(home: &Path) -> StandingTokens {
        let uid = rustix::process::geteuid().as_raw();
        StandingTokens::new(home.join("standing"), uid)
    }

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_token_survives_and_only_its_own_question_finds_it() {
        let home = tempfile::tempdir().unwrap();
        let (dev, token) = (serve("build", "team/dev"), "t".repeat(TOKEN_BYTES));
        let token = Secret::new(token);
        tokens(home.path()).write(&dev, &token).unwrap();
        let later = tokens(home.path());
        assert!(later.holds(&dev, &token));
        assert_eq!(later.read(&dev).unwrap().expose(), token.expose());
        assert!(later.read(&serve("build", "prod")).is_none());
        assert!(later.read(&serve("other", "team/dev")).is_none());
        let file = later.path(&dev);
        assert_eq!(file.metadata().unwrap().mode() & 0o7777, 0o600);
        assert_eq!(
            file.parent().unwrap().metadata().unwrap().mode() & 0o777,
            0o700
        );
        later.remove(&dev);
        assert!(later.read(&dev).is_none());
    }

    #[test]
    fn what_others_could_have_made_is_no_token() {
        let home = tempfile::tempdir().unwrap();
        let (tokens, serve) = (tokens(home.path()), serve("build", "dev"));
        let token = Secret::new("t".repeat(TOKEN_BYTES));
        let file = tokens.path(&serve);
        let fresh = || {
            let _none = fs::remove_file(&file);
            tokens.write(&serve, &token).unwrap();
        };
        for bad in [0o640, 0o604, 0o620, 0o700, 0o400, 0o4600] {
            fresh();
            mode(&file, bad);
            assert!(tokens.read(&serve).is_none(), "{bad:o}");
        }
        for bad in [
            "",
            "short",
            &"t".repeat(42),
            &"t".repeat(44),
            &("t".repeat(43) + "\n"),
        ] {
            fresh();
            fs::write(&file, bad).unwrap();
            assert!(tokens.read(&serve).is_none(), "{bad:?}");
        }
        for odd in [' ', '+', '/', '=', '\n', '\0', '\u{7f}'] {
            fresh();
            fs::write(&file, format!("{odd}{}", "t".repeat(TOKEN_BYTES - 1))).unwrap();
            assert!(tokens.read(&serve).is_none(), "{odd:?}");
        }
        fresh();
        fs::hard_link(&file, home.path().join("second")).unwrap();
        assert!(tokens.read(&serve).is_none(), "a second name");
        fresh();
        fs::rename(&file, home.path().join("real")).unwrap();
        symlink(home.path().join("real"), &file).unwrap();
        assert!(tokens.read(&serve).is_none(), "a link");
        fresh();
        mode(file.parent().unwrap(), 0o750);
        assert!(
            tokens.read(&serve).is_none(),
            "a directory that others may enter"
        );
        assert!(tokens.write(&serve, &token).is_err());
        mode(file.parent().unwrap(), 0o700);
        let stranger = StandingTokens {
            uid: tokens.uid + 1,
            ..tokens
        };
        assert!(stranger.read(&serve).is_none(), "another owner");
    }

    #[test]
    fn a_pipe_in_place_of_the_file_holds_nobody_up() {
        let home = tempfile::tempdir().unwrap();
        let (tokens, serve) = (tokens(home.path()), serve("build", "dev"));
        tokens.write(&serve, &"x".into()).unwrap();
        tokens.remove(&serve);
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        let kind = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, tokens.path(&serve), kind, mode, 0).unwrap();
        assert!(tokens.read(&serve).is_none());
    }

    #[test]
    fn tokens_that_nobody_wants_go_and_what_is_not_ours_stays() {
        let home = tempfile::tempdir().unwrap();
        let tokens = tokens(home.path());
        let (kept, gone) = (serve("build", "dev"), serve("build", "old"));
        for serve in [&kept, &gone] {
            tokens.write(serve, &"x".into()).unwrap();
        }
        let directory = home.path().join("standing");
        fs::write(directory.join(".build,dev"), "half").unwrap();
        fs::write(directory.join("notes"), "mine").unwrap();
        fs::create_dir(directory.join("a,b")).unwrap();
        tokens.keep_only([&kept].into_iter());
        let mut left: Vec<_> = fs::read_dir(&directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["a,b", "build,dev", "notes"]);
        fs::remove_dir(directory.join("a,b")).unwrap();
        fs::remove_file(directory.join("notes")).unwrap();
        tokens.keep_only([].into_iter());
        assert!(!directory.exists());
    }
}
