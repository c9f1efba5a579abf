//! Standard output: texts, and how wide they may be.

use freezeout::{Error, Result};
use std::io::Write;

/// Characters in a line of the terminal, 100 where standard output is none.
pub fn terminal_width() -> usize {
    const WIDTH: usize = 100;
    let terminal = console::Term::stdout();
    terminal
        .size_checked()
        .map_or(WIDTH, |(_, columns)| columns.into())
}

/// Writes a text and a line end to standard output; a reader that went away is not an error.
pub fn print(text: &str) -> Result<()> {
    match writeln!(std::io::stdout(), "{}", text.trim_end()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(Error::Output {
            path: "standard output".into(),
            message: e.to_string(),
        }),
        _ => Ok(()),
    }
}
