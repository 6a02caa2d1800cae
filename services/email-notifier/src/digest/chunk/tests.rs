//! Chunks hold everybody once, with what is theirs, and fit into messages.

use article::ArticleId;

use super::*;
use crate::digest::due::Window;
use crate::digest::edition::MAX_ITEMS;
use crate::digest::news::{Alerted, Known};

fn slot() -> Timestamp {
    "2026-11-23T08:00:00Z".parse().unwrap()
}

fn edition(news: usize) -> Edition {
    let publisher: PublisherId = "hefei-daily".parse().unwrap();
    let known = (0..news).map(|n| Known {
        alerted: Alerted {
            article: ArticleId::derived(&publisher, "test", &n.to_be_bytes()),
            publisher: publisher.clone(),
            published: slot(),
            sequence: n as u64,
            breaking: false,
            caps_seen: 0,
        },
        since: slot(),
    });
    Edition::new(Window { after: slot(), until: slot() }, known.collect())
}

fn content(first: u32, items: usize) -> Content {
    Content { items: (first..first + items as u32).collect(), more: first, due: slot() }
}

/// What each recipient gets, by the ids of articles.
fn read(chunks: &[DigestChunk]) -> Vec<(SubscriberId, Vec<ArticleId>, u32)> {
    let of_chunk = |chunk: &DigestChunk| {
        let of = |(n, id): (usize, &SubscriberId)| {
            let list = chunk.list_of(n).expect("everybody has a list");
            let items = list.items.iter().map(|item| chunk.items[*item as usize].article).collect();
            (*id, items, list.more)
        };
        assert!(chunk.list_of(chunk.recipients.len()).is_none(), "no list without a recipient");
        chunk.recipients.iter().enumerate().map(of).collect::<Vec<_>>()
    };
    chunks.iter().flat_map(of_chunk).collect()
}

#[test]
fn everybody_is_in_one_chunk_with_their_own_list() {
    let edition = edition(60);
    let contents = [content(0, 50), content(7, 1), content(10, 50)];
    // The second list begins in the first chunk, and the third in the second.
    let of = |list: u32, count| (0..count).map(move |_| (list, SubscriberId::random()));
    let recipients: Vec<_> = of(0, 400).chain(of(1, 700)).chain(of(2, 1500)).collect();
    let chunks = chunks(slot(), slot(), &edition, &contents, &recipients);
    assert_eq!(chunks.iter().map(|chunk| chunk.recipients.len()).collect::<Vec<_>>(), [1000, 1000, 600]);
    assert_eq!(chunks.iter().map(|chunk| chunk.chunk).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(chunks[2].items.len(), 50, "no articles that nobody in it gets");
    let expected = recipients.iter().map(|(list, id)| {
        let content = &contents[*list as usize];
        let items = content.items.iter().map(|place| edition.news[*place as usize].alerted.article).collect();
        (*id, items, content.more)
    });
    assert_eq!(read(&chunks), expected.collect::<Vec<_>>());
    let json = serde_json::to_vec(&chunks[1]).unwrap();
    assert_eq!(serde_json::from_slice::<DigestChunk>(&json).unwrap(), chunks[1]);
}

#[test]
fn a_million_recipients_fit_into_a_batch_and_each_chunk_into_a_message() {
    let edition = edition(8000);
    // A list for each hundred readers, of other articles than the ones before.
    let contents: Vec<Content> = (0..10_000).map(|n| content(n * 53 % 7950, MAX_ITEMS)).collect();
    let id = SubscriberId::random();
    let recipients: Vec<_> = (0..1_000_000).map(|n| (n / 100, id)).collect();
    let chunks = chunks(slot(), slot(), &edition, &contents, &recipients);
    assert!(chunks.len() <= 997, "{}", chunks.len());
    assert_eq!(chunks.iter().map(|chunk| chunk.recipients.len()).sum::<usize>(), 1_000_000);
    let largest = chunks.iter().map(|chunk| serde_json::to_vec(chunk).unwrap().len()).max().unwrap();
    assert!(largest < topology::JOBS.max_message_bytes as usize, "{largest}");
}

#[test]
fn what_is_large_has_fewer_recipients() {
    let edition = edition(40_000);
    let contents: Vec<Content> = (0..1000).map(|n| content(n * 39, MAX_ITEMS)).collect();
    let recipients: Vec<_> = (0..1000).map(|n| (n, SubscriberId::random())).collect();
    let chunks = chunks(slot(), slot(), &edition, &contents, &recipients);
    assert!(chunks.len() > 1);
    assert_eq!(read(&chunks).len(), 1000);
    let largest = chunks.iter().map(|chunk| serde_json::to_vec(chunk).unwrap().len()).max().unwrap();
    assert!(largest < topology::JOBS.max_message_bytes as usize, "{largest}");
}

#[test]
fn a_plan_has_one_name_and_nothing_else_is_one() {
    for second in [-900, 0, 1_795_421_700] {
        let slot = Timestamp::from_second(second).unwrap();
        assert_eq!(slot_of(&plan_key(slot)), Some(slot));
    }
    let wrong =
        ["", "digest-", "digest-x", "digest-+900", "digest-0900", "digest-9.0", "digest-٩", "digest- 9", "Digest-9"];
    for wrong in wrong.into_iter().chain(["digest-99999999999999999999", "digest-999999999999999", "digest->", "9"]) {
        assert_eq!(slot_of(wrong), None, "{wrong}");
    }
}
