//! Whom caps hold back, by the day, by storms and after a change.

use super::*;

const PUBLISHED: &str = "2026-11-22T10:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn cap(alerts: u16, since: &str) -> CapSpan {
    CapSpan { cap: Cap { alerts, hour: 18 }, since: at(since), until: None, zone: None }
}

/// Plans one alert after the other for one reader, as the planner does, and answers which they get at once.
fn alerts(caps: &Caps, id: SubscriberId, span: &CapSpan, zone: &str, published: &[&str]) -> Vec<bool> {
    let zone = TimeZone::get(zone).unwrap();
    let plan = |published: &&str| {
        let (seen, published) = (caps.seen(), at(published));
        if caps.over_at(&id, std::slice::from_ref(span), published, seen) {
            return false;
        }
        let (until, mut tally) = (end_of_day(published, &zone), Tally::default());
        tally.count(id, span.cap, caps.count(&id, until), until);
        assert!(tally.counts());
        for word in tally.words(published, published, 9) {
            let word = serde_json::from_slice(&serde_json::to_vec(&word).unwrap()).unwrap();
            caps.learn(&word, seen + 1, published);
            caps.saw(seen + 1);
        }
        true
    };
    published.iter().map(plan).collect()
}

#[test]
fn a_day_has_as_many_alerts_as_its_owner_wants() {
    let (caps, id, span) = (Caps::new(), SubscriberId::random(), cap(2, "2026-11-01T00:00:00Z"));
    // Shanghai's day ends at 16:00 UTC.
    let published = [
        ("2026-11-22T10:00:00Z", true),
        ("2026-11-22T10:00:01Z", true),
        ("2026-11-22T15:59:59Z", false),
        ("2026-11-22T16:00:00Z", true),
        ("2026-11-22T16:00:01Z", true),
        ("2026-11-22T23:00:00Z", false),
        ("2026-11-23T16:00:00Z", true),
        // Published before midnight, planned after: of the day that was full.
        ("2026-11-23T15:59:59Z", false),
    ];
    let (times, wanted): (Vec<&str>, Vec<bool>) = published.into_iter().unzip();
    assert_eq!(alerts(&caps, id, &span, "Asia/Shanghai", &times), wanted);
    let other = SubscriberId::random();
    assert!(!caps.over_at(&other, &[span], at(PUBLISHED), caps.seen()), "nobody else's");
}

#[test]
fn what_is_over_is_so_for_whoever_asks_later_too() {
    let (caps, id) = (Caps::new(), SubscriberId::random());
    let span = cap(1, "2026-11-01T00:00:00Z");
    assert_eq!(alerts(&caps, id, &span, "UTC", &[PUBLISHED]), [true]);
    let over = |spans: &[CapSpan], published: &str, seen| caps.over_at(&id, spans, at(published), seen);
    assert!(caps.may_be_over(&id) && !caps.may_be_over(&SubscriberId::random()));
    let spans = [span.clone()];
    assert!(over(&spans, "2026-11-22T10:00:01Z", 1));
    assert!(!over(&spans, "2026-11-22T10:00:01Z", 0), "its planner did not know");
    assert!(!over(&spans, "2026-11-23T00:00:00Z", 1), "on another day");
    // Another cap begins anew; none at all leaves only storms.
    let changed = [CapSpan { until: Some(at("2026-11-22T11:00:00Z")), ..span }, cap(5, "2026-11-22T11:00:00Z")];
    assert!(over(&changed, "2026-11-22T10:59:59Z", 1) && !over(&changed, "2026-11-22T11:00:00Z", 1));
    assert!(!over(&changed[..1], "2026-11-22T11:00:00Z", 1));
}

