//! The executables under test, under their real names in a directory of the test's own.

use std::io;
use std::path::{Path, PathBuf};

/// Where the executables are.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The client.
    pub client: PathBuf,
    /// The agent.
    pub agent: PathBuf,
}

impl Programs {
    /// The executables that Cargo built for a test: pass `env!("CARGO_BIN_EXE_test-client")` and the agent's.
    #[must_use]
    pub fn new(client: &str, agent: &str) -> Self {
        Self {
            client: client.into(),
            agent: agent.into(),
        }
    }

    /// Puts both side by side into a directory, as they are installed. Hard links, so that the kernel names the
    /// new path as the executable's.
    ///
    /// # Errors
    /// The file system's.
    pub fn install(&self, directory: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(directory)?;
        let put = |from: &Path, name: &str| {
            let to = directory.join(name);
            std::fs::hard_link(from, &to).or_else(|_| std::fs::copy(from, &to).map(drop))?;
            Ok::<_, io::Error>(to)
        };
        Ok(Self {
            client: put(&self.client, "jumpgate")?,
            agent: put(&self.agent, "jumpgate-agent")?,
        })
    }
}
