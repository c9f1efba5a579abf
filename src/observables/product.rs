//! Independent coordinates: what their generators say together.

use super::{SpectralGap, log_stationary_probability, spectral_gap};
use crate::error::{Error, Result};
use crate::generator::Generator;

/// Any number of independent coordinates, each with its own generator: together the Kronecker sum L = Σ_i 1 ⊗ … L_i … ⊗ 1.
///
/// # Formula
/// The stationary law is the product of those of the coordinates; eigenvalues are sums, so that the gap is the smallest of theirs. The mean time to a
/// set that asks for one coordinate alone is that of its own generator.
///
/// # Examples
/// ```
/// use freezeout::diffusion::OrnsteinUhlenbeck;
/// use freezeout::generator::Generator;
/// use freezeout::grid::{Axis, Grid};
/// use freezeout::observables::Product;
/// let line = |rate: f64| {
///     let ou = OrnsteinUhlenbeck::new(rate, 0.0, 1.0)?;
///     Generator::assemble(&ou, Grid::new([Axis::uniform(-6.0, 6.0, 800)?]))
/// };
/// let factors = [line(3.0)?, line(2.0)?, line(4.0)?];
/// let (slowest, gap) = Product::new(&factors)?.spectral_gap()?;
/// assert!(slowest == 1 && (gap.rate - 2.0).abs() < 1e-3);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Product<'a> {
    factors: &'a [Generator<1>],
}

impl<'a> Product<'a> {
    /// The product of these.
    ///
    /// # Errors
    /// [`Error::EmptySet`] without factors.
    pub fn new(factors: &'a [Generator<1>]) -> Result<Self> {
        if factors.is_empty() {
            return Err(Error::EmptySet {
                name: "factors".into(),
            });
        }
        Ok(Self { factors })
    }

    /// The smallest gap, and which coordinate has it: the gap of the product.
    ///
    /// # Errors
    /// Those of [`spectral_gap`].
    pub fn spectral_gap(&self) -> Result<(usize, SpectralGap)> {
        let gaps = self
            .factors
            .iter()
            .map(spectral_gap)
            .collect::<Result<Vec<_>>>()?;
        let slowest = gaps
            .into_iter()
            .enumerate()
            .min_by(|a, b| a.1.rate.total_cmp(&b.1.rate));
        slowest.ok_or_else(|| Error::EmptySet {
            name: "factors".into(),
        })
    }

    /// ln of the stationary density in the cell with these numbers, one a coordinate.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`] unless there is one number a coordinate, [`Error::InvalidParameter`] for a cell that does not exist; those of
    /// [`log_stationary_probability`].
    pub fn log_stationary_density(&self, cells: &[usize]) -> Result<f64> {
        if cells.len() != self.factors.len() {
            return Err(Error::DimensionMismatch {
                name: "cells".into(),
                expected: self.factors.len(),
                got: cells.len(),
            });
        }
        let mut sum = 0.0;
        for (generator, cell) in self.factors.iter().zip(cells) {
            let log = log_stationary_probability(generator)?;
            let value = log.get(*cell).ok_or_else(|| Error::InvalidParameter {
                name: "cell".into(),
                value: *cell as f64,
                requirement: format!("there are {} cells", log.len()),
            })?;
            sum += value - generator.grid().volume(*cell).ln();
        }
        Ok(sum)
    }
}
