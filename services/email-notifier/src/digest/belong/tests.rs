//! To which span an article belongs, case by case. That each reaches everybody once is tested over runs (`digest/tests`).

use jiff::SignedDuration;

use super::*;
use crate::span::Cap;

/// A reader in Berlin with these spans, as selection, frequency, first and last hour of 2026-11-23 (a Monday, UTC).
fn asked(spans: &[(&str, &str, i64, Option<i64>, bool)]) -> Vec<Span> {
    let spans = spans.iter().map(|(selection, frequency, since, until, left)| Span {
        selection: selection.parse().unwrap(),
        frequency: frequency.parse().unwrap(),
        since: hour(*since),
        until: until.map(hour),
        left: *left,
        zone: None,
    });
    spans.collect()
}

fn hour(hours: i64) -> Timestamp {
    "2026-11-23T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours)
}

fn at(published: i64, known: i64, over: bool) -> Moment {
    Moment { published: hour(published), known: hour(known), over }
}

#[test]
fn an_article_belongs_to_the_span_that_delivers_first() {
    use Delivery::{AfterPause, AtOnce, Due};
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    // 08:00 in Berlin is 07:00 UTC; the next Friday's is 103 hours after Monday began.
    let both = asked(&[("all", "weekly@fri@08", -99, None, false), ("section/world", "daily@08", -99, None, false)]);
    let alerts = asked(&[("all", "daily@08", -99, None, false), ("section/world", "immediate", -99, None, false)]);
    let left = asked(&[("all", "daily@08", -99, Some(6), true), ("section/world", "weekly@fri@08", -99, None, false)]);
    let changed = asked(&[("all", "daily@08", -99, Some(3), false), ("all", "immediate", 3, None, false)]);
    let gone = asked(&[("all", "daily@08", -99, Some(3), false), ("all", "weekly@fri@08", 3, Some(5), true)]);
    let pause = |since, until: Option<i64>| vec![Pause { since: hour(since), until: until.map(hour) }];
    let cap = [CapSpan { cap: Cap { alerts: 1, hour: 20 }, since: hour(-99), until: None, zone: None }];
    type Case<'a> = (&'static str, &'a [Span], Vec<Pause>, Moment, Option<Delivery>);
    let cases: [Case<'_>; 14] = [
        ("the sooner of two", &both, vec![], at(1, 1, false), Some(Due(hour(7)))),
        ("what is due at seven is over at seven", &both, vec![], at(7, 7, false), Some(Due(hour(31)))),
        ("an alert before all", &alerts, vec![], at(1, 1, false), Some(AtOnce)),
        ("planned after a run", &both, vec![], at(1, 8, false), Some(Due(hour(31)))),
        ("left before it was due, but wanted otherwise", &left, vec![], at(1, 1, false), Some(Due(hour(103)))),
        ("due before they left", &left, vec![], at(-20, -20, false), Some(Due(hour(-17)))),
        ("before the change, as it was then", &changed, vec![], at(2, 2, false), Some(Due(hour(7)))),
        ("from the change on, at once", &changed, vec![], at(3, 3, false), Some(AtOnce)),
        ("changed, and left before it was due", &gone, vec![], at(2, 2, false), None),
        ("in a pause", &both, pause(0, Some(2)), at(1, 1, false), None),
        ("due in a pause", &both, pause(6, Some(8)), at(1, 1, false), Some(Due(hour(31)))),
        ("due as the pause ends", &both, pause(6, Some(7)), at(1, 1, false), Some(Due(hour(7)))),
        ("nobody knows when", &both, pause(6, None), at(1, 1, false), Some(AfterPause)),
        ("over the cap, and in no other digest", &alerts[1..], vec![], at(1, 1, true), Some(Due(hour(19)))),
    ];
    for (case, spans, pauses, moment, expected) in cases {
        let terms = Terms { zone: &zone, spans, pauses: &pauses, caps: &cap };
        assert_eq!(terms.delivery(|_| true, moment), expected, "{case}");
        assert_eq!(terms.delivery(|_| false, moment), None, "{case}: what nobody asked for");
    }
}
