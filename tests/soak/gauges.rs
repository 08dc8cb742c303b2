//! What the kernel says of the agent's process, and what may grow in it.

use std::time::{Duration, Instant};

/// One look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) at: Duration,
    /// Calls answered until then.
    pub(crate) calls: u64,
    /// Leases made until then.
    pub(crate) leases: u64,
    /// KiB
    pub(crate) rss: u64,
    /// `None` where the kernel does not let us look.
    pub(crate) files: Option<usize>,
    pub(crate) threads: u64,
    /// Processor time that the agent has used.
    pub(crate) processor: Duration,
}

impl Sample {
    pub(crate) fn of(pid: u32, began: Instant, calls: u64, leases: u64) -> Option<Self> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().trim_end_matches(" kB").parse::<u64>().ok()
        };
        let files = std::fs::read_dir(format!("/proc/{pid}/fd")).ok();
        Some(Self {
            at: began.elapsed(),
            calls,
            leases,
            rss: field("VmRSS:")?,
            files: files.map(Iterator::count),
            threads: field("Threads:")?,
            processor: processor_time(pid),
        })
    }
}

/// The processor time of a process and of its children that have ended, in hundredths of a second (proc(5)).
pub(crate) fn processor_time(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').unwrap_or_default().1;
    let times = fields.split_whitespace().skip(11).take(4);
    let ticks: u64 = times.filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(10 * ticks)
}

/// Stretches of a run, ten samples at least: on a busy machine the 256 MiB that open a sealed file are there for seconds.
const STRETCHES: usize = 24;

/// The least resident memory of each stretch: what is taken for a moment is no growth.
pub(crate) fn floors(samples: &[Sample]) -> Vec<Sample> {
    let length = (samples.len() / STRETCHES).max(10);
    let least = |stretch: &[Sample]| stretch.iter().min_by_key(|sample| sample.rss).copied();
    samples.chunks(length).filter_map(least).collect()
}

/// By how many KiB memory grew over the second half, by a straight line through its floors.
pub(crate) fn growth(samples: &[Sample]) -> f64 {
    let floors = floors(samples);
    let half = &floors[floors.len() / 2..];
    let points: Vec<(f64, f64)> = half
        .iter()
        .map(|sample| (sample.calls as f64, sample.rss as f64))
        .collect();
    let count = points.len() as f64;
    let (x, y) = points
        .iter()
        .fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
    let (x, y) = (x / count, y / count);
    let (over, under) = points.iter().fold((0.0, 0.0), |(over, under), point| {
        let away = point.0 - x;
        (over + away * (point.1 - y), under + away * away)
    });
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return 0.0;
    };
    if under > 0.0 {
        over / under * (last.0 - first.0)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(calls: u64, rss: u64) -> Sample {
        Sample {
            at: Duration::ZERO,
            calls,
            leases: 0,
            rss,
            files: None,
            threads: 1,
            processor: Duration::ZERO,
        }
    }

    /// The second half, a peak in each stretch.
    #[test]
    fn growth_is_that_of_the_floors() {
        let of = |rss: fn(u64) -> u64| {
            let samples =
                (0..400).map(|n| sample(n * 10, rss(n) + if n % 10 == 3 { 60_000 } else { 0 }));
            growth(&samples.collect::<Vec<_>>())
        };
        assert!(of(|_| 20_000).abs() < 1.0);
        assert!(
            of(|n| 20_000 + n.min(100) * 50).abs() < 1.0,
            "warming up is no growth"
        );
        let grown = of(|n| 20_000 + n * 10);
        assert!((1_800.0..2_000.0).contains(&grown), "{grown}");
    }
}
