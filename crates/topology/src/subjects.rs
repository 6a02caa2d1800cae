//! Every subject, made of tokens that cannot hold a dot, a wildcard or white space.

use article::{ArticleId, PublisherId};

/// One article's revisions, in order.
pub fn article(publisher: &PublisherId, id: &ArticleId) -> String {
    format!("nw.article.{publisher}.{}", id.token())
}

/// One article's revisions, whoever published it.
pub fn article_of_anybody(id: &ArticleId) -> String {
    format!("nw.article.*.{}", id.token())
}

/// Every article, of every publisher.
pub const ARTICLES: &str = "nw.article.*.*";

/// An API token's record, under the SHA-256 of the token in hex.
pub fn token(sha256_hex: &str) -> String {
    format!("nw.token.{}", checked(sha256_hex))
}

pub const TOKENS: &str = "nw.token.*";

/// When a token was last used, under the token's hash.
pub fn token_use(sha256_hex: &str) -> String {
    format!("nw.token-use.{}", checked(sha256_hex))
}

pub const TOKEN_USES: &str = "nw.token-use.*";

/// An incoming webhook's record, under its id.
pub fn webhook(id: &str) -> String {
    format!("nw.webhook.{}", checked(id))
}

pub const WEBHOOKS: &str = "nw.webhook.*";

/// One article's revisions while it is under embargo.
pub fn embargo(publisher: &PublisherId, id: &ArticleId) -> String {
    format!("nw.embargo.{publisher}.{}", id.token())
}

/// Every article that is or was under embargo.
pub const EMBARGOES: &str = "nw.embargo.*.*";

/// Where the end of an embargo waits for its time; the server moves it to [`release_due`].
pub fn release_later(publisher: &PublisherId, id: &ArticleId) -> String {
    format!("nw.desk.later.release.{publisher}.{}", id.token())
}

/// An embargo that has ended.
pub fn release_due(publisher: &PublisherId, id: &ArticleId) -> String {
    format!("nw.desk.due.release.{publisher}.{}", id.token())
}

/// A kill whose text has to go from the log.
pub fn erasure_due(publisher: &PublisherId, id: &ArticleId) -> String {
    format!("nw.desk.due.erase.{publisher}.{}", id.token())
}

pub const DESK: &str = "nw.desk.>";

/// What a wake-up call of the publisher asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DueCall {
    /// [`release_due`]
    Release,
    /// [`erasure_due`]
    Erasure,
}

/// What the call on `subject` is about; `None` for a subject that is no call.
pub fn due_call(subject: &str) -> Option<(DueCall, PublisherId, ArticleId)> {
    let (call, rest) = subject.strip_prefix("nw.desk.due.")?.split_once('.')?;
    let call = match call {
        "release" => DueCall::Release,
        "erase" => DueCall::Erasure,
        _ => return None,
    };
    let (publisher, id) = rest.split_once('.')?;
    Some((call, publisher.parse().ok()?, id.parse().ok()?))
}

/// Who wants to be told of a feed by WebSub, under the hashes of the topic's and the callback's address in hex.
pub fn hub_subscription(topic: &str, callback: &str) -> String {
    format!("nw.hub.subscription.{}.{}", checked(topic), checked(callback))
}

pub const HUB_SUBSCRIPTIONS: &str = "nw.hub.subscription.*.*";

/// What such a subscriber has been sent, and how the last tries went.
pub fn hub_progress(topic: &str, callback: &str) -> String {
    format!("nw.hub.progress.{}.{}", checked(topic), checked(callback))
}

pub const HUB_PROGRESS: &str = "nw.hub.progress.*.*";

/// That there is something to send to such a subscriber, or to ask it.
pub fn hub_delivery(topic: &str, callback: &str) -> String {
    format!("nw.hub.delivery.{}.{}", checked(topic), checked(callback))
}

pub const HUB_DELIVERIES: &str = "nw.hub.delivery.*.*";

/// What one instance of a service has done about the kill of an article.
pub fn receipt(id: &ArticleId, service: &str, instance: &str) -> String {
    format!("nw.receipt.{}.{}.{}", id.token(), checked(service), checked(instance))
}

/// The service and the instance whose receipt is at `subject`.
pub fn receipt_of(subject: &str) -> Option<(&str, &str)> {
    let (_, by) = subject.strip_prefix("nw.receipt.")?.split_once('.')?;
    by.split_once('.')
}

