//! What went wrong with the keyring, and what to do about it.
//!
//! The library's errors are matched, never printed: some carry the secret. Of D-Bus only the error's name is
//! told; its message only where there was no keyring yet that could have put anything into it.

use std::time::Duration;

use dbus_secret_service::Error as ServiceError;
use keyring_core::Error;

use super::Desktop;
use crate::ports::StoreError;

/// The longest text of D-Bus in a message, in characters.
const MAX_DETAIL: usize = 200;

const DBUS: &str = "org.freedesktop.DBus.Error.";

/// The names of D-Bus for a bus that cannot be reached.
const NO_BUS: [&str; 8] = [
    "FileNotFound",
    "NoServer",
    "BadAddress",
    "NoNetwork",
    "NotSupported",
    "AuthFailed",
    "Disconnected",
    "IOError",
];

/// The library's error in our words.
pub(super) fn explain(error: &Error, desktop: &Desktop) -> StoreError {
    match error {
        Error::NoEntry => StoreError::NothingStored,
        Error::Ambiguous(entries) => unavailable(
            format!("the keyring has {} items under this name", entries.len()),
            "remove them all with `jumpgate identity remove`, then add the identity again",
        ),
        Error::BadEncoding(_) | Error::BadDataFormat(..) | Error::BadStoreFormat(_) => {
            StoreError::Malformed {
                what: "the keyring cannot read it".to_owned(),
            }
        }
        Error::NoStorageAccess(source) | Error::PlatformFailure(source) => {
            match source.downcast_ref::<ServiceError>() {
                Some(error) => of_the_service(error, desktop),
                None => failed("an unknown error"),
            }
        }
        _ => failed("an unknown error"),
    }
}

pub(super) fn of_the_service(error: &ServiceError, desktop: &Desktop) -> StoreError {
    match error {
        ServiceError::Dbus(error) => {
            let (name, message) = (error.name(), error.message());
            of_the_bus(
                name.unwrap_or_default(),
                message.unwrap_or_default(),
                desktop,
            )
        }
        ServiceError::Prompt if desktop.has_display => StoreError::Declined,
        ServiceError::Prompt | ServiceError::Locked => locked(desktop),
        ServiceError::NoResult => unavailable(
            "the keyring has no default collection".to_owned(),
            "make one in the keyring's own program and set it as the default; a desktop's login does it by itself",
        ),
        ServiceError::Unavailable => no_service(),
        ServiceError::Crypto(_) => failed("its encryption of the bus does not match ours"),
        _ => failed("it gave an answer that cannot be understood"),
    }
}

fn of_the_bus(name: &str, message: &str, desktop: &Desktop) -> StoreError {
    let name = name.strip_prefix(DBUS).unwrap_or(name);
    match name {
        "ServiceUnknown" | "NameHasNoOwner" => no_service(),
        activation if activation.starts_with("Spawn.") => no_service(),
        _ if NO_BUS.contains(&name) => no_bus(message),
        "NoReply" | "Timeout" | "TimedOut" => failed("it does not answer"),
        "org.freedesktop.Secret.Error.IsLocked" => locked(desktop),
        _ => failed(&shortened(name)),
    }
}

/// Whether there is no bus that could have an answer.
pub(super) fn is_of_the_bus(error: &ServiceError) -> bool {
    let ServiceError::Dbus(error) = error else {
        return false;
    };
    let name = error.name().unwrap_or_default();
    NO_BUS.contains(&name.strip_prefix(DBUS).unwrap_or(name))
}

/// There is no bus to find a keyring on.
pub(super) fn no_bus(detail: &str) -> StoreError {
    unavailable(
        format!("there is no D-Bus session bus: {}", shortened(detail)),
        "start the agent from the desktop's session; on a machine without a desktop set store = \"file\"",
    )
}

fn no_service() -> StoreError {
    unavailable(
        "no keyring answers on the D-Bus session bus (org.freedesktop.secrets)".to_owned(),
        "install and start gnome-keyring, or turn on the Secret Service in KeePassXC or KWallet; without a desktop set store = \"file\"",
    )
}

fn locked(desktop: &Desktop) -> StoreError {
    let (what, remedy) = if desktop.has_display {
        ("the keyring is locked", "unlock it, then try again")
    } else {
        (
            "the keyring is locked, and there is no display on which it could ask for its password",
            "start the agent from the desktop's session, where DISPLAY or WAYLAND_DISPLAY is set, or set store = \"file\"",
        )
    };
    unavailable(what.to_owned(), remedy)
}

