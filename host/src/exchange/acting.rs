//! How an act changes what is saved. What it needs is compiled and configured while others act; under the lock everything is
//! at hand, so nobody waits there for a module.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::{Mutex, MutexGuard};

use super::Exchange;
use super::office::{ActError, invalid};
use crate::catalog::{Draft, Faults, Market, Setbacks, Stock};
use crate::clock::Moment;
use crate::facts::{Fact, ModuleStepped, Saved, Step};
use crate::ids::{BuyerId, ModuleName, SourceId};
use crate::sandbox::Purpose;

/// How often an act is prepared anew because others changed what it needs meanwhile; after that it holds them up.
const ROUNDS_MAX: u32 = 4;

/// What is saved. Acts change it one after the other; whoever reads it waits for none of them.
#[derive(Debug)]
pub(super) struct Drafts {
    turn: Mutex<Draft>,
    latest: ArcSwap<Draft>,
    /// Saves that have to compile do it one after the other, so that those of one module do not undo each other's work.
    bench: Mutex<()>,
}

/// The right to change what is saved.
pub(super) type Turn<'e> = MutexGuard<'e, Draft>;

/// What becomes of campaigns whose settings a version does not take that is to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Losses {
    /// The act is refused.
    Refused,
    /// They are out of service: the act must get through.
    Taken,
}

/// What an act makes.
struct Made {
    draft: Draft,
    market: Market,
    at: Moment,
}

impl Drafts {
    pub(super) fn new(draft: Draft) -> Self {
        let latest = ArcSwap::from_pointee(draft.clone());
        Self { turn: Mutex::new(draft), latest, bench: Mutex::default() }
    }

    pub(super) async fn lock(&self) -> Turn<'_> {
        self.turn.lock().await
    }
}

impl Exchange {
    /// Returns what is saved, as it is now.
    pub async fn draft(&self) -> Draft {
        Draft::clone(&self.draft.latest.load())
    }

    /// Tries a change on a copy, records it, and publishes the snapshot it makes. The turn may be given up meanwhile and
    /// taken again.
    pub(super) async fn change<'e>(
        &'e self,
        turn: Turn<'e>,
        fact: Fact,
    ) -> Result<Turn<'e>, ActError> {
        self.change_with(turn, &fact, Losses::Refused).await
    }

    pub(super) async fn change_with<'e>(
        &'e self,
        mut turn: Turn<'e>,
        fact: &Fact,
        losses: Losses,
    ) -> Result<Turn<'e>, ActError> {
        let mut bench = None;
        for _ in 0..ROUNDS_MAX {
            if let Some(made) = self.make(&turn, (fact, losses), Stock::AtHand).await? {
                return self.publish(turn, fact, made).await;
            }
            let seen = turn.clone();
            drop(turn);
            if matches!(fact, Fact::Saved(_)) && bench.is_none() {
                bench = Some(self.draft.bench.lock().await);
            }
            let latest = self.draft().await;
            self.compile(&latest, fact).await?;
            self.make(&latest, (fact, losses), Stock::Made).await?;
            turn = self.draft.lock().await;
            undisturbed(&seen, &turn, fact)?;
        }
        self.compile(&turn, fact).await?;
        let made = self.make(&turn, (fact, losses), Stock::Made).await?;
        self.publish(turn, fact, made.ok_or(ActError::Closed)?).await
    }

    /// Compiles the version that a step is about, if it is not.
    async fn compile(&self, draft: &Draft, fact: &Fact) -> Result<(), ActError> {
        let Fact::ModuleStepped(ModuleStepped { name, version, .. }) = fact else { return Ok(()) };
        let digest = draft.versions(name).and_then(|versions| versions.digest(*version));
        if let Some(digest) = digest.filter(|digest| !self.workshop.has(*digest)) {
            let wasm = self.journal.module(digest).await.map_err(|_| ActError::Closed)?;
            let wasm = wasm.ok_or_else(|| ActError::NotFound(format!("module {digest}")))?;
            self.admit(Purpose::Serve, digest, wasm).await?;
        }
        Ok(())
    }

    /// Builds the snapshot that an act makes; nothing if it needs what is not at hand and has to be.
    async fn make(
        &self,
        draft: &Draft,
        (fact, losses): (&Fact, Losses),
        stock: Stock,
    ) -> Result<Option<Made>, ActError> {
        let (at, mut changed) = (self.clock.now(), draft.clone());
        changed.apply(at, fact).map_err(|error| invalid("", error))?;
        let (workshop, tried) = (Arc::clone(&self.workshop), changed.clone());
        let building = tokio::task::spawn_blocking(move || match stock {
            Stock::AtHand => Market::of_stock(&tried, &workshop),
            Stock::Made => Market::build(&tried, 0, &workshop).map(Some),
        });
        let built = building.await.map_err(|_| ActError::Closed)?;
        let built = built.map_err(|faults| blamed(faults, &changed, fact))?;
        let Some(market) = built else { return Ok(None) };
        bearable(market.setbacks(), self.catalog.load().setbacks(), (fact, losses))?;
        Ok(Some(Made { draft: changed, market, at }))
    }

    async fn publish<'e>(
        &'e self,
        mut turn: Turn<'e>,
        fact: &Fact,
        Made { draft, market, at }: Made,
    ) -> Result<Turn<'e>, ActError> {
        let seat = self.journal.seat().await.map_err(|_| ActError::Closed)?;
        let committed = self.book.decide(|book| self.record(book, seat, at, fact, None));
        let version = committed.wait().await.map_err(|_| ActError::Closed)?;
        // Before the first ping can see it.
        self.notary.known_mut().note(version, at, fact);
        if fact.changes_catalog() {
            self.drains.add(&self.catalog.publish(market.at_version(version)));
        }
        tracing::info!(kind = Fact::kind_name(fact.kind()), version, "catalog changed");
        self.draft.latest.store(Arc::new(draft.clone()));
        *turn = draft;
        Ok(turn)
    }
}

