//! What an event has to be about for a hook to run.

use regex::Regex;

/// A matcher, ready for use.
#[derive(Debug, Clone)]
pub(super) enum Matcher {
    Anything,
    /// One of these words, whole.
    OneOf(Vec<String>),
    /// A part that fits.
    Pattern(Regex),
}

impl Matcher {
    /// Absent, empty and `*` match anything; words with `|` between them match as they are; the rest is a regular
    /// expression.
    pub(super) fn new(text: Option<&str>) -> Result<Self, regex::Error> {
        let Some(text) = text.filter(|text| !text.is_empty() && *text != "*") else {
            return Ok(Self::Anything);
        };
        let plain = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '|';
        if text.chars().all(plain) {
            return Ok(Self::OneOf(text.split('|').map(str::to_owned).collect()));
        }
        Regex::new(text).map(Self::Pattern)
    }

    /// Whether one of the names of what an event is about matches.
    pub(super) fn matches(&self, subjects: &[&str]) -> bool {
        match self {
            Self::Anything => true,
            Self::OneOf(words) => subjects.iter().any(|subject| words.iter().any(|w| w == subject)),
            Self::Pattern(pattern) => subjects.iter().any(|subject| pattern.is_match(subject)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(matcher: &str, fits: &[&str], others: &[&str]) {
        let compiled = Matcher::new(Some(matcher)).unwrap();
        for subject in fits {
            assert!(compiled.matches(&[subject]), "{matcher} matches {subject}");
        }
        for subject in others {
            assert!(!compiled.matches(&[subject]), "{matcher} does not match {subject}");
        }
    }

    #[test]
    fn words_are_whole_and_patterns_are_parts() {
        check("", &["Bash", ""], &[]);
        check("*", &["Bash"], &[]);
        check("Bash", &["Bash"], &["Bash2", "bash"]);
        check("Edit|Write", &["Edit", "Write"], &["Edit|Write", "MultiEdit"]);
        check("^view_.*", &["view_image"], &["review_image"]);
        check("mcp__.*", &["mcp__files__read"], &["Bash"]);
        assert!(Matcher::new(None).unwrap().matches(&["x"]));
        assert!(Matcher::new(Some("(")).is_err());
    }

    #[test]
    fn one_of_several_names_is_enough() {
        assert!(Matcher::new(Some("Edit")).unwrap().matches(&["Bash", "apply_patch", "Edit"]));
    }
}
