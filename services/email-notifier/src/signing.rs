//! Signs mails on threads of its own: a signature costs a third of a millisecond of a processor, and would hold up every
//! connection if it were made where the answers of the relay are waited for.
//!
//! The queue goes by lane and then by turn, so that an alert waits for the mails that are being signed, one on each
//! thread, and never for a digest. It holds what the workers are about to send: at most a window each.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

use futures::future::try_join_all;
use mail::dkim::{NotSigned, Signer};
use mail::{Message, Outgoing};
use tokio::sync::oneshot;

use crate::plan::Lane;

/// The threads, for as long as this lives.
pub(crate) struct Signing {
    queue: Arc<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    breaking: VecDeque<Job>,
    normal: VecDeque<Job>,
    digest: VecDeque<Job>,
    closed: bool,
}

struct Job {
    message: Message,
    signed: oneshot::Sender<Result<Message, NotSigned>>,
}

impl Signing {
    /// One thread for each processor.
    ///
    /// # Errors
    /// When the system gives no more threads.
    pub(crate) fn start(signer: &Arc<Signer>) -> std::io::Result<Self> {
        let signing = Self { queue: Arc::default() };
        for n in 0..thread::available_parallelism().map_or(1, usize::from) {
            let (queue, signer) = (signing.queue.clone(), signer.clone());
            thread::Builder::new().name(format!("dkim-{n}")).spawn(move || queue.work(&signer))?;
        }
        Ok(signing)
    }

    /// The mails of a window, signed, in their order.
    ///
    /// # Errors
    /// [`NotSigned`]: none of them is to be sent.
    pub(crate) async fn sign(&self, lane: Lane, mails: &[Outgoing<'_>]) -> Result<Vec<Message>, NotSigned> {
        let answers = {
            let mut waiting = self.queue.lock();
            let lane = waiting.lane(lane);
            let enter = |mail: &Outgoing<'_>| {
                let (signed, answer) = oneshot::channel();
                lane.push_back(Job { message: mail.message.clone(), signed });
                answer
            };
            mails.iter().map(enter).collect::<Vec<_>>()
        };
        self.queue.changed.notify_all();
        // Its thread has panicked: what it was at is not signed.
        try_join_all(answers.into_iter().map(async |answer| answer.await.unwrap_or(Err(NotSigned)))).await
    }
}

impl Drop for Signing {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.changed.notify_all();
    }
}

impl Queue {
    fn work(&self, signer: &Signer) {
        while let Some(job) = self.next() {
            // A window that was given up needs no signatures any more.
            if !job.signed.is_closed() {
                let _ = job.signed.send(signer.sign(&job.message, service_kit::now()));
            }
        }
    }

    /// The next mail in the order of lanes; `None` once nobody will bring any.
    fn next(&self) -> Option<Job> {
        let waiting = self.changed.wait_while(self.lock(), |waiting| !waiting.closed && waiting.is_empty());
        waiting.expect(NO_PANIC).pop()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().expect(NO_PANIC)
    }
}

const NO_PANIC: &str = "no code panics while it holds this lock";

impl Waiting {
    fn lane(&mut self, lane: Lane) -> &mut VecDeque<Job> {
        match lane {
            Lane::Breaking => &mut self.breaking,
            Lane::Normal => &mut self.normal,
            Lane::Digest => &mut self.digest,
        }
    }

    fn is_empty(&self) -> bool {
        self.breaking.is_empty() && self.normal.is_empty() && self.digest.is_empty()
    }

    fn pop(&mut self) -> Option<Job> {
        self.breaking.pop_front().or_else(|| self.normal.pop_front()).or_else(|| self.digest.pop_front())
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use mail::{Address, Confirmation, Key, Link, Locale, MessageId, Site, Topic, confirmation};

    use super::*;

    /// A key as `openssl genpkey` writes it.
    fn pem() -> String {
        let der = KeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()))
    }

    fn to(name: &str) -> (Address, Message) {
        let url = || "https://news.example/".parse().unwrap();
        let site = Site::new("N", url(), url(), "n@news.example".parse().unwrap(), "news.example").unwrap();
        let address: Address = format!("{name}@example.org").parse().unwrap();
        let message_id = MessageId::derive(&Key::new([7; 32]), "confirm", name, "news.example");
        let confirm = Link::new(url()).unwrap();
        let date = "2026-11-22T10:00:05Z".parse().unwrap();
        let about =
            Confirmation { to: &address, message_id: &message_id, date, confirm: &confirm, topic: &Topic::Unnamed };
        let message = confirmation(&site, Locale::English, &about);
        (address, message)
    }

    #[test]
    fn an_alert_is_signed_before_whatever_else_waits() {
        let mut waiting = Waiting::default();
        let lanes = [Lane::Digest, Lane::Normal, Lane::Breaking, Lane::Digest, Lane::Breaking];
        for (n, lane) in lanes.into_iter().enumerate() {
            let (signed, _) = oneshot::channel();
            waiting.lane(lane).push_back(Job { message: to(&format!("r{n}")).1, signed });
        }
        let order: Vec<Message> = std::iter::from_fn(|| waiting.pop()).map(|job| job.message).collect();
        assert!(waiting.is_empty());
        assert!(order == [2, 4, 1, 0, 3].map(|n| to(&format!("r{n}")).1));
    }

    #[tokio::test]
    async fn a_window_comes_back_signed_in_its_order() {
        let signer = Arc::new(Signer::new("news.example", "news", &pem()).unwrap());
        let signing = Signing::start(&signer).unwrap();
        let mails: Vec<(Address, Message)> = (0..20).map(|n| to(&format!("r{n}"))).collect();
        let window: Vec<Outgoing<'_>> = mails.iter().map(|(to, message)| Outgoing { from: to, to, message }).collect();
        let signed = signing.sign(Lane::Normal, &window).await.unwrap();
        assert_eq!(signed.len(), mails.len());
        for (signed, (_, plain)) in signed.iter().zip(&mails) {
            let signature = signed.as_str().strip_suffix(plain.as_str()).unwrap();
            assert!(signature.starts_with("DKIM-Signature: v=1; a=rsa-sha256;"), "{signature}");
        }
    }

    #[tokio::test]
    async fn what_no_thread_signs_is_an_error_and_not_a_mail() {
        let signing = Signing { queue: Arc::default() };
        let (address, message) = to("r");
        let window = [Outgoing { from: &address, to: &address, message: &message }];
        let asked = signing.sign(Lane::Normal, &window);
        // As a thread that panics lets go of it.
        let lost = async { drop(signing.queue.next()) };
        let (signed, ()) = tokio::join!(asked, lost);
        assert!(signed.is_err());
    }
}
