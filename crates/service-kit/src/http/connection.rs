//! One connection of a client, from its first byte to its last.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::socket::Impatient;
use super::traffic::Traffic;
use super::{Serving, http2};

/// What is read ahead of a connection, and so the most that a request's headers may have.
const READ_AHEAD: usize = 64 * 1024;

/// A client whose request was refused before it was read is listened to for this long, and this many bytes.
const LINGER: Duration = Duration::from_secs(5);
const LINGER_BYTES: u64 = 8 << 20;

/// What an HTTP/2 connection begins with (RFC 9113, 3.4). No other method is called PRI.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const PREFACE_BEGINS: usize = 4;

/// Answers the requests of one connection, until it ends or the server stops and those under way are answered.
pub(super) async fn serve(serving: Serving, socket: TcpStream, peer: SocketAddr) {
    // Small answers must not wait for an acknowledgement of the one before.
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    match &serving.tls {
        None => plain(&serving, socket, peer).await,
        Some(tls) => {
            let shaken = serving.shutdown.run_until_cancelled(timeout(serving.limits.handshake, tls.accept(socket)));
            match shaken.await {
                Some(Ok(Ok(socket))) => {
                    let second = socket.get_ref().1.alpn_protocol() == Some(b"h2");
                    let socket = Impatient::new(socket, serving.limits.stall);
                    if second {
                        http2::serve(&serving, socket, peer).await
                    } else {
                        first(&serving, socket, peer).await
                    }
                }
                Some(Ok(Err(error))) => tracing::debug!(%error, "no TLS connection came about"),
                Some(Err(_)) | None => {}
            }
        }
    }
}

/// Without TLS the first bytes tell which version of HTTP the client speaks.
async fn plain(serving: &Serving, socket: TcpStream, peer: SocketAddr) {
    let mut socket = Impatient::new(socket, serving.limits.stall);
    let begins = async {
        let (mut begins, mut read) = ([0; PREFACE_BEGINS], 0);
        while read < PREFACE_BEGINS && begins[..read] == PREFACE[..read] {
            match socket.read(&mut begins[read..]).await? {
                0 => break,
                more => read += more,
            }
        }
        Ok::<_, std::io::Error>((begins, read))
    };
    let begun = serving.shutdown.run_until_cancelled(timeout(serving.limits.headers, begins)).await;
    let Some(Ok(Ok((begins, read)))) = begun else { return };
    socket.unread(begins, read);
    if begins[..read] == PREFACE[..PREFACE_BEGINS] {
        http2::serve(serving, socket, peer).await;
    } else {
        first(serving, socket, peer).await;
    }
}

/// HTTP/1.1.
async fn first<S>(serving: &Serving, socket: Impatient<S>, peer: SocketAddr)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let answering = Answering::new(serving, peer);
    let service = service_fn(|request: hyper::Request<hyper::body::Incoming>| {
        let answer = answering.answer(request.map(Body::new));
        Box::pin(async { Ok::<_, Infallible>(answer.await) })
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(serving.limits.headers)
        .max_buf_size(READ_AHEAD)
        .serve_connection(TokioIo::new(socket), service);
    let (mut stopping, mut asked) = (pin!(serving.shutdown.cancelled()), false);
    let served = poll_fn(|context| {
        if !asked && stopping.as_mut().poll(context).is_ready() {
            asked = true;
            Pin::new(&mut connection).graceful_shutdown();
        }
        connection.poll_without_shutdown(context)
    });
    match served.await {
        Ok(()) => {
            let socket = connection.into_parts().io.into_inner();
            serving.shutdown.run_until_cancelled(linger(socket)).await;
        }
        Err(error) => tracing::debug!(%error, "a connection ended early"),
    }
}

/// Closes our side and reads what is still being sent. To close a socket that holds unread bytes resets it, and the
/// client would lose the answer that says why its request was refused.
async fn linger<S>(mut socket: S)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let discard = async {
        socket.shutdown().await?;
        tokio::io::copy(&mut socket.take(LINGER_BYTES), &mut tokio::io::sink()).await
    };
    if let Ok(Err(error)) = timeout(LINGER, discard).await {
        tracing::debug!(%error, "a connection was not closed in good order");
    }
}

/// What answers the requests of one connection.
pub(super) struct Answering {
    router: TowerToHyperService<Router>,
    peer: SocketAddr,
    traffic: Traffic,
}

impl Answering {
    pub(super) fn new(serving: &Serving, peer: SocketAddr) -> Self {
        let router = TowerToHyperService::new(serving.router.clone());
        Self { router, peer, traffic: serving.traffic.clone() }
    }

    pub(super) fn answer(&self, mut request: Request) -> impl Future<Output = Response> + use<> {
        request.extensions_mut().insert(ConnectInfo(self.peer));
        let (open, traffic) = (self.traffic.request(), self.traffic.clone());
        let answering = self.router.call(request);
        async move {
            let answer = match answering.await {
                Ok(answer) => answer,
                Err(never) => match never {},
            };
            traffic.answered(answer.status());
            drop(open);
            answer
        }
    }
}
