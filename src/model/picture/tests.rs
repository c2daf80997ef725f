//! Sizes that models take, and pictures that come in well or badly.

use image::{Rgb, RgbImage};

use super::*;

const REDUCED: Limits = Limits { side: 2048, patches: 2500 };
const FULL: Limits = Limits { side: 6000, patches: 10_000 };

fn picture(size: (u32, u32), format: ImageFormat) -> Vec<u8> {
    let picture = RgbImage::from_fn(size.0, size.1, |x, y| Rgb([x as u8, y as u8, 7]));
    let mut bytes = Vec::new();
    picture.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
    bytes
}

fn shown(url: &str) -> (ImageFormat, (u32, u32)) {
    let bytes = decode_url(url).unwrap();
    let format = known_format(&bytes).unwrap();
    assert!(url.starts_with(&format!("data:{};base64,", format.to_mime_type())), "{url:.40}");
    let picture = decode(&bytes, format, MAX_DECODED).unwrap();
    (format, (picture.width(), picture.height()))
}

#[test]
fn sizes_fit_the_limits() {
    let cases = [
        (REDUCED, (1, 1), (1, 1)),
        (REDUCED, (1600, 1600), (1600, 1600)),
        (REDUCED, (1601, 1600), (1568, 1568)),
        (REDUCED, (2048, 2048), (1600, 1600)),
        (REDUCED, (3000, 3000), (1600, 1600)),
        (REDUCED, (3000, 2000), (1920, 1280)),
        (REDUCED, (1700, 1600), (1632, 1536)),
        (REDUCED, (2048, 1250), (2044, 1248)),
        (REDUCED, (2500, 1111), (2048, 910)),
        (REDUCED, (2049, 100), (2048, 100)),
        (REDUCED, (4000, 100), (2048, 51)),
        (REDUCED, (100, 4000), (51, 2048)),
        (REDUCED, (100_000, 1), (2048, 1)),
        (FULL, (3000, 2000), (3000, 2000)),
        (FULL, (6000, 6000), (3200, 3200)),
        (FULL, (8000, 200), (6000, 150)),
        (FULL, (7000, 3000), (4854, 2080)),
        (FULL, (5000, 3000), (4106, 2464)),
    ];
    for (limits, size, fitted) in cases {
        assert_eq!(limits.fit(size), fitted, "{size:?} in {limits:?}");
    }
}

proptest::proptest! {
    #[test]
    fn what_is_fitted_fits(width in 1_u32..30_000, height in 1_u32..30_000) {
        for limits in [REDUCED, FULL] {
            let fitted = limits.fit((width, height));
            assert!(fitted.0.max(fitted.1) <= limits.side);
            assert!(patches(fitted.0) * patches(fitted.1) <= u64::from(limits.patches));
            assert!(fitted.0 <= width && fitted.1 <= height);
            assert_eq!(limits.fit(fitted), fitted);
        }
    }
}

#[test]
fn a_picture_that_fits_keeps_its_bytes() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP] {
        let bytes = picture((5, 3), format);
        let url = fit(&bytes, REDUCED).unwrap();
        assert_eq!(decode_url(&url), Some(bytes));
        assert_eq!(shown(&url), (format, (5, 3)));
    }
}

#[test]
fn a_large_picture_is_made_smaller() {
    for (format, written) in [
        (ImageFormat::Png, ImageFormat::Png),
        (ImageFormat::Jpeg, ImageFormat::Jpeg),
        (ImageFormat::Gif, ImageFormat::Png),
        (ImageFormat::WebP, ImageFormat::WebP),
    ] {
        let url = fit(&picture((2100, 21), format), REDUCED).unwrap();
        assert_eq!(shown(&url), (written, (2048, 20)));
    }
}

#[test]
fn what_is_no_picture_is_refused() {
    let whole = picture((9, 9), ImageFormat::Png);
    let cases: [&[u8]; 5] = [b"", b"hello", b"\x89PNG", b"BM\0\0", &whole[..whole.len() / 2]];
    for bytes in cases {
        assert!(matches!(fit(bytes, REDUCED), Err(Error::Undecodable)), "{bytes:?}");
    }
}

#[test]
fn a_picture_that_takes_too_much_is_not_decoded() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP] {
        let bytes = picture((100, 100), format);
        assert!(decode(&bytes, format, 29_999).is_none(), "{format:?}");
        assert!(decode(&bytes, format, 1 << 20).is_some(), "{format:?}");
    }
}

#[test]
fn a_turned_picture_is_set_upright() {
    use image::ImageEncoder as _;
    // The note that cameras leave: a quarter turn to the right.
    let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new(&mut bytes);
    encoder.set_exif_metadata(exif).unwrap();
    RgbImage::new(2100, 21).write_with_encoder(encoder).unwrap();
    let url = fit(&bytes, REDUCED).unwrap();
    assert_eq!(shown(&url), (ImageFormat::Jpeg, (20, 2048)));
}

#[test]
fn data_urls_are_read() {
    let cases: [(&str, Option<&[u8]>); 7] = [
        ("data:image/png;base64,aGk=", Some(b"hi")),
        ("DATA:;charset=x;BASE64,aGk=\n", Some(b"hi")),
        ("data:base64,aGk=", Some(b"hi")),
        ("data:image/png,aGk=", None),
        ("data:image/png;base64,!!!", None),
        ("data:", None),
        ("file:x;base64,aGk=", None),
    ];
    for (url, bytes) in cases {
        assert_eq!(decode_url(url).as_deref(), bytes, "{url}");
    }
}

#[test]
fn only_plain_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    std::fs::write(&path, picture((2, 2), ImageFormat::Png)).unwrap();
    assert!(of_file(&path, REDUCED).is_ok());
    assert!(matches!(of_file(folder.path(), REDUCED), Err(Error::Unreadable(_))));
    assert!(matches!(of_file(&folder.path().join("none"), REDUCED), Err(Error::Unreadable(_))));
}
