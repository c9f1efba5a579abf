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
    /// Lines and outlines of letters.
    Svg,
    /// 300 pixels per inch.
    Png,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 2] = [Self::Svg, Self::Png];

    /// Name, also the end of the names of files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Png => "png",
        }
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|format| format.name() == text);
        known.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(" and ");
            Error::config("--format", format!("{text:?} is not known; {names} are"))
        })
    }
}
