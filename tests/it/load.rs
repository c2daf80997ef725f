//! What a server bears, and what it costs when nothing happens. Slow: `cargo test --test it load -- --ignored`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, WebSocket, client};

use crate::harness::{Address, Client, Lab, Listening, ev};

const CONNECTIONS: usize = 200;
const FOLLOWERS: usize = 50;
const MESSAGES: usize = 12;
const DELTAS: usize = 1000;
/// More than what a connection may have waiting for it.
const DELTA_BYTES: usize = 2048;
/// How much a follower may cost that does not keep up, in bytes.
const SLOW_READER_COST: u64 = 16 * 1024 * 1024;

/// A stream that can be read at no more than 10 KiB/s until it is let go.
struct Paced {
    stream: TcpStream,
    slow: Arc<AtomicBool>,
}

impl Read for Paced {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.slow.load(Ordering::Relaxed) {
            return self.stream.read(buffer);
        }
        thread::sleep(Duration::from_millis(100));
        let length = buffer.len().min(1024);
        self.stream.read(&mut buffer[..length])
    }
}

impl Write for Paced {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// A connection without the checks of [`Client`], of which there can be many.
struct Follower(WebSocket<Paced>);

impl Follower {
    fn connect(server: &Listening<'_>) -> Self {
        let Address::Tcp(address) = &server.address else { panic!("only over TCP") };
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        let paced = Paced { stream, slow: Arc::default() };
        let (socket, _) = client("ws://localhost/", paced).unwrap();
        let mut follower = Self(socket);
        let client = json!({"name": "it", "version": "1"});
        follower.request("initialize", json!({"clientInfo": client}));
        follower
    }

    fn request(&mut self, method: &str, params: Value) -> Value {
        let request = json!({"id": 1, "method": method, "params": params});
        self.0.send(Message::text(request.to_string())).unwrap();
        loop {
            let message = self.next().unwrap();
            if message.get("method").is_none() {
                assert!(message["error"].is_null(), "{message}");
                return message["result"].clone();
            }
        }
    }

    /// The next message; the code of the last frame once there is none.
    fn next(&mut self) -> Result<Value, Option<u16>> {
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => return Ok(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(frame)) => return Err(frame.map(|frame| frame.code.into())),
                Ok(_) => {}
                Err(_) => return Err(None),
            }
        }
    }

    /// Reads to the end of the turn. Every message has to come whole, piece by piece and in order.
    fn follow(&mut self) -> Result<(), Option<u16>> {
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        let mut complete = 0;
        loop {
            let Value::Object(message) = self.next()? else { panic!("no object") };
            let params = &message["params"];
            match message["method"].as_str() {
                Some("item/agentMessage/delta") => {
                    let item = params["itemId"].as_str().unwrap().to_owned();
                    *texts.entry(item).or_default() += params["delta"].as_str().unwrap();
                }
                Some("item/completed") if params["item"]["type"] == "agentMessage" => {
                    let item = params["item"]["id"].as_str().unwrap();
                    let text = params["item"]["text"].as_str().unwrap();
                    assert_eq!(texts[item], text);
                    assert_eq!(text, pieces(complete).concat());
                    complete += 1;
                }
                Some("turn/completed") => {
                    assert_eq!(complete, MESSAGES);
                    return Ok(());
                }
                _ => {}
            }
        }
    }
}

/// The pieces of a message, each of which can be told from all others.
fn pieces(message: usize) -> Vec<String> {
    let piece = |delta: usize| {
        let name = format!("{message}.{delta} ");
        name.repeat(DELTA_BYTES / name.len())
    };
    (0..DELTAS).map(piece).collect()
}

fn stream() -> Vec<Value> {
    let message = |number: usize| {
        let id = format!("msg-{number}");
        let pieces = pieces(number);
        let whole = ev::done(&ev::message(&id, &pieces.concat()));
        let begun = ev::added(&ev::message(&id, ""));
        let deltas = pieces.iter().map(|piece| ev::delta(&id, piece)).collect();
        [vec![begun], deltas, vec![whole]].concat()
    };
    let messages = (0..MESSAGES).flat_map(message);
    [ev::created()].into_iter().chain(messages).chain([ev::completed()]).collect()
}

