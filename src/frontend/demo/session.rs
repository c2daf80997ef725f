//! One server process and the connection to it: requests and answers, and the turns that are played over it.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::folder::Folder;
use super::screen::{Direction, Printed, Screen};
use super::{Error, text};

/// How long one step may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// What can happen while the client waits.
#[derive(Debug)]
pub(super) enum Incoming {
    Line(String),
    /// The server's output has ended.
    End,
    /// The user wants to stop.
    Stop,
}

/// What a turn has brought.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) deltas: usize,
    pub(super) approvals: usize,
    /// Commands that ended well.
    pub(super) commands: usize,
    /// Changes of files that were made.
    pub(super) edits: usize,
}

pub(super) struct Session<'a> {
    number: u32,
    child: Child,
    stdin: Option<ChildStdin>,
    screen: &'a mut Screen,
    inbox: &'a Receiver<Incoming>,
    /// Messages that came while an answer was waited for.
    early: VecDeque<Value>,
    last_id: u64,
    deadline: Instant,
}

impl<'a> Session<'a> {
    /// Starts a server that sees nothing of the user's but the programs they have.
    pub(super) fn start(
        number: u32,
        arguments: &[&str],
        folder: &Folder,
        screen: &'a mut Screen,
        events: Sender<Incoming>,
        inbox: &'a Receiver<Incoming>,
    ) -> Result<Self, Error> {
        let mut command =
            Command::new(std::env::current_exe().map_err(Error::system("find this program"))?);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("OPENAI_") || text.starts_with("CODEX_") {
                command.env_remove(name);
            }
        }
        command.env("CODEX_HOME", folder.home()).env("HOME", folder.root());
        command.args(arguments).current_dir(folder.work());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(Error::system("start the server"))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let deadline = Instant::now() + PATIENCE;
        let session = Self {
            number,
            child,
            stdin,
            screen,
            inbox,
            early: VecDeque::new(),
            last_id: 0,
            deadline,
        };
        if let Some(stdout) = stdout {
            let reader = thread::Builder::new().name("server".to_owned());
            reader.spawn(move || read(stdout, &events)).map_err(Error::system("start a thread"))?;
        }
        Ok(session)
    }

    /// Sends a request and waits for its answer. What comes before it is kept for later.
    pub(super) fn call(&mut self, method: &str, params: &Value) -> Result<Value, Error> {
        self.begin_step();
        let awaited = format!("the answer to {method}");
        self.last_id += 1;
        let id = self.last_id;
        self.send(&json!({"id": id, "method": method, "params": params}), &awaited)?;
        loop {
            let message = self.receive(&awaited)?;
            if message.get("method").is_some() || message["id"] != id {
                self.early.push_back(message);
                continue;
            }
            return match message.get("result") {
                Some(result) => Ok(result.clone()),
                None => Err(unexpected(&awaited, &message)),
            };
        }
    }

    pub(super) fn notify(&mut self, method: &str) -> Result<(), Error> {
        self.send(&json!({"method": method}), "the handshake")
    }

    /// Says something to the agent, and shows all that follows from it.
    pub(super) fn turn(&mut self, thread: &str, said: &str) -> Result<Seen, Error> {
        self.tell("you", said)?;
        let input = json!([{"type": "text", "text": said}]);
        let answer = self.call("turn/start", &json!({"threadId": thread, "input": input}))?;
        let turn = text(&answer, "/turn/id");
        let mut seen = Seen::default();
        loop {
            let message = match self.early.pop_front() {
                Some(message) => message,
                None => self.receive("the end of the turn")?,
            };
            if message.get("id").is_some() {
                self.approve(&message)?;
                seen.approvals += 1;
                continue;
            }
            let params = &message["params"];
            if text(&message, "/method") == "turn/completed" && text(params, "/turn/id") == turn {
                return match text(params, "/turn/status") {
                    "completed" => Ok(seen),
                    _ => Err(unexpected("a turn that completes", &message)),
                };
            }
            self.show(text(&message, "/method"), params, &mut seen).map_err(Error::Output)?;
        }
    }

    /// Ends the server by ending its input, as a client does that is done.
    pub(super) fn close(mut self) -> Result<(), Error> {
        self.begin_step();
        drop(self.stdin.take());
        let awaited = "the server to end";
        loop {
            match self.incoming(awaited)? {
                Incoming::Line(_) => {}
                Incoming::End => break,
                Incoming::Stop => return Err(Error::Stopped { awaited: awaited.to_owned() }),
            }
        }
        while Instant::now() < self.deadline {
            if let Some(status) =
                self.child.try_wait().map_err(Error::system("wait for the server"))?
            {
                return match status.success() {
                    true => Ok(()),
                    false => Err(Error::Unexpected {
                        awaited: awaited.to_owned(),
                        found: status.to_string(),
                    }),
                };
            }
            thread::sleep(Duration::from_millis(2));
        }
        Err(Error::Late { awaited: awaited.to_owned() })
    }

    pub(super) fn tell(&mut self, who: &str, text: &str) -> Result<(), Error> {
        self.screen.tell(who, text).map_err(Error::Output)
    }

    /// Answers a question of the server.
    fn approve(&mut self, question: &Value) -> Result<(), Error> {
        let params = &question["params"];
        let what = match text(question, "/method") {
            "item/commandExecution/requestApproval" => {
                let command = text(params, "/commandActions/0/command");
                format!("run `{command}`?")
            }
            "item/fileChange/requestApproval" => "change these files?".to_owned(),
            _ => return Err(unexpected("a request for approval", question)),
        };
        let reason = text(params, "/reason");
        self.tell("server", &format!("asks to {what}\n{reason}"))?;
        self.tell("client", "answers: accept")?;
        let answer = json!({"id": question["id"], "result": {"decision": "accept"}});
        self.send(&answer, "the end of the turn")
    }

    /// Shows a notification.
    fn show(&mut self, method: &str, params: &Value, seen: &mut Seen) -> Printed {
        let kind = text(params, "/item/type");
        match (method, kind) {
            ("item/started", "agentMessage") => self.screen.begin("agent"),
            ("item/agentMessage/delta", _) => {
                seen.deltas += 1;
                self.screen.more(text(params, "/delta"))
            }
            ("item/completed", "agentMessage") => {
                self.screen.more("\n").and_then(|()| self.screen.end())
            }
            ("item/completed", "commandExecution") => {
                let code = &params["item"]["exitCode"];
                seen.commands += usize::from(*code == 0);
                let output = text(params, "/item/aggregatedOutput");
                self.screen.tell("command", &format!("{output}(exit code {code})"))
            }
            ("item/completed", "fileChange") => {
                seen.edits += usize::from(text(params, "/item/status") == "completed");
                self.show_changes(params)
            }
            ("error" | "warning" | "configWarning", _) => {
                self.screen.tell("server", &params.to_string())
            }
            // A client need not know everything that it is told.
            _ => Ok(()),
        }
    }

    fn show_changes(&mut self, params: &Value) -> Printed {
        let changes = params.pointer("/item/changes").and_then(Value::as_array);
        for change in changes.into_iter().flatten() {
            let name = text(change, "/path").rsplit('/').next().unwrap_or_default();
            self.screen.tell("edit", &format!("{name}\n{}", text(change, "/diff").trim_end()))?;
        }
        Ok(())
    }

    fn begin_step(&mut self) {
        self.deadline = Instant::now() + PATIENCE;
    }

    fn send(&mut self, message: &Value, awaited: &str) -> Result<(), Error> {
        let line = message.to_string();
        self.screen.line(self.number, Direction::Sent, &line).map_err(Error::Output)?;
        let Some(stdin) = &mut self.stdin else { return Ok(()) };
        let written = stdin.write_all(format!("{line}\n").as_bytes()).and_then(|()| stdin.flush());
        written.map_err(|source| Error::Send { awaited: awaited.to_owned(), source })
    }

    fn receive(&mut self, awaited: &str) -> Result<Value, Error> {
        let line = match self.incoming(awaited)? {
            Incoming::Line(line) => line,
            Incoming::End => return Err(Error::Ended { awaited: awaited.to_owned() }),
            Incoming::Stop => return Err(Error::Stopped { awaited: awaited.to_owned() }),
        };
        serde_json::from_str(&line)
            .map_err(|_| Error::Unexpected { awaited: awaited.to_owned(), found: line })
    }

    /// What comes next; lines are shown.
    fn incoming(&mut self, awaited: &str) -> Result<Incoming, Error> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        match self.inbox.recv_timeout(left) {
            Ok(incoming) => {
                if let Incoming::Line(line) = &incoming {
                    self.screen
                        .line(self.number, Direction::Received, line)
                        .map_err(Error::Output)?;
                }
                Ok(incoming)
            }
            Err(RecvTimeoutError::Timeout) => Err(Error::Late { awaited: awaited.to_owned() }),
            Err(RecvTimeoutError::Disconnected) => {
                Err(Error::Ended { awaited: awaited.to_owned() })
            }
        }
    }
}

impl Drop for Session<'_> {
    /// Nothing may be left behind, however the session ends; after an orderly end there is nothing to do.
    fn drop(&mut self) {
        drop(self.stdin.take());
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn unexpected(awaited: &str, message: &Value) -> Error {
    Error::Unexpected { awaited: awaited.to_owned(), found: message.to_string() }
}

fn read(stdout: ChildStdout, events: &Sender<Incoming>) {
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        if events.send(Incoming::Line(line)).is_err() {
            return;
        }
    }
    // When nobody listens any more, the end is no news.
    drop(events.send(Incoming::End));
}
