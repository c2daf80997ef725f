//! The Responses API over a WebSocket: one connection for each thread, kept over turns, on which a request that goes
//! on where the last answer ended sends only what is new.
//!
//! A connection is in the hands of the request that uses it, so that a request that is given up takes it along. Where
//! WebSockets do not work, plain HTTP does: the conversation remembers that. Proxies are not asked.

use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::net::TcpStream;
use tokio::time::{timeout, timeout_at};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use super::Request;
use super::call::Call;
use super::client::{Events, Http};
use super::error::{Error, Refusal, Retry};
use super::event::{StreamEvent, decode};
use super::item::{OutputItem, history_item};
use super::pieces::Pieces;
use super::provider::Provider;
use super::request::Encoded;
use super::sse::MAX_EVENT;
use crate::auth::Bearer;

/// The version of the protocol, as the service wants to be told.
const PROTOCOL: (&str, &str) = ("openai-beta", "responses_websockets=2026-02-06");

/// Refusals of this connection and not of the request: it is too old, or what was said on it is forgotten.
const CONNECTION_CODES: [&str; 2] =
    ["websocket_connection_limit_reached", "previous_response_not_found"];

/// A connection, and what was said on it last.
pub(super) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    last: Option<Exchange>,
}

/// A request and its answer, as far as the next request may refer to them.
struct Exchange {
    response: String,
    settings: Vec<u8>,
    input: Pieces,
    output: Vec<Box<RawValue>>,
}

/// Why an attempt has brought no answer.
struct Failure {
    error: Error,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The connection was of no use: nothing came, and another one may do better.
    Lost,
    /// The connection broke within the answer.
    Cut,
    /// The provider has said no. That is an answer: another connection would bring the same.
    Refused,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, kind: Kind::Lost }
    }
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Socket").finish_non_exhaustive()
    }
}

impl Http {
    /// Asks over the conversation's connection, and over plain HTTP once that has failed too often.
    pub(super) async fn answer_over_socket(
        &self,
        provider: &Provider,
        request: &Request,
        events: Events,
    ) {
        let Err(Failure { error, kind }) = self.attempts(provider, request, &events).await else {
            request.conversation.with(|kept| kept.failures = 0);
            return;
        };
        let is_about_sockets = kind != Kind::Refused && error.retry() != Retry::Never;
        let falls_back = is_about_sockets
            && request.conversation.with(|kept| {
                kept.failures += 1;
                kept.is_without_sockets =
                    kept.failures >= provider.stream_max_retries || error.is_about_upgrade();
                kept.is_without_sockets
            });
        let told = match falls_back {
            true => events.send(vec![StreamEvent::FellBack(error.clone())]).await,
            false => Ok(()),
        };
        match (falls_back, kind) {
            _ if told.is_err() => {}
            (true, Kind::Lost) => self.answer(provider, request, events).await,
            _ => drop(events.send(vec![StreamEvent::Failed(error)]).await),
        }
    }

    /// A connection that was kept may have been closed meanwhile, so its failure counts for nothing.
    async fn attempts(
        &self,
        provider: &Provider,
        request: &Request,
        events: &Events,
    ) -> Result<(), Failure> {
        if let Some(socket) = request.conversation.with(|kept| kept.socket.take()) {
            match socket.ask(provider, request, events).await {
                Err(Failure { error, kind: Kind::Lost }) => {
                    tracing::debug!(%error, "the connection is made anew");
                }
                done => return done,
            }
        }
        let connect = |bearer| self.connect(provider, request, bearer);
        let socket = self.authorized(provider, connect).await?;
        socket.ask(provider, request, events).await
    }

    async fn connect(
        &self,
        provider: &Provider,
        request: &Request,
        bearer: Option<Bearer>,
    ) -> Result<Socket, Error> {
        let call = Call::new(provider, &request.headers, Pieces::default(), bearer.as_ref())?;
        let unusable = |error: tungstenite::Error| Error::unusable(error.to_string());
        let mut upgrade = call.socket_url().into_client_request().map_err(unusable)?;
        upgrade.headers_mut().extend(call.socket_headers(PROTOCOL));
        if call.socket_url().starts_with("wss:") {
            crate::util::tls::install_provider();
        }
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_EVENT))
            .max_frame_size(Some(MAX_EVENT));
        let connecting = connect_async_with_config(upgrade, Some(config), true);
        match timeout(provider.websocket_connect_timeout, connecting).await {
            Err(_) => Err(Error::disconnected("the WebSocket handshake takes too long")),
            Ok(Ok((stream, _))) => Ok(Socket { stream, last: None }),
            Ok(Err(tungstenite::Error::Http(answer))) => {
                let body = String::from_utf8_lossy(answer.body().as_deref().unwrap_or_default());
                let url = call.socket_url();
                Err(Error::refused(&Refusal::new(answer.status(), answer.headers(), &body, &url)))
            }
            Ok(Err(error)) => Err(self.connections.unreachable(&call, &error.to_string())),
        }
    }
}

