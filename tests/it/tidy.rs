//! The shape of the sources: sizes, module docs, lints, and which layer may know which.

use std::fs;
use std::path::{Path, PathBuf};

/// The modules of each layer, lowest first.
const LAYERS: [&[&str]; 7] = [
    &["util"],
    &["protocol"],
    &["exec", "sandbox", "patch", "workspace", "model", "mcp", "auth", "config", "store", "policy"],
    &["tools", "thread", "threads", "extension"],
    &["server"],
    &["transport"],
    &["frontend", "schema", "cli", "logging", "telemetry", "main"],
];

/// What modules of the layer of resources may know of each other.
const SIDEWAYS: [(&str, &str); 5] =
    [("exec", "sandbox"), ("model", "auth"), ("model", "exec"), ("mcp", "exec"), ("mcp", "auth")];

const LONGEST_FILE: usize = 800;
const LONGEST_FUNCTION: usize = 100;

struct Source {
    /// The path below `src`.
    path: String,
    text: String,
}

impl Source {
    /// The top-level module.
    fn module(&self) -> &str {
        self.path.split(['/', '.']).next().unwrap()
    }

    fn is_test(&self) -> bool {
        self.path.contains("tests/") || self.path.ends_with("tests.rs")
    }
}

fn sources() -> Vec<Source> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&root, &mut found);
    found.sort();
    let read = |path: PathBuf| Source {
        path: path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(),
        text: fs::read_to_string(&path).unwrap(),
    };
    found.into_iter().map(read).collect()
}

/// Checks every source and lists all problems at once.
#[track_caller]
fn check(problems: impl Fn(&Source) -> Vec<String>) {
    let mut found = Vec::new();
    for source in sources() {
        found.extend(
            problems(&source).into_iter().map(|text| format!("src/{}: {text}", source.path)),
        );
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn files_are_short() {
    check(|source| {
        let lines = source.text.lines().count();
        let long = lines > LONGEST_FILE && !source.is_test();
        long.then(|| format!("{lines} lines")).into_iter().collect()
    });
}

#[test]
fn files_say_what_they_are_for() {
    check(|source| {
        let silent = !source.text.starts_with("//!");
        silent.then(|| "does not start with `//!`".to_owned()).into_iter().collect()
    });
}

#[test]
fn lints_are_not_silenced() {
    check(|source| {
        let lines = source.text.lines().enumerate();
        let allows =
            lines.filter(|(_, line)| line.contains("#[allow(") || line.contains("#![allow("));
        allows.map(|(at, _)| format!("line {}: expect it, with a reason", at + 1)).collect()
    });
}

#[test]
fn functions_are_short() {
    check(|source| {
        let long =
            functions(&source.text).into_iter().filter(|(_, _, lines)| *lines > LONGEST_FUNCTION);
        let tell = |(name, at, lines)| format!("line {at}: `{name}` has {lines} lines");
        if source.is_test() { Vec::new() } else { long.map(tell).collect() }
    });
}

/// Name, first line and length of every function of a formatted source.
fn functions(text: &str) -> Vec<(String, usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = line.len() - line.trim_start().len();
        let Some(open) = lines[at..].iter().position(|l| l.ends_with(['{', ';', '}'])) else {
            continue;
        };
        if !lines[at + open].ends_with('{') {
            continue;
        }
        let close = |l: &&str| {
            l.starts_with('}') && indent == 0
                || l.get(..=indent) == Some(&format!("{}}}", " ".repeat(indent)))
        };
        if let Some(length) = lines[at + open + 1..].iter().position(close) {
            found.push((name, at + 1, open + length + 2));
        }
    }
    found
}

fn function_name(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let qualifiers =
        ["pub", "pub(crate)", "pub(super)", "const", "async", "unsafe", "extern", "\"C\""];
    let word = words.find(|word| !qualifiers.contains(word) && !word.starts_with("pub(in"))?;
    let name = words.next().filter(|_| word == "fn")?;
    Some(name.split(['(', '<']).next()?.to_owned())
}

#[test]
fn functions_are_found() {
    let text = "pub(crate) async fn a(\n    x: u8,\n) -> u8 {\n    x\n}\n\nimpl X {\n    fn b<T>() {\n        c();\n    }\n    fn c();\n    fn d() {}\n}\n";
    assert_eq!(functions(text), [("a".to_owned(), 1, 5), ("b".to_owned(), 8, 3)]);
}

#[test]
fn modules_have_a_layer() {
    check(|source| {
        let homeless = layer(source.module()).is_none();
        homeless.then(|| format!("`{}` is in no layer", source.module())).into_iter().collect()
    });
}

#[test]
fn layers_know_only_what_is_below() {
    check(|source| {
        // Tests beside the code may go further: what they build need not be what the module may know.
        if source.is_test() {
            return Vec::new();
        }
        let from = source.module();
        let wrong = used(&source.text).into_iter().filter(|(_, to)| !allowed(from, to));
        wrong.map(|(at, to)| format!("line {at}: `{from}` must not know `{to}`")).collect()
    });
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

fn allowed(from: &str, to: &str) -> bool {
    if from == to {
        return true;
    }
    match (layer(from), layer(to)) {
        (Some(6), Some(_)) => true,
        (Some(5), Some(to)) => to <= 1,
        (Some(4), Some(to)) => to <= 3 || to == 5,
        (Some(3), Some(to)) => to <= 3,
        (Some(2), Some(2)) => to == "config" || SIDEWAYS.contains(&(from, to)),
        (Some(from), Some(to)) => to < from,
        _ => false,
    }
}

/// Line and top-level module of every path that starts with `crate::`; comments, macros and the crate's own constants
/// do not count.
fn used(text: &str) -> Vec<(usize, String)> {
    let code: Vec<&str> = text
        .lines()
        .map(|line| if line.trim_start().starts_with("//") { "" } else { line })
        .collect();
    let mut found = Vec::new();
    for (at, line) in code.iter().enumerate() {
        for (place, _) in line.match_indices("crate::") {
            let rest = [&line[place + "crate::".len()..], &code[at + 1..].join(" ")].join(" ");
            let names = if rest.starts_with('{') { grouped(&rest) } else { vec![rest.as_str()] };
            for name in names {
                let end =
                    name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
                if !name[end..].starts_with('!') && !name.starts_with(char::is_uppercase) {
                    found.push((at + 1, name[..end].to_owned()));
                }
            }
        }
    }
    found
}

/// The members of a group `{a::b, c::{d, e}}`, as far as they are its own.
fn grouped(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut found) = (0, 1, Vec::new());
    for (at, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || (depth == 1 && character == ',') {
            found.push(text[start..at].trim());
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

#[test]
fn used_modules_are_found() {
    let text = "use crate::util::x;\n// crate::nothing\nlet y = crate::model::Y; crate::never!();\nuse crate::{\n    a::{b, c},\n    d,\n};\n";
    let names = |name: &str, at: usize| (at, name.to_owned());
    assert_eq!(used(text), [names("util", 1), names("model", 3), names("a", 4), names("d", 4)]);
    assert!(
        allowed("thread", "store") && allowed("policy", "config") && allowed("server", "transport")
    );
    assert!(
        !allowed("store", "thread")
            && !allowed("store", "model")
            && !allowed("transport", "thread")
    );
}
