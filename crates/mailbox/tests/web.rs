//! The viewer and the JSON API: what is shown, what can not get out, who may ask.

use jiff::Timestamp;
use mailbox::{Config, Mailbox};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

const HOSTILE: &str = "From: \"<script>alert(1)</script>\" <desk@example.org>\r\n\
    Subject: =?utf-8?B?4oCPPGI+2KPYrtio2KfYsTwvYj4g5paw6Ze7?=\r\n\
    List-Unsubscribe: <https://news.example/u?t=\"1>\r\n\
    MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n\
    --b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nConfirm: https://news.example/c?t=1&u=2 </pre><script>x</script>\r\n\
    --b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Hello<img src=\"https://tracker.example/p.gif\"></p>\r\n--b--\r\n";

async fn start() -> Mailbox {
    let now = || Timestamp::from_second(1_543_161_600).expect("a time");
    Mailbox::start(Config::new(now), &CancellationToken::new()).await.expect("a mailbox")
}

async fn deliver(mailbox: &Mailbox, mails: &[&str]) {
    let mut stream = TcpStream::connect(mailbox.smtp_addr()).await.expect("connect");
    let mut session = "EHLO t\r\n".to_owned();
    for mail in mails {
        let envelope = "MAIL FROM:<bounce@example.org>\r\nRCPT TO:<reader@example.org>\r\n";
        session.push_str(&format!("{envelope}DATA\r\n{mail}\r\n.\r\n"));
    }
    session.push_str("QUIT\r\n");
    stream.write_all(session.as_bytes()).await.expect("send");
    let mut replies = String::new();
    stream.read_to_string(&mut replies).await.expect("replies");
    assert_eq!(replies.matches("kept as").count(), mails.len(), "{replies}");
}

async fn get(mailbox: &Mailbox, path: &str) -> reqwest::Response {
    reqwest::get(format!("http://{}{path}", mailbox.http_addr())).await.expect("an answer")
}

async fn page(mailbox: &Mailbox, path: &str) -> String {
    let response = get(mailbox, path).await;
    assert_eq!(response.status(), 200, "{path}");
    let policy = response.headers()["content-security-policy"].to_str().expect("text").to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("script-src"), "{path}: {policy}");
    response.text().await.expect("text")
}

#[tokio::test]
async fn pages_show_a_hostile_mail_as_text() {
    let mailbox = start().await;
    assert!(page(&mailbox, "/").await.contains("No mail yet"));
    deliver(&mailbox, &[HOSTILE]).await;
    let list = page(&mailbox, "/").await;
    let mail = page(&mailbox, "/messages/1").await;
    for html in [&list, &mail] {
        assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
        assert!(html.contains("أخبار") && html.contains("新闻"), "{html}");
        assert!(html.contains("2018-11-25 16:00:00 UTC"), "{html}");
    }
    assert!(list.contains("href=\"/messages/1\"") && list.contains("http-equiv=\"refresh\""), "{list}");
    assert!(
        mail.contains("<iframe sandbox=\"allow-popups allow-popups-to-escape-sandbox\" src=\"/messages/1/html\""),
        "{mail}"
    );
    assert!(mail.contains("<a href=\"https://news.example/c?t=1&#38;u=2\""), "{mail}");
    assert!(mail.contains("<a href=\"https://news.example/u?t=\""), "{mail}");
    assert!(mail.contains("bounce@example.org") && mail.contains("reader@example.org"), "{mail}");
}

#[tokio::test]
async fn the_html_part_is_locked_in_and_the_source_is_exact() {
    let mailbox = start().await;
    deliver(&mailbox, &[HOSTILE, "Subject: plain\r\n\r\nno html\r\n"]).await;
    let part = get(&mailbox, "/messages/1/html").await;
    let policy = part.headers()["content-security-policy"].to_str().expect("text").to_owned();
    assert!(policy.contains("default-src 'none';") && !policy.contains("http"), "{policy}");
    let sandbox = policy.split(';').next().expect("a directive");
    assert_eq!(
        sandbox, "sandbox allow-popups allow-popups-to-escape-sandbox",
        "links open, script and forms do not run"
    );
    assert!(part.text().await.expect("text").starts_with("<base target=\"_blank\"><p>Hello<img"));
    assert_eq!(get(&mailbox, "/messages/2/html").await.status(), 404);
    let raw = get(&mailbox, "/messages/1/raw").await;
    assert_eq!(raw.headers()["content-type"], "message/rfc822");
    assert_eq!(raw.headers()["content-disposition"], "attachment; filename=\"1.eml\"");
    assert_eq!(raw.bytes().await.expect("bytes"), mailbox.mails()[0].raw);
}

#[tokio::test]
async fn the_api_tells_the_same() {
    let mailbox = start().await;
    deliver(&mailbox, &[HOSTILE, "Subject: second\r\n\r\n正文\r\n"]).await;
    let list: Value = get(&mailbox, "/api/messages").await.json().await.expect("JSON");
    assert_eq!(list[0]["number"], 2);
    assert_eq!(list[1]["subject"], "\u{200f}<b>أخبار</b> 新闻");
    assert_eq!(list[1]["envelope_to"][0], "reader@example.org");
    assert_eq!(list[1]["received"], "2018-11-25T16:00:00Z");
    let mail: Value = get(&mailbox, "/api/messages/1").await.json().await.expect("JSON");
    assert_eq!(mail["headers"][0][0], "From");
    assert!(mail["html"].as_str().expect("html").contains("tracker"));
    assert!(mail["text"].as_str().expect("text").contains("Confirm: https://"));
    for path in ["/api/messages/3", "/messages/3", "/messages/3/raw", "/messages/18446744073709551615/html"] {
        assert_eq!(get(&mailbox, path).await.status(), 404, "{path}");
    }
    assert_eq!(get(&mailbox, "/messages/x").await.status(), 400);
}

#[tokio::test]
async fn long_lists_come_in_pages() {
    let mailbox = start().await;
    deliver(&mailbox, &["Subject: x\r\n\r\n"; 101]).await;
    let first = page(&mailbox, "/").await;
    assert_eq!(first.matches("href=\"/messages/").count(), 100);
    assert!(first.contains("href=\"/?before=2\""), "{first}");
    let second = page(&mailbox, "/?before=2").await;
    assert_eq!(second.matches("href=\"/messages/").count(), 1);
    assert!(!second.contains("refresh") && !second.contains("before="), "{second}");
}

#[tokio::test]
async fn other_host_names_are_turned_away() {
    let mailbox = start().await;
    let url = format!("http://{}/api/messages", mailbox.http_addr());
    for (host, status) in [("rebound.example", 403), ("localhost", 200)] {
        let request = reqwest::Client::new().get(&url).header("host", host);
        assert_eq!(request.send().await.expect("an answer").status(), status, "{host}");
    }
}
