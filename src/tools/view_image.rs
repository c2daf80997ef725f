//! `view_image`: shows the model a picture that is in a file.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::spec::function;
use super::{Cx, Effect, Outcome, Output, Part, Run, Tool, arguments};
use crate::config::Feature;
use crate::model::picture;
use crate::model::senses::Sight;
use crate::protocol::{ImageDetail, ThreadItem};
use crate::thread::item;
use crate::util::path::absolute;
use crate::util::time::now_ms;

pub(super) static TOOL: Tool = Tool {
    namespace: None,
    name: "view_image",
    is_offered: |scene| scene.config.features.on(Feature::ViewImage),
    definition: |_| definition(),
    run: Run::Function(|cx, arguments| Box::pin(run(cx, arguments))),
};

#[derive(Deserialize)]
struct Arguments {
    path: String,
    /// Not described: models that know it send it, and what is sent is decided by the model anyway.
    detail: Option<String>,
}

async fn run(cx: &Cx, text: String) -> Outcome {
    let Arguments { path, detail } = match arguments(&text) {
        Ok(arguments) => arguments,
        Err(told) => return told,
    };
    let detail = match detail.as_deref() {
        None => None,
        Some("high") => Some(ImageDetail::High),
        Some("original") => Some(ImageDetail::Original),
        Some(other) => {
            return failed(&format!(
                "detail `{other}` is not supported, only `high` and `original`"
            ));
        }
    };
    let sight = cx.scene.model_info.senses().sight;
    if sight == Sight::Blind {
        return failed("this model takes no images");
    }
    let path = absolute(&cx.scene.cwd, Path::new(&path));
    let (file, limits) = (path.clone(), sight.limits());
    let picture = picture::apart(move || picture::of_file(&file, limits)).await;
    let picture = picture.unwrap_or(Err(picture::Error::Undecodable));
    let (url, detail) = match (picture, sight.detail_fitted(detail)) {
        (Ok(url), Some(detail)) => (url, detail),
        (Ok(_), None) => return failed("this detail is not supported"),
        (Err(error), _) => return failed(&format!("{}: {error}", path.display())),
    };
    let shown = ThreadItem::ImageView { id: cx.id.clone(), path: path.as_path().into() };
    let shown = item::started(shown, now_ms());
    cx.begin(shown.clone()).await;
    cx.apply(Effect::ItemCompleted(shown)).await;
    Outcome::Output(Output::Parts(vec![Part::InputImage {
        image_url: Some(url),
        file_id: None,
        detail,
    }]))
}

fn failed(reason: &str) -> Outcome {
    Outcome::text(format!("view_image failed: {reason}"))
}

fn definition() -> Value {
    function(
        "view_image",
        "Shows you a picture in a file: PNG, JPEG, GIF or WebP. Use it for files that the user names or that your work \
         makes, such as screenshots; not for pictures that are in the conversation already.",
        &json!({
            "path": {
                "type": "string",
                "description": "The file, absolute or relative to the working directory.",
            },
        }),
        &["path"],
    )
}
