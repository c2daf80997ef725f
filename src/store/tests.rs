//! Threads on disk: writing, reading, listing, archiving, and histories over several files.

use std::{fs, io::Write as _, path::Path};

use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    Error, Outline, Query, Record, SessionMeta, Store,
    history::model_history,
    meta::HistoryBase,
    outline::{Entry, Kind},
    record::{Line, TurnCompleted, TurnStarted},
    settings::{profile_of, sandbox_from_stored, sandbox_of, sandbox_to_stored},
};
use crate::protocol::{
    AbsolutePathBuf, NetworkAccess, SandboxPolicy, SortDirection, ThreadHistoryMode, ThreadId,
    ThreadSortKey, ThreadSourceKind, TurnId,
};
use crate::util;

fn home() -> (TempDir, Store) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::new(folder.path().to_owned());
    (folder, store)
}

fn id(number: u32) -> ThreadId {
    ThreadId::from(format!("0199000{number}-0000-7000-8000-000000000001"))
}

fn turn(number: u32) -> TurnId {
    TurnId::from(format!("019a0000-0000-7000-8000-00000000000{number}"))
}

fn record(kind: &str, payload: &Value) -> Record {
    let line = json!({"type": kind, "payload": payload}).to_string();
    Line::parse(&line).expect("a line").record()
}

