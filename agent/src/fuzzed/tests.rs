//! Holds every target against its committed corpus, and the corpus against the targets.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// Most files and bytes of one corpus.
const MOST: (usize, u64) = (300, 1024 * 1024);

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz")
}

/// The names in a folder, without an ending.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let stem = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    let mut names: Vec<String> = entries.map(|entry| stem(entry.path())).collect();
    names.sort();
    names
}

fn replay(name: &str, target: fn(&[u8])) {
    let files = fs::read_dir(fuzz().join("corpus").join(name)).unwrap();
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    assert!(paths.len() <= MOST.0, "{} files", paths.len());
    let mut bytes = 0;
    for path in paths {
        let data = fs::read(&path).unwrap();
        bytes += u64::try_from(data.len()).unwrap();
        let held = std::panic::catch_unwind(|| target(&data));
        assert!(held.is_ok(), "{}", path.display());
    }
    assert!(bytes <= MOST.1, "{bytes} bytes");
}

macro_rules! replayed {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            replay(stringify!($name), super::$name);
        })*

        #[test]
        fn every_target_has_a_corpus_a_test_and_an_executable() {
            let mut known: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
            known.sort_unstable();
            assert_eq!(names(&fuzz().join("corpus")), known);
            assert_eq!(names(&fuzz().join("targets")), known);
            assert_eq!([$(stringify!($name)),*].as_slice(), known);
        }
    };
}

replayed!(arn aws_answers config container control imds import journal_chain journal_file messages narrow policy sdk_answers sealed_file shared_file signals stored_key words);
