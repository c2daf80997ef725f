//! Lines out of bytes: any chunking, line ends, bounds.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

/// A reader that hands out exactly the chunks that it was given.
struct Chunks(VecDeque<Vec<u8>>);

impl Read for Chunks {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Some(mut chunk) = self.0.pop_front() else { return Ok(0) };
        let take = chunk.len().min(out.len());
        out[..take].copy_from_slice(&chunk[..take]);
        if take < chunk.len() {
            self.0.push_front(chunk.split_off(take));
        }
        Ok(take)
    }
}

fn lines_of(chunks: &[&[u8]], max_line: usize) -> Vec<Vec<u8>> {
    let source = Chunks(chunks.iter().filter(|c| !c.is_empty()).map(|c| c.to_vec()).collect());
    let mut lines = Lines::with_max_line(source, max_line);
    std::iter::from_fn(|| lines.next_line().unwrap()).map(|line| line.to_vec()).collect()
}

#[track_caller]
fn check(chunks: &[&str], expected: &[&str]) {
    let chunks: Vec<&[u8]> = chunks.iter().map(|c| c.as_bytes()).collect();
    let got = lines_of(&chunks, MAX_LINE);
    let got: Vec<&str> = got.iter().map(|line| std::str::from_utf8(line).unwrap()).collect();
    assert_eq!(got, expected);
}

#[test]
fn splits_at_line_ends_only() {
    check(&[], &[]);
    check(&["a\nb\n"], &["a", "b"]);
    check(&["a", "b\n", "c", "\n"], &["ab", "c"]);
    check(&["a\r\nb"], &["a\r", "b"]);
    check(&["\n  \n\r\nx"], &["x"]);
    check(&["last"], &["last"]);
}

#[test]
fn drops_a_byte_order_mark_at_the_start_only() {
    check(&["\u{feff}a\n\u{feff}b\n"], &["a", "\u{feff}b"]);
}

#[test]
fn drops_lines_beyond_the_bound_and_goes_on() {
    let long = vec![b'x'; 3 * CHUNK];
    let chunks: Vec<&[u8]> = vec![b"a\n", &long, &long, b"tail\nb\n"];
    assert_eq!(lines_of(&chunks, 2 * CHUNK), [b"a", b"b"]);
    let chunks: Vec<&[u8]> = vec![&long, &long];
    assert!(lines_of(&chunks, 2 * CHUNK).is_empty());
}

proptest! {
    #[test]
    fn chunking_does_not_matter(text in "[ab\r\n ]{0,200}", cuts in prop::collection::vec(1usize..20, 0..40)) {
        let (mut rest, mut chunks) = (text.as_bytes(), Vec::new());
        for cut in cuts {
            let (head, tail) = rest.split_at(cut.min(rest.len()));
            chunks.push(head);
            rest = tail;
        }
        chunks.push(rest);
        let expected: Vec<Vec<u8>> = text
            .split('\n')
            .filter(|line| !line.trim().is_empty())
            .map(|line| line.as_bytes().to_vec())
            .collect();
        prop_assert_eq!(lines_of(&chunks, MAX_LINE), expected);
    }
}
