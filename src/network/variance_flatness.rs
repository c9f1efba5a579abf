//! The variance of the weights along training against the flatness of the loss, direction by direction.

use super::cross_entropy::CrossEntropy;
use super::gradient_noise::power;
use super::principal_components::PrincipalComponents;
use super::training::{Training, train};
use crate::error::{Error, Result};
use crate::statistics::Estimate;
use rand::Rng;

/// How the variance of the weights follows the flatness.
#[derive(Debug, Clone, PartialEq)]
pub struct VarianceFlatness {
    /// ψ of σ_i² ∝ F_i^(−ψ), with its bootstrap error over the directions.
    pub exponent: Estimate,
    /// σ_i², largest first.
    pub variance: Vec<f64>,
    /// F_i: distance of the two places on either side at which the loss is e times that of the state.
    pub flatness: Vec<f64>,
}

/// Steps of the window.
const STEPS: u64 = 400;
/// Directions.
const DIRECTIONS: usize = 15;
/// Distance from the state at which a direction without an e-fold rise is given up.
const FARTHEST: f64 = 1e3;

/// ψ of the weights of one layer, as SGD goes on for 400 steps from a state.
///
/// # Formula
/// σ_i² is the variance along principal component i of the weights over the window, F_i = θ_r − θ_l with L(θ + θ_r p_i) = L(θ + θ_l p_i) = e L(θ), θ being the last state.
///
/// # Method
/// 15 components, widths by bisection to 1e-3. The window is shorter than the relaxation of the slow directions: σ² is what has been explored in it, as in the published measurement.
///
/// # Errors
/// [`Error::NotFinite`] when the loss does not rise e-fold along a component; those of [`train`].
///
/// # References
/// Y. Feng and Y. Tu, PNAS 118 (2021) e2015617118: ψ ≈ 4 on MNIST.
pub fn variance_flatness(
    loss: &mut CrossEntropy<'_>,
    from: &[f64],
    training: &Training,
    layer: usize,
    random: &mut impl Rng,
    seed: u64,
) -> Result<VarianceFlatness> {
    let window = Training {
        steps: STEPS,
        checkpoints: STEPS as usize + 1,
        ..*training
    };
    let run = train(loss, from, &window, random)?;
    let weights = loss.network().weights(layer);
    let states: Vec<Vec<f64>> = run
        .checkpoints
        .iter()
        .map(|theta| theta[weights.clone()].to_vec())
        .collect();
    let found = PrincipalComponents::new(&states, DIRECTIONS);
    let last = run.checkpoints.last().map_or(from, Vec::as_slice);
    let wanted = std::f64::consts::E * loss.evaluate(last).loss;
    let mut side = |component: &[f64], sign: f64| -> Result<f64> {
        let mut is_above = |distance: f64| {
            let mut moved = last.to_vec();
            let pairs = moved[weights.clone()].iter_mut().zip(component);
            pairs.for_each(|(t, c)| *t += sign * distance * c);
            loss.evaluate(&moved).loss >= wanted
        };
        let mut upper = 1e-2;
        while !is_above(upper) {
            upper *= 2.0;
            if upper > FARTHEST {
                return Err(Error::NotFinite {
                    quantity: "the flatness along a principal component".into(),
                    reason: "the loss does not rise e-fold".into(),
                });
            }
        }
        let mut lower = 0.0;
        while upper - lower > 1e-3 * upper {
            let middle = 0.5 * (lower + upper);
            if is_above(middle) {
                upper = middle
            } else {
                lower = middle
            }
        }
        Ok(upper)
    };
    let mut flatness = Vec::with_capacity(DIRECTIONS);
    for component in &found.components {
        flatness.push(side(component, 1.0)? + side(component, -1.0)?);
    }
    let slope = power(&flatness, &found.variance, seed)?;
    Ok(VarianceFlatness {
        exponent: Estimate {
            value: -slope.value,
            ..slope
        },
        variance: found.variance,
        flatness,
    })
}
