//! A record's life: asked for, confirmed, left.

use proptest::prelude::*;

use super::*;
use crate::span::Cap;
use crate::subscriber::changes::EFFECT;

fn at(hours: i64) -> Timestamp {
    "2026-11-22T10:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours)
}

fn subscriber() -> Subscriber {
    Subscriber::new(SubscriberId::random(), "reader@example.org".parse().unwrap(), "en".into(), "UTC".into())
}

#[test]
fn nothing_is_sent_before_the_owner_confirmed() {
    let mut reader = subscriber();
    assert!(reader.request(&Wish::alerts(Selection::everything(), "zh"), at(0)));
    assert!(reader.wants_confirmation(at(0)) && !reader.is_confirmed());
    assert_eq!(reader.language, "zh", "an unconfirmed record takes the latest form's language");
    assert!(reader.confirm(at(1), at(1)) && reader.is_confirmed());
    assert!(!reader.confirm(at(2), at(2)), "a second press changes nothing");
    assert!(!reader.request(&Wish::alerts(Selection::everything(), "en"), at(3)));
    let events: Vec<ConsentEvent> = reader.consent.iter().map(|consent| consent.event).collect();
    assert_eq!(events, [ConsentEvent::Requested, ConsentEvent::Confirmed]);
}

#[test]
fn an_address_is_asked_once_a_day_however_often_it_is_typed() {
    let mut reader = subscriber();
    reader.request(&Wish::alerts(Selection::everything(), "en"), at(0));
    reader.confirmation_sent_at = Some(at(0));
    assert!(!reader.request(&Wish::alerts(Selection::everything(), "en"), at(1)));
    reader.request(&Wish::alerts("section/world".parse().unwrap(), "en"), at(2));
    assert!(!reader.wants_confirmation(at(23)));
    assert!(reader.wants_confirmation(at(24)));
    assert!(reader.request(&Wish::alerts(Selection::everything(), "en"), at(24)), "a day later it may be asked again");
}

#[test]
fn a_request_that_nobody_confirms_is_forgotten() {
    let mut reader = subscriber();
    reader.request(&Wish::alerts(Selection::everything(), "en"), at(0));
    assert!(!reader.confirm(at(7 * 24), at(7 * 24)));
    assert!(!reader.wants_confirmation(at(7 * 24)));
}

#[test]
fn what_a_stranger_adds_while_the_page_is_open_is_not_confirmed() {
    let mut reader = subscriber();
    reader.request(&Wish::alerts(Selection::everything(), "en"), at(0));
    reader.request(&Wish::alerts("section/world".parse().unwrap(), "en"), at(1));
    assert!(reader.confirm(at(0), at(2)));
    assert_eq!(reader.confirmed().map(|s| &s.selection).collect::<Vec<_>>(), [&Selection::everything()]);
    assert_eq!(reader.pending(at(2)).count(), 1);
}

#[test]
fn no_number_of_forms_wears_out_a_consent() {
    let mut reader = subscriber();
    reader.request(&Wish::alerts(Selection::everything(), "en"), at(0));
    reader.confirm(at(0), at(0));
    for n in 0..300 {
        let section: Selection = format!("section/s{}", n % 40).parse().unwrap();
        reader.request(&Wish::alerts(section, "en"), at(25 * n));
    }
    assert!(reader.was_confirmed() && reader.is_confirmed());
    assert!(reader.consent.len() <= 64);
}

#[test]
fn a_second_selection_gets_its_mail_on_the_same_day() {
    let mut reader = subscriber();
    reader.request(&Wish::alerts(Selection::everything(), "en"), at(0));
    reader.confirmation_sent_at = Some(at(0));
    reader.confirm(at(1), at(1));
    reader.request(&Wish::alerts("section/world".parse().unwrap(), "en"), at(2));
    assert!(reader.wants_confirmation(at(2)));
}

#[test]
fn leaving_ends_one_or_all() {
    let mut reader = subscriber();
    let world: Selection = "section/world".parse().unwrap();
    reader.request(&Wish::alerts(Selection::everything(), "en"), at(0));
    reader.request(&Wish::alerts(world.clone(), "en"), at(0));
    reader.confirm(at(1), at(1));
    assert!(reader.unsubscribe(Some(&world), Form::Unsubscribe, at(2)));
    assert!(!reader.unsubscribe(Some(&world), Form::Unsubscribe, at(2)));
    assert_eq!(reader.confirmed().count(), 1);
    assert!(reader.unsubscribe(None, Form::Unsubscribe, at(3)) && !reader.is_confirmed());
    assert!(reader.was_confirmed(), "that they had agreed, and left, is kept");
}

