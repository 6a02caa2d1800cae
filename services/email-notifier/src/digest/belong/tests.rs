//! Digest exactness: a subscriber changes their mind at random while news comes, runs are missed and plans are late. What
//! is asked here is answered a second time by a model that knows no spans and no due times: it walks through the weeks by
//! quarters of an hour, looks at the clock on the wall, and carries letters in its hands.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, Mutex};

use jiff::SignedDuration;
use jiff::civil::Weekday;
use proptest::prelude::*;

use super::*;
use crate::span::Cap;
use crate::subscriber::{Form, Subscriber, SubscriberId};

const ZONES: [&str; 7] = [
    "UTC",
    "Europe/Berlin",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "America/St_Johns",
];
/// Clocks change within the weeks after each of them in some of these zones; Samoa skips a day.
const STARTS: [&str; 5] = [
    "2026-03-20T00:00:00Z",
    "2026-04-15T00:00:00Z",
    "2026-09-20T00:00:00Z",
    "2026-10-15T00:00:00Z",
    "2011-12-20T00:00:00Z",
];
const SELECTIONS: [&str; 3] = ["all", "section/world", "section/sport"];
/// Days in which something happens, and quarters until everything has arrived that can.
const DAYS: i64 = 21;
const QUARTERS: i64 = (DAYS + 20) * 96;

#[derive(Debug, Clone)]
enum Deed {
    Join(usize, Frequency),
    Change(usize, Frequency),
    Leave(usize),
    Move(usize),
    Pause(Option<i64>),
    Resume,
    Cap(Option<Cap>),
}

#[derive(Debug, Clone)]
struct News {
    minute: i64,
    second: i64,
    matches: [bool; 3],
    /// Minutes until it is planned.
    late: i64,
    over: bool,
}

#[derive(Debug, Clone)]
struct History {
    start: usize,
    zone: usize,
    first: [Option<Frequency>; 3],
    deeds: BTreeMap<i64, Deed>,
    news: Vec<News>,
    /// Quarters in which no notifier runs.
    outages: Vec<(i64, i64)>,
}

fn frequency() -> impl Strategy<Value = Frequency> {
    let daily = prop::sample::select(vec![0, 2, 8, 23]).prop_map(|hour| Frequency::Daily { hour });
    // No Friday: Samoa had one less, and what "the same distance later" means then is tested with the frequency.
    let days = vec![Weekday::Sunday, Weekday::Monday, Weekday::Thursday];
    let weekly = (prop::sample::select(days), prop::sample::select(vec![0, 2, 8, 23]));
    prop_oneof![Just(Frequency::Immediate), daily, weekly.prop_map(|(day, hour)| Frequency::Weekly { day, hour }),]
}

fn deed() -> impl Strategy<Value = Deed> {
    let cap = prop::option::of(0..24_i8).prop_map(|hour| hour.map(|hour| Cap { alerts: 1, hour }));
    prop_oneof![
        1 => (0..3_usize, frequency()).prop_map(|(n, frequency)| Deed::Join(n, frequency)),
        3 => (0..3_usize, frequency()).prop_map(|(n, frequency)| Deed::Change(n, frequency)),
        1 => (0..3_usize).prop_map(Deed::Leave),
        1 => (0..ZONES.len()).prop_map(Deed::Move),
        1 => prop::option::of(1..120_i64).prop_map(Deed::Pause),
        1 => Just(Deed::Resume),
        1 => cap.prop_map(Deed::Cap),
    ]
}

fn news() -> impl Strategy<Value = News> {
    let late = prop_oneof![4 => Just(0), 1 => 1..3000_i64];
    // On a quarter, too: what is due then is over then. Changes take effect in the fifth second of a minute.
    let minute = prop_oneof![0..DAYS * 1440, (0..DAYS * 96).prop_map(|quarter| quarter * 15)];
    let second = prop::sample::select(vec![0, 4, 5, 6, 59]);
    (minute, second, any::<[bool; 3]>(), late, prop::bool::weighted(0.2))
        .prop_map(|(minute, second, matches, late, over)| News { minute: minute + 1, second, matches, late, over })
}

