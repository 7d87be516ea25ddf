//! Columns and colours for people.

use super::print;
use crate::cli::Failure;
use crate::demo::ink::{self as inks, Ink, Line};

/// What stands between two columns.
const GAP: &str = "  ";

/// Returns whether standard output takes colours.
pub(super) fn coloured() -> bool {
    inks::coloured()
}

/// Returns a text in its ink.
pub(super) fn ink(ink: Ink, text: &str, coloured: bool) -> String {
    Line::default().then(ink, text).fit(usize::MAX, coloured)
}

/// Rows under a head, each column as wide as its widest cell.
pub(super) struct Table {
    head: Vec<String>,
    rows: Vec<Vec<(Ink, String)>>,
}

impl Table {
    pub(super) fn new(head: &[&str]) -> Self {
        Self { head: head.iter().map(|&name| name.to_owned()).collect(), rows: Vec::new() }
    }

    /// Adds a row; an empty cell is shown as `-`.
    pub(super) fn row(&mut self, cells: Vec<(Ink, String)>) {
        self.rows.push(cells);
    }

    pub(super) fn print(&self) -> Result<(), Failure> {
        self.lines(coloured()).iter().try_for_each(|line| print(line))
    }

    fn lines(&self, coloured: bool) -> Vec<String> {
        let head = self.head.iter().map(|name| (Ink::Dim, name.clone())).collect();
        let rows: Vec<&Vec<(Ink, String)>> = std::iter::once(&head).chain(&self.rows).collect();
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|(_, text)| text.chars().count().max(1)).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        let line = |row: &&Vec<(Ink, String)>| {
            let last = row.len().saturating_sub(1);
            let cells =
                row.iter().zip(&widths).enumerate().map(|(index, ((colour, text), width))| {
                    let text = if text.is_empty() { "-" } else { text };
                    let padding = if index == last { 0 } else { width - text.chars().count() };
                    format!("{}{}", ink(*colour, text, coloured), " ".repeat(padding))
                });
            cells.collect::<Vec<_>>().join(GAP)
        };
        rows.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["NAME", "BY", "WHY"]);
        table.row(vec![
            (Ink::Plain, "zip-list".into()),
            (Ink::Good, "Ä".into()),
            (Ink::Plain, String::new()),
        ]);
        assert_eq!(table.lines(false), ["NAME      BY  WHY", "zip-list  Ä   -"]);
        assert_eq!(table.lines(true)[1], "zip-list  \x1b[32mÄ\x1b[0m   -");
    }
}
