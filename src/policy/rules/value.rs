//! The literals of a `.rules` file: tokens in, values with their places out.

use std::collections::HashMap;

use super::parse::Fault;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Number(i64),
    Truth(bool),
    Nothing,
    List(Vec<Located>),
}

impl Value {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Number(_) => "a number",
            Self::Truth(_) => "a boolean",
            Self::Nothing => "None",
            Self::List(_) => "a list",
        }
    }
}

/// A value and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Located {
    pub(super) value: Value,
    pub(super) place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Place {
    pub(super) fn fault(self, message: impl Into<String>) -> Fault {
        Fault { line: self.line, column: self.column, message: message.into() }
    }
}

/// Reads a file's text from left to right.
pub(super) struct Cursor<'a> {
    rest: &'a str,
    place: Place,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let rest = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self { rest, place: Place { line: 1, column: 1 } }
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn advance(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.rest = &self.rest[next.len_utf8()..];
        if next == '\n' {
            self.place = Place { line: self.place.line + 1, column: 1 };
        } else {
            self.place.column += 1;
        }
        Some(next)
    }

    fn eat_all(&mut self, text: &str) -> bool {
        let found = self.rest.starts_with(text);
        if found {
            for _ in text.chars() {
                self.advance();
            }
        }
        found
    }

    /// Blanks, comments and continued lines; line ends too where they mean nothing, as between brackets.
    pub(super) fn skip_blanks(&mut self, and_lines: LineEnds) {
        while let Some(next) = self.peek() {
            match next {
                ' ' | '\t' | '\r' => {
                    self.advance();
                }
                '\n' if and_lines == LineEnds::Skipped => {
                    self.advance();
                }
                '#' => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.advance();
                    }
                }
                '\\' if self.rest.starts_with("\\\n") => {
                    self.eat_all("\\\n");
                }
                _ => return,
            }
        }
    }

    /// Consumes this character behind blanks and line ends.
    pub(super) fn eat(&mut self, wanted: char) -> bool {
        self.skip_blanks(LineEnds::Skipped);
        let found = self.peek() == Some(wanted);
        if found {
            self.advance();
        }
        found
    }

    pub(super) fn expect(&mut self, wanted: char) -> Result<(), Fault> {
        if self.eat(wanted) { Ok(()) } else { Err(self.unexpected(&format!("`{wanted}`"))) }
    }

    pub(super) fn unexpected(&self, wanted: &str) -> Fault {
        let found = match self.peek() {
            None => "the end of the file".to_owned(),
            Some('\n') => "the end of the line".to_owned(),
            Some(c) => format!("`{c}`"),
        };
        self.place.fault(format!("expected {wanted}, found {found}"))
    }

    /// An identifier, or nothing.
    pub(super) fn name(&mut self) -> Option<&'a str> {
        if !self.peek().is_some_and(|c| c.is_ascii_alphabetic() || c == '_') {
            return None;
        }
        let length = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(self.rest.len());
        let name = &self.rest[..length];
        self.eat_all(name);
        Some(name)
    }

    /// A name that is followed by a single `=`, which is consumed with it.
    pub(super) fn assigned_name(&mut self) -> Option<&'a str> {
        let (rest, place) = (self.rest, self.place);
        if let Some(name) = self.name() {
            self.skip_blanks(LineEnds::Kept);
            if self.rest.starts_with('=') && !self.rest.starts_with("==") {
                self.advance();
                return Some(name);
            }
        }
        (self.rest, self.place) = (rest, place);
        None
    }

    /// Literals, assigned names, and sums of strings or lists.
    pub(super) fn expression(
        &mut self,
        names: &HashMap<String, Value>,
        line_ends: LineEnds,
    ) -> Result<Located, Fault> {
        let mut sum = self.term(names, line_ends)?;
        loop {
            self.skip_blanks(line_ends);
            if self.peek() != Some('+') {
                return Ok(sum);
            }
            let place = self.place;
            self.advance();
            let next = self.term(names, line_ends)?;
            match (&mut sum.value, next.value) {
                (Value::Text(left), Value::Text(right)) => left.push_str(&right),
                (Value::List(left), Value::List(right)) => left.extend(right),
                (left, right) => {
                    return Err(place.fault(format!(
                        "cannot add {} and {}",
                        left.kind(),
                        right.kind()
                    )));
                }
            }
        }
    }

    fn term(
        &mut self,
        names: &HashMap<String, Value>,
        line_ends: LineEnds,
    ) -> Result<Located, Fault> {
        self.skip_blanks(line_ends);
        let place = self.place;
        let value = match self.peek() {
            Some('"' | '\'') => Value::Text(self.string(Escapes::Meant)?),
            Some('r') if self.rest[1..].starts_with(['"', '\'']) => {
                self.advance();
                Value::Text(self.string(Escapes::Literal)?)
            }
            Some('[') => self.list(names, ']')?,
            Some('(') => self.list(names, ')')?,
            Some(c) if c.is_ascii_digit() || c == '-' => Value::Number(self.number()?),
            _ => match self.name() {
                Some("True") => Value::Truth(true),
                Some("False") => Value::Truth(false),
                Some("None") => Value::Nothing,
                Some(name) => match names.get(name) {
                    Some(value) => value.clone(),
                    None => return Err(place.fault(format!("unknown name `{name}`"))),
                },
                None => return Err(self.unexpected("a string, a list, a number or a boolean")),
            },
        };
        Ok(Located { value, place })
    }

    fn list(&mut self, names: &HashMap<String, Value>, close: char) -> Result<Value, Fault> {
        self.advance();
        let mut elements = Vec::new();
        while !self.eat(close) {
            let element = self.expression(names, LineEnds::Skipped)?;
            elements.push(element);
            self.skip_blanks(LineEnds::Skipped);
            if self.peek() == Some(',') {
                self.advance();
            } else if self.peek() != Some(close) {
                return Err(self.unexpected(&format!("`,` or `{close}`")));
            }
        }
        Ok(Value::List(elements))
    }

    fn number(&mut self) -> Result<i64, Fault> {
        let place = self.place;
        let mut digits = String::new();
        while let Some(c) =
            self.peek().filter(|c| c.is_ascii_digit() || (digits.is_empty() && *c == '-'))
        {
            digits.push(c);
            self.advance();
        }
        digits.parse().map_err(|_| place.fault("not a number"))
    }

    fn string(&mut self, escapes: Escapes) -> Result<String, Fault> {
        let start = self.place;
        let quote = if self.peek() == Some('"') { "\"" } else { "'" };
        let triple = quote.repeat(3);
        let long = self.eat_all(&triple);
        let end = if long { triple.as_str() } else { quote };
        if !long {
            self.advance();
        }
        let mut text = String::new();
        loop {
            if self.eat_all(end) {
                return Ok(text);
            }
            match self.advance() {
                None => return Err(start.fault("the string is not closed")),
                Some('\n') if !long => {
                    return Err(start.fault("the string is not closed on its line"));
                }
                Some('\\') if escapes == Escapes::Literal => {
                    text.push('\\');
                    text.extend(self.advance());
                }
                Some('\\') => self.escape(&mut text)?,
                Some(c) => text.push(c),
            }
        }
    }

    fn escape(&mut self, text: &mut String) -> Result<(), Fault> {
        let place = self.place;
        let digits = match self.advance() {
            Some('\n') => return Ok(()),
            Some('n') => return push(text, '\n'),
            Some('r') => return push(text, '\r'),
            Some('t') => return push(text, '\t'),
            Some(c @ ('\\' | '"' | '\'')) => return push(text, c),
            Some('x') => 2,
            Some('u') => 4,
            Some('U') => 8,
            _ => return Err(place.fault("unknown escape in the string")),
        };
        let code = self.rest.get(..digits).and_then(|code| u32::from_str_radix(code, 16).ok());
        let Some(character) = code.and_then(char::from_u32) else {
            return Err(place.fault("the escape names no character"));
        };
        for _ in 0..digits {
            self.advance();
        }
        push(text, character)
    }
}

fn push(text: &mut String, c: char) -> Result<(), Fault> {
    text.push(c);
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineEnds {
    Kept,
    Skipped,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escapes {
    Meant,
    Literal,
}
