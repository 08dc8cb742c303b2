//! Who is at the other end of a TCP connection on loopback, by the kernel's word (sock_diag(7)).
//!
//! 127.0.0.1 belongs to every user and, with host networking, to every container. The kernel knows the owner of the
//! socket at the other end: it is asked for exactly that socket, by its four numbers, while the connection is
//! established. After the peer closed, the kernel reports uid 0 and inode 0; that is unknown, not root. A peer in another
//! network namespace is not found at all.

use std::io;
use std::net::{SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};

use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

use crate::domain::peer::{Peer, Stranger};

/// `SOCK_DIAG_BY_FAMILY` (linux/sock_diag.h).
const BY_FAMILY: u16 = 20;
/// `NLMSG_ERROR` (linux/netlink.h).
const ERROR: u16 = 2;
/// `NLM_F_REQUEST` (linux/netlink.h).
const REQUEST: u16 = 1;
/// `AF_INET` and `IPPROTO_TCP`.
const INET_TCP: [u8; 2] = [2, 6];
/// `TCP_ESTABLISHED` (net/tcp_states.h).
const ESTABLISHED: u8 = 1;
/// A netlink header: length, type, flags, sequence, port (linux/netlink.h).
const HEADER: usize = 16;
/// A `struct inet_diag_req_v2` (linux/inet_diag.h).
const QUESTION: usize = 56;
/// A `struct inet_diag_msg` (linux/inet_diag.h).
const ANSWER: usize = 72;

/// A kept socket to ask the kernel with.
#[derive(Debug)]
pub struct TcpPeers(Mutex<Line>);

/// The line to the kernel, and the number of the last question: an answer that was left lying belongs to another.
#[derive(Debug)]
struct Line {
    socket: OwnedFd,
    asked: u32,
}

/// The owner of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub uid: u32,
    /// The socket's inode, by which its processes can be found.
    pub inode: u32,
}

impl TcpPeers {
    /// Opens the socket.
    ///
    /// # Errors
    /// The kernel gives no netlink socket, as under some sandboxes; then no endpoint may be served.
    pub fn new() -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(
            AddressFamily::NETLINK,
            SocketType::DGRAM,
            flags,
            Some(SOCK_DIAG),
        )?;
        rustix::net::connect(&socket, &SocketAddrNetlink::new(0, 0))?;
        let asked = 0;
        Ok(Self(Mutex::new(Line { socket, asked })))
    }

    /// The owner of the socket at `peer` that is connected to ours at `local`; `None` when it is not established
    /// any more, or in another network namespace.
    ///
    /// # Errors
    /// The kernel did not answer.
    pub fn owner(&self, peer: SocketAddrV4, local: SocketAddrV4) -> io::Result<Option<Owner>> {
        let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        line.asked = line.asked.wrapping_add(1);
        let question = question(line.asked, peer, local);
        rustix::net::send(&line.socket, &question, SendFlags::empty())?;
        // The kernel answers before `send` returns.
        let mut answer = [0; 512];
        loop {
            let (length, _) = rustix::net::recv(&line.socket, &mut answer[..], RecvFlags::empty())?;
            let answer = &answer[..length];
            if number(answer, 8) == Some(line.asked) {
                return Ok(read(answer));
            }
        }
    }
}

/// Whether the connection comes from one of our user's own processes: the owner of its socket, if so.
///
/// # Errors
/// What is known of the stranger: the address is not loopback, the owner is unknown or another user.
pub fn admitted(
    peers: &TcpPeers,
    peer: SocketAddr,
    local: SocketAddr,
    agent_uid: u32,
) -> Result<Owner, (Peer, Stranger)> {
    let nobody = |uid| Peer {
        pid: 0,
        uid,
        executable: None,
        origin: None,
    };
    let (SocketAddr::V4(peer), SocketAddr::V4(local)) = (peer, local) else {
        return Err((nobody(u32::MAX), Stranger::Unknown));
    };
    if !peer.ip().is_loopback() {
        return Err((nobody(u32::MAX), Stranger::Unknown));
    }
    match peers.owner(peer, local) {
        Ok(Some(owner)) if owner.uid == agent_uid => Ok(owner),
        Ok(Some(owner)) => Err((nobody(owner.uid), Stranger::OtherUser(owner.uid))),
        Ok(None) | Err(_) => Err((nobody(u32::MAX), Stranger::Unknown)),
    }
}

