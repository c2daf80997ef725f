//! `get_goal`, `create_goal` and `update_goal`: the model's view of what its thread works on by itself. The thread
//! answers; here is what is asked, and how the answer reads.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::spec::function;
use super::{Cx, Effect, Outcome, Run, Scene, Tool, arguments};
use crate::config::Feature;
use crate::protocol::{ThreadGoal, ThreadGoalStatus};

pub(super) static GET: Tool = Tool {
    namespace: None,
    name: "get_goal",
    is_offered,
    definition: |_| {
        let description = "Gives the goal of this thread: objective, status, budget, and what has been used of tokens \
                           and time.";
        function("get_goal", description, &json!({}), &[])
    },
    run: Run::Function(|cx, _| Box::pin(ask(cx, GoalRequest::Get))),
};

pub(super) static CREATE: Tool = Tool {
    namespace: None,
    name: "create_goal",
    is_offered,
    definition: |_| create_definition(),
    run: Run::Function(|cx, arguments| Box::pin(create(cx, arguments))),
};

pub(super) static UPDATE: Tool = Tool {
    namespace: None,
    name: "update_goal",
    is_offered,
    definition: |_| update_definition(),
    run: Run::Function(|cx, arguments| Box::pin(update(cx, arguments))),
};

/// What a call asks of its thread.
#[derive(Debug)]
pub(crate) enum GoalRequest {
    Get,
    Create { objective: String, token_budget: Option<i64> },
    Update(ThreadGoalStatus),
}

/// The goal as it is now, or what the model is told instead.
pub(crate) type GoalAnswer = Result<Option<ThreadGoal>, String>;

/// A request, and where the answer goes.
#[derive(Debug)]
pub(crate) struct GoalCall {
    pub(crate) request: GoalRequest,
    pub(crate) answer: oneshot::Sender<GoalAnswer>,
}

fn is_offered(scene: &Scene) -> bool {
    scene.config.features.on(Feature::Goals)
}

async fn create(cx: &Cx, text: String) -> Outcome {
    #[derive(Deserialize)]
    struct Arguments {
        objective: String,
        token_budget: Option<i64>,
    }
    match arguments(&text) {
        Ok(Arguments { objective, token_budget }) => {
            ask(cx, GoalRequest::Create { objective, token_budget }).await
        }
        Err(told) => told,
    }
}

async fn update(cx: &Cx, text: String) -> Outcome {
    #[derive(Deserialize)]
    struct Arguments {
        status: String,
    }
    let status = match arguments::<Arguments>(&text) {
        Ok(arguments) => arguments.status,
        Err(told) => return told,
    };
    let status = match status.as_str() {
        "complete" => ThreadGoalStatus::Complete,
        "blocked" => ThreadGoalStatus::Blocked,
        "paused" => ThreadGoalStatus::Paused,
        _ => {
            return Outcome::text(
                "update_goal sets the status to complete, to blocked, or, if the user asks for it, to paused; all \
                 else is up to the user",
            );
        }
    };
    ask(cx, GoalRequest::Update(status)).await
}

async fn ask(cx: &Cx, request: GoalRequest) -> Outcome {
    let is_final = matches!(request, GoalRequest::Update(ThreadGoalStatus::Complete));
    let (answer, answered) = oneshot::channel();
    cx.apply(Effect::Goal(GoalCall { request, answer })).await;
    match answered.await {
        Ok(Ok(goal)) => Outcome::text(report(goal, is_final)),
        Ok(Err(told)) => Outcome::text(told),
        // The turn is over, and so is this call.
        Err(_) => Outcome::text("aborted"),
    }
}

fn report(goal: Option<ThreadGoal>, is_final: bool) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Report {
        remaining_tokens: Option<i64>,
        completion_budget_report: Option<&'static str>,
        goal: Option<ThreadGoal>,
    }
    const BUDGET_REPORT: &str = "Tell the user in your closing words how many tokens of the budget were used, and \
                                 how long it took if that is more than a moment.";
    let budget = goal.as_ref().and_then(|goal| goal.token_budget);
    let used = goal.as_ref().map_or(0, |goal| goal.tokens_used);
    let report = Report {
        remaining_tokens: budget.map(|budget| (budget - used).max(0)),
        completion_budget_report: (is_final && budget.is_some()).then_some(BUDGET_REPORT),
        goal,
    };
    serde_json::to_string(&report).unwrap_or_default()
}

fn create_definition() -> Value {
    function(
        "create_goal",
        "Gives this thread a goal that it then works on by itself, turn after turn. Only when the user asks for a \
         goal in so many words; an ordinary task is none. Fails while there is a goal that is not complete.",
        &json!({
            "objective": {
                "type": "string",
                "description": "What is to be true in the end, concrete enough to be checked.",
            },
            "token_budget": {
                "type": "integer",
                "description": "How many tokens the goal may use. Only if the user names a number.",
            },
        }),
        &["objective"],
    )
}

fn update_definition() -> Value {
    function(
        "update_goal",
        "Ends or pauses the work on this thread's goal. `complete`: everything that the objective asks for is done and \
         checked; not because budget or time run out. `blocked`: the same obstacle has stopped you in three goal turns \
         in a row, counted anew when the user resumes the goal, and only the user or somebody else can remove it; not \
         because the work is hard, slow or unclear. `paused`: only if the user asks for it. Resuming and limits are up \
         to the user.",
        &json!({
            "status": { "type": "string", "enum": ["complete", "blocked", "paused"] },
        }),
        &["status"],
    )
}