/// Refuses an act that was worked out from what somebody else changed meanwhile.
fn undisturbed(seen: &Draft, now: &Draft, fact: &Fact) -> Result<(), ActError> {
    let same = match fact {
        Fact::ModuleStepped(step) => {
            let tracks = |draft: &Draft| Some(draft.versions(&step.name)?.tracks.clone());
            tracks(seen) == tracks(now)
        }
        Fact::Saved(Saved { what, id, .. }) if what == "buyer" => BuyerId::parse(id)
            .is_ok_and(|id| seen.register.buyers.get(&id) == now.register.buyers.get(&id)),
        Fact::Saved(Saved { what, id, .. }) if what == "source" => SourceId::parse(id)
            .is_ok_and(|id| seen.register.sources.get(&id) == now.register.sources.get(&id)),
        // Whatever else is saved is saved whole, and the last one counts.
        _ => true,
    };
    if same {
        return Ok(());
    }
    let message = "somebody else changed the same meanwhile: look at it, and try again";
    Err(ActError::Conflict(message.to_owned()))
}

/// Refuses an act that puts campaigns out of service, or begins a trial that can judge nothing.
fn bearable(
    after: &Setbacks,
    before: &Setbacks,
    (fact, losses): (&Fact, Losses),
) -> Result<(), ActError> {
    let saved = match fact {
        Fact::Saved(Saved { what, id, .. }) if what == "campaign" => Some(id.as_str()),
        _ => None,
    };
    let unfit = after.more_than(before, saved);
    if losses == Losses::Refused && !unfit.is_empty() {
        return Err(Faults(unfit).into());
    }
    if let Fact::ModuleStepped(ModuleStepped { name, version, step: Step::Shadowed, .. }) = fact
        && let Ok(module) = ModuleName::parse(name)
        && let Some(fault) = after.idle(&module, *version)
    {
        return Err(Faults(vec![fault.clone()]).into());
    }
    Ok(())
}

/// Names the campaign that is saved where a filter fails with the settings of all its campaigns.
fn blamed(faults: Faults, changed: &Draft, fact: &Fact) -> Faults {
    let Fact::Saved(Saved { what, id, .. }) = fact else { return faults };
    let campaigns = &changed.register.campaigns;
    let saved = campaigns.iter().find(|(known, _)| what == "campaign" && known.as_str() == id);
    match saved.and_then(|(_, spec)| spec.filter.as_ref()) {
        Some(filter) => faults.blamed_on(id, &filter.module),
        None => faults,
    }
}
