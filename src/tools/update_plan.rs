//! `update_plan`: the model's list of steps, shown to the user.

use serde::Deserialize;
use serde_json::{Value, json};

use super::spec::function;
use super::{Cx, Effect, Outcome, Run, Tool, arguments};
use crate::protocol::{ModeKind, TurnPlanStep, TurnPlanStepStatus, TurnPlanUpdatedNotification};

pub(super) static TOOL: Tool = Tool {
    namespace: None,
    name: "update_plan",
    is_offered: |scene| scene.config.tools.update_plan,
    definition: |_| definition(),
    run: Run::Function(|cx, arguments| Box::pin(run(cx, arguments))),
};

#[derive(Deserialize)]
struct Arguments {
    explanation: Option<String>,
    plan: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    step: String,
    status: Status,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Pending,
    InProgress,
    Completed,
}

async fn run(cx: &Cx, text: String) -> Outcome {
    let Arguments { explanation, plan } = match arguments(&text) {
        Ok(arguments) => arguments,
        Err(told) => return told,
    };
    if cx.scene.mode == ModeKind::Plan {
        return Outcome::text(
            "update_plan is not available in Plan mode: it lists the steps of work that is being done; propose your \
             plan in a message",
        );
    }
    let params = TurnPlanUpdatedNotification {
        thread_id: cx.scene.thread.clone(),
        turn_id: cx.turn.clone(),
        explanation,
        plan: plan.into_iter().map(Step::wire).collect(),
    };
    cx.apply(Effect::PlanUpdated(params)).await;
    Outcome::text("Plan updated")
}

impl Step {
    fn wire(self) -> TurnPlanStep {
        let status = match self.status {
            Status::Pending => TurnPlanStepStatus::Pending,
            Status::InProgress => TurnPlanStepStatus::InProgress,
            Status::Completed => TurnPlanStepStatus::Completed,
        };
        TurnPlanStep { step: self.step, status }
    }
}

fn definition() -> Value {
    function(
        "update_plan",
        "Shows the user the steps of your work and how far each of them is. Send the whole list each time; it replaces \
         the one before. At most one step is in progress at a time.",
        &json!({
            "explanation": {
                "type": "string",
                "description": "Why the plan is as it is now, in a sentence, where that is not obvious.",
            },
            "plan": {
                "type": "array",
                "description": "All steps, in order.",
                "items": {
                    "type": "object",
                    "properties": {
                        "step": { "type": "string", "description": "What is done in it, in a few words." },
                        "status": {
                            "type": "string",
                            "enum": ["pending", "in_progress", "completed"],
                            "description": "How far it is.",
                        },
                    },
                    "required": ["step", "status"],
                    "additionalProperties": false,
                },
            },
        }),
        &["plan"],
    )
}
