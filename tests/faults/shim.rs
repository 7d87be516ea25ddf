//! The shim between the program and the disk: compiled where it is used, and told what to do by a file.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;

use crate::crash::program::{self, Program};
use crate::exchange::OPERATOR_KEY;

/// A shim of its own, with its trace and its orders.
pub(crate) struct Shim {
    place: TempDir,
}

impl Shim {
    pub(crate) fn build() -> Self {
        let shim = Self { place: TempDir::new().unwrap() };
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("faults/shim.c");
        let mut compiler = std::process::Command::new("cc");
        compiler.args(["-O1", "-shared", "-fPIC", "-o"]).arg(shim.path("shim.so")).arg(source);
        let output = compiler.args(["-ldl", "-lpthread"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        shim
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// Where every change is written down.
    pub(crate) fn trace(&self) -> PathBuf {
        self.path("trace")
    }

    /// Starts the program on these data behind the shim.
    pub(crate) async fn start(&self, data: &Path, nosync: bool) -> Program {
        let mut command = program::command();
        let data = data.canonicalize().unwrap();
        command.args(["serve", "--json", "--listen", "127.0.0.1:0", "--data"]).arg(&data);
        command.env("GAVEL_OPERATOR_KEY", OPERATOR_KEY).env("GAVEL_LOG", "info");
        command.env("LD_PRELOAD", self.path("shim.so")).env("GAVEL_SHIM_DIR", &data);
        command.env("GAVEL_SHIM_TRACE", self.trace());
        command.env("GAVEL_SHIM_ORDERS", self.path("orders"));
        if nosync {
            command.env("GAVEL_SHIM_NOSYNC", "1");
        }
        command.stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        Program::opened(command.spawn().unwrap(), None).await.unwrap()
    }

    /// Gives an order, such as `sync 1 5 1`: it holds from the program's next call on.
    pub(crate) fn order(&self, order: &str) {
        let draft = self.path("orders.draft");
        std::fs::write(&draft, order).unwrap();
        std::fs::rename(draft, self.path("orders")).unwrap();
    }
}
