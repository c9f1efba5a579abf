//! Formats of figures.

use crate::error::{Error, Result};
use std::str::FromStr;

/// A format in which a figure is written.
///
/// # Examples
/// ```
/// use freezeout::plot::Format;
/// assert_eq!("png".parse::<Format>()?, Format::Png);
/// assert!("gif".parse::<Format>().is_err());
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Lines, outlines of letters, maps as images.
    Svg,
    /// 300 pixels per inch.
    Png,
    /// Lines, text in an embedded font, maps as images.
    Pdf,
}

impl Format {
    /// Every format; all are drawn unless others are asked for.
    pub const ALL: [Self; 3] = [Self::Svg, Self::Png, Self::Pdf];

    /// Name, also the end of the names of files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Png => "png",
            Self::Pdf => "pdf",
        }
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|format| format.name() == text);
        known.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Error::config("--format", format!("{text:?} is not known; there are {names}"))
        })
    }
}