/// How the slow follower has ended, if there was one.
#[derive(Debug, PartialEq)]
enum Slow {
    Absent,
    Complete,
    Closed(Option<u16>),
}

#[derive(Clone, Copy, PartialEq)]
enum Pace {
    Even,
    OneIsSlow,
}

/// Streams a turn to all followers. Returns the most memory that the server has held, and the slow one's end.
fn stream_to_many(pace: Pace) -> (u64, Slow) {
    let lab = Lab::new();
    lab.model.reply(ev::text("here")).reply(stream());
    let server = lab.listen();
    let mut connections: Vec<Follower> =
        (0..CONNECTIONS).map(|_| Follower::connect(&server)).collect();
    let mut followers = connections.split_off(CONNECTIONS - FOLLOWERS);
    let work = lab.home.work();
    let started = followers[0].request("thread/start", json!({"cwd": work}));
    let thread = started["thread"]["id"].as_str().unwrap().to_owned();
    let say = json!({"threadId": thread, "input": [{"type": "text", "text": "go"}]});
    followers[0].request("turn/start", say.clone());
    // A thread can be joined once it has been stored.
    while followers[0].next().unwrap()["method"] != "turn/completed" {}
    let mut slow = (pace == Pace::OneIsSlow).then(|| followers.pop().unwrap());
    for follower in followers.iter_mut().skip(1).chain(&mut slow) {
        follower.request("thread/resume", json!({"threadId": thread}));
    }
    let slow = slow.map(|mut slow| {
        let pace = Arc::clone(&slow.0.get_ref().slow);
        pace.store(true, Ordering::Relaxed);
        (pace, thread::spawn(move || slow.follow()))
    });
    followers[0].request("turn/start", say);
    let following: Vec<_> = followers
        .into_iter()
        .map(|mut follower| thread::spawn(move || follower.follow()))
        .collect();
    for follower in following {
        follower.join().unwrap().unwrap();
    }
    let peak = most_memory(server.id());
    let slow = match slow {
        None => Slow::Absent,
        Some((pace, ended)) => {
            // What was on its way before the end may be read faster now.
            pace.store(false, Ordering::Relaxed);
            ended.join().unwrap().map_or_else(Slow::Closed, |()| Slow::Complete)
        }
    };
    for connection in &mut connections {
        connection.request("thread/loaded/list", json!({}));
    }
    (peak, slow)
}

/// The most memory that a process has held so far, in bytes.
fn most_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[test]
#[ignore = "takes a minute"]
fn a_slow_reader_costs_nobody_else_anything() {
    let (usual, absent) = stream_to_many(Pace::Even);
    assert_eq!(absent, Slow::Absent);
    let (peak, slow) = stream_to_many(Pace::OneIsSlow);
    assert!(matches!(slow, Slow::Complete | Slow::Closed(Some(1008))), "{slow:?}");
    assert!(peak < usual + SLOW_READER_COST, "{peak} bytes, {usual} without the slow one");
}

/// Clock ticks and bytes that a process has spent so far.
fn spent(process: u32) -> (u64, u64) {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    let counters = fs::read_to_string(format!("/proc/{process}/io")).unwrap();
    let line = counters.lines().find_map(|line| line.strip_prefix("wchar: ")).unwrap();
    (ticks, line.parse().unwrap())
}

#[test]
#[ignore = "takes a minute"]
fn a_server_at_rest_does_nothing() {
    let lab = Lab::new();
    let server = lab.listen();
    let client: Client = server.hello();
    for _ in 0..10 {
        let thread = client.thread();
        client.complete(&thread, "hi");
    }
    // Whatever a turn leaves to be done is done soon after it.
    thread::sleep(Duration::from_secs(2));
    let before = spent(server.id());
    thread::sleep(Duration::from_secs(60));
    let after = spent(server.id());
    assert_eq!(after, before, "clock ticks, bytes written");
    client.request("thread/loaded/list", json!({}));
}