fn question(number: u32, peer: SocketAddrV4, local: SocketAddrV4) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + QUESTION);
    let length = u32::try_from(HEADER + QUESTION).unwrap_or_default();
    bytes.extend(length.to_ne_bytes());
    bytes.extend(BY_FAMILY.to_ne_bytes());
    bytes.extend(REQUEST.to_ne_bytes());
    bytes.extend(number.to_ne_bytes());
    bytes.extend([0; 4]);
    bytes.extend(INET_TCP);
    bytes.extend([0, 0]);
    bytes.extend((1_u32 << ESTABLISHED).to_ne_bytes());
    // Seen from the peer: its own end is the source.
    bytes.extend(peer.port().to_be_bytes());
    bytes.extend(local.port().to_be_bytes());
    for address in [peer.ip(), local.ip()] {
        bytes.extend(address.octets());
        bytes.extend([0; 12]);
    }
    bytes.extend([0; 4]);
    // INET_DIAG_NOCOOKIE, twice.
    bytes.extend([0xff; 8]);
    bytes
}

fn read(message: &[u8]) -> Option<Owner> {
    let kind = u16::from_ne_bytes(message.get(4..6)?.try_into().ok()?);
    let body = message.get(HEADER..HEADER + ANSWER)?;
    if kind == ERROR || kind != BY_FAMILY || body[1] != ESTABLISHED {
        return None;
    }
    let owner = Owner {
        uid: number(body, 64)?,
        inode: number(body, 68)?,
    };
    // What a closed socket looks like.
    (owner.inode != 0).then_some(owner)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::{TcpListener, TcpStream};

    use super::*;

    fn v4(address: SocketAddr) -> SocketAddrV4 {
        match address {
            SocketAddr::V4(address) => address,
            SocketAddr::V6(_) => unreachable!("bound to 127.0.0.1"),
        }
    }

    fn connected() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        (client, server)
    }

    #[test]
    fn our_own_socket_is_ours() {
        let peers = TcpPeers::new().unwrap();
        let uid = rustix::process::geteuid().as_raw();
        let (client, server) = connected();
        let (peer, local) = (server.peer_addr().unwrap(), server.local_addr().unwrap());
        for _ in 0..100 {
            let owner = peers.owner(v4(peer), v4(local)).unwrap().unwrap();
            assert_eq!(owner.uid, uid);
            assert_ne!(owner.inode, 0);
        }
        let known = admitted(&peers, peer, local, uid).unwrap();
        let place = super::super::holder::places(&[known.inode], &[])[0];
        assert_eq!(place.unwrap().pid, std::process::id());
        let (_, stranger) = admitted(&peers, peer, local, uid + 1).unwrap_err();
        assert_eq!(stranger, Stranger::OtherUser(uid));
        drop(client);
    }

    #[test]
    fn a_peer_that_left_is_unknown() {
        let peers = TcpPeers::new().unwrap();
        let (client, server) = connected();
        let (peer, local) = (server.peer_addr().unwrap(), server.local_addr().unwrap());
        drop(client);
        assert_eq!(peers.owner(v4(peer), v4(local)).unwrap(), None);
        let uid = rustix::process::geteuid().as_raw();
        let (_, stranger) = admitted(&peers, peer, local, uid).unwrap_err();
        assert_eq!(stranger, Stranger::Unknown);
    }

    /// Else one lost answer would make every later connection the one before it.
    #[test]
    fn an_answer_that_was_left_lying_is_not_the_next_ones() {
        let peers = TcpPeers::new().unwrap();
        let (_client, server) = connected();
        let (peer, local) = (
            v4(server.peer_addr().unwrap()),
            v4(server.local_addr().unwrap()),
        );
        let earlier = question(7, peer, local);
        rustix::net::send(
            &peers.0.lock().unwrap().socket,
            &earlier,
            SendFlags::empty(),
        )
        .unwrap();
        let nobody = SocketAddrV4::new(*peer.ip(), 1);
        assert_eq!(peers.owner(nobody, local).unwrap(), None);
        assert!(peers.owner(peer, local).unwrap().is_some());
    }

    /// As Java's: one family for both kinds of address.
    #[test]
    fn a_socket_of_the_other_family_has_its_owner_too() {
        use std::net::SocketAddrV6;

        use rustix::net::{bind, connect, socket};
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = v4(listener.local_addr().unwrap());
        let client = socket(AddressFamily::INET6, SocketType::STREAM, None).unwrap();
        let mapped = |port| SocketAddrV6::new(address.ip().to_ipv6_mapped(), port, 0, 0);
        bind(&client, &mapped(0)).unwrap();
        connect(&client, &mapped(address.port())).unwrap();
        let (server, peer) = listener.accept().unwrap();
        let owner = TcpPeers::new().unwrap().owner(v4(peer), address).unwrap();
        assert_eq!(
            owner.unwrap().uid,
            rustix::process::geteuid().as_raw(),
            "{server:?}"
        );
    }

    #[test]
    fn nonsense_from_the_kernel_is_nobody() {
        for message in [&[][..], &[0; 15], &[0; 16], &[0xff; 87], &[0; 88]] {
            assert_eq!(read(message), None, "{}", message.len());
        }
    }
}
