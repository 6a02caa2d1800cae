//! What a delivery makes of the article as it stands. Pure.
//!
//! A delivery may come late, twice, or after a newer one: each says when its article was last changed over there, the
//! article says which delivery made it, and what is older is left alone. An update without a kind of its own is minor: no
//! content system says what its editor meant, and a minor change refreshes every document and bothers nobody. An
//! article that the desk itself withdrew or killed is brought back by the desk alone.

use article::{Article, ChangeKind, Status};
use interchange::Wish;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::desk::Change;
use crate::token::sha256_hex;

/// The namespace of `ext` under which an article keeps which delivery made it.
const EXT: &str = "newswire.webhook";

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Create(Value),
    Revise { base: u32, document: Value },
    Change { base: u32, change: Change },
    Nothing(String),
}

/// One delivery, read.
#[derive(Debug, Clone)]
pub(super) struct News {
    pub(super) wish: Wish,
    /// When the article was changed over there; where nobody says, when the delivery was sent.
    pub(super) changed_at: Timestamp,
    pub(super) warnings: Vec<String>,
    /// The system's name for itself.
    pub(super) from: String,
}

/// What `news` makes of `current`; `taken_down` is when it was last deleted without having been here.
pub(super) fn step(current: Option<&Article>, taken_down: Option<Timestamp>, news: &News) -> Step {
    match (&news.wish, current) {
        (Wish::Nothing { why }, _) => Step::Nothing(why.clone()),
        (Wish::Withdraw { why, .. }, None) => Step::Nothing(format!("{why}; it was never published here")),
        (Wish::Publish(_), None) if taken_down.is_some_and(|at| at >= news.changed_at) => {
            Step::Nothing("it has been taken down since".into())
        }
        (Wish::Publish(draft), None) => {
            let mut document = stamped(draft, news);
            // A first version is new, whatever it is over there.
            if let Value::Object(fields) = &mut document {
                fields.remove("change");
            }
            Step::Create(document)
        }
        (wish, Some(article)) => match article.status {
            Status::Published | Status::Held | Status::Embargoed => standing(article, wish, news),
            Status::Withdrawn | Status::Killed | Status::Unknown => gone(article, wish, news),
        },
    }
}

fn standing(article: &Article, wish: &Wish, news: &News) -> Step {
    let made_by = article.ext.get(EXT);
    let known = made_by.and_then(|made_by| made_by.get("changed_at")?.as_str()?.parse::<Timestamp>().ok());
    if known.is_some_and(|known| news.changed_at < known) {
        return Step::Nothing("a newer version is here already".into());
    }
    let base = article.revision;
    match wish {
        Wish::Publish(draft) => {
            let same = made_by.and_then(|made_by| made_by.get("sha256")?.as_str()) == Some(hash(draft).as_str());
            if same {
                return Step::Nothing("it is here already, with the same content".into());
            }
            let kind = match draft.pointer("/change/kind").and_then(Value::as_str) {
                Some("major") => "major",
                Some("correction") => "correction",
                _ => "minor",
            };
            Step::Revise { base, document: revision(draft, news, kind) }
        }
        Wish::Withdraw { note, .. } => {
            // What nobody has seen is not withdrawn: it never was.
            let kind = if article.status == Status::Embargoed { ChangeKind::Kill } else { ChangeKind::Withdraw };
            let note = note_for(&article.language, note.as_deref(), news.changed_at);
            Step::Change { base, change: Change { kind, note: Some(note) } }
        }
        Wish::Nothing { why } => Step::Nothing(why.clone()),
    }
}

fn gone(article: &Article, wish: &Wish, news: &News) -> Step {
    let Wish::Publish(draft) = wish else { return Step::Nothing("it is gone already".into()) };
    match article.change.note.as_deref().and_then(taken_down_at) {
        None => Step::Nothing(format!("the desk has {} it; only the desk brings it back", article.status.as_str())),
        Some(at) if news.changed_at <= at => Step::Nothing("it has been taken down since".into()),
        Some(_) => {
            Step::Revise { base: article.revision, document: revision(draft, news, ChangeKind::Reinstate.as_str()) }
        }
    }
}

fn hash(draft: &Value) -> String {
    sha256_hex(draft.to_string().as_bytes())
}

