//! What a check found, told so that its reader can mend it.

use serde::Serialize;

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Grade {
    /// As it should be.
    Good,
    /// It works, and costs sales.
    Weak,
    /// The exchange cannot work with it.
    Bad,
}

/// One thing that was tried.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Finding {
    pub(super) check: &'static str,
    pub(super) grade: Grade,
    /// What came.
    pub(super) seen: String,
    /// Why it matters; empty if all is well.
    pub(super) why: &'static str,
    /// What to do; empty if all is well.
    pub(super) mend: &'static str,
}

/// What is wrong with one answer.
#[derive(Clone, Debug)]
pub(super) struct Wrong {
    /// What came.
    pub(super) seen: String,
    /// Why it matters, and what to do.
    pub(super) advice: (&'static str, &'static str),
}

impl Wrong {
    pub(super) fn new(seen: impl Into<String>, advice: (&'static str, &'static str)) -> Self {
        Self { seen: seen.into(), advice }
    }

    /// Tells of several answers what is wrong with them: with how many, and with the first of these. Nothing if all are
    /// right.
    pub(super) fn among(check: &'static str, asked: usize, wrong: &[Self]) -> Option<Finding> {
        let Self { seen, advice } = wrong.first()?;
        let seen =
            format!("no good answer to {} of {asked} pings; the first flaw: {seen}", wrong.len());
        Some(Finding::bad(check, seen, *advice))
    }

    /// Tells what is wrong with every answer, the first and so many after it.
    pub(super) fn with_all(self, check: &'static str, more: usize) -> Finding {
        let pings = if more == 1 { "the one ping" } else { "any of the pings" };
        let seen = format!(
            "{}; no good answer to {pings} after it either, so nothing else was tried here",
            self.seen
        );
        Finding::bad(check, seen, self.advice)
    }
}

impl Finding {
    pub(super) fn good(check: &'static str, seen: impl Into<String>) -> Self {
        Self { check, grade: Grade::Good, seen: seen.into(), why: "", mend: "" }
    }

    pub(super) fn weak(
        check: &'static str,
        seen: impl Into<String>,
        (why, mend): (&'static str, &'static str),
    ) -> Self {
        Self { check, grade: Grade::Weak, seen: seen.into(), why, mend }
    }

    pub(super) fn bad(
        check: &'static str,
        seen: impl Into<String>,
        (why, mend): (&'static str, &'static str),
    ) -> Self {
        Self { grade: Grade::Bad, ..Self::weak(check, seen, (why, mend)) }
    }
}

/// Prints findings, as JSON or for people.
#[expect(clippy::print_stdout, reason = "this is the command's result")]
pub(super) fn print(url: &str, findings: &[Finding], json: bool) {
    if json {
        let holds = !findings.iter().any(|finding| finding.grade == Grade::Bad);
        println!("{}", serde_json::json!({"url": url, "holds": holds, "findings": findings}));
        return;
    }
    for Finding { check, grade, seen, why, mend } in findings {
        let mark = match grade {
            Grade::Good => "ok  ",
            Grade::Weak => "weak",
            Grade::Bad => "BAD ",
        };
        println!("{mark}  {check}: {seen}");
        if *grade != Grade::Good {
            println!("        why it matters: {why}");
            println!("        to mend it:     {mend}");
        }
    }
    let count = |wanted| findings.iter().filter(|finding| finding.grade == wanted).count();
    let (good, weak, bad) = (count(Grade::Good), count(Grade::Weak), count(Grade::Bad));
    let end = match bad {
        0 => format!(
            "an exchange can use it: \"bidding\": {{\"url\": \"{url}\"}} in the buyer's body"
        ),
        _ => "an exchange cannot use it so".to_owned(),
    };
    println!("{good} ok, {weak} weak, {bad} bad: {end}");
}
