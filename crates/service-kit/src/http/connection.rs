//! One connection of a client, from its first byte to its last.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::Limits;
use super::socket::Impatient;
use super::traffic::Traffic;

/// What is read ahead of a connection, and so the most that a request's headers may have.
const READ_AHEAD: usize = 64 * 1024;

/// A client whose request was refused before it was read is listened to for this long, and this many bytes.
const LINGER: Duration = Duration::from_secs(5);
const LINGER_BYTES: u64 = 8 << 20;

/// Answers the requests of one connection, until it ends or the server stops and the one under way is answered.
pub(super) async fn serve(
    limits: Limits,
    socket: TcpStream,
    peer: SocketAddr,
    router: Router,
    traffic: Traffic,
    shutdown: CancellationToken,
) {
    // Small answers must not wait for an acknowledgement of the one before.
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let (open, traffic) = (traffic.request(), traffic.clone());
        let answering = router.call(request);
        Box::pin(async move {
            let answer = answering.await;
            if let Ok(answer) = &answer {
                traffic.answered(answer.status());
            }
            drop(open);
            answer
        })
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.headers)
        .max_buf_size(READ_AHEAD)
        .serve_connection(TokioIo::new(Impatient::new(socket, limits.stall)), service);
    let (mut stopping, mut asked) = (pin!(shutdown.cancelled()), false);
    let served = poll_fn(|context| {
        if !asked && stopping.as_mut().poll(context).is_ready() {
            asked = true;
            Pin::new(&mut connection).graceful_shutdown();
        }
        connection.poll_without_shutdown(context)
    });
    match served.await {
        Ok(()) => {
            let socket = connection.into_parts().io.into_inner().into_inner();
            shutdown.run_until_cancelled(linger(socket)).await;
        }
        Err(error) => tracing::debug!(%error, "a connection ended early"),
    }
}

/// Closes our side and reads what is still being sent. To close a socket that holds unread bytes resets it, and the
/// client would lose the answer that says why its request was refused.
async fn linger(mut socket: TcpStream) {
    let discard = async {
        socket.shutdown().await?;
        tokio::io::copy(&mut socket.take(LINGER_BYTES), &mut tokio::io::sink()).await
    };
    if let Ok(Err(error)) = tokio::time::timeout(LINGER, discard).await {
        tracing::debug!(%error, "a connection was not closed in good order");
    }
}
