//! Opening: everything is read back from the journal before the first ping is heard. Closing: the other way round.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::acting::Drafts;
use super::books::Books;
use super::diff::Diffing;
use super::drains::Drains;
use super::expiry::Deadline;
use super::failures::Failures;
use super::harbour::Harbour;
use super::lines::Lines;
use super::notary::{Known, Notary};
use super::postbacks::Postbacks;
use super::shadow::Shadows;
use super::upkeep::Upkeep;
use super::{Exchange, entrance};
use crate::berths::Busy;
use crate::bidding::Saleroom;
use crate::book::{Book, Kept, State};
use crate::catalog::{Catalog, Draft, Faults, Market, Workshop};
use crate::clock::Clock;
use crate::config::Keeping;
use crate::contacts::{ContactError, Contacts, Location, MasterKey, MasterKeyError, PRINT_KEY};
use crate::delivery::DELIVER;
use crate::delivery::courier::Courier;
use crate::egress::{Egress, Line};
use crate::facts::{Fact, Unreadable};
use crate::ids::Digest;
use crate::ingest::Door;
use crate::journal::{AuditError, Duty, Journal, JournalError, Opened, Place, Stored};
use crate::sandbox::{Compiler, Limits, Sandbox, SandboxError};
use crate::settlement::postback::POSTBACK;
use crate::settlement::{self, Discrepancy, Ledger};
use crate::signing::{KeyError, KeySource};

/// How long open deliveries may take to finish once the exchange is told to stop.
pub(super) const DRAIN_MAX: Duration = Duration::from_secs(10);

/// What an exchange is opened with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the journal is.
    pub data: PathBuf,
    pub keeping: Keeping,
    /// The code of the one currency of all amounts.
    pub currency: String,
    pub egress: Egress,
    pub limits: Limits,
    pub clock: Clock,
    pub compiler: Compiler,
    /// Where the key that signs receipts comes from.
    pub signing: KeySource,
    /// Where the key is that wraps the keys of contact data.
    pub master_key: Location,
}

