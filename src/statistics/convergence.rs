//! Observed order of convergence and Richardson extrapolation: u(h) = u + c h^p + ….

use super::Estimate;
use crate::error::{Error, Result, require, require_finite, require_non_negative};

/// Limit of a sequence on refined grids.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Richardson {
    /// Extrapolated value.
    pub limit: f64,
    /// Order observed on the three finest levels.
    pub order: f64,
    /// Bound of the error of `limit`: see [`richardson`].
    pub error: f64,
    /// Difference between `limit` and the finest level, the error of that level.
    pub finest_error: f64,
}

/// Order observed on three levels, coarse to fine, each finer by `ratio`.
///
/// # Formula
/// p = ln((u1 − u2)/(u2 − u3))/ln(ratio).
///
/// # Errors
/// [`Error::InvalidParameter`] for a ratio ≤ 1 or values that are not finite; [`Error::NotConverged`] when the differences do not shrink
/// with one sign.
///
/// # Examples
/// ```
/// use freezeout::statistics::convergence::observed_order;
/// let u = |h: f64| 1.0 + 0.3 * h * h;
/// assert!((observed_order([u(0.4), u(0.2), u(0.1)], 2.0)? - 2.0).abs() < 1e-12);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn observed_order(values: [f64; 3], ratio: f64) -> Result<f64> {
    require(
        "refinement ratio",
        ratio,
        |r| r > 1.0,
        "a number above 1 is needed",
    )?;
    for value in values {
        require_finite("level value", value)?;
    }
    let (coarse, fine) = (values[0] - values[1], values[1] - values[2]);
    let quotient = coarse / fine;
    if quotient > 1.0 && quotient.is_finite() {
        return Ok(quotient.ln() / ratio.ln());
    }
    Err(Error::NotConverged {
        method: "refinement (the changes between levels do not shrink with one sign)".into(),
        iterations: 3,
        residual: fine.abs(),
        tolerance: coarse.abs(),
    })
}

/// Extrapolates three or more levels, coarse to fine, to the limit.
///
/// # Formula
/// limit = u_n + (u_n − u_{n−1})/(r^p − 1).
///
/// # Method
/// p is `order` when the theory gives one and the observed order otherwise. The error is the larger of: the change of the limit when the finest
/// level is left out (from four levels, or with a given order) and the change when the given order is replaced by the observed one. With three
/// levels and no given order it is the whole extrapolation step, a cautious bound.
///
/// # Errors
/// [`Error::TooFewSamples`] below three levels; those of [`observed_order`]; [`Error::NotConverged`] when a given order is
/// not observed within one half: the levels are not yet in the asymptotic range.
///
/// # Examples
/// ```
/// use freezeout::statistics::convergence::richardson;
/// let levels = [0.4, 0.2, 0.1, 0.05].map(|h: f64| 3.0 - h * h + 0.1 * h.powi(4));
/// let result = richardson(&levels, 2.0, Some(2.0))?;
/// assert!((result.limit - 3.0).abs() < result.error && result.error < 1e-4);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn richardson(levels: &[f64], ratio: f64, order: Option<f64>) -> Result<Richardson> {
    const ORDER_SLACK: f64 = 0.5;
    let n = levels.len();
    if n < 3 {
        return Err(Error::TooFewSamples {
            estimator: "Richardson extrapolation (levels)".into(),
            needed: 3,
            got: n,
        });
    }
    let observed = observed_order([levels[n - 3], levels[n - 2], levels[n - 1]], ratio)?;
    if let Some(expected) = order {
        require("order", expected, |p| p > 0.0, "a positive number is needed")?;
        if (observed - expected).abs() > ORDER_SLACK {
            return Err(Error::NotConverged {
                method: format!("refinement (order {observed:.2} observed, {expected} expected)"),
                iterations: n,
                residual: (observed - expected).abs(),
                tolerance: ORDER_SLACK,
            });
        }
    }
    let extrapolate = |last: usize, p: f64| extrapolated(levels[last - 1], levels[last], ratio, p);
    let p = order.unwrap_or(observed);
    let limit = extrapolate(n - 1, p);
    let finest_error = (limit - levels[n - 1]).abs();
    let error = match order {
        Some(_) => {
            let without = (limit - extrapolate(n - 2, p)).abs();
            without.max((limit - extrapolate(n - 1, observed)).abs())
        }
        None if n > 3 => {
            let before = observed_order([levels[n - 4], levels[n - 3], levels[n - 2]], ratio)?;
            (limit - extrapolate(n - 2, before)).abs()
        }
        None => finest_error,
    };
    Ok(Richardson {
        limit,
        order: observed,
        error,
        finest_error,
    })
}

/// Limit of two levels, the finer by `ratio`, whose error is c h^`order`.
pub fn extrapolated(coarse: f64, fine: f64, ratio: f64, order: f64) -> f64 {
    fine + (fine - coarse) / (ratio.powf(order) - 1.0)
}

/// A sampled quantity freed of the leading bias of its time step (or mesh).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BiasCorrected {
    /// Extrapolated value, with its standard error.
    pub limit: Estimate,
    /// Bias of the finer level, with its standard error; compatible with zero when sampling errors hide it.
    pub bias: Estimate,
}

/// Extrapolates two independent estimates on levels h and h/`ratio` whose bias is c h^`order`.
///
/// # Formula
/// With q = 1/(ratio^order − 1): bias of the finer level (coarse − fine) q, limit fine − bias, standard errors
/// q sqrt(s_c² + s_f²) and sqrt(q² s_c² + (1 + q)² s_f²).
///
/// # Method
/// The order is theory: two levels cannot tell it. The limit of order 1 and ratio 2 has sqrt(5) times the standard error of either
/// level, so the finer one is the better estimate while its bias stays below its error. The samples must be independent
/// (different experiments of one seed).
///
/// # Errors
/// [`Error::InvalidParameter`] for a ratio ≤ 1, an order ≤ 0, or estimates that are not finite.
///
/// # Examples
/// ```
/// use freezeout::statistics::{Estimate, convergence::extrapolate};
/// let level = |value| Estimate { value, standard_error: 0.01, samples: 100 };
/// let result = extrapolate(&level(2.2), &level(2.1), 2.0, 1.0)?;
/// assert!((result.limit.value - 2.0).abs() < 1e-12 && (result.bias.value - 0.1).abs() < 1e-12);
/// assert!((result.limit.standard_error - 0.01 * 5.0_f64.sqrt()).abs() < 1e-12);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn extrapolate(coarse: &Estimate, fine: &Estimate, ratio: f64, order: f64) -> Result<BiasCorrected> {
    require(
        "refinement ratio",
        ratio,
        |r| r > 1.0,
        "a number above 1 is needed",
    )?;
    require("order", order, |p| p > 0.0, "a positive number is needed")?;
    for estimate in [coarse, fine] {
        require_finite("level value", estimate.value)?;
        let error = estimate.standard_error;
        require_non_negative("standard error", error)?;
    }
    let q = 1.0 / (ratio.powf(order) - 1.0);
    let change = coarse.minus(fine);
    let bias = Estimate {
        value: q * change.value,
        standard_error: q * change.standard_error,
        samples: change.samples,
    };
    let error = (q * coarse.standard_error).hypot((1.0 + q) * fine.standard_error);
    let limit = Estimate {
        value: fine.value - bias.value,
        standard_error: error,
        samples: change.samples,
    };
    Ok(BiasCorrected { limit, bias })
}
