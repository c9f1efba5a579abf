//! The one-step operator of SGD on a line.

use super::elimination::Elimination;
use super::gaussian::Gaussian;
use super::kernel::{Kernel, dot};
use super::panels::{PanelGrid, Resolution};
use crate::diffusion::Sgd;
use crate::error::{Error, Result, require, require_finite};
use crate::landscape::Landscape;
use crate::math::Point;
use crate::noise::GradientNoise;

/// One step of SGD on a one-dimensional landscape, as a stochastic matrix on Gauss-Legendre nodes.
///
/// # Formula
/// (T p)(x') = ∫ N(x'; x − η L'(x), η² C(x)/B) p(x) dx. A law is given by masses μ_i = w_i p(x_i).
///
/// # Units
/// x in units of θ; times are t = ηk.
///
/// # Method
/// Nyström, see [`Resolution`] for order and error. Columns are normalised, so that T is stochastic: positive,
/// and mass-conserving to rounding. Steps that would leave the domain are put back at its end, with the
/// probability reported by [`TransferOperator::defect`]; every law returned has passed
/// [`Resolution::allowed_defect`].
///
/// # Errors
/// See [`TransferOperator::new`].
///
/// # References
/// Atkinson (1997), The Numerical Solution of Integral Equations of the Second Kind, ch. 4 (Nyström).
///
/// # Examples
/// The stationary variance on a quadratic is η C/(h(2 − ηh)) at any learning rate:
/// ```
/// use freezeout::diffusion::Sgd;
/// use freezeout::landscape::Quadratic;
/// use freezeout::math::{Point, Tensor};
/// use freezeout::noise::Isotropic;
/// use freezeout::transfer::{Resolution, TransferOperator};
/// let bowl = Quadratic::<1>::new(Tensor::<1>::new(4.0), Point::<1>::zeros())?;
/// let sgd = Sgd::new(bowl, Isotropic::new(2.0)?, 0.2, 1.0)?;
/// let operator = TransferOperator::new(&sgd, [-3.0, 3.0], &[], Resolution::default())?;
/// let law = operator.stationary()?;
/// let exact = 0.2 * 2.0 / (4.0 * (2.0 - 0.2 * 4.0));
/// assert!((operator.variance(&law.mass)? / exact - 1.0).abs() < 1e-10);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct TransferOperator {
    grid: PanelGrid,
    kernel: Kernel,
    learning_rate: f64,
    resolution: Resolution,
    /// Where a step leads past the other end of the domain by its mean alone.
    overshoot: Option<f64>,
}

/// The law that a step of SGD leaves unchanged.
#[derive(Debug, Clone, PartialEq)]
pub struct StationaryLaw {
    /// Masses on the nodes, summing to one.
    pub mass: Vec<f64>,
    /// Σ_i |(T μ)_i − μ_i|.
    pub residual: f64,
    /// Probability per step that the discretisation puts back.
    pub defect: f64,
}

impl TransferOperator {
    /// The step of `sgd` on the domain [a, b], with panel edges on its kinks and on `breaks`.
    ///
    /// Boundaries of sets whose exit times are wanted belong into `breaks`.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for an empty domain, a resolution out of range, or a step whose standard
    /// deviation is zero or too small for the domain.
    pub fn new<L: Landscape<1>, N: GradientNoise<1>>(
        sgd: &Sgd<L, N>,
        domain: [f64; 2],
        breaks: &[f64],
        resolution: Resolution,
    ) -> Result<Self> {
        let resolution = resolution.validate()?;
        let [low, high] = domain;
        require_finite("domain start", low)?;
        require("domain end", high, |v| v > low, "it must lie above the start")?;
        let mut edges = vec![low, high];
        for position in sgd
            .landscape()
            .kinks()
            .iter()
            .map(|k| k.position)
            .chain(breaks.iter().copied())
        {
            require_finite("break", position)?;
            if low < position && position < high {
                edges.push(position);
            }
        }
        edges.sort_by(f64::total_cmp);
        edges.dedup();
        let step = |x: f64| gaussian_step(sgd, x);
        let grid = PanelGrid::new(&edges, &[&step], resolution)?;
        let gaussians = grid
            .nodes()
            .iter()
            .map(|&x| step(x))
            .collect::<Result<Vec<_>>>()?;
        let mut kernel = Kernel::default();
        kernel.assemble(grid.order(), &gaussians, &grid, resolution.reach);
        let middle = 0.5 * (low + high);
        let overshoots = |(x, step): (&f64, &Gaussian)| match *x > middle {
            true => step.mean < low,
            false => step.mean > high,
        };
        let overshoot = (grid.nodes().iter().zip(&gaussians))
            .filter(|pair| overshoots(*pair))
            .map(|(x, _)| *x)
            .min_by(|a, b| (a - middle).abs().total_cmp(&(b - middle).abs()));
        Ok(Self {
            overshoot,
            grid,
            kernel,
            learning_rate: sgd.learning_rate_and_batch_size()?.0,
            resolution,
        })
    }

