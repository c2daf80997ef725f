//! The client against a server on loopback that answers, stalls, refuses and hangs up as it is told.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use super::*;
use crate::config::{Overrides, Sources};

/// A client of whom nobody is signed in.
pub(super) fn client() -> Client {
    let sources = Sources::new("/no/such/home".into(), Overrides::default());
    Client::new(Arc::new(Auth::new(Arc::new(sources))))
}

/// What the server does with one request.
#[derive(Debug, Clone)]
enum Answer {
    /// Says this, and waits for the next request.
    Say(String),
    /// Streams the parts with a pause before each, and ends the body.
    Stream(Vec<(Duration, String)>),
    /// Streams the events, then breaks off in the middle of the body.
    Cut(String),
    /// Streams the events, then says nothing more.
    Stall(String),
    /// Reads the request and says nothing.
    Silence,
    /// Reads the request and closes the connection.
    HangUp,
}

struct Server {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
    opened: Arc<Mutex<usize>>,
    /// Says so when a connection has been closed.
    closed: mpsc::UnboundedReceiver<()>,
    _task: AbortOnDrop,
}

impl Server {
    async fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let opened = Arc::<Mutex<usize>>::default();
        let answers = Arc::new(Mutex::new(VecDeque::from(answers)));
        let (closing, closed) = mpsc::unbounded_channel();
        let (seen, counted) = (Arc::clone(&requests), Arc::clone(&opened));
        let task = AbortOnDrop::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *counted.lock().unwrap() += 1;
                let (answers, seen, closing) =
                    (Arc::clone(&answers), Arc::clone(&seen), closing.clone());
                tokio::spawn(async move {
                    serve(stream, &answers, &seen).await;
                    let _unheard = closing.send(());
                });
            }
        });
        Self { url, requests, opened, closed, _task: task }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    fn provider(&self, settings: &Value) -> Arc<Provider> {
        let mut all = json!({"base_url": format!("{}/v1/", self.url), "request_max_retries": 0,
            "stream_idle_timeout_ms": 2000});
        all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let settings = serde_json::from_value(all).unwrap();
        Arc::new(Provider::from_settings("mine", settings))
    }
}

async fn serve(
    mut stream: TcpStream,
    answers: &Mutex<VecDeque<Answer>>,
    seen: &Mutex<Vec<String>>,
) {
    while let Some(request) = read_request(&mut stream).await {
        seen.lock().unwrap().push(request);
        let answer = answers.lock().unwrap().pop_front().expect("more requests than answers");
        // A client may hang up at any time.
        if !matches!(give(&mut stream, answer).await, Ok(Connection::Kept)) {
            return;
        }
    }
}

enum Connection {
    Kept,
    Closed,
}

async fn give(stream: &mut TcpStream, answer: Answer) -> std::io::Result<Connection> {
    const HEAD: &str =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    match answer {
        Answer::Say(text) => stream.write_all(text.as_bytes()).await?,
        Answer::Stream(parts) => {
            stream.write_all(HEAD.as_bytes()).await?;
            for (pause, part) in parts {
                sleep(pause).await;
                stream.write_all(chunk(&part).as_bytes()).await?;
            }
            stream.write_all(b"0\r\n\r\n").await?;
        }
        Answer::Cut(events) => {
            stream.write_all(format!("{HEAD}{}", chunk(&events)).as_bytes()).await?;
            return Ok(Connection::Closed);
        }
        Answer::Stall(events) => {
            stream.write_all(format!("{HEAD}{}", chunk(&events)).as_bytes()).await?;
        }
        Answer::Silence => {}
        Answer::HangUp => return Ok(Connection::Closed),
    }
    Ok(Connection::Kept)
}

/// The next request, or `None` when the client has gone.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_lowercase().lines().find_map(|line| {
                line.strip_prefix("content-length: ").map(|length| length.parse::<usize>().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                return Some(text);
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return None;
        }
    }
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

fn sse(events: &[Value]) -> String {
    events.iter().map(|event| format!("data: {event}\n\n")).collect()
}

