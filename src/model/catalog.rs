//! What is known about models: a bundled catalogue, or the one that the configuration names.
//!
//! Facts only; the words that models are given are the callers' business. Nothing is parsed before it is asked for.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::SystemTime;
use std::{fs, io};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::senses::{Hearing, Senses, Sight};
use crate::config::Effective;
use crate::protocol::{
    InputModality, ModelAvailabilityNux, ModelServiceTier, MultiAgentVersion, ReasoningEffort,
    ReasoningSummary, Verbosity,
};

/// The bundled models. They are checked by a test.
static BUNDLED: LazyLock<Arc<Models>> =
    LazyLock::new(|| Arc::new(Models::parse(include_str!("catalog.json")).unwrap_or_default()));

const UNKNOWN_WINDOW: i64 = 272_000;
const UNKNOWN_TRUNCATION: TruncationPolicy = TruncationPolicy::Bytes(10_000);

/// One model.
#[derive(Debug, Clone, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "these are independent facts, named as catalogues name them"
)]
pub(crate) struct ModelInfo {
    pub(crate) slug: String,
    pub(crate) display_name: String,
    #[serde(default)]
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) default_reasoning_level: Option<ReasoningEffort>,
    /// From the least to the most.
    pub(crate) supported_reasoning_levels: Vec<ReasoningLevel>,
    #[serde(default = "automatic")]
    pub(crate) default_reasoning_summary: ReasoningSummary,
    pub(crate) visibility: Visibility,
    /// Models are listed in this order, lowest first.
    pub(crate) priority: i64,
    pub(crate) support_verbosity: bool,
    #[serde(default)]
    pub(crate) default_verbosity: Option<Verbosity>,
    #[serde(default)]
    apply_patch_tool_type: Option<ApplyPatchToolType>,
    #[serde(rename = "truncation_policy")]
    pub(crate) truncation: TruncationPolicy,
    #[serde(default)]
    pub(crate) base_instructions: Option<String>,
    #[serde(default)]
    pub(crate) context_window: Option<i64>,
    #[serde(default)]
    pub(crate) max_context_window: Option<i64>,
    /// How full a thread may become before it is compacted, in tokens.
    #[serde(default)]
    pub(crate) auto_compact_token_limit: Option<i64>,
    #[serde(default = "most")]
    pub(crate) effective_context_window_percent: i64,
    #[serde(default = "text_and_images")]
    pub(crate) input_modalities: Vec<InputModality>,
    #[serde(default)]
    pub(crate) multi_agent_version: Option<MultiAgentVersion>,
    /// Whether tools are offered with the input, not beside it.
    #[serde(default)]
    pub(crate) use_responses_lite: bool,
    #[serde(default)]
    pub(crate) service_tiers: Vec<ModelServiceTier>,
    #[serde(default)]
    pub(crate) default_service_tier: Option<String>,
    #[serde(default)]
    pub(crate) additional_speed_tiers: Vec<String>,
    #[serde(default)]
    pub(crate) model_specialty: Option<String>,
    #[serde(default)]
    pub(crate) upgrade: Option<Upgrade>,
    #[serde(default)]
    pub(crate) availability_nux: Option<ModelAvailabilityNux>,
    #[serde(default)]
    supports_image_detail_original: bool,
    /// Whether the model can search for tools that it has not been shown.
    #[serde(default)]
    pub(crate) supports_search_tool: bool,
    /// Names of tools that the model is trained on besides those that all are.
    experimental_supported_tools: Vec<String>,
    #[serde(default)]
    web_search_tool_type: Option<String>,
    /// Nothing but the slug is known.
    #[serde(skip)]
    is_fallback: bool,
    shell_type: ShellType,
    // Required of every catalogue, and of no consequence here.
    #[serde(rename = "supported_in_api")]
    _supported_in_api: IgnoredAny,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct ReasoningLevel {
    pub(crate) effort: ReasoningEffort,
    #[serde(default)]
    pub(crate) description: String,
}

/// The model that users are advised to go on to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Upgrade {
    pub(crate) model: String,
    #[serde(default)]
    pub(crate) migration_markdown: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Visibility {
    List,
    Hide,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ApplyPatchToolType {
    Freeform,
}

/// Whether the model is trained on running commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ShellType {
    Disabled,
    /// There have been several tools to run commands with; today there is one.
    #[serde(other)]
    Usual,
}

