//! Keeps the view up to date while the market runs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::buyers::EndPoint;
use super::ink::Terminal;
use super::receipts::Listener;
use super::screen::{BuyerScene, Scene};
use super::tally::Tally;

/// How often the view is redrawn in place.
const REDRAW_EVERY: Duration = Duration::from_secs(1);
/// How often a line is written where nothing can be redrawn.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// What the view looks at.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    pub(super) base: String,
    pub(super) seed: u64,
    pub(super) opened: Instant,
    pub(super) tally: Arc<Tally>,
    pub(super) end_points: Vec<EndPoint>,
    pub(super) listener: Listener,
}

impl Watched {
    /// Takes the figures of this moment. `before` is how many offers there were at an earlier one.
    pub(super) fn scene(&self, (before, at): (u64, Instant)) -> Scene {
        let counts = self.tally.counts();
        let heard = self.listener.heard();
        Scene {
            base: self.base.clone(),
            seed: self.seed,
            elapsed: self.opened.elapsed(),
            lately: (counts.offered.saturating_sub(before), at.elapsed()),
            counts,
            latency: self.tally.latency(),
            buyers: self.end_points.iter().map(BuyerScene::of).collect(),
            filter_words: heard.counts,
            receipts_read: heard.receipts,
        }
    }

    /// Returns the figures since the opening.
    pub(super) fn closing_scene(&self) -> Scene {
        self.scene((0, self.opened))
    }
}

/// Where the view goes.
#[derive(Debug)]
pub(super) enum Output {
    /// A terminal, redrawn in place.
    Terminal(Terminal),
    /// A line now and then on standard output.
    Lines,
    /// The same on standard error, because standard output is for the result.
    ErrorLines,
}

impl Output {
    /// Writes a line of text.
    pub(super) fn say(&self, text: &str) {
        use std::io::Write as _;
        // Nobody is left to tell that nobody reads.
        let _ = match self {
            Self::Terminal(_) | Self::Lines => writeln!(std::io::stdout().lock(), "{text}"),
            Self::ErrorLines => writeln!(std::io::stderr().lock(), "{text}"),
        };
    }
}

/// Shows the market until `stop` is true, and the whole of it once more when it is.
pub(super) async fn show(
    watched: Watched,
    mut output: Output,
    mut stop: tokio::sync::watch::Receiver<bool>,
) {
    let every = if matches!(output, Output::Terminal(_)) { REDRAW_EVERY } else { LINE_EVERY };
    let mut before = (0, watched.opened);
    let mut told = 0;
    loop {
        let stopped = tokio::time::timeout(every, stop.wait_for(|stop| *stop)).await.is_ok();
        let scene = if stopped { watched.closing_scene() } else { watched.scene(before) };
        before = (scene.counts.offered, Instant::now());
        match &mut output {
            // A terminal that cannot be written to is no reason to stop the market.
            Output::Terminal(terminal) => drop(terminal.redraw(&scene.lines())),
            Output::Lines | Output::ErrorLines => {
                let new = scene.counts.event_count.saturating_sub(told);
                let new = usize::try_from(new).unwrap_or(usize::MAX);
                let skip = scene.counts.events.len().saturating_sub(new);
                scene.counts.events.iter().skip(skip).for_each(|event| output.say(event));
                told = scene.counts.event_count;
                if stopped {
                    let lines = scene.lines();
                    let lines = lines.iter().map(|line| line.fit(usize::MAX, false));
                    output.say(
                        &lines.fold("\n".to_owned(), |text, line| text + line.trim_end() + "\n"),
                    );
                } else {
                    output.say(&scene.one_line());
                }
            }
        }
        if stopped {
            return;
        }
    }
}
