//! Words that a phrase mentions: `windows` in `Window Replacement`, `plumbing` in `Plumbing - Kitchen Faucet`.

use super::table::Word;
use super::{synonym, word};

/// The most words of a phrase that one synonym may be made of: `heating and air conditioning`.
const JOINED_MAX: usize = 4;
/// The most words of a phrase that are looked at.
const WORDS_MAX: usize = 24;
/// What parts a phrase into what it is about and what explains that.
const MARKS: [char; 12] = [':', ',', ';', '(', ')', '>', '|', '/', '&', '+', '–', '—'];

/// Right before a mention, maybe with one of the small words between, they say that it is not meant.
const NEGATIONS: [&str; 3] = ["no", "not", "without"];
const SMALL_WORDS: [&str; 5] = ["a", "an", "the", "any", "my"];

/// What a text may mean, and how much that counts against the rest of the text.
struct Candidate {
    folded: String,
    weight: usize,
}

/// Returns the word that the text means or mentions. The whole text counts most, then its first part that mentions any:
/// in it the last mention, since that is the noun of `bathroom flooring`, and the longest.
pub(super) fn phrase(words: &'static [Word], text: &str) -> Option<&'static str> {
    let candidates = candidates(text);
    // Most synonyms are of another length than all candidates, which a bit tells.
    let bit = |length: usize| 1_u64 << (length % 64);
    let lengths = candidates.iter().fold(0, |bits, candidate| bits | bit(candidate.folded.len()));
    let mut best = (0, None);
    for &(word, synonyms) in words {
        synonym::any(synonyms, |known| {
            if lengths & bit(known.len()) != 0 {
                weigh(&mut best, &candidates, known, word);
            }
            false
        });
        // A word is met as a source writes it, without its dashes.
        if lengths & bit(word.len()) != 0 || word.contains('-') {
            weigh(&mut best, &candidates, word.replace('-', "").as_bytes(), word);
        }
    }
    best.1
}

/// Takes the word if the synonym is a candidate that counts more than what is known.
fn weigh(
    best: &mut (usize, Option<&'static str>),
    candidates: &[Candidate],
    known: &[u8],
    word: &'static str,
) {
    for candidate in candidates {
        if candidate.weight > best.0 && candidate.folded.as_bytes() == known {
            *best = (candidate.weight, Some(word));
        }
    }
}

fn candidates(text: &str) -> Vec<Candidate> {
    let mut candidates = Vec::with_capacity(16);
    take(&mut candidates, word::folded(text), usize::MAX);
    let mut words: Vec<String> = Vec::with_capacity(8);
    // Earlier parts weigh more, whatever stands in the later ones.
    let mut left = WORDS_MAX;
    let lower = text.to_lowercase().replace(" - ", ":");
    for part in lower.split(MARKS).flat_map(|part| part.split(" and ")) {
        words.clear();
        let found = part.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.extend(found.take(left).map(str::to_owned));
        for (end, _) in words.iter().enumerate() {
            let end = end.saturating_add(1);
            for start in end.saturating_sub(JOINED_MAX)..end {
                if is_negated(words.get(..start).unwrap_or_default()) {
                    continue;
                }
                let joined = words.get(start..end).unwrap_or_default().concat();
                let place = left.saturating_mul(WORDS_MAX).saturating_add(end);
                let length = end.saturating_sub(start);
                let weight = place.saturating_mul(JOINED_MAX + 1).saturating_add(length);
                take(&mut candidates, joined, weight);
            }
        }
        left = left.saturating_sub(words.len());
    }
    candidates
}

/// Whether what stands before a mention says that it is not meant.
fn is_negated(before: &[String]) -> bool {
    let word = before.iter().rev().find(|word| !SMALL_WORDS.contains(&word.as_str()));
    word.is_some_and(|word| NEGATIONS.contains(&word.as_str()))
}

/// Takes a text, and what it is the plural of.
fn take(candidates: &mut Vec<Candidate>, folded: String, weight: usize) {
    let singular = folded.strip_suffix('s').filter(|text| !text.is_empty());
    let singular = singular.map(|text| Candidate { folded: text.to_owned(), weight });
    if !folded.is_empty() {
        candidates.push(Candidate { folded, weight });
    }
    candidates.extend(singular);
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRADES: &[Word] = &[
        ("windows", "window windowreplacement"),
        ("plumbing", "plumber faucet"),
        ("bathroom", "bath bathroomremodel tubtoshower"),
        ("flooring", "floor hardwoodfloor"),
        ("garage-doors", "garagedoor overheaddoor"),
        ("doors", "door"),
        ("hvac", "heatingcooling airconditioning air heating"),
    ];

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(phrase(TRADES, text), expected, "{text}");
    }

    #[test]
    fn a_phrase_is_the_word_that_it_mentions() {
        check("Windows", Some("windows"));
        check("Window Replacement", Some("windows"));
        check("Replace my windows", Some("windows"));
        check("window_replacement", Some("windows"));
        check("Tub-to-Shower conversion", Some("bathroom"));
        check("Air Conditioning", Some("hvac"));
        check("Garage Door Repair", Some("garage-doors"));
        check("Overhead doors", Some("garage-doors"));
        check("New front door", Some("doors"));
    }

    #[test]
    fn of_several_mentions_the_first_parts_last_counts() {
        check("Bathroom Flooring", Some("flooring"));
        check("Plumbing - Bathroom faucet", Some("plumbing"));
        check("Plumbing: bath", Some("plumbing"));
        check("Doors and Windows", Some("doors"));
        check("Heating & Air", Some("hvac"));
        check("Home (window)", Some("windows"));
        check("Home improvement / Doors / Windows", Some("doors"));
    }

    #[test]
    fn what_is_not_meant_is_no_mention() {
        check("No plumbing, windows only", Some("windows"));
        check("Not a window", None);
        check("Windows without any doors", Some("windows"));
        check("Air conditioning, not heating", Some("hvac"));
        check("Not sure, windows", Some("windows"));
        check("Heating not working", Some("hvac"));
    }

    #[test]
    fn a_part_of_a_word_is_no_mention() {
        check("Windowsill", None);
        check("indoors", None);
        check("", None);
        check("s", None);
        check("Gazebo", None);
        let far = format!("{}window", "very ".repeat(WORDS_MAX));
        check(&far, None);
        let near = format!("{}window", "very ".repeat(WORDS_MAX - 1));
        check(&near, Some("windows"));
    }
}
