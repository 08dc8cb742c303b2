//! Another process's memory, searched for secrets. It takes root: the agent lets nobody else look.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;

/// How much is read at once, bytes.
const CHUNK: usize = 1 << 20;

/// Which of these stand in the memory that the process can write to, and where.
///
/// # Panics
/// Its memory cannot be read.
#[must_use]
pub fn found(pid: u32, needles: &[String]) -> Vec<(String, String)> {
    let maps = File::open(format!("/proc/{pid}/maps")).expect("a process, and root");
    let memory = File::open(format!("/proc/{pid}/mem")).expect("a process, and root");
    let mut found = Vec::new();
    for line in BufReader::new(maps).lines().map_while(Result::ok) {
        let Some((from, to)) = writable(&line) else {
            continue;
        };
        let place = line.split_whitespace().nth(5).unwrap_or("anonymous");
        for needle in in_region(&memory, from, to, needles) {
            found.push((needle, place.to_owned()));
        }
    }
    found
}

/// The bounds of a region, unless nothing can be written to it. proc_pid_maps(5).
fn writable(line: &str) -> Option<(u64, u64)> {
    let mut words = line.split_whitespace();
    let (from, to) = words.next()?.split_once('-')?;
    let number = |hex| u64::from_str_radix(hex, 16).ok();
    words.next()?.starts_with("rw").then_some(())?;
    number(from).zip(number(to))
}

/// The chunks overlap by the longest needle.
fn in_region(memory: &File, from: u64, to: u64, needles: &[String]) -> Vec<String> {
    let overlap = needles.iter().map(String::len).max().unwrap_or(0);
    let mut bytes = vec![0; CHUNK + overlap];
    let mut found = Vec::new();
    let mut at = from;
    while at < to {
        let left = usize::try_from(to - at).unwrap_or(usize::MAX);
        let wanted = left.min(bytes.len());
        // Part of a region may be gone meanwhile.
        let read = memory.read_at(&mut bytes[..wanted], at).unwrap_or(0);
        let here = &bytes[..read];
        let hits = needles.iter().filter(|needle| holds(here, needle));
        found.extend(hits.cloned());
        at += CHUNK as u64;
    }
    found.sort();
    found.dedup();
    found
}

fn holds(bytes: &[u8], needle: &str) -> bool {
    let needle = needle.as_bytes();
    let Some(first) = needle.first() else {
        return false;
    };
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| byte == first) {
        if rest[at..].starts_with(needle) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}
