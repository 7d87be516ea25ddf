//! What takes nanoseconds to milliseconds: repeated until it fills a round, in turns with what it is compared to.

use std::hint::black_box;
use std::time::Duration;

use cpu_time::ThreadTime;

use crate::timing::{Seconds, Spread, Thousands};

/// How long one case's part of a round takes, about.
const PART: Duration = Duration::from_millis(30);
const ROUNDS: usize = 15;
/// So many calls are prepared at once, if they are: few enough that what was prepared is still in the caches.
const PREPARED: usize = 32;

/// Something to do over and over.
pub(crate) struct Case<'c> {
    name: String,
    /// Runs before that many calls, outside of the measured time.
    pub(crate) before: Option<Box<dyn FnMut(usize) + 'c>>,
    work: Box<dyn FnMut(usize) + 'c>,
    /// The first time of all, with nothing in the caches, in seconds.
    first: f64,
    times: usize,
    /// One time in each round, in seconds.
    rounds: Vec<f64>,
}

impl<'c> Case<'c> {
    /// `work` gets the number of the call, from 0. What it returns is dropped within the time.
    pub(crate) fn new<R>(name: impl Into<String>, mut work: impl FnMut(usize) -> R + 'c) -> Self {
        let work = Box::new(move |call| drop(black_box(work(call))));
        Self { name: name.into(), before: None, work, first: 0.0, times: 1, rounds: Vec::new() }
    }

    /// Finds out how many times fill a part.
    fn warm_up(&mut self) {
        self.first = self.run(0, 1);
        while self.run(1, self.times) < PART.as_secs_f64() / 2.0 {
            self.times *= 2;
        }
    }

    fn run(&mut self, from: usize, times: usize) -> f64 {
        let (end, mut took) = (from + times, 0.0);
        for first in (from..end).step_by(self.before.as_ref().map_or(times, |_| PREPARED)) {
            let next = self.before.as_ref().map_or(end, |_| end.min(first + PREPARED));
            if let Some(before) = &mut self.before {
                before(next - first);
            }
            let began = ThreadTime::now();
            (first..next).for_each(|call| (self.work)(call));
            took += began.elapsed().as_secs_f64();
        }
        took
    }
}

/// Measures the cases in turns and prints them, a call of them being a `unit`. The first is the peer: of the others is
/// also said how many times the peer they take.
pub(crate) fn compare(unit: &str, mut cases: Vec<Case<'_>>) {
    cases.iter_mut().for_each(Case::warm_up);
    for round in 0..ROUNDS {
        for case in &mut cases {
            let took = case.run(round * case.times, case.times) / case.times as f64;
            case.rounds.push(took);
        }
    }
    let peer = cases.first().unwrap().rounds.clone();
    for case in &cases {
        let each = Spread::of(case.rounds.clone());
        // Each round's own ratio: what disturbed one of the two disturbed the other as well.
        let pairs = case.rounds.iter().zip(&peer);
        let ratio = Spread::of(pairs.map(|(ours, theirs)| ours / theirs).collect());
        println!("{}", case.name);
        println!(
            "    {} (min {}, max {}; the first {})  {} {unit}/s  {:.2} x peer (min {:.2}, max {:.2})",
            Seconds(each.median),
            Seconds(each.min),
            Seconds(each.max),
            Seconds(case.first),
            Thousands(1.0 / each.median),
            ratio.median,
            ratio.min,
            ratio.max,
        );
    }
}