    /// The nodes and their panels.
    pub fn grid(&self) -> &PanelGrid {
        &self.grid
    }

    /// η.
    pub fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    pub(super) fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    fn check(&self, values: &[f64]) -> Result<()> {
        if values.len() == self.grid.nodes().len() {
            return Ok(());
        }
        Err(Error::DimensionMismatch {
            name: "vector on the nodes".into(),
            expected: self.grid.nodes().len(),
            got: values.len(),
        })
    }

    /// Law after one step from the point x0, exact on the nodes.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] when x0 is not finite, [`Error::DomainTooSmall`] when the step leaves the domain.
    pub fn first_step<L: Landscape<1>, N: GradientNoise<1>>(
        &self,
        sgd: &Sgd<L, N>,
        x0: f64,
    ) -> Result<Vec<f64>> {
        let gaussian = gaussian_step(sgd, require_finite("x0", x0)?)?;
        let mut step = Kernel::default();
        step.assemble(1, &[gaussian], &self.grid, self.resolution.reach);
        self.require_defect(step.defect(&[1.0]))?;
        let mut mass = vec![0.0; self.grid.nodes().len()];
        step.apply(&[1.0], &mut mass);
        Ok(mass)
    }

    /// T μ: the law one step later.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`] when μ does not have one mass a node.
    pub fn apply(&self, mass: &[f64]) -> Result<Vec<f64>> {
        self.check(mass)?;
        let mut out = vec![0.0; mass.len()];
        self.kernel.apply(mass, &mut out);
        Ok(out)
    }

    /// The law `steps` steps later, with the largest defect per step on the way checked.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`]; [`Error::DomainTooSmall`] when a law reaches the ends of the domain.
    pub fn propagate(&self, mass: &[f64], steps: u64) -> Result<Vec<f64>> {
        self.check(mass)?;
        let (mut now, mut next) = (mass.to_vec(), vec![0.0; mass.len()]);
        for _ in 0..steps {
            self.require_defect(self.kernel.defect(&now))?;
            self.kernel.apply(&now, &mut next);
            std::mem::swap(&mut now, &mut next);
        }
        Ok(now)
    }

    /// (T* f)(x) = E f(x_{k+1} | x_k = x) on the nodes.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`] when f does not have one value a node.
    pub fn apply_adjoint(&self, values: &[f64]) -> Result<Vec<f64>> {
        self.check(values)?;
        let mut out = vec![0.0; values.len()];
        self.kernel.apply_adjoint(values, &mut out);
        Ok(out)
    }

    /// Probability per step under the law μ that quadrature, the cut of the kernel and the ends of the domain
    /// would lose, and that normalisation puts back: the discretisation error of one step.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`] when μ does not have one mass a node.
    pub fn defect(&self, mass: &[f64]) -> Result<f64> {
        self.check(mass)?;
        Ok(self.kernel.defect(mass))
    }

    fn require_defect(&self, defect: f64) -> Result<f64> {
        if defect <= self.resolution.allowed_defect {
            return Ok(defect);
        }
        if let Some(x) = self.overshoot {
            return Err(Error::Inconsistent {
                subject: "sgd.learning_rate".into(),
                requirement: format!(
                    "steps from x = {x:.3} and beyond lead past the other end of the domain, so that the map diverges there and a wider domain loses more: {defect:.1e} a step is lost; lower the learning rate, or take a narrower domain that the noise does not leave"
                ),
            });
        }
        Err(Error::DomainTooSmall {
            probability: defect,
            allowed: self.resolution.allowed_defect,
            where_: "per step, beyond the ends or between the nodes".into(),
        })
    }

    /// The stationary law.
    ///
    /// # Method
    /// Subtraction-free elimination (Grassmann, Taksar and Heyman), so that small masses keep their relative
    /// accuracy; cost nodes × bandwidth².
    ///
    /// # Errors
    /// [`Error::DomainTooSmall`] when the law does not fit the domain; [`Error::Unreachable`] when the chain
    /// falls apart because the kernel is cut.
    pub fn stationary(&self) -> Result<StationaryLaw> {
        let elimination = self.eliminate_all()?;
        let mass = elimination.stationary();
        let next = self.apply(&mass)?;
        Ok(StationaryLaw {
            residual: next.iter().zip(&mass).map(|(a, b)| (a - b).abs()).sum(),
            defect: self.require_defect(self.kernel.defect(&mass))?,
            mass,
        })
    }

