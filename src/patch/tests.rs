//! Patches end to end: text, place, files.

mod files;
mod properties;
mod scripts;

use super::locate::{Missing, rewrite};
use super::{Chunk, Error, Hunk, Line, Patch, parse, unified};

fn wrapped(body: &str) -> String {
    format!("*** Begin Patch\n{body}\n*** End Patch")
}

/// The chunks of a patch that updates one file.
fn chunks(body: &str) -> Vec<Chunk> {
    let Patch { hunks } =
        parse(&wrapped(&format!("*** Update File: f\n{body}"))).expect("a good patch");
    match hunks.into_iter().next() {
        Some(Hunk::Update { chunks, .. }) => chunks,
        other => panic!("no update: {other:?}"),
    }
}

#[track_caller]
fn rewrites(old: &str, body: &str, new: &str) {
    assert_eq!(rewrite(old, &chunks(body)).as_deref(), Ok(new), "{old:?} with {body:?}");
}

#[track_caller]
fn misses(old: &str, body: &str, missing: &Missing) {
    assert_eq!(rewrite(old, &chunks(body)).as_ref(), Err(missing), "{old:?} with {body:?}");
}

fn missing_lines(lines: &str) -> Missing {
    Missing::Lines(lines.to_owned())
}

#[test]
fn reads_every_kind_of_hunk() {
    let text = wrapped(
        "*** Add File: new\n+a\n+\n*** Delete File: old\n*** Update File: a\n*** Move to: b\n@@ ctx\n x\n-y\n+z\n\n*** End of File",
    );
    let chunk = Chunk {
        context: Some("ctx".into()),
        lines: vec![
            Line::Context("x".into()),
            Line::Removed("y".into()),
            Line::Added("z".into()),
            Line::Context(String::new()),
        ],
        at_end: true,
    };
    let hunks = vec![
        Hunk::Add { path: "new".into(), content: "a\n\n".into() },
        Hunk::Delete { path: "old".into() },
        Hunk::Update { path: "a".into(), move_to: Some("b".into()), chunks: vec![chunk] },
    ];
    assert_eq!(parse(&text).expect("a good patch"), Patch { hunks });
}

#[test]
fn tolerates_blanks_line_ends_and_a_here_document() {
    let plain = parse(&wrapped("*** Add File: n\n+x")).expect("a good patch");
    for text in [
        "\n\n *** Begin Patch \n  *** Add File: n  \n+x\n\t*** End Patch\n\n",
        "*** Begin Patch\r\n*** Add File: n\r\n+x\r\n*** End Patch\r\n",
        "<<'EOF'\n*** Begin Patch\n*** Add File: n\n+x\n*** End Patch\nEOF\n",
        "<<\"EOF\"\n*** Begin Patch\n*** Add File: n\n+x\n*** End Patch\nEOF",
        "<<EOF\n*** Begin Patch\n*** Add File: n\n+x\n*** End Patch\nEOF",
    ] {
        assert_eq!(parse(text).expect("a good patch"), plain, "{text:?}");
    }
    assert_eq!(chunks("-a\n+b"), chunks("@@  \n-a\n+b"), "the first chunk needs no marker");
    assert_eq!(
        chunks("-a\n*** End of File\n\n@@\n+b").len(),
        2,
        "a blank line after the end of a file means nothing"
    );
}

