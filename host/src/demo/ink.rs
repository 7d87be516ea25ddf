//! Lines of coloured text that fit a terminal.

use std::io::{IsTerminal as _, Write};
use std::process::{Command, Stdio};

/// The narrowest terminal that is drawn for, in columns.
const COLUMNS_MIN: usize = 40;
const COLUMNS_DEFAULT: usize = 80;
const ROWS_DEFAULT: usize = 24;

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    Plain,
    Bold,
    Dim,
    Good,
    Bad,
    Marked,
}

impl Ink {
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "\x1b[1m",
            Self::Dim => "\x1b[2m",
            Self::Good => "\x1b[32m",
            Self::Bad => "\x1b[31m",
            Self::Marked => "\x1b[33m",
        }
    }
}

/// One line: pieces of text, each in its ink.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line(Vec<(Ink, String)>);

impl Line {
    /// A line that begins with a label in a column of its own.
    pub(super) fn labelled(label: &str) -> Self {
        Self(vec![(Ink::Bold, format!("{label:<10}"))])
    }

    #[must_use]
    pub(crate) fn then(mut self, ink: Ink, text: impl Into<String>) -> Self {
        self.0.push((ink, text.into()));
        self
    }

    #[must_use]
    pub(super) fn plain(self, text: impl Into<String>) -> Self {
        self.then(Ink::Plain, text)
    }

    /// Returns the text, cut to this many columns.
    pub(crate) fn fit(&self, columns: usize, coloured: bool) -> String {
        let mut left = columns;
        let mut fitted = String::new();
        for (ink, text) in &self.0 {
            let piece: String = text.chars().filter(|char| !char.is_control()).take(left).collect();
            left -= piece.chars().count();
            let code = if coloured && !piece.is_empty() { ink.code() } else { "" };
            let reset = if code.is_empty() { "" } else { "\x1b[0m" };
            fitted.extend([code, &piece, reset]);
        }
        fitted
    }
}

/// Says whether standard output takes colours: it is a terminal, and NO_COLOR is not set.
pub(crate) fn coloured() -> bool {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stdout().is_terminal() && !plain
}

/// Where the view is drawn.
#[derive(Debug)]
pub(super) struct Terminal {
    /// Standard output is a terminal, so that the view can be redrawn in place.
    pub(super) interactive: bool,
    coloured: bool,
    drawn: usize,
}

impl Terminal {
    /// Looks at standard output and at NO_COLOR.
    pub(super) fn open() -> Self {
        Self { interactive: std::io::stdout().is_terminal(), coloured: coloured(), drawn: 0 }
    }

    /// Draws the lines over those that it drew before, as far as they fit the terminal.
    pub(super) fn redraw(&mut self, lines: &[Line]) -> Result<(), std::io::Error> {
        let (rows, columns) = size();
        let mut text = String::new();
        if self.drawn > 0 {
            text.push_str(&format!("\x1b[{}A", self.drawn));
        }
        // The last row is left free: a line break there would scroll the view away from under itself.
        let fitting = lines.iter().take(rows.saturating_sub(1));
        self.drawn = fitting.len().max(self.drawn.min(rows.saturating_sub(1)));
        let blank = Line::default();
        for line in fitting.chain(std::iter::repeat(&blank)).take(self.drawn) {
            text.push_str(&format!("\x1b[2K{}\n", line.fit(columns, self.coloured)));
        }
        let mut output = std::io::stdout().lock();
        output.write_all(text.as_bytes())?;
        output.flush()
    }
}

/// Returns the rows and the columns of the terminal.
fn size() -> (usize, usize) {
    let asked = Command::new("stty").arg("size").stdin(Stdio::inherit()).output();
    let text = asked.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    parse_size(&text.unwrap_or_default()).unwrap_or((ROWS_DEFAULT, COLUMNS_DEFAULT))
}

fn parse_size(text: &str) -> Option<(usize, usize)> {
    let (rows, columns) = text.trim().split_once(' ')?;
    let (rows, columns): (usize, usize) = (rows.parse().ok()?, columns.parse().ok()?);
    (rows > 1 && columns > 0).then_some((rows, columns.max(COLUMNS_MIN)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_never_grows_past_the_terminal() {
        let line =
            Line::labelled("events").then(Ink::Good, "✔ sold").plain(" and more of the same");
        let bare = line.fit(18, false);
        assert_eq!(bare, "events    ✔ sold a");
        let coloured = line.fit(18, true);
        assert_eq!(coloured, "\x1b[1mevents    \x1b[0m\x1b[32m✔ sold\x1b[0m a");
        assert_eq!(line.fit(3, true), "\x1b[1meve\x1b[0m");
    }

    #[test]
    fn what_would_move_the_cursor_is_left_out() {
        assert_eq!(Line::default().plain("a\nb\x1b[2Jc").fit(20, false), "ab[2Jc");
    }

    #[test]
    fn a_terminal_of_no_size_is_not_believed() {
        assert_eq!(parse_size("24 80\n"), Some((24, 80)));
        assert_eq!(parse_size("24 10"), Some((24, 40)));
        assert_eq!(parse_size("0 0"), None);
        assert_eq!(parse_size(""), None);
    }
}
