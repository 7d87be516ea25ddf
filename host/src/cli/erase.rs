//! `gavel erase`: destroys the contact data of a lead, or of every lead in which a person is named.

use reqwest::Method;
use serde_json::{Value, json};

use super::Failure;
use super::ask::{Body, Exchange};

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("whose").required(true).multiple(true)))]
pub(super) struct Args {
    /// The lead, by its `lead_id`.
    #[arg(group = "whose", conflicts_with_all = ["phone", "email"])]
    lead: Option<String>,
    /// Every lead with this telephone number, in any spelling. It is sent to the exchange and kept nowhere.
    #[arg(long, group = "whose", value_name = "NUMBER")]
    phone: Option<String>,
    /// Every lead with this e-mail address.
    #[arg(long, group = "whose", value_name = "ADDRESS")]
    email: Option<String>,
    /// Only say which leads there are and who was shown them.
    #[arg(long, conflicts_with = "lead")]
    find: bool,
    /// Why, as a code that names nobody: it is recorded for ever.
    #[arg(long, value_name = "CODE", default_value = "person-asked")]
    why: String,
    /// Who erases, as a name that is recorded for ever.
    #[arg(long, value_name = "NAME", default_value = "operator")]
    by: String,
    #[command(flatten)]
    exchange: Exchange,
}

pub(super) fn run(args: &Args, json: bool) -> Result<(), Failure> {
    let note = json!({"by": args.by, "why": args.why});
    let answer = match &args.lead {
        Some(lead) => {
            let path = format!("leads/{lead}/contact");
            let erased = args.exchange.call(Method::DELETE, &path, &[], Body::Json(note))?;
            json!({ "leads": [erased] })
        }
        None => {
            let mut person = if args.find { json!({}) } else { note };
            for (name, value) in [("phone", &args.phone), ("email", &args.email)] {
                if let (Some(value), Some(object)) = (value, person.as_object_mut()) {
                    object.insert(name.to_owned(), value.as_str().into());
                }
            }
            let act = if args.find { "persons/find" } else { "persons/erase" };
            args.exchange.post(act, person)?
        }
    };
    print(&if json { answer.to_string() } else { text(&answer, args.find) });
    Ok(())
}

/// Says what was done a lead a line, and whom else the operator has to tell.
fn text(answer: &Value, found_only: bool) -> String {
    let none = Vec::new();
    let leads = answer["leads"].as_array().unwrap_or(&none);
    if leads.is_empty() {
        return "no lead of this person is known here: none was posted, or its time was over and it is forgotten already"
            .to_owned();
    }
    let mut lines: Vec<String> = leads.iter().map(|lead| line(lead, found_only)).collect();
    if answer["more"] == true {
        lines.push("there are more, older ones; erasing the person erases all of them".to_owned());
    }
    let told = leads.iter().filter_map(|lead| lead["disclosures"].as_array()).flatten();
    let mut buyers: Vec<&str> = told
        .filter(|one| one["disclosed"] != "no")
        .filter_map(|one| one["buyer"].as_str())
        .collect();
    buyers.sort_unstable();
    buyers.dedup();
    if !buyers.is_empty() {
        lines.push(format!(
            "buyers that were shown a lead keep what they have; ask them to erase it as well: {}",
            buyers.join(", ")
        ));
    }
    lines.join("\n")
}

fn line(lead: &Value, found_only: bool) -> String {
    let id = lead["lead_id"].as_str().unwrap_or_default();
    if found_only {
        return match lead["contact"].as_str() {
            Some("sealed") => format!("{id}  contact data is kept, sealed"),
            _ => format!("{id}  contact data is gone; the person is still found by a keyed print"),
        };
    }
    let at = lead["erased_at"].as_str().unwrap_or_default();
    if lead["again"] == true {
        return format!("{id}  was erased before, at {at}");
    }
    let voided = lead["voided"].as_array().map_or(0, Vec::len);
    let mut line = format!("{id}  erased at {at}");
    if voided > 0 {
        line.push_str(&format!(", {voided} open deliveries ended"));
    }
    if lead["overwritten"] != true {
        line.push_str(
            "; its key is not overwritten in every file yet: in SQLite it is as soon as nobody reads the journal, in \
             PostgreSQL after `VACUUM contact_key` and once the log is recycled",
        );
    }
    line
}

#[expect(clippy::print_stdout, reason = "results go to standard output")]
fn print(text: &str) {
    println!("{text}");
}