#[test]
fn says_where_a_patch_is_malformed() {
    for (text, expected) in [
        ("nonsense", "invalid patch: its first line"),
        ("*** Begin Patch\n*** Add File: a\n+x", "invalid patch: its last line"),
        ("hello\n*** Begin Patch\n*** End Patch", "invalid patch: its first line"),
        ("*** Begin Patch", "invalid patch: its last line"),
        ("<<'X'\n*** Begin Patch\n*** End Patch\nX", "invalid patch: its first line"),
    ] {
        assert_problem(text, expected);
    }
    for (body, expected) in [
        ("*** Frob File: a", "invalid hunk at line 2, '*** Frob File: a'"),
        ("*** Add File: ", "invalid hunk at line 2, '*** Add File:'"),
        ("*** Add File: a\nx", "invalid hunk at line 3, 'x'"),
        ("*** Add File: a\n+x\n\n*** Add File: b\n+y", "invalid hunk at line 4, ''"),
        ("*** Delete File: a\n+x", "invalid hunk at line 3, '+x'"),
        ("*** Update File: a", "invalid hunk at line 2, the update of 'a' changes nothing"),
        ("*** Update File: a\n*** Move to: b", "invalid hunk at line 2, the update of 'a'"),
        ("*** Update File: a\n*** Add File: b\n+x", "invalid hunk at line 2, the update of 'a'"),
        ("*** Update File: a\n@@\nbogus", "invalid hunk at line 4, 'bogus' is no line"),
        ("*** Update File: a\n@@\n-a\nbogus", "invalid hunk at line 5, expected '@@'"),
        ("*** Update File: a\n@@\n@@ x\n-a", "invalid hunk at line 4, '@@ x' is no line"),
        ("*** Update File: a\n@@two\n-a", "invalid hunk at line 3, '@@two' is no line"),
        ("*** Update File: a\n@@", "invalid hunk at line 4, there are no lines"),
        ("*** Update File: a\n@@\n*** End of File", "invalid hunk at line 4, there are no lines"),
        ("*** Update File: a\n@@\n-a\n@@", "invalid hunk at line 6, there are no lines"),
        ("*** Update File: a\n-a\n*** End of File\n-b", "invalid hunk at line 5, expected '@@'"),
        ("*** Update File: a\n-a\n*** Move to: b", "invalid hunk at line 4, expected '@@'"),
        ("*** Environment ID: x\n*** Add File: a\n+x", "the patch names an environment"),
    ] {
        assert_problem(&wrapped(body), expected);
    }
}

#[track_caller]
fn assert_problem(text: &str, expected: &str) {
    let error = parse(text).expect_err("a malformed patch").to_string();
    assert!(error.starts_with(expected), "{text:?}: {error}");
}

#[test]
fn refusals_name_the_failed_check() {
    assert_eq!(Error::Empty.refusal(), "patch rejected: empty patch");
    let refusal = Error::Malformed("x".into()).refusal();
    assert_eq!(refusal, "apply_patch verification failed: invalid patch: x");
}

#[test]
fn finds_chunks_in_order() {
    rewrites("one\ntwo\n", "-one\n+ONE\n two", "ONE\ntwo\n");
    rewrites("1\n2\n3\n", "-1\n+a\n@@\n-3\n+c", "a\n2\nc\n");
    rewrites("a\na\na\n", "-a\n+1\n@@\n-a\n+2", "1\n2\na\n");
    rewrites("one\n", "@@\n-one", "");
    misses("one\ntwo\n", "-two\n+2\n@@\n-one\n+1", &missing_lines("one"));
    misses("one\n", "+x\n@@\n-x\n+y", &missing_lines("x"));
    misses("one\ntwo\n", " one\n-nope\n+x", &missing_lines("one\nnope"));
}

#[test]
fn context_lines_move_the_search() {
    rewrites("one\ntwo\none\n", "@@ two\n-one\n+x", "one\ntwo\nx\n");
    rewrites("one\ntwo\none\n", "@@ one\n one\n+x", "one\ntwo\none\nx\n");
    rewrites("one\n   two  \none\n", "@@ two\n-one\n+x", "one\n   two  \nx\n");
    misses("one\n", "@@ zz\n-one", &Missing::Context("zz".into()));
    misses("one\ntwo\n", "@@ two\n-one", &missing_lines("one"));
}

#[test]
fn additions_alone_go_to_the_end() {
    rewrites("", "+x", "x\n");
    rewrites("one", "+x", "one\nx\n");
    rewrites("one\n\n", "+x", "one\n\nx\n");
    rewrites("one\ntwo\n", "@@ one\n+x", "one\ntwo\nx\n");
    rewrites("one\n", "+x\n@@\n+y", "one\nx\ny\n");
    rewrites("one\ntwo\n", "-one\n+1\n@@\n+x\n@@\n-two\n+2", "1\n2\nx\n");
}

#[test]
fn the_end_of_the_file_counts() {
    rewrites("x\ny\nx\n", "-x\n+last\n*** End of File", "x\ny\nlast\n");
    rewrites("x\ny\nx\n", "-x\n+first", "first\ny\nx\n");
    rewrites("one\n three \n", "-three\n+3\n*** End of File", "one\n3\n");
    misses("one\ntwo\n", "-one\n+1\n*** End of File", &missing_lines("one"));
}