/// Why an exchange cannot open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    #[error("the keys of contact data cannot be set up")]
    Contacts(#[from] ContactError),
    #[error("the journal is from a newer version of this program")]
    Unreadable(#[from] Unreadable),
    #[error("the journal cannot be read back: {0}")]
    Unfoldable(String),
    #[error("the sandbox cannot be set up")]
    Sandbox(#[from] SandboxError),
    #[error("compiled code cannot be kept in {}", path.display())]
    Cache { path: PathBuf, source: std::io::Error },
    #[error("the thread of the shadows cannot be started")]
    Shadows(#[source] std::io::Error),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("the key that signs receipts cannot be recorded")]
    KeyNotRecorded,
    #[error("outbound connections cannot be set up: {0}")]
    Egress(String),
    #[error("what was saved does not hold with this program's settings: {0}")]
    Catalog(#[from] Faults),
    #[error("module {digest} of the journal is not admitted any more: {why}")]
    Module { digest: Digest, why: String },
}

/// What the journal's facts come to.
#[derive(Default)]
struct Recovered {
    draft: Draft,
    state: State,
    /// The newest fact that changed the catalog.
    version: u64,
    facts: u64,
    ledger: Ledger,
    known: Known,
    /// Why book and ledger do not agree, if they do not.
    discrepancy: Option<Discrepancy>,
}

async fn recover(opened: &mut Opened) -> Result<Recovered, OpenError> {
    let mut all = Recovered::default();
    let each = |stored: Stored| {
        let fact = Fact::decode(stored.kind, &stored.payload)?;
        let backed = settlement::backed(&all.state, stored.seq, &fact);
        let taken = all.ledger.take(stored.at, &fact, &settlement::entries(&fact));
        all.discrepancy = all.discrepancy.take().or(backed.and(taken).err());
        all.state.apply(stored.at, &fact);
        let folded = all.draft.apply(stored.at, &fact);
        folded.map_err(|error| OpenError::Unfoldable(error.to_string()))?;
        if fact.changes_catalog() {
            all.version = stored.seq;
        }
        all.known.note(stored.seq, stored.at, &fact);
        all.facts = stored.seq;
        Ok::<(), OpenError>(())
    };
    opened.recover(each).await.map_err(|error| match error {
        AuditError::Damaged(damage) => JournalError::from(damage).into(),
        AuditError::Storage { source, .. } => JournalError::from(source).into(),
        AuditError::Refused { source, .. } => source,
    })?;
    Ok(all)
}

impl Exchange {
    /// Opens an exchange: recovers the journal, rebuilds the book and the catalog, takes up deliveries that are due.
    pub async fn open(options: Options) -> Result<Arc<Self>, OpenError> {
        let courier =
            Courier::new(&options.egress).map_err(|error| OpenError::Egress(error.to_string()))?;
        let saleroom = saleroom(&options.egress)?;
        let postbacks = Postbacks::new(&options.egress)
            .map_err(|error| OpenError::Egress(error.to_string()))?;
        // First of all: from here on the directory is this process's alone.
        let Keeping { database, accepted, .. } = options.keeping.clone();
        let place = Place { directory: options.data.clone(), database, accepted };
        let mut opened = Journal::open(place).await?;
        let contacts = contacts(&mut opened, &options.master_key, &options.data).await?;
        let contacts = Arc::new(contacts);
        let sandbox = Sandbox::open(&options.limits)?.with_compiler(options.compiler);
        let sandbox = sandbox.with_cache(&options.data);
        let sandbox =
            sandbox.map_err(|source| OpenError::Cache { path: options.data.clone(), source })?;
        let workshop = Workshop::new(sandbox, options.egress).with_keys(Arc::clone(&contacts));
        let workshop = Arc::new(workshop);
        let Recovered { draft, state, version, facts, ledger, known, discrepancy } =
            recover(&mut opened).await?;
        let duties = opened.duties().await?;
        let journal = opened.start()?;
        let market = market(&journal, &draft, version, &workshop).await?;
        tracing::info!(
            facts,
            open_pings = state.open_pings(),
            deliveries = duties.len(),
            "journal recovered"
        );
        let notary = Notary::open(options.data.clone(), options.signing, known)?;
        let stopping = CancellationToken::new();
        let shadows = Shadows::start(Arc::clone(&workshop), stopping.clone());
        let shadows = shadows.map_err(OpenError::Shadows)?;
        shadows.settle(&draft, options.clock.now());
        // What was answered by it before the restart is not in its future.
        let clock = options.clock.not_before(state.held_since().unwrap_or_default());
        let exchange = Arc::new(Self {
            catalog: Catalog::new(market),
            book: Book::new(state),
            books: Books::new(ledger),
            contacts,
            // A scrub may have been cut short.
            unscrubbed: AtomicBool::new(true),
            journal,
            door: Door::default(),
            courier,
            saleroom,
            workshop,
            draft: Drafts::new(draft),
            returning: Mutex::default(),
            drains: Drains::default(),
            lines: Lines::default(),
            harbour: Harbour::default(),
            failures: Failures::default(),
            shadows,
            diffing: Diffing::default(),
            notary,
            postbacks,
            upkeep: Upkeep::new(options.data, options.keeping),
            deadline: Deadline::default(),
            clock,
            currency: options.currency,
            tasks: TaskTracker::new(),
            stopping,
        });
        match discrepancy {
            Some(discrepancy) => exchange.stop_money(&discrepancy.to_string()),
            None => exchange.book.decide(|book| exchange.books.compare(book, facts)),
        }
        exchange.adopt_key().await.map_err(|_| OpenError::KeyNotRecorded)?;
        exchange.begin(duties);
        Ok(exchange)
    }

    /// Takes up what is due, and what is done by the clock.
    fn begin(self: &Arc<Self>, duties: Vec<Duty>) {
        self.line_up_again(&duties);
        for duty in duties {
            match duty.kind {
                DELIVER => drop(self.tasks.spawn(Arc::clone(self).resume(duty))),
                POSTBACK => self.take_up(&duty),
                kind => tracing::error!(kind, "a duty of an unknown kind is due"),
            }
        }
        self.tasks.spawn(Arc::clone(self).send_postbacks());
        self.tasks.spawn(Arc::clone(self).expire());
        self.tasks.spawn(Arc::clone(self).sweep());
        self.tasks.spawn(Arc::clone(self).watch_drains());
        self.tasks.spawn(Arc::clone(self).watch_books());
        self.look_at_the_disk();
        self.tasks.spawn(Arc::clone(self).watch_disk());
        self.tasks.spawn(Arc::clone(self).prove());
    }

    /// Finishes what is under way, as far as [`DRAIN_MAX`] allows, and closes the journal. What is left is taken up
    /// at the next opening; returns how many deliveries that are.
    pub async fn close(&self) -> usize {
        self.stopping.cancel();
        self.tasks.close();
        if tokio::time::timeout(DRAIN_MAX, self.tasks.wait()).await.is_err() {
            tracing::warn!(limit = ?DRAIN_MAX, left = self.tasks.len(), "deliveries left for the next start");
        }
        let left = self.book.decide(|book| book.deliveries_open());
        self.journal.clone().close().await;
        left
    }

    /// The code of the one currency of all amounts.
    pub fn currency(&self) -> &str {
        &self.currency
    }

    /// The exchange's clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Returns how many deliveries are under way, and how many wait for room.
    pub fn busy(&self) -> Busy {
        self.harbour.shipping()
    }

    /// Returns how many accepted pings wait for their post or its end.
    pub fn open_pings(&self) -> usize {
        self.book.decide(|book| book.open_pings())
    }

    /// Returns how full each of the book's memories is.
    pub fn kept(&self) -> [Kept; 12] {
        self.book.decide(|book| book.kept())
    }
}

/// Takes up the keys of contact data, or begins with fresh ones.
async fn contacts(
    opened: &mut Opened,
    location: &Location,
    data: &Path,
) -> Result<Contacts, OpenError> {
    let wrapped = opened.secret(PRINT_KEY).await?;
    let candidates = location.candidates(data, wrapped.is_some())?;
    let given = candidates.first().map(MasterKey::id);
    for master in candidates {
        match &wrapped {
            Some(wrapped) => match Contacts::resume(master, wrapped) {
                Ok(contacts) => return Ok(contacts),
                Err(_) => continue,
            },
            None => {
                let (contacts, wrapped) = Contacts::begin(master)?;
                opened.put_secret(PRINT_KEY, wrapped).await?;
                return Ok(contacts);
            }
        }
    }
    Err(MasterKeyError::Wrong { given }.into())
}

fn saleroom(egress: &Egress) -> Result<Saleroom, OpenError> {
    let line = Line::open(egress).map_err(|error| OpenError::Egress(error.to_string()))?;
    let seed = entrance::random().map_err(|error| OpenError::Egress(error.to_string()))?;
    Ok(Saleroom::new(line, Instant::now(), u64::from_le_bytes(seed)))
}

async fn market(
    journal: &Journal,
    draft: &Draft,
    version: u64,
    workshop: &Arc<Workshop>,
) -> Result<Market, OpenError> {
    for digest in draft.modules_in_use() {
        let wasm = journal.module(digest).await?.unwrap_or_default();
        let workshop = Arc::clone(workshop);
        blocking(move || {
            let admitted = workshop.sandbox.admit(&wasm);
            let admitted =
                admitted.map_err(|why| OpenError::Module { digest, why: why.to_string() })?;
            workshop.keep(digest, admitted);
            Ok(())
        })
        .await?;
    }
    let (draft, workshop) = (draft.clone(), Arc::clone(workshop));
    blocking(move || Ok(Market::build(&draft, version, &workshop)?)).await
}

/// Runs what compiles on a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, OpenError> + Send + 'static,
) -> Result<T, OpenError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}
