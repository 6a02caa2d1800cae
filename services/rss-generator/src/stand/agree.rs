//! Replicas agree on every byte of everything they serve, whatever each of them saw, kept up, forgot and was asked for on
//! the way.

use std::collections::BTreeMap;

use article::{Article, ArticleId, Command, RevisionKind, Status};
use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::samples::{at, create, document, logged, revise, stand, then};

const SELECTIONS: [&str; 14] = [
    "all",
    "test",
    "section/world",
    "section/world/asia",
    "publisher/riverton",
    "keyword/k1",
    "language/zh",
    "section/world+urgency/4",
    "keyword/k1+keyword/k9",
    "!section/sport",
    "section/sport,keyword/k2",
    "text/number-one",
    "text/number-two+section/world",
    "!text/number-one",
];

/// One replica, asked as readers ask.
struct Replica {
    stand: Stand,
    changes: Changes,
    /// Texts that are being read meanwhile.
    search: Option<Search>,
}

impl Replica {
    fn new(memory: usize) -> Self {
        let (mut stand, _) = stand();
        stand.memory = memory;
        Self { stand, changes: Changes::default(), search: None }
    }

    /// Serves from now on, what was taken in before as well.
    fn begin(&mut self, now: Timestamp) {
        self.changes = Changes::default();
        for key in self.stand.pinned() {
            self.ask(&key, now, true);
        }
    }

    fn apply(&mut self, article: &Article, now: Timestamp) {
        let changes = self.stand.apply(logged(article), now);
        self.changes.merge(changes);
    }

    fn publish(&mut self, now: Timestamp) {
        let woken = self.stand.wake(now);
        self.changes.merge(woken);
        if !self.changes.is_empty() {
            self.stand.publish(std::mem::take(&mut self.changes), now);
        }
        self.stand.tidy(now);
    }

    fn finish(&mut self) {
        if let Some(search) = self.search.take() {
            self.stand.found(search.run());
        }
    }

    /// `patient`: whether the answer is waited for where texts have to be read.
    fn ask(&mut self, key: &Key, now: Timestamp, patient: bool) -> Option<Arc<Document>> {
        loop {
            match self.stand.make(key, now) {
                Making::Done(document) => return Some(document),
                Making::Nothing => return None,
                Making::Failed => panic!("{key:?}"),
                Making::Unread(_) if self.search.is_some() => self.finish(),
                Making::Unread(selection) => {
                    self.search = Some(self.stand.search(&selection));
                    if !patient {
                        return None;
                    }
                }
            }
        }
    }

    /// What is answered under every one of `keys`.
    fn answers<'a>(&mut self, keys: impl Iterator<Item = &'a Key>, now: Timestamp) -> Vec<(String, Option<String>)> {
        let answers = keys.map(|key| {
            let made = self.ask(key, now, true);
            let made =
                made.map(|made| format!("{} {} {:?}", made.status, made.tag, String::from_utf8(made.body().to_vec())));
            (format!("{key:?}"), made)
        });
        answers.collect()
    }
}

fn text(n: u8, kind: u16, now: Timestamp) -> serde_json::Value {
    let section = [&["World"][..], &["World", "Asia"], &["Sport"], &["WORLD", "asia"]][usize::from(kind) % 4];
    // A few share an instant, and a few are news of today.
    let published = if kind & 16 == 0 {
        format!("2026-01-{:02}T00:00:00Z", n % 20 + 1)
    } else {
        (now - SignedDuration::from_hours((kind % 60).into())).to_string()
    };
    let mut text = document("World", &published);
    text["section"] = section.into();
    text["language"] = ["en", "zh-Hans", "ar"][usize::from(kind >> 5) % 3].into();
    text["urgency"] = (kind >> 7 & 7 | 1).into();
    text["keywords"] = serde_json::json!([format!("K{}", kind >> 10 & 3), "k9"]);
    text["headline"] = format!("Number {} of {kind}", ["one", "two", "three"][usize::from(kind >> 12) % 3]).into();
    text["test"] = n.is_multiple_of(16).into();
    if kind >> 13 == 7 {
        text["expires_at"] = (now + SignedDuration::from_hours((kind % 70 + 1).into())).to_string().into();
    }
    text
}

