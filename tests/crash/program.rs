//! The real program as a child process, so that it can be killed like one.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

use crate::exchange::{OPERATOR_KEY, SOURCE_KEY, client, module};

/// How long the program may take to open or to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// Returns the program: what `GAVEL_PROGRAM` names, or the one built beside the tests.
pub(crate) fn path() -> PathBuf {
    let beside = || std::env::current_exe().unwrap().parent().unwrap().join("../gavel");
    let path = std::env::var_os("GAVEL_PROGRAM").map_or_else(beside, PathBuf::from);
    assert!(path.exists(), "no {}: run ./x build first", path.display());
    path
}

/// Begins a command of the program.
pub(crate) fn command() -> Command {
    Command::new(path())
}

/// Runs a command of the program to its end; returns its exit code and everything that it printed.
pub(crate) async fn gavel(arguments: &[&str], data: &Path) -> (Option<i32>, String) {
    let output = Command::new(path()).args(arguments).arg(data).output().await.unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&printed).into_owned())
}

/// An answer of the exchange: the status, and the body as JSON.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    /// Returns a text in the body, by JSON pointer; empty if there is none.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }
}

/// `gavel serve`, open for requests.
pub(crate) struct Program {
    child: Child,
    door: Door,
    log: Arc<Mutex<Vec<String>>>,
}

/// How the program ended instead of opening.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) code: Option<i32>,
    pub(crate) printed: String,
}

impl Program {
    /// Starts the program on these data without waiting for it to open.
    pub(crate) fn spawn(data: &Path, options: &[&str]) -> Child {
        let mut command = Command::new(path());
        command.args(["serve", "--json", "--listen", "127.0.0.1:0", "--data"]).arg(data);
        command.args(options).env("GAVEL_OPERATOR_KEY", OPERATOR_KEY).env("GAVEL_LOG", "info");
        command.stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap()
    }

    /// Starts the program on these data, and waits until it has recovered them and is open.
    pub(crate) async fn start(data: &Path) -> Self {
        Self::start_with(data, &[]).await
    }

    /// Starts the program with options of its own.
    pub(crate) async fn start_with(data: &Path, options: &[&str]) -> Self {
        let started = Self::try_start_with(data, options).await;
        started.unwrap_or_else(|refused| panic!("{refused:?}"))
    }

    /// Starts the program with everything that it logs, at this level, going to a file as well.
    pub(crate) async fn start_logging(data: &Path, log: &Path, level: &str) -> Self {
        let mut command = Command::new(path());
        command.args(["serve", "--json", "--listen", "127.0.0.1:0", "--data"]).arg(data);
        command.env("GAVEL_OPERATOR_KEY", OPERATOR_KEY).env("GAVEL_LOG", level);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let file = std::fs::File::create(log).unwrap();
        Self::opened(command.spawn().unwrap(), Some(file)).await.unwrap()
    }

    pub(crate) async fn try_start(data: &Path) -> Result<Self, Refused> {
        Self::try_start_with(data, &[]).await
    }

    pub(crate) async fn try_start_with(data: &Path, options: &[&str]) -> Result<Self, Refused> {
        Self::opened(Self::spawn(data, options), None).await
    }

    /// Waits until a program that was just started has opened.
    pub(crate) async fn opened(mut child: Child, mut file: Option<File>) -> Result<Self, Refused> {
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut printed = Vec::new();
        let opening = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                write(file.as_mut(), &line);
                let log: Value = serde_json::from_str(&line).unwrap_or_default();
                printed.push(line);
                if log["fields"]["message"] == "exchange open" {
                    return Some(log["fields"]["addr"].as_str().unwrap().to_owned());
                }
            }
            None
        };
        let Some(address) = tokio::time::timeout(PATIENCE, opening).await.unwrap() else {
            let code = child.wait().await.unwrap().code();
            return Err(Refused { code, printed: printed.join("\n") });
        };
        let log = Arc::new(Mutex::new(printed));
        tokio::spawn(keep(lines, Arc::clone(&log), file));
        Ok(Self { child, door: Door { address, client: client() }, log })
    }

    /// The way in for requests. It can be used while the program is killed.
    pub(crate) fn door(&self) -> Door {
        self.door.clone()
    }

    /// Returns where the program listens: `127.0.0.1:4711`.
    pub(crate) fn address(&self) -> &str {
        &self.door.address
    }

    /// The number by which the system knows the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Everything that the program has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// What it has logged since it had logged so many lines.
    pub(crate) fn log_since(&self, lines: usize) -> Vec<String> {
        self.log.lock().unwrap().iter().skip(lines).cloned().collect()
    }

    /// Kills the program between two instructions.
    pub(crate) async fn kill(mut self) {
        self.child.start_kill().unwrap();
        self.child.wait().await.unwrap();
    }

    /// Waits until the program has ended by itself; returns how, and everything that it logged.
    pub(crate) async fn ended(mut self) -> (ExitStatus, String) {
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let status = ended.unwrap_or_else(|_| panic!("it goes on:\n{}", self.log())).unwrap();
        // The last lines may still be on their way through the pipe.
        tokio::time::sleep(Duration::from_millis(100)).await;
        (status, self.log())
    }

    /// Asks the program to stop, and waits until it has.
    pub(crate) async fn terminate(mut self) -> ExitStatus {
        let id = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        ended.unwrap_or_else(|_| panic!("not stopped in time:\n{}", self.log())).unwrap()
    }
}

