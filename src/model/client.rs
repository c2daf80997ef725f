//! Providers over HTTP: asking, asking again when a request got lost, and reading the answer.
//!
//! Retries of a whole stream are the caller's; those here are silent, since nothing has been answered yet.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Response;
use reqwest::header::HeaderMap;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::Request;
use super::call::{Call, Connections, Failure, causes};
use super::chat;
use super::error::{Error, Refusal};
use super::event::{LimitWindow, ResponseHeaders, StreamEvent, decode};
use super::pieces::Pieces;
use super::provider::{Provider, Wire};
use super::retry::backoff;
use super::sse::{MAX_EVENT, Parser};
use super::token::Tokens;
use crate::auth::{Auth, Bearer};

/// How much of a refusal's text is read.
const MAX_REFUSAL: usize = 256 << 10;
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(10);
/// What may follow the last event before the connection is given up instead of kept.
const MAX_REST: usize = 64 << 10;
const REST_TIMEOUT: Duration = Duration::from_secs(1);

pub(super) type Events = mpsc::Sender<Vec<StreamEvent>>;

/// Everything that is shared by requests over HTTP.
pub(super) struct Http {
    pub(super) connections: Connections,
    pub(super) tokens: Tokens,
    pub(super) auth: Arc<Auth>,
}

impl Http {
    pub(super) fn new(auth: Arc<Auth>) -> Self {
        let connections = Connections::new(Arc::clone(auth.clients()));
        Self { connections, tokens: Tokens::default(), auth }
    }

    /// Asks and hands on what comes, a failure included. Ends early when nobody listens any more.
    pub(super) async fn answer(&self, provider: &Provider, request: &Request, events: Events) {
        if let Err(error) = self.exchange(provider, request, &events).await {
            let _unheard = events.send(vec![StreamEvent::Failed(error)]).await;
        }
    }

    async fn exchange(
        &self,
        provider: &Provider,
        request: &Request,
        events: &Events,
    ) -> Result<(), Error> {
        let (body, mut decoder) = prepared(provider, request)?;
        let response = self.admitted(provider, &request.headers, body).await?;
        let headers = StreamEvent::Headers(response_headers(provider, response.headers()));
        if events.send(vec![headers]).await.is_err() {
            return Ok(());
        }
        relay(response, &mut decoder, provider.stream_idle_timeout, events).await
    }