fn delta(text: &str) -> Value {
    json!({"type": "response.output_text.delta", "delta": text})
}

fn completed() -> Value {
    json!({"type": "response.completed", "response": {"id": "r"}})
}

fn streamed(events: &[Value]) -> Answer {
    Answer::Stream(vec![(Duration::ZERO, sse(events))])
}

fn said(status: &str, headers: &str, body: &str) -> Answer {
    Answer::Say(format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    ))
}

fn request() -> Request {
    Request {
        thread: "t".to_owned(),
        conversation: Conversation::default(),
        headers: vec![("thread-id", "t".to_owned())],
        body: request::Encoded::from("{\"model\":\"m\"}"),
    }
}

/// All events in short.
async fn told(stream: &mut ResponseStream) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(batch) = timeout(Duration::from_secs(10), stream.next()).await.unwrap() {
        all.extend(batch.into_iter().map(|event| match &event {
            StreamEvent::Headers(_) => "headers".to_owned(),
            StreamEvent::TextDelta { delta, .. } => delta.clone(),
            StreamEvent::Completed { .. } => "completed".to_owned(),
            StreamEvent::Failed(error) => format!("failed: {error}"),
            StreamEvent::Created
            | StreamEvent::ItemAdded(_)
            | StreamEvent::SummaryPartAdded { .. }
            | StreamEvent::SummaryDelta { .. }
            | StreamEvent::ReasoningDelta { .. }
            | StreamEvent::Verification(_)
            | StreamEvent::FellBack(_)
            | StreamEvent::InputDelta { .. }
            | StreamEvent::ItemDone { .. } => format!("{event:?}"),
        }));
    }
    all
}

async fn ask(server: &Server, settings: &Value) -> Vec<String> {
    told(&mut client().stream(&server.provider(settings), request())).await
}

/// The failure of the first attempt.
async fn failure(server: &Server, settings: &Value) -> Error {
    let mut stream = client().stream(&server.provider(settings), request());
    loop {
        for event in stream.next().await.expect("a failure is the last event") {
            if let StreamEvent::Failed(error) = event {
                return error;
            }
        }
    }
}

#[tokio::test]
async fn streams_an_answer() {
    let pause = Duration::from_millis(20);
    let text = sse(&[delta("a"), json!({"type": "response.unknown"}), delta("b"), completed()]);
    let (one, two) = text.split_at(30);
    let server =
        Server::start(vec![Answer::Stream(vec![(pause, one.to_owned()), (pause, two.to_owned())])])
            .await;
    assert_eq!(ask(&server, &json!({})).await, ["headers", "a", "b", "completed"]);
    let requests = server.requests();
    let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v1/responses HTTP/1.1\r\n"), "{head}");
    for line in ["accept: text/event-stream", "content-type: application/json", "thread-id: t"] {
        assert!(head.lines().any(|it| it == line), "{line} in {head}");
    }
    assert!(!head.contains("authorization"), "{head}");
    assert_eq!(body, "{\"model\":\"m\"}");
}

#[tokio::test]
async fn sends_what_the_provider_adds() {
    let server = Server::start(vec![streamed(&[completed()])]).await;
    let settings = json!({
        "http_headers": {"X-A": "1", "bad name": "x"}, "query_params": {"api-version": "2025", "k": "a b&c"},
        "env_http_headers": {"X-B": "PATH", "X-C": "NO_SUCH_VARIABLE_IS_SET"}, "env_key": "PATH",
    });
    assert_eq!(ask(&server, &settings).await, ["headers", "completed"]);
    let head = server.requests()[0].clone();
    let path = std::env::var("PATH").unwrap();
    assert!(
        head.starts_with("POST /v1/responses?api-version=2025&k=a+b%26c HTTP/1.1\r\n"),
        "{head}"
    );
    for line in
        ["x-a: 1".to_owned(), format!("x-b: {path}"), format!("authorization: Bearer {path}")]
    {
        assert!(head.lines().any(|it| it == line), "{line} in {head}");
    }
    assert!(!head.contains("x-c"), "{head}");
}

