//! Whoever asks for a link to their preferences is mailed one, once, and it opens them.

use super::*;
use crate::links::Holder;

#[tokio::test]
async fn a_link_that_was_asked_for_is_mailed_once() {
    let mut desk = Desk::open(vec![]).await;
    desk.readers(2).await;
    desk.run_notifier().await;
    let (asking, now) = (address(1).parse().unwrap(), service_kit::now());
    let id = desk.id(&asking).await;
    for _ in 0..2 {
        desk.store.update(id, |reader: &mut Subscriber| reader.ask_for_link(now)).await.unwrap();
    }
    eventually("it is noted that the mail is out", async || {
        let reader = desk.store.get(id).await.unwrap().unwrap();
        if reader.link_sent_at.is_some() && !reader.waits(now) { Ok(()) } else { Err(format!("{reader:?}")) }
    })
    .await;
    desk.stop().await;
    assert_eq!((desk.sent_to(0), desk.sent_to(1)), (0, 1));
    let mails = desk.mailbox.mails();
    let text = mails[0].content().text.clone().unwrap();
    let token = text.lines().find_map(|line| line.strip_prefix("http://127.0.0.1:2/preferences/")).expect(&text);
    let keys = Keys::new(SECRET.as_bytes());
    assert_eq!(keys.read_preferences_token(token.trim(), now), Some(Holder { id, fresh: true }));
    assert_eq!(keys.read_preferences_token(token.trim(), now + jiff::SignedDuration::from_secs(3660)), None, "an hour");
}
