//! Answers, and when a feed is asked again.

use proptest::prelude::*;

use super::*;

const NOW: &str = "2026-11-23T03:20:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn ago(minutes: i64) -> Timestamp {
    now() - SignedDuration::from_mins(minutes)
}

/// Minutes until the next question after `answer`, without chance.
fn minutes(state: &mut State, answer: Answer<'_>, caching: Caching) -> i64 {
    state.after(answer, caching, now(), 0.0);
    state.next_check_at.unwrap().duration_since(now()).as_mins()
}

fn fresh(dates: &[Timestamp], hints: Hints, caching: Caching) -> i64 {
    minutes(&mut State::default(), Answer::Feed { hints: &hints, dates }, caching)
}

#[test]
fn a_feed_is_asked_twice_as_often_as_it_brings_news() {
    let every = |gap: i64| (0..30).map(|n| ago(n * gap)).collect::<Vec<_>>();
    for (dates, expected) in [
        (every(1), 5),
        (every(60), 28),
        (every(24 * 60), 684),
        (every(30 * 24 * 60), 24 * 60),
        (vec![], 60),
        (vec![ago(-5000)], 60),
        (vec![ago(600); 8], 300),
        // Twenty items in one hour, a year ago.
        ((0..20).map(|n| ago(365 * 24 * 60 + n * 3)).collect(), 24 * 60),
    ] {
        assert_eq!(fresh(&dates, Hints::default(), Caching::default()), expected, "{:?}", dates.last());
    }
}

#[test]
fn the_largest_wish_counts() {
    let dates = [ago(1)];
    let hints = |set: fn(&mut Hints)| {
        let mut hints = Hints::default();
        set(&mut hints);
        hints
    };
    let headers = |headers: &[(&str, &str)]| Caching::of(headers.iter().copied(), now());
    let cases: [(Hints, Caching, i64); 15] = [
        (Hints::default(), Caching::default(), 5),
        (hints(|h| h.ttl("60")), Caching::default(), 60),
        (hints(|h| h.ttl("1")), Caching::default(), 5),
        (hints(|h| h.ttl("525600")), Caching::default(), 24 * 60),
        (hints(|h| h.period("hourly")), Caching::default(), 60),
        (hints(|h| (h.period("Daily"), h.frequency("4")).1), Caching::default(), 360),
        (hints(|h| h.period("yearly")), Caching::default(), 24 * 60),
        (Hints::default(), headers(&[("Cache-Control", "public, max-age=1800")]), 30),
        (Hints::default(), headers(&[("cache-control", "MAX-AGE=1800"), ("age", "600")]), 20),
        (Hints::default(), headers(&[("Expires", "Mon, 23 Nov 2026 04:20:00 GMT")]), 60),
        (
            Hints::default(),
            headers(&[("Expires", "Mon, 23 Nov 2026 14:20:00 GMT"), ("Date", "Mon, 23 Nov 2026 13:50:00 GMT")]),
            30,
        ),
        (Hints::default(), headers(&[("Expires", "0"), ("Cache-Control", "no-cache")]), 5),
        (Hints::default(), headers(&[("Retry-After", "7200")]), 120),
        (Hints::default(), headers(&[("Retry-After", "Mon, 23 Nov 2026 06:20:00 GMT")]), 180),
        (Hints::default(), headers(&[("Retry-After", "99999999999")]), 7 * 24 * 60),
    ];
    for (hints, caching, expected) in cases {
        assert_eq!(fresh(&dates, hints.clone(), caching.clone()), expected, "{hints:?} {caching:?}");
    }
}

