//! Recovers an image in this process, as the program does when it opens, and compares it with what was acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use gavel::book::State;
use gavel::facts::{Ended, Fact};
use gavel::ids::PingId;
use gavel::journal::Journal;

use super::disk::Image;

/// What somebody outside knew at a moment.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// The trace's length when they knew it: everything up to there had happened.
    pub(crate) at: u64,
    pub(crate) ping: u128,
    pub(crate) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A source had the answer to its ping.
    Answered,
    /// A buyer had the full lead.
    Posted,
    /// A source was told of the sale.
    Sold,
}

/// Where images are recovered: in memory, if the machine has a place for that.
pub(crate) fn place() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}

pub(crate) fn lay_out(image: &Image) -> tempfile::TempDir {
    let directory = tempfile::TempDir::new_in(place()).unwrap();
    for (name, content) in image {
        std::fs::write(directory.path().join(name), content).unwrap();
    }
    directory
}

/// Returns why an image does not open, or what is wrong with what it recovers to.
pub(crate) async fn recover(image: &Image, known: &[Known]) -> Result<Vec<String>, String> {
    let directory = lay_out(image);
    let mut opened = Journal::open(directory.path()).await.map_err(|error| error.to_string())?;
    let mut found = Found::default();
    let audit = opened.recover(|stored| {
        let fact = Fact::decode(stored.kind, &stored.payload).map_err(|error| error.to_string())?;
        found.state.apply(stored.at, &fact);
        found.take(&fact);
        Ok::<(), String>(())
    });
    let audit = audit.await.map_err(|error| error.to_string())?;
    let duties = opened.duties().await.map_err(|error| error.to_string())?;
    let mut complaints = found.missing(known);
    if audit.sum() != 0 {
        complaints.push(format!("the ledger sums to {}", audit.sum()));
    }
    for (buyer, held) in found.state.holds() {
        if found.state.account(&buyer).held != held {
            complaints.push(format!(
                "{held} is held of {buyer} for open copies, not what its account says"
            ));
        }
    }
    // Each posted copy that is not settled is still to be delivered, and no other.
    let open = found.state.deliveries_open();
    if duties.len() > open {
        complaints.push(format!("{} deliveries are due for {open} open copies", duties.len()));
    }
    complaints.extend(found.complaints);
    // Before the journal goes: a database that is not there any more is not moved out of its log first.
    drop(directory);
    drop(opened);
    Ok(complaints)
}

#[derive(Default)]
struct Found {
    state: State,
    answered: BTreeSet<u128>,
    posted: BTreeSet<u128>,
    sold: BTreeMap<(u128, u32), String>,
    complaints: Vec<String>,
}

impl Found {
    fn take(&mut self, fact: &Fact) {
        match fact {
            Fact::PingAnswered(ping) if !self.answered.insert(ping.ping) => {
                self.complaints.push(format!("{} is answered twice", ping.ping));
            }
            Fact::Posted(post) if !self.posted.insert(post.ping) => {
                self.complaints.push(format!("{} is posted twice", post.ping));
            }
            Fact::Delivered(delivered) if delivered.ended == Ended::Sold => {
                let copy = (delivered.ping, delivered.copy);
                if self.sold.insert(copy, delivered.buyer.clone()).is_some() {
                    self.complaints.push(format!("{copy:?} is sold twice"));
                }
            }
            _ => (),
        }
    }

    fn missing(&self, known: &[Known]) -> Vec<String> {
        let missing = known.iter().filter(|known| {
            let ping = known.ping;
            !match known.what {
                What::Answered => self.answered.contains(&ping),
                What::Posted => self.posted.contains(&ping),
                What::Sold => self.sold.contains_key(&(ping, 0)),
            }
        });
        let said = missing.map(|known| {
            format!(
                "{} was acknowledged as {:?} and is not",
                PingId::from_u128(known.ping),
                known.what
            )
        });
        said.collect()
    }
}
