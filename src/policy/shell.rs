//! Reading shell scripts, as far as a decision about them needs it.
//!
//! Two readers with opposite duties. [`plain_commands`] vouches: it returns the commands of a script only if the shell is
//! certain to run exactly these words, and `None` for everything else. [`literal_commands`] suspects: it finds every
//! command that is spelled out anywhere in a script, however it is nested. Neither expands anything nor knows what the
//! words mean.

mod walk;

pub(crate) use walk::literal_commands;

/// Words that open, join or close compound commands; a command cannot be called by these names.
const RESERVED: [&str; 18] = [
    "if", "then", "elif", "else", "fi", "for", "while", "until", "do", "done", "case", "esac",
    "in", "select", "function", "coproc", "!", "[[",
];
/// Builtins whose arguments are assignments rather than words.
const DECLARATIONS: [&str; 7] =
    ["export", "declare", "typeset", "local", "readonly", "unset", "unsetenv"];

/// The commands of a script that consists of words and quoted strings without expansion, joined by `&&`, `||`, `;`, `|`
/// and line ends only. `None` says that the script may do anything.
pub(crate) fn plain_commands(script: &str) -> Option<Vec<Vec<String>>> {
    let mut reader = Reader { rest: script, commands: Vec::new(), current: Vec::new() };
    reader.read()?;
    Some(reader.commands).filter(|commands| !commands.is_empty())
}

/// The words as a line for people, quoted where a shell would need it.
pub(crate) fn display<S: AsRef<str>>(argv: &[S]) -> String {
    let quoter = shlex::Quoter::new().allow_nul(true);
    quoter.join(argv.iter().map(AsRef::as_ref)).unwrap_or_else(|_| {
        let words: Vec<&str> = argv.iter().map(AsRef::as_ref).collect();
        words.join(" ")
    })
}

/// The script of `[sh|bash|zsh, -c|-lc, script]`, the shell named with or without its folder.
pub(crate) fn script_of<S: AsRef<str>>(argv: &[S]) -> Option<&str> {
    let [shell, flag, script] = argv else { return None };
    let known = matches!(program_name(shell.as_ref()), "sh" | "bash" | "zsh");
    (known && matches!(flag.as_ref(), "-c" | "-lc")).then(|| script.as_ref())
}

/// The last path component of a command's first word.
pub(crate) fn program_name(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

/// What may follow a command.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    /// `&&`, `||`, `|`: another command must follow.
    Open,
    /// `;` or a line end: the script may end here.
    Closed,
}

struct Reader<'a> {
    rest: &'a str,
    commands: Vec<Vec<String>>,
    current: Vec<String>,
}

impl Reader<'_> {
    fn read(&mut self) -> Option<()> {
        // Whether a command must come next: after `&&`, `||` and `|`.
        let mut open = false;
        loop {
            self.skip_blanks();
            let Some(next) = self.rest.chars().next() else { break };
            match next {
                '\n' => {
                    self.rest = &self.rest[1..];
                    // Empty lines and a line end behind an open joint mean nothing.
                    if !self.current.is_empty() {
                        self.finish()?;
                    }
                }
                ';' | '&' | '|' => {
                    let joint = self.joint()?;
                    self.finish()?;
                    open = joint == Joint::Open;
                }
                _ => {
                    let word = self.word()?;
                    self.push(word)?;
                    open = false;
                }
            }
        }
        if open {
            return None;
        }
        if self.current.is_empty() { Some(()) } else { self.finish() }
    }

    /// Blanks and line continuations. A carriage return is part of a word for the shell, so it is none.
    fn skip_blanks(&mut self) {
        loop {
            let trimmed = self.rest.trim_start_matches([' ', '\t']);
            let trimmed = trimmed.strip_prefix("\\\n").unwrap_or(trimmed);
            if trimmed.len() == self.rest.len() {
                return;
            }
            self.rest = trimmed;
        }
    }

    fn joint(&mut self) -> Option<Joint> {
        for (text, joint) in
            [("&&", Joint::Open), ("||", Joint::Open), ("|", Joint::Open), (";", Joint::Closed)]
        {
            let Some(rest) = self.rest.strip_prefix(text) else { continue };
            // `|&` and `;;` are other operators.
            if matches!((text, rest.chars().next()), ("|", Some('&')) | (";", Some(';' | '&'))) {
                return None;
            }
            self.rest = rest;
            return Some(joint);
        }
        None
    }

    fn finish(&mut self) -> Option<()> {
        if self.current.is_empty() {
            return None;
        }
        self.commands.push(std::mem::take(&mut self.current));
        Some(())
    }

    fn push(&mut self, word: Word) -> Option<()> {
        if self.current.is_empty() && !is_command_name(&word) {
            return None;
        }
        self.current.push(word.text);
        Some(())
    }

    /// One word of bare and quoted pieces.
    fn word(&mut self) -> Option<Word> {
        let mut word = Word { text: String::new(), bare: true };
        while let Some(next) = self.rest.chars().next() {
            match next {
                ' ' | '\t' | '\n' | ';' | '&' | '|' => break,
                '\'' => {
                    word.bare = false;
                    let (piece, rest) = self.rest[1..].split_once('\'')?;
                    word.text.push_str(piece);
                    self.rest = rest;
                }
                '"' => {
                    word.bare = false;
                    let (piece, rest) = self.rest[1..].split_once('"')?;
                    if !is_inert_in_double_quotes(piece) {
                        return None;
                    }
                    word.text.push_str(piece);
                    self.rest = rest;
                }
                '\\' => self.rest = self.rest.strip_prefix("\\\n")?,
                // A leading `=` is an expansion for zsh.
                '=' if word.bare && word.text.is_empty() => return None,
                _ if is_special(next) => return None,
                _ => {
                    word.text.push(next);
                    self.rest = &self.rest[next.len_utf8()..];
                }
            }
        }
        Some(word)
    }
}

struct Word {
    text: String,
    /// Written without any quotes.
    bare: bool,
}

/// Whether text between double quotes stands for itself. A backslash does unless it could escape something, the closing
/// quote included.
fn is_inert_in_double_quotes(piece: &str) -> bool {
    let mut characters = piece.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '$' | '`' => return false,
            '\\' if matches!(characters.peek(), None | Some('\\' | '\n')) => return false,
            _ => {}
        }
    }
    true
}

/// Whether a bare character could make the shell expand, redirect, group or comment.
fn is_special(c: char) -> bool {
    matches!(
        c,
        '$' | '`'
            | '*'
            | '?'
            | '['
            | ']'
            | '{'
            | '}'
            | '~'
            | '#'
            | '^'
            | '('
            | ')'
            | '<'
            | '>'
            | '\r'
            | '\0'
    )
}

/// Whether the word can stand where a command is named: unquoted, no keyword, number, declaration or assignment.
fn is_command_name(word: &Word) -> bool {
    let text = word.text.as_str();
    word.bare
        && !text.is_empty()
        && !text.bytes().all(|byte| byte.is_ascii_digit())
        && !RESERVED.contains(&text)
        && !DECLARATIONS.contains(&text)
        && !is_assignment(text)
}

/// `NAME=…` or `NAME+=…`.
fn is_assignment(word: &str) -> bool {
    let Some((name, _)) = word.split_once('=') else { return false };
    let name = name.strip_suffix('+').unwrap_or(name);
    let mut characters = name.chars();
    characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests;
