//! A table: aligned for the terminal, Markdown for the document, of the same cells.

use std::fmt;

/// A caption, the names of the columns, and rows of as many cells.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Table {
    caption: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// The caption is a sentence of Markdown; it may be empty. The first column is usually nameless.
    pub(crate) fn new(caption: impl Into<String>, columns: &[&str]) -> Self {
        Self {
            caption: caption.into(),
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// # Panics
    /// There are not as many cells as columns.
    pub(crate) fn row<Cell: fmt::Display>(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let cells: Vec<String> = cells.into_iter().map(|cell| cell.to_string()).collect();
        assert_eq!(cells.len(), self.columns.len(), "{cells:?}");
        self.rows.push(cells);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// As GitHub's Markdown, ending with a newline.
    pub(crate) fn markdown(&self) -> String {
        let line = |cells: &[String]| {
            let cells = cells.iter().map(|cell| match cell.as_str() {
                "" => " ".to_owned(),
                cell => format!(" {} ", cell.replace('|', "\\|")),
            });
            format!("|{}|\n", cells.collect::<Vec<_>>().join("|"))
        };
        let under = vec!["---"; self.columns.len()].join("|");
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        let caption = match self.caption.as_str() {
            "" => String::new(),
            caption => format!("{caption}\n\n"),
        };
        format!("{caption}{}|{under}|\n{rows}", line(&self.columns))
    }

    fn widths(&self) -> Vec<usize> {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| &row[column]);
            let all = cells.chain([&self.columns[column]]);
            all.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        (0..self.columns.len()).map(width).collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        if !self.caption.is_empty() {
            writeln!(f, "{}", self.caption)?;
        }
        let named = self.columns.iter().any(|name| !name.is_empty());
        let head = named.then_some(&self.columns);
        for row in head.into_iter().chain(&self.rows) {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                line.push_str(&format!("{cell:<width$}  "));
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut table = Table::new("Of two.", &["", "µs"]);
        table.row(["a|b", "1"]);
        table.row(["long", "22"]);
        table
    }

    #[test]
    fn markdown_has_the_caption_the_columns_and_each_row() {
        let expected = "Of two.\n\n| | µs |\n|---|---|\n| a\\|b | 1 |\n| long | 22 |\n";
        assert_eq!(sample().markdown(), expected);
    }

    #[test]
    fn the_terminal_sees_aligned_columns() {
        let expected = "Of two.\n      µs\na|b   1\nlong  22\n";
        assert_eq!(sample().to_string(), expected);
    }
}
