//! What somebody, or the guard, wants of a plan: to wait, to go on, to end, to try its failures again.
//!
//! A control is the last message on the plan's own subject, written by compare-and-set. A worker reads it there at the
//! beginning of every pass over a chunk, for the one that the guard wrote is as old as the chunk; before each window it
//! asks the memory here, which a tail keeps up.

use std::collections::HashMap;
use std::sync::RwLock;

use bus::{Bus, ReadError, Tail, TailEvent};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use topology::{JOBS, subjects};

/// How a plan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    #[default]
    Running,
    /// Somebody stopped it; it may go on.
    Paused,
    /// The guard wrote it so: nothing of it goes out until somebody lets it.
    Waiting,
    /// For good.
    Cancelled,
}

/// What is wanted of a plan. A plan without one runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Control {
    pub state: Phase,
    /// The token, the operator or the guard.
    pub by: String,
    pub at: Timestamp,
    /// How often its failures were ordered to be tried again.
    #[serde(default)]
    pub retry: u32,
    /// How many recipients such plans usually have, where the guard says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual: Option<usize>,
}

/// What may be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    Pause,
    Resume,
    Cancel,
    /// Those who failed are tried again, and with them whoever is to be tried later anyway.
    Retry,
}

/// Why an order is not carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("the plan was cancelled, which is for good: its open recipients were written off")]
    Cancelled,
    #[error("the plan does not run: resume it first, then retry")]
    Stopped,
}

impl Control {
    /// Written with the plan itself: `usual` is what the guard compared it with.
    pub(crate) fn waiting(usual: usize, at: Timestamp) -> Self {
        Self { state: Phase::Waiting, by: "guard".into(), at, retry: 0, usual: Some(usual) }
    }

    /// Reads a control. What does not read is a newer version's, or damaged: nothing goes out until it is ordered anew.
    pub(crate) fn of_bytes(plan: &str, payload: &[u8]) -> Self {
        serde_json::from_slice(payload).unwrap_or_else(|error| {
            tracing::error!(plan, %error, "a plan's control does not read; the plan stands still until somebody resumes it");
            Self { state: Phase::Paused, by: "not readable".into(), ..Self::default() }
        })
    }

    /// What the order makes of it; `None` when it is so already.
    ///
    /// # Errors
    /// [`Refused`].
    pub(crate) fn ordered(&self, order: Order, by: &str, at: Timestamp) -> Result<Option<Self>, Refused> {
        let next = |state, retry| Some(Self { state, by: by.to_owned(), at, retry, usual: None });
        Ok(match (order, self.state) {
            (Order::Cancel, Phase::Cancelled) => None,
            (Order::Cancel, _) => next(Phase::Cancelled, self.retry),
            (_, Phase::Cancelled) => return Err(Refused::Cancelled),
            // What waits for the guard waits already, and must not lose the word why.
            (Order::Pause, Phase::Paused | Phase::Waiting) | (Order::Resume, Phase::Running) => None,
            (Order::Pause, Phase::Running) => next(Phase::Paused, self.retry),
            (Order::Resume, Phase::Paused | Phase::Waiting) => next(Phase::Running, self.retry),
            (Order::Retry, Phase::Running) => next(Phase::Running, self.retry.saturating_add(1)),
            (Order::Retry, Phase::Paused | Phase::Waiting) => return Err(Refused::Stopped),
        })
    }
}

/// The controls there are, kept up by a tail. There are as many as were given in 400 days, which people do one by one.
#[derive(Debug, Default)]
pub(crate) struct Controls(RwLock<HashMap<String, (Control, u64)>>);

impl Controls {
    /// What is known to be wanted of a plan.
    pub(crate) fn of(&self, plan: &str) -> Control {
        self.known(plan).unwrap_or_default()
    }

    /// `None`: nobody ever wanted anything of it.
    pub(crate) fn known(&self, plan: &str) -> Option<Control> {
        let known = self.0.read().expect("no code panics while it holds this lock");
        known.get(plan).map(|(control, _)| control.clone())
    }

