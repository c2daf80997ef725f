//! What holds for all patches.

use proptest::prelude::*;

use super::{chunks, wrapped};
use crate::patch::locate::rewrite;
use crate::patch::{Hunk, intercept, parse, unified};

/// A unified diff as the body of an update: markers without numbers, no notes about newlines.
fn body(diff: &str) -> String {
    let line = |line: &str| if line.starts_with("@@") { "@@".to_owned() } else { line.to_owned() };
    diff.lines().filter(|line| !line.starts_with('\\')).map(line).collect::<Vec<_>>().join("\n")
}

fn joined(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line, "\n"]).collect()
}

/// What may happen to one line.
#[derive(Debug, Clone)]
enum Change {
    Keep,
    Remove,
    Replace,
    Insert(String),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => Just(Change::Keep),
        1 => Just(Change::Remove),
        1 => Just(Change::Replace),
        1 => "[a-z@*+-]{0,4}".prop_map(Change::Insert),
    ]
}

/// Fragments that scripts and patches are made of.
fn fragments() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "apply_patch",
        "cd",
        "d",
        " ",
        " ",
        "&&",
        "<<",
        "-",
        "'",
        "\"",
        "\\",
        "EOF",
        "\n",
        "\n",
        "\t",
        "\r\n",
        "$",
        "=",
        "*** Begin Patch\n",
        "*** End Patch\n",
        "*** Update File: f\n",
        "*** Add File: g\n",
        "*** Move to: h\n",
        "@@",
        "@@ a\n",
        "+a\n",
        "-a\n",
        " a\n",
        "*** End of File\n",
        "é",
    ]);
    prop::collection::vec(
        prop_oneof![9 => known.prop_map(ToOwned::to_owned), 1 => "\\PC{0,3}"],
        0..24,
    )
    .prop_map(|v| v.concat())
}

proptest! {
    #[test]
    fn a_patch_with_all_context_gives_the_new_text(
        old in prop::collection::vec("[ab ]{0,2}", 0..10),
        new in prop::collection::vec("[ab ]{0,2}", 0..10),
    ) {
        prop_assume!(old != new);
        let (old, new) = (joined(&old), joined(&new));
        let made = chunks(&body(&unified(&old, &new, 1000)));
        prop_assert_eq!(rewrite(&old, &made), Ok(new));
    }

    #[test]
    fn a_patch_with_little_context_finds_distinct_lines(changes in prop::collection::vec(change(), 1..40)) {
        let old: Vec<String> = (0..changes.len()).map(|at| format!("line {at}")).collect();
        let mut new = Vec::new();
        for (line, change) in old.iter().zip(changes) {
            match change {
                Change::Keep => new.push(line.clone()),
                Change::Remove => {}
                Change::Replace => new.push(format!("new {line}")),
                Change::Insert(text) => new.extend([text, line.clone()]),
            }
        }
        prop_assume!(old != new);
        for ending in ["\n", "\r\n"] {
            let made = chunks(&body(&unified(&joined(&old), &joined(&new), 1)));
            let (old, new) = (joined(&old).replace('\n', ending), joined(&new).replace('\n', ending));
            prop_assert_eq!(rewrite(&old, &made), Ok(new));
        }
    }

    #[test]
    fn nothing_panics(script in fragments(), old in fragments(), any in ".*") {
        for text in [&script, &wrapped(&script), &wrapped(&format!("*** Update File: f\n{script}")), &any] {
            intercept(text);
            for hunk in parse(text).map(|patch| patch.hunks).unwrap_or_default() {
                if let Hunk::Update { chunks, .. } = hunk {
                    let new = rewrite(&old, &chunks).unwrap_or_default();
                    unified(&old, &new, 1);
                }
            }
        }
    }

    #[test]
    fn a_here_document_hands_over_its_lines(lines in prop::collection::vec("\\PC{0,12}", 0..6)) {
        prop_assume!(lines.iter().all(|line| line != "EOF"));
        let text = joined(&lines);
        let script = format!("cd 'a b' && apply_patch <<'EOF'\n{text}EOF\n");
        let expected = crate::patch::Script::Patch { text, cd: Some("a b".to_owned()) };
        prop_assert_eq!(intercept(&script), expected);
    }
}
