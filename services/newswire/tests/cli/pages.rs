//! `newswire import`.

use std::path::Path;

use serde_json::json;

use crate::desk::Desk;

const PAGE: &str = "党风廉政建设\n合肥市人民检察院\u{202f}扎实推进党建工作\n时间：2018-11-26 作者： 新闻来源：合肥晚报 【字号：大 中 小\n\n今年以来，扎实推进。\n\n第二段。（孙路）\n";

#[tokio::test]
async fn it_shows_field_by_field_what_was_found() {
    let desk = Desk::bare().await;
    desk.file("page.txt", PAGE);
    let ran = desk.ok(&["import", "page.txt"]).await;
    let expected = "page.txt
  section    line 1                               党风廉政建设
  headline   line 2                               合肥市人民检察院\u{202f}扎实推进党建工作
  date       line 3                               2018-11-26 (a date without a time), printed as “2018-11-26”
  time zone  recognised            Asia/Shanghai, as of cn-procuratorate: there is a label in Chinese
  byline     line 7, the sign-off                 孙路
  author     the byline                           孙路
  source     line 3                               合肥晚报
  language   the script                           zh
  body       lines 5 to 7                         2 paragraphs, 14 characters: 今年以来，扎实推进。
  dropped    line 3                               “【字号：大 中 小”: a control of the web page
";
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(squeezed(&ran.out), squeezed(expected), "{}", ran.out);
    assert_eq!(ran.err, "");
    // All values begin in one column; the columns before hold ASCII only.
    let columns: Vec<_> = ["党风", "2018-11-26 (", "Asia/Sh", "合肥晚报", "zh\n", "2 para", "“【字号"]
        .iter()
        .map(|value| ran.out[..ran.out.find(value).unwrap()].rsplit('\n').next().unwrap().len())
        .collect();
    assert!(columns.iter().all(|column| *column == columns[0]), "{columns:?}\n{}", ran.out);
}

#[tokio::test]
async fn it_refuses_with_a_code_a_line_and_advice_and_goes_on() {
    let desk = Desk::bare().await;
    desk.file("bad.txt", "Headline\nTime: 03/04/2018 Source: A\n\nText\n");
    desk.file("long.txt", &format!("{}\nTime: 2018-11-26 Source: A\n\nText\n", "x".repeat(301)));
    desk.file("good.txt", PAGE);
    let ran = desk.run(&["import", "bad.txt", "missing.txt", "long.txt", "good.txt"]).await;
    assert_eq!(ran.code, 1);
    for said in [
        "bad.txt: not imported\n  E_DATE_AMBIGUOUS, line 2: the date is “03/04/2018”",
        "write it as 2018-11-26",
        "missing.txt: not imported\n  cannot open missing.txt: No such file",
        "long.txt: not published\n  /headline: 301 characters; at most 300 are allowed [too_long]",
    ] {
        assert!(ran.err.contains(said), "{said:?} in {}", ran.err);
    }
    assert!(ran.out.contains("good.txt\n") && !ran.out.contains("bad.txt"), "{}", ran.out);
    let ran = desk.run_with(&["import", "--json", "-", "bad.txt"], &[], PAGE.as_bytes()).await;
    let lines: Vec<serde_json::Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines[0]["ok"].clone(), lines[0]["draft"]["section"].clone()), (json!(true), json!(["党风廉政建设"])));
    assert_eq!((ran.code, lines[1]["errors"][0]["code"].clone()), (1, json!("E_DATE_AMBIGUOUS")));
    assert_eq!(lines[1]["errors"][0]["line"], 2);
}

/// As a site in China serves it, with a wrong encoding and a wrong language.
const HTML: &str = "<html lang=en><head><meta charset=gb2312><title>市检察院扎实推进党建工作_要闻_检察网</title>\
    <meta name=PubDate content='2018-11-27 08:00'></head><body><p>当前位置：<a href=/>首页</a>&gt;<a href=/y>要闻</a>&gt;正文</p>\
    <h1>市检察院扎实推进党建工作</h1><p>时间：2018-11-26 09:30 作者：李波 来源：某某晚报 【字号：大 中 小】</p>\
    <div class=TRS_Editor><p>今年以来，市检察院扎实推进机关党的建设工作，取得了成效。</p><p>（责任编辑：赵敏）</p></div></body></html>";