fn history() -> impl Strategy<Value = History> {
    let deeds = prop::collection::btree_map(2..DAYS * 1440, deed(), 0..12);
    let outages = prop::collection::vec((0..DAYS * 96, 1..400_i64), 0..4);
    let first = [prop::option::of(frequency()), prop::option::of(frequency()), prop::option::of(frequency())];
    (0..STARTS.len(), 0..ZONES.len(), first, deeds, prop::collection::vec(news(), 1..30), outages)
        .prop_map(|(start, zone, first, deeds, news, outages)| History { start, zone, first, deeds, news, outages })
}

impl History {
    fn at(&self, minutes: i64, seconds: i64) -> Timestamp {
        let start: Timestamp = STARTS[self.start].parse().unwrap();
        start + SignedDuration::from_mins(minutes) + SignedDuration::from_secs(seconds)
    }

    fn published(&self, news: &News) -> Timestamp {
        self.at(news.minute, news.second)
    }

    fn planned(&self, news: &News) -> Timestamp {
        self.published(news) + SignedDuration::from_mins(news.late)
    }

    /// The slots at which a run is made.
    fn runs(&self) -> Vec<Timestamp> {
        let away = |quarter: i64| self.outages.iter().any(|(from, count)| (*from..from + count).contains(&quarter));
        (0..QUARTERS).filter(|quarter| !away(*quarter)).map(|quarter| self.at(quarter * 15, 0)).collect()
    }
}

fn selection(n: usize) -> Selection {
    SELECTIONS[n].parse().unwrap()
}

/// When each article is sent, as runs and planners would have it.
type Sent = BTreeMap<usize, Vec<Timestamp>>;

/// What the service does: at each run it asks of each article it knows, by the record as it is then.
fn by_spans(history: &History) -> Sent {
    let address = "reader@example.org".parse().unwrap();
    let mut record = Subscriber::new(SubscriberId::random(), address, "en".into(), ZONES[history.zone].into());
    for (n, frequency) in history.first.iter().enumerate().filter_map(|(n, first)| Some((n, (*first)?))) {
        record.add(&selection(n), frequency, history.at(0, 0)).unwrap();
    }
    let (mut deeds, mut runs) = (history.deeds.iter().peekable(), Vec::new());
    let (mut sent, mut answers) = (Sent::new(), HashMap::new());
    let (mut last, mut version) = (history.at(0, 0), 0);
    let mut planned: Vec<usize> = (0..history.news.len()).collect();
    planned.sort_by_key(|n| history.planned(&history.news[*n]));
    let mut planned = planned.into_iter().peekable();
    for slot in history.runs() {
        // A moment after the slot; whoever presses a button later is not asked.
        let now = slot + SignedDuration::from_secs(3);
        loop {
            let deed = deeds.peek().map(|(minute, _)| history.at(**minute, 0)).filter(|at| *at <= now);
            let plan = planned.peek().map(|n| history.planned(&history.news[*n])).filter(|at| *at <= slot);
            match (deed, plan) {
                (Some(deed), plan) if plan.is_none_or(|plan| deed <= plan) => {
                    let (minute, deed) = deeds.next().unwrap();
                    apply(&mut record, deed, history.at(*minute, 0));
                    version += 1;
                }
                (_, Some(_)) => {
                    let n = planned.next().unwrap();
                    if answer(history, &record, n, &runs) == Some(Delivery::AtOnce) {
                        sent.entry(n).or_default().push(history.published(&history.news[n]));
                    }
                }
                _ => break,
            }
        }
        for n in (0..history.news.len()).filter(|n| history.planned(&history.news[*n]) <= slot) {
            let answer = *answers.entry((version, n)).or_insert_with(|| answer(history, &record, n, &runs));
            if let Some(Delivery::Due(due)) = answer
                && last < due
                && due <= slot
            {
                sent.entry(n).or_default().push(due);
            }
        }
        runs.push(slot);
        last = slot;
    }
    sent
}

