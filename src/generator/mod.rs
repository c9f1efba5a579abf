//! The discrete generator: jump rates between the cells of a grid, and killing.
//!
//! ```text
//! (Lf)_i = Σ_j r_ij (f_j − f_i)          backward, on functions
//! (L*P)_j = Σ_i P_i r_ij − P_j Σ_k r_jk   forward, on cell probabilities P_i = p_i V_i
//! ```
//!
//! One object answers many questions; each is a short function in [`crate::observables`]. The diagonal is never
//! stored, see [`crate::linalg`].
//!
//! # Limitations
//! One dimension; reflecting ends.

mod scharfetter_gummel;

use crate::diffusion::{Calculus, Diffusion};
use crate::error::{Error, Result};
use crate::grid::{CellSet, Grid};
use crate::linalg::{Chain, ChainElimination};

/// Jump rates of a diffusion between the cells of a one-dimensional grid with reflecting ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Generator {
    grid: Grid<1>,
    chain: Chain,
    /// Rates at which a cell would lose to its upper (lower) face if that face absorbed.
    exit_up: Vec<f64>,
    exit_down: Vec<f64>,
}

impl Generator {
    /// Generator of `diffusion` on `grid` in the Ito sense.
    ///
    /// # Method
    /// Scharfetter-Gummel rates with the exact two-piece exponential profile of D p between neighbouring
    /// centres, so that p·D is continuous at a face on which D jumps. Second order on smooth problems and
    /// across kinks that coincide with faces.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] when a kink of the diffusion is not on a face, [`Error::NotPositive`] when D ≤ 0
    /// somewhere, [`Error::NotFinite`] when drift or tensor is not finite.
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
    /// let lx = generator.apply(&x);
    /// assert!((lx[210] + x[210]).abs() < 1e-2 * x[210]);
    /// # Ok::<(), freezeout::Error>(())
    /// ```
    pub fn assemble(diffusion: &impl Diffusion<1>, grid: Grid<1>) -> Result<Self> {
        Self::assemble_in(diffusion, grid, Calculus::Ito)
    }

    /// Generator of dx = (b + α D′) dt + sqrt(2D) dW, the comparison with the other calculi.
    ///
    /// # Method
    /// As [`Generator::assemble`] with D^{1−α} p as the continuous quantity; D′ is never formed, so a jump of D is
    /// treated exactly.
    ///
    /// # Errors
    /// As [`Generator::assemble`].
    pub fn assemble_in(diffusion: &impl Diffusion<1>, grid: Grid<1>, calculus: Calculus) -> Result<Self> {
        let axis = &grid.axes()[0];
        for kink in diffusion.kinks() {
            let inside = kink.position > axis.lower() && kink.position < axis.upper();
            if inside && !axis.has_face(kink.position) {
                return Err(Error::InvalidParameter {
                    name: "grid".into(),
                    value: kink.position,
                    requirement:
                        "a derivative of the loss jumps at this position, so the grid needs a face there"
                            .into(),
                });
            }
        }
        let rates = scharfetter_gummel::rates(diffusion, axis, calculus)?;
        let chain = Chain::new(rates.up, rates.down)?;
        Ok(Self {
            grid,
            chain,
            exit_up: rates.exit_up,
            exit_down: rates.exit_down,
        })
    }

    /// The grid.
    pub fn grid(&self) -> &Grid<1> {
        &self.grid
    }

    /// The rates as a birth-death chain.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Lf at the cell centres.
    pub fn apply(&self, f: &[f64]) -> Vec<f64> {
        self.chain.apply(f)
    }

    /// L*P for cell probabilities.
    pub fn apply_adjoint(&self, p: &[f64]) -> Vec<f64> {
        self.chain.apply_adjoint(p)
    }

    /// Killing rates into `set`: from each cell outside through the faces it shares with the set; zero inside.
    pub fn killing_into(&self, set: &CellSet) -> Vec<f64> {
        self.rates_into(set.members(), &self.exit_up, &self.exit_down)
    }

    /// Factors K − L for the given killing rates.
    ///
    /// # Errors
    /// As [`Chain::eliminate`].
    pub fn resolvent(&self, killing: &[f64]) -> Result<ChainElimination> {
        self.chain.eliminate(killing)
    }

    /// The process stopped on entering `set`: factors K − L on the cells outside, killed through the set's faces.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when some cell outside cannot reach the set.
    pub fn resolvent_outside(&self, set: &CellSet) -> Result<Restricted> {
        self.restricted(set.members(), self.killing_into(set))
    }

    /// The chain stopped on jumping into one cell, the pin that makes −L invertible.
    ///
    /// # Errors
    /// As [`Generator::resolvent_outside`].
    pub fn resolvent_without(&self, cell: usize) -> Result<Restricted> {
        let mut inside = vec![false; self.grid.cells()];
        inside[cell] = true;
        let killing = self.rates_into(&inside, self.chain.up(), self.chain.down());
        self.restricted(&inside, killing)
    }

    fn rates_into(&self, inside: &[bool], up: &[f64], down: &[f64]) -> Vec<f64> {
        let n = inside.len();
        (0..n)
            .map(|i| {
                let above = if i + 1 < n && inside[i + 1] { up[i] } else { 0.0 };
                let below = if i > 0 && inside[i - 1] { down[i] } else { 0.0 };
                if inside[i] { 0.0 } else { above + below }
            })
            .collect()
    }

    fn restricted(&self, inside: &[bool], killing: Vec<f64>) -> Result<Restricted> {
        let n = inside.len();
        let mut up = self.chain.up().to_vec();
        let mut down = self.chain.down().to_vec();
        let mut kill = killing.clone();
        for i in 0..n {
            // States inside are decoupled; any killing rate serves, their right-hand side is zero.
            if inside[i] || (i + 1 < n && inside[i + 1]) {
                up[i] = 0.0;
            }
            if inside[i] || (i > 0 && inside[i - 1]) {
                down[i] = 0.0;
            }
            if inside[i] {
                kill[i] = 1.0;
            }
        }
        let solver = Chain::new(up, down)?.eliminate(&kill)?;
        Ok(Restricted {
            solver,
            killing,
            inside: inside.to_vec(),
        })
    }
}

/// (K − L)⁻¹ on the cells outside an absorbing set; see [`Generator::resolvent_outside`].
#[derive(Debug, Clone, PartialEq)]
pub struct Restricted {
    solver: ChainElimination,
    killing: Vec<f64>,
    inside: Vec<bool>,
}

impl Restricted {
    /// Killing rate of each cell into the set.
    pub fn killing(&self) -> &[f64] {
        &self.killing
    }

    /// Solves (K − L) f = g outside the set; f = 0 inside.
    ///
    /// # Errors
    /// As [`ChainElimination::solve`].
    pub fn solve(&self, rhs: &[f64]) -> Result<Vec<f64>> {
        self.masked(rhs, |g| self.solver.solve(g))
    }

    /// Solves (K − L*) ρ = s outside the set; ρ = 0 inside.
    ///
    /// # Errors
    /// As [`ChainElimination::solve`].
    pub fn solve_adjoint(&self, source: &[f64]) -> Result<Vec<f64>> {
        self.masked(source, |s| self.solver.solve_adjoint(s))
    }

    fn masked(&self, values: &[f64], solve: impl Fn(&[f64]) -> Result<Vec<f64>>) -> Result<Vec<f64>> {
        let mut input = values.to_vec();
        for (value, inside) in input.iter_mut().zip(&self.inside) {
            if *inside {
                *value = 0.0;
            }
        }
        solve(&input)
    }
}
