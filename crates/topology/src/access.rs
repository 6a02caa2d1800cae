//! What each service may do on the server: the least that lets it work.

use crate::consumers::{
    CONFIRMATIONS, CONSUMERS, Consumer, DESK_DUE, HUB_DELIVERIES, INBOUND_EVENTS, LANE_BREAKING, LANE_DIGEST,
    LANE_NORMAL, LANE_RETRY, LANE_RETRY_BREAKING, LANE_RETRY_DIGEST, PLANNER,
};
use crate::streams::{
    ARTICLES, DEAD, EMBARGOES, HUB, INBOUND, INTAKE, JOBS, KEYS, LEDGER, QUARANTINE, RECEIPTS, SOURCES, STREAMS,
    SUBSCRIBERS, Stream, TOKENS,
};
use crate::subjects;

/// The services that have an identity on the server.
pub const SERVICES: &[&str] = &["publisher", "rss-generator", "email-notifier", "feed-reader"];

/// The identity of whoever sets the server up and gives tokens out: the command line, run by a person or a deployment.
pub const OPERATOR: &str = "operator";

/// The variable in which the server's configuration expects the public key of a service or of the operator.
pub fn nkey_variable(identity: &str) -> String {
    format!("NATS_NKEY_{}", identity.to_uppercase().replace('-', "_"))
}

/// The streams and consumers that one service, or the operator, uses.
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
    /// Streams of which it deletes single messages, overwriting their bytes on the disk.
    pub erases: &'static [Stream],
    /// Questions it puts to other services.
    pub asks: &'static [&'static str],
    /// Questions it answers; whoever asked gets one message on his own reply subject.
    pub answers: &'static [&'static str],
    /// Creates and changes every stream and consumer of the topology; deletes none.
    pub provisions: bool,
}

const PUBLISHER: Access = Access {
    service: "publisher",
    writes: &[
        subjects::ARTICLES,
        subjects::EMBARGOES,
        subjects::DESK,
        subjects::RECEIPTS,
        subjects::TOKEN_USES,
        subjects::DEAD,
    ],
    reads: &[ARTICLES, EMBARGOES, RECEIPTS, DEAD],
    tails: &[TOKENS, ARTICLES, EMBARGOES],
    consumes: &[DESK_DUE],
    // A dead letter carries what it is about, the text of an article included.
    erases: &[ARTICLES, EMBARGOES, DEAD],
    asks: &[subjects::ASK_MAIL],
    answers: &[],
    provisions: false,
};

const RSS_GENERATOR: Access = Access {
    service: "rss-generator",
    writes: &[
        subjects::RECEIPTS,
        subjects::HUB_SUBSCRIPTIONS,
        subjects::HUB_PROGRESS,
        subjects::HUB_DELIVERIES,
        subjects::DEAD,
    ],
    reads: &[RECEIPTS, HUB, DEAD],
    tails: &[ARTICLES, HUB],
    consumes: &[HUB_DELIVERIES],
    erases: &[],
    asks: &[],
    answers: &[],
    provisions: false,
};

const FEED_READER: Access = Access {
    service: "feed-reader",
    writes: &[subjects::INTAKE, subjects::QUARANTINE],
    reads: &[SOURCES, INTAKE, QUARANTINE],
    tails: &[SOURCES, INTAKE],
    consumes: &[],
    erases: &[],
    asks: &[],
    answers: &[],
    provisions: false,
};

const EMAIL_NOTIFIER: Access = Access {
    service: "email-notifier",
    writes: &[
        subjects::SUBSCRIBERS,
        subjects::KEYS,
        subjects::INBOUND,
        subjects::JOBS,
        subjects::RETRIES,
        subjects::LEDGER,
        subjects::RECEIPTS,
        subjects::DEAD,
    ],
    reads: &[ARTICLES, SUBSCRIBERS, KEYS, INBOUND, JOBS, LEDGER, RECEIPTS, DEAD],
    tails: &[ARTICLES, SUBSCRIBERS, KEYS, JOBS],
    consumes: &[
        PLANNER,
        LANE_BREAKING,
        LANE_NORMAL,
        LANE_DIGEST,
        LANE_RETRY_BREAKING,
        LANE_RETRY,
        LANE_RETRY_DIGEST,
        CONFIRMATIONS,
        INBOUND_EVENTS,
    ],
    // Whoever asks to be forgotten: the key first, then the record.
    erases: &[KEYS, SUBSCRIBERS],
    asks: &[],
    answers: &[subjects::ASK_MAIL, subjects::ASK_SUBSCRIBERS],
    provisions: false,
};

