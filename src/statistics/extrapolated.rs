//! One number with its error from three grids.

use super::convergence::{observed_order, richardson};

/// Safety factor of an error from three grids, the custom of P. J. Roache, Verification and Validation (1998), ch. 5.
const SAFETY: f64 = 1.25;

/// A number of three grids, each with cells half as wide as the one before, with its error and observed order.
///
/// # Examples
/// ```
/// use freezeout::statistics::Extrapolated;
/// let number = Extrapolated::from_three_grids([0.4_f64, 0.2, 0.1].map(|h| 3.0 - h * h), true, 0.0);
/// assert!((number.value - 3.0).abs() < 1e-12 && (number.order - 2.0).abs() < 1e-10);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extrapolated {
    /// The number: the limit where an order is known, that of the finest grid elsewhere.
    pub value: f64,
    /// Bound of its error by discretisation.
    pub error: f64,
    /// Observed order of convergence; NaN when the changes between grids do not shrink with one sign.
    pub order: f64,
}

impl Extrapolated {
    /// The number from its `levels`, coarse to fine; `smooth` when order 2 is expected, `solver` the relative error of the levels themselves.
    ///
    /// # Method
    /// Second order where it is expected and observed to a quarter; else an observed order of at most 2.5, as more is an accident. Unless order
    /// 2 is observed to a tenth, the error reaches to the limit of a mixture of orders 1 and 2, which three grids determine. Else the finest grid
    /// with the largest change between grids as error, or what the observed order leaves if that is more. Edges of sets that cut through cells
    /// move with the grid, so that nothing is extrapolated then. The error of the levels bounds what any grid can know.
    pub fn from_three_grids(levels: [f64; 3], smooth: bool, solver: f64) -> Self {
        let order = observed_order(levels, 2.0).unwrap_or(f64::NAN);
        let changes = [levels[1] - levels[0], levels[2] - levels[1]].map(f64::abs);
        let rounding = solver * levels[2].abs();
        let distance = (order - 2.0).abs();
        let expected = (distance <= 0.25).then_some(2.0);
        let extrapolated = (smooth && (0.5..2.5).contains(&order))
            .then(|| richardson(&levels, 2.0, expected).ok())
            .flatten();
        let (value, error) = match extrapolated {
            Some(limit) if distance <= 0.1 => (limit.limit, limit.error),
            Some(limit) => {
                // of u + a h + b h², eliminated from h = 4, 2, 1
                let mixture = (8.0 * levels[2] - 6.0 * levels[1] + levels[0]) / 3.0;
                (
                    limit.limit,
                    limit.error.max(SAFETY * (limit.limit - mixture).abs()),
                )
            }
            None => {
                // what is left beyond the finest grid at the observed order
                let left = if order > 0.0 {
                    changes[1] / (2f64.powf(order) - 1.0)
                } else {
                    0.0
                };
                (levels[2], changes[0].max(changes[1]).max(left))
            }
        };
        Self {
            value,
            error: error + rounding,
            order,
        }
    }
}
