//! Domains that ask for less get less, and nobody else does.

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

/// As many answers as it takes to be believed, to mails of one window.
fn slowed(domains: &mut Domains, domain: &str, now: Timestamp) {
    for _ in 0..PATIENCE {
        domains.admit(domain, now).unwrap();
    }
    let told: Vec<_> =
        (0..PATIENCE).map(|_| domains.asked(domain, now, now + SignedDuration::from_millis(1))).collect();
    assert_eq!(told, [None, None, Some(FIRST)]);
}

#[test]
fn one_domain_waits_and_no_other() {
    let mut domains = Domains::default();
    slowed(&mut domains, "slow.example", at(0));
    let next = at(30) + SignedDuration::from_millis(1);
    assert_eq!(domains.admit("slow.example", at(29)), Err(next));
    assert_eq!(domains.admit("fast.example", at(1)), Ok(()));
    assert_eq!(domains.slowed(), 1);
    assert_eq!(domains.admit("slow.example", at(31)), Ok(()), "one mail to see");
    assert_eq!(domains.admit("slow.example", at(31)), Err(at(61)), "and one only");
}

#[test]
fn single_mailboxes_slow_nobody() {
    let mut domains = Domains::default();
    for _ in 0..100 {
        assert_eq!(domains.asked("d.example", at(0), at(0)), None);
        assert_eq!(domains.asked("d.example", at(0), at(0)), None);
        domains.took("d.example");
    }
    assert_eq!((domains.slowed(), domains.0.len()), (0, 0));
}

#[test]
fn who_asks_again_waits_longer_up_to_a_limit() {
    let mut domains = Domains::default();
    slowed(&mut domains, "d.example", at(0));
    assert_eq!(domains.asked("d.example", at(0), at(1)), None, "the rest of the window that was known");
    let (mut now, mut waits) = (at(0), Vec::new());
    for _ in 0..7 {
        now = domains.admit("d.example", now).unwrap_err();
        domains.admit("d.example", now).unwrap();
        waits.push(domains.asked("d.example", now, now).unwrap().as_secs());
    }
    assert_eq!(waits, [60, 120, 240, 480, 900, 900, 900]);
}

#[test]
fn who_takes_mail_again_is_soon_at_full_speed() {
    let mut domains = Domains::default();
    slowed(&mut domains, "d.example", at(0));
    let (mut now, mut mails) = (at(1), 0);
    while domains.slowed() > 0 {
        if let Err(next) = domains.admit("d.example", now) {
            now = next;
            domains.admit("d.example", now).unwrap();
        }
        domains.took("d.example");
        mails += 1;
    }
    assert_eq!((mails, now < at(62), domains.0.len()), (12, true, 0), "{now}");
}

#[test]
fn strangers_do_not_fill_the_memory() {
    let mut domains = Domains::default();
    for n in 0..3 * DOMAINS.get() {
        domains.asked(&format!("d{n}.example"), at(0), at(0));
    }
    assert_eq!(domains.0.len(), DOMAINS.get());
}

#[test]
fn what_asks_for_less() {
    let reply = |stage, code, enhanced| Reply { stage, code, enhanced, text: String::new() };
    for (stage, code, enhanced, asks) in [
        (Stage::Rcpt, 421, Some((4, 7, 28)), true),
        (Stage::Rcpt, 421, None, true),
        (Stage::Content, 421, Some((4, 2, 1)), true),
        (Stage::Rcpt, 451, Some((4, 7, 1)), true),
        (Stage::Content, 450, Some((4, 7, 650)), true),
        (Stage::Rcpt, 421, Some((4, 3, 2)), false),
        (Stage::Mail, 451, Some((4, 7, 1)), false),
        (Stage::Mail, 421, None, false),
        (Stage::Rcpt, 450, Some((4, 2, 1)), false),
        (Stage::Rcpt, 450, None, false),
        (Stage::Rcpt, 550, Some((5, 7, 1)), false),
    ] {
        assert_eq!(asks_for_less(&reply(stage, code, enhanced)), asks, "{stage:?} {code} {enhanced:?}");
    }
}
