//! The grid on a section: fine where the valleys are, growing away from them.

use super::Valleys;
use crate::diffusion::Diffusion;
use crate::error::{Error, Result, shown};
use crate::grid::Axis;
use crate::math::{LANES, Point, PointBlock};

/// Cells grow with the distance d from a valley's bottom as 1 + d/(GROWTH deviations).
const GROWTH: f64 = 6.0;
/// Deviation, in lengths of the section, of a bottom that is no parabola, and the widest that counts.
const WIDEST: f64 = 0.1;

/// Noise temperatures that the potential may rise across a cell: rates over a rise of 700 leave the range of numbers.
const RISE: f64 = 400.0;
/// Most cells of a section.
const MOST_CELLS: f64 = 1e6;

/// −b/D, the slope of the potential in noise temperatures, at many points.
fn slopes(section: &(impl Diffusion<1> + ?Sized), x: &[f64]) -> Vec<f64> {
    let mut out = Vec::with_capacity(x.len());
    for chunk in x.chunks(LANES) {
        let points: Vec<Point<1>> = chunk.iter().map(|x| Point::<1>::new(*x)).collect();
        let block = PointBlock::of(&points);
        let (mut drift, mut tensor) = ([[0.0; LANES]; 1], [[[0.0; LANES]; 1]; 1]);
        section.drift_block(&block, &mut drift);
        section.tensor_block(&block, &mut tensor);
        out.extend((0..chunk.len()).map(|lane| -drift[0][lane] / tensor[0][0][lane]));
    }
    out
}

/// Refuses more cells than a section may have.
fn require_cells(cells: f64) -> Result<()> {
    if cells <= MOST_CELLS {
        return Ok(());
    }
    Err(Error::Inconsistent {
        subject: "noise".into(),
        requirement: format!(
            "it is so weak that a section would have {} cells, more than {}: raise it, or narrow the domain where the loss is steep",
            shown(cells.ceil()),
            shown(MOST_CELLS)
        ),
    })
}

/// Number of equal cells on [lower, upper], `fewest` at least, across each of which the potential −∫b/D dx rises by at most 400 noise temperatures: the rates
/// over a rise of 700 leave the range of numbers.
///
/// # Errors
/// [`Error::Inconsistent`] for noise so weak that they would be more than a million.
///
/// # Examples
/// ```
/// use freezeout::diffusion::OrnsteinUhlenbeck;
/// use freezeout::freezing::section_cells;
/// // U = x²/2D is as steep as 2/D at the ends: 4 · 2/(1e-3 · 400) cells
/// let weak = OrnsteinUhlenbeck::new(1.0, 0.0, 1e-3)?;
/// assert_eq!(section_cells(&weak, [-2.0, 2.0], 10)?, 20);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn section_cells(section: &impl Diffusion<1>, [lower, upper]: [f64; 2], fewest: usize) -> Result<usize> {
    const SAMPLES: usize = 2000;
    let length = upper - lower;
    let at = |k: usize| lower + length * k as f64 / SAMPLES as f64;
    let x: Vec<f64> = (0..=SAMPLES).map(at).collect();
    let steepest = slopes(section, &x)
        .iter()
        .fold(0.0_f64, |most, slope| most.max(slope.abs()));
    let cells = (length * steepest / RISE).ceil();
    require_cells(cells)?;
    Ok(fewest.max(cells as usize))
}

/// The part of `bounds` in which the section's law is that is counted: up to walls `WALL` noise temperatures above the outermost bottoms.
pub(super) fn section_bounds(
    section: &impl Diffusion<1>,
    [lower, upper]: [f64; 2],
    valleys: &[&Valleys],
) -> [f64; 2] {
    /// e^{−600} is left out; the rates up a wall of 700 leave the range of numbers.
    const WALL: f64 = 600.0;
    const STEPS: usize = 2000;
    let bottoms = || {
        valleys
            .iter()
            .flat_map(|valleys| &valleys.valleys)
            .map(|valley| valley.minimum)
    };
    let reach = |bottom: f64, bound: f64| {
        let step = (bound - bottom) / STEPS as f64;
        let middles: Vec<f64> = (0..STEPS).map(|k| bottom + step * (k as f64 + 0.5)).collect();
        let mut height = 0.0;
        let risen = slopes(section, &middles).iter().position(|slope| {
            height += slope * step;
            height > WALL
        });
        risen.map_or(bound, |k| bottom + step * (k + 1) as f64)
    };
    [
        reach(bottoms().fold(f64::INFINITY, f64::min), lower),
        reach(bottoms().fold(f64::NEG_INFINITY, f64::max), upper),
    ]
}

/// Axis between `bounds` with `resolution` cells a standard deviation at the bottoms of all `valleys`, and with faces at `fixed`; of one `section`, cells
/// are so narrow besides that rates hold the rise of its potential.
pub(super) fn section_axis(
    section: Option<&dyn Diffusion<1>>,
    bounds: [f64; 2],
    valleys: &[&Valleys],
    fixed: &[f64],
    resolution: f64,
) -> Result<Axis> {
    /// Points at which the density of faces is summed up, on all of the section and on a piece at least.
    const SAMPLES: f64 = 4000.0;
    const FEWEST: f64 = 64.0;
    let [lower, upper] = bounds;
    let length = upper - lower;
    // bottoms and deviations that set the width of cells somewhere
    let mut bottoms: Vec<(f64, f64)> = Vec::new();
    for valley in valleys.iter().flat_map(|valleys| &valleys.valleys) {
        let own = valley.deviation;
        let deviation = if own > 0.0 && own < WIDEST * length {
            own
        } else {
            WIDEST * length
        };
        bottoms.push((valley.minimum, deviation));
    }
    let width = |x: f64, slope: f64| {
        let of = |(bottom, deviation): &(f64, f64)| (deviation + (x - bottom).abs() / GROWTH) / resolution;
        bottoms.iter().map(of).fold(RISE / slope.abs(), f64::min)
    };
    let mut stops: Vec<f64> = fixed
        .iter()
        .copied()
        .filter(|x| *x > lower && *x < upper)
        .collect();
    stops.extend([lower, upper]);
    stops.sort_by(f64::total_cmp);
    // a bottom or half-way point that lies on a kink to rounding
    stops.dedup_by(|a, b| (*a - *b).abs() < 1e-9 * length);
    let mut faces = vec![lower];
    for piece in stops.windows(2) {
        let part = (piece[1] - piece[0]) / length;
        let samples = (SAMPLES * part).ceil().max(FEWEST) as usize;
        let step = (piece[1] - piece[0]) / samples as f64;
        let middles: Vec<f64> = (0..samples).map(|k| piece[0] + step * (k as f64 + 0.5)).collect();
        let slopes = section.map_or(vec![0.0; samples], |section| slopes(section, &middles));
        let mut sums = Vec::with_capacity(samples + 1);
        sums.push(0.0);
        for (k, (middle, slope)) in middles.iter().zip(slopes).enumerate() {
            sums.push(sums[k] + step / width(*middle, slope));
        }
        let count = sums[samples].ceil().max(2.0);
        require_cells(count)?;
        for k in 1..count as usize {
            let sum = sums[samples] * k as f64 / count;
            let above = sums.partition_point(|s| *s < sum).clamp(1, samples);
            let part = (sum - sums[above - 1]) / (sums[above] - sums[above - 1]);
            faces.push(piece[0] + step * ((above - 1) as f64 + part));
        }
        faces.push(piece[1]);
    }
    Axis::from_faces(faces)
}
