//! The function (e^w − 1)/w, whose reciprocal is the Bernoulli function of Scharfetter-Gummel schemes.

/// (e^w − 1)/w, equal to 1 at w = 0 and positive everywhere.
///
/// # Formula
/// 1/B(w) with the Bernoulli function B(w) = w/(e^w − 1). It overflows to infinity above w ≈ 709, where the
/// corresponding rate is below the range of f64.
///
/// # Examples
/// ```
/// use freezeout::math::relative_exponential;
/// assert_eq!(relative_exponential(0.0), 1.0);
/// assert!((relative_exponential(1.0) - (1f64.exp() - 1.0)).abs() < 1e-15);
/// ```
#[inline]
pub fn relative_exponential(w: f64) -> f64 {
    if w == 0.0 { 1.0 } else { w.exp_m1() / w }
}
