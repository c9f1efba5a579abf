//! One number with its error from three grids.

use crate::error::Result;
use crate::output::{Group, Record};
use crate::statistics::convergence::{observed_order, richardson};

/// Grids of successively halved cells.
pub(super) const LEVELS: usize = 3;

/// A number of three grids with its error.
pub(super) struct Extrapolated {
    pub value: f64,
    pub error: f64,
    pub order: f64,
}

impl Extrapolated {
    /// Second order where it is expected and observed to a tenth; else an observed order of at most 2.5, as more is an accident, with an
    /// error that reaches to the limit of first order, because such an order is a mixture; else the finest grid with the largest change
    /// between grids as error, or what the observed order leaves if that is more. Edges of sets that cut through cells move with the grid, so
    /// that nothing is extrapolated then. `solver` is the relative error of the numbers themselves, which bounds what any grid can know.
    pub fn new(levels: [f64; LEVELS], smooth: bool, solver: f64) -> Self {
        let order = observed_order(levels, 2.0).unwrap_or(f64::NAN);
        let changes = [levels[1] - levels[0], levels[2] - levels[1]].map(f64::abs);
        let rounding = solver * levels[2].abs();
        // what is left beyond the finest grid at order p
        let rest = |p: f64| changes[1] / (2f64.powf(p) - 1.0);
        let is_second = (order - 2.0).abs() <= 0.1;
        let expected = is_second.then_some(2.0);
        let extrapolated = (smooth && (0.5..2.5).contains(&order))
            .then(|| richardson(&levels, 2.0, expected).ok())
            .flatten();
        match extrapolated {
            Some(limit) => {
                let mixed = if is_second {
                    0.0
                } else {
                    (rest(order) - rest(1.0)).abs()
                };
                Self {
                    value: limit.limit,
                    error: limit.error.max(mixed) + rounding,
                    order,
                }
            }
            None => {
                let left = if order > 0.0 { rest(order) } else { 0.0 };
                Self {
                    value: levels[2],
                    error: changes[0].max(changes[1]).max(left) + rounding,
                    order,
                }
            }
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
