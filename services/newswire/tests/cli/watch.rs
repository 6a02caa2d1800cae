//! `newswire watch`: files in, articles out, each once, whoever dies meanwhile.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{ChaosProxy, Process, eventually, eventually_within};

use crate::batch::page;
use crate::desk::Desk;

const WATCH: [&str; 4] = ["watch", "in", "--settle", "1"];

/// A watched folder, and what it has become.
struct In(PathBuf);

impl In {
    fn of(desk: &Desk) -> Self {
        let path = desk.dir.path().join("in");
        fs::create_dir_all(&path).expect("a writable directory");
        Self(path)
    }

    /// Written under another name first, as a careful program does.
    fn drop(&self, name: &str, text: &str) {
        let unfinished = self.0.join(format!(".{name}.part"));
        fs::write(&unfinished, text).expect("a writable folder");
        fs::rename(unfinished, self.0.join(name)).expect("a writable folder");
    }

    /// Names in a part of the folder, as they were called, with their paths.
    fn names(&self, part: &str) -> BTreeMap<String, PathBuf> {
        let Ok(entries) = fs::read_dir(self.0.join(part)) else { return BTreeMap::new() };
        let paths = entries.map(|entry| entry.expect("it can be listed").path()).filter(|path| path.is_file());
        let called = |path: &Path| path.file_name()?.to_str()?.splitn(3, '-').nth(2).map(str::to_owned);
        paths.filter_map(|path| Some((called(&path)?, path))).collect()
    }

    async fn settled(&self, part: &str, name: &str) -> String {
        eventually(&format!("{name} is in {part}/"), async || {
            self.names(part).remove(name).ok_or_else(|| {
                let read = |path: &PathBuf| fs::read_to_string(path).unwrap_or_default();
                let failed: Vec<String> = self.names("failed").values().map(read).collect();
                format!("done: {:?}, failed: {failed:#?}", self.names("done").keys())
            })
        })
        .await
        .display()
        .to_string()
    }

    async fn result(&self, name: &str) -> Value {
        let path = self.settled("done", name).await;
        serde_json::from_slice(&fs::read(format!("{path}.result.json")).expect("a note beside it")).expect("JSON")
    }

    async fn error(&self, name: &str) -> String {
        let path = self.settled("failed", name).await;
        fs::read_to_string(format!("{path}.error.txt")).expect("a note beside it")
    }
}

async fn watching(desk: &Desk) -> Process {
    let mut watch = desk.start(&WATCH, &[]);
    watch.line("watching in").await;
    watch
}

#[tokio::test]
async fn a_newsroom_with_nothing_but_a_folder_publishes_and_corrects() {
    let desk = Desk::open().await;
    let folder = In::of(&desk);
    let mut watch = watching(&desk).await;
    folder.drop("页.txt", &page(1));
    folder.drop("cms.json", &json!({ "headline": "桥", "body_text": "One.", "language": "zh" }).to_string());
    let web = include_str!("../../../../crates/import/samples/html/02-government-meta.html");
    folder.drop("web.html", web);
    folder.drop("bad.txt", "Headline\nTime: 03/04/2018 Source: A\n\nText\n");
    folder.drop("invalid.json", &json!({ "headline": "", "urgency": 0, "language": "en" }).to_string());
    folder.drop("what.pdf", "%PDF");
    fs::write(folder.0.join("upload.txt.part"), page(2)).unwrap();
    let first = folder.result("页.txt").await;
    assert_eq!((&first["revision"], &first["unchanged"], &first["file"]), (&json!(1), &json!(false), &json!("页.txt")));
    let id = folder.result("cms.json").await["id"].as_str().unwrap().to_owned();
    assert_eq!(folder.result("web.html").await["status"], "published");
    let error = folder.error("bad.txt").await;
    assert!(error.starts_with("bad.txt was not published.") && error.contains("E_DATE_AMBIGUOUS"), "{error}");
    let error = folder.error("invalid.json").await;
    assert!(["/headline", "/urgency", "/body"].iter().all(|field| error.contains(field)), "{error}");
    assert!(folder.error("what.pdf").await.contains("E_UNKNOWN_KIND"));

    // A correction, by the id that stands beside the file that made it; then the same file again.
    let correction = json!({
        "id": id, "headline": "桥", "body_text": "Two.", "language": "zh",
        "change": { "kind": "correction", "note": "Two, not one." },
    });
    folder.drop("correction.json", &correction.to_string());
    assert_eq!(folder.result("correction.json").await["revision"], 2);
    folder.drop("again.json", &correction.to_string());
    let again = folder.result("again.json").await;
    assert_eq!((&again["revision"], &again["unchanged"]), (&json!(2), &json!(true)));
    let mut stale = correction.clone();
    stale["revision"] = json!(1);
    stale["body_text"] = json!("Three.");
    folder.drop("stale.json", &stale.to_string());
    assert!(folder.error("stale.json").await.contains("revision 2 is current"));

    // A page with other words is a revision; with its first words again it is told.
    folder.drop("页.txt", &page(1).replace("正文1", "正文一"));
    eventually("the page is revised", async || {
        let shown = desk.ok(&["show", first["id"].as_str().unwrap(), "--json"]).await.json();
        if shown["revision"] == 2 { Ok(()) } else { Err(shown["revision"].to_string()) }
    })
    .await;
    folder.drop("alt.txt", &page(1));
    assert!(folder.error("alt.txt").await.contains("has others in revision 2"));
    assert!(folder.0.join("upload.txt.part").exists(), "nobody said that it is finished");
    assert!(watch.terminate().await.success());
    assert_eq!(watch.lines().last().map(String::as_str), Some("stopped"));
    assert_eq!((folder.names("work").len(), desk.log().await.len()), (0, 3));
}

