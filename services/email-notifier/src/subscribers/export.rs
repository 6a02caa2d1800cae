//! Giving subscribers out, a page at a time, in the order of their last change: whoever changes meanwhile comes again
//! later, and the importer knows them by then. What is not confirmed is nobody's to pass on.

use super::{Answer, Desk, MAX_QUESTION, Page, Row, away};
use crate::subscriber::Subscriber;

/// Subscribers in a page, at most.
const PAGE: usize = 500;

impl Desk {
    pub(super) async fn export(&self, after: u64) -> Answer<Page> {
        let mut page = Page::default();
        let (mut next, mut bytes) = (after, 0);
        for _ in 0..PAGE {
            let Some(record) = self.store.next(next).await.map_err(away)? else { return Ok(page) };
            next = record.sequence;
            match record.subscriber {
                Ok(Some(subscriber)) => {
                    let rows = rows(&subscriber);
                    bytes += rows.iter().map(size).sum::<usize>();
                    page.rows.extend(rows);
                }
                Ok(None) => {}
                Err(_) => page.unreadable += 1,
            }
            if bytes >= MAX_QUESTION / 2 {
                break;
            }
        }
        page.next = Some(next);
        Ok(page)
    }
}

fn size(row: &Row) -> usize {
    row.address.len() + row.selection.len() + row.source.len() + 200
}

fn rows(subscriber: &Subscriber) -> Vec<Row> {
    let row = |subscription: &crate::subscriber::Subscription| {
        let confirmed_at = subscription.confirmed_at?;
        Some(Row {
            address: subscriber.address.as_str().to_owned(),
            selection: subscription.selection.to_string(),
            frequency: subscription.frequency.to_string(),
            zone: subscriber.zone.clone(),
            language: subscriber.language.clone(),
            confirmed_at: confirmed_at.to_string(),
            source: subscriber.said_at(confirmed_at),
        })
    };
    subscriber.confirmed().filter_map(row).collect()
}
