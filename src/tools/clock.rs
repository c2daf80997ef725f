//! `clock`: what time it is, and letting some pass.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

use super::spec::{Namespace, Shown, function};
use super::{Cx, Effect, Outcome, Run, Scene, Tool, arguments};
use crate::config::Feature;
use crate::protocol::ThreadItem;
use crate::thread::item;
use crate::util::time::{now_ms, utc};

/// How long a pause may be, in milliseconds: up to half a day.
const PAUSE: RangeInclusive<u64> = 1..=43_200_000;

static CLOCK: Namespace =
    Namespace { name: "clock", description: "The time, and pauses.", shown: Shown::Always };

pub(super) static CURR_TIME: Tool = Tool {
    namespace: Some(&CLOCK),
    name: "curr_time",
    is_offered: |scene| has_clock(scene) || scene.config.features.on(Feature::CurrentTimeReminder),
    definition: |_| function("curr_time", "Tells the date and the time, in UTC.", &json!({}), &[]),
    run: Run::Function(|_, _| Box::pin(async { Outcome::text(time()) })),
};

pub(super) static SLEEP: Tool = Tool {
    namespace: Some(&CLOCK),
    name: "sleep",
    is_offered: has_clock,
    definition: |_| sleep_definition(),
    run: Run::Function(|cx, arguments| Box::pin(sleep(cx, arguments))),
};

fn has_clock(scene: &Scene) -> bool {
    scene.model_info.supports_tool("clock")
}

/// What time it is, as models are told.
pub(crate) fn time() -> String {
    format!("It is {}.", utc(now_ms()).format("%Y-%m-%d %H:%M:%S UTC"))
}

#[derive(Deserialize)]
struct Pause {
    duration_ms: u64,
}

async fn sleep(cx: &Cx, text: String) -> Outcome {
    let Pause { duration_ms } = match arguments(&text) {
        Ok(arguments) => arguments,
        Err(told) => return told,
    };
    if !PAUSE.contains(&duration_ms) {
        let (least, most) = (PAUSE.start(), PAUSE.end());
        return Outcome::text(format!("sleep failed: duration_ms has to be {least} to {most}"));
    }
    let pause = ThreadItem::Sleep { id: cx.id.clone(), duration_ms };
    let pause = item::started(pause, now_ms());
    cx.begin(pause.clone()).await;
    let began = Instant::now();
    let mut arrived = cx.arrived.clone();
    let end = tokio::select! {
        biased;
        // An error says that the turn is over, and with it this call.
        _ = arrived.changed() => "Sleep interrupted by new input.",
        () = tokio::time::sleep(Duration::from_millis(duration_ms)) => "Sleep completed.",
    };
    cx.apply(Effect::ItemCompleted(pause)).await;
    Outcome::text(format!("Wall time: {:.4} seconds\n{end}", began.elapsed().as_secs_f64()))
}

fn sleep_definition() -> Value {
    function(
        "sleep",
        "Lets time pass, for things that take a while and that you cannot wait for otherwise. Ends early when the user \
         says something.",
        &json!({
            "duration_ms": {
                "type": "number",
                "description": "How long, in whole milliseconds, 1 to 43200000 (twelve hours).",
            },
        }),
        &["duration_ms"],
    )
}
