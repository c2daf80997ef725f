//! What the model is told about its surroundings, and when: everything once, then only what has changed.
//!
//! The texts themselves are in `prompt`. What has been told is read off the history, so that a resumed thread goes
//! on exactly where it stopped.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::history::History;
use super::instructions::Instructions;
use super::prompt;
use super::settings::{Environment, Settings};
use crate::extension::skills::Listing;
use crate::policy::roots::WritableRoot;
use crate::protocol::{ModeKind, SandboxPolicy, ThreadId};
use crate::util::json::raw;
use crate::util::time::{local, now_ms};

/// Opening tags by which context messages are known again in a history.
mod tag {
    pub(super) const PERMISSIONS: &str = "<permissions instructions>";
    pub(super) const MODE: &str = "<collaboration_mode>";
    pub(super) const TEAM: &str = "<agent_team>";
    pub(super) const TOOLS: &str = "<tools>";
    pub(super) const ENVIRONMENT: &str = "<environment_context>";
    pub(super) const INSTRUCTIONS: &str = "# AGENTS.md instructions";
    pub(super) const MODEL_SWITCH: &str = "<model_switch>";
}

/// What the parts of an environment context begin and end with.
const PLACE: &str = "  <cwd>";
const SHELL_END: &str = "</shell>\n";
/// What is told of a place where nothing runs any more.
const GONE: &str = "  <environments>\n    <environment id=\"local\" status=\"unavailable\" />\n  </environments>\n";
const ENVIRONMENT_END: &str = "</environment_context>";

/// Which parts of the context are sent at all (configuration).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) permissions: Sent,
    pub(super) environment: Sent,
    pub(super) time: Sent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    Yes,
    No,
}

impl From<bool> for Sent {
    fn from(sent: bool) -> Self {
        if sent { Self::Yes } else { Self::No }
    }
}

/// What the model knows already.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Told {
    permissions: Option<String>,
    mode: Option<String>,
    /// The working directory and what runs there.
    place: Option<String>,
    /// The rest of the environment.
    environment: Option<String>,
    instructions: Option<String>,
    skills: Option<String>,
    team: Option<String>,
    tools: Option<String>,
    developer: bool,
    model: Option<String>,
}

/// Everything that the context is made of.
pub(super) struct Surroundings<'a> {
    pub(super) settings: &'a Settings,
    pub(super) instructions: &'a Instructions,
    pub(super) developer_instructions: Option<&'a str>,
    /// What there is to tell of skills.
    pub(super) skills: Option<&'a str>,
    /// What there is to tell of the agents that the model works with.
    pub(super) team: Option<String>,
    /// The namespaces whose tools the model has to search for.
    pub(super) deferred: Option<&'a str>,
    pub(super) parts: Parts,
    pub(super) shell: &'a str,
    /// The instructions of the current model, for the case that the thread has changed to it.
    pub(super) model_instructions: &'a str,
}

impl Told {
    /// A model that knows nothing but who it is.
    pub(super) fn of_model(before: &Self) -> Self {
        Self { model: before.model.clone(), ..Self::default() }
    }

    /// The same, with or without the instructions of the developer.
    pub(super) fn with_developer(self, developer: bool) -> Self {
        Self { developer, ..self }
    }

    /// Reads off a history what it has told. `model` is the model of its last turn.
    pub(super) fn from_history(history: &History, model: Option<String>) -> Self {
        let mut told =
            Self { model, developer: history.iter().nth(1).is_some(), ..Self::default() };
        for item in history.iter() {
            // Only messages can be context, and most items are not: look before decoding.
            if !item.contains("\"message\"")
                || !(item.contains('<') || item.contains(tag::INSTRUCTIONS))
            {
                continue;
            }
            for text in input_texts(item) {
                told.note(text);
            }
        }
        told
    }

