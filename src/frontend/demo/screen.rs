//! What the demonstration prints: a transcript for people, or lines for programs.

use std::io::{self, ErrorKind, Write};

use super::Show;

/// The column of names, and the blank that stands in its place on further lines.
const NAMES: usize = 8;
const MARGIN: &str = "          ";

pub(super) type Printed = io::Result<()>;

/// Which way a line went, as the client sees it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Direction {
    Sent,
    Received,
}

/// Where things are shown. Each of them is shown in one of the two forms only; the other calls do nothing.
pub(super) struct Screen {
    show: Show,
    /// Nothing when whoever read it has gone.
    out: Option<Box<dyn Write>>,
    /// Whether the next character begins a line of a paragraph.
    line_begins: bool,
}

impl Screen {
    pub(super) fn new(show: Show, out: Box<dyn Write>) -> Self {
        Self { show, out: Some(out), line_begins: false }
    }

    /// A line of the protocol.
    pub(super) fn line(&mut self, server: u32, direction: Direction, line: &str) -> Printed {
        let direction = match direction {
            Direction::Sent => "sent",
            Direction::Received => "received",
        };
        match self.show {
            Show::Lines => self.write(&format!(
                "{{\"server\":{server},\"direction\":\"{direction}\",\"message\":{line}}}\n"
            )),
            Show::Transcript => Ok(()),
        }
    }

    /// Text of the transcript, as it is.
    pub(super) fn print(&mut self, text: &str) -> Printed {
        match self.show {
            Show::Transcript => self.write(text),
            Show::Lines => Ok(()),
        }
    }

    /// A whole paragraph of the transcript.
    pub(super) fn tell(&mut self, who: &str, text: &str) -> Printed {
        self.begin(who)?;
        self.more(text)?;
        self.end()
    }

    /// Begins a paragraph that [`Self::more`] fills.
    pub(super) fn begin(&mut self, who: &str) -> Printed {
        self.line_begins = false;
        self.print(&format!("{who:>NAMES$}  "))
    }

    pub(super) fn more(&mut self, text: &str) -> Printed {
        let mut indented = String::with_capacity(text.len());
        for character in text.chars() {
            if self.line_begins && character != '\n' {
                indented.push_str(MARGIN);
            }
            self.line_begins = character == '\n';
            indented.push(character);
        }
        self.print(&indented)
    }

    pub(super) fn end(&mut self) -> Printed {
        self.print("\n")
    }

    fn write(&mut self, text: &str) -> Printed {
        let Some(out) = &mut self.out else { return Ok(()) };
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.out = None;
                Ok(())
            }
            written => written,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Broken(ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn shown(show: Show) -> String {
        let paper = Paper::default();
        let mut screen = Screen::new(show, Box::new(paper.clone()));
        screen.line(2, Direction::Sent, "{\"id\":1}").unwrap();
        screen.line(2, Direction::Received, "{ \"id\": 1 }").unwrap();
        screen.begin("agent").unwrap();
        screen.more("one\n").unwrap();
        screen.more("\ntwo").unwrap();
        screen.end().unwrap();
        let written = paper.0.lock().unwrap().clone();
        String::from_utf8(written).unwrap()
    }

    #[test]
    fn a_transcript_is_indented() {
        assert_eq!(shown(Show::Transcript), "   agent  one\n\n          two\n");
    }

    #[test]
    fn lines_are_kept_byte_for_byte() {
        let expected = "{\"server\":2,\"direction\":\"sent\",\"message\":{\"id\":1}}\n\
                        {\"server\":2,\"direction\":\"received\",\"message\":{ \"id\": 1 }}\n";
        assert_eq!(shown(Show::Lines), expected);
    }

    #[test]
    fn only_a_reader_who_has_gone_is_no_failure() {
        let tell = |kind| Screen::new(Show::Transcript, Box::new(Broken(kind))).tell("you", "hi");
        assert!(tell(ErrorKind::BrokenPipe).is_ok());
        assert!(tell(ErrorKind::StorageFull).is_err());
    }
}
