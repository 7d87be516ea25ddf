//! Signing: the exchange's ed25519 keys, with which it signs receipts. The only place that names ring.
//!
//! ```text
//! keys/signing.pem    the key that signs, as PKCS#8: `openssl pkey -in signing.pem -pubout` shows its public half
//! keys/seal           32 random bytes in hexadecimal digits, from which salts are made
//! ```
//!
//! Both are made at the first start, for this user alone, and belong into a backup of their own: whoever has the first
//! can sign in the exchange's name, and whoever has the second can guess what receipts withhold.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

use crate::ids::Digest;

/// The folder in the exchange's directory.
const FOLDER: &str = "keys";
const SIGNING: &str = "signing.pem";
const SEAL: &str = "seal";
/// What stands before the 32 bytes of an ed25519 key in PKCS#8.
const PRIVATE_PREFIX: [u8; 16] =
    [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
/// What stands before the 32 bytes of an ed25519 public key in X.509's form.
const PUBLIC_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
/// The largest file that is read as a key, in bytes.
const KEY_FILE_BYTES_MAX: u64 = 64 * 1024;

/// Why keys cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("cannot use {}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error(
        "{0} is no ed25519 key as PKCS#8; `openssl genpkey -algorithm ed25519` makes one, and so does `gavel keys rotate`"
    )]
    NotPrivate(String),
    #[error(
        "`{0}` is no ed25519 public key: it is 32 bytes in base64, such as `gavel keys show` prints, a PEM file, or what GET /v1/keys answers"
    )]
    NotPublic(String),
    #[error("{} does not hold 64 hexadecimal digits; restore it from a backup", .0.display())]
    NotSeal(PathBuf),
    #[error("there is no randomness")]
    NoRandomness,
}

/// Where the exchange has its signing key from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum KeySource {
    /// Its own directory; made there at the first start.
    #[default]
    Own,
    /// A PEM text, or the path of a file with one. It is rotated where it comes from.
    Given(String),
}

/// A public key: what receipts are checked with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns what the key is known by: the first 16 hexadecimal digits of the SHA-256 of its 32 bytes.
    pub fn id(&self) -> String {
        let digest = Digest::of(&self.0);
        digest.as_bytes().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Returns the key as a PEM file that other tools read.
    pub fn pem(&self) -> String {
        pem("PUBLIC KEY", &[PUBLIC_PREFIX.as_slice(), &self.0].concat())
    }

    /// Reads a key as [`std::fmt::Display`] or [`PublicKey::pem`] writes it.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotPublic`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let fault = || KeyError::NotPublic(text.chars().take(80).collect());
        let bytes = match unpem("PUBLIC KEY", text) {
            Some(der) => der.strip_prefix(PUBLIC_PREFIX.as_slice()).map(<[u8]>::to_vec),
            None => STANDARD.decode(text.trim()).ok(),
        };
        let bytes: [u8; 32] = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(fault)?;
        Ok(Self(bytes))
    }

    /// Returns whether this is the key's signature of a message.
    pub fn verifies(&self, message: &[u8], signature: &str) -> bool {
        let Ok(bytes) = STANDARD.decode(signature) else { return false };
        UnparsedPublicKey::new(&ED25519, &self.0).verify(message, &bytes).is_ok()
    }
}

/// The 32 bytes in base64.
impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.id())
    }
}

/// A key that signs.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

/// Names the key by its public half.
impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SigningKey").field(&self.public).finish()
    }
}

impl SigningKey {
    /// Reads a key that is written as PKCS#8 in a PEM text.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotPrivate`]; `place` says in its words where the text is from.
    pub fn from_pem(text: &str, place: &str) -> Result<Self, KeyError> {
        let fault = || KeyError::NotPrivate(place.to_owned());
        let der = unpem("PRIVATE KEY", text).ok_or_else(fault)?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map_err(|_| fault())?;
        let public = <[u8; 32]>::try_from(pair.public_key().as_ref()).map_err(|_| fault())?;
        Ok(Self { pair, public: PublicKey(public) })
    }

    /// Returns the half that may be shown.
    pub const fn public(&self) -> PublicKey {
        self.public
    }

    /// Returns the signature of a message: 64 bytes in base64.
    pub fn sign(&self, message: &[u8]) -> String {
        STANDARD.encode(self.pair.sign(message))
    }
}

/// Returns the key that signs: the one that is given, or the directory's own, which is made if there is none.
///
/// # Errors
///
/// If it cannot be read, made, or is no key.
pub fn signing_key(data: &Path, source: &KeySource) -> Result<SigningKey, KeyError> {
    match source {
        KeySource::Given(text) if text.contains("-----BEGIN") => {
            SigningKey::from_pem(text, "what is given as the signing key")
        }
        KeySource::Given(path) => SigningKey::from_pem(&read(Path::new(path))?, path),
        KeySource::Own => match own_key(data)? {
            Some(key) => Ok(key),
            None => rotate(data),
        },
    }
}

/// Returns the directory's own key, if it has one.
///
/// # Errors
///
/// If it cannot be read, or is no key.
pub fn own_key(data: &Path) -> Result<Option<SigningKey>, KeyError> {
    let path = data.join(FOLDER).join(SIGNING);
    if !path.exists() {
        return Ok(None);
    }
    SigningKey::from_pem(&read(&path)?, &path.display().to_string()).map(Some)
}

