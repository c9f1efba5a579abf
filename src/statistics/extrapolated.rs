//! One number with its error from four grids.
//!
//! ```text
//! u(h) = u + c1 h + c2 h² + c3 h³ + c4 h⁴ + …     h = 1, 1/2, 1/3, 1/4
//! ```
//!
//! On smooth problems and grids c1 = c3 = 0. An edge of a set at which jumps are cut short leaves an h³, a grid that is not smooth an h. Three
//! grids h = 1, 1/2, 1/4 see one order; terms of opposite sign can look like order 2 by accident, four grids tell them apart.

use super::convergence::{observed_order, richardson};
use crate::math::log_domain::probability_from_log_odds;

/// Safety factor of an error from several grids, the custom of P. J. Roache, Verification and Validation (1998), ch. 5.
const SAFETY: f64 = 1.25;

/// Width of the cells of each grid over that of the coarsest.
const WIDTHS: [f64; 4] = [1.0, 1.0 / 2.0, 1.0 / 3.0, 1.0 / 4.0];
/// Weights of the four grids that eliminate h, h² and h⁴, and those that eliminate h², h³ and h⁴.
const WITH_FIRST: [f64; 4] = [-13.0 / 150.0, 76.0 / 25.0, -567.0 / 50.0, 704.0 / 75.0];
const WITH_THIRD: [f64; 4] = [-1.0 / 60.0, 4.0 / 5.0, -81.0 / 20.0, 64.0 / 15.0];

/// A number of four grids, whose cells are the coarsest ones cut into 1, 2, 3 and 4 parts, with its error and observed order.
///
/// # Examples
/// ```
/// use freezeout::statistics::Extrapolated;
/// let number = Extrapolated::from_grids([1.0, 1.0 / 2.0, 1.0 / 3.0, 1.0 / 4.0].map(|h| 3.0 - h * h), true, 0.0);
/// assert!((number.value - 3.0).abs() < 1e-12 && (number.order - 2.0).abs() < 1e-10);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extrapolated {
    /// The number: the limit where an order is known, that of the finest grid elsewhere.
    pub value: f64,
    /// Bound of its error by discretisation.
    pub error: f64,
    /// Order of convergence observed on 1, 2 and 4 parts; NaN when the changes between these grids do not shrink with one sign.
    pub order: f64,
}

impl Extrapolated {
    /// The number from its `levels`, coarse to fine; `smooth` when order 2 is expected, `solver` the relative error of the levels themselves.
    ///
    /// # Method
    /// Second order where it is expected and observed to a quarter; else an observed order of at most 2.5, as more is an accident. The error is the
    /// largest of
    /// - the change when the finest grid is left out, or the order replaced by the observed one;
    /// - 5/4 of the distance to the limits of u + c1 h + c2 h² + c4 h⁴ and of u + c2 h² + c3 h³ + c4 h⁴, which four grids determine: terms that
    ///   cancel in one of these differences do not cancel in the others.
    ///
    /// Where no order is expected, or none between 1/2 and 5/2 observed, nothing is extrapolated: edges of sets that cut through cells move with
    /// the grid. The error of the finest grid is then the largest of the changes between grids, of what the observed order leaves, and of 5/4 of
    /// what first order would leave beyond the finest grid, as told by each of the coarser ones.
    /// The error of the levels bounds what any grid can know.
    pub fn from_grids(levels: [f64; 4], smooth: bool, solver: f64) -> Self {
        let [coarse, half, _, finest] = levels;
        let halved = [coarse, half, finest];
        let order = observed_order(halved, 2.0).unwrap_or(f64::NAN);
        let rounding = solver * finest.abs();
        let expected = ((order - 2.0).abs() <= 0.25).then_some(2.0);
        let extrapolated = (smooth && (0.5..2.5).contains(&order))
            .then(|| richardson(&halved, 2.0, expected).ok())
            .flatten();
        let (value, error) = match extrapolated {
            Some(limit) => {
                let other = |weights: [f64; 4]| weights.iter().zip(&levels).map(|(w, u)| w * u).sum::<f64>();
                let distances =
                    [WITH_FIRST, WITH_THIRD].map(|weights| SAFETY * (limit.limit - other(weights)).abs());
                (limit.limit, distances.into_iter().fold(limit.error, f64::max))
            }
            None => {
                let changes = halved.windows(2).map(|pair| (pair[1] - pair[0]).abs());
                // beyond the finest grid, at the observed order and at order 1
                let observed = (order > 0.0).then(|| (finest - half).abs() / (2f64.powf(order) - 1.0));
                let first = levels[..3].iter().zip(WIDTHS).map(|(u, width)| {
                    let ratio = width / WIDTHS[3];
                    SAFETY * (finest - u).abs() / (ratio - 1.0)
                });
                (finest, changes.chain(observed).chain(first).fold(0.0, f64::max))
            }
        };
        Self {
            value,
            error: error + rounding,
            order,
        }
    }
}

