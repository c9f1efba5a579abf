//! The covariance of the gradients of single samples in the directions of the Hessian's eigenvectors.

use super::cross_entropy::Linearised;
use super::flatness::LayerHessian;
use crate::error::{Error, Result};
use crate::statistics::{Estimate, bootstrap, mean, variance};
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

/// How the noise follows the curvature.
#[derive(Debug, Clone, PartialEq)]
pub struct NoiseExponent {
    /// g of C_ii ∝ H_ii^g, with its bootstrap error over the directions.
    pub exponent: Estimate,
    /// H_ii, largest first.
    pub curvature: Vec<f64>,
    /// C_ii, variance of the gradient of one sample in these directions.
    pub covariance: Vec<f64>,
}

/// How far the noise is from a normal law.
#[derive(Debug, Clone, PartialEq)]
pub struct NoiseShape {
    /// Excess kurtosis of the gradient of one sample, mean over the directions with the standard error by their scatter. That of a batch drawn with replacement is this over B.
    pub excess_kurtosis: Estimate,
    /// Hill's tail index of the noise of a batch.
    pub tail_index: Estimate,
    /// The same of as many normal numbers, which have a finite index at any finite number.
    pub normal_tail_index: Estimate,
}

/// Draws of a batch in one direction.
const DRAWS: usize = 500;
/// Share of the largest values of which Hill's estimator is made.
const TAIL: f64 = 0.05;

/// How far the noise of a batch of `batch_size` samples is from a normal law, along eigenvectors of the Hessian.
///
/// # Formula
/// Excess kurtosis ⟨z⁴⟩/⟨z²⟩² − 3 of z = v·(∇ℓ_n − ∇L); Hill: 1/α = (1/k) Σ_i ln(|z_i|/|z_k|) over the k largest of |z|, standard error α/sqrt(k).
///
/// # Method
/// 500 batches a direction, drawn with replacement, z in units of its standard deviation in each direction; k is the largest twentieth of all. Values of different directions at one batch are drawn independently.
/// An index means a power law only where it is below that of normal numbers and does not depend on k.
///
/// # Errors
/// [`Error::TooFewSamples`] for fewer than two directions, [`Error::NotFinite`] for a direction without noise.
///
/// # References
/// B. M. Hill, Ann. Stat. 3 (1975) 1163; U. Simsekli, L. Sagun and M. Gurbuzbalaban, ICML 2019, asks the question of networks.
pub fn noise_shape(
    loss: &Linearised<'_>,
    hessian: &LayerHessian,
    batch_size: usize,
    seed: u64,
) -> Result<NoiseShape> {
    let directions = hessian.pairs.iter();
    let along: Vec<Vec<f64>> = directions
        .map(|pair| loss.sample_gradients_along(hessian.layer, &pair.vector))
        .collect();
    shape(&along, batch_size, seed)
}

fn shape(along: &[Vec<f64>], batch_size: usize, seed: u64) -> Result<NoiseShape> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let (mut kurtosis, mut drawn, mut normal) = (Vec::new(), Vec::new(), Vec::new());
    for values in along {
        let n = values.len() as f64;
        let centre = values.iter().sum::<f64>() / n;
        let moment = |power: i32| values.iter().map(|v| (v - centre).powi(power)).sum::<f64>() / n;
        let square = moment(2);
        if !(square > 0.0 && square.is_finite()) {
            return Err(Error::NotFinite {
                quantity: "the shape of the noise".into(),
                reason: "a direction has no noise".into(),
            });
        }
        kurtosis.push(moment(4) / (square * square) - 3.0);
        let scale = (square / batch_size as f64).sqrt();
        for _ in 0..DRAWS {
            let draw = (0..batch_size).map(|_| values[random.random_range(0..values.len())] - centre);
            drawn.push((draw.sum::<f64>() / batch_size as f64 / scale).abs());
            normal.push(f64::abs(StandardNormal.sample(&mut random)));
        }
    }
    Ok(NoiseShape {
        excess_kurtosis: mean(&kurtosis)?,
        tail_index: hill(drawn),
        normal_tail_index: hill(normal),
    })
}

/// Hill's index of positive numbers.
fn hill(mut values: Vec<f64>) -> Estimate {
    values.sort_by(|a, b| b.total_cmp(a));
    let k = ((TAIL * values.len() as f64) as usize).max(1);
    let inverse = values[..k].iter().map(|v| (v / values[k]).ln()).sum::<f64>() / k as f64;
    Estimate {
        value: 1.0 / inverse,
        standard_error: 1.0 / (inverse * (k as f64).sqrt()),
        samples: k,
    }
}

/// Resamples of the bootstrap.
const RESAMPLES: usize = 400;

