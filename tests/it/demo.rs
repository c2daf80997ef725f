//! What newcomers see first: the demonstration, and the client in the README. Both are run as a reader would.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::ours_only;
use crate::harness::server::until;

const BINARY: &str = env!("CARGO_BIN_EXE_app-server");

/// A program that has ended.
struct Ended {
    status: ExitStatus,
    stdout: String,
    stderr: String,
    /// What it left in the folder for temporary files.
    left: Vec<String>,
}

/// Runs a program with a folder for temporary files of its own.
#[track_caller]
fn run(command: &mut Command) -> Ended {
    let folder = TempDir::new().unwrap();
    let temporary = folder.path().join("temporary");
    fs::create_dir(&temporary).unwrap();
    let (stdout, stderr) = (folder.path().join("stdout"), folder.path().join("stderr"));
    command.env("TMPDIR", &temporary).stdin(Stdio::null());
    command.stdout(File::create(&stdout).unwrap()).stderr(File::create(&stderr).unwrap());
    let mut child = command.spawn().unwrap();
    let status = until("end of the program", || child.try_wait().unwrap());
    let names = fs::read_dir(&temporary).unwrap();
    Ended {
        status,
        stdout: fs::read_to_string(stdout).unwrap(),
        stderr: fs::read_to_string(stderr).unwrap(),
        left: names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect(),
    }
}

impl Ended {
    #[track_caller]
    fn check(&self, lines: &[&str]) {
        let Self { status, stdout, stderr, left } = self;
        assert!(status.success(), "{status}\n{stdout}\n{stderr}");
        let mut rest = stdout.as_str();
        for line in lines {
            let found = rest.find(line);
            assert!(found.is_some(), "no {line:?} in what follows of\n{stdout}");
            rest = &rest[found.unwrap() + line.len()..];
        }
        assert_eq!((left.as_slice(), stderr.as_str()), (&[][..], ""));
    }
}

#[test]
fn a_session_is_shown() {
    ours_only!();
    run(Command::new(BINARY).arg("demo")).check(&[
        "     you  Hello! What can you do?\n",
        "   agent  Hello! I am not a real model",
        "     you  Run a command, please.\n",
        "  server  asks to run `echo",
        "  client  answers: accept\n",
        " command  Hello from App Server\n          (exit code 0)\n",
        "    edit  hello.txt\n          @@ -1 +1 @@\n          -Hello from App Server\n",
        "  client  resumes the thread",
        "  server  still knows 3 turns:\n",
        ": userMessage, commandExecution, agentMessage\n",
        "   agent  I am. This is another server process",
    ]);
}

#[test]
fn a_session_is_shown_as_lines() {
    ours_only!();
    let ended = run(Command::new(BINARY).args(["demo", "--json"]));
    ended.check(&[
        r#"{"server":1,"direction":"sent","message":{"id":1,"method":"initialize""#,
        r#"{"server":2,"direction":"sent","message":"#,
    ]);
    let lines: Vec<Value> =
        ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let count = |direction: &str, method: &str| {
        let of =
            |line: &&Value| line["direction"] == direction && line["message"]["method"] == method;
        lines.iter().filter(of).count()
    };
    assert_eq!((count("sent", "turn/start"), count("received", "turn/completed")), (4, 4));
    assert_eq!(count("received", "item/commandExecution/requestApproval"), 1);
    assert!(count("received", "item/agentMessage/delta") > 40);
}

#[test]
fn a_reader_may_leave() {
    ours_only!();
    let mut child = Command::new(BINARY).arg("demo").stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(until("end of the demonstration", || child.try_wait().unwrap()).success());
}

#[test]
fn the_client_of_the_readme_works() {
    ours_only!();
    let python = Command::new("python3").arg("--version").output();
    if !python.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: there is no python3");
        return;
    }
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let (_, rest) = readme.split_once("```python\n").unwrap();
    let (client, _) = rest.split_once("```").unwrap();
    assert!(client.lines().count() <= 60);
    run(Command::new("python3").args(["-c", client]).env("APP_SERVER", BINARY)).check(&[
        "> Hello!\nHello! I am not a real model",
        "-> accept]\nHello from App Server\n",
        "+Hello from App Server, and from you\n",
        "> Goodbye.\nThat is all.",
    ]);
}
