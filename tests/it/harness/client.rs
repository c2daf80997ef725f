//! A JSON-RPC client over a server's pipes, or over a socket: requests, notifications, answers to the server's requests, raw bytes.
//!
//! Waiting takes the first message that fits out of what came; everything stays in the trace.

use std::cell::{Cell, RefCell};
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::process::{ChildStdout, ExitStatus};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::server::{Server, until};
use super::socket::Socket;
use super::trace::{Entry, render};
use super::{Home, order, schema};

const PATIENCE: Duration = Duration::from_secs(15);

/// An error answer.
#[derive(Debug, PartialEq)]
pub(crate) struct RpcError {
    pub(crate) code: i64,
    pub(crate) message: String,
    pub(crate) data: Value,
}

/// What a client speaks over.
enum Wire {
    /// The pipes of a process of its own.
    Pipes(Server),
    Socket(Box<Socket>),
}

/// A connection, and where it is a pair of pipes the process at its end.
pub(crate) struct Client {
    wire: Wire,
    reader: Option<JoinHandle<()>>,
    inbox: Receiver<Value>,
    stash: RefCell<Vec<Value>>,
    trace: Arc<Mutex<Vec<Entry>>>,
    next: Cell<i64>,
    work: String,
}

impl Client {
    pub(crate) fn spawn(home: &Home, args: &[&str]) -> Self {
        Self::over_pipes(home, Server::spawn(home, args))
    }

    /// As [`Client::spawn`], with a server of this binary.
    pub(crate) fn spawn_binary(home: &Home, binary: &OsStr, args: &[&str]) -> Self {
        Self::over_pipes(home, Server::spawn_binary(home, binary, args))
    }

    fn over_pipes(home: &Home, (server, stdout): (Server, ChildStdout)) -> Self {
        let lines = BufReader::new(stdout).split(b'\n').map_while(Result::ok);
        Self::over(home, Wire::Pipes(server), lines)
    }

    /// A client on a socket that is open already.
    pub(crate) fn on(home: &Home, socket: Socket) -> Self {
        let messages = socket.messages();
        Self::over(home, Wire::Socket(Box::new(socket)), messages)
    }