/// The caller waited long enough. The call goes on: a prompt on the screen cannot be taken back.
pub(super) fn late(wait: Duration) -> StoreError {
    unavailable(
        format!("the keyring did not answer within {} s", wait.as_secs_f32()),
        "its prompt may still be on the screen: answer it, then try again",
    )
}

/// The keyring went away in the middle of a call: its prompt, if there was one, went with it.
pub(super) fn ended() -> StoreError {
    unavailable(
        "the keyring's program ended while it was asked".to_owned(),
        "start it again, or log in anew; then try again",
    )
}

/// Too many calls wait.
pub(super) fn busy() -> StoreError {
    unavailable(
        "too many calls to the keyring wait for their turn".to_owned(),
        "answer the prompt on the screen, then try again",
    )
}

/// A call ended without a result.
pub(super) fn broke_off() -> StoreError {
    failed("the call broke off; see the agent's log")
}

fn failed(what: &str) -> StoreError {
    unavailable(
        format!("the keyring failed: {what}"),
        "try again; if it stays, restart the keyring's program",
    )
}

fn unavailable(what: String, remedy: &str) -> StoreError {
    StoreError::Unavailable {
        what,
        remedy: remedy.to_owned(),
    }
}

/// Bounded, on one line.
fn shortened(text: &str) -> String {
    text.escape_debug().take(MAX_DETAIL).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESKTOP: Desktop = Desktop {
        bus_address: None,
        has_display: true,
    };
    const HEADLESS: Desktop = Desktop {
        bus_address: None,
        has_display: false,
    };

    fn no_access(error: ServiceError) -> Error {
        Error::NoStorageAccess(Box::new(error))
    }

    fn text_of(error: &StoreError) -> String {
        match error {
            StoreError::Unavailable { what, remedy } => format!("{what} -> {remedy}"),
            other => other.to_string(),
        }
    }

    #[test]
    fn locked_declined_and_no_display_are_told_apart() {
        let told = |error, desktop| text_of(&explain(&no_access(error), desktop));
        assert_eq!(
            told(ServiceError::Prompt, &DESKTOP),
            "unlocking the keyring was declined"
        );
        assert!(told(ServiceError::Locked, &DESKTOP).starts_with("the keyring is locked -> "));
        for error in [ServiceError::Prompt, ServiceError::Locked] {
            assert!(told(error, &HEADLESS).contains("there is no display"));
        }
        assert!(told(ServiceError::NoResult, &DESKTOP).contains("no default collection"));
    }

    #[test]
    fn names_of_the_bus() {
        for (name, text) in [
            (
                "org.freedesktop.DBus.Error.ServiceUnknown",
                "no keyring answers",
            ),
            (
                "org.freedesktop.DBus.Error.Spawn.ChildExited",
                "no keyring answers",
            ),
            (
                "org.freedesktop.DBus.Error.NoServer",
                "no D-Bus session bus: a\\nb",
            ),
            ("org.freedesktop.DBus.Error.NoReply", "it does not answer"),
            ("org.freedesktop.Secret.Error.IsLocked", "is locked"),
            (
                "com.example.\u{1b}[31m",
                "failed: com.example.\\u{1b}[31m ->",
            ),
            ("", "failed:  ->"),
        ] {
            let told = text_of(&of_the_bus(name, "a\nb", &DESKTOP));
            assert!(told.contains(text), "{name}: {told}");
            let secretive = !text.contains("a\\nb");
            assert!(!secretive || !told.contains("a\\nb"), "{name}: {told}");
        }
    }

    /// What the library puts into its errors stays there.
    #[test]
    fn no_error_tells_what_it_carries() {
        let canary = || b"CANARY".to_vec();
        let parse = std::io::Error::other("CANARY");
        for error in [
            Error::BadEncoding(canary()),
            Error::BadDataFormat(canary(), Box::new(parse)),
            Error::BadStoreFormat("CANARY".to_owned()),
            Error::Invalid("CANARY".to_owned(), "CANARY".to_owned()),
            Error::NotSupportedByStore("CANARY".to_owned()),
            Error::PlatformFailure("CANARY".into()),
            Error::PlatformFailure(Box::new(ServiceError::Path("CANARY".to_owned()))),
            Error::PlatformFailure(Box::new(ServiceError::Crypto("CANARY".into()))),
        ] {
            let told = explain(&error, &DESKTOP);
            assert!(!format!("{told} {told:?}").contains("CANARY"));
        }
    }
}
