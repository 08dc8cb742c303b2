//! Endpoints, asked as an SDK asks them: each request on a connection of its own, and timed.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use jumpgate_tests::Lab;

const TTL: &str = "X-aws-ec2-metadata-token-ttl-seconds: 21600";
const TOKEN: &str = "X-aws-ec2-metadata-token";

/// What the double's role is called in an IMDS path.
const DOCUMENT: &str = "latest/meta-data/iam/security-credentials/Developer";

/// How long an answer is waited for: far beyond every limit.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request that gets a session, ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    pub(crate) url: String,
    pub(crate) header: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// 0 when nobody answered.
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) took: Duration,
}

/// The two kinds of endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Container,
    Imds,
}

impl Kind {
    pub(crate) const BOTH: [Self; 2] = [Self::Container, Self::Imds];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Imds => "imds",
        }
    }
}

impl Door {
    /// Opens a standing endpoint of a profile.
    ///
    /// # Panics
    /// It is refused.
    pub(crate) fn open(lab: &Lab, profile: &str, kind: Kind) -> Self {
        let arguments = [
            "endpoint",
            profile,
            "--kind",
            kind.name(),
            "--format",
            "json",
        ];
        let shown = lab.run(&arguments).good().json();
        let text = |key: &str| shown[key].as_str().unwrap_or_default().to_owned();
        match kind {
            Kind::Container => Self::container(text("url"), &text("token")),
            Kind::Imds => Self::imds(&text("url")),
        }
    }

    pub(crate) fn container(url: String, token: &str) -> Self {
        let header = format!("Authorization: {token}");
        Self { url, header }
    }

    /// # Panics
    /// No token is given.
    pub(crate) fn imds(root: &str) -> Self {
        let root = root.trim_end_matches('/');
        let token = ask("PUT", &format!("{root}/latest/api/token"), TTL);
        assert_eq!(token.status, 200, "a token: {}", token.body);
        Self {
            url: format!("{root}/{DOCUMENT}"),
            header: format!("{TOKEN}: {}", token.body),
        }
    }

    pub(crate) fn ask(&self) -> Answer {
        ask("GET", &self.url, &self.header)
    }

    /// The same as a program does that has just started, and at IMDS gets itself a token first.
    pub(crate) fn asked_anew(&self) -> Answer {
        match self.url.strip_suffix(DOCUMENT) {
            Some(root) => Self::imds(root).ask(),
            None => self.ask(),
        }
    }
}

fn ask(method: &str, url: &str, header: &str) -> Answer {
    let began = Instant::now();
    let answer = exchange(method, url, header).unwrap_or_default();
    let took = began.elapsed();
    let status = answer.split(' ').nth(1).and_then(|word| word.parse().ok());
    let body = answer.split_once("\r\n\r\n").unwrap_or_default().1;
    Answer {
        status: status.unwrap_or(0),
        body: body.to_owned(),
        took,
    }
}

fn exchange(method: &str, url: &str, header: &str) -> std::io::Result<String> {
    let address = url.trim_start_matches("http://");
    let (address, path) = address.split_once('/').unwrap_or((address, ""));
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let head = format!(
        "{method} /{path} HTTP/1.1\r\nHost: {address}\r\n{header}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
