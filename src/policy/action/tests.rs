//! What commands are told as: reads, listings, searches, or unknown.

use std::path::Path;

use super::command_actions;
use crate::protocol::CommandAction;

fn text(action: &CommandAction) -> String {
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    match action {
        CommandAction::Read { command, name, path } => {
            format!("read {name} {path} <{command}>")
        }
        CommandAction::ListFiles { command, path } => format!("list {} <{command}>", shown(path)),
        CommandAction::Search { command, query, path } => {
            format!("search {} {} <{command}>", shown(query), shown(path))
        }
        CommandAction::Unknown { command } => format!("unknown <{command}>"),
    }
}

fn actions(script: &str) -> Vec<String> {
    let argv = ["/bin/bash", "-lc", script].map(str::to_owned);
    command_actions(&argv, Path::new("/w")).iter().map(text).collect()
}

/// One action, whose command is the script as written.
#[track_caller]
fn same(script: &str, action: &str) {
    assert_eq!(actions(script), [format!("{action} <{script}>")], "{script:?}");
}

#[track_caller]
fn check(script: &str, expected: &[&str]) {
    assert_eq!(actions(script), expected, "{script:?}");
}

#[track_caller]
fn unknown(scripts: &[&str]) {
    for script in scripts {
        same(script, "unknown");
    }
}

#[test]
fn listings() {
    same("ls", "list -");
    same("ls -la src/x", "list x");
    same("ls -I '*.o' -w 80 x y", "list x");
    same("ls -- -x", "list -x");
    same("tree -L 2 x", "list x");
    same("eza -I y x", "list x");
    same("du -d 1 x", "list x");
    same("rg --files -g '*.rs' x", "list x");
    same("git ls-files --exclude y x", "list x");
    same("find . -type f", "list .");
    same("find -maxdepth 1", "list 1");
    same("fd", "list -");
    same("fd ..", "list ..");
    same("fd a/b", "list b");
    same("python3 -c 'import os; os.listdir()'", "list -");
    same("python3.11 -B -c 'x.rglob(1)'", "list -");
}

#[test]
fn searches() {
    same("rg -n TODO a/b", "search TODO b");
    same("rg -A 3 TODO", "search TODO -");
    same("rg -n -- -x b", "search b -");
    same("rg", "search - -");
    same("ag --ignore-dir x TODO y", "search TODO y");
    same("grep -rn TODO . x", "search TODO .");
    same("grep -A 3 x -e TODO", "search TODO x");
    same("grep -- -x y", "search -x y");
    same("egrep -f pats x", "search pats x");
    same("git grep -n TODO -- x", "search TODO x");
    same("find x -iname 'a b' -type f", "search a b x");
    same("find . -regex '.*'", "search .* .");
    same("fd main src", "search main src");
    same("fd -e rs main", "search main -");
    same("rg x src/build", "search x src/build");
    same("rg x /a/node_modules/dist/", "search x a");
}

#[test]
fn reads() {
    same("cat a/b.rs", "read b.rs /w/a/b.rs");
    same("cat -n -- -a", "read -a /w/-a");
    same("cat /x/src/", "read x /x/src/");
    same("cat ../a", "read a /a");
    same("bat --theme x a", "read a /w/a");
    same("less -p x a", "read a /w/a");
    same("nl -ba -w 3 a", "read a /w/a");
    same("head -n 5 a b", "read a /w/a");
    same("tail -n+5 a", "read a /w/a");
    check("sed -n 1,5p a", &["read a /w/a <sed -n '1,5p' a>"]);
    same("sed -n -e 5p a", "read a /w/a");
    same("awk -F : '{print $1}' a", "read a /w/a");
    check("cat 'a b'  \"c\" ", &["unknown <cat 'a b'  \"c\" >"]);
}

#[test]
fn what_is_not_understood() {
    unknown(&[
        "cat a b",
        "cat",
        "cat -",
        "head -5 a",
        "head -n x a",
        "tail +5 a",
        "tail -f a",
        "nl -- -a",
        "awk p",
    ]);
    unknown(&[
        "sed -i s/a/b/ a",
        "sed -n p a",
        "sed -n 5p",
        "sed -n 5p a -i",
        "python -c 'print(1)'",
        "pythonw -c 'os.walk'",
    ]);
    unknown(&[
        "foo",
        "ls > f",
        "cat $a",
        "cat *",
        "(ls)",
        "A=b ls",
        "ls # c",
        "ls &",
        "/bin/ls",
        "sudo ls",
        "bash -c ls",
    ]);
    unknown(&[
        "echo hi",
        "true",
        "ls && echo hi",
        "ls; foo",
        "wc -l a",
        "wc | sort",
        " foo ",
        "git status",
        "cd x && foo",
    ]);
}

#[test]
fn helpers_are_dropped() {
    for helper in [
        "wc -l",
        "sort",
        "tee x",
        "awk '{print $1}'",
        "head",
        "head -5",
        "head -c 5",
        "tail -n +5",
        "sed s/a/b/",
    ] {
        check(&format!("ls | {helper}"), &["list - <ls>"]);
    }
    for helper in ["xargs rm", "xargs sed -n 1p", "xargs -d x sed -i y", "nl -ba"] {
        check(&format!("ls | {helper}"), &["list - <ls>"]);
    }
    unknown(&[
        "ls | xargs sed -i x",
        "ls | xargs -n1 perl -pi x",
        "ls | xargs -I {} x",
        "ls | xargs rg --replace x y",
    ]);
    unknown(&["ls | head -n x", "ls | head -q -v", "ls | nl -s x"]);
    check("ls | head a", &["list - <ls>", "read a /w/a <head a>"]);
    check("true && ls || true", &["list - <ls>"]);
    check("echo a; echo b; ls", &["list - <ls>"]);
    check("ls; ls; ls x; ls", &["list - <ls>", "list x <ls x>", "list - <ls>"]);
    check("true; true", &[]);
}

#[test]
fn folders_apply_to_reads() {
    check("cd x", &[]);
    check("cd x && cat a", &["read a /w/x/a <cat a>"]);
    check("cat a; cd x; cd -P y; cat b", &["read a /w/a <cat a>", "read b /w/x/y/b <cat b>"]);
    check("cd -- -x && cat a", &["read a /w/-x/a <cat a>"]);
    check("cd - && cat a", &["read a /w/a <cat a>"]);
    check("cd x && cat /a", &["read a /a <cat /a>"]);
    check("cd x && ls y", &["list y <ls y>"]);
}

#[test]
fn reading_through_sed_shows_all() {
    same("cat a | sed -n 1,5p", "read a /w/a");
    same("cd x && nl -ba 'a' | sed -n '1,5p' | head", "read a /w/x/a");
    check("cat a || sed -n 5p", &["read a /w/a <cat a>"]);
    check("cat a | sed -n 5p && ls", &["read a /w/a <cat a>", "list - <ls>"]);
}

#[test]
fn argv_without_a_shell() {
    let argv = ["cat".to_owned(), "a b".to_owned()];
    let found: Vec<String> = command_actions(&argv, Path::new("/w")).iter().map(text).collect();
    assert_eq!(found, ["read a b /w/a b <cat 'a b'>"]);
}
