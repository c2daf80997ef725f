//! The embedded provider: answers that are played from a script instead of being asked for.
//!
//! A script is a text file with one JSON object per line; blank lines and lines that begin with `//` say nothing.
//! A line is one of
//!
//! * an event of the Responses API as it would come over the network, such as
//!   `{"type":"response.output_text.delta","delta":"Hi"}`; an answer ends with `response.completed`,
//!   `response.failed` or `response.incomplete`,
//! * `{"type":"script.wait","ms":500}`: a pause,
//! * `{"type":"script.message","text":"…","delay_ms":10}`: a whole answer that is one message. It streams word by
//!   word, with that pause between the words (default none),
//! * `{"type":"script.call","name":"exec_command","arguments":{…},"call_id":"…"}`: a whole answer that is one call
//!   of a function, or with `"input":"…"` instead of `arguments` of a custom tool. The `call_id` may be left out.
//!
//! Each request of a thread is answered by the next answer of the script; every thread plays from the start. The
//! script is read at each request, so it may be edited meanwhile. After the last answer a message says that it was
//! the last. Events take the same way as those of the network: `event::decode`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::sleep;
use uuid::Uuid;

use super::Request;
use super::error::Error;
use super::event::{ResponseHeaders, StreamEvent, decode};

/// The script that is played when none is named: a walk through what a client can see.
const TOUR: &str = include_str!("tour.jsonl");

const OVER: &str = "That was the last answer of this script. Start a new thread to play it again, \
                    or configure a `model_provider` to talk to a real model.";

type Events = mpsc::Sender<Vec<StreamEvent>>;

/// The places of all threads in their scripts.
#[derive(Debug, Default)]
pub(super) struct Scripts {
    /// How many answers each thread has had of each script.
    places: Mutex<HashMap<(Option<PathBuf>, String), usize>>,
}

/// A line of a script, or a part of one that stands for several events.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Event(String),
    Wait(Duration),
    Message { text: String, delay: Duration },
    Call(Call),
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Call {
    name: String,
    namespace: Option<String>,
    call_id: Option<String>,
    arguments: Option<Value>,
    input: Option<String>,
}

impl Scripts {
    /// Plays the thread's next answer.
    pub(super) async fn answer(&self, script: Option<PathBuf>, request: Request, events: Events) {
        let last = match self.play(script, &request, &events).await {
            Ok(Played::ToTheEnd | Played::ToNobody) => return,
            Ok(Played::InPart) => Error::closed_early(),
            Err(error) => error,
        };
        let _unheard = events.send(vec![StreamEvent::Failed(last)]).await;
    }

    async fn play(
        &self,
        script: Option<PathBuf>,
        request: &Request,
        events: &Events,
    ) -> Result<Played, Error> {
        let text = match &script {
            None => Cow::Borrowed(TOUR),
            Some(path) => Cow::Owned(tokio::fs::read_to_string(path).await.map_err(|error| {
                Error::unusable(format!("the script {} cannot be read: {error}", path.display()))
            })?),
        };
        let answers = parse(&text).map_err(|problem| problem.of(script.as_deref()))?;
        let place = self.next_place((script, request.thread.clone()));
        let over = [Step::Message { text: OVER.to_owned(), delay: Duration::ZERO }];
        let steps = answers.get(place).map_or(&over[..], Vec::as_slice);
        let mut player = Player { events, input_tokens: request.body.pieces().len().div_ceil(4) };
        player.play(steps).await
    }

    fn next_place(&self, key: (Option<PathBuf>, String)) -> usize {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let place = places.entry(key).or_default();
        *place += 1;
        *place - 1
    }
}

/// How far an answer got.
enum Played {
    ToTheEnd,
    /// The script ends before its answer does.
    InPart,
    /// Nobody listens any more.
    ToNobody,
}

/// One answer on its way.
struct Player<'a> {
    events: &'a Events,
    input_tokens: usize,
}