fn write(file: Option<&mut File>, line: &str) {
    if let Some(file) = file {
        writeln!(file, "{line}").unwrap();
    }
}

async fn keep(
    mut lines: Lines<BufReader<ChildStderr>>,
    log: Arc<Mutex<Vec<String>>>,
    mut file: Option<File>,
) {
    while let Ok(Some(line)) = lines.next_line().await {
        write(file.as_mut(), &line);
        log.lock().unwrap().push(line);
    }
}

/// The program's address, with the verbs of sources and operators.
#[derive(Clone)]
pub(crate) struct Door {
    address: String,
    client: reqwest::Client,
}

impl Door {
    /// The same way in over connections of its own.
    pub(crate) fn apart(&self) -> Self {
        Self { address: self.address.clone(), client: client() }
    }

    /// Sends what a source sends; nothing comes back if the program ends meanwhile.
    pub(crate) async fn say(&self, call: &str, key: Option<&str>, body: &Value) -> Option<Answer> {
        let path = format!("auto-insurance/{call}");
        let mut request = self.request(Method::POST, &path, SOURCE_KEY);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let request = request.header("content-type", "application/json").body(body.to_string());
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        let body = serde_json::from_slice(&response.bytes().await.ok()?).ok()?;
        Some(Answer { status, body })
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.operator(Method::GET, path, Vec::new()).await
    }

    pub(crate) async fn delete(&self, path: &str, body: Value) -> Answer {
        self.operator(Method::DELETE, path, body.to_string().into_bytes()).await
    }

    /// Returns everything that the program counts.
    pub(crate) async fn metrics(&self) -> String {
        let url = format!("http://{}/metrics", self.address);
        self.client.get(url).send().await.unwrap().text().await.unwrap()
    }

    pub(crate) async fn put(&self, path: &str, body: Value) {
        let answer = self.try_put(path, body).await;
        assert!(matches!(answer.status, 200 | 201), "{path}: {answer:?}");
    }

    pub(crate) async fn try_put(&self, path: &str, body: Value) -> Answer {
        self.operator(Method::PUT, path, body.to_string().into_bytes()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Vec<u8>) -> Answer {
        let answer = self.try_post(path, body).await;
        assert!(matches!(answer.status, 200 | 201), "{path}: {answer:?}");
        answer
    }

    /// Uploads a module with its signature.
    pub(crate) async fn upload(
        &self,
        path: &str,
        wasm: Vec<u8>,
        signature: Option<String>,
    ) -> Answer {
        let mut request = self.request(Method::POST, path, OPERATOR_KEY).body(wasm);
        if let Some(signature) = signature {
            request = request.header("x-gavel-signature", signature);
        }
        let response = request.send().await.unwrap();
        Answer { status: response.status().as_u16(), body: response.json().await.unwrap() }
    }

    pub(crate) async fn try_post(&self, path: &str, body: Vec<u8>) -> Answer {
        self.operator(Method::POST, path, body).await
    }

    /// Sends any bytes as the source, such as to `auto-insurance/ping`.
    pub(crate) async fn send(&self, path: &str, body: String) -> Answer {
        let request = self.request(Method::POST, path, SOURCE_KEY).body(body);
        let response = request.header("content-type", "text/plain").send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    pub(crate) async fn receipt(&self, ping: &str) -> Value {
        self.get(&format!("auctions/{ping}")).await.body
    }

    /// Uploads and activates a shipped module.
    pub(crate) async fn serve(&self, name: &str) {
        self.post(&format!("modules?name={name}"), module(name)).await;
        self.post(&format!("modules/{name}/activate"), Vec::new()).await;
    }

    /// Saves a buyer with 100,000.00 on its account and one campaign.
    pub(crate) async fn with_buyer(&self, name: &str, delivery: Value, mut campaign: Value) {
        self.put(&format!("buyers/{name}"), json!({"delivery": delivery})).await;
        let deposit = json!({"amount": "100000.00", "reference": "first"}).to_string();
        self.post(&format!("buyers/{name}/deposits"), deposit.into_bytes()).await;
        campaign["buyer"] = name.into();
        campaign["vertical"] = "auto-insurance".into();
        self.put(&format!("campaigns/{name}-auto"), campaign).await;
    }

    /// Returns a counter of the program's metrics; 0 if it has not been counted.
    pub(crate) async fn counter(&self, name: &str) -> u64 {
        let metrics = self.metrics().await;
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0, |count| count.parse().unwrap())
    }

    async fn operator(&self, method: Method, path: &str, body: Vec<u8>) -> Answer {
        // A module that is hard to compile takes its time.
        let request = self.request(method, path, OPERATOR_KEY).body(body).timeout(2 * PATIENCE);
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    fn request(&self, method: Method, path: &str, key: &str) -> reqwest::RequestBuilder {
        let url = format!("http://{}/v1/{path}", self.address);
        self.client.request(method, url).bearer_auth(key)
    }
}