#[test]
fn a_storm_brings_twenty_in_ten_minutes() {
    let (caps, id) = (Caps::new(), SubscriberId::random());
    let (readers, other) = (RoaringBitmap::from([7]), RoaringBitmap::from([8]));
    let now = at("2026-11-22T10:07:00Z");
    for alert in 1..=20 {
        assert_eq!(caps.filled_by_storm(&readers, now).contains(7), alert == 20, "alert {alert}");
        assert!(caps.filled_by_storm(&other, now).is_empty());
        caps.planned(&readers, now);
    }
    assert!(caps.filled_by_storm(&readers, at("2026-11-22T10:10:00Z")).is_empty(), "another ten minutes");
    let mut tally = Tally::default();
    tally.fill_by_storm(id);
    assert!(!tally.counts());
    let words = tally.words(now, now, 9);
    caps.learn(&words[0], 5, now);
    let over = |spans: &[CapSpan], published: &str, seen| caps.over_at(&id, spans, at(published), seen);
    assert!(over(&[], "2026-11-22T10:09:59Z", 5));
    assert!(!over(&[], "2026-11-22T10:10:00Z", 5));
    assert!(!over(&[], "2026-11-22T10:09:59Z", 4));
    assert!(!over(&[cap(30, "2026-11-01T00:00:00Z")], "2026-11-22T10:09:59Z", 5), "they chose a cap");
    caps.planned(&readers, at("2026-11-22T10:10:00Z"));
    assert!(caps.filled_by_storm(&readers, at("2026-11-22T10:10:00Z")).is_empty());
}

#[test]
fn words_fit_into_messages_and_say_everything() {
    let until = |hours: i64| at(PUBLISHED) + SignedDuration::from_hours(hours + 1);
    let mut tally = Tally::default();
    let ids: Vec<SubscriberId> = (0..100_000).map(|_| SubscriberId::random()).collect();
    for (n, id) in ids.iter().enumerate() {
        tally.count(*id, Cap { alerts: 2, hour: 8 }, u32::from(n % 3 == 0), until(n as i64 % 4));
    }
    tally.fill_by_storm(ids[0]);
    let words = tally.words(at(PUBLISHED), at(PUBLISHED), 96);
    assert!((3..=9).contains(&words.len()), "{}", words.len());
    let sizes = words.iter().map(|word| serde_json::to_vec(word).unwrap().len());
    assert!(sizes.max().unwrap() < 940 * 1024);
    let caps = Caps::new();
    words.iter().zip(1..).for_each(|(word, sequence)| caps.learn(word, sequence, at(PUBLISHED)));
    let inner = caps.inner.read().unwrap();
    let full = ids.iter().enumerate().filter(|(n, id)| inner.full.contains_key(id) != (n % 3 == 0)).count();
    assert_eq!((full, inner.full[&ids[0]].len()), (0, 2));
    drop(inner);
    assert!(ids.iter().enumerate().all(|(n, id)| caps.count(id, until(n as i64 % 4)) == 1));
}

#[test]
fn what_no_digest_asks_for_any_more_is_let_go() {
    let (caps, id, span) = (Caps::new(), SubscriberId::random(), cap(1, "2026-11-01T00:00:00Z"));
    alerts(&caps, id, &span, "UTC", &[PUBLISHED]);
    let word = Word { at: at(PUBLISHED), days: Vec::new() };
    caps.learn(&word, 2, at("2026-12-09T23:00:00Z"));
    let known = |caps: &Caps| {
        let inner = caps.inner.read().unwrap();
        (inner.fills.len(), inner.full.len(), inner.counts.len())
    };
    assert_eq!(known(&caps), (1, 1, 0));
    caps.learn(&word, 3, at("2026-12-10T00:00:01Z"));
    assert_eq!(known(&caps), (0, 0, 0));
}

#[test]
fn a_day_ends_whatever_the_clocks_do() {
    let end = |zone: &str, now: &str| end_of_day(at(now), &TimeZone::get(zone).unwrap()).to_string();
    assert_eq!(end("Asia/Shanghai", "2026-11-22T15:59:59Z"), "2026-11-22T16:00:00Z");
    assert_eq!(end("Asia/Shanghai", "2026-11-22T16:00:00Z"), "2026-11-23T16:00:00Z");
    // Clocks are put back from midnight to 23:00: the first midnight is none yet, and the hour belongs to the old day.
    for now in ["2026-10-29T19:30:00Z", "2026-10-29T20:59:59Z", "2026-10-29T21:30:00Z"] {
        assert!(end("Africa/Cairo", now).as_str() > now, "{now}");
    }
    // Samoa had no 30 December 2011.
    assert_eq!(end("Pacific/Apia", "2011-12-30T09:00:00Z"), "2011-12-30T10:00:00Z");
}