impl Player<'_> {
    async fn play(&mut self, steps: &[Step]) -> Result<Played, Error> {
        let headers = StreamEvent::Headers(ResponseHeaders::default());
        if self.events.send(vec![headers]).await.is_err() {
            return Ok(Played::ToNobody);
        }
        for step in steps {
            let played = match step {
                Step::Wait(pause) => {
                    sleep(*pause).await;
                    continue;
                }
                Step::Event(event) => self.say(event).await,
                Step::Message { text, delay } => self.message(text, *delay).await,
                Step::Call(call) => self.call(call).await,
            };
            match played {
                Played::InPart => {}
                Played::ToTheEnd | Played::ToNobody => return Ok(played),
            }
        }
        Ok(Played::InPart)
    }

    /// Sends one event, if it is one.
    async fn say(&self, event: &str) -> Played {
        let Some(event) = decode(event.as_bytes()) else { return Played::InPart };
        let last = event.is_last();
        match self.events.send(vec![event]).await {
            Err(_) => Played::ToNobody,
            Ok(()) if last => Played::ToTheEnd,
            Ok(()) => Played::InPart,
        }
    }

    async fn message(&self, text: &str, delay: Duration) -> Played {
        let id = format!("msg_{}", Uuid::now_v7());
        let item = |text: &str| {
            json!({"type": "message", "id": id, "role": "assistant",
                "content": [{"type": "output_text", "text": text}]})
        };
        self.say(&json!({"type": "response.created", "response": {}}).to_string()).await;
        let begun = json!({"type": "response.output_item.added", "item": item("")});
        self.say(&begun.to_string()).await;
        for word in text.split_inclusive(' ') {
            let delta = json!({"type": "response.output_text.delta", "delta": word});
            if let Played::ToNobody = self.say(&delta.to_string()).await {
                return Played::ToNobody;
            }
            if !delay.is_zero() {
                sleep(delay).await;
            }
        }
        self.end(&item(text), text.len()).await
    }

    async fn call(&self, call: &Call) -> Played {
        let call_id = call.call_id.clone().unwrap_or_else(|| format!("call_{}", Uuid::now_v7()));
        let mut item = match &call.input {
            Some(input) => {
                json!({"type": "custom_tool_call", "id": format!("ctc_{}", Uuid::now_v7()),
                "call_id": call_id, "name": call.name, "input": input})
            }
            None => {
                let arguments = match &call.arguments {
                    None => "{}".to_owned(),
                    Some(Value::String(text)) => text.clone(),
                    Some(arguments) => arguments.to_string(),
                };
                json!({"type": "function_call", "id": format!("fc_{}", Uuid::now_v7()),
                    "call_id": call_id, "name": call.name, "arguments": arguments})
            }
        };
        if let Some(namespace) = &call.namespace {
            item["namespace"] = json!(namespace);
        }
        self.say(&json!({"type": "response.created", "response": {}}).to_string()).await;
        let length = item.to_string().len();
        self.end(&item, length).await
    }

    async fn end(&self, item: &Value, length: usize) -> Played {
        let done = json!({"type": "response.output_item.done", "item": item});
        if let Played::ToNobody = self.say(&done.to_string()).await {
            return Played::ToNobody;
        }
        let output_tokens = length.div_ceil(4);
        let completed = json!({"type": "response.completed", "response": {
            "id": format!("resp_{}", Uuid::now_v7()),
            "usage": {"input_tokens": self.input_tokens, "output_tokens": output_tokens,
                "total_tokens": self.input_tokens + output_tokens},
        }});
        self.say(&completed.to_string()).await
    }
}

/// A line that says nothing that can be played.
#[derive(Debug, PartialEq, Eq)]
struct Problem {
    line: usize,
    what: String,
}

impl Problem {
    fn of(&self, script: Option<&Path>) -> Error {
        let script = script.map_or_else(|| "the tour".into(), Path::to_string_lossy);
        Error::unusable(format!("{script}, line {}: {}", self.line, self.what))
    }
}

/// The answers of a script.
fn parse(text: &str) -> Result<Vec<Vec<Step>>, Problem> {
    let mut answers = vec![Vec::new()];
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with("//") {
            continue;
        }
        let (step, ends) = parse_line(line)
            .map_err(|error| Problem { line: index + 1, what: what_is_wrong(&error) })?;
        if let Some(answer) = answers.last_mut() {
            answer.push(step);
        }
        if ends {
            answers.push(Vec::new());
        }
    }
    if answers.last().is_some_and(Vec::is_empty) {
        answers.pop();
    }
    Ok(answers)
}

/// The error, with its place in the line where that helps; to the parser each line is line 1.
fn what_is_wrong(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.split_once(" at line 1 column ") {
        Some((what, _)) if error.is_data() => what.to_owned(),
        Some((what, column)) => format!("this is not JSON: {what} at column {column}"),
        None => text,
    }
}

/// A line, and whether an answer ends with it.
fn parse_line(line: &str) -> serde_json::Result<(Step, bool)> {
    #[derive(Deserialize)]
    struct Kind<'a> {
        #[serde(borrow, rename = "type")]
        kind: Cow<'a, str>,
    }
    #[derive(Deserialize)]
    struct Wait {
        ms: u64,
    }
    #[derive(Deserialize)]
    struct Message {
        text: String,
        #[serde(default)]
        delay_ms: u64,
    }
    match &*serde_json::from_str::<Kind<'_>>(line)?.kind {
        "script.wait" => {
            let Wait { ms } = serde_json::from_str(line)?;
            Ok((Step::Wait(Duration::from_millis(ms)), false))
        }
        "script.message" => {
            let Message { text, delay_ms } = serde_json::from_str(line)?;
            Ok((Step::Message { text, delay: Duration::from_millis(delay_ms) }, true))
        }
        "script.call" => Ok((Step::Call(serde_json::from_str(line)?), true)),
        "response.completed" | "response.failed" | "response.incomplete" => {
            Ok((Step::Event(line.to_owned()), true))
        }
        // A misspelt step must not pass as an event that nobody knows.
        unknown if unknown.starts_with("script.") => {
            let expected = ["script.wait", "script.message", "script.call"];
            Err(serde::de::Error::custom(format!(
                "unknown step `{unknown}`, expected one of {expected:?}"
            )))
        }
        _ => Ok((Step::Event(line.to_owned()), false)),
    }
}

#[cfg(test)]
mod tests;
