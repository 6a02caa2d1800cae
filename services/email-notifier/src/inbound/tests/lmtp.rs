//! The site's mail system hands in what came back.

use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::any;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::*;

#[tokio::test]
async fn a_bounce_is_durable_before_it_is_taken_and_once() {
    let house = House::open().await;
    let reader = house.reader("jo.doe@example.org").await;
    let dsn = sample("mail/postfix-unknown.eml");
    // Whoever hands it in is killed when it is durable, and has not read our answer.
    let mut cut = house.client().await;
    cut.begin("", &reader.returned(), &dsn).await;
    cut.stream.write_all(b".\r\n").await.unwrap();
    eventually("it is durable", async || match house.events().await {
        1 => Ok(()),
        other => Err(other.to_string()),
    })
    .await;
    drop(cut);
    for again in 0..3 {
        assert_eq!(house.mail(&reader.returned(), &dsn).await, "250 2.0.0 taken\r\n", "{again}");
    }
    assert_eq!(house.mail(&reader.returned().to_uppercase(), &dsn).await, "250 2.0.0 taken\r\n", "folded on the way");
    assert_eq!(house.events().await, 1);
    let stored = house.bus.last(&INBOUND, subjects::INBOUND).await.unwrap().unwrap();
    let text = String::from_utf8(stored.payload.to_vec()).unwrap();
    assert!(text.contains(&reader.id.to_string()) && text.contains("5.1.1") && !text.contains("jo.doe"), "{text}");
}

