//! The market's opening: modules, verticals, sources, buyers with their money, campaigns; all through the public API.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::api::{Api, ApiError};
use super::buyers::EndPoint;
use super::market::{ASKED, BUYERS, CAMPAIGNS, MODULES, SOURCES, VERTICALS};
use super::postbacks::Receiver;
use super::tally::Tally;
use crate::mock::{MarketError, MockBuyer, MockSpec};

/// Why the market did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpeningError {
    #[error("the module {} is not there: run ./x build first, or name its folder with --rules", .path.display())]
    NoModule { path: PathBuf },
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error("a buyer's end point does not open")]
    EndPoint(#[source] std::io::Error),
    #[error("a buyer's end point for bids does not open")]
    Bidder(#[from] MarketError),
    #[error("the answer to {call} has no `{field}`")]
    Unreadable { call: String, field: &'static str },
}

/// What the opening brought.
#[derive(Debug)]
pub(super) struct Opened {
    /// The sources' keys, in the market's order.
    pub(super) keys: Vec<String>,
    pub(super) end_points: Vec<EndPoint>,
    /// Where some of them hear what became of their leads.
    pub(super) receiver: Receiver,
    /// Where buyers are asked for bids; they answer for as long as this is kept.
    pub(super) _bidders: Vec<MockBuyer>,
}

/// A version of a module as the exchange knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ModuleVersion {
    pub(super) version: u64,
    pub(super) digest: String,
}

/// Reads the modules that the market needs from a folder, before anything is started.
pub(super) fn modules(folder: &Path) -> Result<Vec<(&'static str, Bytes)>, OpeningError> {
    let read = |name: &&'static str| {
        let path = folder.join(format!("{name}.wasm"));
        let component = std::fs::read(&path).map_err(|_| OpeningError::NoModule { path })?;
        Ok((*name, component.into()))
    };
    MODULES.iter().map(read).collect()
}

/// Opens the market.
pub(super) async fn open(
    api: &Api,
    modules: &[(&'static str, Bytes)],
    tally: &Arc<Tally>,
) -> Result<Opened, OpeningError> {
    let receiver = Receiver::open(Arc::clone(tally)).await.map_err(OpeningError::EndPoint)?;
    for (name, component) in modules {
        let version = upload(api, name, component.clone()).await?;
        activate(api, name, version.version).await?;
    }
    for vertical in VERTICALS {
        api.put(&format!("/v1/verticals/{}", vertical.id), &vertical.body()).await?;
    }
    let mut keys = Vec::new();
    for source in SOURCES {
        let owner = format!("sources/{}", source.id);
        let path = format!("/v1/{owner}");
        let made = api.put(&path, &hearing(source.body(), receiver.wish(&owner))).await?;
        receiver.trust(&owner, &made);
        keys.push(match source.old_key {
            Some(key) => key.to_owned(),
            None => text(&made, "key", &path)?,
        });
    }
    let (mut end_points, mut bidders) = (Vec::new(), Vec::new());
    for buyer in BUYERS {
        let opened = EndPoint::open(buyer.id, buyer.character).await;
        let end_point = opened.map_err(OpeningError::EndPoint)?;
        let owner = format!("buyers/{}", buyer.id);
        let path = format!("/v1/{owner}");
        let mut bids = None;
        if let Some((_, character)) = ASKED.iter().find(|(id, _)| *id == buyer.id) {
            let bidder = MockBuyer::open(MockSpec::of(*character), None, None).await?;
            bids = Some(bidder.bid_url());
            bidders.push(bidder);
        }
        let body = hearing(buyer.body(&end_point.url(), bids), receiver.wish(&owner));
        receiver.trust(&owner, &api.put(&path, &body).await?);
        let deposit = json!({"amount": buyer.deposit, "reference": "demo-1"});
        api.post(&format!("{path}/deposits"), &deposit).await?;
        end_points.push(end_point);
    }
    for (id, body) in &*CAMPAIGNS {
        api.put(&format!("/v1/campaigns/{id}"), body).await?;
    }
    Ok(Opened { keys, end_points, receiver, _bidders: bidders })
}

/// Adds where an owner wants to hear of its leads, if it does.
fn hearing(mut body: Value, wish: Option<Value>) -> Value {
    if let (Some(members), Some(wish)) = (body.as_object_mut(), wish) {
        members.insert("postback".to_owned(), wish);
    }
    body
}

/// Uploads a component as the newest version of a module.
pub(super) async fn upload(
    api: &Api,
    name: &str,
    component: Bytes,
) -> Result<ModuleVersion, OpeningError> {
    let made = api.upload(name, component).await?;
    let call = format!("the upload of {name}");
    let version = made.get("version").and_then(Value::as_u64);
    let version =
        version.ok_or_else(|| OpeningError::Unreadable { call: call.clone(), field: "version" })?;
    Ok(ModuleVersion { version, digest: text(&made, "digest", &call)? })
}

/// Lets a version of a module serve.
pub(super) async fn activate(api: &Api, name: &str, version: u64) -> Result<(), OpeningError> {
    api.post(&format!("/v1/modules/{name}/activate"), &json!({"version": version})).await?;
    Ok(())
}

fn text(answer: &Value, field: &'static str, call: &str) -> Result<String, OpeningError> {
    let text = answer.get(field).and_then(Value::as_str).map(str::to_owned);
    text.ok_or_else(|| OpeningError::Unreadable { call: call.to_owned(), field })
}
