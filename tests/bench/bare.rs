//! What the endpoints are measured against: a server that says the same few bytes to everyone, on the same hyper and
//! the same kind of runtime as the agent, and nothing else. It is this program again, in a process of its own.

use std::convert::Infallible;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

/// The argument that makes this program the server; the size of the body follows it.
pub(crate) const ARGUMENT: &str = "--bare";

/// Serves until it is killed. Its first line of output is its port.
///
/// # Errors
/// The network's.
pub(crate) fn serve(bytes: usize) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        writeln!(io::stdout(), "{}", listener.local_addr()?.port())?;
        let body = Bytes::from(vec![b'.'; bytes]);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(connection(stream, body.clone()));
        }
    })
}

async fn connection(stream: TcpStream, body: Bytes) {
    let hello = service_fn(|_: Request<_>| {
        let reply = Response::new(Full::new(body.clone()));
        async { Ok::<_, Infallible>(reply) }
    });
    let served = hyper::server::conn::http1::Builder::new();
    let _peer_left = served.serve_connection(TokioIo::new(stream), hello).await;
}

/// A running bare server.
pub(crate) struct Bare {
    child: Child,
    pub(crate) url: String,
}

impl Bare {
    /// # Errors
    /// This program cannot be started again.
    pub(crate) fn start(bytes: usize) -> io::Result<Self> {
        // The file as it is mapped: it may have been built anew meanwhile.
        let mut child = Command::new("/proc/self/exe")
            .args([ARGUMENT, &bytes.to_string()])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut port = String::new();
        let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        BufReader::new(output).read_line(&mut port)?;
        let url = format!("http://127.0.0.1:{}/", port.trim());
        Ok(Self { child, url })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}
