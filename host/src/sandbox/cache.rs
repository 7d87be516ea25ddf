//! Compiled code on the disk, so that a restart compiles nothing.
//!
//! ```text
//! compiled/key                                     random bytes, for this program alone
//! compiled/<fingerprint>/<digest>-<tag>            the code of one component
//! compiled/uploaded/                               components that this process may need again
//! ```
//!
//! Loading compiled code is running it, so nothing is loaded that this program did not write itself: the tag is a
//! keyed hash over the fingerprint of the engine, the digest of the component and the code. A file that is damaged,
//! renamed or from elsewhere does not fit its tag; it is deleted, and the component is compiled again. Files are written
//! under another name, synced and renamed, and never changed afterwards: running code is mapped from them.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::hash::{Hash, Hasher};
use std::io::{self, ErrorKind, Read, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use tempfile::{NamedTempFile, TempPath};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::ids::Digest;

/// The folder in the exchange's directory.
const FOLDER: &str = "compiled";
/// The file of the key, in that folder.
const KEY: &str = "key";
/// The folder of what is put aside, in that folder. Nothing in it outlives the process.
const UPLOADED: &str = "uploaded";
/// A block of the hash, in bytes.
const KEY_BYTES: usize = 64;
/// All that the cache may take on the disk, in bytes. Beyond it the oldest files go.
const BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// The compiled code that this program has written.
#[derive(Debug)]
pub(super) struct Cache {
    folder: PathBuf,
    uploaded: PathBuf,
    seal: Seal,
    kept: Mutex<HashMap<Digest, Kept>>,
    bytes_max: u64,
    /// Whether nothing may be changed: the directory is another process's.
    only_read: bool,
}

#[derive(Clone, Copy, Debug)]
struct Kept {
    tag: Digest,
    bytes: u64,
    written: SystemTime,
}

impl Cache {
    /// Opens the cache in an exchange's directory, which must be this process's alone. What another engine compiled is
    /// removed.
    pub(super) fn open(data: &Path, engine: &Engine) -> io::Result<Self> {
        let fingerprint = fingerprint(engine);
        let root = data.join(FOLDER);
        private_folder(&root)?;
        let seal = Seal { key: key(&root.join(KEY))?, fingerprint };
        let (folder, uploaded) = (root.join(short(fingerprint)), root.join(UPLOADED));
        if uploaded.exists() {
            fs::remove_dir_all(&uploaded)?;
        }
        for entry in fs::read_dir(&root)?.flatten() {
            let path = entry.path();
            if path.is_dir() && path != folder {
                tracing::info!(folder = %path.display(), "compiled code of another engine removed");
                fs::remove_dir_all(&path)?;
            }
        }
        private_folder(&folder)?;
        private_folder(&uploaded)?;
        let mut kept = HashMap::new();
        for entry in fs::read_dir(&folder)?.flatten() {
            match read_name(&entry.file_name().to_string_lossy()).zip(entry.metadata().ok()) {
                Some(((digest, tag), file)) => {
                    let written = file.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                    kept.insert(digest, Kept { tag, bytes: file.len(), written });
                }
                // Half written when an earlier process ended, or not of ours.
                None => fs::remove_file(entry.path())?,
            }
        }
        let (kept, bytes_max) = (Mutex::new(kept), BYTES_MAX);
        Ok(Self { folder, uploaded, seal, kept, bytes_max, only_read: false })
    }

    /// Opens the cache of an exchange that may be running. Nothing is made, changed or removed.
    pub(super) fn open_to_read(data: &Path, engine: &Engine) -> Option<Self> {
        let (root, fingerprint) = (data.join(FOLDER), fingerprint(engine));
        let key = fs::read(root.join(KEY)).ok()?.try_into().ok()?;
        let (seal, folder) = (Seal { key, fingerprint }, root.join(short(fingerprint)));
        let found = fs::read_dir(&folder).ok()?.flatten().filter_map(|entry| {
            let (digest, tag) = read_name(&entry.file_name().to_string_lossy())?;
            let kept = Kept { tag, bytes: 0, written: SystemTime::UNIX_EPOCH };
            Some((digest, kept))
        });
        let kept = Mutex::new(found.collect());
        let uploaded = root.join(UPLOADED);
        Some(Self { folder, uploaded, seal, kept, bytes_max: BYTES_MAX, only_read: true })
    }

    /// Returns the compiled code of the component with this digest, if it is here and whole.
    pub(super) fn load(&self, engine: &Engine, digest: Digest) -> Option<Component> {
        let kept = self.lock().get(&digest).copied()?;
        let file = self.file(digest, kept.tag);
        let loaded = match self.seal.of_file(digest, &file) {
            Ok(tag) if tag == kept.tag => map(engine, &file).map_err(|error| format!("{error:#}")),
            Ok(_) => Err("it is not as it was written".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        loaded
            .inspect_err(|error| {
                tracing::warn!(%error, file = %file.display(), "compiled code is not usable, compiling again");
                self.lock().remove(&digest);
                if !self.only_read {
                    // It may be gone already, which is as good.
                    let _ = fs::remove_file(&file);
                }
            })
            .ok()
    }

    /// Keeps compiled code, and returns it as it will be loaded from now on.
    pub(super) fn keep(
        &self,
        engine: &Engine,
        digest: Digest,
        code: &[u8],
    ) -> io::Result<Component> {
        if self.only_read {
            return take(engine, code).map_err(io::Error::other);
        }
        let tag = self.seal.of(digest, code);
        let file = self.file(digest, tag);
        let mut fresh = NamedTempFile::new_in(&self.folder)?;
        fresh.write_all(code)?;
        fresh.as_file().sync_all()?;
        fresh.persist(&file).map_err(|error| error.error)?;
        File::open(&self.folder)?.sync_all()?;
        let component = map(engine, &file).map_err(io::Error::other)?;
        let written = file.metadata()?.modified()?;
        let bytes = u64::try_from(code.len()).unwrap_or(u64::MAX);
        let mut all = self.lock();
        all.insert(digest, Kept { tag, bytes, written });
        self.make_room(&mut all, digest);
        Ok(component)
    }

    /// Writes a component into a file that is there until what is returned is dropped. Nothing where nothing may be changed.
    pub(super) fn put_aside(&self, wasm: &[u8]) -> io::Result<Option<TempPath>> {
        if self.only_read {
            return Ok(None);
        }
        let mut file = NamedTempFile::new_in(&self.uploaded)?;
        file.write_all(wasm)?;
        Ok(Some(file.into_temp_path()))
    }

    /// Removes the oldest files until the rest fits. What runs from them goes on.
    fn make_room(&self, all: &mut HashMap<Digest, Kept>, newest: Digest) {
        let mut bytes = all.values().fold(0_u64, |sum, kept| sum.saturating_add(kept.bytes));
        while bytes > self.bytes_max {
            let others = all.iter().filter(|(digest, _)| **digest != newest);
            let Some((digest, kept)) = others.min_by_key(|(_, kept)| kept.written) else { break };
            let (digest, kept) = (*digest, *kept);
            // One that cannot be removed is not counted any more either: the next start sees it again.
            let _ = fs::remove_file(self.file(digest, kept.tag));
            all.remove(&digest);
            bytes = bytes.saturating_sub(kept.bytes);
        }
    }

    fn file(&self, digest: Digest, tag: Digest) -> PathBuf {
        self.folder.join(format!("{}-{}", hex(digest), hex(tag)))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, Kept>> {
        // The map is whole between its operations, and a wrong entry costs a compilation.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Proves that code was written by this program, for this engine and for this component.
struct Seal {
    key: [u8; KEY_BYTES],
    fingerprint: Digest,
}

/// Hides the key.
impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seal").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

impl Seal {
    fn begin(&self, digest: Digest) -> Hmac<Sha256> {
        let mut hash = Hmac::new(&self.key.into());
        hash.update(self.fingerprint.as_bytes());
        hash.update(digest.as_bytes());
        hash
    }

    fn of(&self, digest: Digest, code: &[u8]) -> Digest {
        Digest::from_bytes(self.begin(digest).chain_update(code).finalize().into_bytes().into())
    }

    /// The same of what is in a file, without holding all of it at once.
    fn of_file(&self, digest: Digest, path: &Path) -> io::Result<Digest> {
        let (mut hash, mut file) = (self.begin(digest), File::open(path)?);
        let mut part = vec![0; 64 * 1024];
        loop {
            match file.read(&mut part) {
                Ok(0) => return Ok(Digest::from_bytes(hash.finalize().into_bytes().into())),
                Ok(bytes) => hash.update(part.get(..bytes).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::Interrupted => (),
                Err(error) => return Err(error),
            }
        }
    }
}

/// Takes compiled code that comes straight from this program's own compiler.
pub(super) fn take(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    #[expect(
        unsafe_code,
        reason = "running what the compiler made is what the sandbox is for; the code comes from memory that only the \
                  compiler of this program has written, in this process or through a pipe from its worker"
    )]
    // SAFETY: the bytes are what `Engine::precompile_component` of this build returned.
    unsafe {
        Component::deserialize(engine, code)
    }
}

/// Maps a file whose tag fits.
fn map(engine: &Engine, file: &Path) -> wasmtime::Result<Component> {
    #[expect(
        unsafe_code,
        reason = "the callers have just written the file or found that its keyed tag fits, so its content is what this \
                  program's compiler made; its folder belongs to this user alone, and its files are never written twice"
    )]
    // SAFETY: the content is what `Engine::precompile_component` returned, and it stays so as long as it is mapped.
    unsafe {
        Component::deserialize_file(engine, file)
    }
}

/// Returns the digest of everything about an engine that its compiled code depends on.
fn fingerprint(engine: &Engine) -> Digest {
    struct Hashed(Sha256);
    impl Hasher for Hashed {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        fn finish(&self) -> u64 {
            0
        }
    }
    let mut hashed = Hashed(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hashed);
    Digest::from_bytes(hashed.0.finalize().into())
}

/// Makes a folder that nobody else can look into, or makes it so.
fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o700))
}

