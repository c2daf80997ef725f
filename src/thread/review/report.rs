//! The reviewer's report: what its model wrote, and how people read it.

use std::fmt::Write as _;

use serde::Deserialize;

use crate::util::json::object_in;

/// What a reviewer is asked to write.
#[derive(Debug, Deserialize)]
struct Report {
    #[serde(default)]
    findings: Vec<Finding>,
    #[serde(default)]
    overall_explanation: String,
}

#[derive(Debug, Deserialize)]
struct Finding {
    title: String,
    #[serde(default)]
    body: String,
    code_location: Location,
}

#[derive(Debug, Deserialize)]
struct Location {
    absolute_file_path: String,
    line_range: Lines,
}

#[derive(Debug, Deserialize)]
struct Lines {
    start: u64,
    end: u64,
}

/// The text that the client is shown. An answer that is no report is shown as it is.
pub(super) fn render(answer: &str) -> String {
    let Some(report) = object_in::<Report>(answer) else { return answer.trim().to_owned() };
    let mut text = report.overall_explanation.trim().to_owned();
    let heading = match report.findings.len() {
        0 => return text,
        1 => "Review comment:",
        _ => "Review comments:",
    };
    if !text.is_empty() {
        text += "\n\n";
    }
    text += heading;
    text.push('\n');
    for finding in &report.findings {
        let Location { absolute_file_path, line_range: Lines { start, end } } =
            &finding.code_location;
        // Writing to a string cannot fail.
        let _infallible =
            write!(text, "\n- {} — {absolute_file_path}:{start}-{end}\n", finding.title.trim());
        for line in finding.body.trim().lines() {
            let _infallible = writeln!(text, "  {line}");
        }
    }
    text.trim_end().to_owned()
}