fn said(role: &str, text: &str) -> Record {
    record(
        "response_item",
        &json!({"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]}),
    )
}

fn turn_started(number: u32) -> Record {
    record("event_msg", &json!({"type": "task_started", "turn_id": turn(number)}))
}

/// The records of a turn in which the user says `text` and is echoed.
fn exchange(number: u32, text: &str) -> Vec<Record> {
    let item = |item: Value| {
        record(
            "event_msg",
            &json!({"type": "item_completed", "thread_id": "x", "turn_id": turn(number), "item": item}),
        )
    };
    let start = json!({"type": "task_started", "turn_id": turn(number), "started_at": 1_756_720_800 + i64::from(number)});
    let user = json!({"type": "UserMessage", "id": format!("u{number}"), "content": [{"type": "text", "text": text}]});
    let agent = json!({"type": "AgentMessage", "id": format!("a{number}"), "content": [{"type": "Text", "text": text}]});
    vec![
        record("event_msg", &start),
        said("user", text),
        item(user),
        item(agent),
        said("assistant", text),
        Record::TurnCompleted(TurnCompleted {
            turn_id: Some(turn(number)),
            ..TurnCompleted::default()
        }),
    ]
}

fn meta(number: u32, cwd: &Path) -> SessionMeta {
    let meta = json!({"id": id(number), "session_id": id(number), "cwd": cwd, "history_mode": "paginated",
        "timestamp": util::time::rfc3339_millis(util::time::now_ms())});
    serde_json::from_value(meta).expect("metadata")
}

fn texts(records: &[Record]) -> Vec<String> {
    let text = |raw: &serde_json::value::RawValue| -> Option<String> {
        let item: Value = serde_json::from_str(raw.get()).ok()?;
        Some(item.pointer("/content/0/text")?.as_str()?.to_owned())
    };
    model_history(records).iter().filter_map(|raw| text(raw)).collect()
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("a file");
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn plant(home: &Path, number: u32, stamp: &str, content: &[Value]) -> std::path::PathBuf {
    let folder = home.join("sessions/2025/09/01");
    fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(format!("rollout-2025-09-01T10-00-{stamp}-{}.jsonl", id(number)));
    let text: String = content.iter().map(|line| format!("{line}\n")).collect();
    fs::write(&path, text).expect("a file");
    path
}

fn old(number: u32, extra: Value, text: &str) -> Vec<Value> {
    let mut meta = json!({"id": id(number), "timestamp": "2025-09-01T10:00:00.000Z", "cwd": "/w", "originator": "cli",
        "cli_version": "0.40.0", "instructions": null, "source": "cli", "model_provider": "mock"});
    if let (Value::Object(members), Value::Object(more)) = (&mut meta, extra) {
        members.extend(more);
    }
    vec![
        json!({"timestamp": "2025-09-01T10:00:00.000Z", "type": "session_meta", "payload": meta}),
        json!({"timestamp": "2025-09-01T10:00:01.000Z", "type": "event_msg",
            "payload": {"type": "user_message", "message": text}}),
    ]
}

#[test]
fn a_file_appears_with_the_first_append_and_is_numbered() {
    let (home, store) = home();
    let mut writer = store.create(meta(1, home.path())).expect("a writer");
    let path = writer.path().to_owned();
    assert!(!writer.is_materialized() && !path.exists());
    assert!(matches!(store.read(&id(1)), Err(Error::NotFound(_))));
    writer.append(&exchange(1, "hello")).expect("written");
    writer.append(&[Record::Other]).expect("nothing to write");
    writer.append(&exchange(2, "again")).expect("written");
    assert!(writer.is_materialized());
    let rows = lines(&path);
    let ordinals: Vec<u64> = rows.iter().filter_map(|row| row["ordinal"].as_u64()).collect();
    assert_eq!(ordinals, (0..13).collect::<Vec<u64>>());
    assert_eq!(rows[0]["type"], "session_meta");
    assert!(rows.iter().all(|row| {
        row["timestamp"].as_str().is_some_and(|time| time.len() == 24 && time.ends_with('Z'))
    }));
}

#[test]
fn a_thread_has_one_writer() {
    let (home, store) = home();
    let mut writer = store.create(meta(1, home.path())).expect("a writer");
    writer.append(&exchange(1, "hello")).expect("written");
    let lock = home.path().join(format!("thread-writer-locks/{}.lock", id(1)));
    assert!(lock.exists());
    assert!(matches!(store.open(&id(1)), Err(Error::Locked { .. })));
    assert!(matches!(store.archive(&id(1)), Err(Error::Locked { .. })));
    assert!(matches!(store.unarchive(&id(1)), Err(Error::Locked { .. })));
    assert!(store.read(&id(1)).is_ok(), "reading is free");
    drop(writer);
    assert!(!lock.exists());
    let (mut writer, records) = store.open(&id(1)).expect("free now");
    assert_eq!(texts(&records), ["hello", "hello"]);
    writer.append(&exchange(2, "more")).expect("written");
    assert_eq!(lines(writer.path()).last().map(|row| row["ordinal"].clone()), Some(json!(12)));
}

#[test]
fn a_cut_last_line_stays_its_own() {
    let (home, store) = home();
    for (number, end) in [(1, "{\"timestamp\":\"2025-09-01T10:00"), (2, "")] {
        let path = plant(home.path(), number, "00", &old(number, json!({}), "one"));
        let mut file = fs::OpenOptions::new().append(true).open(&path).expect("a file");
        let whole = format!("{}{end}", json!({"type": "response_item", "payload": {"n": 1}}));
        file.write_all(if end.is_empty() { whole.as_bytes() } else { end.as_bytes() })
            .expect("written");
        let before = fs::read_to_string(&path).expect("a file");
        let (mut writer, records) = store.open(&id(number)).expect("a thread");
        assert_eq!(fs::read_to_string(&path).expect("a file"), before, "opening writes nothing");
        assert_eq!(records.len(), if end.is_empty() { 3 } else { 2 });
        writer.append(&[said("user", "next")]).expect("written");
        let after = fs::read_to_string(&path).expect("a file");
        assert!(after.starts_with(&format!("{before}\n{{")), "{after}");
    }
}

#[test]
fn damage_costs_its_own_line() {
    let (home, store) = home();
    let path = plant(home.path(), 1, "00", &old(1, json!({}), "one"));
    let mut file = fs::OpenOptions::new().append(true).open(&path).expect("a file");
    file.write_all(
        b"not JSON\n\n[]\n\xff\xfe\n{\"type\":\"response_item\",\"payload\":{\"t\":\"\xff\"}}\n",
    )
    .expect("written");
    writeln!(file, "{}", json!({"type": "new_kind", "payload": {}})).expect("written");
    writeln!(
        file,
        "{}",
        json!({"type": "event_msg", "payload": {"type": "agent_message", "message": "two"}})
    )
    .expect("written");
    let (summary, records) = store.read(&id(1)).expect("readable");
    assert_eq!(summary.preview, "one");
    assert_eq!(records.iter().filter(|record| matches!(record, Record::Legacy(_))).count(), 2);
}

#[test]
fn what_is_no_rollout_is_not_listed_and_cannot_be_read() {
    let (home, store) = home();
    plant(home.path(), 1, "00", &[]);
    plant(home.path(), 2, "01", &old(2, json!({}), "x")[1..]);
    plant(home.path(), 3, "02", &old(3, json!({"history_mode": "from_the_future"}), "x"));
    let paginated = plant(home.path(), 4, "03", &old(4, json!({"history_mode": "paginated"}), "x"));
    fs::rename(&paginated, paginated.with_file_name("notes.jsonl")).expect("renamed");
    assert!(store.list(&Query::default()).expect("a page").data.is_empty());
    fs::rename(paginated.with_file_name("notes.jsonl"), paginated).expect("renamed");
    assert!(matches!(store.open(&id(4)), Err(Error::Invalid { .. })), "its lines are not numbered");
    for number in 1..=3 {
        assert!(matches!(store.read(&id(number)), Err(Error::Invalid { .. })));
        assert!(matches!(store.open(&id(number)), Err(Error::Invalid { .. })));
    }
}

#[test]
fn an_old_rollout_is_listed_and_continued_without_numbers() {
    let (home, store) = home();
    let git = json!({"git": {"commit_hash": "abc", "branch": "main"}});
    let path = plant(home.path(), 1, "00", &old(1, git, "old question"));
    let page = store.list(&Query::default()).expect("a page");
    let row = &page.data[0];
    assert_eq!(
        (row.id.clone(), row.preview.as_str(), row.cli_version.as_str()),
        (id(1), "old question", "0.40.0")
    );
    assert_eq!((row.created_at(), row.history_mode), (1_756_720_800, ThreadHistoryMode::Legacy));
    assert_eq!(row.git_info.as_ref().and_then(|git| git.branch.as_deref()), Some("main"));
    let (mut writer, _) = store.open(&id(1)).expect("a thread");
    writer.append(&[said("user", "next")]).expect("written");
    assert!(lines(&path).iter().all(|row| row.get("ordinal").is_none()));
}

#[test]
fn lists_are_paged_in_both_directions() {
    let (home, store) = home();
    for number in 1..=5 {
        let time = json!({"timestamp": format!("2025-09-01T10:00:00.00{number}Z")});
        plant(home.path(), number, "00", &old(number, time, &format!("m{number}")));
    }
    let ids = |page: &super::Page<super::Summary>| {
        page.data.iter().map(|row| row.preview.clone()).collect::<Vec<_>>()
    };
    let mut query = Query { limit: 2, ..Query::default() };
    let first = store.list(&query).expect("a page");
    assert_eq!(ids(&first), ["m5", "m4"]);
    query.cursor = first.next_cursor;
    let second = store.list(&query).expect("a page");
    assert_eq!(ids(&second), ["m3", "m2"]);
    let back = Query {
        direction: SortDirection::Asc,
        cursor: second.backwards_cursor,
        sort_key: ThreadSortKey::CreatedAt,
        ..Query::default()
    };
    assert_eq!(ids(&store.list(&back).expect("a page")), ["m3", "m4", "m5"]);
    query.cursor = second.next_cursor;
    let last = store.list(&query).expect("a page");
    assert_eq!((ids(&last), last.next_cursor), (vec!["m1".to_owned()], None));
    query.cursor = Some("garbage".to_owned());
    assert!(matches!(store.list(&query), Err(Error::Cursor(_))));
}

#[test]
fn lists_are_filtered() {
    let (home, store) = home();
    let spawned = json!({"subagent": {"thread_spawn": {"parent_thread_id": id(1), "depth": 1}}});
    let sources = [json!("cli"), json!("vscode"), json!("exec"), json!("mcp"), spawned];
    for (number, source) in (1..).zip(sources) {
        let extra = json!({"source": source, "cwd": format!("/w{number}"), "model_provider": format!("p{number}")});
        plant(home.path(), number, "00", &old(number, extra, &format!("text {number}")));
    }
    plant(home.path(), 6, "00", &old(6, json!({}), "  "));
    let found = |query: Query| {
        let page = store.list(&Query { direction: SortDirection::Asc, ..query }).expect("a page");
        page.data.iter().map(|row| row.preview.clone()).collect::<Vec<_>>()
    };
    let sources =
        |kinds: &[ThreadSourceKind]| found(Query { sources: kinds.to_vec(), ..Query::default() });
    assert_eq!(found(Query::default()), ["text 1", "text 2"]);
    assert_eq!(sources(&[ThreadSourceKind::Exec]), ["text 3"]);
    assert_eq!(sources(&[ThreadSourceKind::AppServer]), ["text 4"]);
    assert_eq!(sources(&[ThreadSourceKind::SubAgent]), ["text 5"]);
    assert_eq!(sources(&[ThreadSourceKind::SubAgentThreadSpawn]), ["text 5"]);
    assert_eq!(found(Query { parent: Some(id(1)), ..Query::default() }), ["text 5"]);
    assert_eq!(found(Query { ancestor: Some(id(1)), ..Query::default() }), ["text 5"]);
    assert_eq!(found(Query { providers: vec!["p2".to_owned()], ..Query::default() }), ["text 2"]);
    assert_eq!(found(Query { cwds: Some(vec!["/w1".into()]), ..Query::default() }), ["text 1"]);
    assert_eq!(found(Query { cwds: Some(Vec::new()), ..Query::default() }), [""; 0]);
    assert_eq!(found(Query { excluded: vec![id(1)], ..Query::default() }), ["text 2"]);
    assert_eq!(found(Query { search: Some("t 2".to_owned()), ..Query::default() }), ["text 2"]);
    store.set_name(&id(1), "Named t 2").expect("named");
    assert_eq!(
        found(Query { search: Some("t 2".to_owned()), ..Query::default() }),
        ["text 1", "text 2"]
    );
}

#[test]
fn names_are_appended_and_the_last_one_counts() {
    let (home, store) = home();
    plant(home.path(), 1, "00", &old(1, json!({}), "one"));
    assert!(matches!(store.set_name(&id(2), "n"), Err(Error::NotFound(_))));
    store.set_name(&id(1), "first").expect("named");
    assert_eq!(store.name(&id(1)).as_deref(), Some("first"));
    Store::new(home.path().to_owned()).set_name(&id(1), "second").expect("named elsewhere");
    assert_eq!(store.summary(&id(1)).expect("a thread").name.as_deref(), Some("second"));
    assert_eq!(lines(&home.path().join("session_index.jsonl")).len(), 2);
}

#[test]
fn archived_threads_are_read_and_not_opened() {
    let (home, store) = home();
    let path = plant(home.path(), 1, "00", &old(1, json!({}), "one"));
    store.archive(&id(1)).expect("archived");
    assert!(!path.exists() && store.list(&Query::default()).expect("a page").data.is_empty());
    let page = store.list(&Query { archived: true, ..Query::default() }).expect("a page");
    assert!(page.data[0].path.starts_with(home.path().join("archived_sessions")));
    assert!(store.read(&id(1)).is_ok());
    assert!(matches!(store.open(&id(1)), Err(Error::Archived(_))));
    assert!(matches!(store.archive(&id(1)), Err(Error::NotFound(_))));
    assert!(matches!(store.set_name(&id(1), "n"), Err(Error::NotFound(_))));
    let back = store.unarchive(&id(1)).expect("a thread");
    assert_eq!(back.path, path);
    assert!(back.updated_at_ms > util::time::now_ms() - 60_000);
    assert!(matches!(store.unarchive(&id(1)), Err(Error::NotArchived(_))));
}

/// The history of a file up to this line.
fn base(file: &str, end_ordinal_exclusive: u64) -> Option<HistoryBase> {
    Some(HistoryBase { thread_id: file.to_owned(), end_ordinal_exclusive, end_byte_offset: 0 })
}

#[test]
fn a_reverted_thread_goes_on_in_a_further_file() {
    let (home, store) = home();
    let mut writer = store.create(meta(1, home.path())).expect("a writer");
    for number in 1..=3 {
        writer.append(&exchange(number, &format!("m{number}"))).expect("written");
    }
    let first = writer.path().to_owned();
    drop(writer);
    // As others leave it after a revert to the end of the first turn.
    let reverted = SessionMeta { history_base: base(id(1).as_str(), 7), ..meta(1, home.path()) };
    let mut line = Vec::new();
    assert!(Record::Meta(Box::new(reverted)).encode(
        "2025-09-01T10:00:00.000Z",
        Some(7),
        &mut line
    ));
    let name = first.file_name().and_then(|name| name.to_str()).expect("a name");
    let segment = "_01990009-0000-7000-8000-00000000000f.jsonl";
    let further = first.with_file_name(name.replace(".jsonl", segment));
    fs::write(&further, line).expect("a further file");
    let (mut writer, records) = store.open(&id(1)).expect("a thread");
    assert_eq!((texts(&records), writer.path()), (vec!["m1".to_owned(); 2], &*further));
    writer.append(&exchange(4, "m4")).expect("written");
    assert_eq!(lines(&further)[1]["ordinal"], 8);
    drop(writer);
    let (summary, records) = store.read(&id(1)).expect("readable");
    assert_eq!(texts(&records), ["m1", "m1", "m4", "m4"]);
    assert_eq!(summary.preview, "m1");
    assert_eq!(store.list(&Query::default()).expect("a page").data.len(), 1);
    store.archive(&id(1)).expect("archived");
    assert!(!first.exists(), "all files go along");
    assert_eq!(texts(&store.read(&id(1)).expect("readable").1), ["m1", "m1", "m4", "m4"]);
}

#[test]
fn a_fork_continues_its_source() {
    let (home, store) = home();
    let mut source = store.create(meta(1, home.path())).expect("a writer");
    for number in 1..=2 {
        source.append(&exchange(number, &format!("m{number}"))).expect("written");
    }
    let fork = |number: u32, base| {
        let meta = SessionMeta { history_base: base, ..meta(number, home.path()) };
        let mut writer = store.create(meta).expect("a writer");
        writer.append(&exchange(number, &format!("m{number}"))).expect("written");
        texts(&store.read(&id(number)).expect("readable").1)
    };
    assert_eq!(fork(3, base(id(1).as_str(), 7)), ["m1", "m1", "m3", "m3"]);
    source.append(&exchange(9, "later")).expect("written");
    let whole = base(id(1).as_str(), 13);
    assert_eq!(fork(4, whole), ["m1", "m1", "m2", "m2", "m4", "m4"]);
    let fork_of_fork = base(id(3).as_str(), 14);
    assert_eq!(fork(5, fork_of_fork), ["m1", "m1", "m3", "m3", "m5", "m5"]);
}

#[test]
fn the_model_sees_what_is_left_of_a_history() {
    let user = |text: &str| {
        vec![
            said("user", text),
            record("event_msg", &json!({"type": "user_message", "message": text})),
        ]
    };
    let mut records =
        [user("one"), vec![said("assistant", "1")], user("two"), vec![said("assistant", "2")]]
            .concat();
    assert_eq!(texts(&records), ["one", "1", "two", "2"]);
    records.push(Record::RolledBack { num_turns: 1 });
    assert_eq!(texts(&records), ["one", "1"]);
    records.extend(vec![said("user", "<environment_context>x</environment_context>")]);
    records.push(record("compacted", &json!({"message": "summary"})));
    assert_eq!(texts(&records), ["one", "summary"]);
    records.extend(user("three"));
    records.push(Record::RolledBack { num_turns: 1 });
    assert_eq!(texts(&records), ["one", "summary"]);
    let replaced = json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "new"}]});
    records.push(record("compacted", &json!({"message": "", "replacement_history": [replaced]})));
    assert_eq!(texts(&records), ["new"]);
}

