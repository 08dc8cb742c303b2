//! An STS of recorded answers, on loopback: says what it is told to, and remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What is done with a connection.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// A status and a body of XML.
    Xml(u16, String),
    /// These bytes, then the end of the connection.
    Raw(Vec<u8>),
    /// The connection is reset when the request is read.
    Reset,
    /// Nothing, until the client gives up.
    Hang,
    /// The bytes of a CONNECT request are let through to this address.
    Splice(SocketAddr),
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// The first line.
    pub(super) line: String,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    /// The body, decoded as a form.
    pub(super) form: Vec<(String, String)>,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter().filter(|(key, _)| key == name);
        let first = all.next().map(|(_, value)| value.as_str());
        assert!(all.next().is_none(), "{name} twice");
        first
    }

    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let mut all = self.form.iter();
        all.find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The server; connections beyond its script are refused.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub(super) fn plain(script: Vec<Reply>) -> Self {
        Self::start(script, None)
    }

    pub(super) fn tls(script: Vec<Reply>) -> Self {
        let certificates = CertificateDer::pem_slice_iter(include_bytes!("../testdata/server.pem"));
        let key = PrivateKeyDer::from_pem_slice(include_bytes!("../testdata/server.key")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(certificates.map(Result::unwrap).collect(), key)
            .unwrap();
        Self::start(script, Some(Arc::new(config)))
    }

    fn start(script: Vec<Reply>, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let server = Self {
            address,
            seen: Arc::clone(&seen),
        };
        std::thread::spawn(move || {
            for reply in script {
                let (stream, _) = listener.accept().unwrap();
                // A client that goes away in the middle is what some tests are about.
                let _ = match &tls {
                    None => serve(stream, &reply, &seen),
                    Some(config) => {
                        let session = ServerConnection::new(Arc::clone(config)).unwrap();
                        serve(StreamOwned::new(session, stream), &reply, &seen)
                    }
                };
            }
        });
        server
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The only request that came.
    pub(super) fn only(&self) -> Seen {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen[0].clone()
    }
}

/// A stream whose TCP connection can be got at.
trait Wire: Read + Write {
    fn tcp(&self) -> &TcpStream;
}

impl Wire for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Wire for StreamOwned<ServerConnection, TcpStream> {
    fn tcp(&self) -> &TcpStream {
        &self.sock
    }
}

fn serve(mut stream: impl Wire, reply: &Reply, seen: &Mutex<Vec<Seen>>) -> std::io::Result<()> {
    let request = read_request(&mut stream)?;
    seen.lock().unwrap().push(request);
    match reply {
        Reply::Xml(status, body) => write!(
            stream,
            "HTTP/1.1 {status} Status\r\nContent-Type: text/xml\r\nx-amzn-RequestId: request-id-of-the-head\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
        Reply::Raw(bytes) => stream.write_all(bytes),
        Reply::Reset => rustix::net::sockopt::set_socket_linger(stream.tcp(), Some(Duration::ZERO))
            .map_err(Into::into),
        Reply::Hang => stream.read(&mut [0]).map(|_| ()),
        Reply::Splice(target) => splice(stream, *target),
    }
}

fn splice(mut client: impl Wire, target: SocketAddr) -> std::io::Result<()> {
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let upstream = TcpStream::connect(target)?;
    let (mut to, mut from) = (upstream.try_clone()?, client.tcp().try_clone()?);
    let forth = std::thread::spawn(move || std::io::copy(&mut from, &mut to).map(|_| ()));
    let _ = std::io::copy(&mut &upstream, &mut client);
    let _ = client.tcp().shutdown(std::net::Shutdown::Both);
    let _ = forth.join();
    Ok(())
}

fn read_request(stream: &mut impl Wire) -> std::io::Result<Seen> {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let headers: Vec<(String, String)> = head[1..]
        .iter()
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, value)| value.parse().unwrap())];
    reader.read_exact(&mut body)?;
    let body = String::from_utf8(body).unwrap();
    let pairs = body.split('&').filter(|pair| !pair.is_empty());
    Ok(Seen {
        line: head[0].clone(),
        headers,
        form: pairs
            .map(|pair| pair.split_once('=').unwrap())
            .map(|(key, value)| (decoded(key), decoded(value)))
            .collect(),
    })
}

fn decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            other => other,
        });
    }
    String::from_utf8(plain).unwrap()
}