#[test]
fn hours_and_days_that_a_feed_leaves_out_are_left_out() {
    // NOW is a Monday, 03:20.
    let skip = |hours: &[&str], days: &[&str]| {
        let mut hints = Hints::default();
        hours.iter().for_each(|hour| hints.skip_hour(hour));
        days.iter().for_each(|day| hints.skip_day(day));
        fresh(&[ago(1)], hints, Caching::default())
    };
    assert_eq!(skip(&["3"], &[]), 40);
    assert_eq!(skip(&["3", "4", "5"], &[]), 160);
    assert_eq!(skip(&["4", "24", "x", "99"], &["Someday"]), 5);
    assert_eq!(skip(&[], &["monday"]), 20 * 60 + 40);
    let all: Vec<String> = (0..24).map(|hour| hour.to_string()).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    assert_eq!(skip(&all, &[]), 5, "never is not an answer");
}

#[test]
fn failures_back_off_and_success_forgets_them() {
    let mut state = State::default();
    let waits: Vec<i64> = (0..12).map(|_| minutes(&mut state, Answer::Failed, Caching::default())).collect();
    assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440, 1440]);
    let limited = Caching { retry_after: Some(3 * 24 * 3600), ..Caching::default() };
    assert_eq!(minutes(&mut state, Answer::Failed, limited), 3 * 24 * 60, "Retry-After, whatever the status");
    let hints = Hints::default();
    assert_eq!(minutes(&mut state, Answer::Feed { hints: &hints, dates: &[ago(1)] }, Caching::default()), 5);
    assert_eq!(minutes(&mut state, Answer::Failed, Caching::default()), 5);
}

#[test]
fn nothing_new_keeps_what_was_asked_for() {
    let (mut state, mut hints) = (State::default(), Hints::default());
    hints.ttl("45");
    let aged = |seconds| Caching { max_age: Some(seconds), ..Caching::default() };
    assert_eq!(minutes(&mut state, Answer::Feed { hints: &hints, dates: &[ago(1)] }, aged(3600)), 60);
    assert_eq!(minutes(&mut state, Answer::NotModified, Caching::default()), 60);
    assert_eq!(minutes(&mut state, Answer::NotModified, aged(60)), 45);
}

#[test]
fn a_feed_that_moved_is_followed_after_the_third_time() {
    let (mut state, [a, b]) =
        (State::default(), ["https://a.example/", "https://b.example/"].map(|u| Url::parse(u).unwrap()));
    let steps = [
        (Some(&a), None),
        (Some(&a), None),
        (Some(&b), None),
        (Some(&a), None),
        (None, None),
        (Some(&a), None),
        (Some(&a), None),
        (Some(&a), Some(a.clone())),
        (None, None),
    ];
    for (n, (seen, expected)) in steps.into_iter().enumerate() {
        assert_eq!(state.redirected(seen), expected, "step {n}");
    }
}

#[test]
fn a_feed_that_is_gone_stays_so() {
    let mut state = State::default();
    state.after(Answer::Gone, Caching::default(), now(), 0.5);
    assert!(state.gone);
    let json = serde_json::to_string(&state).unwrap();
    assert_eq!(serde_json::from_str::<State>(&json).unwrap(), state);
    assert_eq!(serde_json::from_str::<State>("{}").unwrap(), State::default(), "old records stay readable");
}

proptest! {
    #[test]
    fn the_next_question_is_never_too_soon_nor_too_late(
        failures in 0_u32..100, rate in any::<Option<i64>>(), ttl in any::<Option<u32>>(), max_age in any::<Option<i64>>(),
        retry in any::<Option<i64>>(), random in any::<f64>(), hours in any::<u32>(), days in any::<u8>(),
    ) {
        let hints = Hints { ttl, skip_hours: hours & 0xFF_FFFF, skip_days: days & 0x7F, ..Hints::default() };
        let mut state = State { failures, rate, hints, ..State::default() };
        let caching = Caching { max_age: max_age.map(|n| n.max(0)), expires: None, retry_after: retry.map(|n| n.max(0)) };
        for answer in [Answer::Failed, Answer::NotModified] {
            state.after(answer, caching.clone(), now(), random);
            let wait = state.next_check_at.unwrap().duration_since(now());
            prop_assert!(wait >= MIN_INTERVAL, "{wait}");
            prop_assert!(wait <= MAX_RETRY_AFTER * 2 + MAX_INTERVAL, "{wait}");
        }
    }
}
