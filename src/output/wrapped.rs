//! Texts for people, no wider than a terminal.

/// Adds a text in lines of at most `width` characters where words allow, the first behind `head`, the others indented.
pub(crate) fn push_wrapped(out: &mut String, width: usize, head: &str, indent: usize, text: &str) {
    let mut line = head.to_string();
    let mut is_empty = true;
    for word in text.split(' ') {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > width {
            out.push_str(line.trim_end());
            out.push('\n');
            line = " ".repeat(indent);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    out.push_str(line.trim_end());
    out.push('\n');
}

/// A text with spaces behind it.
pub(crate) fn padded(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.chars().count());
    format!("{text}{}", " ".repeat(missing))
}

/// The shorter of the plain and the exponential notation, both exact.
pub(crate) fn shortest(x: f64) -> String {
    let (plain, exponential) = (format!("{x}"), format!("{x:e}"));
    if exponential.len() < plain.len() {
        exponential
    } else {
        plain
    }
}
