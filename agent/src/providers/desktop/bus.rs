//! A connection to a D-Bus daemon that waits in the runtime and never blocks it; connecting happens beside it.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use dbus::Message;
use dbus::arg::Variant;
use dbus::channel::Channel;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::oneshot;

use crate::domain::notice::Notice;

/// How long a bus may take to let us in.
const CONNECT_WAIT: Duration = Duration::from_secs(30);

/// The connection broke, or never was.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Lost(String);

/// A connection. Dropping it closes it.
pub(super) struct Bus(Channel);

/// The connection's socket, borrowed by its number for as long as one wait takes.
struct Socket(RawFd);

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.0
    }
}

impl Bus {
    /// Connects and says hello.
    ///
    /// # Errors
    /// Nobody there, refused, or no answer in [`CONNECT_WAIT`].
    pub(super) async fn connect(address: &str) -> Result<Self, Lost> {
        if !address.split(';').all(|part| part.starts_with("unix:")) {
            // Other kinds start programs or go through the network.
            return Err(Lost("its address is not one of a socket".to_owned()));
        }
        let address = address.to_owned();
        let (reply, connecting) = oneshot::channel();
        // Not one of the runtime's threads: those wait for more work for a while, and wake up to end.
        let started = std::thread::Builder::new()
            .name("bus".to_owned())
            .spawn(move || reply.send(Self::connected(&address)));
        started.map_err(|error| Lost(error.to_string()))?;
        match tokio::time::timeout(CONNECT_WAIT, connecting).await {
            Ok(Ok(connected)) => {
                connected.map_err(|error| Lost(error.name().unwrap_or("").to_owned()))
            }
            Ok(Err(_)) => Err(Lost("connecting broke off".to_owned())),
            Err(_) => Err(Lost("it does not answer".to_owned())),
        }
    }

    /// Blocks until the bus has let us in.
    fn connected(address: &str) -> Result<Self, dbus::Error> {
        let mut channel = Channel::open_private(address)?;
        channel.register()?;
        channel.set_watch_enabled(true);
        Ok(Self(channel))
    }

    /// The next message that has come.
    pub(super) fn next(&self) -> Option<Message> {
        self.0.pop_message()
    }

    /// Sends a message as soon as the socket takes it; returns its number.
    pub(super) fn send(&self, message: Message) -> Option<u32> {
        self.0.send(message).ok()
    }

    /// Has a notice shown (freedesktop.org, Desktop Notifications Specification 1.2), unless the bus has not taken an
    /// earlier message yet. Whether there is anybody to show it is not asked.
    pub(super) fn show(&self, notice: &Notice) {
        if self.0.has_messages_to_send() {
            return;
        }
        let name = "org.freedesktop.Notifications";
        let place = "/org/freedesktop/Notifications";
        let (actions, hints) = (Vec::<String>::new(), HashMap::<String, Variant<u8>>::new());
        let call = Message::call_with_args(name, place, name, "Notify", ("Jumpgate", 0_u32, ""));
        let mut call = call.append2(notice.title.as_str(), escaped(&notice.body));
        call.append_all((actions, hints, -1_i32));
        call.set_no_reply(true);
        self.send(call);
    }

    /// Waits until something has come in or can go out, and moves it. Dropping the wait loses nothing.
    ///
    /// # Errors
    /// The connection is over.
    pub(super) async fn news(&self) -> Result<(), Lost> {
        let over = || Lost("the connection ended".to_owned());
        if !self.0.is_connected() {
            return Err(over());
        }
        let mut interest = Interest::READABLE;
        if self.0.has_messages_to_send() {
            interest = interest.add(Interest::WRITABLE);
        }
        self.ready(interest)
            .await
            .map_err(|error| Lost(error.to_string()))?;
        self.0.read_write(Some(Duration::ZERO)).map_err(|()| over())
    }

    /// Registered anew each time: whatever was left unread is seen at once.
    #[expect(
        deprecated,
        reason = "the library lends its socket by number only; it closes it in calls of ours, of which none is made here"
    )]
    async fn ready(&self, interest: Interest) -> io::Result<()> {
        let socket = AsyncFd::with_interest(Socket(self.0.watch().fd), interest)?;
        socket.ready(interest).await.map(drop)
    }
}

/// A body may hold markup; ours holds none.
fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_no_markup() {
        let text = "/tmp/<a href=\"x\">&amp;";
        let shown = "/tmp/&lt;a href=&quot;x&quot;&gt;&amp;amp;";
        assert_eq!(escaped(text), shown);
    }
}
