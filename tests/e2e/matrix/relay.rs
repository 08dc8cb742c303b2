//! A relay between a client and an endpoint, on loopback: it notes the head of each request and changes nothing but the
//! port in `Host`, which must be the endpoint's own. The peer that the agent sees is this process: the same user.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The head of a request, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
}

impl Head {
    fn parse(lines: &[String]) -> Self {
        let mut words = lines[0].split(' ').map(str::to_owned);
        let header = |line: &String| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_owned(), value.trim().to_owned())
        };
        Self {
            method: words.next().unwrap(),
            target: words.next().unwrap(),
            headers: lines[1..].iter().map(header).collect(),
        }
    }
}

/// It lives as long as the test's process.
pub(super) struct Relay {
    pub(super) port: String,
    heads: Arc<Mutex<Vec<Head>>>,
}

impl Relay {
    /// A relay to a port of 127.0.0.1.
    pub(super) fn to(port: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap().port().to_string();
        let heads: Arc<Mutex<Vec<Head>>> = Arc::default();
        let (noted, port, host) = (Arc::clone(&heads), port.to_owned(), own.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (noted, port, host) = (Arc::clone(&noted), port.clone(), host.clone());
                std::thread::spawn(move || relayed(client, &port, &host, &noted));
            }
        });
        Self { port: own, heads }
    }

    /// What came since the last time, in the order of arrival.
    pub(super) fn taken(&self) -> Vec<Head> {
        std::mem::take(&mut self.heads.lock().unwrap())
    }
}

/// One connection. Who cannot reach the endpoint is hung up on, as the endpoint itself would.
fn relayed(client: TcpStream, port: &str, own: &str, heads: &Mutex<Vec<Head>>) {
    let Ok(server) = TcpStream::connect(format!("127.0.0.1:{port}")) else {
        return;
    };
    let (mut answers, mut back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ended = std::io::copy(&mut answers, &mut back);
        let _ended = back.shutdown(Shutdown::Both);
    });
    let mut lines = BufReader::new(&client).lines();
    let mut server = server;
    // None of these requests has a body.
    while let Some(head) = next_head(&mut lines) {
        heads.lock().unwrap().push(Head::parse(&head));
        let to_ours = |line: &String| match line.to_ascii_lowercase().starts_with("host:") {
            true => line.replace(own, port),
            false => line.clone(),
        };
        let text: Vec<String> = head.iter().map(to_ours).collect();
        if server
            .write_all((text.join("\r\n") + "\r\n\r\n").as_bytes())
            .is_err()
        {
            break;
        }
    }
    let _ended = server.shutdown(Shutdown::Write);
}

fn next_head(lines: &mut impl Iterator<Item = std::io::Result<String>>) -> Option<Vec<String>> {
    let mut head = Vec::new();
    loop {
        match lines.next()?.ok()? {
            line if line.is_empty() => return Some(head),
            line => head.push(line),
        }
    }
}
