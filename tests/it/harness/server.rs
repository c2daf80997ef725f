//! The process under test: spawning it on a scenario's home, writing to it, and seeing it end.

use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write as _;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::Home;

const OTHER: &str = "APP_SERVER_UNDER_TEST";

/// Whether the variable names another binary, for comparison.
pub(crate) fn is_another() -> bool {
    std::env::var_os(OTHER).is_some()
}

/// A server process.
pub(crate) struct Server {
    child: RefCell<Child>,
    stdin: RefCell<Option<ChildStdin>>,
}

/// The binary under test.
pub(crate) fn program() -> OsString {
    std::env::var_os(OTHER).unwrap_or_else(|| OsString::from(env!("CARGO_BIN_EXE_app-server")))
}

impl Server {
    /// Starts the binary under test; its output is the caller's to read.
    pub(crate) fn spawn(home: &Home, args: &[&str]) -> (Self, ChildStdout) {
        Self::spawn_binary(home, &program(), args)
    }

    /// As [`Server::spawn`], of this binary.
    pub(crate) fn spawn_binary(home: &Home, binary: &OsStr, args: &[&str]) -> (Self, ChildStdout) {
        let stderr =
            File::options().create(true).append(true).open(home.root().join("stderr.log")).unwrap();
        let mut command = Command::new(binary);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if ["OPENAI_", "CODEX_", "RUST_"].iter().any(|prefix| text.starts_with(prefix)) {
                command.env_remove(name);
            }
        }
        command
            .env("CODEX_HOME", home.home())
            .env("HOME", home.root())
            .env("NO_COLOR", "1")
            .envs(home.variables())
            .args(args);
        command
            .current_dir(home.work())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr);
        let mut child = command.spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let stdin = RefCell::new(child.stdin.take());
        (Self { child: RefCell::new(child), stdin }, stdout)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.borrow().id()
    }

    pub(crate) fn write(&self, bytes: &[u8]) {
        let mut stdin = self.stdin.borrow_mut();
        let pipe = stdin.as_mut().expect("the input was closed by the scenario");
        // A server that has ended is noticed by whoever waits for its answer.
        drop(pipe.write_all(bytes).and_then(|()| pipe.flush()));
    }

    /// Ends the input.
    pub(crate) fn close(&self) {
        self.stdin.borrow_mut().take();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.borrow().id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// The exit status, or none when the process still runs after this long.
    pub(crate) fn wait(&self, limit: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.borrow_mut().try_wait().unwrap() {
                return Some(status);
            }
            if Instant::now() > deadline {
                return None;
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut child = self.child.borrow_mut();
        drop(child.kill());
        drop(child.wait());
    }
}

/// Waits until the condition gives something; for files and processes, which nobody announces.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "no {what} within 10 s");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a running process (no zombie) has this text in its command line.
pub(crate) fn runs(marker: &str) -> bool {
    let Ok(entries) = std::fs::read_dir("/proc") else { return false };
    entries.flatten().any(|entry| {
        let folder = entry.path();
        let Ok(line) = std::fs::read(folder.join("cmdline")) else { return false };
        let alive = || {
            let stat = std::fs::read_to_string(folder.join("stat")).unwrap_or_default();
            stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
        };
        String::from_utf8_lossy(&line).contains(marker) && alive()
    })
}
