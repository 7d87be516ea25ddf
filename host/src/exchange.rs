//! The corridor: the only file that names every room. A lead's whole way is on this screen.

mod acting;
mod asking;
mod books;
mod calls;
mod changed;
mod checks;
mod claim;
mod close;
mod deliveries;
mod diff;
mod drains;
mod entrance;
mod expiry;
mod failures;
mod gates;
mod harbour;
mod lines;
mod modules;
mod money;
mod notary;
mod note;
mod office;
mod opening;
mod pair;
mod persons;
mod postbacks;
mod price_to_win;
mod receipts;
mod reconcile;
mod recording;
mod rehearsal;
mod replay;
mod returns;
mod rollback;
mod rotation;
mod schemas;
mod secrets;
mod shadow;
mod shipments;
mod statements;
mod suppressions;
mod transfers;
mod trouble;
mod upkeep;
mod verify;
mod views;
mod what_if;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bidding::Saleroom;
use crate::book::{Bar, Book, State};
use crate::catalog::{Catalog, Market, Policy, Workshop};
use crate::clock::{Clock, Moment};
use crate::contacts::{Contacts, OpenLead};
use crate::delivery::courier::Courier;
use crate::facts::{Fact, PingAnswered, Posted, Terms};
use crate::ids::PingId;
use crate::ingest::{Call, Door, Place, Submission};
use crate::journal::{Committed, ContactChange, Journal, Seat};
use crate::lead::PingView;
use crate::matching;
use crate::money::Micros;
use crate::reasons::Exclusion;
use crate::settlement::{Answer, Story};

use acting::Drafts;
use books::{Books, Stopped};
use changed::Instead;
use diff::Diffing;
use drains::Drains;
use expiry::Deadline;
use failures::Failures;
use harbour::Harbour;
use lines::Lines;
use notary::Notary;
use postbacks::Postbacks;
use shadow::Shadows;
use upkeep::Upkeep;

pub use calls::{Known, within};
pub use close::{Closed, close, fingerprint};
pub use diff::{
    Code, DIFF_TIME_MAX, DiffError, component_of, diff_directory, diff_file, diff_payloads,
    record_directory,
};
pub use entrance::{Entered, Entry};
pub use gates::{FORCED, GATE_FACTS_MAX, GATE_TIME_MAX, Gated};
pub use harbour::{DELIVERIES_MAX, LETTERS_MAX, LISTS_MAX, POSTS_WAITING_MAX};
pub use modules::{Trying, Uploaded, Which};
pub use money::{Moved, REASON_BYTES_MAX};
pub use note::{NOTE_BYTES_MAX, Note};
pub use office::{ActError, SavedBuyer, SavedSource};
pub use opening::{OpenError, Options};
pub use persons::{
    ERASED_TEXT_BYTES_MAX, Erased, ErasedBy, FoundLead, FoundLeads, LEADS_OF_PERSON_MAX,
    SWEPT_AT_ONCE_MAX,
};
pub use postbacks::{
    Attempted, EndPoint, LANE_MAX, Listed as ListedPostback, POSTBACKS_LISTED_MAX, Status, Tested,
    WAITING_MAX, WantedPostbacks,
};
pub use receipts::{AUCTIONS_MAX, Extent, Page, receipt_in};
pub use reconcile::{ReconcileError, Reconciled, reconcile};
pub use recording::{LEADS_MAX, RECORDING_BYTES_MAX, Settings, Window};
pub use replay::{Difference, Replayed, replay};
pub use returns::{BUYER, OPERATOR, ReturnDecision, ReturnWanted};
pub use rollback::RolledBack;
pub use rotation::{Rotated, rotate};
pub use schemas::{KnownSchema, Misnumbered};
pub use shadow::{QUEUE_BYTES_MAX, QUEUE_MAX, TRIALS_MAX};
pub use shipments::{ListedShipment, SHIPMENTS_LISTED_MAX};
pub use statements::{LINES_READ_MAX, recorded_statement};
pub use suppressions::{Changed, ENTRIES_AT_ONCE_MAX, Listed};
pub use trouble::Trouble;
pub use verify::{FILES_MAX, Finding, Means, Verified, VerifyError, verify};
pub use what_if::{OtherTerms, SHOWN_MAX, what_if};

/// A running exchange.
#[derive(Debug)]
pub struct Exchange {
    catalog: Catalog,
    book: Book,
    books: Books,
    contacts: Arc<Contacts>,
    /// Something erased may still lie in the log.
    unscrubbed: AtomicBool,
    journal: Journal,
    door: Door,
    courier: Courier,
    saleroom: Saleroom,
    workshop: Arc<Workshop>,
    draft: Drafts,
    returning: Mutex<()>,
    drains: Drains,
    lines: Lines,
    harbour: Harbour,
    failures: Failures,
    shadows: Shadows,
    diffing: Diffing,
    upkeep: Upkeep,
    notary: Notary,
    deadline: Deadline,
    postbacks: Postbacks,
    clock: Clock,
    currency: String,
    tasks: TaskTracker,
    stopping: CancellationToken,
}

