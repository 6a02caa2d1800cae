//! What each service may do on the server: the least that lets it work.

use crate::consumers::{CONFIRMATIONS, Consumer, LANE_BREAKING, LANE_NORMAL, LANE_RETRY, PLANNER};
use crate::streams::{ARTICLES, DEAD, JOBS, LEDGER, SUBSCRIBERS, Stream, TOKENS};
use crate::subjects;

/// The services that have an identity on the server.
pub const SERVICES: &[&str] = &["publisher", "rss-generator", "email-notifier"];

/// The streams and consumers one service uses.
#[derive(Debug, Clone, Copy)]
pub struct Access {
    pub service: &'static str,
    /// Subjects it publishes to.
    pub writes: &'static [&'static str],
    /// Streams it reads single messages of.
    pub reads: &'static [Stream],
    /// Streams it tails, with a consumer of its own that leaves no trace.
    pub tails: &'static [Stream],
    pub consumes: &'static [Consumer],
}

const PUBLISHER: Access =
    Access { service: "publisher", writes: &[subjects::ARTICLES], reads: &[ARTICLES], tails: &[TOKENS], consumes: &[] };

const RSS_GENERATOR: Access =
    Access { service: "rss-generator", writes: &[], reads: &[], tails: &[ARTICLES], consumes: &[] };

const EMAIL_NOTIFIER: Access = Access {
    service: "email-notifier",
    writes: &[subjects::SUBSCRIBERS, subjects::JOBS, subjects::RETRIES, subjects::LEDGER, subjects::DEAD],
    reads: &[ARTICLES, SUBSCRIBERS, JOBS, LEDGER, DEAD],
    tails: &[ARTICLES, SUBSCRIBERS],
    consumes: &[PLANNER, LANE_BREAKING, LANE_NORMAL, LANE_RETRY, CONFIRMATIONS],
};

/// What `service` may do; `None` for a name that is none of [`SERVICES`].
pub fn access(service: &str) -> Option<Access> {
    [PUBLISHER, RSS_GENERATOR, EMAIL_NOTIFIER].into_iter().find(|access| access.service == service)
}

impl Access {
    /// Streams it touches at all; it checks these when it starts.
    pub fn streams(&self) -> Vec<Stream> {
        let mut streams: Vec<Stream> = self.reads.iter().chain(self.tails).copied().collect();
        streams.extend(self.consumes.iter().map(|consumer| consumer.stream));
        streams.sort_by_key(|stream| stream.name);
        streams.dedup_by_key(|stream| stream.name);
        streams
    }

    /// Its own reply subjects: nobody else may listen there.
    pub fn inbox_prefix(&self) -> String {
        format!("_INBOX_{}", self.service)
    }

    /// Subjects its user may publish to, JetStream's API included.
    pub fn publish_subjects(&self) -> Vec<String> {
        let mut allowed: Vec<String> = self.writes.iter().map(|&subject| subject.into()).collect();
        allowed.push("$JS.API.INFO".into());
        for stream in self.streams() {
            allowed.push(format!("$JS.API.STREAM.INFO.{}", stream.name));
        }
        for stream in self.reads {
            allowed.push(format!("$JS.API.STREAM.MSG.GET.{}", stream.name));
        }
        for stream in self.tails {
            let name = stream.name;
            // A tail's consumer has a random name and a wildcard matches whole tokens only.
            allowed.push(format!("$JS.API.CONSUMER.CREATE.{name}.*.>"));
            allowed.push(format!("$JS.API.CONSUMER.DELETE.{name}.*"));
            allowed.push(format!("$JS.API.CONSUMER.MSG.NEXT.{name}.*"));
        }
        for consumer in self.consumes {
            let (stream, name) = (consumer.stream.name, consumer.name);
            allowed.push(format!("$JS.API.CONSUMER.INFO.{stream}.{name}"));
            allowed.push(format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}"));
            allowed.push(format!("$JS.ACK.{stream}.{name}.>"));
        }
        allowed
    }

    /// Subjects its user may subscribe to.
    pub fn subscribe_subjects(&self) -> Vec<String> {
        vec![format!("{}.>", self.inbox_prefix())]
    }
}
