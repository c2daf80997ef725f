//! Pictures and sounds in what the user says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::{Client, Config, Lab, ev};

/// The smallest picture.
const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

pub(crate) fn pixel() -> Vec<u8> {
    STANDARD.decode(PIXEL).unwrap()
}

pub(crate) fn pixel_url() -> String {
    format!("data:image/png;base64,{PIXEL}")
}

/// A PNG of this size, uncompressed.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let row = usize::try_from(width).unwrap() * 3 + 1;
    let rows = vec![0; row * usize::try_from(height).unwrap()];
    let mut zlib = vec![0x78, 0x01];
    let mut blocks = rows.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        let size = u16::try_from(block.len()).unwrap();
        zlib.push(u8::from(blocks.peek().is_none()));
        zlib.extend([size.to_le_bytes(), (!size).to_le_bytes()].concat());
        zlib.extend(block);
    }
    // Adler-32 of nothing but zeros: the low half is 1, the high half counts the bytes.
    let sum = (u32::try_from(rows.len() % 65521).unwrap() << 16) | 1;
    zlib.extend(sum.to_be_bytes());
    let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    bytes.extend(b"\x89PNG\r\n\x1a\n");
    for (name, data) in [(b"IHDR", head), (b"IDAT", zlib), (b"IEND", Vec::new())] {
        bytes.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        let chunk = [&name[..], &data].concat();
        bytes.extend(&chunk);
        bytes.extend(crc(&chunk).to_be_bytes());
    }
    bytes
}

fn crc(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
    !bytes.iter().fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), step))
}

/// The size that a PNG in a `data:` URL says it has.
fn size(url: &Value) -> (u32, u32) {
    let data = url.as_str().unwrap().strip_prefix("data:image/png;base64,").unwrap();
    let bytes = STANDARD.decode(data).unwrap();
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

/// What the model is sent for this input.
#[track_caller]
fn sent(lab: &Lab, client: &Client, thread: &str, input: Value) -> Vec<Value> {
    client.turn_with(thread, json!({"input": input}));
    assert_eq!(client.finish(thread)["status"], "completed");
    lab.model.last().last_said().clone()
}

fn kinds(parts: &[Value]) -> Vec<&str> {
    parts.iter().map(|part| part["type"].as_str().unwrap()).collect()
}

#[test]
fn pictures_are_sent_as_they_are() {
    let lab = Lab::new();
    lab.home.write("a.png", pixel());
    let client = lab.start();
    let thread = client.thread();
    let path = lab.home.path("a.png");
    let input = json!([
        {"type": "text", "text": "look"}, {"type": "image", "url": pixel_url()},
        {"type": "localImage", "path": path}, {"type": "image", "fileId": "file-1", "detail": "low"},
        {"type": "image", "url": "cloud:1", "detail": "original"}]);
    let parts = sent(&lab, &client, &thread, input);
    assert_eq!(
        parts,
        [
            json!({"type": "input_text", "text": "look"}),
            json!({"type": "input_image", "image_url": pixel_url(), "detail": "high"}),
            json!({"type": "input_text", "text": format!("<image name=[Image #2] path=\"{path}\">")}),
            json!({"type": "input_image", "image_url": pixel_url(), "detail": "high"}),
            json!({"type": "input_text", "text": "</image>"}),
            json!({"type": "input_image", "file_id": "file-1", "detail": "low"}),
            json!({"type": "input_image", "image_url": "cloud:1", "detail": "high"}),
        ]
    );
    let item = client.items("userMessage").remove(0);
    assert_eq!(
        item["content"][1],
        json!({"type": "image", "url": pixel_url(), "detail": null}),
        "the item keeps what was given"
    );
}

#[test]
fn what_cannot_be_shown_is_a_note() {
    let lab = Lab::new();
    lab.home.write("bad.png", "not an image");
    lab.home.write("half.png", &pixel()[..40]);
    let client = lab.start();
    let thread = client.thread();
    let path = |name| lab.home.path(name);
    let missing = path("missing.png");
    for (broken, count) in [
        (json!({"type": "localImage", "path": missing}), 1),
        (json!({"type": "localImage", "path": path("")}), 1),
        (json!({"type": "localImage", "path": path("bad.png")}), 3),
        (json!({"type": "localImage", "path": path("half.png")}), 3),
        (json!({"type": "image", "url": "data:image/png;base64,!!!"}), 1),
        (json!({"type": "image", "url": "data:image/png,x"}), 1),
        (json!({"type": "image", "url": pixel_url(), "detail": "low"}), 1),
        (json!({"type": "audio", "url": "data:audio/wav;base64,UklGRg=="}), 1),
    ] {
        let parts = sent(&lab, &client, &thread, json!([broken]));
        assert_eq!(kinds(&parts), vec!["input_text"; count], "{broken}: {parts:?}");
        let warnings = client.notes("warning");
        let mut texts = warnings.iter().map(|warning| warning["message"].as_str().unwrap());
        let told = texts.rfind(|text| text.starts_with("Not everything")).unwrap();
        let note = parts[count / 2]["text"].as_str().unwrap().trim_matches(['[', ']']);
        assert!(told.contains(note), "the user learns of it, too: {told} {note}");
    }
    let parts = sent(&lab, &client, &thread, json!([{"type": "localImage", "path": missing}]));
    assert!(parts[0]["text"].as_str().unwrap().contains(&missing), "{parts:?}");
}

#[test]
fn large_pictures_are_made_smaller() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    let url = format!("data:image/png;base64,{}", STANDARD.encode(png(4000, 20)));
    let parts = sent(&lab, &client, &thread, json!([{"type": "image", "url": url}]));
    assert_eq!(size(&parts[0]["image_url"]), (2048, 10));
}

