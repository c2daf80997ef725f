//! `request_user_input`: puts questions to the user and waits for the answers.

use serde::Deserialize;
use serde_json::{Value, json};

use super::approval::{answered, ask};
use super::spec::function;
use super::{Cx, Outcome, Run, Tool, arguments};
use crate::config::Feature;
use crate::protocol::{
    ModeKind, ThreadActiveFlag, ToolRequestUserInputOption, ToolRequestUserInputParams,
    ToolRequestUserInputQuestion, method,
};
use crate::util::json::raw;

pub(super) static TOOL: Tool = Tool {
    namespace: None,
    name: "request_user_input",
    is_offered: |scene| scene.config.tools.request_user_input,
    definition: |_| definition(),
    run: Run::Function(|cx, arguments| Box::pin(run(cx, arguments))),
};

#[derive(Deserialize)]
struct Arguments {
    questions: Vec<Question>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Question {
    id: String,
    header: String,
    question: String,
    #[serde(default)]
    is_secret: bool,
    #[serde(default)]
    options: Vec<ToolRequestUserInputOption>,
}

async fn run(cx: &Cx, text: String) -> Outcome {
    let plans = cx.scene.mode == ModeKind::Plan;
    if !plans && !cx.scene.config.features.on(Feature::DefaultModeRequestUserInput) {
        return Outcome::text("request_user_input is unavailable in Default mode");
    }
    let Arguments { questions } = match arguments(&text) {
        Ok(arguments) => arguments,
        Err(told) => return told,
    };
    if questions.is_empty() {
        return failed("there is no question");
    }
    if let Some(open) = questions.iter().find(|question| question.options.is_empty()) {
        return failed(&format!("every question needs options, and `{}` has none", open.id));
    }
    let params = ToolRequestUserInputParams {
        thread_id: cx.scene.thread.clone(),
        turn_id: cx.turn.clone(),
        item_id: cx.id.clone(),
        questions: questions.into_iter().map(Question::wire).collect(),
        // Planning cannot go on without the user; other work may.
        is_blocking: plans,
        auto_resolution_ms: None,
    };
    let waits = ThreadActiveFlag::WaitingOnUserInput;
    let answer = ask::<method::ToolRequestUserInput>(cx, waits, None, &params).await;
    answered(cx, waits).await;
    // A client that fails to ask has a user who did not answer.
    Outcome::text(raw(&answer.unwrap_or_default()).get())
}

impl Question {
    fn wire(self) -> ToolRequestUserInputQuestion {
        ToolRequestUserInputQuestion {
            id: self.id,
            header: self.header,
            question: self.question,
            is_other: true,
            is_secret: self.is_secret,
            options: Some(self.options),
        }
    }
}

fn failed(reason: &str) -> Outcome {
    Outcome::text(format!("request_user_input failed: {reason}"))
}

fn definition() -> Value {
    function(
        "request_user_input",
        "Asks the user and waits for the answers: a JSON object that maps each question's id to what was chosen or \
         written. Only for what decides how the work goes on and cannot be found out otherwise. Works in Plan mode; \
         elsewhere it may be refused.",
        &json!({
            "questions": {
                "type": "array",
                "description": "One to three questions, which are shown together.",
                "items": {
                    "type": "object",
                    "properties": {
                        "id": { "type": "string", "description": "A name for the answer, in snake_case." },
                        "header": { "type": "string", "description": "A title of one or two words." },
                        "question": { "type": "string", "description": "The question, in one sentence." },
                        "options": {
                            "type": "array",
                            "description": "Two or three answers to choose from, the one that you recommend first. \
                                            The user can always write another one.",
                            "items": {
                                "type": "object",
                                "properties": {
                                    "label": { "type": "string", "description": "The answer, in a few words." },
                                    "description": {
                                        "type": "string",
                                        "description": "What follows from choosing it, in one sentence.",
                                    },
                                },
                                "required": ["label", "description"],
                                "additionalProperties": false,
                            },
                        },
                    },
                    "required": ["id", "header", "question", "options"],
                    "additionalProperties": false,
                },
            },
        }),
        &["questions"],
    )
}
