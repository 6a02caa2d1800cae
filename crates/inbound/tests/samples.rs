//! Bounces and complaints in the shapes that mail systems and providers give them, written for these tests.

use std::path::{Path, PathBuf};

use inbound::{Bounce, MAX_MAIL, Report, Reported, generic, postmark, read_mail, ses};
use proptest::prelude::*;

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(samples().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

/// A report in a few words.
fn words(reported: &Reported) -> String {
    match &reported.report {
        Report::Bounce(Bounce { class, status, .. }) => {
            format!("{class:?} {}", status.map_or("-".into(), |status| status.to_string())).to_lowercase()
        }
        other => format!("{other:?}").to_lowercase(),
    }
}

/// Every sample of mail, and what it is.
const MAILS: [(&str, &str); 36] = [
    ("163-full", "soft -"),
    ("163-unknown", "hard 5.1.1"),
    ("arf-abuse", "complaint"),
    ("arf-not-spam", "nofailure"),
    ("arf-return-path", "complaint"),
    ("arf-virus", "unclear"),
    ("exchange-denied", "sender 5.7.133"),
    ("exchange-text", "hard 5.1.1"),
    ("exchange-unknown", "hard 5.1.10"),
    ("exim-text", "hard 5.1.1"),
    ("exim-unknown", "hard 5.1.1"),
    ("exim-unrouteable", "soft -"),
    ("gmail-rate", "sender 4.7.28"),
    ("gmail-unknown", "hard 5.1.1"),
    ("person", "unclear"),
    ("postfix-bare", "unclear"),
    ("postfix-delayed", "nofailure"),
    ("postfix-delivered", "nofailure"),
    ("postfix-expired", "soft 4.4.1"),
    ("postfix-full", "soft 5.2.2"),
    ("postfix-policy", "sender 5.7.1"),
    ("postfix-sender-refused", "sender 5.1.8"),
    ("postfix-unknown", "hard 5.1.1"),
    ("qmail-unknown", "hard 5.1.1"),
    ("qmail-vpopmail", "hard 5.1.1"),
    ("qq-refused", "sender -"),
    ("qq-unknown", "soft -"),
    ("receipt", "autoreply"),
    ("ses-mail", "hard 5.1.1"),
    ("two-recipients", "soft 4.2.2"),
    ("two-unclear", "unclear"),
    ("vacation", "autoreply"),
    ("vacation-zh", "autoreply"),
    ("empty", "unclear"),
    ("headers-only", "unclear"),
    ("cut-short", "hard 5.1.1"),
];

#[test]
fn every_mail_is_what_it_is() {
    let mut wrong = Vec::new();
    for (name, expected) in MAILS {
        let lf = sample(&format!("mail/{name}.eml"));
        // Some arrive with CRLF, some were stored with LF.
        let crlf: Vec<u8> = lf.iter().flat_map(|&b| if b == b'\n' { vec![b'\r', b'\n'] } else { vec![b] }).collect();
        for bytes in [&lf, &crlf] {
            // What the MAIL command said; people's own mail has people's addresses.
            let sender = if ["person", "receipt"].contains(&name) { "jo.doe@example.org" } else { "" };
            let reported = read_mail(bytes, sender);
            if words(&reported) != expected {
                wrong.push(format!("{name}: {reported:?}, expected {expected}"));
            }
            assert_eq!(reported, read_mail(bytes, sender));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let listed = std::fs::read_dir(samples().join("mail")).unwrap().count();
    assert_eq!(listed, MAILS.len(), "a sample that nobody reads");
}

#[test]
fn no_diagnostic_keeps_an_address() {
    for (name, _) in MAILS {
        if let Report::Bounce(bounce) = read_mail(&sample(&format!("mail/{name}.eml")), "").report {
            let said = bounce.diagnostic;
            assert!(!said.contains("jo.doe") && !said.contains('@') && said.chars().count() <= 500, "{name}: {said}");
        }
    }
    let Report::Bounce(gmail) = read_mail(&sample("mail/gmail-unknown.eml"), "").report else { panic!("it bounced") };
    assert!(gmail.diagnostic.starts_with("550-5.1.1 The email account that you tried"), "{}", gmail.diagnostic);
}

#[test]
fn a_complaint_names_the_envelope_it_is_about() {
    let verp = "bounces+0123456789abcdef0123456789abcdef.00112233445566778899@news.example";
    let abuse = read_mail(&sample("mail/arf-abuse.eml"), "feedback@provider.example");
    assert_eq!(abuse.mail_from, [verp, "redacted@news.example"]);
    assert_eq!(abuse.reference.as_deref(), Some("<arf-arf-abuse.eml@provider.example>"));
    assert_eq!(read_mail(&sample("mail/arf-return-path.eml"), "x@y.example").mail_from, [verp]);
}

#[test]
fn who_sent_it_decides_whether_words_are_a_bounce() {
    let bounce = sample("mail/qmail-vpopmail.eml");
    let person = String::from_utf8(bounce).unwrap().replace("MAILER-DAEMON@q.example", "jo@example.org");
    assert_eq!(words(&read_mail(person.as_bytes(), "jo@example.org")), "unclear");
    assert_eq!(
        words(&read_mail(person.as_bytes(), "")),
        "soft 5.1.1",
        "the null sender is for reports, and for absence"
    );
    assert_eq!(words(&read_mail(person.as_bytes(), "MAILER-DAEMON@q.example")), "hard 5.1.1");
}

#[test]
fn webhooks_are_what_they_are() {
    let verp = "bounces+0123456789abcdef0123456789abcdef.00112233445566778899@news.example";
    for (name, expected) in [
        ("ses-bounce", "hard 5.1.1"),
        ("ses-no-status", "hard -"),
        ("ses-full", "soft 5.2.2"),
        ("ses-content", "sender -"),
        ("ses-undetermined", "unclear"),
        ("ses-policy", "sender 5.7.1"),
        ("ses-complaint", "complaint"),
    ] {
        let reported = ses::read(std::str::from_utf8(&sample(&format!("webhook/{name}.json"))).unwrap()).unwrap();
        assert_eq!(reported.iter().map(words).collect::<Vec<_>>(), [expected], "{name}");
        assert_eq!(
            (&reported[0].mail_from[..], reported[0].address.as_deref()),
            (&[verp.into()][..], Some("jo.doe@example.org"))
        );
    }
    assert_eq!(ses::read(std::str::from_utf8(&sample("webhook/ses-delivery.json")).unwrap()).unwrap(), []);
    for (name, expected) in [
        ("postmark-hard", "hard 5.1.1"),
        ("postmark-policy", "sender 5.7.1"),
        ("postmark-soft", "soft -"),
        ("postmark-auto", "autoreply"),
        ("postmark-complaint", "complaint"),
        ("postmark-open", "nofailure"),
    ] {
        let reported = postmark::read(&sample(&format!("webhook/{name}.json"))).unwrap();
        assert_eq!(words(&reported), expected, "{name}");
    }
    for (name, expected) in
        [("generic-bounce", "hard 5.1.1"), ("generic-words", "soft -"), ("generic-complaint", "complaint")]
    {
        let reported = generic::read(&sample(&format!("webhook/{name}.json"))).unwrap();
        assert_eq!(words(&reported), expected, "{name}");
        if let Report::Bounce(bounce) = reported.report {
            assert!(!bounce.diagnostic.contains("jo.doe"), "{}", bounce.diagnostic);
        }
    }
}

#[test]
fn webhooks_that_name_nobody_or_lie_in_form_are_refused() {
    for body in ["", "{}", "[]", "{\"type\":\"bounce\"}", "{\"type\":\"bounce\",\"address\":\"a@b\",\"x\":1}"] {
        assert!(generic::read(body.as_bytes()).is_err(), "{body}");
    }
    assert!(generic::read(br#"{"type":"bounce","address":"a@b.example","status":"9.9.9"}"#).is_err());
    assert!(postmark::read(br#"{"RecordType":"SpamComplaint"}"#).is_err());
    assert!(ses::read("{\"notificationType\":\"Bounce\",\"mail\":{}}").is_err());
    let error = generic::read(br#"{"type":"jo.doe@example.org"}"#).unwrap_err().to_string();
    assert!(!error.contains("jo.doe"), "{error}");
}

/// What would cost much if each part, or each mail in a mail, were opened.
#[test]
fn what_is_made_to_cost_is_read_in_bounds() {
    let deep = |wrap: &str| wrap.repeat(MAX_MAIL / wrap.len() + 1);
    let boundaries: String =
        (0..20_000).map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n")).collect();
    let status = "Action: failed\nStatus: 5.1.1\n\n".repeat(40_000);
    let many =
        format!("Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n{status}");
    for mail in [
        deep("Content-Type: message/rfc822\n\n"),
        boundaries,
        format!("Content-Type: multipart/mixed; boundary=b\n\n{}", deep("--b\n\n")),
        format!("Content-Type: multipart/mixed; boundary=b\n\n{}", deep("--b")),
        many,
        deep("To: a@b,"),
        format!("From: <mailer-daemon@x.example>\nContent-Type: text/html\n\n{}", deep("<style>")),
        format!("From: <mailer-daemon@x.example>\n\n{}", deep("5.1.1 @")),
        format!("Subject: {}\n\n", deep("=?utf-8?B?5YWa?= ")),
        format!("From: <mailer-daemon@x.example>\nContent-Transfer-Encoding: base64\n\n{}", deep("A")),
        deep("\n"),
        deep(" "),
        deep("((((((((("),
    ] {
        let reported = read_mail(mail.as_bytes(), "");
        assert!(reported.mail_from.len() <= 4 && reported.reference.is_none_or(|id| id.len() <= 400));
    }
}

proptest! {
    #[test]
    fn nothing_that_comes_in_breaks_it(bytes in prop::collection::vec(any::<u8>(), 0..2000), at in 0usize..36, cut in 0usize..4000) {
        read_mail(&bytes, "");
        // A sample with something else in the middle.
        let mut sample = sample(&format!("mail/{}.eml", MAILS[at].0));
        sample.truncate(cut);
        sample.extend_from_slice(&bytes);
        if let Report::Bounce(bounce) = read_mail(&sample, "").report {
            prop_assert!(bounce.diagnostic.chars().count() <= 500 && !bounce.diagnostic.contains(char::is_control));
        }
        let _ = (generic::read(&bytes), postmark::read(&bytes));
    }
}
