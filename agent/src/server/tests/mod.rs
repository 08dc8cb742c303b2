//! Endpoints on real loopback listeners, before a broker with scripted ports.
#![allow(clippy::unwrap_used)]

mod connections;
mod container;
mod imds;
mod rules;

use std::sync::Arc;
use std::time::Duration;

use jumpgate_api::{EndpointKind, EndpointReply, EndpointRequest, Narrow};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::endpoints::Endpoints;
use crate::broker::tests::{House, Same};
use crate::domain::event::{Activity, Event};
use crate::domain::peer::Peer;
use crate::domain::profile::Profile;
use crate::domain::samples::profile;

/// A broker, its endpoints, and the directory of their tokens.
struct Site {
    house: House,
    endpoints: Arc<Endpoints>,
    home: tempfile::TempDir,
}

/// An answer as it came over the wire.
#[derive(Debug)]
struct Answered {
    status: u16,
    head: String,
    body: String,
}

impl Answered {
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1);
        let pairs = lines.filter_map(|line| line.split_once(": "));
        let mut found = pairs.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value)
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// One connection.
struct Wire {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl Wire {
    async fn to(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let rest = Vec::new();
        Self { stream, rest }
    }

    async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// The next answer; `None` when the connection ended. `bodiless` for answers to HEAD.
    async fn next(&mut self, bodiless: bool) -> Option<Answered> {
        let end = self.until(|bytes| bytes.windows(4).position(|four| four == b"\r\n\r\n"));
        let end = end.await? + 4;
        let head: Vec<u8> = self.rest.drain(..end).collect();
        let head = String::from_utf8(head).unwrap();
        let mut answered = Answered {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head,
            body: String::new(),
        };
        let length: usize = answered.header("content-length")?.parse().unwrap();
        let length = if bodiless { 0 } else { length };
        self.until(|bytes| (bytes.len() >= length).then_some(()))
            .await?;
        let body: Vec<u8> = self.rest.drain(..length).collect();
        answered.body = String::from_utf8(body).unwrap();
        Some(answered)
    }

    async fn until<T>(&mut self, found: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
        loop {
            if let Some(found) = found(&self.rest) {
                return Some(found);
            }
            if self.stream.read_buf(&mut self.rest).await.ok()? == 0 {
                return None;
            }
        }
    }
}

/// Sends a request line and headers on a connection of their own.
async fn ask(port: u16, line: &str, headers: &[(&str, &str)]) -> Answered {
    let mut wire = Wire::to(port).await;
    wire.send(&request(line, headers)).await;
    wire.next(line.starts_with("HEAD")).await.unwrap()
}

/// A request with the `Host` of an SDK, unless the headers have one.
fn request(line: &str, headers: &[(&str, &str)]) -> String {
    let mut text = format!("{line} HTTP/1.1\r\n");
    if !headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("host"))
    {
        text.push_str("Host: 127.0.0.1\r\n");
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text + "\r\n"
}

/// A peer that stays the process that it was.
fn same() -> Arc<Same> {
    Arc::new(Same)
}

fn me() -> Peer {
    Peer {
        pid: std::process::id(),
        uid: rustix::process::geteuid().as_raw(),
        executable: super::peer::executable(std::process::id()),
        origin: None,
    }
}

fn wish(kind: EndpointKind, name: &str) -> EndpointRequest {
    EndpointRequest {
        profile: name.to_owned(),
        kind,
        narrow: Narrow::default(),
        until_exit: false,
    }
}

fn port_of(url: &str) -> u16 {
    let rest = url.strip_prefix("http://127.0.0.1:").unwrap();
    rest.split('/').next().unwrap().parse().unwrap()
}

impl Site {
    fn of(house: House) -> Self {
        let home = tempfile::tempdir().unwrap();
        let tokens = home.path().join("tokens");
        let endpoints = Endpoints::new(Arc::clone(&house.broker), tokens, me());
        Self {
            house,
            endpoints,
            home,
        }
    }

    fn new() -> Self {
        Self::of(House::plain(vec![regional(), profile("prod")]))
    }

    async fn open(&self, kind: EndpointKind, name: &str) -> EndpointReply {
        self.endpoints
            .open(&me(), same(), wish(kind, name))
            .await
            .unwrap()
    }

    /// The records of refusals, those still gathered included.
    async fn refusals(&self) -> Vec<Event> {
        self.house.broker.flush_denials().await;
        self.house.journal.of(Activity::Deny)
    }
}

/// Why each kind of request was refused, by the journal.
async fn reasons(site: &Site) -> Vec<String> {
    let refusals = site.refusals().await.into_iter();
    let mut reasons: Vec<_> = refusals.filter_map(|event| event.failure).collect();
    reasons.sort();
    reasons
}

/// The profile `dev` with a region.
fn regional() -> Profile {
    let mut profile = profile("dev");
    profile.region = Some(jumpgate_iam::Region::parse("eu-central-1").unwrap());
    profile
}

/// Whether every time in a document has the one form that all SDKs read.
fn is_plain_time(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    shape == "0000-00-00T00:00:00Z"
}