/// What values a number can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// Any.
    Any,
    /// Above zero.
    Positive,
    /// Between zero and one.
    Probability,
}

impl Extrapolated {
    /// [`Extrapolated::from_grids`] of a number that stays in its range.
    ///
    /// # Method
    /// Where value and error leave the range, logarithms or log-odds are extrapolated in place of the levels, and the error is the larger distance
    /// to the ends of their error. Levels at an end of the range have neither: the finest one stands, with the largest change as error.
    ///
    /// # Examples
    /// ```
    /// use freezeout::statistics::{Extrapolated, Range};
    /// // a number that falls by a factor of twenty from the coarsest to the finest grid
    /// let levels = [1.0_f64, 1.0 / 2.0, 1.0 / 3.0, 1.0 / 4.0].map(|h| 0.01 * (3.0 * h * h).exp());
    /// let plain = Extrapolated::from_grids(levels, true, 0.0);
    /// assert!(plain.error > plain.value);
    /// let number = Extrapolated::within(Range::Positive, levels, true, 0.0);
    /// assert!((number.value - 0.01).abs() < 1e-10);
    /// ```
    pub fn within(range: Range, levels: [f64; 4], smooth: bool, solver: f64) -> Self {
        let plain = Self::from_grids(levels, smooth, solver);
        let inside = |v: f64| match range {
            Range::Any => true,
            Range::Positive => v > 0.0,
            Range::Probability => v > 0.0 && v < 1.0,
        };
        if inside(plain.value - plain.error) && inside(plain.value + plain.error) {
            return plain;
        }
        if !levels.into_iter().all(inside) {
            let changes = levels.windows(2).map(|pair| (pair[1] - pair[0]).abs());
            return Self {
                value: levels[3],
                error: changes.fold(solver * levels[3].abs(), f64::max),
                order: plain.order,
            };
        }
        let transformed = |v: f64| match range {
            Range::Probability => (v / (1.0 - v)).ln(),
            _ => v.ln(),
        };
        let restored = |v: f64| match range {
            Range::Probability => probability_from_log_odds(v),
            _ => v.exp(),
        };
        // a relative error of the levels is an error of their logarithms
        let of_logarithms = Self::from_grids(levels.map(transformed), smooth, 0.0);
        let error = of_logarithms.error + solver;
        let value = restored(of_logarithms.value);
        let ends = [-error, error].map(|by| (restored(of_logarithms.value + by) - value).abs());
        Self {
            value,
            error: ends[0].max(ends[1]),
            order: plain.order,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(terms: &[(f64, f64)]) -> Extrapolated {
        let level = |h: &f64| terms.iter().fold(1.0, |u, (c, p)| u + c * h.powf(*p));
        Extrapolated::from_grids(WIDTHS.each_ref().map(level), true, 0.0)
    }

    #[test]
    fn weights_eliminate_their_terms() {
        for (weights, powers) in [(WITH_FIRST, [1, 2, 4]), (WITH_THIRD, [2, 3, 4])] {
            let sum = |p: i32| -> f64 { weights.iter().zip(&WIDTHS).map(|(w, h)| w * h.powi(p)).sum() };
            assert!((sum(0) - 1.0).abs() < 1e-14);
            assert!(powers.into_iter().all(|p| sum(p).abs() < 1e-14));
        }
    }

    /// An expansion in h² and h⁴: fifteen times the true error, the price of not knowing that it is one.
    #[test]
    fn a_clean_expansion_is_overestimated_fifteenfold() {
        let clean = number(&[(1.0, 2.0), (0.1, 4.0)]);
        let over = clean.error / (clean.value - 1.0).abs();
        assert!((14.0..16.0).contains(&over), "{over}");
    }

    /// First, third and fractional orders that three grids take for second order to two digits.
    #[test]
    fn an_order_of_two_by_accident_is_found_out() {
        for (coefficient, power) in [(1.0, 1.0), (1.0, 3.0), (1.0, 1.5), (1.0, 4.0 / 3.0)] {
            // the h⁴ that hides it: the limits of 1, 2 and of 2, 4 parts coincide
            let limit = |p: f64, h: f64| (4.0 * (h / 2.0).powf(p) - h.powf(p)) / 3.0;
            let hidden =
                -coefficient * (limit(power, 1.0) - limit(power, 0.5)) / (limit(4.0, 1.0) - limit(4.0, 0.5));
            let found = number(&[(3.0, 2.0), (coefficient, power), (hidden, 4.0)]);
            assert!((found.order - 2.0).abs() < 1e-9, "{power}: {found:?}");
            let off = (found.value - 1.0).abs();
            assert!(off > 1e-3 && found.error >= off, "{power}: {found:?}");
            // the negative control: three grids see nothing
            let level = |h: f64| 1.0 + 3.0 * h * h + coefficient * h.powf(power) + hidden * h.powi(4);
            let blind = richardson(&[1.0, 0.5, 0.25].map(level), 2.0, Some(2.0)).unwrap();
            assert!(blind.error < 1e-9 * off, "{power}");
        }
    }

    #[test]
    fn numbers_stay_in_their_range() {
        // exp of an expansion in h²: the levels fall by orders of magnitude, and the truth is known
        let steep = |truth: f64| WIDTHS.map(|h| truth * (12.0 * h * h).exp());
        let levels = steep(1e-3);
        let plain = Extrapolated::from_grids(levels, true, 0.0);
        assert!(plain.error > plain.value);
        let found = Extrapolated::within(Range::Positive, levels, true, 0.0);
        assert!((found.value / 1e-3 - 1.0).abs() < 1e-9 && found.error < 1e-9);
        // a probability near one
        let near = WIDTHS.map(|h| 1.0 - 1e-4 * (9.0 * h * h).exp());
        let found = Extrapolated::within(Range::Probability, near, true, 0.0);
        assert!(found.value < 1.0 && (found.value - (1.0 - 1e-4)).abs() <= found.error);
        // far from the ends the levels themselves are extrapolated
        let levels = WIDTHS.map(|h| 3.0 + h * h);
        assert_eq!(
            Extrapolated::within(Range::Positive, levels, true, 0.0),
            Extrapolated::from_grids(levels, true, 0.0)
        );
    }

    #[test]
    fn nothing_is_extrapolated_where_no_order_is_known() {
        let rough = Extrapolated::from_grids([1.3, 1.1, 1.12, 1.05], false, 0.0);
        assert!(rough.value == 1.05 && rough.error > 0.19);
        let turning = Extrapolated::from_grids([1.3, 1.1, 1.2, 1.15], true, 0.0);
        assert!(turning.value == 1.15 && turning.error > 0.19 && turning.order.is_nan());
    }
}