#[test]
fn context_of_a_dropped_turn_goes_with_it() {
    let user = |text: &str| {
        vec![
            said("user", text),
            record("event_msg", &json!({"type": "user_message", "message": text})),
        ]
    };
    let records = [
        vec![turn_started(1), said("user", "<environment_context>a</environment_context>")],
        user("one"),
        user("steer"),
        vec![turn_started(2), said("developer", "context")],
        user("two"),
        vec![Record::RolledBack { num_turns: 1 }],
    ];
    assert_eq!(
        texts(&records.concat()),
        ["<environment_context>a</environment_context>", "one", "steer"]
    );
}

#[test]
fn sandboxes_are_told_from_what_is_stored() {
    let roots = [Path::new("/w").to_owned()];
    let write = |network_access, exclude_slash_tmp, writable_roots: Vec<AbsolutePathBuf>| {
        SandboxPolicy::WorkspaceWrite {
            writable_roots,
            network_access,
            exclude_tmpdir_env_var: false,
            exclude_slash_tmp,
        }
    };
    for policy in [
        SandboxPolicy::DangerFullAccess,
        SandboxPolicy::ReadOnly { network_access: false },
        SandboxPolicy::ReadOnly { network_access: true },
        SandboxPolicy::ExternalSandbox { network_access: NetworkAccess::Enabled },
        write(false, false, Vec::new()),
        write(true, true, vec![AbsolutePathBuf::from(Path::new("/q"))]),
    ] {
        assert_eq!(sandbox_of(&profile_of(&policy, &roots), &roots), Some(policy.clone()));
        assert_eq!(sandbox_from_stored(&sandbox_to_stored(&policy)), Some(policy));
    }
    assert_eq!(
        sandbox_from_stored(&json!({"mode": "read-only"})),
        Some(SandboxPolicy::ReadOnly { network_access: false })
    );
    assert_eq!(sandbox_from_stored(&json!({"type": "from-the-future"})), None);
}

