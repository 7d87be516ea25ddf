//! Words out of a list: what counts is letters and digits, and the synonyms that the table names.

use super::synonym;
use super::table::Word;

/// What sources write where they know nothing.
const NOTHING: &[&str] =
    &["null", "(null)", "n/a", "na", "undefined", "nil", "nan", "-", "--", "[]", "{}"];
/// What people answer when they do not say.
const UNSAID: &[&str] = &[
    "unknown",
    "unsure",
    "notsure",
    "notsureyet",
    "imnotsure",
    "uncertain",
    "undecided",
    "maybe",
    "undetermined",
    "dontknow",
    "idontknow",
    "notspecified",
    "notprovided",
    "notavailable",
    "notapplicable",
    "prefernottosay",
    "prefernottoanswer",
    "decline",
    "declined",
    "declinetoanswer",
    "select",
    "selectone",
    "pleaseselect",
];
/// What follows a no that answers nothing: `No preference`.
const NO_ANSWERS: &str = "preference idea answer response opinion comment";
const YES: &str = "1 y yes t true on";
const NO: &str = "0 n no f false off";

/// Whether a source meant to say nothing.
pub(super) fn is_nothing(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || NOTHING.iter().any(|known| text.eq_ignore_ascii_case(known))
}

/// As [`is_nothing`], for names: there are people called Null and Na, and no program writes them so.
pub(super) fn is_nothing_for_name(text: &str) -> bool {
    let text = text.trim();
    let is_written_by_people = matches!(text, "Null" | "Na" | "Nan" | "Nil");
    !is_written_by_people && (is_nothing(text) || is_none(text))
}

/// Whether a program, or a person, wrote that there is none. To some fields that is a word.
pub(super) fn is_none(text: &str) -> bool {
    text.trim().eq_ignore_ascii_case("none")
}

/// Whether a person answered without saying anything.
pub(super) fn is_unsaid(text: &str) -> bool {
    let text = folded(text);
    UNSAID.contains(&text.as_str())
}

/// Whether the text is one of some synonyms.
pub(super) fn is_among(synonyms: &str, text: &str) -> bool {
    has(synonyms, &folded(text))
}

/// Returns the word that the text means.
pub(super) fn word(words: &'static [Word], text: &str) -> Option<&'static str> {
    let find = |text: &str| {
        let text = folded(text);
        // Folding makes nothing longer, so most words need none to be known for another.
        let is_word = |word: &str| word.len() >= text.len() && folded(word) == text;
        let is_it = |&&(word, synonyms): &&Word| is_word(word) || has(synonyms, &text);
        words.iter().find(is_it).map(|&(word, _)| word)
    };
    // What stands in brackets explains: `Good (680-719)`.
    find(text).or_else(|| text.split_once('(').and_then(|(before, _)| find(before)))
}

/// Returns yes or no.
pub(super) fn boolean(yes: &str, no: &str, text: &str) -> Option<bool> {
    let find = |text: &str| {
        let text = folded(text);
        match (has(YES, &text) || has(yes, &text), has(NO, &text) || has(no, &text)) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    };
    // What stands behind a comma, in brackets or behind a dash explains: `No, the other driver was`.
    let explained = || text.split_once([',', '(', ';']).or_else(|| text.split_once(" - "));
    find(text).or_else(|| explained().and_then(|(before, _)| find(before))).or_else(|| said(text))
}

/// Returns the yes or no with which a sentence begins, such as `No military service`.
fn said(text: &str) -> Option<bool> {
    let (first, rest) = text.trim().split_once(' ')?;
    let has_both = rest.split(' ').any(|word| word.eq_ignore_ascii_case("or"));
    match (folded(first).as_str(), has_both || is_among(NO_ANSWERS, rest)) {
        ("yes", false) => Some(true),
        ("no", false) => Some(false),
        _ => None,
    }
}

/// Folds a value: lower case, no spaces, no marks but those between and before digits, where they matter.
pub(super) fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    let mut rest = text.trim().chars().peekable();
    while let Some(c) = rest.next() {
        let follows = rest.peek().is_some_and(char::is_ascii_digit);
        let is_inside = before.is_none_or(|before: char| before.is_ascii_digit());
        match c {
            '.' | '-' | '/' if follows && is_inside => out.push(c),
            _ if c.is_alphanumeric() => out.extend(c.to_lowercase()),
            _ => (),
        }
        before = Some(c);
    }
    out
}

fn has(synonyms: &str, text: &str) -> bool {
    !text.is_empty() && synonym::any(synonyms, |synonym| synonym == text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COVER: &[Word] = &[("state-minimum", "minimum 1"), ("full-coverage", "full 100/300")];

    #[test]
    fn a_word_is_known_by_its_letters() {
        for (text, expected) in [
            ("State Minimum", Some("state-minimum")),
            ("STATE_MINIMUM", Some("state-minimum")),
            ("minimum", Some("state-minimum")),
            ("1", Some("state-minimum")),
            ("Full (best)", Some("full-coverage")),
            ("100/300", Some("full-coverage")),
            ("100300", None),
            ("-1", None),
            ("1.0", None),
            ("mini", None),
            ("", None),
            ("minimum full", None),
        ] {
            assert_eq!(word(COVER, text), expected, "{text}");
        }
    }

    #[test]
    fn yes_and_no_are_not_guessed() {
        for (text, expected) in [
            ("1", Some(true)),
            ("Yes", Some(true)),
            ("TRUE", Some(true)),
            ("on", Some(true)),
            ("own", Some(true)),
            ("0", Some(false)),
            ("no", Some(false)),
            ("Rent", Some(false)),
            ("No, I rent", Some(false)),
            ("Own (mortgage)", Some(true)),
            ("perhaps, own", None),
            ("-1", None),
            ("2", None),
            ("yesno", None),
            ("1.0", None),
            ("", None),
            ("y/n", None),
            ("No military service", Some(false)),
            ("Yes I do", Some(true)),
            ("Own - Condo", Some(true)),
            ("No preference", None),
            ("Yes or no", None),
            ("Not sure about that", None),
        ] {
            assert_eq!(boolean("own", "rent", text), expected, "{text}");
        }
    }

    #[test]
    fn nothing_is_not_a_name() {
        for text in ["", "  ", "null", "NULL", "N/A", "undefined", "-"] {
            assert!(is_nothing(text) && is_nothing_for_name(text), "{text}");
        }
        assert!(!is_nothing_for_name("Null") && is_nothing("Null"));
        assert!(is_nothing_for_name("None") && is_none("none") && !is_none("nonesuch"));
        assert!(!is_nothing("none") && !is_nothing("0") && is_unsaid("Not Sure"));
    }
}
