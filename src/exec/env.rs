//! The environment of commands: what the user's policy lets through, and what every command gets on top of it.

use std::collections::BTreeMap;
use std::ffi::OsString;

use serde::Deserialize;

/// What every command gets: output for machines, never a pager, one locale.
const BASE: [(&str, &str); 11] = [
    ("NO_COLOR", "1"),
    ("TERM", "dumb"),
    ("LANG", "C.UTF-8"),
    ("LC_ALL", "C.UTF-8"),
    ("LC_CTYPE", "C.UTF-8"),
    ("COLORTERM", ""),
    ("PAGER", "cat"),
    ("GIT_PAGER", "cat"),
    ("GH_PAGER", "cat"),
    ("CODEX_CI", "1"),
    ("CODEX_APPLY_PATCH_PRESERVE_LINE_ENDINGS", "1"),
];

/// What [`Inherit::Core`] lets through.
const CORE: [&str; 11] = [
    "PATH", "SHELL", "TMPDIR", "TEMP", "TMP", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME",
    "USER",
];

/// What names of secrets contain.
const SECRET: [&str; 3] = ["KEY", "SECRET", "TOKEN"];

/// `[shell_environment_policy]`: which variables reach a command. The fields apply in their order here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct EnvironmentPolicy {
    pub(crate) inherit: Inherit,
    /// Whether variables that look like secrets are let through.
    pub(crate) ignore_default_excludes: bool,
    /// Patterns of names to drop.
    pub(crate) exclude: Vec<String>,
    pub(crate) set: BTreeMap<String, String>,
    /// Patterns of names to keep; all when empty.
    pub(crate) include_only: Vec<String>,
}

impl Default for EnvironmentPolicy {
    fn default() -> Self {
        Self {
            inherit: Inherit::All,
            ignore_default_excludes: true,
            exclude: Vec::new(),
            set: BTreeMap::new(),
            include_only: Vec::new(),
        }
    }
}

/// Where a command's environment starts from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Inherit {
    /// Everything that the server was given.
    #[default]
    All,
    /// The few variables that most programs need.
    Core,
    None,
}

/// Who runs a command, for the variables that tell it so.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity<'a> {
    pub(crate) thread: &'a str,
    pub(crate) session: &'a str,
    pub(crate) call: &'a str,
    pub(crate) version: &'a str,
}

/// The variables that every command gets, whatever the policy.
pub(crate) fn base_set(identity: Identity<'_>) -> Vec<(OsString, OsString)> {
    let identity = [
        ("CODEX_THREAD_ID", identity.thread),
        ("CODEX_SESSION_ID", identity.session),
        ("CODEX_TOOL_CALL_ID", identity.call),
        ("CODEX_VERSION", identity.version),
    ];
    BASE.into_iter().chain(identity).map(|(name, value)| (name.into(), value.into())).collect()
}

/// The environment of a command: what the policy makes of `inherited`, and `extra` over it.
pub(crate) fn shell_environment(
    policy: &EnvironmentPolicy,
    inherited: impl IntoIterator<Item = (OsString, OsString)>,
    extra: impl IntoIterator<Item = (OsString, OsString)>,
) -> Vec<(OsString, OsString)> {
    let inherited =
        inherited.into_iter().filter(|(name, _)| policy.lets_through(&name.to_string_lossy()));
    let set = policy.set.iter().map(|(name, value)| (name.into(), value.into()));
    let mut environment: BTreeMap<OsString, OsString> = inherited.chain(set).collect();
    if !policy.include_only.is_empty() {
        environment.retain(|name, _| any_matches(&policy.include_only, &name.to_string_lossy()));
    }
    environment.extend(extra);
    environment.into_iter().collect()
}

impl EnvironmentPolicy {
    fn lets_through(&self, name: &str) -> bool {
        let inherited = match self.inherit {
            Inherit::All => true,
            Inherit::Core => CORE.iter().any(|core| core.eq_ignore_ascii_case(name)),
            Inherit::None => false,
        };
        inherited
            && (self.ignore_default_excludes || !is_secret(name))
            && !any_matches(&self.exclude, name)
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_uppercase();
    SECRET.iter().any(|part| name.contains(part))
}

fn any_matches(patterns: &[String], name: &str) -> bool {
    patterns.iter().any(|pattern| matches(pattern, name))
}

/// Whether a pattern with `*` and `?` matches the whole name, in any case.
fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let name: Vec<char> = name.to_lowercase().chars().collect();
    let (mut at, mut matched) = (0, 0);
    // Where to go on when the last star has to take one character more.
    let mut retry = None;
    while matched < name.len() {
        match pattern.get(at) {
            Some('*') => {
                at += 1;
                retry = Some((at, matched));
            }
            Some('?') => (at, matched) = (at + 1, matched + 1),
            Some(char) if *char == name[matched] => (at, matched) = (at + 1, matched + 1),
            Some(_) | None => {
                let Some((after_star, taken)) = retry else { return false };
                retry = Some((after_star, taken + 1));
                (at, matched) = (after_star, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|char| *char == '*')
}

#[cfg(test)]
mod tests;
