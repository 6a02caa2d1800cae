//! What is listed, in which order, and what it costs.

use super::*;

fn id(n: u64) -> ArticleId {
    ArticleId::derived(&"hefei".parse().unwrap(), "test", &n.to_be_bytes())
}

fn index() -> Index {
    let index = Index::default();
    index.write(|state| state.caught_up = SOURCES.len());
    index
}

fn put(index: &Index, n: u64, source: Source, status: Option<Status>, second: i64, sequence: u64) {
    let prefix = if source == Source::Log { "nw.article" } else { "nw.embargo" };
    let at = jiff::Timestamp::from_second(second).unwrap();
    index.take(&format!("{prefix}.hefei.{}", id(n).token()), status, Place::new(at, sequence, source));
}

/// All that there is, read in pages of `limit`.
fn all(index: &Index, status: Option<Status>, limit: usize) -> Vec<ArticleId> {
    let (publisher, mut before, mut all) = ("hefei".parse().unwrap(), None, Vec::new());
    loop {
        let page = index.page(&publisher, status, before, limit).unwrap();
        assert!(page.articles.len() == limit || !page.more, "only the last page is short");
        all.extend(page.articles.iter().map(|(id, _)| *id));
        // The way of a cursor, through an address and back.
        before = page.articles.last().map(|(_, place)| Place::from_cursor(&place.cursor()).unwrap());
        if !page.more {
            return all;
        }
    }
}

#[test]
fn the_last_change_comes_first_and_every_article_once() {
    let index = index();
    for n in 0..7 {
        put(&index, n, Source::Log, Some(Status::Published), n as i64, n + 1);
    }
    put(&index, 2, Source::Log, Some(Status::Held), 100, 8);
    put(&index, 7, Source::Embargoes, Some(Status::Embargoed), 3, 1);
    put(&index, 8, Source::Embargoes, None, 200, 2);
    for limit in [1, 2, 3, 4, 8, 9, 10] {
        assert_eq!(all(&index, None, limit), [8, 2, 6, 5, 4, 3, 7, 1, 0].map(id), "{limit}");
    }
    // One whose status is not known may have any.
    assert_eq!(all(&index, Some(Status::Held), 1), [8, 2].map(id));
    assert_eq!(all(&index, Some(Status::Killed), 5), [8].map(id));
    let nobody = index.page(&"wuhan".parse().unwrap(), None, None, 5).unwrap();
    assert_eq!((nobody.articles.len(), nobody.more), (0, false));
}

#[test]
fn what_is_in_the_log_is_no_longer_under_embargo_whichever_is_heard_of_first() {
    let index = index();
    put(&index, 1, Source::Embargoes, Some(Status::Embargoed), 1, 1);
    put(&index, 1, Source::Log, Some(Status::Published), 2, 1);
    put(&index, 1, Source::Embargoes, Some(Status::Published), 3, 2);
    put(&index, 2, Source::Log, Some(Status::Published), 4, 2);
    assert_eq!(all(&index, None, 5), [2, 1].map(id));
    assert_eq!(all(&index, Some(Status::Embargoed), 5), []);
}

#[test]
fn nothing_is_said_before_everything_was_seen_and_strange_subjects_are_passed_over() {
    let index = Index::default();
    let page = |index: &Index| index.page(&"hefei".parse().unwrap(), None, None, 5);
    assert_eq!(page(&index), None);
    index.write(|state| state.caught_up = 1);
    assert_eq!(page(&index), None);
    index.write(|state| state.caught_up = 2);
    for subject in
        ["", "nw.article.hefei", "nw.article.hefei.x", "nw.article.HEFEI!.0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f"]
    {
        index.take(subject, None, Place { at: 0, sequence: 0 });
    }
    assert_eq!(page(&index).unwrap().articles, []);
}

#[test]
fn a_cursor_is_what_was_given_out() {
    for place in
        [Place { at: 0, sequence: 0 }, Place { at: 5, sequence: 3 }, Place { at: u64::MAX, sequence: u64::MAX }]
    {
        assert_eq!(Place::from_cursor(&place.cursor()), Some(place));
    }
    for text in ["", ".", "x.1", "1.", "1.-1", "1.1.1", "11111111111111111111.1", "１.１"] {
        assert_eq!(Place::from_cursor(text), None, "{text}");
    }
}
