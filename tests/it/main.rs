//! Scenarios against the real binary: each one scripts the model, speaks over the pipes and compares what came.
//!
//! `APP_SERVER_UNDER_TEST` names another binary, for comparison; `APP_SERVER_REFERENCE` one to share a home with.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::needless_pass_by_value,
    reason = "a test stops at the first thing that is not as it should be, and says so"
)]

mod harness;

mod account;
mod account_chatgpt;
mod agents;
mod approval;
mod auto_review;
mod chat;
mod client_process;
mod collaboration;
mod command_line;
mod compact;
mod context;
mod demo;
mod durable;
mod dynamic;
mod errors;
mod escape;
mod exec;
mod faults;
mod features;
mod files;
mod fork;
mod framing;
mod fuzz;
mod goal;
mod history;
mod history_parts;
mod hooks;
mod images;
mod initialize;
mod interleavings;
mod interop;
mod interrupt;
mod lifetime;
mod load;
mod mcp;
mod mcp_sign_in;
mod models;
mod order;
mod patch;
mod permissions;
mod plan;
mod providers;
mod questions;
mod queue;
mod read_state;
mod revert;
mod review;
mod scale;
mod services;
mod settings;
mod skills;
mod socket;
mod steer;
mod step;
mod thread_groups;
mod thread_lifecycle;
mod thread_list;
mod thread_resume;
mod thread_start;
mod tidy;
mod tool_search;
mod tools;
mod turn;
mod typescript;
mod user_command;

/// A file that is not listed would be compiled by nobody.
#[test]
fn every_file_is_listed() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    for (list, files) in [("main.rs", folder.clone()), ("harness.rs", folder.join("harness"))] {
        let whole = std::fs::read_to_string(folder.join(list)).unwrap();
        for entry in std::fs::read_dir(files).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let Some(module) = name.strip_suffix(".rs").filter(|module| *module != "main") else {
                continue;
            };
            let item = format!("mod {module};");
            assert!(whole.lines().any(|line| line.ends_with(&item)), "{name} is not in {list}");
        }
    }
}
