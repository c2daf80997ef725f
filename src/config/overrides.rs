//! Settings of the command line (`-c`, `--enable`, `--disable`) and of `thread/start`: key paths and their values.

use serde_json::{Map, Value};

use super::{Error, features, layer, setting};

/// What the command line sets, as the content of a layer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Overrides(Map<String, Value>);

impl Overrides {
    /// Takes `key.path=value` arguments, later ones winning. A value is TOML, and a plain string when it is not.
    pub(crate) fn parse(args: &[String]) -> Result<Self, Error> {
        let mut content = Map::new();
        for arg in args {
            let Some((key, value)) = arg.split_once('=') else {
                return Err(Error::Override(format!("Invalid override (missing '='): {arg}")));
            };
            if key.trim().is_empty() {
                return Err(Error::Override(format!("Empty key in override: {arg}")));
            }
            set(&mut content, &segments(key.trim()), &parse_value(value.trim()));
        }
        match setting::check(&content).wrong {
            Some(wrong) => Err(Error::OverrideValue(wrong.named())),
            None => Ok(Self(content)),
        }
    }

    /// Switches features on and off; an unknown name is an error.
    pub(crate) fn with_features(
        mut self,
        enable: &[String],
        disable: &[String],
    ) -> Result<Self, Error> {
        let wanted =
            enable.iter().map(|name| (name, true)).chain(disable.iter().map(|name| (name, false)));
        for (name, on) in wanted {
            if features::default_of(name).is_none() {
                return Err(Error::UnknownFeature(name.clone()));
            }
            set(&mut self.0, &["features".to_owned(), name.clone()], &Value::Bool(on));
        }
        Ok(self)
    }

    pub(super) fn content(&self) -> &Map<String, Value> {
        &self.0
    }
}

/// The content of a layer that a request's `config` object makes: keys are key paths, null is not set.
pub(super) fn nested(request: &Map<String, Value>) -> Map<String, Value> {
    let mut content = Map::new();
    for (key, value) in request.iter().filter(|(_, value)| !value.is_null()) {
        set(&mut content, &segments(key), value);
    }
    content
}

/// Sets one value, making tables on the way; a table is merged into a table.
fn set(content: &mut Map<String, Value>, path: &[String], value: &Value) {
    let Some((last, parents)) = path.split_last() else { return };
    let mut table = content;
    for name in parents {
        let next = table.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
        if !next.is_object() {
            *next = Value::Object(Map::new());
        }
        let Value::Object(inner) = next else { return };
        table = inner;
    }
    layer::merge_value(table, last, value);
}

/// The names of a dotted path. Within double quotes a dot is a dot and a backslash escapes.
fn segments(key: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut quoted = false;
    let mut chars = key.chars();
    while let Some(char) = chars.next() {
        let Some(name) = names.last_mut() else { break };
        match char {
            '"' => quoted = !quoted,
            '\\' if quoted => name.extend(chars.next()),
            '.' if !quoted => names.push(String::new()),
            other => name.push(other),
        }
    }
    names
}

fn parse_value(text: &str) -> Value {
    match text.parse::<toml_edit::Value>() {
        Ok(value) => layer::json_of_value(&value),
        Err(_) => Value::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(args: &[&str], expected: &Value) {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        match Overrides::parse(&args) {
            Ok(Overrides(content)) => assert_eq!(&Value::Object(content), expected),
            Err(error) => assert_eq!(&json!(error.to_string()), expected),
        }
    }

    #[test]
    fn values_are_toml_or_text() {
        check(&["model=o3"], &json!({"model": "o3"}));
        check(&["model=\"a=b\""], &json!({"model": "a=b"}));
        check(
            &["notify=[\"a\", 'b']", "model_context_window=12"],
            &json!({"notify": ["a", "b"], "model_context_window": 12}),
        );
        check(&["model=a", "model=b"], &json!({"model": "b"}));
        check(
            &["features.goals=true", "features={hooks=false}"],
            &json!({"features": {"goals": true, "hooks": false}}),
        );
        check(
            &["projects.\"/a.b\".trust_level=trusted"],
            &json!({"projects": {"/a.b": {"trust_level": "trusted"}}}),
        );
    }

    #[test]
    fn what_cannot_be_taken_is_told() {
        check(
            &["model"],
            &json!("error parsing -c overrides: Invalid override (missing '='): model"),
        );
        check(&["=x"], &json!("error parsing -c overrides: Empty key in override: =x"));
        check(&["model=3"], &json!("invalid type: integer `3`, expected a string\nin `model`\n"));
        check(&["model.a=3"], &json!("invalid type: map, expected a string\nin `model`\n"));
    }

    #[test]
    fn features_are_known_by_name() {
        let name = |name: &str| vec![name.to_owned()];
        let error = Overrides::default().with_features(&name("nonsense"), &[]).unwrap_err();
        assert_eq!(error.to_string(), "Unknown feature flag: nonsense");
        let overrides = Overrides::default().with_features(&name("goals"), &name("hooks")).unwrap();
        assert_eq!(
            Value::Object(overrides.0),
            json!({"features": {"goals": true, "hooks": false}})
        );
    }

    #[test]
    fn a_request_is_nested_or_dotted() {
        let Value::Object(request) = json!({"a.b": 1, "a": {"c": 2}, "model": null}) else {
            panic!()
        };
        assert_eq!(Value::Object(nested(&request)), json!({"a": {"b": 1, "c": 2}}));
    }
}
