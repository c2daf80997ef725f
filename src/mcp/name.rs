//! The names by which models know servers and their tools: theirs, made to fit what providers take, and told apart
//! where that makes two of them the same.

use std::collections::HashMap;

use sha1::{Digest as _, Sha1};

use crate::util::hex::hex;

/// The longest that namespace, `__` and tool may be together.
const LONGEST: usize = 128;

/// The namespaces of servers, in their order.
pub(super) fn namespaces(servers: &[&str]) -> Vec<String> {
    let made = servers.iter().map(|server| format!("mcp__{}", plain(server))).collect();
    distinct(made, |index| hash(&format!("{0}\0{0}\0", servers[index])))
}

/// The names of a server's tools, in their order.
pub(super) fn tools(server: &str, namespace: &str, tools: &[&str]) -> Vec<String> {
    let suffix = |index: usize| hash(&format!("{server}\0{server}\0\0{0}\0{0}", tools[index]));
    let names = distinct(tools.iter().map(|tool| plain(tool)).collect(), suffix);
    let room = LONGEST.saturating_sub(namespace.len() + "__".len());
    let fit = |(index, mut name): (usize, String)| {
        if name.len() > room {
            let suffix = suffix(index);
            name.truncate(room.saturating_sub(suffix.len()));
            name += &suffix;
        }
        name
    };
    names.into_iter().enumerate().map(fit).collect()
}

fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect()
}

/// The names, with a suffix where several are the same.
fn distinct(names: Vec<String>, suffix: impl Fn(usize) -> String) -> Vec<String> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for name in &names {
        *counts.entry(name.clone()).or_default() += 1;
    }
    let name = |(index, name): (usize, String)| match counts.get(&name) {
        Some(2..) => name + &suffix(index),
        _ => name,
    };
    names.into_iter().enumerate().map(name).collect()
}

/// `_` and twelve hex digits that follow from the text alone.
fn hash(text: &str) -> String {
    format!("_{}", hex(&Sha1::digest(text)[..6]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_providers_do_not_take() {
        assert_eq!(namespaces(&["my-docs", "b"]), ["mcp__my_docs", "mcp__b"]);
        assert_eq!(tools("s", "mcp__s", &["a.b", "c d"]), ["a_b", "c_d"]);
    }

    #[test]
    fn names_that_become_the_same_are_told_apart() {
        let names = namespaces(&["a-b", "a_b"]);
        assert!(
            names.iter().all(|name| name.starts_with("mcp__a_b_") && name.len() == 21),
            "{names:?}"
        );
        assert_ne!(names[0], names[1]);
        let names = tools("s", "mcp__s", &["x.y", "x-y", "z"]);
        assert_ne!(names[0], names[1]);
        assert_eq!(names[2], "z");
    }

    #[test]
    fn long_names_are_cut() {
        let long = "x".repeat(200);
        let names = tools("s", "mcp__s", &[&long]);
        assert_eq!("mcp__s__".len() + names[0].len(), LONGEST);
    }
}
