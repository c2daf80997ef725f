//! The text of a patch, read line by line. Line numbers in errors count from `*** Begin Patch` as 1.

use super::{Chunk, Error, Hunk, Line, Patch};

const BEGIN: &str = "*** Begin Patch";
const END: &str = "*** End Patch";
const ENVIRONMENT: &str = "*** Environment ID:";
pub(super) const ADD: &str = "*** Add File: ";
pub(super) const DELETE: &str = "*** Delete File: ";
pub(super) const UPDATE: &str = "*** Update File: ";
pub(super) const MOVE: &str = "*** Move to: ";
pub(super) const END_OF_FILE: &str = "*** End of File";

/// Reads a patch. A patch without hunks is read too; that it does nothing is found when it is verified.
pub(crate) fn parse(text: &str) -> Result<Patch, Error> {
    let lines: Vec<&str> = unwrapped(text.trim()).lines().collect();
    let (first, rest) = lines.split_first().unwrap_or((&"", &[]));
    if first.trim() != BEGIN {
        return Err(Error::Malformed(format!("its first line has to be '{BEGIN}'")));
    }
    let Some((last, body)) = rest.split_last().filter(|(last, _)| last.trim() == END) else {
        return Err(Error::Malformed(format!("its last line has to be '{END}'")));
    };
    debug_assert_eq!(last.trim(), END);
    if body.first().is_some_and(|line| line.trim().starts_with(ENVIRONMENT)) {
        return Err(Error::Environment);
    }
    let mut reader = Reader { body, next: 0 };
    let mut hunks = Vec::new();
    while let Some(line) = reader.peek() {
        hunks.push(reader.hunk(line)?);
    }
    Ok(Patch { hunks })
}

/// The text inside a here-document wrapper that some models put around the patch.
fn unwrapped(text: &str) -> &str {
    let inner = || {
        let (first, rest) = text.split_once('\n')?;
        let (inner, last) = rest.rsplit_once('\n')?;
        let opens = matches!(first.trim_end(), "<<EOF" | "<<'EOF'" | "<<\"EOF\"");
        (opens && last.trim() == "EOF").then(|| inner.trim())
    };
    inner().unwrap_or(text)
}

/// A position in the lines between the first and the last.
struct Reader<'a> {
    body: &'a [&'a str],
    next: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.body.get(self.next).copied()
    }

    /// An error about the line that would be read next.
    fn problem(&self, problem: String) -> Error {
        Error::Hunk { line: self.next + 2, problem }
    }

    fn hunk(&mut self, line: &str) -> Result<Hunk, Error> {
        let header = line.trim();
        if let Some(path) = header.strip_prefix(ADD) {
            self.next += 1;
            return Ok(Hunk::Add { path: path.trim().to_owned(), content: self.content() });
        }
        if let Some(path) = header.strip_prefix(DELETE) {
            self.next += 1;
            return Ok(Hunk::Delete { path: path.trim().to_owned() });
        }
        if let Some(path) = header.strip_prefix(UPDATE) {
            return self.update(path.trim());
        }
        Err(self.problem(format!(
            "'{header}' starts no hunk: expected '{ADD}<path>', '{DELETE}<path>' or '{UPDATE}<path>'"
        )))
    }

    /// The lines of a new file.
    fn content(&mut self) -> String {
        let mut content = String::new();
        while let Some(text) = self.peek().and_then(|line| line.strip_prefix('+')) {
            content.push_str(text);
            content.push('\n');
            self.next += 1;
        }
        content
    }

    fn update(&mut self, path: &str) -> Result<Hunk, Error> {
        let empty = self.problem(format!("the update of '{path}' changes nothing"));
        self.next += 1;
        let move_to =
            self.peek().and_then(|line| line.strip_prefix(MOVE)).map(|to| to.trim().to_owned());
        self.next += usize::from(move_to.is_some());
        let mut chunks = Vec::new();
        while let Some(line) = self.peek().filter(|line| !starts_hunk(line)) {
            // After the end of a file a blank line means nothing.
            if chunks.last().is_some_and(|chunk: &Chunk| chunk.at_end) && line.trim().is_empty() {
                self.next += 1;
                continue;
            }
            chunks.push(self.chunk(line, chunks.is_empty())?);
        }
        if chunks.is_empty() {
            return Err(empty);
        }
        Ok(Hunk::Update { path: path.to_owned(), move_to, chunks })
    }

    fn chunk(&mut self, line: &str, first: bool) -> Result<Chunk, Error> {
        let mut chunk = Chunk::default();
        if let Some(context) = marker(line) {
            chunk.context = context.map(ToOwned::to_owned);
            self.next += 1;
        } else if !first {
            return Err(self.problem(format!(
                "expected '@@' before the next lines of the file, found '{line}'"
            )));
        }
        while let Some(line) = self.peek().and_then(chunk_line) {
            chunk.lines.push(line);
            self.next += 1;
        }
        let next = self.peek().map(str::trim_end);
        match next {
            Some(line) if chunk.lines.is_empty() && !ends_chunk(line) => Err(self.problem(format!(
                "'{line}' is no line of an update: lines to keep start with ' ', lines to add with '+', \
                 lines to remove with '-'"
            ))),
            Some(_) | None if chunk.lines.is_empty() => {
                Err(self.problem("there are no lines after '@@'".to_owned()))
            }
            Some(END_OF_FILE) => {
                self.next += 1;
                Ok(Chunk { at_end: true, ..chunk })
            }
            Some(_) | None => Ok(chunk),
        }
    }
}

/// Whether a line of an update starts another hunk: there headers count only at the margin.
fn starts_hunk(line: &str) -> bool {
    let line = line.trim_end();
    [ADD, DELETE, UPDATE]
        .iter()
        .any(|header| line.strip_prefix(header).is_some_and(|path| !path.trim().is_empty()))
}

fn ends_chunk(line: &str) -> bool {
    line == END_OF_FILE || starts_hunk(line)
}

/// The context that an `@@` line names, if the line is one.
fn marker(line: &str) -> Option<Option<&str>> {
    let line = line.trim_end();
    if line == "@@" { Some(None) } else { line.strip_prefix("@@ ").map(Some) }
}

fn chunk_line(line: &str) -> Option<Line> {
    let Some(sign) = line.chars().next() else { return Some(Line::Context(String::new())) };
    let text = || line[sign.len_utf8()..].to_owned();
    match sign {
        ' ' => Some(Line::Context(text())),
        '+' => Some(Line::Added(text())),
        '-' => Some(Line::Removed(text())),
        _ => None,
    }
}
