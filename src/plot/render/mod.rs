//! Figures as SVG, PNG and PDF.

mod canvas;
mod contour;
mod font;
mod image;
mod layout;
mod legend;
mod paint;
mod pdf;
mod raster;
mod ruler;
mod svg;

use super::figure::Figure;
use super::format::Format;
use crate::error::{Error, Result};
use crate::output::{atomically, check_writable};
use std::path::Path;

/// The figure as an SVG document.
///
/// # Errors
/// [`crate::Error::DimensionMismatch`] when arrays of a layer do not fit, [`crate::Error::NotFinite`] when an axis has nothing to
/// show, [`crate::Error::InvalidParameter`] for an impossible range, width, aspect or number of columns.
pub fn svg(figure: &Figure) -> Result<String> {
    svg::render(&layout::canvas(figure)?).map_err(|message| Error::Output {
        path: "a figure as SVG".into(),
        message,
    })
}

/// Writes the figure to `stem`.svg, `stem`.png and so on, each file whole or not at all.
///
/// # Errors
/// As [`svg`], and [`crate::Error::Output`] when a file cannot be written.
///
/// # Examples
/// ```
/// use freezeout::plot::{Axis, Figure, Format, Layer, ONE_COLUMN, Panel, Style, draw};
/// let x: Vec<f64> = (0..50).map(|i| f64::from(i) * 0.1).collect();
/// let y: Vec<f64> = x.iter().map(|x| (-x).exp()).collect();
/// let panel = Panel::new("decay", Axis::linear("time *t*"), Axis::log("*p*"))
///     .with(Layer::line(&x, &y, "exp(−*t*)", Style::nth(0)));
/// let figure = Figure { width: ONE_COLUMN, columns: 1, aspect: 0.7, panels: vec![panel] };
/// let stem = std::env::temp_dir().join(format!("freezeout-decay-{}", std::process::id()));
/// draw(&figure, &stem, &Format::ALL)?;
/// # for end in ["svg", "png", "pdf"] { std::fs::remove_file(stem.with_extension(end)).unwrap(); }
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn draw(figure: &Figure, stem: impl AsRef<Path>, formats: &[Format]) -> Result<()> {
    let canvas = layout::canvas(figure)?;
    let path = |format: Format| {
        let mut name = stem.as_ref().as_os_str().to_owned();
        name.push(format!(".{}", format.name()));
        std::path::PathBuf::from(name)
    };
    for format in formats {
        check_writable(path(*format))?;
    }
    for format in formats {
        atomically(&path(*format), |to| {
            let bytes = match format {
                Format::Svg => svg::render(&canvas)?.into_bytes(),
                Format::Png => raster::render(&canvas)?,
                Format::Pdf => pdf::render(&canvas)?,
            };
            std::fs::write(to, bytes).map_err(|e| e.to_string())
        })?;
    }
    Ok(())
}
