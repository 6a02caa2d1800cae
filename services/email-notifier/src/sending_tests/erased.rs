//! Whoever is erased is gone from memory, in every replica, at once; whoever changes is known as they are now.

use super::*;

#[tokio::test]
async fn who_is_erased_is_written_to_by_no_replica() {
    let mut desk = Desk::open(vec![]).await;
    desk.readers(3).await;
    desk.run_notifier().await;
    desk.run_notifier().await;
    let (before, _) = desk.publish(None, create("Before")).await;
    assert_eq!(desk.worked_off(&before).await.count(State::Accepted), 3);
    let erased = desk.store.erase_at(&address(1).parse().unwrap()).await.unwrap();
    assert!(erased.anything);
    let (after, _) = desk.publish(None, create("After")).await;
    assert_eq!(desk.worked_off(&after).await.count(State::Accepted), 2);
    assert_eq!((desk.sent_to(0), desk.sent_to(1), desk.sent_to(2)), (2, 1, 2));
    desk.stop().await;
    // One that starts afterwards reads the log anew.
    desk.run_notifier().await;
    let (later, _) = desk.publish(None, create("Later")).await;
    assert_eq!(desk.worked_off(&later).await.count(State::Accepted), 2);
    desk.stop().await;
}
