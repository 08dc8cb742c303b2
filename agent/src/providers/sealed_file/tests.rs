//! The store on a real directory.

#![allow(clippy::unwrap_used)]
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use super::*;
use crate::providers::samples::{identity, key};

struct Bench {
    home: tempfile::TempDir,
    store: SealedFileStore,
    passphrase: Secret<String>,
}

impl Bench {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let store = SealedFileStore::trivial(home.path().join("state/jumpgate/identities"));
        let passphrase = "open sesame".into();
        Self {
            home,
            store,
            passphrase,
        }
    }

    async fn with_a_key() -> Self {
        let bench = Self::new();
        bench.save("jump", "first").await.unwrap();
        bench
    }

    async fn save(&self, name: &str, secret: &str) -> Result<(), StoreError> {
        let (identity, key) = (identity(name), key(secret));
        let passphrase = Some(&self.passphrase);
        self.store.save(&identity, &key, passphrase).await
    }

    async fn load(&self, name: &str) -> Result<StoredKey, StoreError> {
        let identity = identity(name);
        self.store.load(&identity, Some(&self.passphrase)).await
    }

    async fn remove(&self, name: &str) -> Result<(), StoreError> {
        self.store.remove(&identity(name)).await
    }

    fn path(&self, file: &str) -> PathBuf {
        self.store.directory.join(file)
    }

    fn files(&self) -> Vec<String> {
        let files = std::fs::read_dir(&self.store.directory).unwrap();
        let mut names: Vec<String> = files
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

#[tokio::test]
async fn a_key_is_kept_replaced_and_removed() {
    let bench = Bench::new();
    assert_eq!(bench.load("jump").await, Err(StoreError::NothingStored));
    assert_eq!(bench.remove("jump").await, Err(StoreError::NothingStored));
    bench.save("jump", "first").await.unwrap();
    assert_eq!(bench.load("jump").await, Ok(key("first")));
    bench.save("jump", "second").await.unwrap();
    assert_eq!(bench.load("jump").await, Ok(key("second")));
    assert_eq!(bench.load("other").await, Err(StoreError::NothingStored));
    assert_eq!(bench.files(), ["jump.age"]);
    bench.remove("jump").await.unwrap();
    assert_eq!(bench.remove("jump").await, Err(StoreError::NothingStored));
    assert!(bench.files().is_empty());
    assert!(bench.store.wants_passphrase());
}

#[tokio::test]
async fn every_name_is_one_file_in_the_directory() {
    let bench = Bench::new();
    let names = [
        "a",
        "..",
        ".",
        "team/dev@eu-1_x.y+z",
        "/etc/passwd",
        "a.age.new",
        &"/".repeat(64),
    ];
    for name in names {
        bench.save(name, name).await.unwrap();
    }
    for name in names {
        assert_eq!(bench.load(name).await, Ok(key(name)), "{name}");
    }
    assert_eq!(bench.files().len(), names.len());
    assert!(
        bench
            .files()
            .contains(&"team%2Fdev%40eu-1_x.y%2Bz.age".to_owned())
    );
}

#[tokio::test]
async fn passphrases() {
    let mut bench = Bench::with_a_key().await;
    let jump = identity("jump");
    for (passphrase, error) in [
        (None, StoreError::PassphraseMissing),
        (Some(Secret::from("")), StoreError::PassphraseMissing),
        (Some("open sesam".into()), StoreError::WrongPassphrase),
    ] {
        let loaded = bench.store.load(&jump, passphrase.as_ref()).await;
        assert_eq!(loaded, Err(error));
    }
    let nobody = identity("nobody");
    let loaded = bench.store.load(&nobody, None).await;
    assert_eq!(loaded, Err(StoreError::NothingStored));
    let saved = bench.store.save(&jump, &key("s"), None).await;
    assert_eq!(saved, Err(StoreError::PassphraseMissing));
    bench.passphrase = Secret::new("x".repeat(1024));
    bench.save("long", "s").await.unwrap();
    assert_eq!(bench.load("long").await, Ok(key("s")));
    bench.passphrase = Secret::new("x".repeat(1025));
    let (what, _) = unavailable(bench.save("long", "s").await);
    assert_eq!(what, "the passphrase is longer than 1024 bytes");
}

#[tokio::test]
async fn nobody_else_can_look_in() {
    let bench = Bench::with_a_key().await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o7777;
    assert_eq!(mode(&bench.path("jump.age")), 0o600);
    for directory in bench.path("jump.age").ancestors().skip(1).take(3) {
        assert_eq!(mode(directory), 0o700, "{}", directory.display());
    }
    let sealed = std::fs::read(bench.path("jump.age")).unwrap();
    assert!(sealed.starts_with(b"age-encryption.org/v1\n-> scrypt "));
}

fn unavailable<T>(result: Result<T, StoreError>) -> (String, String) {
    match result {
        Err(StoreError::Unavailable { what, remedy }) => (what, remedy),
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("it worked"),
    }
}

#[tokio::test]
async fn what_others_can_open_is_refused() {
    let bench = Bench::with_a_key().await;
    let directory = bench.store.directory.clone();
    let set = |path: &Path, mode| std::fs::set_permissions(path, Permissions::from_mode(mode));
    set(&bench.path("jump.age"), 0o640).unwrap();
    let (what, remedy) = unavailable(bench.load("jump").await);
    assert!(
        what.ends_with("jump.age can be opened by others (mode 0640)"),
        "{what}"
    );
    assert!(remedy.contains("chmod 600 '"), "{remedy}");
    set(&bench.path("jump.age"), 0o600).unwrap();
    set(&directory, 0o750).unwrap();
    for result in [
        bench.load("jump").await.map(drop),
        bench.save("jump", "s").await,
        bench.remove("jump").await,
    ] {
        let (what, remedy) = unavailable(result);
        assert!(
            what.ends_with("identities can be opened by others (mode 0750)"),
            "{what}"
        );
        assert!(remedy.contains("chmod 700 '"), "{remedy}");
    }
    set(&directory, 0o700).unwrap();
    assert_eq!(bench.load("jump").await, Ok(key("first")));
}

#[tokio::test]
async fn links_and_other_things_are_refused() {
    let bench = Bench::with_a_key().await;
    let elsewhere = bench.home.path().join("elsewhere");
    std::fs::rename(bench.path("jump.age"), &elsewhere).unwrap();
    symlink(&elsewhere, bench.path("jump.age")).unwrap();
    std::fs::create_dir(bench.path("directory.age")).unwrap();
    let fifo = bench.path("fifo.age");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::from(0o600)).unwrap();
    for name in ["jump", "directory", "fifo"] {
        let (what, _) = unavailable(bench.load(name).await);
        assert!(
            what.ends_with("is not a file, but a link or something else"),
            "{what}"
        );
    }
    // Saving replaces the link and leaves alone what it pointed to.
    let before = std::fs::read(&elsewhere).unwrap();
    bench.save("jump", "second").await.unwrap();
    assert_eq!(bench.load("jump").await, Ok(key("second")));
    assert_eq!(std::fs::read(&elsewhere).unwrap(), before);
}

