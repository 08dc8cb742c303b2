//! A session as variables, and variables as code for a shell: each value in the shell's plainest quotes,
//! in which nothing but the quote itself (and for fish the backslash) has a meaning.

use jumpgate_api::CredentialsReply;
use zeroize::Zeroizing;

/// The variables that AWS SDKs and the AWS CLI read, in the order of their documentation.
pub(crate) fn variables(reply: &CredentialsReply) -> Vec<(&'static str, Zeroizing<String>)> {
    let session = [
        ("AWS_ACCESS_KEY_ID", reply.access_key_id.clone()),
        (
            "AWS_SECRET_ACCESS_KEY",
            reply.secret_access_key.expose().clone(),
        ),
        ("AWS_SESSION_TOKEN", reply.session_token.expose().clone()),
        ("AWS_CREDENTIAL_EXPIRATION", reply.expires_at.to_string()),
    ];
    let session = session.map(|(name, value)| (name, Zeroizing::new(value)));
    session
        .into_iter()
        .chain(region(reply.region.as_ref()))
        .collect()
}

/// Both variables of the region, if the profile has one.
pub(crate) fn region(
    region: Option<&String>,
) -> impl Iterator<Item = (&'static str, Zeroizing<String>)> {
    let both = region.map(|region| {
        ["AWS_REGION", "AWS_DEFAULT_REGION"].map(|name| (name, Zeroizing::new(region.clone())))
    });
    both.into_iter().flatten()
}

/// How a shell sets and exports a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// sh, bash, zsh, ksh, dash.
    Posix,
    Fish,
    PowerShell,
}

impl Syntax {
    /// One line of code.
    pub(crate) fn assign(self, name: &str, value: &str) -> Zeroizing<String> {
        // Every character may become four bytes and more; the text never grows beyond its room.
        let mut code = Zeroizing::new(String::with_capacity(64 + 4 * value.len()));
        let (before, after) = match self {
            Self::Posix => (["export ", name, "="], "\n"),
            Self::Fish => (["set -gx ", name, " "], ";\n"),
            Self::PowerShell => (["$Env:", name, " = "], "\n"),
        };
        before.iter().for_each(|part| code.push_str(part));
        code.push('\'');
        for character in value.chars() {
            self.push_quoted(&mut code, character);
        }
        code.push('\'');
        code.push_str(after);
        code
    }

    fn push_quoted(self, code: &mut String, character: char) {
        match (self, character) {
            (Self::Posix, '\'') => code.push_str(r"'\''"),
            (Self::Fish, '\'' | '\\') => code.extend(['\\', character]),
            // PowerShell takes typographic quotes for plain ones and doubles a quote to mean itself.
            (Self::PowerShell, '\'' | '\u{2018}'..='\u{201b}') => code.extend([character; 2]),
            _ => code.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn values_are_quoted_for_each_shell() {
        let cases = [
            (
                "plain",
                "export K='plain'\n",
                "set -gx K 'plain';\n",
                "$Env:K = 'plain'\n",
            ),
            ("", "export K=''\n", "set -gx K '';\n", "$Env:K = ''\n"),
            (
                "a'b",
                "export K='a'\\''b'\n",
                "set -gx K 'a\\'b';\n",
                "$Env:K = 'a''b'\n",
            ),
            (
                "a\\",
                "export K='a\\'\n",
                "set -gx K 'a\\\\';\n",
                "$Env:K = 'a\\'\n",
            ),
            (
                "\\'",
                "export K='\\'\\'''\n",
                "set -gx K '\\\\\\'';\n",
                "$Env:K = '\\'''\n",
            ),
            (
                "a\nb",
                "export K='a\nb'\n",
                "set -gx K 'a\nb';\n",
                "$Env:K = 'a\nb'\n",
            ),
            (
                "$(x)`x`\"",
                "export K='$(x)`x`\"'\n",
                "set -gx K '$(x)`x`\"';\n",
                "$Env:K = '$(x)`x`\"'\n",
            ),
            (
                "\u{2019};x\u{201b}",
                "export K='\u{2019};x\u{201b}'\n",
                "set -gx K '\u{2019};x\u{201b}';\n",
                "$Env:K = '\u{2019}\u{2019};x\u{201b}\u{201b}'\n",
            ),
        ];
        for (value, posix, fish, powershell) in cases {
            assert_eq!(Syntax::Posix.assign("K", value).as_str(), posix);
            assert_eq!(Syntax::Fish.assign("K", value).as_str(), fish);
            assert_eq!(Syntax::PowerShell.assign("K", value).as_str(), powershell);
        }
    }

    #[test]
    fn a_real_shell_reads_back_what_was_quoted() {
        for value in [
            "",
            "a'b''c",
            "\\'\\",
            "$HOME `id` $(id) \"",
            "line\nline\n",
            "*?[é]~!#&;|<>",
        ] {
            let code = format!(
                "{}printf %s \"$K\"",
                Syntax::Posix.assign("K", value).as_str()
            );
            let shell = std::process::Command::new("/bin/sh")
                .args(["-c", &code])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(shell.stdout).unwrap(), value);
        }
    }

    #[test]
    fn code_never_outgrows_its_room() {
        for syntax in [Syntax::Posix, Syntax::Fish, Syntax::PowerShell] {
            for quote in ['\'', '\u{2018}', '\\'] {
                let value: String = std::iter::repeat_n(quote, 4096).collect();
                let room = 64 + 4 * value.len();
                assert_eq!(
                    syntax.assign("AWS_SECRET_ACCESS_KEY", &value).capacity(),
                    room
                );
            }
        }
    }

    #[test]
    fn a_session_is_these_variables() {
        let golden = include_str!("../../../proto/api/golden/credentials_reply.json");
        let mut reply: CredentialsReply = serde_json::from_str(golden).unwrap();
        let text = |reply: &CredentialsReply| {
            let pairs = variables(reply)
                .into_iter()
                .map(|(name, value)| format!("{name}={}", value.as_str()));
            pairs.collect::<Vec<_>>().join(" ")
        };
        let without = "AWS_ACCESS_KEY_ID=ASIAEXAMPLE AWS_SECRET_ACCESS_KEY=secret AWS_SESSION_TOKEN=token \
                       AWS_CREDENTIAL_EXPIRATION=2026-11-22T01:00:00Z";
        let region = " AWS_REGION=ap-northeast-1 AWS_DEFAULT_REGION=ap-northeast-1";
        assert_eq!(text(&reply), format!("{without}{region}"));
        reply.region = None;
        assert_eq!(text(&reply), without);
    }
}
