//! The spectral gap: the slowest relaxation rate of a reversible generator.

use super::pinned_inverse::PinnedInverse;
use crate::error::{Error, Result};
use crate::generator::Generator;
use crate::grid::Grid;
use crate::linalg::{
    Arnoldi, Cholesky, DetailedBalance, PowerIteration, dominant_eigenpairs, most_probable, normalise,
    power_iteration, remove_mean, weighted_inner,
};
use std::cell::Cell;
use std::fmt::{Display, Formatter};

/// Gap λ1 with its eigenfunction; see [`spectral_gap`].
#[derive(Debug, Clone, PartialEq)]
pub struct SpectralGap {
    /// λ1 in 1/time.
    pub rate: f64,
    /// Right eigenfunction f with ⟨f⟩ = 0 and ⟨f²⟩ = 1 under the stationary law.
    pub eigenfunction: Vec<f64>,
    /// Inverse iterations used.
    pub iterations: usize,
    /// Relative change of the rate in the last iteration.
    pub residual: f64,
    /// How the pinned operator was factorised, with the numbers of the test that decided it.
    pub factorisation: Factorisation,
}

/// Largest imbalance and largest amplified rounding with which the plain factorisation is used: both bound relative
/// errors, and 1e-9 is far below the discretisation error of any grid.
const TOLERANCE: f64 = 1e-9;

/// How [`spectral_gap`] factorised the pinned operator.
///
/// # Method
/// The plain factorisation is accepted when three numbers, all reported, are small enough:
/// - imbalance δ = max |ln(P_i r_ij) − ln(P_j r_ji)| ≤ 1e-9 over all transitions, P from a spanning tree: an eigenvalue
///   of the symmetrised chain is the chain's own within the factor e^{±δ} of every conductance;
/// - rounding ε |A| |A⁻¹| ≤ 1e-9: |A| bounded by twice the largest exit rate, |A⁻¹| by the largest growth of
///   a vector in the solves done. It is the relative error that the backward error of the factorisation leaves in a solve;
/// - defect |Lf + λf|/λ in the stationary norm ≤ 1e-4 of the result, formed from the rates: it bounds the relative
///   error of the rate by its square over 1 − λ1/λ2.
///
/// The rate is the Dirichlet form of f, which has no cancellation, so that the rounding enters it squared.
///
/// # References
/// N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2002, ch. 10 (backward error); B. N. Parlett, The
/// Symmetric Eigenvalue Problem, 1998, ch. 11 (Kato and Temple).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Factorisation {
    /// Elimination without subtraction, because the plain factorisation was refused.
    SubtractionFree(Refusal),
    /// Plain Cholesky factorisation, which passed the test.
    Cholesky {
        /// δ.
        imbalance: f64,
        /// ε |A| |A⁻¹|.
        rounding: f64,
        /// |Lf + λf|/λ.
        defect: f64,
    },
}

/// Why the plain factorisation was not used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Refusal {
    /// A birth-death chain, where elimination without subtraction costs no more.
    Line,
    /// A transition without a reverse, or an imbalance above 1e-9 (infinite: no reverse).
    Imbalance(f64),
    /// Stationary weights so small that their square root leaves the range of f64; ln of the smallest.
    Range(f64),
    /// A pivot that rounding has made negative.
    NegativePivot,
    /// ε |A| |A⁻¹| above 1e-9.
    Rounding(f64),
    /// |Lf + λf|/λ above 1e-4.
    Defect(f64),
}

impl Display for Factorisation {
    fn fmt(&self, f: &mut Formatter) -> std::fmt::Result {
        match self {
            Self::SubtractionFree(refusal) => write!(f, "elimination without subtraction: {refusal}"),
            Self::Cholesky {
                imbalance,
                rounding,
                defect,
            } => write!(
                f,
                "plain Cholesky factorisation, with imbalance {imbalance:.1e}, rounding {rounding:.1e}, defect {defect:.1e}"
            ),
        }
    }
}

impl Display for Refusal {
    fn fmt(&self, f: &mut Formatter) -> std::fmt::Result {
        match self {
            Self::Line => write!(f, "it costs no more on a line"),
            Self::Imbalance(imbalance) => write!(f, "transitions are out of balance by {imbalance:.1e}"),
            Self::Range(log) => write!(f, "stationary weights go down to exp({log:.1})"),
            Self::NegativePivot => write!(f, "rounding makes a pivot of the plain factorisation negative"),
            Self::Rounding(rounding) => write!(
                f,
                "the plain factorisation would have the rounding {rounding:.1e}"
            ),
            Self::Defect(defect) => write!(f, "the plain factorisation leaves the defect {defect:.1e}"),
        }
    }
}

/// Largest defect: its square, the error of the rate, is a rounding above the tolerance of the other two numbers.
const DEFECT: f64 = 1e-4;

