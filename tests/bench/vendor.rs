//! What mairu fetches sessions from: a server of its credential API that gives one session to whoever asks. It is asked
//! once; what is measured afterwards is mairu's own agent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

/// Starts it. It lives as long as this process. Returns its address, with the final slash that mairu wants.
///
/// # Panics
/// There is no loopback port.
pub(crate) fn start(session: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    let address = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Who goes away has no answer.
            let _left = answer(&stream, &session);
        }
    });
    format!("http://{address}/")
}

fn answer(mut stream: &TcpStream, session: &str) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.is_empty() {
            break;
        }
    }
    // A request that is left unread would reset the connection before its answer is read.
    std::io::copy(&mut reader.take(length), &mut std::io::sink())?;
    let body = match first.split(' ').nth(1) {
        Some("/oauth/device") => {
            r#"{"device_code":"d","user_code":"u","verification_uri":"http://127.0.0.1/","expires_in":600,"interval":5}"#
        }
        Some("/oauth/token") => r#"{"access_token":"a","token_type":"bearer","expires_in":3600}"#,
        _ => session,
    };
    let size = body.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n{body}"
    )
}