#[tokio::test]
async fn two_watchers_killed_at_any_moment_publish_every_file_once() {
    const ROUNDS: usize = 8;
    const FILES: usize = ROUNDS * 9;
    let desk = Desk::open().await;
    let folder = In::of(&desk);
    let mut watchers = [watching(&desk).await, watching(&desk).await];
    let settled = || (folder.names("done").len() + folder.names("failed").len()) / 2;
    for round in 0..ROUNDS {
        let before = settled();
        for n in round * 9..(round + 1) * 9 {
            match n % 3 {
                0 => folder.drop(&format!("{n}.txt"), &page(n)),
                1 => {
                    let article = json!({ "headline": format!("第{n}号"), "body_text": "B", "language": "zh" });
                    folder.drop(&format!("{n}.json"), &article.to_string());
                }
                _ => folder.drop(&format!("{n}.txt"), "not a page"),
            }
        }
        // In the middle of the work, a little further on in each round.
        let enough = before + 1 + round % 7;
        eventually("some files are settled", async || match settled() {
            n if n >= enough => Ok(()),
            n => Err(format!("{n} of {enough}")),
        })
        .await;
        let victims = if round % 3 == 2 { &mut watchers[..] } else { &mut watchers[round % 2..=round % 2] };
        for victim in victims {
            victim.kill9();
            *victim = watching(&desk).await;
        }
    }
    eventually_within(Duration::from_secs(120), "everything is settled", async || match settled() {
        FILES => Ok(()),
        n => Err(format!("{n} of {FILES}; in work: {:?}", folder.names("work").keys())),
    })
    .await;
    eventually("nothing is left in between", async || {
        let left = (folder.names("").len(), folder.names("work").len());
        if left == (0, 0) { Ok(()) } else { Err(format!("{left:?}")) }
    })
    .await;
    let log = desk.log().await;
    assert_eq!(log.len(), FILES / 3 * 2, "one article for each good file");
    assert!(log.values().all(|revisions| *revisions == 1), "{log:?}");
    for n in 0..FILES {
        match n % 3 {
            0 => assert!(folder.result(&format!("{n}.txt")).await["id"].is_string()),
            1 => assert!(folder.result(&format!("{n}.json")).await["id"].is_string()),
            _ => assert!(folder.error(&format!("{n}.txt")).await.contains("[E_")),
        }
    }
    assert_eq!(folder.names("done").len(), FILES / 3 * 4, "a file and its note");
    assert_eq!(folder.names("failed").len(), FILES / 3 * 2);
}

