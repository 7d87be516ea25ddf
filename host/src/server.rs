//! The building's doors: HTTP connections in, the exchange's words out. The only place that names axum.
//!
//! Which status an answer has is decided here and in `problem`, nowhere else; `dialects` says the same in a source's own
//! words.

mod bodies;
mod connections;
mod dialects;
mod diffs;
mod idempotency;
mod modules;
mod money;
mod operator;
mod pages;
mod parties;
mod policies;
mod persons;
mod postbacks;
mod problem;
mod receipts;
mod returns;
mod schemas;
mod secrets;
mod shipments;
mod sources;
mod statements;
mod suppressions;
mod transfers;
mod used;
mod views;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::routing::{delete, get, post, put};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::exchange::{Exchange, OpenError, Options};
use crate::ids::Digest;
use crate::sandbox::{Limits, ModuleKeys};
use crate::telemetry;

/// What every request can reach.
#[derive(Clone, Debug)]
struct Desk {
    exchange: Arc<Exchange>,
    operator_key: Digest,
    module_keys: ModuleKeys,
    requests: Arc<Semaphore>,
    uploads: modules::Uploads,
    kept: dialects::Kept,
    calls: idempotency::Calls,
    stopping: CancellationToken,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{0} cannot be listened on; is another program there?")]
    Bind(SocketAddr, #[source] std::io::Error),
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// A server that runs until it is stopped.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    exchange: Arc<Exchange>,
    stopping: CancellationToken,
    serving: JoinHandle<()>,
}

impl Running {
    /// The address that is listened on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The exchange behind the server.
    pub fn exchange(&self) -> &Arc<Exchange> {
        &self.exchange
    }

    /// Stops in this order: no new connections, open requests finish, deliveries drain, the journal closes. Returns how
    /// many deliveries are left for the next start.
    pub async fn stop(self) -> usize {
        self.stopping.cancel();
        if let Err(error) = self.serving.await {
            tracing::error!(%error, "server ended badly");
        }
        let left = self.exchange.close().await;
        tracing::info!(left, "exchange closed");
        left
    }
}

/// Opens the exchange and serves it. Everything of the past is recovered before the first connection is taken.
pub async fn start(config: Config) -> Result<Running, StartError> {
    telemetry::metrics();
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| StartError::Bind(config.listen, error))?;
    let addr = listener.local_addr().map_err(|error| StartError::Bind(config.listen, error))?;
    let options = Options {
        data: config.data,
        keeping: config.keeping,
        currency: config.currency,
        egress: config.egress,
        limits: Limits::default(),
        clock: config.clock,
        compiler: config.compiler,
        signing: config.signing,
        master_key: config.master_key,
    };
    let exchange = Exchange::open(options).await?;
    let stopping = CancellationToken::new();
    let desk = Desk {
        exchange: Arc::clone(&exchange),
        operator_key: config.operator_key,
        module_keys: config.module_keys,
        requests: Arc::new(Semaphore::new(config.requests_max)),
        uploads: modules::Uploads::default(),
        kept: dialects::Kept::default(),
        calls: idempotency::Calls::default(),
        stopping: stopping.clone(),
    };
    let connections = connections::most(config.connections_max);
    let serving = connections::serve(listener, routes(desk), connections, stopping.clone());
    tracing::info!(%addr, "exchange open");
    Ok(Running { addr, exchange, stopping, serving: tokio::spawn(serving) })
}

/// What comes after an auction: deliveries, postbacks, returns, the ledger, proof and erasure.
fn afterwards() -> Router<Desk> {
    Router::new()
        .route("/v1/keys", get(receipts::keys))
        .route("/v1/keys/rotate", post(receipts::rotate))
        .route("/v1/ledger", get(views::ledger))
        .route("/v1/leads/{id}/contact", delete(persons::erase_lead))
        .route("/v1/leads/{id}/returns", post(returns::ask).get(returns::of_lead))
        .route("/v1/leads/{id}/returns/{copy}", post(returns::decide))
        .route("/v1/returns", get(returns::list))
        .route("/v1/postbacks", get(postbacks::list))
        .route("/v1/postbacks/rotate", post(postbacks::rotate))
        .route("/v1/postbacks/test", post(postbacks::test))
        .route("/v1/postbacks/{id}", get(postbacks::show))
        .route("/v1/postbacks/{id}/resend", post(postbacks::resend))
        .route("/v1/corrections", post(money::correct))
        .route("/v1/write-offs", post(money::write_off))
        .route("/v1/auctions/{id}/resend", post(shipments::resend))
        .route("/v1/shipments", get(shipments::list))
        .route("/v1/auctions/{id}/resolve", post(operator::resolve))
}

