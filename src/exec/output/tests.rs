//! How output is kept, decoded and cut down to what a model is shown.

use proptest::prelude::*;

use super::*;

/// The numbers up to `last`, a line each.
fn seq(last: usize) -> Output {
    Output::from((1..=last).map(|number| format!("{number}\n")).collect::<String>())
}

/// A heading of `len` bytes.
fn heading(len: usize) -> String {
    format!("{}\n", "h".repeat(len - 1))
}

/// The number in the marker, and the sizes of what is before it (without the heading and notices) and after it.
fn cut(text: &str) -> (usize, usize, usize) {
    let (before, rest) = text.split_once('…').expect("a marker");
    let (marker, after) = rest.split_once('…').expect("the end of the marker");
    let before = before.split_once("\n\n").map_or(before, |(_, shown)| shown);
    (marker.split(' ').next().unwrap().parse().unwrap(), before.len(), after.len())
}

#[test]
fn long_output() {
    let text = truncate_for_model(&heading(106), &seq(20_000), Truncation::Tokens(10_000), 10_000);
    assert_eq!((text.chars().count(), cut(&text)), (40_213, (17_224, 20_000, 20_000)));
    assert!(text.contains("(original token count: 27224)\nTotal output lines: 20000\n\n1\n2\n"));
    assert!(text.contains("tokens truncated…") && text.ends_with("19999\n20000\n"));

    let text = truncate_for_model(&heading(106), &seq(20_000), Truncation::Bytes(10_000), 10_000);
    assert_eq!((text.chars().count(), cut(&text)), (10_212, (98_894, 5000, 5000)));
    assert!(text.contains("98894 chars truncated…"));
}

#[test]
fn lower_limits_of_the_call() {
    let limits = [
        (0, 213, (27_224, 0, 0)),
        (1, 217, (27_223, 2, 2)),
        (10, 253, (27_214, 20, 20)),
        (100, 613, (27_124, 200, 200)),
    ];
    for (limit, chars, expected) in limits {
        let text =
            truncate_for_model(&heading(106), &seq(20_000), Truncation::Tokens(10_000), limit);
        assert_eq!((text.chars().count(), cut(&text)), (chars, expected), "{limit}");
    }
    // Whichever is lower; the marker speaks the language of the one that was applied.
    for (limit, expected) in
        [(2499, (24_725, 4998, 4998)), (2500, (24_724, 5000, 5000)), (2501, (98_893, 5000, 5001))]
    {
        let text =
            truncate_for_model(&heading(106), &seq(20_000), Truncation::Bytes(10_001), limit);
        assert_eq!(cut(&text), expected, "{limit}");
    }
}

#[test]
fn the_whole_obeys_the_policy() {
    let text = truncate_for_model(&heading(106), &seq(20_000), Truncation::Tokens(100), 10_000);
    assert_eq!((text.chars().count(), cut(&text)), (473, (27_159, 130, 130)));
    let text = truncate_for_model(&heading(104), &seq(129), Truncation::Tokens(100), 10_000);
    assert_eq!((text.len(), cut(&text)), (480, (34, 136, 136)));
    let text = truncate_for_model(&heading(106), &seq(20_000), Truncation::Bytes(1001), 10_000);
    assert_eq!((text.len(), cut(&text)), (1202, (107_909, 492, 493)));
    // The output would fit, but not together with the heading.
    let text = truncate_for_model(&heading(103), &seq(90), Truncation::Bytes(300), 10_000);
    assert_eq!((text.len(), cut(&text)), (360, (106, 77, 78)));
}

#[test]
fn heading_gives_way_last() {
    let text = truncate_for_model(&heading(106), &seq(20_000), Truncation::Tokens(7), 10_000);
    assert_eq!((text.len(), cut(&text)), (61, (46, 18, 18)));
    let text = truncate_for_model(&heading(103), &Output::default(), Truncation::Tokens(0), 10_000);
    assert_eq!(text, "…26 tokens truncated…");
    let text = truncate_for_model(&heading(106), &seq(20_000), Truncation::Bytes(101), 10_000);
    assert_eq!(text.len(), 149);
}

