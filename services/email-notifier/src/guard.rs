//! Keeps a mistake from reaching everybody: an alert to far more readers than its section usually has waits until
//! somebody has looked at it.
//!
//! Breaking news is never held. It goes to those who asked for nothing else, at hours when nobody sits before a screen,
//! and seconds are what it is for; somebody at the desk has called it breaking, which is the look that the guard asks
//! for. A far larger one than usual is reported at once, with the words that stop it in the middle, and what went out by
//! mistake is followed by the kill that reaches exactly those who got it.
//!
//! Notices, updates of a story and digests are not held either: they are for who got the alert, or asked for them.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::Mutex;

use article::PublisherId;
use bus::{Tail, TailEvent};
use lru::LruCache;

use crate::control::{Controls, Phase};
use crate::plan::{Head, Kind, Lane};

/// Plans that say what is usual, the newest.
const LAST: usize = 20;

/// With fewer nothing is usual yet.
const AT_LEAST: usize = 5;

/// Sections whose plans are remembered; the least recently used makes way, and has no usual size then.
const SECTIONS: NonZeroUsize = NonZeroUsize::new(4096).expect("it is not 0");

/// What the guard goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardConfig {
    /// Plans of fewer recipients are never held.
    pub from: usize,
    /// How many times the usual size is too many; 0: never.
    pub factor: usize,
}

impl Default for GuardConfig {
    fn default() -> Self {
        Self { from: 1000, factor: 10 }
    }
}

/// What the guard says to a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Usual,
    /// It is not to go out before somebody lets it. The size that plans like it usually have.
    Waits(usize),
    /// As large, and too urgent to wait.
    Urgent(usize),
}

/// Whose plans are compared: breaking news is for other readers than the rest of its section.
type Section = (PublisherId, String, Lane);

/// The sizes of the plans that were made.
pub(crate) struct Guard {
    config: GuardConfig,
    made: Mutex<LruCache<Section, VecDeque<(String, usize)>>>,
}

impl Guard {
    pub(crate) fn new(config: GuardConfig) -> Self {
        Self { config, made: Mutex::new(LruCache::new(SECTIONS)) }
    }

    /// Until the tail, of the heads of plans, ends; calls `caught_up` once all that were there are known.
    pub(crate) async fn follow(&self, mut tail: Tail, caught_up: impl Fn()) {
        while let Some(event) = tail.next().await {
            match event {
                TailEvent::CaughtUp => caught_up(),
                TailEvent::Message { payload, .. } => {
                    // A plan that does not read is reported by whoever works on it; one less says what is usual.
                    if let Ok(head) = serde_json::from_slice(&payload) {
                        self.learn(&head);
                    }
                }
            }
        }
    }

    /// Notes a plan that was made, in the order of the log.
    pub(crate) fn learn(&self, head: &Head) {
        let Some(section) = section(head) else { return };
        let mut made = self.made.lock().expect("no code panics while it holds this lock");
        let plans = made.get_or_insert_mut(section, VecDeque::new);
        if plans.len() == LAST {
            plans.pop_front();
        }
        plans.push_back((head.plan.clone(), head.matched));
    }

    /// What it says to a plan that is about to be made. A plan that waits or was cancelled says nothing about what is
    /// usual; one that somebody has let go says that its size is right.
    pub(crate) fn verdict(&self, head: &Head, controls: &Controls) -> Verdict {
        if self.config.factor == 0 || head.matched < self.config.from {
            return Verdict::Usual;
        }
        let Some(section) = section(head) else { return Verdict::Usual };
        let (mut sizes, mut let_go) = (Vec::with_capacity(LAST), 0);
        {
            let mut made = self.made.lock().expect("no code panics while it holds this lock");
            for (plan, matched) in made.get(&section).into_iter().flatten() {
                match controls.known(plan).map(|control| control.state) {
                    Some(Phase::Waiting | Phase::Cancelled) => continue,
                    Some(Phase::Running) => let_go = let_go.max(*matched),
                    Some(Phase::Paused) | None => {}
                }
                sizes.push(*matched);
            }
        }
        sizes.sort_unstable();
        let usual = sizes.get(sizes.len() / 2).copied().unwrap_or_default();
        let far = head.matched > self.config.factor.saturating_mul(usual) && head.matched > let_go;
        match head.lane {
            _ if sizes.len() < AT_LEAST || !far => Verdict::Usual,
            Lane::Breaking => Verdict::Urgent(usual),
            Lane::Normal | Lane::Digest => Verdict::Waits(usual),
        }
    }
}

