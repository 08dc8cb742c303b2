//! What one part found: tables, ratios with their spread, and limits that hold or do not.

use serde::{Deserialize, Serialize};

use crate::figures::{Limit, digits, say};
use crate::ratio::Ratio;
use crate::table::Table;

/// What a part hands in. Its tables stand in the document as they stood on the terminal; after them one table of its
/// ratios and limits.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Section {
    pub(crate) tables: Vec<Table>,
    pub(crate) ratios: Vec<Ratio>,
    pub(crate) limits: Vec<Limit>,
    /// What could not be measured here, and why: `WHAT: WHY`.
    pub(crate) absent: Vec<String>,
}

impl Section {
    /// Shows a table, and keeps it for the document.
    pub(crate) fn table(&mut self, table: Table) {
        say(&format!("\n{table}"));
        self.tables.push(table);
    }

    pub(crate) fn ratio(&mut self, ratio: Ratio) {
        say(&format!("{}: {ratio}", ratio.what));
        self.ratios.push(ratio);
    }

    /// It is shown at the end of the run, with all others.
    pub(crate) fn limit(&mut self, limit: Limit) {
        self.limits.push(limit);
    }

    /// Says what is not measured, and why.
    pub(crate) fn absent(&mut self, what: &str, why: &str) {
        let line = format!("{what}: {why}");
        say(&format!("NOT MEASURED  {line}"));
        self.absent.push(line);
    }

    /// The limits, those of the ratios among them.
    pub(crate) fn all_limits(&self) -> impl Iterator<Item = Limit> + '_ {
        let ratios = self.ratios.iter().filter_map(|ratio| {
            Some(Limit {
                what: ratio.what.clone(),
                found: ratio.median,
                rule: ratio.limit?,
                aim: ratio.aim,
            })
        });
        ratios.chain(self.limits.iter().cloned())
    }

    /// All of it as Markdown.
    pub(crate) fn markdown(&self) -> String {
        let mut parts: Vec<String> = self.tables.iter().map(Table::markdown).collect();
        let findings = self.findings();
        if !findings.is_empty() {
            parts.push(findings.markdown());
        }
        let absent = self
            .absent
            .iter()
            .map(|line| format!("- not measured: {line}\n"));
        let absent: String = absent.collect();
        if !absent.is_empty() {
            parts.push(absent);
        }
        parts.join("\n")
    }

    fn findings(&self) -> Table {
        let mut table = Table::new("", &["", "found (5 %, 95 %)", "limit", "aim", ""]);
        for ratio in &self.ratios {
            let (limit, aim) = (ratio.limit, ratio.aim);
            let verdict = [limit, aim].map(|bound| bound.is_none_or(|it| it.holds(ratio.median)));
            table.row([
                ratio.what.clone(),
                ratio.to_string(),
                limit.map(|limit| limit.to_string()).unwrap_or_default(),
                aim.map(|aim| aim.to_string()).unwrap_or_default(),
                verdict_of(verdict, limit.is_some() || aim.is_some()).to_owned(),
            ]);
        }
        for limit in &self.limits {
            let verdict = [
                limit.holds(),
                limit.aim.is_none_or(|aim| aim.holds(limit.found)),
            ];
            table.row([
                limit.what.clone(),
                digits(limit.found),
                limit.rule.to_string(),
                limit.aim.map(|aim| aim.to_string()).unwrap_or_default(),
                verdict_of(verdict, true).to_owned(),
            ]);
        }
        table
    }
}

fn verdict_of([limit, aim]: [bool; 2], any: bool) -> &'static str {
    match (any, limit, aim) {
        (false, ..) => "",
        (_, false, _) => "**does not hold**",
        (_, true, false) => "the aim is missed",
        (_, true, true) => "holds",
    }
}

impl From<Vec<Limit>> for Section {
    fn from(limits: Vec<Limit>) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Bound;

    #[test]
    fn ratios_limits_and_what_is_absent_stand_in_the_document() {
        let mut section = Section::default();
        let ratio = Ratio::of("twice", [2.0, 2.0]).limited(Bound::AtMost(3.0));
        section.ratios.push(ratio.aiming(Bound::AtMost(1.5)));
        section.limits = vec![Limit::new("few", 12.34, Bound::AtMost(10.0))];
        section.absent = vec!["x: not installed".to_owned()];
        let expected = "\
| | found (5 %, 95 %) | limit | aim | |
|---|---|---|---|---|
| twice | 2.00 (2.00, 2.00) | at most 3 | at most 1.5 | the aim is missed |
| few | 12.3 | at most 10 | | **does not hold** |

- not measured: x: not installed
";
        assert_eq!(section.markdown(), expected);
        assert_eq!(section.all_limits().count(), 2);
    }
}
