//! The statements of a `.rules` file: calls of the three built-ins with literal arguments, and assignments of literals.
//!
//! The files are Starlark in principle. Loops, functions and imports are refused, with the place.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::value::{Cursor, LineEnds, Located, Place, Value};
use super::{PrefixRule, Problem, Rules, Verdict};
use crate::policy::shell::program_name;

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn into_problem(self, path: PathBuf) -> Problem {
        let details = format!("{}:{}:{}: {}", path.display(), self.line, self.column, self.message);
        let summary = "Error parsing rules; custom rules not applied.".to_owned();
        Problem { path, line: self.line, column: self.column, summary, details }
    }
}

pub(super) struct File {
    pub(super) rules: Rules,
    pub(super) examples: Vec<Example>,
}

/// A command that a rule claims to match, or not to.
pub(super) struct Example {
    pub(super) rule: usize,
    pub(super) words: Vec<String>,
    pub(super) should_match: bool,
    pub(super) line: usize,
    pub(super) column: usize,
}

pub(super) fn parse(text: &str) -> Result<File, Fault> {
    let mut cursor = Cursor::new(text);
    let mut file = File { rules: Rules::default(), examples: Vec::new() };
    let mut names: HashMap<String, Value> = HashMap::new();
    loop {
        cursor.skip_blanks(LineEnds::Skipped);
        if cursor.peek().is_none() {
            return Ok(file);
        }
        let place = cursor.place();
        if place.column != 1 && cursor.peek() != Some(';') {
            return Err(place.fault("unexpected indentation"));
        }
        statement(&mut cursor, &mut file, &mut names)?;
        cursor.skip_blanks(LineEnds::Kept);
        while cursor.peek() == Some(';') {
            cursor.eat(';');
            cursor.skip_blanks(LineEnds::Kept);
            if cursor.peek().is_some_and(|c| c != '\n') {
                statement(&mut cursor, &mut file, &mut names)?;
                cursor.skip_blanks(LineEnds::Kept);
            }
        }
        if cursor.peek().is_some_and(|c| c != '\n') {
            return Err(cursor.unexpected("the end of the line"));
        }
    }
}

fn statement(
    cursor: &mut Cursor<'_>,
    file: &mut File,
    names: &mut HashMap<String, Value>,
) -> Result<(), Fault> {
    if let Some(name) = cursor.assigned_name() {
        let value = cursor.expression(names, LineEnds::Kept)?.value;
        names.insert(name.to_owned(), value);
        return Ok(());
    }
    let place = cursor.place();
    if matches!(cursor.peek(), Some('"' | '\'')) {
        // A string that stands alone is documentation.
        return cursor.expression(names, LineEnds::Kept).map(drop);
    }
    let Some(name) = cursor.name() else { return Err(cursor.unexpected("a rule")) };
    let parameters: &[&str] = match name {
        "prefix_rule" => &["pattern", "decision", "match", "not_match", "justification"],
        "host_executable" => &["name", "paths"],
        "network_rule" => &["host", "protocol", "decision", "justification"],
        "def" | "for" | "if" | "load" | "return" | "pass" | "while" | "import" => {
            return Err(place.fault(format!("`{name}` is not supported in rules files")));
        }
        _ => return Err(place.fault(format!("unknown rule `{name}`"))),
    };
    let mut call = Call { place, arguments: arguments(cursor, names, parameters)? };
    match name {
        "prefix_rule" => prefix_rule(&mut call, file),
        "host_executable" => host_executable(&mut call, file),
        _ => network_rule(&mut call),
    }
}

/// The arguments of a call by name.
fn arguments(
    cursor: &mut Cursor<'_>,
    names: &HashMap<String, Value>,
    parameters: &[&str],
) -> Result<HashMap<String, Located>, Fault> {
    cursor.expect('(')?;
    let mut found = HashMap::new();
    let mut named = false;
    while !cursor.eat(')') {
        let place = cursor.place();
        let name = match cursor.assigned_name() {
            Some(name) if parameters.contains(&name) => {
                named = true;
                name
            }
            Some(name) => return Err(place.fault(format!("unknown argument `{name}`"))),
            None if named => {
                return Err(place.fault("an argument without a name follows one with a name"));
            }
            None => match parameters.get(found.len()) {
                Some(name) => name,
                None => return Err(place.fault("too many arguments")),
            },
        };
        let value = cursor.expression(names, LineEnds::Skipped)?;
        if found.insert(name.to_owned(), value).is_some() {
            return Err(place.fault(format!("`{name}` is given twice")));
        }
        if !cursor.eat(',') && cursor.peek() != Some(')') {
            return Err(cursor.unexpected("`,` or `)`"));
        }
    }
    Ok(found)
}

struct Call {
    place: Place,
    arguments: HashMap<String, Located>,
}

impl Call {
    fn optional(&mut self, name: &str) -> Option<Located> {
        self.arguments.remove(name)
    }

    fn required(&mut self, name: &str) -> Result<Located, Fault> {
        self.optional(name).ok_or_else(|| self.place.fault(format!("`{name}` is missing")))
    }

