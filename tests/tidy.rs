//! Our own rules, which rustfmt and clippy cannot see: room order, fences, names, sizes, and what is at the top.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms in walking order. A room may name the rooms before it, never the ones after.
const ROOMS: [&str; 7] =
    ["ingest", "normalize", "matching", "bidding", "clearing", "delivery", "settlement"];
/// What stands around the rooms and may name all of them.
const CORRIDORS: [&str; 4] = ["exchange", "server", "cli", "demo"];
/// A library and the only places under `host/src` that may name it.
const FENCES: [(&str, &[&str]); 3] =
    [("wasmtime", &["sandbox"]), ("sqlx", &["storage"]), ("axum", &["server", "demo/buyers"])];
const BANNED_STEMS: [&str; 7] = ["mod", "utils", "util", "helpers", "helper", "common", "misc"];
const BANNED_ENDINGS: [&str; 5] = ["Manager", "Service", "Helper", "Util", "Impl"];
const LINES_MAX: usize = 400;
/// What the top level holds, beside dotfiles and what is built.
const TOP: [&str; 9] =
    ["Cargo.lock", "Cargo.toml", "README.md", "guest-sdk", "host", "rules", "tests", "wit", "x"];
/// Places on somebody's machine, in two parts so that this file does not name them.
const MACHINE_PATHS: [(&str, &str); 5] =
    [("/wo", "rk/"), ("/ro", "ot/"), ("/ho", "me/"), ("/Us", "ers/"), ("/tm", "p/")];

/// A source file: where it is, what it says, and what of that comes before its tests.
struct Source {
    path: String,
    text: String,
    code: String,
}

/// Returns all files under these folders of the repository with one of these endings.
fn sources(folders: &[&str], endings: &[&str]) -> Vec<Source> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut waiting: Vec<PathBuf> = folders.iter().map(|folder| top.join(folder)).collect();
    let mut sources = Vec::new();
    while let Some(path) = waiting.pop() {
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && name != "target" {
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
            let path = path.strip_prefix(top).unwrap().to_str().unwrap().to_owned();
            sources.push(Source { path, text, code });
        }
    }
    assert!(!sources.is_empty(), "nothing found in {folders:?}");
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    sources
}

fn host() -> impl Iterator<Item = (String, Source)> {
    sources(&["host/src"], &[".rs"]).into_iter().map(|source| {
        let place = source.path.trim_start_matches("host/src/").trim_end_matches(".rs");
        (place.to_owned(), source)
    })
}

/// Runs a rule over sources; what it returns is a fault.
#[track_caller]
fn check<S>(sources: impl IntoIterator<Item = S>, rule: impl Fn(&S) -> Vec<String>) {
    let faults: Vec<String> = sources.into_iter().flat_map(|source| rule(&source)).collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// Says whether a place in the house is this one or in it.
fn is_in(place: &str, room: &str) -> bool {
    place.strip_prefix(room).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Returns the modules of the host that code names: `crate::one` and `crate::{two, three::Four}`.
fn named(code: &str) -> BTreeSet<&str> {
    let word = |text: &str| text.find(|c: char| !c.is_alphanumeric() && c != '_');
    let mut named = BTreeSet::new();
    for after in code.split("crate::").skip(1) {
        let mut depth = 0;
        let end = after.find(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            depth == 0
        });
        let group = after.strip_prefix('{').and_then(|_| after.get(1..end?));
        let mut depth = 0;
        let parts = group.unwrap_or(after).split(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            c == ',' && depth == 0
        });
        let parts = parts.take(if group.is_some() { usize::MAX } else { 1 }).map(str::trim_start);
        named.extend(parts.map(|part| part.get(..word(part).unwrap_or(part.len())).unwrap()));
    }
    named
}

#[test]
fn data_walks_one_way_through_the_rooms() {
    check(host(), |(place, source)| {
        let room = ROOMS.iter().position(|room| is_in(place, room));
        let around = ["lib", "main"].contains(&place.as_str());
        if around || CORRIDORS.iter().any(|corridor| is_in(place, corridor)) {
            return Vec::new();
        }
        let named = named(&source.code);
        let ahead = ROOMS.iter().skip(room.map_or(0, |room| room + 1));
        let ahead = ahead.chain(&CORRIDORS).filter(|name| named.contains(*name));
        ahead.map(|name| format!("{}: looks ahead into `{name}`", source.path)).collect()
    });
}

#[test]
fn every_library_stays_behind_its_fence() {
    check(host(), |(place, source)| {
        let outside = FENCES.iter().filter(|(_, owners)| !owners.iter().any(|o| is_in(place, o)));
        let uses = |library: &str| {
            source.code.contains(&format!("{library}::"))
                || source.code.contains(&format!("use {library};"))
        };
        let outside = outside.filter(|(library, _)| uses(library));
        outside
            .map(|(library, owners)| format!("{}: `{library}` belongs in {owners:?}", source.path))
            .collect()
    });
}

#[test]
fn every_file_says_what_it_is_for_and_is_short_enough_to_read() {
    check(sources(&["host", "guest-sdk", "rules", "tests"], &[".rs"]), |source| {
        let mut faults = Vec::new();
        if !source.text.starts_with("//! ") {
            faults.push(format!("{}: does not open with `//!`", source.path));
        }
        let lines = source.code.lines().count();
        if lines > LINES_MAX {
            faults.push(format!("{}: {lines} lines before its tests", source.path));
        }
        faults
    });
}

#[test]
fn everything_is_named_after_what_it_does() {
    check(sources(&["host", "guest-sdk", "rules", "tests"], &[".rs"]), |source| {
        let stem = source.path.rsplit('/').next().unwrap().trim_end_matches(".rs");
        let mut faults = Vec::new();
        if BANNED_STEMS.contains(&stem) {
            faults.push(format!("{}: named after nothing", source.path));
        }
        let mut words = source.code.split(|c: char| !c.is_alphanumeric() && c != '_').peekable();
        while let Some(word) = words.next() {
            let next = words.peek().copied().unwrap_or_default();
            let is_type = ["struct", "enum", "trait"].contains(&word);
            if is_type && BANNED_ENDINGS.iter().any(|ending| next.ends_with(ending)) {
                faults.push(format!("{}: `{next}` says nothing by its ending", source.path));
            }
        }
        faults
    });
}

#[test]
fn nothing_speaks_of_the_machine_it_was_written_on() {
    let folders = ["host", "guest-sdk", "rules", "tests", "wit", "x", "Cargo.toml"];
    let endings = [".rs", ".toml", ".wit", ".sql", ".json", ".md", ".html", "x"];
    check(sources(&folders, &endings), |source| {
        let paths = MACHINE_PATHS.iter().map(|(one, two)| format!("{one}{two}"));
        let paths = paths.filter(|path| source.text.contains(path.as_str()));
        paths.map(|path| format!("{}: names {path}", source.path)).collect()
    });
}

#[test]
fn the_top_level_holds_what_it_is_meant_to_hold() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let names = fs::read_dir(top).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    let unexpected: Vec<String> = names
        .filter(|name| !name.starts_with('.') && name != "target" && !TOP.contains(&name.as_str()))
        .collect();
    assert_eq!(unexpected, [""; 0]);
}

#[test]
fn names_are_found_in_every_spelling_of_an_import() {
    let code = "use crate::one::{Two, three};\nuse crate::{four, five::{Six, seven}, eight};\ncrate::nine::ten()";
    let names: Vec<&str> = named(code).into_iter().collect();
    assert_eq!(names, ["eight", "five", "four", "nine", "one"]);
}
