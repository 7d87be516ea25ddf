//! Numbers as a reader of benches wants them: the middle with its spread, in a unit that fits.
//!
//! The machine may have other work, so times are time on the CPU, not on the wall, and what is compared takes turns.

use std::fmt;

/// The program's allocator, so that a bench allocates as the exchange does.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What several rounds measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// Takes what each round measured; at least one.
    pub(crate) fn of(mut rounds: Vec<f64>) -> Self {
        rounds.sort_by(f64::total_cmp);
        let (min, max) = (*rounds.first().unwrap(), *rounds.last().unwrap());
        Self { min, median: rounds.swap_remove(rounds.len() / 2), max }
    }
}

/// A number of seconds in the unit that fits: `4.12 µs`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seconds(pub(crate) f64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1.0, "s "), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")];
        let fits = units.into_iter().find(|(unit, _)| self.0 >= *unit);
        let (unit, name) = fits.unwrap_or((1e-9, "ns"));
        write!(f, "{:.2} {name}", self.0 / unit)
    }
}

/// A number with its thousands apart: `243,902`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thousands(pub(crate) f64);

impl fmt::Display for Thousands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:.0}", self.0);
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index) % 3 == 0 {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}