#[test]
fn records_from_before_there_were_expressions_are_read() {
    for selection in ["all", "section/world/亚洲", "section/-/a-b", "publisher/city-desk"] {
        let json = format!(
            r#"{{"id":"0123456789abcdef0123456789abcdef","address":"reader@example.org","language":"en",
            "subscriptions":[{{"selection":"{selection}","requested_at":"2026-11-22T10:00:00Z"}}]}}"#
        );
        let record: Subscriber = serde_json::from_str(&json).unwrap();
        assert_eq!(record.subscriptions[0].selection.as_str(), selection);
    }
}

#[test]
fn the_record_reads_back_and_hides_the_address_in_debug() {
    let mut reader = subscriber();
    reader.request(&Wish::alerts(Selection::everything(), "en"), at(0));
    let json = serde_json::to_string(&reader).unwrap();
    assert_eq!(serde_json::from_str::<Subscriber>(&json).unwrap(), reader);
    assert!(!format!("{reader:?}").contains("reader@"));
}

fn confirmed(selections: &[&str]) -> Subscriber {
    let mut reader = subscriber();
    for selection in selections {
        reader.request(&Wish::alerts(selection.parse().unwrap(), "en"), at(0));
    }
    reader.confirm(at(0), at(0));
    reader
}

const DAILY: Frequency = Frequency::Daily { hour: 8 };

#[test]
fn a_change_ends_a_span_and_begins_another_at_the_same_moment() {
    let mut reader = confirmed(&["all"]);
    let all = Selection::everything();
    assert_eq!(reader.change_frequency(&all, DAILY, at(1)), Ok(true));
    assert_eq!(reader.change_frequency(&all, DAILY, at(2)), Ok(false), "it is so already");
    assert_eq!(reader.change_frequency(&"section/world".parse().unwrap(), DAILY, at(2)), Ok(false));
    let spans: Vec<Span> = reader.spans().collect();
    assert_eq!((spans[0].frequency, spans[0].since, spans[0].until), (DAILY, at(1) + EFFECT, None));
    assert_eq!(
        (spans[1].frequency, spans[1].since, spans[1].until, spans[1].left),
        (Frequency::Immediate, at(0), Some(at(1) + EFFECT), false)
    );
    reader.unsubscribe(Some(&all), Form::Preferences, at(3));
    let ended = reader.past.last().unwrap();
    assert_eq!((ended.frequency, ended.until, ended.left), (DAILY, Some(at(3) + EFFECT), true));
}

#[test]
fn who_moves_keeps_the_zone_of_what_was_found_before() {
    let mut reader = confirmed(&["all", "section/world"]);
    reader.change_frequency(&Selection::everything(), DAILY, at(1)).unwrap();
    let cap = Cap { alerts: 3, hour: 18 };
    assert_eq!(reader.change_cap(Some(cap), at(1)), Ok(true));
    assert_eq!(reader.change_zone("asia/shanghai", at(2)), Ok(true));
    assert_eq!(reader.zone, "Asia/Shanghai");
    assert_eq!(reader.change_zone("Asia/Shanghai", at(3)), Ok(false));
    let zones: Vec<_> = reader.past.iter().map(|span| (span.frequency, span.zone.as_deref())).collect();
    let old = Some("UTC");
    assert_eq!(zones, [(Frequency::Immediate, old), (DAILY, old)], "what ended before was in the old zone, too");
    assert_eq!(reader.spans().filter(|span| span.until.is_none()).count(), 2, "an alert has no hour: it goes on");
    let caps: Vec<_> = reader.caps.iter().map(|cap| (cap.until, cap.zone.as_deref())).collect();
    assert_eq!(caps, [(Some(at(2) + EFFECT), Some("UTC")), (None, None)]);
    assert_eq!(reader.cap(), Some(cap));
    for wrong in ["", "Mars/Base", "../etc/passwd", "+08:00", "亚洲/上海", "Etc/Unknown"] {
        assert_eq!(reader.change_zone(wrong, at(4)), Err(Refused::Zone), "{wrong}");
    }
}

