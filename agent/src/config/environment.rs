//! The process environment, read once. Here and in the client's command line are the only places that read it;
//! nothing ever writes it.

use std::ffi::OsString;
use std::path::PathBuf;

use jumpgate_api::Secret;

use crate::domain::scope::Surroundings;

/// Longest user and host name in a template. A session name takes 64 characters; a ULID in it takes 26 and a
/// separator or two, so half of the 64 is what a name can have in `{user}-{session}` without being refused.
pub const MAX_SURROUNDING: usize = 32;

/// What the process was told by its surroundings. Empty variables count as unset, as the XDG Base Directory
/// specification has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// The user's home directory, absolute: `$HOME`, else the account database.
    pub home: Option<PathBuf>,
    /// `$JUMPGATE_CONFIG`
    pub jumpgate_config: Option<PathBuf>,
    /// `$JUMPGATE_SOCKET`
    pub jumpgate_socket: Option<PathBuf>,
    /// `$JUMPGATE_LOG`: how much is logged.
    pub jumpgate_log: Option<String>,
    /// `$XDG_CONFIG_HOME`, if absolute; the specification has relative ones ignored.
    pub xdg_config_home: Option<PathBuf>,
    /// `$XDG_RUNTIME_DIR`, if absolute.
    pub xdg_runtime_dir: Option<PathBuf>,
    /// `$XDG_STATE_HOME`, if absolute.
    pub xdg_state_home: Option<PathBuf>,
    /// `$USER`, else `$LOGNAME`, else the digits of the uid; as it is, not yet fit for AWS.
    pub user: String,
    /// The machine's host name, as it is, not yet fit for AWS.
    pub host: String,
    /// How to reach AWS through a proxy.
    pub proxy: ProxyVariables,
    /// `$LISTEN_FDS`: how many sockets systemd hands over, from descriptor 3 on.
    pub listen_fds: Option<u32>,
    /// `$LISTEN_PID`: the process that they are meant for.
    pub listen_pid: Option<u32>,
    /// `$CREDENTIALS_DIRECTORY`: where systemd keeps credentials for the service, if absolute.
    pub credentials_directory: Option<PathBuf>,
    /// `$DBUS_SESSION_BUS_ADDRESS`
    pub dbus_session_bus_address: Option<String>,
    /// `$DBUS_SYSTEM_BUS_ADDRESS`
    pub dbus_system_bus_address: Option<String>,
    /// `$DISPLAY`
    pub display: Option<String>,
    /// `$WAYLAND_DISPLAY`
    pub wayland_display: Option<String>,
    /// The absolute directories of `$PATH`: where programs are found that ask a person.
    pub path: Vec<PathBuf>,
}

/// The proxy variables; the lower-case spelling wins, as with curl. Their addresses may hold a password.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProxyVariables {
    /// `$https_proxy`, `$HTTPS_PROXY`
    pub https: Option<Secret<String>>,
    /// `$all_proxy`, `$ALL_PROXY`
    pub all: Option<Secret<String>>,
    /// `$no_proxy`, `$NO_PROXY`
    pub no: Option<String>,
}

impl Environment {
    /// Reads the environment of this process and asks the kernel for the host's name.
    #[must_use]
    pub fn from_process() -> Self {
        let system = rustix::system::uname();
        let host = system.nodename().to_string_lossy().into_owned();
        let uid = rustix::process::getuid().as_raw();
        Self {
            home: std::env::home_dir().filter(|home| home.is_absolute()),
            ..Self::from_variables(&|name| std::env::var_os(name), uid, host)
        }
    }

    /// The environment that these variables make, for this uid on this host.
    #[must_use]
    pub fn from_variables(
        variable: &dyn Fn(&str) -> Option<OsString>,
        uid: u32,
        host: String,
    ) -> Self {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let text = |name: &str| variable(name).and_then(|value| value.into_string().ok());
        let path = |name: &str| variable(name).map(PathBuf::from);
        let absolute = |name: &str| path(name).filter(|path| path.is_absolute());
        let number = |name: &str| text(name).and_then(|value| value.parse().ok());
        let proxy = |name: &str| text(name).or_else(|| text(&name.to_ascii_uppercase()));
        Self {
            home: absolute("HOME"),
            jumpgate_config: path("JUMPGATE_CONFIG"),
            jumpgate_socket: path("JUMPGATE_SOCKET"),
            jumpgate_log: text("JUMPGATE_LOG"),
            xdg_config_home: absolute("XDG_CONFIG_HOME"),
            xdg_runtime_dir: absolute("XDG_RUNTIME_DIR"),
            xdg_state_home: absolute("XDG_STATE_HOME"),
            user: text("USER")
                .or_else(|| text("LOGNAME"))
                .unwrap_or_else(|| uid.to_string()),
            host,
            proxy: ProxyVariables {
                https: proxy("https_proxy").map(Secret::new),
                all: proxy("all_proxy").map(Secret::new),
                no: proxy("no_proxy"),
            },
            listen_fds: number("LISTEN_FDS"),
            listen_pid: number("LISTEN_PID"),
            credentials_directory: absolute("CREDENTIALS_DIRECTORY"),
            dbus_session_bus_address: text("DBUS_SESSION_BUS_ADDRESS"),
            dbus_system_bus_address: text("DBUS_SYSTEM_BUS_ADDRESS"),
            display: text("DISPLAY"),
            wayland_display: text("WAYLAND_DISPLAY"),
            path: variable("PATH").map_or_else(Vec::new, |path| {
                let directories = std::env::split_paths(&path);
                directories.filter(|path| path.is_absolute()).collect()
            }),
        }
    }

