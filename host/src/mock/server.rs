//! The server of a mock buyer: HTTP/1.1 and HTTP/2, with or without TLS.

use std::sync::Arc;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::{Shared, answers};

/// How long a response's head may get: a buyer of big headers needs room.
const HEAD_BYTES_MAX: usize = 4 << 20;

/// Serves until the task is ended; its connections end with it.
pub(super) async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else { continue };
        // Answers are small and waited for.
        let _ = stream.set_nodelay(true);
        let (tls, shared) = (tls.clone(), Arc::clone(&shared));
        connections.spawn(async move {
            match tls {
                None => converse(stream, shared).await,
                Some(tls) => {
                    // Who does not trust the certificate is gone.
                    if let Ok(stream) = tls.accept(stream).await {
                        converse(stream, shared).await;
                    }
                }
            }
        });
    }
}

async fn converse<S>(stream: S, shared: Arc<Shared>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| answers::answer(Arc::clone(&shared), request));
    let mut http = Builder::new(TokioExecutor::new());
    http.http1().max_buf_size(HEAD_BYTES_MAX);
    http.http2().max_header_list_size(u32::MAX);
    // A broken connection is the caller's to notice.
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
}
