//! Full names, as people write them in one field: which part is the first name, and which the last.

/// Before a name, and no part of it.
const TITLES: &[&str] =
    &["mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "rev", "reverend", "hon", "sir"];
/// Behind a name, and no part of it.
const DEGREES: &[&str] = &["md", "phd", "esq", "dds", "dmd", "dvm", "cpa", "rn"];
/// Behind a name, as a part of the last one.
const GENERATIONS: &[&str] = &["jr", "sr", "ii", "iii", "iv"];

/// Returns the first and the last name. A middle initial is left out; where there is one name alone, it is the first.
pub(super) fn parts(name: &str) -> (String, String) {
    let mut pieces: Vec<&str> =
        name.split(',').map(str::trim).filter(|piece| !piece.is_empty()).collect();
    while pieces.len() > 1 && pieces.last().is_some_and(|piece| is_one(DEGREES, piece)) {
        pieces.pop();
    }
    let is_generation = |piece: &&str| is_one(GENERATIONS, piece);
    let generation =
        if pieces.len() > 1 { pieces.pop_if(|piece| is_generation(&*piece)) } else { None };
    let (first, last) = match pieces.as_slice() {
        [last, first, ..] => (without_title(first), without_title(last)),
        _ => {
            let whole = without_title(pieces.first().copied().unwrap_or_default());
            let (first, rest) = whole.split_once(' ').unwrap_or((whole, ""));
            let initial =
                rest.split_once(' ').filter(|(middle, _)| middle.trim_end_matches('.').len() == 1);
            (first, initial.map_or(rest, |(_, last)| last))
        }
    };
    let last = match generation {
        Some(generation) if !last.is_empty() => format!("{last} {generation}"),
        Some(_) | None => last.to_owned(),
    };
    (first.to_owned(), last)
}

fn without_title(name: &str) -> &str {
    let title = name.split_once(' ').filter(|(word, _)| is_one(TITLES, word));
    title.map_or(name, |(_, rest)| rest.trim_start())
}

/// Whether a word, without its points, is one of these.
fn is_one(words: &[&str], word: &str) -> bool {
    let letters = word.replace('.', "");
    words.iter().any(|known| letters.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_name_is_a_first_and_a_last_one() {
        for (name, first, last) in [
            ("John Smith", "John", "Smith"),
            ("Smith, John", "John", "Smith"),
            ("John Q. Smith", "John", "Smith"),
            ("John Smith, Jr.", "John", "Smith Jr."),
            ("John Smith Jr.", "John", "Smith Jr."),
            ("Smith, John, Jr.", "John", "Smith Jr."),
            ("John Smith, MD", "John", "Smith"),
            ("John Smith, M.D., Ph.D.", "John", "Smith"),
            ("Dr. John Smith", "John", "Smith"),
            ("Smith, Dr. John", "John", "Smith"),
            ("Mrs Mary Ann van der Berg", "Mary", "Ann van der Berg"),
            ("Cher", "Cher", ""),
            ("Dr", "Dr", ""),
            ("Do, Kim", "Kim", "Do"),
            ("", "", ""),
        ] {
            assert_eq!(parts(name), (first.to_owned(), last.to_owned()), "{name}");
        }
    }
}