#[test]
fn a_pause_has_an_end_or_waits_for_one() {
    let mut reader = confirmed(&["all"]);
    assert_eq!(reader.pause(Some(at(0)), at(1)), Err(Refused::Pause));
    assert_eq!(reader.pause(Some(at(24 * 400)), at(1)), Err(Refused::Pause));
    assert_eq!(reader.pause(None, at(1)), Ok(true));
    assert_eq!(reader.pause(Some(at(48)), at(2)), Ok(true), "the same pause gets an end");
    assert_eq!(reader.pauses, [Pause { since: at(1) + EFFECT, until: Some(at(48)) }]);
    assert!(reader.resume(at(3)) && !reader.resume(at(4)));
    assert_eq!(reader.pauses[0].until, Some(at(3) + EFFECT));
    assert_eq!(reader.paused(at(4)), None);
    assert_eq!(reader.pause(None, at(5)), Ok(true));
    assert_eq!(reader.pauses.len(), 2, "what was published between them is sent");
}

#[test]
fn what_the_owner_adds_is_confirmed_and_begins_when_all_know() {
    let mut reader = confirmed(&["all"]);
    let story: Selection = "section/world".parse().unwrap();
    reader.request(&Wish::alerts(story.clone(), "en"), at(1));
    assert_eq!(reader.add(&story, DAILY, at(2)), Ok(true), "a stranger's request is their own now");
    assert_eq!(reader.add(&story, DAILY, at(3)), Ok(false));
    let added = reader.confirmed().find(|s| s.selection == story).unwrap();
    assert_eq!((added.confirmed_at, added.since()), (Some(at(2)), Some(at(2) + EFFECT)));
    let consent = reader.consent.last().unwrap();
    assert_eq!((consent.event, consent.form), (ConsentEvent::Confirmed, Some(Form::Preferences)));
    // Whoever leaves and comes back within the five seconds has two spans, one after the other.
    let now = at(5);
    reader.unsubscribe(Some(&story), Form::Preferences, now);
    reader.add(&story, DAILY, now + SignedDuration::from_secs(1)).unwrap();
    let again = reader.confirmed().find(|s| s.selection == story).unwrap();
    assert!(again.since() >= reader.past.last().unwrap().until);
}

#[test]
fn a_cap_is_bounded() {
    let mut reader = confirmed(&["all"]);
    for (alerts, hour) in [(0, 8), (1001, 8), (1, 24), (1, -1)] {
        assert_eq!(reader.change_cap(Some(Cap { alerts, hour }), at(1)), Err(Refused::Cap));
    }
    assert_eq!(reader.change_cap(None, at(1)), Ok(false));
    reader.change_cap(Some(Cap { alerts: 1, hour: 8 }), at(1)).unwrap();
    assert_eq!(reader.change_cap(None, at(2)), Ok(true));
    assert_eq!((reader.cap(), reader.caps.len()), (None, 1), "what was over it is still due");
}

#[test]
fn what_no_digest_can_ask_for_is_forgotten() {
    let mut reader = confirmed(&["all"]);
    reader.change_frequency(&Selection::everything(), DAILY, at(1)).unwrap();
    reader.prune(at(9 * 24));
    assert_eq!(reader.past.len(), 1);
    reader.prune(at(9 * 24 + 2));
    assert_eq!(reader.past.len(), 0);
    // A digest that falls due in a pause waits for its end, however far that is.
    let mut reader = confirmed(&["all"]);
    reader.change_frequency(&Selection::everything(), DAILY, at(1)).unwrap();
    reader.pause(Some(at(1000)), at(2)).unwrap();
    reader.prune(at(1000 + 8 * 24));
    assert_eq!((reader.past.len(), reader.pauses.len()), (1, 1));
    reader.prune(at(1001 + 9 * 24));
    assert_eq!((reader.past.len(), reader.pauses.len()), (0, 0));
}