#[test]
fn records_keep_what_is_not_theirs_to_know() {
    let started = TurnStarted {
        turn_id: turn(1),
        root_turn_id: None,
        started_at: Some(1),
        model_context_window: None,
        collaboration_mode_kind: None,
        turn_attribution: None,
    };
    let mut out = Vec::new();
    assert!(Record::TurnStarted(started).encode("T", Some(3), &mut out));
    let expected = format!(
        "{{\"timestamp\":\"T\",\"ordinal\":3,\"type\":\"event_msg\",\"payload\":{{\"type\":\"task_started\",\"turn_id\":\"{}\",\"started_at\":1}}}}\n",
        turn(1)
    );
    assert_eq!(String::from_utf8(out).expect("text"), expected);
    let raw = serde_json::value::RawValue::from_string("{\"b\": 1.0,\n \"a\": [1e3]}".to_owned())
        .expect("JSON");
    let mut out = Vec::new();
    assert!(Record::History(raw).encode("T", None, &mut out));
    assert_eq!(
        String::from_utf8(out).expect("text"),
        "{\"timestamp\":\"T\",\"type\":\"response_item\",\"payload\":{\"b\": 1.0, \"a\": [1e3]}}\n"
    );
    assert!(!Record::Other.encode("T", None, &mut Vec::new()));
}

