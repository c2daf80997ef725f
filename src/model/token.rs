//! Bearer tokens from a command, as company gateways hand them out: run when one is needed, kept until it is old.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::exec::{Filter, Filtered, filter};
use crate::util::error::chain;
use crate::util::secret::Secret;

/// No token is longer, in bytes; headers are not, either.
const LONGEST: usize = 64 << 10;

/// `auth` of a provider: what prints the token.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub(crate) struct TokenCommand {
    command: String,
    #[serde(default)]
    args: Vec<String>,
    /// Where it runs; the server's directory by default.
    cwd: Option<PathBuf>,
    #[serde(default = "five_seconds")]
    timeout_ms: u64,
    /// How long a token is used before the command is asked again; 0 means until it is refused.
    #[serde(default = "five_minutes")]
    refresh_interval_ms: u64,
}

fn five_seconds() -> u64 {
    5000
}

fn five_minutes() -> u64 {
    300_000
}

/// The tokens of the process, by the commands that made them.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    runs: Mutex<HashMap<TokenCommand, Arc<Run>>>,
}

/// A run of a command, shared by all requests that need its token: no token when it failed.
type Run = OnceCell<Option<Token>>;

#[derive(Debug)]
struct Token {
    text: Secret,
    made: Instant,
}

impl Tokens {
    /// The token of a command. Without one the request goes out all the same, and the provider says what it thinks.
    pub(super) async fn get(&self, command: &TokenCommand) -> Option<Secret> {
        let run = self.run_of(command);
        let token = run.get_or_init(|| command.token()).await;
        token.as_ref().map(|token| token.text.clone())
    }

    /// A token was refused: the next request gets another one.
    pub(super) fn forget(&self, command: &TokenCommand, refused: &Secret) {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        // Another request may have replaced it already.
        let made = runs.get(command).and_then(|run| run.get()?.as_ref());
        if made.is_some_and(|token| token.text == *refused) {
            runs.remove(command);
        }
    }

    /// The run that goes on or whose token is still good, or a new one.
    fn run_of(&self, command: &TokenCommand) -> Arc<Run> {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let run = runs.entry(command.clone()).or_default();
        let is_over = |made: &Option<Token>| made.as_ref().is_none_or(|it| command.outdates(it));
        if run.get().is_some_and(is_over) {
            *run = Arc::default();
        }
        Arc::clone(run)
    }
}

impl TokenCommand {
    /// Runs the command; without a token it says why in the log.
    async fn token(&self) -> Option<Token> {
        match self.run().await {
            Ok(text) => Some(Token { text, made: Instant::now() }),
            Err(problem) => {
                tracing::warn!(command = self.command, problem, "there is no token");
                None
            }
        }
    }

    /// What it prints, if that can be a token.
    async fn run(&self) -> Result<Secret, String> {
        let mut cwd = std::env::current_dir().map_err(|error| error.to_string())?;
        cwd.extend(&self.cwd);
        // A program that is named by a path is meant relative to where it runs.
        let program = match self.command.contains('/') {
            true => cwd.join(&self.command).to_string_lossy().into_owned(),
            false => self.command.clone(),
        };
        let mut argv = vec![program];
        argv.extend_from_slice(&self.args);
        let ran = filter(Filter {
            argv,
            cwd,
            env: std::env::vars_os().collect(),
            input: Vec::new(),
            timeout: Duration::from_millis(self.timeout_ms),
        });
        match ran.await.map_err(|error| chain(&error))? {
            Filtered::TimedOut => Err("the command takes too long".to_owned()),
            Filtered::Ended { code: 0, stdout, .. } => token_in(&stdout),
            Filtered::Ended { code, .. } => Err(format!("the command ends with exit code {code}")),
        }
    }

    fn outdates(&self, token: &Token) -> bool {
        self.refresh_interval_ms != 0
            && token.made.elapsed() >= Duration::from_millis(self.refresh_interval_ms)
    }
}