fn answer(history: &History, record: &Subscriber, n: usize, runs: &[Timestamp]) -> Option<Delivery> {
    let news = &history.news[n];
    let published = history.published(news);
    let missed = runs.iter().filter(|run| **run < history.planned(news)).max();
    let known = missed.map_or(published, |missed| published.max(*missed));
    let spans: Vec<Span> = record.spans().collect();
    let zone = TimeZone::get(&record.zone).unwrap();
    let terms = Terms { zone: &zone, spans: &spans, pauses: &record.pauses, caps: &record.caps };
    let matches = |asked: &Selection| (0..3).any(|n| news.matches[n] && selection(n) == *asked);
    // Whoever plans the alert holds them to a cap that stands.
    let over = news.over && record.caps.iter().any(|cap| cap.covers(published));
    terms.delivery(matches, Moment { published, known, over })
}

fn apply(record: &mut Subscriber, deed: &Deed, now: Timestamp) {
    let done = match deed {
        Deed::Join(n, frequency) => record.add(&selection(*n), *frequency, now),
        Deed::Change(n, frequency) => record.change_frequency(&selection(*n), *frequency, now),
        Deed::Leave(n) => Ok(record.unsubscribe(Some(&selection(*n)), Form::Preferences, now)),
        Deed::Move(zone) => record.change_zone(ZONES[*zone], now),
        Deed::Pause(hours) => record.pause(hours.map(|hours| now + SignedDuration::from_hours(hours)), now),
        Deed::Resume => Ok(record.resume(now)),
        Deed::Cap(cap) => record.change_cap(*cap, now),
    };
    done.unwrap();
}

/// An article in somebody's hands, because of one of their subscriptions, until a bell rings.
struct Letter {
    article: usize,
    subscription: usize,
    bell: (Frequency, usize),
}

/// The model's subscriber.
#[derive(Default)]
struct Reader {
    zone: usize,
    wants: [Option<Frequency>; 3],
    cap: Option<Cap>,
    /// When the pause began, and ends.
    pause: Option<(Timestamp, Option<Timestamp>)>,
    letters: Vec<Letter>,
}

impl Reader {
    fn paused(&self, now: Timestamp) -> bool {
        self.pause.is_some_and(|(since, until)| since <= now && until.is_none_or(|until| now < until))
    }

    /// `effect`: five seconds after `pressed`.
    fn does(&mut self, deed: &Deed, pressed: Timestamp, effect: Timestamp) {
        match deed {
            Deed::Join(n, frequency) => self.wants[*n] = self.wants[*n].or(Some(*frequency)),
            Deed::Change(n, frequency) => self.wants[*n] = self.wants[*n].map(|_| *frequency),
            Deed::Leave(n) => {
                self.wants[*n] = None;
                self.letters.retain(|letter| letter.subscription != *n);
            }
            Deed::Move(zone) => self.zone = *zone,
            Deed::Cap(cap) => self.cap = *cap,
            Deed::Pause(hours) => {
                let until = hours.map(|hours| pressed + SignedDuration::from_hours(hours));
                self.pause = Some(match self.pause.filter(|_| self.paused(effect)) {
                    Some((since, _)) => (since, until),
                    None => (effect, until),
                });
            }
            Deed::Resume => self.pause = None,
        }
    }
}

type Rings = Arc<BTreeSet<Timestamp>>;
/// By start, frequency and zone.
type AllRings = HashMap<(usize, Frequency, usize), Rings>;

/// Looked up once for all histories that begin alike: a walk through six weeks takes a while.
fn rings_of(bell: (Frequency, usize), history: &History) -> Rings {
    static KNOWN: LazyLock<Mutex<AllRings>> = LazyLock::new(Mutex::default);
    let key = (history.start, bell.0, bell.1);
    KNOWN.lock().unwrap().entry(key).or_insert_with(|| Arc::new(rings(bell, history))).clone()
}

