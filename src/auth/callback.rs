//! A web server on this machine for the visit that ends a sign-in: the user's browser is sent back to it.
//!
//! Whoever runs a sign-in takes the visits one by one and says what the browser is to show. The server ends with its
//! value.

use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, LOCATION, REFERRER_POLICY};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use reqwest::Url;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How many connections are served at a time. Browsers open some that they never use.
const GUESTS: usize = 32;
/// How long a guest may keep silent.
const SILENCE: Duration = Duration::from_secs(10);
/// How long the last pages may take to be sent.
const PARTING: Duration = Duration::from_secs(1);
/// How often, and in what distance, a port that is taken is tried.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(200);

pub(crate) struct Callback {
    port: u16,
    visits: mpsc::Receiver<Visit>,
    closing: CancellationToken,
    server: JoinSet<()>,
}

/// A page that a browser wants.
pub(crate) struct Visit {
    pub(crate) path: String,
    query: String,
    answer: oneshot::Sender<Page>,
}

/// What a browser is answered.
pub(crate) struct Page {
    status: StatusCode,
    location: Option<String>,
    title: String,
    text: String,
}

impl Callback {
    /// Listens on the first of the ports that is free. A sign-in of another process that is in the way is asked to end.
    pub(crate) async fn on(ports: &[u16]) -> io::Result<Self> {
        let mut refused = io::ErrorKind::AddrInUse.into();
        for &port in ports {
            for attempt in 0..ATTEMPTS {
                match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
                    Ok(listener) => return Self::new(listener),
                    Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
                        refused = error;
                        break;
                    }
                    Err(error) => refused = error,
                }
                if attempt == 0 {
                    // Whoever listens there may be something else altogether, and say anything.
                    let _answer = timeout(PAUSE * 2, send_away(port)).await;
                }
                sleep(PAUSE).await;
            }
        }
        Err(refused)
    }

    fn new(listener: TcpListener) -> io::Result<Self> {
        let port = listener.local_addr()?.port();
        let (tx, visits) = mpsc::channel(GUESTS);
        let closing = CancellationToken::new();
        let mut server = JoinSet::new();
        server.spawn(serve(listener, tx, closing.clone()));
        Ok(Self { port, visits, closing, server })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The next visit; none when the server is broken.
    pub(crate) async fn next(&mut self) -> Option<Visit> {
        self.visits.recv().await
    }

    /// Ends the server once the answers that have been given are sent.
    pub(crate) async fn close(mut self) {
        self.closing.cancel();
        drop(self.visits);
        let _ended = self.server.join_next().await;
    }
}

/// Asks a sign-in that listens on a port to end.
async fn send_away(port: u16) -> io::Result<()> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream
        .write_all(b"GET /cancel HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        .await?;
    stream.read_u8().await?;
    Ok(())
}

async fn serve(listener: TcpListener, visits: mpsc::Sender<Visit>, closing: CancellationToken) {
    let mut guests = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = closing.cancelled() => break,
            accepted = listener.accept(), if guests.len() < GUESTS => accepted,
            Some(_) = guests.join_next() => continue,
        };
        match accepted {
            Ok((stream, _)) => drop(guests.spawn(attend(stream, visits.clone()))),
            // Such as too many open files, which does not pass at once.
            Err(_) => sleep(PAUSE).await,
        }
    }
    drop(listener);
    let all = async { while guests.join_next().await.is_some() {} };
    let _late = timeout(PARTING, all).await;
}

/// Serves one connection, for one page.
async fn attend(stream: TcpStream, visits: mpsc::Sender<Visit>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let visits = visits.clone();
        async move { Ok::<_, Infallible>(page(&request, &visits).await.response()) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(SILENCE)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = served.await {
        tracing::debug!(%error, "a browser has left early");
    }
}

async fn page(request: &Request<Incoming>, visits: &mpsc::Sender<Visit>) -> Page {
    let (answer, page) = oneshot::channel();
    let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
    let visit = Visit { path: path.to_owned(), query: query.to_owned(), answer };
    let gone = || Page::new(StatusCode::GONE, "Gone", "This sign-in is over.");
    if visits.send(visit).await.is_err() {
        return gone();
    }
    page.await.unwrap_or_else(|_| gone())
}

impl Visit {
    /// A parameter of the query.
    pub(crate) fn param(&self, name: &str) -> Option<String> {
        let url = Url::parse(&format!("http://localhost/?{}", self.query)).ok()?;
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    pub(crate) fn answer(self, page: Page) {
        // The browser may have left.
        let _unseen = self.answer.send(page);
    }
}

impl Page {
    pub(crate) fn new(status: StatusCode, title: &str, text: &str) -> Self {
        Self { status, location: None, title: title.to_owned(), text: text.to_owned() }
    }

    pub(crate) fn ok(title: &str, text: &str) -> Self {
        Self::new(StatusCode::OK, title, text)
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not Found", "")
    }

    /// Sends the browser somewhere else.
    pub(crate) fn redirect(location: String) -> Self {
        Self { location: Some(location), ..Self::new(StatusCode::FOUND, "Signed in", "") }
    }

    fn response(self) -> Response<String> {
        let (title, text) = (escaped(&self.title), escaped(&self.text));
        let mut response = Response::new(format!(
            "<!doctype html><meta charset=utf-8><title>{title}</title>\
             <body style=\"font:1.1em system-ui;margin:20vh auto;max-width:30em\"><h1>{title}</h1><p>{text}</p>\n"
        ));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        // The address of this page has held a code.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        if let Some(location) = self.location.and_then(|it| HeaderValue::try_from(it).ok()) {
            headers.insert(LOCATION, location);
        }
        response
    }
}

/// Text as a web page may hold it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(port: u16, target: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn a_browser_sees_what_it_is_answered() {
        let mut callback = Callback::on(&[0]).await.unwrap();
        let port = callback.port();
        let browser = tokio::spawn(get(port, "/auth/callback?code=a%20b&state=s"));
        let visit = callback.next().await.unwrap();
        assert_eq!(visit.path, "/auth/callback");
        assert_eq!((visit.param("code").as_deref(), visit.param("none")), (Some("a b"), None));
        visit.answer(Page::ok("<Done>", "Go & see."));
        callback.close().await;
        let answer = browser.await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("&lt;Done&gt;"), "{answer}");
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err(), "it is closed");
    }

    #[tokio::test]
    async fn a_port_is_taken_over_from_who_gives_way() {
        let mut before = Callback::on(&[0]).await.unwrap();
        let port = before.port();
        let gives_way = tokio::spawn(async move {
            let visit = before.next().await.unwrap();
            assert_eq!(visit.path, "/cancel");
            visit.answer(Page::ok("Cancelled", ""));
            before.close().await;
        });
        assert_eq!(Callback::on(&[port]).await.unwrap().port(), port);
        gives_way.await.unwrap();
    }
}
