//! The journal on a full or read-only disk, torn by a crash, or changed by hand; and what a reader sees of it.

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use jumpgate_tests::lab::{DEV, finish};
use jumpgate_tests::skip::skip;
use jumpgate_tests::{Lab, canary};

use crate::built::{lab, ready};
use crate::surroundings::{Following, as_root, refused};

/// A small disk of its own as the lab's state directory.
struct Disk {
    place: PathBuf,
}

impl Disk {
    /// Nothing where mounting is not allowed, which is noted as a skip.
    fn mount(lab: &Lab, what: &str) -> Option<Self> {
        if !as_root(what) {
            return None;
        }
        let place = lab.path(".local/state/jumpgate");
        std::fs::create_dir_all(&place).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=128k,mode=700", "tmpfs"]);
        let mounted = finish(with(mount, &place), "");
        if !mounted.status.success() {
            skip(what, &format!("mount: {}", mounted.stderr.trim()));
            return None;
        }
        Some(Self { place })
    }

    fn fill(&self) {
        let mut filler = std::fs::File::create(self.filler()).unwrap();
        while filler.write_all(&[0; 512]).is_ok() {}
    }

    fn filler(&self) -> PathBuf {
        self.place.join("filler")
    }

    fn free(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }

    fn remount(&self, option: &str) {
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,{option}")]);
        finish(with(mount, &self.place), "").good();
    }
}

fn with(mut command: Command, place: &Path) -> Command {
    command.arg(place);
    command
}

impl Drop for Disk {
    fn drop(&mut self) {
        let mut umount = Command::new("umount");
        umount.arg("--lazy");
        let _gone = with(umount, &self.place).status();
    }
}

/// The lab's own search comes when the disk is gone.
fn no_secret_on(disk: &Disk, lab: &Lab) {
    assert_eq!(
        canary::found(&disk.place, &lab.secrets()),
        Vec::<PathBuf>::new()
    );
}

#[test]
fn on_a_full_disk_nothing_is_handed_out_and_then_it_goes_on() {
    let lab = lab(DEV);
    let Some(disk) = Disk::mount(&lab, "a full disk") else {
        return;
    };
    lab.start_agent();
    lab.add_identity();
    let mut handed_out = vec![key(&lab.run(&["credential-process", "dev"]).good().stdout)];
    disk.fill();
    // The last block may have room for some more; each of them is recorded.
    let refusal = loop {
        let ran = lab.run(&["credential-process", "dev"]);
        if !ran.status.success() {
            break ran;
        }
        handed_out.push(key(&ran.stdout));
        assert!(handed_out.len() < 100, "no record takes any room");
    };
    refused(&refusal, 75, "journal", "make room");
    assert_eq!(lab.status()["journal"]["healthy"], false);
    for command in ["exec dev --via env -- true", "export dev"] {
        let arguments: Vec<&str> = command.split(' ').collect();
        let ran = lab.run(&arguments);
        assert_eq!(
            (ran.code(), ran.stdout.as_str()),
            (75, ""),
            "{command}: {}",
            ran.stderr
        );
    }
    let pid = lab.status()["pid"].clone();
    disk.free();
    handed_out.push(key(&lab.run(&["credential-process", "dev"]).good().stdout));
    let status = lab.status();
    assert_eq!(
        (&status["journal"]["healthy"], &status["pid"]),
        (&true.into(), &pid)
    );
    lab.run(&["journal", "verify"]).good();
    let mut recorded = lab.journal_of(&["lease.issue", "lease.serve"]);
    recorded.retain(|record| record["status"] == "Success");
    assert_eq!(
        recorded.len(),
        handed_out.len(),
        "one record for each, and none for those refused"
    );
    no_secret_on(&disk, &lab);
}

fn key(document: &str) -> String {
    let document: serde_json::Value = serde_json::from_str(document).unwrap();
    document["AccessKeyId"].as_str().unwrap().to_owned()
}

#[test]
fn on_a_full_disk_no_session_is_made_for_nothing() {
    let lab = lab(DEV);
    let Some(disk) = Disk::mount(&lab, "a full disk") else {
        return;
    };
    lab.start_agent();
    lab.add_identity();
    disk.fill();
    let mut ran = lab.run(&["credential-process", "dev"]);
    for _ in 0..100 {
        if ran.status.success() {
            ran = lab.run(&["credential-process", "dev"]);
        }
    }
    refused(&ran, 75, "journal", "make room");
    for _ in 0..3 {
        refused(
            &lab.run(&["credential-process", "dev"]),
            75,
            "journal",
            "make room",
        );
    }
    assert!(
        lab.double.count("AssumeRole") <= 1,
        "each refusal cost a session"
    );
    disk.free();
}

#[test]
fn on_a_read_only_disk_no_agent_starts() {
    let lab = lab(DEV);
    let Some(disk) = Disk::mount(&lab, "a read-only disk") else {
        return;
    };
    disk.remount("ro");
    refused(
        &lab.run(&["credential-process", "dev"]),
        75,
        "ead-only",
        "nothing is handed out unrecorded",
    );
    assert!(!lab.socket().exists());
    disk.remount("rw");
    lab.start_agent();
    lab.add_identity();
    lab.run(&["credential-process", "dev"]).good();
    no_secret_on(&disk, &lab);
}

/// The newest file of the journal.
fn newest(lab: &Lab) -> PathBuf {
    let entries = std::fs::read_dir(lab.path(".local/state/jumpgate/journal")).unwrap();
    let files = entries.flatten().map(|entry| entry.path());
    let files = files.filter(|file| {
        file.extension()
            .is_some_and(|extension| extension == "jsonl")
    });
    files.max().unwrap()
}

