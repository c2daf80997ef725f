//! The bundled catalogue, configured ones, and what is guessed of other models.

use serde_json::json;
use tempfile::TempDir;

use super::*;

fn effort(text: &str) -> ReasoningEffort {
    text.to_owned().try_into().unwrap()
}

fn entry(slug: &str, priority: i64, visibility: &str) -> serde_json::Value {
    json!({"slug": slug, "display_name": slug, "supported_reasoning_levels": [
            {"effort": "low", "description": "l"}, {"effort": "high", "description": "h"}],
        "shell_type": "unified_exec", "visibility": visibility, "supported_in_api": true, "priority": priority,
        "support_verbosity": false, "truncation_policy": {"mode": "bytes", "limit": 7},
        "experimental_supported_tools": [], "description": null, "availability_nux": null, "unknown": 1})
}

fn configured(text: &str) -> (TempDir, Effective) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("catalog.json");
    fs::write(&path, text).unwrap();
    (dir, config(Some(path)))
}

fn config(path: Option<PathBuf>) -> Effective {
    Effective { model_catalog_json: path, ..Effective::default() }
}

#[test]
fn some_models_are_bundled() {
    let catalog = Catalog::default();
    let models = catalog.models(&config(None)).unwrap();
    assert_eq!(models.default_model().unwrap().slug, "gpt-6.1-sol");
    assert_eq!(models.iter().filter(|model| model.visibility == Visibility::List).count(), 9);
    assert_eq!(models.iter().count(), 12);
    for model in models.iter() {
        assert!(model.is_known() && model.freeform_patches() && model.support_verbosity);
        assert_eq!(model.truncation, TruncationPolicy::Tokens(10_000));
        let default = model.default_reasoning_level.as_ref().unwrap();
        assert!(model.supported_reasoning_levels.iter().any(|level| level.effort == *default));
    }
    let model = catalog.model("gpt-6.1-terra", &config(None));
    assert_eq!((model.window(None), model.effective_window(None)), (500_000, 475_000));
}

#[test]
fn unknown_models_are_guessed() {
    let model = Catalog::default().model("mock-model", &config(None));
    assert!(!model.is_known() && !model.freeform_patches() && !model.support_verbosity);
    assert_eq!(model.slug, "mock-model");
    assert_eq!(model.effective_window(None), 258_400);
    assert_eq!(model.effective_window(Some(50_000)), 47_500);
    assert_eq!(model.truncation, TruncationPolicy::Bytes(10_000));
    assert_eq!(model.effort(None), None);
    assert_eq!(model.effort(Some(&effort("any"))), Some(effort("any")));
    assert_eq!(model.default_reasoning_summary, ReasoningSummary::Auto);
    assert!(!model.lists_tier("priority"));
}

#[test]
fn the_configured_catalogue_replaces_the_bundled_one() {
    let models =
        json!({"models": [entry("b", 2, "list"), entry("a", 1, "hide"), entry("c", 3, "none")]});
    let (_dir, config) = configured(&models.to_string());
    let catalog = Catalog::default();
    let models = catalog.models(&config).unwrap();
    let slugs: Vec<&str> = models.iter().map(|model| model.slug.as_str()).collect();
    assert_eq!(slugs, ["a", "b", "c"]);
    assert_eq!(models.default_model().unwrap().slug, "b");
    assert!(!catalog.model("gpt-5.5", &config).is_known());
    let model = catalog.model("b", &config);
    assert_eq!(model.truncation, TruncationPolicy::Bytes(7));
    assert_eq!(model.effort(Some(&effort("ultra"))), Some(effort("high")));
    assert_eq!(model.effort(Some(&effort("low"))), Some(effort("low")));
    assert_eq!(model.effort(None), None);
}

#[test]
fn a_changed_catalogue_is_read_again() {
    let one = json!({"models": [entry("one", 1, "list")]}).to_string();
    let (_dir, config) = configured(&one);
    let catalog = Catalog::default();
    let first = catalog.models(&config).unwrap();
    assert!(Arc::ptr_eq(&first, &catalog.models(&config).unwrap()), "not read twice");
    let two = json!({"models": [entry("one", 1, "list"), entry("two", 1, "list")]}).to_string();
    fs::write(config.model_catalog_json.as_ref().unwrap(), two).unwrap();
    assert_eq!(catalog.models(&config).unwrap().iter().count(), 2);
}

#[test]
fn broken_catalogues_are_refused() {
    let refusal = |text: &str| {
        let (_dir, config) = configured(text);
        let catalog = Catalog::default();
        assert!(!catalog.model("gpt-5.5", &config).is_known(), "a guess is better than a panic");
        let path = config.model_catalog_json.as_ref().unwrap().display().to_string();
        catalog.models(&config).unwrap_err().to_string().replace(&path, "P")
    };
    let text = refusal("nonsense");
    assert!(text.starts_with("failed to parse model_catalog_json path `P` as JSON: "), "{text}");
    for name in ["priority", "display_name", "shell_type", "experimental_supported_tools"] {
        let mut entry = entry("a", 1, "list");
        entry.as_object_mut().unwrap().remove(name);
        let text = refusal(&json!({"models": [entry]}).to_string());
        assert!(text.contains(&format!("missing field `{name}`")), "{text}");
    }
    assert_eq!(refusal("{\"models\": []}"), "model_catalog_json path `P` lists no models");
    let missing = config(Some(PathBuf::from("/nowhere/catalog.json")));
    let text = Catalog::default().models(&missing).unwrap_err().to_string();
    assert!(text.starts_with("failed to read model_catalog_json path `/nowhere/catalog.json`: "));
}
