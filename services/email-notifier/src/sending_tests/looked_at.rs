//! Scanners and previews follow every link of a mail. That must change nothing.

use super::*;

/// Where the links of these mails lead, as their readers see it.
const PUBLIC: &str = "http://127.0.0.1:2/";

/// Every link to a page of the notifier in a mail: in both its forms, and in its header.
fn links(mail: &testkit::mailbox::Mail) -> Vec<String> {
    let content = mail.content();
    let all = [content.text.unwrap(), content.html.unwrap(), mail.header("List-Unsubscribe").unwrap()].join(" ");
    let pages = all.split(PUBLIC).skip(1).map(|rest| rest.split(['"', '>', ' ', '\r', '\n']).next().unwrap());
    let mut links: Vec<String> = pages.map(|page| page.replace("&#38;", "&").replace("&amp;", "&")).collect();
    links.sort_unstable();
    links.dedup();
    links
}

#[tokio::test]
async fn following_every_link_of_a_mail_changes_nothing() {
    let mut desk = Desk::open(vec![]).await;
    desk.readers(1).await;
    let service = EmailNotifier::bind(desk.config()).await.unwrap();
    let base = format!("http://{}/", service.address());
    desk.services.push(tokio::spawn(service.run(desk.shutdown.clone())));
    let (article, sequence) = desk.publish(None, create("A story")).await;
    desk.worked_off(&article).await;
    desk.publish(Some((&article, sequence)), Command::Withdraw { note: "Not so.".into() }).await;
    eventually("the alert and the notice are there", async || match desk.sent_to(0) {
        2 => Ok(()),
        n => Err(format!("{n} mails")),
    })
    .await;
    let last = async || desk.bus.last(&SUBSCRIBERS, subjects::SUBSCRIBERS).await.unwrap().unwrap().sequence;
    let written = last().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut pages = std::collections::BTreeSet::new();
    for mail in desk.mailbox.mails() {
        for link in links(&mail) {
            for request in [http.get(format!("{base}{link}")), http.head(format!("{base}{link}"))] {
                assert_eq!(request.send().await.unwrap().status(), 200, "{link}");
            }
            pages.insert(link.split(['/', '?']).next().unwrap().to_owned());
        }
    }
    assert_eq!(pages.into_iter().collect::<Vec<_>>(), ["preferences", "subscribe", "unsubscribe"]);
    assert_eq!(last().await, written);
    desk.stop().await;
    assert_eq!(desk.sent_to(0), 2);
}