#[tokio::test]
async fn knows_a_token() {
    let server = Server::start(vec![streamed(&[completed()])]).await;
    ask(&server, &json!({"experimental_bearer_token": "t0k"})).await;
    assert!(server.requests()[0].contains("authorization: Bearer t0k\r\n"));
}

#[tokio::test]
async fn asks_nobody_without_its_key() {
    let server = Server::start(vec![]).await;
    let settings =
        json!({"env_key": "NO_SUCH_VARIABLE_IS_SET", "env_key_instructions": "Ask the lab."});
    let error = failure(&server, &settings).await;
    let expected = "Missing environment variable: `NO_SUCH_VARIABLE_IS_SET`. Ask the lab.";
    assert_eq!((error.to_string().as_str(), error.retry()), (expected, Retry::Never));
    assert_eq!(*server.opened.lock().unwrap(), 0);
}

#[tokio::test]
async fn tells_what_the_head_says() {
    let answer = said(
        "200 OK",
        "x-codex-turn-state: sticky\r\nx-codex-primary-used-percent: 12.5\r\n\
         x-codex-primary-window-minutes: 300\r\nx-codex-primary-reset-at: 1800000000\r\n",
        &sse(&[completed()]),
    );
    let server = Server::start(vec![answer]).await;
    let mut stream = client().stream(&server.provider(&json!({})), request());
    let first = stream.next().await.unwrap().remove(0);
    let StreamEvent::Headers(headers) = first else { panic!("{first:?}") };
    assert_eq!(headers.turn_state.as_deref(), Some("sticky"));
    let window = LimitWindow {
        used_percent: 12.5,
        window_minutes: Some(300),
        resets_at: Some(1_800_000_000),
    };
    assert_eq!((headers.primary_limit, headers.secondary_limit), (Some(window), None));
}

#[tokio::test]
async fn sends_lost_requests_again() {
    let answers = vec![
        said("503 Busy", "", ""),
        Answer::HangUp,
        said("500 Oops", "", ""),
        streamed(&[completed()]),
    ];
    let server = Server::start(answers).await;
    assert_eq!(ask(&server, &json!({"request_max_retries": 3})).await, ["headers", "completed"]);
    let requests = server.requests();
    assert_eq!(requests.len(), 4);
    assert!(requests.iter().all(|request| *request == requests[0]));
}

