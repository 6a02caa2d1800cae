//! A socket that gives up on a client that does not take what it is sent.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::http2::Received;

/// The most that can be put back.
const UNREAD: usize = 4;

/// Fails a write that has made no progress for a while. How long reading takes is not its business.
pub(super) struct Impatient<S> {
    socket: S,
    patience: Duration,
    /// While a write waits.
    waiting: Option<Pin<Box<Sleep>>>,
    /// Read before, and to be read again; how much of it is left at its end.
    unread: [u8; UNREAD],
    left: usize,
    received: Option<Received>,
}

impl<S> Impatient<S> {
    pub(super) fn new(socket: S, patience: Duration) -> Self {
        Self { socket, patience, waiting: None, unread: [0; UNREAD], left: 0, received: None }
    }

    /// Tells `received` what is read from now on.
    pub(super) fn counted(self, received: Received) -> Self {
        Self { received: Some(received), ..self }
    }

    /// Puts the first `len` of `bytes` back: they are what is read next.
    pub(super) fn unread(&mut self, bytes: [u8; UNREAD], len: usize) {
        self.unread = bytes;
        self.unread.rotate_right(UNREAD - len);
        self.left = len;
    }

    fn written<T>(&mut self, context: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.waiting = None;
            return polled;
        }
        let patience = self.patience;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        waiting.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Impatient<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.left > 0 {
            let (from, len) = (UNREAD - self.left, self.left.min(into.remaining()));
            into.put_slice(&self.unread[from..from + len]);
            self.left -= len;
            return Poll::Ready(Ok(()));
        }
        let before = into.filled().len();
        let polled = Pin::new(&mut self.socket).poll_read(context, into);
        if let Some(received) = &self.received {
            received.add(into.filled().len() - before);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Impatient<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.written(context, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_write_vectored(context, slices);
        self.written(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.socket).poll_flush(context);
        self.written(context, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.socket).poll_shutdown(context);
        self.written(context, polled)
    }
}
