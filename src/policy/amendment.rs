//! Prefixes that become rules: which one is offered with a question, and how an accepted one is kept.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::rules::{Rules, Verdict};

/// Programs that run whatever they are given; a rule for one of these alone would allow everything.
const ANYTHING: [&str; 36] = [
    "bash",
    "sh",
    "zsh",
    "dash",
    "fish",
    "ksh",
    "/bin/bash",
    "/bin/sh",
    "/bin/zsh",
    "python",
    "python3",
    "pythonw",
    "py",
    "pypy",
    "pypy3",
    "node",
    "nodejs",
    "deno",
    "bun",
    "ruby",
    "perl",
    "php",
    "lua",
    "julia",
    "Rscript",
    "osascript",
    "pwsh",
    "powershell",
    "cmd",
    "git",
    "rm",
    "env",
    "sudo",
    "doas",
    "su",
    "eval",
];
/// The same with the flag or verb that takes a script.
const ANY_SCRIPT: [(&str, &[&str]); 24] = [
    ("bash", &["-c", "-lc"]),
    ("sh", &["-c", "-lc"]),
    ("zsh", &["-c", "-lc"]),
    ("dash", &["-c", "-lc"]),
    ("fish", &["-c", "-lc"]),
    ("ksh", &["-c", "-lc"]),
    ("/bin/bash", &["-c", "-lc"]),
    ("/bin/sh", &["-c", "-lc"]),
    ("/bin/zsh", &["-c", "-lc"]),
    ("python", &["-c", "-"]),
    ("python3", &["-c", "-"]),
    ("py", &["-3"]),
    ("node", &["-e"]),
    ("deno", &["eval"]),
    ("bun", &["run", "-e"]),
    ("ruby", &["-e"]),
    ("perl", &["-e"]),
    ("php", &["-r"]),
    ("lua", &["-e"]),
    ("julia", &["-e"]),
    ("pwsh", &["-c", "-Command"]),
    ("powershell", &["-c", "-Command"]),
    ("cmd", &["/c"]),
    ("npm", &["run"]),
];
const RUNNERS: [&str; 2] = ["pnpm", "yarn"];

#[derive(Debug, thiserror::Error)]
pub(crate) enum AmendmentError {
    #[error("the prefix is empty")]
    Empty,
    #[error("cannot write {}", .0.display())]
    Write(PathBuf, #[source] io::Error),
}

/// The prefix to offer: the one that the model suggested, when it is not too broad and would settle the question, else
/// the words of the first command that needs an answer.
pub(super) fn propose(
    suggested: &[String],
    commands: &[Vec<String>],
    first_asked: &[String],
    rules: &Rules,
) -> Option<Vec<String>> {
    if !suggested.is_empty() && !is_too_broad(suggested) {
        let mut amended = rules.clone();
        amended.allow(suggested);
        let settled = |words: &Vec<String>| {
            amended.matches(words).iter().map(|found| found.verdict).max() == Some(Verdict::Allow)
        };
        if commands.iter().all(settled) {
            return Some(suggested.to_vec());
        }
    }
    (!first_asked.is_empty()).then(|| first_asked.to_vec())
}

fn is_too_broad(prefix: &[String]) -> bool {
    match prefix {
        [program] => ANYTHING.contains(&program.as_str()),
        [program, verb] => {
            (verb == "run" && RUNNERS.contains(&program.as_str()))
                || ANY_SCRIPT
                    .iter()
                    .any(|(name, verbs)| name == program && verbs.contains(&verb.as_str()))
        }
        _ => false,
    }
}

/// Where accepted prefixes are kept.
pub(crate) fn default_rules(home: &Path) -> PathBuf {
    home.join("rules").join("default.rules")
}

/// Keeps an accepted prefix in the default rules of this home; one that stands there already is not repeated.
pub(crate) fn save(home: &Path, prefix: &[String]) -> Result<(), AmendmentError> {
    if prefix.is_empty() {
        return Err(AmendmentError::Empty);
    }
    let path = default_rules(home);
    append(&path, &line(prefix)).map_err(|error| AmendmentError::Write(path, error))
}

/// The rule for a prefix, as it stands in a file.
fn line(prefix: &[String]) -> String {
    let words: Vec<String> =
        prefix.iter().map(|word| serde_json::Value::from(word.as_str()).to_string()).collect();
    format!("prefix_rule(pattern=[{}], decision=\"allow\")", words.join(", "))
}

fn append(path: &Path, line: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    // Another server may share this home.
    file.lock()?;
    let present = fs::read_to_string(path)?;
    if present.lines().any(|other| other == line) {
        return Ok(());
    }
    let separator = if present.is_empty() || present.ends_with('\n') { "" } else { "\n" };
    // One write, so that a reader never sees half a rule.
    file.write_all(format!("{separator}{line}\n").as_bytes())
}

#[cfg(test)]
mod tests;
