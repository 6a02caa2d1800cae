//! Brings a server to the topology, and tells where it differs.

use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::{AckPolicy, Config as AnyConsumer, DeliverPolicy, ReplayPolicy, pull};
use async_nats::jetstream::context::{
    CreateStreamError, CreateStreamErrorKind, GetStreamError, GetStreamErrorKind, RequestError, RequestErrorKind,
};
use async_nats::jetstream::stream::{
    Config, ConsumerError, ConsumerErrorKind, DiscardPolicy, RetentionPolicy, StorageType,
};
use tokio::time::Instant;
use topology::{Access, Consumer, DUPLICATE_WINDOW, Stream};

use crate::Bus;

/// What provisioning did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provisioned {
    Created(String),
    Updated(String),
    Unchanged(String),
}

/// One place where the server is not as the topology says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// `stream ARTICLES` or `consumer email-planner`.
    pub what: String,
    pub setting: &'static str,
    pub wanted: String,
    pub found: String,
}

impl std::fmt::Display for Drift {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} is {}, expected {}", self.what, self.setting, self.found, self.wanted)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    #[error(
        "the server differs from this version's topology:\n{}\nrun `newswire provision` with this version",
        list(.0)
    )]
    Drift(Vec<Drift>),
    #[error("{what}: {cause}")]
    Server { what: String, cause: String },
}

fn list(drift: &[Drift]) -> String {
    drift.iter().map(|drift| format!("  {drift}")).collect::<Vec<_>>().join("\n")
}

/// How long one stream or consumer is asked for: the server syncs several files for each, and on a busy disk that takes
/// longer than one call waits.
const ASK_FOR: Duration = Duration::from_secs(30);

impl Bus {
    /// Creates what is missing and updates what differs. `replicas` is 1, 3 or 5.
    ///
    /// Safe to run at any time and by two at once; it never deletes, and never lowers a limit an operator raised. What the
    /// server does not answer in time is asked for again, for 30 s.
    ///
    /// # Errors
    /// [`ProvisionError::Server`] with the server's own words, such as a change it cannot make to an existing stream.
    pub async fn provision(
        &self,
        streams: &[Stream],
        consumers: &[Consumer],
        replicas: usize,
    ) -> Result<Vec<Provisioned>, ProvisionError> {
        let mut done = Vec::new();
        for stream in streams {
            let what = format!("stream {}", stream.name);
            let mut wanted = stream_config(stream, replicas);
            let found = self.stream_found(stream, ASK_FOR).await?;
            let drift = found.as_ref().map(|found| stream_drift(&wanted, found));
            done.push(match (found, drift) {
                (Some(_), Some(drift)) if drift.is_empty() => Provisioned::Unchanged(what),
                (found, _) => {
                    let existed = found.is_some();
                    if let Some(found) = found {
                        wanted.max_bytes = wanted.max_bytes.max(found.max_bytes);
                    }
                    self.apply_stream(&wanted).await.map_err(|error| server_error(&what, &error))?;
                    if existed { Provisioned::Updated(what) } else { Provisioned::Created(what) }
                }
            });
        }
        for consumer in consumers {
            let what = format!("consumer {}", consumer.name);
            let found = self.consumer_found(consumer, ASK_FOR).await?;
            let drift = found.as_ref().map(|found| consumer_drift(consumer, found));
            done.push(match drift {
                Some(drift) if drift.is_empty() => Provisioned::Unchanged(what),
                drift => {
                    self.apply_consumer(consumer).await.map_err(|error| server_error(&what, &error))?;
                    if drift.is_some() { Provisioned::Updated(what) } else { Provisioned::Created(what) }
                }
            });
        }
        Ok(done)
    }

    async fn apply_stream(&self, wanted: &Config) -> Result<(), CreateStreamError> {
        let until = Instant::now() + ASK_FOR;
        loop {
            match self.jetstream.create_or_update_stream(wanted.clone()).await {
                // It may be there by now: to ask for what there is changes nothing.
                Err(error) if error.kind() == CreateStreamErrorKind::TimedOut && Instant::now() < until => {}
                answer => return answer.map(|_| ()),
            }
        }
    }

