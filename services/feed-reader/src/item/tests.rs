//! What is to be done about items, told as a line each.

use super::*;

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn source() -> Source {
    Source {
        url: "https://echo.example/feed".parse().unwrap(),
        name: Some("The Echo".into()),
        section: Vec::new(),
        language: None,
        added_at: now(),
        asked_at: now(),
        paused: false,
        removed_at: None,
    }
}

fn feed(items: &[String]) -> Feed {
    let text = format!("<rss version='2.0'><channel><title>E</title>{}</channel></rss>", items.concat());
    upstream::read(text.as_bytes(), None, &source().url).unwrap()
}

fn item(guid: &str, minute: u32, title: &str, text: &str) -> String {
    format!(
        "<item><guid>{guid}</guid><title>{title}</title><pubDate>Mon, 23 Nov 2026 10:{minute:02}:00 GMT</pubDate>\
         <description>{text}</description></item>"
    )
}

/// What is known once all `jobs` have been done, the articles numbered.
fn done(jobs: Vec<Job>, mut known: HashMap<String, Kept<ItemRecord>>) -> HashMap<String, Kept<ItemRecord>> {
    for mut job in jobs {
        let sequence = known.values().map(|kept| kept.sequence).max().unwrap_or(0) + 1;
        assert_eq!(job.expected, known.get(&job.name).map_or(0, |kept| kept.sequence), "{}", job.name);
        match job.action {
            Action::Create { .. } => job.record.at(ArticleId::new(now(), [sequence as u8; 10]), 1),
            Action::Revise { article, base, .. } => job.record.at(article, base + 1),
            Action::Note | Action::Refuse { .. } => {}
        }
        known.insert(job.name, Kept { record: job.record, sequence });
    }
    known
}

fn lines(jobs: &[Job]) -> Vec<String> {
    let line = |job: &Job| match &job.action {
        Action::Note => "note".to_owned(),
        Action::Create { draft, .. } => format!("create {}", draft["headline"].as_str().unwrap()),
        Action::Revise { base, kind, draft, .. } => {
            format!("{kind} of {base}: {}", draft["headline"].as_str().unwrap())
        }
        Action::Refuse { why, .. } => format!("refuse: {why}"),
    };
    jobs.iter().map(line).collect()
}

fn work(items: &[String], known: HashMap<String, Kept<ItemRecord>>) -> Vec<Job> {
    jobs(&feed(items), &source(), "s1", known, false, now())
}

#[test]
fn new_changed_and_unchanged_items_are_told_apart_and_the_oldest_come_first() {
    let before = [item("2", 2, "Two", "b"), item("1", 1, "One", "a"), "<item><guid>3</guid></item>".to_owned()];
    let first = work(&before, HashMap::new());
    assert_eq!(lines(&first), ["refuse: it has neither a title nor any text", "create One", "create Two"]);
    let known = done(first, HashMap::new());
    assert_eq!(lines(&work(&before, known.clone())), Vec::<String>::new(), "nothing has changed");
    let after = [item("2", 2, "Two", "b, put right"), item("4", 4, "Four", "d"), item("3", 3, "Three", "c")];
    let second = work(&after, known.clone());
    assert_eq!(lines(&second), ["minor of 1: Two", "create Three", "create Four"]);
    assert_eq!(lines(&work(&after, done(second, known))), Vec::<String>::new());
}

#[test]
fn the_key_of_an_item_follows_from_what_it_is_called_and_from_its_source() {
    let key = |source_id: &str, guid: &str| {
        let feed = feed(&[item(guid, 1, "One", "a")]);
        match jobs(&feed, &source(), source_id, HashMap::new(), false, now()).remove(0).action {
            Action::Create { key, .. } => key,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(key("s1", "http://echo.example/1"), key("s1", "https://www.echo.example/1"));
    assert_ne!(key("s1", "https://echo.example/1"), key("s1", "https://echo.example/2"));
    assert_ne!(key("s1", "https://echo.example/1"), key("s2", "https://echo.example/1"));
}

#[test]
fn two_that_would_have_one_name_are_two() {
    let known = done(
        work(&[item("https://a.example/1", 1, "Of one site", "alpha beta gamma delta")], HashMap::new()),
        HashMap::new(),
    );
    let other = work(&[item("https://b.example/1", 9, "Of another site", "one two three four five")], known.clone());
    assert_eq!(lines(&other), ["create Of another site"]);
    assert!(!known.contains_key(&other[0].name));
    assert_eq!(done(other, known).len(), 2);
}

#[test]
fn a_first_reading_takes_the_newest_and_goes_on_where_it_was_cut() {
    let items: Vec<String> =
        (0..58).map(|n| item(&format!("g{n}"), n, &format!("Headline {n}"), &format!("Text {n}"))).collect();
    let first = |known| jobs(&feed(&items), &source(), "s1", known, true, now());
    let all = first(HashMap::new());
    let count = |jobs: &[Job], what: &str| lines(jobs).iter().filter(|line| line.starts_with(what)).count();
    assert_eq!((count(&all, "note"), count(&all, "create")), (8, AT_FIRST));
    let mut half = all;
    half.truncate(20);
    let rest = first(done(half, HashMap::new()));
    assert_eq!((count(&rest, "note"), count(&rest, "create")), (0, AT_FIRST - 12));
}

#[test]
fn what_the_newsroom_has_stays_and_what_was_refused_is_tried_when_it_changes() {
    let before = [item("1", 1, "One", "a")];
    let mut known = done(work(&before, HashMap::new()), HashMap::new());
    for kept in known.values_mut() {
        kept.record.is_newsrooms(ArticleId::new(now(), [1; 10]));
    }
    let changed = work(&[item("1", 1, "One", "changed")], known.clone());
    assert_eq!(lines(&changed), ["note"], "only what it looks like now is noted");
    assert!(matches!(changed[0].record.fate, Fate::Newsrooms { .. }));
    for kept in known.values_mut() {
        kept.record.fate = Fate::Refused;
    }
    assert_eq!(lines(&work(&before, known.clone())), Vec::<String>::new());
    assert_eq!(lines(&work(&[item("1", 1, "One", "changed")], known)), ["create One"]);
}

#[test]
fn a_record_is_refreshed_before_it_is_forgotten_and_knows_the_newest_names() {
    let before = [item("http://echo.example/1", 1, "One", "a")];
    let mut known = done(work(&before, HashMap::new()), HashMap::new());
    let renamed = work(&[item("https://www.echo.example/1", 1, "One", "a")], known.clone());
    assert_eq!(lines(&renamed), ["note"]);
    assert!(matches!(renamed[0].record.fate, Fate::Article { revision: 1, .. }), "it stays what it is");
    for kept in known.values_mut() {
        kept.record.noted_at = now() - REMEMBERED / 2 - SignedDuration::from_secs(1);
    }
    assert_eq!(lines(&work(&before, known)), ["note"]);
}

#[test]
fn a_record_reads_back() {
    let record = work(&[item("1", 1, "One", "a")], HashMap::new()).remove(0).record;
    for fate in [Fate::Refused, Fate::Older, Fate::Article { article: ArticleId::new(now(), [1; 10]), revision: 3 }] {
        let record = ItemRecord { fate, ..record.clone() };
        let json = serde_json::to_vec(&record).unwrap();
        assert!(json.len() < 1200, "{}", json.len());
        assert_eq!(serde_json::from_slice::<ItemRecord>(&json).unwrap(), record);
    }
}
