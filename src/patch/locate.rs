//! Finding the chunks of an update in the lines of a file, and the text that results.
//!
//! Lines end with LF, CR LF or CR, and what a patch does not touch keeps its bytes. New lines take the ending of the
//! file's first line.

use super::{Chunk, Line};

/// What could not be found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Context(String),
    Lines(String),
}

/// A line of the file: its text and the bytes that end it (none at the end of some files).
struct FileLine<'a> {
    text: &'a str,
    ending: &'a str,
}

/// `old` with the chunks applied, in their order.
pub(super) fn rewrite(old: &str, chunks: &[Chunk]) -> Result<String, Missing> {
    let file = split(old);
    let mut places = Vec::new();
    let mut position = 0;
    for chunk in chunks {
        if let Some(context) = &chunk.context {
            let found = find(&file, &[context], position, false);
            position = found.ok_or_else(|| Missing::Context(context.clone()))? + 1;
        }
        let mut lines: Vec<&Line> = chunk.lines.iter().collect();
        if old_lines(&lines).is_empty() {
            // Only additions: nothing says where, so they go to the end.
            places.push((file.len(), lines));
            continue;
        }
        let start = match find(&file, &old_lines(&lines), position, chunk.at_end) {
            Some(start) => start,
            None => retry(&file, &mut lines, position, chunk.at_end).ok_or_else(|| {
                Missing::Lines(old_lines(&chunk.lines.iter().collect::<Vec<_>>()).join("\n"))
            })?,
        };
        position = start + old_lines(&lines).len();
        places.push((start, lines));
    }
    // Stable: additions at the end stay in the order of the patch, behind what was replaced there.
    places.sort_by_key(|(start, _)| *start);
    Ok(assemble(&file, &places))
}

/// A second search without the blank line that models like to leave at the end of a chunk. A blank line to keep that
/// is not found counts as new, unless it would be the last.
fn retry(
    file: &[FileLine<'_>],
    lines: &mut Vec<&Line>,
    position: usize,
    at_end: bool,
) -> Option<usize> {
    const BLANK: &Line = &Line::Added(String::new());
    let last_old = lines.iter().rposition(|line| !matches!(line, Line::Added(_)))?;
    let keeps = match lines[last_old] {
        Line::Context(text) if text.is_empty() => true,
        Line::Removed(text) if text.is_empty() => false,
        Line::Context(_) | Line::Removed(_) | Line::Added(_) => return None,
    };
    if keeps {
        lines[last_old] = BLANK;
    } else {
        lines.remove(last_old);
    }
    if let Some(last_new) = lines.iter().rposition(|line| !matches!(line, Line::Removed(_)))
        && *lines[last_new] == *BLANK
    {
        lines.remove(last_new);
    }
    find(file, &old_lines(lines), position, at_end)
}

fn old_lines<'a>(lines: &[&'a Line]) -> Vec<&'a str> {
    lines
        .iter()
        .filter_map(|line| match line {
            Line::Context(text) | Line::Removed(text) => Some(text.as_str()),
            Line::Added(_) => None,
        })
        .collect()
}

/// The new text: each place's lines instead of the file's, everything else as it was.
fn assemble(file: &[FileLine<'_>], places: &[(usize, Vec<&Line>)]) -> String {
    let ending =
        file.first().map(|line| line.ending).filter(|ending| !ending.is_empty()).unwrap_or("\n");
    let mut out = String::new();
    let mut push = |text: &str, own: &str| {
        out.push_str(text);
        out.push_str(if own.is_empty() { ending } else { own });
    };
    let mut next = 0;
    for (start, lines) in places {
        for line in file.get(next..*start).unwrap_or_default() {
            push(line.text, line.ending);
        }
        next = *start;
        for line in lines {
            match line {
                Line::Added(text) => push(text, ""),
                Line::Removed(_) => next += 1,
                // What stays keeps the file's spelling, which the patch may have got only nearly right.
                Line::Context(_) => {
                    if let Some(line) = file.get(next) {
                        push(line.text, line.ending);
                    }
                    next += 1;
                }
            }
        }
    }
    for line in file.get(next..).unwrap_or_default() {
        push(line.text, line.ending);
    }
    out
}

fn split(text: &str) -> Vec<FileLine<'_>> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let (line, tail) = rest.split_at(end);
        let width = if tail.starts_with("\r\n") { 2 } else { tail.len().min(1) };
        let (ending, tail) = tail.split_at(width);
        lines.push(FileLine { text: line, ending });
        rest = tail;
    }
    lines
}

/// Ways to compare, from strict to generous. Each is tried over the whole range before the next.
const WAYS: [fn(&str, &str) -> bool; 4] = [
    |a, b| a == b,
    |a, b| a.trim_end() == b.trim_end(),
    |a, b| a.trim() == b.trim(),
    |a, b| a.trim().chars().map(plain).eq(b.trim().chars().map(plain)),
];

/// Where `wanted` stands at or after `position`; with `at_end` only as the last lines of the file.
fn find(
    file: &[FileLine<'_>],
    wanted: &[impl AsRef<str>],
    position: usize,
    at_end: bool,
) -> Option<usize> {
    let last = file.len().checked_sub(wanted.len()).filter(|last| *last >= position)?;
    let first = if at_end { last } else { position };
    WAYS.iter().find_map(|same| {
        (first..=last).find(|&start| {
            file[start..].iter().zip(wanted).all(|(line, wanted)| same(line.text, wanted.as_ref()))
        })
    })
}

/// The plain character that people type for a typographic one.
fn plain(c: char) -> char {
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{2018}'..='\u{201B}' => '\'',
        '\u{201C}'..='\u{201F}' => '"',
        '\u{00A0}' | '\u{2002}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}' => ' ',
        c => c,
    }
}