fn routes(desk: Desk) -> Router {
    afterwards()
        .route("/v1/{vertical}/ping", post(sources::submit).get(sources::submit_in_address))
        .route("/v1/{vertical}/post", post(sources::submit).get(sources::submit_in_address))
        .route("/v1/{vertical}/full", post(sources::submit).get(sources::submit_in_address))
        .route(
            "/v1/{vertical}/ping/{dialect}",
            post(sources::submit).get(sources::submit_in_address),
        )
        .route(
            "/v1/{vertical}/post/{dialect}",
            post(sources::submit).get(sources::submit_in_address),
        )
        .route(
            "/v1/{vertical}/full/{dialect}",
            post(sources::submit).get(sources::submit_in_address),
        )
        .route("/v1/{vertical}/spec", get(pages::specification))
        .route("/v1/sources", get(operator::sources))
        .route("/v1/sources/{id}", put(operator::put_source).get(operator::source))
        .route("/v1/buyers", get(views::buyers))
        .route("/v1/buyers/{id}", put(receipts::put_buyer).get(views::buyer))
        .route("/v1/buyers/{id}/deposits", post(money::deposit))
        .route("/v1/buyers/{id}/withdrawals", post(money::withdraw))
        .route("/v1/buyers/{id}/signing/rotate", post(receipts::rotate_delivery))
        .route("/v1/buyers/{id}/statement", get(statements::of_buyer))
        .route("/v1/sources/{id}/statement", get(statements::of_source))
        .route("/v1/sources/{id}/payouts", post(money::pay_out))
        .route("/v1/transfers/{id}", post(transfers::report))
        .route("/v1/suppressions", get(suppressions::lists))
        .route("/v1/suppressions/{id}", put(suppressions::put_list).get(suppressions::list))
        .route(
            "/v1/suppressions/{id}/entries",
            post(suppressions::add).delete(suppressions::remove),
        )
        .route("/v1/verticals", get(operator::verticals))
        .route("/v1/verticals/{id}", put(operator::put_vertical).get(operator::vertical))
        .route("/v1/campaigns", get(operator::campaigns))
        .route("/v1/campaigns/{id}", put(operator::put_campaign).get(operator::campaign))
        .route("/v1/policies", get(policies::policies))
        .route("/v1/policies/{id}", put(policies::put_policy).get(policies::policy))
        .route("/v1/lists/{id}", put(operator::put_list))
        .route("/v1/modules", get(modules::modules).post(modules::upload))
        .route("/v1/modules/{name}", get(modules::module).put(modules::put_module))
        .route("/v1/modules/{name}/versions/{version}", get(modules::component))
        .route("/v1/modules/{name}/activate", post(modules::activate))
        .route("/v1/modules/{name}/rollback", post(modules::roll_back))
        .route("/v1/modules/{name}/canary", post(modules::canary))
        .route("/v1/modules/{name}/shadow", post(modules::shadow).get(diffs::shadow))
        .route("/v1/modules/{name}/diff", post(diffs::diff).get(diffs::progress))
        .route("/v1/modules/{name}/recording", get(diffs::recording))
        .route("/v1/modules/{name}/take-out", post(modules::take_out))
        .route("/v1/limits/{world}", get(modules::limits).put(modules::put_limits))
        .route("/v1/schemas", get(schemas::schemas))
        .route("/v1/schemas/{vertical}", get(schemas::serving))
        .route("/v1/schemas/{vertical}/compare", get(schemas::compare))
        .route("/v1/schemas/{vertical}/{version}", get(schemas::schema))
        .route("/v1/auctions", get(receipts::auctions))
        .route("/v1/auctions/{id}", get(receipts::auction))
        .route("/v1/persons/find", post(persons::find))
        .route("/v1/persons/erase", post(persons::erase))
        .route("/healthz", get(pages::healthz))
        .route("/readyz", get(pages::readyz))
        .route("/metrics", get(pages::metrics))
        .route("/openapi.json", get(pages::openapi))
        .route("/docs", get(pages::docs))
        .route("/console", get(pages::console))
        .fallback(pages::not_found)
        .method_not_allowed_fallback(pages::not_allowed)
        .layer(middleware::from_fn_with_state(desk.clone(), idempotency::once))
        .with_state(desk)
}
