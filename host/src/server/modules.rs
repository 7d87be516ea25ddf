//! What operators call about modules: versions, trials, the settings of a module, and the limits of a world.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Desk;
use super::operator::{Operator, Reply, bytes, document, malformed, object, status, typed};
use super::problem::Problem;
use crate::catalog::{Draft, LimitsSpec, ModuleSpec, Percent, Track, Trial, Versions};
use crate::exchange::{ActError, Gated, Note, RolledBack, Trying, Which};
use crate::money::Share;

/// Who it is unless the call says so.
const BY: &str = "operator";
/// The header that a module's signature comes in: the base64 of a `.minisig` file.
const SIGNATURE: &str = "x-gavel-signature";

/// How many uploads are read, checked and compiled at once. Each has its bytes and a copy of them in memory.
pub(super) const UPLOADS_MAX: usize = 8;
/// How many more may wait for that; others are to try again.
pub(super) const UPLOADS_WAITING_MAX: usize = 16;
/// When to try again.
const UPLOAD_LATER: Duration = Duration::from_secs(5);

/// The uploads under way, and those that wait before their bytes are read.
#[derive(Clone, Debug)]
pub(super) struct Uploads {
    all: Arc<Semaphore>,
    working: Arc<Semaphore>,
}

/// The right to upload.
#[derive(Debug)]
struct Turn {
    _place: OwnedSemaphorePermit,
    _work: OwnedSemaphorePermit,
}

impl Default for Uploads {
    fn default() -> Self {
        let all = Semaphore::new(UPLOADS_MAX.saturating_add(UPLOADS_WAITING_MAX));
        Self { all: Arc::new(all), working: Arc::new(Semaphore::new(UPLOADS_MAX)) }
    }
}

impl Uploads {
    async fn turn(&self) -> Result<Turn, Problem> {
        let later = || {
            metrics::counter!("gavel_uploads_refused_total").increment(1);
            let detail = "too many modules are being uploaded at once";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail)
                .retry_after(UPLOAD_LATER)
        };
        let place = Arc::clone(&self.all).try_acquire_owned().map_err(|_| later())?;
        let work = Arc::clone(&self.working).acquire_owned().await.map_err(|_| later())?;
        Ok(Turn { _place: place, _work: work })
    }
}

#[derive(Deserialize)]
pub(super) struct UploadQuery {
    #[serde(default)]
    name: String,
    by: Option<String>,
    #[serde(default)]
    why: String,
}

pub(super) async fn upload(
    _: Operator,
    State(desk): State<Desk>,
    query: Result<Query<UploadQuery>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    let Query(query) = query.map_err(malformed)?;
    let _turn = desk.uploads.turn().await?;
    let wasm = bytes(body).await?;
    let signature = headers.get(SIGNATURE).map(|value| value.to_str().unwrap_or_default());
    desk.module_keys.check(&wasm, signature).map_err(ActError::Inadmissible)?;
    let UploadQuery { name, by, why } = query;
    let note = Note { by: by.unwrap_or_else(|| BY.to_owned()), why };
    let uploaded = desk.exchange.upload(&name, wasm, note).await?;
    // The same bytes again are the same version, and as welcome.
    Ok((StatusCode::CREATED, Json(uploaded)).into_response())
}

/// The body of every act on a module. A member that an act has no use for is refused by it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Act {
    version: Option<u32>,
    major: Option<u32>,
    percent: Option<Percent>,
    force: Option<bool>,
    by: Option<String>,
    #[serde(default)]
    why: String,
}

impl Act {
    async fn read(body: Body) -> Result<Self, Problem> {
        let bytes = bytes(body).await?;
        if bytes.is_empty() { Ok(Self::default()) } else { typed(object(&bytes)?) }
    }

    fn which(&self) -> Which {
        self.version.map_or(Which::Newest, Which::Number)
    }

    fn gated(&self) -> Gated {
        if self.force == Some(true) { Gated::Forced } else { Gated::Held }
    }

    fn note(self) -> Note {
        Note { by: self.by.unwrap_or_else(|| BY.to_owned()), why: self.why }
    }

    /// Refuses a member that the act does not know.
    fn without(&self, member: &'static str, given: bool) -> Result<(), Problem> {
        if !given {
            return Ok(());
        }
        let detail = format!("`{member}` has no meaning for this act; leave it out");
        let invalid = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail);
        Err(invalid.field(Some(format!("/{member}"))))
    }
}

