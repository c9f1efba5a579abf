//! The discrete generator: jump rates between the cells of a grid, and killing.
//!
//! ```text
//! (Lf)_i = Σ_j r_ij (f_j − f_i) − k_i f_i          backward, on functions
//! (L*P)_j = Σ_i P_i r_ij − P_j (Σ_k r_jk + k_j)     forward, on cell probabilities P_i = p_i V_i
//! ```
//!
//! One object answers many questions; each is a short function in [`crate::observables`]. The diagonal is never
//! stored, see [`crate::linalg`]. Killing k is the rate through absorbing boundaries.
//!
//! Where the tensor is diagonal in every cell, rates are face-wise Scharfetter-Gummel rates, which keep detailed
//! balance; in the plane, other tensors are decomposed cell by cell into jumps along at most three lattice
//! directions, with non-negative rates for any tensor.
//!
//! # Limitations
//! Full tensors in the plane only. Cells outside the domain hold zero in every array over cells. First order only
//! where a full tensor meets the staircase edge of a domain, or a kink that is crossed by offsets longer than one
//! cell. Where the drift over one jump exceeds the diffusion (|z| well above 2, likely at high anisotropy with
//! a drift across the strong direction) the scheme turns upwind and first order until the grid resolves it.

mod cells;
mod discretisation;
mod edges;
mod face_wise;
mod flux;
mod offsets;
mod outside;
mod parts;
mod restricted;
mod scharfetter_gummel;

pub use discretisation::Discretisation;
pub use restricted::Restricted;

use crate::diffusion::{Calculus, Diffusion};
use crate::error::{Error, Result};
use crate::grid::{CellSet, Grid};
use crate::linalg::{Chain, DetailedBalance, Elimination, NestedDissection, SparseRates};
use crate::math::{Point, Tensor};
use cells::Cells;
use edges::Edge;
use face_wise::Faces;
use offsets::Offsets;
use outside::Outside;
use rayon::prelude::*;
use restricted::Factors;
use std::sync::Arc;

/// Jump rates of a diffusion between the cells of a grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Generator<const D: usize = 1> {
    cells: Cells<D>,
    jumps: Jumps<D>,
    rates: Rates,
    /// Rate of each state through absorbing boundaries.
    killing: Vec<f64>,
}

/// Where the rates come from, to find those into a set.
#[derive(Debug, Clone, PartialEq)]
enum Jumps<const D: usize> {
    Faces(Vec<Faces<D>>),
    /// With the jumps along reflecting faces, ascending by state.
    Offsets(Vec<Offsets>, Vec<(usize, Edge)>),
}

#[derive(Debug, Clone, PartialEq)]
enum Rates {
    Chain(Chain),
    Sparse(SparseRates),
}

impl<const D: usize> Generator<D> {
    /// Generator of `diffusion` on `grid` in the Ito sense, with reflecting boundaries.
    ///
    /// # Method
    /// As [`Generator::assemble_with`] with the default [`Discretisation`].
    ///
    /// # Errors
    /// As [`Generator::assemble_with`].
    ///
    /// # References
    /// Scharfetter and Gummel 1969.
    ///
    /// # Examples
    /// ```
    /// use freezeout::diffusion::OrnsteinUhlenbeck;
    /// use freezeout::generator::Generator;
    /// use freezeout::grid::{Axis, Grid};
    /// let ou = OrnsteinUhlenbeck::new(1.0, 0.0, 1.0)?;
    /// let generator = Generator::assemble(&ou, Grid::new([Axis::uniform(-9.0, 9.0, 400)?]))?;
    /// // L x = −x for the Ornstein-Uhlenbeck process.
    /// let x = generator.grid().axes()[0].centres().to_vec();
    /// let lx = generator.apply(&x)?;
    /// assert!((lx[210] + x[210]).abs() < 1e-2 * x[210]);
    /// # Ok::<(), freezeout::Error>(())
    /// ```
    pub fn assemble(diffusion: &impl Diffusion<D>, grid: Grid<D>) -> Result<Self> {
        Self::assemble_with(diffusion, grid, &Discretisation::default())
    }

    /// Generator of dθ = (b + α div D) dt + sqrt(2D) dW, the comparison with the other calculi.
    ///
    /// # Method
    /// As [`Generator::assemble`] with D^{1−α} p as the continuous quantity; D′ is never formed, so a jump of D is
    /// treated exactly.
    ///
    /// # Errors
    /// As [`Generator::assemble_with`].
    pub fn assemble_in(diffusion: &impl Diffusion<D>, grid: Grid<D>, calculus: Calculus) -> Result<Self> {
        Self::assemble_with(
            diffusion,
            grid,
            &Discretisation {
                calculus,
                ..Discretisation::default()
            },
        )
    }

