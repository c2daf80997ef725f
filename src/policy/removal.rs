//! The one kind of command that is asked about under every policy: removal that does not ask itself (`rm -f`).
//!
//! A courtesy against accidents, not a barrier: it looks through the usual wrappers and into scripts, and overlooks
//! whoever hides.

use super::shell::{literal_commands, program_name, script_of};

/// How many scripts within scripts are opened.
const MAX_DEPTH: usize = 8;

type Word = Option<String>;

/// Whether the command, or one that it visibly runs, is `rm` with `-f`.
pub(crate) fn is_forced_removal(argv: &[String]) -> bool {
    let words: Vec<Word> = argv.iter().cloned().map(Some).collect();
    removes(&words, 0)
}

fn removes(mut words: &[Word], depth: usize) -> bool {
    loop {
        let Some((Some(name), arguments)) = words.split_first() else { return false };
        words = match program_name(name) {
            "rm" => return is_forced(arguments),
            "sudo" => arguments,
            "env" => after_settings(arguments),
            "trap" => {
                return handler(arguments).is_some_and(|script| script_removes(script, depth));
            }
            "sh" | "bash" | "zsh" => return shell_removes(words, depth),
            _ => return false,
        };
    }
}

fn is_forced(arguments: &[Word]) -> bool {
    arguments
        .iter()
        .flatten()
        .take_while(|word| *word != "--")
        .any(|word| word == "--force" || is_cluster_with_f(word))
}

fn is_cluster_with_f(word: &str) -> bool {
    word.strip_prefix('-').is_some_and(|flags| !flags.starts_with('-') && flags.contains('f'))
}

/// What `env` runs: behind its flags and assignments.
fn after_settings(arguments: &[Word]) -> &[Word] {
    let skipped = arguments
        .iter()
        .take_while(|word| {
            word.as_deref().is_some_and(|word| word.starts_with('-') || word.contains('='))
        })
        .count();
    &arguments[skipped..]
}

/// The script that `trap` is given.
fn handler(arguments: &[Word]) -> Option<&str> {
    let script = arguments.iter().find(|word| word.as_deref() != Some("--"))?;
    script.as_deref()
}

fn shell_removes(words: &[Word], depth: usize) -> bool {
    let Some(argv) = words.iter().map(Option::as_deref).collect::<Option<Vec<&str>>>() else {
        return false;
    };
    script_of(&argv).is_some_and(|script| script_removes(script, depth))
}

fn script_removes(script: &str, depth: usize) -> bool {
    // Nobody nests this deep in good faith.
    depth >= MAX_DEPTH || literal_commands(script).iter().any(|words| removes(words, depth + 1))
}

#[cfg(test)]
mod tests;