    fn note(&mut self, text: String) {
        let slot = match () {
            () if text.starts_with(tag::PERMISSIONS) => &mut self.permissions,
            () if text.starts_with(tag::MODE) => &mut self.mode,
            () if text.starts_with(tag::TEAM) => &mut self.team,
            () if text.starts_with(tag::TOOLS) => &mut self.tools,
            () if text.starts_with(tag::ENVIRONMENT) => return self.note_environment(&text),
            () if text.starts_with(tag::INSTRUCTIONS) => &mut self.instructions,
            () if text.starts_with(Listing::TAG) => &mut self.skills,
            () => return,
        };
        *slot = Some(text);
    }

    fn note_environment(&mut self, text: &str) {
        let body = text.trim_start_matches(tag::ENVIRONMENT).trim_start_matches('\n');
        let body = body.strip_suffix(ENVIRONMENT_END).unwrap_or(body);
        if let Some(rest) = body.strip_prefix(GONE) {
            (self.place, self.environment) = (None, Some(rest.to_owned()));
            return;
        }
        let end = body.find(SHELL_END).filter(|_| body.starts_with(PLACE));
        let (place, rest) = body.split_at(end.map_or(0, |at| at + SHELL_END.len()));
        if !place.is_empty() {
            self.place = Some(place.to_owned());
        }
        self.environment = Some(rest.to_owned());
    }

    /// Tells the environment anew if anything in it has changed; where commands run only if that has.
    fn environment(&mut self, now: &Surroundings<'_>, user: &mut Vec<String>) {
        let mut parts = Vec::new();
        match now.settings.environment {
            Environment::Local => tell(&mut self.place, place(now), &mut parts),
            Environment::Absent if self.place.take().is_some() => parts.push(GONE.to_owned()),
            Environment::Absent => {}
        }
        let rest = environment(now);
        if !parts.is_empty() || self.environment.as_ref() != Some(&rest) {
            parts.push(rest.clone());
            self.environment = Some(rest);
            user.push(format!("{}\n{}{ENVIRONMENT_END}", tag::ENVIRONMENT, parts.concat()));
        }
    }

    /// The messages that bring the model up to date, and note that it is.
    pub(super) fn update(&mut self, now: &Surroundings<'_>) -> Vec<Box<RawValue>> {
        let mut developer = Vec::new();
        let mut user = Vec::new();
        self.model_switch(now, &mut developer);
        if !std::mem::replace(&mut self.developer, true) {
            developer.extend(
                now.developer_instructions
                    .filter(|text| !text.trim().is_empty())
                    .map(str::to_owned),
            );
        }
        match now.skills {
            Some(skills) => tell(&mut self.skills, skills.to_owned(), &mut developer),
            None if self.skills.is_some() => {
                tell(&mut self.skills, Listing::none(), &mut developer);
            }
            None => {}
        }
        if now.parts.permissions == Sent::Yes {
            tell(&mut self.permissions, permissions(now.settings), &mut developer);
        }
        if let Some(mode) = mode(now.settings, self.mode.is_some()) {
            tell(&mut self.mode, mode, &mut developer);
        }
        if let Some(team) = &now.team {
            let text = format!("{}\n{team}\n</agent_team>", tag::TEAM);
            tell(&mut self.team, text, &mut developer);
        }
        self.tools(now.deferred, &mut developer);
        if let Some(text) =
            instructions(now.settings, now.instructions, self.instructions.as_deref())
        {
            tell(&mut self.instructions, text, &mut user);
        }
        if now.parts.environment == Sent::Yes {
            self.environment(now, &mut user);
        }
        let messages = [("developer", developer), ("user", user)];
        messages
            .into_iter()
            .filter(|(_, texts)| !texts.is_empty())
            .map(|(role, texts)| message(role, &texts))
            .collect()
    }

    /// The message that brings the model up to date on tools alone, if there is news.
    pub(super) fn update_tools(&mut self, deferred: Option<&str>) -> Option<Box<RawValue>> {
        let mut developer = Vec::new();
        self.tools(deferred, &mut developer);
        (!developer.is_empty()).then(|| message("developer", &developer))
    }

