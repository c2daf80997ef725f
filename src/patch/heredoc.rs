//! Shell scripts that are patch calls: `apply_patch <<'EOF' … EOF`, with or without `cd DIR &&` before it.
//!
//! Only a script that is nothing but such a call counts, and only when its words mean themselves: where a shell would
//! expand something, the script is left to a shell. The text of the here-document is taken as it stands, quoted
//! delimiter or not, since models do not expect expansion inside a patch.

use super::{Error, parse};

/// What a shell script is, seen as a patch call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Script {
    /// A patch, to be applied in `cd` (as spelled) if that is given.
    Patch { text: String, cd: Option<String> },
    /// The text of a patch without the call.
    BarePatch,
    /// Anything else.
    Other,
}

/// Sees whether a script is a patch call.
pub(crate) fn intercept(script: &str) -> Script {
    if let Some((text, cd)) = call(script) {
        return Script::Patch { text, cd };
    }
    match parse(script) {
        Ok(_) | Err(Error::Environment) => Script::BarePatch,
        Err(_) => Script::Other,
    }
}

/// The patch and the directory of a call.
fn call(script: &str) -> Option<(String, Option<String>)> {
    let mut cursor = Cursor { rest: script };
    cursor.gap();
    let mut name = cursor.command()?;
    let mut cd = None;
    if name == "cd" {
        cursor.blanks().then_some(())?;
        let plain = !cursor.rest.starts_with(['~', '-', '#']);
        cd = Some(cursor.word().filter(|_| plain)?);
        cursor.blanks();
        cursor.eat("&&").then_some(())?;
        cursor.gap();
        name = cursor.command()?;
    }
    matches!(name, "apply_patch" | "applypatch").then_some(())?;
    let apart = cursor.blanks();
    if apart && cursor.eat("-") {
        cursor.blanks();
    }
    cursor.eat("<<").then_some(())?;
    let tabs = cursor.eat("-");
    cursor.blanks();
    let delimiter = cursor.word()?;
    cursor.blanks();
    cursor.eat("\n").then_some(())?;
    Some((document(cursor.rest, &delimiter, tabs)?, cd))
}

/// The lines up to the delimiter, which has to be the last that the script says.
fn document(rest: &str, delimiter: &str, tabs: bool) -> Option<String> {
    let lines = || rest.lines().map(|line| if tabs { line.trim_start_matches('\t') } else { line });
    let until = |end: usize| lines().take(end).flat_map(|line| [line, "\n"]).collect::<String>();
    let last =
        lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).last().map(|(at, _)| at);
    match lines().position(|line| line == delimiter) {
        Some(end) => (last == Some(end)).then(|| until(end)),
        None => match last {
            // Blanks around the delimiter make it none for a shell, but leave no doubt what was meant.
            Some(end) if lines().nth(end).is_some_and(|line| line.trim() == delimiter) => {
                Some(until(end))
            }
            // As a shell does: the end of the script ends the document too.
            Some(end) => Some(until(end + 1)).filter(|text| parse(text).is_ok()),
            None => None,
        },
    }
}

/// A position in a script.
struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn eat(&mut self, token: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(token) else { return false };
        self.rest = rest;
        true
    }

    /// Skips blanks and continued lines; false when there were none.
    fn blanks(&mut self) -> bool {
        let before = self.rest.len();
        while self.eat(" ") || self.eat("\t") || self.eat("\\\n") || self.blank_return() {}
        self.rest.len() < before
    }

    /// Skips the CR of a CR LF.
    fn blank_return(&mut self) -> bool {
        self.rest.starts_with("\r\n") && self.eat("\r")
    }

    /// Skips blanks and empty lines.
    fn gap(&mut self) {
        while self.blanks() || self.eat("\n") {}
    }

    /// The name of a command, behind any assignments to variables.
    fn command(&mut self) -> Option<&'a str> {
        loop {
            let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
            let (name, rest) = self.rest.split_at(end);
            self.rest = rest;
            if !self.eat("=") {
                return Some(name);
            }
            let empty = self.rest.starts_with([' ', '\t']);
            if !empty {
                self.word()?;
            }
            self.blanks().then_some(())?;
        }
    }

    /// One word without its quotes; none when a shell would make something else of it.
    fn word(&mut self) -> Option<String> {
        const SPECIAL: &[char] = &['$', '`', '*', '?', '[', '{', '(', ')', '<', '>', ';', '|', '&'];
        let start = self.rest.len();
        let mut word = String::new();
        while let Some(c) = self.rest.chars().next() {
            if c.is_whitespace() || c == '&' {
                break;
            }
            self.rest = &self.rest[c.len_utf8()..];
            match c {
                '\'' => {
                    let (text, rest) = self.rest.split_once('\'')?;
                    word.push_str(text);
                    self.rest = rest;
                }
                '"' => self.quoted(&mut word)?,
                '\\' => word.push(self.take().filter(|c| *c != '\n')?),
                c if SPECIAL.contains(&c) => return None,
                c => word.push(c),
            }
        }
        (self.rest.len() < start).then_some(word)
    }

    /// The rest of a text in double quotes.
    fn quoted(&mut self, word: &mut String) -> Option<()> {
        loop {
            match self.take()? {
                '"' => return Some(()),
                '$' | '`' => return None,
                '\\' => match self.take()? {
                    c @ ('"' | '\\' | '$' | '`') => word.push(c),
                    '\n' => {}
                    c => word.extend(['\\', c]),
                },
                c => word.push(c),
            }
        }
    }

    fn take(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }
}
