//! The model request of a turn: body, headers, and what they tell about the thread.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::actor::Actor;
use super::compact::Compaction;
use super::history::History;
use super::session::Origin;
use super::settings::Settings;
use super::turn::Turn;
use crate::config::profile::file_rules;
use crate::exec::{EnvironmentPolicy, Truncation};
use crate::model::catalog::{ModelInfo, TruncationPolicy};
use crate::model::request::{Body, Form};
use crate::model::{Conversation, Request};
use crate::policy::roots::WritableRoot;
use crate::protocol::{
    ApprovalsReviewer, ReasoningEffort, ReasoningSummary, SandboxPolicy, ThreadId, Verbosity,
};
use crate::tools::{AllowLogin, Deferral, Role, Scene};

/// What a provider may make use of that not every client understands.
const BETA_FEATURES: &str = "remote_compaction_v2";

/// Who asks the model.
struct Identity<'a> {
    thread: &'a ThreadId,
    /// What is known of an agent that works for another one.
    agent: Option<Agent<'a>>,
}

struct Agent<'a> {
    parent: &'a ThreadId,
    /// The kind of agent, as the provider's header has it, and as the metadata has it.
    service: &'static str,
    kind: &'static str,
}

impl Actor {
    /// The request that asks the model to go on with the history as it is.
    pub(super) fn request(&self) -> Request {
        let Some(turn) = &self.turn else { return Request::default() };
        let metadata = self.turn_metadata().to_string();
        let identity = self.identity();
        let compaction = turn.compaction.as_ref();
        let compacting = compaction.map(|compaction| self.compaction_input(compaction));
        let offers_tools = compaction.is_none_or(Compaction::offers_tools);
        let form = self.form();
        let body = Body {
            form,
            model: &turn.step.scene.model,
            input: compacting.unwrap_or_else(|| self.asked_with().shared()),
            tools: offers_tools.then_some(&*turn.step.tools),
            parallel_tool_calls: offers_tools,
            effort: self.effort().map(ReasoningEffort::as_str),
            summary: self.summary(),
            verbosity: self.verbosity(),
            output_schema: turn.options.output_schema.as_ref().filter(|_| compaction.is_none()),
            service_tier: self.service_tier(),
            prompt_cache_key: identity.thread.as_str(),
            client_metadata: &self.client_metadata(&metadata),
        };
        Request {
            thread: identity.thread.to_string(),
            conversation: self.conversation.clone(),
            headers: self.headers(form, metadata),
            body: body.encode(),
        }
    }

    /// The request that has a model look at what the running turn is about to do.
    pub(super) fn review_request(&self, review: &str, input: &History, schema: &Value) -> Request {
        let Some(turn) = &self.turn else { return Request::default() };
        let metadata = self.turn_metadata().to_string();
        let form = Form::Plain;
        let body = Body {
            form,
            model: &turn.step.scene.model,
            input: input.shared(),
            tools: None,
            parallel_tool_calls: false,
            effort: self.effort().map(ReasoningEffort::as_str),
            summary: self.summary(),
            verbosity: None,
            output_schema: Some(schema),
            service_tier: self.service_tier(),
            prompt_cache_key: review,
            client_metadata: &self.client_metadata(&metadata),
        };
        Request {
            thread: review.to_owned(),
            conversation: Conversation::default(),
            headers: self.headers(form, metadata),
            body: body.encode(),
        }
    }

    fn headers(&self, form: Form, metadata: String) -> Vec<(&'static str, String)> {
        let client = self.shared.client();
        let identity = self.identity();
        let id = identity.thread.to_string();
        let mut headers = vec![
            ("originator", client.originator),
            ("user-agent", client.user_agent),
            ("session-id", self.thread.session_id.clone()),
            ("thread-id", id.clone()),
            ("x-client-request-id", id),
            ("x-codex-window-id", self.window_id()),
            ("x-codex-turn-metadata", metadata),
            ("x-codex-beta-features", BETA_FEATURES.to_owned()),
        ];
        if form == Form::Lite {
            headers.push(("x-openai-internal-codex-responses-lite", "true".to_owned()));
        }
        let state = self.turn.as_ref().and_then(|turn| turn.turn_state.clone());
        headers.extend(state.map(|state| ("x-codex-turn-state", state)));
        headers.extend(identity.agent.iter().flat_map(|agent| {
            [
                ("x-openai-subagent", agent.service.to_owned()),
                ("x-codex-parent-thread-id", agent.parent.to_string()),
            ]
        }));
        headers
    }

