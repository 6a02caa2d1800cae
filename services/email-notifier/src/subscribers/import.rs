//! Taking subscribers in. What is stated about their consent is kept with it; whoever comes without one is asked by mail,
//! as by the form. The same rows twice change nothing: whoever was killed in the middle sends them again.
//!
//! Rows are written many together, those of one address as one change; a batch that somebody else was faster than is
//! written address by address.

use std::collections::HashMap;

use futures::{StreamExt, stream};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use mail::{Address, Locale};
use subscription::Selection;

use super::{Answer, Desk, MAX_ROWS, Outcome, Row};
use crate::frequency::Frequency;
use crate::store::{Changed, Draft, TOGETHER};
use crate::subscriber::{Imported, Incoming, MAX_SOURCE, Refused, Subscriber, zone_name};

/// Addresses looked up at one time.
const LOOKED_UP: usize = 64;

/// Batches written at one time, and rows of one that was refused.
const WRITTEN: usize = 4;

/// The longest language tag, in bytes (RFC 5646 section 4.4.1).
const MAX_TAG: usize = 35;

/// The rows of one address, each with its place among all.
struct Person {
    address: Address,
    rows: Vec<(usize, Incoming)>,
}

/// What became of some rows, each with its place.
type Outcomes = Vec<(usize, Outcome)>;

