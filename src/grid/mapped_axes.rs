//! Grids whose cells are equal, or smaller where wanted, from coarse to fine.

use super::{Axis, Grid};
use crate::error::{Error, Result, require, require_finite, require_positive};
use crate::landscape::Kink;

/// Cells along `axis` are `factor` times smaller at `at` than far from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Concentration {
    axis: usize,
    at: f64,
    width: f64,
    factor: f64,
}

impl Concentration {
    /// `width` is the distance at which the effect has halved, `factor` > 1 the ratio of the largest to the smallest cell.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] naming the parameter that is out of range.
    pub fn new(axis: usize, at: f64, width: f64, factor: f64) -> Result<Self> {
        Ok(Self {
            axis,
            at: require_finite("at", at)?,
            width: require_positive("width", width)?,
            factor: require("factor", factor, |f| f > 1.0, "it must exceed 1")?,
        })
    }
}

/// A sequence of grids, each with every cell of the one before halved in the mapped coordinate.
///
/// # Formula
/// Cells are equal steps of u(x) with u' ∝ 1 + Σ_k (factor_k − 1)/(1 + ((x − at_k)/width_k)²).
///
/// # Examples
/// ```
/// use freezeout::grid::{Concentration, MappedAxes};
/// let peak = Concentration::new(0, 0.3, 0.1, 10.0)?;
/// let axes = MappedAxes::new(&[[-1.0, 2.0]], &[60], &[peak], &[])?;
/// assert_eq!(axes.grid(1)?.cells(), 120);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct MappedAxes<const D: usize> {
    mappings: Vec<Mapping>,
    /// Equal cells in the mapped coordinate of the coarsest grid.
    coarsest: [Axis; D],
}

impl<const D: usize> MappedAxes<D> {
    /// Axes between `bounds` with about `cells` cells on the coarsest grid and faces on `planes`.
    ///
    /// Planes closer than a millionth of a cell to an earlier one are that one.
    ///
    /// # Errors
    /// [`Error::Config`] about `concentrate.axis` for an axis that does not exist; [`Error::InvalidParameter`] for a concentration outside
    /// the bounds; those of [`Axis::with_faces_at`].
    pub fn new(
        bounds: &[[f64; 2]; D],
        cells: &[usize; D],
        concentrations: &[Concentration],
        planes: &[Kink],
    ) -> Result<Self> {
        if concentrations.iter().any(|c| c.axis >= D) {
            let message = format!("axes are numbered from 0 to {}", D - 1);
            return Err(Error::config("concentrate.axis", message));
        }
        let mut mappings = Vec::new();
        let mut coarsest = Vec::new();
        for d in 0..D {
            let peaks = concentrations.iter().filter(|c| c.axis == d);
            let mapping = Mapping::new(bounds[d], peaks).map_err(|e| e.at("concentrate"))?;
            coarsest.push(mapping.axis(cells[d], d, planes)?);
            mappings.push(mapping);
        }
        let coarsest = coarsest
            .try_into()
            .map_err(|_| Error::EmptySet { name: "axes".into() })?;
        Ok(Self { mappings, coarsest })
    }

    /// The grid whose cells have been halved `level` times.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] where cells become so small that their faces coincide.
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

/// u(x) whose equal steps are the cells of one axis.
#[derive(Debug, Clone, PartialEq)]
struct Mapping {
    lower: f64,
    upper: f64,
    /// (factor − 1, at, width)
    peaks: Vec<(f64, f64, f64)>,
    /// u at the upper end before it is scaled to `upper`.
    total: f64,
}

impl Mapping {
    fn new<'a>([lower, upper]: [f64; 2], peaks: impl Iterator<Item = &'a Concentration>) -> Result<Self> {
        let mut mapping = Self {
            lower,
            upper,
            peaks: Vec::new(),
            total: 1.0,
        };
        for peak in peaks {
            let inside = |at| at >= lower && at <= upper;
            require("at", peak.at, inside, "it must lie in the domain")?;
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
        Axis::with_faces_at(self.lower, self.upper, cells, &faces)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_smaller_where_wanted_and_faces_stay_on_kinks() {
        let peak = Concentration::new(0, 0.3, 0.1, 10.0).unwrap();
        let kink = Kink {
            axis: 0,
            position: 0.55,
        };
        let axes = MappedAxes::new(&[[-1.0, 2.0]], &[60], &[peak], &[kink]).unwrap();
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
