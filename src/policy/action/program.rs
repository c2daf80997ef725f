//! The table of programs whose purpose is known.

use std::path::Path;

use super::absolute;
use super::filter::signless;
use super::operand::{is_count, operands, plain_operands, shorten};
use crate::policy::shell::display;
use crate::protocol::CommandAction;

pub(super) const AWK_VALUED: [&str; 4] = ["-F", "-v", "--field-separator", "--assign"];

const RG_VALUED: [&str; 14] = [
    "-g",
    "-m",
    "-t",
    "-A",
    "-B",
    "-C",
    "--glob",
    "--type",
    "--max-count",
    "--context",
    "--max-depth",
    "--iglob",
    "--type-not",
    "--type-add",
];
const AG_VALUED: [&str; 6] =
    ["-g", "-G", "--ignore-dir", "--ignore-file", "--file-search-regex", "--path-to-ignore"];
const GREP_VALUED: [&str; 8] =
    ["-m", "-A", "-B", "-C", "--max-count", "--context", "--after-context", "--before-context"];
const FD_VALUED: [&str; 7] =
    ["-t", "-e", "-E", "--type", "--extension", "--exclude", "--search-path"];
const LS_VALUED: [&str; 7] =
    ["-w", "-I", "--color", "--block-size", "--format", "--time-style", "--quoting-style"];
const EZA_VALUED: [&str; 6] =
    ["-I", "--sort", "--ignore-glob", "--color", "--time", "--time-style"];
const TREE_VALUED: [&str; 6] = ["-I", "-L", "-P", "--filelimit", "--charset", "--sort"];
const DU_VALUED: [&str; 6] =
    ["-d", "-B", "--max-depth", "--exclude", "--time-style", "--block-size"];
const BAT_VALUED: [&str; 7] = [
    "--theme",
    "--language",
    "--style",
    "--terminal-width",
    "--tabs",
    "--line-range",
    "--map-syntax",
];
const LESS_VALUED: [&str; 11] = [
    "-j",
    "-p",
    "-x",
    "-y",
    "-z",
    "-P",
    "--pattern",
    "--prompt",
    "--tabs",
    "--shift",
    "--jump-target",
];
const NL_VALUED: [&str; 5] = ["-b", "-i", "-s", "-v", "-w"];
const PYTHON_LISTINGS: [&str; 7] =
    ["os.walk", "os.listdir", "os.scandir", "glob.glob", "glob.iglob", "pathlib.Path", ".rglob("];

/// The action of one command, if its program is known and used in a known way.
pub(super) fn classify(words: &[String], folder: &Path) -> Option<CommandAction> {
    let [program, arguments @ ..] = words else { return None };
    let command = display(words);
    let list = |path: Option<&str>| {
        Some(CommandAction::ListFiles { command: command.clone(), path: path.map(shorten) })
    };
    let search = |query: Option<&str>, path: Option<&str>| {
        let (query, path) = (query.map(str::to_owned), path.map(shorten));
        Some(CommandAction::Search { command: command.clone(), query, path })
    };
    let first = |valued: &[&str]| operands(arguments, valued).first().copied();
    match program.as_str() {
        "ls" => list(first(&LS_VALUED)),
        "eza" | "exa" => list(first(&EZA_VALUED)),
        "tree" => list(first(&TREE_VALUED)),
        "du" => list(first(&DU_VALUED)),
        "rg" | "rga" | "ripgrep-all" => {
            let found = plain_operands(arguments, &RG_VALUED);
            if arguments.iter().any(|word| word == "--files") {
                list(found.first().copied())
            } else {
                search(found.first().copied(), found.get(1).copied())
            }
        }
        "ag" | "ack" | "pt" => {
            let found = plain_operands(arguments, &AG_VALUED);
            search(found.first().copied(), found.get(1).copied())
        }
        "git" => match arguments.split_first() {
            Some((verb, rest)) if verb == "ls-files" => {
                list(operands(rest, &["--exclude", "--exclude-from"]).first().copied())
            }
            Some((verb, rest)) if verb == "grep" => {
                let (query, path) = grep(rest);
                search(query, path)
            }
            _ => None,
        },
        "grep" | "egrep" | "fgrep" => {
            let (query, path) = grep(arguments);
            search(query, path)
        }
        "find" => {
            let path = arguments
                .iter()
                .find(|word| !word.starts_with(['-', '!', '(', ')']))
                .map(String::as_str);
            match find_query(arguments) {
                Some(query) => search(Some(query), path),
                None => list(path),
            }
        }
        "fd" => match plain_operands(arguments, &FD_VALUED)[..] {
            [] => list(None),
            [path] if path == "." || path == ".." || path.contains(['/', '\\']) => list(Some(path)),
            [query] => search(Some(query), None),
            [query, path, ..] => search(Some(query), Some(path)),
        },
        name if is_python(name) && lists_files(arguments) => list(None),
        _ => {
            let path = read_path(program, arguments)?;
            Some(CommandAction::Read {
                command,
                name: shorten(path),
                path: absolute(folder, path).into(),
            })
        }
    }
}

