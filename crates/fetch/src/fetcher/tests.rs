//! Real sockets, and servers that misbehave.

use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;

use reqwest::dns::{Addrs, Name, Resolving};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// Small, so that a flood ends soon; the times are those of production.
fn limits() -> Limits {
    Limits { received: 100_000, decoded: 100_000, ..Limits::default() }
}

fn fetcher() -> Fetcher {
    fetcher_within(limits())
}

fn fetcher_within(limits: Limits) -> Fetcher {
    let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
    Fetcher::new("newswire-test/1 (+https://news.example/)", guard, limits).unwrap()
}

/// A server that answers every request with what `answer` makes of its head; `None` ends the connection.
async fn server<F>(answer: impl Fn(String, TcpStream) -> F + Clone + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                    let Ok(byte @ 0..) = socket.read_u8().await else { return };
                    head.push(byte);
                }
                answer(String::from_utf8_lossy(&head).into_owned(), socket).await;
            });
        }
    });
    address
}

/// A server that says `text` for the path of each request and closes.
async fn saying(text: fn(&str, &str) -> Vec<u8>) -> SocketAddr {
    server(move |head, mut socket| async move {
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let _ = socket.write_all(&text(&path, &head)).await;
    })
    .await
}

fn redirect_to(status: u16, location: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} moved\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        .into_bytes()
}

