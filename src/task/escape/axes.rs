//! The axes of `[escape]`: equal cells, or cells that are smaller where the user wants them.

use super::config::{Escape, EscapeConcentration};
use super::under;
use super::wrong;
use crate::error::{Result, require, require_positive};
use crate::grid::{Axis, Grid};
use crate::landscape::Kink;

/// The grids of a task, from coarse to fine.
pub(super) struct Axes<const D: usize> {
    mappings: [Mapping; D],
    /// Equal cells in the mapped coordinate of the coarsest grid.
    coarsest: [Axis; D],
}

impl<const D: usize> Axes<D> {
    /// Axes with faces on `planes`.
    pub fn new(task: &Escape, bounds: &[[f64; 2]; D], planes: &[Kink]) -> Result<Self> {
        if task.cells.len() != D {
            return Err(wrong("cells", format!("{D} numbers are needed, one a variable")));
        }
        if task.concentrate.iter().any(|c| c.axis >= D) {
            return Err(wrong(
                "concentrate.axis",
                format!("axes are numbered from 0 to {}", D - 1),
            ));
        }
        let mut mappings = Vec::new();
        let mut coarsest = Vec::new();
        for d in 0..D {
            let mapping = Mapping::new(bounds[d], task.concentrate.iter().filter(|c| c.axis == d))?;
            coarsest.push(mapping.axis(task.cells[d], d, planes)?);
            mappings.push(mapping);
        }
        let wanted = || wrong("domain", "one entry a variable");
        Ok(Self {
            mappings: mappings.try_into().map_err(|_| wanted())?,
            coarsest: coarsest.try_into().map_err(|_| wanted())?,
        })
    }

    /// The grid whose cells have been halved `level` times.
    pub fn grid(&self, level: usize) -> Result<Grid<D>> {
        let mut axes = self.coarsest.clone();
        for (axis, mapping) in axes.iter_mut().zip(&self.mappings) {
            for _ in 0..level {
                *axis = axis.refined();
            }
            if !mapping.peaks.is_empty() {
                *axis = Axis::from_faces(axis.faces().iter().map(|u| mapping.position(*u)).collect())?;
            }
        }
        Ok(Grid::new(axes))
    }
}

/// u(x) whose equal steps are the cells: u' ∝ 1 + Σ_k (factor_k − 1)/(1 + ((x − at_k)/width_k)²).
struct Mapping {
    lower: f64,
    upper: f64,
    /// (factor − 1, at, width)
    peaks: Vec<(f64, f64, f64)>,
    /// u at the upper end before it is scaled to `upper`.
    total: f64,
}

impl Mapping {
    fn new<'a>(
        [lower, upper]: [f64; 2],
        peaks: impl Iterator<Item = &'a EscapeConcentration>,
    ) -> Result<Self> {
        let in_task = |e| under("escape.concentrate", e);
        if !(lower.is_finite() && upper.is_finite() && lower < upper) {
            return Err(wrong(
                "domain",
                format!("[{lower}, {upper}] is not an interval: the lower end must be below the upper one"),
            ));
        }
        let mut mapping = Self {
            lower,
            upper,
            peaks: Vec::new(),
            total: 1.0,
        };
        for peak in peaks {
            require_positive("width", peak.width).map_err(in_task)?;
            require("factor", peak.factor, |f| f > 1.0, "it must exceed 1").map_err(in_task)?;
            require(
                "at",
                peak.at,
                |at| at >= lower && at <= upper,
                "it must lie in the domain",
            )
            .map_err(in_task)?;
            mapping.peaks.push((peak.factor - 1.0, peak.at, peak.width));
        }
        mapping.total = mapping.raw(upper);
        Ok(mapping)
    }

    fn raw(&self, x: f64) -> f64 {
        let bumps: f64 = self
            .peaks
            .iter()
            .map(|(excess, at, width)| {
                excess * width * (((x - at) / width).atan() - ((self.lower - at) / width).atan())
            })
            .sum();
        x - self.lower + bumps
    }

    /// u(x), running over the same interval as x.
    fn coordinate(&self, x: f64) -> f64 {
        if self.peaks.is_empty() {
            return x;
        }
        self.lower + (self.upper - self.lower) * self.raw(x) / self.total
    }

    /// x(u), by bisection to the last digit.
    fn position(&self, u: f64) -> f64 {
        let (mut a, mut b) = (self.lower, self.upper);
        if u <= a || u >= b {
            return u;
        }
        loop {
            let middle = 0.5 * (a + b);
            if middle <= a || middle >= b {
                // a kink must be met to rounding, from either side
                let nearer = |x: f64| (self.coordinate(x) - u).abs();
                return if nearer(a) <= nearer(b) { a } else { b };
            }
            if self.coordinate(middle) < u {
                a = middle
            } else {
                b = middle
            }
        }
    }

    /// Equal cells in u with faces on the planes; planes closer than a millionth of a cell to an earlier one are that one.
    fn axis(&self, cells: usize, d: usize, planes: &[Kink]) -> Result<Axis> {
        let near = 1e-6 * (self.upper - self.lower) / cells.max(1) as f64;
        let mut faces: Vec<f64> = Vec::new();
        for plane in planes.iter().filter(|p| p.axis == d) {
            let u = self.coordinate(plane.position);
            let taken = |f: &f64| (f - u).abs() <= near;
            if !faces.iter().chain([&self.lower, &self.upper]).any(taken) {
                faces.push(u);
            }
        }
        Axis::with_faces_at(self.lower, self.upper, cells, &faces).map_err(|e| under("escape", e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_smaller_where_wanted_and_faces_stay_on_kinks() {
        let peak = EscapeConcentration {
            axis: 0,
            at: 0.3,
            width: 0.1,
            factor: 10.0,
        };
        let mapping = Mapping::new([-1.0, 2.0], [peak].iter()).unwrap();
        let kink = Kink {
            axis: 0,
            position: 0.55,
        };
        let axes = Axes {
            coarsest: [mapping.axis(60, 0, &[kink]).unwrap()],
            mappings: [mapping],
        };
        for level in 0..3 {
            let grid = axes.grid(level).unwrap();
            let axis = &grid.axes()[0];
            assert!(axis.has_face(0.55), "{level}");
            let widths: Vec<f64> = (0..axis.cells()).map(|i| axis.width(i)).collect();
            let smallest = widths.iter().copied().fold(f64::INFINITY, f64::min);
            let largest = widths.iter().copied().fold(0.0, f64::max);
            // 10, less the tail of the peak at the ends and the finite width of cells
            assert!(
                (8.0..10.0).contains(&(largest / smallest)),
                "{}",
                largest / smallest
            );
            let thinnest = axis.centre(widths.iter().position(|w| *w == smallest).unwrap());
            assert!((thinnest - 0.3).abs() < 0.05);
        }
    }
}
