//! The API's description of itself: it has what the router has, foreign tools read it, people can too.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use reqwest::Method;

use crate::desk::Newsroom;

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
            let answer = room.send(method.clone(), &path.replace("{id}", "x"), &[], None).await;
            assert_eq!(answer.status == 405, described.is_none(), "{method} {path}: {}", answer.status);
            let Some(operation) = described else { continue };
            let status = answer.status.as_str();
            assert!(operation["responses"].get(status).is_some(), "{method} {path} answered {status}, which it hides");
            let open = operation.get("security").is_some();
            let anonymous = room.anonymous().send(method.clone(), &path.replace("{id}", "x"), &[], None).await;
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
    for said in ["/v1/articles", "Idempotency-Key", "If-Match", "/v1/openapi.json", "newswire token create"] {
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

#[test]
fn openapi_spec_validator_accepts_it() {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/.tools/venv/bin/python");
    let check = "import json, sys; from openapi_spec_validator import validate; validate(json.load(sys.stdin))";
    let installed = Command::new(&python).args(["-c", "import openapi_spec_validator"]).stderr(Stdio::null()).status();
    if !installed.is_ok_and(|status| status.success()) {
        println!("skipped: {} has no openapi-spec-validator; tests/run installs it", python.display());
        return;
    }
    let mut child = Command::new(python)
        .args(["-c", check])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the interpreter that just ran runs");
    child.stdin.take().unwrap().write_all(publisher::openapi().to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
