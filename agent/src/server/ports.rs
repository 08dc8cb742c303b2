//! Fixed ports on 127.0.0.1: taken for a standing endpoint, or who has them already (proc_net_tcp.rst).
//!
//! A port above 1023 belongs to whoever comes first, and that may be another user who waits for tokens of those that
//! were pointed at it before. So it matters who it is, and it is said.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use tokio::net::TcpListener;

use super::listener;
use crate::domain::serve::Port;

/// Most bytes of a table of the kernel's that are looked at. Listening sockets stand before all others in it.
const MAX_TABLE_BYTES: u64 = 16 * 1024 * 1024;

/// `TCP_LISTEN` (net/tcp_states.h).
const LISTENING: &str = "0A";

/// Addresses whose listeners keep a port of 127.0.0.1 taken, as the kernel writes them on a machine of either byte
/// order: itself, and every address; the same in IPv6.
const IN_THE_WAY: [&str; 6] = [
    "0100007F",
    "7F000001",
    "00000000",
    "00000000000000000000000000000000",
    "0000000000000000FFFF00000100007F",
    "00000000000000000000FFFF7F000001",
];

/// Why a port could not be taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoPort {
    /// Another user was first.
    #[error(
        "port {port} of 127.0.0.1 is taken by another user (uid {uid}), who may have done so to be taken for this agent"
    )]
    Theirs {
        /// The port.
        port: u16,
        /// Whose it is.
        uid: u32,
    },
    /// Another program of the same user was first.
    #[error("port {port} of 127.0.0.1 is taken by another program of yours (uid {uid})")]
    Ours {
        /// The port.
        port: u16,
        /// Whose it is.
        uid: u32,
    },
    /// Somebody was first.
    #[error("port {0} of 127.0.0.1 is taken, and the kernel does not say by whom")]
    Somebodys(u16),
    /// Another refusal.
    #[error("port {port} of 127.0.0.1 cannot be listened on: {error}")]
    Refused {
        /// The port.
        port: u16,
        /// What the operating system said.
        error: io::Error,
    },
}

impl NoPort {
    /// What to do about it.
    pub(super) const fn hint(&self) -> &'static str {
        match self {
            Self::Theirs { .. } => {
                "choose another port for it, then: jumpgate reload; and ask who it is: sudo ss -ltnp"
            }
            Self::Ours { .. } | Self::Somebodys(_) => {
                "end it (ss -ltnp names it) or choose another port, then: jumpgate reload"
            }
            Self::Refused { .. } => "choose another port, then: jumpgate reload",
        }
    }
}

/// Takes a port for the user `uid`.
///
/// # Errors
/// Who has it already; another refusal of the operating system's.
pub(super) async fn take(port: Port, uid: u32) -> Result<TcpListener, NoPort> {
    let port = port.number();
    match listener::bind_at(port).await {
        Ok((socket, _)) => Ok(socket),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let found = tokio::task::spawn_blocking(move || owner(port)).await;
            Err(match found.ok().flatten() {
                None => NoPort::Somebodys(port),
                Some(found) if found == uid => NoPort::Ours { port, uid },
                Some(uid) => NoPort::Theirs { port, uid },
            })
        }
        Err(error) => Err(NoPort::Refused { port, error }),
    }
}

/// The user who listens where a listener on this port of 127.0.0.1 would.
fn owner(port: u16) -> Option<u32> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].into_iter();
    let mut tables = tables.filter_map(|path| File::open(path).ok());
    tables.find_map(|table| owner_in(BufReader::new(table.take(MAX_TABLE_BYTES)), port))
}

fn owner_in(table: impl BufRead, port: u16) -> Option<u32> {
    let mut lines = table.lines().map_while(Result::ok);
    lines.find_map(|line| listener_of(&line, port))
}

/// The user of a line of the table, if it is about a listener in the way.
fn listener_of(line: &str, port: u16) -> Option<u32> {
    let mut words = line.split_ascii_whitespace().skip(1);
    let (address, found) = words.next()?.split_once(':')?;
    let state = words.nth(1)?;
    let in_the_way = u16::from_str_radix(found, 16) == Ok(port)
        && state == LISTENING
        && IN_THE_WAY.contains(&address);
    // Two pairs of numbers and one of timers stand in between.
    in_the_way.then(|| words.nth(3)?.parse().ok())?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Copied from a machine: a listener on every address, one on 127.0.0.1, one on 127.0.0.2, an established
    /// connection.
    const TABLE: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 22011 1 0000000000000000 100 0 0 10 0
   1: 0100007F:1004 00000000:0000 0A 00000000:00000000 00:00000000 00000000 65534        0 22012 1 0000000000000000 100 0 0 10 0
   2: 0200007F:1005 00000000:0000 0A 00000000:00000000 00:00000000 00000000 65534        0 22013 1 0000000000000000 100 0 0 10 0
   3: 0100007F:1006 0100007F:CB2A 01 00000000:00000000 00:00000000 00000000 65534        0 22014 1 0000000000000000 100 0 0 10 0
";

    #[test]
    fn the_owner_of_a_listener_is_read_from_the_table() {
        for (port, expected) in [
            (0x1F90, Some(1_000)),
            (0x1004, Some(65_534)),
            (0x1005, None),
            (0x1006, None),
            (0x1007, None),
        ] {
            assert_eq!(owner_in(TABLE.as_bytes(), port), expected, "{port:#x}");
        }
        let sixes = TABLE
            .replace("0100007F:1004", "00000000000000000000000000000000:1004")
            .replace("00000000:1F90", "0000000000000000FFFF00000100007F:1F90");
        assert_eq!(owner_in(sixes.as_bytes(), 0x1004), Some(65_534));
        assert_eq!(owner_in(sixes.as_bytes(), 0x1F90), Some(1_000));
    }

    #[test]
    fn a_line_that_ends_too_early_names_nobody() {
        let line = TABLE.lines().nth(2).unwrap();
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        assert_eq!(listener_of(line, 0x1004), Some(65_534));
        for count in 0..8 {
            assert_eq!(listener_of(&words[..count].join(" "), 0x1004), None);
        }
        assert_eq!(listener_of(&line.replace("65534", "nobody"), 0x1004), None);
        assert_eq!(owner_in(&b"\xff\xfe\n"[..], 0x1004), None);
    }

    #[tokio::test]
    async fn a_port_is_taken_once() {
        let (first, port) = listener::bind().await.unwrap();
        let uid = rustix::process::geteuid().as_raw();
        let port = Port::parse(i64::from(port)).unwrap();
        let ours = take(port, uid).await.unwrap_err();
        assert!(matches!(ours, NoPort::Ours { .. }), "{ours}");
        // The same listener as another user's agent would see it.
        let theirs = take(port, uid + 1).await.unwrap_err();
        assert!(matches!(theirs, NoPort::Theirs { uid: found, .. } if found == uid));
        drop(first);
        take(port, uid).await.unwrap();
    }
}