#[tokio::test]
async fn every_sample_does_what_it_says_and_no_more() {
    let house = House::open().await;
    let mut kept = Vec::new();
    let mut names: Vec<_> =
        std::fs::read_dir(samples().join("mail")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    for name in names {
        let name = name.into_string().unwrap();
        let reader = house.reader(&format!("{name}@example.org")).await;
        let before = house.events().await;
        let reply = house.mail(&reader.returned(), &sample(&format!("mail/{name}"))).await;
        assert!(reply.starts_with("250"), "{name}: {reply}");
        if house.events().await > before {
            let stored = house.bus.last(&INBOUND, subjects::INBOUND).await.unwrap().unwrap();
            let event: Event = serde_json::from_slice(&stored.payload).unwrap();
            assert_eq!(event.subscriber, reader.id, "{name}");
            kept.push((name, event.what));
        }
    }
    let of = |what: &str| -> Vec<&str> {
        let named = |event: &What| match event {
            What::Bounce { class, .. } => format!("{class:?}"),
            other => other.as_str().to_owned(),
        };
        kept.iter().filter(|(_, event)| named(event) == what).map(|(name, _)| name.trim_end_matches(".eml")).collect()
    };
    assert_eq!(of("complaint"), ["arf-abuse", "arf-return-path"]);
    assert_eq!(of("Sender"), [""; 0], "what is about us is nobody's bounce");
    assert_eq!(
        of("Hard"),
        [
            "163-unknown",
            "cut-short",
            "exchange-text",
            "exchange-unknown",
            "exim-text",
            "exim-unknown",
            "gmail-unknown",
            "postfix-unknown",
            "qmail-unknown",
            "qmail-vpopmail",
            "ses-mail"
        ]
    );
    assert_eq!(
        of("Soft"),
        ["163-full", "exim-unrouteable", "person", "postfix-expired", "postfix-full", "qq-unknown", "two-recipients"],
        "a person never sends from the null sender"
    );
}

#[tokio::test]
async fn without_a_mac_of_ours_nobody_is_listened_to() {
    let house = House::open().await;
    let reader = house.reader("reader@example.org").await;
    let (returned, leave) = (reader.returned(), reader.leave());
    let (local, _) = returned.split_once('@').unwrap();
    let mut talk = house.client().await;
    let other = Keys::new(b"somebody else's secret");
    let mut forged = vec![
        return_path(&other.mail, &reader.id.to_string(), "news.example").unwrap().as_str().to_owned(),
        other.leave_address(reader.id, "news.example").as_str().to_owned(),
        format!("{local}@evil.example"),
        leave.replacen("leave+", "leave-", 1),
        format!("bounces+{}@news.example", reader.id),
        "reader@example.org".into(),
        "postmaster@news.example".into(),
        "postmaster".into(),
        String::new(),
        "党@news.example".into(),
    ];
    // Every character of the MAC counts.
    for at in local.rfind('.').unwrap() + 1..local.len() {
        let mut flipped = returned.clone().into_bytes();
        flipped[at] = if flipped[at] == b'0' { b'1' } else { b'0' };
        forged.push(String::from_utf8(flipped).unwrap());
    }
    for (n, address) in forged.iter().enumerate() {
        if n % 8 == 0 {
            talk = house.client().await;
            talk.say("MAIL FROM:<>").await;
        }
        assert_eq!(talk.say(&format!("RCPT TO:<{address}>")).await, "550 5.1.1 no address of ours\r\n", "{address}");
    }
    assert!(talk.say("DATA").await.starts_with("503"));
    assert_eq!(house.events().await, 0);
}

#[tokio::test]
async fn a_complaint_is_believed_by_the_envelope_sender_that_it_names() {
    let house = House::open().await;
    let reader = house.reader("reader@example.org").await;
    let named = |mail: &str, by: &str| {
        let text = String::from_utf8(sample(mail)).unwrap();
        text.replace("bounces+0123456789abcdef0123456789abcdef.00112233445566778899@news.example", by).into_bytes()
    };
    let complaints = "complaints@news.example";
    let (ours, forged) =
        (reader.returned(), "bounces+0123456789abcdef0123456789abcdef.00112233445566778899@news.example");
    let refused = "550 5.6.0 this is no complaint about a mail of ours\r\n";
    for (mail, reply) in [
        (named("mail/arf-abuse.eml", forged), refused),
        (named("mail/person.eml", &ours), refused),
        (named("mail/arf-virus.eml", &ours), refused),
        (named("mail/arf-not-spam.eml", &ours), "250 2.0.0 taken; there is nothing to do\r\n"),
        (named("mail/arf-return-path.eml", &ours), "250 2.0.0 taken\r\n"),
        (named("mail/arf-abuse.eml", &ours), "250 2.0.0 taken\r\n"),
    ] {
        assert_eq!(house.mail(complaints, &mail).await, reply, "{}", String::from_utf8_lossy(&mail));
    }
    assert_eq!(house.events().await, 2);
}

#[tokio::test]
async fn each_recipient_has_a_reply_and_a_second_mail_follows_on_the_same_connection() {
    let house = House::open().await;
    let (one, two) = (house.reader("one@example.org").await, house.reader("two@example.org").await);
    let mut talk = house.client().await;
    // Everything at once, as PIPELINING allows; the last of a mail and the first of the next in one packet.
    let commands = format!(
        "MAIL FROM:<>\r\nRCPT TO:<{}>\r\nRCPT TO:<nobody@news.example>\r\nRCPT TO:<complaints@news.example>\r\nRCPT TO:<{}>\r\nDATA\r\n",
        one.returned(),
        two.returned()
    );
    let mail =
        [&commands.into_bytes()[..], &stuffed(&sample("mail/postfix-full.eml")), b".\r\nNOOP\r\nQUIT\r\n"].concat();
    talk.stream.write_all(&mail).await.unwrap();
    let mut codes = Vec::new();
    for _ in 0..11 {
        codes.push(talk.reply().await[..3].to_owned());
    }
    assert_eq!(codes, ["250", "250", "550", "250", "250", "354", "250", "550", "250", "250", "221"]);
    assert_eq!(talk.stream.read_to_end(&mut Vec::new()).await.unwrap(), 0, "closed");
    assert_eq!(house.events().await, 2);
}

#[tokio::test]
async fn while_the_log_is_away_it_is_to_be_sent_again() {
    let mut house = House::open().await;
    let (to, id) = {
        let reader = house.reader("reader@example.org").await;
        (reader.returned(), reader.id)
    };
    let dsn = sample("mail/postfix-unknown.eml");
    house.nats.kill9();
    let reply = house.mail(&to, &dsn).await;
    assert_eq!(reply, "451 4.3.0 it cannot be kept now; send it again\r\n");
    house.nats.restart().await;
    assert_eq!(house.mail(&to, &dsn).await, "250 2.0.0 taken\r\n");
    assert_eq!(house.events().await, 1);
    house.work();
    house.carried_out().await;
    assert_eq!(Reader { house: &house, id }.stops().await, Some(Reason::Bounced));
}

#[tokio::test]
async fn what_is_too_long_or_too_many_is_refused_and_costs_little() {
    let house = House::open().await;
    let reader = house.reader("reader@example.org").await;
    let mut talk = house.client().await;
    assert!(talk.say("MAIL FROM:<> SIZE=10485761").await.starts_with("552"));
    assert!(talk.say(&format!("MAIL FROM:<{}>", "x".repeat(3000))).await.starts_with("500"));
    // A long bounce is read at its beginning.
    let long = [sample("mail/postfix-unknown.eml"), vec![b'x'; 2 * MAX_MAIL], b"\r\n".to_vec()].concat();
    assert_eq!(house.mail(&reader.returned(), &long).await, "250 2.0.0 taken\r\n");
    // One without end is not taken, however small it said it was.
    let mut talk = house.client().await;
    talk.begin("", &reader.returned(), b"Subject: x\r\n").await;
    let line = [&[b'x'; 64 * 1024 - 2][..], b"\r\n"].concat();
    for _ in 0..161 {
        talk.stream.write_all(&line).await.unwrap();
    }
    assert!(talk.say(".").await.starts_with("552"));
    let mut all = Vec::new();
    for _ in 0..31 {
        all.push(house.client().await);
    }
    let mut late = Talk { stream: BufReader::new(TcpStream::connect(house.lmtp).await.unwrap()) };
    assert!(late.reply().await.starts_with("421 4.3.2 too many"));
    drop(all);
    eventually("there is room again", async || {
        let mut talk = Talk { stream: BufReader::new(TcpStream::connect(house.lmtp).await.unwrap()) };
        let reply = talk.reply().await;
        if reply.starts_with("220") { Ok(()) } else { Err(reply) }
    })
    .await;
    house.shutdown.cancel();
    assert!(talk.reply().await.starts_with("421 4.3.2 shutting down"));
}

/// Noise, and reports with noise in them, from whoever has an address of ours.
#[tokio::test]
async fn a_thousand_mails_of_garbage_suppress_nobody() {
    let house = House::open().await;
    house.work();
    let reader = house.reader("reader@example.org").await;
    let mut runner = TestRunner::deterministic();
    let noise = proptest::collection::vec(any::<u8>(), 0..2000);
    let words = "(Status: |Action: failed|5.1.1|Content-Type: multipart/report; boundary=b|--b|message/delivery-status|\r\n|\r\n\r\n|党|=\\?|: ){0,40}";
    let words = proptest::string::string_regex(words).unwrap();
    let mut talk = house.client().await;
    for n in 0..1000 {
        let mail = match n % 2 {
            0 => noise.new_tree(&mut runner).unwrap().current(),
            _ => words.new_tree(&mut runner).unwrap().current().into_bytes(),
        };
        let reply = talk.mail("jo@example.org", &reader.returned(), &mail).await;
        assert!(reply.starts_with("250"), "{reply} {}", String::from_utf8_lossy(&mail));
        if n % 100 == 99 {
            // And what is no mail at all.
            let mut wild = house.client().await;
            wild.stream.write_all(&mail).await.unwrap();
            wild.stream.write_all(b"\r\n").await.unwrap();
        }
    }
    house.carried_out().await;
    assert_eq!(reader.stops().await, None);
    assert!(reader.record().await.is_confirmed());
    assert_eq!(house.bus.last_sequence(&DEAD).await.unwrap(), 0);
}

/// A client that is not ours: Python's smtplib.
#[tokio::test]
async fn a_foreign_client_is_understood() {
    let house = House::open().await;
    let reader = house.reader("reader@example.org").await;
    let names = ["postfix-unknown", "163-full", "qq-refused", "arf-abuse", "vacation-zh"];
    let mut mails: Vec<_> =
        names.iter().map(|name| (reader.returned(), STANDARD.encode(sample(&format!("mail/{name}.eml"))))).collect();
    mails.push(("nobody@news.example".into(), String::new()));
    mails.push((reader.leave(), STANDARD.encode(".\r\n..\r\nunsubscribe\r\n")));
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/foreign/lmtp_client.py");
    let child = Command::new("python3")
        .arg(script)
        .arg(house.lmtp.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        println!("skipped: there is no python3");
        return;
    };
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), &serde_json::to_vec(&mails).unwrap()).unwrap();
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    assert!(output.status.success());
    let codes: Vec<u16> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(codes, [250, 250, 250, 250, 250, 550, 250]);
    assert_eq!(house.events().await, 4, "two bounces, a complaint and a farewell");
}
