//! The ledger closes, whatever happens, and knows who has what.

use proptest::prelude::*;

use super::*;
use crate::control::{Control, Phase};

fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

#[test]
fn the_record_is_small_and_reads_back() {
    let mut ledger = Ledger::new(1000);
    ledger.refuse(3, "550 5.1.1 no such user".into());
    ledger.set(4, State::Accepted);
    let json = serde_json::to_string(&ledger).unwrap();
    assert!(json.len() < 1250, "{}", json.len());
    assert_eq!(serde_json::from_str::<Ledger>(&json).unwrap(), ledger);
    assert!(
        serde_json::from_str::<Ledger>(r#"{"writer":"00000000-0000-0000-0000-000000000000","states":"pq"}"#).is_err()
    );
}

#[test]
fn the_last_word_and_its_time_are_kept_of_whoever_does_not_have_it() {
    let mut ledger = Ledger::new(4);
    ledger.note_at(now());
    ledger.next_window().into_iter().for_each(|recipient| ledger.set(recipient, State::Submitting));
    assert_eq!((ledger.noted(0), ledger.said(0)), (None, None), "nothing has come of it yet");
    for recipient in 0..3 {
        ledger.set(recipient, State::Deferred);
        ledger.say(recipient, format!("450 4.2.{recipient} later"));
    }
    ledger.set(3, State::Accepted);
    let later = now() + SignedDuration::from_secs(61);
    ledger.note_at(later);
    ledger.set(0, State::Accepted);
    ledger.say(1, "452 4.2.2 full".into());
    ledger = Ledger::read(&serde_json::to_vec(&ledger).unwrap()).unwrap();
    assert_eq!([0, 1, 2].map(|n| ledger.said(n)), [None, Some("452 4.2.2 full"), Some("450 4.2.2 later")]);
    assert_eq!([0, 1, 2, 3].map(|n| ledger.noted(n)), [later, now(), now(), now()].map(Some));
    while let Some(retry) = ledger.plan_retry(later) {
        assert!(ledger.begin_retry(retry.attempt));
        [1, 2].into_iter().for_each(|recipient| ledger.set(recipient, State::Deferred));
    }
    assert_eq!(ledger.said(1), Some("given up after 9 attempts; the last: 452 4.2.2 full"));
    for recipient in 0..1000 {
        ledger.say(recipient, "no".into());
    }
    assert_eq!(ledger.reasons.len(), MAX_REASONS);
}

#[test]
fn a_crash_leaves_one_window_to_be_sent_again() {
    let mut ledger = Ledger::new(120);
    for recipient in ledger.next_window() {
        ledger.set(recipient, State::Accepted);
    }
    for recipient in ledger.next_window() {
        ledger.set(recipient, State::Submitting);
    }
    ledger.recover();
    assert_eq!(ledger.resent_uncertain as usize, WINDOW);
    assert_eq!(ledger.next_window(), (WINDOW..2 * WINDOW).collect::<Vec<_>>());
}

#[test]
fn a_retry_begins_once() {
    let mut ledger = Ledger::new(2);
    ledger.set(0, State::Accepted);
    ledger.set(1, State::Deferred);
    let retry = ledger.plan_retry(now()).unwrap();
    assert_eq!((retry.attempt, retry.at), (1, now() + BACKOFF[0]));
    assert!(!ledger.begin_retry(2));
    assert!(ledger.begin_retry(1));
    assert_eq!(ledger.next_window(), [1]);
}

#[test]
fn every_recipient_ends_somewhere_even_if_the_relay_never_helps() {
    let mut ledger = Ledger::new(3);
    let mut attempts = 0;
    loop {
        for recipient in ledger.next_window() {
            ledger.set(recipient, if recipient == 0 { State::Uncertain } else { State::Deferred });
        }
        attempts += 1;
        let Some(retry) = ledger.plan_retry(now()) else { break };
        assert!(ledger.begin_retry(retry.attempt));
    }
    assert_eq!(attempts, BACKOFF.len() + 1);
    assert_eq!(ledger.count(State::Failed), 3);
    assert_eq!(ledger.resent_uncertain as usize, BACKOFF.len());
    assert!(ledger.reasons[0].reply.contains("given up"));
}

#[test]
fn a_correction_is_for_whoever_may_have_an_earlier_revision() {
    let mut ledger = Ledger::new(7);
    ledger.sends(2);
    ledger.set(0, State::Accepted);
    // The relay may have taken the second revision; what it takes of it later does not change that.
    ledger.set(1, State::Uncertain);
    ledger.set(2, State::Deferred);
    ledger.refuse(3, "550".into());
    ledger.sends(4);
    ledger.sends(3);
    for recipient in [1, 2, 4] {
        ledger.set(recipient, State::Accepted);
    }
    ledger.set(5, State::Submitting);
    assert_eq!(
        (0..7).map(|n| ledger.has(n)).collect::<Vec<_>>(),
        [Some(2), Some(2), Some(4), None, Some(4), None, None]
    );
    let before = |revision| ledger.has_before(revision).collect::<Vec<_>>();
    assert_eq!(before(2), [] as [usize; 0]);
    assert_eq!(before(3), [0, 1]);
    assert_eq!(before(4), [0, 1]);
    assert_eq!(before(5), [0, 1, 2, 4, 5], "what is on its way may be of the fourth");
    let json = serde_json::to_string(&ledger).unwrap();
    assert_eq!(Ledger::read(json.as_bytes()).unwrap(), ledger);
    ledger.recover();
    assert_eq!(ledger.has(5), Some(4), "nobody knows whether it went out before the crash");
    ledger.end_open(State::Suppressed(Why::Withdrawn));
    assert_eq!((ledger.has(1), ledger.has(5)), (Some(2), Some(4)), "whoever may have it is of record whatever follows");
}

#[test]
fn a_record_of_an_older_version_counts_as_the_first_revision() {
    let json = r#"{"writer":"00000000-0000-0000-0000-000000000000","states":"paudsfxe"}"#;
    let mut ledger = Ledger::read(json.as_bytes()).unwrap();
    let has = |ledger: &Ledger| (0..8).filter(|n| ledger.has(*n) == Some(1)).collect::<Vec<_>>();
    assert_eq!(has(&ledger), [1, 2]);
    ledger.recover();
    assert_eq!(has(&ledger), [1, 2, 4]);
    let endless = r#"{"writer":"00000000-0000-0000-0000-000000000000","states":"p","has":[[1,4000000000]]}"#;
    assert!(Ledger::read(endless.as_bytes()).is_err());
}

#[test]
fn a_pause_costs_no_attempt() {
    let mut ledger = Ledger::new(2);
    ledger.set(0, State::Accepted);
    for _ in 0..50 {
        ledger.pause(now());
        let retry = ledger.retry.unwrap();
        assert_eq!(retry.at, now() + PAUSE);
        assert!(ledger.begin_retry(retry.attempt));
        assert_eq!(ledger.next_window(), [1]);
    }
    ledger.set(1, State::Deferred);
    assert_eq!(ledger.plan_retry(now()).unwrap().at, now() + BACKOFF[0], "the first attempt was this one");
    assert_eq!(ledger.count(State::Accepted), 1);
}

#[test]
fn a_pause_forgets_no_answer_that_was_lost() {
    let mut ledger = Ledger::new(3);
    ledger.set(0, State::Uncertain);
    ledger.set(1, State::Submitting);
    ledger.pause(now());
    assert_eq!(ledger.states(), [State::Uncertain, State::Deferred, State::Deferred]);
    assert!(ledger.begin_retry(1));
    assert_eq!((ledger.next_window().len(), ledger.resent_uncertain), (3, 1), "one of them may get a second copy");
}

proptest! {
    /// Whatever happens, the counts of the states are the recipients, and a final state stays.
    #[test]
    fn the_ledger_closes(size in 1usize..120, steps in proptest::collection::vec(0u8..10, 0..60)) {
        let mut ledger = Ledger::new(size);
        for step in steps {
            let ended: Vec<(usize, State)> =
                ledger.states().iter().copied().enumerate().filter(|(_, state)| state.is_final()).collect();
            match step {
                0 => for recipient in ledger.next_window() { ledger.set(recipient, State::Submitting); },
                1 => ledger.recover(),
                2 => for recipient in ledger.next_window() { ledger.set(recipient, State::Accepted); },
                3 => for recipient in ledger.next_window() { ledger.set(recipient, State::Deferred); },
                4 => for recipient in ledger.next_window() { ledger.refuse(recipient, "no".into()); },
                5 => ledger.pause(now()),
                6 => ledger.hold(now()),
                7 => { ledger.obey(&Control::default()); },
                8 => { ledger.obey(&Control { state: Phase::Cancelled, ..Control::default() }); },
                _ => if ledger.next_window().is_empty() && let Some(retry) = ledger.plan_retry(now()) {
                    ledger.begin_retry(retry.attempt);
                },
            }
            for (recipient, state) in ended {
                prop_assert_eq!(ledger.states()[recipient], state);
            }
            let sum: usize = State::ALL.iter().map(|(state, _)| ledger.count(*state)).sum();
            prop_assert_eq!(sum, size);
        }
    }
}
