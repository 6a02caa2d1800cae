//! One request and its answer.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::{CONTENT_LENGTH, DATE};
use axum::http::{HeaderValue, Request, Response, StatusCode};
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use hyper::body::{Frame, SizeHint};
use jiff::fmt::rfc2822::DateTimePrinter;
use tokio::sync::SemaphorePermit;
use tokio::time::{Sleep, sleep};

use super::Received;
use crate::http::connection::Answering;

/// To the last byte of the answer. Whoever takes the request back, or does not take the answer, ends this.
/// `held` is room for the request's headers, which go when the answer begins.
pub(super) async fn answer(
    answering: &Answering,
    request: Request<RecvStream>,
    held: SemaphorePermit<'_>,
    received: Received,
    mut respond: SendResponse<Bytes>,
    stall: Duration,
) {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let request = request.map(|stream| Body::new(Incoming { stream, length, received }));
    let response = tokio::select! {
        biased;
        response = answering.answer(request) => response,
        _ = poll_fn(|context| respond.poll_reset(context)) => return,
    };
    drop(held);
    let (mut head, body) = response.into_parts();
    head.headers.entry(DATE).or_insert_with(date);
    // These have no body, whatever a service says (RFC 9110, 6.4.1); that of HEAD the router has left out.
    let bodiless = matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if bodiless {
        // Of a 304 it would be the length of what the client has: the router's 0 is wrong (8.6).
        head.headers.remove(CONTENT_LENGTH);
    }
    let ended = bodiless || body.is_end_stream();
    let sent = match respond.send_response(Response::from_parts(head, ()), ended) {
        Ok(_) if ended => Ok(()),
        Ok(mut stream) => send(body, &mut stream, stall).await,
        Err(error) => Err(error),
    };
    if let Err(error) = sent {
        tracing::debug!(%error, "an answer was not sent");
    }
}

/// A request's body. What was read makes room for more.
struct Incoming {
    stream: RecvStream,
    /// As announced; h2 sees to it that it is true.
    length: Option<u64>,
    received: Received,
}

impl HttpBody for Incoming {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        let polled = self.stream.poll_data(context);
        if let Poll::Ready(Some(Ok(data))) = &polled {
            let _closed_since = self.stream.flow_control().release_capacity(data.len());
            self.received.wanted(data.len());
            self.length = self.length.map(|length| length.saturating_sub(data.len() as u64));
        }
        polled.map(|data| data.map(|data| data.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// Hands on what the client has room for and no more, so that nothing waits where nobody sees it.
async fn send(mut body: Body, stream: &mut SendStream<Bytes>, stall: Duration) -> Result<(), h2::Error> {
    loop {
        let frame = tokio::select! {
            biased;
            frame = poll_fn(|context| Pin::new(&mut body).poll_frame(context)) => frame,
            reset = poll_fn(|context| stream.poll_reset(context)) => return reset.map(drop),
        };
        let mut data = match frame {
            None => Bytes::new(),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => data,
                Err(_trailers) => continue,
            },
            Some(Err(error)) => {
                tracing::debug!(%error, "the body of an answer broke off");
                stream.send_reset(Reason::INTERNAL_ERROR);
                return Ok(());
            }
        };
        let last = body.is_end_stream();
        while !data.is_empty() {
            stream.reserve_capacity(data.len());
            let Some(room) = room(stream, stall).await? else {
                stream.send_reset(Reason::CANCEL);
                return Ok(());
            };
            let part = data.split_to(room.min(data.len()));
            stream.send_data(part, last && data.is_empty())?;
            if last && data.is_empty() {
                return Ok(());
            }
        }
        if last {
            return stream.send_data(Bytes::new(), true);
        }
    }
}

/// How many bytes the client has room for: at least one; `None` when it did not make any for as long as `stall`.
async fn room(stream: &mut SendStream<Bytes>, stall: Duration) -> Result<Option<usize>, h2::Error> {
    let mut waiting: Option<Pin<Box<Sleep>>> = None;
    poll_fn(|context| {
        loop {
            if stream.capacity() > 0 {
                return Poll::Ready(Ok(Some(stream.capacity())));
            }
            match stream.poll_capacity(context) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                Poll::Ready(None) => return Poll::Ready(Ok(None)),
                Poll::Pending => break,
            }
        }
        let waiting = waiting.get_or_insert_with(|| Box::pin(sleep(stall)));
        waiting.as_mut().poll(context).map(|()| Ok(None))
    })
    .await
}

/// The Date of an answer (RFC 9110, 6.6.1), written once a second.
fn date() -> HeaderValue {
    thread_local! {
        static WRITTEN: RefCell<Option<(i64, HeaderValue)>> = const { RefCell::new(None) };
    }
    let now = crate::now();
    WRITTEN.with_borrow_mut(|written| match written {
        Some((second, date)) if *second == now.as_second() => date.clone(),
        _ => {
            let text = DateTimePrinter::new().timestamp_to_rfc9110_string(&now).expect("this century has dates");
            let date = HeaderValue::try_from(text).expect("dates are ASCII");
            *written = Some((now.as_second(), date.clone()));
            date
        }
    })
}
