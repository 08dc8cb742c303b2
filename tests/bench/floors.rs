//! Programs that do nothing, each in another way: what of a command's time is not the command's.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::figures::Bound;
use crate::section::Section;

/// A program that ends at once.
pub(crate) struct Floor {
    pub(crate) name: &'static str,
    pub(crate) program: PathBuf,
    /// What `credential-process` is to reach against it.
    pub(crate) aim: Option<Bound>,
}

/// One that is built here, as the source of its language.
struct Source {
    name: &'static str,
    file: &'static str,
    text: &'static str,
    compiler: &'static str,
    flags: &'static [&'static str],
}

/// Nothing but the kernel's part: a new process, a program mapped, its end.
const BARE: Source = Source {
    name: "a static program of one system call",
    file: "exit.c",
    #[cfg(target_arch = "x86_64")]
    text: "void _start(void) { __asm__ volatile(\"mov $60, %eax\\n xor %edi, %edi\\n syscall\"); }\n",
    #[cfg(not(target_arch = "x86_64"))]
    text: "void _start(void) { __asm__ volatile(\"mov x8, 93\\n mov x0, 0\\n svc 0\"); }\n",
    compiler: "cc",
    flags: &["-O2", "-s", "-static", "-nostdlib", "-o"],
};

/// What the client would be if it did nothing, with the C library of most systems.
const GLIBC: Source = Source {
    name: "an empty static program in Rust, glibc",
    file: "glibc.rs",
    text: "fn main() {}\n",
    compiler: "rustc",
    flags: &[
        "-Ctarget-feature=+crt-static",
        "-Copt-level=z",
        "-Cpanic=abort",
        "-Cstrip=symbols",
        "-o",
    ],
};

/// The same with the one that the client is linked with.
const MUSL: Source = Source {
    name: "an empty static program in Rust, musl",
    file: "musl.rs",
    flags: &[
        #[cfg(target_arch = "x86_64")]
        "--target=x86_64-unknown-linux-musl",
        #[cfg(not(target_arch = "x86_64"))]
        "--target=aarch64-unknown-linux-musl",
        "-Copt-level=z",
        "-Cpanic=abort",
        "-Cstrip=symbols",
        "-o",
    ],
    ..GLIBC
};

/// All of them, built in this folder. What cannot be built is said.
pub(crate) fn all(folder: &Path, section: &mut Section) -> Vec<Floor> {
    let mut floors = vec![Floor {
        name: "/bin/true",
        program: PathBuf::from("/bin/true"),
        aim: Some(Bound::AtMost(1.3)),
    }];
    for source in [BARE, GLIBC, MUSL] {
        match source.build(folder) {
            Ok(floor) => floors.push(floor),
            Err(why) => section.absent(source.name, &why),
        }
    }
    floors
}

impl Source {
    fn build(&self, folder: &Path) -> Result<Floor, String> {
        std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        let source = folder.join(self.file);
        let program = source.with_extension("");
        std::fs::write(&source, self.text).map_err(|error| error.to_string())?;
        let mut build = Command::new(self.compiler);
        let output = build.args(self.flags).arg(&program).arg(&source).output();
        let output = output.map_err(|error| format!("{}: {error}", self.compiler))?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            let line = text.lines().next().unwrap_or_default();
            return Err(format!("{} failed: {line}", self.compiler));
        }
        Ok(Floor {
            name: self.name,
            program,
            aim: None,
        })
    }
}
