//! What is measured, as lines of one table: medians with their spread, and limits that hold or do not.

use std::fmt;
use std::io::Write;
use std::time::Duration;

use jumpgate_tests::Lab;

/// One line of free text.
pub(crate) fn say(line: &str) {
    let _nobody_reads = writeln!(std::io::stdout(), "{line}");
}

/// A figure with as many digits as say something.
pub(crate) fn digits(figure: f64) -> String {
    match figure.abs() {
        size if size >= 100.0 || figure.fract() == 0.0 => format!("{figure:.0}"),
        size if size >= 10.0 => format!("{figure:.1}"),
        size if size >= 0.1 => format!("{figure:.2}"),
        _ => format!("{figure:.4}"),
    }
}

/// The part that follows.
pub(crate) fn heading(text: &str) {
    say(&format!("\n== {text}"));
}

/// Times of one thing that was done again and again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: Duration,
    pub(crate) worst: Duration,
    low: Duration,
    high: Duration,
}

impl Spread {
    /// # Panics
    /// Nothing was measured.
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |percent: usize| times[(times.len() - 1) * percent / 100];
        Self {
            median: at(50),
            worst: at(100),
            low: at(5),
            high: at(95),
        }
    }
}

impl Spread {
    /// As a cell of a table, microseconds: the median, and between which two nine tenths lie.
    pub(crate) fn micros(&self) -> String {
        let [middle, low, high] =
            [self.median, self.low, self.high].map(|time| grouped(time.as_micros()));
        format!("{middle} ({low}, {high})")
    }

    /// The same in milliseconds.
    pub(crate) fn millis(&self) -> String {
        let [middle, low, high] =
            [self.median, self.low, self.high].map(|time| digits(time.as_secs_f64() * 1e3));
        format!("{middle} ({low}, {high})")
    }
}

/// A whole number with a comma between thousands.
pub(crate) fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The agent's resident memory now, kB; 0 when it cannot be read.
pub(crate) fn rss(lab: &Lab) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", lab.agent_pid()));
    let status = status.unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    kilobytes.unwrap_or(0)
}

/// The processor time that a process has used until now, in itself and in the kernel. The kernel counts it in hundredths
/// of a second.
///
/// # Panics
/// There is no such process.
pub(crate) fn processor_time(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("a running process");
    // The name in parentheses may hold anything; utime and stime are the 12th and 13th fields after it (proc(5)).
    let fields = stat.rsplit_once(')').unwrap_or_default().1;
    let times = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = times.filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(10 * ticks)
}

/// On which side of a limit a figure has to stay.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Bound {
    pub(crate) fn holds(self, found: f64) -> bool {
        match self {
            Self::AtLeast(limit) => found >= limit,
            Self::AtMost(limit) => found <= limit,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(limit) => write!(f, "at least {limit}"),
            Self::AtMost(limit) => write!(f, "at most {limit}"),
        }
    }
}

/// A figure, its limit, and where there is one, what we want to reach.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Limit {
    pub(crate) what: String,
    pub(crate) found: f64,
    pub(crate) rule: Bound,
    pub(crate) aim: Option<Bound>,
}

impl Limit {
    pub(crate) fn new(what: impl Into<String>, found: f64, rule: Bound) -> Self {
        Self {
            what: what.into(),
            found,
            rule,
            aim: None,
        }
    }

    /// What is to be reached, and is shown beside what was.
    #[allow(dead_code)] // No limit has an aim at the moment; ratios have.
    pub(crate) fn aiming(self, aim: Bound) -> Self {
        Self {
            aim: Some(aim),
            ..self
        }
    }

    pub(crate) fn holds(&self) -> bool {
        self.rule.holds(self.found)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.holds() {
            "holds"
        } else {
            "DOES NOT HOLD"
        };
        let (what, found, rule) = (&self.what, self.found, self.rule);
        write!(f, "{verdict:<14} {what:<52} {found:>9.3}  {rule}")?;
        match self.aim {
            Some(aim) if aim.holds(found) => write!(f, " (the aim too: {aim})"),
            Some(aim) => write!(f, " (the aim not yet: {aim})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_grouped() {
        for (figure, expected) in [
            (0.0, "0"),
            (0.0123, "0.0123"),
            (1.518, "1.52"),
            (12.34, "12.3"),
            (1234.5, "1234"),
        ] {
            assert_eq!(digits(figure), expected);
        }
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), expected);
        }
    }
}
