//! United States places: states by name and code, ZIP codes, and the state that a ZIP code lies in.

/// Code and name of the states, the district, the territories and the military's mail.
const STATES: &[(&str, &str)] = &[
    ("AL", "alabama"),
    ("AK", "alaska"),
    ("AZ", "arizona"),
    ("AR", "arkansas"),
    ("CA", "california"),
    ("CO", "colorado"),
    ("CT", "connecticut"),
    ("DE", "delaware"),
    ("DC", "districtofcolumbia"),
    ("FL", "florida"),
    ("GA", "georgia"),
    ("HI", "hawaii"),
    ("ID", "idaho"),
    ("IL", "illinois"),
    ("IN", "indiana"),
    ("IA", "iowa"),
    ("KS", "kansas"),
    ("KY", "kentucky"),
    ("LA", "louisiana"),
    ("ME", "maine"),
    ("MD", "maryland"),
    ("MA", "massachusetts"),
    ("MI", "michigan"),
    ("MN", "minnesota"),
    ("MS", "mississippi"),
    ("MO", "missouri"),
    ("MT", "montana"),
    ("NE", "nebraska"),
    ("NV", "nevada"),
    ("NH", "newhampshire"),
    ("NJ", "newjersey"),
    ("NM", "newmexico"),
    ("NY", "newyork"),
    ("NC", "northcarolina"),
    ("ND", "northdakota"),
    ("OH", "ohio"),
    ("OK", "oklahoma"),
    ("OR", "oregon"),
    ("PA", "pennsylvania"),
    ("RI", "rhodeisland"),
    ("SC", "southcarolina"),
    ("SD", "southdakota"),
    ("TN", "tennessee"),
    ("TX", "texas"),
    ("UT", "utah"),
    ("VT", "vermont"),
    ("VA", "virginia"),
    ("WA", "washington"),
    ("WV", "westvirginia"),
    ("WI", "wisconsin"),
    ("WY", "wyoming"),
    ("AS", "americansamoa"),
    ("GU", "guam"),
    ("MP", "northernmarianaislands"),
    ("PR", "puertorico"),
    ("VI", "virginislands"),
    ("AA", "armedforcesamericas"),
    ("AE", "armedforceseurope"),
    ("AP", "armedforcespacific"),
    ("DC", "washingtondc"),
    ("VI", "usvirginislands"),
    ("FM", "micronesia"),
    ("MH", "marshallislands"),
    ("PW", "palau"),
];

/// The first three digits of ZIP codes, from and up to, with the state they lie in.
const PREFIXES: &[(u16, u16, &str)] = &[
    (5, 5, "NY"),
    (6, 7, "PR"),
    (8, 8, "VI"),
    (9, 9, "PR"),
    (10, 27, "MA"),
    (28, 29, "RI"),
    (30, 38, "NH"),
    (39, 49, "ME"),
    (50, 54, "VT"),
    (55, 55, "MA"),
    (56, 59, "VT"),
    (60, 69, "CT"),
    (70, 89, "NJ"),
    (90, 98, "AE"),
    (100, 149, "NY"),
    (150, 196, "PA"),
    (197, 199, "DE"),
    (200, 200, "DC"),
    (201, 201, "VA"),
    (202, 205, "DC"),
    (206, 219, "MD"),
    (220, 246, "VA"),
    (247, 268, "WV"),
    (270, 289, "NC"),
    (290, 299, "SC"),
    (300, 319, "GA"),
    (320, 339, "FL"),
    (340, 340, "AA"),
    (341, 349, "FL"),
    (350, 369, "AL"),
    (370, 385, "TN"),
    (386, 397, "MS"),
    (398, 399, "GA"),
    (400, 427, "KY"),
    (430, 459, "OH"),
    (460, 479, "IN"),
    (480, 499, "MI"),
    (500, 528, "IA"),
    (530, 549, "WI"),
    (550, 567, "MN"),
    (569, 569, "DC"),
    (570, 577, "SD"),
    (580, 588, "ND"),
    (590, 599, "MT"),
    (600, 629, "IL"),
    (630, 658, "MO"),
    (660, 679, "KS"),
    (680, 693, "NE"),
    (700, 714, "LA"),
    (716, 729, "AR"),
    (730, 732, "OK"),
    (733, 733, "TX"),
    (734, 749, "OK"),
    (750, 799, "TX"),
    (800, 816, "CO"),
    (820, 831, "WY"),
    (832, 838, "ID"),
    (840, 847, "UT"),
    (850, 865, "AZ"),
    (870, 884, "NM"),
    (885, 885, "TX"),
    (889, 898, "NV"),
    (900, 961, "CA"),
    (962, 966, "AP"),
    (967, 968, "HI"),
    (969, 969, "GU"),
    (970, 979, "OR"),
    (980, 994, "WA"),
    (995, 999, "AK"),
];

/// ZIP codes that cross a border, or lie beyond it, with the state that their first three digits do not say.
const ACROSS: &[(&str, &str)] = &[
    ("02861", "MA"),
    ("06390", "NY"),
    ("20588", "MD"),
    ("42223", "TN"),
    ("59221", "ND"),
    ("63673", "IL"),
    ("71749", "LA"),
    ("73949", "TX"),
    ("81137", "NM"),
    ("83414", "WY"),
    ("84536", "AZ"),
    ("86044", "UT"),
    ("86515", "NM"),
    ("88063", "TX"),
    ("89439", "CA"),
    ("97635", "CA"),
];