#[test]
fn half_a_line_after_a_crash_is_set_aside_and_recorded() {
    let lab = ready();
    lab.run(&["credential-process", "dev"]).good();
    lab.kill_agent();
    let file = newest(&lab);
    let before = std::fs::read(&file).unwrap();
    let last = before
        .split(|&byte| byte == b'\n')
        .rfind(|line| !line.is_empty())
        .unwrap();
    let torn = &last[..last.len() / 2];
    let mut journal = std::fs::File::options().append(true).open(&file).unwrap();
    journal.write_all(torn).unwrap();
    drop(journal);

    let verified = lab.run(&["journal", "verify"]).good();
    assert!(verified.stdout.contains("intact"), "{}", verified.stdout);
    let after = std::fs::read(&file).unwrap();
    assert!(after.starts_with(&before), "what was there stays as it was");
    let records = lab.records("log.recover");
    let [record] = records.as_slice() else {
        panic!("{records:?}")
    };
    assert_eq!(record["status"], "Success");
    let kept = std::fs::read_dir(file.parent().unwrap().join("torn")).unwrap();
    let kept: Vec<Vec<u8>> = kept
        .flatten()
        .map(|entry| std::fs::read(entry.path()).unwrap())
        .collect();
    assert_eq!(kept, [torn.to_vec()]);
    lab.run(&["credential-process", "dev"]).good();
}

/// Changes one byte of the journal's first file, in this line.
fn flip(file: &Path, line: usize) {
    let text = std::fs::read_to_string(file).unwrap();
    let start: usize = text.lines().take(line - 1).map(|line| line.len() + 1).sum();
    let at = start + text[start..].find("\"activity_name\"").unwrap() + 18;
    let mut file = std::fs::File::options().write(true).open(file).unwrap();
    file.seek(SeekFrom::Start(at as u64)).unwrap();
    file.write_all(b"X").unwrap();
}

#[test]
fn a_changed_byte_is_found_with_file_and_line() {
    let lab = ready();
    lab.run(&["credential-process", "dev"]).good();
    lab.run(&["credential-process", "dev"]).good();
    let file = newest(&lab);
    flip(&file, 2);
    let ran = lab.run(&["journal", "verify"]);
    assert_eq!(ran.code(), 1, "{}{}", ran.stdout, ran.stderr);
    let expected = format!("{}:2: the hash does not fit the record\n", file.display());
    assert_eq!(ran.stdout, expected);
    let report = lab.run(&["journal", "verify", "--json"]);
    assert_eq!(report.code(), 1);
    assert_eq!(report.json()["damage"][0]["line"], 2);

    // It stays known after a restart, and what comes after it is recorded and verified as before.
    lab.kill_agent();
    lab.run(&["credential-process", "dev"]).good();
    let ran = lab.run(&["journal", "verify"]);
    assert_eq!((ran.code(), ran.stdout), (1, expected));
}

#[test]
fn lines_that_are_missing_doubled_or_moved_are_found() {
    type Edit = fn(&mut Vec<&str>);
    let edits: [(&str, Edit); 4] = [
        ("a line is missing", |lines| {
            lines.remove(1);
        }),
        ("a line is there twice", |lines| lines.insert(1, lines[1])),
        ("two lines changed places", |lines| lines.swap(1, 2)),
        ("the end is missing", |lines| {
            lines.pop();
        }),
    ];
    let lab = ready();
    lab.run(&["credential-process", "dev"]).good();
    lab.run(&["journal", "verify"]).good();
    let file = newest(&lab);
    let whole = std::fs::read_to_string(&file).unwrap();
    for (what, edit) in edits {
        let mut lines: Vec<&str> = whole.lines().collect();
        edit(&mut lines);
        // In place: the agent goes on writing to the same file.
        std::fs::write(&file, lines.join("\n") + "\n").unwrap();
        let ran = lab.run(&["journal", "verify"]);
        assert_eq!(ran.code(), 1, "{what}: {}", ran.stdout);
        assert!(
            ran.stdout.contains(&format!("{}:", file.display())),
            "{what}: {}",
            ran.stdout
        );
    }
    std::fs::write(&file, &whole).unwrap();
    lab.run(&["journal", "verify"]).good();
}

#[test]
fn a_reader_sees_every_record_and_no_secret() {
    let lab = ready();
    let mut tail = Following::of(&lab);
    lab.run(&["credential-process", "dev"]).good();
    let issued = tail.next("lease.issue");
    assert_eq!(issued["unmapped"]["jumpgate"]["profile"], "dev");
    refused(
        &lab.run(&["credential-process", "nobody"]),
        64,
        "nobody",
        "profile list",
    );
    lab.run(&["journal", "verify"]).good();
    assert_eq!(tail.next("deny")["status"], "Failure");

    let files: Vec<u8> = std::fs::read(newest(&lab)).unwrap();
    let text = String::from_utf8(files).unwrap();
    assert_eq!(lab.run(&["journal", "export"]).good().stdout, text);
    assert_eq!(lab.run(&["journal", "show", "--json"]).good().stdout, text);
    let last = lab
        .run(&["journal", "show", "--last", "1", "--json"])
        .good()
        .stdout;
    assert_eq!(
        last.lines().collect::<Vec<_>>(),
        [text.lines().last().unwrap()]
    );
    let table = lab.run(&["journal"]).good().stdout;
    assert_eq!(table.lines().count(), text.lines().count(), "{table}");
    assert!(!table.contains('\u{1b}'), "{table}");
    for secret in lab.secrets() {
        assert!(!text.contains(&secret) && !table.contains(&secret));
    }
}
