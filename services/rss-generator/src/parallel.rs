//! The same work on many things, on all cores.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Fewer are done at once by whoever asks: starting a thread takes as long as one of them.
const FEW: usize = 3;

/// What `work` makes of each of `things`, in their order. Call it where blocking is allowed.
///
/// # Panics
/// When `work` does.
pub(crate) fn parallel<T: Sync, R: Send>(things: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(things.len());
    if things.len() <= FEW || workers == 1 {
        return things.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        // They take turns, for some things take far longer than others.
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            match things.get(n) {
                Some(thing) => done.push((n, work(thing))),
                None => return done,
            }
        }
    };
    let mut done = thread::scope(|scope| {
        let others: Vec<_> = (1..workers).map(|_| scope.spawn(worker)).collect();
        let mut done = worker();
        for other in others {
            match other.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(n, _)| *n);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_things() {
        for count in [0, 1, 3, 4, 1000] {
            let things: Vec<usize> = (0..count).collect();
            let doubled: Vec<usize> = things.iter().map(|n| n * 2).collect();
            assert_eq!(parallel(&things, |n| n * 2), doubled);
        }
    }

    #[test]
    fn a_panic_is_the_callers() {
        let things: Vec<usize> = (0..100).collect();
        let found = std::panic::catch_unwind(|| parallel(&things, |n| assert_ne!(*n, 50)));
        assert!(found.is_err());
    }
}
