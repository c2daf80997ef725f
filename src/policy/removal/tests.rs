//! Which commands count as removing files by force.

use super::is_forced_removal;
use crate::policy::shell::plain_commands;

/// As a shell would be given the script: plain commands on their own, anything else as a whole.
fn removes(script: &str) -> bool {
    match plain_commands(script) {
        Some(commands) => commands.iter().any(|words| is_forced_removal(words)),
        None => is_forced_removal(&["/bin/bash".to_owned(), "-lc".to_owned(), script.to_owned()]),
    }
}

#[test]
fn seen() {
    for script in [
        "rm -f x",
        "rm -rf x",
        "rm -ivf x",
        "rm x -f",
        "rm -r --force x",
        "rm -rf -- x",
        "rm '-f' x",
        "/bin/rm -f x",
        "'rm' -f x",
        "sudo rm -f x",
        "sudo sudo env A=1 rm -f x",
        "env -i A=1 rm -f x",
        "A=$(b) B='c d' rm -f x",
        "sh -c 'rm -f x'",
        "sudo bash -lc \"rm -f x\"",
        "bash -c \"bash -c 'sudo rm -f x'\"",
        "trap 'rm -f x' EXIT",
        "trap -- 'a; rm -f $x' 0",
        "a && rm -f x",
        "rm -f $x > y &",
        "if a; then rm -f x; fi",
        "for i in x; do rm -f $i; done",
        "case a in a) rm -f x;; esac",
        "(rm -f x)",
        "f() { rm -f x; }",
        "! rm -f x",
        "a \"$(b `rm -f x`)\"",
        "a <<E\n$(rm -f x)\nE",
        "arr=($(rm -f x))",
    ] {
        assert!(removes(script), "{script:?}");
    }
}

#[test]
fn not_seen() {
    for script in [
        "rm x",
        "rm -r x",
        "rm -- -f",
        "rm --f x",
        "rm -F x",
        "\\rm -f x",
        "rm \\-f x",
        "$rm -f x",
        "command rm -f x",
        "xargs rm -f",
        "find . -exec rm -f x +",
        "eval 'rm -f x'",
        "timeout 5 rm -f x",
        "git rm -f x",
        "sudo -u me rm -f x",
        "env -u A rm -f x",
        "bash -x -c 'rm -f x'",
        "bash -c \"rm -f $x\"",
        "echo 'rm -f x'",
        "echo a # rm -f x",
        "cat <<'E'\n$(rm -f x)\nrm -f x\nE",
        "x='rm -f x'",
        "arr=(rm -f x)",
        "git reset --hard",
    ] {
        assert!(!removes(script), "{script:?}");
    }
}

#[test]
fn endless_nesting_counts_as_removal() {
    // Each level doubles the escapes, which is how deep nesting is written.
    let mut script = "true".to_owned();
    for _ in 0..12 {
        script = format!("bash -c {}", crate::policy::shell::display(&[script]));
    }
    assert!(is_forced_removal(&["sh".to_owned(), "-c".to_owned(), script]));
}