#[test]
fn a_blank_last_line_may_be_too_much() {
    rewrites("one\ntwo\nthree\n", "-two\n+2\n", "one\n2\nthree\n");
    rewrites("one\ntwo\nthree\n", "-two\n-\n+2\n+", "one\n2\nthree\n");
    rewrites("one\ntwo\nthree\n", "-two\n-\n+2", "one\n2\nthree\n");
    rewrites("one\ntwo\nthree\n", "-two\n\n+2", "one\n\n2\nthree\n");
    rewrites("one\ntwo\nthree\n", "-two\n+2\n\n+3", "one\n2\n\n3\nthree\n");
    rewrites("one\ntwo\n", "", "one\ntwo\n");
    rewrites("one\n\ntwo\n", " one\n \n-two\n+2", "one\n\n2\n");
}

#[test]
fn compares_generously_and_keeps_what_stays() {
    rewrites("a  \nb  \n  c\nd\n\te\t\n", " a\n-b\n+B\n c\n-d\n+D\n e", "a  \nB\n  c\nD\n\te\t\n");
    rewrites("  x\ny\nx\n", "-x\n+last", "  x\ny\nlast\n");
    rewrites(
        "a \u{2014} b\nit\u{2019}s\n\u{201c}q\u{201d}\n",
        " a - b\n-it's\n+x\n \"q\"",
        "a \u{2014} b\nx\n\u{201c}q\u{201d}\n",
    );
    rewrites("a\u{a0}b\u{2011}c\n", "-a b-c\n+x", "x\n");
    misses("\u{feff}a\n", "-a", &missing_lines("a"));
}

#[test]
fn keeps_line_endings() {
    rewrites("one\r\ntwo\r\n", "-one\n+ONE\n+new\n two", "ONE\r\nnew\r\ntwo\r\n");
    rewrites("one\ntwo\nthree\r\n", " two\n+new\n three", "one\ntwo\nnew\nthree\r\n");
    rewrites("one\r\ntwo\nthree\n", "-two\n+new", "one\r\nnew\r\nthree\n");
    rewrites("one\r\ntwo", "-one\n+new", "new\r\ntwo\r\n");
    rewrites("one\ntwo", "-one\n+new", "new\ntwo\n");
    rewrites("one\rtwo\rthree\r", "-two\n+2", "one\r2\rthree\r");
}

#[test]
fn prints_differences_as_git_does() {
    let numbers =
        |range: std::ops::RangeInclusive<u32>| range.map(|n| format!("{n}\n")).collect::<String>();
    for (old, new, context, expected) in [
        ("", "", 3, ""),
        ("a\n", "a\n", 3, ""),
        ("one\ntwo\n", "ONE\ntwo\n", 1, "@@ -1,2 +1,2 @@\n-one\n+ONE\n two\n"),
        ("one\n", "1\n", 1, "@@ -1 +1 @@\n-one\n+1\n"),
        ("", "x\n", 3, "@@ -0,0 +1 @@\n+x\n"),
        ("x\n", "", 3, "@@ -1 +0,0 @@\n-x\n"),
        (
            "one\ntwo",
            "one\n2",
            1,
            "@@ -1,2 +1,2 @@\n one\n-two\n\\ No newline at end of file\n+2\n\\ No newline at end of file\n",
        ),
        ("1\none", "2\none", 1, "@@ -1,2 +1,2 @@\n-1\n+2\n one\n\\ No newline at end of file\n"),
        ("one\r\n", "1\r\n", 1, "@@ -1 +1 @@\n-one\r\n+1\r\n"),
    ] {
        assert_eq!(unified(old, new, context), expected, "{old:?} to {new:?}");
    }
    let old = numbers(1..=20);
    let new = old.replace("\n4\n", "\nx\n").replace("\n11\n", "\ny\n").replace("\n19\n", "\nz\n");
    let diff = unified(&old, &new, 3);
    let headers: Vec<_> = diff.lines().filter(|line| line.starts_with("@@")).collect();
    assert_eq!(headers, ["@@ -1,14 +1,14 @@", "@@ -16,5 +16,5 @@"], "{diff}");
    let near_the_top = unified(&old, &old.replace("\n6\n", "\nx\n"), 3);
    assert_eq!(near_the_top, "@@ -3,7 +3,7 @@\n 3\n 4\n 5\n-6\n+x\n 7\n 8\n 9\n");
}