#[tokio::test]
async fn a_directory_that_is_a_link_is_refused() {
    let bench = Bench::with_a_key().await;
    let directory = &bench.store.directory;
    let elsewhere = bench.home.path().join("elsewhere");
    std::fs::rename(directory, &elsewhere).unwrap();
    symlink(&elsewhere, directory).unwrap();
    let (what, remedy) = unavailable(bench.load("jump").await);
    assert!(what.ends_with("identities is not a directory"), "{what}");
    assert_eq!(remedy, "replace it by one of mode 0700");
}

#[tokio::test]
async fn another_owner_is_refused() {
    let bench = Bench::with_a_key().await;
    let file = bench.path("jump.age");
    if std::os::unix::fs::chown(&file, Some(65534), None).is_err() {
        let why = "giving a file away needs root";
        return crate::providers::skipped::skip("a sealed file of another user", why);
    }
    let (what, _) = unavailable(bench.load("jump").await);
    assert!(what.contains("jump.age belongs to uid 65534"), "{what}");
}

#[tokio::test]
async fn damage_is_told() {
    let bench = Bench::with_a_key().await;
    let file = bench.path("jump.age");
    let mut sealed = std::fs::read(&file).unwrap();
    let last = sealed.last_mut().unwrap();
    *last ^= 1;
    std::fs::write(&file, &sealed).unwrap();
    let malformed = |what: &str| Err(StoreError::Malformed { what: what.into() });
    let changed = malformed("its contents were changed or cut");
    assert_eq!(bench.load("jump").await, changed);
    std::fs::write(&file, vec![b'x'; 1 << 20]).unwrap();
    assert_eq!(
        bench.load("jump").await,
        malformed("it is larger than 64 KiB")
    );
    let other = age::seal(
        b"{}",
        &bench.passphrase,
        WorkFactor::TRIVIAL,
        &draw().unwrap(),
    );
    std::fs::write(&file, other).unwrap();
    assert_eq!(
        bench.load("jump").await,
        malformed("not JSON with a version")
    );
}

