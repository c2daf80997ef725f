//! The Responses API over a WebSocket: one connection for each thread, kept over turns, on which a request that goes
//! on where the last answer ended sends only what is new.
//!
//! A connection is in the hands of the request that uses it, so that a request that is given up takes it along. Where
//! WebSockets do not work, plain HTTP does: the conversation remembers that. Proxies are not asked.

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::net::TcpStream;
use tokio::time::{timeout, timeout_at};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use super::Request;
use super::call::{Call, install_provider};
use super::client::{Events, Http};
use super::error::{Error, Refusal, Retry};
use super::event::{StreamEvent, decode};
use super::item::{OutputItem, history_item};
use super::provider::Provider;
use super::request::Encoded;
use super::sse::MAX_EVENT;

/// The version of the protocol, as the service wants to be told.
const PROTOCOL: (&str, &str) = ("openai-beta", "responses_websockets=2026-02-06");

/// A connection, and what was said on it last.
pub(super) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    last: Option<Exchange>,
}

/// A request and its answer, as far as the next request may refer to them.
struct Exchange {
    response: String,
    settings: Bytes,
    input: Bytes,
    output: Vec<Box<RawValue>>,
}

/// Whether an attempt has brought anything before it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Nothing,
    Something,
}

struct Broken {
    error: Error,
    heard: Heard,
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self { error, heard: Heard::Nothing }
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
        let Err(broken) = self.attempts(provider, request, &events).await else {
            request.conversation.with(|kept| kept.failures = 0);
            return;
        };
        let may_retry = broken.error.retry() != Retry::Never;
        let falls_back = may_retry
            && request.conversation.with(|kept| {
                kept.failures += 1;
                kept.is_without_sockets =
                    kept.failures >= provider.stream_max_retries || broken.error.is_about_upgrade();
                kept.is_without_sockets
            });
        let told = match falls_back {
            true => events.send(vec![StreamEvent::FellBack(broken.error.clone())]).await,
            false => Ok(()),
        };
        match (falls_back, broken.heard) {
            _ if told.is_err() => {}
            (true, Heard::Nothing) => self.answer(provider, request, events).await,
            _ => drop(events.send(vec![StreamEvent::Failed(broken.error)]).await),
        }
    }

    /// A connection that was kept may have been closed meanwhile, so its failure counts for nothing.
    async fn attempts(
        &self,
        provider: &Provider,
        request: &Request,
        events: &Events,
    ) -> Result<(), Broken> {
        if let Some(mut socket) = request.conversation.with(|kept| kept.socket.take()) {
            match socket.exchange(provider, request, events).await {
                Ok(()) => {
                    request.conversation.with(|kept| kept.socket = Some(socket));
                    return Ok(());
                }
                Err(broken) if broken.heard == Heard::Something => return Err(broken),
                Err(broken) => {
                    tracing::debug!(error = %broken.error, "the connection is made anew");
                }
            }
        }
        let mut socket = self.connected(provider, request).await?;
        socket.exchange(provider, request, events).await?;
        request.conversation.with(|kept| kept.socket = Some(socket));
        Ok(())
    }

    async fn connected(&self, provider: &Provider, request: &Request) -> Result<Socket, Error> {
        let token = match &provider.auth {
            Some(command) => self.tokens.get(command).await,
            None => None,
        };
        let call = Call::new(provider, &request.headers, Bytes::new(), token.as_ref())?;
        let unusable = |error: tungstenite::Error| Error::unusable(error.to_string());
        let mut upgrade = call.socket_url().into_client_request().map_err(unusable)?;
        upgrade.headers_mut().extend(call.socket_headers(PROTOCOL));
        if call.socket_url().starts_with("wss:") {
            install_provider();
        }
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_EVENT))
            .max_frame_size(Some(MAX_EVENT));
        let connecting = connect_async_with_config(upgrade, Some(config), true);
        match timeout(provider.websocket_connect_timeout, connecting).await {
            Err(_) => Err(Error::disconnected("the WebSocket handshake takes too long")),
            Ok(Ok((stream, _))) => Ok(Socket { stream, last: None }),
            Ok(Err(tungstenite::Error::Http(answer))) => {
                if answer.status().as_u16() == 401
                    && let Some(command) = &provider.auth
                {
                    self.tokens.forget(command);
                }
                let body = answer.body().as_deref().unwrap_or_default();
                Err(Error::refused(&Refusal {
                    status: answer.status().as_u16(),
                    status_line: answer.status().to_string(),
                    body: &String::from_utf8_lossy(body),
                    url: &call.socket_url(),
                    cf_ray: None,
                    retry_after: None,
                }))
            }
            Ok(Err(error)) => Err(self.connections.unreachable(&call, &error.to_string())),
        }
    }
}

