//! How much room the disk has left.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Says how many bytes a process may still write where a path is.
#[derive(Clone)]
pub struct FreeSpace(Arc<Asking>);

type Asking = dyn Fn(&Path) -> io::Result<u64> + Send + Sync;

impl FreeSpace {
    /// Asks the file system.
    pub fn of_the_disk() -> Self {
        Self::told_by(|path| {
            let room = rustix::fs::statvfs(path)?;
            Ok(room.f_bavail.saturating_mul(room.f_frsize))
        })
    }

    /// Asks whom a test puts in the disk's place.
    pub fn told_by(ask: impl Fn(&Path) -> io::Result<u64> + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }

    /// Returns the free bytes where the path is.
    ///
    /// # Errors
    /// If the file system does not say.
    pub fn at(&self, path: &Path) -> io::Result<u64> {
        (self.0)(path)
    }
}

impl fmt::Debug for FreeSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FreeSpace")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_says_how_much_room_it_has() {
        let here = tempfile::tempdir().unwrap();
        assert!(FreeSpace::of_the_disk().at(here.path()).unwrap() > 0);
        assert!(FreeSpace::of_the_disk().at(&here.path().join("nothing")).is_err());
    }
}
