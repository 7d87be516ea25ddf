//! Walking through synonyms, eight bytes at a time: most of a normalizer's work is to find a source's word among them.

/// Eight bytes of the value 1.
const ONES: u64 = 0x0101_0101_0101_0101;
const SPACES: u64 = ONES * b' ' as u64;
/// All bits of eight bytes but their highest.
const LOW: u64 = ONES * 0x7f;

/// Whether one of the synonyms, which stand between single spaces, is what is looked for.
pub(super) fn any(synonyms: &str, mut is_it: impl FnMut(&[u8]) -> bool) -> bool {
    let bytes = synonyms.as_bytes();
    let (eights, rest) = bytes.as_chunks::<8>();
    let (mut start, mut place) = (0_usize, 0_usize);
    let mut ends_at = |end: usize| {
        let synonym = bytes.get(start..end).unwrap_or_default();
        start = end.wrapping_add(1);
        is_it(synonym)
    };
    for eight in eights {
        // A space becomes a byte of zeros; those that are none get their highest bit, and the others lose it.
        let marked = u64::from_le_bytes(*eight) ^ SPACES;
        let mut spaces = !((marked & LOW).wrapping_add(LOW) | marked | LOW);
        while spaces != 0 {
            let byte = spaces.trailing_zeros().wrapping_shr(3) as usize;
            if ends_at(place.wrapping_add(byte)) {
                return true;
            }
            spaces &= spaces.wrapping_sub(1);
        }
        place = place.wrapping_add(8);
    }
    for &byte in rest {
        if byte == b' ' && ends_at(place) {
            return true;
        }
        place = place.wrapping_add(1);
    }
    ends_at(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn synonyms_are_what_stands_between_spaces() {
        let every =
            "a bb ccc dddddddd eeeeeeeee español f g h !x !! \u{a0}y iiiiiii jjjjjjjjjjjjjjjj k";
        for length in every.char_indices().map(|(place, _)| place).chain([every.len()]) {
            let text = &every[..length];
            let mut found = Vec::new();
            any(text, |synonym| {
                found.push(synonym.to_vec());
                false
            });
            let expected: Vec<_> = text.split(' ').map(|synonym| synonym.as_bytes()).collect();
            assert_eq!(found, expected, "{text}");
        }
        assert!(
            any("one two", |synonym| synonym == b"two")
                && !any("one two", |synonym| synonym == b"tw")
        );
    }
}
