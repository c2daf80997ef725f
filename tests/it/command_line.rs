//! The command line: what is refused before anything is served, and what can be asked without serving.

use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::harness::Lab;
use crate::harness::server::program;

fn run(lab: &Lab, args: &[&str]) -> Output {
    let mut command = Command::new(program());
    command.args(args).current_dir(lab.home.work()).env("CODEX_HOME", lab.home.home());
    command.stdin(Stdio::null()).output().unwrap()
}

#[track_caller]
fn refused(lab: &Lab, args: &[&str], text: &str) {
    let output = run(lab, args);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{told}");
    assert!(told.contains(text), "{told}");
}

#[test]
fn strictly_nothing_unknown_is_let_through() {
    let lab = Lab::new();
    let config = lab.home.home().join("config.toml");
    let place = |at: &str| format!("{}:{at}", config.display());
    for (text, told) in [
        ("model = \"x\"\nbogus = 1\n", place("2:1: unknown configuration field `bogus`")),
        (
            "[features]\nnonsense = true\n",
            place("2:1: unknown configuration field `features.nonsense`"),
        ),
        ("model = 5\n", place("1:9: ")),
        ("model = = 1\n", place("1:9: ")),
    ] {
        std::fs::write(&config, text).unwrap();
        refused(&lab, &["--strict-config"], &told);
        assert_eq!(run(&lab, &[]).status.code(), Some(0), "otherwise it starts");
    }
    std::fs::write(&config, "").unwrap();
    let told = "unknown configuration field `bogus` in -c/--config override";
    refused(&lab, &["--strict-config", "-c", "bogus=1"], told);
    assert_eq!(run(&lab, &["--strict-config"]).status.code(), Some(0));
}

#[test]
fn a_start_can_be_tried() {
    let lab = Lab::new();
    let printed = |args: &[&str]| {
        let output = run(&lab, args);
        let line: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), line)
    };
    let (code, fine) = printed(&["--print-startup-config"]);
    assert_eq!((code, &fine["appServerVersion"]), (Some(0), &Value::from("0.169.0")));
    assert_eq!(fine["configRequirements"]["requirements"], Value::Null);
    let (code, bad) = printed(&["--print-startup-config", "-c", "model=3"]);
    assert_eq!((code, &bad["error"]["code"]), (Some(1), &Value::from(-32600)));
    let data = &bad["error"]["data"];
    assert_eq!((&data["reason"], &data["filePath"]), (&Value::from("configLoad"), &Value::Null));
}
