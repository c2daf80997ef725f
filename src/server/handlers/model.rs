//! Models, their providers, and the ways of working with the user: what there is to choose from.

use serde_json::{Value, json};

use super::page::page;
use crate::config::{self, Effective, ProviderChange};
use crate::model::catalog::{ModelInfo, Upgrade, Visibility};
use crate::model::{self, Provider, ProviderTable};
use crate::protocol::{
    CollaborationModeListParams, CollaborationModeListResponse, CollaborationModeMask, GatewayAuth,
    ModeKind, Model, ModelListParams, ModelListResponse, ModelProviderCapabilitiesReadParams,
    ModelProviderCapabilitiesReadResponse, ModelProviderConfigWriteParams,
    ModelProviderConfigWriteResponse, ModelProviderListParams, ModelProviderListResponse,
    ModelProviderSummary, ModelUpgradeInfo, ProviderSettings, ProviderSettingsPatch,
    ReasoningEffortOption,
};
use crate::server::context::Cx;
use crate::server::error::{Error, Result};
use crate::thread;

pub(crate) async fn list(cx: Cx, params: ModelListParams) -> Result<ModelListResponse> {
    let config = effective(&cx);
    if let Some(id) = params.model_provider.filter(|id| provider(id, &config).is_none()) {
        return Err(thread::Error::ProviderGone(id).into());
    }
    let catalog = &cx.server.threads.shared.catalog;
    let models = catalog
        .models(&config)
        .map_err(|error| Error::from(config::LoadError::new(error.to_string())))?;
    let is_hidden = |model: &ModelInfo| model.visibility != Visibility::List;
    let default = models.default_model().map(|model| model.slug.clone());
    let all: Vec<Model> = models
        .iter()
        .filter(|model| params.include_hidden == Some(true) || !is_hidden(model))
        .map(|model| Model { is_default: default.as_ref() == Some(&model.slug), ..shown(model) })
        .collect();
    let (data, next_cursor) = page(all, "models", params.cursor.as_deref(), params.limit)?;
    Ok(ModelListResponse { data, next_cursor })
}

/// A model as clients see it, before one is chosen as the default.
fn shown(model: &ModelInfo) -> Model {
    let upgrade_info =
        model.upgrade.clone().map(|Upgrade { model, migration_markdown }| ModelUpgradeInfo {
            model,
            upgrade_copy: None,
            model_link: None,
            migration_markdown,
            retirement_at: None,
        });
    Model {
        id: model.slug.clone(),
        model: model.slug.clone(),
        upgrade: model.upgrade.as_ref().map(|upgrade| upgrade.model.clone()),
        upgrade_info,
        availability_nux: model.availability_nux.clone(),
        display_name: model.display_name.clone(),
        description: model.description.clone().unwrap_or_default(),
        model_specialty: model.model_specialty.clone(),
        hidden: model.visibility != Visibility::List,
        supported_reasoning_efforts: model
            .supported_reasoning_levels
            .iter()
            .map(|level| ReasoningEffortOption {
                reasoning_effort: level.effort.clone(),
                description: level.description.clone(),
            })
            .collect(),
        default_reasoning_effort: model.default_reasoning_level.clone().unwrap_or_default(),
        input_modalities: model.input_modalities.clone(),
        supports_personality: false,
        multi_agent_version: model.multi_agent_version,
        additional_speed_tiers: model.additional_speed_tiers.clone(),
        service_tiers: model.service_tiers.clone(),
        default_service_tier: model.default_service_tier.clone(),
        available_access_programs: None,
        is_default: false,
    }
}

pub(crate) async fn modes(
    _cx: Cx,
    _params: CollaborationModeListParams,
) -> Result<CollaborationModeListResponse> {
    let mode = |name: &str, mode, reasoning_effort| CollaborationModeMask {
        name: name.to_owned(),
        mode: Some(mode),
        model: None,
        reasoning_effort,
    };
    Ok(CollaborationModeListResponse {
        data: vec![
            mode("Plan", ModeKind::Plan, "medium".to_owned().try_into().ok()),
            mode("Default", ModeKind::Default, None),
        ],
    })
}

pub(crate) async fn providers(
    cx: Cx,
    _params: ModelProviderListParams,
) -> Result<ModelProviderListResponse> {
    let config = effective(&cx);
    // `openai` is always there to choose; of the other built-in ones only that which has been chosen is shown.
    let mut ids: Vec<&str> = config.model_providers.keys().map(String::as_str).collect();
    ids.extend(["openai", &config.model_provider]);
    ids.sort_unstable();
    ids.dedup();
    Ok(ModelProviderListResponse {
        data: ids.into_iter().filter_map(|id| provider(id, &config)).collect(),
        default_provider_id: config.model_provider.clone(),
        can_change_default: true,
    })
}

