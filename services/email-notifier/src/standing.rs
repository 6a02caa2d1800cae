//! Whether what was planned may still be sent: asked of the newest revision, before every window. Pure.

use article::{Article, ChangeKind, Status};
use jiff::Timestamp;

use crate::digest::chunk::DigestChunk;
use crate::ledger::{State, Why};
use crate::plan::{Chunk, Kind};

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Send,
    /// Not now, but it is owed.
    Wait,
    /// Never, and this is where its recipients end.
    End(State),
}

/// How a chunk stands at `now`, `article` being the newest revision.
pub(crate) fn standing(article: &Article, chunk: &Chunk, now: Timestamp) -> Standing {
    // The planner took it for public; this host's clock may be behind the one that said so.
    let now = now.max(chunk.planned_at);
    // A relay that was away for days does not make old news an alert.
    if now.duration_since(chunk.planned_at) > chunk.kind.horizon() {
        return Standing::End(State::Expired);
    }
    let send_if = |stands: bool| if stands { Standing::Send } else { Standing::End(State::Suppressed(Why::Withdrawn)) };
    match chunk.kind {
        Kind::Alert if article.is_expired(now) => Standing::End(State::Expired),
        Kind::Alert => send_if(article.is_readable(now)),
        Kind::Correction => match article.status {
            Status::Published if article.is_expired(now) => Standing::End(State::Expired),
            Status::Published if !article.is_readable(now) => Standing::Wait,
            // A reinstated text may be another one altogether, with nothing to correct in it.
            Status::Published => send_if(article.corrections.iter().any(|known| known.revision >= chunk.revision)),
            Status::Held | Status::Unknown => Standing::Wait,
            // The notice that it is gone says more.
            Status::Withdrawn | Status::Killed | Status::Embargoed => Standing::End(State::Suppressed(Why::Withdrawn)),
        },
        // Whatever came after has a notice of its own, or is the article itself.
        Kind::Withdrawal => send_if(article.status == Status::Withdrawn && article.revision == chunk.revision),
        Kind::Kill => send_if(article.status == Status::Killed && article.revision == chunk.revision),
        Kind::Update if article.is_expired(now) => Standing::End(State::Expired),
        // A newer update says more.
        Kind::Update if article.change.kind == ChangeKind::Major && article.revision > chunk.revision => {
            Standing::End(State::Suppressed(Why::Withdrawn))
        }
        Kind::Update => send_if(article.is_readable(now)),
        // Of each of their articles by itself; a chunk of an article is none.
        Kind::Digest => Standing::End(State::Suppressed(Why::Empty)),
    }
}

/// How a chunk of digests stands; each of its articles stands for itself.
pub(crate) fn digest_standing(chunk: &DigestChunk, now: Timestamp) -> Standing {
    let late = now.duration_since(chunk.planned_at) > Kind::Digest.horizon();
    if late { Standing::End(State::Expired) } else { Standing::Send }
}

#[cfg(test)]
mod tests {
    use article::{ArticleId, Command, Draft, Provenance, RevisionKind, apply};
    use serde_json::json;

    use super::*;
    use crate::plan::{Cause, make_plan, notices_due};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    const NOW: &str = "2026-11-22T10:00:00Z";

    fn draft(fields: &serde_json::Value) -> Box<Draft> {
        let mut document = json!({"headline": "H", "body": "<p>B</p>", "language": "en"});
        for (name, field) in fields.as_object().unwrap() {
            document[name] = field.clone();
        }
        Box::new(Draft::from_json(&document, at(NOW)).unwrap())
    }

    fn provenance() -> Provenance {
        Provenance { channel: "test".into(), raw_sha256: String::new(), importer: None, warnings: Vec::new() }
    }

    fn create(fields: serde_json::Value) -> Article {
        let publisher: article::PublisherId = "test".parse().unwrap();
        let id = ArticleId::derived(&publisher, "test", b"1");
        let command = Command::Create { id, publisher, draft: draft(&fields), provenance: provenance() };
        apply(None, command, at(NOW)).unwrap()
    }

    fn then(article: &Article, step: &str) -> Article {
        let (note, none) = ("Because.".to_owned(), json!({}));
        let revise = |kind, note| Command::Revise { kind, note, draft: draft(&none), provenance: provenance() };
        let command = match step {
            "minor" => revise(RevisionKind::Minor, None),
            "major" => revise(RevisionKind::Major, None),
            "correction" => revise(RevisionKind::Correction, Some(note)),
            "hold" => Command::Hold { note: None },
            "release" => Command::Release { note: None },
            "withdraw" => Command::Withdraw { note },
            "kill" => Command::Kill { note },
            _ => Command::Reinstate { note: None, draft: draft(&none), provenance: provenance() },
        };
        apply(Some(article), command, at(NOW)).unwrap()
    }

    fn after(steps: &[&str]) -> Article {
        steps.iter().fold(create(json!({})), |article, step| then(&article, step))
    }

