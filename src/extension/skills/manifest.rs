//! What a skill says of itself: the front matter of its `SKILL.md`, and `agents/openai.yaml` beside it for those who
//! show it to people.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Offer, front_matter};
use crate::protocol::{
    SkillDependencies, SkillInterface, SkillMetadata, SkillScope, SkillToolDependency,
};

/// How much of a file is read for its front matter.
const MAX_BYTES: u64 = 64 << 10;
const MAX_NAME: usize = 64;

/// The file that says more about the skill in `file`.
pub(super) fn metadata_file(file: &Path) -> PathBuf {
    folder(file).join("agents/openai.yaml")
}

fn folder(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new("/"))
}

/// Reads a skill; the error is for the user.
pub(super) fn read(file: &Path, scope: SkillScope) -> Result<(SkillMetadata, Offer), String> {
    let text = head(file).map_err(|error| format!("failed to read file: {error}"))?;
    let front =
        front_matter::of_document(&text).ok_or("missing YAML frontmatter delimited by ---")?;
    let front = front_matter::parse(front)?;
    let name = match line(&front, "name") {
        Some(name) => name,
        None => folder(file).file_name().unwrap_or_default().to_string_lossy().into_owned(),
    };
    if name.chars().count() > MAX_NAME {
        return Err(format!("invalid name: exceeds maximum length of {MAX_NAME} characters"));
    }
    let description = line(&front, "description").ok_or("missing field `description`")?;
    // The skill works without it.
    let more = head(&metadata_file(file)).ok().and_then(|text| front_matter::parse(&text).ok());
    let more = more.unwrap_or_default();
    let implicit = more.pointer("/policy/allow_implicit_invocation").and_then(Value::as_bool);
    let metadata = SkillMetadata {
        name,
        description,
        short_description: front.get("metadata").and_then(|all| line(all, "short-description")),
        interface: more.get("interface").and_then(|shown| interface(shown, folder(file))),
        dependencies: dependencies(&more),
        path: file.into(),
        scope,
        enabled: true,
        plugin_id: None,
    };
    Ok((metadata, if implicit == Some(false) { Offer::ByName } else { Offer::ToModel }))
}

fn head(file: &Path) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    File::open(file)?.take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A text as one line; none if it says nothing.
fn line(table: &Value, name: &str) -> Option<String> {
    let words: Vec<&str> = table.get(name)?.as_str()?.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn interface(shown: &Value, folder: &Path) -> Option<SkillInterface> {
    let icon = |name| {
        let path = folder.join(line(shown, name)?).canonicalize().ok()?;
        // An icon belongs to its skill, and is of use only if it is there.
        path.starts_with(folder).then(|| path.into())
    };
    let interface = SkillInterface {
        display_name: line(shown, "display_name"),
        short_description: line(shown, "short_description"),
        icon_small: icon("icon_small"),
        icon_large: icon("icon_large"),
        icon_small_url: None,
        icon_large_url: None,
        brand_color: line(shown, "brand_color").filter(|color| is_color(color)),
        default_prompt: line(shown, "default_prompt"),
    };
    (interface != SkillInterface::default()).then_some(interface)
}

fn is_color(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or_default();
    digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

fn dependencies(more: &Value) -> Option<SkillDependencies> {
    let tools = more.pointer("/dependencies/tools")?.as_array()?;
    let tools: Vec<SkillToolDependency> = tools
        .iter()
        .filter_map(|tool| {
            Some(SkillToolDependency {
                kind: line(tool, "type")?,
                value: line(tool, "value")?,
                description: line(tool, "description"),
                transport: line(tool, "transport"),
                command: line(tool, "command"),
                url: line(tool, "url"),
            })
        })
        .collect();
    (!tools.is_empty()).then_some(SkillDependencies { tools })
}
