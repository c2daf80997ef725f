//! Reports as people read them.

use super::report::render;

#[track_caller]
fn check(answer: &str, expected: &str) {
    assert_eq!(render(answer), expected);
}

fn finding(title: &str, body: &str) -> String {
    format!(
        r#"{{"title": "{title}", "body": "{body}", "confidence_score": 0.5, "priority": 1,
            "code_location": {{"absolute_file_path": "/a.rs", "line_range": {{"start": 1, "end": 2}}}}}}"#
    )
}

#[test]
fn findings_follow_the_explanation() {
    let one = format!(
        r#"{{"findings": [{}], "overall_explanation": "Bad."}}"#,
        finding("[P1] A", "x\\ny")
    );
    check(&one, "Bad.\n\nReview comment:\n\n- [P1] A — /a.rs:1-2\n  x\n  y");
    check(&format!("Here: ```json\n{one}\n```"), &render(&one));
    let two = format!(r#"{{"findings": [{}, {}]}}"#, finding("A", "x"), finding("B", ""));
    check(&two, "Review comments:\n\n- A — /a.rs:1-2\n  x\n\n- B — /a.rs:1-2");
    check(r#"{"findings": [], "overall_explanation": "Fine."}"#, "Fine.");
}

#[test]
fn what_is_no_report_is_shown_as_it_is() {
    check(" plain words\n", "plain words");
    check("see {this}", "see {this}");
    check(r#"{"findings": 1}"#, r#"{"findings": 1}"#);
    check("", "");
}
