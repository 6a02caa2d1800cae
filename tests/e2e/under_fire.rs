//! The ledger closes under fire: a small fire, for the gate. `tests/load` has the large one.

use std::time::Duration;

use crate::fire::{Fire, burn};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_lost_and_whoever_got_it_twice_is_counted() {
    let fire = Fire { seed: 1, readers: 2000, kills: 3, patient: false, within: Duration::from_secs(300) };
    println!("{}", burn(fire).await);
}
