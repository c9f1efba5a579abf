//! Other published laws of SGD noise, each with the regime in which its authors derive it.

use std::f64::consts::TAU;

use crate::error::{Result, require, require_finite, require_non_negative, require_positive};
use crate::math::Tensor;

/// ln of the SGD escape time of Xie, Sato and Sugiyama.
///
/// # Formula
/// τ = (2π/|h_b|) exp[(2BΔL/η) (s/h_a + (1 − s)/|h_b|)], h_a the curvature at the minimum and h_b at the saddle along the escape path.
///
/// # Method
/// C = H/B near the minimum and |H| near the saddle, joined at an intermediate loss ΔL·s that the theory leaves free: s in
/// (0, 1) is a parameter of the path. Valid for B ΔL/η ≫ curvatures; the law's content is ln τ ∝ BΔL/(η h_a).
/// The prefactor belongs to the anti-Ito equation (p ∝ exp(−∫L'/D)); for the Ito process on a line it is 2π/h_a, that is the time above
/// times |h_b|/h_a.
///
/// # Errors
/// [`crate::Error::InvalidParameter`] naming the parameter that is out of range (`saddle_curvature` is |h_b|).
///
/// # References
/// Z. Xie, I. Sato and M. Sugiyama, A diffusion theory for deep learning dynamics, ICLR 2021, Theorem 3.2.
pub fn xie_sato_sugiyama_log_escape_time(
    barrier: f64,
    minimum_curvature: f64,
    saddle_curvature: f64,
    path_fraction: f64,
    learning_rate: f64,
    batch_size: f64,
) -> Result<f64> {
    require_positive("barrier", barrier)?;
    require_positive("minimum_curvature", minimum_curvature)?;
    require_positive("saddle_curvature", saddle_curvature)?;
    require(
        "path_fraction",
        path_fraction,
        |s| (0.0..=1.0).contains(&s),
        "a number in [0, 1] is needed",
    )?;
    require_positive("learning_rate", learning_rate)?;
    require_positive("batch_size", batch_size)?;
    let exponent = 2.0 * batch_size * barrier / learning_rate
        * (path_fraction / minimum_curvature + (1.0 - path_fraction) / saddle_curvature);
    Ok((TAU / saddle_curvature).ln() + exponent)
}

/// Power-law escape of Mori, Ziyin, Liu and Ueda for the loss-scaled noise C = 2 L h*.
///
/// # Formula
/// κ = (|h_e|/2π) sqrt(det H*/|det H_s|) (L_s/L*)^{−(B/(ηh*) + 1 − n/2)} in n variables, over a saddle of loss L_s, Hessian H_s and negative
/// curvature h_e, from a minimum of loss L* and Hessian H*; the prefactor is sqrt(h*|h_e|)/2π on a line. The stationary density is p ∝ L^{−φ},
/// φ = 1 + B/(ηh*), in any number of variables.
///
/// # Method
/// D = (ηh*/B) L 1 with one typical curvature h*, so that the barrier is logarithmic: ∫ L'/D = (B/(ηh*)) ln(L_s/L*). Eyring and Kramers with this
/// noise; valid for (B/(ηh*)) ln(L_s/L*) ≫ 1, L* > 0, in the time t = ηk. Relative error of order ηh*/B.
///
/// # References
/// T. Mori, L. Ziyin, K. Liu and M. Ueda, Power-law escape rate of SGD, ICML 2022, eq. 17.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PowerLawEscape {
    relative_batch: f64,
}

impl PowerLawEscape {
    /// The law for curvature h* > 0 at the minimum, learning rate η > 0 and batch size B > 0.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] naming the parameter that is not positive.
    pub fn new(minimum_curvature: f64, learning_rate: f64, batch_size: f64) -> Result<Self> {
        require_positive("minimum_curvature", minimum_curvature)?;
        require_positive("learning_rate", learning_rate)?;
        require_positive("batch_size", batch_size)?;
        Ok(Self {
            relative_batch: batch_size / (learning_rate * minimum_curvature),
        })
    }

    /// φ = 1 + B/(ηh*).
    ///
    /// # Examples
    /// ```
    /// use freezeout::rates::literature::PowerLawEscape;
    /// assert!((PowerLawEscape::new(1.0, 0.1, 1.0)?.stationary_exponent() - 11.0).abs() < 1e-14);
    /// # Ok::<(), freezeout::Error>(())
    /// ```
    pub fn stationary_exponent(&self) -> f64 {
        1.0 + self.relative_batch
    }