impl Socket {
    /// Asks on this connection, which is kept for the next request unless it broke.
    async fn ask(
        mut self,
        provider: &Provider,
        request: &Request,
        events: &Events,
    ) -> Result<(), Failure> {
        let outcome = self.exchange(provider, request, events).await;
        if matches!(outcome, Ok(()) | Err(Failure { kind: Kind::Refused, .. })) {
            request.conversation.with(|kept| kept.socket = Some(self));
        }
        outcome
    }

    /// Sends a request and hands on what comes, up to the end of the answer.
    async fn exchange(
        &mut self,
        provider: &Provider,
        request: &Request,
        events: &Events,
    ) -> Result<(), Failure> {
        let frame = self.frame(&request.body);
        self.last = None;
        let idle = provider.stream_idle_timeout;
        let cut = |error: tungstenite::Error| Error::cut(&error.to_string());
        let sent = timeout(idle, self.stream.send(Message::text(frame))).await;
        sent.map_err(|_| Error::idle())?.map_err(cut)?;
        let (mut kind, mut output) = (Kind::Lost, Vec::new());
        let mut deadline = tokio::time::Instant::now() + idle;
        loop {
            let broken = |error| Failure { error, kind };
            let message = match timeout_at(deadline, self.stream.next()).await {
                Err(_) => return Err(broken(Error::idle())),
                Ok(Some(Ok(Message::Text(text)))) => text,
                Ok(Some(Ok(Message::Close(_))) | None) => {
                    return Err(broken(Error::closed_early()));
                }
                Ok(Some(Ok(_))) => continue,
                Ok(Some(Err(error))) => return Err(broken(cut(error))),
            };
            deadline = tokio::time::Instant::now() + idle;
            if let Some(failure) = refused(&message, &provider.base_url) {
                return Err(failure);
            }
            let Some(event) = decode(message.as_bytes()) else { continue };
            if let StreamEvent::Failed(error) = event {
                return Err(Failure { error, kind: Kind::Refused });
            }
            if let StreamEvent::ItemDone { item, raw } = &event
                && *item != OutputItem::Other
            {
                output.push(history_item(raw));
            }
            if event.is_last() {
                self.last = response_id(&message).map(|response| Exchange {
                    response,
                    settings: request.body.lasting_settings(),
                    input: request.body.input.clone(),
                    output,
                });
                drop(events.send(vec![event]).await);
                return Ok(());
            }
            if !matches!(event, StreamEvent::Created) {
                kind = Kind::Cut;
            }
            if events.send(vec![event]).await.is_err() {
                return Err(Failure { error: Error::closed_early(), kind: Kind::Cut });
            }
        }
    }

    /// The message that asks: all of the input, or what is new in it.
    fn frame(&self, body: &Encoded) -> String {
        let (previous, input) = match self.last.as_ref().and_then(|last| last.rest(body)) {
            Some((response, rest)) => (Some(response), rest),
            None => (None, body.input.clone()),
        };
        let mut frame = b"{\"type\":\"response.create\",".to_vec();
        if let Some(response) = previous {
            frame.extend_from_slice(b"\"previous_response_id\":");
            frame.extend(serde_json::to_vec(response).unwrap_or_default());
            frame.push(b',');
        }
        body.write_with_input(&input, &mut frame);
        // The parts are JSON, which is UTF-8.
        String::from_utf8(frame).unwrap_or_default()
    }
}

impl Exchange {
    /// What a request adds to this one and its answer; `None` when it does not go on from there.
    fn rest(&self, body: &Encoded) -> Option<(&str, Pieces)> {
        if body.lasting_settings() != self.settings {
            return None;
        }
        let mut rest = body.input.clone();
        rest.strip_all(&self.input)?;
        for item in &self.output {
            rest.strip(b",")?;
            rest.strip(item.get().as_bytes())?;
        }
        // Without anything new there is nothing to ask.
        rest.strip(b",")?;
        Some((&self.response, rest))
    }
}

/// An `error` message stands for an HTTP answer that is no stream.
fn refused(message: &str, url: &str) -> Option<Failure> {
    #[derive(Deserialize)]
    struct Refused {
        #[serde(rename = "type")]
        kind: String,
        #[serde(alias = "status_code")]
        status: Option<u16>,
        #[serde(default)]
        error: Cause,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Cause {
        code: Option<String>,
    }
    // Most messages are something else: look before decoding.
    if !message.contains("\"error\"") {
        return None;
    }
    let Refused { kind, status, error } = serde_json::from_str(message).ok()?;
    let status = StatusCode::from_u16(status.filter(|_| kind == "error")?).ok()?;
    let is_about_connection =
        error.code.is_some_and(|code| CONNECTION_CODES.contains(&code.as_str()));
    Some(Failure {
        error: Error::refused(&Refusal::new(status, &HeaderMap::new(), message, url)),
        kind: if is_about_connection { Kind::Lost } else { Kind::Refused },
    })
}

fn response_id(message: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Completed {
        response: Response,
    }
    #[derive(Deserialize)]
    struct Response {
        id: String,
    }
    serde_json::from_str(message).ok().map(|Completed { response }| response.id)
}

#[cfg(test)]
mod tests;
