//! What dies when, from the seed.

use std::time::Duration;

use super::Fire;

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Victim {
    First,
    Second,
    Server,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Kill {
    pub(crate) victim: Victim,
    /// How many mails the relay has by then.
    pub(crate) at: usize,
    /// How long it is away. A notifier is back at once, as a supervisor would have it.
    pub(crate) down: Duration,
}

/// Two of five kills are of the server; one of five comes when all have been tried once and the rest is tried again.
pub(crate) fn draw(fire: &Fire) -> Vec<Kill> {
    let mut rng = fastrand::Rng::with_seed(fire.seed);
    let mut victims: Vec<Victim> = (0..fire.kills)
        .map(|n| match n % 5 {
            1 | 3 => Victim::Server,
            0 => Victim::First,
            _ => Victim::Second,
        })
        .collect();
    rng.shuffle(&mut victims);
    let late = fire.kills.div_ceil(5);
    // In thousandths of the readers; a fortieth of them is put off or refused.
    let mut moments: Vec<usize> =
        (0..fire.kills).map(|n| if n < late { rng.usize(970..978) } else { rng.usize(0..940) }).collect();
    moments.sort_unstable();
    let kill = |(victim, moment): (Victim, usize)| Kill {
        victim,
        at: fire.readers * moment / 1000,
        down: Duration::from_millis(rng.u64(0..3000)),
    };
    victims.into_iter().zip(moments).map(kill).collect()
}
