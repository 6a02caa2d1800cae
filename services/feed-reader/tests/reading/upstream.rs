//! A server of feeds that says whatever a test wants it to, and remembers what it was asked.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What a path answers.
#[derive(Clone)]
pub(crate) enum Page {
    /// Status, headers, each ended by CRLF, and the body.
    Says(u16, String, Vec<u8>),
    /// The same, after a while.
    SaysLate(Duration, Vec<u8>),
    /// Bytes for ever.
    Flood,
    /// A byte now and then, for ever.
    Drip,
}

#[derive(Default)]
struct State {
    pages: HashMap<String, Page>,
    /// Heads of requests, by path.
    asked: HashMap<String, Vec<String>>,
    bodies: HashMap<String, Vec<String>>,
    now: usize,
    most_at_once: usize,
}

#[derive(Clone)]
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Upstream {
    pub(crate) async fn start() -> Self {
        // On every address of this host: 127.0.0.2 is another host to whoever asks.
        let listener = TcpListener::bind("0.0.0.0:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let upstream = Self { address: ([127, 0, 0, 1], port).into(), state: Arc::default() };
        let server = upstream.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let server = server.clone();
                tokio::spawn(async move { server.serve(socket).await });
            }
        });
        upstream
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder panics")
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn set(&self, path: &str, page: Page) {
        self.state().pages.insert(path.to_owned(), page);
    }

    /// A feed with an ETag; who knows it already is told so.
    pub(crate) fn feed(&self, path: &str, etag: &str, body: &str) {
        let headers = format!("content-type: application/rss+xml\r\netag: {etag}\r\n");
        self.set(path, Page::Says(200, headers, body.as_bytes().to_vec()));
    }

    pub(crate) fn asked(&self, path: &str) -> Vec<String> {
        self.state().asked.get(path).cloned().unwrap_or_default()
    }

    /// Bodies that were posted.
    pub(crate) fn posted(&self, path: &str) -> Vec<String> {
        self.state().bodies.get(path).cloned().unwrap_or_default()
    }

    /// The most requests that were under way at one time.
    pub(crate) fn most_at_once(&self) -> usize {
        self.state().most_at_once
    }

    async fn serve(&self, mut socket: TcpStream) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = socket.read_u8().await else { return };
            head.push(byte);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let length = header(&head, "content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        if socket.read_exact(&mut body).await.is_err() {
            return;
        }
        let page = {
            let mut state = self.state();
            state.asked.entry(path.clone()).or_default().push(head.clone());
            state.bodies.entry(path.clone()).or_default().push(String::from_utf8_lossy(&body).into_owned());
            state.now += 1;
            state.most_at_once = state.most_at_once.max(state.now);
            state.pages.get(&path).cloned()
        };
        answer(&mut socket, page.unwrap_or(Page::Says(404, String::new(), Vec::new())), &head).await;
        self.state().now -= 1;
    }
}

async fn answer(socket: &mut TcpStream, page: Page, head: &str) {
    let mut says = async |status: u16, headers: &str, body: &[u8]| {
        let length = body.len();
        let start = format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n");
        let _ = socket.write_all(&[start.as_bytes(), body].concat()).await;
    };
    match page {
        Page::Says(200, headers, _)
            if header(&headers, "etag").is_some_and(|tag| header(head, "if-none-match") == Some(tag)) =>
        {
            says(304, &headers, b"").await;
        }
        Page::Says(status, headers, body) => says(status, &headers, &body).await,
        Page::SaysLate(pause, body) => {
            tokio::time::sleep(pause).await;
            says(200, "", &body).await;
        }
        Page::Flood => {
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n<rss>").await;
            while socket.write_all(&[b' '; 65_536]).await.is_ok() {}
        }
        Page::Drip => {
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n<rss>").await;
            while socket.write_all(b" ").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// An RSS feed of items as they are given.
pub(crate) fn rss(items: &[String]) -> String {
    let items = items.concat();
    format!(
        "<rss version='2.0'><channel><title>The Echo</title><link>https://echo.example/</link>{items}</channel></rss>"
    )
}

/// One with a guid, a page, a headline and a text; the minute tells the order.
pub(crate) fn item(guid: &str, n: usize, headline: &str, text: &str) -> String {
    format!(
        "<item><guid>{guid}</guid><link>https://echo.example/{n}</link><title>{headline}</title>\
         <pubDate>Mon, 23 Nov 2026 {:02}:{:02}:00 GMT</pubDate><description>{text}</description></item>",
        n / 60 % 24,
        n % 60
    )
}