#[tokio::test]
async fn a_page_of_html_says_where_each_field_came_from() {
    let desk = Desk::open().await;
    desk.file("page.html", HTML);
    let ran = desk.ok(&["import", "--trace", "page.html"]).await;
    let squeezed = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        "section breadcrumb, line 1 要闻",
        "headline line 1, h1 confirmed by a title 市检察院扎实推进党建工作",
        "date label line 1 2018-11-26T09:30:00+08:00",
        "not meta PubDate “2018-11-27 08:00”: what the page shows leads",
        "byline label line 1 李波",
        "source label line 1 某某晚报",
        "editor label line 1 赵敏",
        "language the script zh not html lang “en”: the text is in another language",
        "encoding the bytes are valid UTF-8 UTF-8 not the declaration “gb2312”: another name of it, or not what the bytes are",
    ] {
        assert!(squeezed.contains(said), "{said:?} in {}", ran.out);
    }
    let published = desk.ok(&["import", "--publish", "--json", "page.html"]).await.json();
    let shown = desk.ok(&["show", published["published"]["id"].as_str().unwrap(), "--json"]).await.json();
    assert_eq!(shown["body"], "<p>今年以来，市检察院扎实推进机关党的建设工作，取得了成效。</p>");
    assert_eq!(shown["ext"]["newswire.import"]["origins"]["source"], "label line 1");
}

#[tokio::test]
async fn a_page_is_published_once() {
    let desk = Desk::open().await;
    desk.file("page.txt", PAGE);
    let first = desk.ok(&["import", "--publish", "page.txt"]).await;
    let id = first.after("\npublished: ").split(',').next().unwrap().to_owned();
    assert!(first.out.ends_with(&format!("published: {id}, revision 1\n")), "{}", first.out);
    let again = desk.ok(&["import", "--publish", "page.txt"]).await;
    assert!(again.out.ends_with(&format!("already published, unchanged: {id}, revision 1\n")), "{}", again.out);

    let shown = desk.ok(&["show", &id, "--json"]).await.json();
    assert_eq!(shown["headline"], "合肥市人民检察院\u{202f}扎实推进党建工作");
    assert_eq!(shown["published"], json!({ "at": "2018-11-25T16:00:00Z", "precision": "date", "tz": "Asia/Shanghai" }));
    assert_eq!(shown["provenance"]["channel"], "cli-import");
    assert_eq!(shown["ext"]["newswire.import"]["dropped"][0]["text"], "【字号：大 中 小");

    // The page again, its text corrected: that is a revision, and how it is made is said.
    desk.file("page.txt", &PAGE.replace("第二段", "第三段"));
    let changed = desk.run(&["import", "--publish", "page.txt"]).await;
    assert_eq!(changed.code, 1);
    let advice = format!("newswire revise {}", id.trim_start_matches("urn:uuid:"));
    assert!(changed.err.contains("now at revision 1") && changed.err.contains(&advice), "{}", changed.err);
    let elsewhere = desk
        .ok(&["import", "--publish", "--json", "--url", "https://news.example/2", "--urgency", "2", "page.txt"])
        .await;
    let elsewhere = elsewhere.json();
    assert_eq!((&elsewhere["published"]["unchanged"], &elsewhere["draft"]["urgency"]), (&json!(false), &json!(2)));
    assert_ne!(elsewhere["published"]["id"], json!(id));
}

#[tokio::test]
async fn the_shared_seed_page_arrives_verbatim() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures/pages/00-seed.txt");
    if !page.is_file() {
        println!("skipped: {} is not there", page.display());
        return;
    }
    let desk = Desk::open().await;
    let ran = desk.ok(&["import", "--publish", "--json", page.to_str().unwrap()]).await.json();
    let shown = desk.ok(&["show", ran["published"]["id"].as_str().unwrap()]).await;
    for said in [
        "Party conduct and clean government construction",
        "Hefei Municipal People's Court solidly promotes the party building work of the organs",
        "2018-11-26 Asia/Shanghai",
        "Sun Lu",
        "Hefei Evening News",
    ] {
        assert!(shown.out.contains(said), "{said:?} in {}", shown.out);
    }
}

#[tokio::test]
async fn wrong_usage_is_told_apart() {
    let desk = Desk::bare().await;
    for (args, said) in [
        (&["import"][..], "<FILE>"),
        (&["import", "a", "b", "--url", "https://news.example/"], "one FILE"),
        (&["import", "a", "--publish"], "NEWSWIRE_TOKEN"),
        (&["import", "a", "--timezone", "Mars/Olympus"], "not a time zone"),
        (&["import", "a", "--urgency", "0"], "0"),
        (&["import", "a", "--token", "nwt_x"], "--token"),
        (&["show", "x"], "not an article id"),
    ] {
        let ran = desk.run(args).await;
        assert_eq!(ran.code, 2, "{args:?}: {ran:?}");
        assert!(ran.err.contains(said), "{args:?}: {}", ran.err);
    }
}