    fn tools(&mut self, deferred: Option<&str>, developer: &mut Vec<String>) {
        if deferred.is_some() || self.tools.is_some() {
            let text = format!("{}\n{}\n</tools>", tag::TOOLS, prompt::tools(deferred));
            tell(&mut self.tools, text, developer);
        }
    }

    fn model_switch(&mut self, now: &Surroundings<'_>, developer: &mut Vec<String>) {
        let model = &now.settings.model;
        let before = self.model.replace(model.clone());
        if before.is_some_and(|before| before != *model) {
            developer.push(format!(
                "{}\n{}\n</model_switch>",
                tag::MODEL_SWITCH,
                prompt::model_switch(now.model_instructions)
            ));
        }
    }
}

/// Tells `text` unless it is what was told last.
fn tell(told: &mut Option<String>, text: String, out: &mut Vec<String>) {
    if told.as_ref() != Some(&text) {
        out.push(text.clone());
        *told = Some(text);
    }
}

fn permissions(settings: &Settings) -> String {
    format!("{}\n{}\n</permissions instructions>", tag::PERMISSIONS, prompt::permissions(settings))
}

fn mode(settings: &Settings, told_before: bool) -> Option<String> {
    let own = settings.mode.settings.developer_instructions.as_deref();
    let text = match (own, settings.mode.mode) {
        (Some(text), _) => text,
        // The default mode needs no words until another one has been in force.
        (None, ModeKind::Default) if !told_before => return None,
        (None, mode) => prompt::mode(mode),
    };
    Some(format!("{}{text}</collaboration_mode>", tag::MODE))
}

fn instructions(settings: &Settings, found: &Instructions, told: Option<&str>) -> Option<String> {
    let text = match (&found.text, told) {
        (Some(text), _) => text.as_str(),
        // Instructions that were in force before are taken back.
        (None, Some(_)) => "",
        (None, None) => return None,
    };
    // Those of the user hold everywhere, those of a project where the thread works.
    let place = match found.of_project {
        true => format!(" for {}", settings.cwd.display()),
        false => String::new(),
    };
    let plain = format!("{}{place}\n\n<INSTRUCTIONS>\n{text}\n</INSTRUCTIONS>", tag::INSTRUCTIONS);
    let replacing = format!("{plain}\n{}", prompt::INSTRUCTIONS_REPLACED);
    match told {
        Some(told) if told == plain => Some(plain),
        Some(_) => Some(replacing),
        None => Some(plain),
    }
}

fn place(now: &Surroundings<'_>) -> String {
    format!("{PLACE}{}</cwd>\n  <shell>{}{SHELL_END}", now.settings.cwd.display(), now.shell)
}

fn environment(now: &Surroundings<'_>) -> String {
    let mut out = String::new();
    if now.parts.time == Sent::Yes {
        let zone = iana_time_zone::get_timezone().unwrap_or_else(|_| "Etc/UTC".to_owned());
        let date = local(now_ms()).format("%Y-%m-%d");
        out += &format!("  <current_date>{date}</current_date>\n  <timezone>{zone}</timezone>\n");
    }
    if now.settings.environment == Environment::Local {
        out += &format!("  <filesystem>{}</filesystem>\n", file_system(now.settings));
    }
    out
}

fn file_system(settings: &Settings) -> String {
    let mut out = String::from("<workspace_roots>");
    for root in &settings.roots {
        out += &format!("<root>{}</root>", root.display());
    }
    out += "</workspace_roots>";
    match &settings.sandbox {
        SandboxPolicy::DangerFullAccess => {
            out += r#"<permission_profile type="disabled"><file_system type="unrestricted" /></permission_profile>"#;
        }
        SandboxPolicy::ExternalSandbox { .. } => {
            out += r#"<permission_profile type="external"><file_system type="unrestricted" /></permission_profile>"#;
        }
        SandboxPolicy::ReadOnly { .. } | SandboxPolicy::WorkspaceWrite { .. } => {
            out += r#"<permission_profile type="managed"><file_system type="restricted">"#;
            out += &entry("read", "<special>:root</special>");
            for root in settings.writable_roots() {
                out += &entry("write", &root_tag(&root));
                for protected in root.protected() {
                    out += &entry("read", &path_tag(&protected));
                }
            }
            out += "</file_system></permission_profile>";
        }
    }
    out
}

