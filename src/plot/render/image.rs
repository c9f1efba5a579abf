//! Maps as images, for formats in which thousands of rectangles would be large and slow.

use super::canvas::{Map, Rectangle};
use crate::plot::colour::Colour;

/// Least number of pixels per point: twice that of the PNG of a figure.
const PIXELS: f64 = 600.0 / 72.0;

/// What a map shows within its clip.
pub(super) struct Image {
    pub place: Rectangle,
    pub width: u32,
    pub height: u32,
    /// A PNG file, eight bits each of red, green and blue.
    pub png: Vec<u8>,
}

/// The image of a map, none when nothing of it is seen. Every cell of a regular grid has the same number of pixels; edges of other grids, and of cells
/// that are cut, are met to half a pixel.
pub(super) fn image(map: &Map) -> Result<Option<Image>, String> {
    let clip = &map.clip;
    let (Some(across), Some(down)) = (
        sampled(&map.x, clip.left, clip.right),
        sampled(&map.y, clip.top, clip.bottom),
    ) else {
        return Ok(None);
    };
    let columns = map.x.len() - 1;
    let mut rgb = Vec::with_capacity(3 * across.cells.len() * down.cells.len());
    for row in &down.cells {
        for column in &across.cells {
            let Colour(red, green, blue) = match (row, column) {
                (Some(row), Some(column)) => map.colours[row * columns + column],
                _ => Colour::WHITE,
            };
            rgb.extend([red, green, blue]);
        }
    }
    let (width, height) = (across.cells.len() as u32, down.cells.len() as u32);
    Ok(Some(Image {
        place: Rectangle {
            left: across.from,
            right: across.to,
            top: down.from,
            bottom: down.to,
        },
        width,
        height,
        png: encode(width, height, None, &rgb)?,
    }))
}

/// Pixels along one axis.
struct Sampled {
    from: f64,
    to: f64,
    /// The cell in which the centre of each pixel lies.
    cells: Vec<Option<usize>>,
}

/// The cells between `low` and `high`, none when there is none.
fn sampled(edges: &[f64], low: f64, high: f64) -> Option<Sampled> {
    let cells: Vec<(f64, f64)> = (edges.windows(2))
        .map(|w| (w[0].min(w[1]), w[0].max(w[1])))
        .collect();
    let seen = || (cells.iter()).filter(|(a, b)| a.is_finite() && b.is_finite() && *a < high && *b > low);
    let from = seen().fold(f64::INFINITY, |least, (a, _)| least.min(*a)).max(low);
    let to = seen()
        .fold(f64::NEG_INFINITY, |most, (_, b)| most.max(*b))
        .min(high);
    if from >= to {
        return None;
    }
    let per_cell = ((to - from) * PIXELS / seen().count() as f64).ceil() as usize;
    let count = seen().count() * per_cell;
    let cell_at = |n: usize| {
        let centre = from + (to - from) * (n as f64 + 0.5) / count as f64;
        cells.iter().position(|(a, b)| *a <= centre && centre < *b)
    };
    Some(Sampled {
        from,
        to,
        cells: (0..count).map(cell_at).collect(),
    })
}

/// The bytes of a PNG file, with its pixels per metre.
pub(super) fn encode(width: u32, height: u32, per_metre: Option<u32>, rgb: &[u8]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_pixel_dims(per_metre.map(|pixels| png::PixelDimensions {
        xppu: pixels,
        yppu: pixels,
        unit: png::Unit::Meter,
    }));
    let mut writer = encoder.write_header().map_err(|e| e.to_string())?;
    writer.write_image_data(rgb).map_err(|e| e.to_string())?;
    writer.finish().map_err(|e| e.to_string())?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_of_a_regular_grid_have_the_same_number_of_pixels() {
        // From the upper end down, as rows of a map stand on the page.
        let edges: Vec<f64> = (0..=7).map(|k| 90.0 - 10.0 * f64::from(k) / 7.0).collect();
        let axis = sampled(&edges, 0.0, 100.0).unwrap();
        assert_eq!((axis.from, axis.to), (edges[7], edges[0]));
        let of = |cell: usize| axis.cells.iter().filter(|c| **c == Some(cell)).count();
        assert_eq!([0, 1, 2, 3, 4, 5, 6].map(of), [axis.cells.len() / 7; 7]);
        assert!(axis.cells[0] == Some(6) && axis.cells.len() as f64 >= 10.0 * PIXELS);
    }

    #[test]
    fn edges_of_other_grids_are_met_to_half_a_pixel() {
        let edges = [0.0, 1.03, 4.0, 12.0];
        let axis = sampled(&edges, 0.5, 10.0).unwrap();
        assert_eq!((axis.from, axis.to), (0.5, 10.0));
        let pixel = 9.5 / axis.cells.len() as f64;
        for (cell, edge) in [(0, 1.03), (1, 4.0)] {
            let last = axis.cells.iter().rposition(|c| *c == Some(cell)).unwrap();
            assert!((0.5 + pixel * (last as f64 + 1.0) - edge).abs() <= 0.5 * pixel);
        }
        // Negative control: nothing of the map is seen, or has a place.
        assert!(sampled(&edges, 13.0, 20.0).is_none());
        assert!(sampled(&[f64::NAN, f64::NAN], 0.0, 1.0).is_none());
    }
}
