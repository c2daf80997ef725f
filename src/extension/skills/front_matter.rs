//! The part of YAML that people write in front matter: nested mappings and lists by indentation, plain and quoted
//! texts, texts of several lines. Everything else (flow collections, anchors, tags) is taken as text, so that one
//! exotic member does not cost the whole.

use serde_json::{Map, Value};

/// The front matter of a document: what stands between its first line `---` and the next one.
pub(super) fn of_document(text: &str) -> Option<&str> {
    let text = text.trim_start_matches('\u{feff}');
    let (first, rest) = text.split_once('\n')?;
    if first.trim_end() != "---" {
        return None;
    }
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" {
            return Some(&rest[..at]);
        }
        at += line.len();
    }
    None
}

/// The value of a text; the error names the line that is not understood.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    let mut lines = Lines { all: text.lines().collect(), at: 0 };
    match lines.peek() {
        None => Ok(Value::Null),
        Some((indent, _)) => {
            let value = lines.node(indent)?;
            match lines.peek() {
                None => Ok(value),
                Some(_) => Err(lines.problem()),
            }
        }
    }
}

struct Lines<'a> {
    all: Vec<&'a str>,
    at: usize,
}

impl<'a> Lines<'a> {
    /// The next line that says something: its indentation and its text.
    fn peek(&mut self) -> Option<(usize, &'a str)> {
        loop {
            let line = self.all.get(self.at)?;
            let text = line.trim();
            if !text.is_empty() && !text.starts_with('#') && text != "---" {
                return Some((indent(line), text));
            }
            self.at += 1;
        }
    }

    fn problem(&self) -> String {
        format!("line {} of the front matter is not understood", self.at + 1)
    }

    /// The mapping, list or text whose lines have this indentation.
    fn node(&mut self, indent: usize) -> Result<Value, String> {
        match self.peek() {
            Some((at, text)) if at == indent && is_item(text) => self.list(indent),
            Some(_) | None => self.mapping(indent),
        }
    }

    fn list(&mut self, indent: usize) -> Result<Value, String> {
        let mut items = Vec::new();
        while let Some((at, text)) = self.peek() {
            if at != indent || !is_item(text) {
                break;
            }
            let content = text[1..].trim_start();
            if content.is_empty() {
                self.at += 1;
                items.push(self.below(indent)?);
            } else if split_key(content).is_some() {
                // A mapping whose first member stands behind the dash: its members are indented like that one.
                let column = indent + (text.len() - content.len());
                let line = format!("{}{content}", " ".repeat(column));
                items.push(self.with_line(&line, column)?);
            } else {
                self.at += 1;
                items.push(self.scalar(content, indent));
            }
        }
        Ok(Value::Array(items))
    }

    /// The mapping that begins with this line in place of the current one.
    fn with_line(&mut self, line: &str, indent: usize) -> Result<Value, String> {
        let mut inner = vec![line];
        inner.extend(&self.all[self.at + 1..]);
        let mut lines = Lines { all: inner, at: 0 };
        let value = lines.mapping(indent).map_err(|_| self.problem())?;
        self.at += lines.at;
        Ok(value)
    }

    fn mapping(&mut self, indent: usize) -> Result<Value, String> {
        let mut members = Map::new();
        while let Some((at, text)) = self.peek() {
            if at < indent || (at == indent && is_item(text)) {
                break;
            }
            let Some((key, rest)) = split_key(text).filter(|_| at == indent) else {
                return Err(self.problem());
            };
            self.at += 1;
            let value = match rest {
                "" => self.below(indent)?,
                _ if rest.starts_with(['|', '>']) => self.block(rest, indent),
                _ => self.scalar(rest, indent),
            };
            members.insert(key.to_owned(), value);
        }
        Ok(Value::Object(members))
    }

    /// What belongs to a key or dash that has nothing behind it.
    fn below(&mut self, indent: usize) -> Result<Value, String> {
        match self.peek() {
            Some((at, _)) if at > indent => self.node(at),
            // A list may stand as far left as its key.
            Some((at, text)) if at == indent && is_item(text) => self.list(indent),
            Some(_) | None => Ok(Value::Null),
        }
    }

    /// A text that begins on this line and goes on in lines that are indented further.
    fn scalar(&mut self, first: &str, indent: usize) -> Value {
        let mut text = without_comment(first).to_owned();
        while let Some(line) = self.all.get(self.at).filter(|line| self::indent(line) > indent) {
            text.push(' ');
            text.push_str(without_comment(line.trim()));
            self.at += 1;
        }
        unquoted(text.trim())
    }