/// `None` for what is not guarded.
fn section(head: &Head) -> Option<Section> {
    let publisher = head.publisher.clone().filter(|_| head.kind == Kind::Alert)?;
    Some((publisher, head.section.clone(), head.lane))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::control::Control;

    fn head(plan: usize, matched: usize) -> Head {
        Head {
            plan: format!("p{plan}"),
            article: None,
            publisher: Some("city-desk".parse().unwrap()),
            kind: Kind::Alert,
            revision: 1,
            lane: Lane::Normal,
            matched,
            chunks: 1,
            planned_at: Timestamp::UNIX_EPOCH,
            published: None,
            article_sequence: 0,
            section: "world".into(),
            caps_seen: 0,
        }
    }

    fn after(sizes: &[usize]) -> Guard {
        let guard = Guard::new(GuardConfig::default());
        sizes.iter().enumerate().for_each(|(n, size)| guard.learn(&head(n, *size)));
        guard
    }

    fn controls(states: &[(usize, Phase)]) -> Controls {
        let controls = Controls::default();
        for (plan, state) in states {
            let control = Control { state: *state, by: "desk".into(), ..Control::default() };
            controls.learn(&format!("p{plan}"), &serde_json::to_vec(&control).unwrap(), 1);
        }
        controls
    }

    #[test]
    fn what_is_far_larger_than_usual_waits() {
        use Verdict::{Usual, Waits};
        let old_and_new: Vec<usize> = [9000; 30].into_iter().chain([150; 20]).collect();
        let cases: [(&[usize], usize, Verdict); 11] = [
            (&[100; 5], 1000, Usual),
            (&[100; 5], 1001, Waits(100)),
            (&[1; 20], 999, Usual),
            (&[1; 20], 1000, Waits(1)),
            (&[0; 5], 1000, Waits(0)),
            (&[], 1_000_000, Usual),
            (&[1; 4], 1_000_000, Usual),
            (&[5000, 1, 5000, 1, 5000], 50_000, Usual),
            (&[5000, 1, 5000, 1, 5000], 50_001, Waits(5000)),
            // One mistake makes no mistake usual.
            (&[100, 100, 100, 100, 100, 1_000_000], 900_000, Waits(100)),
            (&old_and_new, 2000, Waits(150)),
        ];
        for (made, matched, expected) in cases {
            assert_eq!(
                after(made).verdict(&head(99, matched), &Controls::default()),
                expected,
                "{matched} after {made:?}"
            );
        }
    }

    #[test]
    fn what_waits_or_was_cancelled_is_not_usual_and_what_was_let_go_is() {
        let guard = after(&[100, 100, 100, 50_000, 50_000, 50_000]);
        let wrong = [(3, Phase::Waiting), (4, Phase::Cancelled), (5, Phase::Waiting)];
        let verdict = |states: &[(usize, Phase)], matched| guard.verdict(&head(99, matched), &controls(states));
        assert_eq!(verdict(&wrong, 1_000_000), Verdict::Usual, "three say nothing");
        let guard = after(&[100, 100, 100, 100, 100, 50_000]);
        let verdict = |states: &[(usize, Phase)], matched| guard.verdict(&head(99, matched), &controls(states));
        assert_eq!(verdict(&[(5, Phase::Waiting)], 50_000), Verdict::Waits(100));
        assert_eq!(verdict(&[(5, Phase::Running)], 50_000), Verdict::Usual);
        assert_eq!(verdict(&[(5, Phase::Running)], 50_001), Verdict::Waits(100));
    }

    #[test]
    fn it_is_about_alerts_of_one_section_and_breaking_ones_go_out() {
        let guard = after(&[10; 5]);
        let none = Controls::default();
        let large = || head(99, 20_000);
        assert_eq!(guard.verdict(&large(), &none), Verdict::Waits(10));
        for other in [
            Head { section: "sport".into(), ..large() },
            Head { publisher: Some("county-desk".parse().unwrap()), ..large() },
            Head { publisher: None, kind: Kind::Digest, ..large() },
            Head { kind: Kind::Correction, ..large() },
            Head { kind: Kind::Update, ..large() },
            Head { lane: Lane::Breaking, ..large() },
        ] {
            assert_eq!(guard.verdict(&other, &none), Verdict::Usual, "{other:?}");
        }
        (0..5).for_each(|n| guard.learn(&Head { lane: Lane::Breaking, ..head(n, 300) }));
        assert_eq!(guard.verdict(&Head { lane: Lane::Breaking, ..large() }, &none), Verdict::Urgent(300));
        let never = Guard::new(GuardConfig { factor: 0, ..GuardConfig::default() });
        (0..5).for_each(|n| never.learn(&head(n, 10)));
        assert_eq!(never.verdict(&large(), &none), Verdict::Usual);
    }
}