/// The next revision of an article that numbers stand for; `None` when it cannot be made.
fn next(old: Option<&Article>, n: u8, kind: u16, now: Timestamp) -> Option<Article> {
    let (day, note) = (now.to_string(), || "No.".to_owned());
    let mut text = text(n, kind, now);
    let Some(old) = old else { return Some(create(n.into(), &text, &day)) };
    text["published"] = serde_json::to_value(&old.published).unwrap();
    let command = match (kind & 7, old.status) {
        (0, Status::Published) => Command::Hold { note: None },
        (1, Status::Held) => Command::Release { note: None },
        (2, Status::Published) => Command::Withdraw { note: note() },
        (3, status) if status != Status::Killed => Command::Kill { note: note() },
        (4, Status::Killed | Status::Withdrawn) => return Some(crate::samples::reinstate(old, &text, &day)),
        (5, Status::Published) => return Some(revise(old, RevisionKind::Correction, &text, &day)),
        (_, Status::Published) => return Some(revise(old, RevisionKind::Minor, &text, &day)),
        _ => return None,
    };
    Some(then(old, command, &day))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3))]

    #[test]
    fn replicas_agree_on_every_byte(
        steps in prop::collection::vec((0u8..11, 0u8..60, any::<u16>()), 100..200),
        order in any::<u128>(),
        later in prop::sample::select(vec![0, 1, 47, 49, 24 * 31]),
        memory in prop::sample::select(vec![256 << 10, 4 << 20, 256 << 20]),
    ) {
        let mut now = at("2026-03-01T00:00:00Z");
        let mut early = Replica::new(memory);
        early.begin(now);
        let mut last: BTreeMap<ArticleId, Article> = BTreeMap::new();
        let mut asked: HashSet<Key> = HashSet::from([Key::Directory, Key::Opml, Key::NewsSitemap]);
        for (what, n, kind) in steps {
            let form = FORMS[usize::from(kind) % FORMS.len()];
            let selection: Selection = SELECTIONS[usize::from(kind >> 2) % SELECTIONS.len()].parse().unwrap();
            let keys = match what {
                0..7 => {
                    let id = create(n.into(), &text(n, kind, now), &now.to_string()).id;
                    if let Some(revision) = next(last.get(&id), n, kind, now) {
                        early.apply(&revision, now);
                        last.insert(id, revision);
                    }
                    continue;
                }
                7 => {
                    now += SignedDuration::from_mins((kind % 300).into());
                    early.publish(now);
                    early.finish();
                    continue;
                }
                8 => vec![Key::Feed(selection, form)],
                9 => {
                    early.publish(now);
                    early.stand.archives(&selection, form)
                }
                _ => match last.keys().nth(usize::from(n) % last.len().max(1)) {
                    Some(id) if kind & 1 == 0 => vec![Key::Article(*id)],
                    _ => vec![Key::Directory, Key::Opml, Key::NewsSitemap],
                },
            };
            early.publish(now);
            for key in keys {
                early.ask(&key, now, false);
                asked.insert(key);
            }
        }
        now += SignedDuration::from_hours(later);
        early.publish(now);

        let mut late = Replica::new(256 << 20);
        let mut revisions: Vec<&Article> = last.values().collect();
        revisions.sort_by_key(|article| article.id.uuid().as_u128() ^ order);
        revisions.into_iter().for_each(|article| late.apply(article, now));
        late.begin(now);
        asked.extend(last.keys().map(|id| Key::Article(*id)));
        for selection in SELECTIONS.map(|text| text.parse::<Selection>().unwrap()) {
            for form in FORMS {
                let key = Key::Feed(selection.clone(), form);
                late.ask(&key, now, true);
                asked.extend(late.stand.archives(&selection, form));
                asked.insert(key);
            }
        }
        let keys: Vec<Key> = asked.into_iter().collect();
        let expected: BTreeMap<_, _> = late.answers(keys.iter().rev(), now).into_iter().collect();
        let found: BTreeMap<_, _> = early.answers(keys.iter(), now).into_iter().collect();
        for (key, answer) in &expected {
            prop_assert_eq!(&found[key], answer, "{}", key);
        }
    }
}