    /// ln κ for the losses and the Hessian eigenvalues at the minimum and at the saddle, which has one that is negative; n is their number.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] naming the loss or curvature that is out of range, [`crate::Error::DimensionMismatch`] when the two lists
    /// differ in length.
    pub fn log_escape_rate(
        &self,
        minimum_loss: f64,
        saddle_loss: f64,
        minimum_curvatures: &[f64],
        saddle_curvatures: &[f64],
    ) -> Result<f64> {
        require_positive("minimum_loss", minimum_loss)?;
        require(
            "saddle_loss",
            saddle_loss,
            |v| v > minimum_loss,
            "a number above minimum_loss is needed",
        )?;
        if minimum_curvatures.len() != saddle_curvatures.len() {
            return Err(crate::Error::DimensionMismatch {
                name: "saddle_curvatures".into(),
                expected: minimum_curvatures.len(),
                got: saddle_curvatures.len(),
            });
        }
        let mut log_ratio = 0.0;
        for curvature in minimum_curvatures {
            log_ratio += require_positive("minimum_curvatures", *curvature)?.ln();
        }
        let negative: Vec<f64> = saddle_curvatures.iter().copied().filter(|h| *h < 0.0).collect();
        require(
            "saddle_curvatures",
            negative.len() as f64,
            |n| n == 1.0,
            "one of them must be negative",
        )?;
        for curvature in saddle_curvatures {
            log_ratio -= require_positive("saddle_curvatures", curvature.abs())?.ln();
        }
        let exponent = self.relative_batch + 1.0 - 0.5 * minimum_curvatures.len() as f64;
        Ok(
            negative[0].abs().ln() - TAU.ln() + 0.5 * log_ratio
                - exponent * (saddle_loss / minimum_loss).ln(),
        )
    }
}

/// ln odds of ending in minimum A rather than B under noise that is isotropic in each of them, Jastrzębski et al.
///
/// # Formula
/// ln(p_A/p_B) = ½ ln(det H_B/det H_A) + L_B/T_B − L_A/T_A + (n/2 − 1) ln(T_A/T_B), T = η c/(2B) with C = c 1, in n variables. With one temperature
/// it is the published law, ½ ln(det H_B/det H_A) + (L_B − L_A)/T. With two, losses count from the ridge at which the noise jumps, and the last
/// term says that there pD is continuous (Ito), not p.
///
/// # Method
/// Laplace approximation of p ∝ exp(−L/T)/T on either side; stationary, both wells deep against their T.
///
/// # Errors
/// [`crate::Error::InvalidParameter`] unless temperatures and determinants are positive.
///
/// # References
/// S. Jastrzębski et al., Three factors influencing minima in SGD, arXiv 1711.04623 (2018), for one temperature.
pub fn jastrzebski_log_odds<const D: usize>(
    loss: [f64; 2],
    hessian: [&Tensor<D>; 2],
    temperature: [f64; 2],
) -> Result<f64> {
    let mut log_weights = [0.0; 2];
    for (k, log) in log_weights.iter_mut().enumerate() {
        let t = require_positive("temperature", temperature[k])?;
        let determinant = nalgebra::DMatrix::from_iterator(D, D, hessian[k].iter().copied()).determinant();
        let determinant = require_positive("determinant of a minimum's Hessian", determinant)?;
        *log = (0.5 * D as f64 - 1.0) * t.ln() - 0.5 * determinant.ln() - loss[k] / t;
    }
    Ok(log_weights[0] - log_weights[1])
}

/// Stationary variance of discrete SGD on a quadratic loss in one dimension.
///
/// # Formula
/// S = η C/(h (2 − η h)), C the covariance of the gradient noise of a batch; η C/(2h) as η → 0.
///
/// # Errors
/// [`crate::Error::InvalidParameter`] for h ≤ 0, C < 0 or η h ≥ 2, where the iteration diverges.
///
/// # References
/// S. Mandt, M. Hoffman and D. Blei, JMLR 18, 134 (2017); K. Liu, L. Ziyin and M. Ueda, ICML 2021.
///
/// # Examples
/// ```
/// use freezeout::rates::literature::discrete_quadratic_variance;
/// // x ← 0.5 x + 0.5 ξ with unit noise: S = 0.25/(1 − 0.25).
/// assert!((discrete_quadratic_variance(1.0, 1.0, 0.5)? - 1.0 / 3.0).abs() < 1e-15);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn discrete_quadratic_variance(curvature: f64, covariance: f64, learning_rate: f64) -> Result<f64> {
    let hessian = Tensor::<1>::new(curvature);
    discrete_quadratic_covariance(&hessian, &Tensor::<1>::new(covariance), learning_rate).map(|s| s[0])
}

