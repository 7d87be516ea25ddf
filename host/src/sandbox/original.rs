//! The bytes of a module as they were uploaded, for when it is configured.
//!
//! That is rare, and there may be a thousand modules: where the exchange has a directory, they wait on its disk.

use std::borrow::Cow;
use std::{fs, io};

use tempfile::TempPath;

use super::cache::Cache;
use crate::ids::Digest;

/// The bytes of one module.
#[derive(Debug)]
pub(super) struct Original {
    digest: Digest,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Memory(Box<[u8]>),
    /// Removed with this.
    Disk(TempPath),
}

impl Original {
    /// Keeps them: on the disk if there is room, else in memory.
    pub(super) fn keep(wasm: &[u8], cache: Option<&Cache>) -> Self {
        let aside = cache.map(|cache| cache.put_aside(wasm)).transpose();
        let place = match aside.map(Option::flatten) {
            Ok(Some(file)) => Place::Disk(file),
            Ok(None) => Place::Memory(wasm.into()),
            Err(error) => {
                tracing::warn!(%error, "a module cannot be put aside on the disk and stays in memory");
                Place::Memory(wasm.into())
            }
        };
        Self { digest: Digest::of(wasm), place }
    }

    pub(super) fn digest(&self) -> Digest {
        self.digest
    }

    /// Returns them as they were kept.
    ///
    /// # Errors
    ///
    /// If the file is gone or another.
    pub(super) fn read(&self) -> io::Result<Cow<'_, [u8]>> {
        let file = match &self.place {
            Place::Memory(wasm) => return Ok(Cow::Borrowed(wasm)),
            Place::Disk(file) => file,
        };
        let wasm = fs::read(file)?;
        if Digest::of(&wasm) != self.digest {
            return Err(io::Error::other("somebody changed it"));
        }
        Ok(Cow::Owned(wasm))
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::Engine;

    use super::*;

    #[test]
    fn what_is_put_aside_comes_back_as_it_was_or_not_at_all() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("compiled/uploaded");
        let cache = Cache::open(place.path(), &Engine::default()).unwrap();
        let files = || fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
        let kept = Original::keep(b"module", Some(&cache));
        assert_eq!(
            (&*kept.read().unwrap(), kept.digest()),
            (&b"module"[..], Digest::of(b"module"))
        );
        let file = files().next().unwrap();
        fs::write(&file, b"another").unwrap();
        assert_eq!(kept.read().unwrap_err().to_string(), "somebody changed it");
        fs::remove_file(&file).unwrap();
        assert!(kept.read().is_err());
        // What is dropped is gone, and so is what an earlier process left.
        drop(Original::keep(b"one", Some(&cache)));
        assert_eq!(files().count(), 0);
        fs::write(folder.join("left"), b"two").unwrap();
        drop(Cache::open(place.path(), &Engine::default()).unwrap());
        assert_eq!(files().count(), 0);
    }

    #[test]
    fn where_nothing_may_be_written_it_stays_in_memory() {
        let (place, engine) = (tempfile::tempdir().unwrap(), Engine::default());
        let cache = Cache::open(place.path(), &engine).unwrap();
        fs::remove_dir_all(place.path().join("compiled/uploaded")).unwrap();
        assert_eq!(&*Original::keep(b"module", Some(&cache)).read().unwrap(), b"module");
        let reading = Cache::open_to_read(place.path(), &engine).unwrap();
        assert_eq!(&*Original::keep(b"module", Some(&reading)).read().unwrap(), b"module");
        assert_eq!(&*Original::keep(b"module", None).read().unwrap(), b"module");
    }
}