/// The draft with the trace of its delivery.
fn stamped(draft: &Value, news: &News) -> Value {
    let mut document = draft.clone();
    let mut trace = json!({ "from": news.from, "changed_at": news.changed_at.to_string(), "sha256": hash(draft) });
    if !news.warnings.is_empty() {
        trace["warnings"] = news.warnings.clone().into();
    }
    if let Value::Object(fields) = &mut document
        // An `ext` that is none is the draft's mistake to report.
        && let Value::Object(ext) = fields.entry("ext").or_insert_with(|| json!({}))
    {
        ext.insert(EXT.into(), trace);
    }
    document
}

/// The draft as a change of kind `kind`. Its publication time has been settled by the first version.
fn revision(draft: &Value, news: &News, kind: &str) -> Value {
    let mut document = stamped(draft, news);
    if let Value::Object(fields) = &mut document {
        fields.remove("published");
        let note = fields.get("change").and_then(|change| change.get("note")).cloned();
        let mut change = json!({ "kind": kind });
        if let Some(note) = note {
            change["note"] = note;
        }
        fields.insert("change".into(), change);
    }
    document
}

/// What readers are told. The time at its end is read again by [`taken_down_at`].
fn note_for(language: &str, theirs: Option<&str>, at: Timestamp) -> String {
    let chinese = language.split('-').next().is_some_and(|primary| primary.eq_ignore_ascii_case("zh"));
    let ours = if chinese { "编辑部已撤下此文。" } else { "The newsroom has taken this article down." };
    format!("{} ({at})", theirs.unwrap_or(ours))
}

/// When a webhook took the article down: the time that ends the notes it writes, and no other note.
fn taken_down_at(note: &str) -> Option<Timestamp> {
    let (_, time) = note.strip_suffix(')')?.rsplit_once(" (")?;
    time.ends_with('Z').then(|| time.parse().ok())?
}

#[cfg(test)]
mod tests {
    use article::{ArticleId, Command, Draft, Provenance, apply};

    use super::*;

    fn at(minute: u32) -> Timestamp {
        format!("2026-11-22T10:{minute:02}:00Z").parse().unwrap()
    }

    fn news(wish: Wish, minute: u32) -> News {
        News { wish, changed_at: at(minute), warnings: vec!["w".into()], from: "cms".into() }
    }

    fn draft(headline: &str) -> Value {
        json!({ "headline": headline, "body_text": "x", "language": "zh-Hans", "published": { "at": "2026-11-22T10:00:00Z" } })
    }

    fn publish(headline: &str, minute: u32) -> News {
        news(Wish::Publish(draft(headline)), minute)
    }

    fn withdraw(minute: u32) -> News {
        news(Wish::Withdraw { why: "it was deleted".into(), note: None }, minute)
    }

    /// Carries a step out, as the desk would.
    fn done(current: Option<&Article>, step: Step) -> Option<Article> {
        let provenance =
            Provenance { channel: "webhook".into(), raw_sha256: String::new(), importer: None, warnings: vec![] };
        let now = at(59);
        let read = |document: &Value| Box::new(Draft::from_json(document, now).unwrap_or_else(|p| panic!("{p:?}")));
        let command = match step {
            Step::Nothing(_) => return current.cloned(),
            Step::Create(document) => Command::Create {
                id: ArticleId::new(now, [1; 10]),
                publisher: "hefei".parse().unwrap(),
                draft: read(&document),
                provenance,
            },
            Step::Revise { document, .. } if document["change"]["kind"] == "reinstate" => {
                Command::Reinstate { note: None, draft: read(&document), provenance }
            }
            Step::Revise { document, .. } => {
                assert_eq!(document["change"]["kind"], "minor");
                let kind = article::RevisionKind::Minor;
                Command::Revise { kind, note: None, draft: read(&document), provenance }
            }
            Step::Change { change, .. } => return Some(change.apply(current.unwrap(), now).unwrap()),
        };
        Some(apply(current, command, now).unwrap())
    }

    /// The article after deliveries in this order: what it is called, if it is public.
    fn after(order: &[&News]) -> Option<String> {
        let (mut article, mut taken_down) = (None, None);
        for news in order {
            if article.is_none() && matches!(news.wish, Wish::Withdraw { .. }) {
                taken_down = taken_down.max(Some(news.changed_at));
            }
            article = done(article.as_ref(), step(article.as_ref(), taken_down, news));
        }
        article.filter(|article| article.status == Status::Published).map(|article| article.headline)
    }

