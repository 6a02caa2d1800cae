//! The API's description of itself: it has what the router has, foreign tools read it, people can too.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use reqwest::Method;
use serde_json::{Value, json};

use crate::desk::{Answer, Newsroom, draft};

#[tokio::test]
async fn the_document_and_the_router_agree() {
    let room = Newsroom::open().await;
    let served = room.anonymous().get("/v1/openapi.json", &[]).await;
    assert_eq!(served.json, publisher::openapi());
    let paths = served.json["paths"].as_object().unwrap();
    let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    for (path, operations) in paths {
        for method in &methods {
            let described = operations.get(method.as_str().to_lowercase());
            let answer = room.send(method.clone(), &path.replace("{id}", "x").replace("{hook}", "x"), &[], None).await;
            assert_eq!(answer.status == 405, described.is_none(), "{method} {path}: {}", answer.status);
            let Some(operation) = described else { continue };
            let status = answer.status.as_str();
            assert!(operation["responses"].get(status).is_some(), "{method} {path} answered {status}, which it hides");
            let open = operation.get("security").is_some();
            let anonymous = room
                .anonymous()
                .send(method.clone(), &path.replace("{id}", "x").replace("{hook}", "x"), &[], None)
                .await;
            assert_eq!(anonymous.status == 401, !open, "{method} {path}");
        }
    }
    room.close().await;
}

#[tokio::test]
async fn people_find_a_page_without_scripts() {
    let room = Newsroom::open().await;
    let page = room.anonymous().get("/", &[]).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.header("content-security-policy").starts_with("default-src 'none'; style-src 'self'"));
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert!(!page.text.contains("<script") && !page.text.contains("style="));
    for said in
        ["/v1/articles", "dry_run=true", "Idempotency-Key", "If-Match", "/v1/openapi.json", "newswire token create"]
    {
        assert!(page.text.contains(said), "{said}");
    }
    for link in page.text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        match link.strip_prefix('#') {
            Some(anchor) => assert!(page.text.contains(&format!("id=\"{anchor}\"")), "{link}"),
            None => assert_eq!(room.anonymous().get(link, &[]).await.status, 200, "{link}"),
        }
    }
    let schema = room.anonymous().get("/v1/schemas/article", &[]).await;
    assert_eq!(schema.json, article::wire::v1::article_schema());
    room.close().await;
}

/// What was answered to one request, as the checker reads it.
fn answered(method: &str, path: &str, answer: &Answer) -> Value {
    let (status, kind) = (answer.status.as_u16(), answer.header("content-type"));
    json!({ "method": method, "path": path, "status": status, "type": kind, "body": answer.json })
}

/// One of everything that a newsroom is answered.
async fn answers() -> Vec<Value> {
    let room = Newsroom::open().await;
    let mut document = draft("Described");
    document["published"] = json!({ "at": "2018-11-26", "tz": "Asia/Shanghai" });
    document["associations"] = json!([{ "type": "picture", "uri": "https://cdn.example/1.jpg", "alt_text": "A bridge", "width": 10, "height": 10 }]);
    document["subjects"] = json!([{ "scheme": "medtop", "code": "20000001", "name": "arts" }]);
    let (articles, article) = ("/v1/articles", "/v1/articles/{id}");
    let created = room.post(&document, &[]).await;
    assert_eq!(created.status, 201, "{}", created.json);
    let address = created.header("location").to_owned();
    let mut all = vec![answered("POST", articles, &created)];
    let json_type = [("content-type", "application/json"), ("if-match", "\"1\"")];
    let send = async |method: Method, path: &str, body: &Value| {
        room.send(method, path, &json_type, Some(body.to_string().into())).await
    };
    document["change"] = json!({ "kind": "correction", "note": "It was described." });
    for query in ["?dry_run=true", "?dry_run=2", ""] {
        all.push(answered("PUT", article, &send(Method::PUT, &format!("{address}{query}"), &document).await));
    }
    document["change"] = Value::Null;
    all.push(answered("POST", articles, &send(Method::POST, "/v1/articles?dry_run=true", &document).await));
    all.push(answered("POST", articles, &send(Method::POST, "/v1/articles", &json!({ "body": 1 })).await));
    all.push(answered("PUT", article, &send(Method::PUT, &address, &document).await));
    let changes = format!("{address}/changes");
    for (kind, path) in [("kill", format!("{changes}?dry_run=true")), ("kill", changes.clone()), ("release", changes)] {
        let change = json!({ "kind": kind, "note": "Why." });
        let answer = room.send(Method::POST, &path, &json_type[..1], Some(change.to_string().into())).await;
        all.push(answered("POST", "/v1/articles/{id}/changes", &answer));
    }
    for (path, sent) in [
        (articles, articles.to_owned()),
        (articles, format!("{articles}?limit=x")),
        (article, address.clone()),
        (article, format!("{articles}/x")),
        ("/v1/articles/{id}/revisions", format!("{address}/revisions")),
        ("/v1/articles/{id}/receipts", format!("{address}/receipts")),
        ("/v1/articles/{id}/ninjs", format!("{address}/ninjs")),
        ("/v1/articles/{id}/json-ld", format!("{address}/json-ld")),
        ("/v1/token", "/v1/token".into()),
        ("/v1/openapi.json", "/v1/openapi.json".into()),
        ("/v1/schemas/article", "/v1/schemas/article".into()),
    ] {
        all.push(answered("GET", path, &room.get(&sent, &[]).await));
    }
    all.push(answered("GET", "/v1/token", &room.anonymous().get("/v1/token", &[]).await));
    room.close().await;
    all
}

#[tokio::test]
async fn foreign_validators_accept_the_document_its_examples_and_real_answers() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests");
    let python = tests.join(".tools/venv/bin/python");
    let installed = Command::new(&python).args(["-c", "import openapi_spec_validator"]).stderr(Stdio::null()).status();
    if !installed.is_ok_and(|status| status.success()) {
        println!("skipped: {} has no openapi-spec-validator; tests/run installs it", python.display());
        return;
    }
    let answers = answers().await;
    let asked = json!({ "document": publisher::openapi(), "answers": answers }).to_string();
    let mut child = Command::new(python)
        .arg(tests.join("foreign/check_api.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the interpreter that just ran runs");
    child.stdin.take().expect("it is piped").write_all(asked.as_bytes()).expect("it reads all");
    let output = child.wait_with_output().expect("it ends");
    let (out, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{wrong}");
    let count = |what: &str| out.lines().find_map(|line| line.strip_prefix(what)?.trim().parse::<usize>().ok());
    assert_eq!(count("answers"), Some(answers.len()));
    assert!(count("examples") > Some(20), "{out}");
}
