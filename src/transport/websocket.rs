//! The link over a WebSocket: HTTP until the client asks to upgrade, then one message in each text frame.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::body::Incoming as Body;
use hyper::header::{
    AUTHORIZATION, CONNECTION, HeaderMap, HeaderName, HeaderValue, ORIGIN, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message, Utf8Bytes};

use super::auth::Auth;
use super::{Incoming, Offered, Outbox, Overflow, offer};

/// How long a client may take for the head of a request.
const HEAD: Duration = Duration::from_secs(10);
/// How long a client may not read before its connection is cut: whoever talks to it waits meanwhile.
const STALLED: Duration = Duration::from_secs(20);
/// The slowest reader of a large message that is waited for.
const BYTES_PER_SEC: usize = 100 * 1024;

const MAX_FRAME: usize = 16 << 20;
const MAX_MESSAGE: usize = 64 << 20;

/// Who is let in.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) auth: Auth,
    pub(crate) origin: Origin,
}

/// What an `Origin` header means: browsers send one, whatever page has made them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Refused,
    /// The socket cannot be reached by a browser.
    Ignored,
}

pub(crate) type WebSocket = WebSocketStream<TokioIo<Upgraded>>;

/// Answers a client's HTTP requests until it opens a WebSocket, or goes.
pub(crate) async fn accept<S>(stream: S, door: &Door) -> Option<WebSocket>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let upgraded = Arc::new(Mutex::new(None));
    let answer = |mut request: Request<Body>| {
        let answer = match admit(&request, door) {
            Ok(key) => {
                let upgrade = hyper::upgrade::on(&mut request);
                *upgraded.lock().unwrap_or_else(PoisonError::into_inner) = Some(upgrade);
                switching(&key)
            }
            Err((status, reason)) => respond(status, reason),
        };
        async move { Ok::<_, Infallible>(answer) }
    };
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), service_fn(answer))
        .with_upgrades()
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "an HTTP connection was cut");
    }
    let upgrade: Option<OnUpgrade> = upgraded.lock().unwrap_or_else(PoisonError::into_inner).take();
    let socket = TokioIo::new(upgrade?.await.ok()?);
    let config = WebSocketConfig::default()
        .read_buffer_size(16 * 1024)
        .write_buffer_size(64 * 1024)
        .max_frame_size(Some(MAX_FRAME))
        .max_message_size(Some(MAX_MESSAGE));
    Some(WebSocketStream::from_raw_socket(socket, Role::Server, Some(config)).await)
}

/// The key of a request that opens a WebSocket; or the answer to any other.
fn admit(request: &Request<Body>, door: &Door) -> Result<HeaderValue, (StatusCode, String)> {
    let headers = request.headers();
    if door.origin == Origin::Refused && headers.contains_key(ORIGIN) {
        return Err((StatusCode::FORBIDDEN, String::new()));
    }
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_probe = matches!(request.uri().path(), "/readyz" | "/healthz");
    match (is_probe, is_read) {
        (true, true) => return Err((StatusCode::OK, String::new())),
        (_, false) => return Err((StatusCode::METHOD_NOT_ALLOWED, String::new())),
        (false, true) => {}
    }
    let asks_for =
        |name: HeaderName, word| Err(format!("{} header did not include '{word}'", title(&name)));
    let asked = match headers.get(SEC_WEBSOCKET_KEY) {
        _ if !lists(headers, &CONNECTION, "upgrade") => asks_for(CONNECTION, "upgrade"),
        _ if !lists(headers, &UPGRADE, "websocket") => asks_for(UPGRADE, "websocket"),
        _ if !lists(headers, &SEC_WEBSOCKET_VERSION, "13") => asks_for(SEC_WEBSOCKET_VERSION, "13"),
        None => Err("Sec-WebSocket-Key header is missing".to_owned()),
        Some(key) => Ok(key.clone()),
    };
    let key = asked.map_err(|reason| (StatusCode::BAD_REQUEST, reason))?;
    match door.auth.check(headers.get(AUTHORIZATION)) {
        Ok(()) => Ok(key),
        Err(reason) => Err((StatusCode::UNAUTHORIZED, reason.to_string())),
    }
}

/// How a header's name is usually written.
fn title(name: &HeaderName) -> String {
    let words = name.as_str().split('-').map(|word| match word {
        "websocket" => "WebSocket".to_owned(),
        word => word[..1].to_ascii_uppercase() + &word[1..],
    });
    words.collect::<Vec<_>>().join("-")
}

/// Whether one of the comma-separated words of a header is this one.
fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let texts = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).any(|one| one.trim().eq_ignore_ascii_case(word))
}

fn respond(status: StatusCode, reason: String) -> Response<String> {
    let mut response = Response::new(reason);
    *response.status_mut() = status;
    response
}

