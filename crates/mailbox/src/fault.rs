//! What goes wrong, as data: an ordered list of rules that a test writes down before it starts.
//!
//! At each stage the first rule that applies decides and is used up by one; the others are not looked at. Chance is
//! drawn from a seed, so a run can be repeated.

use std::sync::Mutex;
use std::time::Duration;

/// The list. Empty: nothing goes wrong.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// Seeds the draws of rules with a chance.
    pub seed: u64,
    /// In order of precedence.
    pub rules: Vec<Fault>,
}

impl From<Vec<Fault>> for Faults {
    fn from(rules: Vec<Fault>) -> Self {
        Self { seed: 0, rules }
    }
}

/// The moment a rule is about: the reply that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The greeting after a connection.
    Connect,
    /// EHLO or HELO.
    Ehlo,
    /// MAIL.
    Mail,
    /// RCPT; a rule for a recipient applies to that one.
    Rcpt,
    /// DATA, before the content; a rule for a recipient applies when it is among those accepted.
    Data,
    /// The end of the content; recipients as for [`Stage::Data`].
    Content,
}

/// What happens instead of the normal course.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The normal course: shields some cases from the rules behind.
    Accept,
    /// This code and text (begin it with an enhanced status code). 421 also closes the connection. A mail so answered
    /// after its content is not kept.
    Reply(u16, String),
    /// The normal course, later.
    Delay(Duration),
    /// The connection is cut without a reply. At [`Stage::Content`] the mail was received whole and is not kept.
    Cut,
    /// At [`Stage::Content`]: cut after at least this many octets of the content. The mail is not kept.
    CutAfter(usize),
    /// At [`Stage::Content`]: the mail is kept, then the connection is cut: the sender cannot know.
    KeepThenCut,
}

/// One rule.
#[derive(Debug, Clone)]
pub struct Fault {
    stage: Stage,
    action: Action,
    recipient: Option<String>,
    after: u32,
    times: u32,
    chance: f64,
}

impl Fault {
    /// Always, for everyone, until narrowed by the methods below.
    pub fn new(stage: Stage, action: Action) -> Self {
        Self { stage, action, recipient: None, after: 0, times: u32::MAX, chance: 1.0 }
    }

    /// A reply with `code` and `text`, which begins with an enhanced status code such as `4.2.1`.
    pub fn reply(stage: Stage, code: u16, text: &str) -> Self {
        Self::new(stage, Action::Reply(code, text.to_owned()))
    }

    /// Only for this address, or with `@domain` for everyone there. Without regard to ASCII case.
    #[must_use]
    pub fn to(mut self, recipient: &str) -> Self {
        self.recipient = Some(recipient.to_ascii_lowercase());
        self
    }

    /// Lets the first `count` cases it applies to pass.
    #[must_use]
    pub fn after(mut self, count: u32) -> Self {
        self.after = count;
        self
    }

    /// At most `count` times.
    #[must_use]
    pub fn times(mut self, count: u32) -> Self {
        self.times = count;
        self
    }

    /// With this probability, 0 to 1.
    #[must_use]
    pub fn chance(mut self, chance: f64) -> Self {
        self.chance = chance;
        self
    }

    fn applies_to(&self, stage: Stage, recipients: &[String]) -> bool {
        let reaches = |wanted: &str| {
            recipients.iter().any(|recipient| {
                let recipient = recipient.to_ascii_lowercase();
                recipient == wanted || (wanted.starts_with('@') && recipient.ends_with(wanted))
            })
        };
        self.stage == stage && self.times > 0 && self.recipient.as_deref().is_none_or(reaches)
    }
}

/// The rules while they are being used up.
pub(crate) struct Script(Mutex<(Vec<Fault>, fastrand::Rng)>);

impl Script {
    pub(crate) fn new(faults: Faults) -> Self {
        Self(Mutex::new((faults.rules, fastrand::Rng::with_seed(faults.seed))))
    }

    pub(crate) fn replace(&self, faults: Faults) {
        *self.0.lock().expect("no holder of this lock panics") = (faults.rules, fastrand::Rng::with_seed(faults.seed));
    }

    /// What happens now; `recipients` are those the stage is about.
    pub(crate) fn next(&self, stage: Stage, recipients: &[String]) -> Action {
        let (rules, rng) = &mut *self.0.lock().expect("no holder of this lock panics");
        for rule in rules.iter_mut().filter(|rule| rule.applies_to(stage, recipients)) {
            // No draw for the certain ones: adding such a rule must not shift the draws of the others.
            if rule.chance < 1.0 && rng.f64() >= rule.chance {
                continue;
            }
            if rule.after > 0 {
                rule.after -= 1;
                continue;
            }
            rule.times = rule.times.saturating_sub(if rule.times == u32::MAX { 0 } else { 1 });
            return rule.action.clone();
        }
        Action::Accept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(faults: impl Into<Faults>, stage: Stage, to: &str, count: usize) -> Vec<u16> {
        let script = Script::new(faults.into());
        let recipients = [to.to_owned()];
        (0..count)
            .map(|_| match script.next(stage, &recipients) {
                Action::Reply(code, _) => code,
                _ => 250,
            })
            .collect()
    }

    #[test]
    fn rules_are_used_up_in_order() {
        let rules = vec![
            Fault::reply(Stage::Rcpt, 450, "4.2.1 later").times(2),
            Fault::new(Stage::Rcpt, Action::Accept).times(1),
            Fault::reply(Stage::Rcpt, 550, "5.1.1 unknown"),
        ];
        assert_eq!(run(rules.clone(), Stage::Rcpt, "a@b", 5), [450, 450, 250, 550, 550]);
        assert_eq!(run(rules, Stage::Mail, "a@b", 2), [250, 250]);
    }

    #[test]
    fn a_rule_can_let_some_pass_first() {
        let rules = vec![Fault::reply(Stage::Content, 451, "4.3.0 disk").after(2).times(1)];
        assert_eq!(run(rules, Stage::Content, "a@b", 4), [250, 250, 451, 250]);
    }

    #[test]
    fn a_rule_can_be_about_an_address_or_a_domain() {
        for (rule, to, code) in [
            ("gone@example.org", "Gone@Example.org", 550),
            ("gone@example.org", "stay@example.org", 250),
            ("@example.org", "any@example.org", 550),
            ("@example.org", "any@sub.example.org", 250),
            ("读者@例子.example", "读者@例子.example", 550),
        ] {
            let rules = vec![Fault::reply(Stage::Rcpt, 550, "5.1.1 unknown").to(rule)];
            assert_eq!(run(rules, Stage::Rcpt, to, 1), [code], "{rule} {to}");
        }
    }

    #[test]
    fn chance_follows_the_seed() {
        let draw = |seed| {
            let rules = vec![Fault::reply(Stage::Rcpt, 450, "4.2.1 later").chance(0.25)];
            run(Faults { seed, rules }, Stage::Rcpt, "a@b", 1000)
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        let refused = draw(1).iter().filter(|&&code| code == 450).count();
        assert!((200..300).contains(&refused), "{refused} of 1000 at a chance of 0.25");
    }
}
