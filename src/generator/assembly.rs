//! Jump rates of a diffusion between the cells of a grid.

use super::cells::Cells;
use super::discretisation::Discretisation;
use super::jumps::Jumps;
use super::outside::{Outside, Rates};
use super::remembered::Remembered;
use crate::diffusion::{Calculus, Diffusion};
use crate::error::{Error, Result};
use crate::grid::{CellSet, Grid};
use crate::linalg::{Chain, DetailedBalance, Elimination, NestedDissection, SparseRates};
use std::borrow::Cow;
use std::sync::Arc;

/// Jump rates of a diffusion between the cells of a grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Generator<const D: usize = 1> {
    pub(super) cells: Cells<D>,
    pub(super) jumps: Jumps<D>,
    pub(super) rates: Rates,
    /// Rate of each state through absorbing boundaries.
    pub(super) killing: Vec<f64>,
    log_stationary: Remembered<Vec<f64>>,
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

    /// Generator of dθ = (b + α div D) dt + sqrt(2D) dW for a diagonal D, the comparison with the other calculi.
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
    /// [`Error::InvalidParameter`] when a kink of the diffusion is not on a face; [`Error::OffDiagonalTensor`] when a calculus
    /// other than Ito or a dimension other than two meets a full tensor; [`Error::Inconsistent`] for a periodic end that is glued to
    /// nothing; [`Error::NotPositive`] when D is not positive definite somewhere;
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
        let jumps = Jumps::assemble(diffusion, &cells, discretisation)?;
        let open_line = D == 1 && cells.is_full() && !discretisation.is_periodic(0);
        Self::of_jumps(cells, jumps, open_line)
    }

    /// The generator of the jumps of all states.
    pub(super) fn of_jumps(cells: Cells<D>, jumps: Jumps<D>, open_line: bool) -> Result<Self> {
        let mut all = Outside::new(&cells, &jumps, None);
        let killing = std::mem::take(&mut all.through_boundary);
        Ok(Self {
            rates: all.into_rates(open_line)?,
            cells,
            jumps,
            killing,
            log_stationary: Remembered::default(),
        })
    }

    /// The grid.
    pub fn grid(&self) -> &Grid<D> {
        &self.cells.grid
    }

    /// The rates as a birth-death chain: of a generator in one dimension whose ends are not joined.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] for any other generator.
    pub fn chain(&self) -> Result<&Chain> {
        match &self.rates {
            Rates::Chain(chain) => Ok(chain),
            Rates::Sparse(_) => Err(Error::Inconsistent {
                subject: "generator".into(),
                requirement:
                    "a birth-death chain is needed: one dimension, without periodic ends or a domain".into(),
            }),
        }
    }

    /// The rates among the states, in the order of [`Generator::states`]; none for a birth-death chain.
    pub fn sparse(&self) -> Option<&SparseRates> {
        match &self.rates {
            Rates::Chain(_) => None,
            Rates::Sparse(rates) => Some(rates),
        }
    }

    /// The rates among the states, in the order of [`Generator::states`], of a birth-death chain too.
    ///
    /// # Errors
    /// As [`SparseRates::new`].
    pub fn rates(&self) -> Result<Cow<'_, SparseRates>> {
        match &self.rates {
            Rates::Sparse(rates) => Ok(Cow::Borrowed(rates)),
            Rates::Chain(chain) => {
                let pairs = (1..chain.len())
                    .flat_map(|i| [(i - 1, i, chain.up()[i - 1]), (i, i - 1, chain.down()[i])]);
                SparseRates::from_transitions(chain.len(), pairs).map(Cow::Owned)
            }
        }
    }

    /// Rate of each state through absorbing boundaries, in 1/time.
    pub fn killing(&self) -> &[f64] {
        &self.killing
    }

    /// Cell of each state, ascending.
    pub fn states(&self) -> &[usize] {
        &self.cells.cell_of
    }

    /// Whether probability can leave through an absorbing boundary.
    pub fn is_absorbing(&self) -> bool {
        self.killing.iter().any(|&k| k > 0.0)
    }

    /// Checks that no boundary absorbs.
    ///
    /// # Errors
    /// [`Error::Inconsistent`].
    pub(crate) fn require_no_absorption(&self) -> Result<()> {
        if !self.is_absorbing() {
            return Ok(());
        }
        Err(Error::Inconsistent {
            subject: "absorbing boundary".into(),
            requirement: "a process that can be absorbed has no stationary law".into(),
        })
    }

    /// Fill-reducing order of elimination of all states.
    pub(crate) fn elimination_order(&self, rates: &SparseRates) -> Result<NestedDissection> {
        self.ordering(rates, &(0..self.cells.len()).collect::<Vec<_>>())
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
        Ok(self.on_cells(lf, 0.0))
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
        Ok(self.on_cells(lp, 0.0))
    }

    /// Killing rates into `set`: from each cell outside through the faces it shares with the set; zero inside.
    ///
    /// A longer jump counts when its way meets the set.
    pub fn killing_into(&self, set: &CellSet) -> Vec<f64> {
        let outside = Outside::new(&self.cells, &self.jumps, Some(set.members()));
        let mut killing = vec![0.0; self.grid().cells()];
        for (&state, k) in outside.states.iter().zip(outside.into_set) {
            killing[self.cells.cell_of[state]] = k;
        }
        killing
    }

    /// ln P_i of the stationary cell probabilities, normalised; −∞ outside the domain.
    ///
    /// # Method
    /// Detailed balance along a chain, and along a spanning tree where every other transition balances to 1e-12 in
    /// ln(P_i r_ij); subtraction-free elimination otherwise. Logarithms, because weights below e^−745 underflow. Found once and kept.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when the law is not unique, [`Error::Inconsistent`] when a boundary absorbs,
    /// [`Error::NotFinite`] when the rates needed leave the range of f64.
    pub fn log_stationary(&self) -> Result<Vec<f64>> {
        self.log_stationary.or_find(|| self.find_log_stationary())
    }

    fn find_log_stationary(&self) -> Result<Vec<f64>> {
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
        Ok(self.on_cells(log, f64::NEG_INFINITY))
    }

    /// Fill-reducing order of elimination of some states, `rates` being those among them.
    pub(super) fn ordering(&self, rates: &SparseRates, states: &[usize]) -> Result<NestedDissection> {
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

    /// Values on the cells as values of the states.
    pub(super) fn gather(&self, values: &[f64]) -> Result<Vec<f64>> {
        if values.len() != self.grid().cells() {
            return Err(Error::DimensionMismatch {
                name: "values on cells".into(),
                expected: self.grid().cells(),
                got: values.len(),
            });
        }
        Ok(self.cells.cell_of.iter().map(|&cell| values[cell]).collect())
    }

    /// Values of the states as values on the cells, `elsewhere` outside the domain.
    pub(crate) fn on_cells(&self, kept: Vec<f64>, elsewhere: f64) -> Vec<f64> {
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
