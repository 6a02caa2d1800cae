//! The streams: what each holds, how much, for how long, and why.

use std::time::Duration;

use crate::subjects;

/// One JetStream stream. All are file-backed, limits-based and `discard: new`: a full store is an error that
/// somebody sees, never news that silently went. Only a stream with schedules must be `discard: old` (the server
/// refuses the other with error 10052), so it holds nothing but wake-up calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    pub name: &'static str,
    pub description: &'static str,
    pub subjects: &'static [&'static str],
    /// Messages kept per subject; the older ones go. -1: all of them.
    pub max_messages_per_subject: i64,
    /// Bytes a new deployment starts with. An operator may raise it, never lower it.
    pub max_bytes: i64,
    /// Bytes of one message, headers included.
    pub max_message_bytes: i32,
    /// `None`: kept until replaced or purged.
    pub max_age: Option<Duration>,
    /// Writes several messages as one; all or none.
    pub atomic: bool,
    /// Holds messages back until their time.
    pub schedules: bool,
    /// A message may replace everything before it on its subject, and may expire on its own.
    pub rollup: bool,
}

const MIB: i64 = 1 << 20;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The largest message: what a server takes by default (1 MiB) less room for the headers of a dead letter.
const MESSAGE_BYTES: i32 = 960 * 1024;

/// How long it is known who was sent what: a correction must find the readers of the mistake.
const RECIPIENTS_OF_RECORD: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// Msg-Ids are remembered this long. It bounds how late a retried publish is still recognised; ~230 B of server
/// memory for each id.
pub const DUPLICATE_WINDOW: Duration = Duration::from_secs(10 * 60);

pub const ARTICLES: Stream = Stream {
    name: "ARTICLES",
    description: "The log of article revisions, one CloudEvents envelope each",
    subjects: &[subjects::ARTICLES],
    max_messages_per_subject: 16,
    max_bytes: 2048 * MIB,
    max_message_bytes: MESSAGE_BYTES,
    max_age: None,
    atomic: true,
    schedules: false,
    rollup: true,
};

pub const TOKENS: Stream = Stream {
    name: "TOKENS",
    description: "API tokens and when they were last used, by the hash of the token; webhooks",
    subjects: &[subjects::TOKENS, subjects::TOKEN_USES, subjects::WEBHOOKS],
    max_messages_per_subject: 1,
    max_bytes: 16 * MIB,
    max_message_bytes: 4096,
    max_age: None,
    atomic: false,
    schedules: false,
    rollup: false,
};

pub const EMBARGOES: Stream = Stream {
    name: "EMBARGOES",
    description: "Articles under embargo; only the publisher may read it",
    subjects: &[subjects::EMBARGOES],
    max_messages_per_subject: 16,
    max_bytes: 256 * MIB,
    max_message_bytes: MESSAGE_BYTES,
    max_age: None,
    atomic: false,
    schedules: false,
    rollup: true,
};

pub const DESK: Stream = Stream {
    name: "DESK",
    description: "Wake-up calls of the publisher: embargoes that end, killed text to erase",
    subjects: &[subjects::DESK],
    max_messages_per_subject: 1,
    max_bytes: 64 * MIB,
    max_message_bytes: 4096,
    max_age: None,
    atomic: false,
    schedules: true,
    rollup: true,
};

pub const RECEIPTS: Stream = Stream {
    name: "RECEIPTS",
    description: "When each service had carried out the kill of an article",
    subjects: &[subjects::RECEIPTS],
    max_messages_per_subject: 1,
    max_bytes: 64 * MIB,
    max_message_bytes: 4096,
    max_age: Some(RECIPIENTS_OF_RECORD),
    atomic: false,
    schedules: false,
    rollup: false,
};

pub const SOURCES: Stream = Stream {
    name: "SOURCES",
    description: "Upstream feeds that publishers take news from",
    subjects: &[subjects::SOURCES],
    max_messages_per_subject: 1,
    max_bytes: 64 * MIB,
    max_message_bytes: 16 * 1024,
    max_age: None,
    atomic: false,
    schedules: false,
    rollup: true,
};

pub const INTAKE: Stream = Stream {
    name: "INTAKE",
    description: "How it stands with each upstream feed, and which article each of its items became",
    subjects: &[subjects::INTAKE],
    max_messages_per_subject: 1,
    max_bytes: 512 * MIB,
    max_message_bytes: 64 * 1024,
    max_age: None,
    atomic: true,
    schedules: false,
    rollup: true,
};

