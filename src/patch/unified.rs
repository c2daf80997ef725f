//! Unified diffs, as git prints them: hunks only, no file header. Written here because the printer of `imara-diff`
//! never shortens `,1`, loses a missing final newline, and prints too much context before an early first hunk.

use std::fmt::Write as _;
use std::ops::Range;

use imara_diff::{Algorithm, Diff, InternedInput};

const NO_NEWLINE: &str = "\\ No newline at end of file";

/// The difference between two texts, with up to `context` unchanged lines around each change; empty when equal.
pub(crate) fn unified(old: &str, new: &str, context: u32) -> String {
    let input = InternedInput::new(old, new);
    let mut diff = Diff::compute(Algorithm::Myers, &input);
    diff.postprocess_lines(&input);
    let old_lines: Vec<&str> = input.before.iter().map(|token| input.interner[*token]).collect();
    let new_lines: Vec<&str> = input.after.iter().map(|token| input.interner[*token]).collect();
    let changes: Vec<imara_diff::Hunk> = diff.hunks().collect();
    let mut out = String::new();
    for group in changes.chunk_by(|a, b| b.before.start - a.before.end <= 2 * context) {
        write_group(&mut out, group, &old_lines, &new_lines, context);
    }
    out
}

/// Writes changes that are close enough to share one `@@` section.
fn write_group(
    out: &mut String,
    group: &[imara_diff::Hunk],
    old: &[&str],
    new: &[&str],
    context: u32,
) {
    let [first, ..] = group else { return };
    let [.., last] = group else { return };
    let lead = first.before.start.min(context);
    let trail = (index(old.len()) - last.before.end).min(context);
    let old_range = first.before.start - lead..last.before.end + trail;
    let new_range = first.after.start - lead..last.after.end + trail;
    let mut next = old_range.start;
    let end = old_range.end;
    // Writing to a string cannot fail.
    let _ = writeln!(out, "@@ -{} +{} @@", span(&old_range), span(&new_range));
    for change in group {
        write_lines(out, ' ', old, next..change.before.start);
        write_lines(out, '-', old, change.before.clone());
        write_lines(out, '+', new, change.after.clone());
        next = change.before.end;
    }
    write_lines(out, ' ', old, next..end);
}

fn write_lines(out: &mut String, sign: char, lines: &[&str], range: Range<u32>) {
    for line in lines.get(range.start as usize..range.end as usize).unwrap_or_default() {
        out.push(sign);
        out.push_str(line);
        if !line.ends_with('\n') {
            out.push('\n');
            out.push_str(NO_NEWLINE);
            out.push('\n');
        }
    }
}

/// `START,LENGTH`; a length of one is left out, and an empty range is named by the line before it.
fn span(range: &Range<u32>) -> String {
    match range.end - range.start {
        0 => format!("{},0", range.start),
        1 => format!("{}", range.start + 1),
        length => format!("{},{length}", range.start + 1),
    }
}

/// `imara-diff` counts lines with 32 bits and refuses more.
fn index(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