    /// Generator with the given boundaries, domain, calculus and reach.
    ///
    /// # Method
    /// Tensors that are diagonal in every cell: Scharfetter-Gummel rates through the faces, with the exact two-piece
    /// exponential profile of D p between neighbouring centres, so that p·D is continuous at a face on which D
    /// jumps; detailed balance where the continuum has it. Full tensors (plane, Ito): jumps along the offsets of
    /// [`crate::linalg::Selling`] with exponentially fitted drift; the error grows with the square of offset times
    /// cell size. Unequal cells are corrected in the mean displacement and should vary smoothly. Both are second
    /// order on smooth problems and where kinks coincide with faces. Jumps across a reflecting boundary do not
    /// happen (no flux); absorbing faces kill at the face.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] when a kink of the diffusion is not on a face, or a calculus other than Ito or a
    /// dimension other than two meets a full tensor; [`Error::NotPositive`] when D is not positive definite somewhere;
    /// [`Error::TooAnisotropic`] when a positive stencil needs a longer reach; [`Error::NotFinite`] when drift or tensor
    /// is not finite; [`Error::DimensionMismatch`] for a domain of another grid.
    ///
    /// # References
    /// Scharfetter and Gummel 1969; Bonnans and Zidani 2003; Fehrenbach and Mirebeau 2014.
    pub fn assemble_with(
        diffusion: &impl Diffusion<D>,
        grid: Grid<D>,
        discretisation: &Discretisation<D>,
    ) -> Result<Self> {
        require_faces_on_kinks(diffusion, &grid)?;
        let cells = Cells::new(grid, discretisation)?;
        let local = local_coefficients(diffusion, &cells)?;
        let off_diagonal = |d: &Tensor<D>| (0..D).any(|r| (0..D).any(|c| r != c && d[(r, c)] != 0.0));
        let jumps = match local.iter().position(|(_, d)| off_diagonal(d)) {
            None => Jumps::Faces(face_wise::assemble(diffusion, &cells, &local, discretisation)?),
            Some(state) => {
                if D != 2 || discretisation.calculus != Calculus::Ito {
                    return Err(Error::InvalidParameter {
                        name: format!("off-diagonal tensor in cell {}", cells.cell_of[state]),
                        value: discretisation.calculus.alpha(),
                        requirement: "tensors that are not diagonal are treated in two dimensions and the Ito sense only"
                            .into(),
                    });
                }
                let periodic = std::array::from_fn(|axis| discretisation.is_periodic(axis));
                let rows = offsets::assemble(&cells, &local, periodic, discretisation.reach)?;
                let mut edges = edges::assemble(&cells, &rows, discretisation);
                edges.sort_by_key(|&(state, _)| state);
                Jumps::Offsets(rows, edges)
            }
        };
        let states = cells.len();
        let empty = Rates::Sparse(SparseRates::from_transitions(1, [])?);
        let mut generator = Self {
            cells,
            jumps,
            rates: empty,
            killing: vec![0.0; states],
        };
        let mut all = generator.outside(None);
        generator.killing = std::mem::take(&mut all.through_boundary);
        let open_line = D == 1 && generator.cells.is_full() && !discretisation.is_periodic(0);
        generator.rates = if open_line {
            Rates::Chain(all.chain()?)
        } else {
            Rates::Sparse(all.into_sparse()?)
        };
        Ok(generator)
    }

    /// The grid.
    pub fn grid(&self) -> &Grid<D> {
        &self.cells.grid
    }

    /// The rates as a birth-death chain: of a generator in one dimension whose ends are not joined.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for any other generator.
    pub fn chain(&self) -> Result<&Chain> {
        match &self.rates {
            Rates::Chain(chain) => Ok(chain),
            Rates::Sparse(_) => Err(Error::InvalidParameter {
                name: "dimension".into(),
                value: D as f64,
                requirement: "a birth-death chain is needed: one dimension, without periodic ends".into(),
            }),
        }
    }

    /// Lf at the cell centres.
    pub fn apply(&self, f: &[f64]) -> Result<Vec<f64>> {
        let f = self.gather(f)?;
        let mut lf = match &self.rates {
            Rates::Chain(chain) => chain.apply(&f),
            Rates::Sparse(rates) => rates.apply(&f)?,
        };
        lf.iter_mut()
            .zip(&f)
            .zip(&self.killing)
            .for_each(|((l, f), k)| *l -= k * f);
        Ok(self.scatter(lf, 0.0))
    }

