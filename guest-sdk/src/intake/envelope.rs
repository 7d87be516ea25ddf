//! What a submission says about itself: whose it is, which ping it belongs to, the least price, the time, whether it is
//! a test, and in which dialect it wants its answer.

use super::lead::Values;
use super::place::TEST_ZIPS;
use super::table::Vertical;
use crate::answers::{self, Heard};
use crate::normalizer::{Envelope, Refusal, Stage, Submission, Syntax, Value};

/// Reads the envelope as far as it can be read, with the first fault in it.
pub(super) fn read(values: &Values<'_>, stage: Stage) -> (Envelope, Option<Refusal>) {
    let mut fault = None;
    let mut of = |name: &str| {
        values.read(name).unwrap_or_else(|refusal| {
            // No field of the schema is at fault.
            fault.get_or_insert(Refusal { field: None, ..refusal });
            None
        })
    };
    let minimum_price = match of("minimum_price") {
        Some(Value::Decimal(millionths)) => Some(millionths),
        _ => None,
    };
    let deadline_ms = match of("deadline_ms") {
        // None at all means that the source waits as long as it takes.
        Some(Value::Integer(ms)) if ms > 0 => u32::try_from(ms).ok(),
        _ => None,
    };
    let is_marked = matches!(of("test"), Some(Value::Boolean(true)))
        || matches!(of("lead_mode"), Some(Value::Boolean(false)))
        || values.first("test_result").is_some()
        || values.texts("action").any(|action| action.eq_ignore_ascii_case("test"))
        || values.texts("zip").any(|zip| TEST_ZIPS.contains(&zip))
        || values.texts("first_name").any(|name| name.eq_ignore_ascii_case("test"));
    let (mut credential, mut ping_id) = (values.first("key"), None);
    let mut token = values.first("token");
    if stage == Stage::Post {
        ping_id = values
            .first("ping_id")
            .or_else(|| token.take())
            .or_else(|| values.ping_in_lead_id(stage));
    }
    credential = credential.or(token);
    let envelope = Envelope {
        dialect: String::new(),
        credential: credential.map(Into::into),
        ping_id: ping_id.map(Into::into),
        minimum_price,
        deadline_ms,
        test: is_marked,
    };
    (envelope, fault)
}

/// Returns the name of the dialect in which the submission wants its answer; empty for the exchange's own JSON.
pub(super) fn dialect(
    vertical: &Vertical,
    values: &Values<'_>,
    came: u64,
    submission: &Submission,
    sent: Option<Syntax>,
) -> String {
    let heard = Heard {
        word: submission.dialect.as_deref(),
        marked: vertical.marks.family(came),
        field: values.texts("response_format").find_map(asked),
        accept: submission.accept,
        sent,
    };
    let chosen = answers::choose(vertical.families, &heard);
    chosen.map(|(family, dialect)| family.name_of(dialect)).unwrap_or_default()
}

fn asked(text: &str) -> Option<Syntax> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("json") {
        Some(Syntax::Json)
    } else if is("xml") {
        Some(Syntax::Xml)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{FORM, check, read};
    use super::*;

    #[test]
    fn the_envelope_says_who_and_which_and_how_much() {
        let said = |stage: Stage, form: &str| {
            let envelope = read(stage, FORM, "", form.as_bytes()).envelope;
            format!(
                "{} {} {:?} {:?} {}",
                envelope.credential.unwrap_or_default(),
                envelope.ping_id.unwrap_or_default(),
                envelope.minimum_price,
                envelope.deadline_ms,
                envelope.test,
            )
        };
        for (form, expected) in [
            ("lp_campaign_id=1&lp_campaign_key=k", "k  None None false"),
            ("lp_campaign_id=1", "1  None None false"),
            ("Source.Token=t&Source.Key=k", "k  None None false"),
            ("token=t", "t  None None false"),
            ("api_token=t&ping_id=p", "t  None None false"),
            ("minimum_price=1.5&deadline_ms=750", "  Some(1500000) Some(750) false"),
            ("MaxResponseTime=2.5&minPrice=$0", "  Some(0) Some(2500) false"),
            ("MaxResponseTime=0&floor_price=x", "  None None false"),
            ("Test_Lead=1", "  None None true"),
            ("lp_action=test", "  None None true"),
            ("lp_test=0&ckm_test=0", "  None None false"),
            ("lead_mode=0", "  None None true"),
            ("lead_mode=1", "  None None false"),
            ("TestResult=Accepted", "  None None true"),
            ("Mode=ping", "  None None false"),
            ("zip=99999", "  None None true"),
            ("is_test=true", "  None None true"),
            ("first_name=TEST", "  None None true"),
            ("first_name=Tess&last_name=Test", "  None None false"),
        ] {
            assert_eq!(said(Stage::Ping, form), expected, "{form}");
        }
        for (form, expected) in [
            ("ping_id=p&key=k", "k p None None false"),
            ("lp_ping_id=p&Lead_ID=9", " p None None false"),
            ("Lead_ID=p", " p None None false"),
            ("token=p&key=k", "k p None None false"),
            ("token=t&ping_id=p", "t p None None false"),
            ("auth_code=p", " p None None false"),
            ("leadid=00000000-0000-4000-8000-00000000a001", "  None None false"),
            ("TransactionId=p", " p None None false"),
        ] {
            assert_eq!(said(Stage::Post, form), expected, "{form}");
        }
    }

    #[test]
    fn a_fault_of_the_envelope_is_told_after_those_of_the_lead() {
        check(FORM, "zip=33139&minimum_price=x", "!InvalidValue body");
        check(FORM, "zip=x&minimum_price=x", "!InvalidValue zip");
        check(FORM, "zip=33139&is_test=perhaps", "!InvalidValue body");
        check(FORM, "zip=33139&test_result=&minimum_price=", "zip=33139");
    }
}
