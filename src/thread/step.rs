//! What a turn asks its model with and what its calls may know: made when it starts, and again when a client changes
//! the settings under it. Such a change waits for the next request to the model, so that one response and its calls
//! have one set of settings.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::actor::Actor;
use super::settings::{Overrides, Settings};
use super::turn::Kind;
use super::{Error, Reply, Result};
use crate::config::Feature;
use crate::mcp::Catalogue;
use crate::model::catalog::ModelInfo;
use crate::protocol::{
    ReasoningEffort, ReasoningSummary, TurnId, TurnSettingsUpdateParams,
    TurnSettingsUpdateResponse, TurnSettingsUpdateStatus,
};
use crate::tools::{self, Role, Scene};

/// What follows from the settings of a turn.
pub(super) struct Step {
    pub(super) settings: Settings,
    pub(super) model: Arc<ModelInfo>,
    pub(super) scene: Arc<Scene>,
    /// What MCP servers offered when `tools` and `deferred` were made.
    catalogue: Arc<Catalogue>,
    /// The definitions of the tools that the model may call.
    pub(super) tools: Box<RawValue>,
    /// The namespaces whose tools the model has to search for, as it is told of them.
    pub(super) deferred: Option<String>,
    pub(super) effort: Option<ReasoningEffort>,
    pub(super) summary: ReasoningSummary,
}

impl Actor {
    pub(super) fn step(&self, turn: &TurnId, kind: Kind, settings: Settings) -> Step {
        let role = match kind {
            Kind::Review => Role::Reviewer,
            Kind::Regular | Kind::Compact | Kind::Shell => Role::Worker,
        };
        let scene = Scene { hooks: self.turn_hooks(turn), ..self.scene(&settings, role) };
        let model = Arc::clone(&scene.model_info);
        Step {
            effort: model.effort(settings.effort.as_ref()),
            summary: settings.summary.unwrap_or(model.default_reasoning_summary),
            model,
            catalogue: scene.servers.catalogue(),
            tools: tools::offered(&scene),
            deferred: tools::deferred(&scene),
            scene: Arc::new(scene),
            settings,
        }
    }

    /// Changes what the running turn goes on with.
    pub(super) fn update_turn(
        &mut self,
        params: &TurnSettingsUpdateParams,
        reply: Reply<TurnSettingsUpdateResponse>,
    ) {
        let status = self.change_turn(params);
        reply.give(status.map(|status| TurnSettingsUpdateResponse { status }));
    }

    fn change_turn(
        &mut self,
        params: &TurnSettingsUpdateParams,
    ) -> Result<TurnSettingsUpdateStatus> {
        if !self.config.features.on(Feature::StepModelSwitching) {
            let refusal = "turn settings updates require the step_model_switching feature";
            return Err(Error::Refused(refusal.to_owned()));
        }
        self.check_direct_input()?;
        let overrides = Overrides::of_running(params, &self.shared.cwd)?;
        let (catalog, config) = (&self.shared.catalog, &self.config);
        let is_known = |model: &str| catalog.model(model, config).is_known();
        let running = self.turn.as_mut().filter(|turn| turn.id == params.turn_id);
        let Some(turn) = running.filter(|turn| turn.kind == Kind::Regular) else {
            return Ok(TurnSettingsUpdateStatus::TargetUnavailable);
        };
        let refusal = match &params.model {
            _ if !turn.step.model.is_known() => "the active model has only fallback metadata",
            Some(model) if !is_known(model) => "the destination model has only fallback metadata",
            _ => {
                let next = turn.next_settings.get_or_insert_with(|| turn.step.settings.clone());
                next.apply(overrides);
                if params.service_tier.is_some() {
                    turn.options.service_tier = None;
                }
                return Ok(TurnSettingsUpdateStatus::Applied);
            }
        };
        Err(Error::Refused(refusal.to_owned()))
    }

    /// The model is about to be asked: from now on with what a client has changed, and with what servers offer now.
    pub(super) fn take_step(&mut self) {
        let Some(turn) = &mut self.turn else { return };
        let Some(settings) = turn.next_settings.take() else {
            turn.step.renew_tools();
            return self.tell_tools();
        };
        let (id, kind) = (turn.id.clone(), turn.kind);
        let step = self.step(&id, kind, settings);
        if let Some(turn) = &mut self.turn {
            turn.step = step;
        }
        self.tell_surroundings();
    }

    /// Tells the model what it does not know yet of what surrounds it.
    pub(super) fn tell_surroundings(&mut self) {
        let mut told = std::mem::take(&mut self.told);
        let turn = self.turn.as_ref();
        let news = turn.map(|turn| told.update(&self.surroundings(&turn.step))).unwrap_or_default();
        self.told = told;
        news.into_iter().for_each(|message| self.remember(message));
    }

    /// Tells the model of namespaces to search that have come or gone since, such as those of servers that start.
    fn tell_tools(&mut self) {
        let Some(turn) = self.turn.as_ref().filter(|turn| turn.review.is_none()) else { return };
        if let Some(message) = self.told.update_tools(turn.step.deferred.as_deref()) {
            self.remember(message);
        }
    }
}

impl Step {
    /// Takes over what MCP servers offer now, if that has changed.
    fn renew_tools(&mut self) {
        let catalogue = self.scene.servers.catalogue();
        if !Arc::ptr_eq(&catalogue, &self.catalogue) {
            self.tools = tools::offered(&self.scene);
            self.deferred = tools::deferred(&self.scene);
            self.catalogue = catalogue;
        }
    }
}
