//! Escape rates for small noise: which formula holds, and what it is worth.

use super::least_action::LeastAction;
use super::problem::Problem;
use crate::diffusion::{Diffusion, Equilibrium};
use crate::error::{Error, Result};
use crate::landscape::{Landscape, critical_point};
use crate::math::log_domain::log_add_exp;
use crate::math::{Point, Tensor};
use crate::path::{Path, geometric_action, instanton_rate};
use crate::rates::SaddlePassage;

/// A formula for the escape rate at small noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmallNoiseFormula {
    /// Eyring-Kramers-Langer: b = −∇L and D = T·I.
    EyringKramers,
    /// Bouchet and Reygner: with or without detailed balance.
    BouchetReygner,
}

impl SmallNoiseFormula {
    /// Its authors.
    pub fn name(self) -> &'static str {
        match self {
            Self::EyringKramers => "Eyring-Kramers-Langer",
            Self::BouchetReygner => "Bouchet-Reygner",
        }
    }

    /// Where it holds.
    pub fn regime(self) -> &'static str {
        match self {
            Self::EyringKramers => {
                "b = -grad L and D = T I, one saddle limits the passage, loss barrier far above T; relative error of order T/barrier"
            }
            Self::BouchetReygner => {
                "with or without detailed balance, one saddle, isolated instantons, exponent far above 1; relative error of order 1/exponent"
            }
        }
    }
}

/// An escape rate for small noise; see [`small_noise_rate`].
#[derive(Debug, Clone, PartialEq)]
pub struct SmallNoiseRate<const D: usize> {
    /// The formula.
    pub formula: SmallNoiseFormula,
    /// ln k.
    pub log_rate: f64,
    /// Error of ln k by discretisation; that of the formula is not in it.
    pub error: f64,
    /// Scale of the relative error of the formula: 1/exponent.
    pub deviation: f64,
    /// ΔL/T, where the highest saddle of a loss is the first one, so that the action must be the same.
    pub reduced_barrier: Option<f64>,
    /// The instantons whose rates are summed, where the formula asks for them.
    pub instantons: Vec<Path<D>>,
    /// Why the rate into the target is another quantity, if it is.
    pub incomparable: Option<&'static str>,
}

/// Why no formula for small noise holds.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoFormula {
    /// The path of least action passes no saddle.
    #[error("the path passes no saddle")]
    NoSaddle,
    /// Several saddles without a loss.
    #[error("several saddles, and no loss with D = T I that ranks them")]
    UnrankedSaddles,
    /// Another well on the way.
    #[error("a well about as deep or deeper lies between the start and the highest saddle")]
    SecondWell,
    /// The formula could not be evaluated.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// The escape rate by the formula that holds for the problem.
///
/// # Method
/// Eyring, Kramers and Langer's formula with the highest saddle where b = −∇L and D = T·I, see [`SaddlePassage`]; else Bouchet and Reygner's
/// through a single saddle, see [`instanton_rate`] with `pieces` pieces, summed over the different instantons to which the initial paths of
/// [`quasi_potential`](crate::path::quasi_potential) lead (two where symmetry makes a twin). One above the lowest whose prefactor is not known, as a path has none that is no local minimum, counts as an
/// error of its e^{−V}.
///
/// # Errors
/// [`NoFormula`] says why none holds.
pub fn small_noise_rate<const D: usize>(
    problem: &Problem<D>,
    found: &LeastAction<D>,
    pieces: usize,
) -> std::result::Result<SmallNoiseRate<D>, NoFormula> {
    let saddle = found.limiting_saddle(problem).ok_or(NoFormula::NoSaddle)?;
    let start = found.path.start();
    let rate = match (problem.landscape(), found.temperature) {
        (Some(landscape), Some(temperature)) => {
            require_single_well(&landscape, &found.path, saddle, temperature)?;
            eyring_kramers(&landscape, &start, saddle, temperature)?
        }
        _ if found.saddles.len() > 1 => {
            return Err(NoFormula::UnrankedSaddles);
        }
        _ => {
            found.instanton.as_ref().map_err(Error::clone)?;
            bouchet_reygner(&problem.ito(), &found.local_minimisers, pieces)?
        }
    };
    let is_first = found
        .saddles
        .first()
        .is_some_and(|first| first.position == saddle.position);
    Ok(SmallNoiseRate {
        incomparable: incomparable(problem, saddle, rate.deviation),
        reduced_barrier: rate.reduced_barrier.filter(|_| is_first),
        ..rate
    })
}