#[derive(Debug, Clone)]
enum Step {
    Request(usize),
    Confirm,
    Add(usize, Frequency),
    Frequency(usize, Frequency),
    Zone(&'static str),
    Leave(Option<usize>),
    Pause(Option<i64>),
    Resume,
    Cap(Option<u16>),
    /// Many of them, to come to the bounds.
    Fill,
}

fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    let frequency = prop::sample::select(vec!["immediate", "daily@08", "weekly@mon@08", "weekly@sun@23"])
        .prop_map(|text| text.parse::<Frequency>().unwrap());
    let zone = prop::sample::select(vec!["UTC", "Asia/Shanghai", "America/New_York", "Nowhere"]);
    let step = prop_oneof![
        (0..6usize).prop_map(Step::Request),
        Just(Step::Confirm),
        (0..6usize, frequency.clone()).prop_map(|(n, frequency)| Step::Add(n, frequency)),
        (0..6usize, frequency).prop_map(|(n, frequency)| Step::Frequency(n, frequency)),
        zone.prop_map(Step::Zone),
        prop::option::of(0..6usize).prop_map(Step::Leave),
        prop::option::of(0..1000i64).prop_map(Step::Pause),
        Just(Step::Resume),
        prop::option::of(0..5u16).prop_map(Step::Cap),
        Just(Step::Fill),
    ];
    // Seconds between two steps; now and then the clock goes back.
    let pause = prop_oneof![-10..10i64, 0..100_000i64];
    prop::collection::vec((pause, step), 1..60)
}

fn take(reader: &mut Subscriber, step: &Step, now: Timestamp) {
    // 1,900 bytes is about the longest a selection may be.
    let selection = |n: usize| -> Selection {
        let text = if n == 5 { format!("section/{}", "长".repeat(600)) } else { format!("section/s{n}") };
        text.parse().unwrap()
    };
    let _ = match step {
        Step::Request(n) => Ok(reader.request(&Wish::alerts(selection(*n), "en"), now)),
        Step::Confirm => Ok(reader.confirm(now, now)),
        Step::Add(n, frequency) => reader.add(&selection(*n), *frequency, now),
        Step::Frequency(n, frequency) => reader.change_frequency(&selection(*n), *frequency, now),
        Step::Zone(zone) => reader.change_zone(zone, now),
        Step::Leave(n) => Ok(reader.unsubscribe(n.map(selection).as_ref(), Form::Preferences, now)),
        Step::Pause(hours) => reader.pause(hours.map(|hours| now + SignedDuration::from_hours(hours)), now),
        Step::Resume => Ok(reader.resume(now)),
        Step::Cap(alerts) => reader.change_cap(alerts.map(|alerts| Cap { alerts, hour: 8 }), now),
        Step::Fill => {
            for n in 0..25 {
                let name = format!("section/{}{n}", "x".repeat(n * 60));
                let _ = reader.add(&name.parse().unwrap(), DAILY, now);
                let _ = reader.change_zone(if n % 2 == 0 { "Asia/Tokyo" } else { "UTC" }, now);
            }
            Ok(true)
        }
    };
}

/// Whether no two of them share a moment.
fn apart(mut spans: Vec<(Timestamp, Option<Timestamp>)>) -> bool {
    spans.sort();
    spans.windows(2).all(|pair| pair[0].1.is_some_and(|until| until <= pair[1].0))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whatever_is_changed_spans_never_overlap_and_the_record_stays_small(steps in steps()) {
        let mut reader = subscriber();
        let mut now = at(0);
        for (pause, step) in steps {
            now += SignedDuration::from_secs(pause);
            take(&mut reader, &step, now);
            let spans: Vec<Span> = reader.spans().collect();
            for selection in spans.iter().map(|span| &span.selection) {
                let of_one = spans.iter().filter(|span| span.selection == *selection).map(|span| (span.since, span.until));
                prop_assert!(apart(of_one.collect()), "{selection:?} after {step:?}: {spans:#?}");
            }
            prop_assert!(apart(reader.pauses.iter().filter(|p| p.until != Some(p.since)).map(|pause| (pause.since, pause.until)).collect()));
            prop_assert!(apart(reader.caps.iter().filter(|c| c.until != Some(c.since)).map(|cap| (cap.since, cap.until)).collect()));
            let stored = serde_json::to_vec(&reader).unwrap();
            prop_assert!(stored.len() <= 60 * 1024, "{} bytes after {step:?}", stored.len());
            prop_assert_eq!(&serde_json::from_slice::<Subscriber>(&stored).unwrap(), &reader);
            if matches!(step, Step::Leave(None)) {
                prop_assert!(!reader.is_confirmed(), "leaving always works");
            }
            if matches!(step, Step::Resume) {
                prop_assert!(reader.paused(now).is_none(), "so does coming back");
            }
        }
    }
}
