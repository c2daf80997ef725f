//! Patches in the middle of being written.

use proptest::prelude::*;

use super::*;

const PATCH: &str = "*** Begin Patch
*** Add File: n.txt
+hello
+world
*** Update File: b.txt
*** Move to: c.txt
@@ ctx
 same
-b
+B
*** End of File
*** Delete File: a.txt
*** End Patch";

fn add(path: &str, diff: &str) -> FileUpdateChange {
    FileUpdateChange { path: path.to_owned(), kind: PatchChangeKind::Add, diff: diff.to_owned() }
}

#[test]
fn lines_count_once_they_are_whole() {
    let mut progress = Progress::default();
    assert!(!progress.push("*** Begin Patch\n*** Add File: n"));
    assert_eq!(progress.changes(), []);
    assert!(progress.push(".txt\n+hel"));
    assert_eq!(progress.changes(), [add("n.txt", "")]);
    assert!(progress.push("lo\r\n+wor"));
    assert_eq!(progress.changes(), [add("n.txt", "hello\n")]);
    assert!(!progress.push("ld"));
}

#[test]
fn every_kind_of_change_is_shown() {
    let mut progress = Progress::default();
    progress.push(PATCH);
    let deleted = FileUpdateChange { kind: PatchChangeKind::Delete, ..add("a.txt", "") };
    let moved = FileUpdateChange {
        kind: PatchChangeKind::Update { move_path: Some("c.txt".to_owned()) },
        ..add("b.txt", "@@ ctx\n same\n-b\n+B\n\n\nMoved to: c.txt")
    };
    assert_eq!(progress.changes(), [deleted, moved, add("n.txt", "hello\nworld\n")]);
}

proptest! {
    #[test]
    fn how_the_text_is_cut_does_not_matter(cuts in prop::collection::vec(0..PATCH.len(), 0..9)) {
        let mut whole = Progress::default();
        whole.push(PATCH);
        let mut cuts = cuts;
        cuts.sort_unstable();
        let mut progress = Progress::default();
        let mut start = 0;
        for end in cuts.into_iter().chain([PATCH.len()]) {
            progress.push(&PATCH[start..end]);
            start = end;
        }
        prop_assert_eq!(progress.changes(), whole.changes());
    }
}
