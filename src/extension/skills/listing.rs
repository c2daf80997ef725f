//! What a model is told of the skills that it may choose, within a budget: descriptions give way first, then skills.

use std::path::Path;

use super::{Found, Offer, Skill};
use crate::config::Effective;

const OPENING: &str = "<skills_instructions>";
const CLOSING: &str = "</skills_instructions>";
const HOW_TO: &str = include_str!("listing.md").trim_ascii();

/// The most bytes of one description, however much room there is.
const MAX_DESCRIPTION: usize = 1024;

/// The list, and what is not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) text: String,
    /// What the user should know of it.
    pub(crate) warning: Option<String>,
}

impl Listing {
    /// How the text begins.
    pub(crate) const TAG: &str = OPENING;

    /// What takes an earlier list back.
    pub(crate) fn none() -> String {
        format!("{OPENING}\nThere are no skills any more.\n{CLOSING}")
    }
}

/// The list of the enabled skills, in at most `budget` bytes of entries; none if there are none.
pub(crate) fn listing(found: &Found, config: &Effective, budget: usize) -> Option<Listing> {
    let offered = found.skills.iter().filter(|skill| skill.offer == Offer::ToModel);
    let offered: Vec<&Skill> =
        offered.filter(|skill| config.skills.enabled(skill.name(), skill.path())).collect();
    if offered.is_empty() || !config.skills.include_instructions {
        return None;
    }
    let mut roots: Vec<&Path> = Vec::new();
    for skill in &offered {
        if !roots.contains(&&*skill.root) {
            roots.push(&skill.root);
        }
    }
    let entry = |skill: &Skill, limit| entry(skill, &roots, limit);
    let size = |limit| offered.iter().map(|skill| entry(skill, limit).len()).sum::<usize>();
    let limit = match size(MAX_DESCRIPTION) <= budget {
        true => MAX_DESCRIPTION,
        // An equal share for each, which leaves what the short ones do not need.
        false => (budget.saturating_sub(size(0)) / offered.len()).saturating_sub(": ".len()),
    };
    let mut room = budget;
    let shown: Vec<String> = offered
        .iter()
        .map(|skill| entry(skill, limit))
        .take_while(|line| {
            let fits = line.len() <= room;
            room = room.saturating_sub(line.len());
            fits
        })
        .collect();
    let left_out = offered.len() - shown.len();
    let warning = match (left_out, limit) {
        (0, MAX_DESCRIPTION) => None,
        (0, _) => Some(format!(
            "There are so many skills that the model is given their descriptions in part ({limit} bytes each)."
        )),
        _ => Some(format!(
            "There are so many skills that the model is not told of {left_out} of {}, and of the others only their \
             names. Switch some off.",
            offered.len()
        )),
    };
    let roots =
        roots.iter().enumerate().map(|(at, root)| format!("- `r{at}`: {}\n", root.display()));
    let text = format!(
        "{OPENING}\n{HOW_TO}\n\nThe skills, with their files relative to these folders:\n{}\n{}{CLOSING}",
        roots.collect::<String>(),
        shown.concat()
    );
    Some(Listing { text, warning })
}

/// One skill's line.
fn entry(skill: &Skill, roots: &[&Path], limit: usize) -> String {
    let root = roots.iter().position(|root| **root == *skill.root);
    let file = match (root, skill.path().strip_prefix(&skill.root)) {
        (Some(at), Ok(relative)) => format!("r{at}/{}", relative.display()),
        // It was reached by a link.
        (_, _) => skill.path().display().to_string(),
    };
    match cut(&skill.metadata.description, limit) {
        text if text.is_empty() => format!("- {} ({file})\n", skill.name()),
        text => format!("- {}: {text} ({file})\n", skill.name()),
    }
}

fn cut(text: &str, limit: usize) -> String {
    const MARK: &str = "...";
    match limit.checked_sub(MARK.len()) {
        _ if text.len() <= limit => text.to_owned(),
        Some(limit) if limit > 0 => format!("{}{MARK}", &text[..text.floor_char_boundary(limit)]),
        Some(_) | None => String::new(),
    }
}
