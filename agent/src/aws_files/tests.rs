//! Files are replaced as a whole, keep their mode and their links, and are never lost.

#![allow(clippy::unwrap_used)]

use std::fs;

use super::*;

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().mode() & 0o7777
}

#[test]
fn a_file_is_replaced_and_keeps_its_mode() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config");
    fs::write(&path, "one").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    replace(&path, "one", "two").unwrap();
    assert_eq!(
        (fs::read_to_string(&path).unwrap().as_str(), mode(&path)),
        ("two", 0o640)
    );
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
}

#[test]
fn a_link_stays_one() {
    let home = tempfile::tempdir().unwrap();
    let (target, link) = (
        home.path().join("dotfiles/config"),
        home.path().join("config"),
    );
    fs::create_dir(home.path().join("dotfiles")).unwrap();
    fs::write(&target, "one").unwrap();
    std::os::unix::fs::symlink("dotfiles/config", &link).unwrap();
    replace(&link, "one", "two").unwrap();
    assert!(link.is_symlink());
    assert_eq!(fs::read_to_string(&target).unwrap(), "two");
}

#[test]
fn a_new_file_is_for_us_alone_and_so_is_its_directory() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a/.aws/config");
    assert!(read(&path).unwrap().is_empty());
    replace(&path, "", "one").unwrap();
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
}

#[test]
fn what_somebody_else_changed_meanwhile_is_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config");
    fs::write(&path, "theirs").unwrap();
    let refused = replace(&path, "one", "two").unwrap_err().to_string();
    assert!(
        refused.ends_with("somebody else has changed it meanwhile; nothing was written"),
        "{refused}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "theirs");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
}

#[test]
fn backups_are_for_us_alone_and_none_takes_the_place_of_another() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("credentials");
    let names: Vec<PathBuf> = (0..MAX_BACKUPS)
        .map(|_| back_up(&path, "x").unwrap())
        .collect();
    assert!(names[0].ends_with("credentials.jumpgate-backup"));
    assert!(names[19].ends_with("credentials.jumpgate-backup-20"));
    assert!(names.iter().all(|name| mode(name) == 0o600));
    assert!(back_up(&path, "x").is_err());
}

#[test]
fn a_file_has_a_maximum_and_is_text() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config");
    for (bytes, refused) in [
        (vec![b'#'; MAX_SHARED_FILE_BYTES], None),
        (
            vec![b'#'; MAX_SHARED_FILE_BYTES + 1],
            Some("it has more than 1048576 bytes"),
        ),
        (b"#\xff".to_vec(), Some("it is not UTF-8 from byte 2 on")),
    ] {
        fs::write(&path, bytes).unwrap();
        let what = read(&path).err().map(|error| error.why.to_string());
        assert_eq!(what.as_deref(), refused);
    }
    assert_eq!(
        read(home.path()).unwrap_err().why.to_string(),
        "it is no regular file"
    );
}

#[test]
fn a_program_that_others_can_write_is_known() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("jumpgate");
    fs::write(&path, "").unwrap();
    for (file, directory, open) in [
        (0o755, 0o755, false),
        (0o775, 0o755, true),
        (0o757, 0o755, true),
        (0o755, 0o775, true),
        (0o755, 0o1777, false),
    ] {
        fs::set_permissions(&path, fs::Permissions::from_mode(file)).unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(directory)).unwrap();
        assert_eq!(is_open_to_others(&path), open, "{file:o} in {directory:o}");
    }
}
