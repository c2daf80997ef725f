//! Rollouts that another server has compressed (`.jsonl.zst`). They are read as they are; who goes on with one writes it
//! out before. Offsets are always those of the plain lines.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

const BUFFER: usize = 256 * 1024;

pub(super) fn is_compressed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "zst")
}

/// The lines of a rollout as bytes.
pub(super) enum Bytes {
    Plain(BufReader<File>),
    Compressed { path: PathBuf, decoder: Decoder },
}

type Decoder = BufReader<Box<StreamingDecoder<BufReader<File>, FrameDecoder>>>;

impl Bytes {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = BufReader::with_capacity(BUFFER, File::open(path)?);
        if !is_compressed(path) {
            return Ok(Self::Plain(file));
        }
        let decoder = StreamingDecoder::new(file).map_err(io::Error::other)?;
        Ok(Self::Compressed { path: path.to_owned(), decoder: BufReader::new(Box::new(decoder)) })
    }

    /// Goes on at offset `to`; `from` is the current one.
    pub(super) fn go(&mut self, from: u64, to: u64) -> io::Result<()> {
        let (decoder, ahead) = match self {
            Self::Plain(reader) => {
                // What is wanted together stands close together.
                return reader.seek_relative(to.cast_signed().wrapping_sub(from.cast_signed()));
            }
            Self::Compressed { decoder, .. } if to >= from => (decoder, to - from),
            // There is no way back.
            Self::Compressed { path, .. } => {
                *self = Self::open(&path.clone())?;
                return self.go(0, to);
            }
        };
        io::copy(&mut decoder.take(ahead), &mut io::sink()).map(drop)
    }
}

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(reader) => reader.read(buffer),
            Self::Compressed { decoder, .. } => decoder.read(buffer),
        }
    }
}

impl BufRead for Bytes {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self {
            Self::Plain(reader) => reader.fill_buf(),
            Self::Compressed { decoder, .. } => decoder.fill_buf(),
        }
    }

    fn consume(&mut self, amount: usize) {
        match self {
            Self::Plain(reader) => reader.consume(amount),
            Self::Compressed { decoder, .. } => decoder.consume(amount),
        }
    }
}

/// The last bytes of a rollout.
pub(super) struct End {
    pub(super) bytes: Vec<u8>,
    /// There are no others.
    pub(super) is_whole: bool,
}

/// Up to `size` bytes from the end.
pub(super) fn end(path: &Path, size: u64) -> io::Result<End> {
    let mut bytes = Vec::new();
    match Bytes::open(path)? {
        Bytes::Plain(mut reader) => {
            let start = reader.get_ref().metadata()?.len().saturating_sub(size);
            reader.seek(SeekFrom::Start(start))?;
            reader.read_to_end(&mut bytes)?;
            Ok(End { bytes, is_whole: start == 0 })
        }
        Bytes::Compressed { mut decoder, .. } => {
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            let mut is_whole = true;
            loop {
                let read = decoder.fill_buf()?;
                let len = read.len();
                bytes.extend_from_slice(read);
                decoder.consume(len);
                // Now and then, so that no byte is moved often.
                let limit = if len == 0 { size } else { size.saturating_mul(2) };
                if bytes.len() > limit {
                    bytes.drain(..bytes.len() - size);
                    is_whole = false;
                }
                if len == 0 {
                    return Ok(End { bytes, is_whole });
                }
            }
        }
    }
}

/// Puts plain lines into the place of a compressed rollout; returns their path. Nobody else may be writing them.
pub(super) fn write_out(path: &Path) -> io::Result<PathBuf> {
    let plain = path.with_extension("");
    if !plain.exists() {
        // A name that nobody takes for that of a rollout.
        let begun = path.with_extension("new");
        let written = write(path, &begun).and_then(|()| fs::rename(&begun, &plain));
        if let Err(error) = written {
            let _left_behind = fs::remove_file(&begun);
            return Err(error);
        }
    }
    remove_twin(&plain)?;
    Ok(plain)
}

fn write(from: &Path, to: &Path) -> io::Result<()> {
    let mut out = File::create(to)?;
    io::copy(&mut Bytes::open(from)?, &mut out)?;
    // The thread is the same as before.
    out.set_modified(fs::metadata(from)?.modified()?)?;
    // The compressed file is about to go.
    out.sync_all()
}

/// Removes the compressed file that stands beside a plain one: nobody reads it.
pub(super) fn remove_twin(plain: &Path) -> io::Result<()> {
    let mut twin = plain.as_os_str().to_owned();
    twin.push(".zst");
    match fs::remove_file(twin) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
