//! Pictures as models take them: checked, made smaller where they are too large, and written as `data:` URLs.
//!
//! Decoding and scaling cost up to seconds and hundreds of megabytes, so all of this is to be called where waiting
//! harms nobody. What a model is told instead of a picture that cannot be shown is the callers' business.

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Cursor, Read as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader};
use tokio::sync::Semaphore;

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 256 << 20;
/// What decoding one picture may take, in bytes: more than any camera makes.
const MAX_DECODED: u64 = 512 << 20;
/// The edge of the squares that models cut pictures into, in pixels.
const PATCH: u32 = 32;
const JPEG_QUALITY: u8 = 85;

/// How large a picture may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The longer side, in pixels.
    pub(crate) side: u32,
    /// How many patches cover it.
    pub(crate) patches: u32,
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0}")]
    Unreadable(#[from] io::Error),
    #[error("it is not a PNG, JPEG, GIF or WebP picture that can be decoded")]
    Undecodable,
}

/// How many pictures are worked on at once; each may take [`MAX_DECODED`] bytes, and a core.
static WORK: Semaphore = Semaphore::const_new(2);

/// Does work on pictures apart from all tasks, when its turn comes. `None` when it panics: it is fed with what
/// others have made. Work that nobody waits for any more goes on all the same, and holds its place until it is done.
pub(crate) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    // The semaphore is never closed.
    let permit = WORK.acquire().await.ok()?;
    let work = move || {
        let _held = permit;
        work()
    };
    tokio::task::spawn_blocking(work).await.ok()
}

/// Reads a file. Only plain files up to a bound: a pipe or a device would be waited for without end.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    if metadata.len() > MAX_FILE {
        return Err(io::Error::other(format!("it is larger than {} MiB", MAX_FILE >> 20)));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    // The file may grow meanwhile.
    File::open(path)?.take(MAX_FILE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The picture in a file, as a `data:` URL.
pub(crate) fn of_file(path: &Path, limits: Limits) -> Result<String, Error> {
    fit(&read(path)?, limits)
}

/// The bytes that a `data:` URL holds; `None` when it holds none in Base64.
pub(crate) fn decode_url(url: &str) -> Option<Vec<u8>> {
    let (head, data) = data_of(url)?.split_once(',')?;
    let is_base64 = head.rsplit(';').next().is_some_and(|it| it.eq_ignore_ascii_case("base64"));
    if is_base64 { STANDARD.decode(data.trim()).ok() } else { None }
}

/// What follows the scheme of a `data:` URL; `None` for all others.
pub(crate) fn data_of(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once(':')?;
    scheme.eq_ignore_ascii_case("data").then_some(rest)
}

pub(crate) fn data_url(kind: &str, bytes: &[u8]) -> String {
    format!("data:{kind};base64,{}", STANDARD.encode(bytes))
}

/// The picture as a `data:` URL within the limits: the very bytes where they fit.
pub(crate) fn fit(bytes: &[u8], limits: Limits) -> Result<String, Error> {
    let format = known_format(bytes).ok_or(Error::Undecodable)?;
    // Decoded even where the bytes will do: a provider refuses a broken picture, and each later request with it.
    let picture = decode(bytes, format, MAX_DECODED).ok_or(Error::Undecodable)?;
    let size = (picture.width(), picture.height());
    let fitted = limits.fit(size);
    if fitted == size {
        return Ok(data_url(format.to_mime_type(), bytes));
    }
    let smaller = picture.resize_exact(fitted.0, fitted.1, FilterType::Triangle);
    drop(picture);
    let (format, bytes) = encode(&smaller, format).ok_or(Error::Undecodable)?;
    Ok(data_url(format.to_mime_type(), &bytes))
}

fn known_format(bytes: &[u8]) -> Option<ImageFormat> {
    use ImageFormat::{Gif, Jpeg, Png, WebP};
    let format = image::guess_format(bytes).ok()?;
    [Png, Jpeg, Gif, WebP].contains(&format).then_some(format)
}

/// The picture, upright: the note that turns it does not survive encoding.
fn decode(bytes: &[u8], format: ImageFormat, most: u64) -> Option<DynamicImage> {
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(most);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().ok()?;
    // The decoder holds its own buffers to the limit, but not the picture itself.
    if decoder.total_bytes() > most {
        return None;
    }
    let orientation = decoder.orientation().ok();
    let mut picture = DynamicImage::from_decoder(decoder).ok()?;
    if let Some(orientation) = orientation {
        picture.apply_orientation(orientation);
    }
    Some(picture)
}

/// Encodes a picture in its own format, or as PNG where that one cannot be written well.
fn encode(picture: &DynamicImage, format: ImageFormat) -> Option<(ImageFormat, Vec<u8>)> {
    let mut bytes = Vec::new();
    let (format, encoded) = if format == ImageFormat::Jpeg {
        let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
        (format, picture.to_rgb8().write_with_encoder(encoder))
    } else if format == ImageFormat::WebP {
        let picture = DynamicImage::from(picture.to_rgba8());
        (format, picture.write_to(&mut Cursor::new(&mut bytes), format))
    } else {
        (ImageFormat::Png, picture.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png))
    };
    encoded.ok().map(|()| (format, bytes))
}

impl Limits {
    /// The size that a picture of this size is shown in: its own if that is allowed, else the largest of the same
    /// shape.
    fn fit(self, size: (u32, u32)) -> (u32, u32) {
        let (width, height) = self.within_side(size);
        if patches(width) * patches(height) <= u64::from(self.patches) {
            return (width, height);
        }
        let (across, down) = (f64::from(width), f64::from(height));
        let edge = f64::from(PATCH);
        let scale = (f64::from(self.patches) * edge * edge / (across * down)).sqrt();
        // One side is a whole number of patches, and the other is no longer than it was: so the rest of a patch that
        // is begun does not count beyond the limit.
        let whole = |side: f64| {
            let patches = side * scale / edge;
            patches.floor().max(1.0) / patches
        };
        let scale = scale * whole(across).min(whole(down));
        (floor(across * scale), floor(down * scale))
    }

    fn within_side(self, (width, height): (u32, u32)) -> (u32, u32) {
        let longer = width.max(height);
        if longer <= self.side {
            return (width, height);
        }
        let scale = f64::from(self.side) / f64::from(longer);
        let scaled = |side: u32| floor((f64::from(side) * scale).round());
        (scaled(width), scaled(height))
    }
}

fn patches(side: u32) -> u64 {
    u64::from(side.div_ceil(PATCH))
}

/// Whole pixels, at least one. What lies within rounding error of a whole number is that number.
fn floor(side: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sides are positive and shorter than before, and casts of floats saturate"
    )]
    let pixels = (side + 1e-6).floor() as u32;
    pixels.max(1)
}
