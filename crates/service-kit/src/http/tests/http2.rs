//! The same clients in HTTP/2, and what only HTTP/2 lets them do.

use axum::body::Bytes;
use axum::http::{Method, Request, Version};
use h2::client::{Connection, SendRequest, handshake};
use h2::{Ping, Reason, RecvStream};

use super::*;

type Client = SendRequest<Bytes>;
/// How the connection ends.
type Ending = JoinHandle<Result<(), h2::Error>>;

async fn begun(socket: TcpStream, builder: &h2::client::Builder) -> (Client, Connection<TcpStream>) {
    builder.handshake(socket).await.unwrap()
}

async fn connected(served: &Served) -> (Client, Ending) {
    let (client, connection) = handshake(served.open(b"").await).await.unwrap();
    (client, tokio::spawn(connection))
}

fn request(method: Method, path: &str) -> Request<()> {
    let uri = format!("http://news.example{path}");
    Request::builder().method(method).uri(uri).version(Version::HTTP_2).body(()).unwrap()
}

async fn text(mut body: RecvStream) -> Result<String, h2::Error> {
    let mut text = Vec::new();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        text.extend_from_slice(&data);
    }
    Ok(String::from_utf8(text).unwrap())
}

async fn get_text(client: &Client, path: &str) -> Result<String, h2::Error> {
    let mut client = client.clone().ready().await?;
    let (answer, _) = client.send_request(request(Method::GET, path), true)?;
    text(answer.await?.into_body()).await
}

async fn ended(ending: Ending) -> Result<(), h2::Error> {
    tokio::time::timeout(LONG, ending).await.expect("it was ended").unwrap()
}

#[tokio::test]
async fn requests_and_answers_of_every_size_go_through() {
    let echo = post(async |body: Bytes| body);
    let nothing = get(async || (StatusCode::NO_CONTENT, "nothing"));
    let unchanged = get(async || StatusCode::NOT_MODIFIED);
    let router = hello().route("/nothing", nothing).route("/unchanged", unchanged).route("/echo", echo);
    let router = router.layer(axum::extract::DefaultBodyLimit::disable());
    let served = started(PATIENT, router).await;
    let (client, _ending) = connected(&served).await;
    assert_eq!(get_text(&client, "/").await.unwrap(), "hello");
    assert_eq!(get_text(&client, "/nothing").await.unwrap(), "");
    for path in ["/nothing", "/unchanged"] {
        let mut client = client.clone().ready().await.unwrap();
        let (answer, _) = client.send_request(request(Method::GET, path), true).unwrap();
        assert_eq!(answer.await.unwrap().headers().get("content-length"), None, "{path}");
    }
    // Larger than any window or buffer, so that both directions wait for each other's word.
    for size in [0, 1, 16_384, 3 << 20] {
        let mut client = client.clone().ready().await.unwrap();
        let (answer, mut sending) = client.send_request(request(Method::POST, "/echo"), false).unwrap();
        sending.send_data(vec![b'x'; size].into(), true).unwrap();
        let answer = answer.await.unwrap();
        assert_eq!(answer.headers()["content-length"], size.to_string());
        assert_eq!(text(answer.into_body()).await.unwrap().len(), size);
    }
    let mut client = client.ready().await.unwrap();
    let (answer, _) = client.send_request(request(Method::HEAD, "/"), true).unwrap();
    let answer = answer.await.unwrap();
    assert!(answer.headers()["date"].to_str().unwrap().ends_with(" GMT"));
    assert_eq!((&answer.headers()["content-length"], answer.body().is_end_stream()), (&"5".parse().unwrap(), true));
}