    /// Who asks the model.
    fn identity(&self) -> Identity<'_> {
        let reviewer = self.turn.as_ref().and_then(Turn::reviewer);
        let spawned = self.thread.parent_thread_id.as_ref();
        let agent = match (reviewer, spawned) {
            (Some(_), _) => {
                Some(Agent { parent: &self.thread.id, service: "review", kind: "review" })
            }
            (None, Some(parent)) => {
                Some(Agent { parent, service: "collab_spawn", kind: "thread_spawn" })
            }
            (None, None) => None,
        };
        Identity { thread: reviewer.unwrap_or(&self.thread.id), agent }
    }

    /// What the model has seen and said so far.
    pub(super) fn asked_with(&self) -> &History {
        let review = self.turn.as_ref().and_then(|turn| turn.review.as_ref());
        review.map_or(&self.history, |review| &review.history)
    }

    fn form(&self) -> Form {
        let is_lite = self.turn.as_ref().is_some_and(|turn| turn.step.model.use_responses_lite);
        if is_lite && self.provider.takes_lite() { Form::Lite } else { Form::Plain }
    }

    /// Names the stretch of history since the last compaction.
    fn window_id(&self) -> String {
        match self.turn.as_ref().and_then(Turn::reviewer) {
            Some(reviewer) => format!("{reviewer}:0"),
            None => format!("{}:{}", self.thread.id, self.compactions),
        }
    }

    /// As [`Self::window_id`], by an id of its own. The first one is stored; the others follow from it.
    fn context_window_id(&self) -> String {
        match self.compactions {
            0 => self.context_window.clone(),
            number => {
                let name = format!("{}/{number}", self.context_window);
                Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
            }
        }
    }

    fn turn_metadata(&self) -> Value {
        let Some(turn) = &self.turn else { return Value::Null };
        // What clients add cannot hide what the server says.
        let mut all: Map<String, Value> =
            turn.options.metadata.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
        let own = json!({
            "installation_id": self.shared.installation(),
            "session_id": self.thread.session_id,
            "thread_id": self.identity().thread,
            "agent_name": self.path(),
            "turn_id": turn.id,
            "root_turn_id": turn.root,
            "window_id": self.window_id(),
            "window_number": self.compactions,
            "context_window_id": self.context_window_id(),
            "history_initialization": match self.origin {
                Origin::New => "new",
                Origin::Disk => "cold_resume",
            },
            "request_kind": match turn.compaction {
                Some(_) => "compaction",
                None => "turn",
            },
            "sandbox": sandbox_kind(&turn.step.scene.sandbox),
            "sandbox_mode": sandbox_mode(&turn.step.scene.sandbox),
            "auto_review_enabled": turn.step.settings.approvals_reviewer != ApprovalsReviewer::User,
            "analytics_enabled": self.config.analytics,
            "turn_started_at_unix_ms": turn.started_at_ms,
            "model": turn.step.scene.model,
        });
        if let Value::Object(own) = own {
            all.extend(own);
        }
        let optional = [
            (
                "turn_trigger",
                turn.options.trigger.as_ref().map(|trigger| trigger.name().to_owned()),
            ),
            ("parent_turn_id", turn.options.parent.as_ref().map(ToString::to_string)),
            ("reasoning_effort", self.effort().map(|effort| effort.as_str().to_owned())),
        ];
        all.extend(
            optional.into_iter().filter_map(|(key, value)| Some((key.to_owned(), json!(value?)))),
        );
        if let Some(agent) = self.identity().agent {
            all.insert("thread_source".to_owned(), json!("subagent"));
            all.insert("subagent_kind".to_owned(), json!(agent.kind));
            all.insert("parent_thread_id".to_owned(), json!(agent.parent));
        }
        let compaction = turn.compaction.as_ref().map(Compaction::metadata);
        all.extend(compaction.map(|compaction| ("compaction".to_owned(), compaction)));
        Value::Object(all)
    }

    fn client_metadata(&self, turn_metadata: &str) -> BTreeMap<&'static str, String> {
        let mut all = BTreeMap::from([
            ("session_id", self.thread.session_id.clone()),
            ("thread_id", self.identity().thread.to_string()),
            ("x-codex-installation-id", self.shared.installation().to_owned()),
            ("x-codex-window-id", self.window_id()),
            ("x-codex-turn-metadata", turn_metadata.to_owned()),
        ]);
        if let Some(turn) = &self.turn {
            all.insert("turn_id", turn.id.to_string());
            all.insert("root_turn_id", turn.root.to_string());
            all.extend(
                turn.options.parent.as_ref().map(|parent| ("parent_turn_id", parent.to_string())),
            );
        }
        all
    }

    fn effort(&self) -> Option<&ReasoningEffort> {
        let turn = self.turn.as_ref()?;
        turn.step.effort.as_ref()
    }

    fn summary(&self) -> Option<&'static str> {
        let turn = self.turn.as_ref()?;
        match turn.step.summary {
            ReasoningSummary::Auto => Some("auto"),
            ReasoningSummary::Concise => Some("concise"),
            ReasoningSummary::Detailed => Some("detailed"),
            ReasoningSummary::None => None,
        }
    }

    fn verbosity(&self) -> Option<Verbosity> {
        let model = &self.turn.as_ref()?.step.model;
        let chosen = self.config.model_verbosity.or(model.default_verbosity);
        chosen.filter(|_| model.support_verbosity)
    }

    fn service_tier(&self) -> Option<&str> {
        let turn = self.turn.as_ref()?;
        let for_turn = turn.options.service_tier.as_deref();
        let tier = for_turn.or(turn.step.settings.service_tier.as_deref())?;
        match tier {
            "fast" => Some("priority"),
            "flex" => Some("flex"),
            other if turn.step.model.lists_tier(other) => Some(other),
            _ => None,
        }
    }

    /// What the calls of a turn with these settings may know.
    pub(super) fn scene(&self, settings: &Settings, role: Role) -> Scene {
        let model = self.shared.catalog.model(&settings.model, &self.config);
        let truncation = truncation(&model, self.config.tool_output_token_limit);
        let environment = Value::Object(self.config.shell_environment_policy.clone());
        let environment: EnvironmentPolicy =
            serde_json::from_value(environment).unwrap_or_default();
        let roots = settings.writable_roots();
        let profile = settings.profile.as_ref().map(|profile| profile.id.clone());
        Scene {
            thread: self.thread.id.clone(),
            home: self.shared.sources.home.clone(),
            model: settings.model.clone(),
            model_info: Arc::clone(&model),
            config: Arc::clone(&self.config),
            mode: settings.mode.mode,
            role,
            agents: match role {
                Role::Worker => Some(self.agents(&model)),
                Role::Reviewer => None,
            },
            runs_on: settings.environment,
            cwd: settings.cwd.clone(),
            approval_policy: settings.approval_policy.clone(),
            reviewer: settings.approvals_reviewer,
            sandbox: settings.sandbox.clone(),
            files: file_rules(profile.as_deref(), &self.config, &settings.roots),
            workspace: settings.roots.clone(),
            profile,
            writable_roots: roots.iter().filter_map(WritableRoot::path).collect(),
            servers: Arc::clone(&self.servers.current),
            dynamic_tools: Arc::clone(&self.dynamic_tools),
            deferral: if model.supports_search_tool && self.provider.takes_tool_search() {
                Deferral::Supported
            } else {
                Deferral::Unsupported
            },
            shell: self.shared.shell().clone(),
            allow_login_shell: if self.config.allow_login_shell {
                AllowLogin::Yes
            } else {
                AllowLogin::No
            },
            environment,
            truncation,
            max_poll_ms: self.config.background_terminal_max_timeout,
            rules: self.shared.rules().clone(),
            terminals: self.terminals.clone(),
            grants: self.grants.clone(),
            hooks: None,
        }
    }
}

pub(super) fn truncation(model: &ModelInfo, limit: Option<usize>) -> Truncation {
    match (limit, model.truncation) {
        (Some(tokens), _) => Truncation::Tokens(tokens),
        (None, TruncationPolicy::Tokens(tokens)) => Truncation::Tokens(tokens),
        (None, TruncationPolicy::Bytes(bytes)) => Truncation::Bytes(bytes),
    }
}

fn sandbox_kind(policy: &SandboxPolicy) -> &'static str {
    match policy {
        SandboxPolicy::DangerFullAccess => "none",
        SandboxPolicy::ExternalSandbox { .. } => "external",
        SandboxPolicy::ReadOnly { .. } | SandboxPolicy::WorkspaceWrite { .. } => "seccomp",
    }
}

fn sandbox_mode(policy: &SandboxPolicy) -> &'static str {
    match policy {
        SandboxPolicy::DangerFullAccess => "danger-full-access",
        SandboxPolicy::ExternalSandbox { .. } => "external-sandbox",
        SandboxPolicy::ReadOnly { .. } => "read-only",
        SandboxPolicy::WorkspaceWrite { .. } => "workspace-write",
    }
}