    /// Text that may be left out or `None`.
    fn justification(&mut self) -> Result<Option<String>, Fault> {
        match self.optional("justification") {
            None | Some(Located { value: Value::Nothing, .. }) => Ok(None),
            Some(located) => {
                let place = located.place;
                let text = text(located)?;
                if text.trim().is_empty() {
                    Err(place.fault("the justification is empty"))
                } else {
                    Ok(Some(text))
                }
            }
        }
    }
}

fn prefix_rule(call: &mut Call, file: &mut File) -> Result<(), Fault> {
    let located = call.required("pattern")?;
    let place = located.place;
    let pattern = list(located)?.into_iter().map(alternatives).collect::<Result<Vec<_>, _>>()?;
    if pattern.is_empty() {
        return Err(place.fault("the pattern is empty"));
    }
    let verdict = match call.optional("decision") {
        None => Verdict::Allow,
        Some(located) => {
            let place = located.place;
            match text(located)?.as_str() {
                "allow" => Verdict::Allow,
                "prompt" => Verdict::Prompt,
                "forbidden" => Verdict::Forbidden,
                other => return Err(place.fault(format!("unknown decision `{other}`"))),
            }
        }
    };
    let rule = file.rules.prefixes.len();
    for (name, should_match) in [("match", true), ("not_match", false)] {
        let Some(located) = call.optional(name) else { continue };
        for located in list(located)? {
            let Place { line, column } = located.place;
            file.examples.push(Example {
                rule,
                words: example(located)?,
                should_match,
                line,
                column,
            });
        }
    }
    let justification = call.justification()?;
    file.rules.prefixes.push(PrefixRule { pattern, verdict, justification });
    Ok(())
}

/// One element of a pattern: a word or the words it may be.
fn alternatives(element: Located) -> Result<Vec<String>, Fault> {
    match element.value {
        Value::Text(word) => Ok(vec![word]),
        Value::List(words) if words.is_empty() => {
            Err(element.place.fault("there are no alternatives"))
        }
        Value::List(words) => words.into_iter().map(text).collect(),
        other @ (Value::Number(_) | Value::Truth(_) | Value::Nothing) => Err(element
            .place
            .fault(format!("expected a word or a list of words, found {}", other.kind()))),
    }
}

/// The words of an example, which may be given as a line for the shell.
fn example(located: Located) -> Result<Vec<String>, Fault> {
    let place = located.place;
    let words = match located.value {
        Value::Text(line) => {
            shlex::split(&line).ok_or_else(|| place.fault("the example is no line for a shell"))?
        }
        Value::List(words) => words.into_iter().map(text).collect::<Result<Vec<_>, _>>()?,
        other @ (Value::Number(_) | Value::Truth(_) | Value::Nothing) => {
            return Err(place.fault(format!("expected a command, found {}", other.kind())));
        }
    };
    if words.is_empty() { Err(place.fault("the example is empty")) } else { Ok(words) }
}

fn host_executable(call: &mut Call, file: &mut File) -> Result<(), Fault> {
    let located = call.required("name")?;
    let place = located.place;
    let name = text(located)?;
    if name.is_empty() || name.contains('/') {
        return Err(place.fault("the name must be a program's name without a folder"));
    }
    let mut paths = Vec::new();
    for located in list(call.required("paths")?)? {
        let place = located.place;
        let path = text(located)?;
        if !Path::new(&path).is_absolute() {
            return Err(place.fault(format!("the path `{path}` is not absolute")));
        }
        if program_name(&path) != name {
            return Err(place.fault(format!("the path `{path}` does not end in `{name}`")));
        }
        paths.push(path);
    }
    file.rules.executables.insert(name, paths);
    Ok(())
}

/// A rule about a host has to be well-formed; nothing is done with it.
fn network_rule(call: &mut Call) -> Result<(), Fault> {
    let located = call.required("host")?;
    let place = located.place;
    let host = text(located)?;
    if host.trim().is_empty() || host.contains('*') {
        return Err(place.fault("the host must be a name without wildcards"));
    }
    let located = call.required("protocol")?;
    let place = located.place;
    let protocol = text(located)?;
    if !matches!(protocol.as_str(), "http" | "https" | "socks5_tcp" | "socks5_udp") {
        return Err(place.fault(format!("unknown protocol `{protocol}`")));
    }
    let located = call.required("decision")?;
    let place = located.place;
    let decision = text(located)?;
    if !matches!(decision.as_str(), "allow" | "prompt" | "deny") {
        return Err(place.fault(format!("unknown decision `{decision}`")));
    }
    call.justification().map(drop)
}

fn text(located: Located) -> Result<String, Fault> {
    match located.value {
        Value::Text(text) => Ok(text),
        other @ (Value::Number(_) | Value::Truth(_) | Value::Nothing | Value::List(_)) => {
            Err(located.place.fault(format!("expected a string, found {}", other.kind())))
        }
    }
}

fn list(located: Located) -> Result<Vec<Located>, Fault> {
    match located.value {
        Value::List(elements) => Ok(elements),
        other @ (Value::Text(_) | Value::Number(_) | Value::Truth(_) | Value::Nothing) => {
            Err(located.place.fault(format!("expected a list, found {}", other.kind())))
        }
    }
}
