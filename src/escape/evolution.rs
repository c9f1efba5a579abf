//! What happens in time: the law of the first-passage time, and the density that begins at the start.

use super::level::Level;
use super::problem::{LEVELS, Problem};
use crate::error::Result;
use crate::observables::{first_passage_law, transient_density};
use crate::statistics::Extrapolated;

/// Local error of a time step of the law, relative to its maximum: on a line, where steps are cheap, and in the plane.
const STEP_TOLERANCE: [f64; 2] = [1e-8, 1e-5];
/// Error in time of a density, Σ |error| over the cells.
const DENSITY_TOLERANCE: f64 = 1e-4;

/// The law of the first-passage time from the start, with its errors in the cells and in time.
#[derive(Debug, Clone, PartialEq)]
pub struct PassageLaw {
    /// Times since the start.
    pub times: Vec<f64>,
    /// Probability S that the target has not been reached yet.
    pub survival: Vec<Extrapolated>,
    /// Probability F that it has.
    pub distribution: Vec<Extrapolated>,
}

impl PassageLaw {
    pub(super) fn new<const D: usize>(
        problem: &Problem<D>,
        levels: &[Level<D>; LEVELS],
        times: &[f64],
    ) -> Result<Self> {
        let law = |level: &Level<D>, tolerance: f64| -> Result<[Vec<f64>; 2]> {
            let law = first_passage_law(level.generator(), level.target(), times, tolerance)?;
            let at = |values: &[Vec<f64>]| -> Vec<f64> {
                values.iter().map(|v| level.at_start(problem, v)).collect()
            };
            Ok([at(&law.survival), at(&law.distribution)])
        };
        let tolerance = STEP_TOLERANCE[usize::from(D > 1)];
        let laws = [
            law(&levels[0], tolerance)?,
            law(&levels[1], tolerance)?,
            law(&levels[2], tolerance)?,
            law(&levels[3], tolerance)?,
        ];
        // an eighth of the tolerance halves the steps: at order 2 the difference is three quarters of the error in time
        let halved = law(&levels[0], tolerance / 8.0)?;
        let [survival, distribution] = [0, 1].map(|k| {
            let at = |t: usize| {
                let levels = [0, 1, 2, 3].map(|l: usize| laws[l][k][t]);
                let number = Extrapolated::from_grids(levels, problem.is_smooth(), 0.0);
                let in_time = (laws[0][k][t] - halved[k][t]).abs() * 4.0 / 3.0;
                Extrapolated {
                    error: number.error + in_time,
                    ..number
                }
            };
            (0..times.len()).map(at).collect()
        });
        Ok(Self {
            times: times.to_vec(),
            survival,
            distribution,
        })
    }
}

/// The density of the process that begins at the start, on the finest grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Densities {
    /// Times since the start.
    pub times: Vec<f64>,
    /// Density in each cell, one list a time; absorbing ends remove the process, the target does not.
    pub values: Vec<Vec<f64>>,
    /// Estimated error, summed over the cells.
    pub errors: Vec<f64>,
    /// Sum of negative probabilities, an error of the time steps that `errors` counts.
    pub negative: Vec<f64>,
}

impl Densities {
    pub(super) fn new<const D: usize>(
        problem: &Problem<D>,
        middle: &Level<D>,
        fine: &Level<D>,
        times: &[f64],
    ) -> Result<Self> {
        let (from_middle, initial) = (middle.initial(problem), fine.initial(problem));
        let mut densities = Self {
            times: times.to_vec(),
            values: Vec::new(),
            errors: Vec::new(),
            negative: Vec::new(),
        };
        for &time in times {
            let coarse = transient_density(middle.generator(), &from_middle, time, DENSITY_TOLERANCE)?;
            let law = transient_density(fine.generator(), &initial, time, DENSITY_TOLERANCE)?;
            let mut change = coarse.probability;
            for (cell, p) in law.probability.iter().enumerate() {
                change[fine.grid().parent(middle.grid(), cell)] -= p;
            }
            let density = law.probability.iter().enumerate();
            let density = density.map(|(cell, p)| p / fine.grid().volume(cell));
            densities.values.push(density.collect());
            let changes: f64 = change.iter().map(|c| c.abs()).sum();
            densities.errors.push(law.error + changes);
            densities.negative.push(law.negative);
        }
        Ok(densities)
    }
}