    #[test]
    fn any_order_with_any_repetition_ends_the_same() {
        let (first, edit, gone, again) = (publish("first", 1), publish("edit", 2), withdraw(3), publish("again", 4));
        let (no, yes) = (None, |headline: &str| Some(headline.to_owned()));
        for (orders, end) in [
            (vec![vec![&first, &edit], vec![&edit, &first], vec![&first, &edit, &first, &edit]], yes("edit")),
            (
                vec![
                    vec![&first, &edit, &gone],
                    vec![&first, &gone, &edit],
                    vec![&gone, &first, &edit],
                    vec![&edit, &gone, &first, &gone, &edit],
                ],
                no,
            ),
            (
                vec![
                    vec![&first, &gone, &again, &edit, &gone],
                    vec![&again, &gone, &first],
                    vec![&gone, &again, &edit],
                    vec![&first, &gone, &gone, &again, &again],
                ],
                yes("again"),
            ),
        ] {
            for order in orders {
                assert_eq!(after(&order), end, "{:?}", order.iter().map(|news| news.changed_at).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn the_same_again_is_nothing_and_an_older_one_too() {
        let first = done(None, step(None, None, &publish("first", 2))).unwrap();
        // Saved again without a change.
        assert!(matches!(step(Some(&first), None, &publish("first", 5)), Step::Nothing(_)));
        assert!(matches!(step(Some(&first), None, &publish("older", 1)), Step::Nothing(_)));
        let Step::Revise { base: 1, document } = step(Some(&first), None, &publish("second", 2)) else { panic!() };
        assert!(document.get("published").is_none(), "it never changes");
        assert_eq!(document["ext"][EXT]["warnings"], json!(["w"]));
    }

    #[test]
    fn what_the_desk_has_withdrawn_only_the_desk_brings_back() {
        let first = done(None, step(None, None, &publish("first", 1))).unwrap();
        for command in [Command::Withdraw { note: "wrong".into() }, Command::Kill { note: "court (2026)".into() }] {
            let gone = apply(Some(&first), command, at(2)).unwrap();
            let Step::Nothing(why) = step(Some(&gone), None, &publish("second", 9)) else { panic!() };
            assert!(why.contains("only the desk"), "{why}");
        }
    }

    #[test]
    fn what_is_under_embargo_and_taken_down_never_was() {
        let mut document = draft("later");
        document.as_object_mut().unwrap().remove("published");
        document["embargoed_until"] = json!("2026-11-23T10:00:00Z");
        let embargoed = done(None, step(None, None, &news(Wish::Publish(document), 1))).unwrap();
        let Step::Change { base: 1, change } = step(Some(&embargoed), None, &withdraw(2)) else { panic!() };
        assert_eq!(change.kind, ChangeKind::Kill);
        assert_eq!(change.note.as_deref().and_then(taken_down_at), Some(at(2)));
    }

    #[test]
    fn a_note_is_in_the_articles_language_and_names_its_time() {
        assert!(note_for("zh-Hans", None, at(1)).starts_with("编辑部"));
        assert!(note_for("en", None, at(1)).starts_with("The newsroom"));
        assert_eq!(note_for("en", Some("Wrong."), at(1)), "Wrong. (2026-11-22T10:01:00Z)");
        for note in ["", "x", "court (2026)", "x (2026-11-22T10:01:00+01:00)", "(2026-11-22T10:01:00Z)"] {
            assert_eq!(taken_down_at(note), None, "{note}");
        }
    }

    #[test]
    fn a_system_that_knows_what_it_changed_is_believed() {
        let first = done(None, step(None, None, &publish("first", 1))).unwrap();
        let mut document = draft("second");
        document["change"] = json!({ "kind": "correction", "note": "It was 3." });
        let Step::Revise { document, .. } = step(Some(&first), None, &news(Wish::Publish(document), 2)) else {
            panic!()
        };
        assert_eq!(document["change"], json!({ "kind": "correction", "note": "It was 3." }));
        let Step::Create(document) = step(None, None, &news(Wish::Publish(document), 2)) else { panic!() };
        assert!(document.get("change").is_none());
    }
}
