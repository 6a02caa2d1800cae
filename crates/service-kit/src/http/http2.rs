//! HTTP/2 (RFC 9113), directly above `h2`: hyper's server hands a whole body over as soon as there is room for one byte,
//! so nobody could see that a stream is not being taken, and a client could hold as many old documents as it likes.

mod exchange;
mod received;

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Request;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use h2::{Reason, RecvStream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

use super::Serving;
use super::connection::Answering;
use super::socket::Impatient;
use exchange::answer;

pub(super) use received::Received;

/// Requests of one connection under way at one time.
const STREAMS: u32 = 100;
/// The most that a request's headers may have, as RFC 9113 (6.5.2) counts them.
const HEADERS: u32 = 16 * 1024;
/// The most memory that the headers of all requests of a connection take that wait for their answers: 40 of browsers, and
/// a feed waits for nothing. One request with so many headers is refused like those that find the room taken.
const HEADERS_HELD: usize = 64 * 1024;
/// What a header takes in memory beside its name and value.
const FIELD: usize = 96;
/// What a client may send ahead of the services that read it, on one stream and on all of a connection.
const WINDOW: u32 = 64 * 1024;
/// For a client to say that it knows that the connection ends. Who has nothing under way and is still there says so at once.
const FAREWELL: Duration = Duration::from_secs(1);
/// What is kept for one stream between a service and the socket.
const SEND_AHEAD: usize = 64 * 1024;

/// Answers the requests of one connection, until it ends, or the server stops or has heard enough and those under way are
/// answered.
pub(super) async fn serve<S>(serving: &Serving, socket: Impatient<S>, peer: SocketAddr)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut patience = serving.limits.headers;
    let received = Received::new(&serving.shutdown);
    let handshake = h2::server::Builder::new()
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEADERS)
        .initial_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_send_buffer_size(SEND_AHEAD)
        .handshake::<_, Bytes>(socket.counted(received.clone()));
    let mut connection = match serving.shutdown.run_until_cancelled(timeout(patience, handshake)).await {
        Some(Ok(Ok(connection))) => connection,
        Some(Ok(Err(error))) => return tracing::debug!(%error, "no HTTP/2 connection came about"),
        Some(Err(_)) | None => return,
    };
    let (answering, headers) = (Answering::new(serving, peer), Semaphore::new(HEADERS_HELD));
    let mut answers = FuturesUnordered::new();
    let (mut goodbye, mut leaving) = (pin!(received.goodbye.cancelled()), false);
    let (mut enough, mut cut) = (pin!(received.enough.cancelled()), false);
    // Rearmed when it has run out, not at every request: a timer costs more than some answers do.
    let (mut idle, mut armed) = (pin!(sleep(patience)), true);
    let mut last = Instant::now();
    loop {
        tokio::select! {
            biased;
            () = &mut enough, if !cut => {
                cut = true;
                connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
            }
            () = &mut goodbye, if !leaving => {
                leaving = true;
                connection.graceful_shutdown();
                patience = patience.min(FAREWELL);
                armed = true;
                idle.as_mut().reset(Instant::now() + patience);
            }
            Some(_answered_or_panicked) = answers.next() => {
                last = Instant::now();
                if !armed && answers.is_empty() {
                    armed = true;
                    idle.as_mut().reset(last + patience);
                }
            }
            accepted = connection.accept() => match accepted {
                Some(Ok((request, mut respond))) => match headers.try_acquire_many(size(&request)) {
                    Ok(held) => {
                        let answer = answer(&answering, request, held, received.clone(), respond, serving.limits.stall);
                        // Whoever shares this connection loses no answer to another's panic, as in HTTP/1.1.
                        answers.push(AssertUnwindSafe(answer).catch_unwind());
                    }
                    // Nothing was done with it, so it may be repeated (RFC 9113, 8.7).
                    Err(_) => respond.send_reset(Reason::REFUSED_STREAM),
                },
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

/// What a request's headers take in memory, where the shortest take the most.
fn size(request: &Request<RecvStream>) -> u32 {
    let address = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    let fields = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + FIELD);
    u32::try_from(address + fields.sum::<usize>()).unwrap_or(u32::MAX)
}