fn ok(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

async fn get(address: SocketAddr, path: &str) -> Result<Response, FetchError> {
    fetcher().get(&format!("http://{address}{path}").parse().unwrap(), HeaderMap::new()).await
}

#[tokio::test]
async fn the_request_is_honest_and_carries_the_validators() {
    let address = saying(|_, head| ok("etag: \"2\"\r\n", head.as_bytes())).await;
    let validators = crate::Validators { etag: Some("W/\"1\"".into()), last_modified: Some("before".into()) };
    let url = format!("http://{address}/feed#part").parse().unwrap();
    let answer = fetcher().get(&url, validators.conditions()).await.unwrap();
    let head = String::from_utf8(answer.body.to_vec()).unwrap();
    for line in [
        "GET /feed HTTP/1.1",
        "user-agent: newswire-test/1 (+https://news.example/)",
        "if-none-match: W/\"1\"",
        "if-modified-since: before",
        "accept-encoding: gzip, deflate",
    ] {
        assert!(head.contains(line), "{line} in {head}");
    }
    assert!(!head.contains("cookie") && !head.contains("referer"), "{head}");
    assert_eq!(answer.headers["etag"], "\"2\"");
    assert_eq!((answer.moved_to, answer.url.path()), (None, "/feed"));
}

#[tokio::test]
async fn what_moved_for_good_is_told_from_what_moved_for_now() {
    let address = saying(|path, _| match path {
        "/a" => redirect_to(301, "/b"),
        "/b" => redirect_to(308, "c?新"),
        "/c?%E6%96%B0" => redirect_to(302, "/d"),
        "/d" => redirect_to(301, "/end"),
        "/now" => redirect_to(307, "/a"),
        _ => ok("", path.as_bytes()),
    })
    .await;
    for (from, moved) in [("/a", Some("/c")), ("/d", Some("/end")), ("/now", None), ("/end", None)] {
        let answer = get(address, from).await.unwrap();
        assert_eq!((&answer.body[..], answer.url.path()), (&b"/end"[..], "/end"));
        assert_eq!(answer.moved_to.as_ref().map(Url::path), moved, "{from}");
    }
}

#[tokio::test]
async fn no_redirect_leads_around_the_guard_or_in_circles() {
    let address = saying(|path, _| match path {
        "/loop" => redirect_to(302, "/pool"),
        "/pool" => redirect_to(302, "/loop#again"),
        "/private" => redirect_to(302, "http://10.0.0.1/"),
        "/metadata" => redirect_to(301, "http://169.254.169.254/latest/"),
        "/file" => redirect_to(302, "file:///etc/passwd"),
        "/user" => redirect_to(302, "http://a:b@127.0.0.1:9999/"),
        "/smtp" => redirect_to(302, "http://127.0.0.1:25/"),
        "/long" => redirect_to(302, &"x".repeat(3000)),
        "/nowhere" => redirect_to(302, "http://[/"),
        "/silent" => b"HTTP/1.1 302 moved\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc".to_vec(),
        path => redirect_to(302, &format!("{path}x")),
    })
    .await;
    let error = async |path: &str| get(address, path).await.unwrap_err();
    assert!(matches!(error("/loop").await, FetchError::RedirectLoop(_)));
    assert!(matches!(error("/private").await, FetchError::Blocked { range: "private", .. }));
    assert!(matches!(error("/metadata").await, FetchError::Blocked { range: "link-local", .. }));
    assert!(matches!(error("/file").await, FetchError::Scheme(_)));
    assert!(matches!(error("/user").await, FetchError::UserInfo { .. }));
    assert!(matches!(error("/smtp").await, FetchError::Port(25)));
    assert!(matches!(error("/nowhere").await, FetchError::BadRedirect(_)));
    assert_eq!(error("/long").await, FetchError::LongRedirect(2048));
    assert_eq!(error("/more").await, FetchError::TooManyRedirects(5));
    assert_eq!(get(address, "/silent").await.unwrap().status, StatusCode::FOUND);
}

#[tokio::test]
async fn a_post_goes_again_only_where_the_same_is_wanted() {
    let address = server(|head, mut socket| async move {
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut body = [0; 3];
        let _ = socket.read_exact(&mut body).await;
        let answer = match path.as_str() {
            "/same" => redirect_to(307, "/end"),
            "/other" => redirect_to(303, "/end"),
            _ => ok("", &[head.split(' ').next().unwrap_or_default().as_bytes(), &body].concat()),
        };
        let _ = socket.write_all(&answer).await;
    })
    .await;
    let post = async |path: &str| {
        let url = format!("http://{address}{path}").parse().unwrap();
        fetcher().post(&url, HeaderMap::new(), Bytes::from_static(b"a=b")).await.unwrap()
    };
    assert_eq!(&post("/same").await.body[..], b"POSTa=b");
    assert_eq!(post("/other").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn floods_and_bombs_end_at_their_bounds() {
    let address = server(|head, mut socket| async move {
        if head.contains("/flood") {
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            while socket.write_all(&[b'x'; 8192]).await.is_ok() {}
        } else if head.contains("/headers") {
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\n").await;
            while socket.write_all(format!("x-h: {}\r\n", "y".repeat(1000)).as_bytes()).await.is_ok() {}
        } else {
            let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            let _ = std::io::Write::write_all(&mut bomb, &vec![b' '; 20 << 20]);
            let _ = socket.write_all(&ok("content-encoding: gzip\r\n", &bomb.finish().unwrap())).await;
        }
    })
    .await;
    assert_eq!(get(address, "/flood").await.unwrap_err(), FetchError::TooLarge(100_000));
    assert!(matches!(get(address, "/headers").await.unwrap_err(), FetchError::Network(_)));
    let error = get(address, "/bomb").await.unwrap_err();
    assert!(matches!(error, FetchError::Bomb { sent: 1..50_000, limit: 100_000 }), "{error:?}");
}

#[tokio::test]
async fn who_dawdles_is_left() {
    let address = server(|head, mut socket| async move {
        let pause = Duration::from_millis(50);
        if head.contains("/silent") {
            let _ = socket.read_u8().await;
        } else if head.contains("/head") {
            while socket.write_all(b"H").await.is_ok() {
                tokio::time::sleep(pause).await;
            }
        } else if head.contains("/stall") {
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\n\r\nabc").await;
            let _ = socket.read_u8().await;
        } else {
            // Never silent for long, and never done.
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            while socket.write_all(b"x").await.is_ok() {
                tokio::time::sleep(pause).await;
            }
        }
    })
    .await;
    let get = async |path: &str, limits: Limits| {
        fetcher_within(limits).get(&format!("http://{address}{path}").parse().unwrap(), HeaderMap::new()).await
    };
    // Little time for one thing, so that a test of slowness is quick, and the time of production for all others.
    let short = Duration::from_millis(500);
    let (headers, idle, total) = (
        Limits { headers: short, ..limits() },
        Limits { idle: short, ..limits() },
        Limits { total: short, ..limits() },
    );
    for (path, limits, what) in
        [("/silent", headers, "beginning"), ("/stall", idle, "next piece"), ("/drip", total, "all of it")]
    {
        let error = get(path, limits).await.unwrap_err();
        assert!(matches!(error, FetchError::TooSlow { what: w, .. } if w.contains(what)), "{path}: {error:?}");
    }
    assert!(get("/head", headers).await.is_err());
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_body() {
    let address = saying(|_, _| b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n<rss>".to_vec()).await;
    assert!(matches!(get(address, "/").await, Err(FetchError::Network(_))));
}

/// Answers with the next address at each question.
struct Fickle(Mutex<Vec<IpAddr>>);

impl Resolve for Fickle {
    fn resolve(&self, _: Name) -> Resolving {
        let next = self.0.lock().unwrap().pop();
        Box::pin(async move { Ok(Box::new(next.map(|ip| SocketAddr::new(ip, 0)).into_iter()) as Addrs) })
    }
}

#[tokio::test]
async fn what_was_checked_is_connected_to() {
    let address = saying(|_, _| ok("", b"reached")).await;
    let (allowed, inside): (IpAddr, IpAddr) = ("127.0.0.1".parse().unwrap(), "127.0.0.2".parse().unwrap());
    let fickle = Arc::new(Fickle(Mutex::new(vec![inside, allowed])));
    let guard = Guard::new(vec!["127.0.0.1".parse().unwrap()]);
    let fetcher = Fetcher::with_resolver("x", guard, limits(), fickle.clone()).unwrap();
    let url = format!("http://rebind.example:{}/", address.port()).parse().unwrap();
    assert_eq!(&fetcher.get(&url, HeaderMap::new()).await.unwrap().body[..], b"reached");
    assert_eq!(fickle.0.lock().unwrap().len(), 1, "the name was resolved once");
    let error = fetcher.get(&url, HeaderMap::new()).await.unwrap_err();
    assert_eq!(error, FetchError::Blocked { host: "rebind.example".into(), address: inside, range: "loopback" });
}

#[tokio::test]
async fn a_name_for_this_host_is_no_way_in() {
    let address = saying(|_, _| ok("", b"reached")).await;
    let fetcher = Fetcher::new("x", Guard::default(), limits()).unwrap();
    for host in ["localhost", "LOCALHOST.", "127.0.0.1", "[::1]", "0"] {
        let url = format!("http://{host}:{}/", address.port()).parse().unwrap();
        let error = fetcher.get(&url, HeaderMap::new()).await.unwrap_err();
        assert!(matches!(error, FetchError::Blocked { .. } | FetchError::Unresolved { .. }), "{host}: {error:?}");
    }
}

#[tokio::test]
async fn whoever_is_told_need_not_be_listened_to() {
    let address = saying(|path, head| match path {
        "/endless" => [b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n".to_vec(), vec![b'x'; 1 << 20]].concat(),
        "/moved" => redirect_to(308, "/taken"),
        _ if head.starts_with("POST /taken ") => redirect_to(204, "/"),
        _ => redirect_to(500, "/"),
    })
    .await;
    for (path, status) in [("/endless", 200), ("/moved", 308), ("/taken", 204)] {
        let url = format!("http://{address}{path}").parse().unwrap();
        let told = fetcher().notify(&url, HeaderMap::new(), Bytes::new()).await;
        assert_eq!(told.map(|status| status.as_u16()), Ok(status), "{path}");
    }
    let private = "http://10.0.0.1/".parse().unwrap();
    let refused = fetcher().notify(&private, HeaderMap::new(), Bytes::new()).await;
    assert!(matches!(refused, Err(FetchError::Blocked { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_connection_that_nobody_needs_is_not_kept() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let fetcher = fetcher();
    let fetching = tokio::spawn(async move {
        let answer = fetcher.get(&format!("http://{address}/").parse().unwrap(), HeaderMap::new()).await;
        (answer.map(|answer| answer.status), fetcher)
    });
    let (mut socket, _) = listener.accept().await.unwrap();
    while !matches!(socket.read(&mut [0; 4096]).await, Ok(read) if read > 0) {}
    socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    let (status, _fetcher) = fetching.await.unwrap();
    assert_eq!(status, Ok(StatusCode::OK));
    let ended = timeout(Duration::from_secs(20), socket.read(&mut [0; 1])).await;
    assert!(matches!(ended, Ok(Ok(0))), "{ended:?}");
}