impl Exchange {
    /// Answers a ping: one auction, from the source's bytes to the money that is held for the winner.
    pub async fn ping(self: &Arc<Self>, submission: &Submission) -> Result<Answer, Trouble> {
        let market = self.catalog.load();
        match self.enter(&market, submission).await? {
            Entry::Seen(ping) | Entry::Interrupted(ping, _) => {
                self.answer_again(ping, submission).await
            }
            Entry::New(entered) => {
                let auction = self.auction(&market, submission, &entered, None).await?;
                Ok(Answer::to_ping(&auction))
            }
        }
    }

    /// Answers a post: the full lead goes to the winner of its ping. It keeps its place until it only waits for that.
    pub async fn post(
        self: &Arc<Self>,
        submission: &Submission,
        place: &Place,
    ) -> Result<Answer, Trouble> {
        let market = self.catalog.load();
        match self.enter(&market, submission).await? {
            Entry::Seen(ping) => self.answer_again(ping, submission).await,
            Entry::Interrupted(ping, entered) => {
                self.hand_over(submission, &entered, ping, place).await
            }
            Entry::New(entered) => {
                let handle = entered.envelope.ping_id.as_deref().unwrap_or_default();
                let ping = PingId::parse(handle).map_err(|_| Trouble::PingNotFound)?;
                let ping = match self.pinged(&market, submission, &entered, ping).await? {
                    Some(auction) if auction.winners.is_empty() => {
                        return Ok(Answer::unsold(&auction));
                    }
                    Some(auction) => PingId::from_u128(auction.ping),
                    None => ping,
                };
                self.hand_over(submission, &entered, ping, place).await
            }
        }
    }

    /// Answers a full post: the auction and the delivery in one call.
    pub async fn full(
        self: &Arc<Self>,
        submission: &Submission,
        place: &Place,
    ) -> Result<Answer, Trouble> {
        let market = self.catalog.load();
        match self.enter(&market, submission).await? {
            Entry::Seen(ping) => self.answer_again(ping, submission).await,
            Entry::Interrupted(ping, entered) => {
                self.hand_over(submission, &entered, ping, place).await
            }
            Entry::New(entered) => {
                let auction = self.auction(&market, submission, &entered, None).await?;
                if auction.winners.is_empty() {
                    return Ok(Answer::unsold(&auction));
                }
                let ping = PingId::from_u128(auction.ping);
                self.hand_over(submission, &entered, ping, place).await
            }
        }
    }

    async fn auction(
        self: &Arc<Self>,
        market: &Market,
        submission: &Submission,
        entered: &Entered,
        instead: Option<Instead>,
    ) -> Result<Arc<PingAnswered>, Trouble> {
        self.money_moves()?;
        let (at, source, vertical) = (submission.received, &entered.source, &entered.vertical);
        let view = entered.lead.ping_view();
        let frame = view.frame();
        let print = fingerprint(vertical, &frame);
        let policy = vertical.policy(&view, source.id.as_str());
        let terms = terms(policy, entered, instead.as_ref());
        let hashes = self.hashed(&view);
        let shortlist = matching::shortlist(vertical, &view, &source.id, at, |campaign| {
            policy.place(campaign).ok_or((Exclusion::NotInPolicy, None))?;
            let admits = |book: &mut State| {
                claim::admits(book, market, campaign, &hashes, print, at).map_err(Bar::told)
            };
            self.book.decide(admits)
        });
        let ping = match &instead {
            Some(instead) => instead.by,
            None => entrance::handle(at)?,
        };
        let (bids, asked, closing) =
            self.collect(submission, entered, shortlist, (&view, &frame, print), ping).await;
        self.forfeited(&bids.forfeited, at);
        let late = submission.deadline(entered.envelope.deadline_ms) < Instant::now();
        let body = *submission.body_digest().as_bytes();
        let seat = self.journal.seat().await.map_err(|_| Trouble::Closed)?;
        let steady = self.clock.steady();
        let (answered, committed) = self.book.decide(|book| {
            // An auction that takes the place of another takes its room as well.
            if instead.is_none() && !book.opens_ping_of(source.id.as_str()) {
                return Err(Trouble::ShareFull(source.id.clone(), "open pings"));
            }
            let duplicate = close::duplicate(book, vertical, source, (entered.test, print), at);
            let covers = |campaign: &_, amount| book.covers(campaign, print, amount, at);
            let rejects = |buyer: &_| book.reject_rate(buyer);
            let closed = match duplicate {
                Some(_) => Closed::default(),
                None => close(&terms, policy, ping, bids, late, covers, rejects),
            };
            let answered = Arc::new(PingAnswered {
                ping: ping.as_u128(),
                source: source.id.as_str().to_owned(),
                vertical: vertical.id.as_str().to_owned(),
                catalog: market.version(),
                received_ms: at.unix_ms(),
                body,
                test: entered.test,
                normalizer: entered.normalizer(),
                filters: closed.filters,
                frame,
                terms,
                left_out: closed.left_out,
                bids: closed.bids,
                asked,
                winners: closed.winners,
                duplicate_of: duplicate.map(PingId::as_u128),
                replaces: instead.as_ref().map(|instead| instead.auction.ping),
                fingerprint: print,
                expires_ms: at.after(vertical.hold).unix_ms(),
                held_until_ms: steady.after(vertical.hold).unix_ms(),
                request: entered.request.clone(),
            });
            let fact = Fact::PingAnswered(Arc::clone(&answered));
            self.deadline.comes(&answered);
            Ok((answered, self.record(book, seat, at, &fact, None)))
        })?;
        // Durable before it is spoken: a crash after this line keeps the promise, a crash before it made none.
        committed.wait().await.map_err(|_| Trouble::Closed)?;
        self.saleroom.tail().closed(closing);
        self.shadows.see(vertical, &answered);
        Ok(answered)
    }

