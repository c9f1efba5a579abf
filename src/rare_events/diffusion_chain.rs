//! The chain of a diffusion: Langevin paths of a time step, or SGD itself, with momentum or without.

use super::chain::{Chain, Random};
use crate::diffusion::{Diffusion, Equilibrium, noise_free_limit};
use crate::ensemble::CrossingTest;
use crate::error::{Error, Result, require, require_positive};
use crate::math::{Formula, Point, Tensor, sylvester};
use crate::region::PointSet;

/// How far a point has come.
#[derive(Debug, Clone)]
pub enum ReactionCoordinate<const D: usize> {
    /// The level function of the target with its sign turned: minus the distance to a ball or, with a unit normal, to a half-space.
    Target,
    /// A formula that grows towards the target.
    Formula(Formula<D>),
}

/// θ' = θ + b h + N(0, 2 D h) with a target.
///
/// # Formula
/// With [`CrossingTest::EndOfStep`] and h = η the chain is SGD itself, θ − η∇L + N(0, η² C/B), which ends with the first step into the target. With
/// [`CrossingTest::BrownianBridge`] it is a Langevin path that also ends when its continuous version has crossed the edge g = 0 of the target
/// between two steps, with probability exp(−g g'/(h ∇g·D∇g)): mean times have an error of order h.
///
/// With momentum β ([`DiffusionChain::with_momentum`]) the change of a step is v' = βv − η∇L + N(0, η² C/B), θ' = θ + v', v = 0 at the start. On a
/// parabola of curvature h the stationary variance at B = 1 is ηC (1 + β)/(h (1 − β) (2(1 + β) − ηh)). With v = u √η it is a symplectic Euler scheme
/// of step √η for underdamped Langevin paths of friction (1 − β)/√η and temperature ηC/(2B(1 − β)).
///
/// # Method
/// The noise is L z with L Lᵀ = 2 D h (Cholesky), whose law is that of any other root.
///
/// # References
/// E. Gobet, Stoch. Proc. Appl. 87, 167 (2000).
///
/// # Examples
/// ```
/// use freezeout::diffusion::OrnsteinUhlenbeck;
/// use freezeout::ensemble::CrossingTest;
/// use freezeout::math::Point;
/// use freezeout::rare_events::{Chain, DiffusionChain, ReactionCoordinate};
/// use freezeout::region::PointSet;
/// let process = OrnsteinUhlenbeck::new(1.0, 0.0, 0.5)?;
/// let target = PointSet::half_space(Point::<1>::new(1.0), 2.0)?;
/// let (coordinate, crossing) = (ReactionCoordinate::Target, CrossingTest::EndOfStep);
/// let chain = DiffusionChain::new(&process, &target, coordinate, 0.01, crossing)?;
/// assert_eq!(chain.level(&chain.walker(Point::<1>::new(0.5))?), -1.5);
/// assert_eq!(chain.level(&chain.walker(Point::<1>::new(2.5))?), f64::INFINITY);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub struct DiffusionChain<'a, const D: usize, T: ?Sized> {
    diffusion: &'a T,
    target: &'a PointSet<D>,
    coordinate: ReactionCoordinate<D>,
    time_step: f64,
    crossing: CrossingTest,
    momentum: f64,
}

/// A point with what is known about it.
#[derive(Debug, Clone)]
pub struct Walker<const D: usize> {
    /// θ.
    pub theta: Point<D>,
    /// Change of θ in the last step, zero at the start.
    pub change: Point<D>,
    /// ξ.
    level: f64,
    /// Level of the target with its gradient, positive outside.
    edge: (f64, Point<D>),
}

impl<'a, const D: usize, T: Diffusion<D> + ?Sized> DiffusionChain<'a, D, T> {
    /// The chain with steps of length h = `time_step`.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for the time step; [`Error::Inconsistent`] for a target known by membership only.
    pub fn new(
        diffusion: &'a T,
        target: &'a PointSet<D>,
        coordinate: ReactionCoordinate<D>,
        time_step: f64,
        crossing: CrossingTest,
    ) -> Result<Self> {
        if !target.has_level() {
            return Err(Error::Inconsistent {
                subject: "the target".into(),
                requirement: "rare events need a level function of it, not membership alone".into(),
            });
        }
        Ok(Self {
            diffusion,
            target,
            coordinate,
            time_step: require_positive("time_step", time_step)?,
            crossing,
            momentum: 0.0,
        })
    }

    /// The same with momentum β, 0 ≤ β < 1, for steps that see no crossings in between.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for β out of range; [`Error::Inconsistent`] with crossings between steps.
    ///
    /// # References
    /// B. Polyak, USSR Comput. Math. Math. Phys. 4, 1 (1964); the variance on a parabola: K. Liu, L. Ziyin and M. Ueda, ICML (2021).
    pub fn with_momentum(mut self, momentum: f64) -> Result<Self> {
        self.momentum = require(
            "momentum",
            momentum,
            |beta| (0.0..1.0).contains(&beta),
            "0 ≤ β < 1 is needed",
        )?;
        if momentum > 0.0 && self.crossing == CrossingTest::BrownianBridge {
            return Err(Error::Inconsistent {
                subject: "crossings between steps with momentum".into(),
                requirement: "positions are smooth then: test at the ends of steps".into(),
            });
        }
        Ok(self)
    }

    /// h.
    pub fn time_step(&self) -> f64 {
        self.time_step
    }

    /// When in its last step a path ends: in the middle where crossings between steps are seen.
    pub fn end_of_path(&self) -> f64 {
        match self.crossing {
            CrossingTest::BrownianBridge => 0.5,
            CrossingTest::EndOfStep => 1.0,
        }
    }

