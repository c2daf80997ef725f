//! The demonstration: a session with the real server, as a client program has it.
//!
//! The server is a child process that is spoken to over pipes; nothing here knows how it works inside. The model is
//! a script, the home and the working folder are made for the occasion, so nothing outside is read or changed.

mod folder;
mod screen;
mod session;

use std::sync::mpsc::{self, Receiver, Sender};
use std::{fs, io, thread};

use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use self::folder::Folder;
use self::screen::Screen;
use self::session::{Incoming, Seen, Session};

/// How the session is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    /// What a user would see.
    Transcript,
    /// Every line in both directions, each as one JSON object: the number of the `server`, the `direction` as the
    /// client sees it (`sent` or `received`), and the `message` byte for byte.
    Lines,
}

/// Why the demonstration was not played to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the demonstration has no folder to play in")]
    Folder(#[source] io::Error),
    #[error("cannot {what}")]
    System { what: &'static str, source: io::Error },
    #[error("the server takes no more input while the client waits for {awaited}")]
    Send { awaited: String, source: io::Error },
    #[error("waited {} s in vain for {awaited}", session::PATIENCE.as_secs())]
    Late { awaited: String },
    #[error("the server has ended instead of giving {awaited}")]
    Ended { awaited: String },
    #[error("stopped by a signal while waiting for {awaited}")]
    Stopped { awaited: String },
    #[error("expected {awaited}, but the server wrote {found}")]
    Unexpected { awaited: String, found: String },
    #[error("the transcript cannot be written")]
    Output(#[source] io::Error),
}

impl Error {
    /// Says what the system would not do.
    fn system(what: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::System { what, source }
    }
}

/// The provider that both servers are told to use.
const PROVIDER: &str = "model_provider=\"scripted\"";

/// What the second server's model says; without a script of its own it would begin the tour again.
const GOODBYE: &str = include_str!("demo/goodbye.jsonl");
const GOODBYE_PROVIDER: &str =
    "model_providers.scripted={name=\"Scripted\", wire_api=\"scripted\", script=\"goodbye.jsonl\"}";

/// Plays the session and shows it on stdout. Whoever stops reading there misses the rest and nothing else.
pub(crate) fn run(show: Show) -> Result<(), Error> {
    let folder = Folder::create().map_err(Error::Folder)?;
    let (events, inbox) = mpsc::channel();
    let mut stage = Stage {
        folder: &folder,
        screen: Screen::new(show, Box::new(io::stdout())),
        events: events.clone(),
        inbox,
    };
    watch_signals(events).map_err(Error::system("watch for signals"))?;
    stage.introduce()?;
    let thread = stage.first_server()?;
    stage.second_server(&thread)?;
    stage
        .screen
        .tell("client", "has seen everything and removes its folders")
        .map_err(Error::Output)
}

/// What both parts are played with.
struct Stage<'a> {
    folder: &'a Folder,
    screen: Screen,
    events: Sender<Incoming>,
    inbox: Receiver<Incoming>,
}

impl Stage<'_> {
    fn introduce(&mut self) -> Result<(), Error> {
        let text = "A session with App Server, as a client program has it. The model is a script: no network, no key.\n\n";
        self.screen.print(text).map_err(Error::Output)
    }

    fn session(&mut self, number: u32, arguments: &[&str]) -> Result<Session<'_>, Error> {
        let command = format!("starts `app-server {}`", arguments.join(" "));
        self.screen.tell("client", &command).map_err(Error::Output)?;
        let screen = &mut self.screen;
        let mut session = Session::start(
            number,
            arguments,
            self.folder,
            screen,
            self.events.clone(),
            &self.inbox,
        )?;
        let version = env!("CARGO_PKG_VERSION");
        let client =
            json!({"name": "app-server-demo", "title": "Demonstration", "version": version});
        let server = session.call("initialize", &json!({"clientInfo": client}))?;
        session.notify("initialized")?;
        let agent = text(&server, "/userAgent");
        session.tell("server", &format!("is ready and calls itself {agent}"))?;
        Ok(session)
    }

    /// Starts a thread, and has it talk, run a command and edit a file.
    fn first_server(&mut self) -> Result<String, Error> {
        let (work, file) = (self.folder.work(), self.folder.work().join("hello.txt"));
        let mut session = self.session(1, &["-c", PROVIDER])?;
        session
            .tell("client", "starts a thread in an empty folder; commands have to be approved")?;
        let start =
            json!({"cwd": work, "approvalPolicy": "on-request", "sandbox": "workspace-write"});
        let answer = session.call("thread/start", &start)?;
        let thread = text(&answer, "/thread/id").to_owned();
        session.tell("server", &format!("made thread {thread}\n"))?;

        let seen = session.turn(&thread, "Hello! What can you do?")?;
        expect(seen.deltas > 1, "an answer that streams", &seen)?;
        let seen = session.turn(&thread, "Run a command, please.")?;
        expect(seen.approvals > 0, "a request to approve the command", &seen)?;
        expect(seen.commands > 0 && file.exists(), "a command that makes hello.txt", &seen)?;
        let seen = session.turn(&thread, "And now edit a file.")?;
        let edited = fs::read_to_string(&file).is_ok_and(|text| text.contains("and from you"));
        expect(seen.edits > 0 && edited, "an edit of hello.txt", &seen)?;
        session.tell("client", "closes the server's input, which ends the server\n")?;
        session.close()?;
        Ok(thread)
    }

    /// Finds the thread again, and goes on with it.
    fn second_server(&mut self, thread: &str) -> Result<(), Error> {
        fs::write(self.folder.home().join("goodbye.jsonl"), GOODBYE).map_err(Error::Folder)?;
        let mut session = self.session(2, &["-c", PROVIDER, "-c", GOODBYE_PROVIDER])?;
        session.tell("client", "resumes the thread and lists its turns")?;
        session.call("thread/resume", &json!({"threadId": thread, "excludeTurns": true}))?;
        let list = json!({"threadId": thread, "sortDirection": "asc", "itemsView": "full"});
        let page = session.call("thread/turns/list", &list)?;
        let turns = page["data"].as_array().map(Vec::as_slice).unwrap_or_default();
        let summaries: Vec<String> = turns.iter().map(summary).collect();
        session.tell(
            "server",
            &format!("still knows {} turns:\n{}\n", turns.len(), summaries.join("\n")),
        )?;
        if turns.len() != 3 {
            return Err(Error::Unexpected {
                awaited: "the three turns".to_owned(),
                found: page.to_string(),
            });
        }
        let seen = session.turn(thread, "Are you still there?")?;
        expect(seen.deltas > 0, "a goodbye", &seen)?;
        session.close()
    }
}

/// One line about a stored turn.
fn summary(turn: &Value) -> String {
    let items = turn["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let kinds: Vec<&str> = items.iter().map(|item| text(item, "/type")).collect();
    let status = text(turn, "/status");
    let said = items.iter().find_map(|item| item.pointer("/content/0/text")?.as_str());
    format!("- {:?} {status}: {}", said.unwrap_or_default(), kinds.join(", "))
}

/// The text at a place of a message; empty when there is none.
fn text<'a>(message: &'a Value, place: &str) -> &'a str {
    message.pointer(place).and_then(Value::as_str).unwrap_or_default()
}

fn expect(happened: bool, awaited: &str, seen: &Seen) -> Result<(), Error> {
    if happened {
        return Ok(());
    }
    Err(Error::Unexpected {
        awaited: awaited.to_owned(),
        found: format!("a turn without one ({seen:?})"),
    })
}

/// Turns the signals that ask to stop into an event, so that they end the session in order, too.
fn watch_signals(events: Sender<Incoming>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
            let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = kinds.map(signal) else {
                return;
            };
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
        });
        // When nobody listens any more, the session is over anyway.
        drop(events.send(Incoming::Stop));
    })?;
    Ok(())
}