#[tokio::test]
async fn a_story_is_pulled_by_a_file_and_an_agencys_versions_come_in_any_order() {
    let desk = Desk::open().await;
    let folder = In::of(&desk);
    let _watch = watching(&desk).await;
    let cms = json!([{ "role": "cms", "value": "4711" }]);
    let draft = json!({ "headline": "桥", "body_text": "One.", "language": "zh", "alt_ids": cms });
    folder.drop("story.json", &draft.to_string());
    assert_eq!(folder.result("story.json").await["status"], "published");
    // The newsroom's own id is enough, and what is there already is no mistake.
    let pull = |kind: &str| json!({ "alt_ids": cms, "change": { "kind": kind, "note": "Wrong." } }).to_string();
    folder.drop("pull.json", &pull("withdraw"));
    assert_eq!(folder.result("pull.json").await["status"], "withdrawn");
    folder.drop("pull-again.json", &pull("withdraw"));
    assert_eq!(folder.result("pull-again.json").await["unchanged"], true);
    folder.drop("kill.json", &pull("kill"));
    assert_eq!(folder.result("kill.json").await["status"], "killed");
    folder.drop("nobody.json", &pull("kill").replace("4711", "9"));
    assert!(folder.error("nobody.json").await.contains("No such article"));

    let version = |hour: u8, status: &str| {
        json!({
            "uri": "https://agency.example/1", "language": "en", "pubStatus": status,
            "versionCreated": format!("2026-11-22T{hour:02}:00:00Z"), "headlines": [{ "value": "Bridge" }],
            "bodies": [{ "contentType": "text/plain", "value": format!("As of {hour}.") }],
        })
        .to_string()
    };
    folder.drop("n1.json", &version(10, "usable"));
    let first = folder.result("n1.json").await;
    folder.drop("n3.json", &version(12, "usable"));
    let newest = folder.result("n3.json").await;
    assert_eq!((&newest["id"], &newest["revision"]), (&first["id"], &json!(2)));
    folder.drop("n2.json", &version(11, "usable"));
    assert!(folder.error("n2.json").await.contains("a newer version of it is out already"));
    folder.drop("n4.json", &version(13, "canceled"));
    assert_eq!(folder.result("n4.json").await["status"], "withdrawn");
}

#[tokio::test]
async fn a_publisher_that_is_away_is_waited_for() {
    let desk = Desk::open().await;
    let folder = In::of(&desk);
    let proxy = ChaosProxy::start(desk.publisher()).await;
    proxy.cut();
    let mut watch = desk.start(&WATCH, &[("NEWSWIRE_PUBLISHER_URL", &format!("http://{}", proxy.addr()))]);
    folder.drop("a.txt", &page(1));
    watch.line("waiting: no answer from the publisher").await;
    assert_eq!(folder.names("work").len(), 1, "kept");
    proxy.restore();
    folder.result("a.txt").await;
    watch.line("everything works again").await;
    assert_eq!(desk.log().await.len(), 1);
}

#[tokio::test]
async fn one_file_that_cannot_go_on_keeps_no_other_waiting() {
    let desk = Desk::open().await;
    let folder = In::of(&desk);
    // Put there by hand under a name with no room for a note beside it, and before all others by that name.
    fs::create_dir_all(folder.0.join("work")).unwrap();
    fs::write(folder.0.join("work").join(format!("{}.txt", "0".repeat(246))), page(1)).unwrap();
    let mut watch = watching(&desk).await;
    watch.line("waiting: cannot write").await;
    folder.drop("story.json", &json!({ "headline": "H", "body_text": "One.", "language": "en" }).to_string());
    let id = folder.result("story.json").await["id"].clone();
    let revision = |text: &str| json!({ "id": id, "headline": "H", "body_text": text, "language": "en", "change": { "kind": "minor" } });
    folder.drop("second.json", &revision("Two.").to_string());
    assert_eq!(folder.result("second.json").await["revision"], 2);
    // Larger than the publisher takes once it is written out, and of no revision in particular.
    let numbers = vec!["1e9"; 120_000].join(",");
    let mut large = revision("Three.").to_string();
    large.insert_str(large.len() - 1, &format!(",\"ext\":{{\"x\":[{numbers}]}}"));
    folder.drop("large.json", &large);
    folder.drop("third.json", &revision("Three.").to_string());
    assert_eq!(folder.result("third.json").await["revision"], 3);
    assert!(folder.error("large.json").await.contains("1048576"));
}

#[tokio::test]
async fn what_cannot_be_watched_is_wrong_usage() {
    let desk = Desk::bare().await;
    desk.file("file", "x");
    for folder in ["missing", "file"] {
        let ran = desk.run_with(&["watch", folder], &[("NEWSWIRE_TOKEN", "nwt_x")], b"").await;
        assert!(ran.code == 2 && ran.err.contains(folder), "{ran:?}");
    }
}
