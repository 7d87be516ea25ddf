//! What is left to read when the market has closed.

use serde_json::{Value, json};

use super::checks::Check;
use super::ink::{Ink, Line};
use super::screen::{Scene, clock, milliseconds, percent};

/// How a demo went.
#[derive(Debug)]
pub struct Summary {
    pub(super) scene: Scene,
    /// Empty if the demo was only watched.
    pub(super) checks: Vec<Check>,
    /// The filter that was swapped, in words.
    pub(super) swap: Option<String>,
    /// Where the exchange's data is, if it was kept.
    pub(super) kept: Option<std::path::PathBuf>,
}

impl Summary {
    /// Says whether every check held.
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.holds)
    }

    /// Returns the checks that did not hold, out of all.
    pub fn failed(&self) -> (usize, usize) {
        (self.checks.iter().filter(|check| !check.holds).count(), self.checks.len())
    }

    /// Returns the summary for people.
    pub fn text(&self, coloured: bool) -> String {
        let counts = &self.scene.counts;
        let gross = self.scene.gross();
        let margin = gross.checked_sub(counts.payout).unwrap_or_default();
        let mut lines = vec![
            Line::default(),
            Line::labelled("closed").plain(format!(
                "after {}: {} leads offered, {} sold ({}), {} skipped",
                clock(self.scene.elapsed),
                counts.offered,
                counts.sold,
                percent(counts.sold, counts.offered),
                counts.skipped,
            )),
            Line::labelled("money").plain(format!(
                "buyers pay {}, sources get {}, the exchange keeps {}",
                gross.with_decimals(2),
                counts.payout.with_decimals(2),
                margin.with_decimals(2),
            )),
            Line::labelled("answers").plain(format!(
                "to pings: p50 {}, p99 {}",
                milliseconds(self.scene.latency.p50_us),
                milliseconds(self.scene.latency.p99_us),
            )),
        ];
        lines.extend(self.swap.iter().map(|swap| Line::labelled("swap").plain(swap.clone())));
        if !self.checks.is_empty() {
            lines.push(Line::default());
        }
        for check in &self.checks {
            let (mark, ink) = if check.holds { ("✔ ", Ink::Good) } else { ("✘ ", Ink::Bad) };
            lines.push(Line::default().then(ink, mark).plain(check.claim));
            lines.push(Line::default().then(Ink::Dim, format!("    {}", check.details)));
        }
        lines.extend(self.kept.iter().map(|folder| {
            Line::labelled("kept").plain(format!("the exchange's data is in {}", folder.display()))
        }));
        lines.iter().map(|line| line.fit(usize::MAX, coloured) + "\n").collect()
    }

    /// Returns the summary for programs.
    pub fn json(&self) -> Value {
        let counts = &self.scene.counts;
        let said_no = counts.said_no.iter().map(|((word, code), count)| {
            json!({"status": format!("{word:?}").to_lowercase(), "code": code, "count": count})
        });
        let refused = counts
            .refused
            .iter()
            .map(|((status, code), count)| json!({"status": status, "code": code, "count": count}));
        let checks = self.checks.iter().map(
            |check| json!({"claim": check.claim, "holds": check.holds, "details": check.details}),
        );
        let buyers = self.scene.buyers.iter().map(|buyer| {
            json!({
                "buyer": buyer.name, "leads": buyer.leads, "spent": buyer.spent.to_string(),
                "refused": buyer.refused, "again": buyer.again,
            })
        });
        json!({
            "holds": self.holds(),
            "seed": self.scene.seed,
            "elapsed_ms": u64::try_from(self.scene.elapsed.as_millis()).unwrap_or(u64::MAX),
            "offered": counts.offered,
            "answered": counts.answered,
            "accepted": counts.accepted,
            "posted": counts.posted,
            "sold": counts.sold,
            "pending": counts.pending,
            "skipped": counts.skipped,
            "unanswered": counts.unanswered,
            "said_no": said_no.collect::<Vec<Value>>(),
            "refused": refused.collect::<Vec<Value>>(),
            "gross": self.scene.gross().to_string(),
            "payout": counts.payout.to_string(),
            "p50_us": self.scene.latency.p50_us,
            "p99_us": self.scene.latency.p99_us,
            "buyers": buyers.collect::<Vec<Value>>(),
            "swap": self.swap,
            "checks": checks.collect::<Vec<Value>>(),
            "kept": self.kept.as_ref().map(|folder| folder.display().to_string()),
        })
    }
}