    /// L*P for cell probabilities.
    pub fn apply_adjoint(&self, p: &[f64]) -> Result<Vec<f64>> {
        let p = self.gather(p)?;
        let mut lp = match &self.rates {
            Rates::Chain(chain) => chain.apply_adjoint(&p),
            Rates::Sparse(rates) => rates.apply_adjoint(&p)?,
        };
        lp.iter_mut()
            .zip(&p)
            .zip(&self.killing)
            .for_each(|((l, p), k)| *l -= k * p);
        Ok(self.scatter(lp, 0.0))
    }

    /// Killing rates into `set`: from each cell outside through the faces it shares with the set; zero inside.
    ///
    /// A longer jump counts when its way meets the set.
    pub fn killing_into(&self, set: &CellSet) -> Vec<f64> {
        let outside = self.outside(Some(set.members()));
        let mut killing = vec![0.0; self.grid().cells()];
        for (&state, k) in outside.states.iter().zip(outside.into_set) {
            killing[self.cells.cell_of[state]] = k;
        }
        killing
    }

    /// Factors K − L for the given killing rates of the cells, in addition to absorbing boundaries.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`], [`Error::InvalidParameter`] for a negative or non-finite killing rate,
    /// [`Error::Unreachable`] when some state can never be killed.
    pub fn resolvent(&self, killing: &[f64]) -> Result<Restricted> {
        let mut kept = self.gather(killing)?;
        kept.iter_mut().zip(&self.killing).for_each(|(k, own)| *k += own);
        let factors = match &self.rates {
            Rates::Chain(chain) => Factors::Chain(chain.eliminate(&kept)?),
            Rates::Sparse(rates) => self.factors(rates, &(0..self.cells.len()).collect::<Vec<_>>(), &kept)?,
        };
        Ok(Restricted {
            factors,
            cells: self.cells.cell_of.clone(),
            killing: self.scatter(kept, 0.0),
        })
    }

    /// The process stopped on entering `set`: factors K − L on the cells outside, killed through the set's faces.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when some cell outside cannot reach the set, [`Error::EmptySet`] when no cell is outside.
    pub fn resolvent_outside(&self, set: &CellSet) -> Result<Restricted> {
        self.resolvent_outside_at(set, 0.0)
    }

    /// The process stopped on entering `set`, and killed at the same `rate` ≥ 0 everywhere: the stages of implicit time steps.
    ///
    /// # Errors
    /// As [`Generator::resolvent_outside`].
    pub fn resolvent_outside_at(&self, set: &CellSet, rate: f64) -> Result<Restricted> {
        let outside = self.outside(Some(set.members()));
        let killing: Vec<f64> = outside
            .into_set
            .iter()
            .zip(&outside.through_boundary)
            .map(|(a, b)| a + b + rate)
            .collect();
        self.eliminate(outside, killing, set.name())
    }

    /// The chain stopped on jumping into one cell, the pin that makes −L invertible.
    ///
    /// # Errors
    /// As [`Generator::resolvent_outside`]; [`Error::EmptySet`] when the cell is outside the domain.
    pub fn resolvent_without(&self, cell: usize) -> Result<Restricted> {
        let Some(pin) = (cell < self.grid().cells())
            .then(|| self.cells.state(cell))
            .flatten()
        else {
            return Err(Error::EmptySet {
                name: "pinned cell".into(),
            });
        };
        let mut outside = self.outside(None);
        let mut killing = outside.through_boundary.clone();
        let mut number = 0;
        let (mut starts, mut targets, mut rates) = (vec![0], Vec::new(), Vec::new());
        for state in 0..self.cells.len() {
            if state == pin {
                continue;
            }
            for e in outside.row_starts[state]..outside.row_starts[state + 1] {
                let target = outside.targets[e] as usize;
                if target == pin {
                    killing[state] += outside.rates[e];
                } else {
                    targets.push(outside.targets[e] - u32::from(target > pin));
                    rates.push(outside.rates[e]);
                }
            }
            starts.push(targets.len());
            killing[number] = killing[state];
            number += 1;
        }
        killing.truncate(number);
        outside.states.remove(pin);
        (outside.row_starts, outside.targets, outside.rates) = (starts, targets, rates);
        self.eliminate(outside, killing, "pinned cell")
    }

    /// ln P_i of the stationary cell probabilities, normalised; −∞ outside the domain.
    ///
    /// # Method
    /// Detailed balance along a chain, and along a spanning tree where every other transition balances to 1e-12 in
    /// ln(P_i r_ij); subtraction-free elimination otherwise. Logarithms, because weights below e^−745 underflow.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when the law is not unique, [`Error::InvalidParameter`] when a boundary absorbs,
    /// [`Error::NotFinite`] when the rates needed leave the range of f64.
    pub fn log_stationary(&self) -> Result<Vec<f64>> {
        self.require_no_absorption()?;
        let log = match &self.rates {
            Rates::Chain(chain) => chain.log_stationary()?,
            Rates::Sparse(rates) => match DetailedBalance::new(rates) {
                Ok(Some(balance)) if balance.imbalance <= BALANCED => balance.log_probability,
                // elimination also names the states that keep a law from being unique
                _ => {
                    let order = self.elimination_order(rates)?;
                    Elimination::stationary_logarithm(rates, Arc::new(order))?
                }
            },
        };
        Ok(self.scatter(log, f64::NEG_INFINITY))
    }

