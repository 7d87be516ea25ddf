//! The page that says what became of a lead: asked about the test lead, and about one that was never posted.

use super::findings::Finding;
use crate::delivery::courier::{Outcome, Standing};

const NOTHING_CERTAIN: &str =
    "a lead in doubt stays with you, its money held, until the operator asks you";

/// Says whether an answer to a post left open what became of the lead.
pub(super) fn is_silent(posted: &Outcome) -> bool {
    !matches!(posted, Outcome::Sold { .. } | Outcome::Rejected { .. } | Outcome::Duplicate { .. })
}

/// What is said of the lead that was posted, and answered so if it was answered.
pub(super) fn of_posted(posted: Option<&Outcome>, said: &Standing) -> Finding {
    let check = "status of the test lead";
    match (said, posted) {
        (Standing::Known(outcome), _) if is_silent(outcome) => {
            let mend = "answer 200 with what you answered to its post, such as {\"status\":\"accepted\",\"id\":…}";
            Finding::bad(check, in_words(outcome), (NOTHING_CERTAIN, mend))
        }
        (Standing::Known(outcome), None) => {
            Finding::good(check, format!("{}, which its post left open", outcome.name()))
        }
        (Standing::Known(outcome), Some(posted)) if ends_like(posted, outcome) => {
            Finding::good(check, format!("{}, as its post was answered", outcome.name()))
        }
        (Standing::Known(outcome), Some(posted)) => {
            let (said, posted) = (named(outcome), named(posted));
            let seen = format!("{said}, but its post was answered {posted}");
            let why = "what it says counts: you pay for what it calls accepted, and others get what it calls rejected";
            Finding::bad(check, seen, (why, "say there what you answered to the post"))
        }
        (Standing::Absent { why }, Some(Outcome::Rejected { .. } | Outcome::Duplicate { .. })) => {
            let why_not = "what you refused is sent to you again when your answer was lost";
            let mend = "say {\"status\":\"rejected\"} of what you refused";
            Finding::weak(check, format!("not there ({why})"), (why_not, mend))
        }
        (Standing::Absent { why }, _) => {
            let why_not = "a lead whose answer was lost is sent to you a second time";
            let mend =
                "find every lead there that you have taken, from the moment that you take it";
            Finding::bad(check, format!("not there ({why}), though it was posted"), (why_not, mend))
        }
    }
}

/// What is said of a lead that was never posted.
pub(super) fn of_unknown(said: &Standing) -> Finding {
    let check = "status of a lead that you never got";
    match said {
        Standing::Absent { why } => Finding::good(check, format!("not there ({why})")),
        Standing::Known(outcome) if is_silent(outcome) => {
            let mend = "answer {\"status\":\"not_found\"}, or name the HTTP status that says so (--not-found 404; `not_found` in the buyer)";
            Finding::weak(check, in_words(outcome), (NOTHING_CERTAIN, mend))
        }
        Standing::Known(outcome) => {
            let why = "it is not there, and may be on its way: what you say of it is believed";
            Finding::bad(check, outcome.name(), (why, "answer {\"status\":\"not_found\"}"))
        }
    }
}

fn in_words(silent: &Outcome) -> String {
    match silent {
        Outcome::Unknown { why } | Outcome::NotSent { why, .. } => {
            format!("nothing certain: {why}")
        }
        other => other.name().to_owned(),
    }
}

fn named(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Sold { reference: Some(reference) } => format!("sold as {reference}"),
        other => other.name().to_owned(),
    }
}

/// A duplicate is refused: of one lead that is asked about, both say the same. So do two sales of which one has no reference.
fn ends_like(posted: &Outcome, said: &Outcome) -> bool {
    if let (Outcome::Sold { reference: one }, Outcome::Sold { reference: other }) = (posted, said) {
        return one.is_none() || other.is_none() || one == other;
    }
    let refused =
        |outcome: &Outcome| matches!(outcome, Outcome::Rejected { .. } | Outcome::Duplicate { .. });
    posted == said || (refused(posted) && refused(said))
}

#[cfg(test)]
mod tests {
    use super::super::findings::Grade;
    use super::*;
    use crate::delivery::courier::Refuser;

    fn sold() -> Outcome {
        Outcome::Sold { reference: None }
    }

    fn refused() -> Outcome {
        Outcome::Rejected { reason: "cap".to_owned(), by: Refuser::Buyer }
    }

    fn unclear() -> Standing {
        Standing::Known(Outcome::Unknown { why: "answered 500".to_owned() })
    }

    fn absent() -> Standing {
        Standing::Absent { why: "answered 404".to_owned() }
    }

    #[test]
    fn a_page_says_what_the_answer_to_the_post_said() {
        let grade = |posted: Option<&Outcome>, said| of_posted(posted, &said).grade;
        let duplicate = Outcome::Duplicate { reason: "old".to_owned() };
        assert_eq!(grade(Some(&sold()), Standing::Known(sold())), Grade::Good);
        assert_eq!(grade(Some(&duplicate), Standing::Known(refused())), Grade::Good);
        assert_eq!(grade(None, Standing::Known(sold())), Grade::Good);
        let under = |name: &str| Outcome::Sold { reference: Some(name.to_owned()) };
        assert_eq!(grade(Some(&under("A-1")), Standing::Known(sold())), Grade::Good);
        assert_eq!(grade(Some(&under("A-1")), Standing::Known(under("A-2"))), Grade::Bad);
        assert_eq!(grade(Some(&sold()), Standing::Known(refused())), Grade::Bad);
        assert_eq!(grade(Some(&refused()), Standing::Known(sold())), Grade::Bad);
        assert_eq!(grade(Some(&sold()), absent()), Grade::Bad);
        assert_eq!(grade(Some(&refused()), absent()), Grade::Weak);
        assert_eq!(grade(Some(&sold()), unclear()), Grade::Bad);
    }

    #[test]
    fn of_what_it_never_got_it_says_nothing_else() {
        assert_eq!(of_unknown(&absent()).grade, Grade::Good);
        assert_eq!(of_unknown(&unclear()).grade, Grade::Weak);
        assert_eq!(of_unknown(&Standing::Known(sold())).grade, Grade::Bad);
        assert_eq!(of_unknown(&Standing::Known(refused())).grade, Grade::Bad);
    }
}
