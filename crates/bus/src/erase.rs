//! Deletes single messages for good: the server writes the file they were in anew, with noise in their place, so that they
//! are in no backup made after it. (A purge and a limit only forget them.)
//!
//! Of a replicated stream each replica has its messages a second time, in the log by which the replicas agree, and no
//! call reaches them there. The server shortens that log every two to three minutes (measured: the bytes were in it for
//! 126, 129 and 153 s after they were erased), and only while the replica runs.

use async_nats::jetstream::stream::{DeleteMessageErrorKind, RawMessageErrorKind};
use topology::Stream;

use crate::Bus;

#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot erase message {sequence} of {stream}: {cause}")]
pub struct EraseError {
    stream: &'static str,
    sequence: u64,
    cause: String,
}

impl Bus {
    /// Erases the message at `sequence`. That it is gone already is success: erasing is tried again after a crash.
    ///
    /// # Errors
    /// When the server does not answer within 5 s, has no such stream, or keeps the message.
    pub async fn erase(&self, stream: &Stream, sequence: u64) -> Result<(), EraseError> {
        let failed = |cause: String| EraseError { stream: stream.name, sequence, cause };
        let handle = self.handle(stream).await.map_err(|error| failed(error.to_string()))?;
        // The client leaves `no_erase` out, and the server then overwrites.
        let error = match handle.delete_message(sequence).await {
            Ok(true) => return Ok(()),
            Ok(false) => return Err(failed("the server kept it".into())),
            Err(error) => error,
        };
        // The server has several codes for a message that is not there, and uses some of them for other things too.
        if matches!(error.kind(), DeleteMessageErrorKind::JetStream(_))
            && let Err(read) = handle.get_raw_message(sequence).await
            && read.kind() == RawMessageErrorKind::NoMessageFound
        {
            return Ok(());
        }
        Err(failed(error.to_string()))
    }
}
