//! Grids whose cells are equal, or smaller where wanted, from coarse to fine.

use super::mapping::Mapping;
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

/// A sequence of grids: equal cells of a smooth coordinate, cut into more and more parts.
///
/// # Formula
/// Cells are equal steps of v(x). Without planes v' ∝ ρ = 1 + Σ_k (factor_k − 1)/(1 + ((x − at_k)/width_k)²). Planes need faces: v is then
/// the curve of least ∫ v‴(t)² dt, t = ∫ ρ dx, with v(t_k) = n_k on them, n_k the whole numbers near t_k that bend it least.
///
/// # Method
/// Widths vary smoothly on every grid, as a scheme needs that is of second order on smooth grids only. Where planes, or a plane and an end,
/// leave fewer than two cells between them, further cells are added around them, in geometric progression. Where no smooth v is found
/// (many planes at erratic distances) cells are equal between planes and [`MappedAxes::is_smooth`] is false.
///
/// # Examples
/// ```
/// use freezeout::grid::{Concentration, MappedAxes};
/// let peak = Concentration::new(0, 0.3, 0.1, 10.0)?;
/// let axes = MappedAxes::new(&[[-1.0, 2.0]], &[60], &[peak], &[], [false])?;
/// assert_eq!(axes.grid(1)?.cells(), 120);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct MappedAxes<const D: usize> {
    mappings: [Mapping; D],
}

impl<const D: usize> MappedAxes<D> {
    /// Axes between `bounds` with about `cells` cells on the coarsest grid and faces on `planes`; the ends of `periodic` axes are joined.
    ///
    /// Planes closer than a millionth of a cell to an earlier one are that one.
    ///
    /// # Errors
    /// [`Error::Config`] about `concentrate.axis` for an axis that does not exist; [`Error::InvalidParameter`] for a concentration outside
    /// the bounds, lower ≥ upper, a bound that is not finite, or cells = 0.
    pub fn new(
        bounds: &[[f64; 2]; D],
        cells: &[usize; D],
        concentrations: &[Concentration],
        planes: &[Kink],
        periodic: [bool; D],
    ) -> Result<Self> {
        if concentrations.iter().any(|c| c.axis >= D) {
            let message = format!("axes are numbered from 0 to {}", D - 1);
            return Err(Error::config("concentrate.axis", message));
        }
        let mut mappings = Vec::new();
        for d in 0..D {
            let peaks = concentrations.iter().filter(|c| c.axis == d);
            let peaks = peaks.map(|c| (c.factor - 1.0, c.at, c.width)).collect();
            let positions = planes.iter().filter(|p| p.axis == d).map(|p| p.position);
            mappings.push(Mapping::new(bounds[d], cells[d], periodic[d], peaks, positions)?);
        }
        let mappings = mappings
            .try_into()
            .map_err(|_| Error::EmptySet { name: "axes".into() })?;
        Ok(Self { mappings })
    }

    /// Cells along each axis of the coarsest grid.
    pub fn cells(&self) -> [usize; D] {
        self.mappings.each_ref().map(Mapping::cells)
    }

    /// Whether the widths vary smoothly along every axis.
    pub fn is_smooth(&self) -> bool {
        self.mappings.iter().all(Mapping::is_smooth)
    }

    /// The grid whose cells have been halved `level` times.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] where cells become so small that their faces coincide.
    pub fn grid(&self, level: usize) -> Result<Grid<D>> {
        self.divided(1 << level)
    }

    /// The grid whose coarsest cells have each been cut into `parts` along every axis.
    ///
    /// # Errors
    /// As [`MappedAxes::grid`].
    pub fn divided(&self, parts: usize) -> Result<Grid<D>> {
        let axes: Result<Vec<Axis>> = self.mappings.iter().map(|m| m.axis(parts)).collect();
        let axes = axes?
            .try_into()
            .map_err(|_| Error::EmptySet { name: "axes".into() })?;
        Ok(Grid::new(axes))
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
        let axes = MappedAxes::new(&[[-1.0, 2.0]], &[60], &[peak], &[kink], [false]).unwrap();
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
