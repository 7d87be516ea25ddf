//! The schemas of verticals: which versions there are, one of them in several forms, and what changes between two.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Desk;
use super::operator::{Operator, Reply};
use super::problem::Problem;
use crate::lead::Schema;
use crate::sandbox::Stage;
use crate::schemas;

/// In which form a schema is asked for.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct View {
    format: Option<Format>,
    stage: Option<Step>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Format {
    JsonSchema,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Step {
    Ping,
    Post,
}

impl View {
    /// Reads the query of an address.
    pub(super) fn of(query: Result<Query<Self>, QueryRejection>) -> Result<Self, Problem> {
        let Query(view) = query.map_err(|rejection| malformed(&rejection))?;
        if view.format.is_none() && view.stage.is_some() {
            let detail = "`stage` has a meaning with `format=json-schema` only";
            return Err(Problem::new(StatusCode::BAD_REQUEST, "malformed", detail));
        }
        Ok(view)
    }

    /// Returns the schema as JSON Schema, if that is asked for.
    pub(super) fn json_schema(&self, schema: &Schema) -> Option<Response> {
        let Format::JsonSchema = self.format?;
        let document = match self.stage {
            None => schemas::json_schemas(schema),
            Some(Step::Ping) => schemas::json_schema(schema, Stage::Ping),
            Some(Step::Post) => schemas::json_schema(schema, Stage::Post),
        };
        let headers = [
            (header::CONTENT_TYPE, "application/schema+json"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        Some((headers, format!("{document:#}\n")).into_response())
    }
}

fn malformed(rejection: &QueryRejection) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "malformed", rejection.body_text())
}

pub(super) async fn schemas(_: Operator, State(desk): State<Desk>) -> Reply {
    Ok(Json(desk.exchange.schemas().await).into_response())
}

pub(super) async fn serving(
    _: Operator,
    State(desk): State<Desk>,
    Path(vertical): Path<String>,
    view: Result<Query<View>, QueryRejection>,
) -> Reply {
    shown(&desk, &vertical, None, &View::of(view)?).await
}

pub(super) async fn schema(
    _: Operator,
    State(desk): State<Desk>,
    Path((vertical, version)): Path<(String, String)>,
    view: Result<Query<View>, QueryRejection>,
) -> Reply {
    shown(&desk, &vertical, Some(&version), &View::of(view)?).await
}

async fn shown(desk: &Desk, vertical: &str, version: Option<&str>, view: &View) -> Reply {
    let known = desk.exchange.known_schema(vertical, version).await?;
    if let Some(json_schema) = view.json_schema(&known.schema) {
        return Ok(json_schema);
    }
    let mut value = schemas::to_json(&known.schema);
    if let Some(object) = value.as_object_mut() {
        object.insert("module".to_owned(), known.module.as_str().into());
        object.insert("module_version".to_owned(), known.version.into());
        object.insert("stage".to_owned(), known.stage.into());
    }
    Ok(Json(value).into_response())
}

/// Two versions of a schema.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pair {
    from: Option<String>,
    to: Option<String>,
}

pub(super) async fn compare(
    _: Operator,
    State(desk): State<Desk>,
    Path(vertical): Path<String>,
    pair: Result<Query<Pair>, QueryRejection>,
) -> Reply {
    let Query(Pair { from, to }) = pair.map_err(|rejection| malformed(&rejection))?;
    let compared = desk.exchange.compare_schemas(&vertical, from.as_deref(), to.as_deref()).await?;
    Ok(Json(compared).into_response())
}
