//! Where things are: configuration, control socket, state. Pure; the environment comes in.

use std::path::PathBuf;

use super::environment::Environment;

/// No variable says where, and there is no home directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no home directory to look in; set HOME, or {0}")]
pub struct NoHome(pub &'static str);

/// The configuration file: `$JUMPGATE_CONFIG`, else `$XDG_CONFIG_HOME/jumpgate/config.toml`, which is
/// `~/.config/jumpgate/config.toml` unless set.
///
/// # Errors
/// No variable says where, and there is no home directory.
pub fn configuration(environment: &Environment) -> Result<PathBuf, NoHome> {
    if let Some(path) = &environment.jumpgate_config {
        return Ok(path.clone());
    }
    let base = or_in_home(environment, &environment.xdg_config_home, ".config");
    Ok(base
        .ok_or(NoHome("JUMPGATE_CONFIG"))?
        .join("jumpgate/config.toml"))
}

/// The control socket: `$JUMPGATE_SOCKET`, else `$XDG_RUNTIME_DIR/jumpgate/agent.sock`, else `run/agent.sock` in
/// the [state directory](state_directory).
///
/// # Errors
/// No variable says where, and there is no home directory.
pub fn socket(environment: &Environment) -> Result<PathBuf, NoHome> {
    if let Some(path) = &environment.jumpgate_socket {
        return Ok(path.clone());
    }
    if let Some(directory) = &environment.xdg_runtime_dir {
        return Ok(directory.join("jumpgate/agent.sock"));
    }
    let state = state_directory(environment).map_err(|_| NoHome("JUMPGATE_SOCKET"))?;
    Ok(state.join("run/agent.sock"))
}

/// The directory of journal and sealed identities: `$XDG_STATE_HOME/jumpgate`, which is
/// `~/.local/state/jumpgate` unless set.
///
/// # Errors
/// No variable says where, and there is no home directory.
pub fn state_directory(environment: &Environment) -> Result<PathBuf, NoHome> {
    let base = or_in_home(environment, &environment.xdg_state_home, ".local/state");
    Ok(base.ok_or(NoHome("XDG_STATE_HOME"))?.join("jumpgate"))
}

fn or_in_home(
    environment: &Environment,
    directory: &Option<PathBuf>,
    default: &str,
) -> Option<PathBuf> {
    let in_home = || environment.home.as_ref().map(|home| home.join(default));
    directory.clone().or_else(in_home)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn home() -> Environment {
        Environment {
            home: Some("/home/a".into()),
            ..Environment::default()
        }
    }

    fn all_set() -> Environment {
        Environment {
            jumpgate_config: Some("mine.toml".into()),
            jumpgate_socket: Some("/s".into()),
            xdg_config_home: Some("/xc".into()),
            xdg_runtime_dir: Some("/run/user/1".into()),
            xdg_state_home: Some("/xs".into()),
            ..home()
        }
    }

    #[test]
    fn at_home() {
        let state = PathBuf::from("/home/a/.local/state/jumpgate");
        assert_eq!(
            configuration(&home()),
            Ok("/home/a/.config/jumpgate/config.toml".into())
        );
        assert_eq!(socket(&home()), Ok(state.join("run/agent.sock")));
        assert_eq!(state_directory(&home()), Ok(state));
    }

    #[test]
    fn directories_of_the_xdg_specification() {
        let environment = Environment {
            jumpgate_config: None,
            jumpgate_socket: None,
            ..all_set()
        };
        assert_eq!(
            configuration(&environment),
            Ok("/xc/jumpgate/config.toml".into())
        );
        assert_eq!(
            socket(&environment),
            Ok("/run/user/1/jumpgate/agent.sock".into())
        );
        assert_eq!(state_directory(&environment), Ok("/xs/jumpgate".into()));
    }

    #[test]
    fn our_own_variables_win() {
        assert_eq!(configuration(&all_set()), Ok("mine.toml".into()));
        assert_eq!(socket(&all_set()), Ok("/s".into()));
    }

    #[test]
    fn without_a_home_the_error_names_what_to_set() {
        let nothing = Environment::default();
        let of = |error: NoHome| error.to_string();
        assert!(of(configuration(&nothing).unwrap_err()).contains("JUMPGATE_CONFIG"));
        assert!(of(socket(&nothing).unwrap_err()).contains("JUMPGATE_SOCKET"));
        assert!(of(state_directory(&nothing).unwrap_err()).contains("XDG_STATE_HOME"));
    }
}