fn token_in(printed: &str) -> Result<Secret, String> {
    let problem = match printed.trim() {
        "" => "the command prints nothing",
        text if text.contains(['\n', '\r']) => "the command prints several lines",
        text if text.len() > LONGEST => "the command prints more than a token can be",
        // What is no UTF-8 has been replaced by such signs.
        text if text.contains(char::REPLACEMENT_CHARACTER) => "the command prints no text",
        text => return Ok(Secret::new(text)),
    };
    Err(problem.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shell(script: &str, more: &serde_json::Value) -> TokenCommand {
        let mut table = json!({"command": "sh", "args": ["-c", script]});
        table.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(table).unwrap()
    }

    async fn token(tokens: &Tokens, command: &TokenCommand) -> Option<String> {
        tokens.get(command).await.map(|token| token.expose().to_owned())
    }

    #[tokio::test]
    async fn what_is_printed_is_the_token() {
        let tokens = Tokens::default();
        for (script, expected) in [
            ("echo ' tok '", Some("tok")),
            ("echo a; echo b", None),
            ("true", None),
            ("echo tok; exit 1", None),
        ] {
            let found = token(&tokens, &shell(script, &json!({}))).await;
            assert_eq!(found.as_deref(), expected, "{script}");
        }
        for script in ["head -c 100000 /dev/zero | tr '\\0' x", "printf '\\377'"] {
            assert_eq!(token(&tokens, &shell(script, &json!({}))).await, None, "{script}");
        }
        let missing = serde_json::from_value(json!({"command": "/no/such/program"})).unwrap();
        assert_eq!(token(&tokens, &missing).await, None);
        assert_eq!(token(&tokens, &shell("sleep 60", &json!({"timeout_ms": 20}))).await, None);
    }

    #[tokio::test]
    async fn a_token_is_kept_until_it_is_forgotten_or_old() {
        let folder = tempfile::tempdir().unwrap();
        let script = "echo x >> log; wc -l < log";
        let command = shell(script, &json!({"cwd": folder.path()}));
        let tokens = Tokens::default();
        assert_eq!(token(&tokens, &command).await.as_deref(), Some("1"));
        assert_eq!(token(&tokens, &command).await.as_deref(), Some("1"));
        tokens.forget(&command, &Secret::new("another"));
        assert_eq!(token(&tokens, &command).await.as_deref(), Some("1"));
        tokens.forget(&command, &Secret::new("1"));
        assert_eq!(token(&tokens, &command).await.as_deref(), Some("2"));
        let impatient = shell(script, &json!({"cwd": folder.path(), "refresh_interval_ms": 1}));
        assert_eq!(token(&tokens, &impatient).await.as_deref(), Some("3"));
        while tokens.run_of(&impatient).get().is_some() {
            tokio::task::yield_now().await;
        }
        assert_eq!(token(&tokens, &impatient).await.as_deref(), Some("4"));
    }

    #[tokio::test]
    async fn requests_share_a_run() {
        let folder = tempfile::tempdir().unwrap();
        // The first run ends when it is told to; a second one would not wait.
        let pipe = folder.path().join("go");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let script = "echo x >> log; read -r word < go; wc -l < log";
        let command = shell(script, &json!({"cwd": folder.path(), "timeout_ms": 60_000}));
        let tokens = Tokens::default();
        let go = tokio::fs::write(&pipe, "go\n");
        let (one, two, go) = tokio::join!(token(&tokens, &command), token(&tokens, &command), go);
        assert!(go.is_ok());
        assert_eq!((one.as_deref(), two.as_deref()), (Some("1"), Some("1")));
    }

    #[tokio::test]
    async fn nothing_outlives_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let script = "sleep 60 & echo $! > pid; wait";
        let command = shell(script, &json!({"cwd": folder.path(), "timeout_ms": 500}));
        assert_eq!(token(&Tokens::default(), &command).await, None);
        let pid = std::fs::read_to_string(folder.path().join("pid")).unwrap();
        // It is a zombie at most, until somebody collects it.
        let deadline = Instant::now() + Duration::from_secs(10);
        let runs = || {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
            stat.is_ok_and(|stat| !stat.contains(") Z "))
        };
        while runs() && Instant::now() < deadline {
            tokio::task::yield_now().await;
        }
        assert!(!runs());
    }
}
