//! Telling operands from flags, as well as a glance does.

/// The operands: no flags, no values of the flags listed, and everything behind `--`.
pub(super) fn operands<'a>(words: &'a [String], valued: &[&str]) -> Vec<&'a str> {
    let mut found = Vec::new();
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        if word == "--" {
            found.extend(words);
            break;
        } else if valued.contains(&word) {
            words.next();
        } else if !word.starts_with('-') {
            found.push(word);
        }
    }
    found
}

/// The same, but what looks like a flag is none of them even behind `--`.
pub(super) fn plain_operands<'a>(words: &'a [String], valued: &[&str]) -> Vec<&'a str> {
    let mut found = operands(words, valued);
    found.retain(|word| !word.starts_with('-'));
    found
}

/// The folder that `cd` is given: the last operand, or the first behind `--`.
pub(super) fn directory(words: &[String]) -> Option<&str> {
    if let Some(end) = words.iter().position(|word| word == "--") {
        return words.get(end + 1).map(String::as_str);
    }
    words.iter().rev().map(String::as_str).find(|word| !word.starts_with('-'))
}

/// The last component that says something, for display.
pub(super) fn shorten(path: &str) -> String {
    let path = path.replace('\\', "/");
    let path = path.trim_end_matches('/');
    let telling = |part: &&str| {
        !part.is_empty() && !matches!(*part, "src" | "build" | "dist" | "node_modules")
    };
    path.rsplit('/').find(telling).unwrap_or(path).to_owned()
}

/// A count as `head` and `tail` take it.
pub(super) fn is_count(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}