/// Reads the key, or makes one. A key that others could read is as good as none: what it sealed does not fit any more.
fn key(path: &Path) -> io::Result<[u8; KEY_BYTES]> {
    let mode = fs::symlink_metadata(path).map(|file| file.permissions().mode());
    let old = fs::read(path).ok().and_then(|bytes| bytes.try_into().ok());
    match (mode, old) {
        (Ok(mode), Some(key)) if mode & 0o077 == 0 => return Ok(key),
        (Err(error), _) if error.kind() == ErrorKind::NotFound => (),
        _ => {
            tracing::warn!(file = %path.display(), "key of the compiled code is damaged or not private, making another");
            fs::remove_file(path)?;
        }
    }
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(&key)?;
    file.sync_all()?;
    Ok(key)
}

fn hex(digest: Digest) -> String {
    digest.as_bytes().iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn short(digest: Digest) -> String {
    hex(digest).chars().take(16).collect()
}

/// Reads a file's name: the digest of the component, and the tag.
fn read_name(name: &str) -> Option<(Digest, Digest)> {
    let (digest, tag) = name.split_once('-')?;
    let read = |hex: &str| Digest::parse(&format!("sha256:{hex}")).ok();
    read(digest).zip(read(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A component with nothing in it.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn the_oldest_goes_when_there_is_no_room() {
        let (place, engine) = (tempfile::tempdir().unwrap(), Engine::default());
        let code = engine.precompile_component(EMPTY).unwrap();
        let mut cache = Cache::open(place.path(), &engine).unwrap();
        cache.bytes_max = 2 * u64::try_from(code.len()).unwrap();
        let digests: Vec<Digest> = (0..4_u8).map(|number| Digest::of(&[number])).collect();
        for digest in &digests {
            cache.keep(&engine, *digest, &code).unwrap();
        }
        let kept = |cache: &Cache| {
            digests.iter().filter(|one| cache.load(&engine, **one).is_some()).count()
        };
        assert_eq!(kept(&cache), 2);
        assert!(cache.load(&engine, digests[3]).is_some());
        assert_eq!(fs::read_dir(&cache.folder).unwrap().count(), 2);
        // What is larger than all room is kept alone, until the next comes.
        cache.bytes_max = 1;
        cache.keep(&engine, digests[0], &code).unwrap();
        assert_eq!(kept(&cache), 1);
        assert_eq!(kept(&Cache::open(place.path(), &engine).unwrap()), 1);
    }
}