    /// The walker at a point.
    ///
    /// # Errors
    /// [`Error::NotFinite`] where the point, the level of the target or the reaction coordinate is not finite.
    pub fn walker(&self, theta: Point<D>) -> Result<Walker<D>> {
        let edge = self.target.level(&theta, &self.diffusion);
        let edge = edge.unwrap_or((f64::NAN, Point::<D>::zeros()));
        let level = match &self.coordinate {
            _ if edge.0 < 0.0 => f64::INFINITY,
            ReactionCoordinate::Target => -edge.0,
            ReactionCoordinate::Formula(formula) => formula.value(&theta),
        };
        let is_known = level.is_finite() || edge.0 < 0.0;
        if !(theta.iter().all(|x| x.is_finite()) && edge.0.is_finite() && is_known) {
            return Err(Error::NotFinite {
                quantity: "a path of the ensemble".into(),
                reason: format!(
                    "at {:?} the level of the target is {} and the reaction coordinate {level}; the time step {} may be too long",
                    theta.as_slice(),
                    edge.0,
                    self.time_step
                ),
            });
        }
        Ok(Walker {
            theta,
            change: Point::<D>::zeros(),
            level,
            edge,
        })
    }

    /// Distance of a point from the target to first order, level over slope; negative inside.
    pub fn distance(&self, theta: &Point<D>) -> f64 {
        let edge = self.target.level(theta, &self.diffusion);
        edge.map_or(f64::NAN, |(level, slope)| level / slope.norm())
    }

    /// ξ at the attractor to which the noise-free motion leads from `start`, and the standard deviation of ξ in the linear motion around it; none where
    /// there is no attractor, or ξ has no slope.
    ///
    /// # Formula
    /// sqrt(∇ξ·S ∇ξ) with A S + S Aᵀ = −2D, A = ∂b.
    pub fn at_rest(&self, start: Point<D>) -> Option<(f64, f64)> {
        let size = self.distance(&start);
        let rest = noise_free_limit(self.diffusion, start, size, &[])?;
        let rest = Equilibrium::near(self.diffusion, rest, size, 0.1 * size)?;
        let walker = self.walker(rest.position).ok()?;
        let slope = match &self.coordinate {
            ReactionCoordinate::Target => walker.edge.1,
            ReactionCoordinate::Formula(formula) => formula.gradient(&rest.position),
        };
        let jacobian = rest.jacobian;
        let tensor = self.diffusion.tensor(&rest.position);
        let covariance = sylvester(&jacobian, &jacobian.transpose(), &(tensor * -2.0))?;
        // momentum raises the temperature by 1/(1 − β)
        let deviation = (slope.dot(&(covariance * slope)) / (1.0 - self.momentum)).sqrt();
        (rest.growing_directions == 0 && walker.level.is_finite() && deviation > 0.0)
            .then_some((walker.level, deviation))
    }

    /// L z with L Lᵀ = `covariance`.
    fn noise(&self, covariance: Tensor<D>, at: &Point<D>, random: &mut Random) -> Result<Point<D>> {
        /// Rounding of a pivot that is zero, relative to the entry it came from.
        const ROUNDING: f64 = 1e-14;
        let (mut factor, mut noise) = (covariance, Point::<D>::zeros());
        for column in 0..D {
            let known: f64 = (0..column).map(|k| factor[(column, k)].powi(2)).sum();
            let pivot = covariance[(column, column)] - known;
            let is_zero = pivot.abs() <= ROUNDING * covariance[(column, column)].abs();
            if !(pivot >= 0.0 || is_zero) {
                return Err(Error::NotPositive {
                    name: "diffusion tensor".into(),
                    position: format!("{:?}", at.as_slice()),
                    eigenvalues: format!(
                        "pivot {:e} of its Cholesky factor",
                        pivot / (2.0 * self.time_step)
                    ),
                });
            }
            let root = if is_zero { 0.0 } else { pivot.sqrt() };
            factor[(column, column)] = root;
            let normal = random.normal();
            noise[column] += root * normal;
            for row in column + 1..D {
                let known: f64 = (0..column).map(|k| factor[(row, k)] * factor[(column, k)]).sum();
                let rest = covariance[(row, column)] - known;
                factor[(row, column)] = if root > 0.0 { rest / root } else { 0.0 };
                noise[row] += factor[(row, column)] * normal;
            }
        }
        Ok(noise)
    }
}

impl<const D: usize, T: Diffusion<D> + ?Sized> Chain for DiffusionChain<'_, D, T> {
    type State = Walker<D>;

    fn level(&self, state: &Walker<D>) -> f64 {
        state.level
    }

    fn step(&self, state: &mut Walker<D>, random: &mut Random) -> Result<()> {
        /// Beyond this exponent the probability of a crossing is below the smallest uniform number.
        const NEVER: f64 = 37.0;
        let (theta, h) = (state.theta, self.time_step);
        let tensor = self.diffusion.tensor(&theta);
        let noise = self.noise(tensor * (2.0 * h), &theta, random)?;
        let change = state.change * self.momentum + self.diffusion.drift(&theta) * h + noise;
        let mut next = self.walker(theta + change)?;
        next.change = change;
        if self.crossing == CrossingTest::BrownianBridge && next.level < f64::INFINITY {
            let (distance, normal) = state.edge;
            let exponent = distance * next.edge.0 / (h * normal.dot(&(tensor * normal)));
            if exponent < NEVER && random.uniform() < (-exponent).exp() {
                next.level = f64::INFINITY;
            }
        }
        *state = next;
        Ok(())
    }
}
