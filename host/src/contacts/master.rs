//! The master key: 32 bytes that everything else is wrapped by, and where they come from.
//!
//! From the environment, from a file that the operator names, or, if nothing is said, from a file that is made in the data
//! directory at the first start. A key beside the data it opens protects against a stolen database, not against a stolen
//! directory: move the file elsewhere and name it.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use hmac::Mac as _;
use zeroize::Zeroizing;

use super::{KEY_BYTES, keyed, random};

/// The file that is made in the data directory where nothing else is said.
pub const KEY_FILE: &str = "master.key";
/// Anybody but the owner: what the file's permissions must not let in.
const OTHERS: u32 = 0o077;
/// The longest file that is read as a key, in bytes.
const FILE_BYTES_MAX: u64 = 1_024;

/// The key that wraps the keys of leads.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; KEY_BYTES]>);

/// A master key's number: it tells two keys apart and says nothing about either.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MasterKeyId([u8; 8]);

/// Where the master key is.
#[derive(Clone, Debug)]
pub enum Location {
    /// This is it: it stood in the environment.
    Given(MasterKey),
    /// In a file that the operator named. It must be there.
    File(PathBuf),
    /// In [`KEY_FILE`] in the data directory, made at the first start.
    Beside,
}

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    #[error(
        "{0} is no master key: expected 32 bytes as 64 hexadecimal digits or as base64; `openssl rand -hex 32` makes one"
    )]
    Malformed(String),
    #[error("{} can be read by others; run `chmod 600` on it", .0.display())]
    Readable(PathBuf),
    #[error("the master key cannot be read from {}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("a master key cannot be made in {}", path.display())]
    Make { path: PathBuf, source: std::io::Error },
    #[error(
        "there is no master key in {}, but this exchange has contact data under one: name it with --master-key or GAVEL_MASTER_KEY. If it is \
         lost, so are the leads under way; delete the row `print-key` of the table `secret` to begin with another",
        .0.display()
    )]
    Missing(PathBuf),
    #[error(
        "the master key{} is not the one under which this exchange's contact data lies: give it the one with which it was last run, by --master-key \
         or GAVEL_MASTER_KEY",
        given.map(|id| format!(" {id}")).unwrap_or_default()
    )]
    Wrong { given: Option<MasterKeyId> },
    #[error(
        "--master-key names a file, and GAVEL_MASTER_KEY holds a key as well; give one of them"
    )]
    Two,
    #[error("this machine has no randomness for a master key: {0}")]
    Random(String),
}

impl MasterKey {
    /// Takes the bytes as they are.
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads a key as 64 hexadecimal digits or as base64. `what` names it in the error.
    ///
    /// # Errors
    /// If the text is neither.
    pub fn parse(what: &str, text: &str) -> Result<Self, MasterKeyError> {
        let text = text.trim();
        let bytes = match text.len() {
            64 => unhex(text),
            _ => {
                let text = text.trim_end_matches('=');
                let decoded =
                    STANDARD_NO_PAD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text));
                decoded.ok().map(Zeroizing::new)
            }
        };
        let bytes = bytes.and_then(|bytes| <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).ok());
        bytes.map(Self::from_bytes).ok_or_else(|| MasterKeyError::Malformed(what.to_owned()))
    }

    /// Reads a key from a file that nobody else can read.
    ///
    /// # Errors
    /// If it is not there, can be read by others, or holds no key.
    pub fn read(path: &Path) -> Result<Self, MasterKeyError> {
        let failed = |source| MasterKeyError::Read { path: path.to_owned(), source };
        let file = fs::metadata(path).map_err(failed)?;
        if file.is_file() && file.mode() & OTHERS != 0 {
            return Err(MasterKeyError::Readable(path.to_owned()));
        }
        if file.len() > FILE_BYTES_MAX {
            return Err(MasterKeyError::Malformed(path.display().to_string()));
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(failed)?);
        Self::parse(&path.display().to_string(), &text)
    }

    /// Returns the key's number.
    pub fn id(&self) -> MasterKeyId {
        let mut id = [0; 8];
        let derived = self.derived(b"gavel/master/1/id");
        id.iter_mut().zip(derived.iter()).for_each(|(id, byte)| *id = *byte);
        MasterKeyId(id)
    }

    /// Returns the key that wraps keys: HMAC-SHA-256 of the master key, so that its other uses say nothing about it.
    pub(super) fn wrapping_key(&self) -> Zeroizing<[u8; KEY_BYTES]> {
        self.derived(b"gavel/master/1/wrap")
    }

    fn derived(&self, use_: &[u8]) -> Zeroizing<[u8; KEY_BYTES]> {
        let mut derived = keyed(&self.0);
        derived.update(use_);
        Zeroizing::new(derived.finalize().into_bytes().into())
    }
}

