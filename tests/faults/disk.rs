//! What a disk holds after any of the changes that were made to it, and what a kill or a power cut leaves of them.

use std::collections::BTreeMap;
use std::path::Path;

use crate::crash::traffic::Dice;

/// What is done to one file, or to the directory (the empty path).
#[derive(Debug)]
pub(crate) enum Change {
    Write { path: String, offset: usize, bytes: Vec<u8> },
    Truncate { path: String, length: usize },
    Sync { path: String },
    Rename { path: String, to: String },
    Unlink { path: String },
    Create { path: String },
}

/// Reads a trace; each change with the trace's length after it.
pub(crate) fn changes(trace: &[u8]) -> Vec<(u64, Change)> {
    let number = |at: usize, bytes: usize| {
        let mut wide = [0; 8];
        wide[..bytes].copy_from_slice(&trace[at..at + bytes]);
        u64::from_le_bytes(wide)
    };
    let (mut all, mut at) = (Vec::new(), 0);
    while at + 24 <= trace.len() {
        let (kind, path_bytes) = (number(at, 4), size(number(at + 4, 4)));
        let (offset, bytes) = (size(number(at + 8, 8)), size(number(at + 16, 8)));
        let from = at + 24 + path_bytes;
        if from + bytes > trace.len() {
            break;
        }
        let path = String::from_utf8(trace[at + 24..from].to_vec()).unwrap();
        let content = trace[from..from + bytes].to_vec();
        at = from + bytes;
        let change = match kind {
            1 => Change::Write { path, offset, bytes: content },
            2 => Change::Truncate { path, length: offset },
            3 => Change::Sync { path },
            4 => Change::Rename { path, to: String::from_utf8(content).unwrap() },
            5 => Change::Unlink { path },
            6 => Change::Create { path },
            kind => panic!("a record of kind {kind} at {at}"),
        };
        all.push((at as u64, change));
    }
    all
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

/// The files of a directory.
pub(crate) type Image = BTreeMap<String, Vec<u8>>;

/// Returns the files of a directory that no process has open.
pub(crate) fn image_of(directory: &Path) -> Image {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.is_file());
    let named = files.map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read(path).unwrap())
    });
    named.collect()
}

/// What is left of a change that was not synced.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Left {
    /// The process is killed: the system still writes everything.
    All,
    /// The power is cut: only what was synced.
    Synced,
    /// The power is cut while the disk writes, in pieces of this many bytes and in any order.
    Torn { piece: usize, seed: u64 },
}

/// Where contents change, and to what; nothing where they end there.
type Unsynced = (usize, Option<Vec<u8>>);

/// A disk in the middle of its changes.
pub(crate) struct Disk {
    now: Image,
    synced: Image,
    /// Changes of contents that are not synced, by file.
    waiting: BTreeMap<String, Vec<Unsynced>>,
    /// Names that the directory has and may lose: created, or gone, since it was synced.
    created: Vec<String>,
    unlinked: Vec<String>,
}

impl Disk {
    /// A disk on which all of this was synced long ago.
    pub(crate) fn new(image: Image) -> Self {
        Self {
            synced: image.clone(),
            now: image,
            waiting: BTreeMap::new(),
            created: Vec::new(),
            unlinked: Vec::new(),
        }
    }

    pub(crate) fn apply(&mut self, change: &Change) {
        match change {
            Change::Write { path, offset, bytes } => {
                put(self.now.entry(path.clone()).or_default(), *offset, bytes);
                let waiting = self.waiting.entry(path.clone()).or_default();
                waiting.push((*offset, Some(bytes.clone())));
            }
            Change::Truncate { path, length } => {
                self.now.entry(path.clone()).or_default().resize(*length, 0);
                self.waiting.entry(path.clone()).or_default().push((*length, None));
            }
            Change::Sync { path } if path.is_empty() => {
                self.created.clear();
                for gone in self.unlinked.drain(..) {
                    if !self.now.contains_key(&gone) {
                        self.synced.remove(&gone);
                    }
                }
            }
            Change::Sync { path } => {
                self.waiting.remove(path);
                if let Some(content) = self.now.get(path) {
                    self.synced.insert(path.clone(), content.clone());
                }
            }
            Change::Create { path } => {
                self.now.insert(path.clone(), Vec::new());
                self.synced.insert(path.clone(), Vec::new());
                self.created.push(path.clone());
            }
            Change::Unlink { path } => {
                self.now.remove(path);
                self.waiting.remove(path);
                self.unlinked.push(path.clone());
            }
            Change::Rename { path, to } => {
                let content = self.now.remove(path).unwrap_or_default();
                self.now.insert(to.clone(), content.clone());
                self.synced.insert(to.clone(), content);
                self.synced.remove(path);
            }
        }
    }

    /// Returns what is found after the power comes back, or the process starts anew.
    pub(crate) fn after(&self, left: Left) -> Image {
        let (piece, dice) = match left {
            Left::All => return self.now.clone(),
            Left::Synced => {
                let mut image = self.synced.clone();
                self.created.iter().for_each(|name| drop(image.remove(name)));
                return image;
            }
            Left::Torn { piece, seed } => (piece, Dice::new(seed)),
        };
        let mut image = self.synced.clone();
        for (path, waiting) in &self.waiting {
            let Some(content) = image.get_mut(path) else { continue };
            for (offset, bytes) in waiting {
                match bytes {
                    Some(bytes) => torn(content, *offset, bytes, piece, &dice),
                    None if dice.below(2) == 0 => content.resize(*offset, 0),
                    None => (),
                }
            }
        }
        for name in &self.created {
            // A name without its file, a file without its name, or both.
            if dice.below(2) == 0 {
                image.remove(name);
            }
        }
        for name in &self.unlinked {
            if dice.below(2) == 0 && !self.now.contains_key(name) {
                image.remove(name);
            }
        }
        image
    }
}

fn put(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(bytes);
}

/// Writes each piece of a write, as the disk divides it, or leaves it out.
fn torn(content: &mut Vec<u8>, offset: usize, bytes: &[u8], piece: usize, dice: &Dice) {
    let mut from = 0;
    while from < bytes.len() {
        let to = ((offset + from) / piece + 1) * piece - offset;
        let to = to.min(bytes.len());
        if dice.below(2) == 0 {
            put(content, offset + from, &bytes[from..to]);
        }
        from = to;
    }
}

#[test]
fn a_power_cut_leaves_what_was_synced_and_no_more() {
    let mut disk = Disk::new(Image::from([("a".to_owned(), b"old".to_vec())]));
    let write = |bytes: &[u8]| Change::Write { path: "a".into(), offset: 1, bytes: bytes.to_vec() };
    disk.apply(&write(b"1"));
    disk.apply(&Change::Sync { path: "a".into() });
    disk.apply(&write(b"234"));
    disk.apply(&Change::Create { path: "b".into() });
    let a = |image: &Image| String::from_utf8(image["a"].clone()).unwrap();
    assert_eq!(a(&disk.after(Left::All)), "o234");
    let cut = disk.after(Left::Synced);
    assert_eq!((a(&cut), cut.contains_key("b")), ("o1d".to_owned(), false));
    let torn: std::collections::BTreeSet<String> =
        (0..50).map(|seed| a(&disk.after(Left::Torn { piece: 2, seed }))).collect();
    let expected = ["o1d", "o2d", "o134", "o234"].map(str::to_owned);
    assert_eq!(torn, expected.into());
}
