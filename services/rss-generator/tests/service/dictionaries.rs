//! Earlier versions as compression dictionaries (RFC 9842), decoded by somebody else's library.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::{Method, StatusCode};
use sha2::{Digest, Sha256};

use super::wire::{stories, story};
use super::{Replica, header, provisioned, publish};

/// What Python's zstandard makes of it; `None`, with a line that says so, where the tools are not installed.
#[expect(clippy::print_stderr, reason = "a test that was skipped must say so")]
fn read_by_others(answer: &[u8], dictionary: &[u8]) -> Option<Vec<u8>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join("tests/.tools/venv/bin/python");
    if !python.exists() {
        eprintln!("skipped: {} is not there; tests/run makes it", python.display());
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dictionary");
    std::fs::write(&file, dictionary).unwrap();
    let script = root.join("tests/foreign/read_dcz.py");
    let mut child =
        Command::new(python).arg(script).arg(file).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(answer).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "read_dcz.py failed");
    Some(output.stdout)
}

#[tokio::test]
async fn an_earlier_version_is_a_dictionary() {
    let (nats, bus) = provisioned().await;
    stories(&bus, 0..30).await;
    let replica = Replica::start(&nats).await;
    for (path, from) in [("/feeds/all.rss", 30), ("/feeds/all.atom", 32), ("/feeds/all.json", 34)] {
        // A browser says that it knows the coding; from then on versions are kept.
        let first = replica.get_with(path, "accept-encoding", "gzip, br, zstd, dcb, dcz").await;
        assert!(header(&first, "content-encoding") != "dcz" && !header(&first, "use-as-dictionary").is_empty());
        let mut versions = vec![replica.get(path).await.bytes().await.unwrap()];
        for n in from..from + 2 {
            publish(&bus, &story(n)).await;
            versions.push(replica.says(path, &format!("Story {n} ")).await.into());
        }
        let current = replica.get(path).await;
        let (tag, latest) = (header(&current, "etag").to_owned(), current.bytes().await.unwrap());
        let gzip = replica.coded(path, "gzip", "gzip").await.bytes().await.unwrap();
        for (age, version) in versions.iter().rev().enumerate() {
            let hash = format!(":{}:", BASE64_STANDARD.encode(Sha256::digest(version)));
            let asked = [("accept-encoding", "gzip, br, zstd, dcb, dcz"), ("available-dictionary", &*hash)];
            let answer = replica.ask(Method::GET, path, &asked).await;
            assert_eq!((answer.status(), header(&answer, "content-encoding")), (StatusCode::OK, "dcz"), "{path} {age}");
            assert_eq!(header(&answer, "vary"), "accept-encoding, available-dictionary", "{path}");
            let packed_tag = header(&answer, "etag").to_owned();
            assert_eq!(packed_tag.split('-').next().unwrap(), tag.trim_end_matches('"'), "{path} {age}");
            let answer = answer.bytes().await.unwrap();
            assert!(answer.len() * 4 < gzip.len(), "{path} {age}: {} of {}", answer.len(), gzip.len());
            if let Some(read) = read_by_others(&answer, version) {
                assert_eq!(read, latest, "{path} {age}");
            }
            let again = replica.ask(Method::GET, path, &[("if-none-match", &packed_tag), asked[0], asked[1]]).await;
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
            // Who would rather have something else gets that.
            let other = replica.ask(Method::GET, path, &[("accept-encoding", "gzip, dcz;q=0.5"), asked[1]]).await;
            assert_eq!(header(&other, "content-encoding"), "gzip");
        }
        let unknown = format!(":{}:", BASE64_STANDARD.encode([0; 32]));
        let answer =
            replica.ask(Method::GET, path, &[("accept-encoding", "dcz"), ("available-dictionary", &unknown)]).await;
        assert_eq!(header(&answer, "content-encoding"), "");
        assert_eq!(answer.bytes().await.unwrap(), latest);
    }
}