/// Exponent g with which the noise of the gradient follows the curvature.
///
/// # Formula
/// C_ii = Var_n(v_i·∇ℓ_n), H_ii = λ_i; g is the slope of the least-squares line through (ln H_ii, ln C_ii).
///
/// # Method
/// The error is that of a bootstrap over the directions, which have equal weights: the scatter about the power law, not that of the samples, which are all
/// there are.
///
/// # Errors
/// [`Error::NotFinite`] when a curvature or a variance is not positive, [`Error::TooFewSamples`] for fewer than ten directions.
///
/// # References
/// arXiv 2602.05600: 1 <= g <= 2.
pub fn noise_exponent(loss: &Linearised<'_>, hessian: &LayerHessian, seed: u64) -> Result<NoiseExponent> {
    let curvature = hessian.values();
    let covariance: Vec<f64> = (hessian.pairs.iter())
        .map(|pair| {
            let along = loss.sample_gradients_along(hessian.layer, &pair.vector);
            variance(&along).map(|v| v.value)
        })
        .collect::<Result<_>>()?;
    Ok(NoiseExponent {
        exponent: power(&curvature, &covariance, seed)?,
        curvature,
        covariance,
    })
}

/// Exponent of a power law, with its bootstrap error.
pub(super) fn power(curvature: &[f64], covariance: &[f64], seed: u64) -> Result<Estimate> {
    let pairs: Vec<(f64, f64)> = curvature
        .iter()
        .zip(covariance)
        .map(|(h, c)| (h.ln(), c.ln()))
        .collect();
    if !pairs.iter().all(|(h, c)| h.is_finite() && c.is_finite()) {
        return Err(Error::NotFinite {
            quantity: "the exponent of the noise".into(),
            reason: "a curvature or a variance is not positive".into(),
        });
    }
    Ok(bootstrap(&pairs, RESAMPLES, seed, slope)?.estimate)
}

/// Slope of the least-squares line.
fn slope(pairs: &[(f64, f64)]) -> f64 {
    let n = pairs.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / n;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let along: f64 = pairs.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    along / pairs.iter().map(|p| (p.0 - x).powi(2)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Normal samples are normal, those of Student's law with three degrees are not, and their batches less so the larger they are.
    #[test]
    fn the_shape_tells_a_heavy_tail_from_a_normal_one() {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(4);
        let normal = |random: &mut Xoshiro256PlusPlus| -> f64 { StandardNormal.sample(random) };
        let mut directions = |heavy: bool| -> Vec<Vec<f64>> {
            let mut one = |heavy: bool| {
                let chi: f64 = (0..3).map(|_| normal(&mut random).powi(2)).sum();
                normal(&mut random) / if heavy { (chi / 3.0).sqrt() } else { 1.0 }
            };
            (0..20).map(|_| (0..500).map(|_| one(heavy)).collect()).collect()
        };
        let (light, heavy) = (directions(false), directions(true));
        let flat = shape(&light, 1, 1).unwrap();
        assert!(flat.excess_kurtosis.z_score(0.0).abs() < 4.0, "{flat:?}");
        let away = flat.tail_index.value - flat.normal_tail_index.value;
        assert!(
            away.abs() < 4.0 * flat.tail_index.standard_error * 2.0_f64.sqrt(),
            "{flat:?}"
        );
        let steep = shape(&heavy, 1, 1).unwrap();
        assert!(steep.excess_kurtosis.z_score(0.0) > 4.0, "{steep:?}");
        assert!(
            steep.tail_index.value < 3.5 && steep.tail_index.value > 2.0,
            "{steep:?}"
        );
        let many = shape(&heavy, 100, 1).unwrap();
        assert!(many.tail_index.value > steep.tail_index.value + 1.0, "{many:?}");
        assert!(shape(&[vec![1.0; 9], vec![1.0; 9]], 1, 1).is_err());
    }

    #[test]
    fn a_power_law_is_found_and_a_shuffled_one_is_not() {
        let curvature: Vec<f64> = (1..=20).map(|k| 10.0 / f64::from(k)).collect();
        // scatter of some per cent about g = 1.5
        let covariance: Vec<f64> = (curvature.iter().enumerate())
            .map(|(k, h)| h.powf(1.5) * (0.1 * (k as f64).sin()).exp())
            .collect();
        let found = power(&curvature, &covariance, 1).unwrap();
        assert!(
            found.z_score(1.5).abs() < 4.0 && found.standard_error < 0.1,
            "{found:?}"
        );
        let shuffled: Vec<f64> = (0..20).map(|k| covariance[(7 * k + 3) % 20]).collect();
        let none = power(&curvature, &shuffled, 1).unwrap();
        assert!(none.z_score(1.5) < -4.0, "{none:?}");
        assert!(power(&[1.0; 10], &[0.0; 10], 1).is_err());
        assert!(power(&curvature[..9], &covariance[..9], 1).is_err());
    }
}