    fn eliminate(&self, outside: Outside, killing: Vec<f64>, target: &str) -> Result<Restricted> {
        if outside.states.is_empty() {
            return Err(Error::EmptySet {
                name: format!("complement of {target}"),
            });
        }
        let states = outside.states.clone();
        let factors = match &self.rates {
            Rates::Chain(_) => Factors::Chain(outside.chain()?.eliminate(&killing)?),
            Rates::Sparse(_) => self.factors(&outside.into_sparse()?, &states, &killing)?,
        };
        let cells: Vec<usize> = states.iter().map(|&state| self.cells.cell_of[state]).collect();
        let mut by_cell = vec![0.0; self.grid().cells()];
        for (&cell, k) in cells.iter().zip(killing) {
            by_cell[cell] = k;
        }
        Ok(Restricted {
            factors,
            cells,
            killing: by_cell,
        })
    }

    fn factors(&self, rates: &SparseRates, states: &[usize], killing: &[f64]) -> Result<Factors> {
        let order = Arc::new(self.ordering(rates, states)?);
        Ok(Factors::Sparse(Box::new(Elimination::new(
            rates, killing, order,
        )?)))
    }

    fn ordering(&self, rates: &SparseRates, states: &[usize]) -> Result<NestedDissection> {
        if D > 2 {
            return NestedDissection::graph(rates);
        }
        let coordinates: Vec<[i32; 2]> = states
            .iter()
            .map(|&state| {
                let indices = self.cells.grid.indices(self.cells.cell_of[state]);
                std::array::from_fn(|d| if d < D { indices[d] as i32 } else { 0 })
            })
            .collect();
        NestedDissection::geometric(rates, &coordinates)
    }

    fn gather(&self, values: &[f64]) -> Result<Vec<f64>> {
        if values.len() != self.grid().cells() {
            return Err(Error::DimensionMismatch {
                name: "values on cells".into(),
                expected: self.grid().cells(),
                got: values.len(),
            });
        }
        Ok(self.cells.cell_of.iter().map(|&cell| values[cell]).collect())
    }

    fn scatter(&self, kept: Vec<f64>, elsewhere: f64) -> Vec<f64> {
        if self.cells.is_full() {
            return kept;
        }
        let mut values = vec![elsewhere; self.grid().cells()];
        for (&cell, v) in self.cells.cell_of.iter().zip(kept) {
            values[cell] = v;
        }
        values
    }
}

/// Imbalance up to which weights along a spanning tree are the stationary law: roundings of logarithms of size 1e3.
const BALANCED: f64 = 1e-12;

fn require_faces_on_kinks<const D: usize>(diffusion: &impl Diffusion<D>, grid: &Grid<D>) -> Result<()> {
    for kink in diffusion.kinks() {
        let Some(axis) = grid.axes().get(kink.axis) else {
            continue;
        };
        let inside = kink.position > axis.lower() && kink.position < axis.upper();
        if inside && !axis.has_face(kink.position) {
            return Err(Error::InvalidParameter {
                name: "grid".into(),
                value: kink.position,
                requirement:
                    "a derivative of the loss jumps at this position, so the grid needs a face there".into(),
            });
        }
    }
    Ok(())
}

/// Drift and tensor at the centre of each state, checked to be finite.
fn local_coefficients<const D: usize>(
    diffusion: &impl Diffusion<D>,
    cells: &Cells<D>,
) -> Result<Vec<offsets::Local<D>>> {
    let mut local = vec![(Point::zeros(), Tensor::zeros()); cells.len()];
    (local.par_iter_mut().zip(&cells.cell_of)).try_for_each(|(local, &cell)| {
        let theta = cells.grid.centre(cell);
        let (b, d) = (diffusion.drift(&theta), diffusion.tensor(&theta));
        if !b.iter().chain(d.iter()).all(|v| v.is_finite()) {
            return Err(Error::NotFinite {
                quantity: "drift or diffusion".into(),
                reason: format!(
                    "b = {:?}, D = {:?} at {:?}",
                    b.as_slice(),
                    d.as_slice(),
                    theta.as_slice()
                ),
            });
        }
        *local = (b, d);
        Ok(())
    })?;
    Ok(local)
}