#[test]
fn errors_of_turns_change_their_case() {
    let info = json!({"response_stream_disconnected": {"http_status_code": 502}});
    let stored =
        super::record::StoredError { message: "m".to_owned(), codex_error_info: Some(info) };
    let wire = crate::protocol::TurnError::from(&stored);
    let shown = serde_json::to_value(&wire).expect("JSON");
    assert_eq!(
        shown["codexErrorInfo"],
        json!({"responseStreamDisconnected": {"httpStatusCode": 502}})
    );
    assert_eq!(super::record::StoredError::from(&wire), stored);
}

#[test]
fn a_legacy_thread_is_written_in_events() {
    let (home, store) = home();
    let legacy = SessionMeta { history_mode: ThreadHistoryMode::Legacy, ..meta(1, home.path()) };
    let mut writer = store.create(legacy).expect("a writer");
    writer.append(&exchange(1, "hello")).expect("written");
    let item = |item: Value| {
        record(
            "event_msg",
            &json!({"type": "item_completed", "thread_id": "x", "turn_id": turn(1), "item": item}),
        )
    };
    let patch = json!({"type": "FileChange", "id": "f", "status": "completed", "changes": {"/n": {"type": "add", "content": "n"}}});
    let call = json!({"type": "McpToolCall", "id": "m", "server": "s", "tool": "t", "status": "failed", "error": {"message": "no"}});
    let thought =
        json!({"type": "Reasoning", "id": "r", "summary_text": ["a", "b"], "raw_content": ["c"]});
    let command = json!({"type": "CommandExecution", "id": "c", "command": ["x"], "cwd": "/", "status": "completed"});
    writer.append(&[item(patch), item(call), item(thought), item(command)]).expect("written");
    let kinds: Vec<String> = lines(writer.path())
        .iter()
        .filter(|row| row["type"] == "event_msg")
        .filter_map(|row| row["payload"]["type"].as_str().map(str::to_owned))
        .collect();
    let expected = [
        "task_started",
        "user_message",
        "agent_message",
        "task_complete",
        "patch_apply_end",
        "mcp_tool_call_end",
    ];
    assert_eq!(kinds[..6], expected);
    assert_eq!(kinds[6..], ["agent_reasoning", "agent_reasoning", "agent_reasoning_raw_content"]);
    assert_eq!(lines(writer.path())[3]["payload"]["message"], "hello");
    assert_eq!(store.summary(&id(1)).expect("a thread").preview, "hello");
}

