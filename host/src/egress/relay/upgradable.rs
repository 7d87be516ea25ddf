//! A connection on which TLS is agreed in the clear, where each side speaks in its turn.
//!
//! Whoever stands in between can put words behind those of the relay, to have them heard later as if they had come under
//! TLS. So no line is taken off the connection before it is wanted, and nothing is said while something is unread. What
//! comes after that is TLS's to read, which refuses it.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The kind of the record that TLS begins with. No command begins so.
const HANDSHAKE: u8 = 22;
/// How far the end of a line is looked for at once.
const LOOK_BYTES: usize = 512;

/// A connection in the clear that is to be under TLS soon.
#[derive(Debug)]
pub(super) struct Upgradable {
    stream: TcpStream,
    encrypted: bool,
}

impl Upgradable {
    pub(super) const fn new(stream: TcpStream) -> Self {
        Self { stream, encrypted: false }
    }
}

impl AsyncTokioStream for Upgradable {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl AsyncRead for Upgradable {
    /// Reads one line at most, until TLS begins.
    fn poll_read(
        self: Pin<&mut Self>,
        ctx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, encrypted } = self.get_mut();
        if *encrypted {
            return Pin::new(stream).poll_read(ctx, buffer);
        }
        let mut bytes = [0; LOOK_BYTES];
        let mut seen = ReadBuf::new(&mut bytes);
        let count = ready!(stream.poll_peek(ctx, &mut seen))?;
        let end = seen.filled().iter().position(|byte| *byte == b'\n');
        let line = end.map_or(count, |end| end.saturating_add(1)).min(buffer.remaining());
        let mut line = ReadBuf::new(bytes.get_mut(..line).unwrap_or_default());
        if line.capacity() > 0 {
            ready!(Pin::new(stream).poll_read(ctx, &mut line))?;
            buffer.put_slice(line.filled());
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Upgradable {
    fn poll_write(
        self: Pin<&mut Self>,
        ctx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Self { stream, encrypted } = self.get_mut();
        if !*encrypted {
            let mut unread = [0];
            if let Poll::Ready(Ok(1)) = stream.poll_peek(ctx, &mut ReadBuf::new(&mut unread)) {
                let why = "more was said in the clear than was asked for";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, why)));
            }
            *encrypted = bytes.first() == Some(&HANDSHAKE);
        }
        Pin::new(stream).poll_write(ctx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(ctx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(ctx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// Returns what is read at once of words that came together, and whether TLS begins after that.
    async fn check(words: &[u8], expected: &[u8]) -> bool {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut relay, _) = listener.accept().await.unwrap();
        relay.write_all(words).await.unwrap();
        let mut stream = Upgradable::new(stream);
        let mut read = vec![0; 8_192];
        let count = stream.read(&mut read).await.unwrap();
        assert_eq!(&read[..count], expected);
        let begun = stream.write_all(&[HANDSHAKE, 3, 1]).await.is_ok();
        if begun {
            // From here on it is TLS's to say what a line is.
            relay.write_all(b"\n\n").await.unwrap();
            stream.read_exact(&mut read[..2]).await.unwrap();
            assert_eq!(&read[..2], b"\n\n");
        }
        begun
    }

    #[tokio::test]
    async fn tls_begins_after_the_last_word_and_not_before() {
        assert!(check(b"220 go on\r\n", b"220 go on\r\n").await);
        assert!(!check(b"220 go on\r\n250 x\r\n", b"220 go on\r\n").await);
        assert!(!check(b"220 go on\r\n2", b"220 go on\r\n").await);
        let long = [b'2'; LOOK_BYTES];
        assert!(!check(&[&long[..], b"\r\n"].concat(), &long).await);
    }
}