/// How much of a tool's output the model is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(tag = "mode", content = "limit", rename_all = "snake_case")]
pub(crate) enum TruncationPolicy {
    Bytes(usize),
    Tokens(usize),
}

fn automatic() -> ReasoningSummary {
    ReasoningSummary::Auto
}

fn most() -> i64 {
    95
}

fn text_and_images() -> Vec<InputModality> {
    vec![InputModality::Text, InputModality::Image]
}

impl ModelInfo {
    /// What is assumed of a model that no catalogue lists.
    pub(crate) fn unknown(slug: &str) -> Self {
        Self {
            slug: slug.to_owned(),
            display_name: slug.to_owned(),
            description: None,
            default_reasoning_level: None,
            supported_reasoning_levels: Vec::new(),
            default_reasoning_summary: automatic(),
            visibility: Visibility::None,
            priority: i64::MAX,
            support_verbosity: false,
            default_verbosity: None,
            apply_patch_tool_type: None,
            truncation: UNKNOWN_TRUNCATION,
            base_instructions: None,
            context_window: Some(UNKNOWN_WINDOW),
            max_context_window: Some(UNKNOWN_WINDOW),
            auto_compact_token_limit: None,
            effective_context_window_percent: most(),
            input_modalities: text_and_images(),
            multi_agent_version: None,
            use_responses_lite: false,
            service_tiers: Vec::new(),
            default_service_tier: None,
            additional_speed_tiers: Vec::new(),
            model_specialty: None,
            upgrade: None,
            availability_nux: None,
            supports_search_tool: false,
            supports_image_detail_original: false,
            experimental_supported_tools: Vec::new(),
            web_search_tool_type: None,
            is_fallback: true,
            shell_type: ShellType::Usual,
            _supported_in_api: IgnoredAny,
        }
    }

    /// Whether the model is to run commands at all.
    pub(crate) fn runs_commands(&self) -> bool {
        self.shell_type != ShellType::Disabled
    }

    /// How many tokens the model can take, or what the configuration says instead.
    pub(crate) fn window(&self, configured: Option<i64>) -> i64 {
        configured.or(self.context_window).or(self.max_context_window).unwrap_or(UNKNOWN_WINDOW)
    }

    /// How many of them a thread may fill.
    pub(crate) fn effective_window(&self, configured: Option<i64>) -> i64 {
        self.window(configured).saturating_mul(self.effective_context_window_percent) / 100
    }

    /// The effort to ask for: the wanted one or the model's own, and at most what the model knows.
    pub(crate) fn effort(&self, wanted: Option<&ReasoningEffort>) -> Option<ReasoningEffort> {
        let wanted = wanted.or(self.default_reasoning_level.as_ref())?;
        let levels = &self.supported_reasoning_levels;
        let is_known = levels.iter().any(|level| level.effort == *wanted);
        let most = levels.last().filter(|_| !is_known).map(|level| &level.effort);
        Some(most.unwrap_or(wanted).clone())
    }

    /// Whether a catalogue describes the model; if not, everything about it is a guess.
    pub(crate) fn is_known(&self) -> bool {
        !self.is_fallback
    }

    pub(crate) fn lists_tier(&self, id: &str) -> bool {
        self.service_tiers.iter().any(|tier| tier.id == id)
    }

    pub(crate) fn senses(&self) -> Senses {
        let takes = |modality| self.input_modalities.contains(&modality);
        let sees_all = self.supports_image_detail_original || self.use_responses_lite;
        let sight = match (takes(InputModality::Image), sees_all) {
            (false, _) => Sight::Blind,
            (true, false) => Sight::Reduced,
            (true, true) => Sight::Full,
        };
        let hearing = if takes(InputModality::Audio) { Hearing::Audio } else { Hearing::Deaf };
        Senses { sight, hearing }
    }

    /// Whether the model knows a tool that not all models know.
    pub(crate) fn supports_tool(&self, name: &str) -> bool {
        self.experimental_supported_tools.iter().any(|known| known == name)
    }

