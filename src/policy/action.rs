//! What a command looks like to a person: reads, listings and searches, for the `commandActions` of an item.
//!
//! Hints only; nothing is decided by them. A script that is not understood as a whole is shown as it is.

mod filter;
mod operand;
mod program;

use std::path::{Path, PathBuf};

use super::shell::{display, plain_commands, script_of};
use crate::protocol::CommandAction;
use crate::util::path::normalize;

/// The actions of a command that runs in `cwd`.
pub(crate) fn command_actions(argv: &[String], cwd: &Path) -> Vec<CommandAction> {
    let Some(script) = script_of(argv) else {
        let commands = [argv.to_vec()];
        return actions(&commands, cwd).unwrap_or_else(|| unknown(&display(argv)));
    };
    let Some(commands) = plain_commands(script) else { return unknown(script) };
    let Some(mut found) = actions(&commands, cwd) else { return unknown(script) };
    if let [CommandAction::Read { command, .. }] = found.as_mut_slice()
        && reads_through_sed(script)
    {
        script.clone_into(command);
    }
    found
}

fn unknown(command: &str) -> Vec<CommandAction> {
    vec![CommandAction::Unknown { command: command.to_owned() }]
}

/// `None` when some command is not understood.
fn actions(commands: &[Vec<String>], cwd: &Path) -> Option<Vec<CommandAction>> {
    let mut remaining: Vec<&[String]> = commands.iter().map(Vec::as_slice).collect();
    if remaining.len() > 1 {
        remaining.retain(|words| !filter::is_formatting(words));
    }
    if remaining.is_empty() {
        return None;
    }
    let mut folder = cwd.to_path_buf();
    let mut steps: Vec<(&[String], Option<CommandAction>)> = Vec::new();
    for words in remaining {
        match words {
            [program, operands @ ..] if program == "cd" => {
                if let Some(target) = operand::directory(operands) {
                    folder = normalize(&folder.join(target));
                }
            }
            _ => steps.push((words, program::classify(words, &folder))),
        }
    }
    drop_noise(&mut steps);
    let mut found = steps.into_iter().map(|(_, action)| action).collect::<Option<Vec<_>>>()?;
    found.dedup();
    Some(found)
}

/// Drops what says nothing beside other commands: announcements, `true`, and `nl` as a filter.
fn drop_noise(steps: &mut Vec<(&[String], Option<CommandAction>)>) {
    while steps.len() > 1 {
        let before = steps.len();
        if is_named(steps[0].0, "echo") {
            steps.remove(0);
        } else if steps.iter().any(|(words, _)| is_bare_true(words)) {
            steps.retain(|(words, _)| !is_bare_true(words));
        } else if let Some(index) = steps.iter().position(|(words, _)| is_filter_nl(words)) {
            steps.remove(index);
        }
        if steps.len() == before {
            return;
        }
    }
}

fn is_named(words: &[String], name: &str) -> bool {
    words.first().is_some_and(|word| word == name)
}

fn is_bare_true(words: &[String]) -> bool {
    words.len() == 1 && is_named(words, "true")
}

fn is_filter_nl(words: &[String]) -> bool {
    is_named(words, "nl") && words[1..].iter().all(|word| word.starts_with('-'))
}

/// Whether a script pipes through `sed -n`: then which lines are read is part of the action.
fn reads_through_sed(script: &str) -> bool {
    let words = shlex::split(script).unwrap_or_default();
    words.iter().any(|word| word == "|")
        && words.windows(2).any(|pair| pair[0] == "sed" && pair[1] == "-n")
}

/// The absolute form of a path that a command reads; a trailing slash survives on absolute ones.
fn absolute(folder: &Path, path: &str) -> String {
    let joined: PathBuf = normalize(&folder.join(path));
    let mut text = joined.to_string_lossy().into_owned();
    if path.starts_with('/') && path.ends_with('/') && !text.ends_with('/') {
        text.push('/');
    }
    text
}

#[cfg(test)]
mod tests;