    /// User and host as templates may name them: with the characters that AWS takes in a session name, and short
    /// enough to leave room for a session id.
    #[must_use]
    pub fn surroundings(&self) -> Surroundings {
        let short_host = self.host.split('.').next().unwrap_or_default();
        Surroundings {
            user: fit_for_names(&self.user),
            host: fit_for_names(short_host),
        }
    }
}

/// At most [`MAX_SURROUNDING`] characters of `[\w+=,.@-]`; every other one becomes a hyphen.
fn fit_for_names(text: &str) -> String {
    let legal = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    let fitting = |c: char| if legal(c) { c } else { '-' };
    let fit: String = text.chars().take(MAX_SURROUNDING).map(fitting).collect();
    if fit.is_empty() {
        "unknown".to_owned()
    } else {
        fit
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use jumpgate_iam::RoleSessionName;
    use proptest::prelude::*;

    fn of(variables: &[(&str, &str)]) -> Environment {
        let lookup = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        Environment::from_variables(&lookup, 1000, "laptop.example.org".to_owned())
    }

    #[test]
    fn empty_and_relative_variables_count_as_unset() {
        let environment = of(&[
            ("HOME", "home"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_RUNTIME_DIR", ""),
            ("XDG_STATE_HOME", "./state"),
            ("CREDENTIALS_DIRECTORY", "x"),
            ("JUMPGATE_CONFIG", ""),
            ("JUMPGATE_SOCKET", "agent.sock"),
            ("LISTEN_FDS", "one"),
        ]);
        let expected = Environment {
            jumpgate_socket: Some("agent.sock".into()),
            user: "1000".to_owned(),
            host: "laptop.example.org".to_owned(),
            ..Environment::default()
        };
        assert_eq!(environment, expected);
    }

    #[test]
    fn every_variable_arrives() {
        let environment = of(&[
            ("HOME", "/h"),
            ("JUMPGATE_CONFIG", "/c"),
            ("JUMPGATE_SOCKET", "/s"),
            ("JUMPGATE_LOG", "debug"),
            ("XDG_CONFIG_HOME", "/xc"),
            ("XDG_RUNTIME_DIR", "/xr"),
            ("XDG_STATE_HOME", "/xs"),
            ("LOGNAME", "alice"),
            ("https_proxy", "http://low"),
            ("HTTPS_PROXY", "http://up"),
            ("ALL_PROXY", "http://all"),
            ("NO_PROXY", ".internal"),
            ("LISTEN_FDS", "1"),
            ("LISTEN_PID", "42"),
            ("CREDENTIALS_DIRECTORY", "/run/credentials/jumpgate"),
            ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/b"),
            ("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/s"),
            ("DISPLAY", ":0"),
            ("WAYLAND_DISPLAY", "wayland-0"),
            ("PATH", "/usr/bin::.:bin:/bin"),
        ]);
        let expected = Environment {
            home: Some("/h".into()),
            jumpgate_config: Some("/c".into()),
            jumpgate_socket: Some("/s".into()),
            jumpgate_log: Some("debug".into()),
            xdg_config_home: Some("/xc".into()),
            xdg_runtime_dir: Some("/xr".into()),
            xdg_state_home: Some("/xs".into()),
            user: "alice".into(),
            host: "laptop.example.org".into(),
            proxy: ProxyVariables {
                https: Some("http://low".into()),
                all: Some("http://all".into()),
                no: Some(".internal".into()),
            },
            listen_fds: Some(1),
            listen_pid: Some(42),
            credentials_directory: Some("/run/credentials/jumpgate".into()),
            dbus_session_bus_address: Some("unix:path=/b".into()),
            dbus_system_bus_address: Some("unix:path=/s".into()),
            display: Some(":0".into()),
            wayland_display: Some("wayland-0".into()),
            path: vec!["/usr/bin".into(), "/bin".into()],
        };
        assert_eq!(environment, expected);
    }

    #[test]
    fn a_proxys_password_is_not_in_debug() {
        let environment = of(&[("https_proxy", "http://me:hunter2@proxy:3128")]);
        assert!(!format!("{environment:?}").contains("hunter2"));
    }

    #[test]
    fn this_process_has_a_user_and_a_host() {
        let environment = Environment::from_process();
        assert!(!environment.user.is_empty());
        assert!(!environment.host.is_empty());
    }

    #[test]
    fn names_are_made_fit() {
        for (user, host, fit_user, fit_host) in [
            ("alice", "laptop.example.org", "alice", "laptop"),
            ("EXAMPLE\\alice", "lap top", "EXAMPLE-alice", "lap-top"),
            ("älice", ".hidden", "-lice", "unknown"),
            ("", "", "unknown", "unknown"),
            (
                &"u".repeat(33),
                &"h".repeat(64),
                &"u".repeat(32),
                &"h".repeat(32),
            ),
        ] {
            let environment = Environment {
                user: user.into(),
                host: host.into(),
                ..Environment::default()
            };
            let expected = Surroundings {
                user: fit_user.into(),
                host: fit_host.into(),
            };
            assert_eq!(environment.surroundings(), expected, "{user:?} {host:?}");
        }
    }

    proptest! {
        #[test]
        fn any_user_makes_a_legal_default_session_name(user: String, host: String) {
            let environment = Environment { user, host, ..Environment::default() };
            let Surroundings { user, host } = environment.surroundings();
            let session = crate::domain::name::SAMPLE_SESSION_ID;
            for name in [user, host] {
                let session_name = format!("{name}-{session}");
                prop_assert!(RoleSessionName::parse(&session_name).is_ok());
            }
        }
    }
}
