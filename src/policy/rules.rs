//! Rules that users keep in `.rules` files: which commands are allowed, asked about, or forbidden by their first words.
//!
//! Loading, and matching of single commands. What follows from a match is decided elsewhere; how the files are written is
//! the parser's business.

mod parse;
mod value;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::shell::{display, program_name};
use crate::util::file::read_text;

/// How large a file of rules may be, in bytes.
const MAX_FILE: u64 = 4 << 20;

/// What a rule says; ordered by strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Allow,
    Prompt,
    Forbidden,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct PrefixRule {
    /// The alternatives for each of the first words.
    pattern: Vec<Vec<String>>,
    verdict: Verdict,
    justification: Option<String>,
}

/// A file that cannot be used, and where; lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) path: PathBuf,
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) summary: String,
    pub(crate) details: String,
}

/// A rule that a command matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Match<'a> {
    pub(crate) verdict: Verdict,
    /// The words of the command that the rule covers.
    pub(crate) words: Vec<String>,
    pub(crate) justification: Option<&'a str>,
}

/// All rules in force.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    prefixes: Vec<PrefixRule>,
    /// The paths under which a program counts as the one of that name.
    executables: HashMap<String, Vec<String>>,
}

impl Rules {
    /// The rules of all `*.rules` files directly in these folders, in order. One file that cannot be used turns all of
    /// them off.
    pub(crate) fn load(folders: &[PathBuf]) -> (Self, Option<Problem>) {
        let mut rules = Self::default();
        for path in folders.iter().flat_map(|folder| files(folder)) {
            let outcome = match read_text(&path, MAX_FILE) {
                Ok(text) => rules.add(&text),
                Err(error) => Err(parse::Fault { line: 1, column: 1, message: error.to_string() }),
            };
            if let Err(fault) = outcome {
                return (Self::default(), Some(fault.into_problem(path)));
            }
        }
        (rules, None)
    }

    /// Adds the rules of one file; nothing is added when it has a fault.
    fn add(&mut self, text: &str) -> Result<(), parse::Fault> {
        let file = parse::parse(text)?;
        for example in &file.examples {
            let own = Self {
                prefixes: vec![file.rules.prefixes[example.rule].clone()],
                executables: file.rules.executables.clone(),
            };
            if own.matches(&example.words).is_empty() == example.should_match {
                let verb = if example.should_match { "does not match" } else { "matches" };
                let message = format!("the rule {verb} its example `{}`", display(&example.words));
                return Err(parse::Fault { line: example.line, column: example.column, message });
            }
        }
        self.prefixes.extend(file.rules.prefixes);
        self.executables.extend(file.rules.executables);
        Ok(())
    }

    /// Makes an accepted prefix effective.
    pub(crate) fn allow(&mut self, prefix: &[String]) {
        let pattern = prefix.iter().map(|word| vec![word.clone()]).collect();
        let rule = PrefixRule { pattern, verdict: Verdict::Allow, justification: None };
        if !prefix.is_empty() && !self.prefixes.contains(&rule) {
            self.prefixes.push(rule);
        }
    }

    /// The rules that a single command matches, by its words as they are or, failing that, by its program's name.
    pub(crate) fn matches(&self, words: &[String]) -> Vec<Match<'_>> {
        let found = self.matches_exactly(words);
        let Some((program, arguments)) = words.split_first() else { return found };
        let name = program_name(program);
        if !found.is_empty() || name == program {
            return found;
        }
        if self.executables.get(name).is_some_and(|paths| !paths.contains(program)) {
            return found;
        }
        let named: Vec<String> =
            std::iter::once(name.to_owned()).chain(arguments.iter().cloned()).collect();
        self.matches_exactly(&named)
    }

    fn matches_exactly(&self, words: &[String]) -> Vec<Match<'_>> {
        let covered = |rule: &&PrefixRule| {
            rule.pattern.len() <= words.len()
                && rule.pattern.iter().zip(words).all(|(any, word)| any.contains(word))
        };
        let matched = |rule: &'_ PrefixRule| words[..rule.pattern.len()].to_vec();
        self.prefixes
            .iter()
            .filter(covered)
            .map(|rule| Match {
                verdict: rule.verdict,
                words: matched(rule),
                justification: rule.justification.as_deref(),
            })
            .collect()
    }
}

/// The rules files of a folder by name; none when there is no folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "rules") && path.is_file())
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests;
