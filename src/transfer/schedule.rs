//! When to rebuild the kernel and when to change the grid as y moves.

use super::panels::{PanelGrid, Resolution};
use super::slow_motion::{SplitMap, Valley};
use crate::error::Result;
use crate::landscape::Side;
use crate::noise::GradientNoise;

/// A grid and the interval of y for which it holds.
pub(super) struct Stage {
    pub(super) grid: PanelGrid,
    /// Number of nodes below the ridge.
    pub(super) split: usize,
    pub(super) y: [f64; 2],
}

/// A run of steps with one kernel: one step onto a new grid, or many on the same grid.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    /// Stage whose nodes the steps start from; the starting points for the first step.
    pub(super) source: Option<usize>,
    /// Stage whose nodes they end on.
    pub(super) target: usize,
    /// y at which the kernel is taken.
    pub(super) y: f64,
    /// Distance of y from there at which the block ends.
    pub(super) half_width: f64,
    pub(super) first_step: usize,
    pub(super) steps: usize,
}

/// Shift of a minimum, in standard deviations of its valley, over which one grid is kept.
const GRID_SHIFT: f64 = 1.0;
/// Barrier exponent beyond which hops are too rare to matter: rates are refreshed relative to E/15 there.
const EXPONENT_SCALE: f64 = 15.0;
/// Largest interval of y that one kernel or grid may serve.
const MAX_SPAN: f64 = 8.0;

/// Largest h ≤ [`MAX_SPAN`] with change(h) ≤ 1 for a change that grows with h.
fn span(change: impl Fn(f64) -> Result<f64>) -> Result<f64> {
    let (mut low, mut high) = (0.0, MAX_SPAN);
    if change(high)? <= 1.0 {
        return Ok(high);
    }
    // A relative accuracy of 1 % is plenty for a choice of interval.
    while high - low > 0.01 * high && high > 1e-12 {
        let middle = if low == 0.0 {
            0.1 * high
        } else {
            0.5 * (low + high)
        };
        if change(middle)? <= 1.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(if low > 0.0 { low } else { high })
}

fn shift(from: &[Valley; 2], to: &[Valley; 2]) -> f64 {
    let mut largest: f64 = 0.0;
    for (a, b) in from.iter().zip(to) {
        largest = largest.max((b.minimum - a.minimum).abs() / a.deviation.min(b.deviation));
    }
    largest
}

/// Length of the interval of y, from y on in `direction` (±1), for one kernel.
pub(super) fn kernel_span<N: GradientNoise<2>>(
    map: &SplitMap<N>,
    y: f64,
    direction: f64,
    refresh: f64,
) -> Result<f64> {
    let here = valleys(map, y)?;
    span(|h| {
        let there = valleys(map, y + direction * h)?;
        let mut largest = shift(&here, &there);
        for (a, b) in here.iter().zip(&there) {
            let exponent = a.exponent.min(b.exponent);
            largest = largest.max((b.exponent - a.exponent).abs() / (1.0 + exponent / EXPONENT_SCALE));
        }
        Ok(largest / refresh)
    })
}

fn valleys<N: GradientNoise<2>>(map: &SplitMap<N>, y: f64) -> Result<[Valley; 2]> {
    Ok([map.valley(Side::Flat, y)?, map.valley(Side::Sharp, y)?])
}

impl Stage {
    /// The grid that serves from y on in `direction`, wide enough to hold the interval `held` as well.
    pub(super) fn new<N: GradientNoise<2>>(
        map: &SplitMap<N>,
        y: f64,
        direction: f64,
        held: [f64; 2],
        resolution: Resolution,
    ) -> Result<Self> {
        let here = valleys(map, y)?;
        let h = span(|h| Ok(shift(&here, &valleys(map, y + direction * h)?) / GRID_SHIFT))?;
        let end = y + direction * h;
        let mut domain = held;
        for valley in here.iter().chain(&valleys(map, end)?) {
            let margin = resolution.reach * valley.deviation;
            domain[0] = domain[0].min(valley.minimum - margin);
            domain[1] = domain[1].max(valley.minimum + margin);
        }
        let first = |x: f64| map.step(x, y);
        let last = |x: f64| map.step(x, end);
        let grid = PanelGrid::new(&[domain[0], 0.0, domain[1]], &[&first, &last], resolution)?;
        Ok(Self {
            split: grid.nodes_below(0.0),
            grid,
            y: [y.min(end), y.max(end)],
        })
    }

    pub(super) fn holds(&self, y: f64) -> bool {
        (self.y[0]..=self.y[1]).contains(&y)
    }
}
