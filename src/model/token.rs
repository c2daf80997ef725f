//! Bearer tokens from a command, as company gateways hand them out: run when one is needed, kept until it is old.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::process::Command;
use tokio::time::{Instant, timeout};

use super::provider::Secret;

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
    known: Mutex<HashMap<TokenCommand, Token>>,
}

#[derive(Debug)]
struct Token {
    text: Secret,
    made: Instant,
}

impl Tokens {
    /// The token of a command. Without one the request goes out all the same, and the provider says what it thinks.
    pub(super) async fn get(&self, command: &TokenCommand) -> Option<Secret> {
        if let Some(token) = self.known(command) {
            return Some(token);
        }
        match command.run().await {
            Ok(text) => {
                let token = Token { text: text.clone(), made: Instant::now() };
                let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                known.insert(command.clone(), token);
                Some(text)
            }
            Err(problem) => {
                tracing::warn!(command = command.command, problem, "there is no token");
                None
            }
        }
    }

    /// The next request gets a new token.
    pub(super) fn forget(&self, command: &TokenCommand) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(command);
    }

    fn known(&self, command: &TokenCommand) -> Option<Secret> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let token = known.get(command)?;
        let fresh = command.refresh_interval_ms == 0
            || token.made.elapsed() < Duration::from_millis(command.refresh_interval_ms);
        fresh.then(|| token.text.clone())
    }
}

impl TokenCommand {
    /// What it prints, if that can be a token.
    async fn run(&self) -> Result<Secret, String> {
        let mut command = Command::new(self.program());
        command.args(&self.args).stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        if let Some(cwd) = &self.cwd {
            command.current_dir(cwd);
        }
        let output = timeout(Duration::from_millis(self.timeout_ms), command.output()).await;
        let output = match output {
            Err(_) => return Err("the command takes too long".to_owned()),
            Ok(Err(error)) => return Err(error.to_string()),
            Ok(Ok(output)) if !output.status.success() => return Err(output.status.to_string()),
            Ok(Ok(output)) => output.stdout,
        };
        match std::str::from_utf8(&output).map(str::trim) {
            Ok("") => Err("the command prints nothing".to_owned()),
            Ok(text) if text.contains(['\n', '\r']) => {
                Err("the command prints several lines".to_owned())
            }
            Ok(text) => Ok(Secret::new(text)),
            Err(_) => Err("the command prints no text".to_owned()),
        }
    }

    /// A program that is named by a path is meant relative to where it runs.
    fn program(&self) -> PathBuf {
        match &self.cwd {
            Some(cwd) if self.command.contains('/') => cwd.join(&self.command),
            _ => PathBuf::from(&self.command),
        }
    }
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
        tokens.forget(&command);
        assert_eq!(token(&tokens, &command).await.as_deref(), Some("2"));
        let impatient = shell(script, &json!({"cwd": folder.path(), "refresh_interval_ms": 1}));
        assert_eq!(token(&tokens, &impatient).await.as_deref(), Some("3"));
        while tokens.known(&impatient).is_some() {
            tokio::task::yield_now().await;
        }
        assert_eq!(token(&tokens, &impatient).await.as_deref(), Some("4"));
    }
}