pub(crate) async fn capabilities(
    _cx: Cx,
    _params: ModelProviderCapabilitiesReadParams,
) -> Result<ModelProviderCapabilitiesReadResponse> {
    // Whether a provider has them shows when it is asked; hosted search is offered to all that speak the Responses API.
    Ok(ModelProviderCapabilitiesReadResponse { image_generation: true, web_search: true })
}

pub(crate) async fn write_provider(
    cx: Cx,
    params: ModelProviderConfigWriteParams,
) -> Result<ModelProviderConfigWriteResponse> {
    let ProviderSettingsPatch::CustomGateway { provider_id, name, base_url, env_key } =
        params.settings
    else {
        return Err(invalid("Providers of Amazon and Google are not supported."));
    };
    let change =
        ProviderChange { name: name.map(|name| name.trim().to_owned()), base_url, env_key };
    check(&change)?;
    let config = effective(&cx);
    let id = match provider_id {
        Some(id) if is_built_in(&id) => {
            return Err(invalid("A built-in provider cannot be changed."));
        }
        Some(id) if !config.model_providers.contains_key(&id) => {
            return Err(refusal("Unknown provider ID.", "configPathNotFound"));
        }
        Some(id) => id,
        None => new_id(&change, &config)?,
    };
    config::write_provider(cx.server.home(), &id, change).map_err(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        invalid(&format!("{error}: {cause}"))
    })?;
    match provider(&id, &effective(&cx)) {
        Some(provider) => Ok(ModelProviderConfigWriteResponse { provider }),
        None => Err(Error::internal(format!("the provider `{id}` is written and cannot be read"))),
    }
}

/// What holds for a new provider and for a changed one.
fn check(change: &ProviderChange) -> Result<()> {
    if change.name.as_deref() == Some("") {
        return Err(invalid("A provider needs a name."));
    }
    if let Some(Some(url)) = &change.base_url
        && !model::is_base_url(url)
    {
        return Err(invalid(
            "The base URL has to begin with http:// or https:// and can have neither credentials nor a query.",
        ));
    }
    let is_name = |key: &str| {
        !key.is_empty()
            && !key.starts_with(|c: char| c.is_ascii_digit())
            && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    match &change.env_key {
        Some(Some(key)) if !is_name(key) => {
            Err(invalid("That is no name of an environment variable."))
        }
        _ => Ok(()),
    }
}

/// An id that is made of the name, and that no provider has yet.
fn new_id(change: &ProviderChange, config: &Effective) -> Result<String> {
    let Some(name) = &change.name else { return Err(invalid("A new provider needs a name.")) };
    if name.eq_ignore_ascii_case("openai") {
        return Err(invalid("A built-in provider has this name. Choose another one."));
    }
    if !matches!(change.base_url, Some(Some(_))) {
        return Err(invalid("A new provider needs a base URL."));
    }
    let lower = name.to_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let slug = match words.collect::<Vec<_>>().join("-") {
        slug if slug.is_empty() => "custom".to_owned(),
        slug => slug,
    };
    let is_free = |id: &String| !config.model_providers.contains_key(id) && !is_built_in(id);
    let mut ids =
        std::iter::once(slug.clone()).chain((2..).map(|number| format!("{slug}-{number}")));
    ids.find(is_free).ok_or_else(|| Error::internal("no provider id is left"))
}

fn is_built_in(id: &str) -> bool {
    id == "amazon-bedrock" || Provider::built_in(id, None).is_some()
}

/// The provider as clients are shown it, if it is configured or built in.
fn provider(id: &str, config: &Effective) -> Option<ModelProviderSummary> {
    if let Some(table) = config.model_providers.get(id) {
        let table: ProviderTable = serde_json::from_value(table.clone()).ok()?;
        return Some(table.summary(id));
    }
    let built_in = |name: &str, base_url, settings| ModelProviderSummary {
        id: id.to_owned(),
        name: name.to_owned(),
        can_edit: false,
        base_url,
        settings,
    };
    if id == "openai" {
        let url = config.openai_base_url.clone();
        return Some(built_in("OpenAI", url, ProviderSettings::OpenAi));
    }
    let provider = Provider::built_in(id, None)?;
    let settings = ProviderSettings::CustomGateway { auth: GatewayAuth::None };
    let url = Some(provider.base_url).filter(|url| !url.is_empty());
    Some(built_in(id, url, settings))
}

/// What the server runs on; of a broken configuration clients have been told.
fn effective(cx: &Cx) -> Effective {
    cx.server.sources.load_or_default(&cx.server.threads.shared.cwd).effective
}

fn invalid(message: &str) -> Error {
    refusal(message, "configValidationError")
}

fn refusal(message: &str, code: &str) -> Error {
    let data: Value = json!({ "config_write_error_code": code });
    Error::invalid_request(message).with_data(data)
}
