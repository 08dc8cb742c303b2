//! docs/performance.md: people write the explanations, a run writes what stands between markers.
//!
//! A marker is a line `<!-- bench: NAME -->`; what a run found follows it, up to a line `<!-- end -->`. NAME is a part of the
//! bench, `machine` or `agreement`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Begins a block.
const BEGIN: &str = "<!-- bench: ";

/// Ends one.
const END: &str = "<!-- end -->";

/// The document, in the tree that this program was built from.
pub(crate) fn place() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/performance.md")
}

/// Replaces a block, or says why not.
///
/// # Errors
/// The file system's; or the document has no such block, or one without an end.
pub(crate) fn write(file: &Path, name: &str, block: &str) -> io::Result<()> {
    let text = std::fs::read_to_string(file)?;
    let text = replaced(&text, name, block).ok_or_else(|| {
        let place = file.display();
        io::Error::other(format!("{place}: no `{BEGIN}{name} -->` with an `{END}`"))
    })?;
    // Who reads it meanwhile sees the old text or the new one.
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(text.as_bytes())?;
    new.as_file()
        .set_permissions(file.metadata()?.permissions())?;
    new.persist(file)?;
    Ok(())
}

/// The text with another block of this name. `None`: it has none.
fn replaced(text: &str, name: &str, block: &str) -> Option<String> {
    let begin = format!("{BEGIN}{name} -->\n");
    let from = text.find(&begin)? + begin.len();
    let rest = &text[from..];
    let to = from + rest.find(END)?;
    // A block without an end would swallow the next one.
    if text[from..to].contains(BEGIN) {
        return None;
    }
    let (before, after) = (&text[..from], &text[to..]);
    Some(format!("{before}\n{}\n\n{after}", block.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Why.\n\n<!-- bench: a -->\n\nold\n\n<!-- end -->\n\nThen.\n<!-- bench: b -->\n<!-- end -->\n";

    #[test]
    fn what_stands_between_markers_is_replaced_and_nothing_else() {
        let once = replaced(TEXT, "a", "\nnew\n").expect("a block");
        assert_eq!(once, TEXT.replace("old", "new"));
        let twice = replaced(&once, "b", "more").expect("a block");
        assert_eq!(replaced(&twice, "b", "more"), Some(twice.clone()));
        assert!(twice.contains("Then.\n<!-- bench: b -->\n\nmore\n\n<!-- end -->\n"));
    }

    #[test]
    fn a_block_that_is_not_there_or_does_not_end_is_not_written() {
        assert_eq!(replaced(TEXT, "c", "new"), None);
        let endless = TEXT.replacen(END, "", 1);
        assert_eq!(replaced(&endless, "a", "new"), None);
    }

    #[test]
    fn the_file_is_replaced_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("performance.md");
        std::fs::write(&file, TEXT).expect("a file");
        write(&file, "a", "new").expect("a block");
        let text = std::fs::read_to_string(&file).expect("a file");
        assert_eq!(text, TEXT.replace("old", "new"));
        assert!(write(&file, "c", "new").is_err());
        let left = std::fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(left, 1);
    }
}