    /// Whether a search of the web may bring up pictures.
    pub(crate) fn searches_images(&self) -> bool {
        self.web_search_tool_type.as_deref() == Some("text_and_image")
    }

    /// Whether the model edits files with a tool of its own.
    pub(crate) fn freeform_patches(&self) -> bool {
        self.apply_patch_tool_type == Some(ApplyPatchToolType::Freeform)
    }
}

/// The models of one catalogue, by priority.
#[derive(Debug, Default)]
pub(crate) struct Models(Vec<Arc<ModelInfo>>);

impl Models {
    fn parse(text: &str) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct File {
            models: Vec<ModelInfo>,
        }
        let mut models: Vec<_> =
            serde_json::from_str::<File>(text)?.models.into_iter().map(Arc::new).collect();
        models.sort_by_key(|model| model.priority);
        Ok(Self(models))
    }

    /// All models, the hidden ones too, in the order of listing.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<ModelInfo>> {
        self.0.iter()
    }

    /// Those that people may choose, in the order of the catalogue.
    pub(crate) fn listed(&self) -> impl Iterator<Item = &Arc<ModelInfo>> {
        self.0.iter().filter(|model| model.visibility == Visibility::List)
    }

    /// The model that is used when nothing else is said: the first that is listed.
    pub(crate) fn default_model(&self) -> Option<&Arc<ModelInfo>> {
        self.listed().next().or(self.0.first())
    }
}

/// Why a configured catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CatalogError {
    #[error("failed to read model_catalog_json path `{path}`: {cause}")]
    Unreadable { path: PathBuf, cause: String },
    #[error("failed to parse model_catalog_json path `{path}` as JSON: {cause}")]
    Malformed { path: PathBuf, cause: String },
    #[error("model_catalog_json path `{path}` lists no models")]
    Empty { path: PathBuf },
}

/// What is known about models. A configured catalogue is read when it is first asked for, and again when its file
/// has changed.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    read: Mutex<Vec<File>>,
}

/// A configured catalogue as it was read.
#[derive(Debug)]
struct File {
    path: PathBuf,
    state: FileState,
    models: Arc<Models>,
}

/// Tells whether a file is still the one that was read.
type FileState = (Option<SystemTime>, u64);

impl Catalog {
    /// The model of that name. Never fails: a model that is not known, or not to be found because the catalogue is
    /// broken, is described by a guess.
    pub(crate) fn model(&self, slug: &str, config: &Effective) -> Arc<ModelInfo> {
        let models = self.models(config).unwrap_or_else(|error| {
            tracing::warn!(%error, "the configured models are not known");
            Arc::default()
        });
        match models.iter().find(|model| model.slug == slug) {
            Some(model) => Arc::clone(model),
            None => Arc::new(ModelInfo::unknown(slug)),
        }
    }

    /// The models of the configured catalogue, or the bundled ones.
    pub(crate) fn models(&self, config: &Effective) -> Result<Arc<Models>, CatalogError> {
        let Some(path) = config.model_catalog_json.as_deref() else {
            return Ok(Arc::clone(&BUNDLED));
        };
        let state = state(path).map_err(|error| unreadable(path, &error))?;
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = read.iter().find(|it| it.path == path && it.state == state) {
            return Ok(Arc::clone(&known.models));
        }
        let models = Arc::new(parse_file(path)?);
        read.retain(|it| it.path != path);
        read.push(File { path: path.to_owned(), state, models: Arc::clone(&models) });
        Ok(models)
    }
}

fn state(path: &Path) -> io::Result<FileState> {
    let metadata = fs::metadata(path)?;
    Ok((metadata.modified().ok(), metadata.len()))
}

fn parse_file(path: &Path) -> Result<Models, CatalogError> {
    let text = fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    let models = Models::parse(&text).map_err(|error| CatalogError::Malformed {
        path: path.to_owned(),
        cause: error.to_string(),
    })?;
    if models.0.is_empty() {
        return Err(CatalogError::Empty { path: path.to_owned() });
    }
    Ok(models)
}

fn unreadable(path: &Path, error: &io::Error) -> CatalogError {
    CatalogError::Unreadable { path: path.to_owned(), cause: error.to_string() }
}

#[cfg(test)]
mod tests;