    async fn hand_over(
        self: &Arc<Self>,
        submission: &Submission,
        entered: &Entered,
        ping: PingId,
        place: &Place,
    ) -> Result<Answer, Trouble> {
        self.money_moves()?;
        let (at, body) = (submission.received, *submission.body_digest().as_bytes());
        let source = entered.source.id.as_str();
        let open =
            self.book.decide(|book| book.open_ping(ping).map(|open| Arc::clone(&open.auction)));
        let Some(auction) = open.filter(|auction| auction.source == source) else {
            return self.answer_closed(ping, source, submission).await;
        };
        let schema = Arc::clone(entered.lead.schema());
        let offered = PingView::from_frame(schema, &auction.frame).map_err(Trouble::Frame)?;
        let lead = OpenLead::new(entered.lead.completed_by(&offered).to_json());
        let (sealed, contact) = self.seal(ping, &entered.vertical, at, &lead)?;
        let (market, whom) = (self.catalog.load(), self.whom(&entered.lead));
        drop(lead);
        let request = entered.request.clone().filter(|_| submission.call == Call::Post);
        let seat = self.journal.seat().await.map_err(|_| Trouble::Closed)?;
        let steady = self.clock.steady();
        let committed = self.book.decide(|book| {
            let open = book.open_ping(ping).filter(|open| open.posted.is_none());
            let open = open.filter(|_| steady <= auction.held_until())?;
            let posted = Posted { ping: ping.as_u128(), body, request, ..Posted::default() };
            let waits = |taker: &_| self.waits(&market, taker);
            let fact = claim::claim(book, &market, open, &whom, posted, waits, at);
            let shown = !auction.test && claim::hands_over(&fact, &auction);
            let contact = Some(contact).filter(|_| shown);
            let told = transfers::told_in_test(&market, &auction, &fact, at);
            Some(self.record_post(book, seat, at, (fact, contact, told)))
        });
        let Some(committed) = committed else {
            return self.answer_closed(ping, source, submission).await;
        };
        let delivering = self.deliver(ping, committed, sealed);
        let deadline = submission.deadline(entered.envelope.deadline_ms);
        // Whoever only waits for a buyer keeps nobody from being heard.
        place.give_back();
        if let Some(_berth) = self.harbour.posts.try_berth(source)
            && let Ok(Ok(ended)) = tokio::time::timeout_at(deadline.into(), delivering).await
        {
            ended?;
        }
        Ok(self.story(ping).await?.to_post(ping))
    }

    /// Applies a fact to the book and hands it to the journal with all that it implies, in one step: the order of the
    /// journal is the order of the book. The fact is written out later, when the book is free again.
    fn record(
        &self,
        book: &mut State,
        seat: Seat,
        at: Moment,
        fact: &Fact,
        contact: Option<ContactChange>,
    ) -> Committed {
        let called = self.called(book, at);
        match self.booked(book, at, fact, contact) {
            Ok(record) => {
                let fact = fact.clone();
                seat.fill_linked(called, record, move || fact.encode())
            }
            Err(Stopped) => seat.leave(),
        }
    }

    async fn story(&self, ping: PingId) -> Result<Story, Trouble> {
        let facts = self.history(ping).await.map_err(|_| Trouble::Closed)?;
        Ok(Story::of(facts.iter().map(|(_, _, fact)| fact)))
    }
}

/// Fixes the rules of the auction before the first bid is asked for. A source that asked for a least price at the ping
/// and says nothing about it at the post still asks for that.
fn terms(policy: &Policy, entered: &Entered, instead: Option<&Instead>) -> Terms {
    let asked = entered.envelope.minimum_price.map(|least| entered.source.asks(least));
    let before = instead.map(|instead| Micros::new(instead.auction.terms.least));
    policy.terms(&entered.source, &entered.vertical.fees, asked.or(before).unwrap_or_default())
}
