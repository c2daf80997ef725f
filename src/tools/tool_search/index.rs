//! Finding short texts by words: BM25, which prefers rare words and texts that are about little else.

use std::collections::HashMap;

/// How soon more of the same word stops to matter.
const SATURATION: f64 = 1.2;
/// How much long texts are held back.
const LENGTH: f64 = 0.75;

#[derive(Debug, Default)]
pub(super) struct Index {
    texts: Vec<Text>,
    /// In how many texts a word is.
    spread: HashMap<String, usize>,
}

#[derive(Debug)]
struct Text {
    counts: HashMap<String, usize>,
    length: usize,
}

impl Index {
    pub(super) fn add(&mut self, text: &str) {
        let mut counts = HashMap::new();
        let mut length = 0;
        for word in words(text) {
            *counts.entry(word).or_insert(0) += 1;
            length += 1;
        }
        for word in counts.keys() {
            *self.spread.entry(word.clone()).or_insert(0) += 1;
        }
        self.texts.push(Text { counts, length });
    }

    /// The numbers of at most `most` texts that have something of the query, best first; of equals, the first added.
    pub(super) fn search(&self, query: &str, most: usize) -> Vec<usize> {
        let query = words(query);
        let score = |text: &Text| query.iter().map(|word| self.weight(word, text)).sum::<f64>();
        let scored = self.texts.iter().map(score).enumerate();
        let mut hits: Vec<_> = scored.filter(|(_, score)| *score > 0.0).collect();
        hits.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        hits.into_iter().take(most).map(|(number, _)| number).collect()
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of words")]
    fn weight(&self, word: &str, text: &Text) -> f64 {
        let Some(&count) = text.counts.get(word) else { return 0.0 };
        let (count, all) = (count as f64, self.texts.len() as f64);
        let spread = self.spread.get(word).copied().unwrap_or_default() as f64;
        let rarity = (1.0 + (all - spread + 0.5) / (spread + 0.5)).ln();
        let average = self.texts.iter().map(|text| text.length).sum::<usize>() as f64 / all;
        let held_back = 1.0 - LENGTH + LENGTH * text.length as f64 / average;
        rarity * count * (SATURATION + 1.0) / (count + SATURATION * held_back)
    }
}

/// The words of a text in the form in which they are compared: names are taken apart, and a plural is its singular.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut after_small = false;
    for letter in text.chars().chain([' ']) {
        let begins = letter.is_uppercase() && after_small;
        if (!letter.is_alphanumeric() || begins) && !word.is_empty() {
            words.push(singular(std::mem::take(&mut word)));
        }
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
        after_small = letter.is_lowercase();
    }
    words
}

fn singular(mut word: String) -> String {
    if word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") {
        word.pop();
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_by_what_they_mean() {
        assert_eq!(words("readFiles of_glass, ISSUES"), ["read", "file", "of", "glass", "issue"]);
        assert_eq!(words(""), [""; 0]);
        assert_eq!(words("Ärger-2"), ["ärger", "2"]);
    }

    #[test]
    fn rare_words_and_short_texts_come_first() {
        let mut index = Index::default();
        [
            "send a message to a channel",
            "read a message",
            "delete a user",
            "read a message of a user in a channel",
        ]
        .iter()
        .for_each(|text| index.add(text));
        assert_eq!(index.search("messages", 8), [1, 0, 3]);
        assert_eq!(index.search("delete users", 8), [2, 3]);
        assert_eq!(index.search("delete users", 1), [2]);
        assert!(index.search("weather", 8).is_empty() && index.search(" ", 8).is_empty());
        assert!(Index::default().search("a", 8).is_empty());
    }
}