/// Each day's first quarter at which a clock on the wall shows the hour, or is past it.
fn rings((frequency, zone): (Frequency, usize), history: &History) -> BTreeSet<Timestamp> {
    let (weekday, hour) = match frequency {
        Frequency::Immediate => return BTreeSet::new(),
        Frequency::Daily { hour } => (None, hour),
        Frequency::Weekly { day, hour } => (Some(day), hour),
    };
    let zone = TimeZone::get(ZONES[zone]).unwrap();
    let (mut rings, mut rung) = (BTreeSet::new(), None);
    for quarter in -3 * 96..QUARTERS {
        let now = history.at(quarter * 15, 0);
        let wall = zone.to_datetime(now);
        let today = weekday.is_none_or(|day| wall.weekday() == day);
        if today && wall.hour() >= hour && rung.is_none_or(|rung| wall.date() > rung) {
            rung = Some(wall.date());
            rings.insert(now);
        }
    }
    rings
}

fn by_hand(history: &History) -> Sent {
    let mut reader = Reader { zone: history.zone, wants: history.first, ..Reader::default() };
    let (mut sent, mut bells) = (Sent::new(), HashMap::new());
    let runs = history.runs();
    let mut events: Vec<(Timestamp, u8, usize)> = Vec::new();
    let deeds: Vec<(&i64, &Deed)> = history.deeds.iter().collect();
    // At one moment: first what takes effect, then what rings, then what is published.
    events.extend(deeds.iter().enumerate().map(|(n, (minute, _))| (history.at(**minute, 5), 0, n)));
    events.extend((0..QUARTERS as usize).map(|quarter| (history.at(quarter as i64 * 15, 0), 1, quarter)));
    events.extend(history.news.iter().enumerate().map(|(n, news)| (history.published(news), 2, n)));
    events.sort_unstable();
    for (now, kind, n) in events {
        match kind {
            0 => reader.does(deeds[n].1, history.at(*deeds[n].0, 0), now),
            1 if !reader.paused(now) => {
                // Whoever makes the run that this is part of, perhaps much later, may not know of all yet.
                let Some(run) = runs.iter().find(|run| **run >= now) else { continue };
                let letters = reader.letters.iter().filter(|letter| {
                    let bell = bells.entry(letter.bell).or_insert_with(|| rings_of(letter.bell, history));
                    bell.contains(&now) && history.planned(&history.news[letter.article]) <= *run
                });
                let opened: BTreeSet<usize> = letters.map(|letter| letter.article).collect();
                opened.iter().for_each(|article| sent.entry(*article).or_default().push(now));
                reader.letters.retain(|letter| !opened.contains(&letter.article));
            }
            2 if !reader.paused(now) => {
                let news = &history.news[n];
                let wants = |sub: usize| reader.wants[sub].filter(|_| news.matches[sub]);
                if !(news.over && reader.cap.is_some()) && (0..3).any(|sub| wants(sub) == Some(Frequency::Immediate)) {
                    sent.entry(n).or_default().push(now);
                    continue;
                }
                let hour = reader.cap.map_or(HOUR, |cap| cap.hour);
                for (subscription, wanted) in (0..3).filter_map(|sub| Some((sub, wants(sub)?))) {
                    let at = if wanted == Frequency::Immediate { Frequency::Daily { hour } } else { wanted };
                    reader.letters.push(Letter { article: n, subscription, bell: (at, reader.zone) });
                }
            }
            _ => {}
        }
    }
    sent
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn each_article_reaches_its_subscriber_exactly_once(history in history()) {
        let sent = by_spans(&history);
        for (article, times) in &sent {
            prop_assert_eq!(times.len(), 1, "article {} was sent at {:?}", article, times);
        }
        prop_assert_eq!(sent, by_hand(&history));
    }
}

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