    pub(super) fn eliminate_all(&self) -> Result<Elimination> {
        let all: Vec<usize> = (0..self.grid.nodes().len()).collect();
        let elimination = Elimination::new(&self.kernel, &all);
        // Without killing the last remaining state has no pivot; any other without one is a trap.
        match elimination.trapped() {
            Some(0) | None => Ok(elimination),
            Some(node) => Err(Error::Unreachable {
                target: "rest of the domain".into(),
                reason: format!(
                    "no step leads on from x = {:.6}: raise the reach of the kernel",
                    self.grid.nodes()[node]
                ),
            }),
        }
    }

    /// Mean time to leave the set where `inside` holds, from every node (zero outside the set).
    ///
    /// # Formula
    /// (I − T*_S) τ = η on the set S: the exit is the first step k with x_k outside, at time ηk.
    ///
    /// # Method
    /// Subtraction-free elimination with the exit probability as killing: full relative accuracy at any barrier.
    /// Spectral when the boundary of S is a panel edge (kinks and `breaks`), first order otherwise.
    ///
    /// # Errors
    /// [`Error::EmptySet`] when no node is inside; [`Error::Unreachable`] when no step can leave the set.
    pub fn mean_exit_time(&self, inside: impl Fn(f64) -> bool) -> Result<Vec<f64>> {
        let nodes = self.grid.nodes();
        let set: Vec<usize> = (0..nodes.len()).filter(|&i| inside(nodes[i])).collect();
        if set.is_empty() {
            return Err(Error::EmptySet {
                name: "inside".into(),
            });
        }
        let elimination = Elimination::new(&self.kernel, &set);
        if let Some(state) = elimination.trapped() {
            return Err(Error::Unreachable {
                target: "outside of the set".into(),
                reason: format!("no step leads out from x = {:.6}", nodes[set[state]]),
            });
        }
        let times = elimination.solve(vec![self.learning_rate; set.len()]);
        let mut out = vec![0.0; nodes.len()];
        for (&i, &time) in set.iter().zip(&times) {
            out[i] = time;
        }
        Ok(out)
    }

    /// Mean time to leave the set from the point x0 (which counts as inside).
    ///
    /// # Formula
    /// τ(x0) = η + ∫ N(x; x0 − η L'(x0), η² C/B) τ(x) dx: Nyström interpolation, exact up to the quadrature.
    ///
    /// # Errors
    /// As [`TransferOperator::mean_exit_time`] and [`TransferOperator::first_step`].
    pub fn mean_exit_time_from<L: Landscape<1>, N: GradientNoise<1>>(
        &self,
        sgd: &Sgd<L, N>,
        x0: f64,
        inside: impl Fn(f64) -> bool,
    ) -> Result<f64> {
        let times = self.mean_exit_time(inside)?;
        Ok(self.learning_rate + dot(&times, &self.first_step(sgd, x0)?))
    }

    /// E f under the law μ.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`] when μ does not have one mass a node.
    pub fn expectation(&self, mass: &[f64], f: impl Fn(f64) -> f64) -> Result<f64> {
        self.check(mass)?;
        Ok(self.grid.nodes().iter().zip(mass).map(|(&x, m)| m * f(x)).sum())
    }

    /// Probability of x ≥ boundary, spectral when the boundary is a panel edge. With boundary 0 on a
    /// two-valley slice this is P_flat.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`] when μ does not have one mass a node.
    pub fn probability_above(&self, mass: &[f64], boundary: f64) -> Result<f64> {
        self.check(mass)?;
        Ok(mass[self.grid.nodes_below(boundary)..].iter().sum())
    }

    /// Mean of x.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`] when μ does not have one mass a node.
    pub fn mean(&self, mass: &[f64]) -> Result<f64> {
        self.expectation(mass, |x| x)
    }

    /// Variance of x.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`] when μ does not have one mass a node.
    pub fn variance(&self, mass: &[f64]) -> Result<f64> {
        let mean = self.mean(mass)?;
        self.expectation(mass, |x| (x - mean).powi(2))
    }
}

/// One step of `sgd` from x.
fn gaussian_step<L: Landscape<1>, N: GradientNoise<1>>(sgd: &Sgd<L, N>, x: f64) -> Result<Gaussian> {
    let theta = Point::<1>::new(x);
    let slope = sgd.landscape().gradient(&theta)[0];
    let (mean, standard_deviation) = sgd.step_law(x, slope, sgd.noise().covariance(&theta)[0])?;
    Gaussian::new(x, mean, standard_deviation)
}
