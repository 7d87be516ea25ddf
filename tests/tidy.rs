//! Our own rules, which rustfmt and clippy cannot see: room order, fences, names, sizes, and what is at the top.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms in walking order, then what stands around them. A room may name what stands before it, never after; the
/// stores, the walls and what rooms pass around name none of these.
const ROOMS: [&str; 7] =
    ["ingest", "normalize", "matching", "bidding", "clearing", "delivery", "settlement"];
const CORRIDORS: [&str; 5] = ["exchange", "server", "cli", "demo", "fixtures"];
/// A library and the only places under `host/src` that may name it.
const FENCES: [(&str, &[&str]); 4] = [
    ("wasmtime", &["sandbox"]),
    ("sqlx", &["storage"]),
    ("axum", &["server", "demo/buyers"]),
    ("lettre", &["egress"]),
];
const BANNED_STEMS: [&str; 7] = ["mod", "utils", "util", "helpers", "helper", "common", "misc"];
const BANNED_ENDINGS: [&str; 5] = ["Manager", "Service", "Helper", "Util", "Impl"];
const LINES_MAX: usize = 400;
/// What the top level holds beside dotfiles, with what is built.
const TOP: &str = "Cargo.lock Cargo.toml README.md guest-sdk host rules target tests wit x";
/// Places on somebody's machine, in two parts so that this file does not name them.
const MACHINE_PATHS: [(&str, &str); 5] =
    [("/wo", "rk/"), ("/ro", "ot/"), ("/ho", "me/"), ("/Us", "ers/"), ("/tm", "p/")];

/// Runs a rule over every file with one of these endings in these folders, given as its path there, what it says, and
/// what of that comes before its tests. What the rule returns are faults.
#[track_caller]
fn check(folders: &[&str], endings: &[&str], rule: impl Fn(&str, &str, &str) -> Vec<String>) {
    let mut faults = Vec::new();
    let mut waiting: Vec<PathBuf> = folders.iter().map(|folder| top().join(folder)).collect();
    while let Some(path) = waiting.pop() {
        assert!(path.exists(), "{} is missing", path.display());
        if path.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if endings.iter().any(|ending| path.to_str().unwrap().ends_with(ending)) {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let place = path.strip_prefix(top()).unwrap().with_extension("");
            let place = place.to_str().unwrap().trim_start_matches("host/src/");
            faults.extend(rule(place, &text, code).iter().map(|fault| format!("{place}: {fault}")));
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Says whether a place in the house is this one or in it.
fn is_in(place: &str, room: &str) -> bool {
    Path::new(place).starts_with(room)
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// Says whether code names a module of the host: as `crate::name`, or in the braces of `use crate::{..}`.
fn names(code: &str, name: &str) -> bool {
    code.split("crate::").skip(1).any(|after| {
        let named = if after.starts_with('{') { usize::MAX } else { 1 };
        words(after.split(';').next().unwrap()).take(named).any(|word| word == name)
    })
}

#[test]
fn data_walks_one_way_through_the_rooms() {
    check(&["host/src"], &[".rs"], |place, _, code| {
        if is_in(place, "lib") || is_in(place, "main") || CORRIDORS.iter().any(|c| is_in(place, c))
        {
            return Vec::new();
        }
        let room = ROOMS.iter().position(|room| is_in(place, room));
        let ahead = ROOMS.iter().skip(room.map_or(0, |room| room + 1)).chain(&CORRIDORS);
        ahead.filter(|name| names(code, name)).map(|name| format!("names {name}")).collect()
    });
    assert!(names("use crate::{one, two::{Three, four}};", "two"));
    assert!(names("crate::five::six()", "five") && !names("crate::five::six()", "six"));
}

#[test]
fn every_library_stays_behind_its_fence() {
    check(&["host/src"], &[".rs"], |place, _, code| {
        let outside = FENCES.iter().filter(|(_, owners)| !owners.iter().any(|o| is_in(place, o)));
        let used = outside.filter(|(library, _)| code.contains(&format!("{library}::")));
        used.map(|(library, _)| format!("uses {library}")).collect()
    });
}

#[test]
fn every_file_says_what_it_is_for_and_is_short() {
    check(&["host", "guest-sdk", "rules", "tests"], &[".rs"], |place, text, code| {
        let lines = if is_in(place, "tests") || place.ends_with("tests") {
            0
        } else {
            code.lines().count()
        };
        let faults = [
            (!text.starts_with("//! ")).then(|| "does not open with //!".to_owned()),
            (lines > LINES_MAX).then(|| format!("has {lines} lines before its tests")),
        ];
        faults.into_iter().flatten().collect()
    });
}

#[test]
fn everything_is_named_after_what_it_does() {
    check(&["host", "guest-sdk", "rules", "tests"], &[".rs"], |place, _, code| {
        let types = words(code).zip(words(code).skip(1));
        let types = types.filter(|(kind, _)| ["struct", "enum", "trait"].contains(kind));
        let stem = BANNED_STEMS.iter().find(|stem| Path::new(place).ends_with(stem)).copied();
        let banned =
            |(_, name): &(&str, &str)| BANNED_ENDINGS.iter().any(|end| name.ends_with(end));
        let named = types.filter(banned).map(|(_, name)| name).chain(stem);
        named.map(|name| format!("`{name}` does not say what it does")).collect()
    });
}

#[test]
fn nothing_speaks_of_the_machine_it_was_written_on() {
    let endings = [".rs", ".toml", ".wit", ".sql", ".json", ".md", ".html", "/x"];
    check(&["host", "guest-sdk", "rules", "tests", "wit", "x"], &endings, |_, text, _| {
        let paths = MACHINE_PATHS.iter().map(|(one, two)| format!("{one}{two}"));
        paths.filter(|path| text.contains(path)).map(|path| format!("names {path}")).collect()
    });
}

#[test]
fn the_top_level_holds_what_it_is_meant_to_hold() {
    for entry in fs::read_dir(top()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let expected = name.starts_with('.') || TOP.split(' ').any(|known| known == name);
        assert!(expected, "{name} is not expected at the top");
    }
}