impl MasterKeyId {
    /// Returns the number's bytes, for a fact.
    pub const fn as_bytes(self) -> [u8; 8] {
        self.0
    }
}

impl Location {
    /// Returns the keys that may be the one, the likeliest first. `begun` says that contact data lies under one already:
    /// then none is made.
    ///
    /// # Errors
    /// If there is none to be had.
    pub fn candidates(&self, data: &Path, begun: bool) -> Result<Vec<MasterKey>, MasterKeyError> {
        let file = data.join(KEY_FILE);
        match self {
            Self::Given(key) => Ok(vec![key.clone()]),
            Self::File(path) => Ok(vec![MasterKey::read(path)?]),
            Self::Beside if file.exists() => {
                let mut keys = vec![MasterKey::read(&file)?];
                // A rotation that was cut short has wrapped everything by the new key and not moved it to its place.
                let rotated = new_file(&file);
                if rotated.exists() {
                    keys.push(MasterKey::read(&rotated)?);
                }
                Ok(keys)
            }
            Self::Beside if begun => Err(MasterKeyError::Missing(file)),
            Self::Beside => {
                let key = make_file(&file)?;
                tracing::warn!(file = %file.display(), key = %key.id(), "a master key was made beside the data that it protects; move it elsewhere and name it with --master-key");
                Ok(vec![key])
            }
        }
    }
}

/// Returns where a rotation puts the new key before everything is wrapped by it.
pub(crate) fn new_file(file: &Path) -> PathBuf {
    file.with_extension("key.new")
}

/// Makes a fresh key in a file that is not there yet and that only its owner can read. It is on the disk when this
/// returns.
///
/// # Errors
/// If the file is there, or cannot be written.
pub fn make_file(path: &Path) -> Result<MasterKey, MasterKeyError> {
    let failed = |source| MasterKeyError::Make { path: path.to_owned(), source };
    let key: Zeroizing<[u8; KEY_BYTES]> =
        random().map_err(|error| MasterKeyError::Random(error.to_string()))?;
    let mut text = Zeroizing::new(String::with_capacity(2 * KEY_BYTES + 1));
    for byte in key.iter() {
        for nibble in [byte >> 4, byte & 0xf] {
            text.push(char::from_digit(nibble.into(), 16).unwrap_or('0'));
        }
    }
    text.push('\n');
    // Written beside and moved to its place: a key that was half written is no key.
    let draft = path.with_extension("key.draft");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => (),
    }
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(&draft);
    let mut file = file.map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::hard_link(&draft, path).map_err(failed)?;
    fs::remove_file(&draft).map_err(failed)?;
    sync_directory_of(path).map_err(failed)?;
    Ok(MasterKey(key))
}

/// Makes what a directory says of a file survive a power cut.
pub(crate) fn sync_directory_of(path: &Path) -> std::io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

fn unhex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut digits = text.chars();
    let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_BYTES));
    while let Some(high) = digits.next() {
        let (high, low) = (high.to_digit(16)?, digits.next()?.to_digit(16)?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    Some(bytes)
}

/// Says the number only.
impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id())
    }
}

impl fmt::Display for MasterKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for MasterKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_read_in_every_spelling_and_nothing_else_is_a_key() {
        let hex = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";
        let key = MasterKey::parse("k", hex).unwrap();
        for text in [
            "ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8=",
            "ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8",
            " ABEiM0RVZneImaq7zN3u_wARIjNEVWZ3iJmqu8zd7v8\n",
        ] {
            assert_eq!(MasterKey::parse("k", text).unwrap().id(), key.id(), "{text}");
        }
        for text in ["", "short", &hex[..62], &format!("{hex}00"), &hex.replace('0', "g")] {
            let refused = MasterKey::parse("GAVEL_MASTER_KEY", text).unwrap_err().to_string();
            assert!(refused.starts_with("GAVEL_MASTER_KEY is no master key"), "{refused}");
        }
    }

    #[test]
    fn a_made_file_is_its_owners_alone_and_is_never_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(KEY_FILE);
        let made = make_file(&file).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(MasterKey::read(&file).unwrap().id(), made.id());
        assert!(matches!(make_file(&file), Err(MasterKeyError::Make { .. })));
        assert_eq!(MasterKey::read(&file).unwrap().id(), made.id());
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let refused = MasterKey::read(&file).unwrap_err().to_string();
        assert!(refused.contains("can be read by others; run `chmod 600` on it"), "{refused}");
    }

    #[test]
    fn no_key_is_made_where_one_was_in_use() {
        let directory = tempfile::tempdir().unwrap();
        let missing = Location::Beside.candidates(directory.path(), true).unwrap_err().to_string();
        assert!(missing.contains("name it with --master-key or GAVEL_MASTER_KEY"), "{missing}");
        assert!(!directory.path().join(KEY_FILE).exists());
        assert_eq!(Location::Beside.candidates(directory.path(), false).unwrap().len(), 1);
    }
}
