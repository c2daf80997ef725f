//! What is a plan and what is not, in whole texts and in pieces.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(text: &str, said: &str, plan: Option<&str>) {
    let plan = plan.map(str::to_owned);
    assert_eq!(split(text), Split { said: said.to_owned(), plan }, "{text:?}");
}

#[test]
fn plans_stand_between_tags() {
    check("", "", None);
    check("hello", "hello", None);
    check("a\n<proposed_plan>\n# P\n- b\n</proposed_plan>\nc", "a\nc", Some("# P\n- b\n"));
    check("<proposed_plan>\nx\n</proposed_plan>", "", Some("x\n"));
    check("\n\n<proposed_plan>\nx\n</proposed_plan>\n\n", "\n\n\n", Some("x\n"));
    check("a\r\n  <proposed_plan>  \r\nx\r\n </proposed_plan> \r\nb", "a\r\nb", Some("x\r\n"));
    check("<proposed_plan>\n</proposed_plan>", "", Some(""));
}

#[test]
fn only_whole_lines_are_tags() {
    check("a <proposed_plan>x</proposed_plan>", "a <proposed_plan>x</proposed_plan>", None);
    check("<proposed_plan>x\ny", "<proposed_plan>x\ny", None);
    check("<proposal>\n", "<proposal>\n", None);
    check("a\n</proposed_plan>\nb", "a\n</proposed_plan>\nb", None);
    check(
        "<proposed_plan>\na\n</proposed_plan>b\n<proposed_plan>\n</proposed_plan>",
        "",
        Some("a\n</proposed_plan>b\n<proposed_plan>\n"),
    );
}

#[test]
fn a_plan_may_end_with_its_message() {
    check("a\n<proposed_plan>", "a\n", Some(""));
    check("<proposed_plan>\nx\n</proposed", "", Some("x\n</proposed"));
}

#[test]
fn the_last_plan_counts() {
    let text =
        "<proposed_plan>\none\n</proposed_plan>\nmid\n<proposed_plan>\ntwo\n</proposed_plan>\nend";
    check(text, "mid\nend", Some("two\n"));
}

#[test]
fn nothing_is_held_back_without_need() {
    let mut splitter = Splitter::default();
    let said = |text: &str| vec![Piece::Said(text.to_owned())];
    assert_eq!(splitter.push("code `<pro"), said("code `<pro"));
    assert_eq!(splitter.push("posed_plan>` x\n <"), said("posed_plan>` x\n"));
    assert_eq!(splitter.push("proposed_plan"), []);
    assert_eq!(splitter.push(">"), []);
    assert_eq!(splitter.push("\n"), [Piece::Opened]);
    assert_eq!(splitter.push("q\n</"), [Piece::Planned("q\n".to_owned())]);
    assert_eq!(splitter.push("b>\n"), [Piece::Planned("</b>\n".to_owned())]);
}

/// Texts made of what matters: tags, parts of tags, line ends, spaces, words.
fn texts() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        OPENING,
        CLOSING,
        "<proposed",
        "_plan>",
        "</",
        "<",
        "\n",
        "\n",
        "\r\n",
        " ",
        "word",
        "ü",
    ]);
    prop::collection::vec(words, 0..24).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn how_a_text_is_cut_does_not_matter(text in texts(), cuts in prop::collection::vec(1_usize..7, 1..9)) {
        let mut splitter = Splitter::default();
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        for length in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let end = rest.char_indices().nth(*length).map_or(rest.len(), |(at, _)| at);
            let (delta, after) = rest.split_at(end);
            pieces.extend(splitter.push(delta));
            rest = after;
        }
        pieces.extend(splitter.finish());
        let mut whole = Split::default();
        for piece in pieces {
            match piece {
                Piece::Opened => whole.plan = Some(String::new()),
                Piece::Planned(text) => whole.plan.get_or_insert_default().push_str(&text),
                Piece::Said(text) => whole.said.push_str(&text),
            }
        }
        prop_assert_eq!(whole, split(&text));
    }
}
