//! Event streams, split in every way that transports split them.

use proptest::prelude::*;

use super::*;

fn parse(chunks: &[&[u8]]) -> Vec<String> {
    let mut parser = Parser::new(1000);
    let mut events = Vec::new();
    let mut take = |data: &[u8]| events.push(String::from_utf8(data.to_vec()).unwrap());
    for chunk in chunks {
        parser.feed(chunk, &mut take).unwrap();
    }
    parser.finish(&mut take);
    events
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(parse(&[text.as_bytes()]), expected, "as one chunk");
    let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
    assert_eq!(parse(&bytes), expected, "byte by byte");
}

#[test]
fn reads_events_however_lines_end() {
    check("data: a\n\ndata: b\n\n", &["a", "b"]);
    check("data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]);
    check("data: a\r\rdata: b\r\r", &["a", "b"]);
    check("data: a\n\r\ndata: b\r\r\n", &["a", "b"]);
}

#[test]
fn keeps_only_data() {
    check("event: x\nid: 1\nretry: 5\ndata: a\n: comment\ndatabase: b\n\n", &["a"]);
    check(": nothing but a comment\n\n\n\nevent: x\n\n", &[]);
}

#[test]
fn joins_data_lines() {
    check("data: a\ndata:b\ndata\ndata:  c\n\n", &["a\nb\n\n c"]);
    check("data\n\n", &[""]);
}

#[test]
fn the_end_of_the_stream_completes_an_event() {
    check("data: a\n\ndata: b", &["a", "b"]);
    check("data: a\n", &["a"]);
}

#[test]
fn skips_a_byte_order_mark() {
    check("\u{feff}data: a\n\ndata: \u{feff}b\n\n", &["a", "\u{feff}b"]);
}

#[test]
fn gives_up_events_that_outgrow_the_limit() {
    for text in ["data: 0123456789", "data: 01234\ndata: 56789\n", "data: 0123456789\n\n"] {
        let mut parser = Parser::new(8);
        assert_eq!(parser.feed(text.as_bytes(), |_| {}), Err(TooLarge { limit: 8 }), "{text}");
    }
    let mut parser = Parser::new(8);
    assert_eq!(parser.feed("data: 1\n\n".repeat(100).as_bytes(), |_| {}), Ok(()));
}

proptest! {
    #[test]
    fn chunks_do_not_matter(
        lines in prop::collection::vec("(data: ?[a-zä]{0,5}|:c|event: e|)(\n|\r|\r\n)", 0..20),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
    ) {
        let text = lines.concat();
        let bytes = text.as_bytes();
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        at.extend([0, bytes.len()]);
        at.sort_unstable();
        let chunks: Vec<&[u8]> = at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        prop_assert_eq!(parse(&chunks), parse(&[bytes]));
    }
}