#[test]
fn short_output_is_left_alone() {
    for policy in [Truncation::Tokens(100), Truncation::Bytes(400)] {
        assert_eq!(
            truncate_for_model("H\n", &seq(90), policy, 10_000),
            format!("H\n{}", seq(90).text)
        );
    }
    assert_eq!(truncate_for_model("H\n", &Output::default(), Truncation::Tokens(100), 0), "H\n");
}

#[test]
fn characters_are_not_split() {
    let output = Output::from("ä€𝄞".repeat(300));
    let text = truncate_for_model(&heading(104), &output, Truncation::Bytes(10_000), 100);
    assert_eq!((text.len(), cut(&text)), (605, (575, 200, 198)));
    let text = truncate_for_model(&heading(104), &output, Truncation::Tokens(100), 10_000);
    assert_eq!((text.len(), cut(&text)), (477, (607, 135, 135)));
    let text = truncate_for_model(&heading(104), &output, Truncation::Bytes(1001), 10_000);
    assert_eq!((text.len(), cut(&text).0), (1202, 568));
}

#[test]
fn omitted_bytes_replace_the_line_count() {
    let mut buffer = HeadTail::default();
    for _ in 0..3000 {
        buffer.push(&"x".repeat(1000));
    }
    let output = buffer.take();
    let text = truncate_for_model(&heading(107), &output, Truncation::Bytes(10_000), 10_000);
    assert!(
        text.contains("(original token count: 750000)\n... 1951424 bytes omitted ...\n\nxxx"),
        "{}",
        &text[..300]
    );
    assert_eq!((text.chars().count(), cut(&text)), (10_220, (1_038_607, 5000, 5000)));
}

#[test]
fn head_and_tail() {
    let mut buffer = HeadTail::default();
    let mut all = String::new();
    for number in 0..400_000 {
        let line = format!("{number}\n");
        buffer.push(&line);
        all.push_str(&line);
    }
    let output = buffer.take();
    let omitted = all.len() - 2 * KEPT_EACH;
    assert_eq!((output.bytes, output.omitted), (all.len(), omitted));
    let marker = format!("\n... {omitted} bytes omitted ...\n");
    assert_eq!(output.text, [&all[..KEPT_EACH], &marker, &all[all.len() - KEPT_EACH..]].concat());
    assert_eq!(buffer.take(), Output::default());
}

#[test]
fn exactly_full_is_whole() {
    let mut buffer = HeadTail::default();
    buffer.push(&"x".repeat(2 * KEPT_EACH));
    assert_eq!(buffer.take(), Output::from("x".repeat(2 * KEPT_EACH)));
}

#[test]
fn what_is_kept_is_cut_between_characters() {
    let mut buffer = HeadTail::default();
    buffer.push("a");
    for _ in 0..1_000_000 {
        buffer.push("€");
    }
    let output = buffer.take();
    assert!(!output.text.contains(char::REPLACEMENT_CHARACTER));
    let marker = format!("\n... {} bytes omitted ...\n", output.omitted);
    assert_eq!(output.text.len() + output.omitted, output.bytes + marker.len());
}

proptest! {
    #[test]
    fn decoding_in_parts_is_decoding_at_once(bytes: Vec<u8>, text: String, size in 1..7_usize) {
        let bytes = [text.as_bytes(), &bytes, text.as_bytes()].concat();
        let mut decoder = Decoder::default();
        let mut decoded: String = bytes.chunks(size).map(|part| decoder.decode(part)).collect();
        decoded.push_str(&decoder.finish());
        prop_assert_eq!(decoded, String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn pieces_make_the_whole(text: String, size in 4..9_usize) {
        let parts: Vec<&str> = pieces(&text, size).collect();
        prop_assert!(parts.iter().all(|part| part.len() <= size && !part.is_empty()));
        prop_assert_eq!(parts.concat(), text);
    }

    #[test]
    fn nothing_exceeds_the_policy(text: String, heading in "[a-z\n]{0,90}", limit in 0..200_usize, max in 0..100_usize) {
        let output = Output::from(text);
        for policy in [Truncation::Bytes(limit), Truncation::Tokens(limit)] {
            let shown = truncate_for_model(&heading, &output, policy, max);
            let room = policy.bytes() * 6 / 5 + 1;
            // Only the marker itself may exceed it.
            prop_assert!(shown.len() <= room + 32, "{} > {room}", shown.len());
        }
    }
}