    /// `|` keeps line breaks, `>` does not.
    fn block(&mut self, header: &str, indent: usize) -> Value {
        let mut lines = Vec::new();
        while let Some(line) = self.all.get(self.at) {
            if !line.trim().is_empty() && self::indent(line) <= indent {
                break;
            }
            lines.push(*line);
            self.at += 1;
        }
        let margin =
            lines.iter().filter(|line| !line.trim().is_empty()).map(|line| self::indent(line));
        let margin = margin.min().unwrap_or(0);
        let lines: Vec<&str> = lines.iter().map(|line| line.get(margin..).unwrap_or("")).collect();
        let glue = if header.starts_with('|') { "\n" } else { " " };
        Value::String(lines.join(glue).trim_end().to_owned())
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

fn is_item(text: &str) -> bool {
    text == "-" || text.starts_with("- ")
}

/// `key: rest`, the key perhaps in quotes.
fn split_key(text: &str) -> Option<(&str, &str)> {
    let (key, rest) = match text.strip_prefix(['"', '\'']) {
        Some(quoted) => {
            let (key, rest) = quoted.split_once(&text[..1])?;
            (key, rest.trim_start().strip_prefix(':')?)
        }
        None => match text.split_once(": ") {
            Some((key, rest)) => (key, rest),
            None => (text.strip_suffix(':')?, ""),
        },
    };
    Some((key.trim(), without_comment(rest.trim())))
}

/// The text before ` #`, unless it is quoted.
fn without_comment(text: &str) -> &str {
    match text {
        _ if text.starts_with('#') => "",
        _ if text.starts_with(['"', '\'']) => text,
        _ => text.split_once(" #").map_or(text, |(text, _)| text.trim_end()),
    }
}

fn unquoted(text: &str) -> Value {
    if let Some(text) = text.strip_prefix('"') {
        return Value::String(escaped(text));
    }
    if let Some(text) = text.strip_prefix('\'') {
        let whole = text.replace("''", "\u{0}");
        let end = whole.find('\'').unwrap_or(whole.len());
        return Value::String(whole[..end].replace('\u{0}', "'"));
    }
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "" | "~" | "null" => Value::Null,
        _ => Value::String(text.to_owned()),
    }
}

/// What stands before the closing double quote.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some(other) => out.push(other),
                None => {}
            },
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, wanted: Value) {
        assert_eq!(parse(text), Ok(wanted), "{text}");
    }

    #[test]
    fn texts() {
        check("a: b", json!({"a": "b"}));
        check("a: 'it''s # no comment'", json!({"a": "it's # no comment"}));
        check("a: \"x\\\"y\\n\" # comment", json!({"a": "x\"y\n"}));
        check("a: b: c", json!({"a": "b: c"}));
        check(
            "a: one # comment\n\n# comment\nb: true\nc:\nd: ~",
            json!({"a": "one", "b": true, "c": null, "d": null}),
        );
        check("'a b': x", json!({"a b": "x"}));
        check("a: one\n  two\n  three\nb: c", json!({"a": "one two three", "b": "c"}));
        check("a: [x, y]", json!({"a": "[x, y]"}));
        check("a: ä$`", json!({"a": "ä$`"}));
    }

    #[test]
    fn blocks() {
        check(
            "a: |\n  one\n    two\n\n  three\nb: c",
            json!({"a": "one\n  two\n\nthree", "b": "c"}),
        );
        check("a: >-\n  one\n  two\nb: c", json!({"a": "one two", "b": "c"}));
    }

    #[test]
    fn nesting() {
        check(
            "a:\n  b:\n    c: d\n  e: f\ng: h",
            json!({"a": {"b": {"c": "d"}, "e": "f"}, "g": "h"}),
        );
        check("a:\n- x\n- y\nb: c", json!({"a": ["x", "y"], "b": "c"}));
        check(
            "tools:\n  - type: mcp\n    value: v\n  - type: other\n    more:\n      x: y\n",
            json!({"tools": [{"type": "mcp", "value": "v"}, {"type": "other", "more": {"x": "y"}}]}),
        );
        check("", Value::Null);
    }

    #[test]
    fn what_is_not_understood_is_named_by_its_line() {
        let error = parse("a: b\nnot a member\n").unwrap_err();
        assert_eq!(error, "line 2 of the front matter is not understood");
        assert!(parse("a:\n    b: c\n  d: e").is_err());
    }

    #[test]
    fn front_matter_of_a_document() {
        assert_eq!(of_document("---\na: b\n---\nbody"), Some("a: b\n"));
        assert_eq!(of_document("---\r\na: b\r\n---\r\n"), Some("a: b\r\n"));
        assert_eq!(of_document("a: b\n---\n"), None);
        assert_eq!(of_document("---\na: b\n"), None);
    }
}
