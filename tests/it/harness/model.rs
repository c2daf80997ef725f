//! A scripted stand-in for the Responses API: HTTP/1.1 with keep-alive on loopback, one thread for each connection.
//!
//! Every POST to `…/responses` or `…/chat/completions` takes the next step of the script; when there is none, the answer is the message
//! "done". Every such request is recorded.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;

use super::ev;

const PATIENCE: Duration = Duration::from_secs(10);

/// How one request is answered.
pub(crate) enum Step {
    /// These events as one stream.
    Events(Vec<Value>),
    /// An HTTP answer as it is.
    Http { status: u16, body: String, headers: Vec<(&'static str, String)> },
    /// A stream that stops until the gate opens.
    Held { gate: Gate, before: Vec<Value>, after: Vec<Value> },
    /// A stream whose connection breaks after these events.
    Cut(Vec<Value>),
    /// Decided when the request is there.
    Ask(Box<dyn FnOnce(&Request) -> Step + Send>),
}

impl From<Vec<Value>> for Step {
    fn from(events: Vec<Value>) -> Self {
        Self::Events(events)
    }
}

pub(crate) fn http(status: u16, body: impl ToString) -> Step {
    Step::Http { status, body: body.to_string(), headers: Vec::new() }
}

pub(crate) fn held(gate: &Gate, before: Vec<Value>, after: Vec<Value>) -> Step {
    Step::Held { gate: gate.clone(), before, after }
}

pub(crate) fn cut(events: Vec<Value>) -> Step {
    Step::Cut(events)
}

/// Where a held stream stands.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<Stage>, Condvar)>);

#[derive(Default)]
struct Stage {
    reached: bool,
    open: bool,
    dropped: bool,
}

impl Gate {
    /// Waits until everything before the gate has been sent.
    #[track_caller]
    pub(crate) fn reached(&self) {
        self.until("reached", |stage| stage.reached);
    }

    /// Waits until the server has dropped the connection of the held stream.
    #[track_caller]
    pub(crate) fn dropped(&self) {
        self.until("dropped", |stage| stage.dropped);
    }

    /// Waits until somebody opens it; for what stands before it.
    pub(super) fn pass(&self) {
        self.set(|stage| stage.reached = true);
        self.until("open", |stage| stage.open);
    }

    pub(crate) fn open(&self) {
        self.set(|stage| stage.open = true);
    }

    fn set(&self, change: impl FnOnce(&mut Stage)) {
        change(&mut self.0.0.lock().unwrap());
        self.0.1.notify_all();
    }

    #[track_caller]
    fn until(&self, what: &str, wanted: impl Fn(&Stage) -> bool) {
        let stage = self.0.0.lock().unwrap();
        let (stage, _) =
            self.0.1.wait_timeout_while(stage, PATIENCE, |stage| !wanted(stage)).unwrap();
        assert!(wanted(&stage), "the stream was not {what} within 10 s");
    }
}

/// A recorded request.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
    pub(super) raw: String,
}

impl Request {
    /// The length of the body, in bytes.
    pub(crate) fn length(&self) -> usize {
        self.raw.len()
    }

    /// The input items.
    pub(crate) fn input(&self) -> &Vec<Value> {
        self.body["input"].as_array().unwrap()
    }

    /// The input items as the bytes that were sent.
    pub(crate) fn raw_input(&self) -> Vec<String> {
        let members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(&self.raw).unwrap();
        let items: Vec<Box<RawValue>> = serde_json::from_str(members["input"].get()).unwrap();
        items.iter().map(|item| item.get().to_owned()).collect()
    }

    /// The texts of the messages of one role, in order.
    pub(crate) fn texts(&self, role: &str) -> Vec<&str> {
        let messages = self.input().iter().filter(|i| i["type"] == "message" && i["role"] == role);
        messages
            .flat_map(|i| i["content"].as_array().unwrap())
            .filter_map(|part| part["text"].as_str())
            .collect()
    }

    /// The parts of the last message of the user.
    #[track_caller]
    pub(crate) fn last_said(&self) -> &Vec<Value> {
        let said = self.input().iter().rev().find(|item| item["role"] == "user");
        said.expect("the user said nothing")["content"].as_array().unwrap()
    }

    /// What users wrote, without the harness's own context.
    pub(crate) fn asked(&self) -> Vec<&str> {
        self.texts("user").into_iter().filter(|text| !text.starts_with(['<', '#'])).collect()
    }

    /// The output that answers a call, as text.
    #[track_caller]
    pub(crate) fn output(&self, call: &str) -> &str {
        self.output_item(call)["output"].as_str().unwrap()
    }

    #[track_caller]
    fn output_item(&self, call: &str) -> &Value {
        let answers = |item: &&Value| {
            item["call_id"] == call
                && item["type"].as_str().is_some_and(|kind| kind.ends_with("_output"))
        };
        let Some(item) = self.input().iter().find(answers) else {
            panic!("no output for {call}: {:#}", self.body["input"])
        };
        item
    }

