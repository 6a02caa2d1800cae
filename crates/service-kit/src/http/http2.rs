//! HTTP/2 (RFC 9113), directly above `h2`: hyper's server hands a whole body over as soon as there is room for one byte,
//! so nobody could see that a stream is not being taken, and a client could hold as many old documents as it likes.

mod exchange;

use std::net::SocketAddr;
use std::pin::pin;

use axum::body::Bytes;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use h2::Reason;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep, timeout};

use super::Serving;
use super::connection::Answering;
use exchange::answer;

/// Requests of one connection under way at one time.
const STREAMS: u32 = 100;
/// The most that a request's headers may have, as RFC 9113 (10.5.1) counts them; as much as in HTTP/1.1.
const HEADERS: u32 = 64 * 1024;
/// What a client may send ahead of the services that read it, on one stream and on all of a connection.
const WINDOW: u32 = 256 * 1024;
/// What is kept for one stream between a service and the socket.
const SEND_AHEAD: usize = 64 * 1024;

/// Answers the requests of one connection, until it ends, or the server stops and those under way are answered.
pub(super) async fn serve<S>(serving: &Serving, socket: S, peer: SocketAddr)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let patience = serving.limits.headers;
    let handshake = h2::server::Builder::new()
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEADERS)
        .initial_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_send_buffer_size(SEND_AHEAD)
        .handshake::<_, Bytes>(socket);
    let mut connection = match timeout(patience, handshake).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return tracing::debug!(%error, "no HTTP/2 connection came about"),
        Err(_late) => return,
    };
    let answering = Answering::new(serving, peer);
    let mut answers = FuturesUnordered::new();
    let (mut stopping, mut leaving) = (pin!(serving.shutdown.cancelled()), false);
    // Rearmed when it has run out, not at every request: a timer costs more than some answers do.
    let (mut idle, mut armed) = (pin!(sleep(patience)), true);
    let mut last = Instant::now();
    loop {
        tokio::select! {
            biased;
            () = &mut stopping, if !leaving => {
                leaving = true;
                connection.graceful_shutdown();
            }
            Some(()) = answers.next() => {
                last = Instant::now();
                if !armed && answers.is_empty() {
                    armed = true;
                    idle.as_mut().reset(last + patience);
                }
            }
            accepted = connection.accept() => match accepted {
                Some(Ok((request, respond))) => answers.push(answer(&answering, request, respond, serving.limits.stall)),
                Some(Err(error)) => return tracing::debug!(%error, "a connection ended early"),
                None => return,
            },
            () = &mut idle, if armed => {
                armed = false;
                if answers.is_empty() {
                    if last.elapsed() >= patience {
                        // Requests that cross this on their way are named as not taken, and may be repeated.
                        connection.abrupt_shutdown(Reason::NO_ERROR);
                    } else {
                        armed = true;
                        idle.as_mut().reset(last + patience);
                    }
                }
            }
        }
    }
}