/// ZIP codes that nobody has: sources send them to say that a submission is a test.
pub(super) const TEST_ZIPS: [&str; 3] = ["00001", "90100", "99999"];

/// Returns the code of a state.
pub(super) fn state(text: &str) -> Option<&'static str> {
    let mut letters = [0_u8; 24];
    let mut length = 0_usize;
    for byte in text.bytes().filter(|byte| !matches!(byte, b' ' | b'.' | b'-' | b'_' | b',')) {
        *letters.get_mut(length)? = byte.to_ascii_lowercase();
        length = length.checked_add(1)?;
    }
    let name = std::str::from_utf8(letters.get(..length)?).ok()?;
    let name = name.strip_prefix("us").filter(|code| code.len() == 2).unwrap_or(name);
    let is_it = |(code, known): &&(&str, &str)| *known == name || code.eq_ignore_ascii_case(name);
    STATES.iter().find(is_it).map(|&(code, _)| code)
}

/// Returns the five digits of a ZIP code. One of four digits has lost a leading zero on its way through a spreadsheet;
/// a JSON number may have lost two. Whether it has is for [`has_lost_zeros`] and the state to say.
pub(super) fn zip(text: &str, is_number: bool) -> Option<String> {
    let text = text.trim();
    let (five, four) = match text.split_once(['-', ' ']) {
        Some((five, four)) => (five, Some(four.trim())),
        None if text.len() == 9 => (text.get(..5)?, text.get(5..)),
        None => (text, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = digits(five) && four.is_none_or(|four| four.len() == 4 && digits(four));
    let full = match five.len() {
        5 => five.to_owned(),
        4 => format!("0{five}"),
        // No ZIP code begins with three zeros.
        3 if is_number && four.is_none() => format!("{five:0>5}"),
        _ => return None,
    };
    (fits && (TEST_ZIPS.contains(&full.as_str()) || state_of(&full).is_some())).then_some(full)
}

/// Whether a ZIP code came without its leading zeros.
pub(super) fn has_lost_zeros(text: &str) -> bool {
    text.trim().split(['-', ' ']).next().is_some_and(|five| matches!(five.len(), 3 | 4))
}

/// Returns the state in which most of a ZIP code lies.
pub(super) fn state_of(zip: &str) -> Option<&'static str> {
    let prefix: u16 = zip.get(..3)?.parse().ok()?;
    let range = PREFIXES.iter().find(|(from, until, _)| (*from..=*until).contains(&prefix));
    range.map(|&(_, _, state)| state)
}

/// Whether an address in this state may have this ZIP code.
pub(super) fn is_in(zip: &str, state: &str) -> bool {
    // The Pacific islands share one prefix.
    let pacific = |code: &str| matches!(code, "GU" | "MP" | "PW" | "FM" | "MH");
    let main = state_of(zip).is_none_or(|main| main == state || (pacific(main) && pacific(state)));
    main || ACROSS.contains(&(zip, state)) || (zip.starts_with("967") && state == "AS")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_known_by_name_and_code() {
        for (text, expected) in [
            ("FL", Some("FL")),
            ("fl", Some("FL")),
            ("Florida", Some("FL")),
            ("NEW YORK", Some("NY")),
            ("N.Y.", Some("NY")),
            ("Washington", Some("WA")),
            ("Washington, D.C.", Some("DC")),
            ("West Virginia", Some("WV")),
            ("US-PA", Some("PA")),
            ("Puerto Rico", Some("PR")),
            ("ZZ", None),
            ("", None),
            ("Ontario", None),
            ("U", None),
            ("12", None),
            ("a very long name that is no state at all", None),
        ] {
            assert_eq!(state(text), expected, "{text}");
        }
    }

    #[test]
    fn a_zip_code_is_five_digits_or_nothing() {
        for (text, is_number, expected) in [
            ("33139", false, Some("33139")),
            ("33139-1234", false, Some("33139")),
            ("331391234", false, Some("33139")),
            ("33139 1234", false, Some("33139")),
            ("02139", false, Some("02139")),
            ("2139", true, Some("02139")),
            ("501", true, Some("00501")),
            ("2139", false, Some("02139")),
            ("2139-1234", false, Some("02139")),
            ("501", false, None),
            ("33139-", false, None),
            ("139", false, None),
            ("0000", false, None),
            ("ABCDE", false, None),
            ("K1A 0B1", false, None),
            ("00000", false, None),
            ("33139-12", false, None),
            ("00001", false, Some("00001")),
            ("1", true, None),
            ("21390000", true, None),
            ("-2139", true, None),
            ("3e4", true, None),
        ] {
            assert_eq!(zip(text, is_number).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_zip_code_lies_in_a_state() {
        for (zip, state, expected) in [
            ("33139", "FL", true),
            ("15635", "PA", true),
            ("33139", "NY", false),
            ("42223", "TN", true),
            ("42223", "KY", true),
            ("42223", "OH", false),
            ("00601", "PR", true),
            ("96799", "AS", true),
            ("96950", "MP", true),
            ("73301", "TX", true),
            ("20001", "DC", true),
            ("90210", "CA", true),
            ("99501", "AK", true),
            ("00501", "NY", true),
            ("00001", "NY", true),
        ] {
            assert_eq!(is_in(zip, state), expected, "{zip} {state}");
        }
    }
}
