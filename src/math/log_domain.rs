//! Sums of exponentials that neither overflow nor underflow: ln(e^a + e^b).
//!
//! Escape times and stationary weights span hundreds of decades; their logarithms do not.

/// ln(e^a + e^b), with −∞ standing for an empty sum.
///
/// # Method
/// max + ln(1 + e^{−|a−b|}); absolute error of the logarithm a few ε·max(1, |result|), NaN only from NaN.
///
/// # Examples
/// ```
/// use freezeout::math::log_domain::log_add_exp;
/// assert!((log_add_exp(1000.0, 1000.0) - (1000.0 + 2f64.ln())).abs() < 1e-12);
/// assert_eq!(log_add_exp(f64::NEG_INFINITY, 3.0), 3.0);
/// ```
pub fn log_add_exp(a: f64, b: f64) -> f64 {
    let (large, small) = if a >= b { (a, b) } else { (b, a) };
    if small == f64::NEG_INFINITY {
        return large;
    }
    large + (small - large).exp().ln_1p()
}

/// The probability of the first of two alternatives from its log-odds, 1/(1 + e^{−log_odds}).
///
/// # Examples
/// ```
/// use freezeout::math::log_domain::probability_from_log_odds;
/// assert_eq!(probability_from_log_odds(0.0), 0.5);
/// assert_eq!(probability_from_log_odds(-1e4), 0.0); // below the range of f64
/// ```
pub fn probability_from_log_odds(log_odds: f64) -> f64 {
    if log_odds >= 0.0 {
        1.0 / (1.0 + (-log_odds).exp())
    } else {
        let odds = log_odds.exp();
        odds / (1.0 + odds)
    }
}
