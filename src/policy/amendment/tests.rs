//! Which rules are offered to the user, and how accepted ones are stored.

use std::fs;

use super::{default_rules, propose, save};
use crate::policy::rules::Rules;
use crate::policy::shell::plain_commands;

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

#[track_caller]
fn check(script: &str, suggested: &str, expected: &str) {
    let commands = plain_commands(script).unwrap();
    let proposed = propose(&words(suggested), &commands, &commands[0], &Rules::default());
    assert_eq!(proposed, Some(words(expected)), "{script:?} {suggested:?}");
}

#[test]
fn suggestions_that_settle_the_question_are_taken() {
    check("touch x", "touch", "touch");
    check("touch x; touch y", "touch", "touch");
    check("/bin/touch x", "touch", "touch");
    check("git push x", "git push", "git push");
    check("npm run build", "npm run build", "npm run build");
    check("rm -f x", "rm -f", "rm -f");
}

#[test]
fn other_suggestions_are_not() {
    check("touch x", "", "touch x");
    check("touch x && ls", "touch", "touch x");
    check("touch x", "touch y", "touch x");
    check("touch x", "/bin/touch", "touch x");
    for broad in [
        "python3",
        "bash -lc",
        "/bin/sh -c",
        "git",
        "rm",
        "env",
        "sudo",
        "npm run",
        "yarn run",
        "node -e",
    ] {
        check(&format!("{broad} x"), broad, &format!("{broad} x"));
    }
}

#[test]
fn rules_in_force_count() {
    let mut rules = Rules::default();
    rules.allow(&words("ls"));
    let commands = plain_commands("ls; touch x").unwrap();
    assert_eq!(propose(&words("touch"), &commands, &commands[1], &rules), Some(words("touch")));
}

#[test]
fn accepted_prefixes_are_appended_once() {
    let home = tempfile::tempdir().unwrap();
    let file = default_rules(home.path());
    save(home.path(), &words("touch f")).unwrap();
    save(home.path(), &words("touch f")).unwrap();
    let first = "prefix_rule(pattern=[\"touch\", \"f\"], decision=\"allow\")\n";
    assert_eq!(fs::read_to_string(&file).unwrap(), first);
    fs::write(&file, "# mine").unwrap();
    save(home.path(), &["a \"b\"\n\\é".to_owned()]).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(
        text,
        "# mine\nprefix_rule(pattern=[\"a \\\"b\\\"\\n\\\\é\"], decision=\"allow\")\n"
    );
    let (rules, problem) = Rules::load(&[home.path().join("rules")]);
    assert_eq!(problem, None);
    assert_eq!(rules.matches(&["a \"b\"\n\\é".to_owned(), "c".to_owned()]).len(), 1);
    assert!(save(home.path(), &[]).is_err());
}
