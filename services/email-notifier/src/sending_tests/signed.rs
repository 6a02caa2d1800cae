//! What the relay gets when the notifier signs. Whether receivers believe it is the mail crate's to show.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail::dkim::Signer;

use super::*;

#[tokio::test]
async fn every_mail_of_the_notifier_is_signed_for_the_senders_domain() {
    let mut desk = Desk::open(vec![]).await;
    desk.readers(120).await;
    let der = KeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()));
    let signer = Signer::new("news.example", "news2026", &pem).unwrap();
    let config = Config { dkim: Some(Arc::new(signer)), ..desk.config() };
    let service = EmailNotifier::bind(config).await.unwrap();
    desk.services.push(tokio::spawn(service.run(desk.shutdown.clone())));
    let (article, _) = desk.publish(None, create("Signed")).await;
    assert_eq!(desk.worked_off(&article).await.count(State::Accepted), 120);
    // Whoever signs up is mailed by another way, and signed as well.
    let stranger = "stranger@example.org".parse().unwrap();
    desk.store.request(&stranger, &Wish::alerts(Selection::everything(), "en"), service_kit::now()).await.unwrap();
    let mails = eventually("the mail to confirm is there", async || match desk.mailbox.mails() {
        mails if mails.len() == 121 => Ok(mails),
        mails => Err(mails.len()),
    })
    .await;
    for mail in mails {
        let signature = mail.header("DKIM-Signature").unwrap_or_default();
        assert!(signature.contains("d=news.example; s=news2026;"), "{signature}");
    }
    desk.stop().await;
}