impl Socket {
    /// Sends a request and hands on what comes, up to the end of the answer.
    async fn exchange(
        &mut self,
        provider: &Provider,
        request: &Request,
        events: &Events,
    ) -> Result<(), Broken> {
        let frame = self.frame(&request.body);
        self.last = None;
        let idle = provider.stream_idle_timeout;
        let cut = |error: tungstenite::Error| Error::cut(&error.to_string());
        let sent = timeout(idle, self.stream.send(Message::text(frame))).await;
        sent.map_err(|_| Error::idle())?.map_err(cut)?;
        let (mut heard, mut output) = (Heard::Nothing, Vec::new());
        let mut deadline = tokio::time::Instant::now() + idle;
        loop {
            let broken = |error| Broken { error, heard };
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
            if let Some(error) = refused(&message, &provider.base_url) {
                return Err(broken(error));
            }
            let Some(event) = decode(message.as_bytes()) else { continue };
            if let StreamEvent::Failed(error) = event {
                return Err(broken(error));
            }
            if let StreamEvent::ItemDone { item, raw } = &event
                && *item != OutputItem::Other
            {
                output.push(history_item(raw));
            }
            if event.is_last() {
                self.last = response_id(&message).map(|response| Exchange {
                    response,
                    settings: request.body.lasting_settings().into(),
                    input: request.body.shared_input(),
                    output,
                });
                drop(events.send(vec![event]).await);
                return Ok(());
            }
            if !matches!(event, StreamEvent::Created) {
                heard = Heard::Something;
            }
            if events.send(vec![event]).await.is_err() {
                return Err(Broken { error: Error::closed_early(), heard: Heard::Something });
            }
        }
    }

    /// The message that asks: all of the input, or what is new in it.
    fn frame(&self, body: &Encoded) -> String {
        let (previous, input) = match self.last.as_ref().and_then(|last| last.rest(body)) {
            Some((response, rest)) => (Some(response), rest),
            None => (None, body.input()),
        };
        let mut frame = b"{\"type\":\"response.create\",".to_vec();
        if let Some(response) = previous {
            frame.extend_from_slice(b"\"previous_response_id\":");
            frame.extend(serde_json::to_vec(response).unwrap_or_default());
            frame.push(b',');
        }
        body.write_with_input(input, &mut frame);
        // The parts are JSON, which is UTF-8.
        String::from_utf8(frame).unwrap_or_default()
    }
}

impl Exchange {
    /// What a request adds to this one and its answer; `None` when it does not go on from there.
    fn rest<'a>(&'a self, body: &'a Encoded) -> Option<(&'a str, &'a [u8])> {
        if *body.lasting_settings() != *self.settings {
            return None;
        }
        let mut rest = body.input().strip_prefix(&*self.input)?;
        for item in &self.output {
            rest = rest.strip_prefix(b",")?.strip_prefix(item.get().as_bytes())?;
        }
        // Without anything new there is nothing to ask.
        Some((&self.response, rest.strip_prefix(b",")?))
    }
}

/// An `error` message stands for an HTTP answer that is no stream.
fn refused(message: &str, url: &str) -> Option<Error> {
    #[derive(Deserialize)]
    struct Refused {
        #[serde(rename = "type")]
        kind: String,
        #[serde(alias = "status_code")]
        status: Option<u16>,
    }
    // Most messages are something else: look before decoding.
    if !message.contains("\"error\"") {
        return None;
    }
    let Refused { kind, status } = serde_json::from_str(message).ok()?;
    let status = status.filter(|_| kind == "error")?;
    Some(Error::refused(&Refusal {
        status,
        status_line: status.to_string(),
        body: message,
        url,
        cf_ray: None,
        retry_after: None,
    }))
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