const THE_OPERATOR: Access = Access {
    service: OPERATOR,
    writes: &[subjects::TOKENS, subjects::WEBHOOKS, subjects::SOURCES],
    reads: &[TOKENS, SOURCES, INTAKE, QUARANTINE],
    tails: &[TOKENS, SOURCES, INTAKE, QUARANTINE],
    consumes: &[],
    erases: &[],
    // Digests are plans of no publisher: whoever runs the service stops them.
    asks: &[subjects::ASK_SUBSCRIBERS, subjects::ASK_MAIL],
    answers: &[],
    provisions: true,
};

/// What `service` may do; `None` for a name that is neither one of [`SERVICES`] nor [`OPERATOR`].
pub fn access(service: &str) -> Option<Access> {
    [PUBLISHER, RSS_GENERATOR, EMAIL_NOTIFIER, FEED_READER, THE_OPERATOR]
        .into_iter()
        .find(|access| access.service == service)
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
        let mut allowed: Vec<String> = self.writes.iter().chain(self.asks).map(|&subject| subject.into()).collect();
        allowed.push("$JS.API.INFO".into());
        if self.provisions {
            allowed.extend(provisioning());
        } else {
            allowed.extend(self.streams().iter().map(|stream| format!("$JS.API.STREAM.INFO.{}", stream.name)));
        }
        for stream in self.reads {
            allowed.push(format!("$JS.API.STREAM.MSG.GET.{}", stream.name));
        }
        for stream in self.erases {
            allowed.push(format!("$JS.API.STREAM.MSG.DELETE.{}", stream.name));
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

    /// Subjects its user may not publish to although [`Access::publish_subjects`] has them: a tail's consumer may have
    /// any name, so whoever may make one could otherwise change or delete the durable consumers beside it, or take
    /// messages from them.
    pub fn denied_subjects(&self) -> Vec<String> {
        let mut denied = Vec::new();
        let beside = |consumer: &&Consumer| self.tails.contains(&consumer.stream);
        for consumer in CONSUMERS.iter().filter(beside) {
            let (stream, name) = (consumer.stream.name, consumer.name);
            denied.push(format!("$JS.API.CONSUMER.CREATE.{stream}.{name}.>"));
            denied.push(format!("$JS.API.CONSUMER.DELETE.{stream}.{name}"));
            if !self.consumes.contains(consumer) {
                denied.push(format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}"));
            }
        }
        denied
    }

    /// Subjects its user may subscribe to. Who [`answers`](Self::answers) needs the permission to reply as well.
    pub fn subscribe_subjects(&self) -> Vec<String> {
        let own = format!("{}.>", self.inbox_prefix());
        self.answers.iter().map(|&subject| subject.into()).chain([own]).collect()
    }
}

/// What it takes to bring a server to the topology.
fn provisioning() -> Vec<String> {
    let mut allowed = Vec::new();
    for Stream { name, .. } in STREAMS {
        allowed.extend(["INFO", "CREATE", "UPDATE"].map(|call| format!("$JS.API.STREAM.{call}.{name}")));
    }
    for consumer in CONSUMERS {
        let (stream, name) = (consumer.stream.name, consumer.name);
        allowed.push(format!("$JS.API.CONSUMER.INFO.{stream}.{name}"));
        allowed.push(format!("$JS.API.CONSUMER.CREATE.{stream}.{name}.{}", consumer.filter));
    }
    allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_tails_a_stream_keeps_its_hands_off_the_consumers_beside_it() {
        let generator = access("rss-generator").expect("it is known");
        assert_eq!(
            generator.denied_subjects(),
            [
                "$JS.API.CONSUMER.CREATE.HUB.hub-deliveries.>",
                "$JS.API.CONSUMER.DELETE.HUB.hub-deliveries",
                "$JS.API.CONSUMER.CREATE.ARTICLES.email-planner.>",
                "$JS.API.CONSUMER.DELETE.ARTICLES.email-planner",
                "$JS.API.CONSUMER.MSG.NEXT.ARTICLES.email-planner"
            ]
        );
        let notifier = access("email-notifier").expect("it is known").denied_subjects();
        assert!(notifier.iter().all(|subject| !subject.contains("MSG.NEXT")), "it works these off: {notifier:?}");
        assert!(notifier.contains(&"$JS.API.CONSUMER.DELETE.SUBSCRIBERS.email-confirmations".to_owned()));
    }

    #[test]
    fn only_the_operator_changes_the_topology() {
        for service in SERVICES {
            let allowed = access(service).expect("it is known").publish_subjects();
            assert!(!allowed.iter().any(|subject| subject.contains("STREAM.CREATE")), "{service}: {allowed:?}");
        }
        let operator = access(OPERATOR).expect("it is known").publish_subjects();
        assert!(operator.contains(&"$JS.API.STREAM.UPDATE.SUBSCRIBERS".to_owned()), "{operator:?}");
        assert!(!operator.iter().any(|subject| subject.contains("MSG.GET.SUBSCRIBERS")), "it reads no addresses");
    }
}
