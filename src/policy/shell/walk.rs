//! The suspicious reader: every command that a script spells out, in whatever construct it stands.
//!
//! Not a parser. Keywords are skipped, so that what follows them is a command again; substitutions, subshells, process
//! substitutions and here-documents are entered; redirections are dropped. Scripts that no shell would accept may yield
//! commands too, which for a check that looks for trouble is the better mistake.

use super::{is_assignment, is_special};

/// How deep constructs may nest before the walk stops looking.
const MAX_DEPTH: usize = 64;
/// After these words, a command follows.
const KEYWORDS: [&str; 13] =
    ["if", "then", "elif", "else", "fi", "while", "until", "do", "done", "{", "}", "!", "esac"];

/// The words of each command; `None` for a word whose text the script does not give away.
pub(crate) fn literal_commands(script: &str) -> Vec<Vec<Option<String>>> {
    let mut found = Vec::new();
    walk(script, 0, &mut found);
    found
}

fn walk(script: &str, depth: usize, found: &mut Vec<Vec<Option<String>>>) {
    if depth > MAX_DEPTH {
        return;
    }
    let mut walk = Walk { text: script, at: 0, depth, documents: Vec::new(), found };
    while walk.at < script.len() {
        walk.list();
    }
}

struct Walk<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// Here-documents whose text starts behind the next line end.
    documents: Vec<Document>,
    found: &'a mut Vec<Vec<Option<String>>>,
}

struct Document {
    end: String,
    strip_tabs: bool,
    /// Whether substitutions in its text take place.
    expands: bool,
}

struct Word {
    text: Option<String>,
    assignment: bool,
    quoted: bool,
}

