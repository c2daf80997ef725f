//! Several clients of one server: over TCP and over a socket file, who hears what, and how it ends.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::{Client, Config, Gate, Lab, Listening, ev, held, until};

fn status_line(answer: &str) -> &str {
    answer.lines().next().unwrap_or_default()
}

/// A turn whose model does not answer.
fn busy(lab: &Lab, client: &Client) -> (String, Gate) {
    let gate = Gate::default();
    lab.model.reply(held(&gate, vec![ev::created()], ev::text("at last")));
    let thread = client.thread();
    client.turn(&thread, "busy");
    gate.reached();
    (thread, gate)
}

#[test]
fn http_is_answered_and_browsers_are_not() {
    let lab = Lab::new();
    let server = lab.listen();
    let ask = |head: &str| server.http(&format!("{head}\r\nHost: x\r\nConnection: close\r\n\r\n"));
    assert_eq!(status_line(&ask("GET /readyz HTTP/1.1")), "HTTP/1.1 200 OK");
    assert_eq!(status_line(&ask("POST /healthz HTTP/1.1")), "HTTP/1.1 405 Method Not Allowed");
    assert_eq!(
        status_line(&ask("GET /healthz HTTP/1.1\r\nOrigin: http://x")),
        "HTTP/1.1 403 Forbidden"
    );
    let plain = ask("GET /elsewhere HTTP/1.1");
    assert_eq!(status_line(&plain), "HTTP/1.1 400 Bad Request");
    assert!(plain.ends_with("Connection header did not include 'upgrade'"), "{plain}");
    assert_eq!(status_line(&server.http("nonsense\r\n\r\n")), "HTTP/1.1 400 Bad Request");
    server.hello();
}

#[test]
fn beyond_this_machine_a_token_is_needed() {
    let lab = Lab::new();
    let client = Client::spawn(&lab.home, &["app-server", "--listen", "ws://0.0.0.0:0"]);
    assert_eq!(client.exit().code(), Some(1));
    assert!(lab.home.stderr().contains("refusing to start non-loopback websocket listener"));
}

#[test]
fn a_client_that_is_lost_leaves_its_turn_running() {
    let lab =
        Lab::with(&Config { top: "thread_unload_delay_secs = 0".to_owned(), ..Config::default() });
    let server = lab.listen();
    let (first, second) = (server.hello(), server.hello());
    let (thread, gate) = busy(&lab, &first);
    drop(first);
    let status = |state: &'static str| {
        second.note_where("thread/status/changed", |p| p["status"]["type"] == state)
    };
    gate.open();
    status("idle");
    status("notLoaded");
    assert_eq!(second.note("thread/closed"), json!({"threadId": thread}));
    let read = json!({"threadId": thread});
    let page = second.request("thread/turns/list", read);
    assert_eq!(page["data"][0]["status"], "completed");
}

#[test]
fn only_who_was_asked_may_answer() {
    let lab =
        Lab::with(&Config { approval: "on-request", sandbox: "read-only", ..Config::default() });
    let escalated = json!({"sandbox_permissions": "require_escalated", "justification": "why"});
    lab.model.reply(ev::shell_with("c1", "touch x", &escalated)).reply(ev::text("ok"));
    let server = lab.listen();
    let (first, stranger) = (server.hello(), server.hello());
    let thread = first.thread();
    first.turn(&thread, "go");
    let asked = first.asked("item/commandExecution/requestApproval");
    stranger.raw(json!({"id": asked["id"], "result": {"decision": "accept"}}).to_string());
    stranger.request("thread/loaded/list", json!({}));
    first.decide(&asked, "decline");
    let command = first.item_completed("commandExecution");
    assert_eq!(command["status"], "declined");
    first.finish(&thread);
    assert!(
        !stranger
            .heard()
            .iter()
            .any(|method| method.starts_with("item/") || method.starts_with("serverRequest/"))
    );
}

#[test]
fn a_signal_waits_for_the_running_turns() {
    let lab = Lab::new();
    let server = lab.listen();
    let (client, idle) = (server.hello(), server.hello());
    let (thread, gate) = busy(&lab, &client);
    server.signal(Signal::TERM);
    client.request("thread/read", json!({"threadId": thread}));
    gate.open();
    assert_eq!(client.finish(&thread)["status"], "completed");
    assert_eq!((client.closed(), idle.closed()), (Some(1001), Some(1001)));
    assert_eq!(server.exit().code(), Some(0));
}

#[test]
fn a_second_signal_insists() {
    let lab = Lab::new();
    let server = lab.listen();
    let client = server.hello();
    let (thread, _gate) = busy(&lab, &client);
    server.signal(Signal::HUP);
    server.signal(Signal::HUP);
    client.request("thread/read", json!({"threadId": thread}));
    server.signal(Signal::TERM);
    assert_eq!(client.finish(&thread)["status"], "interrupted");
    assert_eq!(client.closed(), Some(1001));
    assert_eq!(server.exit().code(), Some(0));
}

#[test]
fn a_socket_file_belongs_to_its_user_alone_and_goes_with_the_server() {
    let lab = Lab::new();
    let server = Listening::start(&lab.home, "unix://", &[]);
    let folder = lab.home.home().join("app-server-control");
    let path = folder.join("app-server-control.sock");
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600));
    let client = server.hello();
    let thread = client.thread();
    client.complete(&thread, "hello");
    let second = Client::spawn(&lab.home, &["--listen", "unix://"]);
    assert_eq!(second.exit().code(), Some(1));
    assert!(lab.home.stderr().contains("already in use"));
    server.signal(Signal::KILL);
    server.exit();
    assert!(path.exists());
    let server = Listening::start(&lab.home, "unix://", &[]);
    server.hello();
    server.signal(Signal::TERM);
    assert_eq!(server.exit().code(), Some(0));
    assert!(!path.exists());
}

#[test]
fn a_proxy_passes_everything_on() {
    let lab = Lab::new();
    let path = lab.home.path("socket");
    let server = Listening::start(&lab.home, &format!("unix://{path}"), &[]);
    let mut proxy = Command::new(env!("CARGO_BIN_EXE_app-server"))
        .args(["app-server", "proxy", "--sock", &path])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let pipes = Pipes(proxy.stdin.take().unwrap(), proxy.stdout.take().unwrap());
    let (mut socket, _) = tokio_tungstenite::tungstenite::client("ws://localhost/", pipes).unwrap();
    let hello = json!({"id": 1, "method": "thread/loaded/list", "params": {}});
    socket.send(hello.to_string().into()).unwrap();
    let answer: Value = serde_json::from_str(socket.read().unwrap().to_text().unwrap()).unwrap();
    assert_eq!(answer["error"]["message"], "Not initialized");
    drop(socket);
    until("end of the proxy", || {
        proxy.try_wait().unwrap().filter(std::process::ExitStatus::success)
    });
    server.hello();
}

struct Pipes(std::process::ChildStdin, std::process::ChildStdout);

impl std::io::Read for Pipes {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.1.read(buffer)
    }
}

impl std::io::Write for Pipes {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}