/// Every receipt of an article.
pub fn receipts_of(id: &ArticleId) -> String {
    format!("nw.receipt.{}.*.*", id.token())
}

pub const RECEIPTS: &str = "nw.receipt.*.*.*";

/// An upstream feed that a publisher takes news from, as the operator entered it.
pub fn source(publisher: &PublisherId, source: &str) -> String {
    format!("nw.source.{publisher}.{}", checked(source))
}

pub const SOURCES: &str = "nw.source.*.*";

/// How it stands with a source: when it is due, its validators, its failures.
pub fn intake_state(publisher: &PublisherId, source: &str) -> String {
    format!("nw.intake.state.{publisher}.{}", checked(source))
}

/// How it stands with every source of a publisher.
pub fn intake_states_of(publisher: &PublisherId) -> String {
    format!("nw.intake.state.{publisher}.*")
}

/// Which article an item of a source became.
pub fn intake_item(publisher: &PublisherId, source: &str, item: &str) -> String {
    format!("nw.intake.item.{publisher}.{}.{}", checked(source), checked(item))
}

/// What has been agreed with a source's WebSub hub.
pub fn intake_lease(publisher: &PublisherId, source: &str) -> String {
    format!("nw.intake.lease.{publisher}.{}", checked(source))
}

pub const INTAKE: &str = "nw.intake.>";

/// What a source sent and nobody could read, under the hash of its bytes.
pub fn quarantine(publisher: &PublisherId, source: &str, sha256_hex: &str) -> String {
    format!("nw.quarantine.{publisher}.{}.{}", checked(source), checked(sha256_hex))
}

/// What all sources of a publisher sent and nobody could read.
pub fn quarantine_of(publisher: &PublisherId) -> String {
    format!("nw.quarantine.{publisher}.*.*")
}

pub const QUARANTINE: &str = "nw.quarantine.*.*.*";

/// Claims an address: its keyed hash, in hex. Whoever writes it first has the address.
pub fn subscriber_address(hash_hex: &str) -> String {
    format!("nw.subscriber.e.{}", checked(hash_hex))
}

/// A subscriber's record. The shard keeps the tokens under one parent few.
pub fn subscriber(id: &str) -> String {
    let id = checked(id);
    format!("nw.subscriber.s.{}.{id}", id.get(..2).unwrap_or("00"))
}

pub const SUBSCRIBERS: &str = "nw.subscriber.>";
pub const SUBSCRIBER_RECORDS: &str = "nw.subscriber.s.*.*";

/// Whether a subject of the subscribers' stream is a record; the others are claims of addresses.
pub fn is_subscriber(subject: &str) -> bool {
    subject.starts_with("nw.subscriber.s.")
}

/// What a subscriber's record is sealed with. Without it the record, wherever a copy of it lies, is noise.
pub fn subscriber_key(id: &str) -> String {
    let id = checked(id);
    format!("nw.key.{}.{id}", id.get(..2).unwrap_or("00"))
}

pub const KEYS: &str = "nw.key.*.*";

/// A bounce, a complaint or a request to leave that came back, under a hash of what it says: twice is once.
pub fn inbound(sha256_hex: &str) -> String {
    format!("nw.inbound.{}", checked(sha256_hex))
}

pub const INBOUND: &str = "nw.inbound.*";

/// The head of a plan. It exists once: whoever writes it has planned.
pub fn plan(plan: &str) -> String {
    format!("nw.job.plan.{}", checked(plan))
}

/// Every head of a plan.
pub const PLANS: &str = "nw.job.plan.*";

/// What an operator, or the guard, wants of a plan: to wait, to go on, to end.
pub fn control(plan: &str) -> String {
    format!("nw.job.control.{}", checked(plan))
}

pub const CONTROLS: &str = "nw.job.control.*";

/// How far digests are planned: the last run. Whoever writes the next one after it has planned it.
pub const DIGEST_CURSOR: &str = "nw.job.cursor.digest";

/// A run of digests, by its time: up to which plan it has seen the news.
pub fn digest_run(slot: &str) -> String {
    format!("nw.job.run.{}", checked(slot))
}

pub const DIGEST_RUNS: &str = "nw.job.run.*";

/// Heads of plans and runs of digests, in one order; and controls and the cursor, but no chunks.
pub const PLANNED: &str = "nw.job.*.*";

/// What of [`PLANNED`] digests are made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planned {
    /// [`plan`]
    Plan,
    /// [`digest_run`]
    Run,
}

