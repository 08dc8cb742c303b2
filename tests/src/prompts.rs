//! Programs that answer for a person, and count how often they were asked.
//!
//! The answers come from a thread of the test over a loopback port, so that no secret stands in a file.

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A program that prints an answer.
#[derive(Debug)]
pub struct Prompt {
    /// The program.
    pub program: PathBuf,
    asked: Arc<AtomicUsize>,
}

impl Prompt {
    /// Writes the program `name` into `directory`; each run prints one line of `answer`. It lives as long as the
    /// test's process.
    ///
    /// # Panics
    /// Without a loopback port or a writable directory there is no test.
    pub fn new(directory: &Path, name: &str, answer: impl Fn() -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let port = listener
            .local_addr()
            .expect("a bound listener has an address")
            .port();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                count.fetch_add(1, Ordering::SeqCst);
                let _left = stream.write_all(format!("{}\n", answer()).as_bytes());
            }
        });
        let program = directory.join(name);
        let script = format!("#!/bin/bash\nexec 3<>/dev/tcp/127.0.0.1/{port}\nexec cat <&3\n");
        std::fs::write(&program, script).expect("a writable directory");
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&program, mode).expect("our own file");
        Self { program, asked }
    }

    /// How often it was asked.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}
