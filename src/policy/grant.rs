//! What a user allowed for the rest of a thread.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::decide::Request;
use super::shell::{plain_commands, program_name, script_of};
use super::widening::Widening;
use crate::protocol::{ItemId, TurnId};

/// Accepted commands and files; gone with the thread.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    commands: HashSet<CommandKey>,
    files: HashSet<PathBuf>,
    /// Tools of MCP servers, by server and tool.
    tools: HashSet<(String, String)>,
    /// What commands may do beyond their sandbox…
    widening: Widening,
    /// …and what they may during one turn.
    of_turn: Option<(TurnId, Widening)>,
    /// Terminals outside the sandbox, because the model has asked for it, by session.
    escaped: HashMap<u32, Escaped>,
}

/// A terminal that nothing shuts in.
#[derive(Debug, Clone)]
pub(crate) struct Escaped {
    /// The item of its command.
    pub(crate) item: ItemId,
    /// Where the command was started.
    pub(crate) cwd: PathBuf,
}

/// What makes two commands the same for a grant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CommandKey {
    program: Program,
    cwd: PathBuf,
    terminal: Terminal,
    request: Request,
    /// The permissions asked for beyond the sandbox, in whatever fixed form.
    additional: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Program {
    /// One plain command: spacing and quoting do not matter, nor does the shell.
    Words(Vec<String>),
    Script {
        shell: String,
        script: String,
    },
}

/// Whether a command runs in a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Terminal {
    With,
    Without,
}

impl CommandKey {
    pub(crate) fn new(
        argv: &[String],
        cwd: &Path,
        terminal: Terminal,
        request: Request,
        additional: Option<String>,
    ) -> Self {
        Self { program: Program::of(argv), cwd: cwd.to_path_buf(), terminal, request, additional }
    }
}

impl Program {
    fn of(argv: &[String]) -> Self {
        let Some(script) = script_of(argv) else { return Self::Words(argv.to_vec()) };
        match plain_commands(script).as_deref() {
            Some([words]) => Self::Words(words.clone()),
            _ => {
                Self::Script { shell: program_name(&argv[0]).to_owned(), script: script.to_owned() }
            }
        }
    }
}

impl Grants {
    pub(crate) fn allow_command(&mut self, key: CommandKey) {
        self.commands.insert(key);
    }

    pub(crate) fn allows_command(&self, key: &CommandKey) -> bool {
        self.commands.contains(key)
    }

    /// Each file on its own: a later edit may touch any selection of them.
    pub(crate) fn allow_files(&mut self, paths: impl IntoIterator<Item = PathBuf>) {
        self.files.extend(paths);
    }

    pub(crate) fn grant_tool(&mut self, server: &str, tool: &str) {
        self.tools.insert((server.to_owned(), tool.to_owned()));
    }

    pub(crate) fn has_tool(&self, server: &str, tool: &str) -> bool {
        self.tools.contains(&(server.to_owned(), tool.to_owned()))
    }

    pub(crate) fn widen(&mut self, granted: Widening) {
        self.widening.add(granted);
    }

    pub(crate) fn widen_turn(&mut self, turn: &TurnId, granted: Widening) {
        match &mut self.of_turn {
            Some((running, before)) if running == turn => before.add(granted),
            other => *other = Some((turn.clone(), granted)),
        }
    }

    /// What commands of this turn may do beyond their sandbox.
    pub(crate) fn widening(&self, turn: &TurnId) -> Widening {
        let mut all = self.widening.clone();
        if let Some((_, granted)) = self.of_turn.as_ref().filter(|(running, _)| running == turn) {
            all.add(granted.clone());
        }
        all
    }

    pub(crate) fn note_escaped(&mut self, session: u32, terminal: Escaped) {
        self.escaped.insert(session, terminal);
    }

    pub(crate) fn escaped(&self, session: u32) -> Option<Escaped> {
        self.escaped.get(&session).cloned()
    }

    /// There is no such terminal any more.
    pub(crate) fn forget_escaped(&mut self, session: u32) {
        self.escaped.remove(&session);
    }

    pub(crate) fn allows_files(&self, paths: &[PathBuf]) -> bool {
        !paths.is_empty() && paths.iter().all(|path| self.files.contains(path))
    }
}

#[cfg(test)]
mod tests;