/// What is at `subject`; `None`: neither a plan nor a run.
pub fn planned(subject: &str) -> Option<Planned> {
    match subject.strip_prefix("nw.job.")?.split_once('.')? {
        ("plan", _) => Some(Planned::Plan),
        ("run", _) => Some(Planned::Run),
        _ => None,
    }
}

/// A chunk of a plan's recipients, in a lane (`breaking`, `normal`, `digest`).
pub fn chunk(lane: &str, plan: &str, chunk: u32) -> String {
    format!("nw.job.{}.{}.{chunk}", checked(lane), checked(plan))
}

pub const JOBS: &str = "nw.job.>";

/// What a plan says of its recipients' caps on alerts, in parts.
pub fn capped(plan: &str, part: u32) -> String {
    format!("nw.job.capped.{}.{part}", checked(plan))
}

/// Written with each plan that counts against somebody's cap, expecting the last one: of two such plans one is made after
/// the other.
pub const CAPPED_TURN: &str = "nw.job.capped.turn.0";

/// All that is said of caps.
pub const CAPPED: &str = "nw.job.capped.*.*";

/// Where a chunk's deferred recipients come back, attempt by attempt, in a lane (`breaking`, `other` or `digest`).
pub fn retry_due(lane: &str, plan: &str, chunk: u32, attempt: u32) -> String {
    format!("nw.retry.due.{}.{}.{chunk}.{attempt}", checked(lane), checked(plan))
}

/// Where a retry waits for its time; the server moves it to [`retry_due`].
pub fn retry_later(lane: &str, plan: &str, chunk: u32, attempt: u32) -> String {
    format!("nw.retry.later.{}.{}.{chunk}.{attempt}", checked(lane), checked(plan))
}

pub const RETRIES: &str = "nw.retry.>";

/// What became of a chunk's recipients.
pub fn ledger(plan: &str, chunk: u32) -> String {
    format!("nw.ledger.{}.{chunk}", checked(plan))
}

/// The whole ledger of a plan.
pub fn ledger_of_plan(plan: &str) -> String {
    format!("nw.ledger.{}.*", checked(plan))
}

pub const LEDGER: &str = "nw.ledger.*.*";

/// What became of mail about an article, why somebody got it or not, whom a selection would reach; and an order to a plan.
pub const ASK_MAIL: &str = "nw.ask.mail";

/// The subscribers themselves: taken in, given out, shown, erased. Only the operator asks.
pub const ASK_SUBSCRIBERS: &str = "nw.ask.subscribers";

/// What a consumer could not handle.
pub fn dead(consumer: &str) -> String {
    format!("nw.dead.{}", checked(consumer))
}

pub const DEAD: &str = "nw.dead.*";

/// A subject token: a dot, a wildcard or white space in it would address something else.
fn checked(token: &str) -> &str {
    let safe = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    assert!(!token.is_empty() && token.bytes().all(safe), "{token:?} is not a subject token");
    token
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_spelt_once_and_for_all() {
        let id: ArticleId = "urn:uuid:0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f".parse().unwrap();
        assert_eq!(article(&"hefei".parse().unwrap(), &id), "nw.article.hefei.0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f");
        assert_eq!(subscriber("a1b2"), "nw.subscriber.s.a1.a1b2");
        assert!(is_subscriber(&subscriber("a1b2")) && !is_subscriber(&subscriber_address("a1b2")));
        assert_eq!(chunk("breaking", "p", 3), "nw.job.breaking.p.3");
        assert_eq!(retry_later("other", "p", 3, 2), "nw.retry.later.other.p.3.2");
        let hefei: PublisherId = "hefei".parse().unwrap();
        assert_eq!(due_call(&release_due(&hefei, &id)), Some((DueCall::Release, hefei.clone(), id)));
        assert_eq!(due_call(&erasure_due(&hefei, &id)), Some((DueCall::Erasure, hefei.clone(), id)));
        assert_eq!(receipt_of(&receipt(&id, "rss-generator", "a1")), Some(("rss-generator", "a1")));
        for other in [release_later(&hefei, &id).as_str(), "nw.desk.due.bake.hefei.1", "nw.desk.due.release.hefei"] {
            assert_eq!(due_call(other), None, "{other}");
        }
    }

    #[test]
    #[should_panic(expected = "not a subject token")]
    fn a_wildcard_is_no_token() {
        let _ = token(">");
    }
}
