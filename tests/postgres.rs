//! A PostgreSQL server of the tests' own: made where it is first asked for, shared by the process, ended with it.
//!
//! It runs under a shell that waits for the end of its input, which is the end of this process, however that comes.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Makes a server in a directory of its own, says so, and takes both away at the end of the input. Whoever leaves by
/// the first line of the trap leaves nothing behind.
const KEEPER: &str = r#"
set -u
place=$(mktemp -d) && cd "$place" || exit 1
trap 'kill -QUIT "$server" 2>/dev/null; wait; cd /; rm -rf "$place"' EXIT
server=
bin=$1 port=$2; shift 2
"$bin/initdb" -D data $1 -U postgres -A trust -E UTF8 --locale=C --no-sync >log 2>&1 || { cat log; exit 1; }
shift
"$bin/postgres" -D data -c listen_addresses=127.0.0.1 -p "$port" -c unix_socket_directories= -c shared_buffers=32MB \
    -c max_connections=200 "$@" >log 2>&1 </dev/null &
server=$!
until "$bin/pg_isready" -q -h 127.0.0.1 -p "$port"; do
    kill -0 "$server" 2>/dev/null || { cat log; exit 1; }
    sleep 0.05
done
echo ready
read -r _
"#;

/// The programs of the server that are used here.
const NEEDED: [&str; 4] = ["initdb", "postgres", "pg_isready", "psql"];

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    /// Its input is open as long as this process lives.
    _keeper: Child,
    bin: PathBuf,
    port: u16,
    databases: AtomicU32,
}

impl Server {
    /// Returns the server that everybody in this process shares.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(|| Self::start("-k", &[]))
    }

    /// Starts a server, made with this option and run with these.
    #[expect(clippy::zombie_processes, reason = "it ends with this process")]
    pub(crate) fn start(made_with: &str, run_with: &[&str]) -> Self {
        let bin = programs();
        let port =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut command = match std::fs::metadata("/proc/self").map(|me| owner(&me)) {
            // The server refuses to run as root.
            Ok(0) => {
                let mut command = Command::new("runuser");
                command.args(["-u", "postgres", "--", "sh"]);
                command
            }
            _ => Command::new("sh"),
        };
        command.args(["-c", KEEPER, "keeper"]).arg(&bin).arg(port.to_string()).arg(made_with);
        command.args(run_with).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut keeper = command.spawn().unwrap();
        let mut said = String::new();
        for line in BufReader::new(keeper.stdout.take().unwrap()).lines() {
            said = line.unwrap();
            if said == "ready" {
                return Self { _keeper: keeper, bin, port, databases: AtomicU32::new(0) };
            }
        }
        panic!("PostgreSQL does not start: {said}")
    }

    /// Makes an empty schema, which is as good as a database of its own, and returns its address.
    pub(crate) fn database(&self) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut psql = Command::new(self.bin.join("psql"));
        psql.args(["-qX", "-v", "ON_ERROR_STOP=1", "-c", &format!("CREATE SCHEMA {name}")]);
        let url = format!("postgres://postgres@127.0.0.1:{}/postgres", self.port);
        assert!(psql.arg(&url).status().unwrap().success(), "no schema {name}");
        format!("{url}?options=-csearch_path%3D{name}")
    }
}

fn owner(metadata: &std::fs::Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::uid(metadata)
}

/// Finds where the server's programs are: Debian keeps them out of the way, by version.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    found.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).chain(found);
    let here = |bin: &PathBuf| NEEDED.iter().all(|program| bin.join(program).exists());
    found.collect::<Vec<_>>().into_iter().rfind(here).unwrap_or_else(|| {
        panic!(
            "PostgreSQL is not here: `./x test` installs it, as does `apt-get install postgresql`"
        )
    })
}
