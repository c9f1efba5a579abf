//! Mean velocity and effective diffusivity on a periodic line.

use crate::error::{Error, Result};
use crate::generator::Generator;
use crate::math::log_domain::log_add_exp;

/// How a process on a periodic line moves in the long run, turns counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LongTimeMotion {
    /// v = lim ⟨x(t)⟩/t.
    pub velocity: f64,
    /// lim Var x(t)/2t.
    pub diffusivity: f64,
}

/// Mean velocity and effective diffusivity of a process on a line whose ends are joined; none for any other process.
///
/// # Formula
/// With rates r± of the jumps to the next cells and the stationary probabilities P, the harmonic coordinate h grows by the period ℓ in a turn and
/// drifts evenly, Lh = v; its increments w_i = h_{i+1} − h_i obey
/// ```text
/// r_i⁺ w_i − r_i⁻ w_{i−1} = v,   Σ w_i = ℓ,   D_eff = ½ Σ P_i (r_i⁺ w_i² + r_i⁻ w_{i−1}²)
/// ```
/// Without a mean force w ∝ e^U/D and D_eff = ℓ²/(∮e^{−U} ∮e^U/D), which is the law of Lifson and Jackson.
///
/// # Method
/// The recursion runs the way the process drifts, in logarithms, and all its terms are positive; the one difference is 1 − Π r⁻/r⁺, taken by
/// expm1. Second order in the cells.
///
/// # Errors
/// [`Error::NotFinite`], and those of [`Generator::log_stationary`].
///
/// # References
/// S. Lifson and J. L. Jackson, J. Chem. Phys. 36, 2410 (1962); B. Derrida, J. Stat. Phys. 31, 433 (1983); P. Reimann et al., Phys. Rev. Lett.
/// 87, 010602 (2001).
///
/// # Examples
/// ```
/// use freezeout::diffusion::DriftDiffusion;
/// use freezeout::generator::{Discretisation, Generator};
/// use freezeout::grid::{Axis, Grid};
/// use freezeout::math::Point;
/// use freezeout::noise::Isotropic;
/// use freezeout::observables::long_time_motion;
/// use freezeout::region::Boundary;
/// let wind = DriftDiffusion::new(|_: &Point<1>| [0.5].into(), Isotropic::new(1.0)?, 0.2)?;
/// let grid = Grid::new([Axis::uniform(0.0, 1.0, 400)?]);
/// let ring = Discretisation { boundaries: [[Boundary::Periodic; 2]], ..Discretisation::default() };
/// let motion = long_time_motion(&Generator::assemble_with(&wind, grid, &ring)?)?.ok_or("a ring")?;
/// assert!((motion.velocity - 0.5).abs() < 1e-9 && (motion.diffusivity - 0.2).abs() < 1e-5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn long_time_motion<const D: usize>(generator: &Generator<D>) -> Result<Option<LongTimeMotion>> {
    let n = generator.grid().cells();
    let Some(rates) = generator
        .sparse()
        .filter(|_| D == 1 && generator.states().len() == n)
    else {
        return Ok(None);
    };
    let ln = |from: usize, to: usize| rates.rate(from, to).ln();
    let mut up: Vec<f64> = (0..n).map(|i| ln(i, (i + 1) % n)).collect();
    let mut down: Vec<f64> = (0..n).map(|i| ln(i, (i + n - 1) % n)).collect();
    let mut probability = generator.log_stationary()?;
    let bias = |up: &[f64], down: &[f64]| -> f64 { down.iter().zip(up).map(|(d, u)| d - u).sum() };
    let goes_down = bias(&up, &down) > 0.0;
    if goes_down {
        // seen in a mirror it goes up
        std::mem::swap(&mut up, &mut down);
        for values in [&mut up, &mut down, &mut probability] {
            values.reverse();
        }
    }
    // ln w of v = 1 and w_{−1} = 0, and of v = 0 and w_{−1} = 1
    let (mut driven, mut free) = (Vec::with_capacity(n), Vec::with_capacity(n));
    let (mut last, mut product) = (f64::NEG_INFINITY, 0.0);
    for i in 0..n {
        last = log_add_exp(0.0, down[i] + last) - up[i];
        product += down[i] - up[i];
        driven.push(last);
        free.push(product);
    }
    // w_{−1} = w_{n−1} closes the turn: times 1 − Π r⁻/r⁺, so that it stays finite where nothing drifts
    let closure = (-product.exp_m1()).max(0.0);
    let increments: Vec<f64> = driven
        .iter()
        .zip(&free)
        .map(|(driven, free)| log_add_exp(closure.ln() + driven, free + last))
        .collect();
    let total = increments.iter().copied().fold(f64::NEG_INFINITY, log_add_exp);
    let axis = &generator.grid().axes()[0];
    let period = axis.upper() - axis.lower();
    let square = |i: usize| 2.0 * (increments[i] - total);
    let diffusivity = (0..n)
        .map(|i| {
            let through = log_add_exp(up[i] + square(i), down[i] + square((i + n - 1) % n));
            (probability[i] + through).exp()
        })
        .sum::<f64>()
        * 0.5
        * period
        * period;
    let speed = closure * period * (-total).exp();
    let velocity = if goes_down { -speed } else { speed };
    if !(velocity.is_finite() && diffusivity.is_finite()) {
        return Err(Error::NotFinite {
            quantity: "motion along a periodic line".into(),
            reason: format!("velocity {velocity}, diffusivity {diffusivity}"),
        });
    }
    Ok(Some(LongTimeMotion {
        velocity,
        diffusivity,
    }))
}