/// Refuses a second well on the way up that is about as deep as the first.
fn require_single_well<const D: usize>(
    landscape: &impl Landscape<D>,
    path: &Path<D>,
    saddle: &Equilibrium<D>,
    temperature: f64,
) -> std::result::Result<(), NoFormula> {
    let distance = |theta: &Point<D>| (theta - saddle.position).norm();
    let points = path.points();
    let nearest = points.iter().map(distance).fold(f64::INFINITY, f64::min);
    let before: Vec<f64> = points
        .iter()
        .take_while(|theta| distance(theta) > nearest)
        .map(|theta| landscape.loss(theta))
        .collect();
    // at 2 T above the first, a well holds e⁻² of its probability
    let lowest = before[0] + 2.0 * temperature;
    let second = before
        .windows(3)
        .any(|l| l[1] <= l[0] && l[1] < l[2] && l[1] < lowest);
    if second {
        return Err(NoFormula::SecondWell);
    }
    Ok(())
}

fn eyring_kramers<const D: usize>(
    landscape: &impl Landscape<D>,
    start: &Point<D>,
    saddle: &Equilibrium<D>,
    temperature: f64,
) -> Result<SmallNoiseRate<D>> {
    let (minimum, saddle) = (
        critical_point(landscape, *start)?,
        critical_point(landscape, saddle.position)?,
    );
    let passage = SaddlePassage::between(landscape, &minimum, &saddle)?;
    Ok(SmallNoiseRate {
        formula: SmallNoiseFormula::EyringKramers,
        log_rate: passage.log_rate(&Tensor::<D>::identity(), temperature)?,
        // stationary points are known to about 1e-9, loss and curvature there to better than this
        error: 1e-8,
        deviation: temperature / passage.barrier,
        reduced_barrier: Some(passage.barrier / temperature),
        instantons: Vec::new(),
        incomparable: None,
    })
}

/// The formula without detailed balance, summed over the instantons.
fn bouchet_reygner<const D: usize>(
    diffusion: &impl Diffusion<D>,
    initial: &[Path<D>],
    pieces: usize,
) -> Result<SmallNoiseRate<D>> {
    /// Paths nearer to each other than this part of their length are one.
    const APART: f64 = 1e-2;
    let no_path = || Error::EmptySet {
        name: "instantons".into(),
    };
    let (lowest, others) = initial.split_first().ok_or_else(no_path)?;
    let first = instanton_rate(diffusion, lowest, pieces)?;
    let (mut instantons, mut unknown) = (vec![first], 0.0);
    for path in others {
        match instanton_rate(diffusion, path, pieces) {
            Ok(found) => {
                let is_known = instantons
                    .iter()
                    .any(|other| distance(&other.instanton.path, &found.instanton.path) < APART);
                if !is_known {
                    instantons.push(found);
                }
            }
            Err(_) => unknown += (instantons[0].instanton.action - geometric_action(diffusion, path)?).exp(),
        }
    }
    let logarithms = instantons.iter().map(|found| found.log_rate);
    let largest_error = instantons.iter().map(|found| found.error).fold(0.0, f64::max);
    Ok(SmallNoiseRate {
        formula: SmallNoiseFormula::BouchetReygner,
        log_rate: logarithms.fold(f64::NEG_INFINITY, log_add_exp),
        error: largest_error + unknown,
        deviation: 1.0 / instantons[0].instanton.action,
        reduced_barrier: None,
        instantons: instantons.into_iter().map(|found| found.instanton.path).collect(),
        incomparable: None,
    })
}

/// Largest distance of points at the same part of two paths, in units of the length of the first.
fn distance<const D: usize>(one: &Path<D>, other: &Path<D>) -> f64 {
    let pairs = one.points().iter().zip(other.points());
    pairs.map(|(a, b)| (a - b).norm()).fold(0.0, f64::max) / one.length()
}

/// Why the rate into the target is not the rate through the saddle, if so.
fn incomparable<const D: usize>(
    problem: &Problem<D>,
    saddle: &Equilibrium<D>,
    deviation: f64,
) -> Option<&'static str> {
    /// Widths sqrt(D/λ₊) beyond the saddle from where 2 % of the paths come back.
    const WIDTHS: f64 = 2.0;
    const STEPS: i32 = 40;
    if deviation >= 1.0 {
        return Some("the barrier is below the noise: there is no escape rate");
    }
    let Some((rate, direction)) = saddle.growth() else {
        return Some("the motion at the saddle has no single growing direction");
    };
    let spread = direction.dot(&(problem.ito().tensor(&saddle.position) * direction));
    let step = direction * (WIDTHS * (spread / rate).sqrt() / f64::from(STEPS));
    let near = (-STEPS..=STEPS).any(|k| problem.in_target(&(saddle.position + step * f64::from(k))));
    near.then_some("the target begins at the saddle, from where paths still return: the grid counts them too")
}
