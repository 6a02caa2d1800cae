//! Taking subscribers in. What is stated about their consent is kept with it; whoever comes without one is asked by mail,
//! as by the form. The same rows twice change nothing.

use futures::{StreamExt, stream};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use mail::{Address, Locale};
use subscription::Selection;

use super::{Answer, Desk, MAX_ROWS, Outcome, Row};
use crate::frequency::Frequency;
use crate::store::Changed;
use crate::subscriber::{Imported, Incoming, MAX_SOURCE, Refused, Subscriber, zone_name};

/// Rows written at one time: as many batches as a process may have under way.
const AT_ONCE: usize = 16;

/// The longest language tag, in bytes (RFC 5646 section 4.4.1).
const MAX_TAG: usize = 35;

/// A row that has been understood.
struct Understood {
    address: Address,
    incoming: Incoming,
}

/// What is wrong in a row: the column, and what to do.
type Wrong = (&'static str, String);

impl Desk {
    pub(super) async fn import(&self, rows: Vec<Row>, dry_run: bool) -> Answer<Vec<Outcome>> {
        if rows.len() > MAX_ROWS {
            return Err(format!("at most {MAX_ROWS} rows a question, not {}", rows.len()));
        }
        let now = service_kit::now();
        let outcomes = stream::iter(rows).map(|row| self.take_in(row, dry_run, now)).buffered(AT_ONCE);
        Ok(outcomes.collect().await)
    }

    async fn take_in(&self, row: Row, dry_run: bool, now: Timestamp) -> Outcome {
        let Understood { address, incoming } = match understand(&row, now) {
            Ok(understood) => understood,
            Err((column, problem)) => return Outcome::Error { column: column.into(), problem },
        };
        let mut imported = Ok(Imported::Known);
        let change = |subscriber: &mut Subscriber| {
            imported = subscriber.import(&incoming, now);
            Ok(matches!(imported, Ok(Imported::Added | Imported::Asked)))
        };
        let done = if dry_run {
            self.store.try_at(&address, &incoming.language, change).await
        } else {
            self.store.change_at(&address, &incoming.language, change).await
        };
        match done {
            Ok(Changed::Suppressed) => unchanged("nobody there is written to again, after a complaint or a bounce"),
            Ok(Changed::Written | Changed::Nothing) => outcome(imported),
            Err(error) => Outcome::Failed { problem: error.to_string() },
        }
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

fn unchanged(why: &str) -> Outcome {
    Outcome::Unchanged { why: why.into() }
}

fn understand(row: &Row, now: Timestamp) -> Result<Understood, Wrong> {
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
    Ok(Understood { address, incoming: Incoming { selection, frequency, zone, language, consent: consent(row, now)? } })
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