pub const QUARANTINE: Stream = Stream {
    name: "QUARANTINE",
    description: "What upstream feeds sent and nobody could read, with the reason",
    subjects: &[subjects::QUARANTINE],
    max_messages_per_subject: 1,
    max_bytes: 128 * MIB,
    max_message_bytes: MESSAGE_BYTES,
    max_age: Some(DAY.saturating_mul(30)),
    atomic: false,
    schedules: false,
    rollup: true,
};

pub const HUB: Stream = Stream {
    name: "HUB",
    description: "WebSub: who wants to be told of which feed, what each has been sent, what is to be sent",
    subjects: &[subjects::HUB_SUBSCRIPTIONS, subjects::HUB_PROGRESS, subjects::HUB_DELIVERIES],
    max_messages_per_subject: 1,
    max_bytes: 256 * MIB,
    max_message_bytes: 16 * 1024,
    max_age: None,
    atomic: false,
    schedules: false,
    rollup: true,
};

pub const SUBSCRIBERS: Stream = Stream {
    name: "SUBSCRIBERS",
    description: "Subscribers and the addresses they hold",
    subjects: &[subjects::SUBSCRIBERS],
    max_messages_per_subject: 1,
    // A million of 1 to 1.3 KB each, with room for long ones.
    max_bytes: 2048 * MIB,
    max_message_bytes: 64 * 1024,
    max_age: None,
    atomic: true,
    schedules: false,
    rollup: true,
};

pub const KEYS: Stream = Stream {
    name: "KEYS",
    description: "What each subscriber's record is sealed with; keep it out of long-lived backups",
    subjects: &[subjects::KEYS],
    // What a limit drops stays in the server's files a while: a key that is written anew waits for whoever overwrites it.
    max_messages_per_subject: 2,
    max_bytes: 512 * MIB,
    max_message_bytes: 4096,
    max_age: None,
    atomic: true,
    schedules: false,
    rollup: true,
};

pub const INBOUND: Stream = Stream {
    name: "INBOUND",
    description: "Bounces, complaints and requests to leave that came back by mail or from a provider",
    subjects: &[subjects::INBOUND],
    max_messages_per_subject: 1,
    max_bytes: 128 * MIB,
    max_message_bytes: 16 * 1024,
    // What was brought once is known again as long as anybody brings it twice: relays give up after five days.
    max_age: Some(DAY.saturating_mul(7)),
    atomic: false,
    schedules: false,
    rollup: false,
};

pub const JOBS: Stream = Stream {
    name: "JOBS",
    description: "Plans of who is to be sent what, in chunks of recipient ids",
    subjects: &[subjects::JOBS],
    max_messages_per_subject: 1,
    max_bytes: 1024 * MIB,
    max_message_bytes: MESSAGE_BYTES,
    max_age: Some(RECIPIENTS_OF_RECORD),
    atomic: true,
    schedules: false,
    rollup: true,
};

pub const RETRIES: Stream = Stream {
    name: "RETRIES",
    description: "Wake-up calls for recipients whose server said later",
    subjects: &[subjects::RETRIES],
    max_messages_per_subject: 1,
    max_bytes: 256 * MIB,
    max_message_bytes: 4096,
    max_age: Some(DAY.saturating_mul(14)),
    atomic: false,
    schedules: true,
    rollup: true,
};

pub const LEDGER: Stream = Stream {
    name: "LEDGER",
    description: "What became of every recipient, chunk by chunk",
    subjects: &[subjects::LEDGER],
    max_messages_per_subject: 1,
    max_bytes: 1024 * MIB,
    max_message_bytes: MESSAGE_BYTES,
    max_age: Some(RECIPIENTS_OF_RECORD),
    atomic: false,
    schedules: false,
    rollup: false,
};

pub const DEAD: Stream = Stream {
    name: "DEAD",
    description: "What a consumer could not handle, with the reason",
    subjects: &[subjects::DEAD],
    max_messages_per_subject: -1,
    max_bytes: 256 * MIB,
    // Any message of the others, and the headers that say why it is here: all that a server takes by default.
    max_message_bytes: 1024 * 1024,
    max_age: Some(DAY.saturating_mul(90)),
    atomic: false,
    schedules: false,
    rollup: false,
};

pub const STREAMS: &[Stream] = &[
    ARTICLES,
    TOKENS,
    EMBARGOES,
    DESK,
    RECEIPTS,
    SOURCES,
    INTAKE,
    QUARANTINE,
    HUB,
    SUBSCRIBERS,
    KEYS,
    INBOUND,
    JOBS,
    RETRIES,
    LEDGER,
    DEAD,
];
