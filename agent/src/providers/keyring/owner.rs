//! Whether the program that answers for the keyring is still the same. A call to one that died never ends: the library
//! waits for a word of its prompt, and looks at nothing else.

use std::time::Duration;

use dbus::Message;
use dbus::channel::Channel;

/// How often it is looked at while a call is under way. A call that no person holds up has ended by then.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long the bus may take to say it.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

const KEYRING: &str = "org.freedesktop.secrets";

/// Resolves when a program that answered for the keyring does so no more. Never without a bus to ask.
pub(super) async fn ended(address: Option<&str>) {
    let mut first = None;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let Some(address) = address.map(str::to_owned) else {
            return std::future::pending().await;
        };
        let looked = tokio::task::spawn_blocking(move || owner(&address)).await;
        let Ok(Some(now)) = looked else {
            return std::future::pending().await;
        };
        let before = first.get_or_insert_with(|| now.clone());
        // A call under way has somebody to answer it: none, or another, is not the one that was asked.
        if now.is_empty() || *before != now {
            return;
        }
    }
}

/// The name of its connection; empty where nobody answers, absent where the bus does not.
fn owner(address: &str) -> Option<String> {
    let mut bus = Channel::open_private(address).ok()?;
    bus.register().ok()?;
    let call = Message::new_method_call(
        "org.freedesktop.DBus",
        "/org/freedesktop/DBus",
        "org.freedesktop.DBus",
        "GetNameOwner",
    );
    let reply = bus.send_with_reply_and_block(call.ok()?.append1(KEYRING), ANSWER_WITHIN);
    match reply {
        Ok(reply) => reply.get1(),
        Err(error) if error.name() == Some("org.freedesktop.DBus.Error.NameHasNoOwner") => {
            Some(String::new())
        }
        Err(_) => None,
    }
}