pub(super) async fn activate(
    _: Operator,
    State(desk): State<Desk>,
    Path(name): Path<String>,
    body: Body,
) -> Reply {
    let act = Act::read(body).await?;
    act.without("percent", act.percent.is_some())?;
    act.without("major", act.major.is_some())?;
    let (which, gated) = (act.which(), act.gated());
    let version = desk.exchange.activate((&name, which), gated, act.note()).await?;
    stepped(&desk, &name, version).await
}

pub(super) async fn roll_back(
    _: Operator,
    State(desk): State<Desk>,
    Path(name): Path<String>,
    body: Body,
) -> Reply {
    let act = Act::read(body).await?;
    act.without("percent", act.percent.is_some())?;
    act.without("version", act.version.is_some())?;
    act.without("force", act.force.is_some())?;
    let done = desk.exchange.roll_back(&name, act.major, act.note()).await?;
    let mut value = stepped_value(&desk, &name, done.version()).await?;
    let ended = matches!(done, RolledBack::CanaryEnded(_)).then_some(Trying::Canary.name());
    if let Some(object) = value.as_object_mut() {
        object.insert("ended".to_owned(), json!(ended));
    }
    Ok(Json(value).into_response())
}

pub(super) async fn canary(
    operator: Operator,
    desk: State<Desk>,
    name: Path<String>,
    body: Body,
) -> Reply {
    try_out(operator, desk, name, body, Trying::Canary).await
}

pub(super) async fn shadow(
    operator: Operator,
    desk: State<Desk>,
    name: Path<String>,
    body: Body,
) -> Reply {
    try_out(operator, desk, name, body, Trying::Shadow).await
}

async fn try_out(
    _: Operator,
    State(desk): State<Desk>,
    Path(name): Path<String>,
    body: Body,
    trying: Trying,
) -> Reply {
    let act = Act::read(body).await?;
    act.without("major", act.major.is_some())?;
    let share = match (act.percent, trying) {
        (Some(percent), _) => percent.0,
        (None, Trying::Shadow) => Share::WHOLE,
        (None, Trying::Canary) => {
            let detail = "say which share of the pings it decides: {\"percent\": \"5\"}";
            let invalid = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail);
            return Err(invalid.field(Some("/percent".to_owned())));
        }
    };
    act.without("force", act.force.is_some() && trying == Trying::Shadow)?;
    let (which, gated) = (act.which(), act.gated());
    let tried = desk.exchange.try_out((&name, which), (trying, share), gated, act.note());
    let version = tried.await?;
    stepped(&desk, &name, version).await
}

pub(super) async fn take_out(
    _: Operator,
    State(desk): State<Desk>,
    Path(name): Path<String>,
    body: Body,
) -> Reply {
    let act = Act::read(body).await?;
    act.without("percent", act.percent.is_some())?;
    act.without("major", act.major.is_some())?;
    act.without("force", act.force.is_some())?;
    let version = desk.exchange.take_out(&name, act.which(), act.note()).await?;
    stepped(&desk, &name, version).await
}

/// Answers with the version that an act was about, as it stands now.
async fn stepped(desk: &Desk, name: &str, version: u32) -> Reply {
    Ok(Json(stepped_value(desk, name, version).await?).into_response())
}

async fn stepped_value(desk: &Desk, name: &str, version: u32) -> Result<Value, Problem> {
    let draft = desk.exchange.draft().await;
    let versions = found(&draft, name)?;
    let mut value = version_value(versions, version);
    let unfit = desk.exchange.unfit(name);
    let unfit = unfit.iter().map(|(campaign, why)| json!({"campaign": campaign, "why": why}));
    if let Some(object) = value.as_object_mut() {
        object.insert("name".to_owned(), name.into());
        object.insert("unfit".to_owned(), unfit.collect());
    }
    Ok(value)
}

pub(super) async fn modules(_: Operator, State(desk): State<Desk>) -> Reply {
    let draft = desk.exchange.draft().await;
    let mut modules = Vec::with_capacity(draft.modules.len());
    for (name, versions) in draft.modules.iter() {
        modules.push(summary(&desk, &draft, name.as_str(), versions).await?);
    }
    Ok(Json(json!({"modules": modules})).into_response())
}