    fn stands(article: &Article, kind: Kind, revision: u32, now: &str) -> Standing {
        let cause = Cause { article, kind, revision, published: at(NOW), sequence: 1 };
        let (_, chunks) = make_plan(&cause, &[crate::subscriber::SubscriberId::random()], at(NOW));
        standing(article, &chunks[0], at(now))
    }

    #[test]
    fn every_state_decides_what_may_still_go_out() {
        use Kind::{Alert, Correction, Kill, Withdrawal};
        const SEND: Standing = Standing::Send;
        const DROP: Standing = Standing::End(State::Suppressed(Why::Withdrawn));
        let cases: [(&[&str], Kind, u32, Standing); 24] = [
            (&[], Alert, 1, SEND),
            (&["minor", "major"], Alert, 1, SEND),
            (&["correction"], Alert, 1, SEND),
            (&["hold"], Alert, 1, DROP),
            (&["hold", "minor"], Alert, 1, DROP),
            (&["hold", "release"], Alert, 1, SEND),
            (&["withdraw"], Alert, 1, DROP),
            (&["kill"], Alert, 1, DROP),
            (&["withdraw", "reinstate"], Alert, 1, SEND),
            (&["correction"], Correction, 2, SEND),
            (&["correction", "minor"], Correction, 2, SEND),
            (&["correction", "correction"], Correction, 2, SEND),
            (&["correction", "hold"], Correction, 2, Standing::Wait),
            (&["correction", "hold", "correction"], Correction, 2, Standing::Wait),
            (&["correction", "hold", "release"], Correction, 2, SEND),
            (&["correction", "withdraw"], Correction, 2, DROP),
            (&["correction", "kill"], Correction, 2, DROP),
            (&["correction", "kill", "reinstate"], Correction, 2, DROP),
            (&["withdraw"], Withdrawal, 2, SEND),
            (&["withdraw", "kill"], Withdrawal, 2, DROP),
            (&["withdraw", "reinstate"], Withdrawal, 2, DROP),
            (&["withdraw", "reinstate", "withdraw"], Withdrawal, 2, DROP),
            (&["kill"], Kill, 2, SEND),
            (&["kill", "reinstate"], Kill, 2, DROP),
        ];
        for (steps, kind, revision, expected) in cases {
            assert_eq!(stands(&after(steps), kind, revision, NOW), expected, "{kind:?} after {steps:?}");
        }
    }

    #[test]
    fn time_ends_what_was_not_sent() {
        let expiring = create(json!({"expires_at": "2026-11-22T12:00:00Z"}));
        let (soon, late) = ("2026-11-22T11:59:59Z", "2026-11-22T12:00:00Z");
        assert_eq!(stands(&expiring, Kind::Alert, 1, soon), Standing::Send);
        assert_eq!(stands(&expiring, Kind::Alert, 1, late), Standing::End(State::Expired));
        let killed = then(&expiring, "kill");
        assert_eq!(stands(&killed, Kind::Kill, 2, late), Standing::Send, "its readers still have it");
        let (eight_days, months) = ("2026-11-30T10:00:01Z", "2027-02-01T00:00:00Z");
        assert_eq!(stands(&after(&[]), Kind::Alert, 1, eight_days), Standing::End(State::Expired));
        assert_eq!(stands(&after(&["withdraw"]), Kind::Withdrawal, 2, eight_days), Standing::Send);
        assert_eq!(stands(&after(&["withdraw"]), Kind::Withdrawal, 2, months), Standing::End(State::Expired));
    }

    #[test]
    fn a_clock_that_is_behind_the_planners_stops_nothing() {
        let lifted = Article { embargoed_until: Some(at(NOW)), ..after(&[]) };
        assert_eq!(stands(&lifted, Kind::Alert, 1, "2026-11-22T09:59:58Z"), Standing::Send);
    }

    #[test]
    fn each_revision_calls_for_its_notices() {
        let plans = |steps: &[&str]| -> Vec<(String, bool)> {
            let due = notices_due(&after(steps), at(NOW)).into_iter();
            due.map(|due| (due.plan.rsplitn(3, '-').take(2).collect::<Vec<_>>().join(" "), due.void)).collect()
        };
        type Case = (&'static [&'static str], &'static [(&'static str, bool)]);
        let cases: [Case; 13] = [
            (&[], &[]),
            (&["minor"], &[]),
            (&["major"], &[]),
            (&["correction"], &[("2 correction", false)]),
            (&["hold"], &[]),
            (&["hold", "correction"], &[]),
            (&["hold", "correction", "correction", "release"], &[("4 correction", false), ("3 correction", false)]),
            (&["hold", "release"], &[]),
            (&["withdraw"], &[("2 withdrawal", false)]),
            (&["hold", "correction", "withdraw"], &[("4 withdrawal", false), ("3 correction", true)]),
            (&["withdraw", "reinstate"], &[]),
            (&["correction", "kill"], &[("3 kill", false)]),
            (&["correction", "kill", "reinstate"], &[]),
        ];
        for (steps, expected) in cases {
            let expected: Vec<_> = expected.iter().map(|(plan, void)| ((*plan).to_owned(), *void)).collect();
            assert_eq!(plans(steps), expected, "{steps:?}");
        }
    }
}
