//! Special functions that `statrs` lacks: Dawson's integral and the imaginary error function, in log domain.

use std::f64::consts::{FRAC_2_SQRT_PI, PI};

/// Below this argument the power series of erfi is summed, above it Rybicki's sum.
const SERIES_LIMIT: f64 = 2.0;

/// Dawson's integral F(x) = e^{−x²} ∫_0^x e^{t²} dt.
///
/// # Method
/// |x| < 2: e^{−x²} times the power series of the integral, whose terms are all positive. Otherwise Rybicki's
/// exponentially convergent sum F(x) = π^{−1/2} Σ_{n odd} e^{−(x − nh)²}/n with h = 1/5, whose truncation
/// error e^{−(π/2h)²} ≈ 2·10⁻²⁷ is far below rounding. Relative error below 2·10⁻¹⁵.
///
/// # References
/// G. B. Rybicki, Computers in Physics 3, 85 (1989).
///
/// # Examples
/// ```
/// use freezeout::math::special::dawson;
/// assert!((dawson(1.0) / 0.538_079_506_912_768_4 - 1.0).abs() < 1e-15);
/// ```
pub fn dawson(x: f64) -> f64 {
    let magnitude = x.abs();
    let value = if magnitude < SERIES_LIMIT {
        (-magnitude * magnitude).exp() * exponential_square_integral(magnitude)
    } else {
        rybicki(magnitude)
    };
    value.copysign(x)
}

/// Natural logarithm of the imaginary error function, ln erfi(x), for x ≥ 0 (−∞ at 0, NaN below).
///
/// # Formula
/// erfi(x) = (2/√π) ∫_0^x e^{t²} dt = (2/√π) e^{x²} F(x) with Dawson's F.
///
/// # Method
/// ln erfi = x² + ln F(x) + ln(2/√π) above 2, the logarithm of the power series below; never overflows.
///
/// # Examples
/// ```
/// use freezeout::math::special::ln_erfi;
/// assert!((ln_erfi(30.0) / 896.026_994_004_696_9 - 1.0).abs() < 1e-15);
/// ```
pub fn ln_erfi(x: f64) -> f64 {
    if x < 0.0 {
        f64::NAN
    } else if x < SERIES_LIMIT {
        (FRAC_2_SQRT_PI * exponential_square_integral(x)).ln()
    } else {
        x * x + (FRAC_2_SQRT_PI * rybicki(x)).ln()
    }
}

/// ln N(x) of the standard normal distribution function for x ≥ 0, accurate where N(x) is close to one.
///
/// # Method
/// ln(1 − erfc(x/√2)/2) with `libm`'s erfc; the one of `statrs` 0.19 is good to 10⁻¹⁰ only.
///
/// # Examples
/// ```
/// use freezeout::math::special::ln_normal_cdf;
/// assert!((ln_normal_cdf(0.0) + 2f64.ln()).abs() < 1e-15);
/// ```
pub fn ln_normal_cdf(x: f64) -> f64 {
    (-0.5 * libm::erfc(x * std::f64::consts::FRAC_1_SQRT_2)).ln_1p()
}

/// ∫_0^x e^{t²} dt = Σ x^{2k+1}/(k! (2k+1)) for 0 ≤ x < 2.
fn exponential_square_integral(x: f64) -> f64 {
    let square = x * x;
    let (mut power, mut sum, mut k) = (x, x, 0.0);
    loop {
        k += 1.0;
        power *= square / k;
        let term = power / (2.0 * k + 1.0);
        sum += term;
        if term <= 0.25 * f64::EPSILON * sum {
            return sum;
        }
    }
}

fn rybicki(x: f64) -> f64 {
    const STEP: f64 = 0.2;
    /// e^{−(31/5)²} ≈ 2·10⁻¹⁷ of the largest term is left out.
    const TERMS: i32 = 31;
    // The even multiple of the step nearest to x; odd offsets from it are the odd n.
    let centre = 2.0 * (0.5 * x / STEP).round();
    let offset = x - centre * STEP;
    let mut sum = 0.0;
    for odd in (1..=TERMS).step_by(2) {
        let n = f64::from(odd);
        let (ahead, behind) = (offset - n * STEP, offset + n * STEP);
        sum += (-ahead * ahead).exp() / (centre + n) + (-behind * behind).exp() / (centre - n);
    }
    sum / PI.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (x, F(x)) from mpmath with 40 digits.
    const DAWSON: [(f64, f64); 14] = [
        (1e-8, 9.999_999_999_999_999e-9),
        (0.01, 0.009_999_333_359_999_238),
        (0.3, 0.282_631_665_021_311_93),
        (0.9, 0.540_724_318_726_298_7),
        (1.5, 0.428_249_071_085_398_6),
        (2.0, 0.301_340_388_923_791_97),
        (2.5, 0.223_083_722_167_435_48),
        (3.3, 0.159_788_580_474_495_05),
        (5.0, 0.102_134_074_424_276_84),
        (8.0, 0.063_000_198_707_553_39),
        (12.0, 0.041_812_876_453_988_26),
        (25.0, 0.020_016_038_554_466_41),
        (100.0, 0.005_000_250_037_509_375),
        (1e8, 5e-9),
    ];
    /// A few rounding errors of the sum of sixteen terms.
    const ROUNDING: f64 = 2e-15;

    #[test]
    fn dawson_agrees_with_mpmath_and_is_odd() {
        for (x, expected) in DAWSON {
            assert!((dawson(x) / expected - 1.0).abs() < ROUNDING, "{x} {}", dawson(x));
            assert_eq!(dawson(-x), -dawson(x));
        }
    }

    #[test]
    fn ln_erfi_agrees_with_mpmath() {
        for (x, expected) in [
            (0.1, -2.178_465_074_761_982),
            (0.5, -0.486_210_909_011_998_03),
            (1.5, 1.522_731_926_760_761),
            (2.0, 2.921_267_444_673_164_3),
            (7.0, 46.492_203_460_938_63),
            (30.0, 896.026_994_004_696_9),
        ] {
            let got = ln_erfi(x);
            assert!((got / expected - 1.0).abs() < ROUNDING, "{x} {got} {expected}");
        }
        assert_eq!(ln_erfi(0.0), f64::NEG_INFINITY);
        assert!(ln_erfi(-1.0).is_nan());
    }
}
