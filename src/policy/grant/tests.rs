//! What an approval for the session covers.

use std::path::{Path, PathBuf};

use super::{CommandKey, Grants, Terminal};
use crate::policy::decide::Request;

fn key(shell: &str, flag: &str, script: &str, cwd: &str) -> CommandKey {
    let argv = [shell, flag, script].map(str::to_owned);
    CommandKey::new(&argv, Path::new(cwd), Terminal::Without, Request::Default, None)
}

#[test]
fn equal_commands_are_granted() {
    let mut grants = Grants::default();
    grants.allow_command(key("/bin/bash", "-lc", "touch f", "/w"));
    assert!(grants.allows_command(&key("/bin/bash", "-lc", "touch  'f'", "/w")));
    assert!(grants.allows_command(&key("/bin/bash", "-c", "touch f\n", "/w")));
    assert!(!grants.allows_command(&key("/bin/bash", "-lc", "touch g", "/w")));
    assert!(!grants.allows_command(&key("/bin/bash", "-lc", "touch f", "/w/sub")));
    assert!(!grants.allows_command(&key("/bin/bash", "-lc", "touch f; touch f", "/w")));
    let argv = ["/bin/bash", "-lc", "touch f"].map(str::to_owned);
    for (terminal, request) in
        [(Terminal::With, Request::Default), (Terminal::Without, Request::Escalated)]
    {
        assert!(!grants.allows_command(&CommandKey::new(
            &argv,
            Path::new("/w"),
            terminal,
            request,
            None
        )));
    }
}

#[test]
fn scripts_must_be_the_same_text() {
    let mut grants = Grants::default();
    grants.allow_command(key("/bin/bash", "-lc", "a || b", "/w"));
    assert!(grants.allows_command(&key("/bin/bash", "-c", "a || b", "/w")));
    for other in ["a && b", "a || b ", "a"] {
        assert!(!grants.allows_command(&key("/bin/bash", "-lc", other, "/w")), "{other:?}");
    }
    assert!(!grants.allows_command(&key("/bin/sh", "-lc", "a || b", "/w")));
}

#[test]
fn files_are_granted_one_by_one() {
    let [a, b] = ["/w/a", "/w/b"].map(PathBuf::from);
    let mut grants = Grants::default();
    grants.allow_files([a.clone()]);
    assert!(grants.allows_files(std::slice::from_ref(&a)));
    assert!(!grants.allows_files(&[a, b]));
    assert!(!grants.allows_files(&[]));
}
