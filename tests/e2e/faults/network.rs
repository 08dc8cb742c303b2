//! What lies between the agent and STS breaks: the resolver of names, the proxy. The double is behind TLS here, under a
//! name, as STS is.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::Child;
use std::sync::{Arc, Mutex};

use jumpgate_tests::Lab;
use jumpgate_tests::lab::finish;

use super::examine::{Fault, examine};
use crate::built::preload;
use crate::surroundings::{has, next_line, piped};

/// STS's name here.
const NAME: &str = "sts.jumpgate.test";

/// The proxy takes it from nobody's files.
const PASSWORD: &str = "canary-password-of-the-proxy";

/// TLS in front of the double, until it is dropped.
struct Front {
    server: Child,
    port: u16,
}

impl Front {
    /// With a certificate for [`NAME`]; who signed it is in `ca.pem`.
    fn start(lab: &Lab) -> Self {
        let openssl = |arguments: &str| {
            let fresh = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
            let arguments = format!("{fresh} {arguments}");
            let arguments: Vec<&str> = arguments.split(' ').collect();
            finish(lab.program(Path::new("openssl"), &arguments), "").good();
        };
        openssl("-keyout ca.key -out ca.pem -subj /CN=ca");
        openssl(&format!(
            "-CA ca.pem -CAkey ca.key -keyout key.pem -out cert.pem -subj /CN=sts \
             -addext subjectAltName=DNS:{NAME} -addext basicConstraints=CA:FALSE"
        ));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/faults/tls_front.py");
        let behind = lab.double.address().port().to_string();
        let arguments = [script.to_str().unwrap(), "cert.pem", "key.pem", &behind];
        let (server, mut output) = piped(lab.program(Path::new("python3"), &arguments));
        let port = next_line(&mut output).parse().unwrap();
        Self { server, port }
    }

    /// Has the identity find STS there.
    fn is_sts(lab: &Lab, port: Option<u16>) {
        let before = format!("sts_endpoint = \"{}\"", lab.double.url());
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        let ca = lab.path("ca.pem");
        let after = format!(
            "sts_endpoint = \"https://{NAME}{port}\"\nca_bundle = \"{}\"",
            ca.display()
        );
        let text = lab.configuration();
        assert!(text.contains(&before));
        lab.configure(&text.replace(&before, &after));
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        let _gone = self.server.kill();
        let _gone = self.server.wait();
    }
}

/// What is told of what, by the file that the preloaded resolver reads.
fn name_fault(
    name: &'static str,
    how: &'static str,
    at_most: &'static str,
    word: &'static str,
) -> Fault {
    let front = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&front);
    let say = |lab: &Lab, word: &str| std::fs::write(lab.path("names"), word).unwrap();
    let put = move |lab: &Lab| say(lab, word);
    let away = move |lab: &Lab| {
        assert!(kept.lock().unwrap().is_some());
        say(lab, "");
    };
    Fault {
        patient: if word == "lost" { |_| true } else { |_| false },
        prepare: Box::new(move |lab| {
            say(lab, "");
            lab.set("NAMES", &lab.path("names").display().to_string());
            preload(lab, &["later.c", "faults/names.c"]);
            let started = Front::start(lab);
            Front::is_sts(lab, Some(started.port));
            *front.lock().unwrap() = Some(started);
        }),
        ..Fault::new([name, how, at_most], put, away)
    }
}

/// How a proxy behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Tunnels,
    Refuses,
    Breaks,
    Hangs,
}

/// A proxy on loopback, which leads everybody to one port.
#[derive(Clone)]
struct Proxy {
    port: u16,
    manner: Arc<Mutex<Manner>>,
}

impl Proxy {
    /// It lives as long as the test's process.
    fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            manner: Arc::new(Mutex::new(Manner::Tunnels)),
        };
        let manner = Arc::clone(&proxy.manner);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let manner = *manner.lock().unwrap();
                std::thread::spawn(move || serve(stream, manner, to));
            }
        });
        proxy
    }

    fn is(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }
}