/// Smallest non-zero eigenvalue of −L for a chain in detailed balance.
///
/// # Method
/// Inverse iteration on functions of zero stationary mean: one cell (the most probable) is pinned to zero, the
/// pinned operator is factorised, and the mean is projected out. The Rayleigh quotient in the stationary inner product
/// converges like (λ1/λ2)²ⁿ; where it does not in 100 iterations, Arnoldi's iteration tells λ1 from λ2. In the plane the plain Cholesky factorisation is used where it passes the test of
/// [`Factorisation`]; otherwise, and always on a line, elimination without subtraction, right at any barrier.
///
/// # Errors
/// [`Error::NoDetailedBalance`], where [`super::slow_modes`] serves; [`Error::Inconsistent`] where a boundary absorbs; [`Error::Unreachable`] for a reducible chain, [`Error::NotConverged`] after 2000 iterations.
///
/// # Examples
/// ```
/// use freezeout::diffusion::OrnsteinUhlenbeck;
/// use freezeout::generator::Generator;
/// use freezeout::grid::{Axis, Grid};
/// use freezeout::observables::spectral_gap;
/// let ou = OrnsteinUhlenbeck::new(3.0, 0.0, 1.0)?;
/// let generator = Generator::assemble(&ou, Grid::new([Axis::uniform(-5.0, 5.0, 1000)?]))?;
/// assert!((spectral_gap(&generator)?.rate - 3.0).abs() < 1e-3);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn spectral_gap<const D: usize>(generator: &Generator<D>) -> Result<SpectralGap> {
    match plain_gap(generator)? {
        Ok(gap) => Ok(gap),
        Err(Refusal::Imbalance(imbalance)) => Err(Error::NoDetailedBalance {
            imbalance,
            allowed: TOLERANCE,
        }),
        Err(refusal) => subtraction_free(generator, Factorisation::SubtractionFree(refusal)),
    }
}

fn subtraction_free<const D: usize>(
    generator: &Generator<D>,
    factorisation: Factorisation,
) -> Result<SpectralGap> {
    let inverse = PinnedInverse::new(generator)?;
    let pi = &inverse.probability;
    let start: Vec<f64> = (0..pi.len())
        .map(|cell| unsymmetric(generator.grid(), cell))
        .collect();
    let found = inverse_iteration(start, pi, |f| {
        let mut next = inverse.apply(f)?;
        // by a power of two, which rounds nothing: the square of 1/λ1 may leave the range of f64
        let largest = next.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        let scale = largest.log2().floor().exp2();
        next.iter_mut().for_each(|v| *v /= scale);
        let estimate = weighted_inner(&next, f, pi) / weighted_inner(&next, &next, pi) / scale;
        Ok((next, estimate))
    })?;
    Ok(SpectralGap {
        rate: found.estimate,
        eigenfunction: found.vector,
        iterations: found.iterations,
        residual: found.residual,
        factorisation,
    })
}

/// A function that overlaps with the slowest mode whichever variables it depends on: the sum of all, with unlike weights, and some of their
/// product; on a line, where the mode is monotone, the variable itself.
fn unsymmetric<const D: usize>(grid: &Grid<D>, cell: usize) -> f64 {
    // in units of the axes, -1/2 to 1/2
    let of_axis = |d: usize| {
        let axis = &grid.axes()[d];
        (grid.centre(cell)[d] - axis.lower()) / (axis.upper() - axis.lower()) - 0.5
    };
    if D == 1 {
        return grid.centre(cell)[0];
    }
    let sum: f64 = (0..D).map(|d| of_axis(d) / (1.0 + 0.37 * d as f64)).sum();
    sum + 0.3 * (0..D).map(|d| of_axis(d) + 0.1).product::<f64>()
}

/// The next function and its estimate of the rate.
type Step<'a> = dyn FnMut(&[f64]) -> Result<(Vec<f64>, f64)> + 'a;

