//! How many readers an article would be mailed to if it were published now. Nothing is stored.

use article::{Article, ArticleId, Command, Draft, Provenance, PublisherId, apply};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use subscription::{Atom, Expression, Features, Selection};

use crate::digest::belong::{Delivery, Moment};
use crate::frequency::Frequency;
use crate::readers::{Reader, Readers};

/// Articles that a selection may stand for: one for each way to be in it.
const MAX_WAYS: usize = 64;

/// Readers by how they would get it; each is counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reach {
    pub immediate: usize,
    pub daily: usize,
    pub weekly: usize,
    /// Who would get it if they had not paused their mail.
    pub paused: usize,
}

/// What no article can be made up for.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoArticle {
    #[error(transparent)]
    Selection(#[from] subscription::InvalidSelection),
    #[error("no article can be made up that is in {0}; ask with a draft of the article")]
    Nothing(Selection),
    #[error("there are more than {MAX_WAYS} ways to be in {0}; ask with a draft of the article")]
    Many(Selection),
}

impl Readers {
    /// Whom `article` would reach, published at `now`.
    pub(super) fn reach(&self, article: &Article, now: Timestamp) -> Reach {
        self.reach_of_features(&[Features::of(article)], now)
    }

    /// Whom an article of `publisher` would reach that is in the selection and of which nothing else is known; where there
    /// are several ways to be in it, all whom one of them reaches.
    pub(super) fn reach_of(
        &self,
        publisher: &PublisherId,
        selection: &str,
        now: Timestamp,
    ) -> Result<Reach, NoArticle> {
        let selection: Selection = selection.parse()?;
        let ways = ways(selection.parts());
        if ways.len() > MAX_WAYS {
            return Err(NoArticle::Many(selection));
        }
        let features = ways.iter().filter_map(|way| made_up(publisher, way, now)).map(|article| Features::of(&article));
        let features: Vec<Features> = features.filter(|features| selection.matches(features)).collect();
        if features.is_empty() {
            Err(NoArticle::Nothing(selection))
        } else {
            Ok(self.reach_of_features(&features, now))
        }
    }

    fn reach_of_features(&self, ways: &[Features], now: Timestamp) -> Reach {
        let mut reach = Reach::default();
        self.each_of(ways, |reader, matches| {
            *match served(reader, matches, now) {
                Served::Not => return,
                Served::Immediate => &mut reach.immediate,
                Served::Daily => &mut reach.daily,
                Served::Weekly => &mut reach.weekly,
                Served::Paused => &mut reach.paused,
            } += 1;
        });
        reach
    }
}

enum Served {
    Not,
    Immediate,
    Daily,
    Weekly,
    Paused,
}

fn served(reader: &Reader, matches: &dyn Fn(&Selection) -> bool, now: Timestamp) -> Served {
    let standing = || reader.spans.iter().filter(|span| span.covers(now) && matches(&span.selection));
    if reader.stopped(now).is_some() || standing().next().is_none() {
        return Served::Not;
    }
    if reader.pauses.iter().any(|pause| pause.covers(now)) {
        return Served::Paused;
    }
    match reader.terms().delivery(matches, Moment::of_alert(now)) {
        None => Served::Not,
        Some(Delivery::AtOnce) => Served::Immediate,
        Some(Delivery::Due(_) | Delivery::AfterPause) => {
            let due = |frequency: Frequency| frequency.next_due(&reader.zone, now);
            match standing().map(|span| span.frequency).min_by_key(|frequency| due(*frequency)) {
                Some(Frequency::Weekly { .. }) => Served::Weekly,
                _ => Served::Daily,
            }
        }
    }
}

/// The ways to be in it: of each what has to be so. What must not be so is left out, for nothing else is so anyway.
fn ways(expression: &Expression) -> Vec<Vec<&Atom>> {
    match expression {
        Expression::Atom(atom) => vec![vec![atom]],
        Expression::Not(_) => vec![Vec::new()],
        Expression::AnyOf(parts) => parts.iter().flat_map(ways).take(MAX_WAYS + 1).collect(),
        Expression::AllOf(parts) => parts.iter().fold(vec![Vec::new()], |ways, part| {
            let more = self::ways(part);
            let both = ways.iter().flat_map(|way| more.iter().map(|more| [way.as_slice(), more].concat()));
            both.take(MAX_WAYS + 1).collect()
        }),
    }
}

/// An article of which just this is so; `None` where there is none.
fn made_up(publisher: &PublisherId, way: &[&Atom], now: Timestamp) -> Option<Article> {
    let mut id = ArticleId::derived(publisher, "reach", b"");
    let mut publisher = publisher.clone();
    let mut words = vec![String::from("-")];
    let mut draft = json!({ "language": "und", "body": "<p>-</p>", "keywords": [], "sources": [], "subjects": [] });
    let push = |draft: &mut Value, list: &str, value: Value| {
        draft[list].as_array_mut().expect("a list by this name").push(value);
    };
    for atom in way {
        match atom {
            Atom::Everything => {}
            Atom::Test => return None,
            // They stand in order, so what is last is innermost.
            Atom::Section(path) => draft["section"] = path.split('/').collect::<Value>(),
            Atom::Language(tag) => draft["language"] = json!(tag),
            Atom::Urgency(most) => draft["urgency"] = json!(most),
            Atom::Publisher(other) => publisher = other.clone(),
            Atom::Story(article) => id = *article,
            Atom::Keyword(name) => push(&mut draft, "keywords", json!(name)),
            Atom::Source(name) => push(&mut draft, "sources", json!({ "name": name })),
            Atom::Subject(path) => {
                let (scheme, code) = path.split_once('/')?;
                push(&mut draft, "subjects", json!({ "scheme": scheme, "code": code }));
            }
            Atom::Text(text) => words.push(text.replace('-', " ")),
        }
    }
    draft["headline"] = json!(words.join(" . "));
    let draft = Box::new(Draft::from_json(&draft, now).ok()?);
    let provenance =
        Provenance { channel: "reach".into(), raw_sha256: String::new(), importer: None, warnings: Vec::new() };
    apply(None, Command::Create { id, publisher, draft, provenance }, now).ok()
}

#[cfg(test)]
mod tests;
