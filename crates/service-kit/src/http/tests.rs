//! Clients as they should not be.

mod http2;
mod tls;

use axum::body::Body;
use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::*;

/// So short that a test waits for them, and so long that a slow machine passes.
const SHORT: Duration = Duration::from_millis(500);
const LONG: Duration = Duration::from_secs(60);
const PATIENT: Limits =
    Limits { connections: 8, handshake: LONG, headers: LONG, stall: LONG, drain: LONG, renewal: LONG };

struct Served {
    address: SocketAddr,
    shutdown: CancellationToken,
    serving: JoinHandle<anyhow::Result<()>>,
}

async fn started(limits: Limits, router: Router) -> Served {
    started_with(limits, router, None).await
}

async fn started_with(limits: Limits, router: Router, tls: Option<Tls>) -> Served {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), "NONE").await.unwrap().encrypted(tls);
    let (address, shutdown) = (listener.address, CancellationToken::new());
    let serving = tokio::spawn(serve_within(limits, listener, router, shutdown.clone()));
    Served { address, shutdown, serving }
}

impl Served {
    async fn open(&self, sends: &[u8]) -> TcpStream {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        socket.write_all(sends).await.unwrap();
        socket
    }
}

/// All that comes until the server closes.
async fn rest(mut socket: TcpStream) -> String {
    let mut text = Vec::new();
    tokio::time::timeout(LONG, socket.read_to_end(&mut text)).await.expect("it was closed").expect("in good order");
    String::from_utf8(text).unwrap()
}

fn hello() -> Router {
    Router::new().route("/", get(async || "hello"))
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn who_does_not_finish_a_request_or_sends_no_other_is_shown_out() {
    let served = started(Limits { headers: SHORT, ..PATIENT }, hello()).await;
    for begun in [&b""[..], b"GET / HTT", b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: y\r\n"] {
        let text = rest(served.open(begun).await).await;
        assert!(!text.contains("hello"), "{text}");
    }
    let idle = served.open(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(rest(idle).await.ends_with("hello"), "it was answered before");
}

#[tokio::test]
async fn who_sends_no_other_after_a_slow_request_is_shown_out() {
    let slow = get(async || {
        tokio::time::sleep(2 * SHORT).await;
        "slow"
    });
    let served = started(Limits { headers: SHORT, ..PATIENT }, hello().route("/slow", slow)).await;
    let idle = served.open(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(rest(idle).await.ends_with("slow"), "it was answered, and then closed");
}

#[tokio::test]
async fn more_connections_than_there_are_places_wait_their_turn() {
    let served = started(Limits { connections: 1, ..PATIENT }, hello()).await;
    let first = served.open(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let mut answered = [0; 4];
    let mut first = first;
    first.read_exact(&mut answered).await.unwrap();
    let second = served.open(GET).await;
    let mut waiting = tokio::spawn(rest(second));
    assert!(tokio::time::timeout(SHORT, &mut waiting).await.is_err(), "one place was taken by two");
    drop(first);
    assert!(waiting.await.unwrap().ends_with("hello"));
}

#[tokio::test]
async fn who_is_refused_while_still_sending_gets_the_answer() {
    let refuse = post(async || (StatusCode::PAYLOAD_TOO_LARGE, "too large"));
    let served = started(PATIENT, Router::new().route("/", refuse)).await;
    // More than the sockets' buffers hold, so that the client still sends when it is answered.
    let body = vec![b'x'; 7 << 20];
    let head = format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
    let mut socket = served.open(head.as_bytes()).await;
    socket.write_all(&body).await.expect("it is listened to until all is sent");
    let text = rest(socket).await;
    assert!(text.starts_with("HTTP/1.1 413") && text.ends_with("too large"), "{text}");
}

#[tokio::test]
async fn who_does_not_take_the_answer_loses_the_place() {
    let large = get(async || Body::from(vec![b'x'; 64 << 20]));
    let served = started(Limits { connections: 1, stall: SHORT, ..PATIENT }, hello().route("/large", large)).await;
    let stalled = served.open(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(rest(served.open(GET).await).await.ends_with("hello"), "the place is free again");
    drop(stalled);
}

#[tokio::test]
async fn a_stop_finishes_what_is_under_way_and_closes_what_is_idle() {
    let (begun, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = {
        let (begun, finish) = (begun.clone(), finish.clone());
        get(async move || {
            begun.notify_one();
            finish.notified().await;
            "finished"
        })
    };
    let served = started(PATIENT, hello().route("/slow", slow)).await;
    let mut idle = served.open(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    idle.read_exact(&mut [0; 4]).await.unwrap();
    let under_way = served.open(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
    begun.notified().await;
    served.shutdown.cancel();
    assert!(rest(idle).await.ends_with("hello"));
    assert!(!served.serving.is_finished());
    finish.notify_one();
    assert!(rest(under_way).await.ends_with("finished"));
    served.serving.await.unwrap().unwrap();
    assert!(TcpStream::connect(served.address).await.is_err(), "the port is free");
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let never = get(async || pending::<&str>().await);
    let served = started(Limits { drain: SHORT, ..PATIENT }, hello().route("/never", never)).await;
    let stuck = served.open(b"GET /never HTTP/1.1\r\nhost: x\r\n\r\n").await;
    // Accepted before the stop: an answer on another connection came after it.
    assert!(rest(served.open(GET).await).await.ends_with("hello"));
    served.shutdown.cancel();
    served.serving.await.unwrap().unwrap();
    drop(stuck);
}