#[test]
fn a_model_that_sees_well_gets_the_original() {
    let model = json!({"supports_image_detail_original": true, "input_modalities": ["text", "image", "audio"]});
    let lab = Lab::describing(&model, Config::default());
    lab.home.write("a.wav", b"RIFF\0\0\0\0WAVEfmt ");
    let client = lab.start();
    let thread = client.thread();
    let url = format!("data:image/png;base64,{}", STANDARD.encode(png(4000, 20)));
    let path = lab.home.path("a.wav");
    let input = json!([
        {"type": "image", "url": url, "detail": "low"},
        {"type": "audio", "url": "data:audio/wav;base64,UklGRg=="}, {"type": "audio", "fileId": "f"},
        {"type": "localAudio", "path": path}, {"type": "localAudio", "path": lab.home.path("none.wav")}]);
    let parts = sent(&lab, &client, &thread, input);
    assert_eq!(parts[0], json!({"type": "input_image", "image_url": url, "detail": "original"}));
    assert_eq!(
        parts[1..6],
        [
            json!({"type": "input_audio", "audio_url": "data:audio/wav;base64,UklGRg=="}),
            json!({"type": "input_audio", "file_id": "f"}),
            json!({"type": "input_text", "text": format!("<audio name=[Audio #3] path=\"{path}\">")}),
            json!({"type": "input_audio", "audio_url": "data:audio/wav;base64,UklGRgAAAABXQVZFZm10IA=="}),
            json!({"type": "input_text", "text": "</audio>"}),
        ]
    );
    assert_eq!(kinds(&parts[6..]), ["input_text"], "a file that is not there");
}

#[test]
fn the_form_of_the_request_says_that_a_model_sees_well() {
    let lab = Lab::describing(&json!({"use_responses_lite": true}), Config::default());
    let client = lab.start();
    let thread = client.thread();
    let parts = sent(&lab, &client, &thread, json!([{"type": "image", "url": pixel_url()}]));
    assert_eq!(parts[0]["detail"], "original");
}

#[test]
fn the_model_that_a_turn_begins_with_decides() {
    let lab = Lab::describing(&json!({"input_modalities": ["text"]}), Config::default());
    let client = lab.start();
    let thread = client.thread();
    let picture = json!([{"type": "image", "url": pixel_url()}]);
    assert_eq!(kinds(&sent(&lab, &client, &thread, picture.clone())), ["input_text"]);
    client.turn_with(&thread, json!({"input": picture, "model": "unknown-model"}));
    client.finish(&thread);
    assert_eq!(kinds(lab.model.last().last_said()), ["input_image"]);
}

#[test]
fn steered_pictures_are_seen_too() {
    let lab = Lab::new();
    lab.model.reply(ev::shell("call-1", "until test -e go; do sleep 0.02; done"));
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "first");
    client.item_started("commandExecution");
    let input = json!([{"type": "image", "url": pixel_url()}]);
    let params = json!({"threadId": thread, "expectedTurnId": turn, "input": input});
    client.request("turn/steer", params);
    lab.home.write("go", "");
    client.finish(&thread);
    assert_eq!(kinds(lab.model.last().last_said()), ["input_image"]);
}

#[test]
fn what_can_be_no_picture_is_refused() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    for (url, why) in [
        ("nonsense", "an image's `url` must be a URL"),
        ("", "an image's `url` must be a URL"),
        ("file:///a.png", "use an input of type `localImage`"),
        ("HTTPS://example.com/a.png", "remote image URLs are not supported"),
    ] {
        let input = json!([{"type": "image", "url": url}]);
        let refusal = client.refuse("turn/start", json!({"threadId": thread, "input": input}));
        assert!(refusal.message.contains(why), "{url}: {}", refusal.message);
    }
    assert!(lab.model.requests().is_empty());
}