fn switching(key: &HeaderValue) -> Response<String> {
    let mut response = respond(StatusCode::SWITCHING_PROTOCOLS, String::new());
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    let accept = derive_accept_key(key.as_bytes());
    if let Ok(accept) = HeaderValue::from_str(&accept) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    response
}

/// Carries messages both ways until the client goes, is given up, or the outbox is closed and written out. Closes the
/// outbox.
pub(crate) async fn carry<S: AsyncRead + AsyncWrite + Unpin>(
    socket: WebSocketStream<S>,
    outbox: &Outbox,
    inbox: mpsc::Sender<Incoming>,
    overflow: Overflow,
) {
    let (mut sink, stream) = socket.split();
    tokio::select! {
        () = read(stream, &inbox, &overflow) => {}
        () = write(&mut sink, outbox) => {}
        () = outbox.given_up() => give_up(&mut sink).await,
    }
    outbox.close();
    // Whoever serves the connection may have gone already.
    let _gone = inbox.send(Incoming::End).await;
}

async fn read<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: SplitStream<WebSocketStream<S>>,
    inbox: &mpsc::Sender<Incoming>,
    overflow: &Overflow,
) {
    loop {
        let text = match stream.next().await {
            Some(Ok(Message::Text(text))) => Bytes::from(text),
            Some(Ok(Message::Binary(_))) => {
                tracing::error!("dropping a binary message");
                continue;
            }
            // Pings are answered below us.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
            Some(Ok(Message::Close(_))) | None => return,
            Some(Err(error)) => {
                tracing::debug!(%error, "a WebSocket was cut");
                return;
            }
        };
        match offer(inbox, text, overflow) {
            Offered::Done => {}
            Offered::Full(incoming) => {
                if inbox.send(incoming).await.is_err() {
                    return;
                }
            }
            Offered::Gone => return,
        }
    }
}

async fn write<S: AsyncRead + AsyncWrite + Unpin>(
    sink: &mut SplitSink<WebSocketStream<S>, Message>,
    outbox: &Outbox,
) {
    let mut batch = Vec::new();
    while outbox.drain(&mut batch).await {
        for line in batch.drain(..) {
            let patience = STALLED + Duration::from_secs((line.len() / BYTES_PER_SEC) as u64);
            let text = line.strip_suffix(b"\n").map_or(line.len(), <[u8]>::len);
            // Lines are JSON that we have written ourselves.
            let Ok(text) = Utf8Bytes::try_from(line.slice(..text)) else { continue };
            if !within(patience, sink.feed(Message::Text(text))).await {
                return;
            }
        }
        if !within(STALLED, sink.flush()).await {
            return;
        }
    }
    let away = CloseFrame { code: CloseCode::Away, reason: Utf8Bytes::default() };
    let _told = within(FAREWELL, sink.send(Message::Close(Some(away)))).await;
}

/// Tells a client why it will hear no more, behind what is on its way already.
async fn give_up<S: AsyncRead + AsyncWrite + Unpin>(
    sink: &mut SplitSink<WebSocketStream<S>, Message>,
) {
    tracing::warn!("closing a connection that reads too slowly");
    let reason = Utf8Bytes::from_static("too much waits to be read");
    let slow = CloseFrame { code: CloseCode::Policy, reason };
    let _told = within(LAST_WORDS, sink.send(Message::Close(Some(slow)))).await;
}

/// How long a client that reads slowly may take until it reads why it is closed.
const LAST_WORDS: Duration = Duration::from_secs(60);

/// How long the last frame may take.
const FAREWELL: Duration = Duration::from_secs(1);

async fn within(
    patience: Duration,
    sent: impl Future<Output = Result<(), tungstenite::Error>>,
) -> bool {
    match tokio::time::timeout(patience, sent).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::debug!(%error, "a WebSocket cannot be written");
            false
        }
        Err(_late) => {
            tracing::warn!("cutting a connection that does not read");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_is_cut_and_holds_up_nobody_for_longer() {
        let (ours, _theirs) = tokio::io::duplex(64);
        let socket = WebSocketStream::from_raw_socket(ours, Role::Server, None).await;
        let outbox = Outbox::default();
        for _ in 0..10 {
            outbox.push(Bytes::from(vec![b'x'; 1 << 20]));
        }
        let (inbox, mut heard) = super::super::inbox();
        let began = tokio::time::Instant::now();
        tokio::join!(carry(socket, &outbox, inbox, Box::new(|_| false)), outbox.room());
        assert!(began.elapsed() < STALLED + Duration::from_secs(12), "{:?}", began.elapsed());
        assert!(matches!(heard.recv().await, Some(Incoming::End)));
        outbox.push(Bytes::from_static(b"late"));
        assert!(!outbox.drain(&mut Vec::new()).await || !outbox.is_full());
    }

    #[test]
    fn names_are_written_as_usual() {
        assert_eq!(title(&CONNECTION), "Connection");
        assert_eq!(title(&SEC_WEBSOCKET_VERSION), "Sec-WebSocket-Version");
    }
}
