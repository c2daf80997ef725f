//! One end of a pipe or terminal that does not block, and waiting beside it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, sleep_until};

/// Waits until a time, or for ever.
pub(super) async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

#[derive(Debug)]
pub(super) struct Stream(AsyncFd<OwnedFd>);

impl Stream {
    /// Takes a descriptor over. Needs a runtime, whose reactor watches it.
    pub(super) fn new(descriptor: OwnedFd) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&descriptor, true)?;
        #[expect(unsafe_code, reason = "the reactor trusts that a descriptor stays open")]
        // SAFETY: the owned descriptor moves into the registration and is open as long as it.
        let registered = unsafe { AsyncFd::register(descriptor) };
        Ok(Self(registered.map_err(io::Error::from)?))
    }

    /// Reads what there is, waiting for something; nothing more will come after 0 bytes. A terminal whose last user
    /// is gone answers with an error.
    pub(super) async fn read(&self, buffer: &mut [u8]) -> usize {
        loop {
            let Ok(mut ready) = self.0.readable().await else { return 0 };
            match ready.try_io(|stream| Ok(rustix::io::read(stream, &mut *buffer)?)) {
                Ok(Ok(read)) => return read,
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(_)) => return 0,
                Err(_would_block) => {}
            }
        }
    }

    /// Writes all of it, however long nobody reads. What nobody can read any more is a broken pipe.
    pub(super) async fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let mut ready = self.0.writable().await?;
            let closed = ready.ready().is_write_closed();
            match ready.try_io(|stream| Ok(rustix::io::write(stream, bytes)?)) {
                Ok(Ok(written)) => bytes = &bytes[written..],
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(error)) => return Err(error),
                // The reactor would report a terminal that nobody has open any more as ready for ever.
                Err(_would_block) if closed => return Err(io::ErrorKind::BrokenPipe.into()),
                Err(_would_block) => {}
            }
        }
        Ok(())
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.get_ref().as_fd()
    }
}