    /// What is wanted of a plan at this moment, from the log itself.
    ///
    /// # Errors
    /// When the server does not answer.
    pub(crate) async fn read(&self, bus: &Bus, plan: &str) -> Result<Control, ReadError> {
        if let Some(stored) = bus.last(&JOBS, &subjects::control(plan)).await? {
            self.learn(plan, &stored.payload, stored.sequence);
        }
        Ok(self.of(plan))
    }

    /// Until the tail, of [`subjects::CONTROLS`], ends; calls `caught_up` once all that was there is known.
    pub(crate) async fn follow(&self, mut tail: Tail, caught_up: impl Fn()) {
        while let Some(event) = tail.next().await {
            match event {
                TailEvent::CaughtUp => caught_up(),
                TailEvent::Message { subject, payload, sequence, .. } => {
                    let plan = subject.rsplit('.').next().unwrap_or_default();
                    self.learn(plan, &payload, sequence);
                }
            }
        }
    }

    /// Takes over a message on a control's subject; an older one than is known changes nothing.
    pub(crate) fn learn(&self, plan: &str, payload: &[u8], sequence: u64) {
        let control = Control::of_bytes(plan, payload);
        let mut known = self.0.write().expect("no code panics while it holds this lock");
        let newest = known.entry(plan.to_owned()).or_default();
        if newest.1 >= sequence {
            return;
        }
        if control.state == Phase::Waiting {
            // At each start again for as long as it waits: it must not be forgotten.
            let usual = control.usual.unwrap_or_default();
            tracing::error!(plan, usual, "a plan far larger than usual waits; let it go: newswire plan resume {plan}");
        }
        *newest = (control, sequence);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(state: Phase) -> Control {
        Control { state, by: "a".into(), at: Timestamp::UNIX_EPOCH, retry: 3, usual: Some(7) }
    }

    #[test]
    fn each_order_leads_where_it_says() {
        use Order::{Cancel, Pause, Resume, Retry};
        use Phase::{Cancelled, Paused, Running, Waiting};
        let cases = [
            (Running, Pause, Ok(Some((Paused, 3)))),
            (Running, Resume, Ok(None)),
            (Running, Cancel, Ok(Some((Cancelled, 3)))),
            (Running, Retry, Ok(Some((Running, 4)))),
            (Paused, Pause, Ok(None)),
            (Paused, Resume, Ok(Some((Running, 3)))),
            (Paused, Cancel, Ok(Some((Cancelled, 3)))),
            (Paused, Retry, Err(Refused::Stopped)),
            (Waiting, Pause, Ok(None)),
            (Waiting, Resume, Ok(Some((Running, 3)))),
            (Waiting, Cancel, Ok(Some((Cancelled, 3)))),
            (Waiting, Retry, Err(Refused::Stopped)),
            (Cancelled, Pause, Err(Refused::Cancelled)),
            (Cancelled, Resume, Err(Refused::Cancelled)),
            (Cancelled, Cancel, Ok(None)),
            (Cancelled, Retry, Err(Refused::Cancelled)),
        ];
        for (state, order, expected) in cases {
            let at = Timestamp::from_second(9).unwrap();
            let got = control(state).ordered(order, "desk", at);
            if let Ok(Some(next)) = &got {
                assert_eq!((next.by.as_str(), next.at, next.usual), ("desk", at, None));
            }
            let got = got.map(|next| next.map(|next| (next.state, next.retry)));
            assert_eq!(got, expected, "{order:?} while {state:?}");
        }
    }

    #[test]
    fn the_newest_word_counts_however_it_comes_and_an_unreadable_one_stops_the_plan() {
        let controls = Controls::default();
        let written = |state| serde_json::to_vec(&control(state)).unwrap();
        assert_eq!((controls.known("p"), controls.of("p").state), (None, Phase::Running));
        controls.learn("p", &written(Phase::Waiting), 4);
        controls.learn("p", &written(Phase::Running), 9);
        // The tail comes later with what was read directly.
        controls.learn("p", &written(Phase::Paused), 8);
        assert_eq!(controls.of("p"), control(Phase::Running));
        controls.learn("p", br#"{"state":"sideways"}"#, 10);
        assert_eq!(controls.of("p").state, Phase::Paused);
        assert_eq!(controls.of("q").state, Phase::Running);
    }
}
