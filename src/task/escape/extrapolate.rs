//! One number with its error from three grids.

use crate::error::Result;
use crate::output::{Group, Record};
use crate::statistics::convergence::{observed_order, richardson};

/// Grids of successively halved cells.
pub(super) const LEVELS: usize = 3;

/// Safety factor of an error from three grids, the custom of P. J. Roache, Verification and Validation (1998), ch. 5.
const SAFETY: f64 = 1.25;

/// A number of three grids with its error.
pub(super) struct Extrapolated {
    pub value: f64,
    pub error: f64,
    pub order: f64,
}

impl Extrapolated {
    /// Second order where it is expected and observed to a quarter; else an observed order of at most 2.5, as more is an accident. Unless order
    /// 2 is observed to a tenth, the error reaches to the limit of a mixture of orders 1 and 2, which three grids determine. Else the finest grid
    /// with the largest change between grids as error, or what the observed order leaves if that is more. Edges of sets that cut through cells
    /// move with the grid, so that nothing is extrapolated then. `solver` is the relative error of the numbers themselves, which bounds what
    /// any grid can know.
    pub fn new(levels: [f64; LEVELS], smooth: bool, solver: f64) -> Self {
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

    /// Writes value, error and order.
    pub fn push(&self, group: &mut Group, name: &str, unit: &str, description: &str) -> Result<()> {
        group.push(Record::scalar(name, unit, self.value)?.with_description(description))?;
        group.push(
            Record::scalar(&format!("{name}_error"), unit, self.error)?
                .with_description("discretisation error from three grids"),
        )?;
        group.push(
            Record::scalar(&format!("{name}_order"), "1", self.order)?
                .with_description("observed order of convergence; extrapolated only near the order expected")
                .with_missing("the changes between grids do not shrink with one sign"),
        )
    }
}
