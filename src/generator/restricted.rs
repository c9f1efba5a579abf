//! (K − L)⁻¹ on some of the cells.

use crate::error::{Error, Result};
use crate::linalg::{ChainElimination, Elimination};

/// The factors, in the numbering of the states that they keep.
#[derive(Debug, Clone)]
pub(super) enum Factors {
    Chain(ChainElimination),
    Sparse(Box<Elimination>),
}

/// (K − L)⁻¹ on the cells outside an absorbing set; see [`super::Generator::resolvent_outside`].
#[derive(Debug, Clone)]
pub struct Restricted {
    pub(super) factors: Factors,
    /// Cell of each kept state.
    pub(super) cells: Vec<usize>,
    /// By cell.
    pub(super) killing: Vec<f64>,
}

impl Restricted {
    /// Killing rate of each cell, into the set and through absorbing boundaries.
    pub fn killing(&self) -> &[f64] {
        &self.killing
    }

    /// Cells outside the set and inside the domain, ascending.
    pub fn cells(&self) -> &[usize] {
        &self.cells
    }

    /// Solves (K − L) f = g outside the set; f = 0 inside.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`]; [`Error::NotFinite`] when the solution exceeds the range of f64.
    pub fn solve(&self, rhs: &[f64]) -> Result<Vec<f64>> {
        let kept = self.gather(rhs)?;
        self.scatter(match &self.factors {
            Factors::Chain(chain) => chain.solve(&kept),
            Factors::Sparse(sparse) => sparse.solve(&kept),
        }?)
    }

    /// Solves (K − L*) ρ = s outside the set; ρ = 0 inside.
    ///
    /// # Errors
    /// As [`Restricted::solve`].
    pub fn solve_adjoint(&self, source: &[f64]) -> Result<Vec<f64>> {
        let kept = self.gather(source)?;
        self.scatter(match &self.factors {
            Factors::Chain(chain) => chain.solve_adjoint(&kept),
            Factors::Sparse(sparse) => sparse.solve_adjoint(&kept),
        }?)
    }

    fn gather(&self, values: &[f64]) -> Result<Vec<f64>> {
        if values.len() != self.killing.len() {
            return Err(Error::DimensionMismatch {
                name: "right-hand side".into(),
                expected: self.killing.len(),
                got: values.len(),
            });
        }
        Ok(self.cells.iter().map(|&cell| values[cell]).collect())
    }

    fn scatter(&self, kept: Vec<f64>) -> Result<Vec<f64>> {
        let mut values = vec![0.0; self.killing.len()];
        for (&cell, v) in self.cells.iter().zip(kept) {
            values[cell] = v;
        }
        Ok(values)
    }
}
