//! Finding a text in another, in upper or lower case, and showing what stands around it.

use std::ops::Range;

/// A text to find.
#[derive(Debug, Clone)]
pub(crate) struct Needle(Vec<char>);

/// What stands around a place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Snippet {
    pub(crate) text: String,
    /// Where the place is in the text, in UTF-16 code units.
    pub(crate) place: Range<usize>,
}

/// How many characters of what stands before and after a place are shown.
const BEFORE: usize = 48;
const AFTER: usize = 96;
/// Stands for what is not shown.
const CUT: &str = "...";

impl Needle {
    /// `None` for a text that is empty.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let folded: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
        (!folded.is_empty()).then_some(Self(folded))
    }

    /// The places where the text is, from the left, none within another. In bytes.
    pub(crate) fn places<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        let mut from = 0;
        std::iter::from_fn(move || {
            let rest = text[from..].char_indices();
            let place = rest
                .map(|(at, _)| from + at)
                .find_map(|start| self.end(&text[start..]).map(|len| start..start + len))?;
            from = place.end;
            Some(place)
        })
    }

    /// The length of the text at the start of `text`, if it is there.
    fn end(&self, text: &str) -> Option<usize> {
        let mut wanted = self.0.iter();
        for (at, char) in text.char_indices() {
            for folded in char.to_lowercase() {
                if *wanted.next()? != folded {
                    return None;
                }
            }
            if wanted.len() == 0 {
                return Some(at + char.len_utf8());
            }
        }
        None
    }
}

impl Snippet {
    /// What stands around `place` in `text`.
    pub(crate) fn around(text: &str, place: Range<usize>) -> Self {
        let (before, after) = (&text[..place.start], &text[place.end..]);
        let start = before.char_indices().rev().nth(BEFORE - 1).map_or(0, |(at, _)| at);
        let end = after.char_indices().nth(AFTER).map_or(text.len(), |(at, _)| place.end + at);
        let mut shown = String::new();
        if start > 0 {
            shown.push_str(CUT);
        }
        shown.push_str(&text[start..place.start]);
        let first = utf16(&shown);
        let found = &text[place.clone()];
        shown.push_str(found);
        shown.push_str(&text[place.end..end]);
        if end < text.len() {
            shown.push_str(CUT);
        }
        Self { text: shown, place: first..first + utf16(found) }
    }
}

fn utf16(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(needle: &str, text: &'a str) -> Vec<&'a str> {
        Needle::new(needle).unwrap().places(text).map(|place| &text[place]).collect()
    }

    #[test]
    fn in_any_case() {
        assert_eq!(found("neEdle", "A NEEDLE, a needle"), ["NEEDLE", "needle"]);
        assert_eq!(found("äß", "ÄSS Äß"), ["Äß"]);
        assert_eq!(found("aa", "aaaaa"), ["aa", "aa"]);
        assert_eq!(found("i\u{307}", "\u{130}x i\u{307}"), ["\u{130}", "i\u{307}"]);
        // Half a character is not a place.
        assert_eq!(found("i", "\u{130}"), Vec::<&str>::new());
        assert!(Needle::new("").is_none());
    }

    #[test]
    fn snippets() {
        let text = format!("{}😀 x {}", "é".repeat(100), "y".repeat(100));
        let place = Needle::new("X").unwrap().places(&text).next().unwrap();
        let snippet = Snippet::around(&text, place);
        assert_eq!(snippet.text, format!("...{}😀 x {}...", "é".repeat(46), "y".repeat(95)));
        assert_eq!(snippet.place, 52..53);
        let whole = Snippet::around("x", 0..1);
        assert_eq!(whole, Snippet { text: "x".to_owned(), place: 0..1 });
    }
}