/// Makes a new key of the directory's own, in the place of the one that it has.
///
/// # Errors
///
/// If it cannot be written.
pub fn rotate(data: &Path) -> Result<SigningKey, KeyError> {
    let seed: [u8; 32] = random()?;
    let text = pem("PRIVATE KEY", &[PRIVATE_PREFIX.as_slice(), &seed].concat());
    keep(data, SIGNING, &text)?;
    SigningKey::from_pem(&text, "the new key")
}

/// Returns the bytes from which salts are made; they are made at the first time and never changed.
///
/// # Errors
///
/// If they cannot be read, made, or are damaged.
pub fn seal(data: &Path) -> Result<[u8; 32], KeyError> {
    let path = data.join(FOLDER).join(SEAL);
    if !path.exists() {
        let bytes: [u8; 32] = random()?;
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        keep(data, SEAL, &format!("{hex}\n"))?;
    }
    let text = read(&path)?;
    let digest = Digest::parse(&format!("sha256:{}", text.trim()));
    digest.map(|digest| *digest.as_bytes()).map_err(|_| KeyError::NotSeal(path))
}

/// Writes a file for this user alone: under another name, synced and renamed, so that it is there whole or not at all.
fn keep(data: &Path, name: &str, text: &str) -> Result<(), KeyError> {
    let folder = data.join(FOLDER);
    let (path, fresh) = (folder.join(name), folder.join(format!("{name}.new")));
    let written = || {
        match DirBuilder::new().recursive(true).mode(0o700).create(&folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            Ok(()) | Err(_) => (),
        }
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => (),
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, &path)?;
        fs::File::open(&folder)?.sync_all()
    };
    written().map_err(|source| KeyError::Io { path: path.clone(), source })
}

fn read(path: &Path) -> Result<String, KeyError> {
    let failed = |source| KeyError::Io { path: path.to_owned(), source };
    if fs::metadata(path).map_err(failed)?.len() > KEY_FILE_BYTES_MAX {
        return Err(failed(io::Error::other("it is too large for a key")));
    }
    fs::read_to_string(path).map_err(failed)
}

fn random<const BYTES: usize>() -> Result<[u8; BYTES], KeyError> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|_| KeyError::NoRandomness)?;
    Ok(bytes)
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

fn unpem(label: &str, text: &str) -> Option<Vec<u8>> {
    let (_, after) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = after.split_once(&format!("-----END {label}-----"))?;
    STANDARD.decode(body.split_whitespace().collect::<String>()).ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// The first test vector of RFC 8032: an empty message.
    const SEED: [u8; 32] = [
        0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c,
        0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae,
        0x7f, 0x60,
    ];

    #[test]
    fn a_key_in_pem_signs_as_the_standard_says() {
        let text = pem("PRIVATE KEY", &[PRIVATE_PREFIX.as_slice(), &SEED].concat());
        let key = SigningKey::from_pem(&text, "here").unwrap();
        assert_eq!(key.public().to_string(), "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
        let signature = key.sign(b"");
        assert_eq!(
            signature,
            "5VZDAMNgrHKQhuLMgG6CioSHfx645dl02HPgZSJJAVVfuIIVkKM7rMYeOXAc+bRr0lv18FlbviRl\
             UUFDjnoQCw=="
        );
        assert!(key.public().verifies(b"", &signature) && !key.public().verifies(b"x", &signature));
        assert_eq!(PublicKey::parse(&key.public().pem()).unwrap(), key.public());
        assert_eq!(PublicKey::parse(&key.public().to_string()).unwrap(), key.public());
    }

    #[test]
    fn a_directory_keeps_its_keys_for_one_user_alone() {
        let data = tempfile::tempdir().unwrap();
        let first = signing_key(data.path(), &KeySource::Own).unwrap().public();
        assert_eq!(signing_key(data.path(), &KeySource::Own).unwrap().public(), first);
        let sealed = seal(data.path()).unwrap();
        assert_ne!(rotate(data.path()).unwrap().public(), first);
        assert_eq!(seal(data.path()).unwrap(), sealed);
        for (name, mode) in [("", 0o40_700), ("signing.pem", 0o100_600), ("seal", 0o100_600)] {
            let path = data.path().join(FOLDER).join(name);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode(), mode, "{name}");
        }
        let given = KeySource::Given(data.path().join("keys/signing.pem").display().to_string());
        let elsewhere = tempfile::tempdir().unwrap();
        let given = signing_key(elsewhere.path(), &given).unwrap().public();
        assert_eq!(given, own_key(data.path()).unwrap().unwrap().public());
        assert!(own_key(elsewhere.path()).unwrap().is_none());
    }

    #[test]
    fn what_is_no_key_is_refused_with_what_to_do() {
        let data = tempfile::tempdir().unwrap();
        fs::create_dir(data.path().join(FOLDER)).unwrap();
        fs::write(data.path().join("keys/signing.pem"), "hello").unwrap();
        let refused = signing_key(data.path(), &KeySource::Own).unwrap_err().to_string();
        assert!(refused.contains("keys/signing.pem") && refused.contains("openssl genpkey"));
        fs::write(data.path().join("keys/seal"), "12").unwrap();
        assert!(seal(data.path()).unwrap_err().to_string().contains("restore it from a backup"));
        for wrong in ["", "AAAA", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"] {
            let refused = PublicKey::parse(wrong).unwrap_err().to_string();
            assert!(refused.contains("gavel keys show"), "{refused}");
        }
    }
}