/// The one file that a command shows.
fn read_path<'a>(program: &str, arguments: &'a [String]) -> Option<&'a str> {
    match program {
        "cat" | "more" => single(arguments, &[]),
        "bat" | "batcat" => single(arguments, &BAT_VALUED),
        "less" => single(arguments, &LESS_VALUED),
        "nl" => plain_operands(arguments, &NL_VALUED).first().copied(),
        "head" | "tail" => head_path(program, arguments),
        "sed" => sed_path(arguments),
        "awk" => plain_operands(arguments, &AWK_VALUED).get(1).copied(),
        _ => None,
    }
}

fn single<'a>(arguments: &'a [String], valued: &[&str]) -> Option<&'a str> {
    match operands(arguments, valued)[..] {
        [path] => Some(path),
        _ => None,
    }
}

fn head_path<'a>(program: &str, arguments: &'a [String]) -> Option<&'a str> {
    let rest = match arguments {
        [path] if !path.starts_with('-') => return Some(path),
        [flag, count, rest @ ..] if flag == "-n" && is_count(signless(program, count)) => rest,
        [flag, rest @ ..]
            if flag.strip_prefix("-n").is_some_and(|count| is_count(signless(program, count))) =>
        {
            rest
        }
        _ => return None,
    };
    rest.iter().map(String::as_str).find(|word| !word.starts_with('-'))
}

/// Whether the arguments are a `sed -n` that prints a range of one file.
pub(super) fn is_sed_read(arguments: &[String]) -> bool {
    sed_path(arguments).is_some()
}

pub(super) fn is_sed_in_place(arguments: &[String]) -> bool {
    arguments.iter().any(|word| {
        let cluster = word.strip_prefix('-').filter(|flags| !flags.starts_with('-'));
        word.starts_with("--in-place") || cluster.is_some_and(|flags| flags.contains('i'))
    })
}

fn sed_path(arguments: &[String]) -> Option<&str> {
    let quiet = arguments.iter().any(|word| word == "-n");
    let prints = arguments.iter().any(|word| is_sed_range(word));
    if !quiet || !prints || is_sed_in_place(arguments) {
        return None;
    }
    let found = plain_operands(arguments, &["-e", "-f", "--expression", "--file"]);
    match found[..] {
        [range, path, ..] if is_sed_range(range) => Some(path),
        [path, ..] if !is_sed_range(path) => Some(path),
        _ => None,
    }
}

/// `Np` or `N,Mp`.
fn is_sed_range(word: &str) -> bool {
    let Some(range) = word.strip_suffix('p') else { return false };
    match range.split_once(',') {
        Some((from, to)) => is_count(from) && is_count(to),
        None => is_count(range),
    }
}

/// The pattern, given by flag or as the first operand, and what is searched.
fn grep(arguments: &[String]) -> (Option<&str>, Option<&str>) {
    let mut given = None;
    let mut found = Vec::new();
    let mut words = arguments.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "--" => {
                found.extend(words);
                break;
            }
            "-e" | "-f" => {
                let pattern = words.next();
                given = given.or(pattern);
            }
            _ if GREP_VALUED.contains(&word) => {
                words.next();
            }
            _ if !word.starts_with('-') => found.push(word),
            _ => {}
        }
    }
    match given {
        Some(_) => (given, found.first().copied()),
        None => (found.first().copied(), found.get(1).copied()),
    }
}

fn find_query(arguments: &[String]) -> Option<&str> {
    let flag = |word: &String| matches!(word.as_str(), "-name" | "-iname" | "-path" | "-regex");
    let index = arguments.iter().position(flag)?;
    arguments.get(index + 1).map(String::as_str)
}

fn is_python(program: &str) -> bool {
    let Some(version) = program.strip_prefix("python") else { return false };
    matches!(version, "" | "2" | "3") || version.starts_with("2.") || version.starts_with("3.")
}

fn lists_files(arguments: &[String]) -> bool {
    let script =
        arguments.iter().position(|word| word == "-c").and_then(|index| arguments.get(index + 1));
    script.is_some_and(|script| PYTHON_LISTINGS.iter().any(|listing| script.contains(listing)))
}
