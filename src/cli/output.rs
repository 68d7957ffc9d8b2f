//! Standard output and standard error as the commands use them.
//!
//! In: bytes. Out: the same, buffered; a reader that went away is [`io::ErrorKind::BrokenPipe`],
//! which ends the program quietly.
//! Invariant: colour only where the person or the terminal takes it.

use std::io::{self, BufWriter, IsTerminal, LineWriter, Stdout, Write};

use annotate_snippets::renderer::{AnsiColor, Style};
use clap::ColorChoice;

/// Standard output.
#[derive(Debug)]
pub(super) enum Out {
    /// A person reads along.
    Terminal(LineWriter<Stdout>),
    /// A file or a program.
    Piped(BufWriter<Stdout>),
}

impl Out {
    /// Whether a person reads along.
    pub(super) fn is_terminal(&self) -> bool {
        matches!(self, Self::Terminal(_))
    }

    pub(super) fn stdout() -> Self {
        let stdout = io::stdout();
        if stdout.is_terminal() {
            Self::Terminal(LineWriter::new(stdout))
        } else {
            Self::Piped(BufWriter::with_capacity(1 << 16, stdout))
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Terminal(out) => out.write(bytes),
            Self::Piped(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Terminal(out) => out.flush(),
            Self::Piped(out) => out.flush(),
        }
    }
}

/// Whether a stream takes colour (<https://no-color.org>).
pub(super) fn takes_colour(choice: ColorChoice, stream: &impl IsTerminal) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
            stream.is_terminal() && !set("NO_COLOR") && !dumb
        }
    }
}

/// The styles of what the commands print themselves; findings bring their own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    on: bool,
}

impl Paint {
    pub(super) fn new(on: bool) -> Self {
        Self { on }
    }

    pub(super) fn is_on(self) -> bool {
        self.on
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.with(Style::new().bold(), text)
    }

    pub(super) fn good(self, text: &str) -> String {
        self.with(AnsiColor::Green.on_default(), text)
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.with(AnsiColor::BrightRed.on_default(), text)
    }

    pub(super) fn warn(self, text: &str) -> String {
        self.with(AnsiColor::Yellow.on_default(), text)
    }

    pub(super) fn faint(self, text: &str) -> String {
        self.with(Style::new().dimmed(), text)
    }

    pub(super) fn quiet(self, text: &str) -> String {
        self.with(AnsiColor::Cyan.on_default(), text)
    }

    fn with(self, style: Style, text: &str) -> String {
        if self.on {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}
