//! Reading from the disk: nobody else may be able to change what decides which programs run.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

/// A directory of our own with a configuration and a policy.
struct Disk(tempfile::TempDir);

impl Disk {
    fn new() -> Self {
        let disk = Self(tempfile::tempdir().unwrap());
        disk.write("config.toml", &WHOLE.replace("policies/", ""));
        disk.write("dev.json", POLICY);
        disk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        self.allow(name, 0o600);
    }

    fn allow(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), Permissions::from_mode(mode)).unwrap();
    }

    /// The only report of loading the configuration.
    fn refusal(&self, name: &str) -> String {
        let errors = load(&self.path(name)).expect_err("this is refused");
        assert_eq!(errors.reports().len(), 1, "{errors}");
        errors.to_string()
    }
}

#[test]
fn a_configuration_with_its_policy_loads() {
    let disk = Disk::new();
    let config = load(&disk.path("config.toml")).unwrap();
    assert_eq!(config.path, disk.path("config.toml"));
    assert!(profile(&config, "dev.eu").policy.is_some());
}

#[test]
fn a_missing_file_says_where_and_how_to_begin() {
    let disk = Disk::new();
    let refusal = disk.refusal("nothing/config.toml");
    assert!(
        refusal.contains("nothing/config.toml: there is no configuration here"),
        "{refusal}"
    );
    assert!(refusal.contains(EXAMPLE), "{refusal}");
    assert!(refusal.contains("JUMPGATE_CONFIG"), "{refusal}");
    assert!(EXAMPLE.lines().count() <= 10);
}

#[test]
fn what_others_can_write_is_refused() {
    for (name, mode) in [
        ("config.toml", 0o620),
        ("config.toml", 0o602),
        ("dev.json", 0o660),
        ("dev.json", 0o646),
        ("", 0o770),
        ("", 0o707),
    ] {
        let disk = Disk::new();
        disk.allow(name, mode);
        let refusal = disk.refusal("config.toml");
        let what = if name.is_empty() {
            "its directory"
        } else {
            "it"
        };
        let said = format!("others can write {what} (mode {mode:04o})");
        assert!(refusal.contains(&said), "{refusal}");
        assert!(refusal.contains("chmod go-w"), "{refusal}");
    }
}

#[test]
fn in_a_sticky_directory_nobody_can_replace_our_file() {
    let disk = Disk::new();
    disk.allow("", 0o1777);
    assert!(load(&disk.path("config.toml")).is_ok());
}

#[test]
fn a_link_does_not_hide_where_the_file_is() {
    let (disk, elsewhere) = (Disk::new(), Disk::new());
    elsewhere.write("config.toml", EXAMPLE);
    fs::remove_file(disk.path("config.toml")).unwrap();
    symlink(elsewhere.path("config.toml"), disk.path("config.toml")).unwrap();
    assert!(load(&disk.path("config.toml")).is_ok());
    elsewhere.allow("", 0o777);
    let refusal = disk.refusal("config.toml");
    assert!(
        refusal.contains("others can write its directory"),
        "{refusal}"
    );
}

#[test]
fn what_belongs_to_another_user_is_refused() {
    if !rustix::process::geteuid().is_root() {
        return; // Only root can give files away.
    }
    for name in ["config.toml", "dev.json", ""] {
        let disk = Disk::new();
        std::os::unix::fs::chown(disk.path(name), Some(65_534), None).unwrap();
        let refusal = disk.refusal("config.toml");
        assert!(refusal.contains("belongs to uid 65534"), "{refusal}");
    }
}

#[test]
fn no_regular_file_is_refused_without_waiting() {
    let disk = Disk::new();
    assert!(disk.refusal("").contains("no regular file"));
    let pipe = disk.path("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
    assert!(disk.refusal("pipe").contains("no regular file"));
}

#[test]
fn sizes_at_their_limits() {
    let disk = Disk::new();
    let padded = |text: &str, size: usize| format!("{text}{}", "\n".repeat(size - text.len()));
    disk.write("config.toml", &padded(EXAMPLE, MAX_CONFIG_BYTES));
    assert!(load(&disk.path("config.toml")).is_ok());
    disk.write("config.toml", &padded(EXAMPLE, MAX_CONFIG_BYTES + 1));
    assert!(
        disk.refusal("config.toml")
            .contains("more than 1048576 bytes")
    );

    let disk = Disk::new();
    disk.write("dev.json", &padded(POLICY, MAX_JSON_BYTES));
    assert!(load(&disk.path("config.toml")).is_ok());
    disk.write("dev.json", &padded(POLICY, MAX_JSON_BYTES + 1));
    assert!(
        disk.refusal("config.toml")
            .contains("more than 131072 bytes")
    );
}

#[test]
fn what_is_not_utf_8_says_from_where_on() {
    let disk = Disk::new();
    fs::write(disk.path("config.toml"), b"version = 1 # \xff").unwrap();
    assert!(
        disk.refusal("config.toml")
            .contains("not UTF-8 from byte 15 on")
    );
}