    async fn apply_consumer(&self, wanted: &Consumer) -> Result<(), ConsumerError> {
        let until = Instant::now() + ASK_FOR;
        loop {
            match self.jetstream.create_consumer_on_stream(consumer_config(wanted), wanted.stream.name).await {
                Err(error) if error.kind() == ConsumerErrorKind::TimedOut && Instant::now() < until => {}
                answer => return answer.map(|_| ()),
            }
        }
    }

    /// Checks everything a service touches. A service that starts on a server it does not know loses news.
    ///
    /// # Errors
    /// [`ProvisionError::Drift`] with every difference.
    pub async fn verify(&self, access: &Access) -> Result<(), ProvisionError> {
        let mut drift = Vec::new();
        for stream in access.streams() {
            match self.stream_found(&stream, Duration::ZERO).await? {
                Some(found) => drift.extend(stream_drift(&stream_config(&stream, found.num_replicas), &found)),
                None => drift.push(missing(format!("stream {}", stream.name))),
            }
        }
        for consumer in access.consumes {
            match self.consumer_found(consumer, Duration::ZERO).await? {
                Some(found) => drift.extend(consumer_drift(consumer, &found)),
                None => drift.push(missing(format!("consumer {}", consumer.name))),
            }
        }
        if drift.is_empty() { Ok(()) } else { Err(ProvisionError::Drift(drift)) }
    }

    async fn stream_found(&self, stream: &Stream, patience: Duration) -> Result<Option<Config>, ProvisionError> {
        let until = Instant::now() + patience;
        loop {
            return match self.jetstream.get_stream(stream.name).await {
                Ok(found) => Ok(Some(found.cached_info().config.clone())),
                Err(error) if is_absent(&error) => Ok(None),
                Err(error) if is_late(&error) && Instant::now() < until => continue,
                Err(error) => Err(server_error(&format!("stream {}", stream.name), &error)),
            };
        }
    }

    async fn consumer_found(
        &self,
        consumer: &Consumer,
        patience: Duration,
    ) -> Result<Option<AnyConsumer>, ProvisionError> {
        let until = Instant::now() + patience;
        loop {
            let found: Result<async_nats::jetstream::consumer::Consumer<pull::Config>, _> =
                self.jetstream.get_consumer_from_stream(consumer.name, consumer.stream.name).await;
            let error = match found {
                Ok(found) => return Ok(Some(found.cached_info().config.clone())),
                Err(error) => error,
            };
            return match error.kind() {
                ConsumerErrorKind::JetStream(error)
                    if matches!(error.error_code(), ErrorCode::CONSUMER_NOT_FOUND | ErrorCode::STREAM_NOT_FOUND) =>
                {
                    Ok(None)
                }
                ConsumerErrorKind::TimedOut if Instant::now() < until => continue,
                _ => Err(server_error(&format!("consumer {}", consumer.name), &error)),
            };
        }
    }
}

