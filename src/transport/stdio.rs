//! The link over stdin and stdout: one thread that reads lines, one that writes them.
//!
//! Plain threads, because both ends may be anything (a pipe, a file, a terminal) that an event loop cannot wait for,
//! and because a batch of lines is then one `write`.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::frame::Lines;
use super::{Incoming, Offered, Outbox, Overflow, inbox, offer};

/// Starts the reader. It ends at the end of stdin, or when the receiver is gone and another line arrives.
pub(crate) fn read(overflow: Overflow) -> io::Result<mpsc::Receiver<Incoming>> {
    let (tx, rx) = inbox();
    thread::Builder::new().name("stdin".to_owned()).spawn(move || {
        let mut lines = Lines::new(io::stdin().lock());
        loop {
            let line = match lines.next_line() {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(error) => {
                    tracing::error!(%error, "stdin cannot be read");
                    break;
                }
            };
            match offer(&tx, line, &overflow) {
                Offered::Done => {}
                Offered::Full(incoming) => {
                    if tx.blocking_send(incoming).is_err() {
                        return;
                    }
                }
                Offered::Gone => return,
            }
        }
        // The receiver may be gone already; then nobody is interested in the end either.
        let _gone = tx.blocking_send(Incoming::End);
    })?;
    Ok(rx)
}

/// Starts the writer. It ends when the outbox is closed and written out, or when stdout breaks; a broken stdout
/// closes the outbox, so that nobody waits for a peer that is gone.
pub(crate) fn write(outbox: Arc<Outbox>, runtime: Handle) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name("stdout".to_owned()).spawn(move || {
        let mut stdout = io::stdout().lock();
        let (mut batch, mut buffer) = (Vec::new(), Vec::new());
        while runtime.block_on(outbox.drain(&mut batch)) {
            let written = write_batch(&mut stdout, &mut batch, &mut buffer);
            if let Err(error) = written {
                tracing::error!(%error, "stdout cannot be written");
                outbox.close();
                return;
            }
        }
    })
}

/// Writes the lines with as few system calls as their number allows, without copying large ones.
fn write_batch(
    out: &mut impl io::Write,
    batch: &mut Vec<Bytes>,
    buffer: &mut Vec<u8>,
) -> io::Result<()> {
    const LARGE: usize = 64 * 1024;
    for line in batch.drain(..) {
        if line.len() >= LARGE {
            out.write_all(buffer)?;
            buffer.clear();
            out.write_all(&line)?;
            continue;
        }
        buffer.extend_from_slice(&line);
        if buffer.len() >= LARGE {
            out.write_all(buffer)?;
            buffer.clear();
        }
    }
    out.write_all(buffer)?;
    buffer.clear();
    out.flush()
}
