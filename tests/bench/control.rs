//! The control socket, asked without a client: thousands of processes would measure the kernel.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use jumpgate_tests::Lab;

/// Asks once, on a connection of its own; returns the reply's body and how long it took.
///
/// # Panics
/// It is refused.
pub(crate) fn ask(lab: &Lab, method: &str, path: &str, body: &str) -> (String, Duration) {
    let began = Instant::now();
    let reply = exchange(lab, method, path, body).expect("an agent that answers");
    let took = began.elapsed();
    assert!(reply.starts_with("HTTP/1.1 200"), "{path}: {reply}");
    let body = reply.split_once("\r\n\r\n").unwrap_or_default().1;
    (body.to_owned(), took)
}

fn exchange(lab: &Lab, method: &str, path: &str, body: &str) -> std::io::Result<String> {
    let mut stream = UnixStream::connect(lab.socket())?;
    let length = body.len();
    // As the client asks: what the agent takes to read it is part of what is measured.
    let head = format!(
        "{method} /v1/{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all((head + body).as_bytes())?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    Ok(reply)
}

/// A lease of a profile's session, as `credential-process` gets it; of a session of its own where it asks for another
/// life.
pub(crate) fn lease(lab: &Lab, profile: &str, seconds: Option<usize>) -> Duration {
    let narrow = seconds.map_or(String::new(), |seconds| {
        format!(r#","narrow":{{"duration_seconds":{seconds}}}"#)
    });
    let body = format!(r#"{{"profile":"{profile}","interface":"process"{narrow}}}"#);
    ask(lab, "POST", "credentials", &body).1
}
