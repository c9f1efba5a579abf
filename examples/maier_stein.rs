//! Escape without detailed balance: the path of least action and the rate with its prefactor, against the generator on a grid.
#![allow(clippy::print_stdout)]

use freezeout::diffusion::Diffusion;
use freezeout::generator::Generator;
use freezeout::grid::{Axis, Grid};
use freezeout::math::{Point, Tensor};
use freezeout::observables::slow_modes;
use freezeout::path::{instanton_rate, quasi_potential};

/// The process of Maier and Stein, J. Stat. Phys. 83, 291 (1996); its drift is no gradient unless β = 1.
struct MaierStein {
    beta: f64,
    diffusivity: f64,
}

impl Diffusion<2> for MaierStein {
    fn drift(&self, theta: &Point<2>) -> Point<2> {
        let (u, v) = (theta[0], theta[1]);
        Point::<2>::new(u - u.powi(3) - self.beta * u * v * v, -(1.0 + u * u) * v)
    }
    fn tensor(&self, _: &Point<2>) -> Tensor<2> {
        Tensor::<2>::identity() * self.diffusivity
    }
}

fn main() -> freezeout::Result<()> {
    // Parameters
    let (well, saddle) = (Point::<2>::new(-1.0, 0.0), Point::<2>::zeros());
    let (diffusivity, cells, pieces) = (0.05, [200, 120], 50);

    // Problem: D = 1/2 gives the action of Freidlin and Wentzell; at β = 10 the path bends away from the axis.
    let with = |beta, diffusivity| MaierStein { beta, diffusivity };
    let grid = Grid::new([
        Axis::uniform(-2.0, 2.0, cells[0])?,
        Axis::uniform(-1.2, 1.2, cells[1])?,
    ]);

    // Solve: the gap of two symmetric wells is twice the rate out of one, up to a relative correction of order D.
    let straight = quasi_potential(&with(1.0, 0.5), well, saddle, 0.3, pieces)?;
    let bent = quasi_potential(&with(10.0, 0.5), well, saddle, 0.3, pieces)?;
    let rate = instanton_rate(&with(1.0, diffusivity), &straight.minimum.path, pieces)?;
    let mode = &slow_modes(&Generator::assemble(&with(1.0, diffusivity), grid)?, 1)?.modes[0];

    // Print
    println!("{:<40} {:>10} {:>10}", "quantity", "computed", "known");
    for (name, computed, known) in [
        ("action, β = 1", straight.minimum.action, 0.5),
        ("action, β = 10", bent.minimum.action, 0.34004),
        ("gap, β = 1, on the grid", -mode.eigenvalue.re, 0.00371984),
        (
            "gap, β = 1, as twice the weak-noise rate",
            2.0 * rate.log_rate.exp(),
            0.00371984,
        ),
    ] {
        println!("{name:<40} {computed:>10.6} {known:>10.6}");
    }
    Ok(())
}