fn entry(access: &str, what: &str) -> String {
    format!(r#"<entry access="{access}">{what}</entry>"#)
}

/// How a writable root is named.
fn root_tag(root: &WritableRoot) -> String {
    match root {
        WritableRoot::Workspace(path) => path_tag(path),
        WritableRoot::SlashTmp => "<special>:slash_tmp</special>".to_owned(),
        WritableRoot::TmpDir => "<special>:tmpdir</special>".to_owned(),
    }
}

fn path_tag(path: &Path) -> String {
    format!("<path>{}</path>", path.display())
}

/// A message of the harness or the user, with an id of our own.
pub(super) fn message(role: &str, texts: &[String]) -> Box<RawValue> {
    message_of(role, texts).1
}

/// A message that is in one request only.
pub(super) fn passing_message(role: &str, text: &str) -> Box<RawValue> {
    let content = vec![InputText { kind: "input_text", text }];
    raw(&Message { kind: "message", id: None, role, content })
}

/// As [`message`], with its id.
pub(super) fn message_of(role: &str, texts: &[String]) -> (String, Box<RawValue>) {
    let id = item_id("msg");
    let content = texts.iter().map(|text| InputText { kind: "input_text", text }).collect();
    (id.clone(), raw(&Message { kind: "message", id: Some(id), role, content }))
}

/// The thread's first message. Its id is always the same, because it is made anew whenever the thread is loaded.
pub(super) fn base_message(thread: &str, instructions: &str) -> Box<RawValue> {
    let id = base_id(thread);
    let content = vec![InputText { kind: "input_text", text: instructions }];
    raw(&Message { kind: "message", id: Some(id), role: "developer", content })
}

fn base_id(thread: &str) -> String {
    format!("msg_{}", Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{thread}/base").as_bytes()))
}

/// The instructions that the first of these items carries, if it is the one that does.
pub(super) fn base_instructions_of<'a>(
    thread: &ThreadId,
    mut items: impl Iterator<Item = &'a str>,
) -> Option<String> {
    #[derive(Deserialize)]
    struct First {
        id: String,
        content: [Part; 1],
    }
    #[derive(Deserialize)]
    struct Part {
        text: String,
    }
    let first: First = serde_json::from_str(items.next()?).ok()?;
    let First { id, content: [Part { text }] } = first;
    (id == base_id(thread.as_str())).then_some(text)
}

/// A fresh id for an input item; `kind` is the prefix that its type has on the wire.
pub(super) fn item_id(kind: &str) -> String {
    format!("{kind}_{}", Uuid::now_v7())
}

#[derive(Serialize)]
struct Message<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    role: &'a str,
    content: Vec<InputText<'a>>,
}

#[derive(Serialize)]
struct InputText<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    text: &'a str,
}

/// What a message of the user says.
pub(super) fn user_text(item: &str) -> Option<String> {
    let item = Item::of(item).filter(|item| item.role == "user")?;
    Some(item.texts().collect::<String>().trim().to_owned())
}

/// The texts of a message that is not the model's own.
fn input_texts(item: &str) -> Vec<String> {
    let item = Item::of(item).filter(|item| item.role == "developer" || item.role == "user");
    item.into_iter().flat_map(Item::texts).collect()
}

/// A message, as far as its texts are concerned.
#[derive(serde::Deserialize)]
struct Item {
    #[serde(default)]
    role: String,
    #[serde(default)]
    content: Vec<Part>,
}

#[derive(serde::Deserialize)]
struct Part {
    #[serde(default)]
    text: Option<String>,
}

impl Item {
    fn of(item: &str) -> Option<Self> {
        serde_json::from_str(item).ok()
    }

    fn texts(self) -> impl Iterator<Item = String> {
        self.content.into_iter().filter_map(|part| part.text)
    }
}