/// One connection. Whatever goes wrong ends it.
fn serve(mut stream: TcpStream, manner: Manner, to: u16) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    match manner {
        Manner::Tunnels => tunnel(stream, to),
        Manner::Refuses => {
            let refusal =
                b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(refusal).ok()
        }
        Manner::Breaks => {
            let at_once = Some(std::time::Duration::ZERO);
            rustix::net::sockopt::set_socket_linger(&stream, at_once).ok()
        }
        Manner::Hangs => stream.read_to_end(&mut head).ok().map(drop),
    }
}

fn tunnel(mut stream: TcpStream, to: u16) -> Option<()> {
    let mut far = TcpStream::connect(("127.0.0.1", to)).ok()?;
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
    let (mut from, mut back) = (stream.try_clone().ok()?, far.try_clone().ok()?);
    let there = std::thread::spawn(move || {
        let _ended = std::io::copy(&mut from, &mut back);
        back.shutdown(Shutdown::Both)
    });
    let _ended = std::io::copy(&mut far, &mut stream);
    let _gone = stream.shutdown(Shutdown::Both);
    there.join().ok()?.ok()
}

fn proxy_fault(
    name: &'static str,
    how: &'static str,
    at_most: &'static str,
    manner: Manner,
) -> Fault {
    let shared: Arc<Mutex<Option<(Front, Proxy)>>> = Arc::default();
    let (of_put, of_away) = (Arc::clone(&shared), Arc::clone(&shared));
    let is = |shared: &Mutex<Option<(Front, Proxy)>>, manner| {
        shared.lock().unwrap().as_ref().unwrap().1.is(manner);
    };
    let (put, away) = (
        move |_: &Lab| is(&of_put, manner),
        move |_: &Lab| is(&of_away, Manner::Tunnels),
    );
    Fault {
        patient: if manner == Manner::Hangs {
            |_| false
        } else {
            |_| true
        },
        prepare: Box::new(move |lab| {
            let front = Front::start(lab);
            Front::is_sts(lab, None);
            let proxy = Proxy::start(front.port);
            let address = format!("http://me:{PASSWORD}@127.0.0.1:{}", proxy.port);
            lab.set("HTTPS_PROXY", &address);
            lab.add_secret(PASSWORD);
            *shared.lock().unwrap() = Some((front, proxy));
        }),
        ..Fault::new([name, how, at_most], put, away)
    }
}

/// Whether there is what the double needs to be behind TLS.
fn has_tls(what: &str) -> bool {
    has("openssl", what) && has("python3", what)
}

const THRICE: &str = "for three attempts, 12 s at most, and for one where a code is sent; an endpoint that gave up with \
                      503 `upstream_timed_out` before the third has the failure at the next request. It is remembered for 3 s";

const CONNECTING: &str = "3 s for each of three connections, and for one where a code is sent; 5 s where a session still lives; \
                          at an endpoint 0.7 s. The failure is remembered for 3 s";

#[test]
fn the_name_of_sts() {
    if has_tls("STS under a name") {
        examine(vec![
            name_fault(
                "STS's name is not found",
                "The resolver answers every look-up with a temporary failure.",
                THRICE,
                "lost",
            ),
            name_fault(
                "The resolver hangs",
                "No look-up of a name ever ends.",
                CONNECTING,
                "hang",
            ),
        ]);
    }
}

#[test]
fn the_proxy() {
    if has_tls("STS behind a proxy") {
        examine(vec![
            proxy_fault(
                "The proxy refuses",
                "`HTTPS_PROXY` answers every CONNECT with 407.",
                THRICE,
                Manner::Refuses,
            ),
            proxy_fault(
                "The proxy dies",
                "`HTTPS_PROXY` resets every connection once it is asked for a tunnel.",
                THRICE,
                Manner::Breaks,
            ),
            proxy_fault(
                "The proxy hangs",
                "`HTTPS_PROXY` takes every connection and never answers.",
                CONNECTING,
                Manner::Hangs,
            ),
        ]);
    }
}