pub(super) async fn module(
    _: Operator,
    State(desk): State<Desk>,
    Path(name): Path<String>,
) -> Reply {
    let draft = desk.exchange.draft().await;
    let versions = found(&draft, &name)?;
    let mut value = summary(&desk, &draft, &name, versions).await?;
    let steps = versions.steps.iter().map(|taken| {
        let mut step = json!({
            "at": taken.at.to_string(),
            "version": taken.version,
            "step": taken.step,
            "by": taken.by,
            "why": taken.why,
        });
        if let Some(step) = step.as_object_mut().filter(|_| taken.share != Share::NONE) {
            step.insert("percent".to_owned(), json!(Percent(taken.share)));
        }
        step
    });
    if let Some(object) = value.as_object_mut() {
        object.insert("steps".to_owned(), steps.collect());
    }
    Ok(Json(value).into_response())
}

pub(super) async fn put_module(
    _: Operator,
    State(desk): State<Desk>,
    Path(name): Path<String>,
    body: Body,
) -> Reply {
    found(&desk.exchange.draft().await, &name)?;
    desk.exchange.save::<ModuleSpec>("module", &name, document(body).await?).await?;
    let draft = desk.exchange.draft().await;
    Ok(Json(summary(&desk, &draft, &name, found(&draft, &name)?).await?).into_response())
}

pub(super) async fn component(
    _: Operator,
    State(desk): State<Desk>,
    Path((name, version)): Path<(String, u32)>,
) -> Reply {
    let wasm = desk.exchange.component(&name, version).await?;
    Ok(([(header::CONTENT_TYPE, "application/wasm")], wasm).into_response())
}

pub(super) async fn limits(
    _: Operator,
    State(desk): State<Desk>,
    Path(world): Path<String>,
) -> Reply {
    let limits = desk.exchange.limits(&world).await?;
    Ok(Json(limits).into_response())
}

pub(super) async fn put_limits(
    _: Operator,
    State(desk): State<Desk>,
    Path(world): Path<String>,
    body: Body,
) -> Reply {
    desk.exchange.limits(&world).await?;
    let body = document(body).await?;
    let created = desk.exchange.save::<LimitsSpec>("limits", &world, body).await?;
    let limits = desk.exchange.limits(&world).await?;
    Ok((status(created), Json(limits)).into_response())
}

fn found<'d>(draft: &'d Draft, name: &str) -> Result<&'d Versions, Problem> {
    draft.versions(name).map(AsRef::as_ref).ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND, "not-found", format!("there is no module `{name}`"))
    })
}

async fn summary(
    desk: &Desk,
    draft: &Draft,
    name: &str,
    versions: &Versions,
) -> Result<Value, Problem> {
    let world = versions.world.as_str();
    let spec = draft.module_spec(name);
    let tracks = versions.tracks.iter().map(|(major, track)| track_value(*major, track));
    let all = versions.numbered().map(|(number, _)| version_value(versions, number));
    Ok(json!({
        "name": name,
        "world": world,
        "owner": spec.owner,
        "limits": spec.limits.or(desk.exchange.limits(world).await?),
        "failing": spec.failing(world),
        "gate": spec.gate,
        "set": spec,
        "active": versions.track(None).and_then(|(_, track)| track.active),
        "tracks": tracks.collect::<Vec<Value>>(),
        "versions": all.collect::<Vec<Value>>(),
    }))
}

fn track_value(major: u32, track: &Track) -> Value {
    let trial = |trial: Option<Trial>| {
        trial.map(|trial| json!({"version": trial.version, "percent": Percent(trial.share)}))
    };
    json!({
        "major": major,
        "active": track.active,
        "canary": trial(track.canary),
        "shadow": trial(track.shadow),
        "taken_out": track.taken_out,
    })
}

fn version_value(versions: &Versions, number: u32) -> Value {
    let version = versions.version(number);
    let schema = version.filter(|version| (version.major, version.minor) != (0, 0));
    json!({
        "version": number,
        "digest": version.map(|version| version.digest),
        "bytes": version.map(|version| version.bytes),
        "schema": schema.map(|version| format!("{}.{}", version.major, version.minor)),
        "stage": versions.stage(number),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn beyond_a_few_that_wait_uploads_are_to_come_later() {
        let uploads = Uploads::default();
        let mut working = Vec::new();
        for _ in 0..UPLOADS_MAX {
            working.push(uploads.turn().await.unwrap());
        }
        let waiting: Vec<_> = (0..UPLOADS_WAITING_MAX)
            .map(|_| {
                let uploads = uploads.clone();
                tokio::spawn(async move { uploads.turn().await.is_ok() })
            })
            .collect();
        while uploads.all.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let refused = uploads.turn().await.unwrap_err().into_response();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers()["retry-after"], "5");
        drop(working);
        for waited in waiting {
            assert!(waited.await.unwrap());
        }
    }
}