    fn over(
        home: &Home,
        wire: Wire,
        messages: impl Iterator<Item = Vec<u8>> + Send + 'static,
    ) -> Self {
        let (tx, inbox) = mpsc::channel();
        let trace = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&trace);
        let reader = Some(thread::spawn(move || pump(messages, &heard, &tx)));
        let work = home.work().to_str().unwrap().to_owned();
        Self { wire, reader, inbox, stash: RefCell::default(), trace, next: Cell::new(0), work }
    }

    /// Shakes hands, with these capabilities.
    pub(crate) fn shake_hands(&self, capabilities: &Value) {
        self.request(
            "initialize",
            json!({"clientInfo": {"name": "it", "title": "Tests", "version": "1.0.0"}, "capabilities": capabilities}),
        );
        self.notify("initialized", Value::Null);
    }

    // Sending.

    pub(crate) fn raw(&self, bytes: impl AsRef<[u8]>) {
        match &self.wire {
            Wire::Pipes(server) => server.write(bytes.as_ref()),
            Wire::Socket(socket) => socket.send(bytes.as_ref()),
        }
    }

    pub(crate) fn send(&self, message: &Value) {
        self.push(message, false);
    }

    fn push(&self, message: &Value, loose: bool) {
        self.trace.lock().unwrap().push(Entry { sent: true, loose, message: message.clone() });
        self.raw(format!("{message}\n"));
    }

    /// Sends a notification; params of null are left out.
    pub(crate) fn notify(&self, method: &str, params: Value) {
        self.send(&envelope(json!({"method": method}), params));
    }

    /// Sends a request and returns its id.
    pub(crate) fn post(&self, method: &str, params: Value) -> i64 {
        let id = self.next.get() + 1;
        self.next.set(id);
        self.send(&envelope(json!({"id": id, "method": method}), params));
        id
    }

    pub(crate) fn respond(&self, request: &Value, result: Value) {
        self.send(&json!({"id": request["id"], "result": result}));
    }

    pub(crate) fn decide(&self, request: &Value, decision: &str) {
        self.respond(request, json!({"decision": decision}));
    }

    /// Answers with something that the schema does not allow.
    pub(crate) fn respond_badly(&self, request: &Value, answer: Value) {
        let mut message = answer;
        message["id"] = request["id"].clone();
        self.push(&message, true);
    }

    // Receiving.

    /// The first message that came or comes and fits.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.wait_within(PATIENCE, what, fits)
    }

    #[track_caller]
    fn wait_within(&self, limit: Duration, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let mut stash = self.stash.borrow_mut();
        if let Some(index) = stash.iter().position(&fits) {
            return stash.remove(index);
        }
        let deadline = Instant::now() + limit;
        loop {
            match self.inbox.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(message) if fits(&message) => return message,
                Ok(message) => stash.push(message),
                Err(RecvTimeoutError::Timeout) => {
                    panic!("no {what} within {} s", limit.as_secs())
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("the server closed its output; no {what}")
                }
            }
        }
    }

    /// The first message that has come and fits, if there is one.
    pub(crate) fn take(&self, fits: impl Fn(&Value) -> bool) -> Option<Value> {
        let mut stash = self.stash.borrow_mut();
        stash.extend(self.inbox.try_iter());
        let index = stash.iter().position(fits)?;
        Some(stash.remove(index))
    }

    /// The answer to the request with this id.
    #[track_caller]
    pub(crate) fn answer(&self, id: impl Into<Value>) -> Result<Value, RpcError> {
        self.answer_within(PATIENCE, id)
    }

    /// As [`Client::answer`], of a request that may take this long.
    #[track_caller]
    pub(crate) fn answer_within(
        &self,
        limit: Duration,
        id: impl Into<Value>,
    ) -> Result<Value, RpcError> {
        let id = id.into();
        let is_answer = |m: &Value| m["id"] == id && m.get("method").is_none();
        let message = self.wait_within(limit, &format!("answer to {id}"), is_answer);
        match message.get("error") {
            None => Ok(message["result"].clone()),
            Some(error) => Err(RpcError {
                code: error["code"].as_i64().unwrap(),
                message: error["message"].as_str().unwrap().to_owned(),
                data: error["data"].clone(),
            }),
        }
    }

    #[track_caller]
    pub(crate) fn request(&self, method: &str, params: Value) -> Value {
        match self.answer(self.post(method, params)) {
            Ok(result) => result,
            Err(error) => panic!("{method} was refused: {error:?}"),
        }
    }

    /// The error that this request is answered with.
    #[track_caller]
    pub(crate) fn refuse(&self, method: &str, params: Value) -> RpcError {
        match self.answer(self.post(method, params)) {
            Ok(result) => panic!("{method} was to be refused and answered {result}"),
            Err(error) => error,
        }
    }

    /// Checks code -32600 and the message of a refusal.
    #[track_caller]
    pub(crate) fn refused(&self, method: &str, params: Value, message: &str) {
        let error = self.refuse(method, params);
        assert_eq!((error.code, error.message.as_str()), (-32600, message), "{method}");
    }

    /// The params of the next notification of this method.
    #[track_caller]
    pub(crate) fn note(&self, method: &str) -> Value {
        self.note_where(method, |_| true)
    }

    #[track_caller]
    pub(crate) fn note_where(&self, method: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let message = self
            .wait(method, |m| m["method"] == method && m.get("id").is_none() && fits(&m["params"]));
        message["params"].clone()
    }

    /// Waits for the start of an item of this kind and returns the item.
    #[track_caller]
    pub(crate) fn item_started(&self, kind: &str) -> Value {
        self.note_where("item/started", |p| p["item"]["type"] == kind)["item"].clone()
    }

    #[track_caller]
    pub(crate) fn item_completed(&self, kind: &str) -> Value {
        self.note_where("item/completed", |p| p["item"]["type"] == kind)["item"].clone()
    }

    /// The next request of this method that the server sends.
    #[track_caller]
    pub(crate) fn asked(&self, method: &str) -> Value {
        self.wait(method, |m| m["method"] == method && m.get("id").is_some())
    }

    // What came so far.

    /// A position in the trace.
    pub(crate) fn mark(&self) -> usize {
        self.trace.lock().unwrap().len()
    }

    /// The trace since a position, as text.
    pub(crate) fn since(&self, mark: usize) -> String {
        render(&self.trace.lock().unwrap(), mark)
    }

    /// The params of all notifications of this method so far.
    pub(crate) fn notes(&self, method: &str) -> Vec<Value> {
        let trace = self.trace.lock().unwrap();
        let fits =
            |e: &&Entry| !e.sent && e.message["method"] == method && e.message.get("id").is_none();
        trace.iter().filter(fits).map(|e| e.message["params"].clone()).collect()
    }

    /// The params of all requests of this method that have been answered with a result, and the results.
    pub(crate) fn accepted(&self, method: &str) -> Vec<(Value, Value)> {
        let trace = self.trace.lock().unwrap();
        let asked = trace.iter().filter(|e| e.sent && e.message["method"] == method);
        let answered = asked.filter_map(|asked| {
            let is_answer = |e: &&Entry| {
                !e.sent
                    && e.message["id"] == asked.message["id"]
                    && e.message.get("method").is_none()
            };
            let result = trace.iter().find(is_answer)?.message.get("result")?;
            Some((asked.message["params"].clone(), result.clone()))
        });
        answered.collect()
    }

    /// All errors that requests have been answered with so far.
    pub(crate) fn errors(&self) -> Vec<Value> {
        let trace = self.trace.lock().unwrap();
        let errors = trace.iter().filter(|e| !e.sent).filter_map(|e| e.message.get("error"));
        errors.cloned().collect()
    }

    /// The methods of all notifications and requests of the server so far.
    pub(crate) fn heard(&self) -> Vec<String> {
        let trace = self.trace.lock().unwrap();
        let methods = trace.iter().filter(|e| !e.sent).filter_map(|e| e.message["method"].as_str());
        methods.map(str::to_owned).collect()
    }

    /// The completed items of one kind so far.
    pub(crate) fn items(&self, kind: &str) -> Vec<Value> {
        let items = self.notes("item/completed").into_iter().map(|mut p| p["item"].take());
        items.filter(|item| item["type"] == kind).collect()
    }

    // Shorthands.

    /// Starts a thread in the workspace and returns its id.
    #[track_caller]
    pub(crate) fn thread(&self) -> String {
        self.thread_with(json!({}))
    }

    #[track_caller]
    pub(crate) fn thread_with(&self, params: Value) -> String {
        let mut whole = json!({"cwd": self.work});
        whole.as_object_mut().unwrap().extend(params.as_object().unwrap().clone());
        let id = self.request("thread/start", whole)["thread"]["id"].as_str().unwrap().to_owned();
        self.note_where("thread/started", |p| p["thread"]["id"] == id.as_str());
        id
    }

    /// Starts a turn and returns its id.
    #[track_caller]
    pub(crate) fn turn(&self, thread: &str, text: &str) -> String {
        self.turn_with(thread, json!({"input": [{"type": "text", "text": text}]}))
    }

    #[track_caller]
    pub(crate) fn turn_with(&self, thread: &str, params: Value) -> String {
        let mut whole = json!({"threadId": thread, "input": [{"type": "text", "text": "go"}]});
        whole.as_object_mut().unwrap().extend(params.as_object().unwrap().clone());
        self.request("turn/start", whole)["turn"]["id"].as_str().unwrap().to_owned()
    }

    /// Waits for the end of the thread's turn and returns the turn.
    #[track_caller]
    pub(crate) fn finish(&self, thread: &str) -> Value {
        self.note_where("turn/completed", |p| p["threadId"] == thread)["turn"].clone()
    }

    /// Runs a turn to its end.
    #[track_caller]
    pub(crate) fn run(&self, thread: &str, text: &str) -> Value {
        self.turn(thread, text);
        self.finish(thread)
    }

    /// Runs a turn that has to complete.
    #[track_caller]
    pub(crate) fn complete(&self, thread: &str, text: &str) {
        let turn = self.run(thread, text);
        assert_eq!(turn["status"], "completed", "{turn:#}");
    }

    #[track_caller]
    pub(crate) fn resume(&self, thread: &str) -> Value {
        self.request("thread/resume", json!({"threadId": thread, "excludeTurns": true}))
    }

    // The end.

    /// The id of the server's process.
    #[track_caller]
    pub(crate) fn id(&self) -> u32 {
        self.server().id()
    }

    /// Ends the input and waits for the exit.
    #[track_caller]
    pub(crate) fn close(&self) -> ExitStatus {
        self.server().close();
        self.exit()
    }

    #[track_caller]
    pub(crate) fn signal(&self, signal: Signal) -> ExitStatus {
        self.server().signal(signal);
        self.exit()
    }

    #[track_caller]
    pub(crate) fn exit(&self) -> ExitStatus {
        self.server().wait(Duration::from_secs(5)).expect("the server did not end within 5 s")
    }

    /// Waits until the server has closed the connection; returns the code that it has given.
    #[track_caller]
    pub(crate) fn closed(&self) -> Option<u16> {
        let reader = self.reader.as_ref().unwrap();
        until("end of the connection", || reader.is_finished().then_some(()));
        match &self.wire {
            Wire::Socket(socket) => socket.closed(),
            Wire::Pipes(_) => None,
        }
    }

    #[track_caller]
    fn server(&self) -> &Server {
        match &self.wire {
            Wire::Pipes(server) => server,
            Wire::Socket(_) => panic!("the server is not this client's"),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if thread::panicking() {
            let trace = self.trace.lock().unwrap();
            eprintln!("the trace of the failed scenario:\n{}", render(&trace, 0));
            return;
        }
        match &self.wire {
            Wire::Pipes(_) => drop(self.close()),
            Wire::Socket(socket) => socket.cut(),
        }
        self.reader.take().unwrap().join().unwrap();
        let trace = self.trace.lock().unwrap();
        let mut broken = order::violations(&trace);
        broken.extend(schema::violations(&trace));
        assert!(
            broken.is_empty(),
            "the trace breaks the protocol:\n{}\n{}",
            broken.join("\n"),
            render(&trace, 0)
        );
    }
}

fn envelope(mut message: Value, params: Value) -> Value {
    if !params.is_null() {
        message["params"] = params;
    }
    message
}

fn pump(
    messages: impl Iterator<Item = Vec<u8>>,
    trace: &Mutex<Vec<Entry>>,
    inbox: &mpsc::Sender<Value>,
) {
    for line in messages {
        let text = String::from_utf8_lossy(&line);
        let message: Value =
            serde_json::from_str(&text).unwrap_or_else(|_| json!({"notJson": text}));
        trace.lock().unwrap().push(Entry { sent: false, loose: false, message: message.clone() });
        // Nobody listens any more once the scenario has failed.
        drop(inbox.send(message));
    }
}
