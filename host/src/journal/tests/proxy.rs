//! A way to a PostgreSQL server that is cut where a test says.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Where the first connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Nowhere.
    Never,
    /// Before the n-th message to the server goes through, from 1.
    Before(usize),
    /// After the server has answered the n-th message, before the answer goes through.
    After(usize),
    /// Instead of a commit.
    BeforeCommit,
    /// After the server has answered a commit, before the answer goes through.
    AfterCommit,
}

/// A proxy on loopback. What it says to both sides, it says unchanged.
#[derive(Clone, Debug)]
pub(super) struct Proxy {
    port: u16,
    server: u16,
    cut: Arc<Mutex<Cut>>,
    /// Messages that have come since the cut was set.
    messages: Arc<AtomicUsize>,
    /// How often a connection was cut.
    cuts: Arc<AtomicUsize>,
}

impl Proxy {
    pub(super) async fn to(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            server,
            cut: Arc::new(Mutex::new(Cut::Never)),
            messages: Arc::default(),
            cuts: Arc::default(),
        };
        let serving = proxy.clone();
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(serving.clone().pass(client));
            }
        });
        proxy
    }

    /// The address of a database behind the proxy, given its own.
    pub(super) fn before(&self, url: &str) -> String {
        url.replace(&format!(":{}/", self.server), &format!(":{}/", self.port))
    }

    /// Cuts the next connection that says what the cut waits for. Only one that writes says so much.
    pub(super) fn set(&self, cut: Cut) {
        *self.cut.lock().unwrap() = cut;
        self.messages.store(0, Ordering::SeqCst);
    }

    pub(super) fn cuts(&self) -> usize {
        self.cuts.load(Ordering::SeqCst)
    }

    /// Passes one message of the client and its answer at a time. Returns when either side has ended, or it was cut.
    async fn pass(self, mut client: TcpStream) {
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, self.server));
        let mut server = TcpStream::connect(server).await.unwrap();
        let (mut asked, mut answered) = (vec![0; 1 << 20], vec![0; 1 << 20]);
        loop {
            tokio::select! {
                bytes = some(&mut client, &mut asked) => {
                    let Some(bytes) = bytes else { return };
                    let cut = self.heard(&bytes);
                    if cut == Some(Side::Question) {
                        return;
                    }
                    server.write_all(&bytes).await.unwrap();
                    if cut == Some(Side::Answer) {
                        // Once the server has said something, it has done it.
                        some(&mut server, &mut answered).await;
                        return;
                    }
                }
                bytes = some(&mut server, &mut answered) => {
                    let Some(bytes) = bytes else { return };
                    if client.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    fn heard(&self, bytes: &[u8]) -> Option<Side> {
        let mut cut = self.cut.lock().unwrap();
        let message = 1 + self.messages.fetch_add(1, Ordering::SeqCst);
        let commit = bytes.windows(7).any(|window| window == b"COMMIT\0");
        let side = match *cut {
            Cut::Before(n) if n == message => Side::Question,
            Cut::After(n) if n == message => Side::Answer,
            Cut::BeforeCommit if commit => Side::Question,
            Cut::AfterCommit if commit => Side::Answer,
            _ => return None,
        };
        *cut = Cut::Never;
        self.cuts.fetch_add(1, Ordering::SeqCst);
        Some(side)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Question,
    Answer,
}

async fn some(from: &mut (impl AsyncRead + Unpin), room: &mut [u8]) -> Option<Vec<u8>> {
    match from.read(room).await {
        Ok(read) if read > 0 => Some(room[..read].to_vec()),
        Ok(_) | Err(_) => None,
    }
}
