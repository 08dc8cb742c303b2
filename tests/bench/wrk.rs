//! `wrk`, the load: connections that ask again as soon as they are answered, shared by two threads.

use std::process::Command;
use std::time::Duration;

use crate::asking::Door;
use crate::figures::{grouped, processor_time};
use crate::ratio::Ratio;

/// One storm.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Storm {
    pub(crate) requests: u64,
    pub(crate) per_second: f64,
    /// Microseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Microseconds of the server's processor for each request. It hardly depends on who else works on the machine.
    pub(crate) cost: f64,
}

/// Whether the machine has it.
pub(crate) fn is_there() -> bool {
    // It exits with 1 after its own version.
    Command::new("wrk").arg("--version").output().is_ok()
}

/// Lets one loose on the server with this process id.
///
/// # Panics
/// An answer was no 200, a connection broke, or the output is not understood: then there is no figure.
pub(crate) fn storm(door: &Door, server: u32, connections: usize, lasting: Duration) -> Storm {
    let seconds = lasting.as_secs();
    let before = processor_time(server);
    let output = Command::new("wrk")
        .arg(format!("-t{}", connections.min(2)))
        .args([
            &format!("-c{connections}"),
            &format!("-d{seconds}s"),
            "--latency",
        ])
        .args(["-H", &door.header, &door.url])
        .output();
    let output = output.expect("wrk is there");
    let used = processor_time(server).saturating_sub(before);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let clean = !text.contains("Non-2xx") && !text.contains("Socket errors");
    assert!(clean, "a storm at {} was not served: {text}", door.url);
    read(&text, used).unwrap_or_else(|| panic!("wrk's output: {text}"))
}

#[allow(clippy::cast_precision_loss)]
fn read(text: &str, used: Duration) -> Option<Storm> {
    let behind = |name: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(name));
        line.map(str::trim)
    };
    let requests = text.lines().find(|line| line.contains(" requests in "))?;
    let requests = requests.split_whitespace().next()?.parse().ok()?;
    Some(Storm {
        requests,
        cost: used.as_secs_f64() * 1e6 / requests as f64,
        per_second: behind("Requests/sec:")?.parse().ok()?,
        p50: micros(behind("50%")?)?,
        p99: micros(behind("99%")?)?,
    })
}

fn micros(text: &str) -> Option<f64> {
    let units = [("us", 1.0), ("ms", 1e3), ("s", 1e6)];
    let (unit, factor) = units.iter().find(|(unit, _)| text.ends_with(unit))?;
    let number: f64 = text.strip_suffix(unit)?.parse().ok()?;
    Some(number * factor)
}

/// Storms of one server.
#[derive(Debug, Default)]
pub(crate) struct Storms(pub(crate) Vec<Storm>);

impl Storms {
    pub(crate) fn requests(&self) -> u64 {
        self.0.iter().map(|storm| storm.requests).sum()
    }

    /// The ratios of storms that followed each other: what a busy machine gave to the one, it mostly gave to the other.
    pub(crate) fn against(&self, others: &Self, figure: impl Fn(&Storm) -> f64) -> Vec<f64> {
        let pairs = self.0.iter().zip(&others.0);
        pairs
            .map(|(ours, theirs)| figure(ours) / figure(theirs))
            .collect()
    }

    /// A name, the connections, requests a second, p50 and p99 in milliseconds, processor time in microseconds.
    pub(crate) fn cells(&self, name: &str, connections: usize) -> [String; 6] {
        let of = |figure: fn(&Storm) -> f64| Ratio::of("", self.0.iter().map(figure));
        let rate = of(|storm| storm.per_second);
        let [median, low, high] = [rate.median, rate.low, rate.high].map(|rate| {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            grouped(rate as u128)
        });
        [
            name.to_owned(),
            connections.to_string(),
            format!("{median} ({low}, {high})"),
            of(|storm| storm.p50 / 1e3).to_string(),
            of(|storm| storm.p99 / 1e3).to_string(),
            of(|storm| storm.cost).to_string(),
        ]
    }
}
