//! The search for secrets in everything that was written.

use std::collections::HashMap;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use base64::Engine;

/// Shorter texts would be found by chance.
const SHORTEST: usize = 8;

/// Registers secrets for the search that `tests/run` makes at its end.
pub fn register(secrets: &[String]) {
    let Some(path) = std::env::var_os("JUMPGATE_CANARIES") else {
        return;
    };
    let lines: String = forms(secrets)
        .into_iter()
        .map(|form| String::from_utf8_lossy(&form).into_owned() + "\n")
        .collect();
    if let Ok(mut file) = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
    {
        let _nobody_reads = file.write_all(lines.as_bytes());
    }
}

/// Whether a whole run's search comes later, so that tests leave what they wrote.
#[must_use]
pub fn keeps_files() -> bool {
    std::env::var_os("JUMPGATE_CANARIES").is_some()
}

/// The files below `directory` in which one of the secrets stands: as it is, in Base64, in hex, percent-encoded or
/// escaped as JSON.
#[must_use]
pub fn found(directory: &Path, secrets: &[String]) -> Vec<PathBuf> {
    let forms = Forms::of(secrets);
    let mut hits = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory)
            .into_iter()
            .flatten()
            .flatten()
        {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(path),
                // The executables under test are linked into a lab's home, and large.
                Ok(kind) if kind.is_file() && has_one_name(&entry) => {
                    let bytes = std::fs::read(&path).unwrap_or_default();
                    if forms.stand_in(&bytes) {
                        hits.push(path);
                    }
                }
                _ => {}
            }
        }
    }
    hits
}

fn has_one_name(entry: &std::fs::DirEntry) -> bool {
    entry.metadata().is_ok_and(|file| file.nlink() == 1)
}

fn forms(secrets: &[String]) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for secret in secrets.iter().filter(|secret| secret.len() >= SHORTEST) {
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        let encoded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(secret);
        let escaped = secret.replace('/', "\\/");
        let percent = secret
            .replace('/', "%2F")
            .replace('+', "%2B")
            .replace('=', "%3D");
        // The last characters of Base64 depend on what follows.
        let kept = encoded.len().saturating_sub(2);
        forms.extend([
            secret.clone(),
            hex,
            encoded[..kept].to_owned(),
            escaped,
            percent,
        ]);
    }
    forms.sort();
    forms.dedup();
    forms.into_iter().map(String::into_bytes).collect()
}

/// What is looked for, by how it begins: there may be thousands, all beginning alike, and files of many megabytes.
struct Forms {
    all: HashMap<[u8; SHORTEST], Vec<Vec<u8>>>,
    /// Which bytes one of them begins with.
    first: [bool; 256],
}

impl Forms {
    fn of(secrets: &[String]) -> Self {
        let mut all: HashMap<_, Vec<Vec<u8>>> = HashMap::new();
        let mut first = [false; 256];
        for form in forms(secrets) {
            if let Some(beginning) = form.first_chunk::<SHORTEST>().copied() {
                first[usize::from(beginning[0])] = true;
                all.entry(beginning).or_default().push(form);
            }
        }
        Self { all, first }
    }

    fn stand_in(&self, bytes: &[u8]) -> bool {
        let mut places = bytes.windows(SHORTEST).enumerate();
        places.any(|(at, beginning)| {
            self.first[usize::from(beginning[0])]
                && self
                    .all
                    .get(beginning)
                    .is_some_and(|forms| forms.iter().any(|form| bytes[at..].starts_with(form)))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_form_is_found_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let secret = "wJalr/XUtn+canary=".to_owned();
        for text in forms(std::slice::from_ref(&secret)) {
            let file = home.path().join("a.log");
            std::fs::write(&file, [b"x: ", text.as_slice(), b" y"].concat()).unwrap();
            assert_eq!(
                found(home.path(), std::slice::from_ref(&secret)),
                std::slice::from_ref(&file)
            );
            std::fs::write(&file, "x: wJalr/XUtn+CANARY= y").unwrap();
            assert!(found(home.path(), std::slice::from_ref(&secret)).is_empty());
        }
    }
}
