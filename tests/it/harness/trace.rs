//! What was said, as compact text: one line for each message, without ids and times.

use serde_json::Value;

/// One message.
pub(crate) struct Entry {
    pub(crate) sent: bool,
    /// Sent on purpose against the schema.
    pub(crate) loose: bool,
    pub(crate) message: Value,
}

/// Notifications that may come at any time, or whose number is a matter of time.
const NOISE: [&str; 8] = [
    "account/rateLimits/updated",
    "configWarning",
    "deprecationNotice",
    "item/commandExecution/outputDelta",
    "remoteControl/status/changed",
    "thread/goal/cleared",
    "thread/readState/changed",
    "warning",
];

/// The entries from a position on. `->` and `<-` are requests and notifications, `=>` and `<=` are answers.
pub(crate) fn render(trace: &[Entry], from: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut diff = None;
    for (index, entry) in trace.iter().enumerate().skip(from) {
        let message = &entry.message;
        let method = message["method"].as_str();
        if !entry.sent && message.get("id").is_none() && method.is_some_and(|m| NOISE.contains(&m))
        {
            continue;
        }
        // An unchanged diff may be told again.
        if method == Some("turn/diff/updated")
            && diff.replace(&message["params"]["diff"]) == Some(&message["params"]["diff"])
        {
            continue;
        }
        lines.push(match (method, entry.sent) {
            (Some(method), true) => format!("-> {method}{}", detail(message)),
            (Some(method), false) => format!("<- {method}{}", detail(message)),
            (None, sent) => {
                let asked = trace[..index].iter().rev().find(|e| {
                    e.sent != sent
                        && e.message["id"] == message["id"]
                        && e.message.get("method").is_some()
                });
                let method = asked.and_then(|e| e.message["method"].as_str()).unwrap_or("?");
                format!("{} {method}{}", if sent { "=>" } else { "<=" }, outcome(message))
            }
        });
    }
    lines.join("\n")
}

fn outcome(message: &Value) -> String {
    if let Some(error) = message.get("error") {
        return format!(
            " error {} {}",
            error["code"],
            error["message"].as_str().unwrap_or_default()
        );
    }
    message["result"]["decision"]
        .as_str()
        .map_or_else(String::new, |decision| format!(" {decision}"))
}

fn detail(message: &Value) -> String {
    let params = &message["params"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let words: Vec<String> = match message["method"].as_str().unwrap_or_default() {
        "item/started" | "item/completed" => {
            let item = &params["item"];
            vec![text(&item["type"]), name(&item["id"]), text(&item["status"])]
        }
        "thread/status/changed" => {
            let flags = params["status"]["activeFlags"].as_array().into_iter().flatten();
            [text(&params["status"]["type"])].into_iter().chain(flags.map(text)).collect()
        }
        "turn/completed" => vec![text(&params["turn"]["status"])],
        "error" => {
            let again = if params["willRetry"] == true { "again" } else { "final" };
            vec![again.to_owned(), params["error"]["codexErrorInfo"].to_string()]
        }
        method if method.ends_with("/requestApproval") => vec![name(&params["itemId"])],
        method if method.ends_with("elta") => vec![params["delta"].to_string()],
        _ => Vec::new(),
    };
    words.iter().filter(|word| !word.is_empty()).map(|word| format!(" {word}")).collect()
}

/// An id that the scenario chose; ids that the server made up are left out.
fn name(id: &Value) -> String {
    let id = id.as_str().unwrap_or_default();
    if uuid::Uuid::parse_str(id).is_ok() { String::new() } else { format!("[{id}]") }
}