fn is_absent(error: &GetStreamError) -> bool {
    matches!(error.kind(), GetStreamErrorKind::JetStream(error)
        if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

fn is_late(error: &GetStreamError) -> bool {
    let request = std::error::Error::source(error).and_then(|source| source.downcast_ref::<RequestError>());
    request.is_some_and(|request| request.kind() == RequestErrorKind::TimedOut)
}

fn missing(what: String) -> Drift {
    Drift { what, setting: "existence", wanted: "present".into(), found: "missing".into() }
}

fn server_error(what: &str, error: &dyn std::error::Error) -> ProvisionError {
    ProvisionError::Server { what: what.to_owned(), cause: error.to_string() }
}

fn stream_config(stream: &Stream, replicas: usize) -> Config {
    Config {
        name: stream.name.into(),
        description: Some(stream.description.into()),
        subjects: stream.subjects.iter().map(|&subject| subject.into()).collect(),
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        discard: if stream.schedules { DiscardPolicy::Old } else { DiscardPolicy::New },
        max_messages_per_subject: stream.max_messages_per_subject,
        max_messages: -1,
        max_bytes: stream.max_bytes,
        max_message_size: stream.max_message_bytes,
        max_age: stream.max_age.unwrap_or(Duration::ZERO),
        max_consumers: -1,
        num_replicas: replicas,
        duplicate_window: DUPLICATE_WINDOW,
        allow_direct: true,
        allow_rollup: stream.rollup,
        allow_message_ttl: stream.rollup,
        allow_atomic_publish: stream.atomic,
        allow_message_schedules: stream.schedules,
        ..Config::default()
    }
}

fn stream_drift(wanted: &Config, found: &Config) -> Vec<Drift> {
    let mut drift = Differences::new(format!("stream {}", wanted.name));
    drift.compare("subjects", &wanted.subjects, &found.subjects);
    drift.compare("retention", &wanted.retention, &found.retention);
    drift.compare("storage", &wanted.storage, &found.storage);
    drift.compare("discard", &wanted.discard, &found.discard);
    drift.compare("max_msgs_per_subject", &wanted.max_messages_per_subject, &found.max_messages_per_subject);
    drift.compare("max_msgs", &wanted.max_messages, &found.max_messages);
    drift.compare("max_msg_size", &wanted.max_message_size, &found.max_message_size);
    drift.compare("max_age", &wanted.max_age, &found.max_age);
    drift.compare("num_replicas", &wanted.num_replicas, &found.num_replicas);
    drift.compare("duplicate_window", &wanted.duplicate_window, &found.duplicate_window);
    drift.compare("allow_rollup_hdrs", &wanted.allow_rollup, &found.allow_rollup);
    drift.compare("allow_msg_ttl", &wanted.allow_message_ttl, &found.allow_message_ttl);
    drift.compare("allow_atomic", &wanted.allow_atomic_publish, &found.allow_atomic_publish);
    drift.compare("allow_msg_schedules", &wanted.allow_message_schedules, &found.allow_message_schedules);
    // An operator may give a stream more room, never less.
    if found.max_bytes >= 0 && found.max_bytes < wanted.max_bytes {
        drift.compare("max_bytes", &wanted.max_bytes, &found.max_bytes);
    }
    drift.found
}

fn consumer_config(consumer: &Consumer) -> pull::Config {
    pull::Config {
        durable_name: Some(consumer.name.into()),
        filter_subject: consumer.filter.into(),
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::Explicit,
        ack_wait: consumer.ack_wait,
        max_ack_pending: consumer.max_ack_pending,
        max_deliver: -1,
        replay_policy: ReplayPolicy::Instant,
        ..pull::Config::default()
    }
}

fn consumer_drift(wanted: &Consumer, found: &AnyConsumer) -> Vec<Drift> {
    let mut drift = Differences::new(format!("consumer {}", wanted.name));
    drift.compare("filter_subject", &wanted.filter, &found.filter_subject.as_str());
    drift.compare("ack_policy", &AckPolicy::Explicit, &found.ack_policy);
    drift.compare("ack_wait", &wanted.ack_wait, &found.ack_wait);
    drift.compare("max_ack_pending", &wanted.max_ack_pending, &found.max_ack_pending);
    drift.compare("max_deliver", &-1, &found.max_deliver);
    drift.found
}

struct Differences {
    what: String,
    found: Vec<Drift>,
}

impl Differences {
    fn new(what: String) -> Self {
        Self { what, found: Vec::new() }
    }

    fn compare<T: PartialEq + std::fmt::Debug>(&mut self, setting: &'static str, wanted: &T, found: &T) {
        if wanted != found {
            let (wanted, found) = (format!("{wanted:?}"), format!("{found:?}"));
            self.found.push(Drift { what: self.what.clone(), setting, wanted, found });
        }
    }
}
