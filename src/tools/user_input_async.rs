//! `request_user_input_async`: shows the user questions without waiting. Answers are ordinary input, later.

use serde::Deserialize;
use serde_json::{Value, json};

use super::spec::function;
use super::{Cx, Effect, Outcome, Run, Tool, arguments};
use crate::protocol::{AgentMessageDelivery, AsyncUserInputQuestion, MessagePhase, ThreadItem};
use crate::thread::item;
use crate::util::time::now_ms;

pub(super) static TOOL: Tool = Tool {
    namespace: None,
    name: "request_user_input_async",
    is_offered: |scene| scene.model_info.supports_tool("send_user_message_async"),
    definition: |_| definition(),
    run: Run::Function(|cx, arguments| Box::pin(run(cx, arguments))),
};

#[derive(Deserialize)]
struct Arguments {
    questions: Vec<AsyncUserInputQuestion>,
}

async fn run(cx: &Cx, text: String) -> Outcome {
    let Arguments { questions } = match arguments(&text) {
        Ok(arguments) => arguments,
        Err(told) => return told,
    };
    if let Err(reason) = check(&questions) {
        return Outcome::text(format!("request_user_input_async failed: {reason}"));
    }
    let message = ThreadItem::AgentMessage {
        moderation: None,
        id: cx.id.clone(),
        text: shown(&questions),
        phase: Some(MessagePhase::FinalAnswer),
        memory_citation: None,
        delivery: Some(AgentMessageDelivery::Async),
        questions: Some(questions),
    };
    let message = item::started(message, now_ms());
    cx.begin(message.clone()).await;
    cx.apply(Effect::ItemCompleted(message)).await;
    Outcome::text(r#"{"accepted":true}"#)
}

fn check(questions: &[AsyncUserInputQuestion]) -> Result<(), &'static str> {
    let is_blank = |text: &String| text.trim().is_empty();
    if questions.is_empty() {
        return Err("there is no question");
    }
    if questions.iter().any(|question| is_blank(&question.title)) {
        return Err("a question needs a title");
    }
    let without_choice = |options: &Vec<String>| options.iter().all(is_blank);
    if questions.iter().any(|question| question.options.as_ref().is_some_and(without_choice)) {
        return Err("options that are given need at least one that says something");
    }
    Ok(())
}

/// The questions for clients that show plain text only.
fn shown(questions: &[AsyncUserInputQuestion]) -> String {
    let one = |question: &AsyncUserInputQuestion| {
        let mut text = question.title.clone();
        for option in question.options.iter().flatten() {
            text.push_str("\n- ");
            text.push_str(option);
        }
        text
    };
    questions.iter().map(one).collect::<Vec<_>>().join("\n\n")
}

fn definition() -> Value {
    function(
        "request_user_input_async",
        "Shows the user questions and returns at once, so that you can go on with what does not depend on the answers. \
         They come as a later message of the user, if at all.",
        &json!({
            "questions": {
                "type": "array",
                "minItems": 1,
                "description": "The questions, which are shown together.",
                "items": {
                    "type": "object",
                    "properties": {
                        "title": { "type": "string", "description": "The question." },
                        "options": {
                            "type": "array",
                            "minItems": 1,
                            "description": "Answers that the user may choose from; left out for an open question.",
                            "items": { "type": "string" },
                        },
                    },
                    "required": ["title"],
                    "additionalProperties": false,
                },
            },
        }),
        &["questions"],
    )
}
