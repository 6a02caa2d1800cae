//! A relay in trouble is asked seldom, by one, and used again at once.

use super::*;

const NOTHING: Met = Met { answered: false, accepted: false, refused: 0, sender_refused: false };
const TAKEN: Met = Met { answered: true, accepted: true, ..NOTHING };

fn refused(refused: u32) -> Met {
    Met { answered: true, refused, ..NOTHING }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

/// Tries whenever it may, for `seconds`; the seconds of the tries, and of what was said.
fn fail(breaker: &mut Breaker, met: Met, from: i64, seconds: i64) -> (Vec<i64>, Vec<i64>) {
    let (mut tried, mut told) = (Vec::new(), Vec::new());
    for second in from..from + seconds {
        if let Ok(permit) = breaker.enter(at(second)) {
            assert_ne!(permit, Permit::Everything);
            assert!(breaker.enter(at(second)).is_err(), "one try at a time");
            tried.push(second);
            if breaker.learn(permit, met, at(second)).is_some() {
                told.push(second);
            }
        }
    }
    (tried, told)
}

#[test]
fn a_relay_that_is_away_is_asked_seldom_and_spoken_of_once() {
    let mut breaker = Breaker::default();
    assert_eq!(breaker.enter(at(0)), Ok(Permit::Everything));
    // Several windows were on their way.
    for _ in 0..4 {
        assert_eq!(breaker.learn(Permit::Everything, NOTHING, at(0)), None);
    }
    let (tried, told) = fail(&mut breaker, NOTHING, 0, 200);
    assert_eq!(tried, [1, 3, 7, 15, 31, 61, 91, 121, 151, 181]);
    assert_eq!(told, [15]);
    assert_eq!(breaker.trouble(), Some(Trouble::Away));
    let permit = breaker.enter(at(215)).unwrap();
    assert_eq!(permit, Permit::Window);
    assert_eq!(breaker.learn(permit, TAKEN, at(215)), Some(News::Back(SignedDuration::from_secs(215))));
    assert_eq!((breaker.enter(at(215)), breaker.trouble()), (Ok(Permit::Everything), None));
}

#[test]
fn a_restart_of_the_relay_is_nobodys_business() {
    let mut breaker = Breaker::default();
    breaker.learn(Permit::Everything, NOTHING, at(0));
    assert_eq!(breaker.learn(Permit::Everything, TAKEN, at(0)), None, "a window from before says nothing of now");
    assert_eq!(breaker.enter(at(0)), Err(at(1)));
    let permit = breaker.enter(at(1)).unwrap();
    assert_eq!(breaker.learn(permit, refused(1), at(1)), None, "it answers, and is not away");
    assert_eq!(breaker.enter(at(1)), Ok(Permit::Everything));
}

#[test]
fn whoever_was_to_try_may_have_stopped() {
    let mut breaker = Breaker::default();
    breaker.learn(Permit::Everything, NOTHING, at(0));
    assert_eq!(breaker.enter(at(10)), Ok(Permit::Window));
    assert_eq!(breaker.enter(at(14)), Err(at(15)));
    assert_eq!(breaker.enter(at(15)), Ok(Permit::Window));
}

#[test]
fn what_is_refused_for_what_we_are_stops_the_stream() {
    let mut breaker = Breaker::default();
    for _ in 0..50 {
        assert_eq!(breaker.learn(Permit::Everything, refused(REFUSALS - 1), at(0)), None);
        assert_eq!(breaker.learn(Permit::Everything, Met { refused: 2, ..TAKEN }, at(0)), None, "some servers do");
        breaker.learn(Permit::Everything, TAKEN, at(0));
    }
    assert_eq!(breaker.learn(Permit::Everything, refused(4), at(0)), None);
    let said = breaker.learn(Permit::Everything, refused(6), at(0));
    assert_eq!(said, Some(News::Trouble(Trouble::Refuses)));
    let (tried, told) = fail(&mut breaker, refused(1), 0, 6000);
    assert_eq!(tried, [60, 360, 1260, 3060, 4860]);
    assert_eq!(told, tried, "it is said again, with what the relay says now");
    let permit = breaker.enter(at(6660)).unwrap();
    assert_eq!(permit, Permit::Mail);
    assert_eq!(breaker.learn(permit, TAKEN, at(6660)), Some(News::Back(SignedDuration::from_secs(6660))));
    assert_eq!(breaker.enter(at(6660)), Ok(Permit::Everything));
}

#[test]
fn a_sender_refused_once_is_refused() {
    let mut breaker = Breaker::default();
    let met = Met { sender_refused: true, ..refused(1) };
    assert_eq!(breaker.learn(Permit::Everything, met, at(0)), Some(News::Trouble(Trouble::Refuses)));
}

#[test]
fn a_try_that_says_nothing_of_us_is_made_again() {
    let mut breaker = Breaker::default();
    breaker.learn(Permit::Everything, refused(REFUSALS), at(0));
    for (met, next) in [(NOTHING, 70), (refused(0), 80)] {
        let permit = breaker.enter(at(next - 10)).unwrap();
        assert_eq!(breaker.learn(permit, met, at(next - 10)), None);
        assert_eq!(breaker.enter(at(next - 1)), Err(at(next)));
    }
    assert_eq!(breaker.trouble(), Some(Trouble::Refuses));
}