/// A crash leaves a draft; the next save is not held up by it, and a removal takes it away.
#[tokio::test]
async fn a_draft_is_never_read_and_never_stays() {
    let bench = Bench::with_a_key().await;
    std::fs::write(bench.path("jump.age.new"), "half").unwrap();
    assert_eq!(bench.load("jump").await, Ok(key("first")));
    bench.save("jump", "second").await.unwrap();
    assert_eq!(bench.load("jump").await, Ok(key("second")));
    assert_eq!(bench.files(), ["jump.age"]);
    std::fs::write(bench.path("jump.age.new"), "half").unwrap();
    bench.remove("jump").await.unwrap();
    assert!(bench.files().is_empty());
}

/// The old file stays where a new one cannot be written.
#[tokio::test]
async fn a_failed_save_changes_nothing() {
    let bench = Bench::with_a_key().await;
    // A directory in the draft's place cannot be unlinked as a file.
    std::fs::create_dir(bench.path("jump.age.new")).unwrap();
    let (what, _) = unavailable(bench.save("jump", "second").await);
    assert!(what.starts_with("cannot write "), "{what}");
    assert_eq!(bench.load("jump").await, Ok(key("first")));
}

#[tokio::test]
async fn saves_at_once_leave_one_whole_file() {
    let bench = Bench::new();
    let secrets: Vec<String> = (0..16).map(|n| format!("secret {n}")).collect();
    let saves = secrets.iter().map(|secret| {
        let (store, passphrase) = (bench.store.clone(), bench.passphrase.clone());
        let key = key(secret);
        tokio::spawn(async move { store.save(&identity("jump"), &key, Some(&passphrase)).await })
    });
    for save in saves.collect::<Vec<_>>() {
        save.await.unwrap().unwrap();
    }
    let loaded = bench.load("jump").await.unwrap();
    assert!(secrets.contains(loaded.current.key.secret_access_key.expose()));
    assert_eq!(bench.files(), ["jump.age"]);
}

/// Equal keys and passphrases make files that have nothing in common.
#[tokio::test]
async fn no_two_files_share_their_randomness() {
    let bench = Bench::with_a_key().await;
    let first = std::fs::read(bench.path("jump.age")).unwrap();
    bench.save("jump", "first").await.unwrap();
    let second = std::fs::read(bench.path("jump.age")).unwrap();
    let lines = |file: &[u8]| -> Vec<Vec<u8>> {
        file.split(|&b| b == b'\n')
            .skip(1)
            .map(<[u8]>::to_vec)
            .collect()
    };
    let (first, second) = (lines(&first), lines(&second));
    assert!(first.iter().zip(&second).all(|(a, b)| a != b));
}

#[tokio::test]
async fn what_is_written_takes_as_much_work_as_promised() {
    let home = tempfile::tempdir().unwrap();
    let store = SealedFileStore::new(home.path().join("identities"));
    let (jump, passphrase) = (identity("jump"), Secret::from("open sesame"));
    store
        .save(&jump, &key("s"), Some(&passphrase))
        .await
        .unwrap();
    let sealed = std::fs::read(store.directory.join("jump.age")).unwrap();
    let header = String::from_utf8_lossy(&sealed);
    let recipient = header.lines().nth(1).unwrap();
    assert!(recipient.ends_with(" 18"), "{recipient}");
}
