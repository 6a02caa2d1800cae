//! `newswire import` of folders.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::{Value, json};
use testkit::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::desk::Desk;

pub(crate) fn page(n: usize) -> String {
    format!("党建\n第{n}号新闻\n时间：2018-11-26 来源：合肥晚报\n\n正文{n}。\n")
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `pages/2018/<n>.txt`
fn folder(desk: &Desk, pages: usize) {
    fs::create_dir_all(desk.dir.path().join("pages/2018")).expect("a writable directory");
    for n in 0..pages {
        desk.file(&format!("pages/2018/{n:05}.txt"), &page(n));
    }
}

#[tokio::test]
async fn a_folder_is_imported_once_and_every_file_is_accounted_for() {
    let desk = Desk::open().await;
    folder(&desk, 40);
    let file = |name: &str, text: &str| desk.file(&format!("pages/{name}"), text);
    file("bad.txt", "Headline\nTime: 03/04/2018 Source: A\n\nText\n");
    file("empty.txt", "");
    file("copy.txt", &page(7));
    file("same-identity.txt", &page(8).replace("正文8", "另一篇"));
    file("picture.jpg", "x");
    file(".hidden.txt", &page(100));
    fs::set_permissions(file("locked.txt", "x"), fs::Permissions::from_mode(0o000)).unwrap();
    symlink(desk.dir.path().join("pages"), desk.dir.path().join("pages/2018/round")).unwrap();
    symlink("loop.txt", desk.dir.path().join("pages/loop.txt")).unwrap();

    let ran = desk.run(&["import", "pages", "--publish", "--report", "report.json"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    let report: Value = serde_json::from_slice(&fs::read(desk.dir.path().join("report.json")).unwrap()).unwrap();
    let of = |name: &str| {
        let row = report["files"].as_array().unwrap().iter().find(|row| row["file"] == format!("pages/{name}"));
        let row = row.unwrap_or_else(|| panic!("{name} is not in {report:#}"));
        (row["outcome"].as_str().unwrap().to_owned(), row["errors"][0]["code"].as_str().unwrap_or_default().to_owned())
    };
    for (name, outcome, code) in [
        ("bad.txt", "failed", "E_DATE_AMBIGUOUS"),
        ("empty.txt", "failed", "E_EMPTY"),
        ("loop.txt", "failed", "E_FILE"),
        ("same-identity.txt", "failed", "E_SAME_PAGE"),
        ("2018/00000.txt", "published", ""),
    ] {
        assert_eq!(of(name), (outcome.to_owned(), code.to_owned()), "{name}");
    }
    // For root nothing is locked, and the page has mistakes of its own.
    assert_eq!(of("locked.txt").0, "failed");
    let mut twins = [of("copy.txt").0, of("2018/00007.txt").0];
    twins.sort();
    assert_eq!(twins, ["published", "unchanged"]);
    assert_eq!((&report["counts"]["published"], &report["not_tried"]), (&json!(40), &json!(0)), "{report:#}");
    assert_eq!(report["passed_over"], 3, "a picture, a hidden file and a link to a folder");
    for said in ["published 40", "failed 5", "E_DATE_AMBIGUOUS 1 pages/bad.txt"] {
        assert!(squeezed(&ran.out).contains(said), "{said} in {}", ran.out);
    }
    assert!(desk.log().await.values().all(|revisions| *revisions == 1));
    assert_eq!(desk.log().await.len(), 40);

    let again = desk.run(&["import", "pages/2018", "--publish", "--report", "report.csv"]).await;
    assert_eq!((again.code, squeezed(&again.out).contains("unchanged 40")), (0, true), "{again:?}");
    assert_eq!(desk.log().await.len(), 40);
    let csv = fs::read_to_string(desk.dir.path().join("report.csv")).unwrap();
    assert_eq!(csv.lines().count(), 41);
    assert!(csv.contains("\"pages/2018/00000.txt\",\"unchanged\",\"urn:uuid:"), "{csv}");
}

#[tokio::test]
async fn a_page_whose_words_changed_is_revised_if_asked_and_never_goes_back() {
    let desk = Desk::open().await;
    let import = async |more: &[&str]| {
        let args = [&["import", "pages", "--publish", "--json"], more].concat();
        let ran = desk.run(&args).await;
        let rows: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let outcomes: Vec<_> = rows.iter().map(|row| row["outcome"].as_str().unwrap().to_owned()).collect();
        (ran.code, outcomes.join(" "), rows[0].clone())
    };
    folder(&desk, 1);
    let (code, outcome, row) = import(&[]).await;
    assert_eq!((code, outcome.as_str()), (0, "published"));
    let id = row["id"].as_str().unwrap().to_owned();
    let first = page(0);
    let put = |text: &str| desk.file("pages/2018/00000.txt", text);

    put(&first.replace("正文0", "正文一"));
    let (code, outcome, row) = import(&[]).await;
    assert_eq!((code, outcome.as_str(), &row["revision"]), (1, "changed", &json!(1)));
    let (code, outcome, row) = import(&["--revise", "minor"]).await;
    assert_eq!((code, outcome.as_str(), &row["revision"]), (0, "revised", &json!(2)));
    let (code, outcome, _) = import(&["--revise", "minor"]).await;
    assert_eq!((code, outcome.as_str()), (0, "unchanged"));
    put(&first.replace("正文0", "正文二"));
    assert_eq!(import(&["--revise", "major"]).await.2["revision"], 3);
    // An older copy of the folder.
    put(&first.replace("正文0", "正文一"));
    let (code, outcome, row) = import(&["--revise", "minor"]).await;
    assert_eq!((code, outcome.as_str()), (1, "changed"));
    assert!(row["errors"][0]["text"].as_str().unwrap().contains("these words in revision 2"), "{row}");

    // An editor's words stay.
    desk.file("edited.json", &json!({ "headline": "H", "body_text": "B", "language": "zh" }).to_string());
    desk.ok(&["revise", &id, "edited.json", "--kind", "correction", "--note", "N"]).await;
    put(&first.replace("正文0", "正文三"));
    let (code, outcome, row) = import(&["--revise", "minor"]).await;
    assert_eq!((code, outcome.as_str()), (1, "changed"));
    assert!(row["errors"][0]["text"].as_str().unwrap().contains("came in by \"cli\""), "{row}");
    assert_eq!(desk.log().await.into_values().collect::<Vec<_>>(), [4]);
}

#[tokio::test]
async fn ctrl_c_finishes_what_is_under_way_and_the_next_run_goes_on() {
    const PAGES: usize = 1000;
    let desk = Desk::open().await;
    folder(&desk, PAGES);
    let mut import = desk.start(&["import", "pages", "--publish", "--report", "report.json", "--json"], &[]);
    import.line("\"published\"").await;
    let status = import.interrupt().await;
    assert_eq!(status.code(), Some(1), "{:?}", import.lines());
    let report: Value = serde_json::from_slice(&fs::read(desk.dir.path().join("report.json")).unwrap()).unwrap();
    let published = report["counts"]["published"].as_u64().unwrap() as usize;
    let untried = report["not_tried"].as_u64().unwrap() as usize;
    assert!(untried > 0 && published > 0, "{}", report["counts"]);
    assert_eq!(published + untried, PAGES);
    // What was begun was finished and told: the report knows every article there is.
    assert_eq!(desk.log().await.len(), published);
    let rest = desk.ok(&["import", "pages", "--publish"]).await;
    let said = squeezed(&rest.out);
    assert!(
        said.contains(&format!("published {untried}")) && said.contains(&format!("unchanged {published}")),
        "{said}"
    );
    assert_eq!(desk.log().await.len(), PAGES);
}

#[tokio::test]
async fn a_publisher_that_asks_for_patience_gets_it() {
    let desk = Desk::open().await;
    folder(&desk, 3);
    let (listener, target) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), desk.publisher().to_owned());
    let url = format!("http://{}", listener.local_addr().unwrap());
    // The first three requests are refused, in three ways; from then on it is the publisher that answers.
    let door = tokio::spawn(async move {
        let refusals = [
            "429 Too Many Requests\r\nRetry-After: 1\r\nContent-Type: application/problem+json\r\nContent-Length: 61\r\n\r\n{\"type\":\"urn:newswire:problem:x\",\"title\":\"T\",\"detail\":\"Slow\"}",
            "503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
            "502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
        ];
        let mut refusals = refusals.into_iter();
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let (refusal, target) = (refusals.next(), target.clone());
            tokio::spawn(async move {
                let Some(refusal) = refusal else {
                    let mut publisher = tokio::net::TcpStream::connect(target).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut publisher).await;
                    return;
                };
                let mut request = [0; 4096];
                let _ = client.read(&mut request).await;
                let answer = format!("HTTP/1.1 {}", refusal.replacen("\r\n", "\r\nConnection: close\r\n", 1));
                client.write_all(answer.as_bytes()).await.unwrap();
                let _ = client.shutdown().await;
            });
        }
    });
    let ran = desk.run_with(&["import", "pages", "--publish"], &[("NEWSWIRE_PUBLISHER_URL", &url)], b"").await;
    door.abort();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(squeezed(&ran.out).contains("published 3"), "{}", ran.out);
}

#[tokio::test]
async fn a_token_that_is_not_good_ends_the_run_and_says_so() {
    let desk = Desk::open().await;
    folder(&desk, 50);
    let ran = desk.run_with(&["import", "pages", "--publish"], &[("NEWSWIRE_TOKEN", "nwt_wrong")], b"").await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("token") && ran.err.contains("run the same command again"), "{}", ran.err);
    assert!(squeezed(&ran.out).contains("not tried 50"), "{}", ran.out);
    eventually("the run has left nothing", async || match desk.log().await.len() {
        0 => Ok(()),
        n => Err(format!("{n} articles")),
    })
    .await;
}