/// What is wrong in a row: the column, and what to do.
type Wrong = (&'static str, String);

impl Desk {
    pub(super) async fn import(&self, rows: Vec<Row>, dry_run: bool) -> Answer<Vec<Outcome>> {
        if rows.len() > MAX_ROWS {
            return Err(format!("at most {MAX_ROWS} rows a question, not {}", rows.len()));
        }
        let now = service_kit::now();
        let (mut outcomes, mut people) = (Outcomes::new(), HashMap::<String, Person>::new());
        for (place, row) in rows.iter().enumerate() {
            match understand(row, now) {
                Ok((address, incoming)) => {
                    let person = people.entry(self.store.claim_subject(&address));
                    person.or_insert(Person { address, rows: Vec::new() }).rows.push((place, incoming));
                }
                Err((column, problem)) => outcomes.push((place, Outcome::Error { column: column.into(), problem })),
            }
        }
        let looked_up: Vec<_> = people.into_values().map(|person| self.look_up(person, now)).collect();
        let (mut changed, mut looked_up) = (Vec::new(), stream::iter(looked_up).buffer_unordered(LOOKED_UP));
        while let Some((found, write)) = looked_up.next().await {
            match write.filter(|_| !dry_run) {
                Some(write) => changed.push((write, found)),
                None => outcomes.extend(found),
            }
        }
        let mut batches = Vec::new();
        while !changed.is_empty() {
            batches.push(self.write(changed.split_off(changed.len().saturating_sub(TOGETHER)), now));
        }
        outcomes.extend(stream::iter(batches).buffer_unordered(WRITTEN).concat().await);
        outcomes.sort_unstable_by_key(|(place, _)| *place);
        Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
    }

    /// What is to become of a person's rows, and what is to be written for that.
    async fn look_up(&self, person: Person, now: Timestamp) -> (Outcomes, Option<(Person, Draft)>) {
        let language = &person.rows.first().expect("nobody is here without a row").1.language;
        let mut draft = match self.store.draft(&person.address, language).await {
            Ok(draft) if draft.is_suppressed() => return (person.all(&suppressed()), None),
            Ok(draft) => draft,
            Err(error) => return (person.all(&Outcome::Failed { problem: error.to_string() }), None),
        };
        let (outcomes, changes) = person.apply(draft.subscriber(), now);
        (outcomes, changes.then_some((person, draft)))
    }

    async fn write(&self, batch: Vec<((Person, Draft), Outcomes)>, now: Timestamp) -> Outcomes {
        let (changed, outcomes): (Vec<(Person, Draft)>, Vec<Outcomes>) = batch.into_iter().unzip();
        let (people, drafts): (Vec<Person>, Vec<Draft>) = changed.into_iter().unzip();
        match self.store.write_all(&drafts).await {
            Ok(true) => outcomes.concat(),
            // Somebody subscribed just now, or the same file comes from two sides.
            Ok(false) => {
                let alone: Vec<_> = people.into_iter().map(|person| self.write_alone(person, now)).collect();
                stream::iter(alone).buffer_unordered(WRITTEN).concat().await
            }
            Err(error) => {
                let failed = Outcome::Failed { problem: error.to_string() };
                people.iter().flat_map(|person| person.all(&failed)).collect()
            }
        }
    }

    async fn write_alone(&self, person: Person, now: Timestamp) -> Outcomes {
        let language = &person.rows.first().expect("nobody is here without a row").1.language;
        let mut outcomes = Outcomes::new();
        let change = |subscriber: &mut Subscriber| {
            let changes;
            (outcomes, changes) = person.apply(subscriber, now);
            Ok(changes)
        };
        match self.store.change_at(&person.address, language, change).await {
            Ok(Changed::Suppressed) => person.all(&suppressed()),
            Ok(Changed::Written | Changed::Nothing) => outcomes,
            Err(error) => person.all(&Outcome::Failed { problem: error.to_string() }),
        }
    }
}

impl Person {
    /// What becomes of each row, in their order; and whether anything is to be written.
    fn apply(&self, subscriber: &mut Subscriber, now: Timestamp) -> (Outcomes, bool) {
        let mut changes = false;
        let imported = self.rows.iter().map(|(place, incoming)| {
            let imported = subscriber.import(incoming, now);
            changes |= matches!(imported, Ok(Imported::Added | Imported::Asked));
            (*place, outcome(imported))
        });
        (imported.collect(), changes)
    }

    fn all(&self, outcome: &Outcome) -> Outcomes {
        self.rows.iter().map(|(place, _)| (*place, outcome.clone())).collect()
    }
}

fn outcome(imported: Result<Imported, Refused>) -> Outcome {
    match imported {
        Ok(Imported::Added) => Outcome::Added,
        Ok(Imported::Asked) => Outcome::Asked,
        Ok(Imported::Known) => unchanged("subscribed already"),
        Ok(Imported::Waits) => unchanged("asked already, and has not confirmed"),
        Ok(Imported::Left) => unchanged("has left since"),
        Err(refused) => {
            let column = if refused == Refused::Story { "frequency" } else { "selection" };
            Outcome::Error { column: column.into(), problem: refused.to_string() }
        }
    }
}

fn suppressed() -> Outcome {
    unchanged("nobody there is written to again, after a complaint or a bounce")
}

fn unchanged(why: &str) -> Outcome {
    Outcome::Unchanged { why: why.into() }
}

fn understand(row: &Row, now: Timestamp) -> Result<(Address, Incoming), Wrong> {
    let address = row.address.parse::<Address>().map_err(|error| ("address", error.to_string()))?;
    let selection = match row.selection.trim() {
        "" => Selection::everything(),
        text => text.parse::<Selection>().map_err(|error| ("selection", error.to_string()))?,
    };
    let frequency = match row.frequency.trim() {
        "" => Frequency::Immediate,
        text => text.parse::<Frequency>().map_err(|error| ("frequency", error.to_string()))?,
    };
    let zone = match row.zone.trim() {
        "" => None,
        text => Some(zone_name(text).map_err(|error| ("zone", error.to_string()))?),
    };
    let language = language(row.language.trim())?;
    let consent = consent(row, now)?;
    Ok((address, Incoming { selection, frequency, zone, language, consent }))
}

fn language(tag: &str) -> Result<String, Wrong> {
    let like_one = tag.len() <= MAX_TAG && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !like_one {
        return Err(("language", "that is no language tag; use one such as en or zh-Hans".into()));
    }
    Ok(Locale::for_tag(tag).tag().to_owned())
}

/// When and where they agreed, if the row says so.
fn consent(row: &Row, now: Timestamp) -> Result<Option<(Timestamp, String)>, Wrong> {
    let (at, source) = (row.confirmed_at.trim(), row.source.trim());
    if at.is_empty() {
        // A source alone proves nothing: it may be the same in every row.
        return Ok(None);
    }
    let day = || at.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let at = at.parse::<Timestamp>().ok().or_else(day);
    let at = at.ok_or_else(|| ("confirmed_at", "use a time such as 2026-11-22T10:00:00Z, or a day".to_owned()))?;
    if at > now {
        return Err(("confirmed_at", "nobody has agreed in the future; leave it empty, and they are asked".into()));
    }
    let plain = !source.chars().any(char::is_control);
    if source.is_empty() || source.len() > MAX_SOURCE || !plain {
        let problem =
            format!("say where they agreed, in 1 to {MAX_SOURCE} bytes on one line; or leave confirmed_at empty");
        return Err(("source", problem));
    }
    Ok(Some((at, source.to_owned())))
}
