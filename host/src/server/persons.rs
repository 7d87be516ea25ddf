//! Persons: where their leads are, and how their contact data is erased.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::{Zeroize as _, Zeroizing};

use super::Desk;
use super::operator::{Operator, Reply, bytes, object, typed};
use super::problem::Problem;
use crate::contacts::{PersonKind, wipe};
use crate::exchange::{ActError, Erased, ErasedBy, FoundLead, FoundLeads};
use crate::ids::{LeadId, PingId};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    #[serde(default = "Note::operator")]
    by: String,
    #[serde(default = "Note::not_said")]
    why: String,
}

impl Note {
    fn operator() -> String {
        "operator".to_owned()
    }

    fn not_said() -> String {
        "not-said".to_owned()
    }
}

/// By what a person is found. At least one of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    #[serde(default)]
    phone: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default = "Note::operator")]
    by: String,
    #[serde(default = "Note::not_said")]
    why: String,
}

impl Drop for Person {
    fn drop(&mut self) {
        self.phone.zeroize();
        self.email.zeroize();
    }
}

impl Person {
    async fn read(body: Body) -> Result<Self, Problem> {
        let mut document = object(&Zeroizing::new(bytes(body).await?))?;
        let person: Result<Self, Problem> = typed(document.clone());
        wipe(&mut document);
        let person = person?;
        if person.phone.is_none() && person.email.is_none() {
            let detail = "it names nobody: expected `phone`, `email` or both";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail));
        }
        Ok(person)
    }

    fn named(&self) -> Vec<(PersonKind, &str)> {
        let phone = self.phone.as_deref().map(|phone| (PersonKind::Phone, phone));
        let email = self.email.as_deref().map(|email| (PersonKind::Email, email));
        phone.into_iter().chain(email).collect()
    }
}

/// Says in which leads a person is named, and who was shown them.
pub(super) async fn find(_: Operator, State(desk): State<Desk>, body: Body) -> Reply {
    let person = Person::read(body).await?;
    let FoundLeads { leads, more } = desk.exchange.leads_of(&person.named()).await?;
    let leads: Vec<Value> = leads.iter().map(found).collect();
    Ok(Json(json!({"leads": leads, "more": more})).into_response())
}

/// Erases the contact data of every lead in which a person is named.
pub(super) async fn erase(_: Operator, State(desk): State<Desk>, body: Body) -> Reply {
    let person = Person::read(body).await?;
    let by = ErasedBy::check(&person.by, &person.why)?;
    let done = desk.exchange.erase_all_of(&person.named(), &by).await?;
    let leads: Vec<Value> = done.iter().map(erased).collect();
    Ok(Json(json!({"erased": leads.len(), "leads": leads})).into_response())
}

/// Erases the contact data of one lead.
pub(super) async fn erase_lead(
    _: Operator,
    State(desk): State<Desk>,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    let ping = LeadId::parse(&id).map(PingId::of_lead).map_err(|error| {
        Problem::new(StatusCode::NOT_FOUND, "not-found", error)
            .next("a lead is known by its `lead_id`, which the post's answer has")
    })?;
    let body = bytes(body).await?;
    let note = if body.is_empty() { json!({}) } else { object(&body)? };
    let Note { by, why } = typed(note)?;
    let by = ErasedBy::check(&by, &why)?;
    let done = desk.exchange.erase(ping, &by).await.map_err(|error| match error {
        ActError::NotFound(_) => Problem::from(error).next(
            "nothing was posted for it, or its time was over: `POST /v1/persons/find` says what is known of a person",
        ),
        error => error.into(),
    })?;
    Ok(Json(erased(&done)).into_response())
}

fn found(lead: &FoundLead) -> Value {
    json!({
        "lead_id": lead.ping.lead().to_string(),
        "ping_id": lead.ping.to_string(),
        "contact": if lead.kept { "sealed" } else { "gone" },
        "disclosures": lead.disclosures,
    })
}

fn erased(erased: &Erased) -> Value {
    json!({
        "lead_id": erased.ping.lead().to_string(),
        "ping_id": erased.ping.to_string(),
        "erased_at": erased.at.to_string(),
        "again": erased.before,
        "overwritten": erased.overwritten,
        "voided": erased.voided,
        "disclosures": erased.disclosures,
    })
}