#[test]
fn a_compressed_rollout_is_read_as_it_is_and_written_out_by_who_goes_on_with_it() {
    let (home, store) = home();
    let mut writer = store.create(meta(1, home.path())).expect("a writer");
    let long = "so ".repeat(9_000);
    for number in 1..=8 {
        writer.append(&exchange(number, &format!("m{number} {long}"))).expect("written");
    }
    let plain = writer.path().to_owned();
    drop(writer);
    let text = fs::read(&plain).expect("a file");
    let before = store.summary(&id(1)).expect("a summary");
    let compressed = plain.with_extension("jsonl.zst");
    let squeeze = || {
        let bytes = compress_to_vec(&*text, CompressionLevel::Fastest);
        assert!(bytes.len() < text.len() / 2);
        fs::write(&compressed, bytes).expect("a file");
    };
    squeeze();
    fs::remove_file(&plain).expect("removed");

    let listed = store.list(&Query::default()).expect("a page").data;
    assert_eq!(
        (&listed[0].preview, listed[0].recency_at_ms),
        (&before.preview, before.recency_at_ms)
    );
    assert!(matches!(
        fork_at_end(&store, 2).history_base,
        Some(HistoryBase { end_ordinal_exclusive: 49, .. })
    ));
    for _ in 0..2 {
        let found = store.outline(&id(1), None, newest_first).expect("readable");
        assert_eq!(found, (1..=8).rev().map(turn).collect::<Vec<_>>());
    }
    assert!(!plain.exists(), "reading changes nothing");

    let (mut writer, records) = store.open(&id(1)).expect("a thread");
    assert_eq!((writer.path(), compressed.exists()), (&*plain, false));
    assert_eq!(fs::read(&plain).expect("a file"), text);
    assert_eq!(store.summary(&id(1)).expect("a summary").updated_at_ms, listed[0].updated_at_ms);
    writer.append(&exchange(9, "more")).expect("written");
    assert_eq!(records.len(), 49);
    drop(writer);
    // What a server leaves that dies before it removes one of the two.
    squeeze();
    assert_eq!(store.list(&Query::default()).expect("a page").data.len(), 2);
    let (_, records) = store.read(&id(1)).expect("readable");
    assert_eq!(records.len(), 55);
    store.delete(&id(1)).expect("deleted");
    assert!(!compressed.exists());
}

/// The turns of a history, the newest first: there is no way back in what is decompressed.
fn newest_first(outline: &Outline) -> Result<Vec<TurnId>, Error> {
    let entries = outline.entries().iter().rev().filter(|entry| entry.kind == Kind::Start);
    let records = outline.records(entries)?;
    let started = |(_, record): &(&Entry, Record)| {
        let Record::TurnStarted(started) = record else { return None };
        Some(started.turn_id.clone())
    };
    Ok(records.iter().filter_map(started).collect())
}

/// The first line of a fork of thread 1.
fn fork_at_end(store: &Store, number: u32) -> SessionMeta {
    let (summary, history) = store.source(&id(1)).expect("a source");
    store.fork(meta(number, &summary.cwd), &history).expect("a fork").meta().clone()
}