#[tokio::test]
async fn gives_up_lost_requests() {
    let server = Server::start(vec![Answer::HangUp, Answer::HangUp]).await;
    let error = failure(&server, &json!({"request_max_retries": 1})).await;
    assert_eq!(server.requests().len(), 2);
    assert_eq!(error.retry(), Retry::Stream { after: None, http_status: None });
    assert!(error.to_string().starts_with("stream disconnected before completion: "), "{error}");

    let server = Server::start(vec![said("503 x", "", "a"), said("503 x", "", "b")]).await;
    let error = failure(&server, &json!({"request_max_retries": 1})).await;
    let expected =
        format!("unexpected status 503 Service Unavailable: b, url: {}/v1/responses", server.url);
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn refusals_are_not_sent_again() {
    let body = json!({"error": {"message": "the reason"}}).to_string();
    let server = Server::start(vec![said("401 No", "cf-ray: r4y\r\n", &body)]).await;
    let settings = json!({"request_max_retries": 3, "query_params": {"key": "hidden"}});
    let error = failure(&server, &settings).await;
    assert_eq!(
        error.to_string(),
        format!(
            "unexpected status 401 Unauthorized: the reason, url: {}/v1/responses, cf-ray: r4y",
            server.url
        )
    );
    assert_eq!(error.retry(), Retry::Never);

    let server = Server::start(vec![said("429 Slow", "retry-after: 3\r\n", "")]).await;
    let after = Some(Duration::from_secs(3));
    let retry = failure(&server, &json!({})).await.retry();
    assert_eq!(retry, Retry::Stream { after, http_status: Some(429) });
}

#[tokio::test]
async fn reads_only_so_much_of_a_refusal() {
    let server = Server::start(vec![said("400 No", "", &"x".repeat(1 << 20))]).await;
    assert_eq!(failure(&server, &json!({})).await.to_string().len(), 256 << 10);
}

#[tokio::test]
async fn follows_redirections() {
    let there = Server::start(vec![streamed(&[completed()])]).await;
    let away = said("307 There", &format!("location: {}/x\r\n", there.url), "");
    let here = Server::start(vec![said("308 On", "location: /v2/y?a=b\r\n", ""), away]).await;
    let told =
        ask(&here, &json!({"experimental_bearer_token": "t0k", "http_headers": {"k": "s3c"}}))
            .await;
    assert_eq!(told, ["headers", "completed"]);
    let requests = here.requests();
    assert!(requests[1].starts_with("POST /v2/y?a=b "), "{}", requests[1]);
    assert!(requests[1].contains("Bearer t0k") && requests[1].ends_with("{\"model\":\"m\"}"));
    let elsewhere = &there.requests()[0];
    assert!(
        elsewhere.starts_with("POST /x ") && elsewhere.ends_with("{\"model\":\"m\"}"),
        "{elsewhere}"
    );
    assert!(!elsewhere.contains("t0k") && !elsewhere.contains("s3c"), "{elsewhere}");

    let round = said("307 Round", "location: /\r\n", "");
    let server = Server::start(vec![round; 11]).await;
    assert_eq!(ask(&server, &json!({})).await, ["failed: the provider redirects without end"]);
}

#[tokio::test]
async fn streams_may_end_too_early() {
    let lead = "failed: stream disconnected before completion: ";
    let server = Server::start(vec![streamed(&[delta("a")])]).await;
    let told = ask(&server, &json!({})).await;
    assert_eq!(told, ["headers", "a", &format!("{lead}stream closed before response.completed")]);

    let server = Server::start(vec![Answer::Cut(sse(&[delta("a")]))]).await;
    let told = ask(&server, &json!({})).await;
    assert_eq!(&told[..2], ["headers", "a"]);
    assert!(told[2].starts_with(&format!("{lead}Transport error: ")), "{told:?}");

    let server = Server::start(vec![said("200 OK", "", "{\"id\":\"r\"}")]).await;
    let told = ask(&server, &json!({})).await;
    assert_eq!(told, ["headers", &format!("{lead}stream closed before response.completed")]);
}

#[tokio::test]
async fn a_failure_ends_the_stream() {
    let failed = json!({"type": "response.failed", "response": {"error": {"code": "bio_policy", "message": "no"}}});
    let server =
        Server::start(vec![streamed(&[delta("a"), failed, delta("b"), completed()])]).await;
    assert_eq!(ask(&server, &json!({})).await, ["headers", "a", "failed: no"]);
}

const IDLE: &str = "failed: stream disconnected before completion: idle timeout waiting for SSE";

fn impatient() -> Value {
    json!({"stream_idle_timeout_ms": 400})
}

#[tokio::test]
async fn waits_only_so_long_for_events() {
    let mut server = Server::start(vec![Answer::Stall(sse(&[delta("a")]))]).await;
    assert_eq!(ask(&server, &impatient()).await, ["headers", "a", IDLE]);
    timeout(Duration::from_secs(5), server.closed.recv()).await.unwrap();
}

#[tokio::test]
async fn waits_only_so_long_for_an_answer() {
    let server = Server::start(vec![Answer::Silence]).await;
    assert_eq!(ask(&server, &impatient()).await, [IDLE]);
}

#[tokio::test]
async fn comments_are_no_events() {
    let comment = (Duration::from_millis(150), ": alive\n\n".to_owned());
    let server = Server::start(vec![Answer::Stream(vec![comment; 5])]).await;
    assert_eq!(ask(&server, &impatient()).await, ["headers", IDLE]);
}

#[tokio::test]
async fn unknown_events_are_signs_of_life() {
    let event = (Duration::from_millis(150), sse(&[json!({"type": "response.unknown"})]));
    let mut parts = vec![event; 5];
    parts.push((Duration::ZERO, sse(&[completed()])));
    let server = Server::start(vec![Answer::Stream(parts)]).await;
    assert_eq!(ask(&server, &impatient()).await, ["headers", "completed"]);
}

#[tokio::test]
async fn dropping_the_stream_closes_the_connection() {
    let mut server = Server::start(vec![Answer::Stall(sse(&[delta("a")])), Answer::Silence]).await;
    let client = client();
    let mut stream = client.stream(&server.provider(&json!({})), request());
    assert_eq!(stream.next().await.unwrap().len(), 1);
    assert_eq!(stream.next().await.unwrap().len(), 1);
    let dropped = Instant::now();
    drop(stream);
    timeout(Duration::from_secs(5), server.closed.recv()).await.unwrap();
    assert!(dropped.elapsed() < Duration::from_secs(1), "{:?}", dropped.elapsed());

    let stream = client.stream(&server.provider(&json!({})), request());
    while server.requests().len() < 2 {
        tokio::task::yield_now().await;
    }
    drop(stream);
    timeout(Duration::from_secs(5), server.closed.recv()).await.unwrap();
}

#[tokio::test]
async fn loopback_connections_are_not_kept() {
    let server = Server::start(vec![streamed(&[completed()]); 3]).await;
    let (client, provider) = (client(), server.provider(&json!({})));
    for _ in 0..3 {
        let mut stream = client.stream(&provider, request());
        assert_eq!(told(&mut stream).await, ["headers", "completed"]);
        drop(stream);
        sleep(Duration::from_millis(150)).await;
    }
    assert_eq!(*server.opened.lock().unwrap(), 3);
}

#[tokio::test]
async fn a_slow_reader_loses_nothing() {
    let many: Vec<_> = (0..200)
        .map(|index| (Duration::ZERO, sse(&[delta(&index.to_string())])))
        .chain([(Duration::ZERO, sse(&[completed()]))])
        .collect();
    let server = Server::start(vec![Answer::Stream(many)]).await;
    let provider = server.provider(&impatient());
    let mut stream = client().stream(&provider, request());
    sleep(Duration::from_millis(600)).await;
    // A call that is given up takes nothing with it.
    let _given_up = timeout(Duration::ZERO, stream.next()).await;
    let told = told(&mut stream).await;
    assert_eq!(told.last().map(String::as_str), Some("completed"));
}

#[tokio::test]
async fn tells_a_provider_that_is_not_there() {
    let server = Server::start(vec![]).await;
    let provider = server.provider(&json!({"request_max_retries": 2}));
    drop(server);
    sleep(Duration::from_millis(50)).await;
    let asked = Instant::now();
    let told = told(&mut client().stream(&provider, request())).await;
    assert!(told[0].starts_with("failed: Connection failed: "), "{told:?}");
    assert!(asked.elapsed() < Duration::from_secs(1), "waiting is the caller's");
    let batch = client().stream(&provider, request()).next().await.unwrap();
    let again = Retry::Stream { after: None, http_status: None };
    assert!(matches!(&batch[0], StreamEvent::Failed(error) if error.retry() == again));
}

#[tokio::test]
async fn refuses_an_address_that_is_none() {
    for base_url in ["", "nowhere", "ftp://h/v1"] {
        let settings = serde_json::from_value(json!({"base_url": base_url})).unwrap();
        let provider = Arc::new(Provider::from_settings("mine", settings));
        let told = told(&mut client().stream(&provider, request())).await;
        assert!(told[0].starts_with("failed: the base_url `"), "{told:?}");
    }
}

#[tokio::test]
async fn speaks_tls_only_to_those_who_do() {
    let server = Server::start(vec![]).await;
    let settings = json!({"base_url": server.url.replace("http:", "https:")});
    let provider = server.provider(&settings);
    let mut stream = client().stream(&provider, request());
    // The server takes the greeting for a request that never ends, and never answers.
    let waited = timeout(Duration::from_millis(500), stream.next()).await;
    assert!(waited.is_err() || matches!(&waited.unwrap().unwrap()[0], StreamEvent::Failed(_)));
}