    /// The head of a good answer.
    async fn admitted(
        &self,
        provider: &Provider,
        headers: &[(&'static str, String)],
        body: Pieces,
    ) -> Result<Response, Error> {
        let ask = |bearer: Option<Bearer>| {
            let body = body.clone();
            async move {
                let call = Call::new(provider, headers, body, bearer.as_ref())?;
                self.ask(provider, &call).await
            }
        };
        self.authorized(provider, ask).await
    }

    /// The head of a good answer. Lost requests and failures of the server are tried again.
    async fn ask(&self, provider: &Provider, call: &Call) -> Result<Response, Error> {
        let mut retries = 0;
        loop {
            let may_retry = retries < provider.request_max_retries;
            match timeout(provider.stream_idle_timeout, call.send(&self.connections)).await {
                Err(_) => return Err(Error::idle()),
                Ok(Ok(response)) if response.status().is_success() => return Ok(response),
                Ok(Ok(response)) if response.status().is_server_error() && may_retry => {}
                Ok(Ok(response)) => return Err(refusal(call, response).await),
                Ok(Err(Failure::Unanswered(_))) if may_retry => {}
                Ok(Err(Failure::Unanswered(error) | Failure::Final(error))) => return Err(error),
                Ok(Err(Failure::Unreachable(cause))) => {
                    return Err(self.connections.unreachable(call, &cause));
                }
            }
            retries += 1;
            tracing::debug!(retries, "the model request is sent again");
            sleep(backoff(retries)).await;
        }
    }
}

/// What a request looks like to the provider, and how its answer is to be read.
fn prepared(provider: &Provider, request: &Request) -> Result<(Pieces, Decoder), Error> {
    if provider.wire != Wire::Chat {
        return Ok((request.body.pieces(), Decoder::Responses));
    }
    let encoded = request.conversation.with(|kept| chat::encode(&request.body, &mut kept.messages));
    let (body, tools) = encoded.map_err(|error| {
        Error::unusable(format!("the request cannot be put into the Chat Completions API: {error}"))
    })?;
    Ok((body.into(), Decoder::Chat(Box::new(chat::Answer::new(tools)))))
}

/// How the data of events are understood.
enum Decoder {
    Responses,
    Chat(Box<chat::Answer>),
}

impl Decoder {
    fn take(&mut self, data: &[u8], events: &mut Vec<StreamEvent>) {
        match self {
            Self::Responses => events.extend(decode(data)),
            Self::Chat(answer) => answer.take(data, events),
        }
    }

    /// The stream is over.
    fn end(&mut self, events: &mut Vec<StreamEvent>) {
        match self {
            Self::Responses => {}
            Self::Chat(answer) => answer.end(events),
        }
    }
}

/// Reads the stream and hands on its events, a batch for each piece that the network brings.
async fn relay(
    mut response: Response,
    decoder: &mut Decoder,
    idle: Duration,
    events: &Events,
) -> Result<(), Error> {
    let mut parser = Parser::new(MAX_EVENT);
    let mut deadline = Instant::now() + idle;
    loop {
        let chunk = match timeout_at(deadline, response.chunk()).await {
            Err(_) => return Err(Error::idle()),
            Ok(Err(error)) => return Err(Error::cut(&causes(&error.without_url()))),
            Ok(Ok(chunk)) => chunk,
        };
        let mut batch = Batch::default();
        let fed = match &chunk {
            Some(chunk) => parser.feed(chunk, |data| batch.take(data, decoder)),
            None => {
                parser.finish(|data| batch.take(data, decoder));
                batch.end(decoder);
                Ok(())
            }
        };
        let (heard, over) = (batch.heard, batch.is_over());
        if !batch.events.is_empty() && events.send(batch.events).await.is_err() {
            return Ok(());
        }
        if over {
            tokio::spawn(timeout(REST_TIMEOUT, read_rest(response)));
            return Ok(());
        }
        fed.map_err(|error| Error::oversized(&error.to_string()))?;
        if chunk.is_none() {
            return Err(Error::closed_early());
        }
        if heard {
            deadline = Instant::now() + idle;
        }
    }
}

/// The events of one piece of the stream.
#[derive(Default)]
struct Batch {
    events: Vec<StreamEvent>,
    /// Whether there was an event at all, if only one that we do not know.
    heard: bool,
}

impl Batch {
    fn take(&mut self, data: &[u8], decoder: &mut Decoder) {
        self.heard = true;
        if !self.is_over() {
            decoder.take(data, &mut self.events);
        }
    }

    fn end(&mut self, decoder: &mut Decoder) {
        if !self.is_over() {
            decoder.end(&mut self.events);
        }
    }

    fn is_over(&self) -> bool {
        self.events.last().is_some_and(StreamEvent::is_last)
    }
}

/// Reads what follows the last event: a connection whose answer was read to its end can be used again.
async fn read_rest(mut response: Response) {
    let mut length = 0;
    while let Ok(Some(chunk)) = response.chunk().await {
        length += chunk.len();
        if length > MAX_REST {
            return;
        }
    }
}

async fn refusal(call: &Call, mut response: Response) -> Error {
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    let mut body = Vec::new();
    let read = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk[..chunk.len().min(MAX_REFUSAL - body.len())]);
            if body.len() == MAX_REFUSAL {
                break;
            }
        }
    };
    // What has come until then is better than nothing.
    let _late = timeout(REFUSAL_TIMEOUT, read).await;
    let (body, url) = (String::from_utf8_lossy(&body), call.shown_url());
    Error::refused(&Refusal::new(status, &headers, &body, &url))
}

fn response_headers(provider: &Provider, headers: &HeaderMap) -> ResponseHeaders {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let window = |name: &str| {
        let number = |what: &str| text(&format!("x-codex-{name}-{what}"));
        Some(LimitWindow {
            used_percent: number("used-percent")?.parse().ok()?,
            window_minutes: number("window-minutes").and_then(|it| it.parse().ok()),
            resets_at: number("reset-at").and_then(|it| it.parse().ok()),
        })
    };
    ResponseHeaders {
        turn_state: text("x-codex-turn-state").map(str::to_owned),
        primary_limit: window("primary"),
        secondary_limit: window("secondary"),
        // Gateways call models by names of their own, which means nothing.
        served_model: text("openai-model").filter(|_| provider.is_openai()).map(str::to_owned),
    }
}
