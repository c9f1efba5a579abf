//! (K − L)⁻¹ on some of the cells.

use super::assembly::Generator;
use super::outside::{Outside, Rates};
use crate::error::{Error, Result};
use crate::grid::CellSet;
use crate::linalg::{ChainElimination, Elimination};
use std::sync::Arc;

/// The factors, in the numbering of the states that they keep.
#[derive(Debug, Clone)]
enum Factors {
    Chain(ChainElimination),
    Sparse(Box<Elimination>),
}

/// (K − L)⁻¹ on the cells outside an absorbing set; see [`Generator::resolvent_outside`].
#[derive(Debug, Clone)]
pub struct Resolvent {
    factors: Factors,
    /// Cell of each kept state.
    cells: Vec<usize>,
    /// By cell.
    killing: Vec<f64>,
}

impl<const D: usize> Generator<D> {
    /// Factors K − L for the given killing rates of the cells, in addition to absorbing boundaries.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`], [`Error::InvalidParameter`] for a negative or non-finite killing rate,
    /// [`Error::Unreachable`] when some state can never be killed.
    pub fn resolvent(&self, killing: &[f64]) -> Result<Resolvent> {
        let mut killing = self.gather(killing)?;
        killing
            .iter_mut()
            .zip(&self.killing)
            .for_each(|(k, own)| *k += own);
        let states: Vec<usize> = (0..self.cells.len()).collect();
        self.eliminate(&self.rates, &states, killing)
    }

    /// The process stopped on entering `set`: factors K − L on the cells outside, killed through the set's faces.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when some cell outside cannot reach the set, [`Error::EmptySet`] when no cell is outside.
    pub fn resolvent_outside(&self, set: &CellSet) -> Result<Resolvent> {
        self.resolvent_outside_at(set, 0.0)
    }

    /// The process stopped on entering `set`, and killed at the same `rate` ≥ 0 everywhere: the stages of implicit time steps.
    ///
    /// # Errors
    /// As [`Generator::resolvent_outside`].
    pub fn resolvent_outside_at(&self, set: &CellSet, rate: f64) -> Result<Resolvent> {
        let mut outside = Outside::new(&self.cells, &self.jumps, Some(set.members()));
        if outside.states.is_empty() {
            return Err(Error::EmptySet {
                name: format!("complement of {}", set.name()),
            });
        }
        let killing = (outside.into_set.iter().zip(&outside.through_boundary))
            .map(|(a, b)| a + b + rate)
            .collect();
        let states = std::mem::take(&mut outside.states);
        let rates = outside.into_rates(matches!(self.rates, Rates::Chain(_)))?;
        self.eliminate(&rates, &states, killing)
    }

    /// The chain stopped on jumping into one cell, the pin that makes −L invertible.
    ///
    /// # Errors
    /// As [`Generator::resolvent_outside`]; [`Error::EmptySet`] when the cell is outside the domain or the only one.
    pub fn resolvent_without(&self, cell: usize) -> Result<Resolvent> {
        let states = self.states();
        let Ok(pin) = states.binary_search(&cell) else {
            return Err(Error::EmptySet {
                name: "pinned cell".into(),
            });
        };
        if states.len() == 1 {
            return Err(Error::EmptySet {
                name: "complement of pinned cell".into(),
            });
        }
        let others: Vec<usize> = (0..states.len()).filter(|&state| state != pin).collect();
        let (rates, mut killing) = match &self.rates {
            Rates::Chain(chain) => {
                let (rates, killing) = chain.without(pin)?;
                (Rates::Chain(rates), killing)
            }
            Rates::Sparse(rates) => {
                let kept: Vec<bool> = (0..states.len()).map(|state| state != pin).collect();
                let rest = rates.restrict(&kept)?;
                (Rates::Sparse(rest.rates), rest.killing)
            }
        };
        (killing.iter_mut().zip(&others)).for_each(|(k, &state)| *k += self.killing[state]);
        self.eliminate(&rates, &others, killing)
    }

    /// Factors of K − L on `states`, `rates` being those among them.
    fn eliminate(&self, rates: &Rates, states: &[usize], killing: Vec<f64>) -> Result<Resolvent> {
        let factors = match rates {
            Rates::Chain(chain) => Factors::Chain(chain.eliminate(&killing)?),
            Rates::Sparse(sparse) => {
                let order = Arc::new(self.ordering(sparse, states)?);
                Factors::Sparse(Box::new(Elimination::new(sparse, &killing, order)?))
            }
        };
        let cells: Vec<usize> = states.iter().map(|&state| self.cells.cell_of[state]).collect();
        let mut by_cell = vec![0.0; self.grid().cells()];
        for (&cell, k) in cells.iter().zip(killing) {
            by_cell[cell] = k;
        }
        Ok(Resolvent {
            factors,
            cells,
            killing: by_cell,
        })
    }
}

impl Resolvent {
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
        Ok(self.on_cells(match &self.factors {
            Factors::Chain(chain) => chain.solve(&kept),
            Factors::Sparse(sparse) => sparse.solve(&kept),
        }?))
    }

    /// Solves (K − L*) ρ = s outside the set; ρ = 0 inside.
    ///
    /// # Errors
    /// As [`Resolvent::solve`].
    pub fn solve_adjoint(&self, source: &[f64]) -> Result<Vec<f64>> {
        let kept = self.gather(source)?;
        Ok(self.on_cells(match &self.factors {
            Factors::Chain(chain) => chain.solve_adjoint(&kept),
            Factors::Sparse(sparse) => sparse.solve_adjoint(&kept),
        }?))
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

    fn on_cells(&self, kept: Vec<f64>) -> Vec<f64> {
        let mut values = vec![0.0; self.killing.len()];
        for (&cell, v) in self.cells.iter().zip(kept) {
            values[cell] = v;
        }
        values
    }
}