/// Variance at the ends of epochs of SGD on a quadratic loss in one dimension, when every epoch draws each of m samples once, in batches of B that divide m.
///
/// # Formula
/// S = η² C m/(B (m − 1)) Σ_j (r^j − r̄)²/(1 − r^{2n}), r = 1 − ηh, n = m/B batches an epoch, j from 0 to n − 1, r̄ the mean of the r^j, and C the covariance of the gradients
/// of single samples about their mean.
///
/// # Method
/// An epoch leads from θ to r^n θ − η Σ_j r^{n−1−j} ξ_j with ξ_j the noise of batch j. The ξ_j of an epoch add up to zero: each has the variance C (m − B)/(B (m − 1)), and two
/// of them that over −(n − 1). Epochs are independent, so that S = r^{2n} S + the variance of the sum. Drawn with replacement the variance is
/// [`discrete_quadratic_variance`] with the covariance C/B.
///
/// # Errors
/// [`crate::Error::InvalidParameter`] for h ≤ 0, C < 0 or η h ≥ 2, fewer than two samples, or batches that do not divide them.
///
/// # References
/// Variance of means without replacement: W. Cochran, Sampling Techniques, Wiley (1977), theorem 2.2. Why it lets SGD converge faster: M. Gürbüzbalaban, A. Ozdaglar and
/// P. Parrilo, Math. Program. 186, 49 (2021).
///
/// # Examples
/// ```
/// use freezeout::rates::literature::{
///     discrete_quadratic_variance, discrete_quadratic_variance_without_replacement,
/// };
/// // m = 10, B = 1, ηh = 0.1: the noise of an epoch nearly cancels.
/// let without = discrete_quadratic_variance_without_replacement(1.0, 1.0, 0.1, 10, 1)?;
/// let with = discrete_quadratic_variance(1.0, 1.0, 0.1)?;
/// assert!((without - 0.00482).abs() < 5e-6 && (with - 0.05263).abs() < 5e-6);
/// // Nothing is left of it in batches of all samples.
/// assert_eq!(discrete_quadratic_variance_without_replacement(1.0, 1.0, 0.1, 10, 10)?, 0.0);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn discrete_quadratic_variance_without_replacement(
    curvature: f64,
    covariance: f64,
    learning_rate: f64,
    samples: usize,
    batch_size: usize,
) -> Result<f64> {
    let m = require("samples", samples as f64, |m| m >= 2.0, "at least 2 are needed")?;
    let divides = |b: f64| b >= 1.0 && samples.is_multiple_of(batch_size);
    let b = require(
        "batch_size",
        batch_size as f64,
        divides,
        "a divisor of the number of samples is needed",
    )?;
    require_non_negative("covariance", covariance)?;
    let product =
        require_positive("learning_rate", learning_rate)? * require_positive("curvature", curvature)?;
    let r = 1.0
        - require(
            "learning_rate * curvature",
            product,
            |v| v < 2.0,
            "it must be below 2",
        )?;
    let mut weights = vec![1.0; samples / batch_size];
    for j in 1..weights.len() {
        weights[j] = r * weights[j - 1];
    }
    let n = weights.len() as f64;
    let mean = weights.iter().sum::<f64>() / n;
    let scatter: f64 = weights.iter().map(|w| (w - mean).powi(2)).sum();
    let step = learning_rate * learning_rate * covariance / b;
    Ok(step * m / (m - 1.0) * scatter / (1.0 - r.powf(2.0 * n)))
}

/// Stationary covariance S of discrete SGD on a quadratic loss: S H + H S − η H S H = η C.
///
/// # Formula
/// In the eigenbasis of H, S_ij = η C_ij/(h_i + h_j − η h_i h_j).
///
/// # Errors
/// [`crate::Error::InvalidParameter`] for an eigenvalue h ≤ 0 or η h ≥ 2, or a C that is not finite.
///
/// # References
/// K. Liu, L. Ziyin and M. Ueda, Noise and fluctuation of finite learning rate SGD, ICML 2021.
pub fn discrete_quadratic_covariance<const D: usize>(
    hessian: &Tensor<D>,
    covariance: &Tensor<D>,
    learning_rate: f64,
) -> Result<Tensor<D>> {
    require_positive("learning_rate", learning_rate)?;
    for value in covariance.iter() {
        require_finite("covariance", *value)?;
    }
    let eigen = nalgebra::SymmetricEigen::<f64, nalgebra::Dyn>::new(nalgebra::DMatrix::from_iterator(
        D,
        D,
        hessian.iter().copied(),
    ));
    let values = eigen.eigenvalues;
    for h in values.iter() {
        require_positive("curvature", *h)?;
        require(
            "learning_rate * curvature",
            learning_rate * h,
            |v| v < 2.0,
            "it must be below 2",
        )?;
    }
    let vectors = Tensor::<D>::from_iterator(eigen.eigenvectors.iter().copied());
    let rotated = vectors.transpose() * covariance * vectors;
    let solution = Tensor::<D>::from_fn(|i, j| {
        learning_rate * rotated[(i, j)] / (values[i] + values[j] - learning_rate * values[i] * values[j])
    });
    Ok(vectors * solution * vectors.transpose())
}