#[tokio::test]
async fn a_beginning_in_pieces_is_understood() {
    let served = started(PATIENT, hello()).await;
    let mut socket = served.open(b"").await;
    socket.set_nodelay(true).unwrap();
    for byte in b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" {
        socket.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    socket.write_all(b"\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut frame = [0; 9];
    socket.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame[3], 4, "SETTINGS come first: {frame:?}");
    assert!(rest(served.open(b"PUT / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await).await.contains(" 405 "));
}

#[tokio::test]
async fn who_only_keeps_the_connection_alive_is_shown_out() {
    // Longer than anybody may be idle, so that the time runs out while there is work.
    let slow = get(async || {
        tokio::time::sleep(2 * SHORT).await;
        "hello"
    });
    let served = started(Limits { headers: SHORT, ..PATIENT }, hello().route("/slow", slow)).await;
    for path in [None, Some("/"), Some("/slow")] {
        let (client, mut connection) = handshake(served.open(b"").await).await.unwrap();
        let mut pings = connection.ping_pong().unwrap();
        let ending = tokio::spawn(connection);
        if let Some(path) = path {
            assert_eq!(get_text(&client, path).await.unwrap(), "hello");
        }
        let keeping = tokio::spawn(async move {
            while pings.ping(Ping::opaque()).await.is_ok() {
                tokio::time::sleep(SHORT / 100).await;
            }
        });
        assert!(ended(ending).await.is_ok(), "in good order");
        keeping.await.unwrap();
        assert!(get_text(&client, "/").await.is_err());
    }
}

#[tokio::test]
async fn who_does_not_take_an_answer_loses_that_answer() {
    let served =
        started(Limits { stall: SHORT, ..PATIENT }, hello().route("/large", get(async || vec![b'x'; 9999]))).await;
    let mut small = h2::client::Builder::new();
    small.initial_window_size(1000);
    let (client, connection) = begun(served.open(b"").await, &small).await;
    tokio::spawn(connection);
    let mut sender = client.clone().ready().await.unwrap();
    let (answer, _) = sender.send_request(request(Method::GET, "/large"), true).unwrap();
    let mut body = answer.await.unwrap().into_body();
    assert_eq!(body.data().await.unwrap().unwrap().len(), 1000);
    let error = body.data().await.unwrap().unwrap_err();
    assert_eq!((error.reason(), error.is_remote()), (Some(Reason::CANCEL), true), "{error}");
    assert_eq!(get_text(&client, "/").await.unwrap(), "hello");
    assert_eq!(get_text(&client, "/large").await.unwrap().len(), 9999, "who takes it gets it all");
}

#[tokio::test]
async fn who_does_not_read_at_all_loses_the_place() {
    let large = get(async || Body::from(vec![b'x'; 64 << 20]));
    let served = started(Limits { connections: 1, stall: SHORT, ..PATIENT }, hello().route("/large", large)).await;
    let mut wide = h2::client::Builder::new();
    wide.initial_window_size(1 << 30).initial_connection_window_size(1 << 30);
    let (client, mut connection) = begun(served.open(b"").await, &wide).await;
    let mut client = client.ready().await.unwrap();
    let (answer, _) = client.send_request(request(Method::GET, "/large"), true).unwrap();
    // Driven until the answer begins, and then left alone with its socket open.
    tokio::select! {
        answer = answer => assert_eq!(answer.unwrap().status(), StatusCode::OK),
        ended = &mut connection => panic!("{ended:?}"),
    }
    assert!(rest(served.open(GET).await).await.ends_with("hello"), "the place is free again");
    drop((client, connection));
}

#[tokio::test]
async fn who_asks_and_takes_it_back_all_the_time_is_told_to_calm_down() {
    let served = started(PATIENT, hello()).await;
    // By hand, because in one piece: no client would send on when it is told to stop.
    let mut sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    for stream in (1..200_u32).step_by(2).map(u32::to_be_bytes) {
        // HEADERS, whole: GET http://x/; and RST_STREAM with CANCEL.
        sent.extend([&b"\0\0\x06\x01\x04"[..], &stream, b"\x82\x84\x86\x41\x01x"].concat());
        sent.extend([&b"\0\0\x04\x03\0"[..], &stream, b"\0\0\0\x08"].concat());
    }
    let mut answer = Vec::new();
    let mut socket = served.open(&sent).await;
    tokio::time::timeout(LONG, socket.read_to_end(&mut answer)).await.expect("it was closed").unwrap();
    let goaway = answer.windows(9).rposition(|frame| frame[3..] == [7, 0, 0, 0, 0, 0]).expect("a GOAWAY");
    assert_eq!(answer[goaway + 13..goaway + 17], u32::from(Reason::ENHANCE_YOUR_CALM).to_be_bytes());
}

#[tokio::test]
async fn headers_and_requests_at_a_time_are_limited() {
    let served = started(PATIENT, hello()).await;
    let (client, _ending) = connected(&served).await;
    let mut long = request(Method::GET, "/");
    for name in ["x-one", "x-two"] {
        long.headers_mut().insert(name, "y".repeat(8192).parse().unwrap());
    }
    assert_eq!(get_text(&client, "/").await.unwrap(), "hello");
    let mut sender = client.clone().ready().await.unwrap();
    assert_eq!(sender.current_max_send_streams(), 100);
    let (answer, _) = sender.send_request(long, true).unwrap();
    let status = answer.await.map(|answer| answer.status());
    assert!(matches!(status, Ok(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)), "{status:?}");
    assert_eq!(get_text(&client, "/").await.unwrap(), "hello");
}

#[tokio::test]
async fn a_stop_finishes_the_streams_under_way() {
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
    let (_idle, idle_ending) = connected(&served).await;
    let (client, ending) = connected(&served).await;
    let under_way = tokio::spawn(async move { get_text(&client, "/slow").await });
    begun.notified().await;
    served.shutdown.cancel();
    assert!(ended(idle_ending).await.is_ok());
    assert!(!served.serving.is_finished());
    finish.notify_one();
    assert_eq!(under_way.await.unwrap().unwrap(), "finished");
    assert!(ended(ending).await.is_ok());
    served.serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn who_takes_a_request_back_ends_the_work_on_it() {
    struct Told(Arc<Notify>);
    impl Drop for Told {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    let (begun, dropped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let never = {
        let (begun, dropped) = (begun.clone(), dropped.clone());
        get(async move || {
            let _told = Told(dropped);
            begun.notify_one();
            pending::<&str>().await
        })
    };
    let served = started(PATIENT, Router::new().route("/", never)).await;
    let (client, _ending) = connected(&served).await;
    let mut client = client.ready().await.unwrap();
    let (answer, mut sending) = client.send_request(request(Method::GET, "/"), true).unwrap();
    begun.notified().await;
    sending.send_reset(Reason::CANCEL);
    dropped.notified().await;
    assert!(answer.await.is_err());
}

#[tokio::test]
async fn headers_of_requests_that_wait_are_limited_together() {
    let finish = Arc::new(Semaphore::new(0));
    let waiting = {
        let finish = finish.clone();
        get(async move |_: axum::extract::Request| {
            finish.acquire().await.unwrap().forget();
            "finished"
        })
    };
    let served = started(PATIENT, hello().route("/wait", waiting)).await;
    let (client, _ending) = connected(&served).await;
    let mut large = request(Method::GET, "/wait");
    // Little on the wire from the second on: it is in the table of known headers.
    large.headers_mut().insert("x-large", "y".repeat(3000).parse().unwrap());
    let mut answers = Vec::new();
    for _ in 0..22 {
        let (answer, _) = client.clone().ready().await.unwrap().send_request(large.clone(), true).unwrap();
        answers.push(answer);
    }
    // 64 KiB hold 21 of them; the last was not touched, and what is small still has room.
    let refused = answers.pop().unwrap().await.unwrap_err();
    assert_eq!((refused.reason(), refused.is_remote()), (Some(Reason::REFUSED_STREAM), true));
    assert_eq!(get_text(&client, "/").await.unwrap(), "hello");
    finish.add_permits(22);
    for answer in answers {
        assert_eq!(text(answer.await.unwrap().into_body()).await.unwrap(), "finished");
    }
    let (again, _) = client.clone().ready().await.unwrap().send_request(large, true).unwrap();
    assert_eq!(again.await.unwrap().status(), StatusCode::OK, "there is room again");
}

#[tokio::test]
async fn a_panic_ends_one_answer_and_no_other() {
    let panics = get(async || -> &'static str { panic!("of a test") });
    let (begun, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = {
        let (begun, finish) = (begun.clone(), finish.clone());
        get(async move || {
            begun.notify_one();
            finish.notified().await;
            "finished"
        })
    };
    let served = started(PATIENT, Router::new().route("/panic", panics).route("/slow", slow)).await;
    let (client, _ending) = connected(&served).await;
    let neighbour = client.clone();
    let under_way = tokio::spawn(async move { get_text(&neighbour, "/slow").await });
    begun.notified().await;
    assert!(get_text(&client, "/panic").await.unwrap_err().is_reset());
    finish.notify_one();
    assert_eq!(under_way.await.unwrap().unwrap(), "finished");
}

#[tokio::test]
async fn a_stop_does_not_wait_for_who_has_nothing_under_way_and_does_not_answer() {
    let served = started(PATIENT, hello()).await;
    // A preface that does not go on; and one that does, with an answer, by somebody who does not acknowledge anything.
    let begun = served.open(b"PRI ").await;
    let mut silent = served.open(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    silent.write_all(b"\0\0\x06\x01\x05\0\0\0\x01\x82\x84\x86\x41\x01x").await.unwrap();
    let mut read = Vec::new();
    while !read.ends_with(b"hello") {
        assert_ne!(silent.read_buf(&mut read).await.unwrap(), 0);
    }
    served.shutdown.cancel();
    tokio::time::timeout(LONG / 2, served.serving).await.expect("it does not wait").unwrap().unwrap();
    drop((begun, silent));
}

#[tokio::test]
async fn a_connection_that_has_asked_a_lot_is_told_to_go_and_loses_no_answer() {
    let served = started(PATIENT, hello()).await;
    let (client, ending) = connected(&served).await;
    let mut asked = 0;
    // 9 KiB each, which the table of known headers does not hold.
    while let Ok(mut sender) = client.clone().ready().await {
        let mut large = request(Method::GET, "/");
        large.headers_mut().insert("x-large", "~".repeat(9 << 10).parse().unwrap());
        let Ok((answer, _)) = sender.send_request(large, true) else { break };
        assert_eq!(text(answer.await.unwrap().into_body()).await.unwrap(), "hello");
        asked += 1;
        assert!(asked < 100, "nobody says that it is enough");
    }
    assert!(asked >= 5, "{asked}");
    assert!(ended(ending).await.is_ok(), "in good order");
}

#[tokio::test]
async fn a_flood_of_frames_that_ask_for_nothing_is_cut() {
    let served = started(PATIENT, hello()).await;
    // SETTINGS, PING, PRIORITY, WINDOW_UPDATE, and a type that nobody knows.
    for flood in [
        &b"\0\0\0\x04\0\0\0\0\0"[..],
        b"\0\0\x08\x06\0\0\0\0\0abcdefgh",
        b"\0\0\x05\x02\0\0\0\0\x01\0\0\0\0\0",
        b"\0\0\x04\x08\0\0\0\0\0\0\0\0\x01",
        b"\0\0\x01\xee\0\0\0\0\0x",
    ] {
        let (mut reading, mut writing) =
            served.open(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.into_split();
        let flooding = tokio::spawn(async move {
            let flood = flood.repeat(1000);
            while writing.write_all(&flood).await.is_ok() {}
        });
        let reading = async { while reading.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {} };
        tokio::time::timeout(LONG, reading).await.expect("it was cut");
        flooding.await.unwrap();
    }
    assert!(rest(served.open(GET).await).await.ends_with("hello"));
}