impl<'a> Walk<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    /// Reads commands up to the end of the text or a `)` that was not opened in here, which is consumed.
    fn list(&mut self) {
        self.depth += 1;
        let mut command: Vec<Option<String>> = Vec::new();
        let mut cases = 0_usize;
        while self.depth <= MAX_DEPTH {
            let Some(next) = self.peek() else { break };
            match next {
                ' ' | '\t' | '\r' => self.at += 1,
                '\\' if self.skip("\\\n") => {}
                '\n' => {
                    self.at += 1;
                    self.finish(&mut command);
                    self.here_documents();
                }
                '#' => self.at += self.rest().find('\n').unwrap_or(self.rest().len()),
                '&' if self.rest().starts_with("&>") => self.redirection(),
                '<' | '>' if !self.rest()[1..].starts_with('(') => self.redirection(),
                ';' | '&' | '|' => {
                    self.at += 1;
                    self.finish(&mut command);
                }
                ')' => {
                    self.at += 1;
                    if cases == 0 {
                        break;
                    }
                    // The end of a pattern: what was read is no command.
                    command.clear();
                }
                '(' => self.parenthesis(&mut command),
                _ => self.next_word(&mut command, &mut cases),
            }
        }
        if self.depth > MAX_DEPTH {
            self.at = self.text.len();
        }
        self.finish(&mut command);
        self.depth -= 1;
    }

    fn finish(&mut self, command: &mut Vec<Option<String>>) {
        if !command.is_empty() {
            self.found.push(std::mem::take(command));
        }
    }

    /// A subshell, an arithmetic command, or the empty pair that makes the words before it a function's name.
    fn parenthesis(&mut self, command: &mut Vec<Option<String>>) {
        if command.is_empty()
            && let Some(inner) = arithmetic(self.rest())
        {
            self.expansions(inner);
            self.at += inner.len() + 4;
            return;
        }
        self.at += 1;
        if self.rest().trim_start_matches([' ', '\t']).starts_with(')') {
            self.at += self.rest().find(')').map_or(0, |end| end + 1);
            command.clear();
            return;
        }
        self.list();
    }

    fn next_word(&mut self, command: &mut Vec<Option<String>>, cases: &mut usize) {
        let start = self.at;
        let word = self.word();
        if self.at == start {
            // Nothing here begins a word: step over it rather than stand still.
            self.at += self.peek().map_or(1, char::len_utf8);
            return;
        }
        let before_redirection = matches!(self.peek(), Some('<' | '>'));
        let text = word.text.as_deref().unwrap_or_default();
        if before_redirection && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            return;
        }
        if command.is_empty() && word.assignment {
            return;
        }
        if command.is_empty() && !word.quoted {
            if KEYWORDS.contains(&text) {
                *cases -= usize::from(text == "esac" && *cases > 0);
                return;
            }
            match text {
                "for" | "select" => return self.skip_to_separator(),
                "case" => {
                    *cases += 1;
                    return self.skip_words(2);
                }
                "function" => return self.skip_words(1),
                "[[" => return self.condition(),
                _ => {}
            }
        }
        command.push(word.text);
    }

    fn blanks(&mut self) {
        while self.skip(" ") || self.skip("\t") || self.skip("\\\n") {}
    }

    fn skip_words(&mut self, count: usize) {
        for _ in 0..count {
            while self.skip("\n") || self.skip(" ") || self.skip("\t") || self.skip("\\\n") {}
            let _unused: Word = self.word();
        }
    }

    /// The head of a `for` loop: nothing in it is a command, but its words may contain some.
    fn skip_to_separator(&mut self) {
        loop {
            self.blanks();
            if let Some(inner) = arithmetic(self.rest()) {
                self.expansions(inner);
                self.at += inner.len() + 4;
                continue;
            }
            let start = self.at;
            let _unused: Word = self.word();
            if self.at == start {
                return;
            }
        }
    }

    /// `[[ … ]]`, behind its opening.
    fn condition(&mut self) {
        while let Some(next) = self.peek() {
            let start = self.at;
            let word = self.word();
            if self.at == start {
                self.at += next.len_utf8();
            } else if !word.quoted && word.text.as_deref() == Some("]]") {
                return;
            }
        }
    }

    fn redirection(&mut self) {
        let document = self.rest().starts_with("<<") && !self.rest().starts_with("<<<");
        let strip_tabs = self.rest().starts_with("<<-");
        let operator = self.rest().trim_start_matches(['<', '>', '&', '|']);
        self.at += self.rest().len() - operator.len();
        if strip_tabs {
            self.skip("-");
        }
        self.blanks();
        let word = self.word();
        if let (true, Some(end)) = (document, word.text) {
            self.documents.push(Document { end, strip_tabs, expands: !word.quoted });
        }
    }

    fn here_documents(&mut self) {
        for document in std::mem::take(&mut self.documents) {
            let start = self.at;
            let mut end = self.text.len();
            for line in self.rest().split_inclusive('\n') {
                let line_start = self.at;
                self.at += line.len();
                let line = line.strip_suffix('\n').unwrap_or(line);
                let line = if document.strip_tabs { line.trim_start_matches('\t') } else { line };
                if line == document.end {
                    end = line_start;
                    break;
                }
            }
            if document.expands {
                self.expansions(self.text.get(start..end).unwrap_or_default());
            }
        }
    }

    /// Enters the substitutions of a text that is no script itself.
    fn expansions(&mut self, text: &'a str) {
        let mut inner =
            Walk { text, at: 0, depth: self.depth, documents: Vec::new(), found: self.found };
        while let Some(next) = inner.peek() {
            match next {
                '\\' => inner.at += 1 + inner.rest()[1..].chars().next().map_or(0, char::len_utf8),
                '$' => inner.dollar(),
                '`' => inner.backquote(),
                _ => inner.at += next.len_utf8(),
            }
        }
    }

    /// One word, quotes removed; nothing is consumed where none begins.
    fn word(&mut self) -> Word {
        let mut text = Some(String::new());
        let (mut quoted, mut assignment) = (false, false);
        while let Some(next) = self.peek() {
            match next {
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | ')' => break,
                '<' | '>' if self.rest()[1..].starts_with('(') => {
                    self.at += 2;
                    self.list();
                    text = None;
                }
                '<' | '>' => break,
                '(' if assignment && text.as_deref().is_none_or(|t| t.ends_with('=')) => {
                    self.at += 1;
                    self.array();
                    text = None;
                }
                '(' => break,
                '\'' => {
                    quoted = true;
                    let rest = &self.rest()[1..];
                    let end = rest.find('\'').unwrap_or(rest.len());
                    append(&mut text, &rest[..end]);
                    self.at = (self.at + end + 2).min(self.text.len());
                }
                '"' => {
                    quoted = true;
                    self.at += 1;
                    self.double_quoted(&mut text);
                }
                '$' => {
                    self.dollar();
                    text = None;
                }
                '`' => {
                    self.backquote();
                    text = None;
                }
                '\\' if self.skip("\\\n") => {}
                '\\' => {
                    self.at += 1 + self.rest()[1..].chars().next().map_or(0, char::len_utf8);
                    text = None;
                }
                _ => {
                    self.at += next.len_utf8();
                    if is_special(next) && !matches!(next, '{' | '}' | '~' | ']' | '[' | '#' | '^')
                    {
                        text = None;
                    }
                    append(&mut text, next.encode_utf8(&mut [0; 4]));
                    assignment |=
                        next == '=' && !quoted && text.as_deref().is_some_and(is_assignment);
                }
            }
        }
        Word { text, assignment, quoted }
    }

    /// The values of an array and the closing bracket: words, none of them a command.
    fn array(&mut self) {
        while let Some(next) = self.peek() {
            let start = self.at;
            if next != ')' {
                let _unused: Word = self.word();
            }
            if self.at == start {
                self.at += next.len_utf8();
            }
            if next == ')' {
                return;
            }
        }
    }

    /// The inside of double quotes and the closing one.
    fn double_quoted(&mut self, text: &mut Option<String>) {
        while let Some(next) = self.peek() {
            match next {
                '"' => {
                    self.at += 1;
                    return;
                }
                '$' if self.rest()[1..].starts_with(['(', '{', '_']) || self.names_variable() => {
                    self.dollar();
                    *text = None;
                }
                '`' => {
                    self.backquote();
                    *text = None;
                }
                '\\' => {
                    self.at += 1;
                    match self.peek() {
                        Some('\n') => self.at += 1,
                        Some(c @ ('$' | '`' | '"' | '\\')) => {
                            self.at += 1;
                            append(text, c.encode_utf8(&mut [0; 4]));
                        }
                        Some(_) | None => append(text, "\\"),
                    }
                }
                _ => {
                    self.at += next.len_utf8();
                    append(text, next.encode_utf8(&mut [0; 4]));
                }
            }
        }
    }

    fn names_variable(&self) -> bool {
        let next = self.rest()[1..].chars().next();
        next.is_some_and(|c| c.is_ascii_alphanumeric() || "@*#?-$!".contains(c))
    }

    /// Whatever a `$` begins.
    fn dollar(&mut self) {
        self.at += 1;
        if let Some(inner) = arithmetic(self.rest()) {
            self.expansions(inner);
            self.at += inner.len() + 4;
        } else if self.skip("(") {
            self.list();
        } else if self.skip("{") {
            self.parameter();
        } else if self.skip("'") {
            // Escapes count in this kind of single quotes.
            while let Some(next) = self.peek() {
                self.at += next.len_utf8();
                match next {
                    '\'' => return,
                    '\\' => self.at += self.peek().map_or(0, char::len_utf8),
                    _ => {}
                }
            }
        }
    }

    /// `${…}` behind its opening.
    fn parameter(&mut self) {
        self.depth += 1;
        while self.depth <= MAX_DEPTH {
            let Some(next) = self.peek() else { break };
            match next {
                '}' => {
                    self.at += 1;
                    break;
                }
                '$' => self.dollar(),
                '`' => self.backquote(),
                '"' => {
                    self.at += 1;
                    self.double_quoted(&mut None);
                }
                '\\' => self.at += 1 + self.rest()[1..].chars().next().map_or(0, char::len_utf8),
                _ => self.at += next.len_utf8(),
            }
        }
        self.depth -= 1;
    }

    fn backquote(&mut self) {
        self.at += 1;
        let mut script = String::new();
        while let Some(next) = self.peek() {
            self.at += next.len_utf8();
            match (next, self.peek()) {
                ('`', _) => break,
                ('\\', Some(escaped @ ('`' | '\\' | '$'))) => {
                    self.at += 1;
                    script.push(escaped);
                }
                _ => script.push(next),
            }
        }
        walk(&script, self.depth + 1, self.found);
    }
}

fn append(text: &mut Option<String>, piece: &str) {
    if let Some(text) = text {
        text.push_str(piece);
    }
}

/// The inside of `((…))` at the start of the text, if that is what stands there.
fn arithmetic(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("((")?;
    let mut depth = 0_usize;
    for (index, c) in inner.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth > 0 => depth -= 1,
            ')' => return inner[index..].starts_with("))").then(|| &inner[..index]),
            _ => {}
        }
    }
    None
}
