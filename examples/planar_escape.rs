//! Escape in two variables of a loss written as a formula: every number with its error from four grids.
#![allow(clippy::print_stdout)]

use freezeout::diffusion::Sgd;
use freezeout::escape::{Problem, Quantity, Settings};
use freezeout::landscape::Expression;
use freezeout::noise::Isotropic;
use freezeout::region::{Domain, PointSet};
use std::collections::BTreeMap;

fn main() -> freezeout::Result<()> {
    // Parameters: x and y are uncoupled, so that time and gap are those of x alone: a quarter and four times those
    // of L = x⁴/4 − x²/2 at D = 0.05.
    let (formula, variance, noise_strength) = ("(x^2 - 1)^2 + a*y^2", 1.0, 0.2);
    let (bounds, cells, start, edge) = ([[-2.6, 2.6], [-1.6, 1.6]], [100, 40], [-1.0, 0.0], 1.0);

    // Problem
    let parameters = BTreeMap::from([("a".to_string(), 2.0)]);
    let loss = Expression::<2>::new(formula, &["x", "y"], &parameters, vec![])?;
    let sgd = Sgd::with_noise_strength(loss, Isotropic::new(variance)?, noise_strength)?;
    let problem = Problem::builder(sgd, Domain::new(bounds)?, cells)
        .from(PointSet::point(start.into())?)
        .to(PointSet::half_space([1.0, 0.0].into(), edge)?)
        .build()?;

    // Solve
    let result = problem.solve(&Settings::default(), &|_| Ok(()))?;

    // Print
    println!(
        "{:<28} {:>8} {:>10} {:>16} {:>16}",
        "quantity", "order", "error", "computed", "known"
    );
    for (quantity, known) in [
        (Quantity::MeanFirstPassageTime, 729.670691942 / 4.0),
        (Quantity::SpectralGap, 4.0 * 2.77614063657e-3),
    ] {
        // What is not defined for a problem has no number, and no row.
        if let Some(number) = result.number(quantity) {
            let (order, error, value) = (number.order, number.error, number.value);
            println!(
                "{:<28} {order:>8.3} {error:>10.1e} {value:>16.9} {known:>16.9}",
                quantity.name()
            );
        }
    }
    Ok(())
}