/// Iterates `step`, which returns the next function and its estimate of the rate, until the rate stands still; where another rate is so near
/// that it does not, Arnoldi's iteration tells them apart.
fn inverse_iteration(
    mut start: Vec<f64>,
    pi: &[f64],
    mut step: impl FnMut(&[f64]) -> Result<(Vec<f64>, f64)>,
) -> Result<PowerIteration> {
    // enough for λ2/λ1 > 1.2; above a hundred a basis costs less than going on
    const MOST: usize = 100;
    // where a basis fails too: enough for λ2/λ1 > 1.01
    const MOST_OF_ALL: usize = 2000;
    const BASIS: Arnoldi = Arnoldi {
        count: 1,
        // the rate of a reversible chain is then exact to its square
        tolerance: 1e-10,
        dimension: 60,
    };
    // Rounding of both, far above; a basis whose rate is above that of the iteration has lost the slowest mode
    const NEAR: f64 = 1e-6;
    // Rounding of sums over N cells; the quotient's own error at that change is far smaller.
    let tolerance = 4.0 * f64::EPSILON * (pi.len() as f64).sqrt();
    let centred = |f: &mut [f64]| {
        remove_mean(f, pi);
        normalise(f, pi);
    };
    centred(&mut start);
    // a Rayleigh quotient is never below the slowest rate
    let lowest = Cell::new(f64::INFINITY);
    let iterate = |most: usize, step: &mut Step<'_>| {
        power_iteration("inverse iteration", start.clone(), most, tolerance, |f| {
            let (mut next, estimate) = step(f)?;
            centred(&mut next);
            lowest.set(lowest.get().min(estimate));
            Ok((next, estimate))
        })
    };
    let iterated = iterate(MOST, &mut step);
    if !matches!(iterated, Err(Error::NotConverged { .. })) {
        return iterated;
    }
    let mut solves = MOST;
    let inverse = |f: &[f64]| {
        solves += 1;
        let mut next = step(f)?.0;
        remove_mean(&mut next, pi);
        Ok(next)
    };
    let mut pairs = dominant_eigenpairs(inverse, &start, pi, &BASIS)?.pairs;
    // one is there, or the iteration would not have converged
    let Some(pair) = pairs.drain(..).next() else {
        return iterate(MOST_OF_ALL, &mut step);
    };
    let f: Vec<f64> = pair.vector.iter().map(|f| f.re).collect();
    let (mut vector, estimate) = step(&f)?;
    centred(&mut vector);
    if !(estimate <= lowest.get() * (1.0 + NEAR)) {
        return iterate(MOST_OF_ALL, &mut step);
    }
    Ok(PowerIteration {
        estimate,
        vector,
        iterations: solves + 1,
        residual: pair.residual * pair.residual,
        remaining: pair.residual * pair.residual,
    })
}

/// The gap by the plain factorisation, or why not.
fn plain_gap<const D: usize>(generator: &Generator<D>) -> Result<std::result::Result<SpectralGap, Refusal>> {
    generator.require_no_absorption()?;
    let Some(rates) = generator.sparse() else {
        return Ok(Err(Refusal::Line));
    };
    let balance = match DetailedBalance::new(rates)? {
        Some(balance) if balance.imbalance <= TOLERANCE => balance,
        other => {
            return Ok(Err(Refusal::Imbalance(
                other.map_or(f64::INFINITY, |b| b.imbalance),
            )));
        }
    };
    let pin = most_probable(&balance.log_probability);
    let ordering = generator.elimination_order(rates)?;
    let no_killing = vec![0.0; rates.states()];
    let factor = match Cholesky::new(rates, &balance, &no_killing, Some(pin), &ordering) {
        Ok(factor) => factor,
        Err(Error::NotPositive { .. }) => return Ok(Err(Refusal::NegativePivot)),
        Err(Error::NotFinite { .. }) => {
            let smallest = balance
                .log_probability
                .iter()
                .copied()
                .fold(f64::INFINITY, f64::min);
            return Ok(Err(Refusal::Range(smallest)));
        }
        Err(other) => return Err(other),
    };
    let pi: Vec<f64> = balance.log_probability.iter().map(|l| l.exp()).collect();
    let mut start: Vec<f64> = generator
        .states()
        .iter()
        .map(|&cell| unsymmetric(generator.grid(), cell))
        .collect();
    // a solve of a function of unit norm that grows beyond this is lost in rounding
    let rounding = |growth: f64| f64::EPSILON * factor.norm() * growth;
    let growth = Cell::new(0.0f64);
    let solve = |f: &[f64]| -> Result<Vec<f64>> {
        let mut next = factor.solve(f)?;
        growth.set(
            growth
                .get()
                .max((weighted_inner(&next, &next, &pi) / weighted_inner(f, f, &pi)).sqrt()),
        );
        remove_mean(&mut next, &pi);
        Ok(next)
    };
    remove_mean(&mut start, &pi);
    let start = solve(&start)?;
    let before = rounding(growth.get());
    if !(before <= TOLERANCE) {
        return Ok(Err(Refusal::Rounding(before)));
    }
    let found = inverse_iteration(start, &pi, |f| {
        let next = solve(f)?;
        let estimate = rates.dirichlet_form(&pi, &next)? / weighted_inner(&next, &next, &pi);
        Ok((next, estimate))
    })?;
    let (rate, f) = (found.estimate, found.vector);
    let rounding = rounding(growth.get());
    if !(rounding <= TOLERANCE) {
        return Ok(Err(Refusal::Rounding(rounding)));
    }
    let mut remainder = rates.apply(&f)?;
    remainder.iter_mut().zip(&f).for_each(|(r, f)| *r += rate * f);
    let defect = weighted_inner(&remainder, &remainder, &pi).sqrt() / rate;
    if !(defect <= DEFECT) {
        return Ok(Err(Refusal::Defect(defect)));
    }
    Ok(Ok(SpectralGap {
        rate,
        eigenfunction: generator.on_cells(f, 0.0),
        iterations: found.iterations + 1,
        residual: found.residual,
        factorisation: Factorisation::Cholesky {
            imbalance: balance.imbalance,
            rounding,
            defect,
        },
    }))
}