    /// The output that answers a call, as parts.
    #[track_caller]
    pub(crate) fn output_parts(&self, call: &str) -> &Vec<Value> {
        self.output_item(call)["output"].as_array().unwrap()
    }

    /// Names of the offered tools; members of a namespace as `namespace.name`, hosted tools by type.
    pub(crate) fn tools(&self) -> Vec<String> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let names = |tool: &Value| match tool["type"].as_str().unwrap() {
            "namespace" => {
                let members = tool["tools"].as_array().unwrap().iter();
                members
                    .map(|member| format!("{}.{}", text(&tool["name"]), text(&member["name"])))
                    .collect()
            }
            kind => vec![tool["name"].as_str().unwrap_or(kind).to_owned()],
        };
        self.body["tools"].as_array().unwrap().iter().flat_map(names).collect()
    }

    /// `type call_id` of every item that belongs to a call.
    pub(crate) fn calls(&self) -> Vec<String> {
        let of_calls = self.input().iter().filter(|item| item["call_id"].is_string());
        of_calls
            .map(|i| format!("{} {}", i["type"].as_str().unwrap(), i["call_id"].as_str().unwrap()))
            .collect()
    }
}

#[derive(Default)]
struct State {
    script: Mutex<VecDeque<Step>>,
    requests: Mutex<Vec<Request>>,
    stop: AtomicBool,
}

/// The running stand-in.
pub(crate) struct Model {
    address: SocketAddr,
    state: Arc<State>,
}

impl Model {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let model = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        let state = Arc::clone(&model.state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if state.stop.load(Ordering::SeqCst) {
                    return;
                }
                let state = Arc::clone(&state);
                // A server under test may hang up at any time.
                thread::spawn(move || serve(&state, stream).ok());
            }
        });
        model
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Appends a step to the script.
    pub(crate) fn reply(&self, step: impl Into<Step>) -> &Self {
        self.state.script.lock().unwrap().push_back(step.into());
        self
    }

    /// Forgets the steps that nobody asked for.
    pub(crate) fn clear(&self) {
        self.state.script.lock().unwrap().clear();
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state.requests.lock().unwrap().clone()
    }

    #[track_caller]
    pub(crate) fn last(&self) -> Request {
        self.requests().pop().expect("the model was not asked")
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
    }
}

fn serve(state: &State, stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    while let Some((line, request)) = read(&mut reader)? {
        let is_asked = ["/responses ", "/chat/completions "].iter().any(|path| line.contains(path));
        if !line.starts_with("POST ") || !is_asked {
            answer(&mut stream, 404, &[], b"")?;
            continue;
        }
        state.requests.lock().unwrap().push(request.clone());
        let mut step =
            state.script.lock().unwrap().pop_front().unwrap_or_else(|| ev::text("done").into());
        if let Step::Ask(decide) = step {
            step = decide(&request);
        }
        if !perform(&mut stream, step)? {
            return stream.shutdown(Shutdown::Both);
        }
    }
    Ok(())
}

pub(super) fn read(
    reader: &mut BufReader<TcpStream>,
) -> std::io::Result<Option<(String, Request)>> {
    let mut first = String::new();
    if reader.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes)?;
    let raw = String::from_utf8_lossy(&bytes).into_owned();
    let body = serde_json::from_str(&raw).unwrap_or(Value::Null);
    Ok(Some((first, Request { headers, body, raw })))
}

pub(super) fn answer(
    stream: &mut TcpStream,
    status: u16,
    headers: &[(&str, String)],
    body: &[u8],
) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {status} Status\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(&[head.as_bytes(), body].concat())
}

/// Answers a request; whether the connection may carry another.
fn perform(stream: &mut TcpStream, step: Step) -> std::io::Result<bool> {
    let sse = ("content-type", "text/event-stream".to_owned());
    match step {
        Step::Events(events) => answer(stream, 200, &[sse], &ev::sse(&events))?,
        Step::Http { status, body, headers } => answer(stream, status, &headers, body.as_bytes())?,
        Step::Cut(events) => {
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 1000000\r\n\r\n";
            stream.write_all(&[head.as_bytes(), &ev::sse(&events)].concat())?;
            return Ok(false);
        }
        Step::Held { gate, before, after } => {
            let head =
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
            stream.write_all(&[head.as_bytes(), &ev::sse(&before)].concat())?;
            gate.set(|stage| stage.reached = true);
            if !hold(stream, &gate)? {
                gate.set(|stage| stage.dropped = true);
                return Ok(false);
            }
            stream.write_all(&ev::sse(&after))?;
            return Ok(false);
        }
        Step::Ask(_) => unreachable!("decided by the caller"),
    }
    Ok(true)
}

/// Waits for the gate; false when the peer closes the connection first.
fn hold(stream: &TcpStream, gate: &Gate) -> std::io::Result<bool> {
    stream.set_read_timeout(Some(Duration::from_millis(5)))?;
    loop {
        if gate.0.0.lock().unwrap().open {
            return Ok(true);
        }
        match stream.peek(&mut [0]) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Ok(1..) => thread::sleep(Duration::from_millis(5)),
            Ok(0) | Err(_) => return Ok(false),
        }
    }
}
